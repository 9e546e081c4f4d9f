//! The SFTP front: listener, sign-in, protocol core, and the shelves of the home folder.

mod algorithms;
pub mod auth;
mod branch;
pub mod conversation;
pub mod digests;
mod documents;
mod dropbox;
mod greeting;
pub mod handles;
mod home;
pub mod jobs;
pub mod listener;
pub mod long_names;
pub mod outbox;
pub mod paths;
mod receipts;
pub mod replies;
mod reply;
pub mod request_names;
pub mod requests;
mod root;
pub mod session;
pub mod shelf;
mod strangers;
pub mod wire;

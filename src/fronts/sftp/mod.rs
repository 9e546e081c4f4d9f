//! The SFTP front: listener, sign-in, protocol core and the outbox shelf.

mod algorithms;
pub mod auth;
pub mod conversation;
pub mod digests;
mod greeting;
pub mod handles;
pub mod jobs;
pub mod listener;
pub mod long_names;
pub mod outbox;
pub mod paths;
pub mod replies;
mod reply;
pub mod request_names;
pub mod requests;
pub mod session;
pub mod shelf;
mod strangers;
pub mod wire;

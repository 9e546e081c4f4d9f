//! The SFTP front: listener, sign-in, protocol core and the outbox shelf.

pub mod shelf;

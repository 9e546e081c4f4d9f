//! Integration tests: one binary, real sockets on loopback.

mod ports_catalog;
mod sftp_core;

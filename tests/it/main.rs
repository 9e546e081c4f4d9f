//! Integration tests: one binary, real sockets on loopback.

mod sftp_core;

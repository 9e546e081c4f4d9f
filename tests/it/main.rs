//! Integration tests: one binary, real sockets on loopback.

mod operations;
mod rights_matrix;
mod sftp_core;

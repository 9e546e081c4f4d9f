//! Integration tests: one binary, real sockets on loopback.
#![cfg(test)]

mod layering;
mod rights_matrix;
mod sftp_core;
mod support;
mod tidy;

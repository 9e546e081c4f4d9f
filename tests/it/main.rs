//! Integration tests: one binary, real sockets on loopback.
#![cfg(test)]

mod crash;
mod dependencies;
mod fetch_https;
mod fetch_refusals;
mod fetch_resume;
mod fetch_sftp;
mod fetch_stage;
mod layering;
mod operations;
mod ports_catalog;
mod real_clients;
mod rights_matrix;
mod server_life;
mod sftp_core;
mod support;
mod tidy;

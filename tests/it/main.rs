//! Integration tests: one binary, real sockets on loopback.
#![cfg(test)]

mod age_vectors;
mod allow_lists;
mod backup;
mod backup_faults;
mod check_deep;
mod check_file;
mod cli;
mod client_matrix;
#[cfg(feature = "conformance")]
mod conformance;
mod crash;
mod delete_after_fetch;
mod dependencies;
mod end_to_end;
mod end_to_end_keys;
mod fetch_https;
mod fetch_refusals;
mod fetch_resume;
mod fetch_sftp;
mod fetch_stage;
mod full_disk;
#[path = "../fuzz/mod.rs"]
mod fuzz;
mod fuzzing;
mod interruption;
mod key_rotation;
mod large_folder;
mod layering;
mod mail;
mod operations;
mod portal;
mod portal_access;
mod ports_catalog;
mod power;
mod protection;
mod real_clients;
mod rights_matrix;
mod scrub;
mod server_life;
mod sessions;
mod sftp_bounds;
mod sftp_core;
mod shredding;
mod spool;
mod ssh_algorithms;
mod ssh_endings;
mod ssh_refusals;
mod support;
mod tidy;
mod tour;
mod upload_clients;
mod upload_matrix;
mod upload_resume;
mod upload_sftp;
mod upload_stage;

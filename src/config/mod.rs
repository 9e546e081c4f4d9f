//! Configuration: valid by type once built. Reads one file and the environment.

pub mod sftp;

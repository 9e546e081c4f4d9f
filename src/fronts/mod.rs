//! Fronts: thin, one per protocol; where async lives. None names another.

pub mod sessions;
pub mod sftp;

//! Fronts: thin, one per protocol; where async lives. None names another.

pub mod forms;
pub mod https;
pub mod sftp;

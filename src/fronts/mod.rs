//! Fronts: thin, one per protocol; where async lives. None names another.
//! `offload` is the one bridge from async to operations.

pub mod cli;
pub mod forms;
pub mod https;
pub mod intake_forms;
pub mod mandate_forms;
pub mod server_facts;
pub mod sessions;
pub mod sftp;
pub mod source_file;
pub mod spool;
pub mod ssh_keys;

use crate::operations::{Failure, Fault};

/// Runs a blocking operation off the async threads. A panic in it becomes a fault.
///
/// # Errors
/// What `work` returns, or a fault when it panicked.
pub async fn offload<T, F>(work: F) -> Result<T, Failure>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, Failure> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) => Err(Fault::from_error("run an operation", error).into()),
    }
}

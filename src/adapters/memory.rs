//! Every port in memory, for tests: behaves as the real adapters promise, but
//! keeps nothing and seals nothing. Must not be named by `assembly`.

mod catalog;
mod checker;
mod handover;
mod keyring;
mod passkeys;
mod people;
mod surroundings;
mod unfinished;
mod vault;

pub use catalog::MemoryCatalog;
pub use checker::MemoryChecker;
pub use handover::MemoryHandover;
pub use keyring::MemoryKeyring;
pub use passkeys::MemoryPasskeys;
pub use people::{MemoryCodes, MemoryPasswords};
pub use surroundings::{CountingEntropy, FixedClock, MemoryMailer};
pub use unfinished::MemoryUnfinished;
pub use vault::MemoryVault;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A test that panicked while it held a lock has failed already: the others go on.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

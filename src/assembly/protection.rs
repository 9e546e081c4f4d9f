//! What keeps keys in memory from being read from outside the process: no core
//! dumps, no tracing by others of the same user, no swapping where that is allowed.

use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};

/// How far the protection goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Protection {
    /// Whether memory is kept out of swap space; else why not.
    pub locked: Result<(), String>,
}

/// Protects this process. To be called before any key is read.
///
/// # Errors
/// The system refuses to keep others from dumping the process: then nothing may be served.
pub fn protect() -> std::io::Result<Protection> {
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(Protection { locked: lock() })
}

/// Locks memory only where it has no limit: below one, an allocation that goes beyond it would fail later.
fn lock() -> Result<(), String> {
    if getrlimit(Resource::Memlock).current.is_some() {
        return Err("the limit on locked memory is not infinity (systemd: LimitMEMLOCK=infinity)".to_owned());
    }
    let flags = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT;
    mlockall(flags).map_err(|error| error.to_string())
}

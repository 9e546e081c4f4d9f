//! Decisions that nobody waits for: how many are under way, and waiting until
//! none of those is. Knows nothing of what they decide.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::ports::failure::{Failure, Fault};

/// The writer answers long before this; a reader must not wait for ever for one that does not.
const PATIENCE: Duration = Duration::from_secs(30);

/// Counts decisions that nobody waits for.
#[derive(Default)]
pub(super) struct Later {
    count: Mutex<Count>,
    ended: Condvar,
}

#[derive(Default)]
struct Count {
    begun: u64,
    ended: u64,
    /// How many wait for others to end.
    waiting: usize,
}

/// One of them; ends when dropped.
pub(super) struct UnderWay {
    later: Arc<Later>,
    doing: &'static str,
}

impl UnderWay {
    /// Logs a failure; there is nobody to tell.
    pub(super) fn report(&self, outcome: &Result<(), Failure>) {
        if let Err(failure) = outcome {
            tracing::error!(%failure, doing = self.doing, "a decision that nobody waits for failed");
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut count = self.later.count();
        count.ended += 1;
        let is_waited_for = count.waiting > 0;
        drop(count);
        if is_waited_for {
            self.later.ended.notify_all();
        }
    }
}

impl Later {
    /// One more is under way.
    pub(super) fn begin(self: Arc<Self>, doing: &'static str) -> UnderWay {
        self.count().begun += 1;
        UnderWay { later: self, doing }
    }

    pub(super) fn is_empty(&self) -> bool {
        let count = self.count();
        count.begun == count.ended
    }

    /// Waits until as many have ended as have begun by now. They end in the order in which they began.
    pub(super) fn wait(&self) -> Result<(), Fault> {
        let begun = Instant::now();
        let mut count = self.count();
        let wanted = count.begun;
        while count.ended < wanted {
            let left = PATIENCE.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Err(Fault::new("read the catalog: its writer does not answer"));
            }
            count.waiting += 1;
            count = self.ended.wait_timeout(count, left).unwrap_or_else(PoisonError::into_inner).0;
            count.waiting -= 1;
        }
        Ok(())
    }

    fn count(&self) -> MutexGuard<'_, Count> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

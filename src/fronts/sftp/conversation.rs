//! Drives the protocol core: runs its jobs off the session loop and hands its answers
//! to a sender. Knows of tokio, but nothing of SSH.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;

use super::request_names;
use super::requests::{Broken, Core, CoreLimits, Finished, Job};
use super::shelf::Shelf;

/// Threads that one conversation may keep busy at once.
const RUNNERS: usize = 2;

struct State {
    core: Core,
    runners: usize,
    ended: bool,
}

/// One SFTP conversation; cheap to clone.
#[derive(Clone)]
pub struct Conversation {
    shared: Arc<Shared>,
}

struct Shared {
    shelf: Arc<dyn Shelf>,
    state: Mutex<State>,
    /// Something is to be sent, or room came free.
    wake: Notify,
    /// A job finished.
    progress: Notify,
    /// Requests may be waiting for room: who frees some must wake the pump.
    is_short_of_room: AtomicBool,
}

impl Conversation {
    /// A conversation over a shelf.
    pub fn new(shelf: Arc<dyn Shelf>, limits: CoreLimits) -> Self {
        let core = Core::new(limits, request_names::admitted(shelf.as_ref()));
        let state = State { core, runners: 0, ended: false };
        Self {
            shared: Arc::new(Shared {
                shelf,
                state: Mutex::new(state),
                wake: Notify::new(),
                progress: Notify::new(),
                is_short_of_room: AtomicBool::new(false),
            }),
        }
    }

    /// Takes bytes from the client and starts what can run; what waits for nothing is done here and now, and
    /// its answers stand ready for [`Conversation::take_answer`]. Waits only for the disk, never for the
    /// client, so that the loop that calls it stays live.
    ///
    /// # Errors
    /// [`Broken`]: close the channel.
    pub async fn feed(&self, data: &[u8]) -> Result<(), Broken> {
        {
            let mut state = self.state();
            if state.ended {
                return Err(Broken::Ended);
            }
            state.core.feed(data)?;
        }
        self.shared.kick();
        loop {
            let progress = self.shared.progress.notified();
            {
                let state = self.state();
                if state.ended || !state.core.is_full() {
                    return Ok(());
                }
            }
            progress.await;
        }
    }

    /// Leaves what stands ready to the pump, for a driver that does not use [`Conversation::take_answer`].
    pub fn leave_to_pump(&self) {
        self.shared.wake.notify_one();
    }

    /// An answer that may be sent now by whoever drives the transport, past [`Conversation::pump`]: nothing
    /// that was taken before is still on its way to it. When there is none, the pump is told of the rest.
    pub fn take_answer(&self) -> Option<Bytes> {
        let mut state = self.state();
        if state.ended {
            return None;
        }
        if !state.core.has_nothing_under_way() {
            let is_left = state.core.has_outgoing();
            drop(state);
            if is_left {
                self.shared.wake.notify_one();
            }
            return None;
        }
        state.core.take_outgoing().map(|bytes| self.shared.parting(bytes))
    }

    /// Sends answers through `send` until the conversation ends or `send` says that
    /// nobody listens.
    pub async fn pump<F, S>(&self, mut send: F)
    where
        F: FnMut(Bytes) -> S + Send,
        S: Future<Output = bool> + Send,
    {
        loop {
            self.shared.kick();
            let (next, ended) = {
                let mut state = self.state();
                (state.core.take_outgoing(), state.ended)
            };
            match next {
                _ if ended => return,
                Some(bytes) => {
                    if !send(self.shared.parting(bytes)).await {
                        return;
                    }
                }
                None => self.shared.wake.notified().await,
            }
        }
    }

    /// Whether a transfer is under way: something waits, runs, or is to be sent, or a
    /// handle is open.
    pub fn is_busy(&self) -> bool {
        let state = self.state();
        !state.ended && (!state.core.is_idle() || state.core.has_open_handles())
    }

    /// Whether all that was asked so far has been answered and taken by the transport.
    pub fn is_idle(&self) -> bool {
        self.state().core.is_idle()
    }

    /// Ends it; files still open are abandoned. May block on the shelf's bookkeeping.
    pub fn end(&self) {
        let files = {
            let mut state = self.state();
            state.ended = true;
            state.core.end()
        };
        for file in files {
            file.abandon();
        }
        self.shared.wake.notify_one();
        self.shared.progress.notify_waiters();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts what can run: what is at hand here and now, the rest on other threads.
    fn kick(self: &Arc<Self>) {
        // before the room is looked at: whoever frees some after that sees it
        self.is_short_of_room.store(true, Ordering::SeqCst);
        let mut state = self.state();
        while state.runners < RUNNERS && !state.ended {
            let Some(job) = state.core.take_job() else { break };
            drop(state);
            if let Some(job) = self.run_at_hand(job) {
                self.state().runners += 1;
                let shared = Arc::clone(self);
                tokio::task::spawn_blocking(move || shared.run(job));
            }
            state = self.state();
        }
        if !state.core.has_waiting() {
            self.is_short_of_room.store(false, Ordering::SeqCst);
        }
    }

    /// Runs a job here if it waits for nothing; else gives it back. What ends later wakes the pump.
    fn run_at_hand(self: &Arc<Self>, job: Job) -> Option<Job> {
        let shared = Arc::clone(self);
        let here = std::thread::current().id();
        let hand_in = move |finished| {
            // who runs it here looks for its answer next
            if shared.hand_in(finished) && std::thread::current().id() != here {
                shared.wake.notify_one();
            }
        };
        match catch_unwind(AssertUnwindSafe(|| job.run_at_hand(self.shelf.as_ref(), hand_in))) {
            Ok(left) => left,
            Err(_) => {
                self.break_off();
                None
            }
        }
    }

    /// Hands in the outcome of a job; false when the conversation has ended.
    fn hand_in(&self, finished: Finished) -> bool {
        let mut state = self.state();
        if state.ended {
            drop(state);
            finished.abandon();
            return false;
        }
        state.core.finish(finished);
        drop(state);
        self.progress.notify_waiters();
        true
    }

    /// A lane would stay taken for ever: ends the conversation, not the server.
    fn break_off(self: &Arc<Self>) {
        Conversation { shared: Arc::clone(self) }.end();
    }

    fn run(self: Arc<Self>, first: Job) {
        let mut next = Some(first);
        while let Some(job) = next.take() {
            let Ok(finished) = catch_unwind(AssertUnwindSafe(|| job.run(self.shelf.as_ref()))) else {
                return self.break_off();
            };
            if !self.hand_in(finished) {
                return;
            }
            let mut state = self.state();
            next = state.core.take_job();
            if next.is_none() {
                state.runners -= 1;
            }
            drop(state);
            self.wake.notify_one();
        }
    }

    fn parting(self: &Arc<Self>, bytes: Bytes) -> Bytes {
        Bytes::from_owner(Parting { bytes, shared: Arc::clone(self) })
    }
}

/// Answer bytes that wake the conversation once the transport has taken them.
struct Parting {
    bytes: Bytes,
    shared: Arc<Shared>,
}

impl AsRef<[u8]> for Parting {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Parting {
    fn drop(&mut self) {
        // the inner bytes first: the room must be free before it is announced
        self.bytes = Bytes::new();
        if self.shared.is_short_of_room.swap(false, Ordering::SeqCst) {
            self.shared.wake.notify_one();
        }
    }
}

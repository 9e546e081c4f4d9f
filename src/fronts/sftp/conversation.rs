//! Drives the protocol core: runs its jobs off the session loop and hands its answers
//! to a sender. Knows of tokio, but nothing of SSH.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;

use super::request_names;
use super::requests::{Broken, Core, CoreLimits, Job};
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
}

impl Conversation {
    /// A conversation over a shelf.
    pub fn new(shelf: Arc<dyn Shelf>, limits: CoreLimits) -> Self {
        let core = Core::new(limits, request_names::admitted(shelf.as_ref()));
        let state = State { core, runners: 0, ended: false };
        Self {
            shared: Arc::new(Shared { shelf, state: Mutex::new(state), wake: Notify::new(), progress: Notify::new() }),
        }
    }

    /// Takes bytes from the client and starts what can run. Waits only for the disk,
    /// never for the client, so that the loop that calls it stays live.
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
        self.shared.wake.notify_one();
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
                    if !send(Parting { bytes, shared: Arc::clone(&self.shared) }.into_bytes()).await {
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
        let mut state = self.state();
        while state.runners < RUNNERS && !state.ended {
            let Some(job) = state.core.take_job() else { return };
            state.runners += 1;
            if job.is_at_hand() {
                drop(state);
                if !self.run_one(job) {
                    return;
                }
                state = self.state();
                state.runners -= 1;
                continue;
            }
            let shared = Arc::clone(self);
            tokio::task::spawn_blocking(move || shared.run(job));
        }
    }

    /// Runs a job and hands in its outcome; false when the conversation has ended.
    fn run_one(self: &Arc<Self>, job: Job) -> bool {
        let finished = catch_unwind(AssertUnwindSafe(|| job.run(self.shelf.as_ref())));
        let Ok(finished) = finished else {
            // a lane would stay taken for ever: end the conversation, not the server
            Conversation { shared: Arc::clone(self) }.end();
            return false;
        };
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

    fn run(self: Arc<Self>, first: Job) {
        let mut next = Some(first);
        while let Some(job) = next.take() {
            if !self.run_one(job) {
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
}

/// Answer bytes that wake the conversation once the transport has taken them.
struct Parting {
    bytes: Bytes,
    shared: Arc<Shared>,
}

impl Parting {
    fn into_bytes(self) -> Bytes {
        Bytes::from_owner(self)
    }
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
        self.shared.wake.notify_one();
    }
}

//! Who is connected, and the means to cut them off when blocked. Knows nothing of
//! protocols.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::offload;
use crate::domain::moment::Moment;
use crate::operations::{Failure, Operations};

/// How often it is asked whether live sessions may go on.
const TICK: Duration = Duration::from_secs(1);

/// A live session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LiveSession {
    /// Number within this process.
    pub number: u64,
    /// Who came in, how, and when.
    pub arrival: Arrival,
    /// Bytes that left for the client, of the file protocol.
    pub sent_bytes: u64,
    /// Bytes that came from the client, of the file protocol.
    pub received_bytes: u64,
}

/// Who came in, how, and when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Arrival {
    /// Login name.
    pub login: String,
    /// Organisation.
    pub organisation: String,
    /// Fingerprint of the key.
    pub credential: String,
    /// Peer address.
    pub address: SocketAddr,
    /// When the session began.
    pub since: Moment,
}

/// Counts the bytes of one session.
#[derive(Default, Debug)]
pub struct Meter {
    sent: AtomicU64,
    received: AtomicU64,
}

impl Meter {
    /// So many bytes leave for the client.
    pub fn add_sent(&self, bytes: usize) {
        self.sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

/// How many sessions there may be at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MostSessions {
    /// Of everybody together.
    pub in_all: usize,
    /// Of one login.
    pub per_login: usize,
}

/// Which bound leaves no room for a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Full {
    /// That of the whole server.
    Server,
    /// That of one login.
    Login,
}

struct Live {
    arrival: Arrival,
    meter: Arc<Meter>,
    cut: Box<dyn Fn() + Send + Sync>,
}

#[derive(Default)]
struct Register {
    last: u64,
    live: BTreeMap<u64, Live>,
}

/// The list of live sessions; cheap to clone.
#[derive(Clone, Default)]
pub struct Sessions {
    register: Arc<Mutex<Register>>,
}

/// Keeps a session on the list until dropped.
pub struct Seat {
    sessions: Sessions,
    number: u64,
    meter: Arc<Meter>,
}

impl Seat {
    /// So many bytes came from the client.
    pub fn count_received(&self, bytes: usize) {
        self.meter.received.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// So many bytes leave for the client.
    pub fn count_sent(&self, bytes: usize) {
        self.meter.add_sent(bytes);
    }

    /// Where the bytes of this session are counted.
    pub fn meter(&self) -> Arc<Meter> {
        Arc::clone(&self.meter)
    }
}

impl Sessions {
    /// Puts a session on the list; `cut` must end it and may not block.
    ///
    /// # Errors
    /// There are as many sessions as `most` allows, of everybody or of this login.
    pub fn enter(
        &self,
        arrival: Arrival,
        most: MostSessions,
        cut: impl Fn() + Send + Sync + 'static,
    ) -> Result<Seat, Full> {
        let mut register = self.register();
        if register.live.len() >= most.in_all {
            return Err(Full::Server);
        }
        if register.live.values().filter(|live| live.arrival.login == arrival.login).count() >= most.per_login {
            return Err(Full::Login);
        }
        register.last += 1;
        let number = register.last;
        let meter = Arc::<Meter>::default();
        register.live.insert(number, Live { arrival, meter: Arc::clone(&meter), cut: Box::new(cut) });
        Ok(Seat { sessions: self.clone(), number, meter })
    }

    /// The sessions now live, oldest first.
    pub fn list(&self) -> Vec<LiveSession> {
        let register = self.register();
        let shown = register.live.iter().map(|(number, live)| LiveSession {
            number: *number,
            arrival: live.arrival.clone(),
            sent_bytes: live.meter.sent.load(Ordering::Relaxed),
            received_bytes: live.meter.received.load(Ordering::Relaxed),
        });
        shown.collect()
    }

    /// Cuts these sessions; returns how many were still there.
    pub fn cut(&self, numbers: &[u64]) -> usize {
        let register = self.register();
        let picked = numbers.iter().filter_map(|number| register.live.get(number));
        picked.map(|live| (live.cut)()).count()
    }

    /// Asks every second whether the live sessions may go on and cuts those that may not: within five
    /// seconds of a block (J6). Ends soon after `shutdown`.
    pub async fn keep_to_those_with_access(self, operations: Arc<Operations>, mut shutdown: watch::Receiver<bool>) {
        let mut tick = tokio::time::interval(TICK);
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                _ = shutdown.wait_for(|stop| *stop) => return,
            }
            let (sessions, operations) = (self.clone(), Arc::clone(&operations));
            if let Err(failure) = offload(move || sessions.cut_without_access(&operations)).await {
                tracing::error!(%failure, "live sessions could not be judged; tried again in a second");
            }
        }
    }

    fn cut_without_access(&self, operations: &Operations) -> Result<(), Failure> {
        let mut lost = Vec::new();
        for session in self.list() {
            let Arrival { login, credential, address, .. } = &session.arrival;
            if !operations.may_stay(login, credential, address.ip())? {
                tracing::info!(login = %session.arrival.login, session = session.number, "cut: access has ended");
                lost.push(session.number);
            }
        }
        self.cut(&lost);
        Ok(())
    }

    fn register(&self) -> MutexGuard<'_, Register> {
        self.register.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.sessions.register().live.remove(&self.number);
    }
}

//! Who is connected, and the means to cut them off when blocked. Knows nothing of
//! protocols.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A live session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LiveSession {
    /// Number within this process.
    pub number: u64,
    /// Login name.
    pub login: String,
    /// Organisation.
    pub label: String,
    /// Peer address.
    pub address: SocketAddr,
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

type Cutter = Box<dyn Fn() + Send + Sync>;

#[derive(Default)]
struct Register {
    last: u64,
    live: BTreeMap<u64, (LiveSession, Cutter)>,
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
}

impl Sessions {
    /// Puts a session on the list; `cut` must end it and may not block.
    ///
    /// # Errors
    /// There are as many sessions as `most` allows, of everybody or of this login.
    pub fn enter(
        &self,
        login: &str,
        label: &str,
        address: SocketAddr,
        most: MostSessions,
        cut: impl Fn() + Send + Sync + 'static,
    ) -> Result<Seat, Full> {
        let mut register = self.register();
        if register.live.len() >= most.in_all {
            return Err(Full::Server);
        }
        if register.live.values().filter(|(session, _)| session.login == login).count() >= most.per_login {
            return Err(Full::Login);
        }
        register.last += 1;
        let number = register.last;
        let session = LiveSession { number, login: login.to_owned(), label: label.to_owned(), address };
        register.live.insert(number, (session, Box::new(cut)));
        Ok(Seat { sessions: self.clone(), number })
    }

    /// The sessions now live, oldest first.
    pub fn list(&self) -> Vec<LiveSession> {
        self.register().live.values().map(|(session, _)| session.clone()).collect()
    }

    /// Cuts every session that `which` picks; returns how many.
    pub fn cut(&self, which: impl Fn(&LiveSession) -> bool) -> usize {
        let register = self.register();
        let picked = register.live.values().filter(|(session, _)| which(session));
        picked.map(|(_, cut)| cut()).count()
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

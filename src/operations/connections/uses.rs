//! When keys and tokens were used last: on record to the hour, so that a robot that fetches
//! much writes little; to the second in memory.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;

use super::{Caller, Failure, Operations};
use crate::domain::connections::CredentialUse;
use crate::domain::decision::Decision;
use crate::domain::history::{About, Event, Happening};
use crate::domain::moment::{Moment, Span};
use crate::domain::names::LoginName;
use crate::domain::network::Network;
use crate::operations::locked;
use crate::ports::catalog::CatalogView;

/// Within so long after a use that is on record, others from the same network are not put on record.
const ON_RECORD_EVERY: Span = Span::from_seconds(3_600);

/// Keys and tokens whose last use is in memory. With more, all are forgotten: each is on record once more then.
const MOST_KNOWN: usize = 16_384;

/// When a key or token was used last.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LastUse {
    /// Fingerprint of the key, or `token:<id>`.
    pub credential: String,
    /// When: to the second since the start of the server, to the hour before it.
    pub at: Moment,
    /// From where; known since the start of the server alone.
    pub address: Option<IpAddr>,
}

/// Last uses since the start.
#[derive(Default)]
pub(in crate::operations) struct KnownUses {
    known: Mutex<HashMap<(LoginName, String), Known>>,
}

struct Known {
    recorded_at: Moment,
    network: Network,
    at: Moment,
    address: IpAddr,
}

impl KnownUses {
    /// Notes a use; what is to be put on record of it, if anything.
    fn note(&self, caller: &Caller, now: Moment) -> Option<CredentialUse> {
        let (network, address) = (Network::source_of(caller.address), caller.address);
        let mut known = locked(&self.known);
        let name = (caller.login.clone(), caller.credential.clone());
        if let Some(found) = known.get_mut(&name) {
            (found.at, found.address) = (found.at.max(now), address);
            if found.network == network && now < found.recorded_at.after(ON_RECORD_EVERY) {
                return None;
            }
        }
        if known.len() >= MOST_KNOWN {
            known.clear();
        }
        known.insert(name, Known { recorded_at: now, network, at: now, address });
        let (login, credential) = (caller.login.clone(), caller.credential.clone());
        Some(CredentialUse { login, credential, at: now })
    }
}

impl Operations {
    /// The decision that a session begins, with the last use of its key.
    pub(in crate::operations) fn with_use(&self, decision: Decision, caller: &Caller, now: Moment) -> Decision {
        match self.uses.note(caller, now) {
            Some(row) => decision.put(row),
            None => decision,
        }
    }

    /// Notes that a token was used. Nobody waits for it, and a fault is not the asker's.
    pub(in crate::operations) fn note_token_use(&self, caller: &Caller, now: Moment) -> Result<(), Failure> {
        let Some(row) = self.uses.note(caller, now) else { return Ok(()) };
        let who = caller.who();
        let about = About { organisation: who.organisation.clone(), login: who.login.clone(), ..About::default() };
        let event = Event::new(Happening::TokenUsed, who, about);
        let rule = move |_: &dyn CatalogView| Ok(Decision::new(now, event).leaving_access_as_it_is().put(row));
        self.catalog.decide_later("record the use of a token", Box::new(rule))
    }

    /// The last uses of an account's keys and tokens, as far as they are known.
    pub(super) fn uses_of(
        &self,
        view: &dyn CatalogView,
        login: &LoginName,
        most: usize,
    ) -> Result<Vec<LastUse>, Failure> {
        let rows = view.rows::<CredentialUse>(&CredentialUse::keys_of(login), None, most)?;
        let known = locked(&self.uses.known);
        let uses = rows.into_iter().map(|row| {
            let found = known.get(&(row.login, row.credential.clone())).filter(|found| row.at <= found.at);
            LastUse {
                credential: row.credential,
                at: found.map_or(row.at, |found| found.at),
                address: found.map(|found| found.address),
            }
        });
        Ok(uses.collect())
    }
}

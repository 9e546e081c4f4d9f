//! The catalog in memory: a sorted map and a list of events. Same promises as
//! the journal, except that nothing outlives the process.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::domain::bodies::BodyKey;
use crate::domain::history::{HistoryLine, HistoryQuery};
use crate::domain::moment::Moment;
use crate::domain::record::{Change, Key, Record};
use crate::domain::refusal::Refusal;
use crate::ports::catalog::{Catalog, CatalogView, Committed, Rule, Then};
use crate::ports::failure::{Failure, Fault};

/// The catalog in memory.
#[derive(Debug, Default)]
pub struct MemoryCatalog {
    state: RwLock<State>,
    /// Beside the state: it may be asked for by who looks at it.
    version: AtomicU64,
    is_full: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    records: BTreeMap<Key, Record>,
    lines: Vec<HistoryLine>,
    last_moment: Option<Moment>,
}

impl MemoryCatalog {
    /// An empty catalog.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on it refuses to store, as on a full disk, or stores again.
    pub fn set_full(&self, is_full: bool) {
        self.is_full.store(is_full, Ordering::Release);
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CatalogView for State {
    fn find(&self, key: &Key) -> Result<Option<Record>, Fault> {
        Ok(self.records.get(key).cloned())
    }

    fn list(&self, prefix: &Key, after: Option<&Key>, limit: usize) -> Result<Vec<Record>, Fault> {
        let from = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        Ok(self
            .records
            .range((from, Bound::Unbounded))
            .take_while(|(key, _)| key.as_bytes().starts_with(prefix.as_bytes()))
            .take(limit)
            .map(|(_, record)| record.clone())
            .collect())
    }
}

impl Catalog for MemoryCatalog {
    fn decide(&self, rule: Rule) -> Result<Committed, Failure> {
        if self.is_full.load(Ordering::Acquire) {
            return Err(Refusal::NoSpace.into());
        }
        let mut state = self.write();
        let decision = catch_unwind(AssertUnwindSafe(|| rule(&*state)))
            .unwrap_or_else(|_| Err(Fault::new("run a rule of the catalog: it panicked").into()))?;
        for change in decision.changes() {
            match change {
                Change::Put(record) => state.records.insert(record.key(), record.clone()),
                Change::Remove(key) => state.records.remove(key),
            };
        }
        for (slot, closes_at) in decision.slots() {
            let key = BodyKey { slot: *slot, closes_at: *closes_at, destroyed_at: None };
            state.records.entry(BodyKey::key_of(*slot)).or_insert_with(|| key.into());
        }
        let first_event = state.lines.len() as u64 + 1;
        for (sequence, event) in (first_event..).zip(decision.events()) {
            state.lines.push(HistoryLine { sequence, at: decision.at(), event: event.clone() });
        }
        self.version.fetch_add(u64::from(decision.concerns_access()), Ordering::AcqRel);
        state.last_moment = Some(decision.at());
        Ok(Committed { first_event })
    }

    fn decide_then(&self, rule: Rule, then: Then) {
        then(self.decide(rule));
    }

    fn decide_later(&self, doing: &'static str, rule: Rule) -> Result<(), Failure> {
        if let Err(failure) = self.decide(rule) {
            tracing::error!(%failure, doing, "a decision that nobody waits for failed");
        }
        Ok(())
    }

    fn settle(&self) -> Result<(), Fault> {
        Ok(())
    }

    fn consult(&self, look: &mut dyn FnMut(&dyn CatalogView)) {
        look(&*self.read());
    }

    fn is_at_hand(&self) -> bool {
        self.state.try_read().is_ok()
    }

    fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    fn last_moment(&self) -> Option<Moment> {
        self.read().last_moment
    }

    fn history(&self, query: &HistoryQuery) -> Result<Vec<HistoryLine>, Fault> {
        Ok(self.read().lines.iter().filter(|line| is_asked(query, line)).take(query.limit).cloned().collect())
    }

    fn was_repaired(&self) -> bool {
        false
    }
}

fn is_asked(query: &HistoryQuery, line: &HistoryLine) -> bool {
    let (about, who) = (&line.event.about, &line.event.who);
    query.after.is_none_or(|after| line.sequence > after)
        && query.since.is_none_or(|since| line.at >= since)
        && query.delivery.is_none_or(|delivery| about.delivery == Some(delivery))
        && query.organisation.as_ref().is_none_or(|organisation| {
            about.organisation.as_ref() == Some(organisation) || who.organisation.as_ref() == Some(organisation)
        })
}

//! The port to the catalog: one rule, one transaction, with its events. Knows
//! neither journal nor index, and no rule.

use super::failure::{Failure, Fault};
use crate::domain::compaction::HistoryCut;
use crate::domain::decision::Decision;
use crate::domain::digest::Digest;
use crate::domain::history::{HistoryLine, HistoryQuery};
use crate::domain::moment::Moment;
use crate::domain::record::{Key, Record, Row};

/// A rule: looks at the state and decides, or refuses and changes nothing.
/// Runs once, alone with the state, on the catalog's writer.
pub type Rule = Box<dyn FnOnce(&dyn CatalogView) -> Result<Decision, Failure> + Send>;

/// What is to be done when a decision has been taken or has failed. Called once, on any thread; it must be
/// quick, and must not wait for the catalog.
pub type Then = Box<dyn FnOnce(Result<Committed, Failure>) + Send>;

/// One consistent state of the catalog.
pub trait CatalogView {
    /// The record under a key.
    fn find(&self, key: &Key) -> Result<Option<Record>, Fault>;

    /// Records whose keys begin with `prefix`, in key order, those after `after` only, at most `limit`.
    fn list(&self, prefix: &Key, after: Option<&Key>, limit: usize) -> Result<Vec<Record>, Fault>;
}

impl dyn CatalogView + '_ {
    /// The row of a known type under a key.
    ///
    /// # Errors
    /// A fault of the store, or a record of another kind under the key.
    pub fn row<R: Row>(&self, key: &Key) -> Result<Option<R>, Fault> {
        match self.find(key)? {
            None => Ok(None),
            Some(record) => match R::from_record(record) {
                Some(row) => Ok(Some(row)),
                None => Err(Fault::new(format!("read the catalog: a record of kind {} is of another kind", R::KIND))),
            },
        }
    }

    /// Rows of a known type; as `list`.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn rows<R: Row>(&self, prefix: &Key, after: Option<&Key>, limit: usize) -> Result<Vec<R>, Fault> {
        Ok(self.list(prefix, after, limit)?.into_iter().filter_map(R::from_record).collect())
    }
}

/// What a committed decision became.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Committed {
    /// Number of the first of its events in the history.
    pub first_event: u64,
}

/// How far the catalog has come on disk, and in which files: what a backup of it holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Standing {
    /// Sequence of the last decision.
    pub sequence: u64,
    /// Number of the last event.
    pub last_event: u64,
    /// Hash of the last decision, which holds that of the one before, and so of all.
    pub hash: Digest,
    /// The files that hold all of it, in order; the last one grows.
    pub files: Vec<StandingFile>,
}

/// One file of a standing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StandingFile {
    /// Its path in the catalog's folder, with `/`.
    pub path: String,
    /// So many of its first bytes belong to the standing; they never change.
    pub bytes: u64,
}

/// The catalog. Calls block; they are safe from several threads at once.
pub trait Catalog: Send + Sync {
    /// Runs `rule` on the newest state and commits what it decides. On return the decision
    /// is on disk and visible to every reader. A refusal of the rule changes nothing.
    /// A fault marked `outcome_unknown` may or may not have been stored.
    fn decide(&self, rule: Rule) -> Result<Committed, Failure>;

    /// As `decide`, but returns without waiting for the disk (it waits only while the queue is full);
    /// `then` gets the outcome. Rules are run in the order in which they were asked.
    fn decide_then(&self, rule: Rule, then: Then);

    /// As `decide_then`, for what may be understated after a crash: nobody is told how it
    /// ends, a failure is logged with `doing`. It is stored with the next decision, or some milliseconds
    /// later without one; a close in order stores it.
    fn decide_later(&self, doing: &'static str, rule: Rule) -> Result<(), Failure>;

    /// Returns when everything that `decide_later` took before is stored or has failed: who reads after
    /// it sees all that had happened.
    fn settle(&self) -> Result<(), Fault>;

    /// Shows one consistent state: no commit happens between the calls that `look` makes.
    fn consult(&self, look: &mut dyn FnMut(&dyn CatalogView));

    /// Whether a look would begin at once; false while a large decision is being applied. For those who may
    /// not wait and can go another way.
    fn is_at_hand(&self) -> bool;

    /// A number that grows with every decision that concerns access: when it is the same, who may do or see
    /// what is the same. May be asked while looking at a state.
    fn version(&self) -> u64;

    /// The moment of the newest decision on record.
    fn last_moment(&self) -> Option<Moment>;

    /// Part of the history, oldest first.
    fn history(&self, query: &HistoryQuery) -> Result<Vec<HistoryLine>, Fault>;

    /// How far it has come on disk; `None` when it is not on disk. May be asked while looking at a state, and is
    /// then where that state lies.
    fn standing(&self) -> Result<Option<Standing>, Fault> {
        Ok(None)
    }

    /// The oldest part of what is on disk that can be removed, in at most so many files: every decision in it lies at
    /// a moment that `is_over`, and the state can be rebuilt without it, which was tried. Nothing is removed yet.
    fn removable(&self, is_over: &dyn Fn(Moment) -> bool, most_files: usize) -> Result<Option<HistoryCut>, Fault> {
        let _ = (is_over, most_files);
        Ok(None)
    }

    /// Removes what lies before the cut on record, and what leads to it; returns how many files. Nothing while they
    /// are held.
    fn remove_before_cut(&self) -> Result<usize, Fault> {
        Ok(0)
    }

    /// While what it returns lives, no file of a standing that is asked for from now on is removed.
    fn hold_files(&self) -> Box<dyn Send> {
        Box::new(())
    }

    /// Whether this start repaired, cut or rebuilt something: then nothing unknown is removed from the vault.
    fn was_repaired(&self) -> bool;
}

impl dyn Catalog + '_ {
    /// Looks at one consistent state and returns what `look` found.
    ///
    /// # Errors
    /// What `look` returns.
    pub fn look<T>(&self, look: impl FnOnce(&dyn CatalogView) -> Result<T, Failure>) -> Result<T, Failure> {
        let mut look = Some(look);
        let mut found = None;
        self.consult(&mut |view| {
            if let Some(look) = look.take() {
                found = Some(look(view));
            }
        });
        found.unwrap_or_else(|| Err(Fault::new("read the catalog: it gave no state").into()))
    }
}

//! The index that a killed process left: brought up to the last record it was
//! promised to hold, read in full, and used only if it then holds just that.
//! Any doubt is a reason to rebuild, and never an error of the start.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::applied::{self, Promise};
use super::index::Index;
use super::layout::Entry;
use super::rebuild::{KEYS_AT_ONCE, Opening, RECORDS_AT_ONCE};
use super::segments::{Place, Segment, segments_in};
use crate::ports::failure::Fault;

/// The index, at the end of the journal; or why it cannot be trusted.
pub(super) fn find(opening: &Opening<'_>) -> Result<Index, Fault> {
    let unknown = || Fault::new("nothing says what it must hold (the machine was started again, or it is new)");
    let promise = applied::read(opening.folder)?.ok_or_else(unknown)?;
    if promise.sequence >= opening.checked.chain.next_sequence {
        return Err(Fault::new("it is newer than the journal"));
    }
    tracing::info!(pairs = promise.tally.pairs(), "the catalog was not closed in order: its index is read in full");
    // sled answers some kinds of damage with a panic; what it leaves then is thrown away
    let looked = catch_unwind(AssertUnwindSafe(|| look(opening, &promise)));
    looked.unwrap_or_else(|_| Err(Fault::new("it is damaged: reading it panicked")))
}

fn look(opening: &Opening<'_>, promise: &Promise) -> Result<Index, Fault> {
    let index = Index::open(&opening.index_folder(), opening.cache_bytes)?;
    let applied = index.applied()?.ok_or_else(|| Fault::new("it has no mark of this version"))?;
    if applied > promise.sequence {
        return Err(Fault::new("it is newer than what is noted of it"));
    }
    let mut tail = Tail { index: &index, promise, applied, waiting: Vec::new(), keys: 0, is_found: false };
    if applied == promise.sequence {
        // its last batch may be there in part, and nothing of it to be applied again
        tail.check_tally()?;
    }
    tail.replay(opening)?;
    if !tail.is_found {
        return Err(Fault::new("the record up to which it was kept is not in the journal"));
    }
    tracing::info!(applied, promised = promise.sequence, "the index was found to hold what it must");
    Ok(index)
}

/// The journal after what the index holds for certain.
struct Tail<'a> {
    index: &'a Index,
    promise: &'a Promise,
    /// The last record that the index holds for certain; of later ones it may hold parts.
    applied: u64,
    waiting: Vec<(Entry, Place)>,
    keys: usize,
    /// The promised record was met, and is that of the promise.
    is_found: bool,
}

impl Tail<'_> {
    fn replay(&mut self, opening: &Opening<'_>) -> Result<(), Fault> {
        let journal = opening.folder.join("journal");
        let numbers = segments_in(&journal)?;
        // also the promised record itself, for its hash
        let wanted = self.promise.sequence.min(self.applied + 1);
        let from = numbers.iter().rposition(|number| *number <= wanted);
        let from = from.ok_or_else(|| Fault::new("the journal after it is not there any more"))?;
        let mut end = None;
        for number in numbers.iter().skip(from) {
            let segment = Segment::open(&journal, *number)?;
            let mut chain = segment.header()?.ok_or_else(|| segment.damage(0, "no segment header"))?;
            if end.as_ref().is_some_and(|end| *end != chain) {
                return Err(segment.damage(0, "the segment does not continue the one before"));
            }
            segment.scan_chained(&mut chain, false, &mut |entry, place, chain| {
                let sequence = entry.sequence;
                self.take(entry, place)?;
                if sequence == self.promise.sequence {
                    self.is_found = chain.hash == self.promise.hash;
                    self.apply()?;
                    if self.applied < sequence {
                        self.check_tally()?;
                    }
                }
                Ok(())
            })?;
            end = Some(chain);
        }
        self.apply()?;
        if end.as_ref() != Some(&opening.checked.chain) {
            return Err(Fault::new("the journal ends elsewhere than its last segment says"));
        }
        Ok(())
    }

    fn take(&mut self, entry: Entry, place: Place) -> Result<(), Fault> {
        if entry.sequence <= self.applied {
            return Ok(());
        }
        self.keys += entry.changes.len();
        self.waiting.push((entry, place));
        if self.keys >= KEYS_AT_ONCE || self.waiting.len() >= RECORDS_AT_ONCE { self.apply() } else { Ok(()) }
    }

    fn apply(&mut self) -> Result<(), Fault> {
        self.keys = 0;
        self.index.apply(&std::mem::take(&mut self.waiting))
    }

    fn check_tally(&self) -> Result<(), Fault> {
        let found = self.index.count()?;
        if found != self.promise.tally {
            return Err(Fault::new(format!(
                "it holds something else than it must ({} pairs instead of {}, or others)",
                found.pairs(),
                self.promise.tally.pairs()
            )));
        }
        // what was applied twice was counted wrongly meanwhile
        self.index.mark(self.promise.sequence, found)
    }
}

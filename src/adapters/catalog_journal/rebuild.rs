//! The index at a start: as it was closed; as a killed process left it, when it is
//! found to hold what it must; or a new one out of the newest snapshot that is whole
//! and the journal after it, or out of the whole journal.
#![expect(clippy::disallowed_methods, reason = "this adapter is the disk")]

use std::fs;
use std::path::{Path, PathBuf};

use super::compaction;
use super::index::Index;
use super::journal::Checked;
use super::layout::Chain;
use super::segments::{Segment, segments_in};
use super::snapshot::SnapshotReader;
use super::snapshots::Snapshots;
use super::survivor;
use super::tally::Tally;
use crate::ports::failure::Fault;

/// Records are applied at once until they change so many keys, or are so many: a fan-out to a thousand organisations
/// is one record with sixteen thousand keys.
pub(super) const KEYS_AT_ONCE: usize = 20_000;
pub(super) const RECORDS_AT_ONCE: usize = 1_000;

/// What a start knows when it comes to the index.
pub(super) struct Opening<'a> {
    /// The folder of the catalog.
    pub(super) folder: &'a Path,
    /// The journal, as it was found.
    pub(super) checked: &'a Checked,
    /// The snapshots.
    pub(super) snapshots: &'a Snapshots,
    /// Memory for the index, in bytes.
    pub(super) cache_bytes: u64,
}

impl Opening<'_> {
    /// The index, and whether it is another than one closed in order. `closed_at`: the last record when the catalog was closed in
    /// order at the end of the journal.
    pub(super) fn index(&self, closed_at: Option<u64>) -> Result<(Index, bool), Fault> {
        let last_sequence = self.checked.chain.next_sequence - 1;
        if closed_at == Some(last_sequence) {
            // A catalog closed before its first decision has an empty index without a mark.
            match Index::open(&self.index_folder(), self.cache_bytes).and_then(|index| Ok((index.applied()?, index))) {
                Ok((applied, index)) if applied.unwrap_or_default() == last_sequence => return Ok((index, false)),
                Ok(_) => tracing::warn!("the index of the catalog is not that of its journal: it is rebuilt"),
                Err(fault) => tracing::warn!(%fault, "the index of the catalog does not open: it is rebuilt"),
            }
        } else if last_sequence > 0 {
            match survivor::find(self) {
                Ok(index) => return Ok((index, true)),
                Err(why) => tracing::warn!(%why, "the catalog was not closed in order: its index is rebuilt"),
            }
        }
        let index = self.rebuilt()?;
        index.write_out()?;
        Ok((index, true))
    }

    pub(super) fn index_folder(&self) -> PathBuf {
        self.folder.join("index")
    }

    fn empty(&self) -> Result<Index, Fault> {
        let folder = self.index_folder();
        if folder.exists() {
            fs::remove_dir_all(&folder)
                .map_err(|error| Fault::from_error(format!("remove the index {}", folder.display()), error))?;
        }
        Index::open(&folder, self.cache_bytes)
    }

    fn rebuilt(&self) -> Result<Index, Fault> {
        for number in self.snapshots.newest_first()? {
            let index = self.empty()?;
            let loaded = self.snapshots.read(number, Some(&self.checked.chain));
            match loaded.and_then(|snapshot| load(&index, snapshot)) {
                Ok(chain) => {
                    tracing::info!(records_before = chain.next_sequence - 1, "the index was begun from a snapshot");
                    self.replay(&index, chain)?;
                    return Ok(index);
                }
                Err(fault) => self.snapshots.reject(number, &fault),
            }
        }
        compaction::whole(&self.folder.join("journal"))?;
        let index = self.empty()?;
        self.replay(&index, Chain::START)?;
        Ok(index)
    }

    /// Applies the journal from `chain` on.
    fn replay(&self, index: &Index, mut chain: Chain) -> Result<(), Fault> {
        let journal = self.folder.join("journal");
        let mut waiting = Vec::new();
        let mut keys = 0;
        let from = chain.next_sequence;
        for number in segments_in(&journal)?.into_iter().filter(|number| *number >= from) {
            let segment = Segment::open(&journal, number)?;
            if segment.header()?.as_ref() != Some(&chain) {
                return Err(segment.damage(0, "the segment does not continue the one before"));
            }
            segment.scan(&mut chain, false, &mut |entry, place| {
                keys += entry.changes.len();
                waiting.push((entry, place));
                if keys >= KEYS_AT_ONCE || waiting.len() >= RECORDS_AT_ONCE {
                    index.apply(&std::mem::take(&mut waiting))?;
                    keys = 0;
                }
                Ok(())
            })?;
        }
        index.apply(&waiting)?;
        if chain != self.checked.chain {
            return Err(Fault::new("rebuild the index: the journal ends elsewhere than its last segment says"));
        }
        Ok(())
    }
}

/// Fills a new index from a snapshot; returns where the journal goes on after it.
pub(super) fn load(index: &Index, mut snapshot: SnapshotReader) -> Result<Chain, Fault> {
    let mut tally = Tally::default();
    while let Some((key, value)) = snapshot.next()? {
        index.load(&key, &value)?;
        tally.add(&key, &value);
    }
    let chain = snapshot.chain().clone();
    index.mark(chain.next_sequence - 1, tally)?;
    Ok(chain)
}

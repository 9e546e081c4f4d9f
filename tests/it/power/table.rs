//! Counts in which steps the power was cut, on which file system, and shows it as one table.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::disk::Kind;
use crate::crash::table::Table;

/// So many cuts must meet every step.
const MANY: u64 = 100;
/// Fewer cuts meet so many different ones.
const SOME: usize = 2;

/// Where a cut can come, told by what lies on the cut disk and what it has on record.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Step {
    KeyMade,
    Sealing,
    SealedNotOnRecord,
    JournalNotDurable,
    JournalTorn,
    OnRecordUnanswered,
    Claimed,
    ClaimOutlived,
    MidFetch,
    UploadWriting,
    UploadNotOnRecord,
    UploadUnanswered,
    WindowEnded,
    ExpiredNotDestroyed,
    DestroyedNotOnRecord,
    Snapshot,
    Backup,
    Rotation,
    Recovery,
}

impl Step {
    const ALL: [Self; 19] = [
        Self::KeyMade,
        Self::Sealing,
        Self::SealedNotOnRecord,
        Self::JournalNotDurable,
        Self::JournalTorn,
        Self::OnRecordUnanswered,
        Self::Claimed,
        Self::ClaimOutlived,
        Self::MidFetch,
        Self::UploadWriting,
        Self::UploadNotOnRecord,
        Self::UploadUnanswered,
        Self::WindowEnded,
        Self::ExpiredNotDestroyed,
        Self::DestroyedNotOnRecord,
        Self::Snapshot,
        Self::Backup,
        Self::Rotation,
        Self::Recovery,
    ];

    /// A frame is one write of a few kilobytes: whether a cut can tear it is up to the file system.
    fn must_be_hit(self, cuts: u64) -> bool {
        cuts >= MANY && self != Self::JournalTorn
    }

    const fn words(self) -> &'static str {
        match self {
            Self::KeyMade => "shred key made, nothing on record under it",
            Self::Sealing => "sealing: an unfinished payload in the vault",
            Self::SealedNotOnRecord => "sealed, but no publication on record names the payload",
            Self::JournalNotDurable => "the journal has grown, what was written last is not on the disk",
            Self::JournalTorn => "the journal's last frame only half written",
            Self::OnRecordUnanswered => "the journal has grown by a publication, the publisher not answered",
            Self::Claimed => "drop claimed, not yet published",
            Self::ClaimOutlived => "drop published, its claim still there",
            Self::MidFetch => "fetch begun on record, not ended",
            Self::UploadWriting => "upload: unfinished on record with a part of it or nothing, the client sends on",
            Self::UploadNotOnRecord => "upload: made a payload, not on record as received",
            Self::UploadUnanswered => "upload: on record as received, the client not answered",
            Self::WindowEnded => "window ended, not yet expired on record",
            Self::ExpiredNotDestroyed => "expired on record, shred key still there",
            Self::DestroyedNotOnRecord => "shred key destroyed, not yet on record",
            Self::Snapshot => "a snapshot of the catalog half made",
            Self::Backup => "a backup under way",
            Self::Rotation => "the master or an organisation's key half rotated",
            Self::Recovery => "the start after a cut, cut again",
        }
    }
}

#[derive(Default)]
pub(super) struct Counts {
    hits: BTreeMap<(Step, Kind), u64>,
    pub(super) checks: Table,
}

impl Counts {
    pub(super) fn hit(&mut self, step: Step, kind: Kind, times: usize) {
        if times > 0 {
            *self.hits.entry((step, kind)).or_default() += times as u64;
        }
    }

    /// Why so many cuts were not enough.
    pub(super) fn missed(&self, cuts: u64) -> Option<String> {
        let met: BTreeSet<Step> = self.hits.keys().map(|(step, _)| *step).collect();
        let missed: Vec<_> = Step::ALL.iter().filter(|step| step.must_be_hit(cuts) && !met.contains(step)).collect();
        if !missed.is_empty() {
            return Some(format!("no cut came in {missed:?}"));
        }
        (met.len() < SOME).then(|| format!("the cuts came in {met:?} only"))
    }

    /// The table as Markdown.
    pub(super) fn shown(&self, title: &str, cuts: u64) -> String {
        let mut text = format!("{title}\n\n| step in which a cut came | ext4 | XFS |\n|---|---:|---:|\n");
        for step in Step::ALL {
            let times = [Kind::Ext4, Kind::Xfs].map(|kind| self.hits.get(&(step, kind)).copied().unwrap_or_default());
            let must = if step.must_be_hit(cuts) { " (must be hit)" } else { "" };
            writeln!(text, "| {}{must} | {} | {} |", step.words(), times[0], times[1]).expect("a text");
        }
        text.push('\n');
        text.push_str(&self.checks.checks());
        text
    }
}

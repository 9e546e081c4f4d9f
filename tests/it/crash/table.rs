//! Counts what was hit and what was checked, and shows both as one table.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Where a kill can come, told by what lay on disk and what the history says of before and after.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Step {
    Sealing,
    SealedNotOnRecord,
    JournalTorn,
    OnRecordUnanswered,
    Claimed,
    ClaimOutlived,
    MidFetch,
    WindowEndedNotExpired,
    ExpiredNotDestroyed,
    DestroyedNotOnRecord,
    PayloadLeft,
    MailOwed,
}

impl Step {
    pub(crate) const ALL: [Self; 12] = [
        Self::Sealing,
        Self::SealedNotOnRecord,
        Self::JournalTorn,
        Self::OnRecordUnanswered,
        Self::Claimed,
        Self::ClaimOutlived,
        Self::MidFetch,
        Self::WindowEndedNotExpired,
        Self::ExpiredNotDestroyed,
        Self::DestroyedNotOnRecord,
        Self::PayloadLeft,
        Self::MailOwed,
    ];

    /// Steps that every run must hit; the others are too short to be hit for certain in a few rounds.
    pub(crate) const ESSENTIAL: [Self; 7] = [
        Self::Sealing,
        Self::SealedNotOnRecord,
        Self::OnRecordUnanswered,
        Self::Claimed,
        Self::MidFetch,
        Self::WindowEndedNotExpired,
        Self::MailOwed,
    ];

    /// From `MANY` rounds on every step must be hit, but for the one that a kill of the process cannot
    /// cause for certain: the kernel completes a write that has begun.
    fn must_be_hit(self, rounds: u64) -> bool {
        Self::ESSENTIAL.contains(&self) || (rounds >= MANY && self != Self::JournalTorn)
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Sealing => "sealing: an unfinished payload in the vault",
            Self::SealedNotOnRecord => "sealed, but no publication on record names the payload",
            Self::JournalTorn => "the journal's last frame only half written",
            Self::OnRecordUnanswered => "publication on record, the publisher not answered",
            Self::Claimed => "drop claimed, not yet published",
            Self::ClaimOutlived => "drop published, its claim still there",
            Self::MidFetch => "fetch begun on record, the client has a part",
            Self::WindowEndedNotExpired => "window ended, not yet expired on record",
            Self::ExpiredNotDestroyed => "expired on record, shred key still there",
            Self::DestroyedNotOnRecord => "shred key destroyed, not yet on record",
            Self::PayloadLeft => "shredded on record, payload still in the vault",
            Self::MailOwed => "mail on record, not yet sent",
        }
    }
}

/// So many rounds must meet every step.
const MANY: u64 = 300;

#[derive(Default)]
pub(crate) struct Table {
    hits: BTreeMap<Step, u64>,
    checks: BTreeMap<&'static str, u64>,
}

impl Table {
    pub(crate) fn hit(&mut self, step: Step, times: usize) {
        *self.hits.entry(step).or_default() += times as u64;
    }

    pub(crate) fn checked(&mut self, invariant: &'static str, times: usize) {
        *self.checks.entry(invariant).or_default() += times as u64;
    }

    /// Steps that had to be hit in so many rounds and were not.
    pub(crate) fn missed(&self, rounds: u64) -> Vec<Step> {
        let is_missed = |step: &Step| self.hits.get(step).copied().unwrap_or_default() == 0;
        Step::ALL.into_iter().filter(|step| step.must_be_hit(rounds)).filter(is_missed).collect()
    }

    /// What was checked, as Markdown.
    pub(crate) fn checks(&self) -> String {
        let mut text = "| what held after the restart | times checked |\n|---|---:|\n".to_owned();
        for (invariant, times) in &self.checks {
            writeln!(text, "| {invariant} | {times} |").expect("a text");
        }
        text
    }

    /// The table as Markdown.
    pub(crate) fn shown(&self, title: &str, rounds: u64) -> String {
        let mut text = format!("{title}\n\n| step in which a kill came | times |\n|---|---:|\n");
        for step in Step::ALL {
            let times = self.hits.get(&step).copied().unwrap_or_default();
            let must = if step.must_be_hit(rounds) { " (must be hit)" } else { "" };
            writeln!(text, "| {}{must} | {times} |", step.words()).expect("a text");
        }
        text.push('\n');
        text.push_str(&self.checks());
        text
    }
}

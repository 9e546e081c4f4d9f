//! Where the journal begins after its oldest segments were removed: what a copy
//! has to account for, and what the history shows of it. Knows no file.

use super::bodies::BodyPeriods;
use super::digest::Digest;
use super::history::{About, Detail, Event, Happening, HistoryLine, Who};
use super::moment::{Moment, Span};

/// How far the journal was removed: one row, that of the last time. What is kept continues it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HistoryCut {
    /// Sequence of the first decision that was removed this time.
    pub from_sequence: u64,
    /// Number of the first event that was removed this time.
    pub from_event: u64,
    /// Sequence of the first decision that is kept.
    pub next_sequence: u64,
    /// Number of the first event that is kept.
    pub next_event: u64,
    /// Hash of the last decision that was removed: what is kept continues it.
    pub hash: Digest,
    /// Moment of the last decision that was removed.
    pub last_at: Moment,
    /// Bytes that were removed this time.
    pub bytes: u64,
}

impl HistoryCut {
    /// What goes on record before anything is removed (`history-compacted`).
    #[must_use]
    pub fn event(&self) -> Event {
        let (last, last_event) = (self.next_sequence.saturating_sub(1), self.next_event.saturating_sub(1));
        let note = format!(
            "decisions {} to {last} with events {} to {last_event} are removed: their period is over; the chain stands at {}",
            self.from_sequence, self.from_event, self.hash
        );
        Event::new(Happening::HistoryCompacted, Who::system(), About::default())
            .with_until(self.last_at)
            .with_bytes(self.bytes)
            .with_note(&note)
    }

    /// The one line in the place of all events that were removed. It is shown, never stored.
    #[must_use]
    pub fn line(&self) -> HistoryLine {
        let last = self.next_event.saturating_sub(1);
        let note = format!("events 1 to {last} were removed with their period");
        let detail = Detail { bytes: None, until: Some(self.last_at), note: Some(note) };
        let event = Event { what: Happening::EventDestroyed, who: Who::system(), about: About::default(), detail };
        HistoryLine { sequence: last, at: self.last_at, event }
    }
}

impl BodyPeriods {
    /// The longest of them: no event is kept beyond it.
    #[must_use]
    pub fn longest(&self) -> Span {
        self.sign_ins.max(self.fetches).max(self.mail).max(self.changes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fact_names_what_is_missing_and_the_whole_hash() {
        let cut = HistoryCut {
            from_sequence: 11,
            from_event: 21,
            next_sequence: u64::MAX,
            next_event: u64::MAX,
            hash: Digest::new([0xab; 32]),
            last_at: Moment::from_millis(7),
            bytes: 900,
        };
        let event = cut.event();
        let note = event.detail.note.unwrap();
        assert!(note.contains("decisions 11 to 18446744073709551614"), "{note}");
        assert!(note.ends_with(&"ab".repeat(32)), "{note}");
        assert_eq!((event.detail.until, event.detail.bytes), (Some(cut.last_at), Some(900)));
        assert_eq!(cut.line().sequence, u64::MAX - 1);
    }
}

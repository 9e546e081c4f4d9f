//! The end of the history itself: what is older than the longest period goes on record
//! as removed, then it is removed. Never with an untrusted clock, nor in a start that
//! repaired or missed something: then everything there is may be needed.

use std::sync::atomic::Ordering;

use super::enforce_retention::RetentionReport;
use super::{Failure, Operations};
use crate::domain::compaction::HistoryCut;
use crate::domain::decision::Decision;
use crate::domain::moment::Moment;

impl Operations {
    /// Where the journal begins since its oldest part was removed; `None` while it has its beginning.
    ///
    /// # Errors
    /// A fault of the catalog.
    pub fn history_cut(&self) -> Result<Option<HistoryCut>, Failure> {
        self.catalog.look(|view| Ok(view.row::<HistoryCut>(&HistoryCut::key_of())?))
    }

    /// What could be removed now; `None` also while nothing may be.
    pub(super) fn removable_history(&self, now: Moment) -> Result<Option<HistoryCut>, Failure> {
        if !self.may_compact() {
            return Ok(None);
        }
        let longest = self.settings.history_kept.longest();
        let is_over = |at: Moment| self.clock.month_closing(at).after(longest) <= now;
        Ok(self.catalog.removable(&is_over, self.settings.compact_segments)?)
    }

    /// Puts on record what is over, and removes what is on record: also what a round before could not.
    pub(super) fn compact_history(&self, now: Moment, report: &mut RetentionReport) -> Result<(), Failure> {
        if let Some(cut) = self.removable_history(now)? {
            report.history_removed_to = Some(cut.next_event.saturating_sub(1));
            self.catalog
                .decide(Box::new(move |_| Ok(Decision::new(now, cut.event()).put(cut).leaving_access_as_it_is())))?;
        }
        if self.may_compact() {
            report.segments_removed = self.catalog.remove_before_cut()?;
        }
        Ok(())
    }

    fn may_compact(&self) -> bool {
        let is_in_order = !self.catalog.was_repaired() && !self.start_missed.load(Ordering::Relaxed);
        is_in_order && self.settings.compact_segments > 0 && self.is_clock_trusted()
    }
}

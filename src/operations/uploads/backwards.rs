//! The received uploads of an organisation, the newest first. The catalog lists rows in the order in which they came:
//! they are read in stretches of time, from now back, as long as it takes to find enough. Judges nothing.

use crate::domain::ids::UploadId;
use crate::domain::intake_rows::IntakeEntry;
use crate::domain::moment::{Moment, Span};
use crate::domain::names::OrganisationCode;
use crate::operations::Failure;
use crate::ports::catalog::CatalogView;

/// The first stretch: a week.
const FIRST_STRETCH: Span = Span::from_days(7);

/// Rows of one stretch are read at once; one that holds more is halved.
const MOST_AT_ONCE: usize = 500;

/// No millisecond has more: each of them was stored durably.
const MOST_IN_A_MILLISECOND: usize = 100_000;

/// After all of one millisecond.
const LAST_ID: UploadId = UploadId::from_bytes([0xff; 16]);

/// Where the reading stands.
pub(super) struct Backwards<'a> {
    organisation: &'a OrganisationCode,
    /// Nothing came before this; `None` when nothing is left.
    oldest: Option<Moment>,
    /// Only what came before this is left.
    upper: (Moment, UploadId),
    stretch: Span,
}

impl<'a> Backwards<'a> {
    /// What came before `before`, or before the end of `now`.
    pub(super) fn new(
        view: &dyn CatalogView,
        organisation: &'a OrganisationCode,
        before: Option<(Moment, UploadId)>,
        now: Moment,
    ) -> Result<Self, Failure> {
        let first = view.rows::<IntakeEntry>(&IntakeEntry::keys_of(organisation), None, 1)?;
        let oldest = first.first().map(|entry| entry.received_at);
        Ok(Self { organisation, oldest, upper: before.unwrap_or((now, LAST_ID)), stretch: FIRST_STRETCH })
    }

    /// The next ones, the newest first; none when there are no more.
    pub(super) fn next(&mut self, view: &dyn CatalogView) -> Result<Vec<IntakeEntry>, Failure> {
        while let Some(oldest) = self.oldest {
            let lower = Moment::from_millis(self.upper.0.millis().saturating_sub(self.stretch.millis()));
            let is_last = lower < oldest;
            let after = (!is_last).then(|| IntakeEntry::key_of(self.organisation, lower, LAST_ID));
            let prefix = IntakeEntry::keys_of(self.organisation);
            let is_smallest = self.stretch.millis() <= 1;
            let most = if is_smallest { MOST_IN_A_MILLISECOND } else { MOST_AT_ONCE };
            let mut found = view.rows::<IntakeEntry>(&prefix, after.as_ref(), most)?;
            // what came after `upper` is read along and no reason to halve
            let is_short = found.last().is_some_and(|last| (last.received_at, last.upload) < self.upper);
            let is_full = found.len() >= most && is_short;
            found.retain(|entry| (entry.received_at, entry.upload) < self.upper);
            if is_full && !is_smallest {
                self.stretch = Span::from_millis((self.stretch.millis() / 2).max(1));
                continue;
            }
            self.upper = (lower, LAST_ID);
            self.oldest = self.oldest.filter(|_| !is_last);
            if found.len() < MOST_AT_ONCE / 4 {
                self.stretch = Span::from_millis(self.stretch.millis().saturating_mul(4));
            }
            if !found.is_empty() {
                found.reverse();
                return Ok(found);
            }
        }
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::adapters::memory::MemoryCatalog;
    use crate::domain::decision::Decision;
    use crate::domain::history::{About, Event, Happening, Who};
    use crate::ports::catalog::Catalog;

    fn org(code: &str) -> OrganisationCode {
        OrganisationCode::parse(code).unwrap()
    }

    fn holding(entries: &[(u64, u8)]) -> MemoryCatalog {
        let catalog = MemoryCatalog::default();
        for code in ["one", "two"] {
            let entries = entries.to_vec();
            let rule = move |_: &dyn CatalogView| {
                let event = Event::new(Happening::UploadReceived, Who::system(), About::default());
                let mut decision = Decision::new(Moment::from_millis(1), event);
                for (millis, id) in entries {
                    decision = decision.put(IntakeEntry {
                        organisation: org(code),
                        received_at: Moment::from_millis(millis),
                        upload: UploadId::from_bytes([id; 16]),
                    });
                }
                Ok(decision)
            };
            catalog.decide(Box::new(rule)).unwrap();
        }
        catalog
    }

    fn read(catalog: &MemoryCatalog, before: Option<(Moment, UploadId)>, now: u64) -> Vec<(u64, UploadId)> {
        let catalog: &dyn Catalog = catalog;
        let found = catalog.look(|view| {
            let code = org("one");
            let mut backwards = Backwards::new(view, &code, before, Moment::from_millis(now))?;
            let mut all = Vec::new();
            loop {
                let page = backwards.next(view)?;
                if page.is_empty() {
                    return Ok(all);
                }
                assert!(page.iter().all(|entry| entry.organisation == code));
                all.extend(page.into_iter().map(|entry| (entry.received_at.millis(), entry.upload)));
            }
        });
        found.unwrap()
    }

    const DAY: u64 = 24 * 60 * 60 * 1000;

    #[test]
    fn more_than_one_reading_in_one_moment_is_found() {
        let mut entries: Vec<(u64, u8)> = (0..255u8).map(|id| (DAY, id)).collect();
        entries.extend((0..255u8).map(|id| (DAY + 1, id)));
        entries.extend((0..255u8).map(|id| (400 * DAY, id)));
        assert_eq!(read(&holding(&entries), None, 500 * DAY).len(), 765);
    }

    proptest! {
        #[test]
        fn all_are_found_newest_first(
            mut entries in proptest::collection::btree_set((0..900 * DAY, 0u8..4), 0..60),
            dense in 0u64..1_200,
            cut in 0usize..80,
        ) {
            entries.extend((0..dense).map(|n| (300 * DAY + n / 3, u8::try_from(n % 3).unwrap())));
            let entries: Vec<_> = entries.into_iter().collect();
            let catalog = holding(&entries);
            let mut expected: Vec<_> =
                entries.iter().map(|(millis, id)| (*millis, UploadId::from_bytes([*id; 16]))).collect();
            expected.reverse();
            prop_assert_eq!(&read(&catalog, None, 900 * DAY), &expected);
            if let Some((millis, id)) = expected.get(cut) {
                let rest = read(&catalog, Some((Moment::from_millis(*millis), *id)), 900 * DAY);
                prop_assert_eq!(&rest[..], &expected[cut + 1..]);
            }
        }
    }
}

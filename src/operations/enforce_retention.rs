//! The end of windows, in the order of engine §3: expired on record → open
//! handles may finish → the shred key is destroyed → shredded on record →
//! rows and payloads removed. Destroys nothing while the clock is not trusted (I10).

use std::collections::{BTreeMap, BTreeSet};

use super::browse::delivery_of;
use super::end_delivery::{about, doom, drop_headers, entries_of};
use super::pause_windows::{pause_over, pauses_of};
use super::{Failure, Operations, locked};
use crate::domain::decision::Decision;
use crate::domain::delivery::{Availability, Delivery, Ending, OutboxEntry};
use crate::domain::history::{About, Channel, Event, Happening, Who};
use crate::domain::ids::{DeliveryId, UploadId};
use crate::domain::moment::Moment;
use crate::domain::pause::WindowPause;
use crate::domain::record::{Row, SlotMember, SlotRecord, WindowEnd};
use crate::domain::refusal::Refusal;
use crate::domain::retention::ShredSlot;
use crate::domain::rights::{Act, Case, Ground, Role, permits};

/// What one round of retention did, or would do.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RetentionReport {
    /// Deliveries whose window ended.
    pub expired: Vec<DeliveryId>,
    /// Shred keys that were destroyed.
    pub slots_destroyed: Vec<String>,
    /// Keys of event bodies that were destroyed: class and month.
    pub bodies_destroyed: Vec<String>,
    /// Deliveries that can be read by nobody any more.
    pub shredded: Vec<DeliveryId>,
    /// Uploads whose time was over: never finished, or never collected.
    pub uploads_expired: Vec<UploadId>,
    /// Payloads that were removed from the vault.
    pub payloads_removed: usize,
    /// The last event whose segment of the journal ended on record, because the longest period is over.
    pub history_removed_to: Option<u64>,
    /// Segments of the journal that were removed.
    pub segments_removed: usize,
    /// Nothing was destroyed because the clock is not trusted (I10).
    pub clock_not_trusted: bool,
}

/// One decision ends at most so many windows or deliveries.
const ENDS_PER_DECISION: usize = 100;

/// One round looks at most at so many windows and slots; the next round goes on.
const MOST_PER_ROUND: usize = 10_000;

/// Windows whose moment has come.
struct DueWindows {
    ending: Vec<WindowEnd>,
    waiting: Vec<(Delivery, WindowPause)>,
}

impl Operations {
    /// One round of retention. Idempotent: a round that was cut off is completed by the next.
    ///
    /// # Errors
    /// A fault of catalog, keys or vault; what was done until then stays done.
    pub fn enforce_retention(&self) -> Result<RetentionReport, Failure> {
        permits(Act::Maintain, system_case())?;
        let mut report = RetentionReport::default();
        let now = self.now();
        self.settle_pauses(now, &mut report)?;
        self.expire_due(now, &mut report)?;
        if self.is_clock_trusted() {
            // before the keys go: what lies under them has then ended on record
            let uploads = self.settle_uploads(now)?;
            report.uploads_expired = uploads.expired;
            for slot in self.closed_slots(now)? {
                self.shred_slot(&slot, now, &mut report)?;
            }
            for key in self.due_bodies(now)? {
                report.bodies_destroyed.push(key.slot.to_string());
                self.end_body(key, now)?;
            }
        } else {
            report.clock_not_trusted = true;
        }
        report.payloads_removed = self.sweep_doomed()?;
        // last: what fails here keeps nothing else waiting
        self.compact_history(now, &mut report)?;
        Ok(report)
    }

    /// What a round would do now.
    ///
    /// # Errors
    /// A fault of the catalog.
    pub fn preview_retention(&self) -> Result<RetentionReport, Failure> {
        let now = self.now();
        let expired = self.due_windows(now)?.ending.into_iter().map(|end| end.delivery).collect();
        let slots = self.closed_slots(now)?.iter().map(ToString::to_string).collect();
        let bodies = self.due_bodies(now)?.iter().map(|key| key.slot.to_string()).collect();
        Ok(RetentionReport {
            expired,
            slots_destroyed: slots,
            bodies_destroyed: bodies,
            history_removed_to: self.removable_history(now)?.map(|cut| cut.next_event.saturating_sub(1)),
            clock_not_trusted: !self.is_clock_trusted(),
            ..RetentionReport::default()
        })
    }

    /// The operator says that the clock is right; from now on it may destroy again (I10).
    ///
    /// # Errors
    /// A fault of the store.
    pub fn confirm_time(&self, channel: Channel) -> Result<Moment, Failure> {
        permits(Act::Administer, Case::operator(Ground::None))?;
        let reading = self.clock.read();
        let now = reading.wall;
        self.catalog.decide(Box::new(move |_| {
            let event = Event::new(Happening::TimeConfirmed, Who::operator(channel), About::default());
            Ok(Decision::new(now, event.with_until(now)))
        }))?;
        locked(&self.trust).confirm(reading.wall, reading.monotonic);
        Ok(now)
    }

    /// The windows that end now, and those that would but wait for the end of a pause.
    fn due_windows(&self, now: Moment) -> Result<DueWindows, Failure> {
        self.catalog.look(|view| {
            let ends = view.rows::<WindowEnd>(&WindowEnd::all(), None, MOST_PER_ROUND)?;
            let mut due = DueWindows { ending: Vec::new(), waiting: Vec::new() };
            let pauses = pauses_of(view)?;
            for end in ends.into_iter().take_while(|end| end.at <= now) {
                if pauses.is_empty() {
                    due.ending.push(end);
                    continue;
                }
                let delivery = delivery_of(view, end.delivery)?;
                match pause_over(&pauses, &delivery).filter(|_| delivery.availability == Availability::Available) {
                    Some(pause) => due.waiting.push((delivery, pause.clone())),
                    None => due.ending.push(end),
                }
            }
            Ok(due)
        })
    }

    fn expire_due(&self, now: Moment, report: &mut RetentionReport) -> Result<(), Failure> {
        let DueWindows { ending: due, waiting } = self.due_windows(now)?;
        self.put_windows_aside(waiting, now)?;
        for chunk in due.chunks(ENDS_PER_DECISION) {
            let chunk = chunk.to_vec();
            report.expired.extend(chunk.iter().map(|end| end.delivery));
            self.catalog.decide(Box::new(move |view| {
                let mut decision: Option<Decision> = None;
                for end in chunk {
                    let mut delivery = delivery_of(view, end.delivery)?;
                    let event = Event::new(Happening::DeliveryExpired, Who::system(), about(&delivery))
                        .with_until(delivery.available_until);
                    let mut next = match decision.take() {
                        None => Decision::new(now, event),
                        Some(decision) => decision.and(event),
                    };
                    for entry in entries_of(view, &delivery)? {
                        next = next.remove(OutboxEntry::key_of(&entry.organisation, &entry.product, &entry.name));
                    }
                    next = next.remove(WindowEnd::key_of(end.at, end.delivery));
                    if delivery.availability == Availability::Available {
                        delivery.availability = Availability::Expired { at: now };
                        next = next.put(delivery);
                    }
                    decision = Some(next);
                }
                decision.ok_or_else(|| Refusal::WrongState("nothing is due".to_owned()).into())
            }))?;
        }
        Ok(())
    }

    /// One page of the shred keys on record, in order of the end of their windows, those after `after` only: which
    /// there were, and when each was destroyed.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn slot_records(&self, after: Option<&ShredSlot>) -> Result<Vec<SlotRecord>, Failure> {
        permits(Act::ReadHistory, Case::operator(Ground::None))?;
        let after = after.map(SlotRecord::key_of);
        self.catalog.look(|view| Ok(view.rows(&SlotRecord::all(), after.as_ref(), self.settings.max_page)?))
    }

    /// Slots whose windows have all ended long enough ago, after `shred_delay` and `open_grace`: those on
    /// record, and those that only the keyring knows, because their publication never came on record.
    /// Those that were found to be destroyed in an earlier round, and all before them, are not looked at again: a
    /// slot of so long ago can only come back with a key, and then the keyring names it.
    fn closed_slots(&self, now: Moment) -> Result<BTreeSet<ShredSlot>, Failure> {
        let delay = self.settings.shred_delay.max(self.settings.open_grace);
        let is_due = |slot: &ShredSlot| slot.closes_at().after(delay) <= now;
        let mut closed: BTreeSet<ShredSlot> = self.keyring.living_slots()?.into_iter().filter(is_due).collect();
        let mut destroyed_up_to = locked(&self.destroyed_up_to).clone();
        let mut are_destroyed = true;
        let mut after = destroyed_up_to.as_ref().map(SlotRecord::key_of);
        self.catalog.look(|view| {
            loop {
                let page = view.rows::<SlotRecord>(&SlotRecord::all(), after.as_ref(), MOST_PER_ROUND)?;
                let Some(last) = page.last() else { return Ok(()) };
                after = Some(SlotRecord::key_of(&last.slot));
                for record in page {
                    // Slots are in order of their end: the first that is not due ends the search.
                    if !is_due(&record.slot) {
                        return Ok(());
                    }
                    are_destroyed &= record.destroyed_at.is_some();
                    if are_destroyed {
                        destroyed_up_to = Some(record.slot);
                    } else if record.destroyed_at.is_none() {
                        closed.insert(record.slot);
                    }
                }
            }
        })?;
        *locked(&self.destroyed_up_to) = destroyed_up_to;
        Ok(closed)
    }

    pub(super) fn shred_slot(
        &self,
        slot: &ShredSlot,
        now: Moment,
        report: &mut RetentionReport,
    ) -> Result<(), Failure> {
        if !self.has_ended(slot)? {
            return Ok(());
        }
        self.keyring.destroy_slot(slot)?;
        loop {
            let prefix = SlotMember::keys_of(slot);
            let chunk = self.catalog.look(|view| Ok(view.rows::<SlotMember>(&prefix, None, ENDS_PER_DECISION)?))?;
            if chunk.is_empty() {
                break;
            }
            report.shredded.extend(chunk.iter().map(|member| member.delivery));
            self.record_shredded(chunk, now)?;
        }
        report.slots_destroyed.push(slot.to_string());
        let slot = slot.clone();
        self.catalog.decide(Box::new(move |_| {
            let event = Event::new(Happening::SlotDestroyed, Who::system(), About::default())
                .with_until(slot.closes_at())
                .with_note(&slot.to_string());
            Ok(Decision::new(now, event).put(SlotRecord { slot, destroyed_at: Some(now) }))
        }))?;
        Ok(())
    }

    /// Whether every delivery of a slot has ended on record. One that has not keeps its key;
    /// the next round sees it again.
    fn has_ended(&self, slot: &ShredSlot) -> Result<bool, Failure> {
        self.catalog.look(|view| {
            let mut after = None;
            loop {
                let page = view.rows::<SlotMember>(&SlotMember::keys_of(slot), after.as_ref(), MOST_PER_ROUND)?;
                let Some(last) = page.last() else { return Ok(true) };
                after = Some(SlotMember::key_of(&last.slot, last.delivery));
                for member in page {
                    let delivery = delivery_of(view, member.delivery)?;
                    if matches!(delivery.availability, Availability::Available | Availability::Held { .. }) {
                        return Ok(false);
                    }
                }
            }
        })
    }

    fn record_shredded(&self, chunk: Vec<SlotMember>, now: Moment) -> Result<(), Failure> {
        self.catalog.decide(Box::new(move |view| {
            let mut decision: Option<Decision> = None;
            let mut payloads = BTreeMap::new();
            for member in chunk {
                let mut delivery = delivery_of(view, member.delivery)?;
                let event = Event::new(Happening::DeliveryShredded, Who::system(), about(&delivery));
                let mut next = match decision.take() {
                    None => Decision::new(now, event),
                    Some(decision) => decision.and(event),
                };
                next = drop_headers(view, next, &delivery, &mut payloads)?;
                next = next.remove(SlotMember::key_of(&member.slot, member.delivery));
                let after = match delivery.availability {
                    Availability::Withdrawn { .. } => Ending::Withdrawn,
                    Availability::Replaced { .. } => Ending::Replaced,
                    Availability::Shredded { after, .. } => after,
                    Availability::Available | Availability::Held { .. } | Availability::Expired { .. } => {
                        Ending::Expired
                    }
                };
                delivery.availability = Availability::Shredded { at: now, after };
                decision = Some(next.put(delivery));
            }
            let decision = decision.ok_or_else(|| Refusal::WrongState("nothing to shred".to_owned()))?;
            Ok(doom(decision, payloads))
        }))?;
        Ok(())
    }
}

pub(super) const fn system_case() -> Case {
    Case { role: Role::System, ..Case::operator(Ground::None) }
}

//! Windows wait while their recipients are shut out by a block or an interruption
//! (J1, J6). What runs out meanwhile is kept under a key of the pause, so that the
//! keys of the days end as they would; after the pause it is there again.

use std::collections::HashMap;
use std::sync::Mutex;

use super::browse::delivery_of;
use super::end_delivery::{about, entries_of, is_living};
use super::steer_delivery::HOLD_SLOT;
use super::{Failure, Operations, RetentionReport, locked};
use crate::domain::decision::Decision;
use crate::domain::delivery::{Availability, Delivery};
use crate::domain::history::{About, Event, Happening, Who};
use crate::domain::ids::PauseId;
use crate::domain::moment::{Moment, Span};
use crate::domain::names::OrganisationCode;
use crate::domain::pause::{PausedWindow, WindowPause};
use crate::domain::record::{Key, Row as _, SlotRecord, WindowEnd};
use crate::domain::refusal::Refusal;
use crate::domain::retention::ShredSlot;
use crate::ports::catalog::CatalogView;

/// So many pauses are looked at.
const MOST_PAUSES: usize = 10_000;

/// One round looks at most at so many windows, and moves at most so many; the next round goes on.
const LOOKED_AT_PER_ROUND: usize = 10_000;
const MOVED_PER_ROUND: usize = 500;

/// A midnight closes the day of the moment before it.
const INSTANT: Span = Span::from_millis(1);

/// How far the search for windows to extend came after each pause. Lost at a restart: it begins anew then, and finds
/// what it extended before to be late enough.
#[derive(Default)]
pub(super) struct Reached {
    keys: Mutex<HashMap<PauseId, Key>>,
}

/// From now on windows of these recipients wait.
pub(super) fn begin_pause(
    decision: Decision,
    id: PauseId,
    organisation: Option<OrganisationCode>,
    since: Moment,
    until: Option<Moment>,
) -> Decision {
    decision.put(WindowPause { id, organisation, since, until })
}

/// The pause is over at `now`, unless it was before.
pub(super) fn end_pause(
    view: &dyn CatalogView,
    decision: Decision,
    id: PauseId,
    now: Moment,
) -> Result<Decision, Failure> {
    Ok(match view.row::<WindowPause>(&WindowPause::key_of(id))? {
        Some(pause) if !pause.is_over(now) => decision.put(WindowPause { until: Some(now), ..pause }),
        _ => decision,
    })
}

/// A block of an organisation: its windows wait as long. A block in the place of another goes on with its pause.
pub(super) fn pause_for_block(
    view: &dyn CatalogView,
    decision: Decision,
    code: &OrganisationCode,
    (fresh, now, until): (PauseId, Moment, Option<Moment>),
) -> Result<Decision, Failure> {
    Ok(match pause_of(view, code, now)? {
        Some(pause) => decision.put(WindowPause { until, ..pause }),
        None => begin_pause(decision, fresh, Some(code.clone()), now, until),
    })
}

/// The block of an organisation is over at `now`, and so is its pause.
pub(super) fn end_pause_of(
    view: &dyn CatalogView,
    decision: Decision,
    code: &OrganisationCode,
    now: Moment,
) -> Result<Decision, Failure> {
    match pause_of(view, code, now)? {
        Some(pause) => end_pause(view, decision, pause.id, now),
        None => Ok(decision),
    }
}

fn pause_of(view: &dyn CatalogView, code: &OrganisationCode, now: Moment) -> Result<Option<WindowPause>, Failure> {
    let is_its = |pause: &WindowPause| pause.organisation.as_ref() == Some(code) && !pause.is_over(now);
    Ok(pauses_of(view)?.into_iter().find(is_its))
}

/// Every pause that is not settled yet.
pub(super) fn pauses_of(view: &dyn CatalogView) -> Result<Vec<WindowPause>, Failure> {
    Ok(view.rows(&WindowPause::all(), None, MOST_PAUSES)?)
}

/// The pause that keeps the window of this delivery from running out: the one that lasts longest.
pub(super) fn pause_over<'a>(pauses: &'a [WindowPause], delivery: &Delivery) -> Option<&'a WindowPause> {
    pauses.iter().filter(|pause| pause.covers(delivery)).max_by_key(|pause| pause.until.unwrap_or(HOLD_SLOT))
}

impl Operations {
    /// Puts windows that ran out during a pause aside: their headers go under the key of the pause.
    pub(super) fn put_windows_aside(&self, due: Vec<(Delivery, WindowPause)>, now: Moment) -> Result<(), Failure> {
        for (delivery, pause) in due.into_iter().take(MOVED_PER_ROUND) {
            let event = Event::new(Happening::WindowPaused, Who::system(), about(&delivery))
                .with_until(delivery.available_until);
            let slot = pause.slot(HOLD_SLOT);
            let moved = self.reseal(delivery, slot, now, event, move |_, decision, delivery| {
                let row = PausedWindow { pause: pause.id, delivery: delivery.id };
                Ok(decision.remove(WindowEnd::key_of(delivery.available_until, delivery.id)).put(row))
            });
            unless_refused(moved)?;
        }
        Ok(())
    }

    /// After each pause that is over: what waited is there again, and what would end soon stays as long as it must.
    pub(super) fn settle_pauses(&self, now: Moment, report: &mut RetentionReport) -> Result<(), Failure> {
        let pauses = self.catalog.look(|view| pauses_of(view))?;
        let mut budget = MOVED_PER_ROUND;
        for pause in pauses.into_iter().filter(|pause| pause.is_over(now)) {
            if !self.take_up_waiting(&pause, now, &mut budget)? || !self.extend_soon(&pause, now, &mut budget)? {
                return Ok(());
            }
            self.close_pause(&pause, now, report)?;
        }
        Ok(())
    }

    /// Whether every window that waited runs on.
    fn take_up_waiting(&self, pause: &WindowPause, now: Moment, budget: &mut usize) -> Result<bool, Failure> {
        let prefix = PausedWindow::keys_of(pause.id);
        let waiting = self.catalog.look(|view| {
            let rows = view.rows::<PausedWindow>(&prefix, None, budget.saturating_add(1))?;
            rows.into_iter().map(|row| delivery_of(view, row.delivery)).collect::<Result<Vec<_>, Failure>>()
        })?;
        for delivery in waiting {
            if *budget == 0 {
                return Ok(false);
            }
            *budget -= 1;
            let key = PausedWindow::key_of(pause.id, delivery.id);
            if is_living(&delivery) {
                let least = pause.least_until(&delivery).unwrap_or(now);
                self.run_on(delivery, least, now, Some(key))?;
            } else {
                let event = Event::new(Happening::WindowsResumed, Who::system(), about(&delivery));
                self.catalog.decide(Box::new(move |_| Ok(Decision::new(now, event).remove(key))))?;
            }
        }
        Ok(true)
    }

    /// Whether every window that ends soon after the pause is late enough.
    fn extend_soon(&self, pause: &WindowPause, now: Moment, budget: &mut usize) -> Result<bool, Failure> {
        let Some(until) = pause.until else { return Ok(true) };
        // the latest that `least_until` may be
        let latest = until.after(until.since(pause.since));
        let after = locked(&self.pauses.keys).get(&pause.id).cloned();
        let (page, reached) = self.catalog.look(|view| {
            let ends = view.rows::<WindowEnd>(&WindowEnd::all(), after.as_ref(), LOOKED_AT_PER_ROUND)?;
            let is_all = ends.len() < LOOKED_AT_PER_ROUND || ends.last().is_some_and(|end| end.at >= latest);
            let mut page = Vec::new();
            for end in ends.into_iter().take_while(|end| end.at < latest) {
                page.push((WindowEnd::key_of(end.at, end.delivery), delivery_of(view, end.delivery)?));
            }
            Ok((page, is_all))
        })?;
        for (key, delivery) in page {
            let least = pause
                .least_until(&delivery)
                .filter(|least| pause.covers(&delivery) && is_living(&delivery) && *least > delivery.available_until);
            if let Some(least) = least {
                if *budget == 0 {
                    return Ok(false);
                }
                *budget -= 1;
                self.run_on(delivery, least, now, None)?;
            }
            locked(&self.pauses.keys).insert(pause.id, key);
        }
        Ok(reached)
    }

    /// The window ends at `least`, or with the day of it when it ended with a day before.
    fn run_on(&self, delivery: Delivery, least: Moment, now: Moment, waiting: Option<Key>) -> Result<(), Failure> {
        // a server that was down since: what has passed gives nobody a day, and its key may be gone
        let least = least.max(now);
        let is_by_day =
            self.clock.midnight_closing(delivery.available_until.before(INSTANT)) == delivery.available_until;
        let until = if is_by_day { self.clock.midnight_closing(least.before(INSTANT)) } else { least }
            .max(delivery.available_until);
        let is_held = matches!(delivery.availability, Availability::Held { .. });
        let slot = if is_held {
            delivery.slot.clone()
        } else if is_by_day {
            ShredSlot::of_day(until)
        } else {
            ShredSlot::of_its_own(until, &format!("paused{}", delivery.id))
        };
        let event =
            Event::new(Happening::DeliveryExtended, Who::system(), about(&delivery)).with_until(until).with_note(WHY);
        let moved = self.reseal(delivery, slot, now, event, move |view, decision, delivery| {
            let mut decision = decision.remove(WindowEnd::key_of(delivery.available_until, delivery.id));
            delivery.available_until = until;
            if !is_held {
                decision = decision.put(WindowEnd { at: until, delivery: delivery.id });
            }
            if let Some(waiting) = waiting {
                decision = decision.remove(waiting);
            }
            for mut entry in entries_of(view, delivery)? {
                entry.available_until = until;
                decision = decision.put(entry);
            }
            Ok(decision)
        });
        unless_refused(moved)
    }

    /// Nothing lies under the key of the pause any more, or only what has ended: it goes, and the row after it.
    fn close_pause(&self, pause: &WindowPause, now: Moment, report: &mut RetentionReport) -> Result<(), Failure> {
        let slot = pause.slot(HOLD_SLOT);
        let record = self.catalog.look(|view| Ok(view.row::<SlotRecord>(&SlotRecord::key_of(&slot))?))?;
        // a key that only the keyring knows was made for a window that was never moved
        let is_there =
            record.is_some_and(|record| record.destroyed_at.is_none()) || self.keyring.living_slots()?.contains(&slot);
        if is_there {
            if !self.is_clock_trusted() {
                return Ok(());
            }
            self.shred_slot(&slot, now, report)?;
        }
        let (id, until) = (pause.id, pause.until.unwrap_or(now));
        let about = About { organisation: pause.organisation.clone(), ..About::default() };
        let closed = self.catalog.decide(Box::new(move |view| {
            let record = view.row::<SlotRecord>(&SlotRecord::key_of(&slot))?;
            if record.is_some_and(|record| record.destroyed_at.is_none()) {
                return Err(Refusal::WrongState("something is still kept under the key of the pause".to_owned()).into());
            }
            let event = Event::new(Happening::WindowsResumed, Who::system(), about).with_until(until);
            Ok(Decision::new(now, event).remove(WindowPause::key_of(id)))
        }));
        unless_refused(closed.map(drop))?;
        locked(&self.pauses.keys).remove(&pause.id);
        Ok(())
    }
}

/// On record beside the extension: it was not the operator's.
const WHY: &str = "access was shut for the recipient during a part of the window";

/// What changed meanwhile is seen again by the next round.
fn unless_refused(outcome: Result<(), Failure>) -> Result<(), Failure> {
    match outcome {
        Err(Failure::Refused(_)) => Ok(()),
        other => other,
    }
}

//! Which key the events of a decision lie under: joins the keyring and the
//! calendar of `portal.time_zone`, for the catalog and for the e-mails.

use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::bodies::{BodyClass, BodySlot};
use crate::domain::moment::Moment;
use crate::ports::bodies::{BodyBinding, BodySeal, OpenedBody};
use crate::ports::clock::Clock;
use crate::ports::failure::{Failure, Fault};
use crate::ports::keyring::Keyring;

/// Bodies under the keys of a keyring, by class and by month of a clock's calendar.
pub struct MonthlyBodies {
    keyring: Arc<dyn Keyring>,
    clock: Arc<dyn Clock>,
    /// The month asked for last: the calendar is not read for every decision.
    last: Mutex<Option<Month>>,
}

#[derive(Clone, Copy)]
struct Month {
    year: u16,
    month: u8,
    /// A moment in it.
    from: Moment,
    closes_at: Moment,
}

impl MonthlyBodies {
    /// Bodies under the keys of this keyring.
    #[must_use]
    pub fn new(keyring: Arc<dyn Keyring>, clock: Arc<dyn Clock>) -> Self {
        Self { keyring, clock, last: Mutex::default() }
    }

    fn month_of(&self, at: Moment) -> Month {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(month) = last.filter(|month| month.from <= at && at < month.closes_at) {
            return month;
        }
        let date = self.clock.date_of(at);
        let year = u16::try_from(date.year).unwrap_or_default();
        let month = u8::try_from(date.month).unwrap_or_default();
        let month = Month { year, month, from: at, closes_at: self.clock.month_closing(at) };
        *last = Some(month);
        month
    }
}

impl BodySeal for MonthlyBodies {
    fn slot_for(&self, class: BodyClass, at: Moment) -> Result<(BodySlot, Moment), Failure> {
        let mut at = at;
        loop {
            let Month { year, month, closes_at, .. } = self.month_of(at);
            let slot = BodySlot::new(class, year, month)?;
            if self.keyring.ensure_body_key(slot)? {
                return Ok((slot, closes_at));
            }
            if closes_at <= at {
                return Err(Fault::new(format!("seal events: {slot} was destroyed, and time ends there")).into());
            }
            at = closes_at;
        }
    }

    fn seal(&self, slot: BodySlot, binding: BodyBinding, plain: &[u8]) -> Result<Vec<u8>, Failure> {
        self.keyring.seal_body(slot, binding, plain)
    }

    fn open(&self, slot: BodySlot, binding: BodyBinding, sealed: &[u8]) -> Result<OpenedBody, Fault> {
        self.keyring.open_body(slot, binding, sealed)
    }
}

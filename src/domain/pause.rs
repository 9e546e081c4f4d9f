//! A pause of windows: while recipients are shut out by a block or an interruption,
//! no window of theirs runs out (J1, J6). Reads no clock.

use super::delivery::Delivery;
use super::ids::{DeliveryId, PauseId};
use super::moment::Moment;
use super::names::OrganisationCode;
use super::record::{Key, Row};
use super::retention::ShredSlot;

/// A pause. Its row goes when every window that it touched runs on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WindowPause {
    /// Its id.
    pub id: PauseId,
    /// The blocked recipient; everybody when `None`.
    pub organisation: Option<OrganisationCode>,
    /// Since when.
    pub since: Moment,
    /// Until when; not known yet when `None`.
    pub until: Option<Moment>,
}

/// A window that ran out during a pause.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PausedWindow {
    /// The pause.
    pub pause: PauseId,
    /// The delivery.
    pub delivery: DeliveryId,
}

impl PausedWindow {
    /// The beginning of the keys of what ran out during a pause.
    #[must_use]
    pub fn keys_of(pause: PauseId) -> Key {
        Key::of(Self::KIND).bytes(pause.as_bytes())
    }

    /// The key of one delivery's window.
    #[must_use]
    pub fn key_of(pause: PauseId, delivery: DeliveryId) -> Key {
        Self::keys_of(pause).bytes(delivery.as_bytes())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(self.pause, self.delivery)
    }
}

impl WindowPause {
    /// The key of the pause with this id.
    #[must_use]
    pub fn key_of(id: PauseId) -> Key {
        Key::of(Self::KIND).bytes(id.as_bytes())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(self.id)
    }

    /// Whether the window of this delivery does not run out because of it.
    #[must_use]
    pub fn covers(&self, delivery: &Delivery) -> bool {
        self.since <= delivery.available_until
            && self.until.is_none_or(|until| delivery.published_at < until)
            && self.organisation.as_ref().is_none_or(|organisation| *organisation == delivery.organisation)
    }

    /// Whether it is over at `now`.
    #[must_use]
    pub fn is_over(&self, now: Moment) -> bool {
        self.until.is_some_and(|until| until <= now)
    }

    /// The slot under which the headers lie of what ran out during it: the shred keys of the days end as they would.
    /// Its order is that of a hold: it has no day.
    #[must_use]
    pub fn slot(&self, far: Moment) -> ShredSlot {
        ShredSlot::of_its_own(far, &format!("pause{}", self.id))
    }

    /// Until when a delivery is there at least, once the pause is over: as long again as the pause took while the
    /// delivery was there, and no longer than its whole window was. The same each time it is asked.
    #[must_use]
    pub fn least_until(&self, delivery: &Delivery) -> Option<Moment> {
        let until = self.until?;
        let paused = until.since(self.since.max(delivery.published_at));
        let window = delivery.promised_until.since(delivery.published_at);
        Some(until.after(paused.min(window)))
    }
}

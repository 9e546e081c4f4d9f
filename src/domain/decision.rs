//! A decision: at least one event, the changes and the e-mails that belong
//! to it. It cannot be built without an event: no change without history.

use super::bodies::BodySlot;
use super::history::Event;
use super::moment::Moment;
use super::notice::{Mail, MailState};
use super::record::{Change, Key, MailDue, Record};

/// What one rule decided; kept or dropped as a whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decision {
    at: Moment,
    events: Vec<Event>,
    changes: Vec<Change>,
    concerns_access: bool,
    slots: Vec<(BodySlot, Moment)>,
}

impl Decision {
    /// A decision taken at `at`, with its first event.
    #[must_use]
    pub fn new(at: Moment, event: Event) -> Self {
        Self { at, events: vec![event], changes: Vec::new(), concerns_access: true, slots: Vec::new() }
    }

    /// With one more event.
    #[must_use]
    pub fn and(mut self, event: Event) -> Self {
        self.events.push(event);
        self
    }

    /// The record is to be this from now on.
    #[must_use]
    pub fn put(mut self, record: impl Into<Record>) -> Self {
        self.changes.push(Change::Put(record.into()));
        self
    }

    /// The record under this key is to be gone.
    #[must_use]
    pub fn remove(mut self, key: Key) -> Self {
        self.changes.push(Change::Remove(key));
        self
    }

    /// With an e-mail, queued in the same transaction (I5).
    #[must_use]
    pub fn notify(mut self, mail: Mail) -> Self {
        if let MailState::Queued { next_at, .. } = &mail.state {
            self.changes.push(Change::Put(MailDue { at: *next_at, mail: mail.id }.into()));
        }
        self.put(mail)
    }

    /// Fields of its records lie under this key, whose month ends then: the catalog puts the key on record.
    #[must_use]
    pub fn under(mut self, slot: BodySlot, closes_at: Moment) -> Self {
        if !self.slots.iter().any(|(known, _)| *known == slot) {
            self.slots.push((slot, closes_at));
        }
        self
    }

    /// Keys that fields of its records lie under, and when their months end.
    #[must_use]
    pub fn slots(&self) -> &[(BodySlot, Moment)] {
        &self.slots
    }

    /// Nobody may do or see anything else because of it: what was judged before need not be judged again.
    #[must_use]
    pub const fn leaving_access_as_it_is(mut self) -> Self {
        self.concerns_access = false;
        self
    }

    /// Whether it may change what somebody may do or see.
    #[must_use]
    pub const fn concerns_access(&self) -> bool {
        self.concerns_access
    }

    /// When it was taken.
    #[must_use]
    pub const fn at(&self) -> Moment {
        self.at
    }

    /// The events, never empty.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The changes, in order.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }
}

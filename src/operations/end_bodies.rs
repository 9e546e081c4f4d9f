//! The end of personal data in the history: the key of a class and month is
//! destroyed when its period is over, then that is put on record. Nothing under
//! it is needed to rebuild the catalog, so nothing has to come before.

use std::collections::BTreeMap;

use super::{Failure, Operations};
use crate::domain::bodies::{BodyClass, BodyKey, BodySlot};
use crate::domain::decision::Decision;
use crate::domain::history::{About, Event, Happening, Who};
use crate::domain::moment::{Moment, Span};
use crate::domain::notice::{Mail, MailState};
use crate::domain::record::{MailDue, Row as _};

/// Rows that are looked at together.
const PAGE: usize = 1_000;

/// Months are looked for so far back: a century.
const MOST_MONTHS: usize = 1_200;

/// A step that never passes over a month.
const SHORTEST_MONTH: Span = Span::from_days(28);

/// A key of event bodies, for a report.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BodyKeyState {
    /// The key, and its end if that came.
    pub key: BodyKey,
    /// When it is due to be destroyed.
    pub kept_until: Moment,
}

impl Operations {
    /// Keys of event bodies on record, those destroyed too, by class and month.
    ///
    /// # Errors
    /// A fault of the catalog.
    pub fn body_keys(&self) -> Result<Vec<BodyKeyState>, Failure> {
        let mut states = Vec::new();
        let mut after = None;
        loop {
            let page = self.catalog.look(|view| Ok(view.rows::<BodyKey>(&BodyKey::all(), after.as_ref(), PAGE)?))?;
            let Some(last) = page.last() else { return Ok(states) };
            after = Some(last.key());
            states.extend(page.into_iter().map(|key| {
                let kept_until = key.closes_at.after(self.settings.history_kept.of(key.slot.class()));
                BodyKeyState { key, kept_until }
            }));
        }
    }

    /// Keys on record whose destruction is not, and that are not there: their events are lost.
    pub(super) fn lost_body_keys(&self) -> Result<Vec<BodySlot>, Failure> {
        let living = self.keyring.living_body_keys()?;
        let recorded = self.body_keys()?.into_iter().map(|state| state.key);
        let missing = recorded.filter(|key| key.destroyed_at.is_none() && !living.contains(&key.slot));
        // one that was destroyed a moment before a crash is put on record by the next round
        Ok(missing.map(|key| key.slot).filter(|slot| !self.keyring.is_body_key_destroyed(*slot)).collect())
    }

    /// Keys whose period is over: those on record, and those that only the keyring knows, because no decision
    /// under them came on record or a restore took it back.
    pub(super) fn due_bodies(&self, now: Moment) -> Result<Vec<BodyKey>, Failure> {
        let mut due = BTreeMap::new();
        let mut recorded = BTreeMap::new();
        for BodyKeyState { key, kept_until } in self.body_keys()? {
            recorded.insert(key.slot, key.closes_at);
            if key.destroyed_at.is_none() && kept_until <= now {
                due.insert(key.slot, key);
            }
        }
        for slot in self.keyring.living_body_keys()? {
            let period = self.settings.history_kept.of(slot.class());
            let closes_at = recorded.get(&slot).copied().or_else(|| self.closing_of(slot, now.before(period)));
            if let Some(closes_at) = closes_at.filter(|at| at.after(period) <= now) {
                due.insert(slot, BodyKey { slot, closes_at, destroyed_at: None });
            }
        }
        Ok(due.into_values().collect())
    }

    pub(super) fn end_body(&self, key: BodyKey, now: Moment) -> Result<(), Failure> {
        match key.slot.class() {
            BodyClass::Mail => self.remove_mails(key.slot, now)?,
            BodyClass::SignIns => self.remove_sign_in_records(key.slot, now)?,
            BodyClass::Fetches | BodyClass::Changes => {}
        }
        self.keyring.destroy_body_key(key.slot)?;
        self.catalog.decide(Box::new(move |_| {
            let event = Event::new(Happening::BodyKeyDestroyed, Who::system(), About::default())
                .with_until(key.closes_at)
                .with_note(&key.slot.to_string());
            Ok(Decision::new(now, event).put(BodyKey { destroyed_at: Some(now), ..key }))
        }))?;
        Ok(())
    }

    /// Removes the e-mails whose personal fields lie under a key, a page at a time, before that key goes.
    fn remove_mails(&self, slot: BodySlot, now: Moment) -> Result<(), Failure> {
        let mut after = None;
        loop {
            let page = self.mails(after)?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.id);
            let ended = page.into_iter().filter(|mail| mail.letter.slot() == Some(slot)).collect::<Vec<_>>();
            if ended.is_empty() {
                continue;
            }
            self.catalog.decide(Box::new(move |_| {
                let note = format!("{} e-mails of {}", ended.len(), slot.month_text());
                let event = Event::new(Happening::MailRemoved, Who::system(), About::default()).with_note(&note);
                Ok(ended.into_iter().fold(Decision::new(now, event), |decision, mail| {
                    let decision = decision.remove(Mail::key_of(mail.id));
                    match mail.state {
                        MailState::Queued { next_at, .. } => decision.remove(MailDue::key_of(next_at, mail.id)),
                        MailState::Sent { .. } | MailState::Failed { .. } => decision,
                    }
                }))
            }))?;
        }
    }

    /// When the month of a slot ended, if it had by `before`.
    fn closing_of(&self, slot: BodySlot, before: Moment) -> Option<Moment> {
        let mut at = before;
        for _ in 0..MOST_MONTHS {
            let date = self.clock.date_of(at);
            let month = u32::try_from(date.year).ok()? * 100 + u32::try_from(date.month).ok()?;
            if month <= slot.month() {
                let closes_at = self.clock.month_closing(at);
                return Some(closes_at).filter(|closes_at| month == slot.month() && *closes_at <= before);
            }
            at = at.before(SHORTEST_MONTH);
        }
        None
    }
}

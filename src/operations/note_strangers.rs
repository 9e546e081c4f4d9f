//! Puts on record who was refused before signing in: penalties of addresses, and known
//! credentials from outside an allow list. Bounded per hour, since a flood of strangers must
//! not grow the journal; never waits for the disk, so that no answer tells by its time.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Mutex;

use super::{Caller, Failure, Operations, locked};
use crate::domain::decision::Decision;
use crate::domain::history::{About, Channel, Event, Happening, Who};
use crate::domain::moment::{Moment, Span};
use crate::domain::names::LoginName;
use crate::domain::network::Network;
use crate::domain::refusal::What;

/// The time for which events are counted.
const WINDOW: Span = Span::from_seconds(3_600);

/// An address that is refused for a while.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PenaltyImposed {
    /// The address whose connection was the last that came to nothing.
    pub address: IpAddr,
    /// What is refused: the address, or its network.
    pub source: Network,
    /// For how long.
    pub lasts: Span,
    /// Connections that came to nothing so far.
    pub faults: usize,
    /// Connections refused by earlier penalties.
    pub refused: u64,
}

/// Who was refused from outside an allow list, and how far they had come.
pub(super) struct Outsider {
    /// As they would have entered.
    pub(super) caller: Caller,
    /// Whose list it was.
    pub(super) list_of: What,
    /// Whether they showed that the credential is theirs.
    pub(super) is_proven: bool,
}

/// What went on record in the last hour; each kind has its own bound, so that a flood of one hides nothing of the
/// other.
#[derive(Default)]
pub(super) struct Noted {
    penalties: Mutex<Recent<Network>>,
    outsiders: Mutex<Recent<(LoginName, Network)>>,
}

/// Events of the last hour, oldest first: never more than were allowed.
struct Recent<K> {
    noted: VecDeque<(Moment, K)>,
    left_out: u64,
}

impl<K> Default for Recent<K> {
    fn default() -> Self {
        Self { noted: VecDeque::new(), left_out: 0 }
    }
}

impl<K: PartialEq> Recent<K> {
    /// Whether one more goes on record now: how many were left out before it.
    fn take(&mut self, key: K, now: Moment, most: usize) -> Option<u64> {
        while self.noted.front().is_some_and(|(at, _)| at.after(WINDOW) <= now) {
            self.noted.pop_front();
        }
        if self.noted.len() >= most {
            self.left_out = self.left_out.saturating_add(1);
            return None;
        }
        self.noted.push_back((now, key));
        Some(std::mem::take(&mut self.left_out))
    }

    /// As `take`, but the same key once in an hour.
    fn take_once(&mut self, key: K, now: Moment, most: usize) -> Option<u64> {
        let is_known = self.noted.iter().any(|(at, noted)| *noted == key && now < at.after(WINDOW));
        if is_known { None } else { self.take(key, now, most) }
    }
}

impl Operations {
    /// Puts on record that an address is refused for a while, unless `limits.max_stranger_events_per_hour` penalties
    /// were in the last hour; those left out are counted in the next.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn note_penalty(&self, penalty: &PenaltyImposed) -> Result<(), Failure> {
        let now = self.now();
        let most = self.settings.max_stranger_events;
        let Some(left_out) = locked(&self.strangers.penalties).take(penalty.source, now, most) else { return Ok(()) };
        let who = Who::stranger(Channel::Sftp, penalty.address);
        let note = format!(
            "{}: {} connections came to nothing, {} were refused before{}",
            penalty.source,
            penalty.faults,
            penalty.refused,
            and_left_out(left_out, "penalties")
        );
        let event = Event::new(Happening::AddressPenalised, who, About::default());
        let event = event.with_until(now.after(penalty.lasts)).with_note(&note);
        self.note("record a penalty", now, event)
    }

    /// Puts on record that a known credential was shown outside an allow list: once an hour for each account and
    /// source, at most `limits.max_stranger_events_per_hour`; those left out are counted in the next.
    pub(super) fn note_outsider(&self, outsider: &Outsider, now: Moment) -> Result<(), Failure> {
        let who = outsider.caller.who();
        let key = (outsider.caller.login.clone(), Network::source_of(outsider.caller.address));
        let most = self.settings.max_stranger_events;
        let Some(left_out) = locked(&self.strangers.outsiders).take_once(key, now, most) else { return Ok(()) };
        let note = format!(
            "the address is outside the allow list of the {}{}{}",
            outsider.list_of,
            if outsider.is_proven { "" } else { "; the key was named, not proven" },
            and_left_out(left_out, "refusals")
        );
        let about = About { organisation: who.organisation.clone(), login: who.login.clone(), ..About::default() };
        let event = Event::new(Happening::SignInRefused, who, about).with_note(&note);
        self.note("record a refused sign-in", now, event)
    }

    fn note(&self, doing: &'static str, now: Moment, event: Event) -> Result<(), Failure> {
        let rule =
            move |_: &dyn crate::ports::catalog::CatalogView| Ok(Decision::new(now, event).leaving_access_as_it_is());
        self.catalog.decide_later(doing, Box::new(rule))
    }
}

fn and_left_out(count: u64, what: &str) -> String {
    if count == 0 { String::new() } else { format!("; {count} {what} before it are not on record") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Moment {
        Moment::from_millis(seconds * 1_000)
    }

    #[test]
    fn within_any_hour_there_are_no_more_than_allowed_and_the_next_counts_the_rest() {
        let mut recent = Recent::default();
        assert_eq!(recent.take(1, at(0), 2), Some(0));
        assert_eq!(recent.take(1, at(1_800), 2), Some(0));
        for second in 1_801..3_600 {
            assert_eq!(recent.take(second, at(second), 2), None);
        }
        assert_eq!(recent.take(1, at(3_600), 2), Some(1_799));
        assert_eq!(recent.take(1, at(3_601), 2), None);
        assert_eq!(recent.take(1, at(5_400), 2), Some(1));
        assert_eq!(recent.noted.len(), 2);
    }

    #[test]
    fn the_same_comes_once_in_an_hour() {
        let mut recent = Recent::default();
        assert_eq!(recent.take_once("a", at(0), 2), Some(0));
        assert_eq!(recent.take_once("a", at(3_599), 2), None);
        assert_eq!(recent.take_once("b", at(3_599), 2), Some(0));
        assert_eq!(recent.take_once("a", at(3_600), 2), Some(0), "what was once on record is not left out");
        assert_eq!(recent.take_once("c", at(3_601), 2), None);
        assert_eq!(recent.take_once("c", at(7_199), 2), Some(1));
    }
}

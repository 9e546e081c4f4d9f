//! Interrupting access for everybody, on a channel or on all, at once or announced
//! (J1, J2). Each begin and end is on record; windows wait meanwhile.

use std::sync::{Arc, Mutex};

use super::pause_windows::{begin_pause, end_pause};
use super::tell_interruptions::{begin_mailing, end_mailing};
use super::texts::Tongue;
use super::{Failure, Officer, Operations, locked};
use crate::domain::decision::Decision;
use crate::domain::history::{About, Channel, Event, Happening, Who};
use crate::domain::ids::{InterruptionId, PauseId};
use crate::domain::interruption::{Interruption, Reach};
use crate::domain::moment::Moment;
use crate::domain::names::Line;
use crate::domain::record::Row as _;
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::Act;
use crate::ports::catalog::CatalogView;

/// So many interruptions may be announced or run at once.
const MOST_INTERRUPTIONS: usize = 100;

/// Who is shut out is asked to come back no sooner, and so soon when the end is not known: 5 minutes.
const LEAST_WAIT_SECONDS: u64 = 60;
const UNKNOWN_WAIT_SECONDS: u64 = 300;

/// An interruption that the operator asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewInterruption {
    /// Which doors it closes.
    pub reach: Reach,
    /// What it is, as users read it.
    pub nature: Line,
    /// From when; at once when `None`.
    pub from: Option<Moment>,
    /// When it is expected to end.
    pub until: Moment,
    /// Whether every administrator gets an e-mail about it (M21).
    pub tells_administrators: bool,
}

/// What users are told of an interruption that runs or is announced: nature and expected duration (J2).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Closure {
    nature: String,
    /// From when, while it is only announced, such as `2026-12-01 18:00`.
    from: Option<String>,
    /// Until when, such as `2026-12-01 20:00`; `None` when that has passed.
    until: Option<String>,
    seconds: u64,
}

impl Closure {
    /// The sentence in one language.
    #[must_use]
    pub fn sentence(&self, tongue: Tongue) -> String {
        let nature = &self.nature;
        match (tongue, &self.from, &self.until) {
            (Tongue::Dutch, None, Some(until)) => {
                format!("De toegang is onderbroken: {nature}. Verwacht einde: {until}.")
            }
            (Tongue::Dutch, None, None) => {
                format!("De toegang is onderbroken: {nature}. Het duurt langer dan verwacht.")
            }
            (Tongue::Dutch, Some(from), until) => {
                let until = until.as_deref().unwrap_or("?");
                format!("Van {from} tot {until} is er geen toegang: {nature}.")
            }
            (Tongue::English, None, Some(until)) => {
                format!("Access is interrupted: {nature}. Expected end: {until}.")
            }
            (Tongue::English, None, None) => {
                format!("Access is interrupted: {nature}. It takes longer than expected.")
            }
            (Tongue::English, Some(from), until) => {
                let until = until.as_deref().unwrap_or("?");
                format!("From {from} to {until} there is no access: {nature}.")
            }
        }
    }

    /// The sentence in both languages.
    #[must_use]
    pub fn in_both(&self) -> String {
        format!("{} {}", self.sentence(Tongue::English), self.sentence(Tongue::Dutch))
    }

    /// After so many seconds who is shut out may try again (`Retry-After`).
    #[must_use]
    pub const fn seconds(&self) -> u64 {
        self.seconds
    }

    /// What who comes by now is told.
    #[must_use]
    pub fn refusal(&self) -> Refusal {
        Refusal::Interrupted { sentence: self.in_both(), seconds: self.seconds }
    }
}

/// The interruptions as of a version of the catalog: every request asks for them.
#[derive(Default)]
pub(super) struct KnownClosures {
    kept: Mutex<Option<(u64, Arc<[Interruption]>)>>,
}

impl Operations {
    /// Interrupts access, at once or announced. It goes on until it is ended.
    ///
    /// # Errors
    /// `BadRequest` when it would end before it begins, `TooMuch` with too many at once.
    pub fn start_interruption(&self, new: NewInterruption, by: impl Into<Officer>) -> Result<Interruption, Failure> {
        let who = self.acting(by, Act::Administer)?;
        let now = self.now();
        let from = new.from.unwrap_or(now).max(now);
        if new.until <= from {
            let until = new.until;
            return Err(Refusal::BadRequest(format!("{until} is not after its begin {from}; give a later end")).into());
        }
        let pause = PauseId::from_random(self.entropy.sixteen());
        let interruption = Interruption {
            id: InterruptionId::from_random(self.entropy.sixteen()),
            reach: new.reach,
            nature: new.nature,
            from,
            until: new.until,
            pause: (from <= now).then_some(pause),
        };
        let row = interruption.clone();
        self.catalog.decide(Box::new(move |view| {
            if all(view)?.len() >= MOST_INTERRUPTIONS {
                return Err(Refusal::TooMuch(format!(
                    "{MOST_INTERRUPTIONS} interruptions are announced or run; end one first"
                ))
                .into());
            }
            let decision = if row.pause.is_none() {
                Decision::new(now, told(Happening::InterruptionAnnounced, who, &row))
            } else {
                let event = told(Happening::InterruptionBegun, who, &row);
                begin_pause(Decision::new(now, event), pause, None, now, None)
            };
            Ok(if new.tells_administrators { begin_mailing(decision, &row) } else { decision }.put(row))
        }))?;
        Ok(interruption)
    }

    /// Ends an interruption or calls off one that was announced; without an id, those that run.
    ///
    /// # Errors
    /// `NotFound` for an unknown id, `WrongState` when none runs.
    pub fn end_interruption(
        &self,
        id: Option<InterruptionId>,
        by: impl Into<Officer>,
    ) -> Result<Vec<Interruption>, Failure> {
        let who = self.acting(by, Act::Administer)?;
        let now = self.now();
        let ending = self.interruptions()?.into_iter().filter(|row| match id {
            Some(id) => row.id == id,
            None => row.pause.is_some(),
        });
        let ending: Vec<Interruption> = ending.collect();
        if ending.is_empty() {
            return Err(match id {
                Some(_) => Refusal::NotFound(What::Interruption),
                None => Refusal::WrongState("no interruption runs; give the id of an announced one".to_owned()),
            }
            .into());
        }
        for Interruption { id, .. } in &ending {
            let (id, who) = (*id, who.clone());
            self.catalog.decide(Box::new(move |view| {
                let row = view.row::<Interruption>(&Interruption::key_of(id))?;
                let row = row.ok_or(Refusal::NotFound(What::Interruption))?;
                let event = told(Happening::InterruptionEnded, who, &row);
                let decision = Decision::new(now, event).remove(Interruption::key_of(id));
                let decision = end_mailing(view, decision, &row, now)?;
                match row.pause {
                    Some(pause) => end_pause(view, decision, pause, now),
                    None => Ok(decision),
                }
            }))?;
        }
        Ok(ending)
    }

    /// The interruptions that are announced or run.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn interruptions(&self) -> Result<Vec<Interruption>, Failure> {
        let mut rows = self.catalog.look(|view| all(view))?;
        rows.sort_by_key(|row| (row.from, row.id));
        Ok(rows)
    }

    /// Puts the begin of announced interruptions on record whose time has come. Returns how many.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn begin_due_interruptions(&self) -> Result<usize, Failure> {
        let now = self.now();
        let due: Vec<InterruptionId> = self
            .known_interruptions()?
            .iter()
            .filter(|row| row.pause.is_none() && row.from <= now)
            .map(|row| row.id)
            .collect();
        for id in &due {
            let (id, pause) = (*id, PauseId::from_random(self.entropy.sixteen()));
            let begun = self.catalog.decide(Box::new(move |view| {
                let row = view.row::<Interruption>(&Interruption::key_of(id))?.filter(|row| row.pause.is_none());
                let mut row = row.ok_or(Refusal::NotFound(What::Interruption))?;
                let event = told(Happening::InterruptionBegun, Who::system(), &row);
                row.pause = Some(pause);
                Ok(begin_pause(Decision::new(now, event), pause, None, row.from, None).put(row))
            }));
            match begun {
                // called off at the same time
                Ok(_) | Err(Failure::Refused(_)) => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(due.len())
    }

    /// What who comes in by this channel is told now instead of being served; `None` while the door is open.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn closure(&self, channel: Channel) -> Result<Option<Closure>, Failure> {
        let now = self.now();
        let known = self.known_interruptions()?;
        let closing = known.iter().filter(|row| row.closes(channel, now)).max_by_key(|row| row.until);
        Ok(closing.map(|row| self.told_of(row, now)))
    }

    /// What is announced for this channel, the next one first.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn announced_closures(&self, channel: Channel) -> Result<Vec<Closure>, Failure> {
        let now = self.now();
        let known = self.known_interruptions()?;
        let mut rows: Vec<_> = known.iter().filter(|row| row.from > now && row.reach.covers(channel)).collect();
        rows.sort_by_key(|row| row.from);
        Ok(rows.into_iter().map(|row| self.told_of(row, now)).collect())
    }

    fn told_of(&self, row: &Interruption, now: Moment) -> Closure {
        let in_words = |at: Moment| format!("{} {}", self.clock.date_of(at), self.clock.time_of(at));
        let is_known = row.until > now;
        Closure {
            nature: row.nature.as_str().trim_end_matches('.').to_owned(),
            from: (row.from > now).then(|| in_words(row.from)),
            until: is_known.then(|| in_words(row.until)),
            seconds: if is_known {
                row.until.since(now).millis().div_ceil(1_000).max(LEAST_WAIT_SECONDS)
            } else {
                UNKNOWN_WAIT_SECONDS
            },
        }
    }

    fn known_interruptions(&self) -> Result<Arc<[Interruption]>, Failure> {
        // before the rows: what changes after it makes another version
        let version = self.catalog.version();
        if let Some((at, rows)) = &*locked(&self.closures.kept)
            && *at == version
        {
            return Ok(Arc::clone(rows));
        }
        let rows: Arc<[Interruption]> = self.catalog.look(|view| all(view))?.into();
        *locked(&self.closures.kept) = Some((version, Arc::clone(&rows)));
        Ok(rows)
    }
}

/// Whether this channel is closed at `now`.
pub(super) fn is_closed(view: &dyn CatalogView, channel: Channel, now: Moment) -> Result<bool, Failure> {
    Ok(all(view)?.iter().any(|row| row.closes(channel, now)))
}

fn all(view: &dyn CatalogView) -> Result<Vec<Interruption>, Failure> {
    Ok(view.rows(&Interruption::all(), None, MOST_INTERRUPTIONS)?)
}

fn told(what: Happening, who: Who, row: &Interruption) -> Event {
    let note = format!("{}: {}", row.reach.word(), row.nature);
    Event::new(what, who, About::default()).with_until(row.until).with_note(&note)
}

//! Blocking, unblocking and ending organisations and accounts (J5–J8). Takes
//! effect at the next request of everybody concerned.

use super::manage_accounts::{account_of, event};
use super::manage_organisations::organisation_of;
use super::office::role_of;
use super::pause_windows::{end_pause_of, pause_for_block};
use super::{Failure, Officer, Operations};
use crate::domain::block::{Access, Block, EndReason, Standing};
use crate::domain::decision::Decision;
use crate::domain::history::{About, Event, Happening};
use crate::domain::ids::PauseId;
use crate::domain::moment::Moment;
use crate::domain::names::{Line, LoginName, OrganisationCode};
use crate::domain::refusal::Refusal;
use crate::domain::rights::{Act, Ground};

/// A change of standing that the operator asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StandingChange {
    /// Block, with a reason, until a moment or without end.
    Block {
        /// Why.
        reason: Line,
        /// Until when.
        until: Option<Moment>,
    },
    /// Lift the block.
    Unblock,
    /// End for good.
    End {
        /// Why, when it is the operator's step (J7).
        reason: Option<EndReason>,
        /// What led to it, for the history.
        note: Option<Line>,
    },
}

impl StandingChange {
    /// What is asked of `permits`: blocking is for who watches too; what gives somebody of the office their access
    /// back, or ends it, is for who says who works there.
    const fn act(&self, is_of_office: bool) -> Act {
        match self {
            Self::Block { .. } => Act::Block,
            Self::Unblock | Self::End { .. } if is_of_office => Act::ManageOffice,
            Self::Unblock | Self::End { .. } => Act::Administer,
        }
    }
}

impl Operations {
    /// Changes the standing of an organisation: all its accounts follow at once. While it is blocked, the windows of
    /// its deliveries wait.
    ///
    /// # Errors
    /// `NotFound`; `WrongState` when it has ended or is not blocked.
    pub fn change_organisation_standing(
        &self,
        code: &OrganisationCode,
        change: StandingChange,
        by: impl Into<Officer>,
    ) -> Result<(), Failure> {
        let who = self.acting(by, change.act(false))?;
        let (now, code) = (self.now(), code.clone());
        let fresh = PauseId::from_random(self.entropy.sixteen());
        self.catalog.decide(Box::new(move |view| {
            let mut row = organisation_of(view, &code)?;
            let what = match &change {
                StandingChange::Block { .. } => Happening::OrganisationBlocked,
                StandingChange::Unblock => Happening::OrganisationUnblocked,
                StandingChange::End { .. } => Happening::OrganisationEnded,
            };
            let about = About { organisation: Some(code.clone()), ..About::default() };
            let event = detailed(Event::new(what, who, about), &change);
            row.standing = changed(&row.standing, change, now)?;
            let decision = Decision::new(now, event);
            let decision = match &row.standing {
                Standing::Blocked(block) => pause_for_block(view, decision, &code, (fresh, now, block.until))?,
                Standing::Active | Standing::Ended { .. } => end_pause_of(view, decision, &code, now)?,
            };
            Ok(decision.put(row))
        }))?;
        Ok(())
    }

    /// Changes the standing of an account.
    ///
    /// # Errors
    /// `NotFound`; `WrongState` when it has ended or is not blocked.
    pub fn change_account_standing(
        &self,
        login: &LoginName,
        change: StandingChange,
        by: impl Into<Officer>,
    ) -> Result<(), Failure> {
        let (now, login, by) = (self.now(), login.clone(), by.into());
        self.catalog.decide(Box::new(move |view| {
            by.may(view, change.act(role_of(view, &login)?.is_some()), Ground::None, now)?;
            let mut row = account_of(view, &login)?;
            let what = match &change {
                StandingChange::Block { .. } => Happening::AccountBlocked,
                StandingChange::Unblock => Happening::AccountUnblocked,
                StandingChange::End { .. } => Happening::AccountEnded,
            };
            let event = detailed(event(what, &row, by.who()), &change);
            row.standing = changed(&row.standing, change, now)?;
            Ok(Decision::new(now, event).put(row))
        }))?;
        Ok(())
    }
}

pub(super) fn detailed(event: Event, change: &StandingChange) -> Event {
    match change {
        StandingChange::Block { reason, until } => {
            let event = event.with_note(reason.as_str());
            until.map_or_else(|| event.clone(), |until| event.clone().with_until(until))
        }
        StandingChange::End { reason, note } => {
            let words = [reason.map(EndReason::word), note.as_ref().map(Line::as_str)];
            let words: Vec<&str> = words.into_iter().flatten().collect();
            if words.is_empty() { event } else { event.with_note(&words.join("; ")) }
        }
        StandingChange::Unblock => event,
    }
}

pub(super) fn changed(standing: &Standing, change: StandingChange, now: Moment) -> Result<Standing, Refusal> {
    match (standing.at(now), change) {
        (Access::Ended, _) => Err(Refusal::WrongState("it has ended already".to_owned())),
        (_, StandingChange::End { reason, .. }) => Ok(Standing::Ended { at: now, reason }),
        (_, StandingChange::Block { until: Some(until), .. }) if until <= now => {
            Err(Refusal::BadRequest(format!("the end of the block {until} has passed; give a later one")))
        }
        (_, StandingChange::Block { reason, until }) => Ok(Standing::Blocked(Block { reason, since: now, until })),
        (Access::Blocked, StandingChange::Unblock) => Ok(Standing::Active),
        (Access::Open, StandingChange::Unblock) => Err(Refusal::WrongState("it is not blocked".to_owned())),
    }
}

//! Blocking, unblocking and ending organisations and accounts (J5–J8). Takes
//! effect at the next request of everybody concerned.

use std::sync::Arc;

use super::manage_accounts::{account_of, event, tokens_of};
use super::manage_organisations::organisation_of;
use super::office::role_of;
use super::pause_windows::{end_pause_of, pause_for_block};
use super::tell_access::{AccessChange, Telling, tell_of_account, tell_of_organisation};
use super::{Failure, Officer, Operations};
use crate::domain::account::{Account, SshKey, Token};
use crate::domain::block::{Access, Block, EndReason, Standing};
use crate::domain::credentials::{AccountLink, Credentials};
use crate::domain::decision::Decision;
use crate::domain::history::{About, Event, Happening, Who};
use crate::domain::ids::PauseId;
use crate::domain::moment::Moment;
use crate::domain::names::{Line, LoginName, OrganisationCode};
use crate::domain::refusal::Refusal;
use crate::domain::rights::{Act, Ground};
use crate::ports::catalog::CatalogView;

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
        self.change_organisation_standing_telling(code, change, Telling::default(), by)
    }

    /// The same, saying whom to tell (M20): its administrators, who are shut out with it, only if so asked.
    ///
    /// # Errors
    /// As `change_organisation_standing`.
    pub fn change_organisation_standing_telling(
        &self,
        code: &OrganisationCode,
        change: StandingChange,
        telling: Telling,
        by: impl Into<Officer>,
    ) -> Result<(), Failure> {
        let who = self.acting(by, change.act(false))?;
        let (now, code, post) = (self.now(), code.clone(), Arc::clone(&self.post));
        let occasion = self.occasion(now);
        let fresh = PauseId::from_random(self.entropy.sixteen());
        self.catalog.decide(Box::new(move |view| {
            let mut row = organisation_of(view, &code)?;
            let what = match &change {
                StandingChange::Block { .. } => Happening::OrganisationBlocked,
                StandingChange::Unblock => Happening::OrganisationUnblocked,
                StandingChange::End { .. } => Happening::OrganisationEnded,
            };
            let about = About { organisation: Some(code.clone()), ..About::default() };
            let event = detailed(Event::new(what, who, about), &change, telling);
            let told = AccessChange::of_standing(&change, telling);
            row.standing = changed(&row.standing, change, now)?;
            let decision = Decision::new(now, event);
            let decision = match &row.standing {
                Standing::Blocked(block) => pause_for_block(view, decision, &code, (fresh, now, block.until))?,
                Standing::Active | Standing::Ended { .. } => end_pause_of(view, decision, &code, now)?,
            };
            Ok(tell_of_organisation(view, &post, decision, &row, (told, telling), occasion)?.put(row))
        }))?;
        Ok(())
    }

    /// Changes the standing of an account. The administrators of its organisation are told (M20).
    ///
    /// # Errors
    /// `NotFound`; `WrongState` when it has ended or is not blocked.
    pub fn change_account_standing(
        &self,
        login: &LoginName,
        change: StandingChange,
        by: impl Into<Officer>,
    ) -> Result<(), Failure> {
        self.change_account_standing_telling(login, change, Telling::default(), by)
    }

    /// The same, saying whom else to tell. An end takes with it, in the same decision, what the account could come in
    /// by: its keys and tokens are revoked, and its link closes (J4).
    ///
    /// # Errors
    /// As `change_account_standing`.
    pub fn change_account_standing_telling(
        &self,
        login: &LoginName,
        change: StandingChange,
        telling: Telling,
        by: impl Into<Officer>,
    ) -> Result<(), Failure> {
        let (now, login, by, post) = (self.now(), login.clone(), by.into(), Arc::clone(&self.post));
        let occasion = self.occasion(now);
        self.catalog.decide(Box::new(move |view| {
            by.may(view, change.act(role_of(view, &login)?.is_some()), Ground::None, now)?;
            let mut row = account_of(view, &login)?;
            let what = match &change {
                StandingChange::Block { .. } => Happening::AccountBlocked,
                StandingChange::Unblock => Happening::AccountUnblocked,
                StandingChange::End { .. } => Happening::AccountEnded,
            };
            let event = detailed(event(what, &row, by.who()), &change, telling);
            let told = AccessChange::of_standing(&change, telling);
            row.standing = changed(&row.standing, change, now)?;
            let mut decision = Decision::new(now, event);
            if matches!(row.standing, Standing::Ended { .. }) {
                decision = with_what_it_came_in_by(view, decision, &row, &by.who(), now)?;
            }
            Ok(tell_of_account(view, &post, decision, &row, (told, telling), occasion)?.put(row))
        }))?;
        Ok(())
    }
}

/// The decision with the end of keys, tokens and the link of an account that ends.
pub(super) fn with_what_it_came_in_by(
    view: &dyn CatalogView,
    mut decision: Decision,
    account: &Account,
    who: &Who,
    now: Moment,
) -> Result<Decision, Failure> {
    for key in view.rows::<SshKey>(&SshKey::keys_of(&account.login), None, MOST_KEYS)? {
        if key.revoked_at.is_none() {
            let revoked = event(Happening::KeyRevoked, account, who.clone()).with_note(&key.fingerprint);
            decision = decision.and(revoked).put(SshKey { revoked_at: Some(now), ..key });
        }
    }
    for token in tokens_of(view, &account.login)? {
        if token.revoked_at.is_none() {
            let revoked = event(Happening::TokenRevoked, account, who.clone()).with_note(&token.id.to_string());
            decision = decision.and(revoked).put(Token { revoked_at: Some(now), ..token });
        }
    }
    if let Some(mut credentials) = view.row::<Credentials>(&Credentials::key_of(&account.login))?
        && let Some(link) = credentials.link.take()
    {
        decision = decision.put(credentials).remove(AccountLink::key_of(link));
    }
    Ok(decision)
}

/// One account has at most so many keys that are looked at.
const MOST_KEYS: usize = 1_000;

pub(super) fn detailed(event: Event, change: &StandingChange, telling: Telling) -> Event {
    match change {
        StandingChange::Block { reason, until } => {
            let code = telling.reason.map(|code| format!("{}; ", code.word())).unwrap_or_default();
            let event = event.with_note(&format!("{code}{reason}"));
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

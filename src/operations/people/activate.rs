//! The link in an e-mail: activate an account (B14, B15) or choose a new password. Looking
//! changes nothing (A12); the link closes when everything was chosen.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::super::office::door_of;
use super::super::sign_in::may_enter;
use super::super::{Officer, Visitor};
use super::own_credentials::told_of_change;
use super::sign_in::PasswordAccepted;
use super::{APP_SECRET, Failure, Operations, credentials_of, ends, event, person_of};
use crate::domain::credentials::{
    ACTIVATION_DAYS, AccountLink, CodeApp, Credentials, LinkPurpose, MOST_CODE_APPS, PasswordHash,
};
use crate::domain::decision::Decision;
use crate::domain::history::Happening;
use crate::domain::ids::{FactorId, LinkId};
use crate::domain::moment::{Moment, Span};
use crate::domain::names::LoginName;
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::Act;
use crate::domain::sign_in_record::{CredentialChange, SessionEnd};
use crate::ports::one_time_codes::Enrolment;

/// A link for a new password lasts so long.
pub(super) const NEW_PASSWORD_LASTS: Span = Span::from_seconds(3_600);

/// Whom a link is for, as far as its holder may know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LinkOffer {
    /// The account.
    pub login: LoginName,
    /// What it is for.
    pub purpose: LinkPurpose,
    /// Until when it can be used.
    pub until: Moment,
}

/// How far an activation came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Activation {
    /// The password is chosen; now the app has to show a code.
    AddApp {
        /// The app to confirm.
        app: FactorId,
        /// What the app is to read.
        enrolment: Enrolment,
    },
    /// Everything is chosen and the link is closed. The codes are shown this once.
    Complete {
        /// Each opens the account once, with the password.
        recovery_codes: Vec<String>,
    },
    /// The new password is set and the link is closed; what signs in now is the second factor, which stayed as it
    /// was: the link alone opens nothing.
    PasswordSet {
        /// What to show with the second factor; none when too many are signing in.
        pending: Option<PasswordAccepted>,
    },
}

impl Operations {
    /// Makes the link with which a person's account is activated, or its password chosen anew; an earlier link
    /// closes. Returns its address: a secret, to be shown or sent, not kept.
    ///
    /// # Errors
    /// `NotFound` when there is no such account of a person.
    pub fn make_account_link(&self, login: &LoginName, by: impl Into<Officer>) -> Result<String, Failure> {
        let who = self.acting(by, Act::Administer)?;
        let id = LinkId::from_random(self.entropy.sixteen());
        let (now, login) = (self.now(), login.clone());
        let door = self.catalog.look(|view| door_of(view, &login))?;
        self.catalog.decide(Box::new(move |view| {
            let account = person_of(view, &login)?.ok_or(Refusal::NotFound(What::Account))?;
            let mut row = credentials_of(view, &login)?;
            let (purpose, until) = if row.are_complete() {
                (LinkPurpose::NewPassword, ends(now, NEW_PASSWORD_LASTS))
            } else {
                (LinkPurpose::Activate, ends(now, Span::from_days(ACTIVATION_DAYS)))
            };
            let link = AccountLink { id, login: login.clone(), purpose, until };
            let before = row.link.replace(id);
            let event = event(Happening::AccountLinkMade, who, &account).with_until(until);
            let decision = Decision::new(now, event).put(row).put(link);
            Ok(before.into_iter().fold(decision, |decision, id| decision.remove(AccountLink::key_of(id))))
        }))?;
        self.account_address(id, door)
    }

    /// What a link is for. Changes nothing.
    ///
    /// # Errors
    /// `LinkClosed`, whatever is wrong with it.
    pub fn look_at_link(&self, code: &str) -> Result<LinkOffer, Failure> {
        let (row, link) = self.opened_by(code)?;
        Ok(LinkOffer { login: row.login, purpose: link.purpose, until: link.until })
    }

    /// Chooses the password. An account that has its second factor is done, and its other sessions end; another one
    /// gets an app to add.
    ///
    /// # Errors
    /// `LinkClosed`; `WeakPassword`; a fault of the store.
    pub fn choose_password(&self, code: &str, password: &str, visitor: &Visitor) -> Result<Activation, Failure> {
        let (row, link) = self.opened_by(code)?;
        self.judge_password(&row.login, password)?;
        let login = row.login.clone();
        let phc = self.passwords.hash(password)?;
        let app = FactorId::from_random(self.entropy.sixteen());
        let (now, who) = (self.now(), self.visitor_as(&login, visitor)?);
        let activates = link.purpose == LinkPurpose::Activate;
        let spent = AccountLink::key_of(link.id);
        let (post, address) = (Arc::clone(&self.post), visitor.address);
        self.catalog.decide(Box::new(move |view| {
            let account = person_of(view, &login)?.ok_or(Refusal::LinkClosed)?;
            let mut row = credentials_of(view, &login)?;
            refuse_closed(&row, &link, now)?;
            row.password = Some(PasswordHash { phc, set_at: now });
            if activates {
                // what an earlier visit began and did not finish is begun anew
                row.code_apps = vec![CodeApp { id: app, added_at: now, confirmed_at: None, last_step: 0 }];
            } else {
                row.link = None;
            }
            let decision = Decision::new(now, event(Happening::PasswordSet, who, &account)).put(row);
            if activates {
                return Ok(decision);
            }
            let change = CredentialChange::PasswordByLink;
            Ok(told_of_change(&post, decision, &account, change, address, now)?.remove(spent))
        }))?;
        if !activates {
            self.forget_pending(&row.login);
            self.end_sessions_of(&row.login, None, SessionEnd::PasswordChanged)?;
            let door = self.catalog.look(|view| door_of(view, &row.login))?;
            let pending = match self.await_second_factor(door, row.login, now) {
                Ok(pending) => Some(pending),
                Err(Failure::Refused(_)) => None,
                Err(fault) => return Err(fault),
            };
            return Ok(Activation::PasswordSet { pending });
        }
        Ok(Activation::AddApp { app, enrolment: self.enrolment_of(&row.login, app)? })
    }

    /// The app that an activation waits for, to be shown again.
    ///
    /// # Errors
    /// `LinkClosed`; `WrongState` when no password was chosen yet.
    pub fn app_to_add(&self, code: &str) -> Result<Activation, Failure> {
        let (row, _) = self.activated_by(code)?;
        let app = waiting_app(&row).ok_or_else(no_password_yet)?.id;
        Ok(Activation::AddApp { app, enrolment: self.enrolment_of(&row.login, app)? })
    }

    /// Confirms the app by a code that it shows: the account is activated and its link closed.
    ///
    /// # Errors
    /// `LinkClosed`; `WrongState` when no password was chosen yet; `WrongCode`; `TriedTooOften`.
    pub fn confirm_app(&self, code: &str, shown: &str, visitor: &Visitor) -> Result<Activation, Failure> {
        let (row, link) = self.activated_by(code)?;
        let app = waiting_app(&row).ok_or_else(no_password_yet)?.id;
        let now = self.now();
        let attempt = super::attempts::Attempt { login: &row.login, address: visitor.address, is_known_source: false };
        self.attempts.may_try(&attempt, self.settings.people.attempts, now)?;
        let secret = self.app_secret(app)?;
        let Some(step) = self.codes.step_of(&secret, shown, now, 0) else {
            self.attempts.failed(&attempt, now);
            return Err(Refusal::WrongCode.into());
        };
        let (recovery_codes, digests) = self.new_recovery_codes();
        let (login, who) = (row.login.clone(), self.visitor_as(&row.login, visitor)?);
        self.catalog.decide(Box::new(move |view| {
            let account = person_of(view, &login)?.ok_or(Refusal::LinkClosed)?;
            let mut row = credentials_of(view, &login)?;
            refuse_closed(&row, &link, now)?;
            let waiting = row.code_apps.iter_mut().find(|known| known.id == app).ok_or(Refusal::LinkClosed)?;
            (waiting.confirmed_at, waiting.last_step) = (Some(now), step);
            row.code_apps.truncate(MOST_CODE_APPS);
            (row.recovery_codes, row.link) = (digests, None);
            Ok(Decision::new(now, event(Happening::SecondFactorAdded, who.clone(), &account))
                .and(event(Happening::RecoveryCodesMade, who, &account))
                .put(row)
                .remove(AccountLink::key_of(link.id)))
        }))?;
        Ok(Activation::Complete { recovery_codes })
    }

    /// The row that a link opens now, and the link.
    fn opened_by(&self, code: &str) -> Result<(Credentials, AccountLink), Failure> {
        let id = self.link_in(code)?;
        let now = self.now();
        self.catalog.look(|view| {
            let link = view.row::<AccountLink>(&AccountLink::key_of(id))?.ok_or(Refusal::LinkClosed)?;
            let row = credentials_of(view, &link.login)?;
            refuse_closed(&row, &link, now)?;
            // one that was blocked or has ended meanwhile, or whose organisation was, is not activated
            let account = person_of(view, &link.login)?.ok_or(Refusal::LinkClosed)?;
            if may_enter(view, &account, now)?.is_ok() { Ok((row, link)) } else { Err(Refusal::LinkClosed.into()) }
        })
    }

    /// The same, for a link that activates: one for a new password never leads to a second factor.
    fn activated_by(&self, code: &str) -> Result<(Credentials, AccountLink), Failure> {
        let (row, link) = self.opened_by(code)?;
        match link.purpose {
            LinkPurpose::Activate => Ok((row, link)),
            LinkPurpose::NewPassword => Err(Refusal::LinkClosed.into()),
        }
    }

    pub(super) fn app_secret(&self, app: FactorId) -> Result<Zeroizing<[u8; 20]>, Failure> {
        let derived = Zeroizing::new(self.secrets.derive(APP_SECRET, app.as_bytes())?);
        let mut secret = Zeroizing::new([0; 20]);
        secret.iter_mut().zip(derived.iter()).for_each(|(to, from)| *to = *from);
        Ok(secret)
    }

    pub(super) fn enrolment_of(&self, login: &LoginName, app: FactorId) -> Result<Enrolment, Failure> {
        let secret = self.app_secret(app)?;
        Ok(self.codes.enrolment(&secret, &self.settings.sender.portal, login.as_str())?)
    }
}

fn refuse_closed(row: &Credentials, link: &AccountLink, now: Moment) -> Result<(), Refusal> {
    if row.are_opened_by(link, now) { Ok(()) } else { Err(Refusal::LinkClosed) }
}

fn waiting_app(row: &Credentials) -> Option<&CodeApp> {
    row.password.as_ref()?;
    row.code_apps.iter().find(|app| app.confirmed_at.is_none())
}

fn no_password_yet() -> Failure {
    Refusal::WrongState("no password was chosen yet".to_owned()).into()
}

//! What a person changes of what they sign in with: password, app, recovery codes. Each change asks
//! for the password again, and is told to its owner by e-mail (M09).

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use super::super::post::{Notice, Post, addressed};
use super::super::send_notices::mail_id;
use super::super::{Visitor, locked};
use super::attempts::Attempt;
use super::own_sign_ins::may_keep;
use super::sign_in::knows;
use super::{Failure, Operations, PortalVisit, credentials_of, event, person_of};
use crate::domain::account::Account;
use crate::domain::credentials::{AccountLink, CodeApp, Credentials, PasswordHash};
use crate::domain::decision::Decision;
use crate::domain::history::Happening;
use crate::domain::ids::{FactorId, SessionId};
use crate::domain::moment::{Moment, Span};
use crate::domain::network::Network;
use crate::domain::notice::{Fact, NoticeKind};
use crate::domain::refusal::Refusal;
use crate::domain::sign_in_record::{CredentialChange, SessionEnd};
use crate::ports::catalog::CatalogView;
use crate::ports::one_time_codes::Enrolment;

/// Between the password and the first code of a new app there may be so much time.
const ENROLMENT_LASTS: Span = Span::from_seconds(600);

/// So many may be adding an app at once; the oldest gives way.
const MOST_ENROLMENTS: usize = 1_000;

/// What somebody signs in with, as they see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnCredentials {
    /// When the password was chosen.
    pub password_set_at: Option<Moment>,
    /// When each app showed its first code.
    pub apps: Vec<Moment>,
    /// Recovery codes that were not used yet.
    pub recovery_codes_left: usize,
}

/// Apps that have not shown their first code, by the session that adds them. In memory: what is not finished was
/// never there.
#[derive(Default)]
pub(in crate::operations) struct Enrolments {
    waiting: Mutex<HashMap<SessionId, (FactorId, Moment)>>,
}

/// A change of what somebody signs in with, and what the history says of it besides.
pub(super) struct Change {
    pub(super) what: CredentialChange,
    pub(super) note: String,
}

impl Change {
    fn by_owner(what: CredentialChange) -> Self {
        Self { what, note: "by the person".to_owned() }
    }
}

impl Operations {
    /// What one signs in with. Tells no secret.
    ///
    /// # Errors
    /// A refusal of `permits`; a fault of the store.
    pub fn own_credentials(&self, visit: &PortalVisit) -> Result<OwnCredentials, Failure> {
        let now = self.now();
        let row = self.catalog.look(|view| {
            may_keep(view, visit, now)?;
            credentials_of(view, &visit.account.login)
        })?;
        Ok(OwnCredentials {
            password_set_at: row.password.as_ref().map(|password| password.set_at),
            apps: row.code_apps.iter().filter_map(|app| app.confirmed_at).collect(),
            recovery_codes_left: row.recovery_codes.len(),
        })
    }

    /// Changes one's password. Sessions elsewhere end, and so does a link for a new one that may be under way.
    ///
    /// # Errors
    /// `NotSignedIn` when the old password is wrong; `WeakPassword`; `TriedTooOften`.
    pub fn change_password(
        &self,
        visit: &PortalVisit,
        current: &str,
        wanted: &str,
        visitor: &Visitor,
    ) -> Result<(), Failure> {
        let shown = self.show_password_again(visit, current, visitor)?;
        self.judge_password(&visit.account.login, wanted)?;
        let phc = self.passwords.hash(wanted)?;
        let change = Change::by_owner(CredentialChange::Password);
        self.change_credentials(visit, visitor, shown, change, move |_, row, decision, now| {
            row.password = Some(PasswordHash { phc, set_at: now });
            Ok(match row.link.take() {
                Some(link) => decision.remove(AccountLink::key_of(link)),
                None => decision,
            })
        })?;
        self.forget_pending(&visit.account.login);
        self.end_sessions_of(&visit.account.login, Some(visit.session), SessionEnd::PasswordChanged)?;
        Ok(())
    }

    /// Begins to replace one's app: it counts once it showed a code. What it is to read is shown this once.
    ///
    /// # Errors
    /// `NotSignedIn` when the password is wrong; `TriedTooOften`.
    pub fn begin_app(&self, visit: &PortalVisit, current: &str, visitor: &Visitor) -> Result<Enrolment, Failure> {
        self.show_password_again(visit, current, visitor)?;
        let (now, app) = (self.now(), FactorId::from_random(self.entropy.sixteen()));
        let mut waiting = locked(&self.enrolments.waiting);
        waiting.retain(|_, (_, since)| now < since.after(ENROLMENT_LASTS));
        if waiting.len() >= MOST_ENROLMENTS
            && let Some(oldest) = waiting.iter().min_by_key(|(_, (_, since))| *since).map(|(session, _)| *session)
        {
            waiting.remove(&oldest);
        }
        waiting.insert(visit.session, (app, now));
        drop(waiting);
        self.enrolment_of(&visit.account.login, app)
    }

    /// The new app shows its first code: it takes the place of the one before, and sessions elsewhere end.
    ///
    /// # Errors
    /// `WrongCode`; `WrongState` when none was begun, or too long ago; `TriedTooOften`.
    pub fn finish_app(&self, visit: &PortalVisit, code: &str, visitor: &Visitor) -> Result<(), Failure> {
        let now = self.now();
        let found = locked(&self.enrolments.waiting).get(&visit.session).copied();
        let found = found.filter(|(_, since)| now < since.after(ENROLMENT_LASTS));
        let (app, added_at) = found.ok_or_else(|| Refusal::WrongState("begin again with the app".to_owned()))?;
        let row = self.catalog.look(|view| credentials_of(view, &visit.account.login))?;
        let attempt = attempt_of(visit, &row, visitor);
        self.attempts.may_try(&attempt, self.settings.people.attempts, now)?;
        let Some(step) = self.codes.step_of(&*self.app_secret(app)?, code, now, 0) else {
            self.attempts.failed(&attempt, now);
            return Err(Refusal::WrongCode.into());
        };
        let shown = row.password.as_ref().map(|password| password.phc.clone()).unwrap_or_default();
        let (account, who) = (visit.account.clone(), visit.caller.who());
        let change = Change::by_owner(CredentialChange::App);
        self.change_credentials(visit, visitor, shown, change, move |_, row, decision, now| {
            let before = row.code_apps.iter().filter(|app| app.confirmed_at.is_some()).count();
            row.code_apps = vec![CodeApp { id: app, added_at, confirmed_at: Some(now), last_step: step }];
            Ok((0..before).fold(decision, |decision, _| {
                decision.and(event(Happening::SecondFactorRemoved, who.clone(), &account))
            }))
        })?;
        locked(&self.enrolments.waiting).remove(&visit.session);
        self.forget_pending(&visit.account.login);
        self.end_sessions_of(&visit.account.login, Some(visit.session), SessionEnd::FactorChanged)?;
        Ok(())
    }

    /// Makes new recovery codes, shown this once; those before count no more.
    ///
    /// # Errors
    /// `NotSignedIn` when the password is wrong; `TriedTooOften`.
    pub fn make_recovery_codes(
        &self,
        visit: &PortalVisit,
        current: &str,
        visitor: &Visitor,
    ) -> Result<Vec<String>, Failure> {
        let shown = self.show_password_again(visit, current, visitor)?;
        let (codes, digests) = self.new_recovery_codes();
        let change = Change::by_owner(CredentialChange::RecoveryCodes);
        self.change_credentials(visit, visitor, shown, change, move |_, row, decision, _| {
            row.recovery_codes = digests;
            Ok(decision)
        })?;
        Ok(codes)
    }

    /// Who is signed in shows the password again, before something is changed that others must not change in an
    /// unwatched browser. Returns the hash that it had.
    pub(super) fn show_password_again(
        &self,
        visit: &PortalVisit,
        password: &str,
        visitor: &Visitor,
    ) -> Result<String, Failure> {
        let now = self.now();
        let row = self.catalog.look(|view| {
            may_keep(view, visit, now)?;
            credentials_of(view, &visit.account.login)
        })?;
        let attempt = attempt_of(visit, &row, visitor);
        self.attempts.may_try(&attempt, self.settings.people.attempts, now)?;
        let phc = row.password.map(|hash| hash.phc);
        match phc {
            Some(phc) if self.passwords.verify(password, Some(&phc))? => {
                self.attempts.succeeded(&attempt);
                Ok(phc)
            }
            _ => {
                self.attempts.failed(&attempt, now);
                Err(Refusal::NotSignedIn.into())
            }
        }
    }

    /// One change of what somebody signs in with, on record and told by e-mail. Refused when the password was
    /// changed since it was shown.
    pub(super) fn change_credentials(
        &self,
        visit: &PortalVisit,
        visitor: &Visitor,
        shown: String,
        change: Change,
        apply: impl FnOnce(&dyn CatalogView, &mut Credentials, Decision, Moment) -> Result<Decision, Failure>
        + Send
        + 'static,
    ) -> Result<(), Failure> {
        let (now, visit, post, address) = (self.now(), visit.clone(), Arc::clone(&self.post), visitor.address);
        self.catalog.decide(Box::new(move |view| {
            let account = changing(view, &visit, now)?;
            let mut row = credentials_of(view, &account.login)?;
            if row.password.as_ref().is_none_or(|password| password.phc != shown) {
                return Err(Refusal::WrongState("the password was changed meanwhile".to_owned()).into());
            }
            let event = event(happening_of(change.what), visit.caller.who(), &account).with_note(&change.note);
            let decision = apply(view, &mut row, Decision::new(now, event), now)?.put(row);
            told_of_change(&post, decision, &account, change.what, address, now)
        }))?;
        Ok(())
    }
}

/// The account of who changes something, if it still may.
fn changing(view: &dyn CatalogView, visit: &PortalVisit, now: Moment) -> Result<Account, Failure> {
    may_keep(view, visit, now)?;
    Ok(person_of(view, &visit.account.login)?.ok_or(Refusal::NotSignedIn)?)
}

fn attempt_of<'a>(visit: &'a PortalVisit, row: &Credentials, visitor: &Visitor) -> Attempt<'a> {
    let is_known_source = knows(row, visitor.address);
    Attempt { login: &visit.account.login, address: visitor.address, is_known_source }
}

const fn happening_of(change: CredentialChange) -> Happening {
    match change {
        CredentialChange::Password | CredentialChange::PasswordByLink => Happening::PasswordSet,
        CredentialChange::App => Happening::SecondFactorAdded,
        CredentialChange::RecoveryCodes => Happening::RecoveryCodesMade,
        CredentialChange::RecoveryCodeUsed => Happening::RecoveryCodeUsed,
        CredentialChange::PasskeyAdded => Happening::PasskeyAdded,
        CredentialChange::PasskeyRemoved => Happening::PasskeyRemoved,
    }
}

/// M09, in the decision that changes something: what, when, and roughly from where.
pub(super) fn told_of_change(
    post: &Post,
    decision: Decision,
    account: &Account,
    change: CredentialChange,
    address: IpAddr,
    now: Moment,
) -> Result<Decision, Failure> {
    let kind = NoticeKind::CredentialsChanged;
    let facts = vec![
        (Fact::Address, account.login.to_string()),
        (Fact::Change, change.word().to_owned()),
        (Fact::At, now.millis().to_string()),
        (Fact::Network, Network::around(address).to_string()),
    ];
    // the same change at the same moment is told once
    let mut about = [0; 16];
    let of = now.millis().to_be_bytes().into_iter().chain(change.word().bytes());
    about.iter_mut().zip(of).for_each(|(to, from)| *to = from);
    let notice = Notice { id: mail_id(kind, &about, account.login.as_str()), kind, delivery: None };
    post.queue(decision, notice, &addressed(account, facts), account.language, now)
}

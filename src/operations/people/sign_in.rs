//! Signing in with password and second factor. A wrong login, a wrong password and an account
//! that is not activated have the same answer after the same work.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest as _, Sha256};

use super::super::note_strangers::Outsider;
use super::super::office::door_of;
use super::super::sign_in::{caller_of, may_enter, outside_of, secret_digest};
use super::super::{Caller, Proof, Visitor, locked};
use super::attempts::Attempt;
use super::own_credentials::told_of_change;
use super::recovery::recovery_digest;
use super::{Failure, Operations, credentials_of, event, person_at, person_of};
use crate::domain::account::Account;
use crate::domain::credentials::{Assurance, Credentials, WebSession};
use crate::domain::decision::Decision;
use crate::domain::digest::Digest;
use crate::domain::history::{Channel, Happening, Who};
use crate::domain::ids::FactorId;
use crate::domain::moment::{Moment, Span};
use crate::domain::names::LoginName;
use crate::domain::network::Network;
use crate::domain::passkey::Passkey;
use crate::domain::refusal::Refusal;
use crate::domain::sign_in_record::{CredentialChange, SessionEnd, SignInPlace};
use crate::ports::catalog::CatalogView;
use crate::ports::passkeys::Ceremony;

/// Between password and code there may be so much time.
const PENDING_LASTS: Span = Span::from_seconds(300);

/// So many may stand between password and code.
const MOST_PENDING: usize = 4_096;

/// Those whose password was right and who have not shown a code yet, by the digest of their secret.
#[derive(Default)]
pub(in crate::operations) struct Pending {
    waiting: Mutex<HashMap<Digest, Waiting>>,
}

#[derive(Clone)]
struct Waiting {
    door: Channel,
    login: LoginName,
    until: Moment,
    /// What a passkey was asked for last; an answer takes it.
    ceremony: Option<Arc<Ceremony>>,
}

/// The password was right: what to show with the code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PasswordAccepted {
    /// The secret that names this sign-in; worthless without a code.
    pub secret: String,
}

impl Operations {
    /// Checks a password. No session begins.
    ///
    /// # Errors
    /// `NotSignedIn`, whatever was wrong; `TriedTooOften`, whether there is such an account or not.
    pub fn check_password(&self, login: &str, password: &str, visitor: &Visitor) -> Result<PasswordAccepted, Failure> {
        self.check_password_at(Channel::Portal, login, password, visitor)
    }

    /// The same at a door: an account of the other one is not there.
    pub(in crate::operations) fn check_password_at(
        &self,
        door: Channel,
        login: &str,
        password: &str,
        visitor: &Visitor,
    ) -> Result<PasswordAccepted, Failure> {
        let now = self.now();
        let parsed = LoginName::parse(login.trim());
        let Ok(login) = parsed else {
            self.passwords.verify(password, None)?;
            return Err(Refusal::NotSignedIn.into());
        };
        let (account, row) = self.catalog.look(|view| {
            let account = person_at(view, &login, door)?;
            Ok((account, credentials_of(view, &login)?))
        })?;
        let attempt =
            Attempt { login: &login, address: visitor.address, is_known_source: knows(&row, visitor.address) };
        self.attempts.may_try(&attempt, self.settings.people.attempts, now)?;
        let hash = row.password.as_ref().filter(|_| account.is_some() && row.are_complete());
        if !self.passwords.verify(password, hash.map(|hash| hash.phc.as_str()))? {
            self.attempts.failed(&attempt, now);
            return Err(Refusal::NotSignedIn.into());
        }
        self.await_second_factor(door, login, now)
    }

    /// The password was right, or was chosen just now: what is missing is the second factor.
    pub(super) fn await_second_factor(
        &self,
        door: Channel,
        login: LoginName,
        now: Moment,
    ) -> Result<PasswordAccepted, Failure> {
        let secret = self.new_secret();
        let mut waiting = locked(&self.pending.waiting);
        waiting.retain(|_, waiting| now < waiting.until);
        if waiting.len() >= MOST_PENDING {
            return Err(Refusal::TriedTooOften { seconds: PENDING_LASTS.millis() / 1_000 }.into());
        }
        waiting
            .insert(secret_digest(&secret), Waiting { door, login, until: now.after(PENDING_LASTS), ceremony: None });
        Ok(PasswordAccepted { secret })
    }

    /// Nobody who showed a password that counts no more goes on to the second factor.
    pub(super) fn forget_pending(&self, login: &LoginName) {
        locked(&self.pending.waiting).retain(|_, waiting| waiting.login != *login);
    }

    /// Shows the second factor: a one-time code or a recovery code. On return the begin of the session is on record
    /// (PV14). Returns the secret of the session, which belongs into a cookie.
    ///
    /// # Errors
    /// `NotSignedIn` when the password was not shown or too long ago; `WrongCode`; `TriedTooOften`; `NotFromHere`;
    /// `Blocked` or `Ended`, which are on record too.
    pub fn finish_sign_in(&self, secret: &str, code: &str, visitor: &Visitor) -> Result<String, Failure> {
        self.finish_sign_in_at(Channel::Portal, secret, code, visitor)
    }

    /// The same at a door: a password that was shown at the other one does not count.
    pub(in crate::operations) fn finish_sign_in_at(
        &self,
        door: Channel,
        secret: &str,
        code: &str,
        visitor: &Visitor,
    ) -> Result<String, Failure> {
        let (now, digest) = (self.now(), secret_digest(secret));
        let waiting = locked(&self.pending.waiting).get(&digest).filter(|waiting| now < waiting.until).cloned();
        let waiting = waiting.filter(|waiting| waiting.door == door);
        let login = waiting.ok_or(Refusal::NotSignedIn)?.login;
        self.show_second_factor(door, digest, &login, visitor, now, |row| self.shown(row, code, now))
    }

    /// Asks who showed the password for a passkey: the options for the browser's script. An earlier challenge of
    /// this sign-in counts no more. Nothing when the account has no passkey, or the sign-in is none.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn ask_passkey(&self, secret: &str) -> Result<Option<String>, Failure> {
        self.ask_passkey_at(Channel::Portal, secret)
    }

    /// The same at a door.
    ///
    /// # Errors
    /// As `ask_passkey`.
    pub fn ask_passkey_at(&self, door: Channel, secret: &str) -> Result<Option<String>, Failure> {
        let (now, digest) = (self.now(), secret_digest(secret));
        let waiting = locked(&self.pending.waiting).get(&digest).filter(|waiting| now < waiting.until).cloned();
        let Some(waiting) = waiting.filter(|waiting| waiting.door == door) else { return Ok(None) };
        let Some((options, ceremony)) = self.challenge_for(door, &waiting.login)? else { return Ok(None) };
        if let Some(waiting) = locked(&self.pending.waiting).get_mut(&digest) {
            waiting.ceremony = Some(ceremony);
        }
        Ok(Some(options))
    }

    /// Shows a passkey in the place of a code; the challenge counts once. Otherwise as `finish_sign_in`.
    ///
    /// # Errors
    /// As `finish_sign_in`; `WrongCode` too when no passkey was asked for.
    pub fn finish_sign_in_with_passkey(
        &self,
        secret: &str,
        answer: &str,
        visitor: &Visitor,
    ) -> Result<String, Failure> {
        self.finish_sign_in_with_passkey_at(Channel::Portal, secret, answer, visitor)
    }

    /// The same at a door: a password that was shown at the other one does not count.
    ///
    /// # Errors
    /// As `finish_sign_in_with_passkey`.
    pub fn finish_sign_in_with_passkey_at(
        &self,
        door: Channel,
        secret: &str,
        answer: &str,
        visitor: &Visitor,
    ) -> Result<String, Failure> {
        let (now, digest) = (self.now(), secret_digest(secret));
        let (login, ceremony) = {
            let mut waiting = locked(&self.pending.waiting);
            let found = waiting.get_mut(&digest);
            let found = found.filter(|waiting| now < waiting.until && waiting.door == door);
            let found = found.ok_or(Refusal::NotSignedIn)?;
            (found.login.clone(), found.ceremony.take())
        };
        self.show_second_factor(door, digest, &login, visitor, now, |_| {
            let Some(ceremony) = ceremony else { return Ok(None) };
            match self.passkey_shown(door, &login, &ceremony, answer, now) {
                Ok(passkey) => Ok(Some(Shown::Passkey(Box::new(passkey)))),
                Err(Failure::Refused(Refusal::WrongCode)) => Ok(None),
                Err(failure) => Err(failure),
            }
        })
    }

    /// What follows on every way in: waits, what was shown, allow lists, blocks, and the session.
    fn show_second_factor(
        &self,
        door: Channel,
        digest: Digest,
        login: &LoginName,
        visitor: &Visitor,
        now: Moment,
        shown: impl FnOnce(&Credentials) -> Result<Option<Shown>, Failure>,
    ) -> Result<String, Failure> {
        let (account, row, outside, verdict) = self.catalog.look(|view| {
            let account = person_at(view, login, door)?.ok_or(Refusal::NotSignedIn)?;
            let (outside, verdict) = (outside_of(view, &account, visitor.address)?, may_enter(view, &account, now)?);
            Ok((account, credentials_of(view, login)?, outside, verdict))
        })?;
        let attempt = Attempt { login, address: visitor.address, is_known_source: knows(&row, visitor.address) };
        self.attempts.may_try(&attempt, self.settings.people.attempts, now)?;
        let Some(shown) = shown(&row)? else {
            self.attempts.failed(&attempt, now);
            return Err(Refusal::WrongCode.into());
        };
        let caller = caller_of(account.clone(), door, shown.assurance().word().to_owned(), visitor, Proof::WebSession);
        if let Some(list_of) = outside {
            self.note_outsider(&Outsider { caller, list_of, is_proven: true }, now)?;
            return Err(Refusal::NotFromHere(list_of).into());
        }
        if let Err(refusal) = verdict {
            let refused = event(Happening::SignInRefused, caller.who(), &account).with_note(&refusal.to_string());
            self.catalog.decide(Box::new(move |_| Ok(Decision::new(now, refused).leaving_access_as_it_is())))?;
            return Err(refusal.into());
        }
        let session_secret = self.begin_session(&caller, &account, shown, now)?;
        locked(&self.pending.waiting).remove(&digest);
        self.attempts.succeeded(&attempt);
        Ok(session_secret)
    }

    /// Begins the session in the same decision that spends the code: none counts twice, also not at the same time.
    fn begin_session(&self, caller: &Caller, account: &Account, shown: Shown, now: Moment) -> Result<String, Failure> {
        let secret = self.new_secret();
        let session = WebSession {
            secret_sha256: secret_digest(&secret),
            login: account.login.clone(),
            begun_at: now,
            ends_at: now.after(self.settings.people.session_lasts),
            assurance: shown.assurance(),
        };
        let crowded_out =
            self.live_sessions.oldest_beyond(&account.login, self.settings.people.max_sessions_per_account);
        for old in crowded_out {
            self.end_session_on_record(&old, SessionEnd::Crowded)?;
        }
        let (row, account, who, source) =
            (session.clone(), account.clone(), caller.who(), source_digest(caller.address));
        let place = SignInPlace { address: caller.address, client: caller.client.clone().unwrap_or_default() };
        let (book, post) = (Arc::clone(&self.sign_in_book), Arc::clone(&self.post));
        self.catalog.decide(Box::new(move |view| {
            let mut credentials = credentials_of(view, &account.login)?;
            let decision = Decision::new(now, event(Happening::SignedIn, who.clone(), &account));
            let mut decision = shown.spend(view, &mut credentials, decision)?;
            credentials.remember_source(source);
            if let Shown::Recovery(_) = shown {
                let left = format!("{} are left", credentials.recovery_codes.len());
                decision = decision.and(event(Happening::RecoveryCodeUsed, who, &account).with_note(&left));
                let change = CredentialChange::RecoveryCodeUsed;
                decision = told_of_change(&post, decision, &account, change, place.address, now)?;
            }
            decision = book.begun(view, decision, &row, &place, now)?;
            Ok(decision.put(credentials).put(row).leaving_access_as_it_is())
        }))?;
        self.live_sessions.add(session, caller.address, now);
        Ok(secret)
    }

    /// What a code is, if it is right.
    fn shown(&self, row: &Credentials, code: &str, now: Moment) -> Result<Option<Shown>, Failure> {
        for app in row.code_apps.iter().filter(|app| app.confirmed_at.is_some()) {
            let secret = self.app_secret(app.id)?;
            if let Some(step) = self.codes.step_of(&secret, code, now, app.last_step) {
                return Ok(Some(Shown::Code { app: app.id, step }));
            }
        }
        let digest = recovery_digest(code).filter(|digest| row.recovery_codes.contains(digest));
        Ok(digest.map(Shown::Recovery))
    }

    /// 256 random bits, for a cookie.
    fn new_secret(&self) -> String {
        let mut random = [0; 32];
        self.entropy.fill(&mut random);
        BASE64URL_NOPAD.encode(&random)
    }

    /// Who a holder of a link is, as the history names them.
    pub(super) fn visitor_as(&self, login: &LoginName, visitor: &Visitor) -> Result<Who, Failure> {
        let (account, door) = self
            .catalog
            .look(|view| Ok((person_of(view, login)?.ok_or(Refusal::LinkClosed)?, door_of(view, login)?)))?;
        Ok(caller_of(account, door, "link".to_owned(), visitor, Proof::WebSession).who())
    }
}

/// A second factor that was right.
enum Shown {
    Code {
        app: FactorId,
        step: u64,
    },
    Recovery(Digest),
    /// As it is to be kept from now on.
    Passkey(Box<Passkey>),
}

impl Shown {
    const fn assurance(&self) -> Assurance {
        match self {
            Self::Code { .. } => Assurance::PasswordAndCode,
            Self::Recovery(_) => Assurance::PasswordAndRecoveryCode,
            Self::Passkey(_) => Assurance::PasswordAndPasskey,
        }
    }

    /// Takes it off what can still be used; refused when somebody was quicker, or it was removed meanwhile.
    fn spend(&self, view: &dyn CatalogView, row: &mut Credentials, decision: Decision) -> Result<Decision, Failure> {
        match self {
            Self::Code { app, step } => {
                let app = row.code_apps.iter_mut().find(|known| known.id == *app && known.last_step < *step);
                app.ok_or(Refusal::WrongCode)?.last_step = *step;
                Ok(decision)
            }
            Self::Recovery(digest) => {
                let at = row.recovery_codes.iter().position(|known| known == digest);
                row.recovery_codes.remove(at.ok_or(Refusal::WrongCode)?);
                Ok(decision)
            }
            Self::Passkey(passkey) => {
                view.find(&Passkey::key_of(&passkey.login, passkey.id))?.ok_or(Refusal::WrongCode)?;
                Ok(decision.put(passkey.as_ref().clone()))
            }
        }
    }
}

/// A network as it is remembered: whether somebody came from there can be asked, not read.
fn source_digest(address: IpAddr) -> Digest {
    Digest::new(Sha256::digest(format!("signed in from {}", Network::source_of(address))).into())
}

pub(super) fn knows(row: &Credentials, address: IpAddr) -> bool {
    row.known_sources.contains(&source_digest(address))
}

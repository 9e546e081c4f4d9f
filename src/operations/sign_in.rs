//! Signing in with an SSH key or an API token. Reveals nothing to strangers:
//! every refusal before a valid credential is `NotSignedIn`.

use std::net::IpAddr;

use sha2::{Digest as _, Sha256};

use super::block_credentials::is_blocked;
use super::connections::AttemptOutcome;
use super::interrupt::is_closed;
use super::note_strangers::Outsider;
use super::terms::has_terms_open;
use super::{Caller, Failure, Operations, Proof};
use crate::domain::account::{Account, SshKey, Token};
use crate::domain::block::Access;
use crate::domain::credential_block::token_credential;
use crate::domain::decision::Decision;
use crate::domain::digest::Digest;
use crate::domain::history::{About, Channel, Event, Happening};
use crate::domain::moment::Moment;
use crate::domain::names::LoginName;
use crate::domain::organisation::Organisation;
use crate::domain::refusal::{Refusal, What};
use crate::ports::catalog::CatalogView;

/// Somebody at the door.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// From which address.
    pub address: IpAddr,
    /// What the client calls itself; cut and cleaned before it is kept.
    pub client: Option<String>,
}

impl Operations {
    /// Whether this key would open this account from this address: for the probe before the signature. A valid key
    /// from outside an allow list goes on record; whose key it is is not proven then.
    ///
    /// # Errors
    /// `NotSignedIn` for an unknown login or key, or one that is not valid; `NotFromHere`; a fault of the store.
    pub fn probe_key(&self, login: &str, fingerprint: &str, visitor: &Visitor) -> Result<(), Failure> {
        let login = LoginName::parse(login).map_err(|_| Refusal::NotSignedIn)?;
        let now = self.now();
        let (account, key, outside) = self.catalog.look(|view| {
            let key = view.row::<SshKey>(&SshKey::key_of(&login, fingerprint))?;
            let account = view.row::<Account>(&Account::key_of(&login))?.ok_or(Refusal::NotSignedIn)?;
            let outside = outside_of(view, &account, visitor.address)?;
            Ok((account, key, outside))
        })?;
        let caller = caller_of(account.clone(), Channel::Sftp, fingerprint.to_owned(), visitor, Proof::SshKey);
        let unfit = match key {
            None => Some(AttemptOutcome::UnknownKey),
            Some(key) if key.revoked_at.is_some() => Some(AttemptOutcome::Revoked),
            Some(key) if !key.is_valid(now) => Some(AttemptOutcome::RanOut),
            Some(_) => None,
        };
        if let Some(unfit) = unfit {
            self.note_attempt(&account, &caller, unfit, now);
            return Err(Refusal::NotSignedIn.into());
        }
        match outside {
            None => Ok(()),
            Some(list_of) => {
                self.note_attempt(&account, &caller, AttemptOutcome::OutsideList(list_of), now);
                self.refuse_outsider(Outsider { caller, list_of, is_proven: false }, now)
            }
        }
    }

    /// Signs in with a key whose signature has been verified. The begin of the session
    /// is on record on return (PV14); so is a refusal of a known account with its own key.
    ///
    /// # Errors
    /// `NotSignedIn` for an unknown login or key, `NotFromHere` from outside an allow list; `Blocked`,
    /// `BlockedCredential`, `Ended` or `TermsNotAccepted` for a known one.
    pub fn sign_in_with_key(&self, login: &str, fingerprint: &str, visitor: &Visitor) -> Result<Caller, Failure> {
        let login = LoginName::parse(login).map_err(|_| Refusal::NotSignedIn)?;
        let now = self.now();
        let outcome = self.catalog.look(|view| {
            let key = view.row::<SshKey>(&SshKey::key_of(&login, fingerprint))?.ok_or(Refusal::NotSignedIn)?;
            let account = view.row::<Account>(&Account::key_of(&login))?.ok_or(Refusal::NotSignedIn)?;
            let outside = outside_of(view, &account, visitor.address)?;
            let mut verdict = if !key.is_valid(now) {
                Err(Refusal::Ended(What::Key))
            } else if is_blocked(view, &login, fingerprint, now)? {
                Err(Refusal::BlockedCredential(What::Key))
            } else {
                may_enter(view, &account, now)?
            };
            if verdict.is_ok() && has_terms_open(view, &account, Channel::Sftp, now)? {
                verdict = Err(self.terms_refusal());
            }
            Ok((account, outside, verdict))
        });
        let (account, outside, mut verdict) = outcome?;
        if let (Ok(()), Some(closure)) = (&verdict, self.closure(Channel::Sftp)?) {
            verdict = Err(closure.refusal());
        }
        let caller = caller_of(account.clone(), Channel::Sftp, fingerprint.to_owned(), visitor, Proof::SshKey);
        if let Some(list_of) = outside {
            self.note_attempt(&account, &caller, AttemptOutcome::OutsideList(list_of), now);
            self.refuse_outsider(Outsider { caller: caller.clone(), list_of, is_proven: true }, now)?;
        }
        let (what, note) = match &verdict {
            Ok(()) => (Happening::SignedIn, None),
            Err(refusal) => (Happening::SignInRefused, Some(refusal.to_string())),
        };
        let outcome = verdict.as_ref().map_or_else(AttemptOutcome::of_refusal, |()| AttemptOutcome::Entered);
        self.note_attempt(&account, &caller, outcome, now);
        self.record_session(what, &caller, note)?;
        verdict?;
        Ok(caller)
    }

    /// Whether a session that came in with this key from this address may go on: key, account, organisation and
    /// allow lists still let it in (J6). Asked for all live sessions every second.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn may_stay(&self, login: &str, fingerprint: &str, address: IpAddr) -> Result<bool, Failure> {
        let Ok(login) = LoginName::parse(login) else { return Ok(false) };
        let now = self.now();
        self.catalog.look(|view| {
            let key = view.row::<SshKey>(&SshKey::key_of(&login, fingerprint))?;
            let account = view.row::<Account>(&Account::key_of(&login))?;
            match (key, account) {
                (Some(key), Some(account)) => Ok(key.is_valid(now)
                    && !is_blocked(view, &login, fingerprint, now)?
                    && may_enter(view, &account, now)?.is_ok()
                    && !is_closed(view, Channel::Sftp, now)?
                    && !has_terms_open(view, &account, Channel::Sftp, now)?
                    && outside_of(view, &account, address)?.is_none()),
                _ => Ok(false),
            }
        })
    }

    /// Puts the end of a session on record (PV14).
    ///
    /// # Errors
    /// A fault of the store.
    pub fn sign_out(&self, caller: &Caller) -> Result<(), Failure> {
        self.record_session(Happening::SignedOut, caller, None)
    }

    /// Signs in with an API token, for one request.
    ///
    /// # Errors
    /// `NotSignedIn` for an unknown, expired or revoked token, `NotFromHere` from outside an allow list;
    /// `BlockedCredential` for a blocked one, `Blocked`, `Ended` or `TermsNotAccepted` for a known account.
    pub fn sign_in_with_token(&self, secret: &str, visitor: &Visitor) -> Result<Caller, Failure> {
        let now = self.now();
        let secret_sha256 = secret_digest(secret);
        let (account, token, outside, verdict) = self.catalog.look(|view| {
            let token = view.row::<Token>(&Token::key_of(&secret_sha256))?.ok_or(Refusal::NotSignedIn)?;
            let account = view.row::<Account>(&Account::key_of(&token.login))?.ok_or(Refusal::NotSignedIn)?;
            let outside = outside_of(view, &account, visitor.address)?;
            let credential = token_credential(token.id);
            let mut verdict = if is_blocked(view, &account.login, &credential, now)? {
                Err(Refusal::BlockedCredential(What::Token))
            } else {
                may_enter(view, &account, now)?
            };
            if verdict.is_ok() && has_terms_open(view, &account, Channel::Api, now)? {
                verdict = Err(self.terms_refusal());
            }
            Ok((account, token, outside, verdict))
        })?;
        let proof = Proof::Token(secret_sha256);
        let caller = caller_of(account.clone(), Channel::Api, token_credential(token.id), visitor, proof);
        if !token.is_valid(now) {
            let is_revoked = token.revoked_at.is_some();
            let outcome = if is_revoked { AttemptOutcome::Revoked } else { AttemptOutcome::RanOut };
            self.note_attempt(&account, &caller, outcome, now);
            return Err(Refusal::NotSignedIn.into());
        }
        if let Some(list_of) = outside {
            self.note_attempt(&account, &caller, AttemptOutcome::OutsideList(list_of), now);
            self.refuse_outsider(Outsider { caller: caller.clone(), list_of, is_proven: true }, now)?;
        }
        let outcome = verdict.as_ref().map_or_else(AttemptOutcome::of_refusal, |()| AttemptOutcome::Entered);
        self.note_attempt(&account, &caller, outcome, now);
        verdict?;
        self.note_token_use(&caller, now)?;
        Ok(caller)
    }

    /// Refuses, after putting it on record.
    fn refuse_outsider(&self, outsider: Outsider, now: Moment) -> Result<(), Failure> {
        self.note_outsider(&outsider, now)?;
        Err(Refusal::NotFromHere(outsider.list_of).into())
    }

    fn record_session(&self, what: Happening, caller: &Caller, note: Option<String>) -> Result<(), Failure> {
        let who = caller.who();
        let about = About { organisation: who.organisation.clone(), login: who.login.clone(), ..About::default() };
        let mut event = Event::new(what, who, about);
        if let Some(note) = note {
            event = event.with_note(&note);
        }
        let now = self.now();
        let decision = Decision::new(now, event);
        let decision = if what == Happening::SignedIn { self.with_use(decision, caller, now) } else { decision };
        self.catalog.decide(Box::new(move |_| Ok(decision)))?;
        Ok(())
    }
}

/// Whether what somebody came in by still lets them in: the key or token is valid and not blocked. Without its
/// row it lets nobody in.
pub(super) fn still_lets_in(view: &dyn CatalogView, caller: &Caller, now: Moment) -> Result<bool, Failure> {
    let is_valid = match &caller.proof {
        Proof::SshKey => {
            let key = view.row::<SshKey>(&SshKey::key_of(&caller.login, &caller.credential))?;
            key.is_some_and(|key| key.is_valid(now))
        }
        Proof::Token(secret_sha256) => {
            let token = view.row::<Token>(&Token::key_of(secret_sha256))?;
            token.is_some_and(|token| token.is_valid(now))
        }
        Proof::WebSession => return Ok(true),
    };
    Ok(is_valid && !is_blocked(view, &caller.login, &caller.credential, now)?)
}

/// The digest under which a token's secret is kept.
pub(super) fn secret_digest(secret: &str) -> Digest {
    Digest::new(Sha256::digest(secret.as_bytes()).into())
}

/// Whose allow list an address is outside of: it must be inside both that of the account and that of its
/// organisation. The account's is named when it is outside both.
pub(super) fn outside_of(view: &dyn CatalogView, account: &Account, address: IpAddr) -> Result<Option<What>, Failure> {
    if !account.allow_from.allows(address) {
        return Ok(Some(What::Account));
    }
    let organisation = view.row::<Organisation>(&Organisation::key_of(&account.organisation))?;
    let is_outside = organisation.is_some_and(|organisation| !organisation.allow_from.allows(address));
    Ok(is_outside.then_some(What::Organisation))
}

pub(super) fn may_enter(
    view: &dyn CatalogView,
    account: &Account,
    now: Moment,
) -> Result<Result<(), Refusal>, Failure> {
    let organisation = view.row::<Organisation>(&Organisation::key_of(&account.organisation))?;
    let organisation = organisation.map_or(Access::Ended, |o| o.standing.at(now));
    Ok(match (account.standing.at(now), organisation) {
        (Access::Open, Access::Open) => Ok(()),
        (Access::Ended, _) | (_, Access::Ended) => Err(Refusal::Ended(What::Account)),
        (Access::Blocked, _) | (_, Access::Blocked) => Err(Refusal::Blocked),
    })
}

pub(super) fn caller_of(
    account: Account,
    channel: Channel,
    credential: String,
    visitor: &Visitor,
    proof: Proof,
) -> Caller {
    let client = visitor
        .client
        .as_deref()
        .map(|client| client.chars().filter(|c| !c.is_control()).take(120).collect::<String>());
    Caller {
        login: account.login,
        organisation: account.organisation,
        channel,
        address: visitor.address,
        credential,
        client,
        rights_as_of: None,
        acts_for: None,
        proof,
    }
}

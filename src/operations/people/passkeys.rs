//! Passkeys: a person adds and removes them, and shows one in the place of a one-time code. A challenge is
//! answered once, by the session or sign-in that it was made for; those that wait are few and short-lived.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use sha2::{Digest as _, Sha256};

use super::super::{Visitor, locked};
use super::own_credentials::Change;
use super::own_sign_ins::may_keep;
use super::{Failure, Operations, PortalVisit};
use crate::domain::digest::Digest;
use crate::domain::history::Channel;
use crate::domain::ids::{FactorId, SessionId};
use crate::domain::moment::{Moment, Span};
use crate::domain::names::{Line, LoginName};
use crate::domain::passkey::{MOST_PASSKEYS, Passkey, PasskeyOwner};
use crate::domain::refusal::{Refusal, What};
use crate::domain::sign_in_record::CredentialChange;
use crate::ports::catalog::CatalogView;
use crate::ports::passkeys::{Ceremony, Passkeys};

/// A passkey is made within so long after the password was shown.
const ADDING_LASTS: Span = Span::from_seconds(300);

/// So many may be adding a passkey at once; the oldest gives way.
const MOST_ADDING: usize = 1_000;

/// The purpose for which the number of a user in authenticators is derived: it tells nothing of the account.
const USER_SECRET: &str = "passkey user";

/// A passkey as its owner sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnPasskey {
    /// Its id.
    pub id: FactorId,
    /// Its name.
    pub name: Line,
    /// When it was added.
    pub added_at: Moment,
    /// When it was shown last.
    pub last_used_at: Option<Moment>,
}

/// Passkeys that are being made, by the session that makes one. In memory: what is not finished was never there.
#[derive(Default)]
pub(in crate::operations) struct Adding {
    waiting: Mutex<HashMap<SessionId, Made>>,
}

struct Made {
    name: Line,
    ceremony: Ceremony,
    /// The hash of the password that was shown.
    shown: String,
    since: Moment,
}

impl Operations {
    /// Whether passkeys are offered at this door: its address must have a name.
    #[must_use]
    pub fn offers_passkeys(&self, door: Channel) -> bool {
        self.passkeys_at(door).are_offered()
    }

    /// Passkeys are bound to the address of one door, and are shown there alone.
    fn passkeys_at(&self, door: Channel) -> &dyn Passkeys {
        if door == Channel::Office { &*self.office_passkeys } else { &*self.passkeys }
    }

    /// One's passkeys.
    ///
    /// # Errors
    /// A refusal of `permits`; a fault of the store.
    pub fn own_passkeys(&self, visit: &PortalVisit) -> Result<Vec<OwnPasskey>, Failure> {
        let now = self.now();
        let rows = self.catalog.look(|view| {
            may_keep(view, visit, now)?;
            passkeys_of(view, &visit.account.login)
        })?;
        let seen = |row: Passkey| OwnPasskey {
            id: row.id,
            name: row.name,
            added_at: row.added_at,
            last_used_at: row.last_used_at,
        };
        Ok(rows.into_iter().map(seen).collect())
    }

    /// Begins to add a passkey. Returns the options for the browser's script.
    ///
    /// # Errors
    /// `NotSignedIn` when the password is wrong; `TooMuch` with as many as an account may have; `TriedTooOften`.
    pub fn begin_passkey(
        &self,
        visit: &PortalVisit,
        name: Line,
        current: &str,
        visitor: &Visitor,
    ) -> Result<String, Failure> {
        let shown = self.show_password_again(visit, current, visitor)?;
        let login = &visit.account.login;
        let known = self.catalog.look(|view| passkeys_of(view, login))?;
        refuse_beyond(&known)?;
        let derived = self.secrets.derive(USER_SECRET, login.as_str().as_bytes())?;
        let mut user = [0; 16];
        user.iter_mut().zip(derived).for_each(|(to, from)| *to = from);
        let challenge = self.passkeys_at(visit.caller.channel).ask_new(&user, login.as_str(), &credentials(&known))?;
        let now = self.now();
        let mut waiting = locked(&self.adding.waiting);
        waiting.retain(|_, made| now < made.since.after(ADDING_LASTS));
        if waiting.len() >= MOST_ADDING
            && let Some(oldest) = waiting.iter().min_by_key(|(_, made)| made.since).map(|(session, _)| *session)
        {
            waiting.remove(&oldest);
        }
        waiting.insert(visit.session, Made { name, ceremony: challenge.ceremony, shown, since: now });
        Ok(challenge.options)
    }

    /// Takes the browser's answer: the passkey is there from now on (M09).
    ///
    /// # Errors
    /// `WrongState` when none was begun, or too long ago; `WrongCode` for a wrong answer: it must be begun anew.
    pub fn finish_passkey(&self, visit: &PortalVisit, answer: &str, visitor: &Visitor) -> Result<(), Failure> {
        let now = self.now();
        let made = locked(&self.adding.waiting).remove(&visit.session);
        let made = made.filter(|made| now < made.since.after(ADDING_LASTS));
        let Made { name, ceremony, shown, .. } =
            made.ok_or_else(|| Refusal::WrongState("begin again with the passkey".to_owned()))?;
        let new = self.passkeys_at(visit.caller.channel).check_new(&ceremony, answer)?;
        let (login, id) = (visit.account.login.clone(), FactorId::from_random(self.entropy.sixteen()));
        let change = Change { what: CredentialChange::PasskeyAdded, note: name.to_string() };
        self.change_credentials(visit, visitor, shown, change, move |view, _, decision, now| {
            refuse_beyond(&passkeys_of(view, &login)?)?;
            let credential_sha256 = Digest::new(Sha256::digest(&new.id).into());
            if view.find(&PasskeyOwner::key_of(&credential_sha256))?.is_some() {
                return Err(Refusal::Exists(What::Passkey, name.to_string()).into());
            }
            let owner = PasskeyOwner { credential_sha256, login: login.clone(), id };
            let row = Passkey {
                login,
                id,
                name,
                credential: new.credential,
                credential_sha256,
                added_at: now,
                last_used_at: None,
            };
            Ok(decision.put(row).put(owner))
        })
    }

    /// Removes a passkey (M09). The app for codes stays, so that nobody shuts themselves out.
    ///
    /// # Errors
    /// `NotFound`; `NotSignedIn` when the password is wrong; `TriedTooOften`.
    pub fn remove_passkey(
        &self,
        visit: &PortalVisit,
        id: FactorId,
        current: &str,
        visitor: &Visitor,
    ) -> Result<(), Failure> {
        let shown = self.show_password_again(visit, current, visitor)?;
        let login = visit.account.login.clone();
        let key = Passkey::key_of(&login, id);
        let found =
            self.catalog.look(|view| Ok(view.row::<Passkey>(&key)?))?.ok_or(Refusal::NotFound(What::Passkey))?;
        let change = Change { what: CredentialChange::PasskeyRemoved, note: found.name.to_string() };
        self.change_credentials(visit, visitor, shown, change, move |view, _, decision, _| {
            let row = view.row::<Passkey>(&key)?.ok_or(Refusal::NotFound(What::Passkey))?;
            Ok(decision.remove(PasskeyOwner::key_of(&row.credential_sha256)).remove(key))
        })
    }

    /// Whoever showed the password is asked for a passkey: the options for the browser's script, and what is
    /// needed to check the answer. Nothing when the account has none.
    pub(super) fn challenge_for(
        &self,
        door: Channel,
        login: &LoginName,
    ) -> Result<Option<(String, Arc<Ceremony>)>, Failure> {
        if !self.offers_passkeys(door) {
            return Ok(None);
        }
        let known = self.catalog.look(|view| passkeys_of(view, login))?;
        if known.is_empty() {
            return Ok(None);
        }
        let challenge = self.passkeys_at(door).ask(&credentials(&known))?;
        Ok(Some((challenge.options, Arc::new(challenge.ceremony))))
    }

    /// The passkey that an answer shows, as it is to be kept from now on.
    pub(super) fn passkey_shown(
        &self,
        door: Channel,
        login: &LoginName,
        ceremony: &Ceremony,
        answer: &str,
        now: Moment,
    ) -> Result<Passkey, Failure> {
        let known = self.catalog.look(|view| passkeys_of(view, login))?;
        let shown = self.passkeys_at(door).check(ceremony, &credentials(&known), answer)?;
        let row = known.into_iter().nth(shown.at).ok_or(Refusal::WrongCode)?;
        Ok(Passkey { credential: shown.credential, last_used_at: Some(now), ..row })
    }
}

pub(super) fn passkeys_of(view: &dyn CatalogView, login: &LoginName) -> Result<Vec<Passkey>, Failure> {
    Ok(view.rows::<Passkey>(&Passkey::keys_of(login), None, MOST_PASSKEYS)?)
}

fn credentials(rows: &[Passkey]) -> Vec<Vec<u8>> {
    rows.iter().map(|row| row.credential.clone()).collect()
}

fn refuse_beyond(known: &[Passkey]) -> Result<(), Refusal> {
    if known.len() < MOST_PASSKEYS {
        return Ok(());
    }
    Err(Refusal::TooMuch(format!("an account has at most {MOST_PASSKEYS} passkeys: remove one first")))
}

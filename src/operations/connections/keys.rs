//! SSH keys of machine accounts, as an administrator adds and revokes them. A front judges
//! kind and size; here, whether the key may be used by this account.

use std::sync::Arc;

use super::tell::{Told, told};
use super::uses::LastUse;
use super::{Caller, Failure, Operations, PAGE, event, organisation_of, own_machine};
use crate::domain::account::{Account, SshKey};
use crate::domain::block::Access;
use crate::domain::connections::{ConnectionFlaw, CredentialUse, EndWarning, MOST_ENDED, MOST_KEYS};
use crate::domain::decision::Decision;
use crate::domain::history::Happening;
use crate::domain::ids::LinkId;
use crate::domain::moment::Moment;
use crate::domain::names::LoginName;
use crate::domain::notice::{Fact, NoticeKind};
use crate::domain::record::Row;
use crate::domain::refusal::{Refusal, What};
use crate::ports::catalog::CatalogView;

/// A key whose kind and size a front has judged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JudgedKey {
    /// `SHA256:…`
    pub fingerprint: String,
    /// Algorithm and base64 blob, without comment.
    pub line: String,
}

/// A key with its last use.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyView {
    /// The key.
    pub key: SshKey,
    /// When it signed in last.
    pub last_use: Option<LastUse>,
    /// The operator blocked it alone (J8).
    pub is_blocked: bool,
}

impl Operations {
    /// Adds a key to a machine account of the own organisation.
    ///
    /// # Errors
    /// `NotFound` for the account; `Connection` with what is wrong with the key or its end.
    pub fn add_machine_key(
        &self,
        caller: &Caller,
        login: &LoginName,
        key: JudgedKey,
        expires_at: Option<Moment>,
    ) -> Result<(), Failure> {
        let (now, caller, login) = (self.now(), caller.clone(), login.clone());
        let (id, post) = (LinkId::from_random(self.entropy.sixteen()), Arc::clone(&self.post));
        self.catalog.decide(Box::new(move |view| {
            let account = own_machine(view, &caller, &login, now)?;
            let organisation = organisation_of(view, &caller)?;
            if expires_at.is_some_and(|at| at <= now) {
                return Err(Refusal::from(ConnectionFlaw::EndPast).into());
            }
            let mut own = keys_of(view, &login)?;
            if let Some(there) = own.iter().find(|there| there.fingerprint == key.fingerprint) {
                let flaw = match (there.revoked_at, there.is_valid(now)) {
                    (Some(_), _) => Some(ConnectionFlaw::KeyWasRevoked),
                    (None, true) => Some(ConnectionFlaw::KeyIsHere),
                    // it ran out, and gets a new end
                    (None, false) => None,
                };
                if let Some(flaw) = flaw {
                    return Err(Refusal::from(flaw).into());
                }
            }
            if own.iter().filter(|key| key.is_valid(now)).count() >= MOST_KEYS {
                return Err(Refusal::from(ConnectionFlaw::ManyKeys).into());
            }
            if is_in_use_elsewhere(view, &key.fingerprint, &login, now)? {
                return Err(Refusal::from(ConnectionFlaw::KeyInUse).into());
            }
            let event = event(Happening::KeyAdded, &caller, &login).with_note(&key.fingerprint);
            let event = expires_at.map_or_else(|| event.clone(), |at| event.clone().with_until(at));
            let mut facts = vec![(Fact::Thing, key.fingerprint.clone())];
            facts.extend(expires_at.map(|at| (Fact::Until, at.millis().to_string())));
            own.retain(|there| !there.is_valid(now) && there.fingerprint != key.fingerprint);
            own.sort_by_key(|key| key.revoked_at.or(key.expires_at));
            let excess = own.len().saturating_sub(MOST_ENDED);
            let row = SshKey {
                login: login.clone(),
                fingerprint: key.fingerprint,
                line: key.line,
                added_at: now,
                expires_at,
                revoked_at: None,
            };
            let mut decision = Decision::new(now, event).put(row);
            for old in own.iter().take(excess) {
                decision = decision
                    .remove(SshKey::key_of(&login, &old.fingerprint))
                    .remove(CredentialUse::key_of(&login, &old.fingerprint))
                    .remove(EndWarning::key_of(&login, &old.fingerprint));
            }
            let what = Told { kind: NoticeKind::KeyAdded, id, facts, also: None };
            told(&post, view, decision, (&account, &organisation, caller.login.as_str()), what, now)
        }))?;
        Ok(())
    }

    /// Revokes a key of a machine account: nobody signs in with it from now on, and sessions with it are cut.
    ///
    /// # Errors
    /// `NotFound` for account or key; `WrongState` when it was revoked already.
    pub fn revoke_machine_key(&self, caller: &Caller, login: &LoginName, fingerprint: &str) -> Result<(), Failure> {
        let (now, caller, login, fingerprint) = (self.now(), caller.clone(), login.clone(), fingerprint.to_owned());
        let (id, post) = (LinkId::from_random(self.entropy.sixteen()), Arc::clone(&self.post));
        self.catalog.decide(Box::new(move |view| {
            let account = own_machine(view, &caller, &login, now)?;
            let organisation = organisation_of(view, &caller)?;
            let row = view.row::<SshKey>(&SshKey::key_of(&login, &fingerprint))?;
            let mut row = row.ok_or(Refusal::NotFound(What::Key))?;
            if row.revoked_at.is_some() {
                return Err(Refusal::WrongState("the key was revoked already".to_owned()).into());
            }
            row.revoked_at = Some(now);
            let event = event(Happening::KeyRevoked, &caller, &login).with_note(&fingerprint);
            let decision = Decision::new(now, event).put(row);
            let facts = vec![(Fact::Thing, fingerprint)];
            let what = Told { kind: NoticeKind::KeyRevoked, id, facts, also: None };
            told(&post, view, decision, (&account, &organisation, caller.login.as_str()), what, now)
        }))?;
        Ok(())
    }

    /// The keys of the caller's own account, by fingerprint.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn own_keys(&self, caller: &Caller) -> Result<Vec<SshKey>, Failure> {
        self.catalog.look(|view| keys_of(view, &caller.login))
    }
}

/// All keys of an account; the operator may have added more than an administrator can.
pub(super) fn keys_of(view: &dyn CatalogView, login: &LoginName) -> Result<Vec<SshKey>, Failure> {
    Ok(view.rows(&SshKey::keys_of(login), None, PAGE)?)
}

/// Whether a key signs in another account now. Looks at all keys, a page at a time: keys are added seldom.
fn is_in_use_elsewhere(
    view: &dyn CatalogView,
    fingerprint: &str,
    login: &LoginName,
    now: Moment,
) -> Result<bool, Failure> {
    let mut after = None;
    loop {
        let page = view.rows::<SshKey>(&SshKey::all(), after.as_ref(), PAGE)?;
        let Some(last) = page.last() else { return Ok(false) };
        after = Some(SshKey::key_of(&last.login, &last.fingerprint));
        for key in page {
            if key.fingerprint == fingerprint && key.login != *login && key.is_valid(now) {
                let account = view.row::<Account>(&Account::key_of(&key.login))?;
                if account.is_some_and(|account| account.standing.at(now) != Access::Ended) {
                    return Ok(true);
                }
            }
        }
    }
}

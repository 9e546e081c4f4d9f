//! Blocking one SSH key or API token of an account (J8): nobody comes in with it, what came
//! in with it is cut off, and the account goes on otherwise. Can be lifted, unlike a revocation.

use std::sync::Arc;

use super::manage_accounts::{account_of, event, token_of};
use super::tell_access::{AccessChange, Telling, tell_of_account};
use super::{Failure, Officer, Operations};
use crate::domain::account::SshKey;
use crate::domain::block::Block;
use crate::domain::credential_block::{CredentialBlock, token_credential};
use crate::domain::decision::Decision;
use crate::domain::history::Happening;
use crate::domain::ids::TokenId;
use crate::domain::moment::Moment;
use crate::domain::names::{Line, LoginName};
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::Act;
use crate::ports::catalog::CatalogView;

/// One key or token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Credential {
    /// An SSH key of an account.
    Key {
        /// Whose.
        login: LoginName,
        /// `SHA256:…`.
        fingerprint: String,
    },
    /// An API token.
    Token(TokenId),
}

/// So many blocked keys and tokens of one account are looked at.
const MOST_BLOCKED: usize = 1_000;

impl Operations {
    /// Blocks a key or token, with a reason, until a moment or without end. A block in the place of another counts
    /// from now on. Acts at once, also on what came in with it.
    ///
    /// # Errors
    /// `NotFound` for a key or token that is not there; `Ended` for one that was revoked; `BadRequest` for an end
    /// that has passed.
    pub fn block_credential(
        &self,
        credential: Credential,
        reason: Line,
        until: Option<Moment>,
        by: impl Into<Officer>,
    ) -> Result<(), Failure> {
        self.block_credential_telling(credential, reason, until, Telling::default(), by)
    }

    /// The same, saying whom to tell besides the administrators (M20), and with which reason of the terms of use.
    ///
    /// # Errors
    /// As `block_credential`.
    pub fn block_credential_telling(
        &self,
        credential: Credential,
        reason: Line,
        until: Option<Moment>,
        telling: Telling,
        by: impl Into<Officer>,
    ) -> Result<(), Failure> {
        let who = self.acting(by, Act::Block)?;
        let now = self.now();
        if let Some(until) = until.filter(|until| *until <= now) {
            return Err(
                Refusal::BadRequest(format!("the end of the block {until} has passed; give a later one")).into()
            );
        }
        let (post, occasion) = (Arc::clone(&self.post), self.occasion(now));
        self.catalog.decide(Box::new(move |view| {
            let (login, named, what) = found(view, &credential)?;
            let account = account_of(view, &login)?;
            let happening = match what {
                What::Token => Happening::TokenBlocked,
                _ => Happening::KeyBlocked,
            };
            let mut event = event(happening, &account, who).with_note(&format!("{named}: {reason}"));
            if let Some(until) = until {
                event = event.with_until(until);
            }
            let word = if what == What::Token { "token-blocked" } else { "key-blocked" };
            let change = AccessChange::new(word).because(telling.reason).until(until).credential(&named);
            let block = Block { reason, since: now, until };
            let decision = Decision::new(now, event).put(CredentialBlock { login, credential: named, block });
            tell_of_account(view, &post, decision, &account, (change, telling), occasion)
        }))?;
        Ok(())
    }

    /// Lifts the block of a key or token.
    ///
    /// # Errors
    /// `NotFound` for a key or token that is not there; `WrongState` when it is not blocked.
    pub fn unblock_credential(&self, credential: Credential, by: impl Into<Officer>) -> Result<(), Failure> {
        let who = self.acting(by, Act::Administer)?;
        let now = self.now();
        let (post, occasion) = (Arc::clone(&self.post), self.occasion(now));
        self.catalog.decide(Box::new(move |view| {
            let (login, named, what) = found(view, &credential)?;
            let account = account_of(view, &login)?;
            if !is_blocked(view, &login, &named, now)? {
                return Err(Refusal::WrongState(format!("the {what} is not blocked")).into());
            }
            let happening = match what {
                What::Token => Happening::TokenUnblocked,
                _ => Happening::KeyUnblocked,
            };
            let event = event(happening, &account, who).with_note(&named);
            let word = if what == What::Token { "token-unblocked" } else { "key-unblocked" };
            let change = AccessChange::new(word).credential(&named);
            let decision = Decision::new(now, event).remove(CredentialBlock::key_of(&login, &named));
            tell_of_account(view, &post, decision, &account, (change, Telling::default()), occasion)
        }))?;
        Ok(())
    }

    /// The keys and tokens of an account that are blocked now.
    ///
    /// # Errors
    /// `NotFound` for the account.
    pub fn blocked_credentials(&self, login: &LoginName) -> Result<Vec<CredentialBlock>, Failure> {
        let now = self.now();
        self.catalog.look(|view| {
            account_of(view, login)?;
            let rows = view.rows::<CredentialBlock>(&CredentialBlock::keys_of(login), None, MOST_BLOCKED)?;
            Ok(rows.into_iter().filter(|row| row.holds(now)).collect())
        })
    }
}

/// Whose it is, how rows and the history name it, and what it is.
fn found(view: &dyn CatalogView, credential: &Credential) -> Result<(LoginName, String, What), Failure> {
    match credential {
        Credential::Key { login, fingerprint } => {
            let key = view.row::<SshKey>(&SshKey::key_of(login, fingerprint))?;
            let key = key.ok_or(Refusal::NotFound(What::Key))?;
            if key.revoked_at.is_some() {
                return Err(Refusal::Ended(What::Key).into());
            }
            Ok((key.login, key.fingerprint, What::Key))
        }
        Credential::Token(id) => {
            let token = token_of(view, *id)?;
            if token.revoked_at.is_some() {
                return Err(Refusal::Ended(What::Token).into());
            }
            Ok((token.login, token_credential(token.id), What::Token))
        }
    }
}

/// Whether this key or token is blocked now.
pub(super) fn is_blocked(
    view: &dyn CatalogView,
    login: &LoginName,
    credential: &str,
    now: Moment,
) -> Result<bool, Failure> {
    let row = view.row::<CredentialBlock>(&CredentialBlock::key_of(login, credential))?;
    Ok(row.is_some_and(|row| row.holds(now)))
}

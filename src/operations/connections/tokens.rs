//! API tokens of machine accounts, as an administrator makes and revokes them. Each has an
//! end; its secret is told once and kept nowhere.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::manage_accounts::{NewToken, fresh_token};
use super::tell::{Told, told};
use super::uses::LastUse;
use super::{Caller, Failure, MOST_TOKENS_IN_ALL, Operations, event, organisation_of, own_machine};
use crate::domain::account::Token;
use crate::domain::connections::{ConnectionFlaw, CredentialUse, EndWarning, MOST_ENDED, MOST_TOKENS};
use crate::domain::credential_block::token_credential;
use crate::domain::decision::Decision;
use crate::domain::history::Happening;
use crate::domain::ids::{LinkId, TokenId};
use crate::domain::moment::Moment;
use crate::domain::names::LoginName;
use crate::domain::notice::{Fact, NoticeKind};
use crate::domain::record::Row;
use crate::domain::refusal::{Refusal, What};
use crate::ports::catalog::CatalogView;

/// A token with its last use.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenView {
    /// The token.
    pub token: Token,
    /// When it was used last.
    pub last_use: Option<LastUse>,
    /// The operator blocked it alone (J8).
    pub is_blocked: bool,
}

impl Operations {
    /// An id for a token that is to be made: a form that is sent twice makes one token.
    #[must_use]
    pub fn token_id(&self) -> TokenId {
        TokenId::from_random(self.entropy.sixteen())
    }

    /// Makes an API token for a machine account of the own organisation.
    ///
    /// # Errors
    /// `NotFound` for the account; `Connection` with what is wrong with the end, or when the token was made already.
    pub fn add_machine_token(
        &self,
        caller: &Caller,
        login: &LoginName,
        id: TokenId,
        expires_at: Moment,
    ) -> Result<NewToken, Failure> {
        let (now, latest) = (self.now(), self.latest_token_end());
        let days = self.settings.connections.max_token_lasts.millis() / (24 * 3_600_000);
        let new = fresh_token(self.entropy.as_ref(), id, login, Some(expires_at), now);
        let (caller, login, token) = (caller.clone(), login.clone(), new.token.clone());
        let (mail, post) = (LinkId::from_random(self.entropy.sixteen()), Arc::clone(&self.post));
        self.catalog.decide(Box::new(move |view| {
            let account = own_machine(view, &caller, &login, now)?;
            let organisation = organisation_of(view, &caller)?;
            let refused = |flaw: ConnectionFlaw| Err(Refusal::from(flaw).into());
            if expires_at <= now {
                return refused(ConnectionFlaw::EndPast);
            }
            if expires_at > latest {
                return refused(ConnectionFlaw::EndTooFar(days));
            }
            let all = view.rows::<Token>(&Token::all(), None, MOST_TOKENS_IN_ALL)?;
            if all.iter().any(|token| token.id == id) {
                return refused(ConnectionFlaw::TokenMade);
            }
            let mut own: Vec<Token> = all.into_iter().filter(|token| token.login == login).collect();
            if own.iter().filter(|token| token.is_valid(now)).count() >= MOST_TOKENS {
                return refused(ConnectionFlaw::ManyTokens);
            }
            own.retain(|token| !token.is_valid(now));
            own.sort_by_key(|token| token.revoked_at.or(token.expires_at));
            let excess = own.len().saturating_sub(MOST_ENDED);
            let event = event(Happening::TokenAdded, &caller, &login).with_note(&id.to_string()).with_until(expires_at);
            let facts = vec![(Fact::Thing, id.to_string()), (Fact::Until, expires_at.millis().to_string())];
            let mut decision = Decision::new(now, event).put(token);
            for old in own.iter().take(excess) {
                let credential = token_credential(old.id);
                decision = decision
                    .remove(Token::key_of(&old.secret_sha256))
                    .remove(CredentialUse::key_of(&login, &credential))
                    .remove(EndWarning::key_of(&login, &credential));
            }
            let what = Told { kind: NoticeKind::TokenAdded, id: mail, facts, also: None };
            told(&post, view, decision, (&account, &organisation, caller.login.as_str()), what, now)
        }))?;
        Ok(new)
    }

    /// Revokes a token of a machine account: the next request with it is refused.
    ///
    /// # Errors
    /// `NotFound` for account or token; `WrongState` when it was revoked already.
    pub fn revoke_machine_token(&self, caller: &Caller, login: &LoginName, id: TokenId) -> Result<(), Failure> {
        let (now, caller, login) = (self.now(), caller.clone(), login.clone());
        let (mail, post) = (LinkId::from_random(self.entropy.sixteen()), Arc::clone(&self.post));
        self.catalog.decide(Box::new(move |view| {
            let account = own_machine(view, &caller, &login, now)?;
            let organisation = organisation_of(view, &caller)?;
            let own = tokens_of(view, &[&login])?.remove(&login).unwrap_or_default();
            let mut row = own.into_iter().find(|token| token.id == id).ok_or(Refusal::NotFound(What::Token))?;
            if row.revoked_at.is_some() {
                return Err(Refusal::WrongState("the token was revoked already".to_owned()).into());
            }
            row.revoked_at = Some(now);
            let event = event(Happening::TokenRevoked, &caller, &login).with_note(&id.to_string());
            let decision = Decision::new(now, event).put(row);
            let facts = vec![(Fact::Thing, id.to_string())];
            let what = Told { kind: NoticeKind::TokenRevoked, id: mail, facts, also: None };
            told(&post, view, decision, (&account, &organisation, caller.login.as_str()), what, now)
        }))?;
        Ok(())
    }
}

/// The tokens of these accounts.
pub(super) fn tokens_of(
    view: &dyn CatalogView,
    logins: &[&LoginName],
) -> Result<HashMap<LoginName, Vec<Token>>, Failure> {
    let mut found: HashMap<LoginName, Vec<Token>> = HashMap::new();
    for token in view.rows::<Token>(&Token::all(), None, MOST_TOKENS_IN_ALL)? {
        if logins.contains(&&token.login) {
            found.entry(token.login.clone()).or_default().push(token);
        }
    }
    Ok(found)
}

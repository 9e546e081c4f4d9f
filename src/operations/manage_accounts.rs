//! Accounts, their SSH keys and API tokens. A token's secret is returned once
//! and kept only as a digest.

use std::sync::Arc;

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest as _, Sha256};

use super::manage_organisations::organisation_of;
use super::office::role_of;
use super::sign_in::secret_digest;
use super::terms::owner_mail;
use super::{Failure, Officer, Operations};
use crate::domain::account::{Account, AccountKind, Language, SshKey, Token};
use crate::domain::allow_list::AllowList;
use crate::domain::block::Standing;
use crate::domain::decision::Decision;
use crate::domain::history::{About, Event, Happening, Who};
use crate::domain::ids::TokenId;
use crate::domain::moment::Moment;
use crate::domain::names::{LoginName, OrganisationCode};
use crate::domain::office::OFFICE;
use crate::domain::record::Row;
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::Act;
use crate::ports::catalog::CatalogView;
use crate::ports::entropy::Entropy;

/// What is needed to add an account.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// Login name.
    pub login: LoginName,
    /// The organisation it belongs to.
    pub organisation: OrganisationCode,
    /// Machine with its owner, or person.
    pub kind: AccountKind,
    /// Whether it administers its organisation.
    pub is_administrator: bool,
    /// Language of its e-mails.
    pub language: Language,
}

/// A token that was just made: the only time its secret is known.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// The token as it is kept.
    pub token: Token,
    /// The secret to show once.
    pub secret: String,
}

/// Tokens begin with this, so that scanners for leaked secrets find them.
const TOKEN_PREFIX: &str = "pkt_";

impl Operations {
    /// Adds an account, without any right (C1). The owner of a machine is asked to accept the terms of use.
    ///
    /// # Errors
    /// `NotFound` for the organisation, `Exists` for the login, `BadRequest` when a machine would administer.
    pub fn add_account(&self, new: NewAccount, by: impl Into<Officer>) -> Result<Account, Failure> {
        self.add_account_with(new, by, |_, _, decision| Ok(decision))
    }

    /// As `add_account`, with what belongs to the account in the same decision.
    pub(super) fn add_account_with(
        &self,
        new: NewAccount,
        by: impl Into<Officer>,
        more: impl FnOnce(&dyn CatalogView, &Account, Decision) -> Result<Decision, Failure> + Send + 'static,
    ) -> Result<Account, Failure> {
        let who = self.acting(by, Act::Administer)?;
        if new.is_administrator && matches!(new.kind, AccountKind::Machine { .. }) {
            return Err(Refusal::BadRequest("only a person can be an administrator".to_owned()).into());
        }
        let now = self.now();
        let account = Account {
            login: new.login,
            organisation: new.organisation,
            kind: new.kind,
            is_administrator: new.is_administrator,
            language: new.language,
            standing: Standing::Active,
            added_at: now,
            allow_from: AllowList::default(),
        };
        let (row, post) = (account.clone(), Arc::clone(&self.post));
        self.catalog.decide(Box::new(move |view| {
            if row.organisation.as_str() == OFFICE {
                return Err(Refusal::NotAllowed("accounts of the office are added with `office add`").into());
            }
            organisation_of(view, &row.organisation)?;
            if view.find(&Account::key_of(&row.login))?.is_some() {
                return Err(Refusal::Exists(What::Account, row.login.to_string()).into());
            }
            let decision = Decision::new(now, event(Happening::AccountAdded, &row, who));
            let decision = owner_mail(view, &post, decision, &row, now)?;
            Ok(more(view, &row, decision)?.put(row))
        }))?;
        Ok(account)
    }

    /// Sets from where an account may sign in. Acts at once, also on sessions that are open.
    ///
    /// # Errors
    /// `NotFound` for an unknown login.
    pub fn change_account(
        &self,
        login: &LoginName,
        allow_from: AllowList,
        by: impl Into<Officer>,
    ) -> Result<(), Failure> {
        let who = self.acting(by, Act::Administer)?;
        let (now, login) = (self.now(), login.clone());
        self.catalog.decide(Box::new(move |view| {
            let mut row = account_of(view, &login)?;
            let event = event(Happening::AccountChanged, &row, who).with_note(&allowing(&allow_from));
            row.allow_from = allow_from;
            Ok(Decision::new(now, event).put(row))
        }))?;
        Ok(())
    }

    /// One account.
    ///
    /// # Errors
    /// `NotFound` for an unknown login.
    pub fn account(&self, login: &LoginName) -> Result<Account, Failure> {
        self.catalog.look(|view| account_of(view, login))
    }

    /// Accounts in order of login, those after `after` only.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn accounts(&self, after: Option<&LoginName>) -> Result<Vec<Account>, Failure> {
        let after = after.map(Account::key_of);
        self.catalog.look(|view| Ok(view.rows(&Account::all(), after.as_ref(), self.settings.max_page)?))
    }

    /// Adds a public SSH key whose kind and size the front has judged.
    ///
    /// # Errors
    /// `NotFound` for the account, `Exists` for the key, `BadRequest` for an expiry that has passed.
    pub fn add_key(
        &self,
        login: &LoginName,
        fingerprint: &str,
        line: &str,
        expires_at: Option<Moment>,
        by: impl Into<Officer>,
    ) -> Result<SshKey, Failure> {
        let who = self.acting(by, Act::Administer)?;
        let now = self.now();
        refuse_past(expires_at, now)?;
        let key = SshKey {
            login: login.clone(),
            fingerprint: fingerprint.to_owned(),
            line: line.to_owned(),
            added_at: now,
            expires_at,
            revoked_at: None,
        };
        let row = key.clone();
        self.catalog.decide(Box::new(move |view| {
            let account = account_of(view, &row.login)?;
            refuse_office(view, &row.login)?;
            let there = view.row::<SshKey>(&SshKey::key_of(&row.login, &row.fingerprint))?;
            if there.is_some_and(|key| key.is_valid(now)) {
                return Err(Refusal::Exists(What::Key, row.fingerprint).into());
            }
            let event = event(Happening::KeyAdded, &account, who).with_note(&row.fingerprint);
            Ok(Decision::new(now, event).put(row))
        }))?;
        Ok(key)
    }

    /// Revokes a key; the account cannot sign in with it from now on.
    ///
    /// # Errors
    /// `NotFound` for the key.
    pub fn revoke_key(&self, login: &LoginName, fingerprint: &str, by: impl Into<Officer>) -> Result<(), Failure> {
        let who = self.acting(by, Act::Administer)?;
        let (now, login, fingerprint) = (self.now(), login.clone(), fingerprint.to_owned());
        self.catalog.decide(Box::new(move |view| {
            let account = account_of(view, &login)?;
            let row = view.row::<SshKey>(&SshKey::key_of(&login, &fingerprint))?;
            let mut row = row.ok_or(Refusal::NotFound(What::Key))?;
            row.revoked_at = row.revoked_at.or(Some(now));
            let event = event(Happening::KeyRevoked, &account, who).with_note(&fingerprint);
            Ok(Decision::new(now, event).put(row))
        }))?;
        Ok(())
    }

    /// The SSH keys of an account.
    ///
    /// # Errors
    /// `NotFound` for the account.
    pub fn keys(&self, login: &LoginName) -> Result<Vec<SshKey>, Failure> {
        self.catalog.look(|view| {
            account_of(view, login)?;
            Ok(view.rows(&SshKey::keys_of(login), None, self.settings.max_page)?)
        })
    }

    /// Makes an API token of 256 random bits.
    ///
    /// # Errors
    /// `NotFound` for the account, `BadRequest` for an expiry that has passed.
    pub fn add_token(
        &self,
        login: &LoginName,
        expires_at: Option<Moment>,
        by: impl Into<Officer>,
    ) -> Result<NewToken, Failure> {
        let who = self.acting(by, Act::Administer)?;
        let now = self.now();
        refuse_past(expires_at, now)?;
        let id = TokenId::from_random(self.entropy.sixteen());
        let NewToken { token, secret } = fresh_token(self.entropy.as_ref(), id, login, expires_at, now);
        let row = token.clone();
        self.catalog.decide(Box::new(move |view| {
            let account = account_of(view, &row.login)?;
            refuse_office(view, &row.login)?;
            let event = event(Happening::TokenAdded, &account, who).with_note(&row.id.to_string());
            Ok(Decision::new(now, event).put(row))
        }))?;
        Ok(NewToken { token, secret })
    }

    /// Revokes a token.
    ///
    /// # Errors
    /// `NotFound` for the token.
    pub fn revoke_token(&self, id: TokenId, by: impl Into<Officer>) -> Result<(), Failure> {
        let who = self.acting(by, Act::Administer)?;
        let now = self.now();
        self.catalog.decide(Box::new(move |view| {
            let mut row = token_of(view, id)?;
            let account = account_of(view, &row.login)?;
            row.revoked_at = row.revoked_at.or(Some(now));
            let event = event(Happening::TokenRevoked, &account, who).with_note(&id.to_string());
            Ok(Decision::new(now, event).put(row))
        }))?;
        Ok(())
    }

    /// The API tokens of an account; never their secrets.
    ///
    /// # Errors
    /// `NotFound` for the account.
    pub fn tokens(&self, login: &LoginName) -> Result<Vec<Token>, Failure> {
        self.catalog.look(|view| {
            account_of(view, login)?;
            tokens_of(view, login)
        })
    }
}

/// A token with a fresh secret.
pub(super) fn fresh_token(
    entropy: &dyn Entropy,
    id: TokenId,
    login: &LoginName,
    expires_at: Option<Moment>,
    now: Moment,
) -> NewToken {
    let mut random = [0; 32];
    entropy.fill(&mut random);
    let secret = format!("{TOKEN_PREFIX}{}", BASE64URL_NOPAD.encode(&random));
    let token = Token {
        id,
        secret_sha256: secret_digest(&secret),
        login: login.clone(),
        added_at: now,
        expires_at,
        revoked_at: None,
    };
    NewToken { token, secret }
}

/// All accounts together have at most so many tokens that are looked at.
const MOST_TOKENS: usize = 100_000;

/// The account with this login.
pub(super) fn account_of(view: &dyn CatalogView, login: &LoginName) -> Result<Account, Failure> {
    view.row::<Account>(&Account::key_of(login))?.ok_or_else(|| Refusal::NotFound(What::Account).into())
}

/// The tokens of an account.
pub(super) fn tokens_of(view: &dyn CatalogView, login: &LoginName) -> Result<Vec<Token>, Failure> {
    let tokens = view.rows::<Token>(&Token::all(), None, MOST_TOKENS)?;
    Ok(tokens.into_iter().filter(|token| token.login == *login).collect())
}

/// The token with this id.
pub(super) fn token_of(view: &dyn CatalogView, id: TokenId) -> Result<Token, Failure> {
    let tokens = view.rows::<Token>(&Token::all(), None, MOST_TOKENS)?;
    tokens.into_iter().find(|token| token.id == id).ok_or_else(|| Refusal::NotFound(What::Token).into())
}

/// `SHA256:…` of a public key blob, as `ssh-keygen -l` shows it.
#[must_use]
pub fn fingerprint(blob: &[u8]) -> String {
    format!("SHA256:{}", data_encoding::BASE64_NOPAD.encode(&Sha256::digest(blob)))
}

/// A new allow list as the history tells it: a long one is cut there, its length is not.
pub(super) fn allowing(list: &AllowList) -> String {
    match list.networks().len() {
        0 => "any address is allowed".to_owned(),
        count => format!("allowed networks ({count}): {list}"),
    }
}

/// Whoever works in the office signs in there, and has no business at the doors of machines.
fn refuse_office(view: &dyn CatalogView, login: &LoginName) -> Result<(), Failure> {
    match role_of(view, login)? {
        Some(_) => Err(Refusal::NotAllowed("an account of the office gets no keys and tokens").into()),
        None => Ok(()),
    }
}

fn refuse_past(expires_at: Option<Moment>, now: Moment) -> Result<(), Refusal> {
    match expires_at {
        Some(at) if at <= now => Err(Refusal::BadRequest(format!("the expiry {at} has passed; give a later one"))),
        _ => Ok(()),
    }
}

pub(super) fn event(what: Happening, account: &Account, who: impl Into<Who>) -> Event {
    let about = About {
        organisation: Some(account.organisation.clone()),
        login: Some(account.login.clone()),
        ..About::default()
    };
    Event::new(what, who.into(), about)
}

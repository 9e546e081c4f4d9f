//! Machine accounts of an organisation, as its administrator makes and ends them; each has a
//! named owner (BIO2 5.16.02). A new one sees nothing (C1): products are coupled elsewhere.

use std::sync::Arc;

use super::super::block_credentials::is_blocked;
use super::super::manage_accounts::allowing;
use super::super::people::{accounts_of, without_rights};
use super::super::terms::owner_mail;
use super::keys::{KeyView, keys_of};
use super::owner::refuse_foreign;
use super::tell::{Told, told};
use super::tokens::{TokenView, tokens_of};
use super::uses::LastUse;
use super::{Caller, Failure, Operations, event, may_manage, organisation_of, own_machine};
use crate::domain::account::{Account, AccountKind, Language, SshKey, Token};
use crate::domain::allow_list::AllowList;
use crate::domain::block::{Access, Standing};
use crate::domain::connections::{ConnectionFlaw, is_login_of, is_machine, login_prefix};
use crate::domain::credential_block::token_credential;
use crate::domain::decision::Decision;
use crate::domain::history::Happening;
use crate::domain::ids::LinkId;
use crate::domain::moment::{Moment, Span};
use crate::domain::names::{EmailAddress, LoginName};
use crate::domain::notice::{Fact, NoticeKind};
use crate::ports::catalog::CatalogView;

/// A machine account that ended counts for the bound so long: making and ending in turn is bounded too.
const COUNTS_AFTER_END: Span = Span::from_days(1);

/// Uses on record of one account: its keys and tokens, those that ended too.
const MOST_USES: usize = 200;

/// A machine account that is to be made.
#[derive(Clone, Debug)]
pub struct NewMachine {
    /// Its login; begins with the code of the organisation.
    pub login: LoginName,
    /// Who answers for it and gets its e-mails.
    pub owner: EmailAddress,
    /// Language of these.
    pub language: Language,
    /// From where it may sign in.
    pub allow_from: AllowList,
}

/// A machine account with everything that it signs in with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MachineView {
    /// The account.
    pub account: Account,
    /// Its keys, the newest first.
    pub keys: Vec<KeyView>,
    /// Its tokens, the newest first.
    pub tokens: Vec<TokenView>,
    /// When anything of it was used last.
    pub last_use: Option<LastUse>,
}

impl Operations {
    /// The machine accounts of the caller's organisation that have not ended, by login.
    ///
    /// # Errors
    /// `NotAllowed` for who is no administrator.
    pub fn machines(&self, caller: &Caller) -> Result<Vec<MachineView>, Failure> {
        let now = self.now();
        self.catalog.look(|view| {
            may_manage(view, caller, now)?;
            let own = accounts_of(view, &caller.organisation)?.into_iter();
            let machines: Vec<Account> =
                own.filter(|account| is_machine(account) && account.standing.at(now) != Access::Ended).collect();
            let mut tokens = tokens_of(view, &machines.iter().map(|one| &one.login).collect::<Vec<_>>())?;
            machines
                .into_iter()
                .map(|account| {
                    let own = tokens.remove(&account.login).unwrap_or_default();
                    self.machine_view(view, account, own)
                })
                .collect()
        })
    }

    /// One of them.
    ///
    /// # Errors
    /// `NotFound` for an account of another organisation, a person, or one that has ended.
    pub fn machine(&self, caller: &Caller, login: &LoginName) -> Result<MachineView, Failure> {
        let now = self.now();
        self.catalog.look(|view| {
            let account = own_machine(view, caller, login, now)?;
            let own = tokens_of(view, &[login])?.remove(login).unwrap_or_default();
            self.machine_view(view, account, own)
        })
    }

    /// Makes a machine account without any right (C1), and tells the owner and the administrators.
    ///
    /// # Errors
    /// `Connection` with what is wrong; `NotAllowed`.
    pub fn add_machine(&self, caller: &Caller, new: NewMachine) -> Result<(), Failure> {
        let (now, caller, most) = (self.now(), caller.clone(), self.settings.connections.max_machines);
        let (id, post) = (LinkId::from_random(self.entropy.sixteen()), Arc::clone(&self.post));
        self.catalog.decide(Box::new(move |view| {
            may_manage(view, &caller, now)?;
            let organisation = organisation_of(view, &caller)?;
            if !is_login_of(&new.login, &organisation.code) {
                return Err(flaw(ConnectionFlaw::LoginPrefix(login_prefix(&organisation.code))));
            }
            refuse_foreign(view, &organisation, &new.owner, now)?;
            let own = accounts_of(view, &organisation.code)?.into_iter();
            if own.filter(|account| is_machine(account) && counts(account, now)).count() >= most {
                return Err(flaw(ConnectionFlaw::ManyMachines(most)));
            }
            if view.find(&Account::key_of(&new.login))?.is_some() {
                return Err(flaw(ConnectionFlaw::LoginTaken));
            }
            let account = Account {
                login: new.login,
                organisation: organisation.code.clone(),
                kind: AccountKind::Machine { owner: new.owner },
                is_administrator: false,
                language: new.language,
                standing: Standing::Active,
                added_at: now,
                allow_from: new.allow_from,
            };
            let event = event(Happening::AccountAdded, &caller, &account.login).with_note(&owned(&account));
            let decision = Decision::new(now, event).put(account.clone());
            // whoever owns it accepts the terms of use for it, where they are asked for
            let decision = owner_mail(view, &post, decision, &account, now)?;
            let owner = account.mail_address().to_string();
            let what = Told { kind: NoticeKind::MachineAdded, id, facts: vec![(Fact::Person, owner)], also: None };
            told(&post, view, decision, (&account, &organisation, caller.login.as_str()), what, now)
        }))?;
        Ok(())
    }

    /// Sets from where a machine account may sign in: at once, also for sessions that are open. Nothing changes when
    /// it is so already.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn change_allow_list(&self, caller: &Caller, login: &LoginName, list: AllowList) -> Result<(), Failure> {
        let now = self.now();
        if self.catalog.look(|view| own_machine(view, caller, login, now))?.allow_from == list {
            return Ok(());
        }
        let (caller, login) = (caller.clone(), login.clone());
        let (id, post) = (LinkId::from_random(self.entropy.sixteen()), Arc::clone(&self.post));
        self.catalog.decide(Box::new(move |view| {
            let mut account = own_machine(view, &caller, &login, now)?;
            let organisation = organisation_of(view, &caller)?;
            let event = event(Happening::AccountChanged, &caller, &login).with_note(&allowing(&list));
            let facts = vec![(Fact::Thing, list.to_string().replace(',', ", "))];
            account.allow_from = list;
            let decision = Decision::new(now, event).put(account.clone());
            let what = Told { kind: NoticeKind::AllowListChanged, id, facts, also: None };
            told(&post, view, decision, (&account, &organisation, caller.login.as_str()), what, now)
        }))?;
        Ok(())
    }

    /// Ends a machine account for good: its keys and tokens are revoked and its rights taken away in the same
    /// decision, and what is open is cut.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn end_machine(&self, caller: &Caller, login: &LoginName) -> Result<(), Failure> {
        let (now, caller, login) = (self.now(), caller.clone(), login.clone());
        let (id, post) = (LinkId::from_random(self.entropy.sixteen()), Arc::clone(&self.post));
        self.catalog.decide(Box::new(move |view| {
            let mut account = own_machine(view, &caller, &login, now)?;
            let organisation = organisation_of(view, &caller)?;
            account.standing = Standing::Ended { at: now, reason: None };
            let keys = keys_of(view, &login)?.into_iter().filter(|key| key.is_valid(now));
            let keys: Vec<SshKey> = keys.map(|key| SshKey { revoked_at: Some(now), ..key }).collect();
            let tokens = tokens_of(view, &[&login])?.remove(&login).unwrap_or_default().into_iter();
            let tokens = tokens.filter(|token| token.is_valid(now));
            let tokens: Vec<Token> = tokens.map(|token| Token { revoked_at: Some(now), ..token }).collect();
            let note = format!("{} keys and {} tokens were revoked with it", keys.len(), tokens.len());
            let event = event(Happening::AccountEnded, &caller, &login).with_note(&note);
            let decision = Decision::new(now, event).put(account.clone());
            let decision = keys.into_iter().fold(decision, Decision::put);
            let decision = tokens.into_iter().fold(decision, Decision::put);
            let decision = without_rights(view, decision, &account, &caller.who())?;
            let what = Told { kind: NoticeKind::MachineEnded, id, facts: Vec::new(), also: None };
            told(&post, view, decision, (&account, &organisation, caller.login.as_str()), what, now)
        }))?;
        Ok(())
    }

    fn machine_view(
        &self,
        view: &dyn CatalogView,
        account: Account,
        mut tokens: Vec<Token>,
    ) -> Result<MachineView, Failure> {
        let uses = self.uses_of(view, &account.login, MOST_USES)?;
        let use_of = |credential: &str| uses.iter().find(|found| found.credential == credential).cloned();
        let mut keys = keys_of(view, &account.login)?;
        keys.sort_by_key(|key| core::cmp::Reverse(key.added_at));
        tokens.sort_by_key(|token| core::cmp::Reverse(token.added_at));
        let now = self.now();
        let (mut key_views, mut token_views) = (Vec::new(), Vec::new());
        for key in keys {
            let is_blocked = is_blocked(view, &account.login, &key.fingerprint, now)?;
            key_views.push(KeyView { last_use: use_of(&key.fingerprint), key, is_blocked });
        }
        for token in tokens {
            let credential = token_credential(token.id);
            let is_blocked = is_blocked(view, &account.login, &credential, now)?;
            token_views.push(TokenView { last_use: use_of(&credential), token, is_blocked });
        }
        let (keys, tokens) = (key_views, token_views);
        Ok(MachineView { account, keys, tokens, last_use: uses.into_iter().max_by_key(|found| found.at) })
    }
}

pub(super) fn flaw(flaw: ConnectionFlaw) -> Failure {
    crate::domain::refusal::Refusal::from(flaw).into()
}

pub(super) fn owned(account: &Account) -> String {
    format!("owner {}", account.mail_address())
}

fn counts(account: &Account, now: Moment) -> bool {
    match account.standing {
        Standing::Ended { at, .. } => now < at.after(COUNTS_AFTER_END),
        Standing::Active | Standing::Blocked(_) => true,
    }
}

//! Terms of use: publishing versions, who has to accept them, accepting and refusing (I1-I14).
//! Whether an account may do anything else meanwhile is judged by `permits`.

mod answer;
mod machines;
mod publish;
mod tell;

use std::sync::{Arc, Mutex};

pub use machines::MachineTerms;
pub use publish::{NewTerms, TermsOverview, TermsState};

use super::{Caller, Failure, Officer, Operations, locked};
use crate::domain::account::{Account, AccountKind, Language};
use crate::domain::history::{About, Channel, Event, Happening, Who};
use crate::domain::moment::Moment;
use crate::domain::names::{LoginName, VersionName};
use crate::domain::record::Row as _;
use crate::domain::refusal::{Refusal, What};
use crate::domain::retention::SHORT_WINDOW;
use crate::domain::rights::Act;
use crate::domain::terms::{
    TermsAcceptance, TermsStanding, TermsText, TermsVersion, coming, in_force, refusable, standing_under_terms,
    to_accept,
};
use crate::ports::catalog::CatalogView;

pub(super) use machines::{has_dead_link, new_owner_mail, owner_mail};

/// So many versions are kept: one a month for eighty years.
const MOST_VERSIONS: usize = 1_000;

/// A text has at most so many parts: 128 KiB in pieces of 12 KiB, whose last character may not fit.
const MOST_PARTS: usize = 16;

/// The versions as of a state of the catalog: every page asks for them.
#[derive(Default)]
pub(super) struct KnownTerms {
    kept: Mutex<Option<(u64, Arc<[TermsVersion]>)>>,
}

impl Operations {
    /// Every version, in the order of publication. How far they were told may be older than the rest.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn terms(&self) -> Result<Arc<[TermsVersion]>, Failure> {
        // before the rows: what changes after it makes another version
        let as_of = self.catalog.version();
        if let Some((at, rows)) = &*locked(&self.known_terms.kept)
            && *at == as_of
        {
            return Ok(Arc::clone(rows));
        }
        let rows: Arc<[TermsVersion]> = self.catalog.look(all)?.into();
        *locked(&self.known_terms.kept) = Some((as_of, Arc::clone(&rows)));
        Ok(rows)
    }

    /// The version that applies now (I14).
    ///
    /// # Errors
    /// A fault of the store.
    pub fn terms_in_force(&self) -> Result<Option<TermsVersion>, Failure> {
        Ok(in_force(&self.terms()?, self.now()).cloned())
    }

    /// The newest version, while it does not apply yet (I12).
    ///
    /// # Errors
    /// A fault of the store.
    pub fn terms_coming(&self) -> Result<Option<TermsVersion>, Failure> {
        Ok(coming(&self.terms()?, self.now()).cloned())
    }

    /// The version that can be refused now (I13).
    ///
    /// # Errors
    /// A fault of the store.
    pub fn terms_refusable(&self) -> Result<Option<TermsVersion>, Failure> {
        Ok(refusable(&self.terms()?, self.now()).cloned())
    }

    /// The version that who has accepted none is asked for.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn terms_to_accept(&self) -> Result<Option<TermsVersion>, Failure> {
        Ok(to_accept(&self.terms()?, self.now()).cloned())
    }

    /// The version of this name.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn terms_named(&self, name: &VersionName) -> Result<TermsVersion, Failure> {
        let found = self.terms()?.iter().find(|version| version.name == *name).cloned();
        found.ok_or_else(|| Refusal::NotFound(What::Terms).into())
    }

    /// The text of a version, and in which language it is: the Dutch one where there is no other.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn terms_text(&self, number: u32, language: Language) -> Result<(String, Language), Failure> {
        self.catalog.look(|view| {
            for language in [language, Language::Dutch] {
                let parts = view.rows::<TermsText>(&TermsText::keys_of(number, language), None, MOST_PARTS)?;
                if !parts.is_empty() {
                    return Ok((parts.into_iter().map(|part| part.text).collect(), language));
                }
            }
            Err(Refusal::NotFound(What::Terms).into())
        })
    }

    /// How the terms were accepted for an account, and what they mean for it now on SFTP and the API.
    ///
    /// # Errors
    /// `NotFound` for the account.
    pub fn terms_of_account(&self, login: &LoginName, by: impl Into<Officer>) -> Result<AccountTerms, Failure> {
        self.acting(by, Act::Oversee)?;
        let now = self.now();
        self.catalog.look(|view| {
            let account = view.row::<Account>(&Account::key_of(login))?.ok_or(Refusal::NotFound(What::Account))?;
            under_terms(view, &account, now)
        })
    }

    /// The same of all accounts in the order of logins, those after `after` only.
    ///
    /// # Errors
    /// `NotAllowed`.
    pub fn accounts_under_terms(
        &self,
        after: Option<&LoginName>,
        by: impl Into<Officer>,
    ) -> Result<Vec<(Account, AccountTerms)>, Failure> {
        self.acting(by, Act::Oversee)?;
        let (now, after) = (self.now(), after.map(Account::key_of));
        self.catalog.look(|view| {
            let accounts = view.rows::<Account>(&Account::all(), after.as_ref(), self.settings.max_page)?;
            let mut rows = Vec::new();
            for account in accounts {
                let terms = under_terms(view, &account, now)?;
                rows.push((account, terms));
            }
            Ok(rows)
        })
    }

    /// How the caller accepted the terms.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn own_terms(&self, caller: &Caller) -> Result<Option<(TermsAcceptance, VersionName)>, Failure> {
        self.catalog.look(|view| accepted_of(view, &caller.login))
    }

    /// What who comes in without having accepted is told, and where to do it.
    pub(super) fn terms_refusal(&self) -> Refusal {
        Refusal::TermsNotAccepted { address: format!("{}/terms", self.settings.sender.portal_url) }
    }

    /// Until when accounts of before a publication may go on: to the end of the day, below one day to the moment.
    fn grace_end(&self, published_at: Moment) -> Moment {
        let end = published_at.after(self.settings.terms_grace);
        if self.settings.terms_grace < SHORT_WINDOW { end } else { self.clock.midnight_closing(end) }
    }
}

/// The terms of use of one account, as the operator sees them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountTerms {
    /// How they were accepted, and which version.
    pub accepted: Option<(TermsAcceptance, VersionName)>,
    /// What they mean now: in the portal for a person, on SFTP and the API for a machine.
    pub standing: TermsStanding,
}

fn under_terms(view: &dyn CatalogView, account: &Account, now: Moment) -> Result<AccountTerms, Failure> {
    let channel = match account.kind {
        AccountKind::Machine { .. } => Channel::Sftp,
        AccountKind::Person { .. } => Channel::Portal,
    };
    Ok(AccountTerms {
        accepted: accepted_of(view, &account.login)?,
        standing: terms_standing(view, account, channel, now)?,
    })
}

fn accepted_of(view: &dyn CatalogView, login: &LoginName) -> Result<Option<(TermsAcceptance, VersionName)>, Failure> {
    let Some(row) = view.row::<TermsAcceptance>(&TermsAcceptance::key_of(login))? else { return Ok(None) };
    let version = view.row::<TermsVersion>(&TermsVersion::key_of(row.number))?;
    Ok(version.map(|version| (row, version.name)))
}

/// What the terms mean for an account that comes in by this channel.
pub(super) fn terms_standing(
    view: &dyn CatalogView,
    account: &Account,
    channel: Channel,
    now: Moment,
) -> Result<TermsStanding, Failure> {
    let Some(first) = view.row::<TermsVersion>(&TermsVersion::key_of(1))? else { return Ok(TermsStanding::Unbound) };
    let acceptance = view.row::<TermsAcceptance>(&TermsAcceptance::key_of(&account.login))?;
    Ok(standing_under_terms(Some(&first), acceptance.as_ref(), (account.added_at, channel), now))
}

/// Whether an account has to accept the terms before anything else.
pub(super) fn has_terms_open(
    view: &dyn CatalogView,
    account: &Account,
    channel: Channel,
    now: Moment,
) -> Result<bool, Failure> {
    Ok(terms_standing(view, account, channel, now)? == TermsStanding::Open)
}

fn all(view: &dyn CatalogView) -> Result<Vec<TermsVersion>, Failure> {
    Ok(view.rows(&TermsVersion::all(), None, MOST_VERSIONS)?)
}

/// An event about an account and a version.
fn event(what: Happening, who: Who, account: &Account, version: &TermsVersion) -> Event {
    let about = About {
        organisation: Some(account.organisation.clone()),
        login: Some(account.login.clone()),
        ..About::default()
    };
    Event::new(what, who, about).with_note(&format!("version {}", version.name))
}

//! Organisations and their recipient keys: adding, changing, listing.

use super::manage_accounts::allowing;
use super::{Failure, Officer, Operations};
use crate::domain::allow_list::AllowList;
use crate::domain::block::Standing;
use crate::domain::decision::Decision;
use crate::domain::history::{About, Event, Happening, Who};
use crate::domain::moment::Moment;
use crate::domain::names::{Kvk, Line, MailDomain, Oin, OrganisationCode};
use crate::domain::office::OFFICE;
use crate::domain::organisation::{Organisation, RecipientKey};
use crate::domain::record::Row;
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::Act;
use crate::ports::catalog::CatalogView;

/// What is needed to add an organisation.
#[derive(Clone, Debug)]
pub struct NewOrganisation {
    /// Short code.
    pub code: OrganisationCode,
    /// Full name.
    pub name: Line,
    /// OIN.
    pub oin: Option<Oin>,
    /// KVK number.
    pub kvk: Option<Kvk>,
    /// Mail domains.
    pub mail_domains: Vec<MailDomain>,
}

/// What is to be different about an organisation; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct OrganisationChange {
    /// Full name.
    pub name: Option<Line>,
    /// OIN.
    pub oin: Option<Oin>,
    /// KVK number.
    pub kvk: Option<Kvk>,
    /// All mail domains.
    pub mail_domains: Option<Vec<MailDomain>>,
    /// From where its accounts may sign in.
    pub allow_from: Option<AllowList>,
}

impl Operations {
    /// Adds an organisation and makes its identity, under which its deliveries are sealed.
    ///
    /// # Errors
    /// `Exists` when the code is taken; a fault of keys or store.
    pub fn add_organisation(&self, new: NewOrganisation, by: impl Into<Officer>) -> Result<Organisation, Failure> {
        let (who, now) = (self.acting(by, Act::Administer)?, self.now());
        let organisation = self.drawn_up(new, now)?;
        let row = organisation.clone();
        self.catalog.decide(Box::new(move |view| Ok(Decision::new(now, added(view, &row, who)?).put(row))))?;
        Ok(organisation)
    }

    /// An organisation that is not on record yet, and its identity.
    pub(super) fn drawn_up(&self, new: NewOrganisation, now: Moment) -> Result<Organisation, Failure> {
        if new.code.as_str() == OFFICE {
            return Err(Refusal::Exists(What::Organisation, format!("{OFFICE}, which is that of the office,")).into());
        }
        let organisation = Organisation {
            code: new.code,
            name: new.name,
            oin: new.oin,
            kvk: new.kvk,
            mail_domains: new.mail_domains,
            standing: Standing::Active,
            added_at: now,
            allow_from: AllowList::default(),
        };
        self.keyring.ensure_organisation(&organisation.code)?;
        Ok(organisation)
    }

    /// Changes the data of an organisation. An allow list acts at once, also on sessions that are open.
    ///
    /// # Errors
    /// `NotFound` for an unknown code.
    pub fn change_organisation(
        &self,
        code: &OrganisationCode,
        change: OrganisationChange,
        by: impl Into<Officer>,
    ) -> Result<(), Failure> {
        let who = self.acting(by, Act::Administer)?;
        let (now, code) = (self.now(), code.clone());
        self.catalog.decide(Box::new(move |view| {
            let mut row = organisation_of(view, &code)?;
            row.name = change.name.unwrap_or(row.name);
            row.oin = change.oin.or(row.oin);
            row.kvk = change.kvk.or(row.kvk);
            row.mail_domains = change.mail_domains.unwrap_or(row.mail_domains);
            let about = About { organisation: Some(code), ..About::default() };
            let mut event = Event::new(Happening::OrganisationChanged, who, about);
            if let Some(allow_from) = change.allow_from {
                event = event.with_note(&allowing(&allow_from));
                row.allow_from = allow_from;
            }
            Ok(Decision::new(now, event).put(row))
        }))?;
        Ok(())
    }

    /// One organisation.
    ///
    /// # Errors
    /// `NotFound` for an unknown code.
    pub fn organisation(&self, code: &OrganisationCode) -> Result<Organisation, Failure> {
        self.catalog.look(|view| organisation_of(view, code))
    }

    /// Organisations in order of code, those after `after` only.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn organisations(&self, after: Option<&OrganisationCode>) -> Result<Vec<Organisation>, Failure> {
        let after = after.map(Organisation::key_of);
        self.catalog.look(|view| Ok(view.rows(&Organisation::all(), after.as_ref(), self.settings.max_page)?))
    }

    /// Adds a public key for end-to-end deliveries. One that was retired, or is to be retired on a day, is in use
    /// again without an end.
    ///
    /// # Errors
    /// `NotFound` for the organisation, `Exists` for the key, `TooMuch` when the organisation has as many as one
    /// header can hold, `BadRequest` with the reason why the key cannot be used.
    pub fn add_recipient_key(
        &self,
        code: &OrganisationCode,
        line: &str,
        by: impl Into<Officer>,
    ) -> Result<RecipientKey, Failure> {
        let by = by.into();
        let who = self.acting(by.clone(), Act::Administer)?;
        let now = self.now();
        let judged = self.keyring.judge_recipient(line)?;
        let key = RecipientKey {
            organisation: code.clone(),
            fingerprint: judged.fingerprint,
            line: judged.line,
            added_at: now,
            retired_at: None,
        };
        let row = key.clone();
        self.decide_by_two(
            &by,
            Box::new(move |view| {
                organisation_of(view, &row.organisation)?;
                let there = view.row::<RecipientKey>(&RecipientKey::key_of(&row.organisation, &row.fingerprint))?;
                if there.is_some_and(|key| key.retired_at.is_none()) {
                    return Err(Refusal::Exists(What::RecipientKey, row.fingerprint).into());
                }
                let valid = valid_recipient_keys(view, &row.organisation, now)?;
                let others = valid.iter().filter(|key| key.fingerprint != row.fingerprint).count();
                if others >= MOST_VALID_KEYS {
                    return Err(Refusal::TooMuch(format!(
                        "{} has {MOST_VALID_KEYS} recipient keys in use; retire one first",
                        row.organisation
                    ))
                    .into());
                }
                let about = About { organisation: Some(row.organisation.clone()), ..About::default() };
                let event = Event::new(Happening::RecipientKeyAdded, who, about);
                Ok(Decision::new(now, event.with_note(&row.fingerprint)).put(row))
            }),
        )?;
        Ok(key)
    }

    /// Retires a recipient key from a moment on; deliveries made for it stay made for it. The moment can be moved
    /// until it has come.
    ///
    /// # Errors
    /// `NotFound` for the key, `WrongState` for one that is retired already.
    pub fn retire_recipient_key(
        &self,
        code: &OrganisationCode,
        fingerprint: &str,
        from: Option<Moment>,
        by: impl Into<Officer>,
    ) -> Result<(), Failure> {
        let by = by.into();
        let who = self.acting(by.clone(), Act::Administer)?;
        let (now, code, fingerprint) = (self.now(), code.clone(), fingerprint.to_owned());
        self.decide_by_two(
            &by,
            Box::new(move |view| {
                let key = RecipientKey::key_of(&code, &fingerprint);
                let mut row = view.row::<RecipientKey>(&key)?.ok_or(Refusal::NotFound(What::RecipientKey))?;
                if !row.is_valid(now) {
                    return Err(Refusal::WrongState(
                        "this key is retired already; to use it again, add it again".to_owned(),
                    )
                    .into());
                }
                // What was sealed to it so far was: the past cannot be retired.
                let from = from.unwrap_or(now).max(now);
                row.retired_at = Some(from);
                let about = About { organisation: Some(code), ..About::default() };
                let event = Event::new(Happening::RecipientKeyRetired, who, about);
                Ok(Decision::new(now, event.with_until(from).with_note(&fingerprint)).put(row))
            }),
        )?;
        Ok(())
    }

    /// The recipient keys of an organisation.
    ///
    /// # Errors
    /// `NotFound` for the organisation.
    pub fn recipient_keys(&self, code: &OrganisationCode) -> Result<Vec<RecipientKey>, Failure> {
        self.catalog.look(|view| {
            organisation_of(view, code)?;
            Ok(view.rows(&RecipientKey::keys_of(code), None, self.settings.max_page)?)
        })
    }
}

/// So many keys of an organisation are in use at once: a header with a stanza for each, the largest being those of
/// RSA keys of 4,096 bits (750 bytes), is a record of less than 16 KiB.
const MOST_VALID_KEYS: usize = 16;

/// Keys that are looked at in one step: the retired ones stay, for the deliveries that were made for them.
const KEYS_AT_ONCE: usize = 100;

/// The keys to which a new delivery for this organisation is sealed, in order of fingerprint.
pub(super) fn valid_recipient_keys(
    view: &dyn CatalogView,
    code: &OrganisationCode,
    now: Moment,
) -> Result<Vec<RecipientKey>, Failure> {
    let mut valid = Vec::new();
    let mut after = None;
    loop {
        let page = view.rows::<RecipientKey>(&RecipientKey::keys_of(code), after.as_ref(), KEYS_AT_ONCE)?;
        let Some(last) = page.last() else { return Ok(valid) };
        after = Some(RecipientKey::key_of(code, &last.fingerprint));
        valid.extend(page.into_iter().filter(|key| key.is_valid(now)));
    }
}

/// The event of an organisation that is added; refused when its code is taken.
pub(super) fn added(view: &dyn CatalogView, row: &Organisation, who: Who) -> Result<Event, Failure> {
    if view.find(&Organisation::key_of(&row.code))?.is_some() {
        return Err(Refusal::Exists(What::Organisation, row.code.to_string()).into());
    }
    let about = About { organisation: Some(row.code.clone()), ..About::default() };
    Ok(Event::new(Happening::OrganisationAdded, who, about))
}

/// The organisation with this code.
pub(super) fn organisation_of(view: &dyn CatalogView, code: &OrganisationCode) -> Result<Organisation, Failure> {
    view.row::<Organisation>(&Organisation::key_of(code))?.ok_or_else(|| Refusal::NotFound(What::Organisation).into())
}

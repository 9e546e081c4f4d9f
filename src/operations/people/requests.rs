//! A person asks for an account, in two steps (A1-A12): the first is kept as a draft in memory,
//! the second asks for the organisation. Who asks learns nothing of who has an account.

use std::collections::HashMap;
use std::sync::Mutex;

use data_encoding::HEXLOWER;

use super::super::post::{Notice, addressed};
use super::super::send_notices::mail_id;
use super::super::{Visitor, locked};
use super::attempts::{Failures, count, found};
use super::members::administrators_of;
use super::{Failure, Operations, ends, person_of};
use crate::domain::account::Language;
use crate::domain::block::Access;
use crate::domain::decision::Decision;
use crate::domain::history::{About, Event, Happening, Who};
use crate::domain::ids::LinkId;
use crate::domain::moment::{Moment, Span};
use crate::domain::names::{EmailAddress, Kvk, Line, LoginName, OrganisationCode};
use crate::domain::network::Network;
use crate::domain::notice::{Addressed, Fact, NoticeKind};
use crate::domain::organisation::Organisation;
use crate::domain::record::Row;
use crate::domain::refusal::Refusal;
use crate::domain::request::{
    AccountRequest, CONFIRM_WITHIN, Employer, MOST_REQUEST_MAILS, RequestAddress, RequestStage, Salutation, domain_of,
    is_free_mail,
};
use crate::ports::catalog::CatalogView;

/// A draft is kept so long.
const DRAFT_LASTS: Span = Span::from_seconds(1_800);

/// So many drafts are kept; the oldest gives way.
const MOST_DRAFTS: usize = 1_000;

/// Requests from one network in an hour.
const MOST_FROM_SOURCE: usize = 20;

/// Organisations are read so many at a time.
const PAGE: usize = 1_000;

/// So many organisations are offered for one mail domain.
const MOST_OFFERED: usize = 20;

/// What somebody fills in at the first step (A3, A4, A7).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Applicant {
    /// How to address them.
    pub salutation: Salutation,
    /// Their name.
    pub name: Line,
    /// Their business address.
    pub email: EmailAddress,
    /// The language in which they ask.
    pub language: Language,
}

/// A request between its two steps.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RequestDraft {
    /// What was filled in.
    pub applicant: Applicant,
    /// Organisations whose mail domain is that of the address: nobody sees others (A9).
    pub offered: Vec<(OrganisationCode, Line)>,
}

/// The organisation that somebody chose at the second step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EmployerChoice {
    /// One that was offered.
    Offered(OrganisationCode),
    /// One that was not: its name, and its number in the trade register.
    Stated {
        /// Its name.
        name: Line,
        /// Its number.
        kvk: Option<Kvk>,
    },
}

/// What the link of a request shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RequestLook {
    /// The address that is confirmed.
    pub email: EmailAddress,
    /// Somebody was invited, and has still to give their name.
    pub asks_name: bool,
}

/// Drafts, and who made them. In memory, bounded.
#[derive(Default)]
pub(in crate::operations) struct Drafts {
    kept: Mutex<HashMap<[u8; 16], (Applicant, Moment)>>,
    sources: Mutex<HashMap<Network, Failures>>,
}

impl Operations {
    /// Takes the first step. Returns the key of the draft: a secret, for the address of the second step.
    ///
    /// # Errors
    /// `FreeMail`; `BadName` for an address too long to be a login name; `TriedTooOften`.
    pub fn begin_account_request(&self, applicant: Applicant, visitor: &Visitor) -> Result<String, Failure> {
        if is_free_mail(&applicant.email, &self.settings.people.refused_mail_domains) {
            return Err(Refusal::FreeMail.into());
        }
        login_of(&applicant.email)?;
        let now = self.now();
        let source = Network::source_of(visitor.address);
        let made = found(&self.drafts.sources, &source, now).map_or(0, |made| made.count);
        if made >= MOST_FROM_SOURCE {
            return Err(Refusal::TriedTooOften { seconds: 3_600 }.into());
        }
        count(&self.drafts.sources, source, now);
        let key = self.entropy.sixteen();
        let mut kept = locked(&self.drafts.kept);
        kept.retain(|_, (_, made)| now < made.after(DRAFT_LASTS));
        if kept.len() >= MOST_DRAFTS
            && let Some(oldest) = kept.iter().min_by_key(|(_, (_, made))| *made).map(|(key, _)| *key)
        {
            kept.remove(&oldest);
        }
        kept.insert(key, (applicant, now));
        Ok(HEXLOWER.encode(&key))
    }

    /// The draft of the second step, and the organisations to choose from.
    ///
    /// # Errors
    /// `LinkClosed` when there is none any more.
    pub fn account_request_draft(&self, key: &str) -> Result<RequestDraft, Failure> {
        let applicant = self.draft(key)?;
        let offered = self.catalog.look(|view| employers(view, domain_of(&applicant.email), self.now()))?;
        Ok(RequestDraft { applicant, offered })
    }

    /// Wipes a draft (A8).
    pub fn drop_account_request(&self, key: &str) {
        if let Some(key) = draft_key(key) {
            locked(&self.drafts.kept).remove(&key);
        }
    }

    /// Takes the second step: an e-mail goes to the address, whatever is known of it (A5, A11). Nobody can tell from
    /// the answer whether it has an account.
    ///
    /// # Errors
    /// `LinkClosed` when the draft is gone; `TooMuch` when too many requests wait.
    pub fn request_account(&self, key: &str, choice: EmployerChoice, visitor: &Visitor) -> Result<(), Failure> {
        let applicant = self.draft(key)?;
        let (now, login) = (self.now(), login_of(&applicant.email)?);
        let id = LinkId::from_random(self.entropy.sixteen());
        let (post, most) = (std::sync::Arc::clone(&self.post), self.settings.people.max_requests);
        let who = visitor_who(visitor);
        self.catalog.decide(Box::new(move |view| {
            let employer = employer_of(view, &applicant.email, choice, now)?;
            let known = match &employer {
                Employer::Known(code) => Some(code.clone()),
                Employer::Stated { .. } => None,
            };
            let about = About { organisation: known, login: Some(login.clone()), ..About::default() };
            let event = Event::new(Happening::AccountRequested, who, about);
            if let Some(account) = person_of(view, &login)? {
                let decision = Decision::new(now, event.with_note("the address has an account"));
                let notice = Notice {
                    id: mail_id(NoticeKind::AccountKnown, id.as_bytes(), login.as_str()),
                    kind: NoticeKind::AccountKnown,
                    delivery: None,
                };
                return post.queue(decision, notice, &addressed(&account, Vec::new()), account.language, now);
            }
            let before = match view.row::<RequestAddress>(&RequestAddress::key_of(&login))? {
                Some(address) => view.row::<AccountRequest>(&AccountRequest::key_of(address.request))?,
                None => None,
            };
            let mails = before.as_ref().map_or(0, |request| request.mails);
            let waits = before.as_ref().is_some_and(|request| matches!(request.stage, RequestStage::Waiting { .. }));
            if waits || mails >= MOST_REQUEST_MAILS {
                return Ok(Decision::new(now, event.with_note("the address waits already: no e-mail was sent")));
            }
            if before.is_none() && view.rows::<AccountRequest>(&AccountRequest::all(), None, most)?.len() >= most {
                return Err(Refusal::TooMuch("too many requests wait; try again later".to_owned()).into());
            }
            let until = ends(now, CONFIRM_WITHIN);
            let request = AccountRequest {
                id,
                email: applicant.email.clone(),
                salutation: applicant.salutation,
                name: Some(applicant.name),
                organisation: employer,
                language: applicant.language,
                // an invitation stays one, whoever asks meanwhile
                invited_by: before.as_ref().and_then(|request| request.invited_by.clone()),
                made_at: now,
                mails: mails + 1,
                stage: RequestStage::Unconfirmed { until },
            };
            let facts = vec![(Fact::RequestLink, id.to_string()), (Fact::Until, until.millis().to_string())];
            let to = Addressed { to: applicant.email, login: None, facts, last_error: None };
            let mut decision = Decision::new(now, event).put(RequestAddress { login, request: id });
            if let Some(before) = before {
                decision = decision.remove(AccountRequest::key_of(before.id));
            }
            let kind = NoticeKind::AccountRequested;
            let notice = Notice { id: mail_id(kind, id.as_bytes(), to.to.as_str()), kind, delivery: None };
            let language = request.language;
            post.queue(decision.put(request), notice, &to, language, now)
        }))?;
        self.drop_account_request(key);
        Ok(())
    }

    /// What the link of a request is for. Changes nothing (A12).
    ///
    /// # Errors
    /// `LinkClosed`.
    pub fn look_at_request(&self, code: &str) -> Result<RequestLook, Failure> {
        let id = self.link_in(code)?;
        let now = self.now();
        let request = self.catalog.look(|view| unconfirmed(view, id, now))?;
        Ok(RequestLook { email: request.email, asks_name: request.name.is_none() })
    }

    /// Confirms the address of a request, once; who was invited gives their name. From now on it waits for the
    /// administrator, or the operator where there is none (B12), who get an e-mail (M02).
    ///
    /// # Errors
    /// `LinkClosed`; `BadRequest` when the name is missing.
    pub fn confirm_request(
        &self,
        code: &str,
        given: Option<(Salutation, Line)>,
        visitor: &Visitor,
    ) -> Result<(), Failure> {
        let id = self.link_in(code)?;
        let now = self.now();
        let (post, contact) = (std::sync::Arc::clone(&self.post), self.operator_address());
        let who = visitor_who(visitor);
        self.catalog.decide(Box::new(move |view| {
            let mut request = unconfirmed(view, id, now)?;
            if request.name.is_none() {
                let (salutation, name) = given.ok_or_else(|| Refusal::BadRequest("a name is needed".to_owned()))?;
                (request.salutation, request.name) = (salutation, Some(name));
            }
            request.stage = RequestStage::Waiting { since: now };
            let organisation = match &request.organisation {
                Employer::Known(code) => view.row::<Organisation>(&Organisation::key_of(code))?,
                Employer::Stated { .. } => None,
            };
            let about = About {
                organisation: organisation.as_ref().map(|row| row.code.clone()),
                login: Some(login_of(&request.email)?),
                ..About::default()
            };
            let mut decision = Decision::new(now, Event::new(Happening::RequestConfirmed, who, about));
            let facts = vec![
                (Fact::Person, request.name.as_ref().map(ToString::to_string).unwrap_or_default()),
                (Fact::Address, request.email.to_string()),
                (Fact::Organisation, organisation_name(&request, organisation.as_ref())),
                (Fact::At, now.millis().to_string()),
            ];
            let administrators = match &organisation {
                Some(organisation) => administrators_of(view, &organisation.code, now)?,
                None => Vec::new(),
            };
            let mut readers: Vec<(Addressed, Language)> =
                administrators.iter().map(|account| (addressed(account, facts.clone()), account.language)).collect();
            if readers.is_empty() {
                let to = contact.map(|to| Addressed { to, login: None, facts, last_error: None });
                readers.extend(to.map(|to| (to, Language::Dutch)));
            }
            let kind = NoticeKind::RequestWaits;
            for (to, language) in readers {
                let notice = Notice { id: mail_id(kind, id.as_bytes(), to.to.as_str()), kind, delivery: None };
                decision = post.queue(decision, notice, &to, language, now)?;
            }
            Ok(decision.put(request))
        }))?;
        Ok(())
    }

    /// Removes requests that were not confirmed in time. Returns how many.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn expire_requests(&self) -> Result<usize, Failure> {
        let now = self.now();
        let all = self.catalog.look(|view| {
            Ok(view.rows::<AccountRequest>(&AccountRequest::all(), None, self.settings.people.max_requests)?)
        })?;
        let mut number = 0;
        for late in all.into_iter().filter(|request| is_late(request, now)) {
            let outcome = self.catalog.decide(Box::new(move |view| {
                // it may have been confirmed, or asked again, meanwhile
                if view.row::<AccountRequest>(&AccountRequest::key_of(late.id))?.as_ref() != Some(&late) {
                    return Err(Refusal::WrongState("it is not late any more".to_owned()).into());
                }
                let login = login_of(&late.email)?;
                let about = About { login: Some(login.clone()), ..About::default() };
                let decision = Decision::new(now, Event::new(Happening::RequestExpired, Who::system(), about));
                Ok(decision.remove(AccountRequest::key_of(late.id)).remove(RequestAddress::key_of(&login)))
            }));
            match outcome {
                Ok(_) => number += 1,
                Err(Failure::Refused(Refusal::WrongState(_))) => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(number)
    }

    fn draft(&self, key: &str) -> Result<Applicant, Failure> {
        let now = self.now();
        let found = draft_key(key).and_then(|key| locked(&self.drafts.kept).get(&key).cloned());
        let living = found.filter(|(_, made)| now < made.after(DRAFT_LASTS));
        Ok(living.map(|(applicant, _)| applicant).ok_or(Refusal::LinkClosed)?)
    }

    /// Who judges where there is no administrator.
    pub(in crate::operations) fn operator_address(&self) -> Option<EmailAddress> {
        EmailAddress::parse(&self.settings.sender.contact_mail).ok()
    }
}

fn draft_key(key: &str) -> Option<[u8; 16]> {
    HEXLOWER.decode(key.as_bytes()).ok()?.try_into().ok()
}

/// The login name of an address (A3): the same, in lower case.
pub(super) fn login_of(email: &EmailAddress) -> Result<LoginName, Refusal> {
    Ok(LoginName::parse(&email.as_str().to_lowercase())?)
}

pub(super) fn visitor_who(visitor: &Visitor) -> Who {
    Who {
        address: Some(visitor.address),
        client: visitor.client.clone(),
        ..Who::operator(crate::domain::history::Channel::Portal)
    }
}

fn is_late(request: &AccountRequest, now: Moment) -> bool {
    matches!(request.stage, RequestStage::Unconfirmed { until } if until <= now)
}

fn unconfirmed(view: &dyn CatalogView, id: LinkId, now: Moment) -> Result<AccountRequest, Failure> {
    let request = view.row::<AccountRequest>(&AccountRequest::key_of(id))?.ok_or(Refusal::LinkClosed)?;
    let is_open = matches!(request.stage, RequestStage::Unconfirmed { until } if now < until);
    if is_open { Ok(request) } else { Err(Refusal::LinkClosed.into()) }
}

/// The name by which a request names its organisation.
pub(super) fn organisation_name(request: &AccountRequest, known: Option<&Organisation>) -> String {
    match (&request.organisation, known) {
        (_, Some(organisation)) => organisation.name.to_string(),
        (Employer::Known(code), None) => code.to_string(),
        (Employer::Stated { name, .. }, None) => name.to_string(),
    }
}

/// Open organisations of a mail domain.
fn employers(view: &dyn CatalogView, domain: &str, now: Moment) -> Result<Vec<(OrganisationCode, Line)>, Failure> {
    let mut offered = Vec::new();
    each_organisation(view, |organisation| {
        if offered.len() < MOST_OFFERED && has_domain(organisation, domain) && is_open(organisation, now) {
            offered.push((organisation.code.clone(), organisation.name.clone()));
        }
    })?;
    Ok(offered)
}

/// The organisation that was chosen. Only the mail domain or the exact number makes it a known one: who guesses
/// codes gets a request that the operator looks at.
fn employer_of(
    view: &dyn CatalogView,
    email: &EmailAddress,
    choice: EmployerChoice,
    now: Moment,
) -> Result<Employer, Failure> {
    match choice {
        EmployerChoice::Offered(code) => {
            let row = view.row::<Organisation>(&Organisation::key_of(&code))?;
            let fits = row.filter(|row| has_domain(row, domain_of(email)) && is_open(row, now));
            Ok(fits.map(|row| Employer::Known(row.code)).ok_or_else(|| {
                Refusal::BadRequest("choose one of the organisations, or write down yours".to_owned())
            })?)
        }
        EmployerChoice::Stated { name, kvk } => {
            let mut known = None;
            if kvk.is_some() {
                each_organisation(view, |row| {
                    if known.is_none() && row.kvk == kvk && is_open(row, now) {
                        known = Some(row.code.clone());
                    }
                })?;
            }
            Ok(known.map_or(Employer::Stated { name, kvk }, Employer::Known))
        }
    }
}

fn each_organisation(view: &dyn CatalogView, mut each: impl FnMut(&Organisation)) -> Result<(), Failure> {
    let mut after = None;
    loop {
        let page = view.rows::<Organisation>(&Organisation::all(), after.as_ref(), PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(Organisation::key_of(&last.code));
        page.iter().for_each(&mut each);
    }
}

fn has_domain(organisation: &Organisation, domain: &str) -> bool {
    organisation.mail_domains.iter().any(|own| own.as_str() == domain)
}

fn is_open(organisation: &Organisation, now: Moment) -> bool {
    organisation.standing.at(now) == Access::Open
}

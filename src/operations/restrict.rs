//! Ending access in part (J7): one service of an account or organisation, for a reason of
//! the terms of use. What that takes away is judged by `permits`, from the facts gathered here.

use std::sync::Arc;

use super::manage_accounts::account_of;
use super::manage_organisations::organisation_of;
use super::post::Post;
use super::tell_access::{AccessChange, Occasion, Telling, tell_of_account, tell_of_organisation};
use super::{Failure, Officer, Operations};
use crate::domain::block::{Access, EndReason};
use crate::domain::decision::Decision;
use crate::domain::history::{About, Event, Happening};
use crate::domain::moment::Moment;
use crate::domain::names::{Line, LoginName, OrganisationCode};
use crate::domain::record::Row as _;
use crate::domain::refusal::Refusal;
use crate::domain::restriction::{Restricted, Restriction, Service};
use crate::domain::rights::{Act, Services};
use crate::ports::catalog::CatalogView;

/// A service that the operator ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServiceEnd {
    /// Which.
    pub service: Service,
    /// For which reason of the terms of use.
    pub reason: EndReason,
    /// What led to it, for the history.
    pub note: Option<Line>,
}

impl Operations {
    /// Ends one service of an account or organisation. Acts at once, also on files that are open.
    ///
    /// # Errors
    /// `NotFound`; `WrongState` when it has ended as a whole, or this service has.
    pub fn end_service(&self, subject: Restricted, end: ServiceEnd, by: impl Into<Officer>) -> Result<(), Failure> {
        self.end_service_telling(subject, end, Telling::default(), by)
    }

    /// The same, saying whom to tell besides the administrators (M20).
    ///
    /// # Errors
    /// As `end_service`.
    pub fn end_service_telling(
        &self,
        subject: Restricted,
        end: ServiceEnd,
        telling: Telling,
        by: impl Into<Officer>,
    ) -> Result<(), Failure> {
        let who = self.acting(by, Act::Administer)?;
        let now = self.now();
        let (post, occasion) = (Arc::clone(&self.post), self.occasion(now));
        self.catalog.decide(Box::new(move |view| {
            let (about, access) = about(view, &subject, now)?;
            if access == Access::Ended {
                return Err(Refusal::WrongState("it has ended already".to_owned()).into());
            }
            let ServiceEnd { service, reason, note } = end;
            if view.find(&Restriction::key_of(&subject, service))?.is_some() {
                return Err(Refusal::WrongState(format!("{} was ended already", service.word())).into());
            }
            let words = [Some(service.word()), Some(reason.word()), note.as_ref().map(Line::as_str)];
            let words: Vec<&str> = words.into_iter().flatten().collect();
            let event = Event::new(Happening::ServiceEnded, who, about).with_note(&words.join("; "));
            let change = AccessChange::new("service-ended").service(service).because(Some(reason));
            let decision = tell(view, &post, Decision::new(now, event), &subject, (change, telling), occasion)?;
            Ok(decision.put(Restriction { subject, service, reason, note, since: now }))
        }))?;
        Ok(())
    }

    /// Gives a service back.
    ///
    /// # Errors
    /// `NotFound`; `WrongState` when it was not ended.
    pub fn restore_service(
        &self,
        subject: Restricted,
        service: Service,
        by: impl Into<Officer>,
    ) -> Result<(), Failure> {
        let who = self.acting(by, Act::Administer)?;
        let now = self.now();
        let (post, occasion) = (Arc::clone(&self.post), self.occasion(now));
        self.catalog.decide(Box::new(move |view| {
            let (about, _) = about(view, &subject, now)?;
            let key = Restriction::key_of(&subject, service);
            if view.find(&key)?.is_none() {
                return Err(Refusal::WrongState(format!("{} was not ended", service.word())).into());
            }
            let event = Event::new(Happening::ServiceRestored, who, about).with_note(service.word());
            let change = (AccessChange::new("service-restored").service(service), Telling::default());
            Ok(tell(view, &post, Decision::new(now, event), &subject, change, occasion)?.remove(key))
        }))?;
        Ok(())
    }

    /// The services that were ended for an account or organisation.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn ended_services(&self, subject: &Restricted) -> Result<Vec<Restriction>, Failure> {
        self.catalog.look(|view| ended(view, subject))
    }
}

fn tell(
    view: &dyn CatalogView,
    post: &Post,
    decision: Decision,
    subject: &Restricted,
    change: (AccessChange, Telling),
    occasion: Occasion,
) -> Result<Decision, Failure> {
    match subject {
        Restricted::Account(login) => {
            tell_of_account(view, post, decision, &account_of(view, login)?, change, occasion)
        }
        Restricted::Organisation(code) => {
            tell_of_organisation(view, post, decision, &organisation_of(view, code)?, change, occasion)
        }
    }
}

fn about(view: &dyn CatalogView, subject: &Restricted, now: Moment) -> Result<(About, Access), Failure> {
    Ok(match subject {
        Restricted::Account(login) => {
            let account = account_of(view, login)?;
            let about = About {
                organisation: Some(account.organisation.clone()),
                login: Some(account.login.clone()),
                ..About::default()
            };
            (about, account.standing.at(now))
        }
        Restricted::Organisation(code) => {
            let organisation = organisation_of(view, code)?;
            let about = About { organisation: Some(code.clone()), ..About::default() };
            (about, organisation.standing.at(now))
        }
    })
}

fn ended(view: &dyn CatalogView, subject: &Restricted) -> Result<Vec<Restriction>, Failure> {
    Ok(view.rows(&Restriction::keys_of(subject), None, Service::ALL.len())?)
}

/// What is left of the services for who acts, for these organisations: what was ended for one of them is gone.
pub(super) fn services_of<'a>(
    view: &dyn CatalogView,
    login: Option<&LoginName>,
    organisations: impl IntoIterator<Item = &'a OrganisationCode>,
) -> Result<Services, Failure> {
    // mostly there is none at all
    if view.rows::<Restriction>(&Restriction::all(), None, 1)?.is_empty() {
        return Ok(Services::All);
    }
    let account = login.map(|login| Restricted::Account(login.clone()));
    let organisations = organisations.into_iter().map(|code| Restricted::Organisation(code.clone()));
    let mut services = Services::All;
    for subject in account.into_iter().chain(organisations) {
        services = ended(view, &subject)?.iter().fold(services, |left, row| left.without(row.service));
    }
    Ok(services)
}

//! What an organisation tells of itself: its administrators keep how to reach it, and ask for
//! changes of its identity, which the operator judges (A16, A17, K4).

use super::manage_organisations::organisation_of;
use super::{Caller, Failure, Officer, Operations, case_of};
use crate::domain::decision::Decision;
use crate::domain::history::{About, Event, Happening, Who};
use crate::domain::moment::Moment;
use crate::domain::names::{Line, OrganisationCode};
use crate::domain::organisation::Organisation;
use crate::domain::organisation_card::{IdentityChange, IdentityChangeStage, OrganisationCard, OrganisationIdentity};
use crate::domain::record::Row;
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::{Act, permits};
use crate::ports::catalog::CatalogView;

/// What is known of an organisation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OrganisationView {
    /// Its identity and standing.
    pub organisation: Organisation,
    /// How to reach it.
    pub card: OrganisationCard,
    /// The change of its identity that was asked for last, unless it was approved.
    pub change: Option<IdentityChange>,
}

impl Operations {
    /// What is known of the caller's organisation (A16).
    ///
    /// # Errors
    /// `Blocked` or `Ended` for who may see nothing any more.
    pub fn own_organisation(&self, caller: &Caller) -> Result<OrganisationView, Failure> {
        let now = self.now();
        self.catalog.look(|view| {
            permits(Act::ReadOrganisation, case_of(view, caller, &caller.organisation, None, now)?)?;
            seen(view, &caller.organisation, now)
        })
    }

    /// What is known of an organisation, for the operator.
    ///
    /// # Errors
    /// `NotFound` for an unknown code, `NotAllowed`.
    pub fn organisation_view(
        &self,
        code: &OrganisationCode,
        by: impl Into<Officer>,
    ) -> Result<OrganisationView, Failure> {
        self.acting(by, Act::ReadOrganisation)?;
        let now = self.now();
        self.catalog.look(|view| seen(view, code, now))
    }

    /// An administrator changes how to reach the own organisation. False when nothing differs: then nothing is
    /// written.
    ///
    /// # Errors
    /// `NotAllowed` for who is no administrator.
    pub fn change_organisation_card(&self, caller: &Caller, wanted: OrganisationCard) -> Result<bool, Failure> {
        let (now, caller) = (self.now(), caller.clone());
        let wanted = OrganisationCard { organisation: caller.organisation.clone(), changed_at: now, ..wanted };
        let differs = self.catalog.look(|view| {
            may_change(view, &caller, now)?;
            Ok(!card_of(view, &caller.organisation, now)?.says_the_same(&wanted))
        })?;
        if differs {
            self.catalog.decide(Box::new(move |view| {
                may_change(view, &caller, now)?;
                let before = card_of(view, &caller.organisation, now)?;
                let event = event(Happening::OrganisationCardChanged, caller.who(), &caller.organisation);
                // which parts, not what they say: names and numbers of people are in the row alone
                let event = event.with_note(&changed_parts(&before, &wanted));
                Ok(Decision::new(now, event).put(wanted).leaving_access_as_it_is())
            }))?;
        }
        Ok(differs)
    }

    /// An administrator asks the operator to change the identity of the own organisation.
    ///
    /// # Errors
    /// `NotAllowed` for who is no administrator, `WrongState` while a change waits, `BadRequest` when nothing
    /// differs.
    pub fn ask_identity_change(&self, caller: &Caller, wanted: OrganisationIdentity) -> Result<(), Failure> {
        let (now, caller) = (self.now(), caller.clone());
        self.catalog.decide(Box::new(move |view| {
            may_change(view, &caller, now)?;
            let code = caller.organisation.clone();
            let organisation = organisation_of(view, &code)?;
            if view.row::<IdentityChange>(&IdentityChange::key_of(&code))?.is_some_and(|change| change.waits()) {
                return Err(Refusal::WrongState("a change waits to be judged already".to_owned()).into());
            }
            if OrganisationIdentity::of(&organisation) == wanted {
                return Err(Refusal::BadRequest("this is what is on record already".to_owned()).into());
            }
            let event = event(Happening::IdentityChangeAsked, caller.who(), &code).with_note(&told(&wanted));
            let (asked_by, stage) = (caller.login.clone(), IdentityChangeStage::Waiting);
            let change = IdentityChange { organisation: code, wanted, asked_by, asked_at: now, stage };
            Ok(Decision::new(now, event).put(change).leaving_access_as_it_is())
        }))?;
        Ok(())
    }

    /// Changes of identity that wait for the operator, by organisation, those after `after` only.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn identity_changes(
        &self,
        after: Option<&OrganisationCode>,
        by: impl Into<Officer>,
    ) -> Result<Vec<IdentityChange>, Failure> {
        self.acting(by, Act::Oversee)?;
        let (mut after, most) = (after.map(IdentityChange::key_of), self.settings.max_page);
        self.catalog.look(|view| {
            let mut waiting = Vec::new();
            while waiting.len() < most {
                let page = view.rows::<IdentityChange>(&IdentityChange::all(), after.as_ref(), most)?;
                let Some(last) = page.last() else { break };
                after = Some(IdentityChange::key_of(&last.organisation));
                waiting.extend(page.into_iter().filter(IdentityChange::waits));
            }
            waiting.truncate(most);
            Ok(waiting)
        })
    }

    /// The operator approves a change: the identity is as it was asked for. Deliveries that are there keep the name
    /// under which they were published.
    ///
    /// # Errors
    /// `NotFound` when none waits, `WrongState` when the one that waits was not asked at `asked_at`.
    pub fn approve_identity_change(
        &self,
        code: &OrganisationCode,
        asked_at: Option<Moment>,
        by: impl Into<Officer>,
    ) -> Result<(), Failure> {
        let who = self.acting(by, Act::Administer)?;
        let (now, code) = (self.now(), code.clone());
        self.catalog.decide(Box::new(move |view| {
            let change = waiting(view, &code, asked_at)?;
            let mut organisation = organisation_of(view, &code)?;
            let OrganisationIdentity { name, kvk, oin } = change.wanted.clone();
            (organisation.name, organisation.kvk, organisation.oin) = (name, kvk, oin);
            let approved =
                event(Happening::IdentityChangeApproved, who.clone(), &code).with_note(&told(&change.wanted));
            Ok(Decision::new(now, approved)
                .and(event(Happening::OrganisationChanged, who, &code))
                .put(organisation)
                .remove(IdentityChange::key_of(&code)))
        }))?;
        Ok(())
    }

    /// The operator rejects a change; the administrators read why.
    ///
    /// # Errors
    /// As `approve_identity_change`.
    pub fn reject_identity_change(
        &self,
        code: &OrganisationCode,
        asked_at: Option<Moment>,
        reason: Line,
        by: impl Into<Officer>,
    ) -> Result<(), Failure> {
        let who = self.acting(by, Act::Administer)?;
        let (now, code) = (self.now(), code.clone());
        self.catalog.decide(Box::new(move |view| {
            let mut change = waiting(view, &code, asked_at)?;
            let event = event(Happening::IdentityChangeRejected, who, &code);
            let decision = Decision::new(now, event.with_note(reason.as_str()));
            change.stage = IdentityChangeStage::Rejected { at: now, reason };
            Ok(decision.put(change).leaving_access_as_it_is())
        }))?;
        Ok(())
    }
}

fn may_change(view: &dyn CatalogView, caller: &Caller, now: Moment) -> Result<(), Failure> {
    Ok(permits(Act::ChangeOrganisation, case_of(view, caller, &caller.organisation, None, now)?)?)
}

fn seen(view: &dyn CatalogView, code: &OrganisationCode, now: Moment) -> Result<OrganisationView, Failure> {
    Ok(OrganisationView {
        organisation: organisation_of(view, code)?,
        card: card_of(view, code, now)?,
        change: view.row(&IdentityChange::key_of(code))?,
    })
}

fn card_of(view: &dyn CatalogView, code: &OrganisationCode, now: Moment) -> Result<OrganisationCard, Failure> {
    let row = view.row::<OrganisationCard>(&OrganisationCard::key_of(code))?;
    Ok(row.unwrap_or_else(|| OrganisationCard::empty(code.clone(), now)))
}

fn waiting(
    view: &dyn CatalogView,
    code: &OrganisationCode,
    asked_at: Option<Moment>,
) -> Result<IdentityChange, Failure> {
    let change = view.row::<IdentityChange>(&IdentityChange::key_of(code))?.filter(IdentityChange::waits);
    let change = change.ok_or(Refusal::NotFound(What::Request))?;
    if asked_at.is_some_and(|at| at != change.asked_at) {
        return Err(Refusal::WrongState("another change was asked for meanwhile; look at it first".to_owned()).into());
    }
    Ok(change)
}

/// Which parts of a card differ.
fn changed_parts(before: &OrganisationCard, after: &OrganisationCard) -> String {
    let parts = [
        ("e-mail", before.email != after.email),
        ("telephone", before.phone != after.phone),
        ("address", before.address != after.address),
        ("contact persons", before.persons != after.persons),
    ];
    parts.iter().filter(|(_, differs)| *differs).map(|(part, _)| *part).collect::<Vec<_>>().join(", ")
}

/// An identity in one line.
fn told(identity: &OrganisationIdentity) -> String {
    let number = |label: &str, number: Option<String>| match number {
        Some(number) => format!(", {label} {number}"),
        None => String::new(),
    };
    let kvk = number("KVK", identity.kvk.as_ref().map(ToString::to_string));
    let oin = number("OIN", identity.oin.as_ref().map(ToString::to_string));
    format!("{}{kvk}{oin}", identity.name)
}

fn event(what: Happening, who: Who, code: &OrganisationCode) -> Event {
    Event::new(what, who, About { organisation: Some(code.clone()), ..About::default() })
}

//! The own organisation (A16, A17, K4): everybody of it sees what is known; an administrator changes
//! how to reach it at once, and asks the operator for a change of its identity.

use askama::Template;
use hyper::StatusCode;

use super::form::Form;
use super::page::{Frame, shown};
use super::texts::organisation::Texts;
use super::{Ask, Failure, Member, words};
use crate::domain::names::{EmailAddress, Line};
use crate::domain::organisation_card::{
    ContactPerson, ContactPersons, ContactRole, IdentityChangeStage, OrganisationCard, OrganisationIdentity, given,
};
use crate::domain::refusal::Refusal;
use crate::fronts::https::reply::Reply;
use crate::operations::OrganisationView;

#[derive(Template)]
#[template(path = "organisation.html", config = "src/fronts/https/portal/askama.toml")]
struct Page {
    frame: Frame,
    token: String,
    error: String,
    notice: &'static str,
    is_administrator: bool,
    card: Card,
    fields: Card,
    waits_since: String,
    rejected: String,
}

/// What is known of an organisation, as text: on its card, and in the fields of a form.
pub(super) struct Card {
    pub(super) texts: &'static Texts,
    pub(super) name: String,
    pub(super) code: String,
    pub(super) kvk: String,
    pub(super) oin: String,
    pub(super) email: String,
    pub(super) phone: String,
    pub(super) address: String,
    /// One for each role.
    pub(super) persons: Vec<Person>,
}

/// A contact person, or the empty fields for one.
pub(super) struct Person {
    pub(super) word: &'static str,
    pub(super) label: &'static str,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) phone: String,
}

fn label(texts: &'static Texts, role: ContactRole) -> &'static str {
    match role {
        ContactRole::Functional => texts.functional,
        ContactRole::Technical => texts.technical,
        ContactRole::Privacy => texts.privacy,
        ContactRole::Security => texts.security,
    }
}

fn text<T: ToString>(value: Option<&T>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

impl Card {
    /// As it is on record.
    pub(super) fn of(member: &Member, view: &OrganisationView) -> Self {
        let texts = Texts::of(member.guest.language);
        let (organisation, card) = (&view.organisation, &view.card);
        let person = |role: ContactRole| {
            let known = card.persons.of(role);
            Person {
                word: role.word(),
                label: label(texts, role),
                name: text(known.map(|person| &person.name)),
                email: text(known.map(|person| &person.email)),
                phone: text(known.and_then(|person| person.phone.as_ref())),
            }
        };
        Self {
            texts,
            name: organisation.name.to_string(),
            code: organisation.code.to_string(),
            kvk: text(organisation.kvk.as_ref()),
            oin: text(organisation.oin.as_ref()),
            email: text(card.email.as_ref()),
            phone: text(card.phone.as_ref()),
            address: text(card.address.as_ref()),
            persons: ContactRole::ALL.into_iter().map(person).collect(),
        }
    }

    /// How to reach it, as it was filled in.
    fn filled_in(mut self, form: &Form) -> Self {
        let field = |name: &str| form.field(name).trim().to_owned();
        (self.email, self.phone, self.address) = (field("email"), field("phone"), field("address"));
        for person in &mut self.persons {
            let of = |part: &str| field(&format!("{}-{part}", person.word));
            (person.name, person.email, person.phone) = (of("name"), of("email"), of("phone"));
        }
        self
    }

    /// The card that these fields say, or what is wrong with them.
    fn read(&self, before: &OrganisationCard) -> Result<OrganisationCard, String> {
        let wrong = |given: &str| format!("{} {given}", self.texts.wrong);
        let mut persons = Vec::new();
        for (role, person) in ContactRole::ALL.into_iter().zip(&self.persons) {
            if person.name.is_empty() && person.email.is_empty() && person.phone.is_empty() {
                continue;
            }
            if person.name.is_empty() || person.email.is_empty() {
                return Err(format!("{} ({})", self.texts.person_incomplete, person.label));
            }
            persons.push(ContactPerson {
                role,
                name: Line::parse(&person.name).map_err(|_| wrong(&person.name))?,
                email: EmailAddress::parse(&person.email).map_err(|_| wrong(&person.email))?,
                phone: given(&person.phone, Line::parse).map_err(|_| wrong(&person.phone))?,
            });
        }
        Ok(OrganisationCard {
            email: given(&self.email, EmailAddress::parse).map_err(|_| wrong(&self.email))?,
            phone: given(&self.phone, Line::parse).map_err(|_| wrong(&self.phone))?,
            address: given(&self.address, Line::parse).map_err(|_| wrong(&self.address))?,
            persons: ContactPersons::new(persons).map_err(|refusal| refusal.to_string())?,
            ..before.clone()
        })
    }
}

/// The page.
pub(in crate::fronts::https) fn organisation(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let view = ask.site.operations.own_organisation(&member.visit.caller)?;
    let texts = Texts::of(member.guest.language);
    let notice = match ask.query.split('&').find_map(|pair| pair.strip_prefix("done=")) {
        Some("saved") => texts.saved,
        Some("asked") => texts.identity_asked,
        _ => "",
    };
    showing(ask, member, &view, Card::of(member, &view), notice, String::new())
}

/// Changes how to reach it.
pub(in crate::fronts::https) fn save_card(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let operations = &ask.site.operations;
    let view = operations.own_organisation(&member.visit.caller)?;
    let fields = Card::of(member, &view).filled_in(&Form::read(&ask.content));
    match fields.read(&view.card) {
        Ok(card) => {
            operations.change_organisation_card(&member.visit.caller, card)?;
            Ok(member.guest.onward_with("/organisation", "saved"))
        }
        Err(error) => showing(ask, member, &view, fields, "", error),
    }
}

/// Asks for a change of its identity.
pub(in crate::fronts::https) fn ask_identity(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let operations = &ask.site.operations;
    let view = operations.own_organisation(&member.visit.caller)?;
    let (form, mut fields) = (Form::read(&ask.content), Card::of(member, &view));
    let field = |name: &str| form.field(name).trim().to_owned();
    (fields.name, fields.kvk, fields.oin) = (field("name"), field("kvk"), field("oin"));
    let Ok(wanted) = OrganisationIdentity::parse(&fields.name, &fields.kvk, &fields.oin) else {
        let error = format!("{} {}, {}, {}", fields.texts.wrong, fields.name, fields.kvk, fields.oin);
        return showing(ask, member, &view, fields, "", error);
    };
    match operations.ask_identity_change(&member.visit.caller, wanted) {
        Ok(()) => Ok(member.guest.onward_with("/organisation", "asked")),
        Err(Failure::Refused(Refusal::BadRequest(_))) => {
            let error = fields.texts.identity_same.to_owned();
            showing(ask, member, &view, fields, "", error)
        }
        // one waits already: the page says so
        Err(Failure::Refused(Refusal::WrongState(_))) => Ok(member.guest.onward("/organisation")),
        Err(failure) => Err(failure),
    }
}

fn showing(
    ask: &Ask,
    member: &Member,
    view: &OrganisationView,
    mut fields: Card,
    notice: &'static str,
    error: String,
) -> Result<Reply, Failure> {
    let (mut waits_since, mut rejected) = (String::new(), String::new());
    if let Some(change) = &view.change {
        match &change.stage {
            IdentityChangeStage::Waiting => {
                let day = ask.site.operations.calendar().date_of(change.asked_at);
                waits_since = words::date(member.guest.language, day);
                fields.name = change.wanted.name.to_string();
                fields.kvk = text(change.wanted.kvk.as_ref());
                fields.oin = text(change.wanted.oin.as_ref());
            }
            IdentityChangeStage::Rejected { reason, .. } => rejected = reason.to_string(),
        }
    }
    let page = Page {
        frame: member.frame(ask),
        token: member.visit.form_token.clone(),
        error,
        notice,
        is_administrator: member.visit.account.is_administrator,
        card: Card::of(member, view),
        fields,
        waits_since,
        rejected,
    };
    shown(StatusCode::OK, &member.guest, &page)
}

//! Asking for an account in two steps (P02: A1-A12), and the link that confirms an address or an
//! invitation. What is answered does not depend on who has an account.

use askama::Template;
use hyper::StatusCode;

use super::form::Form;
use super::page::{Frame, message, shown};
use super::{Ask, Failure, Guest, told};
use crate::domain::names::{EmailAddress, Kvk, Line, OrganisationCode};
use crate::domain::refusal::Refusal;
use crate::domain::request::Salutation;
use crate::fronts::https::reply::Reply;
use crate::operations::{Applicant, EmployerChoice};

#[derive(Template)]
#[template(path = "request.html", config = "src/fronts/https/portal/askama.toml")]
struct Person {
    frame: Frame,
    error: String,
    salutation: &'static str,
    name: String,
    email: String,
}

#[derive(Template)]
#[template(path = "request_organisation.html", config = "src/fronts/https/portal/askama.toml")]
struct Organisation<'a> {
    frame: Frame,
    error: String,
    draft: &'a str,
    email: String,
    offered: Vec<Offered>,
    chosen: String,
    name: String,
    kvk: String,
}

struct Offered {
    code: String,
    name: String,
}

#[derive(Template)]
#[template(path = "request_confirm.html", config = "src/fronts/https/portal/askama.toml")]
struct Confirm<'a> {
    frame: Frame,
    error: String,
    code: &'a str,
    email: String,
    asks_name: bool,
    salutation: &'static str,
    name: String,
}

/// Words of the salutation in a form.
const SALUTATIONS: [(&str, Salutation); 3] =
    [("neutral", Salutation::Neutral), ("madam", Salutation::Madam), ("sir", Salutation::Sir)];

fn salutation_of(form: &Form) -> Option<(&'static str, Salutation)> {
    SALUTATIONS.into_iter().find(|(word, _)| *word == form.field("salutation"))
}

/// The first step.
pub(in crate::fronts::https) fn ask_person(ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    asking_person(ask, guest, &Form::read(b""), String::new())
}

/// Takes the first step.
pub(in crate::fronts::https) fn take_person(ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    let (form, texts) = (Form::read(&ask.content), guest.texts());
    let again = |error: &str| asking_person(ask, guest, &form, error.to_owned());
    let Some((_, salutation)) = salutation_of(&form) else { return again(texts.salutation_missing) };
    let Ok(name) = Line::parse(form.field("name").trim()) else { return again(texts.name_missing) };
    let Ok(email) = EmailAddress::parse(form.field("email").trim()) else { return again(texts.email_wrong) };
    let applicant = Applicant { salutation, name, email, language: guest.language };
    match ask.site.operations.begin_account_request(applicant, &guest.visitor) {
        Ok(draft) => Ok(guest.onward(&format!("/account-request/organisation/{draft}"))),
        Err(Failure::Refused(Refusal::BadName(_))) => again(texts.email_wrong),
        Err(Failure::Refused(refusal @ Refusal::FreeMail)) => again(&told(texts, &refusal)),
        Err(failure) => Err(failure),
    }
}

/// The second step.
pub(in crate::fronts::https) fn ask_organisation(ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    asking_organisation(ask, guest, &Form::read(b""), String::new())
}

/// Takes the second step.
pub(in crate::fronts::https) fn take_organisation(ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    let (form, texts) = (Form::read(&ask.content), guest.texts());
    let again = |error: &str| asking_organisation(ask, guest, &form, error.to_owned());
    let choice = match form.field("organisation") {
        "other" | "" => {
            let Ok(name) = Line::parse(form.field("name").trim()) else { return again(texts.organisation_missing) };
            let kvk = match form.field("kvk").trim() {
                "" => None,
                text => match Kvk::parse(text) {
                    Ok(kvk) => Some(kvk),
                    Err(_) => return again(texts.kvk_wrong),
                },
            };
            EmployerChoice::Stated { name, kvk }
        }
        code => match OrganisationCode::parse(code) {
            Ok(code) => EmployerChoice::Offered(code),
            Err(_) => return again(texts.organisation_missing),
        },
    };
    match ask.site.operations.request_account(ask.segment(0), choice, &guest.visitor) {
        Ok(()) => Ok(guest.onward("/account-request/sent")),
        Err(Failure::Refused(Refusal::LinkClosed)) => too_late(ask, guest),
        Err(Failure::Refused(Refusal::BadRequest(_))) => again(texts.organisation_missing),
        Err(failure) => Err(failure),
    }
}

/// Wipes what was filled in (A8).
pub(in crate::fronts::https) fn cancel(ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    ask.site.operations.drop_account_request(ask.segment(0));
    Ok(guest.onward("/"))
}

/// The same for everybody (A11).
pub(in crate::fronts::https) fn sent(ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    let texts = guest.texts();
    message(ask, guest, StatusCode::OK, texts.request_sent_title, texts.request_sent_lead)
}

/// What the link of an e-mail is for. Changes nothing (A12).
pub(in crate::fronts::https) fn look_at_request(ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    confirming(ask, guest, &Form::read(b""), String::new())
}

/// Confirms an address, or takes up an invitation.
pub(in crate::fronts::https) fn confirm_request(ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    let (form, texts) = (Form::read(&ask.content), guest.texts());
    let name = Line::parse(form.field("name").trim()).ok();
    let given = salutation_of(&form).zip(name).map(|((_, salutation), name)| (salutation, name));
    match ask.site.operations.confirm_request(ask.segment(0), given, &guest.visitor) {
        Ok(()) => message(ask, guest, StatusCode::OK, texts.request_confirmed_title, texts.request_confirmed_lead),
        Err(Failure::Refused(Refusal::BadRequest(_))) => confirming(ask, guest, &form, texts.name_missing.to_owned()),
        Err(Failure::Refused(Refusal::LinkClosed)) => closed(ask, guest),
        Err(failure) => Err(failure),
    }
}

fn asking_person(ask: &Ask, guest: &Guest, form: &Form, error: String) -> Result<Reply, Failure> {
    let page = Person {
        frame: Frame::of(ask, guest),
        error,
        salutation: salutation_of(form).map_or("", |(word, _)| word),
        name: form.field("name").to_owned(),
        email: form.field("email").to_owned(),
    };
    shown(StatusCode::OK, guest, &page)
}

fn asking_organisation(ask: &Ask, guest: &Guest, form: &Form, error: String) -> Result<Reply, Failure> {
    let draft = match ask.site.operations.account_request_draft(ask.segment(0)) {
        Ok(draft) => draft,
        Err(Failure::Refused(Refusal::LinkClosed)) => return too_late(ask, guest),
        Err(failure) => return Err(failure),
    };
    let offered = draft.offered.into_iter();
    let page = Organisation {
        frame: Frame::of(ask, guest),
        error,
        draft: ask.segment(0),
        email: draft.applicant.email.to_string(),
        offered: offered.map(|(code, name)| Offered { code: code.to_string(), name: name.to_string() }).collect(),
        chosen: form.field("organisation").to_owned(),
        name: form.field("name").to_owned(),
        kvk: form.field("kvk").to_owned(),
    };
    shown(StatusCode::OK, guest, &page)
}

fn confirming(ask: &Ask, guest: &Guest, form: &Form, error: String) -> Result<Reply, Failure> {
    match ask.site.operations.look_at_request(ask.segment(0)) {
        Ok(look) => {
            let page = Confirm {
                frame: Frame::of(ask, guest),
                error,
                code: ask.segment(0),
                email: look.email.to_string(),
                asks_name: look.asks_name,
                salutation: salutation_of(form).map_or("", |(word, _)| word),
                name: form.field("name").to_owned(),
            };
            shown(StatusCode::OK, guest, &page)
        }
        Err(Failure::Refused(Refusal::LinkClosed)) => closed(ask, guest),
        Err(failure) => Err(failure),
    }
}

fn too_late(ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    let texts = guest.texts();
    message(ask, guest, StatusCode::GONE, texts.request_late_title, texts.request_late_lead)
}

fn closed(ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    let texts = guest.texts();
    message(ask, guest, StatusCode::GONE, texts.link_closed_title, texts.request_closed_lead)
}

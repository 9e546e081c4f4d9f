//! Forgotten password (P03): asks for the address and answers everybody the same.

use askama::Template;
use hyper::StatusCode;

use super::form::Form;
use super::page::{Frame, shown};
use super::texts::security::Texts;
use super::{Ask, Failure, Guest, told};
use crate::domain::refusal::Refusal;
use crate::fronts::https::reply::Reply;

#[derive(Template)]
#[template(path = "forgotten.html", config = "src/fronts/https/portal/askama.toml")]
struct Forgotten {
    frame: Frame,
    texts: &'static Texts,
    error: String,
    email: String,
}

#[derive(Template)]
#[template(path = "forgotten_sent.html", config = "src/fronts/https/portal/askama.toml")]
struct Sent {
    frame: Frame,
    texts: &'static Texts,
}

/// Asks for the address.
pub(in crate::fronts::https) fn ask_address(ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    asking(ask, guest, StatusCode::OK, String::new(), "")
}

/// Takes the address.
pub(in crate::fronts::https) fn take_address(ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    let form = Form::read(&ask.content);
    let email = form.field("email");
    match ask.site.operations.ask_new_password_at(ask.door(), email, &guest.visitor) {
        Ok(()) => Ok(guest.onward("/forgotten-password/sent")),
        Err(Failure::Refused(refusal @ Refusal::TriedTooOften { .. })) => {
            asking(ask, guest, StatusCode::TOO_MANY_REQUESTS, told(guest.texts(), &refusal), email)
        }
        Err(failure) => Err(failure),
    }
}

/// The same for everybody.
pub(in crate::fronts::https) fn link_sent(ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    shown(StatusCode::OK, guest, &Sent { frame: Frame::of(ask, guest), texts: Texts::of(guest.language) })
}

fn asking(ask: &Ask, guest: &Guest, status: StatusCode, error: String, email: &str) -> Result<Reply, Failure> {
    let texts = Texts::of(guest.language);
    shown(status, guest, &Forgotten { frame: Frame::of(ask, guest), texts, error, email: email.to_owned() })
}

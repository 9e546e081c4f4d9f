//! Signing in to the office, in the two steps of the portal, with a cookie of its own: both may be
//! open on one host. No account of the portal gets in here.

use askama::Template;
use hyper::StatusCode;

use super::super::form::{Form, with_office_cookie, without_office_cookie};
use super::super::page::{Frame, message, shown, shown_with_script};
use super::super::passkeys::Challenge;
use super::super::sign_in::challenge;
use super::super::{Ask, Failure, Guest, told};
use super::Desk;
use super::words::Texts;
use crate::domain::refusal::Refusal;
use crate::fronts::https::reply::Reply;

#[derive(Template)]
#[template(path = "office/sign_in.html", config = "src/fronts/https/portal/askama.toml")]
struct SignIn {
    frame: Frame,
    words: &'static Texts,
    notice: &'static str,
    error: String,
    email: String,
    asks_code: bool,
    passkey: Option<Challenge>,
}

impl SignIn {
    fn new(ask: &Ask, guest: &Guest) -> Self {
        Self {
            frame: Frame::of(ask, guest),
            words: Texts::of(guest.language),
            notice: "",
            error: String::new(),
            email: String::new(),
            asks_code: false,
            passkey: None,
        }
    }
}

/// The way to the queue, or to the form for who has not signed in.
pub(in crate::fronts::https) fn home(_ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    Ok(guest.onward(if guest.desk.is_some() { "/office" } else { "/sign-in" }))
}

/// The form for address and password.
pub(in crate::fronts::https) fn ask_password(ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    if guest.desk.is_some() {
        return Ok(guest.onward("/office"));
    }
    let notice = if ask.is_at("/sign-in/again") { guest.texts().session_ended } else { "" };
    shown(StatusCode::OK, guest, &SignIn { notice, ..SignIn::new(ask, guest) })
}

/// Takes address and password.
pub(in crate::fronts::https) fn check_password(ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    let form = Form::read(&ask.content);
    let email = form.field("email");
    match ask.site.operations.check_office_password(email, form.field("password"), &guest.visitor) {
        Ok(accepted) => Ok(with_office_cookie(guest.onward("/sign-in/code"), &accepted.secret)),
        Err(Failure::Refused(refusal)) => {
            let error = told(guest.texts(), &refusal);
            let page = SignIn { error, email: email.to_owned(), ..SignIn::new(ask, guest) };
            shown(status_of(&refusal), guest, &page)
        }
        Err(fault) => Err(fault),
    }
}

/// The form for the code.
pub(in crate::fronts::https) fn ask_code(ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    if guest.desk.is_some() {
        return Ok(guest.onward("/office"));
    }
    asking_code(ask, guest, StatusCode::OK, String::new())
}

/// The form for the code, and for a passkey when the account has one.
pub(in crate::fronts::https::portal) fn asking_code(
    ask: &Ask,
    guest: &Guest,
    status: StatusCode,
    error: String,
) -> Result<Reply, Failure> {
    let passkey = challenge(ask, guest)?;
    let has_script = passkey.is_some();
    let page = SignIn { error, asks_code: true, passkey, ..SignIn::new(ask, guest) };
    if has_script { shown_with_script(status, guest, &page) } else { shown(status, guest, &page) }
}

/// Takes the code; a session begins.
pub(in crate::fronts::https) fn check_code(ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    let form = Form::read(&ask.content);
    let secret = guest.secret.as_deref().unwrap_or_default();
    match ask.site.operations.finish_office_sign_in(secret, form.field("code"), &guest.visitor) {
        Ok(session) => Ok(with_office_cookie(guest.onward("/office"), &session)),
        Err(Failure::Refused(refusal)) => not_entered(ask, guest, &refusal),
        Err(fault) => Err(fault),
    }
}

/// What is shown when the second factor did not open a session.
pub(in crate::fronts::https::portal) fn not_entered(
    ask: &Ask,
    guest: &Guest,
    refusal: &Refusal,
) -> Result<Reply, Failure> {
    if *refusal == Refusal::NotSignedIn {
        let page = SignIn { error: guest.texts().begin_again.to_owned(), ..SignIn::new(ask, guest) };
        return Ok(without_office_cookie(shown(StatusCode::OK, guest, &page)?));
    }
    asking_code(ask, guest, status_of(refusal), told(guest.texts(), refusal))
}

/// Ends the session.
pub(in crate::fronts::https) fn sign_out(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    ask.site.operations.leave(desk.guest.secret.as_deref().unwrap_or_default())?;
    let guest = Guest { desk: None, secret: None, ..desk.guest.clone() };
    let texts = guest.texts();
    let reply = message(ask, &guest, StatusCode::OK, texts.signed_out_title, texts.signed_out_lead)?;
    let clearing = hyper::header::HeaderName::from_static("clear-site-data");
    Ok(without_office_cookie(reply).with_text(clearing, "\"cache\""))
}

fn status_of(refusal: &Refusal) -> StatusCode {
    match Reply::refusal(refusal).status {
        StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED => StatusCode::OK,
        other => other,
    }
}

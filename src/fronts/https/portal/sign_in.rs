//! Signing in (P04) with a password and then a code, and signing out. The cookie names the
//! sign-in between the two steps, and the session after them: never with the same secret.

use askama::Template;
use hyper::StatusCode;

use super::form::{Form, with_cookie, with_office_cookie, without_cookie};
use super::page::{Frame, message, shown, shown_with_script};
use super::passkeys::Challenge;
use super::texts::passkeys;
use super::{Ask, Failure, Guest, Member, office, told};
use crate::domain::refusal::Refusal;
use crate::fronts::https::reply::Reply;

#[derive(Template)]
#[template(path = "sign_in.html", config = "src/fronts/https/portal/askama.toml")]
struct SignIn {
    frame: Frame,
    notice: &'static str,
    error: String,
    email: String,
}

#[derive(Template)]
#[template(path = "code.html", config = "src/fronts/https/portal/askama.toml")]
struct Code {
    frame: Frame,
    error: String,
    passkey: Option<Challenge>,
}

/// The form for address and password.
pub(in crate::fronts::https) fn ask_password(ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    if guest.visit.is_some() {
        return Ok(guest.onward("/start"));
    }
    let notice = if ask.is_at("/sign-in/again") { guest.texts().session_ended } else { "" };
    let page = SignIn { frame: Frame::of(ask, guest), notice, error: String::new(), email: String::new() };
    shown(StatusCode::OK, guest, &page)
}

/// Takes address and password.
pub(in crate::fronts::https) fn check_password(ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    let form = Form::read(&ask.content);
    let email = form.field("email");
    match ask.site.operations.check_password(email, form.field("password"), &guest.visitor) {
        Ok(accepted) => Ok(with_cookie(guest.onward("/sign-in/code"), &accepted.secret)),
        Err(Failure::Refused(refusal)) => {
            let error = told(guest.texts(), &refusal);
            let page = SignIn { frame: Frame::of(ask, guest), notice: "", error, email: email.to_owned() };
            shown(status_of(&refusal), guest, &page)
        }
        Err(fault) => Err(fault),
    }
}

/// The form for the code.
pub(in crate::fronts::https) fn ask_code(ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    if guest.visit.is_some() {
        return Ok(guest.onward("/start"));
    }
    asking_code(ask, guest, StatusCode::OK, String::new())
}

/// What a passkey is asked for, when the account has one.
pub(super) fn challenge(ask: &Ask, guest: &Guest) -> Result<Option<Challenge>, Failure> {
    let secret = guest.secret.as_deref().unwrap_or_default();
    let options = ask.site.operations.ask_passkey_at(ask.door(), secret)?;
    Ok(options.map(|options| Challenge { texts: passkeys::Texts::of(guest.language), options }))
}

/// Who showed both factors at this door is led in.
pub(super) fn entered(ask: &Ask, guest: &Guest, session: &str) -> Reply {
    let start = if ask.is_in_office() { "/office" } else { "/start" };
    with_secret(ask, guest.onward(start), session)
}

/// The reply with the secret of a sign-in or session in the cookie of this door.
pub(super) fn with_secret(ask: &Ask, reply: Reply, secret: &str) -> Reply {
    if ask.is_in_office() { with_office_cookie(reply, secret) } else { with_cookie(reply, secret) }
}

/// The form for the code, and for a passkey when the account has one.
pub(super) fn asking_code(ask: &Ask, guest: &Guest, status: StatusCode, error: String) -> Result<Reply, Failure> {
    if ask.is_in_office() {
        return office::asking_code(ask, guest, status, error);
    }
    let passkey = challenge(ask, guest)?;
    let has_script = passkey.is_some();
    let page = Code { frame: Frame::of(ask, guest), error, passkey };
    if has_script { shown_with_script(status, guest, &page) } else { shown(status, guest, &page) }
}

/// Takes the code; a session begins.
pub(in crate::fronts::https) fn check_code(ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    let form = Form::read(&ask.content);
    let secret = guest.secret.as_deref().unwrap_or_default();
    match ask.site.operations.finish_sign_in(secret, form.field("code"), &guest.visitor) {
        Ok(session) => Ok(with_cookie(guest.onward("/start"), &session)),
        Err(Failure::Refused(refusal)) => not_entered(ask, guest, &refusal),
        Err(fault) => Err(fault),
    }
}

/// What is shown when the second factor did not open a session.
pub(super) fn not_entered(ask: &Ask, guest: &Guest, refusal: &Refusal) -> Result<Reply, Failure> {
    if ask.is_in_office() {
        return office::not_entered(ask, guest, refusal);
    }
    if *refusal == Refusal::NotSignedIn {
        let (frame, error) = (Frame::of(ask, guest), guest.texts().begin_again.to_owned());
        let page = SignIn { frame, notice: "", error, email: String::new() };
        return Ok(without_cookie(shown(StatusCode::OK, guest, &page)?));
    }
    asking_code(ask, guest, status_of(refusal), told(guest.texts(), refusal))
}

/// Ends the session.
pub(in crate::fronts::https) fn sign_out(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    ask.site.operations.leave(member.guest.secret.as_deref().unwrap_or_default())?;
    let guest = Guest { visit: None, secret: None, ..member.guest.clone() };
    let texts = guest.texts();
    let reply = message(ask, &guest, StatusCode::OK, texts.signed_out_title, texts.signed_out_lead)?;
    let clearing = hyper::header::HeaderName::from_static("clear-site-data");
    Ok(without_cookie(reply).with_text(clearing, "\"cache\""))
}

/// A form with a mistake in it is a page like any other; who tries too often or may not enter is told so by the
/// status too.
fn status_of(refusal: &Refusal) -> StatusCode {
    match Reply::refusal(refusal).status {
        StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED => StatusCode::OK,
        other => other,
    }
}

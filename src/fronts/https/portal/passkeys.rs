//! Passkeys: adding and removing them, and showing one in the place of a code. These pages alone have a
//! script, from this site; without it the one-time code does everything.

use askama::Template;
use hyper::StatusCode;
use hyper::header::{CACHE_CONTROL, HeaderValue};

use super::access::onward;
use super::form::Form;
use super::page::{Frame, shown, shown_with_script};
use super::texts::passkeys::Texts;
use super::{Ask, Failure, Guest, Member, sign_in, told};
use crate::domain::ids::FactorId;
use crate::domain::names::Line;
use crate::domain::refusal::{Refusal, What};
use crate::fronts::https::reply::Reply;

/// The script, as it lies beside this file.
const SCRIPT: &str = include_str!("passkeys.js");

/// What a form with a passkey has: the options for the script.
pub(super) struct Challenge {
    pub(super) texts: &'static Texts,
    pub(super) options: String,
}

#[derive(Template)]
#[template(path = "passkey_ask.html", config = "src/fronts/https/portal/askama.toml")]
struct AskAgain {
    frame: Frame,
    texts: &'static Texts,
    token: String,
    login: String,
    title: &'static str,
    lead: String,
    action: String,
    button: &'static str,
    error: String,
    /// The name is asked for too.
    asks_name: bool,
    name: String,
}

#[derive(Template)]
#[template(path = "passkey_make.html", config = "src/fronts/https/portal/askama.toml")]
struct Make {
    frame: Frame,
    challenge: Challenge,
    token: String,
}

/// The one script of the portal.
pub(in crate::fronts::https) fn script(ask: &Ask) -> Result<Reply, Failure> {
    ask.query().finish()?;
    let lasts = HeaderValue::from_static("max-age=300");
    Ok(Reply::text(StatusCode::OK, "text/javascript; charset=utf-8", SCRIPT).with(CACHE_CONTROL, lasts))
}

/// Takes a passkey in the place of a code; a session begins.
pub(in crate::fronts::https) fn check_passkey(ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    let form = Form::read(&ask.content);
    let secret = guest.secret.as_deref().unwrap_or_default();
    let (operations, answer) = (&ask.site.operations, form.field("answer"));
    match operations.finish_sign_in_with_passkey_at(ask.door(), secret, answer, &guest.visitor) {
        Ok(session) => Ok(sign_in::entered(ask, guest, &session)),
        Err(Failure::Refused(Refusal::WrongCode)) => {
            let error = Texts::of(guest.language).not_taken.to_owned();
            sign_in::asking_code(ask, guest, StatusCode::OK, error)
        }
        Err(Failure::Refused(refusal)) => sign_in::not_entered(ask, guest, &refusal),
        Err(fault) => Err(fault),
    }
}

/// Asks for a name and the password before a passkey is made.
pub(in crate::fronts::https) fn ask_passkey(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    asking_name(ask, member, StatusCode::OK, String::new(), "")
}

/// Takes them, and lets the browser make a passkey.
pub(in crate::fronts::https) fn begin_passkey(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let (form, texts) = (Form::read(&ask.content), texts_of(member));
    let name = form.field("name").trim();
    let Ok(line) = Line::parse(name) else {
        return asking_name(ask, member, StatusCode::OK, texts.name_missing.to_owned(), name);
    };
    match ask.site.operations.begin_passkey(&member.visit, line, form.field("current"), &member.guest.visitor) {
        Ok(options) => {
            let challenge = Challenge { texts, options };
            let page = Make { frame: member.frame(ask), challenge, token: member.visit.form_token.clone() };
            shown_with_script(StatusCode::OK, &member.guest, &page)
        }
        Err(failure) => {
            let (status, error) = mistake(member, failure)?;
            asking_name(ask, member, status, error, name)
        }
    }
}

/// Takes what the browser made.
pub(in crate::fronts::https) fn add_passkey(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let form = Form::read(&ask.content);
    match ask.site.operations.finish_passkey(&member.visit, form.field("answer"), &member.guest.visitor) {
        Ok(()) => Ok(onward(member, "/security", "passkey")),
        Err(failure) => {
            let (status, error) = mistake(member, failure)?;
            asking_name(ask, member, status, error, "")
        }
    }
}

/// Asks for the password before a passkey is removed.
pub(in crate::fronts::https) fn ask_removal(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    asking_removal(ask, member, StatusCode::OK, String::new())
}

/// Removes it.
pub(in crate::fronts::https) fn remove_passkey(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let (form, id) = (Form::read(&ask.content), passkey_id(ask)?);
    match ask.site.operations.remove_passkey(&member.visit, id, form.field("current"), &member.guest.visitor) {
        Ok(()) => Ok(onward(member, "/security", "passkey-removed")),
        Err(failure) => {
            let (status, error) = mistake(member, failure)?;
            asking_removal(ask, member, status, error)
        }
    }
}

fn asking_name(ask: &Ask, member: &Member, status: StatusCode, error: String, name: &str) -> Result<Reply, Failure> {
    let texts = texts_of(member);
    let page = AskAgain {
        frame: member.frame(ask),
        texts,
        token: member.visit.form_token.clone(),
        login: member.visit.account.login.to_string(),
        title: texts.add,
        lead: texts.add_lead.to_owned(),
        action: "/security/passkeys".to_owned(),
        button: member.guest.texts().next,
        error,
        asks_name: true,
        name: name.to_owned(),
    };
    shown(status, &member.guest, &page)
}

fn asking_removal(ask: &Ask, member: &Member, status: StatusCode, error: String) -> Result<Reply, Failure> {
    let (texts, id) = (texts_of(member), passkey_id(ask)?);
    let own = ask.site.operations.own_passkeys(&member.visit)?;
    let found = own.into_iter().find(|one| one.id == id).ok_or(Refusal::NotFound(What::Passkey))?;
    let page = AskAgain {
        frame: member.frame(ask),
        texts,
        token: member.visit.form_token.clone(),
        login: member.visit.account.login.to_string(),
        title: texts.remove,
        lead: format!("{} {}", texts.remove_lead, found.name),
        action: format!("/security/passkeys/{id}/remove"),
        button: texts.remove,
        error,
        asks_name: false,
        name: String::new(),
    };
    shown(status, &member.guest, &page)
}

fn texts_of(member: &Member) -> &'static Texts {
    Texts::of(member.guest.language)
}

fn passkey_id(ask: &Ask) -> Result<FactorId, Failure> {
    FactorId::parse(ask.segment(0)).map_err(|_| Refusal::NotFound(What::Passkey).into())
}

/// What is said of a mistake in a form, and the status of the page; anything else is a page of its own.
fn mistake(member: &Member, failure: Failure) -> Result<(StatusCode, String), Failure> {
    let texts = texts_of(member);
    match failure {
        Failure::Refused(Refusal::NotSignedIn) => Ok((StatusCode::OK, texts.current_wrong.to_owned())),
        Failure::Refused(Refusal::WrongCode | Refusal::WrongState(_)) => {
            Ok((StatusCode::OK, texts.not_made.to_owned()))
        }
        Failure::Refused(Refusal::Exists(..)) => Ok((StatusCode::OK, texts.known_already.to_owned())),
        Failure::Refused(Refusal::TooMuch(_)) => Ok((StatusCode::OK, texts.too_many.to_owned())),
        Failure::Refused(refusal @ Refusal::TriedTooOften { .. }) => {
            Ok((StatusCode::TOO_MANY_REQUESTS, told(member.guest.texts(), &refusal)))
        }
        other => Err(other),
    }
}

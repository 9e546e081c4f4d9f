//! The link in an e-mail (P03): a password, an app for codes, recovery codes. GET changes
//! nothing, so that programs that look at links in e-mail use none up (A12).

use askama::Template;
use hyper::StatusCode;
use qrcodegen::{QrCode, QrCodeEcc};

use super::form::Form;
use super::page::{Frame, last_day, message, shown};
use super::{Ask, Failure, Guest, told};
use crate::domain::credentials::LinkPurpose;
use crate::domain::refusal::Refusal;
use crate::fronts::https::reply::Reply;
use crate::operations::{Activation, Enrolment, Fault, LinkOffer};

#[derive(Template)]
#[template(path = "activate.html", config = "src/fronts/https/portal/askama.toml")]
struct Choose<'a> {
    frame: Frame,
    title: &'static str,
    error: String,
    code: &'a str,
    login: String,
    until: String,
    least: usize,
}

#[derive(Template)]
#[template(path = "app.html", config = "src/fronts/https/portal/askama.toml")]
struct AddApp<'a> {
    frame: Frame,
    error: String,
    code: &'a str,
    typed: String,
    qr_size: i32,
    qr_path: String,
}

#[derive(Template)]
#[template(path = "recovery.html", config = "src/fronts/https/portal/askama.toml")]
struct Done {
    frame: Frame,
    title: &'static str,
    lead: &'static str,
    codes: Vec<String>,
}

/// Shows what the link is for.
pub(in crate::fronts::https) fn look(ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    match ask.site.operations.look_at_link(ask.segment(0)).and_then(|offer| here(ask).map(|()| offer)) {
        Ok(offer) => choosing(ask, guest, &offer, String::new(), StatusCode::OK),
        Err(failure) => closed(ask, guest, failure),
    }
}

/// Takes the password.
pub(in crate::fronts::https) fn choose(ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    let operations = &ask.site.operations;
    let offer = match operations.look_at_link(ask.segment(0)).and_then(|offer| here(ask).map(|()| offer)) {
        Ok(offer) => offer,
        Err(failure) => return closed(ask, guest, failure),
    };
    let form = Form::read(&ask.content);
    let password = form.field("password");
    if password != form.field("again") {
        let error = guest.texts().not_the_same.to_owned();
        return choosing(ask, guest, &offer, error, StatusCode::OK);
    }
    match operations.choose_password(ask.segment(0), password, &guest.visitor) {
        Ok(activation) => went_on(ask, guest, activation, String::new(), StatusCode::OK),
        Err(Failure::Refused(refusal @ Refusal::WeakPassword(_))) => {
            choosing(ask, guest, &offer, told(guest.texts(), &refusal), StatusCode::OK)
        }
        Err(failure) => closed(ask, guest, failure),
    }
}

/// Takes the first code of the app.
pub(in crate::fronts::https) fn app(ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    let operations = &ask.site.operations;
    let form = Form::read(&ask.content);
    match here(ask).and_then(|()| operations.confirm_app(ask.segment(0), form.field("code"), &guest.visitor)) {
        Ok(activation) => went_on(ask, guest, activation, String::new(), StatusCode::OK),
        Err(Failure::Refused(refusal @ (Refusal::WrongCode | Refusal::TriedTooOften { .. }))) => {
            let again = operations.app_to_add(ask.segment(0))?;
            let (error, status) = (told(guest.texts(), &refusal), StatusCode::OK);
            went_on(ask, guest, again, error, status)
        }
        Err(failure) => closed(ask, guest, failure),
    }
}

/// Refuses a link that is to be opened at the other door.
fn here(ask: &Ask) -> Result<(), Failure> {
    ask.site.operations.link_opens_at(ask.segment(0), ask.door())
}

fn choosing(ask: &Ask, guest: &Guest, offer: &LinkOffer, error: String, status: StatusCode) -> Result<Reply, Failure> {
    let texts = guest.texts();
    let page = Choose {
        frame: Frame::of(ask, guest),
        title: match offer.purpose {
            LinkPurpose::Activate => texts.activate_title,
            LinkPurpose::NewPassword => texts.new_password_title,
        },
        error,
        code: ask.segment(0),
        login: offer.login.to_string(),
        until: last_day(&ask.site.operations, guest.language, offer.until),
        least: ask.site.config.sign_in.min_password_chars,
    };
    shown(status, guest, &page)
}

fn went_on(
    ask: &Ask,
    guest: &Guest,
    activation: Activation,
    error: String,
    status: StatusCode,
) -> Result<Reply, Failure> {
    let (frame, texts) = (Frame::of(ask, guest), guest.texts());
    match activation {
        Activation::AddApp { enrolment, .. } => {
            let (qr_size, qr_path) = qr(&enrolment)?;
            let page =
                AddApp { frame, error, code: ask.segment(0), typed: in_groups(&enrolment.typed), qr_size, qr_path };
            shown(status, guest, &page)
        }
        Activation::Complete { recovery_codes } => {
            let (title, lead) = (texts.recovery_title, texts.recovery_lead);
            shown(status, guest, &Done { frame, title, lead, codes: recovery_codes })
        }
        // the second factor is asked for at once
        Activation::PasswordSet { pending: Some(pending) } => {
            Ok(super::sign_in::with_secret(ask, guest.onward("/sign-in/code"), &pending.secret))
        }
        Activation::PasswordSet { pending: None } => {
            let (title, lead) = (texts.password_set_title, texts.password_set_lead);
            shown(status, guest, &Done { frame, title, lead, codes: Vec::new() })
        }
    }
}

fn closed(ask: &Ask, guest: &Guest, failure: Failure) -> Result<Reply, Failure> {
    let texts = guest.texts();
    match failure {
        Failure::Refused(Refusal::LinkClosed) => {
            message(ask, guest, StatusCode::GONE, texts.link_closed_title, texts.link_closed_lead)
        }
        other => Err(other),
    }
}

/// White around a QR code, in modules (ISO/IEC 18004 asks for four).
const QUIET: i32 = 4;

/// A QR code as the size and the path of an SVG drawing.
pub(super) fn qr(enrolment: &Enrolment) -> Result<(i32, String), Failure> {
    let code = QrCode::encode_text(&enrolment.uri, QrCodeEcc::Medium)
        .map_err(|error| Fault::new(format!("draw a QR code: {error}")))?;
    let mut path = String::new();
    for (x, y) in (0..code.size()).flat_map(|y| (0..code.size()).map(move |x| (x, y))) {
        if code.get_module(x, y) {
            path.push_str(&format!("M{},{}h1v1h-1z", x + QUIET, y + QUIET));
        }
    }
    Ok((code.size() + 2 * QUIET, path))
}

/// A key in groups of four, to be typed over.
pub(super) fn in_groups(typed: &str) -> String {
    let characters: Vec<char> = typed.chars().collect();
    characters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

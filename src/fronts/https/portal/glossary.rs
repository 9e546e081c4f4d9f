//! The page with the terms that the terms of use define (P18, I2).

use askama::Template;
use hyper::StatusCode;

use super::page::{Frame, shown};
use super::texts::GlossaryTexts;
use super::{Ask, Failure, Guest};
use crate::fronts::https::reply::Reply;

#[derive(Template)]
#[template(path = "glossary.html", config = "src/fronts/https/portal/askama.toml")]
struct Glossary {
    frame: Frame,
    words: &'static GlossaryTexts,
    terms: Vec<(&'static str, String)>,
}

/// The terms and what they mean.
pub(in crate::fronts::https) fn glossary(ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    let (frame, words) = (Frame::of(ask, guest), GlossaryTexts::of(guest.language));
    let operator = format!("{} {}.", words.operator_is, frame.operator);
    let portal = format!("{} {}.", words.portal_is, frame.portal);
    let plain = |text: &str| text.to_owned();
    let terms = vec![
        (words.incident, plain(words.incident_is)),
        (words.user, plain(words.user_is)),
        (words.terms, plain(words.terms_is)),
        (words.personal, plain(words.personal_is)),
        (words.notification, plain(words.notification_is)),
        (words.portal, portal),
        (words.service, plain(words.service_is)),
        (words.website, plain(words.website_is)),
        (words.operator, operator),
    ];
    shown(StatusCode::OK, guest, &Glossary { frame, words, terms })
}

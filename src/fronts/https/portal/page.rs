//! What every page has: the frame with menu, language and contact, and the pages for what is
//! missing, refused or broken.

use std::sync::Arc;

use askama::Template;
use hyper::StatusCode;
use hyper::header::{CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, HeaderValue, RETRY_AFTER, VARY};

use super::office::OfficeFrame;
use super::texts::{TermsTexts, Texts, help};
use super::{Ask, Failure, Guest, Member, told};
use crate::config::Config;
use crate::domain::account::Language;
use crate::domain::history::Channel;
use crate::domain::refusal::Refusal;
use crate::domain::terms::TermsVersion;
use crate::fronts::https::reply::Reply;
use crate::operations::texts::Tongue;
use crate::operations::{Closure, Operations};
use crate::telemetry;

/// Nothing but our own style sheet; forms go to this site alone (domain §3.2).
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";

/// The same for the pages that have the one script, from this site.
const POLICY_WITH_SCRIPT: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                                  form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// The same for who is signed in, whose pages show how long in a frame of their own.
const MEMBER_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; \
                             frame-ancestors 'none'";

/// The same for the form with which files are uploaded: its script sends them to this site alone.
const UPLOAD_POLICY: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; \
                             frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The frame of a page.
pub(super) struct Frame {
    pub(super) texts: &'static Texts,
    pub(super) help: &'static help::Texts,
    /// The path of this page.
    path: String,
    /// Name of the portal.
    pub(super) portal: String,
    /// Who runs it.
    pub(super) operator: String,
    pub(super) contact_mail: String,
    pub(super) contact_phone: String,
    /// This page in the other language.
    pub(super) other_language: String,
    pub(super) other_tag: &'static str,
    /// `?lang=…` when it was asked for, for links and forms.
    pub(super) keep: String,
    /// An interruption that is announced; empty when none is.
    pub(super) announced: String,
    /// The page is one of the office.
    pub(super) office: Option<OfficeFrame>,
    /// Terms of use that are published and do not apply yet (I12).
    pub(super) terms_coming: Option<TermsComing>,
    /// There are terms of use to read.
    pub(super) has_terms: bool,
    pub(super) terms_texts: &'static TermsTexts,
    /// Somebody is signed in.
    pub(super) member: Option<Signed>,
}

/// What the frame says of terms of use that do not apply yet.
pub(super) struct TermsComing {
    pub(super) name: String,
    /// From which day they apply.
    pub(super) from: String,
}

/// What the frame says of who is signed in.
pub(super) struct Signed {
    pub(super) token: String,
    /// Administers the organisation.
    pub(super) is_administrator: bool,
    /// Nothing is open to them before the terms of use are accepted (I6).
    pub(super) has_terms_open: bool,
    /// What the way to the clients is called, for who works for any; else empty.
    pub(super) clients: &'static str,
    /// What the way to participant files is called, for who reads or uploads any; else empty.
    pub(super) files: &'static str,
}

impl Frame {
    /// The frame of the page that is asked for.
    pub(super) fn of(ask: &Ask, guest: &Guest) -> Self {
        let Config { portal, organisation, .. } = ask.site.config.as_ref();
        let text = |text: Option<String>| text.unwrap_or_default();
        let other = match guest.language {
            Language::Dutch => Language::English,
            Language::English => Language::Dutch,
        };
        let other_tag = Texts::of(other).tag;
        let operations = &ask.site.operations;
        let terms = terms_of(ask);
        Self {
            texts: guest.texts(),
            help: help::Texts::of(guest.language),
            path: ask.path.clone(),
            portal: portal.name.to_string(),
            operator: organisation.name.to_string(),
            contact_mail: text(organisation.contact_mail.as_ref().map(ToString::to_string)),
            contact_phone: text(organisation.contact_phone.as_ref().map(ToString::to_string)),
            other_language: format!("?lang={other_tag}"),
            other_tag,
            keep: guest.link(""),
            announced: if ask.is_in_office() { String::new() } else { announced(ask, guest) },
            office: guest.office_frame(ask),
            terms_coming: terms.last().filter(|newest| operations.now() < newest.effective_at).map(|newest| {
                let from = super::words::date(guest.language, operations.calendar().date_of(newest.effective_at));
                TermsComing { name: newest.name.to_string(), from }
            }),
            has_terms: !terms.is_empty(),
            terms_texts: guest.terms_texts(),
            member: guest.visit.as_ref().map(|visit| Signed {
                token: visit.form_token.clone(),
                is_administrator: visit.account.is_administrator,
                has_terms_open: visit.has_terms_open,
                clients: clients(ask, guest),
                files: files(ask, guest),
            }),
        }
    }
}

/// The terms of use; none in the office, which is not bound by them. A page is worth more than a notice on it: a
/// fault is logged.
fn terms_of(ask: &Ask) -> Arc<[TermsVersion]> {
    if ask.is_in_office() {
        return [].into();
    }
    ask.site.operations.terms().unwrap_or_else(|failure| {
        tracing::error!(%failure, "terms of use could not be looked up");
        [].into()
    })
}

impl Frame {
    /// The same frame on the page of these terms: nobody is told of what they are reading.
    pub(super) fn on_terms(mut self, name: &str) -> Self {
        self.terms_coming = self.terms_coming.filter(|coming| coming.name != name);
        self
    }

    /// Whether this page is the one at `root` or below it: the menu says so.
    pub(super) fn is_under(&self, root: &str) -> bool {
        self.path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The telephone number as a telephone takes it (RFC 3966): digits, and a plus in front.
    pub(super) fn dialled(&self) -> String {
        let digits = self.contact_phone.chars().filter(|c| c.is_ascii_digit() || *c == '+');
        digits.enumerate().filter(|(at, c)| *c != '+' || *at == 0).map(|(_, c)| c).collect()
    }
}

/// The next interruption that is announced. A page is worth more than a notice on it: a fault is logged.
fn announced(ask: &Ask, guest: &Guest) -> String {
    match ask.site.operations.announced_closures(Channel::Portal) {
        Ok(closures) => closures.first().map(|closure| closure.sentence(tongue(guest))).unwrap_or_default(),
        Err(failure) => {
            tracing::error!(%failure, "announced interruptions could not be looked up");
            String::new()
        }
    }
}

/// What leads to the clients of who is signed in. A page is worth more than its menu: a fault is logged.
fn clients(ask: &Ask, guest: &Guest) -> &'static str {
    let Some(visit) = &guest.visit else { return "" };
    match ask.site.operations.works_for_clients(&visit.caller) {
        Ok(true) => super::texts::mandates::Texts::of(guest.language).clients,
        Ok(false) => "",
        Err(failure) => {
            tracing::error!(%failure, "the clients of an account could not be looked up");
            ""
        }
    }
}

/// What leads to participant files. A page is worth more than its menu: a fault is logged.
fn files(ask: &Ask, guest: &Guest) -> &'static str {
    let Some(visit) = guest.visit.as_ref().filter(|visit| !visit.has_terms_open) else { return "" };
    match ask.site.operations.receipt_products(&visit.caller) {
        Ok(products) if products.is_empty() => "",
        Ok(_) => super::texts::uploads::Texts::of(guest.language).title,
        Err(Failure::Refused(_)) => "",
        Err(Failure::Faulted(fault)) => {
            tracing::error!(%fault, "the products that take participant files could not be looked up");
            ""
        }
    }
}

/// A page as a reply.
pub(super) fn shown(status: StatusCode, guest: &Guest, page: &impl Template) -> Result<Reply, Failure> {
    let html = page.render().map_err(|error| crate::operations::Fault::from_error("make a page", error))?;
    let policy = if guest.visit.is_some() { MEMBER_POLICY } else { POLICY };
    Ok(Reply::text(status, "text/html; charset=utf-8", html)
        .with(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy))
        .with(CONTENT_LANGUAGE, HeaderValue::from_static(guest.texts().tag))
        .with(VARY, HeaderValue::from_static("Cookie, Accept-Language")))
}

/// A page with the script of passkeys as a reply.
pub(super) fn shown_with_script(status: StatusCode, guest: &Guest, page: &impl Template) -> Result<Reply, Failure> {
    Ok(shown(status, guest, page)?.with(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY_WITH_SCRIPT)))
}

/// The form with which files are uploaded as a reply.
pub(super) fn shown_with_uploads(guest: &Guest, page: &impl Template) -> Result<Reply, Failure> {
    Ok(shown(StatusCode::OK, guest, page)?.with(CONTENT_SECURITY_POLICY, HeaderValue::from_static(UPLOAD_POLICY)))
}

/// A page that says one thing.
#[derive(Template)]
#[template(path = "message.html", config = "src/fronts/https/portal/askama.toml")]
struct Message {
    frame: Frame,
    title: &'static str,
    lead: String,
}

/// A page with a title and one sentence.
pub(super) fn message(
    ask: &Ask,
    guest: &Guest,
    status: StatusCode,
    title: &'static str,
    lead: impl Into<String>,
) -> Result<Reply, Failure> {
    shown(status, guest, &Message { frame: Frame::of(ask, guest), title, lead: lead.into() })
}

/// There is no such page, or not for this guest.
pub(in crate::fronts::https) fn missing(ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    let texts = guest.texts();
    message(ask, guest, StatusCode::NOT_FOUND, texts.not_found_title, texts.not_found_lead)
}

/// A form that another site sent.
pub(in crate::fronts::https) fn elsewhere(ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    let texts = guest.texts();
    message(ask, guest, StatusCode::FORBIDDEN, texts.refused_title, texts.elsewhere)
}

/// Access is interrupted: nature and expected end, and when to come back (J1, J2).
pub(in crate::fronts::https) fn closed(ask: &Ask, guest: &Guest, closure: &Closure) -> Result<Reply, Failure> {
    let lead = closure.sentence(tongue(guest));
    let page = message(ask, guest, StatusCode::SERVICE_UNAVAILABLE, guest.texts().closed_title, lead)?;
    Ok(page.with(RETRY_AFTER, closure.seconds().into()))
}

pub(super) fn tongue(guest: &Guest) -> Tongue {
    Tongue::of_tag(guest.texts().tag)
}

/// The page for what failed; a fault is logged, and only its reference is told.
pub(in crate::fronts::https) fn broken(ask: &Ask, guest: &Guest, failure: &Failure) -> Result<Reply, Failure> {
    let texts = guest.texts();
    match failure {
        Failure::Refused(Refusal::NotFound(_)) => missing(ask, guest),
        Failure::Refused(refusal) => {
            let status = Reply::refusal(refusal).status;
            message(ask, guest, status, texts.refused_title, told(texts, refusal))
        }
        Failure::Faulted(fault) => {
            let reference = telemetry::report("showing a page", fault);
            let lead = format!("{} {reference}", texts.fault_lead);
            message(ask, guest, StatusCode::INTERNAL_SERVER_ERROR, texts.fault_title, lead)
        }
    }
}

impl Member {
    /// The frame of a page for this member.
    pub(super) fn frame(&self, ask: &Ask) -> Frame {
        Frame::of(ask, &self.guest)
    }

    /// A page for this member.
    pub(super) fn shown(&self, page: &impl Template) -> Result<Reply, Failure> {
        shown(StatusCode::OK, &self.guest, page)
    }
}

/// The last day on which something that ends then can be fetched, in words.
pub(super) fn last_day(operations: &Operations, language: Language, until: crate::domain::moment::Moment) -> String {
    super::words::date(language, operations.last_day(until))
}

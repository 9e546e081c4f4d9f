//! Terms of use (P05: I1-I14): every version for anybody to read, and the pages where they are
//! accepted, before anything else, and refused by cancelling the account.

use askama::Template;
use hyper::StatusCode;
use hyper::header::HeaderName;

use super::form::{Form, without_cookie};
use super::page::{Frame, last_day, message, shown};
use super::texts::TermsTexts;
use super::{Ask, Failure, Guest, Member, words};
use crate::domain::account::Language;
use crate::domain::moment::Moment;
use crate::domain::names::VersionName;
use crate::domain::refusal::{Refusal, What};
use crate::domain::terms::{Block, TermsVersion, blocks, coming, in_force};
use crate::fronts::https::reply::Reply;

/// A text as it is shown.
pub(super) struct TextShown {
    pub(super) pieces: Vec<Block>,
    /// The language of the text.
    pub(super) tag: &'static str,
    /// It is not that of the page.
    pub(super) differs: bool,
}

#[derive(Template)]
#[template(path = "terms.html", config = "src/fronts/https/portal/askama.toml")]
struct Reading {
    frame: Frame,
    words: &'static TermsTexts,
    name: String,
    standing: &'static str,
    published: String,
    from: String,
    text: Option<TextShown>,
    rows: Vec<Row>,
    /// When the reader accepted, and which version; empty when they did not, or nobody is signed in.
    accepted: String,
    refusable_until: String,
    machines_wait: bool,
}

struct Row {
    name: String,
    published: String,
    from: String,
    state: &'static str,
    tone: &'static str,
}

/// The page on which somebody accepts, for themselves or for a machine.
#[derive(Template)]
#[template(path = "terms_accept.html", config = "src/fronts/https/portal/askama.toml")]
pub(super) struct Accepting {
    pub(super) frame: Frame,
    pub(super) words: &'static TermsTexts,
    pub(super) title: &'static str,
    pub(super) lead: &'static str,
    pub(super) account: String,
    pub(super) name: String,
    pub(super) from: String,
    pub(super) text: TextShown,
    pub(super) action: String,
    pub(super) token: String,
    pub(super) number: u32,
    pub(super) is_own: bool,
    pub(super) is_changed: bool,
    pub(super) refusable_until: String,
}

#[derive(Template)]
#[template(path = "terms_refuse.html", config = "src/fronts/https/portal/askama.toml")]
struct Refusing {
    frame: Frame,
    words: &'static TermsTexts,
    token: String,
    login: String,
    name: String,
    until: String,
    is_last: bool,
    back: &'static str,
}

/// The version that applies, or the first one that will.
pub(in crate::fronts::https) fn terms(ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    reading(ask, guest, ask.site.operations.terms_to_accept()?)
}

/// One version, an old one too (I14).
pub(in crate::fronts::https) fn one_version(ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    let name = VersionName::parse(ask.segment(0)).map_err(|_| Refusal::NotFound(What::Terms))?;
    reading(ask, guest, Some(ask.site.operations.terms_named(&name)?))
}

fn reading(ask: &Ask, guest: &Guest, version: Option<TermsVersion>) -> Result<Reply, Failure> {
    let operations = &ask.site.operations;
    let (now, versions, texts) = (operations.now(), operations.terms()?, guest.terms_texts());
    let day = |at: Moment| words::date(guest.language, operations.calendar().date_of(at));
    let (applies, comes) = (in_force(&versions, now), coming(&versions, now));
    let is = |one: Option<&TermsVersion>, number: u32| one.is_some_and(|one| one.number == number);
    let rows = versions.iter().rev().map(|row| {
        let (state, tone) = if is(applies, row.number) {
            (texts.state_now, "done")
        } else if is(comes, row.number) || now < row.effective_at {
            (texts.state_coming, "new")
        } else {
            (texts.state_earlier, "gone")
        };
        Row { name: row.name.to_string(), published: day(row.published_at), from: day(row.effective_at), state, tone }
    });
    let number = version.as_ref().map_or(0, |version| version.number);
    let standing = if is(applies, number) {
        texts.applies_now
    } else if version.as_ref().is_some_and(|version| now < version.effective_at) {
        texts.comes
    } else {
        texts.applied_once
    };
    let own = guest.visit.as_ref();
    let refusable = operations.terms_refusable()?.filter(|one| own.is_some() && one.number == number);
    let machines_wait = match own.filter(|visit| visit.account.is_administrator && !visit.has_terms_open) {
        Some(visit) => !operations.machines_without_terms(&visit.caller)?.is_empty(),
        None => false,
    };
    let accepted = match own {
        Some(visit) => operations.own_terms(&visit.caller)?,
        None => None,
    };
    let accepted =
        accepted.map(|(row, name)| format!("{} {}. {} {name}.", texts.accepted_on, day(row.at), texts.version));
    let text = version.as_ref().map(|version| text_of(ask, guest, version)).transpose()?;
    let name = version.as_ref().map(|version| version.name.to_string()).unwrap_or_default();
    let page = Reading {
        frame: Frame::of(ask, guest).on_terms(&name),
        words: texts,
        name,
        standing,
        published: version.as_ref().map(|version| day(version.published_at)).unwrap_or_default(),
        from: version.as_ref().map(|version| day(version.effective_at)).unwrap_or_default(),
        text,
        rows: rows.collect(),
        accepted: accepted.unwrap_or_default(),
        refusable_until: refusable.map(|one| until(ask, guest, &one)).unwrap_or_default(),
        machines_wait,
    };
    shown(StatusCode::OK, guest, &page)
}

/// The page where who is signed in accepts, before any other (I6).
pub(in crate::fronts::https) fn ask_to_accept(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    accepting(ask, member, false)
}

/// Takes the acceptance.
pub(in crate::fronts::https) fn accept(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let number = number_in(ask);
    match ask.site.operations.accept_terms(&member.visit.caller, number) {
        Ok(()) => Ok(member.guest.onward("/start")),
        // another version applies by now, or another window was quicker
        Err(Failure::Refused(Refusal::WrongState(_))) => accepting(ask, member, true),
        Err(failure) => Err(failure),
    }
}

fn accepting(ask: &Ask, member: &Member, is_changed: bool) -> Result<Reply, Failure> {
    let (operations, guest, texts) = (&ask.site.operations, &member.guest, member.guest.terms_texts());
    let Some(version) = operations.terms_to_accept()?.filter(|_| member.visit.has_terms_open) else {
        return Ok(guest.onward("/start"));
    };
    let refusable = operations.terms_refusable()?;
    let page = Accepting {
        frame: member.frame(ask).on_terms(version.name.as_str()),
        words: texts,
        title: texts.accept_title,
        lead: texts.accept_lead,
        account: String::new(),
        name: version.name.to_string(),
        from: words::date(guest.language, operations.calendar().date_of(version.effective_at)),
        text: text_of(ask, guest, &version)?,
        action: "/terms/accept".to_owned(),
        token: member.visit.form_token.clone(),
        number: version.number,
        is_own: true,
        is_changed,
        refusable_until: refusable.map(|one| until(ask, guest, &one)).unwrap_or_default(),
    };
    member.shown(&page)
}

/// Asks whether they are sure (WCAG 2.2, 3.3.4).
pub(in crate::fronts::https) fn ask_to_refuse(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let (operations, guest) = (&ask.site.operations, &member.guest);
    let Some(version) = operations.terms_refusable()? else { return too_late(ask, guest) };
    let own = &member.visit.account;
    let page = Refusing {
        frame: member.frame(ask),
        words: guest.terms_texts(),
        token: member.visit.form_token.clone(),
        login: own.login.to_string(),
        name: version.name.to_string(),
        until: until(ask, guest, &version),
        is_last: own.is_administrator && operations.administrators(&own.organisation)? < 2,
        back: if member.visit.has_terms_open { "/terms/accept" } else { "/terms" },
    };
    member.shown(&page)
}

/// Cancels the account (I13).
pub(in crate::fronts::https) fn refuse(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    match ask.site.operations.refuse_terms(&member.visit.caller) {
        Ok(()) => {}
        Err(Failure::Refused(Refusal::WrongState(_))) => return too_late(ask, &member.guest),
        Err(failure) => return Err(failure),
    }
    let guest = Guest { visit: None, secret: None, ..member.guest.clone() };
    let texts = guest.terms_texts();
    let reply = message(ask, &guest, StatusCode::OK, texts.refused_title, texts.refused_lead)?;
    let clearing = HeaderName::from_static("clear-site-data");
    Ok(without_cookie(reply).with_text(clearing, "\"cache\""))
}

pub(super) fn too_late(ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    let texts = guest.terms_texts();
    message(ask, guest, StatusCode::CONFLICT, texts.late_title, texts.late_lead)
}

/// The text of a version in the language of the page, or in Dutch.
pub(super) fn text_of(ask: &Ask, guest: &Guest, version: &TermsVersion) -> Result<TextShown, Failure> {
    let (text, language) = ask.site.operations.terms_text(version.number, guest.language)?;
    let tag = match language {
        Language::Dutch => "nl",
        Language::English => "en",
    };
    Ok(TextShown { pieces: blocks(&text), tag, differs: language != guest.language })
}

/// The number of the version that was shown with a form.
pub(super) fn number_in(ask: &Ask) -> u32 {
    Form::read(&ask.content).field("number").parse().unwrap_or_default()
}

/// The last day on which a version can be refused.
pub(super) fn until(ask: &Ask, guest: &Guest, version: &TermsVersion) -> String {
    last_day(&ask.site.operations, guest.language, version.refusable_until)
}

impl Guest {
    /// The texts of these pages.
    pub(super) const fn terms_texts(&self) -> &'static TermsTexts {
        TermsTexts::of(self.language)
    }
}

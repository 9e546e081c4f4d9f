//! The one form of the office's pages: facts, lists and forms below each other, and what was
//! filled in when a form comes back with a mistake. Decides nothing.

use askama::Template;
use hyper::StatusCode;

use super::super::form::Form as Sent;
use super::super::page::{Frame, shown};
use super::super::terms::TextShown;
use super::super::{Ask, Failure, told};
use super::Desk;
use super::words::Texts;
use crate::domain::account::Language;
use crate::domain::moment::Moment;
use crate::domain::names::NameFault;
use crate::domain::refusal::Refusal;
use crate::domain::terms::Block;
use crate::fronts::https::reply::Reply;

#[derive(Template)]
#[template(path = "office/sheet.html", config = "src/fronts/https/portal/askama.toml")]
struct Page {
    frame: Frame,
    words: &'static Texts,
    token: String,
    title: String,
    lead: String,
    back: String,
    notice: &'static str,
    error: String,
    keep_tag: &'static str,
    parts: Vec<Part>,
}

/// A page before it has its frame.
#[derive(Default)]
pub(super) struct Sheet {
    pub(super) title: String,
    pub(super) lead: String,
    /// Where the way back leads; empty for none.
    pub(super) back: String,
    pub(super) error: String,
    pub(super) parts: Vec<Part>,
}

/// One part of a page.
pub(super) enum Part {
    Facts(Vec<(&'static str, Cell)>),
    Search(Search),
    Table(Table),
    Form(Form),
    Note(String),
    Link(String, String),
    /// A way to another page.
    Onward(String, &'static str),
    Text(TextShown),
}

/// A text, perhaps a link or a state with a tone.
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) link: String,
    pub(super) tone: &'static str,
}

impl Cell {
    pub(super) fn state((text, tone): (&str, &'static str)) -> Self {
        Self { text: text.to_owned(), link: String::new(), tone }
    }

    pub(super) fn link(text: impl Into<String>, link: String) -> Self {
        Self { text: text.into(), link, tone: "" }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: text.into(), link: String::new(), tone: "" }
    }
}

/// A list.
#[derive(Default)]
pub(super) struct Table {
    pub(super) title: &'static str,
    pub(super) head: Vec<&'static str>,
    pub(super) rows: Vec<Vec<Cell>>,
    pub(super) empty: &'static str,
    /// Where the rest is; empty when this is all.
    pub(super) more: String,
    pub(super) more_label: &'static str,
}

impl Table {
    fn labelled<'a>(&'a self, row: &'a [Cell]) -> impl Iterator<Item = (&'a str, &'a Cell)> {
        self.head.iter().copied().zip(row)
    }
}

/// A form that looks something up.
pub(super) struct Search {
    pub(super) action: &'static str,
    pub(super) fields: Vec<Field>,
    pub(super) button: &'static str,
}

/// A form that changes something.
#[derive(Default)]
pub(super) struct Form {
    /// Unique on its page.
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) lead: &'static str,
    pub(super) action: String,
    pub(super) fields: Vec<Field>,
    pub(super) button: &'static str,
    /// Takes something away: not the button that draws the eye.
    pub(super) is_grave: bool,
    /// Brings a file.
    pub(super) is_multipart: bool,
}

/// One field.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) kind: &'static str,
    pub(super) value: String,
    pub(super) hint: &'static str,
    pub(super) required: bool,
    pub(super) options: Vec<(String, String)>,
}

/// What was filled in before, if anything was.
pub(super) struct Given<'a>(pub(super) Option<&'a Sent>);

impl Given<'_> {
    fn value(&self, name: &str, usual: &str) -> String {
        self.0.map_or(usual, |sent| sent.field(name)).to_owned()
    }

    pub(super) fn text(&self, name: &'static str, label: &'static str, usual: &str) -> Field {
        self.kind("text", name, label, usual)
    }

    pub(super) fn kind(&self, kind: &'static str, name: &'static str, label: &'static str, usual: &str) -> Field {
        Field { name, label, kind, value: self.value(name, usual), hint: "", required: false, options: Vec::new() }
    }

    pub(super) fn choice(
        &self,
        name: &'static str,
        label: &'static str,
        options: Vec<(String, String)>,
        usual: &str,
    ) -> Field {
        Field { options, required: true, ..self.kind("select", name, label, usual) }
    }

    /// One box for each option; `usual` are those that are ticked, with spaces between.
    pub(super) fn checks(
        &self,
        name: &'static str,
        label: &'static str,
        options: Vec<(String, String)>,
        usual: &str,
    ) -> Field {
        let ticked = self.0.map(|sent| sent.names_after(&format!("{name}-")).collect::<Vec<_>>().join(" "));
        let field = self.kind("checks", name, label, "");
        Field { options, value: ticked.unwrap_or_else(|| usual.to_owned()), ..field }
    }
}

impl Field {
    /// Whether the box of this option is ticked.
    fn has(&self, value: &str) -> bool {
        self.value.split(' ').any(|ticked| ticked == value)
    }

    pub(super) fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub(super) fn hinted(mut self, hint: &'static str) -> Self {
        self.hint = hint;
        self
    }
}

/// Why a form comes back.
pub(super) enum Mistake {
    /// In words for who filled it in.
    Said(String),
    /// By an operation.
    Failed(Failure),
}

impl From<Failure> for Mistake {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Refusal> for Mistake {
    fn from(refusal: Refusal) -> Self {
        Self::Failed(refusal.into())
    }
}

impl Desk {
    /// A sheet as a page.
    pub(super) fn sheet(&self, ask: &Ask, sheet: Sheet) -> Result<Reply, Failure> {
        let keep_tag = if self.guest.language_was_asked { self.guest.texts().tag } else { "" };
        let status = if sheet.error.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
        let page = Page {
            frame: Frame::of(ask, &self.guest),
            words: self.words(),
            token: self.visit.visit.form_token.clone(),
            title: sheet.title,
            lead: sheet.lead,
            back: sheet.back,
            notice: if sheet.error.is_empty() { self.notice(ask) } else { "" },
            error: sheet.error,
            keep_tag,
            parts: sheet.parts,
        };
        shown(status, &self.guest, &page)
    }

    /// Leads on after a change, or shows the form again with what is wrong.
    pub(super) fn after(
        &self,
        outcome: Result<(), Mistake>,
        (to, word): (&str, &str),
        again: impl FnOnce(String) -> Result<Reply, Failure>,
    ) -> Result<Reply, Failure> {
        match outcome {
            Ok(()) => {
                let to = self.href(to);
                let joint = if to.contains('?') { '&' } else { '?' };
                Ok(Reply::empty(StatusCode::SEE_OTHER)
                    .with_text(hyper::header::LOCATION, &format!("{to}{joint}done={word}")))
            }
            Err(Mistake::Said(error)) => again(error),
            Err(Mistake::Failed(Failure::Refused(refusal))) => again(self.said(&refusal)),
            Err(Mistake::Failed(failure)) => Err(failure),
        }
    }

    /// A field of a form as a domain name.
    pub(super) fn read<T>(
        &self,
        sent: &Sent,
        (name, label): (&str, &str),
        parse: impl FnOnce(&str) -> Result<T, NameFault>,
    ) -> Result<T, Mistake> {
        parse(sent.field(name).trim()).map_err(|fault| {
            let words = self.words();
            Mistake::Said(match self.guest.language {
                Language::Dutch => format!("{} {label}", words.check_field),
                Language::English => format!("{} {label}: {fault}", words.check_field),
            })
        })
    }

    /// The same for a field that may be empty.
    pub(super) fn read_some<T>(
        &self,
        sent: &Sent,
        field: (&str, &str),
        parse: impl FnOnce(&str) -> Result<T, NameFault>,
    ) -> Result<Option<T>, Mistake> {
        if sent.field(field.0).trim().is_empty() { Ok(None) } else { self.read(sent, field, parse).map(Some) }
    }

    /// A day that somebody chose, to its end.
    pub(super) fn read_last_day(&self, ask: &Ask, sent: &Sent, field: (&str, &str)) -> Result<Option<Moment>, Mistake> {
        let day = self.read_first_day(ask, sent, field)?;
        Ok(day.map(|day| ask.site.operations.calendar().midnight_closing(day)))
    }

    /// A day that somebody chose, from its beginning.
    pub(super) fn read_first_day(
        &self,
        ask: &Ask,
        sent: &Sent,
        field: (&str, &str),
    ) -> Result<Option<Moment>, Mistake> {
        let zone = ask.site.config.portal.time_zone.clone();
        self.read_some(sent, field, |text| {
            let day = text.parse::<jiff::civil::Date>().ok().and_then(|day| day.to_zoned(zone).ok());
            moment(text, day)
        })
    }

    /// A day and time that somebody chose.
    pub(super) fn read_time(&self, ask: &Ask, sent: &Sent, field: (&str, &str)) -> Result<Option<Moment>, Mistake> {
        let zone = ask.site.config.portal.time_zone.clone();
        self.read_some(sent, field, |text| {
            let at = text.parse::<jiff::civil::DateTime>().ok().and_then(|at| at.to_zoned(zone).ok());
            moment(text, at)
        })
    }

    /// A refusal in words.
    fn said(&self, refusal: &Refusal) -> String {
        let words = self.words();
        match (refusal, self.guest.language) {
            (Refusal::Exists(_, name), Language::Dutch) => format!("{} {name}", words.refused_exists),
            (Refusal::NotFound(_), _) => words.refused_not_found.to_owned(),
            (Refusal::NotAllowed(_), Language::Dutch) => words.refused_not_allowed.to_owned(),
            (Refusal::WrongState(_), Language::Dutch) => words.refused_state.to_owned(),
            (Refusal::BadRequest(_) | Refusal::BadName(_), Language::Dutch) => words.refused_input.to_owned(),
            (Refusal::TooMuch(_), Language::Dutch) => words.refused_too_much.to_owned(),
            (Refusal::NoAgreement { .. }, Language::Dutch) => self.guest.texts().no_agreement.to_owned(),
            (refusal, _) => told(self.guest.texts(), refusal),
        }
    }
}

fn moment(text: &str, at: Option<jiff::Zoned>) -> Result<Moment, NameFault> {
    let millis = at.and_then(|at| u64::try_from(at.timestamp().as_millisecond()).ok());
    millis.map(Moment::from_millis).ok_or_else(|| NameFault::new(text, "a day", "a day such as 2026-12-01"))
}

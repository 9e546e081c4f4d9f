//! The board of instructions (I7): what the operator tells all users to do. Anybody may read it.

use askama::Template;
use hyper::StatusCode;

use super::page::{Frame, last_day, shown};
use super::terms::TextShown;
use super::texts::instructions::Texts;
use super::{Ask, Failure, Guest, words};
use crate::domain::account::Language;
use crate::domain::instruction::Instruction;
use crate::domain::terms::{Block, blocks};
use crate::fronts::https::reply::Reply;

#[derive(Template)]
#[template(path = "instructions.html", config = "src/fronts/https/portal/askama.toml")]
struct Board {
    frame: Frame,
    words: &'static Texts,
    rows: Vec<(Facts, TextShown)>,
}

struct Facts {
    title: String,
    since: String,
    /// Empty when it stays.
    until: String,
}

/// All that count now, the newest first.
pub(in crate::fronts::https) fn instructions(ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    let operations = &ask.site.operations;
    let rows = operations.instructions()?;
    let rows = rows.iter().map(|row| {
        let facts = Facts {
            title: row.in_language(guest.language).0.to_string(),
            since: words::date(guest.language, operations.calendar().date_of(row.given_at)),
            until: row.until.map(|until| last_day(operations, guest.language, until)).unwrap_or_default(),
        };
        (facts, text_of(row, guest.language))
    });
    let page = Board { frame: Frame::of(ask, guest), words: Texts::of(guest.language), rows: rows.collect() };
    shown(StatusCode::OK, guest, &page)
}

/// The text of one in the language of the page, or in Dutch.
pub(super) fn text_of(row: &Instruction, wanted: Language) -> TextShown {
    let (_, text, language) = row.in_language(wanted);
    let tag = match language {
        Language::Dutch => "nl",
        Language::English => "en",
    };
    TextShown { pieces: blocks(text), tag, differs: language != wanted }
}

/// What the start page says of them: their titles.
pub(super) fn titles(ask: &Ask, language: Language) -> Result<Vec<String>, Failure> {
    let rows = ask.site.operations.instructions()?;
    Ok(rows.iter().map(|row| row.in_language(language).0.to_string()).collect())
}

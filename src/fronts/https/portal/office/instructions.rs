//! Instructions to all users (I7): the board, giving one, withdrawing one.

use super::super::form::Form as Sent;
use super::super::instructions::text_of;
use super::super::texts::instructions::Texts;
use super::sheet::{Cell, Form, Given, Mistake, Part, Sheet, Table};
use super::{Ask, Desk, Failure};
use crate::domain::ids::InstructionId;
use crate::domain::instruction::{Instruction, parse_text};
use crate::domain::names::Line;
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::Act;
use crate::fronts::https::reply::Reply;
use crate::operations::NewInstruction;

impl Desk {
    /// The texts of these pages.
    pub(super) const fn instruction_words(&self) -> &'static Texts {
        Texts::of(self.guest.language)
    }
}

/// The board, and the form that gives one.
pub(in crate::fronts::https) fn board(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    listing(ask, desk, None, String::new())
}

/// Gives one.
pub(in crate::fronts::https) fn give_instruction(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    let sent = Sent::read(&ask.content);
    let outcome = read_new(ask, desk, &sent)
        .and_then(|new| Ok(ask.site.operations.give_instruction(new, &desk.visit).map(drop)?));
    desk.after(outcome, ("/office/instructions", "given"), |error| listing(ask, desk, Some(&sent), error))
}

fn read_new(ask: &Ask, desk: &Desk, sent: &Sent) -> Result<NewInstruction, Mistake> {
    let own = desk.instruction_words();
    let english = desk.read_some(sent, ("english-title", own.subject_english), Line::parse)?;
    let english_text = desk.read_some(sent, ("english", own.text_english), parse_text)?;
    Ok(NewInstruction {
        title: desk.read(sent, ("title", own.subject_dutch), Line::parse)?,
        text: desk.read(sent, ("text", own.text_dutch), parse_text)?,
        english: match (english, english_text) {
            (Some(title), Some(text)) => Some((title, text)),
            (None, None) => None,
            _ => return Err(Mistake::Said(own.english_hint.to_owned())),
        },
        until: desk.read_last_day(ask, sent, ("until", own.until))?,
    })
}

/// One instruction.
pub(in crate::fronts::https) fn instruction(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    showing(ask, desk, String::new())
}

/// Withdraws it.
pub(in crate::fronts::https) fn withdraw_instruction(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    let sent = Sent::read(&ask.content);
    let outcome = desk
        .sure(&sent)
        .and_then(|()| Ok(ask.site.operations.withdraw_instruction(id_in(ask)?, &desk.visit).map(drop)?));
    desk.after(outcome, ("/office/instructions", "instruction-withdrawn"), |error| showing(ask, desk, error))
}

fn id_in(ask: &Ask) -> Result<InstructionId, Failure> {
    InstructionId::parse(ask.segment(0)).map_err(|_| Refusal::NotFound(What::Instruction).into())
}

fn state(ask: &Ask, desk: &Desk, row: &Instruction) -> Cell {
    let own = desk.instruction_words();
    Cell::state(if row.counts(ask.site.operations.now()) { (own.shown, "done") } else { (own.over, "gone") })
}

fn listing(ask: &Ask, desk: &Desk, sent: Option<&Sent>, error: String) -> Result<Reply, Failure> {
    let (own, given) = (desk.instruction_words(), Given(sent));
    let all = ask.site.operations.all_instructions(&desk.visit)?;
    let rows = all.iter().map(|row| {
        let title = row.in_language(desk.guest.language).0.as_str();
        vec![
            Cell::link(title, desk.href(&format!("/office/instructions/{}", row.id))),
            desk.day(ask, row.given_at).into(),
            row.until.map(|until| desk.last_day(ask, until)).unwrap_or_default().into(),
            state(ask, desk, row),
        ]
    });
    let mut parts = vec![Part::Table(Table {
        head: vec![own.subject, own.since, own.until, own.state],
        rows: rows.collect(),
        empty: own.none,
        ..Table::default()
    })];
    if desk.may(Act::Define) {
        parts.push(Part::Form(Form {
            id: "give",
            title: own.give,
            lead: own.give_lead,
            action: desk.href("/office/instructions"),
            fields: vec![
                given.text("title", own.subject_dutch, "").required(),
                given.kind("textarea", "text", own.text_dutch, "").required().hinted(own.text_hint),
                given.text("english-title", own.subject_english, "").hinted(own.english_hint),
                given.kind("textarea", "english", own.text_english, ""),
                given.kind("date", "until", own.until, "").hinted(own.until_hint),
            ],
            button: own.give,
            ..Form::default()
        }));
    }
    let (title, lead) = (own.title.to_owned(), own.office_lead.to_owned());
    desk.sheet(ask, Sheet { title, lead, error, parts, ..Sheet::default() })
}

fn showing(ask: &Ask, desk: &Desk, error: String) -> Result<Reply, Failure> {
    let (own, id) = (desk.instruction_words(), id_in(ask)?);
    let all = ask.site.operations.all_instructions(&desk.visit)?;
    let row = all.iter().find(|row| row.id == id).ok_or(Refusal::NotFound(What::Instruction))?;
    let mut facts = vec![(own.state, state(ask, desk, row)), (own.since, desk.time(ask, row.given_at).into())];
    facts.extend(row.until.map(|until| (own.until, desk.last_day(ask, until).into())));
    let mut parts = vec![Part::Facts(facts), Part::Text(text_of(row, desk.guest.language))];
    if desk.may(Act::Define) {
        parts.push(Part::Form(Form {
            id: "withdraw",
            title: own.withdraw,
            lead: own.withdraw_lead,
            action: desk.href(&format!("/office/instructions/{id}/withdraw")),
            fields: vec![Given(None).kind("checkbox", "sure", desk.words().end_sure, "").required()],
            button: own.withdraw,
            is_grave: true,
            ..Form::default()
        }));
    }
    let title = row.in_language(desk.guest.language).0.to_string();
    desk.sheet(ask, Sheet { title, back: desk.href("/office/instructions"), error, parts, ..Sheet::default() })
}

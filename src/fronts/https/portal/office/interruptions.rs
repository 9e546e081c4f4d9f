//! Interruptions (J1, J2): what runs and is announced, starting one, ending one.

use super::super::form::Form as Sent;
use super::sheet::{Cell, Form, Given, Mistake, Part, Sheet, Table};
use super::{Ask, Desk, Failure};
use crate::domain::ids::InterruptionId;
use crate::domain::interruption::Reach;
use crate::domain::names::Line;
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::Act;
use crate::fronts::https::reply::Reply;
use crate::operations::NewInterruption;

/// The list.
pub(in crate::fronts::https) fn interruptions(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    showing(ask, desk, None, String::new())
}

/// Starts or announces one.
pub(in crate::fronts::https) fn start_interruption(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    let sent = Sent::read(&ask.content);
    let outcome = started(ask, desk, &sent);
    desk.after(outcome, ("/office/interruptions", "started"), |error| showing(ask, desk, Some(&sent), error))
}

fn started(ask: &Ask, desk: &Desk, sent: &Sent) -> Result<(), Mistake> {
    let words = desk.words();
    let until = desk.read_time(ask, sent, ("until", words.expected_end))?;
    let new = NewInterruption {
        reach: desk.read(sent, ("reach", words.reach_label), Reach::parse)?,
        nature: desk.read(sent, ("nature", words.nature), Line::parse)?,
        from: desk.read_time(ask, sent, ("from", words.from))?,
        until: until.ok_or_else(|| Mistake::Said(format!("{} {}", words.check_field, words.expected_end)))?,
        tells_administrators: sent.field("mail") == "yes",
    };
    ask.site.operations.start_interruption(new, &desk.visit)?;
    Ok(())
}

/// Ends one, or calls it off.
pub(in crate::fronts::https) fn end_interruption(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    let id = InterruptionId::parse(ask.segment(0)).map_err(|_| Refusal::NotFound(What::Interruption))?;
    let outcome = ask.site.operations.end_interruption(Some(id), &desk.visit);
    let outcome = outcome.map(drop).map_err(Mistake::from);
    desk.after(outcome, ("/office/interruptions", "interruption-ended"), |error| showing(ask, desk, None, error))
}

fn showing(ask: &Ask, desk: &Desk, sent: Option<&Sent>, error: String) -> Result<Reply, Failure> {
    let (words, operations, given) = (desk.words(), &ask.site.operations, Given(sent));
    let mut parts = Vec::new();
    let known = operations.interruptions()?;
    if known.is_empty() {
        parts.push(Part::Note(words.interruptions_none.to_owned()));
    }
    for row in known {
        let state = if row.pause.is_some() { (words.runs, "busy") } else { (words.announced, "new") };
        parts.push(Part::Table(Table {
            head: vec![words.nature, words.reach_label, words.from, words.expected_end, words.state],
            rows: vec![vec![
                row.nature.as_str().into(),
                words.reach(row.reach).into(),
                desk.time(ask, row.from).into(),
                desk.time(ask, row.until).into(),
                Cell::state(state),
            ]],
            ..Table::default()
        }));
        if desk.may(Act::Administer) {
            let button = if row.pause.is_some() { words.end_interruption } else { words.call_off };
            parts.push(Part::Form(Form {
                id: "end",
                title: button,
                action: desk.href(&format!("/office/interruptions/{}/end", row.id)),
                button,
                ..Form::default()
            }));
        }
    }
    if desk.may(Act::Administer) {
        let reaches = [Reach::All, Reach::Https, Reach::Sftp];
        let reaches = reaches.map(|reach| (reach.word().to_owned(), words.reach(reach).to_owned())).to_vec();
        parts.push(Part::Form(Form {
            id: "start",
            title: words.start_interruption,
            lead: words.start_interruption_lead,
            action: desk.href("/office/interruptions"),
            fields: vec![
                given.text("nature", words.nature, "").required().hinted(words.nature_hint),
                given.choice("reach", words.reach_label, reaches, Reach::All.word()),
                given.kind("datetime-local", "from", words.from, "").hinted(words.from_hint),
                given.kind("datetime-local", "until", words.expected_end, "").required(),
                given.kind("checkbox", "mail", words.tell_administrators, ""),
            ],
            button: words.start_interruption,
            is_grave: true,
            ..Form::default()
        }));
    }
    let (title, lead) = (words.interruptions.to_owned(), words.interruptions_lead.to_owned());
    desk.sheet(ask, Sheet { title, lead, error, parts, ..Sheet::default() })
}

//! Acts that wait for a second person: one of them, and what the second one says of it.

use std::collections::BTreeSet;

use super::super::form::Form as Sent;
use super::sheet::{Cell, Form, Given, Mistake, Part, Sheet, Table};
use super::{Ask, Desk, Failure};
use crate::domain::ids::ProposalId;
use crate::domain::names::{Line, OrganisationCode, ProductCode};
use crate::domain::proposal::{Proposal, ProposedAct};
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::Act;
use crate::fronts::https::reply::Reply;

/// One proposal.
pub(in crate::fronts::https) fn proposal(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    showing(ask, desk, None, String::new())
}

/// Confirms it.
pub(in crate::fronts::https) fn confirm_proposal(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    let outcome = id_in(ask).and_then(|id| ask.site.operations.confirm_proposal(id, &desk.visit));
    let outcome = outcome.map(drop).map_err(Mistake::from);
    desk.after(outcome, ("/office", "confirmed"), |error| showing(ask, desk, None, error))
}

/// Rejects it, or takes it back.
pub(in crate::fronts::https) fn reject_proposal(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    let sent = Sent::read(&ask.content);
    let outcome = desk
        .read_some(&sent, ("reason", desk.words().reason), Line::parse)
        .and_then(|reason| Ok(ask.site.operations.reject_proposal(id_in(ask)?, reason, &desk.visit).map(drop)?));
    desk.after(outcome, ("/office", "proposal-rejected"), |error| showing(ask, desk, Some(&sent), error))
}

fn id_in(ask: &Ask) -> Result<ProposalId, Failure> {
    ProposalId::parse(ask.segment(0)).map_err(|_| Refusal::NotFound(What::Proposal).into())
}

/// The proposals that wait, for the work queue.
pub(super) fn table(ask: &Ask, desk: &Desk) -> Result<Table, Failure> {
    let words = desk.words();
    let rows = ask.site.operations.proposals(&desk.visit)?;
    let rows = rows.iter().map(|row| {
        vec![
            Cell::link(words.proposed(&row.act), desk.href(&format!("/office/proposals/{}", row.id))),
            row.act.organisation().as_str().into(),
            row.by.as_str().into(),
            desk.day(ask, row.made_at).into(),
        ]
    });
    Ok(Table {
        title: words.proposals,
        head: vec![words.proposal, words.organisation, words.by, words.since],
        rows: rows.collect(),
        empty: words.proposals_none,
        ..Table::default()
    })
}

fn showing(ask: &Ask, desk: &Desk, sent: Option<&Sent>, error: String) -> Result<Reply, Failure> {
    let (words, id) = (desk.words(), id_in(ask)?);
    let all = ask.site.operations.proposals(&desk.visit)?;
    let row = all.into_iter().find(|row| row.id == id).ok_or(Refusal::NotFound(What::Proposal))?;
    let organisation = row.act.organisation();
    let mut facts: Vec<(&'static str, Cell)> = vec![
        (words.proposal, words.proposed(&row.act).into()),
        (
            words.organisation,
            Cell::link(organisation.as_str(), desk.href(&format!("/office/organisations/{organisation}"))),
        ),
    ];
    facts.extend(particulars(ask, desk, &row));
    facts.push((words.by, row.by.as_str().into()));
    facts.push((words.since, desk.time(ask, row.made_at).into()));
    facts.push((words.confirmable_until, desk.last_day(ask, row.until).into()));
    let mut parts = vec![Part::Facts(facts)];
    let is_own = row.by == desk.visit.visit.account.login.as_str();
    if is_own {
        parts.push(Part::Note(words.proposal_own.to_owned()));
    }
    if desk.may(Act::Administer) {
        let base = format!("/office/proposals/{id}");
        if !is_own {
            parts.push(Part::Form(Form {
                id: "confirm",
                title: words.confirm,
                lead: words.confirm_lead,
                action: desk.href(&format!("{base}/confirm")),
                button: words.confirm,
                ..Form::default()
            }));
        }
        let title = if is_own { words.take_back } else { words.reject };
        parts.push(Part::Form(Form {
            id: "reject",
            title,
            action: desk.href(&format!("{base}/reject")),
            fields: vec![Given(sent).text("reason", words.reason, "")],
            button: title,
            is_grave: true,
            ..Form::default()
        }));
    }
    let title = words.proposal_title.to_owned();
    desk.sheet(ask, Sheet { title, back: desk.href("/office"), error, parts, ..Sheet::default() })
}

fn particulars(ask: &Ask, desk: &Desk, row: &Proposal) -> Vec<(&'static str, Cell)> {
    let words = desk.words();
    match &row.act {
        ProposedAct::AddRecipientKey { fingerprint, line, .. } => {
            vec![(words.fingerprint, fingerprint.as_str().into()), (words.key, line.as_str().into())]
        }
        ProposedAct::RetireRecipientKey { fingerprint, from, .. } => {
            let mut facts = vec![(words.fingerprint, fingerprint.as_str().into())];
            facts.extend(from.map(|from| (words.from, desk.day(ask, from).into())));
            facts
        }
        ProposedAct::AddMandate { intermediary, scope, from, until, .. } => {
            let mandates = desk.mandate_words();
            let mut facts = vec![
                (desk.portal_mandate_words().intermediary, at_organisation(desk, intermediary)),
                (mandates.products, codes(scope.products()).into()),
            ];
            facts.extend(from.map(|from| (words.from, desk.day(ask, from).into())));
            let no_end = || desk.portal_mandate_words().no_end.to_owned();
            facts.push((words.until, until.map_or_else(no_end, |until| desk.last_day(ask, until)).into()));
            facts
        }
        ProposedAct::WidenMandate { mandate, intermediary, added, removed, until, .. } => {
            let mandates = desk.mandate_words();
            let mut facts = vec![
                (desk.portal_mandate_words().intermediary, at_organisation(desk, intermediary)),
                (mandates.mandate, Cell::link(mandate.to_string(), desk.href(&format!("/office/mandates/{mandate}")))),
            ];
            facts.extend((!added.is_empty()).then(|| (mandates.comes, codes(added).into())));
            facts.extend((!removed.is_empty()).then(|| (mandates.goes, codes(removed).into())));
            facts.extend(until.map(|until| (words.until, desk.last_day(ask, until).into())));
            facts
        }
    }
}

fn at_organisation(desk: &Desk, code: &OrganisationCode) -> Cell {
    Cell::link(code.as_str(), desk.href(&format!("/office/organisations/{code}")))
}

fn codes(products: &BTreeSet<ProductCode>) -> String {
    products.iter().map(ProductCode::as_str).collect::<Vec<_>>().join(", ")
}

//! What waits (P21, *Werkvoorraad*), and requests for accounts that only the operator can judge
//! (B4, B12): coupled to an organisation that is known, or to one that is made with it.

use super::super::form::Form as Sent;
use super::sheet::{Cell, Form, Given, Mistake, Part, Sheet, Table};
use super::{Ask, Desk, Failure, sought};
use crate::domain::ids::LinkId;
use crate::domain::names::{Kvk, Line, OrganisationCode};
use crate::domain::office::OFFICE;
use crate::domain::refusal::{Refusal, What};
use crate::domain::request::{Employer, RequestStage};
use crate::domain::rights::Act;
use crate::fronts::https::reply::Reply;
use crate::operations::{Judge, RequestView};

/// Everything that waits.
pub(in crate::fronts::https) fn queue(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    let (words, queue) = (desk.words(), ask.site.operations.work_queue(&desk.visit)?);
    let requests = queue.requests.iter().map(|view| {
        let link = desk.href(&format!("/office/requests/{}", view.request.id));
        let name = view.request.name.as_ref().map_or_else(|| view.request.email.to_string(), ToString::to_string);
        vec![
            Cell::link(name, link),
            view.request.email.as_str().into(),
            view.organisation_name.as_str().into(),
            desk.day(ask, waits_since(view)).into(),
        ]
    });
    let interruptions = queue.interruptions.iter().map(|row| {
        let state = if row.pause.is_some() { (words.runs, "busy") } else { (words.announced, "new") };
        vec![
            row.nature.as_str().into(),
            words.reach(row.reach).into(),
            desk.time(ask, row.from).into(),
            desk.time(ask, row.until).into(),
            Cell::state(state),
        ]
    });
    let unfetched = queue.unfetched.iter().map(|delivery| {
        vec![
            Cell::link(delivery.name(), desk.href(&format!("/office/deliveries/{}", delivery.id))),
            delivery.organisation_name.as_str().into(),
            delivery.product_name.as_str().into(),
            super::super::page::last_day(&ask.site.operations, desk.guest.language, delivery.available_until).into(),
        ]
    });
    let mails = queue.mails.iter().map(|mail| {
        let state = if mail.is_given_up { (words.mail_given_up, "gone") } else { (words.mail_tried_again, "busy") };
        vec![
            mail.to.clone().unwrap_or_default().into(),
            mail.kind.word().into(),
            Cell::state(state),
            mail.error.clone().unwrap_or_default().into(),
        ]
    });
    let parts = vec![
        Part::Table(Table {
            title: words.requests,
            head: vec![words.name, words.email, words.organisation, words.since],
            rows: requests.collect(),
            empty: words.requests_none,
            ..Table::default()
        }),
        Part::Table(super::proposals::table(ask, desk)?),
        Part::Table(Table {
            title: words.interruptions,
            head: vec![words.nature, words.reach_label, words.from, words.expected_end, words.state],
            rows: interruptions.collect(),
            empty: words.interruptions_none,
            ..Table::default()
        }),
        Part::Table(Table {
            title: words.unfetched,
            head: vec![words.delivery, words.organisation, words.product, words.available_until],
            rows: unfetched.collect(),
            empty: words.unfetched_none,
            ..Table::default()
        }),
        Part::Table(Table {
            title: words.mails,
            head: vec![words.mail_to, words.kind, words.state, words.mail_error],
            rows: mails.collect(),
            empty: words.mails_none,
            ..Table::default()
        }),
        Part::Note(format!("{} {}", words.mails_waiting, queue.waiting_mails)),
    ];
    desk.sheet(
        ask,
        Sheet { title: words.queue.to_owned(), lead: words.queue_lead.to_owned(), parts, ..Sheet::default() },
    )
}

fn waits_since(view: &RequestView) -> crate::domain::moment::Moment {
    match view.request.stage {
        RequestStage::Waiting { since } => since,
        RequestStage::Unconfirmed { .. } => view.request.made_at,
    }
}

/// One request.
pub(in crate::fronts::https) fn request(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    showing(ask, desk, None, String::new())
}

/// Approves it for an organisation that is known.
pub(in crate::fronts::https) fn approve(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    let sent = Sent::read(&ask.content);
    let outcome = approved(ask, desk, &sent);
    desk.after(outcome, ("/office", "approved"), |error| showing(ask, desk, Some(&sent), error))
}

fn approved(ask: &Ask, desk: &Desk, sent: &Sent) -> Result<(), Mistake> {
    let label = desk.words().organisation;
    let organisation = desk.read_some(sent, ("organisation", label), OrganisationCode::parse)?;
    ask.site.operations.approve_request(request_id(ask)?, judge(desk, organisation))?;
    Ok(())
}

/// Makes its organisation and approves it.
pub(in crate::fronts::https) fn approve_new(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    let sent = Sent::read(&ask.content);
    let outcome = approved_new(ask, desk, &sent);
    desk.after(outcome, ("/office", "approved"), |error| showing(ask, desk, Some(&sent), error))
}

fn approved_new(ask: &Ask, desk: &Desk, sent: &Sent) -> Result<(), Mistake> {
    let new = super::organisations::read_new(desk, sent)?;
    ask.site.operations.approve_request_of_new(request_id(ask)?, new, &desk.visit)?;
    Ok(())
}

/// Rejects it, with the reason that the person is told.
pub(in crate::fronts::https) fn reject(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    let sent = Sent::read(&ask.content);
    let outcome = desk
        .read(&sent, ("reason", desk.words().reason), Line::parse)
        .and_then(|reason| Ok(ask.site.operations.reject_request(request_id(ask)?, reason, judge(desk, None))?));
    desk.after(outcome, ("/office", "rejected"), |error| showing(ask, desk, Some(&sent), error))
}

fn judge(desk: &Desk, organisation: Option<OrganisationCode>) -> Judge {
    Judge::Officer { by: (&desk.visit).into(), organisation }
}

fn request_id(ask: &Ask) -> Result<LinkId, Failure> {
    LinkId::parse(ask.segment(0)).map_err(|_| Refusal::NotFound(What::Request).into())
}

fn found(ask: &Ask, desk: &Desk, id: LinkId) -> Result<RequestView, Failure> {
    let waiting = ask.site.operations.account_requests(&judge(desk, None))?;
    let found = waiting.into_iter().find(|view| view.request.id == id);
    Ok(found.ok_or(Refusal::NotFound(What::Request))?)
}

fn showing(ask: &Ask, desk: &Desk, sent: Option<&Sent>, error: String) -> Result<Reply, Failure> {
    let (words, given, operations) = (desk.words(), Given(sent), &ask.site.operations);
    let view = found(ask, desk, request_id(ask)?)?;
    let (stated, kvk) = match &view.request.organisation {
        Employer::Known(_) => (String::new(), None),
        Employer::Stated { name, kvk } => (name.to_string(), kvk.as_ref().map(Kvk::to_string)),
    };
    let facts = vec![
        (words.name, view.request.name.as_ref().map(ToString::to_string).unwrap_or_default().into()),
        (words.email, view.request.email.as_str().into()),
        (words.organisation, view.organisation_name.as_str().into()),
        (words.kvk, kvk.clone().unwrap_or_default().into()),
        (words.since, desk.time(ask, waits_since(&view)).into()),
    ];
    let mut parts =
        vec![Part::Facts(facts.into_iter().filter(|(_, cell): &(_, Cell)| !cell.text.is_empty()).collect())];
    if desk.may(Act::ManageMembers) && matches!(view.request.stage, RequestStage::Waiting { .. }) {
        let base = format!("/office/requests/{}", view.request.id);
        let is_known = matches!(view.request.organisation, Employer::Known(_));
        let mut fields = Vec::new();
        if !is_known {
            let (known, _) = sought(
                |after| operations.organisations(after),
                |row| row.code.clone(),
                |row| row.code.as_str() != OFFICE,
            )?;
            let mut options: Vec<(String, String)> =
                known.into_iter().map(|row| (row.code.to_string(), format!("{} ({})", row.name, row.code))).collect();
            options.sort_by_key(|(_, name)| name.to_lowercase());
            // nobody is coupled to whichever comes first
            options.insert(0, (String::new(), desk.guest.texts().choose.to_owned()));
            fields.push(given.choice("organisation", words.organisation, options, ""));
        }
        if is_known || fields.iter().any(|field| field.options.len() > 1) {
            parts.push(Part::Form(Form {
                id: "known",
                title: if is_known { words.approve } else { words.approve_known },
                lead: words.approve_lead,
                action: desk.href(&format!("{base}/approve")),
                fields,
                button: words.approve,
                ..Form::default()
            }));
        }
        if !is_known && desk.may(Act::Administer) {
            parts.push(Part::Form(Form {
                id: "new",
                title: words.approve_new,
                lead: words.approve_new_lead,
                action: desk.href(&format!("{base}/approve-new")),
                fields: super::organisations::new_fields(words, &given, (&stated, &kvk.unwrap_or_default())),
                button: words.approve_new_button,
                ..Form::default()
            }));
        }
        parts.push(Part::Form(Form {
            id: "reject",
            title: words.reject,
            lead: words.reject_lead,
            action: desk.href(&format!("{base}/reject")),
            fields: vec![given.text("reason", words.reason, "").required()],
            button: words.reject,
            is_grave: true,
            ..Form::default()
        }));
    }
    let title = words.request.to_owned();
    desk.sheet(ask, Sheet { title, back: desk.href("/office"), error, parts, ..Sheet::default() })
}

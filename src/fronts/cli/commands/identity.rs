//! Commands about how to reach an organisation, and changes of its identity that it asked for.

use serde_json::{Value, json};

use super::Office;
use super::texts::all_pages;
use crate::domain::history::Channel;
use crate::domain::names::{Line, OrganisationCode};
use crate::domain::organisation_card::IdentityChange;
use crate::fronts::cli::{Answer, args};
use crate::operations::Failure;

const CHANNEL: Channel = Channel::CommandLine;

pub(super) fn change_request(office: &Office, command: args::ChangeRequest) -> Result<Answer, Failure> {
    let operations = &office.operations;
    match command {
        args::ChangeRequest::List => {
            let rows = all_pages(|last: Option<&IdentityChange>| {
                operations.identity_changes(last.map(|row| &row.organisation), CHANNEL)
            })?;
            let columns = ["organisation", "name", "kvk", "oin", "askedBy", "askedAt"];
            Ok(Answer::list(rows.iter().map(form).collect(), &columns))
        }
        args::ChangeRequest::Approve { code } => {
            let organisation = OrganisationCode::parse(&code)?;
            operations.approve_identity_change(&organisation, None, CHANNEL)?;
            super::members::shown(office, &organisation)
        }
        args::ChangeRequest::Reject { code, reason } => {
            let reason = Line::parse(&reason)?;
            operations.reject_identity_change(&OrganisationCode::parse(&code)?, None, reason, CHANNEL)?;
            Ok(Answer::said(format!("rejected the change of {code}"), json!({ "organisation": code })))
        }
    }
}

/// How to reach an organisation, as members of its own form.
pub(super) fn contacts(office: &Office, code: &OrganisationCode) -> Result<Value, Failure> {
    let card = office.operations.organisation_view(code, CHANNEL)?.card;
    let persons = card.persons.all().iter().map(|person| {
        json!({
            "role": person.role.word(),
            "name": person.name.as_str(),
            "email": person.email.as_str(),
            "phone": person.phone.as_ref().map(Line::as_str),
        })
    });
    Ok(json!({
        "email": card.email.as_ref().map(ToString::to_string),
        "phone": card.phone.as_ref().map(Line::as_str),
        "address": card.address.as_ref().map(Line::as_str),
        "persons": persons.collect::<Vec<_>>(),
    }))
}

fn form(change: &IdentityChange) -> Value {
    json!({
        "organisation": change.organisation.as_str(),
        "name": change.wanted.name.as_str(),
        "kvk": change.wanted.kvk.as_ref().map(ToString::to_string),
        "oin": change.wanted.oin.as_ref().map(ToString::to_string),
        "askedBy": change.asked_by.as_str(),
        "askedAt": change.asked_at.to_string(),
    })
}

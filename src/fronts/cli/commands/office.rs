//! Commands about the operator's own people.

use serde_json::{Value, json};

use super::Office;
use crate::domain::account::Language;
use crate::domain::history::Channel;
use crate::domain::names::{EmailAddress, Line, LoginName};
use crate::domain::office::OfficeRole;
use crate::fronts::cli::{Answer, args};
use crate::operations::{Failure, NewOfficeMember, OfficeMemberView, StandingChange};

const CHANNEL: Channel = Channel::CommandLine;

pub(super) fn office(desk: &Office, command: args::OfficePeople) -> Result<Answer, Failure> {
    let operations = &desk.operations;
    match command {
        args::OfficePeople::Add { email, role, language } => {
            let language = match language {
                args::Language::Nl => Language::Dutch,
                args::Language::En => Language::English,
            };
            let new = NewOfficeMember { email: EmailAddress::parse(&email)?, role: role_of(role), language };
            let address = operations.add_office_member(new, CHANNEL)?;
            Ok(Answer::said(address.clone(), json!({ "login": email, "address": address })))
        }
        args::OfficePeople::List => {
            let rows = operations.office_members(CHANNEL)?;
            Ok(Answer::list(rows.iter().map(form).collect(), &["login", "role", "activated", "standing", "addedAt"]))
        }
        args::OfficePeople::Role { email, role } => {
            operations.change_office_role(&LoginName::parse(&email)?, role_of(role), CHANNEL)?;
            Ok(Answer::said(format!("{email} is {} now", role_of(role).word()), json!({ "login": email })))
        }
        args::OfficePeople::End { email, note } => {
            let note = note.as_deref().map(Line::parse).transpose()?;
            let login = LoginName::parse(&email)?;
            operations.end_office_member(&login, StandingChange::End { reason: None, note }, CHANNEL)?;
            Ok(Answer::said(format!("{email} has left the office"), json!({ "login": email })))
        }
    }
}

const fn role_of(role: args::Role) -> OfficeRole {
    match role {
        args::Role::Officer => OfficeRole::Officer,
        args::Role::Administrator => OfficeRole::Administrator,
        args::Role::SecurityOfficer => OfficeRole::SecurityOfficer,
    }
}

fn form(view: &OfficeMemberView) -> Value {
    json!({
        "login": view.member.login.as_str(),
        "role": view.member.role.word(),
        "activated": view.is_activated,
        "standing": crate::fronts::forms::account(&view.account).get("standing"),
        "addedAt": view.member.added_at.to_string(),
    })
}

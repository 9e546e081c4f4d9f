//! Who works in the office: the list, adding somebody, another role. Blocking and ending a
//! colleague is done on the page of the account.

use super::super::form::Form as Sent;
use super::sheet::{Cell, Form, Given, Mistake, Part, Sheet, Table};
use super::{Ask, Desk, Failure, language_in, languages};
use crate::domain::block::Access;
use crate::domain::names::{EmailAddress, LoginName};
use crate::domain::office::OfficeRole;
use crate::domain::rights::Act;
use crate::fronts::https::reply::Reply;
use crate::operations::NewOfficeMember;

/// The list.
pub(in crate::fronts::https) fn colleagues(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    showing(ask, desk, None, String::new())
}

/// Adds somebody, who gets an e-mail.
pub(in crate::fronts::https) fn add_colleague(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    let sent = Sent::read(&ask.content);
    let outcome = added(ask, desk, &sent);
    desk.after(outcome, ("/office/colleagues", "added"), |error| showing(ask, desk, Some(&sent), error))
}

fn added(ask: &Ask, desk: &Desk, sent: &Sent) -> Result<(), Mistake> {
    let words = desk.words();
    let email = desk.read(sent, ("email", words.email), EmailAddress::parse)?;
    let role = desk.read(sent, ("role", words.role), OfficeRole::parse)?;
    let new = NewOfficeMember { email, role, language: language_in(sent) };
    Ok(ask.site.operations.add_office_member(new, &desk.visit).map(drop)?)
}

/// Gives somebody another role.
pub(in crate::fronts::https) fn change_role(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    let sent = Sent::read(&ask.content);
    let outcome = changed(ask, desk, &sent);
    desk.after(outcome, ("/office/colleagues", "saved"), |error| showing(ask, desk, None, error))
}

fn changed(ask: &Ask, desk: &Desk, sent: &Sent) -> Result<(), Mistake> {
    let words = desk.words();
    let login = desk.read(sent, ("login", words.account), LoginName::parse)?;
    let role = desk.read(sent, ("role", words.role), OfficeRole::parse)?;
    Ok(ask.site.operations.change_office_role(&login, role, &desk.visit)?)
}

fn showing(ask: &Ask, desk: &Desk, sent: Option<&Sent>, error: String) -> Result<Reply, Failure> {
    let (words, operations, given) = (desk.words(), &ask.site.operations, Given(sent));
    let members = operations.office_members(&desk.visit)?;
    let rows = members.iter().map(|view| {
        let state = if view.is_activated || view.account.standing.at(operations.now()) != Access::Open {
            desk.standing(ask, &view.account.standing)
        } else {
            Cell::state((words.waits_for_activation, "busy"))
        };
        vec![
            Cell::link(view.account.login.as_str(), desk.href(&format!("/office/accounts/{}", view.account.login))),
            words.role(view.member.role).into(),
            desk.day(ask, view.member.added_at).into(),
            state,
        ]
    });
    let mut parts = vec![Part::Table(Table {
        head: vec![words.account, words.role, words.added_on, words.state],
        rows: rows.collect(),
        ..Table::default()
    })];
    let roles: Vec<(String, String)> =
        OfficeRole::ALL.iter().map(|role| (role.word().to_owned(), words.role(*role).to_owned())).collect();
    if desk.may(Act::ManageOffice) {
        parts.push(Part::Form(Form {
            id: "add",
            title: words.add_colleague,
            lead: words.add_colleague_lead,
            action: desk.href("/office/colleagues"),
            fields: vec![
                given.kind("email", "email", words.email, "").required(),
                given.choice("role", words.role, roles.clone(), OfficeRole::Officer.word()),
                given.choice("language", words.language, languages(), "nl"),
            ],
            button: words.add,
            ..Form::default()
        }));
        let own = &desk.visit.visit.account.login;
        let others: Vec<(String, String)> = members
            .iter()
            .filter(|view| view.account.login != *own && view.account.standing.at(operations.now()) != Access::Ended)
            .map(|view| (view.account.login.to_string(), view.account.login.to_string()))
            .collect();
        if !others.is_empty() {
            parts.push(Part::Form(Form {
                id: "role",
                title: words.change_role,
                lead: words.change_role_lead,
                action: desk.href("/office/colleagues/role"),
                fields: vec![
                    Given(None).choice("login", words.account, others, ""),
                    Given(None).choice("role", words.role, roles, ""),
                ],
                button: words.save,
                ..Form::default()
            }));
        }
    }
    let (title, lead) = (words.colleagues.to_owned(), words.colleagues_lead.to_owned());
    desk.sheet(ask, Sheet { title, lead, error, parts, ..Sheet::default() })
}

//! People and machines of all organisations: the list, one of them with rights and sessions, its
//! link sent anew, and blocking and ending it.

use super::super::form::Form as Sent;
use super::super::texts::OfficeAttemptTexts;
use super::sheet::{Cell, Form, Given, Mistake, Part, Search, Sheet, Table};
use super::{Ask, Desk, Failure, fits, sought, wanted};
use crate::domain::account::AccountKind;
use crate::domain::block::Access;
use crate::domain::names::LoginName;
use crate::domain::office::OFFICE;
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::Act;
use crate::fronts::https::reply::Reply;
use crate::operations::StandingChange;

/// The list.
pub(in crate::fronts::https) fn accounts(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    let (words, operations, wanted) = (desk.words(), &ask.site.operations, wanted(ask));
    let (rows, has_more) = sought(
        |after| operations.accounts(after),
        |row| row.login.clone(),
        |row| row.organisation.as_str() != OFFICE && fits(&wanted, &[row.login.as_str(), row.organisation.as_str()]),
    )?;
    let rows = rows.iter().map(|row| {
        let kind = match row.kind {
            AccountKind::Machine { .. } => words.machine,
            AccountKind::Person { .. } if row.is_administrator => words.administrator,
            AccountKind::Person { .. } => words.person,
        };
        vec![
            Cell::link(row.login.as_str(), desk.href(&format!("/office/accounts/{}", row.login))),
            kind.into(),
            Cell::link(row.organisation.as_str(), desk.href(&format!("/office/organisations/{}", row.organisation))),
            desk.standing(ask, &row.standing),
        ]
    });
    let search = Search {
        action: "/office/accounts",
        fields: vec![Given(None).kind("search", "show", words.search_account, &wanted)],
        button: words.search,
    };
    let mut parts = vec![
        Part::Search(search),
        Part::Table(Table {
            head: vec![words.account, words.kind, words.organisation, words.state],
            rows: rows.collect(),
            empty: words.nothing_found,
            ..Table::default()
        }),
    ];
    if has_more {
        parts.push(Part::Note(words.there_is_more.to_owned()));
    }
    desk.sheet(ask, Sheet { title: words.accounts.to_owned(), parts, ..Sheet::default() })
}

/// One account.
pub(in crate::fronts::https) fn account(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    showing(ask, desk, String::new())
}

/// Blocks it.
pub(in crate::fronts::https) fn block_account(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    let sent = Sent::read(&ask.content);
    let outcome = desk.read_block(ask, &sent).and_then(|change| standing(ask, desk, change, &sent));
    ended_with(ask, desk, outcome, "blocked")
}

/// Lifts its block.
pub(in crate::fronts::https) fn unblock_account(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    let sent = Sent::read(&ask.content);
    ended_with(ask, desk, standing(ask, desk, StandingChange::Unblock, &sent), "unblocked")
}

/// Ends it for good.
pub(in crate::fronts::https) fn end_account(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    let sent = Sent::read(&ask.content);
    let outcome = desk.read_end(&sent).and_then(|change| standing(ask, desk, change, &sent));
    ended_with(ask, desk, outcome, "ended")
}

/// Sends its link anew (B15).
pub(in crate::fronts::https) fn send_link(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    let outcome = ask.site.operations.send_link_anew(&login_in(ask)?, &desk.visit);
    ended_with(ask, desk, outcome.map_err(Mistake::from), "sent")
}

fn standing(ask: &Ask, desk: &Desk, change: StandingChange, sent: &Sent) -> Result<(), Mistake> {
    let (login, telling) = (login_in(ask)?, Desk::read_telling(sent));
    Ok(ask.site.operations.change_account_standing_telling(&login, change, telling, &desk.visit)?)
}

pub(super) fn ended_with(ask: &Ask, desk: &Desk, outcome: Result<(), Mistake>, word: &str) -> Result<Reply, Failure> {
    let to = format!("/office/accounts/{}", login_in(ask)?);
    desk.after(outcome, (&to, word), |error| showing(ask, desk, error))
}

fn login_in(ask: &Ask) -> Result<LoginName, Failure> {
    LoginName::parse(ask.segment(0)).map_err(|_| Refusal::NotFound(What::Account).into())
}

fn showing(ask: &Ask, desk: &Desk, error: String) -> Result<Reply, Failure> {
    let (words, operations) = (desk.words(), &ask.site.operations);
    let view = operations.look_at_account(&login_in(ask)?, &desk.visit)?;
    let account = &view.account;
    let base = format!("/office/accounts/{}", account.login);
    let kind = match account.kind {
        AccountKind::Machine { .. } => words.machine,
        AccountKind::Person { .. } if account.is_administrator => words.administrator,
        AccountKind::Person { .. } => words.person,
    };
    let organisation = if view.is_of_office {
        words.office.into()
    } else {
        Cell::link(account.organisation.as_str(), desk.href(&format!("/office/organisations/{}", account.organisation)))
    };
    let mut facts: Vec<(&'static str, Cell)> = vec![
        (words.kind, kind.into()),
        (words.organisation, organisation),
        (words.email, account.mail_address().as_str().into()),
        (words.added_on, desk.day(ask, account.added_at).into()),
    ];
    if !view.is_activated {
        facts.push((words.activation, words.waits_for_activation.into()));
    }
    facts.extend(desk.standing_facts(ask, &account.standing));
    let under_terms = operations.terms_of_account(&account.login, &desk.visit)?;
    if !view.is_of_office {
        facts.extend(super::terms::facts(ask, desk, &under_terms));
    }
    let rights = view.rights.iter().map(|right| {
        vec![right.recipient.as_str().into(), right.product.as_str().into(), desk.day(ask, right.since).into()]
    });
    let sessions = view.sessions.iter().map(|session| {
        vec![
            desk.time(ask, session.begun_at).into(),
            desk.time(ask, session.ends_at).into(),
            session.assurance.word().into(),
        ]
    });
    let mut parts = vec![Part::Facts(facts)];
    if !view.is_of_office {
        parts.push(Part::Table(Table {
            title: words.rights,
            head: vec![words.organisation, words.product, words.since],
            rows: rights.collect(),
            empty: words.rights_none,
            ..Table::default()
        }));
    }
    if matches!(account.kind, AccountKind::Machine { .. }) {
        parts.extend(attempts(ask, desk, &account.login)?);
    }
    if matches!(account.kind, AccountKind::Person { .. }) {
        parts.push(Part::Table(Table {
            title: words.sessions,
            head: vec![words.begun, words.ends_at, words.assurance],
            rows: sessions.collect(),
            empty: words.sessions_none,
            ..Table::default()
        }));
    }
    let change = if view.is_of_office { Act::ManageOffice } else { Act::Administer };
    let sends = if view.is_of_office { Act::ManageOffice } else { Act::ManageMembers };
    let is_open = account.standing.at(operations.now()) == Access::Open;
    if !view.is_activated && is_open && desk.may(sends) {
        parts.push(Part::Form(Form {
            id: "link",
            title: words.send_link,
            lead: words.send_link_lead,
            action: desk.href(&format!("{base}/link")),
            button: words.send_link,
            ..Form::default()
        }));
    }
    if !view.is_of_office && account.standing.at(operations.now()) != Access::Ended {
        parts.extend(super::terms::form(desk, &account.login, &under_terms));
    }
    parts.extend(desk.standing_forms(ask, &account.standing, &base, change));
    let back = desk.href(if view.is_of_office { "/office/colleagues" } else { "/office/accounts" });
    desk.sheet(ask, Sheet { title: account.login.to_string(), back, error, parts, ..Sheet::default() })
}

/// Why a robot does not get in, as far as the server has seen it since its start (4.1-7).
fn attempts(ask: &Ask, desk: &Desk, login: &LoginName) -> Result<Vec<Part>, Failure> {
    let texts = OfficeAttemptTexts::of(desk.guest.language);
    let seen = ask.site.operations.attempts_seen(login, &desk.visit)?;
    let rows = seen.iter().map(|one| {
        let times = if one.times > 1 { format!(" ({}×)", one.times) } else { String::new() };
        vec![
            format!("{}{times}", desk.time(ask, one.at)).into(),
            one.address.to_string().into(),
            one.credential.as_str().into(),
            Cell::state(texts.told(&one.outcome)),
        ]
    });
    let table = Part::Table(Table {
        title: texts.attempts,
        head: vec![texts.at, texts.from, texts.with, texts.outcome],
        rows: rows.collect(),
        empty: texts.none,
        ..Table::default()
    });
    let hint = (!seen.is_empty()).then(|| Part::Note(texts.hint.to_owned()));
    Ok([table].into_iter().chain(hint).collect())
}

//! Organisations: the list, one of them with its people and agreements, adding, changing, and
//! blocking and ending (J5-J8).

use super::super::form::Form as Sent;
use super::sheet::{Cell, Field, Form, Given, Mistake, Part, Search, Sheet, Table};
use super::{Ask, Desk, Failure, fits, sought, wanted};
use crate::domain::account::AccountKind;
use crate::domain::names::{Kvk, Line, MailDomain, NameFault, Oin, OrganisationCode};
use crate::domain::office::OFFICE;
use crate::domain::proposal::ProposedAct;
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::Act;
use crate::fronts::https::reply::Reply;
use crate::operations::{NewOrganisation, OrganisationChange, StandingChange};

/// The list.
pub(in crate::fronts::https) fn organisations(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    listing(ask, desk, None, String::new())
}

/// Adds one.
pub(in crate::fronts::https) fn add_organisation(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    let sent = Sent::read(&ask.content);
    let outcome =
        read_new(desk, &sent).and_then(|new| Ok(ask.site.operations.add_organisation(new, &desk.visit).map(drop)?));
    desk.after(outcome, ("/office/organisations", "added"), |error| listing(ask, desk, Some(&sent), error))
}

/// One organisation.
pub(in crate::fronts::https) fn organisation(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    showing(ask, desk, None, String::new())
}

/// Changes its data.
pub(in crate::fronts::https) fn change_organisation(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    let sent = Sent::read(&ask.content);
    let outcome = changed(ask, desk, &sent);
    ended_with(ask, desk, outcome, "saved", Some(&sent))
}

fn changed(ask: &Ask, desk: &Desk, sent: &Sent) -> Result<(), Mistake> {
    let words = desk.words();
    let change = OrganisationChange {
        name: Some(desk.read(sent, ("name", words.name), Line::parse)?),
        oin: desk.read_some(sent, ("oin", words.oin), Oin::parse)?,
        kvk: desk.read_some(sent, ("kvk", words.kvk), Kvk::parse)?,
        mail_domains: Some(desk.read(sent, ("domains", words.mail_domains), domains)?),
        allow_from: None,
    };
    Ok(ask.site.operations.change_organisation(&code_in(ask)?, change, &desk.visit)?)
}

/// Blocks it.
pub(in crate::fronts::https) fn block_organisation(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    let sent = Sent::read(&ask.content);
    let outcome = desk.read_block(ask, &sent).and_then(|change| standing(ask, desk, change, &sent));
    ended_with(ask, desk, outcome, "blocked", None)
}

/// Lifts its block.
pub(in crate::fronts::https) fn unblock_organisation(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    let outcome = standing(ask, desk, StandingChange::Unblock, &Sent::read(&ask.content));
    ended_with(ask, desk, outcome, "unblocked", None)
}

/// Ends it for good.
pub(in crate::fronts::https) fn end_organisation(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    let sent = Sent::read(&ask.content);
    let outcome = desk.read_end(&sent).and_then(|change| standing(ask, desk, change, &sent));
    ended_with(ask, desk, outcome, "ended", None)
}

/// Couples a key of the organisation, or proposes that.
pub(in crate::fronts::https) fn add_key(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    let sent = Sent::read(&ask.content);
    let (organisation, line) = (code_in(ask)?, sent.field("key").trim().to_owned());
    done_or_proposed(ask, desk, ProposedAct::AddRecipientKey { organisation, fingerprint: String::new(), line }, &sent)
}

/// Retires a key of the organisation, or proposes that.
pub(in crate::fronts::https) fn retire_key(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    let sent = Sent::read(&ask.content);
    let (organisation, fingerprint) = (code_in(ask)?, sent.field("fingerprint").trim().to_owned());
    done_or_proposed(ask, desk, ProposedAct::RetireRecipientKey { organisation, fingerprint, from: None }, &sent)
}

fn done_or_proposed(ask: &Ask, desk: &Desk, act: ProposedAct, sent: &Sent) -> Result<Reply, Failure> {
    match ask.site.operations.do_or_propose(act, &desk.visit) {
        Ok(proposal) => {
            let word = if proposal.is_some() { "proposed" } else { "saved" };
            ended_with(ask, desk, Ok(()), word, None)
        }
        Err(failure) => ended_with(ask, desk, Err(failure.into()), "", Some(sent)),
    }
}

fn standing(ask: &Ask, desk: &Desk, change: StandingChange, sent: &Sent) -> Result<(), Mistake> {
    let (code, telling) = (code_in(ask)?, Desk::read_telling(sent));
    Ok(ask.site.operations.change_organisation_standing_telling(&code, change, telling, &desk.visit)?)
}

fn ended_with(
    ask: &Ask,
    desk: &Desk,
    outcome: Result<(), Mistake>,
    word: &str,
    sent: Option<&Sent>,
) -> Result<Reply, Failure> {
    let to = format!("/office/organisations/{}", code_in(ask)?);
    desk.after(outcome, (&to, word), |error| showing(ask, desk, sent, error))
}

/// The organisation in the address; that of the office is none that is steered here.
fn code_in(ask: &Ask) -> Result<OrganisationCode, Failure> {
    let code = OrganisationCode::parse(ask.segment(0)).ok().filter(|code| code.as_str() != OFFICE);
    Ok(code.ok_or(Refusal::NotFound(What::Organisation))?)
}

/// The fields of one that is to be made, with what is known of it already.
pub(super) fn new_fields(
    words: &'static super::words::Texts,
    given: &Given<'_>,
    (name, kvk): (&str, &str),
) -> Vec<Field> {
    vec![
        given.text("code", words.code, "").required().hinted(words.code_hint),
        given.text("name", words.name, name).required(),
        given.text("kvk", words.kvk, kvk),
        given.text("oin", words.oin, ""),
        given.text("domains", words.mail_domains, "").hinted(words.mail_domains_hint),
    ]
}

/// What those fields say.
pub(super) fn read_new(desk: &Desk, sent: &Sent) -> Result<NewOrganisation, Mistake> {
    let words = desk.words();
    Ok(NewOrganisation {
        code: desk.read(sent, ("code", words.code), OrganisationCode::parse)?,
        name: desk.read(sent, ("name", words.name), Line::parse)?,
        oin: desk.read_some(sent, ("oin", words.oin), Oin::parse)?,
        kvk: desk.read_some(sent, ("kvk", words.kvk), Kvk::parse)?,
        mail_domains: desk.read(sent, ("domains", words.mail_domains), domains)?,
    })
}

fn domains(text: &str) -> Result<Vec<MailDomain>, NameFault> {
    text.split([',', ' ']).filter(|domain| !domain.is_empty()).map(MailDomain::parse).collect()
}

fn listing(ask: &Ask, desk: &Desk, sent: Option<&Sent>, error: String) -> Result<Reply, Failure> {
    let (words, operations, given) = (desk.words(), &ask.site.operations, Given(sent));
    let wanted = wanted(ask);
    let (rows, has_more) = sought(
        |after| operations.organisations(after),
        |row| row.code.clone(),
        |row| row.code.as_str() != OFFICE && fits(&wanted, &[row.code.as_str(), row.name.as_str()]),
    )?;
    let rows = rows.iter().map(|row| {
        let link = desk.href(&format!("/office/organisations/{}", row.code));
        let kvk = row.kvk.as_ref().map(Kvk::to_string).unwrap_or_default();
        vec![
            Cell::link(row.name.as_str(), link),
            row.code.as_str().into(),
            kvk.into(),
            desk.standing(ask, &row.standing),
        ]
    });
    let table = Table {
        head: vec![words.name, words.code, words.kvk, words.state],
        rows: rows.collect(),
        empty: words.nothing_found,
        ..Table::default()
    };
    let search = Search {
        action: "/office/organisations",
        fields: vec![Given(None).kind("search", "show", words.search_organisation, &wanted)],
        button: words.search,
    };
    let mut parts = vec![Part::Search(search), Part::Table(table)];
    if has_more {
        parts.push(Part::Note(words.there_is_more.to_owned()));
    }
    if desk.may(Act::Administer) {
        parts.push(Part::Form(Form {
            id: "add",
            title: words.add_organisation,
            action: desk.href("/office/organisations"),
            fields: new_fields(words, &given, ("", "")),
            button: words.add,
            ..Form::default()
        }));
    }
    desk.sheet(ask, Sheet { title: words.organisations.to_owned(), error, parts, ..Sheet::default() })
}

fn showing(ask: &Ask, desk: &Desk, sent: Option<&Sent>, error: String) -> Result<Reply, Failure> {
    let (words, operations, given) = (desk.words(), &ask.site.operations, Given(sent));
    let row = operations.organisation(&code_in(ask)?)?;
    let base = format!("/office/organisations/{}", row.code);
    let text = |text: Option<String>| text.unwrap_or_default();
    let (oin, kvk) = (text(row.oin.as_ref().map(Oin::to_string)), text(row.kvk.as_ref().map(Kvk::to_string)));
    let domains = row.mail_domains.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let mut facts: Vec<(&'static str, Cell)> = vec![
        (words.code, row.code.as_str().into()),
        (words.kvk, kvk.as_str().into()),
        (words.oin, oin.as_str().into()),
        (words.mail_domains, domains.as_str().into()),
        (words.added_on, desk.day(ask, row.added_at).into()),
    ];
    facts.extend(desk.standing_facts(ask, &row.standing));
    facts.retain(|(_, cell)| !cell.text.is_empty());
    let (people, _) = sought(
        |after| operations.accounts(after),
        |account| account.login.clone(),
        |account| account.organisation == row.code,
    )?;
    let people = people.iter().map(|account| {
        let link = desk.href(&format!("/office/accounts/{}", account.login));
        let kind = match account.kind {
            AccountKind::Machine { .. } => words.machine,
            AccountKind::Person { .. } if account.is_administrator => words.administrator,
            AccountKind::Person { .. } => words.person,
        };
        vec![Cell::link(account.login.as_str(), link), kind.into(), desk.standing(ask, &account.standing)]
    });
    let mut parts = vec![
        Part::Facts(facts),
        Part::Table(Table {
            title: words.accounts,
            head: vec![words.account, words.kind, words.state],
            rows: people.collect(),
            empty: words.accounts_none,
            ..Table::default()
        }),
    ];
    parts.extend(keys(ask, desk, &row.code, &given)?);
    if desk.may(Act::Administer) {
        parts.push(Part::Form(Form {
            id: "change",
            title: words.change,
            action: desk.href(&base),
            fields: vec![
                given.text("name", words.name, row.name.as_str()).required(),
                given.text("kvk", words.kvk, &kvk),
                given.text("oin", words.oin, &oin),
                given.text("domains", words.mail_domains, &domains).hinted(words.mail_domains_hint),
            ],
            button: words.save,
            ..Form::default()
        }));
    }
    parts.extend(desk.standing_forms(ask, &row.standing, &base, Act::Administer));
    let title = row.name.to_string();
    desk.sheet(ask, Sheet { title, back: desk.href("/office/organisations"), error, parts, ..Sheet::default() })
}

/// Its keys for end-to-end deliveries, and the forms that couple and retire one.
fn keys(ask: &Ask, desk: &Desk, code: &OrganisationCode, given: &Given<'_>) -> Result<Vec<Part>, Failure> {
    let (words, now) = (desk.words(), ask.site.operations.now());
    let known = ask.site.operations.recipient_keys(code)?;
    let rows = known.iter().map(|key| {
        let state = if key.is_valid(now) { (words.in_use, "done") } else { (words.retired, "gone") };
        vec![key.fingerprint.as_str().into(), desk.day(ask, key.added_at).into(), Cell::state(state)]
    });
    let mut parts = vec![Part::Table(Table {
        title: words.keys,
        head: vec![words.fingerprint, words.added_on, words.state],
        rows: rows.collect(),
        empty: words.keys_none,
        ..Table::default()
    })];
    if desk.may(Act::Administer) {
        let lead = if ask.site.operations.asks_two() { words.two_lead } else { "" };
        parts.push(Part::Form(Form {
            id: "key",
            title: words.add_key,
            lead,
            action: desk.href(&format!("/office/organisations/{code}/keys")),
            fields: vec![given.text("key", words.key, "").required().hinted(words.key_hint)],
            button: words.add_key,
            ..Form::default()
        }));
        let valid = known.iter().filter(|key| key.is_valid(now));
        let valid: Vec<(String, String)> =
            valid.map(|key| (key.fingerprint.clone(), key.fingerprint.clone())).collect();
        if !valid.is_empty() {
            parts.push(Part::Form(Form {
                id: "retire",
                title: words.retire_key,
                lead,
                action: desk.href(&format!("/office/organisations/{code}/keys/retire")),
                fields: vec![Given(None).choice("fingerprint", words.fingerprint, valid, "")],
                button: words.retire_key,
                is_grave: true,
                ..Form::default()
            }));
        }
    }
    Ok(parts)
}

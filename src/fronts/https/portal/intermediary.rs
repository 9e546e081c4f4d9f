//! Intermediair (P13: D1-D3, 4.3-8, 4.4-5): the organisations under one's management, what is coupled to whom
//! for which client, and which intermediaries act for one's own organisation. For administrators.

use std::collections::BTreeSet;

use askama::Template;
use hyper::StatusCode;
use hyper::header::CONTENT_DISPOSITION;

use super::access::{PRODUCT_FIELD, done, done_in, login_in, onward, wanted_in};
use super::form::Form;
use super::page::{Frame, last_day};
use super::texts::mandates::Texts;
use super::{Ask, Failure, Member};
use crate::domain::ids::MandateId;
use crate::domain::mandate::MandatePhase;
use crate::domain::names::{LoginName, OrganisationCode, ProductCode};
use crate::domain::refusal::{Refusal, What};
use crate::fronts::https::reply::Reply;
use crate::operations::{CopiedRight, MandateView, Operations};

/// Fields of a form that take a right over begin so: client, slash, product.
const RIGHT_FIELD: &str = "right-";

#[derive(Template)]
#[template(path = "intermediary.html", config = "src/fronts/https/portal/askama.toml")]
struct Overview {
    frame: Frame,
    own: &'static Texts,
    notice: &'static str,
    wanted: String,
    has_held: bool,
    held: Vec<Row>,
    people: Vec<String>,
    given: Vec<Row>,
}

/// A mandate, from the side of whoever looks.
struct Row {
    id: String,
    code: String,
    name: String,
    products: String,
    until: String,
    state: &'static str,
    tone: &'static str,
    coupled: usize,
    in_all: usize,
}

#[derive(Template)]
#[template(path = "intermediary_account.html", config = "src/fronts/https/portal/askama.toml")]
struct OneAccount {
    frame: Frame,
    own: &'static Texts,
    notice: &'static str,
    login: String,
    wanted: String,
    rows: Vec<Row>,
    colleagues: Vec<String>,
}

#[derive(Template)]
#[template(path = "intermediary_client.html", config = "src/fronts/https/portal/askama.toml")]
struct OneClient {
    frame: Frame,
    own: &'static Texts,
    token: String,
    login: String,
    code: String,
    name: String,
    choices: Vec<Choice>,
}

struct Choice {
    code: String,
    name: String,
    is_coupled: bool,
}

#[derive(Template)]
#[template(path = "intermediary_copy.html", config = "src/fronts/https/portal/askama.toml")]
struct Copying {
    frame: Frame,
    own: &'static Texts,
    token: String,
    login: String,
    from: String,
    groups: Vec<Group>,
}

/// What is taken over of one client.
struct Group {
    code: String,
    name: String,
    products: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "mandate_end.html", config = "src/fronts/https/portal/askama.toml")]
struct Ending {
    frame: Frame,
    own: &'static Texts,
    token: String,
    row: Row,
}

/// Organisations under management, then users; and who acts for one's own organisation (D1).
pub(in crate::fronts::https) fn intermediary(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let operations = &ask.site.operations;
    let (own, caller) = (Texts::of(member.guest.language), &member.visit.caller);
    let held = operations.held_mandates(caller)?;
    let wanted = wanted_in(&ask.query);
    let people = if held.is_empty() { Vec::new() } else { operations.members(caller)? };
    let given = operations.given_mandates(caller)?;
    member.shown(&Overview {
        frame: member.frame(ask),
        own,
        notice: if done_in(&ask.query) == "ended" { own.ended } else { "" },
        has_held: !held.is_empty(),
        held: held
            .iter()
            .filter(|view| fits(&wanted, &view.mandate.client, view.client_name.as_str()))
            .map(|view| held_row(operations, member, view))
            .collect(),
        wanted,
        people: people.iter().map(|view| view.account.login.to_string()).collect(),
        given: given.iter().map(|view| given_row(operations, member, view)).collect(),
    })
}

/// What everybody has for which client, as CSV (RFC 4180), one line per right.
pub(in crate::fronts::https) fn client_rights_csv(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let (operations, caller) = (&ask.site.operations, &member.visit.caller);
    let mut lines = "login,client,product\r\n".to_owned();
    for person in operations.members(caller)? {
        let login = &person.account.login;
        for rights in operations.client_rights(caller, login)? {
            let client = &rights.mandate.mandate.client;
            lines.extend(rights.coupled.iter().map(|product| format!("{login},{client},{product}\r\n")));
        }
    }
    Ok(Reply::text(StatusCode::OK, "text/csv; charset=utf-8", lines)
        .with_text(CONTENT_DISPOSITION, "attachment; filename=\"client-rights.csv\""))
}

/// One user, and every client (D2).
pub(in crate::fronts::https) fn intermediary_account(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let operations = &ask.site.operations;
    let (own, caller) = (Texts::of(member.guest.language), &member.visit.caller);
    let (login, wanted) = (login_in(ask)?, wanted_in(&ask.query));
    let rights = operations.client_rights(caller, &login)?;
    let rows = rights.iter().filter(|one| fits(&wanted, &one.mandate.mandate.client, one.mandate.client_name.as_str()));
    let rows = rows.map(|one| Row { coupled: one.coupled.len(), ..held_row(operations, member, &one.mandate) });
    let colleagues = operations.members(caller)?.into_iter().map(|view| view.account.login);
    member.shown(&OneAccount {
        frame: member.frame(ask),
        own,
        notice: match done_in(&ask.query) {
            "saved" => own.saved,
            "copied" => own.copied,
            _ => "",
        },
        rows: rows.collect(),
        wanted,
        colleagues: colleagues.filter(|other| *other != login).map(|other| other.to_string()).collect(),
        login: login.to_string(),
    })
}

/// One user and one client: the products.
pub(in crate::fronts::https) fn intermediary_client(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let operations = &ask.site.operations;
    let caller = &member.visit.caller;
    let (login, code) = (login_in(ask)?, client_in(ask)?);
    let rights = operations.client_rights(caller, &login)?;
    let one = rights.into_iter().find(|one| one.mandate.mandate.client == code);
    let one = one.ok_or(Refusal::NotFound(What::Organisation))?;
    let couplable = operations.couplable_products(&caller.for_client(&code))?;
    // what an ended agreement left coupled can be taken away
    let left_over = one.coupled.iter().filter(|product| couplable.iter().all(|other| other.code != **product));
    let left_over = left_over.map(|code| Choice { code: code.to_string(), name: code.to_string(), is_coupled: true });
    let choices = couplable.iter().map(|product| Choice {
        code: product.code.to_string(),
        name: product.name.to_string(),
        is_coupled: one.coupled.contains(&product.code),
    });
    member.shown(&OneClient {
        frame: member.frame(ask),
        own: Texts::of(member.guest.language),
        token: member.visit.form_token.clone(),
        login: login.to_string(),
        code: code.to_string(),
        name: one.mandate.client_name.to_string(),
        choices: choices.chain(left_over).collect(),
    })
}

/// Saves what is ticked: one save, one e-mail (D3, C9).
pub(in crate::fronts::https) fn save_client(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let (form, login, code) = (Form::read(&ask.content), login_in(ask)?, client_in(ask)?);
    let ticked = form.names_after(PRODUCT_FIELD).map(ProductCode::parse).collect::<Result<BTreeSet<_>, _>>();
    let wanted = ticked.map_err(Refusal::from)?;
    let caller = member.visit.caller.for_client(&code);
    let outcome = ask.site.operations.save_rights(&caller, &login, wanted).map(drop);
    done(ask, member, outcome, &format!("/intermediary/accounts/{login}"), "saved")
}

/// What would be taken over from a colleague.
pub(in crate::fronts::https) fn look_at_copy(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let login = login_in(ask)?;
    let from = colleague(&Form::read(ask.query.as_bytes()))?;
    let found = ask.site.operations.copyable_rights(&member.visit.caller, &from, &login)?;
    member.shown(&Copying {
        frame: member.frame(ask),
        own: Texts::of(member.guest.language),
        token: member.visit.form_token.clone(),
        login: login.to_string(),
        from: from.to_string(),
        groups: grouped(found),
    })
}

/// Takes over what was left ticked.
pub(in crate::fronts::https) fn copy(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let (form, login) = (Form::read(&ask.content), login_in(ask)?);
    let from = colleague(&form)?;
    let mut wanted = BTreeSet::new();
    for name in form.names_after(RIGHT_FIELD) {
        let (client, product) = name.split_once('/').ok_or(Refusal::NotFound(What::Right))?;
        wanted.insert((
            OrganisationCode::parse(client).map_err(Refusal::from)?,
            ProductCode::parse(product).map_err(Refusal::from)?,
        ));
    }
    let outcome = ask.site.operations.copy_rights(&member.visit.caller, &from, &login, wanted);
    done(ask, member, outcome, &format!("/intermediary/accounts/{login}"), "copied")
}

/// Whether a mandate that was given is really to end.
pub(in crate::fronts::https) fn ask_end(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let (operations, id) = (&ask.site.operations, mandate_in(ask)?);
    let given = operations.given_mandates(&member.visit.caller)?;
    let view = given.iter().find(|view| view.mandate.id == id).ok_or(Refusal::NotFound(What::Mandate))?;
    member.shown(&Ending {
        frame: member.frame(ask),
        own: Texts::of(member.guest.language),
        token: member.visit.form_token.clone(),
        row: given_row(operations, member, view),
    })
}

/// Ends it (4.3-8).
pub(in crate::fronts::https) fn end(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    match ask.site.operations.stop_mandate(&member.visit.caller, mandate_in(ask)?) {
        Ok(_) => Ok(onward(member, "/intermediary", "ended")),
        // somebody else was sooner
        Err(Failure::Refused(Refusal::WrongState(_))) => Ok(onward(member, "/intermediary", "ended")),
        Err(failure) => Err(failure),
    }
}

fn held_row(operations: &Operations, member: &Member, view: &MandateView) -> Row {
    row(operations, member, view, (view.mandate.client.to_string(), view.client_name.to_string()))
}

fn given_row(operations: &Operations, member: &Member, view: &MandateView) -> Row {
    row(operations, member, view, (view.mandate.intermediary.to_string(), view.intermediary_name.to_string()))
}

fn row(operations: &Operations, member: &Member, view: &MandateView, (code, name): (String, String)) -> Row {
    let own = Texts::of(member.guest.language);
    let (state, tone) = match view.phase {
        MandatePhase::InForce => (own.state_in_force, "done"),
        MandatePhase::Announced => (own.state_announced, "busy"),
        MandatePhase::Blocked => (own.state_blocked, "gone"),
        MandatePhase::Over => (own.state_over, "gone"),
    };
    let products = view.mandate.scope.products();
    Row {
        id: view.mandate.id.to_string(),
        code,
        name,
        products: products.iter().map(ProductCode::as_str).collect::<Vec<_>>().join(", "),
        until: match view.mandate.until {
            Some(until) => last_day(operations, member.guest.language, until),
            None => own.no_end.to_owned(),
        },
        state,
        tone,
        coupled: 0,
        in_all: products.len(),
    }
}

fn grouped(found: Vec<CopiedRight>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for right in found {
        let product = (right.product.to_string(), right.product_name.to_string());
        match groups.last_mut().filter(|group| group.code == right.client.as_str()) {
            Some(group) => group.products.push(product),
            None => groups.push(Group {
                code: right.client.to_string(),
                name: right.client_name.to_string(),
                products: vec![product],
            }),
        }
    }
    groups
}

fn fits(wanted: &str, code: &OrganisationCode, name: &str) -> bool {
    let wanted = wanted.to_lowercase();
    code.as_str().contains(&wanted) || name.to_lowercase().contains(&wanted)
}

fn colleague(form: &Form) -> Result<LoginName, Failure> {
    LoginName::parse(form.field("from")).map_err(|_| Refusal::NotFound(What::Account).into())
}

fn client_in(ask: &Ask) -> Result<OrganisationCode, Failure> {
    OrganisationCode::parse(ask.segment(1)).map_err(|_| Refusal::NotFound(What::Organisation).into())
}

fn mandate_in(ask: &Ask) -> Result<MandateId, Failure> {
    MandateId::parse(ask.segment(0)).map_err(|_| Refusal::NotFound(What::Mandate).into())
}

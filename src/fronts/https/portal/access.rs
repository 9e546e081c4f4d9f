//! Managing access rights (P12: B9-B13, C8-C11): who is there, what they see, requests and
//! invitations; who has what, as a table and as CSV. For administrators, about their own organisation.

use std::collections::BTreeSet;

use askama::Template;
use hyper::StatusCode;
use hyper::header::CONTENT_DISPOSITION;

use super::form::{Form, escaped};
use super::page::{Frame, message};
use super::{Ask, Failure, Member, told, words};
use crate::domain::account::{Account, AccountKind, Language};
use crate::domain::block::Access;
use crate::domain::ids::LinkId;
use crate::domain::names::{EmailAddress, Line, LoginName, ProductCode};
use crate::domain::refusal::{Refusal, What};
use crate::domain::request::RequestStage;
use crate::fronts::https::reply::Reply;
use crate::operations::{Judge, MemberView, RequestView};

/// Fields of a form that couple a product begin so.
pub(super) const PRODUCT_FIELD: &str = "product-";

#[derive(Template)]
#[template(path = "access.html", config = "src/fronts/https/portal/askama.toml")]
struct Overview {
    frame: Frame,
    token: String,
    error: String,
    notice: &'static str,
    needs_second: bool,
    machines_without_terms: bool,
    waiting: Vec<Waiting>,
    invited: Vec<Waiting>,
    people: Vec<Person>,
    email: String,
    /// It acts for others, or others act for it (D1).
    has_mandates: bool,
    to_intermediary: &'static str,
}

struct Waiting {
    id: String,
    name: String,
    email: String,
    organisation: String,
    domain_fits: bool,
    since: String,
}

struct Person {
    login: String,
    is_machine: bool,
    is_administrator: bool,
    state: &'static str,
    tone: &'static str,
    products: usize,
}

#[derive(Template)]
#[template(path = "access_account.html", config = "src/fronts/https/portal/askama.toml")]
struct One {
    frame: Frame,
    token: String,
    error: String,
    notice: &'static str,
    person: Person,
    is_self: bool,
    is_activated: bool,
    choices: Vec<Choice>,
}

struct Choice {
    code: String,
    name: String,
    is_coupled: bool,
    /// Coupled under an agreement that has ended: it can only be taken away.
    is_left_over: bool,
}

#[derive(Template)]
#[template(path = "access_grid.html", config = "src/fronts/https/portal/askama.toml")]
struct Grid {
    frame: Frame,
    wanted: String,
    products: Vec<String>,
    rows: Vec<GridRow>,
    csv: String,
}

struct GridRow {
    login: String,
    cells: Vec<bool>,
}

/// Everybody of the organisation, and what waits.
pub(in crate::fronts::https) fn overview(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let texts = member.guest.texts();
    let notice = match done_in(&ask.query) {
        "approved" => texts.access_approved,
        "rejected" => texts.access_rejected,
        "invited" => texts.access_invited,
        _ => "",
    };
    overviewing(ask, member, notice, String::new(), String::new())
}

/// Approves a request.
pub(in crate::fronts::https) fn approve(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let outcome = ask.site.operations.approve_request(request_id(ask)?, judge(member)).map(drop);
    done(ask, member, outcome, "/access", "approved")
}

/// Rejects a request.
pub(in crate::fronts::https) fn reject(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let form = Form::read(&ask.content);
    let Ok(reason) = Line::parse(form.field("reason").trim()) else {
        let error = member.guest.texts().reason_missing.to_owned();
        return overviewing(ask, member, "", error, String::new());
    };
    let outcome = ask.site.operations.reject_request(request_id(ask)?, reason, judge(member));
    done(ask, member, outcome, "/access", "rejected")
}

/// Invites somebody.
pub(in crate::fronts::https) fn invite(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let (form, texts) = (Form::read(&ask.content), member.guest.texts());
    let given = form.field("email").trim();
    let again = |error: String| overviewing(ask, member, "", error, given.to_owned());
    let Ok(email) = EmailAddress::parse(given) else { return again(texts.email_wrong.to_owned()) };
    match ask.site.operations.invite(&member.visit.caller, email, member.guest.language) {
        Ok(()) => Ok(onward(member, "/access", "invited")),
        Err(Failure::Refused(Refusal::Exists(..))) => again(texts.invited_already.to_owned()),
        Err(Failure::Refused(Refusal::BadRequest(_))) => again(texts.invited_elsewhere.to_owned()),
        Err(Failure::Refused(Refusal::BadName(_))) => again(texts.email_wrong.to_owned()),
        Err(Failure::Refused(refusal @ Refusal::FreeMail)) => again(told(texts, &refusal)),
        Err(failure) => Err(failure),
    }
}

/// One account, and its products.
pub(in crate::fronts::https) fn account(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let texts = member.guest.texts();
    let notice = match done_in(&ask.query) {
        "saved" => texts.access_saved,
        "sent" => texts.access_link_sent,
        "appointed" => texts.access_appointed,
        "dismissed" => texts.access_dismissed,
        _ => "",
    };
    showing(ask, member, notice, String::new())
}

/// Saves the products that are ticked (C8, C11).
pub(in crate::fronts::https) fn save(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let (form, login) = (Form::read(&ask.content), login_in(ask)?);
    let ticked = form.names_after(PRODUCT_FIELD).map(ProductCode::parse).collect::<Result<BTreeSet<_>, _>>();
    let wanted = ticked.map_err(Refusal::from)?;
    let outcome = ask.site.operations.save_rights(&member.visit.caller, &login, wanted).map(drop);
    done(ask, member, outcome, &format!("/access/accounts/{login}"), "saved")
}

/// Sends the link to activate an account anew (B15).
pub(in crate::fronts::https) fn resend(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let login = login_in(ask)?;
    let outcome = ask.site.operations.resend_link(&member.visit.caller, &login);
    done(ask, member, outcome, &format!("/access/accounts/{login}"), "sent")
}

/// Appoints an administrator, or ends that (B9).
pub(in crate::fronts::https) fn appoint(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let (form, login) = (Form::read(&ask.content), login_in(ask)?);
    let is_one = form.field("administrator") == "yes";
    match ask.site.operations.set_administrator(&member.visit.caller, &login, is_one) {
        Err(Failure::Refused(Refusal::WrongState(_))) if !is_one => {
            showing(ask, member, "", member.guest.texts().last_administrator.to_owned())
        }
        // who is no longer administrator himself sees this page no more
        Ok(()) if !is_one && login == member.visit.account.login => Ok(member.guest.onward("/start")),
        outcome => {
            let word = if is_one { "appointed" } else { "dismissed" };
            done(ask, member, outcome, &format!("/access/accounts/{login}"), word)
        }
    }
}

/// Who has what.
pub(in crate::fronts::https) fn grid(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let wanted = wanted_in(&ask.query);
    let (products, people) = who_has_what(ask, member, &wanted)?;
    let rows = people.iter().map(|person| GridRow {
        login: person.account.login.to_string(),
        cells: products.iter().map(|(code, _)| person.products.contains(code)).collect(),
    });
    member.shown(&Grid {
        frame: member.frame(ask),
        rows: rows.collect(),
        products: products.into_iter().map(|(_, name)| name).collect(),
        csv: format!("/access/overview.csv?show={}", escaped(&wanted)),
        wanted,
    })
}

/// The same as CSV (RFC 4180), one line per right.
pub(in crate::fronts::https) fn grid_csv(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let (_, people) = who_has_what(ask, member, &wanted_in(&ask.query))?;
    let mut lines = "login,administrator,product\r\n".to_owned();
    for person in people {
        let (login, is_one) = (&person.account.login, person.account.is_administrator);
        for product in &person.products {
            lines.push_str(&format!("{login},{is_one},{product}\r\n"));
        }
        if person.products.is_empty() {
            lines.push_str(&format!("{login},{is_one},\r\n"));
        }
    }
    Ok(Reply::text(StatusCode::OK, "text/csv; charset=utf-8", lines)
        .with_text(CONTENT_DISPOSITION, "attachment; filename=\"rights.csv\""))
}

/// Codes and names.
type Products = Vec<(ProductCode, String)>;

fn who_has_what(ask: &Ask, member: &Member, wanted: &str) -> Result<(Products, Vec<MemberView>), Failure> {
    let operations = &ask.site.operations;
    let mut people = operations.members(&member.visit.caller)?;
    let couplable = operations.couplable_products(&member.visit.caller)?;
    let mut products: Products =
        couplable.into_iter().map(|product| (product.code, product.name.to_string())).collect();
    // what an ended agreement left coupled is still had
    for code in people.iter().flat_map(|person| &person.products) {
        if products.iter().all(|(known, _)| known != code) {
            products.push((code.clone(), code.to_string()));
        }
    }
    people.retain(|person| {
        let fits = |text: &str| text.to_lowercase().contains(&wanted.to_lowercase());
        let has = |(code, name): &(ProductCode, String)| {
            person.products.contains(code) && (fits(name) || fits(code.as_str()))
        };
        fits(person.account.login.as_str()) || products.iter().any(has)
    });
    Ok((products, people))
}

fn overviewing(
    ask: &Ask,
    member: &Member,
    notice: &'static str,
    error: String,
    email: String,
) -> Result<Reply, Failure> {
    let operations = &ask.site.operations;
    let people = operations.members(&member.visit.caller)?;
    let requests = operations.account_requests(&judge(member))?;
    let (waiting, invited): (Vec<_>, Vec<_>) =
        requests.iter().partition(|view| matches!(view.request.stage, RequestStage::Waiting { .. }));
    let shown = |views: Vec<&RequestView>| views.into_iter().map(|view| waiting_row(ask, member, view)).collect();
    member.shown(&Overview {
        frame: member.frame(ask),
        token: member.visit.form_token.clone(),
        error,
        notice,
        machines_without_terms: !operations.terms()?.is_empty()
            && !operations.machines_without_terms(&member.visit.caller)?.is_empty(),
        needs_second: operations.administrators(&member.visit.account.organisation)? < 2,
        waiting: shown(waiting),
        invited: shown(invited),
        people: people.iter().map(|view| person_row(ask, member, view)).collect(),
        email,
        has_mandates: operations.has_mandates(&member.visit.account.organisation)?,
        to_intermediary: super::texts::mandates::Texts::of(member.guest.language).intermediary,
    })
}

fn showing(ask: &Ask, member: &Member, notice: &'static str, error: String) -> Result<Reply, Failure> {
    let operations = &ask.site.operations;
    let view = operations.member(&member.visit.caller, &login_in(ask)?)?;
    let couplable = operations.couplable_products(&member.visit.caller)?;
    let mut choices: Vec<Choice> = couplable
        .iter()
        .map(|product| Choice {
            code: product.code.to_string(),
            name: product.name.to_string(),
            is_coupled: view.products.contains(&product.code),
            is_left_over: false,
        })
        .collect();
    let left_over = view.products.iter().filter(|code| couplable.iter().all(|product| product.code != **code));
    choices.extend(left_over.map(|code| Choice {
        code: code.to_string(),
        name: code.to_string(),
        is_coupled: true,
        is_left_over: true,
    }));
    member.shown(&One {
        frame: member.frame(ask),
        token: member.visit.form_token.clone(),
        error,
        notice,
        is_self: view.account.login == member.visit.account.login,
        is_activated: view.is_activated,
        person: person_row(ask, member, &view),
        choices,
    })
}

fn waiting_row(ask: &Ask, member: &Member, view: &RequestView) -> Waiting {
    let since = match view.request.stage {
        RequestStage::Waiting { since } => since,
        RequestStage::Unconfirmed { .. } => view.request.made_at,
    };
    Waiting {
        id: view.request.id.to_string(),
        name: view.request.name.as_ref().map(ToString::to_string).unwrap_or_default(),
        email: view.request.email.to_string(),
        organisation: view.organisation_name.clone(),
        domain_fits: view.domain_fits,
        since: words::date(member.guest.language, ask.site.operations.calendar().date_of(since)),
    }
}

fn person_row(ask: &Ask, member: &Member, view: &MemberView) -> Person {
    let texts = member.guest.texts();
    let Account { login, kind, is_administrator, standing, .. } = &view.account;
    let (state, tone) = match standing.at(ask.site.operations.now()) {
        Access::Blocked => (texts.member_blocked, "gone"),
        Access::Ended => (texts.member_ended, "gone"),
        Access::Open if view.is_activated => (texts.member_active, "done"),
        Access::Open => (texts.member_waits, "busy"),
    };
    Person {
        login: login.to_string(),
        is_machine: matches!(kind, AccountKind::Machine { .. }),
        is_administrator: *is_administrator,
        state,
        tone,
        products: view.products.len(),
    }
}

/// Leads on after a change, or shows the page with what is wrong.
pub(super) fn done(
    ask: &Ask,
    member: &Member,
    outcome: Result<(), Failure>,
    to: &str,
    word: &str,
) -> Result<Reply, Failure> {
    match outcome {
        Ok(()) => Ok(onward(member, to, word)),
        Err(Failure::Refused(
            refusal @ (Refusal::WrongState(_)
            | Refusal::NotAllowed(_)
            | Refusal::NoAgreement { .. }
            | Refusal::Exists(..)),
        )) => {
            let (guest, texts) = (&member.guest, member.guest.texts());
            let lead = match (&refusal, guest.language) {
                (_, Language::English) => refusal.to_string(),
                (Refusal::NoAgreement { .. }, Language::Dutch) => texts.no_agreement.to_owned(),
                (_, Language::Dutch) => texts.changed_meanwhile.to_owned(),
            };
            message(ask, guest, StatusCode::CONFLICT, texts.refused_title, lead)
        }
        Err(failure) => Err(failure),
    }
}

/// Leads on to a page that says what was done.
pub(super) fn onward(member: &Member, to: &str, word: &str) -> Reply {
    let address = member.guest.link(to);
    let joint = if address.contains('?') { '&' } else { '?' };
    Reply::empty(StatusCode::SEE_OTHER).with_text(hyper::header::LOCATION, &format!("{address}{joint}done={word}"))
}

fn judge(member: &Member) -> Judge {
    Judge::Administrator(member.visit.caller.clone())
}

pub(super) fn done_in(query: &str) -> &str {
    query.split('&').find_map(|pair| pair.strip_prefix("done=")).unwrap_or_default()
}

pub(super) fn wanted_in(query: &str) -> String {
    let form = Form::read(query.as_bytes());
    form.field("show").trim().chars().take(64).collect()
}

fn request_id(ask: &Ask) -> Result<LinkId, Failure> {
    LinkId::parse(ask.segment(0)).map_err(|_| Refusal::NotFound(What::Request).into())
}

pub(super) fn login_in(ask: &Ask) -> Result<LoginName, Failure> {
    LoginName::parse(ask.segment(0)).map_err(|_| Refusal::NotFound(What::Account).into())
}

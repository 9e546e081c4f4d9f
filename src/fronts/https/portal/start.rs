//! The welcome page (P01) and the start page (P06): what is new and until when, what needs attention,
//! how to request a product, and the organisation's card (A15, A16, A21, B8, C5, F2).

use askama::Template;
use hyper::StatusCode;

use super::deliveries::Row;
use super::organisation::Card;
use super::page::{Frame, shown};
use super::start_text::Block;
use super::texts::instructions;
use super::uploads::expected::Task;
use super::{Ask, Failure, Guest, Member, uploads};
use crate::domain::request::RequestStage;
use crate::fronts::https::reply::Reply;
use crate::operations::Judge;

/// So many deliveries stand on the start page, out of so many that are there.
const MOST_SHOWN: usize = 6;
const LOOKED_THROUGH: usize = 60;

/// So many products without a user are named there.
const MOST_UNCOUPLED: usize = 5;

#[derive(Template)]
#[template(path = "welcome.html", config = "src/fronts/https/portal/askama.toml")]
struct Welcome {
    frame: Frame,
    employer_link: String,
    employer_notice: String,
}

#[derive(Template)]
#[template(path = "start.html", config = "src/fronts/https/portal/askama.toml")]
struct Start<'a> {
    frame: Frame,
    login: String,
    needs_second: bool,
    needs_contacts: bool,
    waiting: usize,
    uncoupled: Vec<String>,
    /// Participant files that are late, or due soon.
    expected: Vec<Task>,
    rows: Vec<Row>,
    told: &'a [Block],
    /// Instructions that count now (I7).
    instructions: Vec<String>,
    board: &'static instructions::Texts,
    card: Card,
}

/// The page for whoever comes by.
pub(in crate::fronts::https) fn welcome(ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    if guest.visit.is_some() {
        return Ok(guest.onward("/start"));
    }
    let portal = &ask.site.config.portal;
    let page = Welcome {
        frame: Frame::of(ask, guest),
        employer_link: portal.employer_link.clone().unwrap_or_default(),
        employer_notice: portal.employer_notice.as_ref().map(ToString::to_string).unwrap_or_default(),
    };
    shown(StatusCode::OK, guest, &page)
}

/// The page after signing in.
pub(in crate::fronts::https) fn start(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let (operations, caller) = (&ask.site.operations, &member.visit.caller);
    let ready = operations.newest_deliveries(caller, None, true, LOOKED_THROUGH)?;
    // how far it was fetched is history, which another arrangement may hide (A20)
    let unfetched = ready.iter().filter(|view| view.history_hidden || view.delivery.progress.fetched_at.is_none());
    let own = operations.own_organisation(caller)?;
    let language = member.guest.language;
    let is_administrator = member.visit.account.is_administrator;
    let (mut waiting, mut uncoupled) = (0, Vec::new());
    if is_administrator {
        let requests = operations.account_requests(&Judge::Administrator(caller.clone()))?;
        waiting = requests.iter().filter(|view| matches!(view.request.stage, RequestStage::Waiting { .. })).count();
        let products = operations.uncoupled_products(caller)?;
        uncoupled = products.into_iter().take(MOST_UNCOUPLED).map(|product| product.name.to_string()).collect();
    }
    member.shown(&Start {
        frame: member.frame(ask),
        login: member.visit.account.login.to_string(),
        needs_second: is_administrator && operations.administrators(&own.organisation.code)? < 2,
        needs_contacts: is_administrator && own.card.persons.all().is_empty(),
        waiting,
        uncoupled,
        expected: uploads::expected::tasks(ask, member)?,
        rows: unfetched.take(MOST_SHOWN).map(|view| Row::of(operations, language, view)).collect(),
        told: ask.site.start_texts.in_language(language),
        instructions: super::instructions::titles(ask, language)?,
        board: instructions::Texts::of(language),
        card: Card::of(member, &own),
    })
}

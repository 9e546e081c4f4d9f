//! The welcome page (P01) and the start page (P06): what is ready and until when, and the
//! organisation's card (A15, A16).

use askama::Template;
use hyper::StatusCode;

use super::deliveries::Row;
use super::page::{Frame, shown};
use super::{Ask, Failure, Guest, Member};
use crate::domain::request::RequestStage;
use crate::fronts::https::reply::Reply;
use crate::operations::Judge;

/// So many deliveries stand on the start page.
const MOST_SHOWN: usize = 6;

#[derive(Template)]
#[template(path = "welcome.html", config = "src/fronts/https/portal/askama.toml")]
struct Welcome {
    frame: Frame,
}

#[derive(Template)]
#[template(path = "start.html", config = "src/fronts/https/portal/askama.toml")]
struct Start {
    frame: Frame,
    login: String,
    needs_second: bool,
    waiting: usize,
    rows: Vec<Row>,
    organisation: String,
    code: String,
    kvk: String,
    oin: String,
}

/// The page for whoever comes by.
pub(in crate::fronts::https) fn welcome(ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    if guest.visit.is_some() {
        return Ok(guest.onward("/start"));
    }
    shown(StatusCode::OK, guest, &Welcome { frame: Frame::of(ask, guest) })
}

/// The page after signing in.
pub(in crate::fronts::https) fn start(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let operations = &ask.site.operations;
    let ready = operations.newest_deliveries(&member.visit.caller, None, true, MOST_SHOWN)?;
    let own = operations.organisation(&member.visit.account.organisation)?;
    let language = member.guest.language;
    let is_administrator = member.visit.account.is_administrator;
    let waiting = if is_administrator {
        let requests = operations.account_requests(&Judge::Administrator(member.visit.caller.clone()))?;
        requests.iter().filter(|view| matches!(view.request.stage, RequestStage::Waiting { .. })).count()
    } else {
        0
    };
    member.shown(&Start {
        frame: member.frame(ask),
        login: member.visit.account.login.to_string(),
        needs_second: is_administrator && operations.administrators(&own.code)? < 2,
        waiting,
        rows: ready.iter().map(|view| Row::of(operations, language, view)).collect(),
        organisation: own.name.to_string(),
        code: own.code.to_string(),
        kvk: own.kvk.map(|kvk| kvk.to_string()).unwrap_or_default(),
        oin: own.oin.map(|oin| oin.to_string()).unwrap_or_default(),
    })
}

//! `/clients`: the clients of an intermediary, with what is new and what ends soon. Below
//! `/clients/{code}` lie the same resources as for the own organisation.

use hyper::StatusCode;
use serde_json::json;

use crate::domain::names::OrganisationCode;
use crate::domain::refusal::{Refusal, What};
use crate::fronts::https::ask::Ask;
use crate::fronts::https::reply::Reply;
use crate::fronts::mandate_forms;
use crate::operations::{Caller, Failure};

/// The clients of which something is coupled to the caller, by code.
pub(in crate::fronts::https) fn list(ask: &Ask, caller: &Caller) -> Result<Reply, Failure> {
    ask.query().finish()?;
    let clients = ask.site.operations.clients(caller)?;
    let clients: Vec<_> = clients.iter().map(mandate_forms::client).collect();
    Ok(Reply::json(StatusCode::OK, &json!({ "clients": clients })))
}

/// One of them.
pub(in crate::fronts::https) fn show(ask: &Ask, caller: &Caller) -> Result<Reply, Failure> {
    ask.query().finish()?;
    let code = OrganisationCode::parse(ask.segment(0)).map_err(|_| Refusal::NotFound(What::Organisation))?;
    Ok(Reply::json(StatusCode::OK, &mandate_forms::client(&ask.site.operations.client(caller, &code)?)))
}

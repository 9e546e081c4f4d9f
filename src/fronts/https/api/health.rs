//! `/health`: whether the server lives and whether it takes work. Tells nothing else.

use hyper::StatusCode;
use serde_json::json;

use crate::fronts::https::ask::Ask;
use crate::fronts::https::reply::{Reply, STOPPING};
use crate::operations::Failure;

/// The process answers.
pub(in crate::fronts::https) fn live(_ask: &Ask) -> Result<Reply, Failure> {
    Ok(Reply::json(StatusCode::OK, &json!({ "status": "live" })))
}

/// It takes work: not while it stops.
pub(in crate::fronts::https) fn ready(ask: &Ask) -> Result<Reply, Failure> {
    if ask.site.is_stopping() {
        return Ok(Reply::problem(STOPPING, "the server is stopping"));
    }
    Ok(Reply::json(StatusCode::OK, &json!({ "status": "ready" })))
}

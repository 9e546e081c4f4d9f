//! `/products`: what the caller may fetch for its organisation.

use hyper::StatusCode;
use serde_json::json;

use crate::fronts::forms;
use crate::fronts::https::ask::Ask;
use crate::fronts::https::reply::Reply;
use crate::operations::{Caller, Failure};

/// The coupled products with an agreement in force, in order of code.
pub(in crate::fronts::https) fn list(ask: &Ask, caller: &Caller) -> Result<Reply, Failure> {
    ask.query().finish()?;
    let products = ask.site.operations.outbox_products(caller, caller.recipient())?;
    let products: Vec<_> = products.iter().map(forms::product).collect();
    Ok(Reply::json(StatusCode::OK, &json!({ "products": products })))
}

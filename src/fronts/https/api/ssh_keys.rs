//! `/ssh-keys`: the keys of the account that asks.

use hyper::StatusCode;
use serde_json::json;

use crate::fronts::forms;
use crate::fronts::https::ask::Ask;
use crate::fronts::https::reply::Reply;
use crate::operations::{Caller, Failure};

/// The keys of the own account, those that were revoked too.
pub(in crate::fronts::https) fn list(ask: &Ask, caller: &Caller) -> Result<Reply, Failure> {
    ask.query().finish()?;
    let keys = ask.site.operations.own_keys(caller)?;
    let keys: Vec<_> = keys.iter().map(forms::ssh_key).collect();
    Ok(Reply::json(StatusCode::OK, &json!({ "sshKeys": keys })))
}

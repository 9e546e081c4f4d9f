//! `/accounts/me`: the account that asks.

use hyper::StatusCode;

use crate::fronts::forms;
use crate::fronts::https::ask::Ask;
use crate::fronts::https::reply::Reply;
use crate::operations::{Caller, Failure};

/// The account that asks.
pub(in crate::fronts::https) fn me(ask: &Ask, caller: &Caller) -> Result<Reply, Failure> {
    ask.query().finish()?;
    let account = ask.site.operations.account(&caller.login)?;
    Ok(Reply::json(StatusCode::OK, &forms::without_block_reason(forms::account(&account))))
}

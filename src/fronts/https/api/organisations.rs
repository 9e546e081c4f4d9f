//! `/organisations/{id}`: the caller's own organisation; any other is not there.

use hyper::StatusCode;

use crate::domain::refusal::{Refusal, What};
use crate::fronts::forms;
use crate::fronts::https::ask::Ask;
use crate::fronts::https::reply::Reply;
use crate::operations::{Caller, Failure};

/// The caller's own organisation.
pub(in crate::fronts::https) fn show(ask: &Ask, caller: &Caller) -> Result<Reply, Failure> {
    ask.query().finish()?;
    if ask.segment(0) != caller.organisation.as_str() {
        return Err(Refusal::NotFound(What::Organisation).into());
    }
    let organisation = ask.site.operations.organisation(&caller.organisation)?;
    Ok(Reply::json(StatusCode::OK, &forms::without_block_reason(forms::organisation(&organisation))))
}

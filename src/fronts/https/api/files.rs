//! `/deliveries/{id}/files/{fileId}`: the metadata of one file (API Design Rules,
//! module Transfer). Its content is in `content`.

use hyper::StatusCode;

use crate::domain::refusal::{Refusal, What};
use crate::fronts::forms;
use crate::fronts::https::ask::Ask;
use crate::fronts::https::reply::Reply;
use crate::operations::{Caller, Failure};

/// The metadata of one file.
pub(in crate::fronts::https) fn show(ask: &Ask, caller: &Caller) -> Result<Reply, Failure> {
    ask.query().finish()?;
    let number = number(ask)?;
    let view = ask.site.operations.delivery(caller, ask.delivery_id()?)?;
    let file = view.files.iter().find(|file| file.number == number);
    let file = file.ok_or(Refusal::NotFound(What::File))?;
    Ok(Reply::json(StatusCode::OK, &forms::file(&ask.api_base(), &view.delivery, file)))
}

/// The number of the file that the second variable segment names.
pub(super) fn number(ask: &Ask) -> Result<u32, Failure> {
    let text = ask.segment(1);
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| is_plain).ok_or_else(|| Refusal::NotFound(What::File).into())
}

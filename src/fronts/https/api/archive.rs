//! `/deliveries/{id}/archive`: all files of a delivery as one ZIP file, whole or one range. Its bytes are the same
//! each time, so that what was cut off goes on; digests of it are not known before it is made, so it has none.

use std::sync::Arc;

use super::content::{Sent, send_opened};
use crate::fronts::https::ask::Ask;
use crate::fronts::https::body::Opened;
use crate::fronts::https::reply::Reply;
use crate::operations::{Caller, Failure};

/// The ZIP file.
pub(in crate::fronts::https) fn show(ask: &Ask, caller: &Caller) -> Result<Reply, Failure> {
    ask.query().finish()?;
    send(ask, caller)
}

/// Answers GET or HEAD for the ZIP file of the delivery that the path names.
pub(in crate::fronts::https) fn send(ask: &Ask, caller: &Caller) -> Result<Reply, Failure> {
    let zip = Arc::new(ask.site.operations.open_zip(caller, ask.delivery_id()?)?);
    let what = Sent {
        name: zip.name().clone(),
        tag: zip.tag(),
        sha256: None,
        size_bytes: zip.size_bytes(),
        modified_seconds: zip.delivery().published_at.seconds(),
        media_type: "application/zip",
    };
    send_opened(ask, Opened::Zip(zip), &what)
}

//! `/participant-files`: what the caller's organisation uploaded, what became of it, and taking it back. Receipt and
//! result are given byte for byte as they were made: signatures are over these bytes.

use hyper::StatusCode;
use hyper::header::{HeaderName, LINK};
use serde_json::json;

use crate::domain::ids::UploadId;
use crate::domain::refusal::{Refusal, What};
use crate::fronts::https::ask::Ask;
use crate::fronts::https::reply::Reply;
use crate::fronts::intake_forms;
use crate::operations::{Caller, Failure, ReceiptFile};

/// One page of received uploads in the order in which they came; `Link` with `rel="next"` while there may be more.
pub(in crate::fronts::https) fn list(ask: &Ask, caller: &Caller) -> Result<Reply, Failure> {
    let limits = &ask.site.config.limits;
    let mut query = ask.query();
    let after = query.upload("after");
    let limit = query.limit(limits.page_size, limits.max_page_size);
    query.finish()?;
    let page = ask.site.operations.own_receipts(caller, after, limit)?;
    let files: Vec<_> = page.iter().map(|view| intake_forms::participant_file(view, &ask.api_base())).collect();
    let reply = Reply::json(StatusCode::OK, &json!({ "participantFiles": files }));
    let Some(last) = page.last().filter(|_| page.len() >= limit) else { return Ok(reply) };
    let next = format!("<{}?limit={limit}&after={}>; rel=\"next\"", ask.path, last.upload.id);
    Ok(reply.with_text(LINK, &next))
}

/// One upload and how far it came, or what became of it.
pub(in crate::fronts::https) fn show(ask: &Ask, caller: &Caller) -> Result<Reply, Failure> {
    ask.query().finish()?;
    let (operations, id, base) = (&ask.site.operations, upload_id(ask)?, ask.api_base());
    match operations.own_receipt(caller, id) {
        Ok(view) => Ok(Reply::json(StatusCode::OK, &intake_forms::participant_file(&view, &base))),
        // it is not received yet, or it was taken back before that
        Err(Failure::Refused(Refusal::NotFound(_))) => {
            let announced = operations.announced(caller, id)?;
            let end = announced.view.upload.size_bytes;
            let reply = Reply::json(StatusCode::OK, &intake_forms::announced(&announced, &base));
            Ok(reply.with(HeaderName::from_static("upload-offset"), end.into()))
        }
        Err(failure) => Err(failure),
    }
}

/// Takes an upload back: an unfinished one, or a received one while it was not handed over.
pub(in crate::fronts::https) fn withdraw(ask: &Ask, caller: &Caller) -> Result<Reply, Failure> {
    ask.query().finish()?;
    let id = upload_id(ask)?;
    ask.site.operations.take_back_upload(caller, id)?;
    show(ask, caller)
}

/// Its receipt.
pub(in crate::fronts::https) fn receipt(ask: &Ask, caller: &Caller) -> Result<Reply, Failure> {
    paper(ask, caller, ReceiptFile::Receipt, "application/json")
}

/// The signature of its receipt.
pub(in crate::fronts::https) fn receipt_signature(ask: &Ask, caller: &Caller) -> Result<Reply, Failure> {
    paper(ask, caller, ReceiptFile::ReceiptSignature, "text/plain")
}

/// Its result; not there before it was judged.
pub(in crate::fronts::https) fn result(ask: &Ask, caller: &Caller) -> Result<Reply, Failure> {
    paper(ask, caller, ReceiptFile::Result, "application/json")
}

/// The signature of its result.
pub(in crate::fronts::https) fn result_signature(ask: &Ask, caller: &Caller) -> Result<Reply, Failure> {
    paper(ask, caller, ReceiptFile::ResultSignature, "text/plain")
}

/// The key under receipts and results.
pub(in crate::fronts::https) fn receipt_key(ask: &Ask) -> Result<Reply, Failure> {
    ask.query().finish()?;
    Ok(Reply::json(StatusCode::OK, &intake_forms::receipt_key(&ask.site.operations.receipt_key()?)))
}

fn paper(ask: &Ask, caller: &Caller, file: ReceiptFile, media_type: &'static str) -> Result<Reply, Failure> {
    ask.query().finish()?;
    let view = ask.site.operations.own_receipt(caller, upload_id(ask)?)?;
    let paper = view.papers.into_iter().find(|paper| paper.file == file).ok_or(Refusal::NotFound(What::File))?;
    Ok(Reply::text(StatusCode::OK, media_type, paper.bytes))
}

/// The upload that the first variable segment names. An id that cannot be one is not there.
fn upload_id(ask: &Ask) -> Result<UploadId, Failure> {
    UploadId::parse(ask.segment(0)).map_err(|_| Refusal::NotFound(What::File).into())
}

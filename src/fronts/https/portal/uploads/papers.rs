//! Receipts and results as files, byte for byte as they were made: signatures are over these bytes.

use hyper::StatusCode;
use hyper::header::CONTENT_DISPOSITION;

use super::upload_id;
use crate::domain::refusal::{Refusal, What};
use crate::fronts::https::portal::{Ask, Failure, Member};
use crate::fronts::https::reply::Reply;
use crate::operations::ReceiptFile;

const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

/// The receipt.
pub(in crate::fronts::https) fn receipt(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    paper(ask, member, ReceiptFile::Receipt, JSON)
}

/// Its signature.
pub(in crate::fronts::https) fn receipt_signature(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    paper(ask, member, ReceiptFile::ReceiptSignature, TEXT)
}

/// The result, for machines.
pub(in crate::fronts::https) fn result(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    paper(ask, member, ReceiptFile::Result, JSON)
}

/// Its signature.
pub(in crate::fronts::https) fn result_signature(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    paper(ask, member, ReceiptFile::ResultSignature, TEXT)
}

/// The result, for people.
pub(in crate::fronts::https) fn result_text(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    paper(ask, member, ReceiptFile::ResultText, TEXT)
}

/// The server's key as `ssh-keygen -Y verify` takes it: public.
pub(in crate::fronts::https) fn allowed_signers(ask: &Ask) -> Result<Reply, Failure> {
    ask.query().finish()?;
    let line = format!("{}\n", ask.site.operations.receipt_key()?.allowed_signers);
    Ok(Reply::text(StatusCode::OK, TEXT, line)
        .with_text(CONTENT_DISPOSITION, "attachment; filename=\"allowed_signers\""))
}

fn paper(ask: &Ask, member: &Member, file: ReceiptFile, media_type: &'static str) -> Result<Reply, Failure> {
    let view = ask.site.operations.own_receipt(&member.visit.caller, upload_id(ask)?)?;
    let name = format!("{}{}", view.upload.name, file.ending());
    let paper = view.papers.into_iter().find(|paper| paper.file == file).ok_or(Refusal::NotFound(What::File))?;
    // names of uploads hold only characters that need no escape (RFC 6266)
    let disposition = format!("attachment; filename=\"{name}\"");
    Ok(Reply::text(StatusCode::OK, media_type, paper.bytes).with_text(CONTENT_DISPOSITION, &disposition))
}

//! `/deliveries/{id}/files/{fileId}/content`: the bytes of a file, whole or one range,
//! with strong validators (RFC 9110) and digests (RFC 9530).
//!
//! `Content-Digest` of a range costs a second reading of it, so it is given for ranges of at
//! most 8 MiB and left out of longer ones; `Repr-Digest` and the ETag are always there.

use std::sync::Arc;

use hyper::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderName, HeaderValue,
    IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, LAST_MODIFIED, RANGE,
};
use hyper::{Method, StatusCode};
use sha2::{Digest as _, Sha256};

use super::files;
use crate::domain::delivery::DeliveryPart;
use crate::domain::digest::Digest;
use crate::domain::names::FileName;
use crate::fronts::forms;
use crate::fronts::https::ask::Ask;
use crate::fronts::https::body::{Download, Opened, PIECE_BYTES};
use crate::fronts::https::conditions::{Answer, Conditions, Validators, http_date, judge};
use crate::fronts::https::reply::{Content, OUTSIDE, PRECONDITION, Reply};
use crate::operations::{Caller, Failure};

/// Ranges up to this size get a `Content-Digest` of their own: 8 MiB.
const MOST_DIGESTED_BYTES: u64 = 8 * 1024 * 1024;

const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");
const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");

/// The bytes of one file.
pub(in crate::fronts::https) fn show(ask: &Ask, caller: &Caller) -> Result<Reply, Failure> {
    ask.query().finish()?;
    let number = files::number(ask)?;
    send(ask, caller, DeliveryPart::Data(number))
}

/// What is told of a file that is sent.
pub(super) struct Sent {
    pub(super) name: FileName,
    /// Names exactly these bytes: the ETag.
    pub(super) tag: Digest,
    /// SHA-256 of all of it, when that is known before it is sent.
    pub(super) sha256: Option<Digest>,
    pub(super) size_bytes: u64,
    pub(super) modified_seconds: u64,
    pub(super) media_type: &'static str,
}

/// Answers GET or HEAD for one part of the delivery that the path names.
pub(in crate::fronts::https) fn send(ask: &Ask, caller: &Caller, part: DeliveryPart) -> Result<Reply, Failure> {
    let fetch = Arc::new(ask.site.operations.open_part(caller, ask.delivery_id()?, part)?);
    let what = Sent {
        name: fetch.name().clone(),
        tag: fetch.sha256(),
        sha256: Some(fetch.sha256()),
        size_bytes: fetch.size_bytes(),
        modified_seconds: fetch.delivery().published_at.seconds(),
        media_type: media_type(part, fetch.name()),
    };
    send_opened(ask, Opened::Delivered(fetch), &what)
}

/// Answers GET or HEAD for what was opened.
pub(super) fn send_opened(ask: &Ask, opened: Opened, what: &Sent) -> Result<Reply, Failure> {
    let file = Validators {
        etag: format!("\"{}\"", what.tag),
        modified_seconds: what.modified_seconds,
        size_bytes: what.size_bytes,
    };
    let is_head = ask.method == Method::HEAD;
    let asked = Conditions {
        if_match: ask.header(IF_MATCH),
        if_none_match: ask.header(IF_NONE_MATCH),
        if_modified_since: ask.header(IF_MODIFIED_SINCE),
        if_unmodified_since: ask.header(IF_UNMODIFIED_SINCE),
        if_range: ask.header(IF_RANGE),
        // Ranges are defined for GET only (RFC 9110 §14.2).
        range: ask.header(RANGE).filter(|_| !is_head),
    };
    let size = file.size_bytes;
    let (status, start, length) = match judge(asked, &file) {
        Answer::Whole => (StatusCode::OK, 0, size),
        Answer::Part { start, length } => (StatusCode::PARTIAL_CONTENT, start, length),
        Answer::NotModified => return Ok(with_validators(Reply::empty(StatusCode::NOT_MODIFIED), &file)),
        Answer::Failed => {
            return Ok(Reply::problem(PRECONDITION, "the file is not the one that the request names"));
        }
        Answer::Outside => {
            let reply = Reply::problem(OUTSIDE, &format!("the file has {size} bytes"));
            return Ok(reply.with_text(CONTENT_RANGE, &format!("bytes */{size}")));
        }
    };
    let whole_digest = what.sha256;
    let mut reply = with_validators(Reply::empty(status), &file)
        .with(CONTENT_TYPE, HeaderValue::from_static(what.media_type))
        .with_text(CONTENT_DISPOSITION, &disposition(&what.name))
        .with(CONTENT_LENGTH, length.into());
    if let Some(digest) = &whole_digest {
        reply = reply.with_text(REPR_DIGEST, &digest_field(digest));
    }
    if status == StatusCode::PARTIAL_CONTENT {
        let last = start + length - 1;
        reply = reply.with_text(CONTENT_RANGE, &format!("bytes {start}-{last}/{size}"));
    } else if let Some(digest) = &whole_digest {
        reply = reply.with_text(CONTENT_DIGEST, &digest_field(digest));
    }
    if is_head {
        reply.content = Content::Promised(length);
        return Ok(reply);
    }
    if length == 0 {
        // Nothing has to travel: the answer itself is the whole file.
        opened.close()?;
        return Ok(reply);
    }
    opened.prepare()?;
    let download = if status == StatusCode::PARTIAL_CONTENT && length <= MOST_DIGESTED_BYTES && whole_digest.is_some() {
        let download = Download::begin(opened.clone(), start, length)?;
        let digest = digest_of(&opened, &download)?;
        reply = reply.with_text(CONTENT_DIGEST, &digest_field(&digest));
        download
    } else {
        Download::unread(opened, start, length)
    };
    reply.content = Content::Download(download);
    Ok(reply)
}

fn with_validators(reply: Reply, file: &Validators) -> Reply {
    let reply = reply.with_text(ETAG, &file.etag).with(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    match http_date(file.modified_seconds) {
        Some(date) => reply.with_text(LAST_MODIFIED, &date),
        None => reply,
    }
}

/// Digest of the range, from its first piece at hand and a reading of the rest.
fn digest_of(fetch: &Opened, download: &Download) -> Result<Digest, Failure> {
    let mut hash = Sha256::new_with_prefix(download.first());
    let mut at = download.start + download.first().len() as u64;
    let end = download.start + download.length;
    let mut piece = vec![0; PIECE_BYTES];
    while at < end {
        let wanted = usize::try_from(end - at).unwrap_or(usize::MAX).min(PIECE_BYTES);
        let read = fetch.read(at, piece.get_mut(..wanted).unwrap_or_default())?;
        if read == 0 {
            break;
        }
        hash.update(piece.get(..read).unwrap_or_default());
        at += read as u64;
    }
    Ok(Digest::new(hash.finalize().into()))
}

fn digest_field(digest: &Digest) -> String {
    format!("sha-256=:{}:", digest.base64())
}

fn media_type(part: DeliveryPart, name: &FileName) -> &'static str {
    match part {
        DeliveryPart::Data(_) => forms::content_type(name),
        DeliveryPart::PackingSlip => "application/json",
        DeliveryPart::DigestList => "text/plain; charset=utf-8",
    }
}

/// File names hold only characters that need no escape in either form (RFC 6266, RFC 8187).
fn disposition(name: &FileName) -> String {
    format!("attachment; filename=\"{name}\"; filename*=UTF-8''{name}")
}

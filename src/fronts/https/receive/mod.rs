//! Participant files as they come in over HTTPS: `PUT` of the content at the API, and resumable uploads (tus 1.0).
//! Who asks is asked before a byte is taken; the rules of uploads are the operations'. Nothing of it touches the disk
//! but through them.

#![expect(clippy::disallowed_methods, reason = "a task that ends with its connection, or soon")]

mod asker;
mod content;
mod digests;
mod stream;
mod tus;

use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use hyper::header::{HeaderName, HeaderValue, LINK};
use hyper::http::request::Parts;
use hyper::{HeaderMap, StatusCode};

use tokio::time::timeout;

use super::answer::Door;
use super::ask::Ask;
use super::reply::Reply;
use super::routes::Route;
use crate::domain::ids::UploadId;
use crate::domain::refusal::{Refusal, What};
use crate::fronts::intake_forms;
use crate::operations::{Caller, Failure};

pub(super) use tus::{Tus, is_tus, list, options, show, terminate, version_refused, with_version};

/// What takes content as it comes in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Receive {
    /// The content of an announced participant file.
    Content,
    /// A resumable upload: one is made, perhaps with its first bytes.
    Create,
    /// Its next bytes.
    Append,
    /// A method that stands in a header, for clients that can send no other.
    Override,
}

const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");

/// Answers a request with content, which is taken in as it comes.
pub(super) async fn answer(
    door: &Door,
    which: Receive,
    route: &Route,
    segments: Vec<String>,
    parts: Parts,
    incoming: Incoming,
) -> Reply {
    let ask = Ask::of(door, route, segments, parts, bytes::Bytes::new());
    match which {
        Receive::Content => content::put(door, ask, incoming).await,
        Receive::Create => tus::create(door, ask, incoming).await,
        Receive::Append => tus::append(door, ask, incoming).await,
        Receive::Override => tus::instead(door, ask, incoming).await,
    }
}

/// Who asks with a token or, for a resumable upload, with the session of the portal.
pub(super) fn asker(ask: &Ask, address: std::net::IpAddr) -> Result<Caller, Box<Reply>> {
    asker::of(ask, address)
}

/// The upload that the first variable segment names. An id that cannot be one is not there.
fn upload_id(ask: &Ask) -> Result<UploadId, Failure> {
    UploadId::parse(ask.segment(0)).map_err(|_| Refusal::NotFound(What::File).into())
}

/// A refusal leaves at once, while the client still sends. What it sends is read past for a while: a connection that is
/// cut under a client that sends takes the answer with it (RFC 9112 §9.6; curl 7.88 with HTTP/2).
const LINGER: Duration = Duration::from_secs(5);

/// Reads past content that nobody wants any more, beside the answer. Ends with its connection or after `LINGER`.
fn read_past(mut incoming: Incoming) {
    if incoming.is_end_stream() {
        return;
    }
    tokio::spawn(timeout(LINGER, async move { while let Some(Ok(_)) = incoming.frame().await {} }));
}

fn failed(failure: &Failure) -> Box<Reply> {
    Box::new(Reply::failure("taking in a participant file", failure))
}

/// What is said of a file that was received: where it is, where its receipt is, and the digest of what came.
fn received(ask: &Ask, caller: &Caller, id: UploadId, wants_receipt: bool) -> Result<Reply, Failure> {
    let base = ask.api_base();
    let link = format!(
        "<{base}/participant-files/{id}>; rel=\"item\", <{base}/participant-files/{id}/receipt>; rel=\"describedby\""
    );
    let reply = match ask.site.operations.own_receipt(caller, id) {
        Ok(view) => {
            let digest = view.upload.state.sha256().map(|sha256| format!("sha-256=:{}:", sha256.base64()));
            let reply = if wants_receipt {
                Reply::json(StatusCode::OK, &intake_forms::received(&view, &base))
                    .with_text(HeaderName::from_static("preference-applied"), "return=representation")
            } else {
                Reply::empty(StatusCode::NO_CONTENT)
            };
            digest.iter().fold(reply, |reply, digest| reply.with_text(REPR_DIGEST, digest))
        }
        // who may deliver but not read what came is told that it came
        Err(Failure::Refused(Refusal::NotFound(_))) => Reply::empty(StatusCode::NO_CONTENT),
        Err(failure) => return Err(failure),
    };
    Ok(reply.with_text(LINK, &link))
}

/// Whether the content stands as it is: no coding is undone here.
fn is_plain(headers: &HeaderMap) -> bool {
    headers
        .get_all(hyper::header::CONTENT_ENCODING)
        .iter()
        .all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

fn number(value: u64) -> HeaderValue {
    HeaderValue::from(value)
}

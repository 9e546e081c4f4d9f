//! From request to answer: finds the route, signs in, asks the handler off the
//! async threads, and sets the headers that every answer has (domain §3.2, §3.4).

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, ORIGIN, RANGE,
    REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::ask::Ask;
use super::body::{Body, CutOff};
use super::listener::Running;
use super::operator::stage;
use super::portal::office::{Desk, Shelving};
use super::portal::uploads::Taking;
use super::portal::{self, Form, Guest, Member};
use super::receive;
use super::reply::{BAD_REQUEST, Content, Reply, TOO_LARGE, TOO_SLOW};
use super::routes::{EVERYBODY, Found, Handler, MISSING, MOST_CONTENT_BYTES, Route, Table, find, has_office};
use super::wire::{Ledger, Piece};
use super::{Site, bearer};
use crate::domain::history::Channel;
use crate::domain::refusal::Refusal;
use crate::operations::{Failure, Fault};

/// Version of the API, on every answer (API Design Rules).
pub(super) const API_VERSION: &str = "1.0.0";

/// Content that nobody asked for is waited for so long: it is under way already.
const PASS_OVER_WITHIN: Duration = Duration::from_secs(2);

/// One connection, as far as answering needs it.
pub(super) struct Door {
    pub site: Arc<Site>,
    pub table: Table,
    pub address: IpAddr,
    pub ledger: Arc<Ledger>,
    /// Held by everything that still runs.
    pub alive: mpsc::Sender<()>,
}

/// A body that keeps its request counted as running until it is done with.
pub(super) struct Answered {
    body: Body,
    _running: Running,
}

impl hyper::body::Body for Answered {
    type Data = Piece;
    type Error = CutOff;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Piece>, CutOff>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Answers one request.
pub(super) async fn answer(door: &Door, request: Request<Incoming>, running: Running) -> Response<Answered> {
    let (parts, incoming) = request.into_parts();
    let is_head = parts.method == Method::HEAD;
    let is_tus = receive::is_tus(parts.uri.path());
    let reply = match find(door.table, &parts.method, parts.uri.path()) {
        Found::Nothing if is_for_people(door, &parts) => run(door, &MISSING, Vec::new(), parts, incoming).await,
        Found::Nothing => {
            pass_over(incoming).await;
            Reply::not_found()
        }
        Found::OtherMethods(allowed) => {
            pass_over(incoming).await;
            Reply::wrong_method(&allowed)
        }
        Found::Route(route, segments) => run(door, route, segments, parts, incoming).await,
    };
    let reply = if is_tus { receive::with_version(reply) } else { reply };
    response(door, reply, is_head, running)
}

async fn run(door: &Door, route: &Route, segments: Vec<String>, parts: Parts, incoming: Incoming) -> Reply {
    // Pages of other sites cannot reach what is open here: browsers name them in `Origin`.
    let is_page = matches!(
        route.handler,
        Handler::Page(_)
            | Handler::Member(_)
            | Handler::Signed(_)
            | Handler::Desk(_)
            | Handler::Own(_)
            | Handler::Upload(_)
            | Handler::Shelve(_)
    );
    let asks_who = matches!(route.handler, Handler::Account(_) | Handler::Uploader(_) | Handler::Receive(_));
    let is_open_change = !is_page && !asks_who && route.method != Method::GET;
    if is_open_change && parts.headers.contains_key(ORIGIN) {
        return Reply::refusal(&Refusal::NotAllowed("not from a web page"));
    }
    let content = match route.handler {
        Handler::Stage => return stage::receive(&door.site, &segments, &parts.headers, incoming).await,
        // asks for itself who asks, before a byte of it is taken
        Handler::Receive(which) => return receive::answer(door, which, route, segments, parts, incoming).await,
        Handler::Upload(taking) => {
            let ask = Arc::new(Ask::of(door, route, segments, parts, Bytes::new()));
            return upload(door, taking, ask, incoming).await;
        }
        Handler::Shelve(which) => {
            let ask = Arc::new(Ask::of(door, route, segments, parts, Bytes::new()));
            return shelve(door, which, ask, incoming).await;
        }
        Handler::Open(_)
        | Handler::Account(_)
        | Handler::Uploader(_)
        | Handler::Page(_)
        | Handler::Member(_)
        | Handler::Signed(_)
        | Handler::Desk(_)
        | Handler::Own(_)
            if route.method == Method::GET =>
        {
            pass_over(incoming).await;
            Ok(Bytes::new())
        }
        Handler::Open(_)
        | Handler::Account(_)
        | Handler::Uploader(_)
        | Handler::Page(_)
        | Handler::Member(_)
        | Handler::Signed(_)
        | Handler::Desk(_)
        | Handler::Own(_)
            if route.most_bytes > MOST_CONTENT_BYTES && !is_in_office(door, route, &parts).await =>
        {
            pass_over(incoming).await;
            Ok(Bytes::new())
        }
        Handler::Open(_)
        | Handler::Account(_)
        | Handler::Uploader(_)
        | Handler::Page(_)
        | Handler::Member(_)
        | Handler::Signed(_)
        | Handler::Desk(_)
        | Handler::Own(_) => whole(door, incoming, route.most_bytes).await,
    };
    let content = match content {
        Ok(content) => content,
        Err(reply) => return *reply,
    };
    // A range may have to be read for its digest.
    let at_hand = route.at_hand && !parts.headers.contains_key(RANGE) && door.site.operations.is_at_hand();
    let ask = Ask::of(door, route, segments, parts, content);
    let (handler, address) = (route.handler, door.address);
    let mut reply = if at_hand {
        handle(handler, &ask, address)
    } else {
        let asked = tokio::task::spawn_blocking(move || handle(handler, &ask, address)).await;
        asked.unwrap_or_else(|error| failed(&Fault::from_error("handler", error).into()))
    };
    if let Content::Download(download) = &mut reply.content
        && let Err(failure) = download.read_first().await
    {
        reply = failed(&failure);
    }
    reply
}

/// Lets a member send files, once all that can be known before their first byte is in order.
async fn upload(door: &Door, taking: Taking, ask: Arc<Ask>, incoming: Incoming) -> Reply {
    let (asked, address) = (Arc::clone(&ask), door.address);
    let admitted = tokio::task::spawn_blocking(move || {
        let guest = guest(&asked, address)?;
        let member = member(&guest, false)?;
        member.placed(&asked).map_err(|failure| Box::new(told(&asked, &guest, &failure)))
    });
    match admitted.await {
        Ok(Ok(member)) => portal::uploads::take_in(ask, member, taking, incoming, door.alive.clone()).await,
        Ok(Err(reply)) => {
            pass_over(incoming).await;
            *reply
        }
        Err(error) => failed(&Fault::from_error("handler", error).into()),
    }
}

/// Lets somebody of the office send a document, once it is known who they are.
async fn shelve(door: &Door, which: Shelving, ask: Arc<Ask>, incoming: Incoming) -> Reply {
    let (asked, address) = (Arc::clone(&ask), door.address);
    let admitted = tokio::task::spawn_blocking(move || Desk::of(&guest(&asked, address)?));
    match admitted.await {
        Ok(Ok(desk)) => portal::office::take_in(ask, Arc::new(desk), which, incoming, door.alive.clone()).await,
        Ok(Err(reply)) => {
            pass_over(incoming).await;
            *reply
        }
        Err(error) => failed(&Fault::from_error("handler", error).into()),
    }
}

fn failed(failure: &Failure) -> Reply {
    Reply::failure("answering a request", failure)
}

fn handle(handler: Handler, ask: &Ask, address: IpAddr) -> Reply {
    let outcome = match handler {
        Handler::Open(handler) => handler(ask),
        Handler::Account(handler) => {
            match ask.site.operations.closure(Channel::Api) {
                Ok(None) => {}
                Ok(Some(closure)) => return Reply::refusal(&closure.refusal()),
                Err(failure) => return failed(&failure),
            }
            match bearer::sign_in(&ask.site.operations, &ask.site.penalties, &ask.headers, address) {
                Ok(caller) => ask.place(&caller).and_then(|caller| handler(ask, &caller)),
                Err(reply) => return *reply,
            }
        }
        Handler::Uploader(handler) => {
            if let Some(refused) = receive::version_refused(ask) {
                return refused;
            }
            match receive::asker(ask, address) {
                Ok(caller) => handler(ask, &caller),
                Err(reply) => return *reply,
            }
        }
        Handler::Page(_) | Handler::Member(_) | Handler::Signed(_) | Handler::Desk(_) | Handler::Own(_) => {
            return page(handler, ask, address);
        }
        Handler::Stage | Handler::Receive(_) | Handler::Upload(_) | Handler::Shelve(_) => {
            Err(Failure::Refused(Refusal::NotAllowed("a file is taken as it comes in")))
        }
    };
    outcome.unwrap_or_else(|failure| failed(&failure))
}

/// Whoever asks for a page; or the page that says that the portal is closed, or that another site sent a form.
fn guest(ask: &Ask, address: IpAddr) -> Result<Guest, Box<Reply>> {
    let guest = Guest::of(ask, address).map_err(|failure| Box::new(failed(&failure)))?;
    let changes = !matches!(ask.method, Method::GET | Method::HEAD);
    // the office stays open: somebody there ends the interruption
    match ask.site.operations.closure(ask.door()) {
        Ok(None) => {}
        // in the frame of a page that is open already, which says how long somebody stays signed in
        Ok(Some(_)) if ask.is_at(portal::SESSION_PATH) => {}
        Ok(Some(closure)) => {
            let closed = portal::closed(ask, &guest, &closure).unwrap_or_else(|failure| failed(&failure));
            return Err(Box::new(closed));
        }
        Err(failure) => return Err(Box::new(failed(&failure))),
    }
    if changes && portal::is_from_elsewhere(&ask.headers, ask.authority.as_deref()) {
        let elsewhere = portal::elsewhere(ask, &guest).unwrap_or_else(|failure| told(ask, &guest, &failure));
        return Err(Box::new(elsewhere));
    }
    Ok(guest)
}

/// Who is signed in, and nothing before the terms of use are accepted (I6), but for what needs that not.
fn member(guest: &Guest, is_before_terms: bool) -> Result<Member, Box<Reply>> {
    let member = Member::of(guest)?;
    if member.visit.has_terms_open && !is_before_terms { Err(Box::new(member.to_the_terms())) } else { Ok(member) }
}

/// A page, or the page that says why there is none.
fn page(handler: Handler, ask: &Ask, address: IpAddr) -> Reply {
    let guest = match guest(ask, address) {
        Ok(guest) => guest,
        Err(reply) => return *reply,
    };
    let changes = !matches!(ask.method, Method::GET | Method::HEAD);
    let outcome = match handler {
        Handler::Page(handler) => handler(ask, &guest),
        Handler::Member(answer) | Handler::Signed(answer) => {
            match member(&guest, matches!(handler, Handler::Signed(_))) {
                Err(reply) => Ok(*reply),
                // a form that was not made for this session
                Ok(member) if changes && !member.sent(&Form::read(&ask.content)) => portal::elsewhere(ask, &guest),
                Ok(member) => member.placed(ask).and_then(|member| answer(ask, &member)),
            }
        }
        Handler::Desk(_) | Handler::Own(_) => match Desk::of(&guest) {
            Err(reply) => Ok(*reply),
            Ok(desk) if changes && !desk.sent(&Form::read(&ask.content)) => portal::elsewhere(ask, &guest),
            Ok(desk) => match handler {
                Handler::Own(answer) => answer(ask, &desk.oneself()),
                Handler::Desk(answer) => answer(ask, &desk),
                _ => Ok(Reply::not_found()),
            },
        },
        Handler::Open(_)
        | Handler::Account(_)
        | Handler::Uploader(_)
        | Handler::Stage
        | Handler::Receive(_)
        | Handler::Upload(_)
        | Handler::Shelve(_) => Ok(Reply::not_found()),
    };
    outcome.unwrap_or_else(|failure| told(ask, &guest, &failure))
}

/// The page for what failed.
fn told(ask: &Ask, guest: &Guest, failure: &Failure) -> Reply {
    portal::broken(ask, guest, failure).unwrap_or_else(|failure| failed(&failure))
}

/// Whether a browser asks, and not for something of the API.
fn is_for_people(door: &Door, parts: &Parts) -> bool {
    let wants_html = parts.headers.get(ACCEPT).is_some_and(|accept| {
        accept.to_str().is_ok_and(|accept| accept.split(',').any(|kind| kind.trim().starts_with("text/html")))
    });
    let has_pages = core::ptr::eq(door.table, EVERYBODY) || has_office(door.table);
    wants_html && has_pages && !parts.uri.path().starts_with("/api")
}

/// Reads past content that nobody asked for. An answer before its end is followed by a reset in
/// HTTP/2, for which some clients (curl 7.88) throw the answer away.
async fn pass_over(incoming: Incoming) {
    let mut content = Limited::new(incoming, MOST_CONTENT_BYTES);
    let passing = async { while let Some(Ok(_)) = content.frame().await {} };
    // What is larger or slower is cut off with the answer.
    let _ = timeout(PASS_OVER_WITHIN, passing).await;
}

/// Whether somebody of the office asks: nobody else sends more than is usual.
async fn is_in_office(door: &Door, route: &Route, parts: &Parts) -> bool {
    let ask = Ask::of(door, route, Vec::new(), parts.clone(), Bytes::new());
    let address = door.address;
    let asked = tokio::task::spawn_blocking(move || Guest::of(&ask, address).is_ok_and(|guest| guest.desk.is_some()));
    asked.await.unwrap_or(false)
}

async fn whole(door: &Door, incoming: Incoming, most_bytes: usize) -> Result<Bytes, Box<Reply>> {
    let limited = Limited::new(incoming, most_bytes).collect();
    match timeout(door.site.config.https.request_timeout, limited).await {
        Ok(Ok(content)) => Ok(content.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(Box::new(Reply::problem(TOO_LARGE, &format!("at most {most_bytes} bytes"))))
        }
        Ok(Err(_)) => Err(Box::new(Reply::problem(BAD_REQUEST, "the content ended early"))),
        Err(_) => Err(Box::new(Reply::problem(TOO_SLOW, "the content did not come in time"))),
    }
}

fn response(door: &Door, reply: Reply, is_head: bool, running: Running) -> Response<Answered> {
    let mut promised = None;
    let body = match reply.content {
        Content::Empty => Body::Empty,
        Content::Promised(length) => {
            promised = Some(length);
            Body::Empty
        }
        Content::Whole(bytes) if is_head => {
            promised = Some(bytes.len() as u64);
            Body::Empty
        }
        Content::Whole(bytes) => Body::Whole(Some(bytes)),
        Content::Download(download) => {
            let patience = door.site.config.https.request_timeout;
            download.into_body(Arc::clone(&door.ledger), patience, door.alive.clone())
        }
    };
    let mut response = Response::new(Answered { body, _running: running });
    *response.status_mut() = reply.status;
    let headers = response.headers_mut();
    for (name, value) in reply.headers {
        headers.insert(name, value);
    }
    if let Some(length) = promised.filter(|_| reply.status != StatusCode::NOT_MODIFIED) {
        headers.insert(CONTENT_LENGTH, length.into());
    }
    for (name, value) in ALWAYS {
        // a page says itself what it may load, a style sheet how long it lasts
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Headers of every answer, errors included.
const ALWAYS: [(HeaderName, &str); 7] = [
    (HeaderName::from_static("api-version"), API_VERSION),
    (CACHE_CONTROL, "no-store"),
    // 63,072,000 s = 2 years.
    (STRICT_TRANSPORT_SECURITY, "max-age=63072000; includeSubDomains"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (CONTENT_SECURITY_POLICY, "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    (REFERRER_POLICY, "no-referrer"),
];

//! Resumable uploads (tus 1.0), for the own organisation and for a client.

use hyper::Method;

use super::super::receive::{Receive, list, options, show, terminate};
use super::{Handler, JSON, MOST_CONTENT_BYTES, Route, get};

const fn route(method: Method, path: &'static str, handler: Handler, about: &'static str) -> Route {
    Route { method, path, handler, about, query: &[], gives: &[], at_hand: false, most_bytes: MOST_CONTENT_BYTES }
}

const ALL: &str = "/api/v1/resumable-uploads";
const ONE: &str = "/api/v1/resumable-uploads/{id}";
const ALL_OF_CLIENT: &str = "/api/v1/clients/{code}/resumable-uploads";
const ONE_OF_CLIENT: &str = "/api/v1/clients/{code}/resumable-uploads/{id}";

/// Routes of the public listener.
pub(in crate::fronts::https) static RESUMABLE_UPLOADS: &[Route] = &[
    route(Method::OPTIONS, ALL, Handler::Open(options), "What this server can of tus"),
    get(ALL, Handler::Uploader(list), "Own uploads that are not whole yet", JSON),
    route(Method::POST, ALL, Handler::Receive(Receive::Create), "Begin a resumable upload (tus 1.0)"),
    route(Method::HEAD, ONE, Handler::Uploader(show), "How far it came"),
    route(Method::PATCH, ONE, Handler::Receive(Receive::Append), "Its next bytes"),
    route(Method::POST, ONE, Handler::Receive(Receive::Override), "PATCH or DELETE, by X-HTTP-Method-Override"),
    route(Method::DELETE, ONE, Handler::Uploader(terminate), "Take it back"),
    route(Method::OPTIONS, ALL_OF_CLIENT, Handler::Open(options), "What this server can of tus"),
    get(ALL_OF_CLIENT, Handler::Uploader(list), "Those for a client", JSON),
    route(Method::POST, ALL_OF_CLIENT, Handler::Receive(Receive::Create), "Begin one for a client"),
    route(Method::HEAD, ONE_OF_CLIENT, Handler::Uploader(show), "How far it came"),
    route(Method::PATCH, ONE_OF_CLIENT, Handler::Receive(Receive::Append), "Its next bytes"),
    route(Method::POST, ONE_OF_CLIENT, Handler::Receive(Receive::Override), "PATCH or DELETE, by another header"),
    route(Method::DELETE, ONE_OF_CLIENT, Handler::Uploader(terminate), "Take it back"),
];

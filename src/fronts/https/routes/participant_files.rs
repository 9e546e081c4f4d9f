//! What accounts ask about their participant files with a token.

use hyper::Method;

use super::super::api::{announce, participant_files as files};
use super::super::receive::Receive;
use super::{Handler, JSON, MOST_CONTENT_BYTES, Route, delete, get};

const fn announced(path: &'static str) -> Route {
    let handler = Handler::Account(announce::announce);
    let about = "Announce a participant file; its content follows";
    Route {
        method: Method::POST,
        path,
        handler,
        about,
        query: &[],
        gives: JSON,
        at_hand: false,
        most_bytes: MOST_CONTENT_BYTES,
    }
}

const fn content(path: &'static str) -> Route {
    let handler = Handler::Receive(Receive::Content);
    let about = "Its content, whole or from where it was interrupted (Content-Range)";
    Route {
        method: Method::PUT,
        path,
        handler,
        about,
        query: &[],
        gives: JSON,
        at_hand: false,
        most_bytes: MOST_CONTENT_BYTES,
    }
}

const fn check(path: &'static str) -> Route {
    let handler = Handler::Receive(Receive::Check);
    let about = "What would become of a file, without submitting it; nothing of it is kept";
    Route {
        method: Method::POST,
        path,
        handler,
        about,
        query: TRIED,
        gives: JSON,
        at_hand: false,
        most_bytes: MOST_CONTENT_BYTES,
    }
}

const TRIED: &[(&str, &str)] = &[("product", "For which product"), ("fileName", "Under which name")];

const TEXT: &[&str] = &["text/plain"];

const QUERY: &[(&str, &str)] = &[("limit", "At most so many"), ("after", "Go on after the file with this id")];

/// Routes of the public listener about participant files.
pub(in crate::fronts::https) static PARTICIPANT_FILES: &[Route] = &[
    get("/api/v1/receipt-key", Handler::Open(files::receipt_key), "The key under receipts and results", JSON),
    get("/api/v1/participant-files", Handler::Account(files::list), "Received participant files", JSON).asking(QUERY),
    announced("/api/v1/participant-files"),
    content("/api/v1/participant-files/{id}/content"),
    check("/api/v1/participant-files/_check"),
    announced("/api/v1/clients/{code}/participant-files"),
    check("/api/v1/clients/{code}/participant-files/_check"),
    content("/api/v1/clients/{code}/participant-files/{id}/content"),
    get("/api/v1/participant-files/{id}", Handler::Account(files::show), "A file and what became of it", JSON),
    delete("/api/v1/participant-files/{id}", Handler::Account(files::withdraw), "Take it back"),
    get("/api/v1/participant-files/{id}/receipt", Handler::Account(files::receipt), "Its receipt", JSON),
    get(
        "/api/v1/participant-files/{id}/receipt/signature",
        Handler::Account(files::receipt_signature),
        "The signature of its receipt (SSHSIG)",
        TEXT,
    ),
    get("/api/v1/clients/{code}/participant-files", Handler::Account(files::list), "Those of a client", JSON)
        .asking(QUERY),
    get("/api/v1/clients/{code}/participant-files/{id}", Handler::Account(files::show), "One of them", JSON),
    delete("/api/v1/clients/{code}/participant-files/{id}", Handler::Account(files::withdraw), "Take it back"),
    get("/api/v1/clients/{code}/participant-files/{id}/receipt", Handler::Account(files::receipt), "Its receipt", JSON),
    get(
        "/api/v1/clients/{code}/participant-files/{id}/receipt/signature",
        Handler::Account(files::receipt_signature),
        "The signature of its receipt (SSHSIG)",
        TEXT,
    ),
    get("/api/v1/clients/{code}/participant-files/{id}/result", Handler::Account(files::result), "Its result", JSON),
    get(
        "/api/v1/clients/{code}/participant-files/{id}/result/signature",
        Handler::Account(files::result_signature),
        "The signature of its result (SSHSIG)",
        TEXT,
    ),
    get("/api/v1/participant-files/{id}/result", Handler::Account(files::result), "Its result", JSON),
    get(
        "/api/v1/participant-files/{id}/result/signature",
        Handler::Account(files::result_signature),
        "The signature of its result (SSHSIG)",
        TEXT,
    ),
];

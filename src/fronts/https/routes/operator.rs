//! What the operator listener answers.

use hyper::Method;

use super::super::api::health;
use super::super::operator::{participant_files as files, publications};
use super::{Handler, JSON, MOST_CONTENT_BYTES, Route, get};

/// Routes of an operator listener that others than this machine can reach.
pub(in crate::fronts::https) static HEALTH: &[Route] = &[
    get("/health/live", Handler::Open(health::live), "Whether the server lives", JSON),
    get("/health/ready", Handler::Open(health::ready), "Whether the server takes work", JSON),
];

const FILES_QUERY: &[(&str, &str)] = &[
    ("product", "Only for this product (code)"),
    ("stage", "Only those that came so far, such as accepted"),
    ("limit", "At most so many"),
    ("after", "Go on after the file with this id"),
];

const fn post_json(path: &'static str, handler: Handler, about: &'static str) -> Route {
    let (method, most_bytes) = (Method::POST, MOST_CONTENT_BYTES);
    Route { method, path, handler, about, query: &[], gives: JSON, at_hand: false, most_bytes }
}

/// Routes of the operator listener.
pub(in crate::fronts::https) static OPERATOR: &[Route] = &[
    get("/health/live", Handler::Open(health::live), "Whether the server lives", JSON),
    get("/health/ready", Handler::Open(health::ready), "Whether the server takes work", JSON),
    Route {
        method: Method::PUT,
        path: "/operator/publications/{id}/files/{name}",
        handler: Handler::Stage,
        about: "Stage a file of a publication",
        query: &[],
        gives: &[],
        at_hand: false,
        most_bytes: MOST_CONTENT_BYTES,
    },
    Route {
        method: Method::POST,
        path: "/operator/publications/{id}",
        handler: Handler::Open(publications::publish),
        about: "Publish the staged files",
        query: &[],
        gives: JSON,
        at_hand: false,
        most_bytes: MOST_CONTENT_BYTES,
    },
    get("/operator/participant-files", Handler::Open(files::list), "Participant files", JSON).asking(FILES_QUERY),
    get("/operator/participant-files/{id}", Handler::Open(files::show), "One of them", JSON),
    post_json("/operator/participant-files/{id}/collection", Handler::Open(files::collect), "Take an accepted one"),
    get(
        "/operator/participant-files/{id}/content",
        Handler::Open(files::content),
        "Its bytes, sealed to the back office",
        &["application/age"],
    ),
    post_json(
        "/operator/participant-files/{id}/acknowledgement",
        Handler::Open(files::acknowledge),
        "Confirm that it is there, by its digest",
    ),
    post_json("/operator/participant-files/{id}/result", Handler::Open(files::answer), "Say what became of it"),
];

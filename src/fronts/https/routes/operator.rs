//! What the operator listener answers.

use hyper::Method;

use super::super::api::health;
use super::super::operator::publications;
use super::{Handler, JSON, MOST_CONTENT_BYTES, Route, get};

/// Routes of an operator listener that others than this machine can reach.
pub(in crate::fronts::https) static HEALTH: &[Route] = &[
    get("/health/live", Handler::Open(health::live), "Whether the server lives", JSON),
    get("/health/ready", Handler::Open(health::ready), "Whether the server takes work", JSON),
];

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
];

//! Replies, and the one mapping from refusals and faults to HTTP (RFC 9110) and
//! problem documents (RFC 9457). Knows no routes.
#![deny(clippy::wildcard_enum_match_arm)]

use bytes::Bytes;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderName, HeaderValue, LINK, RETRY_AFTER, WWW_AUTHENTICATE};
use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use super::body::Download;
use crate::domain::refusal::Refusal;
use crate::operations::Failure;
use crate::telemetry;

/// An answer before the headers that every answer has.
pub(super) struct Reply {
    /// The status.
    pub status: StatusCode,
    /// Headers of this answer.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// What it carries.
    pub content: Content,
}

/// What a reply carries.
pub(super) enum Content {
    /// Nothing.
    Empty,
    /// All of it.
    Whole(Bytes),
    /// A range of a file.
    Download(Download),
    /// Nothing, but so many bytes would have come (HEAD).
    Promised(u64),
}

impl Reply {
    /// A reply without content.
    #[must_use]
    pub(super) const fn empty(status: StatusCode) -> Self {
        Self { status, headers: Vec::new(), content: Content::Empty }
    }

    /// A JSON document.
    #[must_use]
    pub(super) fn json(status: StatusCode, document: &Value) -> Self {
        Self::text(status, "application/json", document.to_string())
    }

    /// Content of a media type.
    #[must_use]
    pub(super) fn text(status: StatusCode, media_type: &'static str, content: impl Into<Bytes>) -> Self {
        Self { status, headers: Vec::new(), content: Content::Whole(content.into()) }
            .with(CONTENT_TYPE, HeaderValue::from_static(media_type))
    }

    /// With one more header.
    #[must_use]
    pub(super) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// With one more header, left out when the text is none a header can hold.
    #[must_use]
    pub(super) fn with_text(self, name: HeaderName, value: &str) -> Self {
        match HeaderValue::from_str(value) {
            Ok(value) => self.with(name, value),
            Err(_) => self,
        }
    }

    /// A problem document.
    #[must_use]
    pub(super) fn problem(problem: Problem, detail: &str) -> Self {
        Self::problem_with(problem.status, (problem.word, problem.title), detail)
    }

    /// What came is not what its checksum says: 460, a status of tus 1.0 alone.
    #[must_use]
    pub(super) fn wrong_sum(detail: &str) -> Self {
        let status = StatusCode::from_u16(460).unwrap_or(StatusCode::BAD_REQUEST);
        Self::problem_with(status, ("wrong-checksum", "Checksum mismatch"), detail)
    }

    fn problem_with(status: StatusCode, (word, title): (&str, &str), detail: &str) -> Self {
        let document = json!({
            "type": format!("urn:postkluis:problem:{word}"),
            "title": title,
            "status": status.as_u16(),
            "detail": detail,
        });
        Self::text(status, "application/problem+json", document.to_string())
    }

    /// No such path, or not for the asker to know.
    #[must_use]
    pub(super) fn not_found() -> Self {
        Self::problem(NOT_FOUND, "there is nothing here")
    }

    /// The path is there, but not for this method.
    #[must_use]
    pub(super) fn wrong_method(allowed: &[Method]) -> Self {
        let allowed: Vec<&str> = allowed.iter().map(Method::as_str).collect();
        let allowed = allowed.join(", ");
        Self::problem(WRONG_METHOD, &format!("use {allowed}")).with_text(ALLOW, &allowed)
    }

    /// Nobody signed in. `wrong` when a token was shown and is not valid (RFC 6750 §3.1).
    #[must_use]
    pub(super) fn not_signed_in(wrong: bool) -> Self {
        let challenge =
            if wrong { "Bearer realm=\"postkluis\", error=\"invalid_token\"" } else { "Bearer realm=\"postkluis\"" };
        Self::problem(NOT_SIGNED_IN, &Refusal::NotSignedIn.to_string())
            .with(WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
    }

    /// Asked too often; may ask again after `seconds`.
    #[must_use]
    pub(super) fn too_often(seconds: u64) -> Self {
        Self::problem(TOO_MUCH, "too many wrong tokens from this address; wait").with(RETRY_AFTER, seconds.into())
    }

    /// What a refusal or fault is outside. A fault is logged here, once.
    #[must_use]
    pub(super) fn failure(doing: &'static str, failure: &Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => Self::refusal(refusal),
            Failure::Faulted(fault) => {
                let reference = telemetry::report(doing, fault);
                let advice =
                    if fault.outcome_unknown() { "it may have been done; ask again the same way" } else { "try later" };
                Self::problem(FAULT, &format!("something broke on our side, reference {reference}; {advice}"))
            }
        }
    }

    /// What a refusal is outside.
    #[must_use]
    pub(super) fn refusal(refusal: &Refusal) -> Self {
        let problem = match refusal {
            Refusal::NotFound(_) => NOT_FOUND,
            Refusal::NotAllowed(_) => problem(StatusCode::FORBIDDEN, "not-allowed", "Not allowed"),
            Refusal::NotSignedIn | Refusal::NotFromHere(_) => return Self::not_signed_in(true),
            Refusal::Blocked | Refusal::BlockedCredential(_) => problem(StatusCode::FORBIDDEN, "blocked", "Blocked"),
            Refusal::ServiceEnded(_) => problem(StatusCode::FORBIDDEN, "service-ended", "Service ended"),
            Refusal::Interrupted { seconds, .. } => {
                let problem = problem(StatusCode::SERVICE_UNAVAILABLE, "interrupted", "Access is interrupted");
                return Self::problem(problem, &refusal.to_string()).with(RETRY_AFTER, (*seconds).into());
            }
            Refusal::TermsNotAccepted { address } => {
                let problem = problem(StatusCode::FORBIDDEN, "terms-not-accepted", "Terms of use not accepted");
                let reply = Self::problem(problem, &refusal.to_string());
                // RFC 6903 §4
                let link = format!("<{address}>; rel=\"terms-of-service\"");
                return if address.is_empty() { reply } else { reply.with_text(LINK, &link) };
            }
            Refusal::Ended(_) => problem(StatusCode::FORBIDDEN, "ended", "Ended or expired"),
            Refusal::Exists(_, _) => problem(StatusCode::CONFLICT, "exists", "Exists already"),
            Refusal::BadName(_) | Refusal::BadRequest(_) => BAD_REQUEST,
            Refusal::WrongState(_) => problem(StatusCode::CONFLICT, "wrong-state", "Not in this state"),
            Refusal::NoAgreement { .. } => {
                problem(StatusCode::UNPROCESSABLE_ENTITY, "no-agreement", "No agreement in force")
            }
            Refusal::NoRecipientKey(_) => {
                problem(StatusCode::UNPROCESSABLE_ENTITY, "no-recipient-key", "No valid recipient key")
            }
            Refusal::Gone(_) => problem(StatusCode::GONE, "gone", "No longer available"),
            Refusal::TooMuch(_) => TOO_MUCH,
            Refusal::NoSpace => problem(StatusCode::INSUFFICIENT_STORAGE, "no-space", "No space"),
            Refusal::Changed(_) => problem(StatusCode::CONFLICT, "changed", "Changed meanwhile"),
            Refusal::LinkClosed => problem(StatusCode::GONE, "gone", "No longer available"),
            Refusal::FreeMail | Refusal::WeakPassword(_) | Refusal::WrongCode | Refusal::Connection(_) => BAD_REQUEST,
            Refusal::TriedTooOften { .. } => TOO_MUCH,
            Refusal::ClockNotTrusted => {
                problem(StatusCode::SERVICE_UNAVAILABLE, "clock-not-trusted", "Clock not trusted")
            }
        };
        Self::problem(problem, &refusal.to_string())
    }
}

/// Status, word of the type and title of a problem.
#[derive(Clone, Copy, Debug)]
pub(super) struct Problem {
    status: StatusCode,
    word: &'static str,
    title: &'static str,
}

const fn problem(status: StatusCode, word: &'static str, title: &'static str) -> Problem {
    Problem { status, word, title }
}

/// Nothing there.
pub(super) const NOT_FOUND: Problem = problem(StatusCode::NOT_FOUND, "not-found", "Not found");
/// The request is wrong in itself.
pub(super) const BAD_REQUEST: Problem = problem(StatusCode::BAD_REQUEST, "bad-request", "Bad request");
/// A bound was reached.
pub(super) const TOO_MUCH: Problem = problem(StatusCode::TOO_MANY_REQUESTS, "too-much", "Too much");
/// The content is larger than allowed.
pub(super) const TOO_LARGE: Problem = problem(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Too large");
/// The content did not come in time.
pub(super) const TOO_SLOW: Problem = problem(StatusCode::REQUEST_TIMEOUT, "too-slow", "Too slow");
/// The content is not as it was (If-Match, If-Unmodified-Since).
pub(super) const PRECONDITION: Problem =
    problem(StatusCode::PRECONDITION_FAILED, "precondition", "Precondition failed");
/// How long the content is must be said.
pub(super) const LENGTH_WANTED: Problem = problem(StatusCode::LENGTH_REQUIRED, "length-wanted", "Length required");
/// The content is coded in a way that is not undone here.
pub(super) const WRONG_CODING: Problem =
    problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "wrong-coding", "Content coding not supported");
/// The content is of another media type than is taken here.
pub(super) const WRONG_MEDIA: Problem =
    problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "wrong-media-type", "Media type not supported");
/// A key to repeat a request with came with another request.
pub(super) const KEY_REUSED: Problem = problem(StatusCode::UNPROCESSABLE_ENTITY, "key-reused", "Key used before");
/// A version of tus that is not spoken here.
pub(super) const WRONG_VERSION: Problem =
    problem(StatusCode::PRECONDITION_FAILED, "wrong-version", "Version not supported");
/// The range lies outside the file.
pub(super) const OUTSIDE: Problem = problem(StatusCode::RANGE_NOT_SATISFIABLE, "range", "Range not satisfiable");
/// What checks files does not answer.
pub(super) const CANNOT_CHECK: Problem =
    problem(StatusCode::SERVICE_UNAVAILABLE, "cannot-check", "Cannot be checked now");
/// The server is going down.
pub(super) const STOPPING: Problem = problem(StatusCode::SERVICE_UNAVAILABLE, "stopping", "Stopping");
const NOT_SIGNED_IN: Problem = problem(StatusCode::UNAUTHORIZED, "not-signed-in", "Not signed in");
const WRONG_METHOD: Problem = problem(StatusCode::METHOD_NOT_ALLOWED, "wrong-method", "Method not allowed");
const FAULT: Problem = problem(StatusCode::INTERNAL_SERVER_ERROR, "fault", "Fault");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::refusal::What;
    use crate::operations::Fault;

    fn document(reply: &Reply) -> Value {
        match &reply.content {
            Content::Whole(bytes) => serde_json::from_slice(bytes).unwrap(),
            Content::Empty | Content::Download(_) | Content::Promised(_) => Value::Null,
        }
    }

    #[test]
    fn a_refusal_becomes_a_problem_document() {
        let reply = Reply::refusal(&Refusal::NotFound(What::Delivery));
        assert_eq!(reply.status, StatusCode::NOT_FOUND);
        assert_eq!(
            document(&reply),
            json!({
                "type": "urn:postkluis:problem:not-found", "title": "Not found", "status": 404,
                "detail": "no such delivery",
            })
        );
        assert_eq!(Reply::refusal(&Refusal::Gone(None)).status, StatusCode::GONE);
        assert_eq!(Reply::refusal(&Refusal::NoSpace).status, StatusCode::INSUFFICIENT_STORAGE);
    }

    #[test]
    fn a_fault_shows_only_a_reference() {
        let reply = Reply::failure("testing", &Failure::Faulted(Fault::new("open /secret/path")));
        let detail = document(&reply).get("detail").unwrap().as_str().unwrap().to_owned();
        assert_eq!(reply.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(detail.contains("reference") && !detail.contains("secret"), "{detail}");
    }
}

//! A request as handlers see it: parameters of the path, the query read once and
//! strictly, headers. Asks no operation.

use std::sync::Arc;

use bytes::Bytes;
use hyper::header::AsHeaderName;
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method};

use super::Site;
use super::answer::Door;
use super::routes::{Route, has_office};
use crate::domain::history::{Channel, HistoryQuery};
use crate::domain::ids::{DeliveryId, UploadId};
use crate::domain::moment::Moment;
use crate::domain::names::{OrganisationCode, ProductCode, UploadName};
use crate::domain::refusal::{Refusal, What};
use crate::operations::{Caller, Failure};

/// A request as handlers see it.
pub(super) struct Ask {
    /// The server.
    pub site: Arc<Site>,
    /// The method; GET or HEAD for every reading handler.
    pub method: Method,
    /// The path as asked.
    pub path: String,
    /// The host that the request line names (HTTP/2).
    pub authority: Option<String>,
    /// The client that the path names; what follows in it is that client's.
    pub client: Option<String>,
    /// The variable segments of the path after that, in order.
    pub segments: Vec<String>,
    /// The query as asked, without its question mark.
    pub query: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The content, for methods that have one.
    pub content: Bytes,
    /// It came to the listener that has the office.
    pub in_office: bool,
}

impl Ask {
    /// A request that came in by this door and leads to this route.
    pub(super) fn of(door: &Door, route: &Route, mut segments: Vec<String>, parts: Parts, content: Bytes) -> Self {
        // the client that the path names, and the segments that its handler knows
        let names_client = route.is_for_client() && !segments.is_empty();
        let client = names_client.then(|| segments.remove(0));
        Self {
            site: Arc::clone(&door.site),
            path: parts.uri.path().to_owned(),
            authority: parts.uri.authority().map(ToString::to_string),
            client,
            segments,
            query: parts.uri.query().unwrap_or_default().to_owned(),
            content,
            in_office: has_office(door.table),
            method: parts.method,
            headers: parts.headers,
        }
    }

    /// The variable segment number `at`, from 0; empty when the route has no such segment.
    #[must_use]
    pub(super) fn segment(&self, at: usize) -> &str {
        self.segments.get(at).map_or("", String::as_str)
    }

    /// Whether it came to the listener that has the office.
    #[must_use]
    pub(super) const fn is_in_office(&self) -> bool {
        self.in_office
    }

    /// At which door it was asked.
    #[must_use]
    pub(super) const fn door(&self) -> Channel {
        if self.in_office { Channel::Office } else { Channel::Portal }
    }

    /// Whether this is the path.
    #[must_use]
    pub(super) fn is_at(&self, path: &str) -> bool {
        self.path == path
    }

    /// Who asks, there where the path says: for its own organisation, or for the client that it names.
    ///
    /// # Errors
    /// `NotFound` for what cannot be the code of a client. Whether the caller may act for it, operations judge.
    pub(super) fn place(&self, caller: &Caller) -> Result<Caller, Failure> {
        match &self.client {
            None => Ok(caller.clone()),
            Some(code) => {
                let code = OrganisationCode::parse(code).map_err(|_| Refusal::NotFound(What::Organisation))?;
                Ok(caller.for_client(&code))
            }
        }
    }

    /// The address under which the resources of whom the path is for lie: `/api/v1`, or with the client.
    pub(super) fn api_base(&self) -> String {
        self.client.as_ref().map_or_else(|| "/api/v1".to_owned(), |code| format!("/api/v1/clients/{code}"))
    }

    /// A header as text, when it is there once and is text.
    #[must_use]
    pub(super) fn header(&self, name: impl AsHeaderName) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?;
        if values.next().is_some() {
            return None;
        }
        value.to_str().ok()
    }

    /// The delivery that the first variable segment names. An id that cannot be one is not there.
    ///
    /// # Errors
    /// `NotFound`.
    pub(super) fn delivery_id(&self) -> Result<DeliveryId, Failure> {
        DeliveryId::parse(self.segment(0)).map_err(|_| Refusal::NotFound(What::Delivery).into())
    }

    /// Reads the query.
    #[must_use]
    pub(super) fn query(&self) -> Query {
        Query::read(&self.query)
    }
}

/// The query of a request. Every fault in it is told at once.
pub(super) struct Query {
    pairs: Vec<(String, String)>,
    faults: Vec<String>,
}

impl Query {
    fn read(text: &str) -> Self {
        let mut query = Self { pairs: Vec::new(), faults: Vec::new() };
        for pair in text.split('&').filter(|pair| !pair.is_empty()).take(MOST_PAIRS) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match (unescaped(name), unescaped(value)) {
                (Some(name), Some(value)) if query.pairs.iter().all(|(known, _)| *known != name) => {
                    query.pairs.push((name, value));
                }
                _ => query.faults.push("a query key appears twice or is not UTF-8".to_owned()),
            }
        }
        query
    }

    fn take(&mut self, name: &str) -> Option<String> {
        let at = self.pairs.iter().position(|(known, _)| known == name)?;
        Some(self.pairs.swap_remove(at).1)
    }

    fn parsed<T>(&mut self, name: &str, rule: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let value = self.take(name)?;
        let parsed = parse(&value);
        if parsed.is_none() {
            self.faults.push(format!("{name} is not {rule}"));
        }
        parsed
    }

    /// `limit`: a number from 1, at most `most`; `usual` when not given.
    pub(super) fn limit(&mut self, usual: usize, most: usize) -> usize {
        let limit = self.parsed("limit", "a whole number from 1", |text| text.parse().ok().filter(|n| *n >= 1));
        limit.unwrap_or(usual).min(most)
    }

    /// A product code.
    pub(super) fn product(&mut self, name: &str) -> Option<ProductCode> {
        self.parsed(name, "a product code", |text| ProductCode::parse(text).ok())
    }

    /// The name of a file that is brought.
    pub(super) fn upload_name(&mut self, name: &str) -> Option<UploadName> {
        self.parsed(name, "a name that a participant file may have", |text| UploadName::parse(text).ok())
    }

    /// The id of a delivery.
    pub(super) fn delivery(&mut self, name: &str) -> Option<DeliveryId> {
        self.parsed(name, "the id of a delivery", |text| DeliveryId::parse(text).ok())
    }

    /// The id of an upload.
    pub(super) fn upload(&mut self, name: &str) -> Option<UploadId> {
        self.parsed(name, "the id of a participant file", |text| UploadId::parse(text).ok())
    }

    /// A word.
    pub(super) fn word(&mut self, name: &str) -> Option<String> {
        let is_word = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_lowercase() || c == b'-');
        self.parsed(name, "a word", |text| is_word(text).then(|| text.to_owned()))
    }

    /// `true` or `false`; false when not given.
    pub(super) fn flag(&mut self, name: &str) -> bool {
        self.parsed(name, "true or false", |text| text.parse().ok()).unwrap_or(false)
    }

    /// A moment in RFC 3339 with any offset.
    pub(super) fn moment(&mut self, name: &str) -> Option<Moment> {
        self.parsed(name, "a time such as 2026-11-23T01:10:41Z", |text| {
            let at: jiff::Timestamp = text.parse().ok()?;
            u64::try_from(at.as_millisecond()).ok().map(Moment::from_millis)
        })
    }

    /// `since`, `after`, `delivery` and `limit` of a history.
    pub(super) fn history(&mut self, usual: usize, most: usize) -> HistoryQuery {
        HistoryQuery {
            organisation: None,
            delivery: self.delivery("delivery"),
            since: self.moment("since"),
            after: self.parsed("after", "the number of a line", |text| text.parse().ok()),
            limit: self.limit(usual, most),
        }
    }

    /// Ends the reading: whatever was not asked for is a fault too.
    ///
    /// # Errors
    /// `BadRequest` with every fault.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        for (name, _) in self.pairs {
            let name: String = name.chars().filter(char::is_ascii_alphanumeric).take(40).collect();
            self.faults.push(format!("there is no query key \"{name}\" here"));
        }
        if self.faults.is_empty() { Ok(()) } else { Err(Refusal::BadRequest(self.faults.join("; ")).into()) }
    }
}

/// A query is read up to so many pairs.
const MOST_PAIRS: usize = 32;

/// Undoes percent-encoding (RFC 3986 §2.1). A plus stays a plus: times carry it.
fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let high = char::from(rest.next()?).to_digit(16)?;
            let low = char::from(rest.next()?).to_digit(16)?;
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_strictly_and_tells_all_faults() {
        let mut query = Query::read("limit=0&since=2026-11-23T02:10:41%2B01:00&nonsense=1&delivery=x");
        let history = query.history(10, 100);
        assert_eq!(history.since.map(|at| at.to_string()), Some("2026-11-23T01:10:41Z".to_owned()));
        let told = query.finish().unwrap_err().to_string();
        assert!(told.contains("limit") && told.contains("delivery") && told.contains("nonsense"), "{told}");
    }

    #[test]
    fn a_limit_is_bounded() {
        let mut query = Query::read("limit=5000");
        assert_eq!(query.limit(10, 100), 100);
        assert!(query.finish().is_ok());
        assert_eq!(Query::read("").limit(10, 100), 10);
    }
}

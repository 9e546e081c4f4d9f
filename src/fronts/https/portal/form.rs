//! What a browser sends: fields of a form (WHATWG URL, urlencoded), the one cookie, and where
//! the request came from. Decides nothing about people.

use hyper::HeaderMap;
use hyper::header::{COOKIE, HOST, HeaderName, HeaderValue, ORIGIN, SET_COOKIE};

use crate::fronts::https::reply::Reply;

/// The one cookie; the prefix makes browsers hold it to this host, this path and TLS (RFC 6265bis).
const COOKIE_NAME: &str = "__Host-postkluis";

/// That of the office: cookies do not tell ports of one host apart.
const OFFICE_COOKIE_NAME: &str = "__Host-postkluis-office";

/// A form has at most so many fields.
const MOST_FIELDS: usize = 1_100;

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The fields of a form, each at most once.
pub(in crate::fronts::https) struct Form {
    fields: Vec<(String, String)>,
}

impl Form {
    /// Reads the content of a request; what is no form has no fields.
    pub(in crate::fronts::https) fn read(content: &[u8]) -> Self {
        let text = core::str::from_utf8(content).unwrap_or_default();
        let mut fields: Vec<(String, String)> = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()).take(MOST_FIELDS) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if let (Some(name), Some(value)) = (plain(name), plain(value))
                && fields.iter().all(|(known, _)| *known != name)
            {
                fields.push((name, value));
            }
        }
        Self { fields }
    }

    /// The field of this name; empty when it was not sent.
    pub(in crate::fronts::https) fn field(&self, name: &str) -> &str {
        self.fields.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str())
    }
}

impl Form {
    /// What follows in the names of fields that begin so.
    pub(super) fn names_after(&self, prefix: &str) -> impl Iterator<Item = &str> {
        self.fields.iter().filter_map(move |(name, _)| name.strip_prefix(prefix))
    }
}

/// A value as it stands in a query.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            safe.push(char::from(byte));
        } else {
            safe.push_str(&format!("%{byte:02X}"));
        }
    }
    safe
}

/// Undoes the encoding of forms: a plus is a space.
fn plain(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                let (high, low) = (digit()?, digit()?);
                u8::try_from(high * 16 + low).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

/// The secret in the cookie.
pub(super) fn cookie(headers: &HeaderMap) -> Option<&str> {
    cookie_named(headers, COOKIE_NAME)
}

/// The same in the office.
pub(super) fn office_cookie(headers: &HeaderMap) -> Option<&str> {
    cookie_named(headers, OFFICE_COOKIE_NAME)
}

fn cookie_named<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let pairs = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(';'));
    let mut found = pairs.filter_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='));
    found.next().filter(|secret| !secret.is_empty() && secret.len() <= 200)
}

/// Sets the cookie; without an age it goes with the browser (PV20).
pub(super) fn with_cookie(reply: Reply, secret: &str) -> Reply {
    reply.with_text(SET_COOKIE, &format!("{COOKIE_NAME}={secret}; Path=/; Secure; HttpOnly; SameSite=Lax"))
}

/// The same in the office.
pub(super) fn with_office_cookie(reply: Reply, secret: &str) -> Reply {
    let set = format!("{OFFICE_COOKIE_NAME}={secret}; Path=/; Secure; HttpOnly; SameSite=Strict");
    reply.with_text(SET_COOKIE, &set)
}

/// Takes the cookie of the office away.
pub(super) fn without_office_cookie(reply: Reply) -> Reply {
    let gone = format!("{OFFICE_COOKIE_NAME}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0");
    reply.with_text(SET_COOKIE, &gone)
}

/// Takes the cookie away.
pub(super) fn without_cookie(reply: Reply) -> Reply {
    let gone = format!("{COOKIE_NAME}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0");
    reply.with_text(SET_COOKIE, &gone)
}

/// Whether a request that changes something was sent by a page of another site (CSRF): by what the browser says of
/// it. What says nothing is no browser, and brings no cookie that somebody else set up.
pub(in crate::fronts::https) fn is_from_elsewhere(headers: &HeaderMap, authority: Option<&str>) -> bool {
    if let Some(site) = headers.get(FETCH_SITE) {
        return site != HeaderValue::from_static("same-origin") && site != HeaderValue::from_static("none");
    }
    let Some(origin) = headers.get(ORIGIN) else { return false };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).or(authority);
    let origin = origin.to_str().ok().and_then(|origin| origin.strip_prefix("https://"));
    origin.is_none() || origin != host
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn fields_are_read_once_and_decoded() {
        let form = Form::read(b"email=jan%40example.org&password=a+b%2Bc&email=other&bad=%zz&empty=");
        assert_eq!(form.field("email"), "jan@example.org");
        assert_eq!(form.field("password"), "a b+c");
        assert_eq!((form.field("bad"), form.field("empty"), form.field("absent")), ("", "", ""));
        assert_eq!(Form::read(&[0xff, 0xfe]).field("email"), "");
        let text = "a b&c=é+%";
        assert_eq!(Form::read(format!("show={}", escaped(text)).as_bytes()).field("show"), text);
        let ticked = Form::read(b"product-a=on&other=x&product-b=on");
        assert_eq!(ticked.names_after("product-").collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let found = headers(&[("cookie", "a=b; __Host-postkluis=secret; c=d")]);
        assert_eq!(cookie(&found), Some("secret"));
        for other in ["a=b", "__Host-postkluis=", "x__Host-postkluis=secret", "__Host-postkluisx=secret"] {
            assert_eq!(cookie(&[(COOKIE, HeaderValue::from_static(other))].into_iter().collect()), None, "{other}");
        }
    }

    #[test]
    fn pages_of_other_sites_are_known() {
        let own = headers(&[("host", "portal.example"), ("origin", "https://portal.example")]);
        assert!(!is_from_elsewhere(&own, None));
        assert!(!is_from_elsewhere(&headers(&[("origin", "https://portal.example")]), Some("portal.example")));
        assert!(!is_from_elsewhere(&headers(&[]), None));
        for origin in ["https://evil.example", "http://portal.example", "null", "https://portal.example.evil.example"] {
            let pairs = [("host", "portal.example"), ("origin", origin)];
            assert!(is_from_elsewhere(&headers(&pairs), None), "{origin}");
        }
        for (site, expected) in [("same-origin", false), ("none", false), ("same-site", true), ("cross-site", true)] {
            assert_eq!(is_from_elsewhere(&headers(&[("sec-fetch-site", site)]), None), expected, "{site}");
        }
    }
}

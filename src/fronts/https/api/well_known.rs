//! Public documents: `/.well-known/security.txt` (RFC 9116) and the description of the API.

use hyper::StatusCode;
use hyper::header::{ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue};

use crate::domain::moment::{Moment, Span};
use crate::fronts::https::ask::Ask;
use crate::fronts::https::reply::Reply;
use crate::fronts::https::{openapi, routes};
use crate::operations::Failure;

/// `security.txt` is fetched afresh by readers and expires so long after (RFC 9116 §2.5.5: under a year).
const SECURITY_TXT_LIFE: Span = Span::from_days(180);

/// Whom to tell about a weakness; not there without a contact in the configuration.
pub(in crate::fronts::https) fn security_txt(ask: &Ask) -> Result<Reply, Failure> {
    let config = &ask.site.config;
    let mut text = String::new();
    if let Some(mail) = &config.organisation.contact_mail {
        text.push_str(&format!("Contact: mailto:{mail}\n"));
    }
    if let Some(phone) = &config.organisation.contact_phone {
        let phone: String = phone.as_str().chars().filter(|c| c.is_ascii_digit() || "+-".contains(*c)).collect();
        text.push_str(&format!("Contact: tel:{phone}\n"));
    }
    if text.is_empty() {
        return Ok(Reply::not_found());
    }
    let expires = ask.site.operations.now().after(SECURITY_TXT_LIFE);
    let expires = Moment::from_millis(expires.seconds() * 1_000);
    let base = &config.portal.base_url;
    text.push_str(&format!("Expires: {expires}\nPreferred-Languages: nl, en\n"));
    text.push_str(&format!("Canonical: {base}/.well-known/security.txt\n"));
    Ok(Reply::text(StatusCode::OK, "text/plain; charset=utf-8", text))
}

/// The description of the API, readable by every web page.
pub(in crate::fronts::https) fn openapi(ask: &Ask) -> Result<Reply, Failure> {
    let document = openapi::document(routes::DESCRIBED, &ask.site.config);
    Ok(Reply::json(StatusCode::OK, &document).with(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")))
}

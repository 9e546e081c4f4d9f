//! The one style sheet: our own, compiled in, and behind it the operator's when there is one.

#![expect(clippy::disallowed_methods, reason = "the operator's style sheet is a file, read once at a start")]

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{CACHE_CONTROL, HeaderValue};

use super::{Ask, Failure};
use crate::fronts::https::reply::Reply;

/// Ours, with its design tokens.
const OWN: &str = include_str!("portal.css");

/// An operator's style sheet is no larger: 256 KiB.
const MOST_OWN_BYTES: u64 = 256 * 1024;

/// Ours and what the operator lays over it (`portal.style_sheet`).
pub(in crate::fronts::https) fn style_sheet(ask: &Ask) -> Result<Reply, Failure> {
    ask.query().finish()?;
    let lasts = HeaderValue::from_static("max-age=300");
    Ok(Reply::text(StatusCode::OK, "text/css; charset=utf-8", ask.site.style_sheet.clone()).with(CACHE_CONTROL, lasts))
}

/// Ours with the operator's behind it.
///
/// # Errors
/// The operator's file cannot be read, is too large, or is no UTF-8.
pub(in crate::fronts::https) fn laid_over(own: Option<&Path>) -> io::Result<Bytes> {
    let Some(path) = own else { return Ok(Bytes::from_static(OWN.as_bytes())) };
    let mut sheet = format!("{OWN}\n/* of the operator */\n");
    let file = File::open(path)?;
    if file.metadata()?.len() > MOST_OWN_BYTES {
        return Err(io::Error::other("it is larger than 256 KiB"));
    }
    file.take(MOST_OWN_BYTES).read_to_string(&mut sheet)?;
    Ok(Bytes::from(sheet))
}

/// The mark of a tab: a safe with its dial.
const ICON: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect x="2" y="3" width="28" height="26" rx="4" fill="#0b2a4a"/><circle cx="16" cy="16" r="7" fill="none" stroke="#fff" stroke-width="2.5"/><path d="M16 16l4-4" stroke="#fff" stroke-width="2.5" stroke-linecap="round"/></svg>"##;

/// The icon.
pub(in crate::fronts::https) fn icon(ask: &Ask) -> Result<Reply, Failure> {
    ask.query().finish()?;
    Ok(Reply::text(StatusCode::OK, "image/svg+xml", ICON)
        .with(CACHE_CONTROL, HeaderValue::from_static("max-age=86400")))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The part with the tokens, and all that follows.
    fn parts() -> (&'static str, &'static str) {
        OWN.split_once("\n}\n").unwrap()
    }

    fn tokens() -> BTreeSet<&'static str> {
        let lines = parts().0.lines().filter_map(|line| line.trim().split_once(':').map(|(name, _)| name));
        lines.filter(|name| name.starts_with("--")).collect()
    }

    #[test]
    fn what_an_operator_sets_anew_is_seen() {
        let (_, rules) = parts();
        let used: BTreeSet<&str> =
            rules.split("var(").skip(1).filter_map(|rest| rest.split_once(')')).map(|(name, _)| name).collect();
        assert_eq!(used, tokens(), "each token is used, and each that is used is one");
        let colours: Vec<&str> = rules
            .lines()
            .filter(|line| line.split(['#']).skip(1).any(|rest| rest.starts_with(|c: char| c.is_ascii_hexdigit())))
            .collect();
        assert_eq!(colours, Vec::<&str>::new(), "every colour is a token");
    }

    #[test]
    fn the_manual_names_each_token() {
        let manual = include_str!("../../../../docs/OPERATING.md");
        for token in tokens() {
            let short = token.strip_prefix("--postkluis-").unwrap();
            assert!(manual.contains(&format!("`{short}`")), "docs/OPERATING.md, The look of the portal: {short}");
        }
    }
}

//! How long somebody stays signed in: a small page that every page of a member shows in a frame. It
//! reloads itself, warns before the end and offers to stay, without a script and without touching a
//! form that is being filled in (WCAG 2.2.1, PV20). Looking at it is no use of the session.

use askama::Template;
use hyper::StatusCode;
use hyper::header::{CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, X_FRAME_OPTIONS};

use super::form::Form;
use super::page::shown;
use super::texts::{Texts, help};
use super::{Ask, Failure, Guest};
use crate::domain::moment::{Moment, Span};
use crate::fronts::https::reply::Reply;

/// Where it lies.
pub(in crate::fronts::https) const PATH: &str = "/session";

/// The warning comes so long before the end, or for a short session a quarter of it, but never less than the 20
/// seconds that WCAG 2.2.1 asks for.
const WARNED_BEFORE_SECONDS: u64 = 180;
const LEAST_WARNED_SECONDS: u64 = 20;

/// It may be shown inside a page of this site, and nowhere else.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'";

const REFRESH: HeaderName = HeaderName::from_static("refresh");

#[derive(Template)]
#[template(path = "session.html", config = "src/fronts/https/portal/askama.toml")]
struct Strip {
    texts: &'static Texts,
    help: &'static help::Texts,
    keep: String,
    /// Empty when nobody is signed in any more.
    token: String,
    until: String,
    is_warning: bool,
    /// The session ends at that time whatever is done.
    is_last: bool,
}

/// What the strip says at `now`, and after how many seconds it looks again.
#[derive(PartialEq, Eq, Debug)]
struct Phase {
    is_warning: bool,
    is_last: bool,
    again_seconds: u64,
}

impl Phase {
    fn of(now: Moment, until: Moment, ends_at: Moment, idle: Span) -> Self {
        let left = until.millis().saturating_sub(now.millis()).div_ceil(1_000);
        let warned = (idle.millis() / 4_000).clamp(LEAST_WARNED_SECONDS, WARNED_BEFORE_SECONDS);
        let is_warning = left <= warned;
        // just after its end, when it can say so
        let again_seconds = if is_warning { left + 1 } else { left - warned };
        Self { is_warning, is_last: is_warning && until >= ends_at, again_seconds }
    }
}

/// The strip.
pub(in crate::fronts::https) fn watch(ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    let operations = &ask.site.operations;
    let idle = ask.site.config.sign_in.idle_timeout;
    let phase = guest.visit.as_ref().map(|visit| Phase::of(operations.now(), visit.idle_until, visit.ends_at, idle));
    let strip = Strip {
        texts: guest.texts(),
        help: help::Texts::of(guest.language),
        keep: guest.link(""),
        token: guest.visit.as_ref().map(|visit| visit.form_token.clone()).unwrap_or_default(),
        until: guest.visit.as_ref().map(|visit| operations.calendar().time_of(visit.idle_until)).unwrap_or_default(),
        is_warning: phase.as_ref().is_none_or(|phase| phase.is_warning),
        is_last: phase.as_ref().is_some_and(|phase| phase.is_last),
    };
    let mut page = shown(StatusCode::OK, guest, &strip)?;
    page.headers.retain(|(name, _)| *name != CONTENT_SECURITY_POLICY);
    let page = page
        .with(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY))
        .with(X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    // a session that is over is not waited for any more
    Ok(match phase {
        Some(phase) => page.with_text(REFRESH, &format!("{}; url={}", phase.again_seconds, guest.link(PATH))),
        None => page,
    })
}

/// Stays signed in: to ask for it is a use of the session.
pub(in crate::fronts::https) fn stay(ask: &Ask, guest: &Guest) -> Result<Reply, Failure> {
    let token = Form::read(&ask.content).field("token").to_owned();
    match &guest.visit {
        Some(visit) if visit.form_token != token => super::elsewhere(ask, guest),
        _ => Ok(guest.onward(PATH)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::from_millis(seconds * 1_000)
    }

    #[test]
    fn the_warning_comes_in_time_and_the_last_one_offers_nothing() {
        let idle = Span::from_seconds(1_200);
        let phase = |now: u64, until: u64, ends: u64| Phase::of(at(now), at(until), at(ends), idle);
        let quiet = Phase { is_warning: false, is_last: false, again_seconds: 1_020 };
        assert_eq!(phase(0, 1_200, 28_800), quiet);
        let warning = Phase { is_warning: true, is_last: false, again_seconds: 181 };
        assert_eq!(phase(1_020, 1_200, 28_800), warning);
        // the end of the longest session cannot be put off
        assert!(phase(28_700, 28_800, 28_800).is_last);
        assert!(!phase(20_000, 21_200, 28_800).is_last);
        // it never warns later than 20 seconds before
        let short = Phase::of(at(0), at(60), at(28_800), Span::from_seconds(60));
        assert_eq!(short.again_seconds, 40);
    }
}

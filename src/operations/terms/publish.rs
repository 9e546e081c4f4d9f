//! Publishing a version of the terms of use, and the list of them for the operator.

use sha2::{Digest as _, Sha256};

use super::super::Officer;
use super::{Failure, Operations, all};
use crate::domain::account::Language;
use crate::domain::decision::Decision;
use crate::domain::digest::Digest;
use crate::domain::history::{About, Event, Happening};
use crate::domain::moment::Moment;
use crate::domain::names::VersionName;
use crate::domain::record::Row as _;
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::Act;
use crate::domain::terms::{
    REFUSABLE_DAYS, Telling, TermsAcceptance, TermsText, TermsVersion, coming, in_force, parse_text,
};

/// Acceptances are read so many at a time.
const PAGE: usize = 1_000;

/// A version that the operator publishes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewTerms {
    /// As people name it.
    pub name: VersionName,
    /// The Dutch text, which counts.
    pub text: String,
    /// The same in English.
    pub english: Option<String>,
    /// From when it applies.
    pub effective_at: Moment,
}

/// Where a version stands in time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TermsState {
    /// Published, and not in force yet.
    Coming,
    /// Applies now.
    InForce,
    /// Another one took its place.
    Earlier,
}

/// A version as the operator sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TermsOverview {
    /// The version.
    pub version: TermsVersion,
    /// Where it stands.
    pub state: TermsState,
    /// For so many accounts this version was accepted; later ones apply to them by themselves.
    pub accepted: usize,
}

impl TermsState {
    /// The word shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Coming => "coming",
            Self::InForce => "in-force",
            Self::Earlier => "earlier",
        }
    }
}

impl Operations {
    /// Publishes a version (I12, I14). From the first one on, people accept before anything else; a later one applies
    /// by itself to who accepted an earlier one (I13). Everybody is told by e-mail, in batches, afterwards (M22).
    ///
    /// # Errors
    /// `BadRequest` for a date that is not after now, or not after that of the version before; `Exists` for a version
    /// that is there; `BadName` for a text that cannot be kept.
    pub fn publish_terms(&self, new: NewTerms, by: impl Into<Officer>) -> Result<TermsVersion, Failure> {
        let who = self.acting(by, Act::Define)?;
        let now = self.now();
        let text = parse_text(&new.text)?;
        let english = new.english.as_deref().map(parse_text).transpose()?;
        if new.effective_at <= now {
            let at = new.effective_at;
            return Err(Refusal::BadRequest(format!(
                "{at} is not after now: users are told before terms apply; give a later date"
            ))
            .into());
        }
        let (refusable_until, grace_until) = (self.refusable_until(now), self.grace_end(now));
        let name = new.name.clone();
        let effective_at = new.effective_at;
        self.catalog.decide(Box::new(move |view| {
            let before = all(view)?;
            if before.len() >= super::MOST_VERSIONS {
                return Err(Refusal::TooMuch(format!("{} versions are kept", super::MOST_VERSIONS)).into());
            }
            if before.iter().any(|version| version.name == name) {
                return Err(Refusal::Exists(What::Terms, name.to_string()).into());
            }
            if let Some(last) = before.last().filter(|last| effective_at <= last.effective_at) {
                return Err(Refusal::BadRequest(format!(
                    "version {} applies from {} on; a later version applies later",
                    last.name, last.effective_at
                ))
                .into());
            }
            let version = TermsVersion {
                number: before.last().map_or(0, |last| last.number).saturating_add(1),
                name,
                published_at: now,
                effective_at,
                refusable_until,
                grace_until,
                sha256: digest(&text),
                english_sha256: english.as_deref().map(digest),
                telling: Telling::UnderWay { after: None },
            };
            let note = format!("version {}, sha256 {}", version.name, version.sha256);
            let event =
                Event::new(Happening::TermsPublished, who, About::default()).with_until(effective_at).with_note(&note);
            let texts = [(Language::Dutch, Some(text)), (Language::English, english)];
            let rows = texts.into_iter().filter_map(|(language, text)| Some((language, text?)));
            let rows = rows.flat_map(|(language, text)| TermsText::rows_of(version.number, language, &text));
            Ok(rows.fold(Decision::new(now, event), Decision::put).put(version))
        }))?;
        self.terms_named(&new.name)
    }

    /// Every version with where it stands and for how many accounts it was accepted, the newest first.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn terms_overview(&self, by: impl Into<Officer>) -> Result<Vec<TermsOverview>, Failure> {
        self.acting(by, Act::Oversee)?;
        let (now, versions) = (self.now(), self.catalog.look(all)?);
        let mut accepted = vec![0_usize; versions.len()];
        let mut after = None;
        loop {
            let page = self
                .catalog
                .look(|view| Ok(view.rows::<TermsAcceptance>(&TermsAcceptance::all(), after.as_ref(), PAGE)?))?;
            let Some(last) = page.last() else { break };
            after = Some(TermsAcceptance::key_of(&last.login));
            for acceptance in page {
                let at = versions.iter().position(|version| version.number == acceptance.number);
                if let Some(count) = at.and_then(|at| accepted.get_mut(at)) {
                    *count += 1;
                }
            }
        }
        let applies = in_force(&versions, now).map(|version| version.number);
        let comes = coming(&versions, now).map(|version| version.number);
        let views = versions.into_iter().zip(accepted).map(|(version, accepted)| {
            let state = if applies == Some(version.number) {
                TermsState::InForce
            } else if comes == Some(version.number) || version.effective_at > now {
                TermsState::Coming
            } else {
                TermsState::Earlier
            };
            TermsOverview { version, state, accepted }
        });
        let mut views: Vec<_> = views.collect();
        views.reverse();
        Ok(views)
    }

    /// The midnight that closes the last day on which what is published now can be refused: day by day, since days
    /// have 23 or 25 hours too.
    fn refusable_until(&self, published_at: Moment) -> Moment {
        (0..REFUSABLE_DAYS)
            .fold(self.clock.midnight_closing(published_at), |closing, _| self.clock.midnight_closing(closing))
    }
}

fn digest(text: &str) -> Digest {
    Digest::new(Sha256::digest(text.as_bytes()).into())
}

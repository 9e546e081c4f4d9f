//! Organisations that receive deliveries, and the keys they give for
//! end-to-end deliveries. Knows nothing of accounts.

use super::allow_list::AllowList;
use super::block::Standing;
use super::moment::Moment;
use super::names::{Kvk, Line, MailDomain, Oin, OrganisationCode};

/// A recipient (*afnemer*) or intermediary.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Organisation {
    /// Short code, unique, never changed: it is part of folder names.
    pub code: OrganisationCode,
    /// Full name.
    pub name: Line,
    /// Organisatie-identificatienummer.
    pub oin: Option<Oin>,
    /// Number in the trade register.
    pub kvk: Option<Kvk>,
    /// Mail domains whose addresses prove that a person works here (A4).
    pub mail_domains: Vec<MailDomain>,
    /// Active, blocked or ended.
    pub standing: Standing,
    /// When it was added.
    pub added_at: Moment,
    /// From where its accounts may sign in; each account's own list counts as well.
    pub allow_from: AllowList,
}

/// A public key of an organisation for end-to-end deliveries.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecipientKey {
    /// Whose key.
    pub organisation: OrganisationCode,
    /// `SHA256:…` over the canonical line.
    pub fingerprint: String,
    /// The key on one line: `age1…`, `ssh-ed25519 …` or `ssh-rsa …`.
    pub line: String,
    /// When it was added.
    pub added_at: Moment,
    /// From when it is not used for new deliveries.
    pub retired_at: Option<Moment>,
}

impl RecipientKey {
    /// Whether new deliveries are sealed to it at `now`.
    #[must_use]
    pub fn is_valid(&self, now: Moment) -> bool {
        self.retired_at.is_none_or(|at| now < at)
    }
}

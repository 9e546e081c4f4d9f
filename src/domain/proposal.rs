//! An act of the operator that two people have to want (four eyes): proposed by one, confirmed by
//! another. Says who may not confirm, and until when; what the act does is not known here.

use std::collections::BTreeSet;

use super::ids::{MandateId, ProposalId};
use super::mandate::Scope;
use super::moment::{Moment, Span};
use super::names::{OrganisationCode, ProductCode};
use super::record::{Key, Row as _};

/// A proposal waits so long for somebody else; then it goes.
pub const PROPOSED_FOR: Span = Span::from_days(14);

/// So many proposals wait at once.
pub const MOST_PROPOSALS: usize = 200;

/// An act that waits for a second person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proposal {
    /// Its id.
    pub id: ProposalId,
    /// What is to be done.
    pub act: ProposedAct,
    /// Who wants it: a login of the office, or `uid:<n>` at the command line.
    pub by: String,
    /// Since when.
    pub made_at: Moment,
    /// Until when somebody else may confirm it.
    pub until: Moment,
}

/// An act for which two people can be asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ProposedAct {
    /// Future end-to-end deliveries are sealed to this key too.
    AddRecipientKey {
        /// Whose.
        organisation: OrganisationCode,
        /// `SHA256:…` over the canonical line.
        fingerprint: String,
        /// The key on one line.
        line: String,
    },
    /// Future deliveries are not sealed to this key any more.
    RetireRecipientKey {
        /// Whose.
        organisation: OrganisationCode,
        /// Which.
        fingerprint: String,
        /// From when; from the confirmation on when `None`.
        from: Option<Moment>,
    },
    /// An intermediary may act for a client (D4).
    AddMandate {
        /// Who is to act.
        intermediary: OrganisationCode,
        /// For whom.
        client: OrganisationCode,
        /// For which products.
        scope: Scope,
        /// From when; from the confirmation on when `None`.
        from: Option<Moment>,
        /// Until when; without end when `None`.
        until: Option<Moment>,
    },
    /// A mandate reaches further: more products, or a later end.
    WidenMandate {
        /// Which.
        mandate: MandateId,
        /// Who acts under it.
        intermediary: OrganisationCode,
        /// For whom.
        client: OrganisationCode,
        /// Products that come to it.
        added: BTreeSet<ProductCode>,
        /// Products that go from it.
        removed: BTreeSet<ProductCode>,
        /// Its new end; as it is when `None`.
        until: Option<Moment>,
    },
}

impl ProposedAct {
    /// The word in lists.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::AddRecipientKey { .. } => "add-recipient-key",
            Self::RetireRecipientKey { .. } => "retire-recipient-key",
            Self::AddMandate { .. } => "add-mandate",
            Self::WidenMandate { .. } => "widen-mandate",
        }
    }

    /// The organisation that it is about; of a mandate the client, whose data it is.
    #[must_use]
    pub const fn organisation(&self) -> &OrganisationCode {
        match self {
            Self::AddRecipientKey { organisation, .. } | Self::RetireRecipientKey { organisation, .. } => organisation,
            Self::AddMandate { client, .. } | Self::WidenMandate { client, .. } => client,
        }
    }

    /// What it is about, in a few words for lists and history.
    #[must_use]
    pub fn subject(&self) -> String {
        match self {
            Self::AddRecipientKey { fingerprint, .. } | Self::RetireRecipientKey { fingerprint, .. } => {
                fingerprint.clone()
            }
            Self::AddMandate { intermediary, client, scope, from, until } => {
                let period = [("from", from), ("until", until)];
                format!("{client} to {intermediary}: {}{}", listed("", scope.products()), said(&period))
            }
            Self::WidenMandate { mandate, intermediary, client, added, removed, until } => {
                let parts = [listed("+", added), listed("-", removed)];
                let changes = parts.iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join(", ");
                format!("{mandate} of {client} to {intermediary}: {changes}{}", said(&[("until", until)]))
            }
        }
    }
}

fn listed(sign: &str, products: &BTreeSet<ProductCode>) -> String {
    products.iter().map(|product| format!("{sign}{product}")).collect::<Vec<_>>().join(", ")
}

fn said(period: &[(&str, &Option<Moment>)]) -> String {
    period.iter().filter_map(|(word, at)| at.map(|at| format!(" {word} {at}"))).collect()
}

impl Proposal {
    /// Whether somebody else may still confirm it.
    #[must_use]
    pub fn waits(&self, now: Moment) -> bool {
        now < self.until
    }

    /// The key of the proposal with this id.
    #[must_use]
    pub fn key_of(id: ProposalId) -> Key {
        Key::of(Self::KIND).bytes(id.as_bytes())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(self.id)
    }
}

//! An act of the operator that two people have to want (four eyes): proposed by one, confirmed by
//! another. Says who may not confirm, and until when; what the act does is not known here.

use super::ids::ProposalId;
use super::moment::{Moment, Span};
use super::names::OrganisationCode;
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
}

impl ProposedAct {
    /// The word in lists.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::AddRecipientKey { .. } => "add-recipient-key",
            Self::RetireRecipientKey { .. } => "retire-recipient-key",
        }
    }

    /// The organisation that it is about.
    #[must_use]
    pub const fn organisation(&self) -> &OrganisationCode {
        match self {
            Self::AddRecipientKey { organisation, .. } | Self::RetireRecipientKey { organisation, .. } => organisation,
        }
    }

    /// What it is about, in a few words for lists and history.
    #[must_use]
    pub fn subject(&self) -> String {
        match self {
            Self::AddRecipientKey { fingerprint, .. } | Self::RetireRecipientKey { fingerprint, .. } => {
                fingerprint.clone()
            }
        }
    }
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

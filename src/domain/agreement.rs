//! Agreements: the only ground on which anything is published (B11, E15).
//! Data set and purpose never change (E17). Reads no clock.

use super::ids::AgreementId;
use super::moment::{Moment, Span};
use super::names::{Line, OrganisationCode, ProductCode};
use super::product::Product;

/// What one organisation may receive of one product, and what for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Agreement {
    /// Its id.
    pub id: AgreementId,
    /// The recipient.
    pub organisation: OrganisationCode,
    /// The product.
    pub product: ProductCode,
    /// The purpose for which the data may be used (I8).
    pub purpose: Line,
    /// Own retention; the product's when `None`.
    pub retention: Option<Span>,
    /// From when it is in force.
    pub from: Moment,
    /// Until when it is in force; without end when `None`.
    pub until: Option<Moment>,
    /// Deliveries are sealed to the recipient's own keys, also where the product does not demand it; the server
    /// cannot read them.
    pub end_to_end: bool,
    /// The recipient does not see the history (A20).
    pub history_hidden: bool,
    /// When it was added.
    pub added_at: Moment,
    /// When it was ended early.
    pub ended_at: Option<Moment>,
}

impl Agreement {
    /// Whether it is in force at `now`.
    #[must_use]
    pub fn is_in_force(&self, now: Moment) -> bool {
        self.from <= now && self.until.is_none_or(|until| now < until) && self.ended_at.is_none_or(|end| now < end)
    }

    /// Whether the server may not read deliveries under it: when the agreement or the product demands that. An
    /// agreement can ask for more than its product, never for less.
    #[must_use]
    pub const fn is_end_to_end(&self, product: &Product) -> bool {
        self.end_to_end || product.end_to_end
    }

    /// How long a delivery under it can be fetched: its own period, else the product's.
    #[must_use]
    pub fn retention_of(&self, product: &Product) -> Span {
        self.retention.unwrap_or(product.retention)
    }
}

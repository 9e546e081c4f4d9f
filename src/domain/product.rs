//! Data products: what is delivered, and for how long by default (F4).

use super::moment::{Moment, Span};
use super::names::{Line, ProductCode};

/// A data product (*gegevensproduct*).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Product {
    /// Short code, unique, never changed: it is part of folder and file names.
    pub code: ProductCode,
    /// Full name.
    pub name: Line,
    /// How long a delivery can be fetched, unless the agreement says otherwise.
    pub retention: Span,
    /// The spool accepts a drop of it only with a `.done` marker.
    pub requires_marker: bool,
    /// Recipients may upload participant files for it.
    pub accepts_uploads: bool,
    /// Every delivery of it is sealed to the recipients' own keys, whatever the agreement says.
    pub end_to_end: bool,
    /// When it was added.
    pub added_at: Moment,
}

//! Publications and deliveries: what was offered, to whom, how far it was
//! fetched and how it ended (interfaces §7). Reads no clock, stores nothing.

use core::fmt;

use super::coverage::Coverage;
use super::digest::Digest;
use super::ids::{AgreementId, DeliveryId, PayloadId, PublicationId};
use super::moment::Moment;
use super::names::{FileName, Line, OrganisationCode, ProductCode};
use super::retention::ShredSlot;

/// What the back office offered at one moment, for one or more organisations.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Publication {
    /// Its id.
    pub id: PublicationId,
    /// The product.
    pub product: ProductCode,
    /// The key under which it was asked for: asking again with it gives the same publication (I4).
    pub source_key: String,
    /// When it was published.
    pub published_at: Moment,
    /// How many deliveries it made.
    pub delivery_count: u32,
}

/// A publication as one organisation receives it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// The publication it belongs to.
    pub publication: PublicationId,
    /// The recipient.
    pub organisation: OrganisationCode,
    /// The recipient's name at publication.
    pub organisation_name: Line,
    /// The product.
    pub product: ProductCode,
    /// The product's name at publication.
    pub product_name: Line,
    /// The agreement it was made under.
    pub agreement: AgreementId,
    /// The purpose at publication (I8).
    pub purpose: Line,
    /// Number of this delivery for organisation and product, from 1 without gaps.
    pub sequence: u32,
    /// Date of publication in the portal's time zone, as `YYYYMMDD`.
    pub day: u32,
    /// What period the data are about, in the publisher's words.
    pub period: Option<Line>,
    /// Counts (*tellingen*) given by the publisher: label and number.
    pub counts: Vec<(Line, u64)>,
    /// When it appeared.
    pub published_at: Moment,
    /// The end of its window as promised at publication; stands in the packing slip.
    pub promised_until: Moment,
    /// The end of its window now (extended or not).
    pub available_until: Moment,
    /// The shred key its headers lie under.
    pub slot: ShredSlot,
    /// Sealed to the recipient's own keys: the server cannot read it.
    pub end_to_end: bool,
    /// How many data files it has.
    pub file_count: u32,
    /// Plaintext bytes of all data files (of the `.age` files when end to end).
    pub total_bytes: u64,
    /// How far it was fetched.
    pub progress: Progress,
    /// Whether it can be fetched, and how it ended.
    pub availability: Availability,
    /// The faulty delivery that this one replaces.
    pub replaces: Option<DeliveryId>,
}

/// How far a delivery was fetched; never goes back.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Progress {
    /// When a first byte of a data file left.
    pub started_at: Option<Moment>,
    /// How many data files left in full.
    pub files_fetched: u32,
    /// When the last data file had left in full.
    pub fetched_at: Option<Moment>,
    /// When the recipient confirmed the digest.
    pub acknowledged_at: Option<Moment>,
}

/// The one word for how far a delivery was fetched.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ProgressState {
    /// Nothing left yet.
    Published,
    /// A first byte left.
    Started,
    /// Every byte of every data file left.
    Fetched,
    /// The recipient confirmed the digest.
    Acknowledged,
}

impl Progress {
    /// The furthest state reached.
    #[must_use]
    pub const fn state(&self) -> ProgressState {
        if self.acknowledged_at.is_some() {
            ProgressState::Acknowledged
        } else if self.fetched_at.is_some() {
            ProgressState::Fetched
        } else if self.started_at.is_some() {
            ProgressState::Started
        } else {
            ProgressState::Published
        }
    }
}

impl fmt::Display for ProgressState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Published => "published",
            Self::Started => "started",
            Self::Fetched => "fetched",
            Self::Acknowledged => "acknowledged",
        })
    }
}

/// Whether a delivery can be fetched, and how it ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Availability {
    /// Can be fetched.
    Available,
    /// Kept from destruction; hidden from the recipient once the window has ended.
    Held {
        /// Why.
        reason: Line,
        /// Since when.
        since: Moment,
    },
    /// The window ended.
    Expired {
        /// When.
        at: Moment,
    },
    /// Taken back.
    Withdrawn {
        /// When.
        at: Moment,
        /// Why.
        reason: Line,
    },
    /// A corrected delivery took its place.
    Replaced {
        /// When.
        at: Moment,
        /// By which delivery.
        by: DeliveryId,
    },
    /// Ended before, and its key is destroyed: nobody can read it any more.
    Shredded {
        /// When the key was destroyed.
        at: Moment,
        /// How it had ended.
        after: Ending,
    },
}

/// How a delivery ended before it was shredded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// The window ended.
    Expired,
    /// Taken back.
    Withdrawn,
    /// A corrected delivery took its place.
    Replaced,
}

impl Availability {
    /// The one word for it.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Held { .. } => "held",
            Self::Expired { .. } => "expired",
            Self::Withdrawn { .. } => "withdrawn",
            Self::Replaced { .. } => "replaced",
            Self::Shredded { .. } => "shredded",
        }
    }
}

impl Delivery {
    /// `<product>_<YYYYMMDD>_<sequence, 6 digits>` (interfaces §4).
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}_{:08}_{:06}", self.product, self.day, self.sequence)
    }

    /// Whether the recipient can open it at `now`.
    #[must_use]
    pub fn is_fetchable(&self, now: Moment) -> bool {
        match self.availability {
            Availability::Available | Availability::Held { .. } => now < self.available_until,
            Availability::Expired { .. }
            | Availability::Withdrawn { .. }
            | Availability::Replaced { .. }
            | Availability::Shredded { .. } => false,
        }
    }

    /// When it stopped (or will stop) being available.
    #[must_use]
    pub const fn gone_since(&self) -> Moment {
        match self.availability {
            Availability::Withdrawn { at, .. } | Availability::Replaced { at, .. } => at,
            Availability::Available
            | Availability::Held { .. }
            | Availability::Expired { .. }
            | Availability::Shredded { .. } => self.available_until,
        }
    }
}

/// One data file of a delivery.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeliveredFile {
    /// The delivery.
    pub delivery: DeliveryId,
    /// Number within the delivery, from 1.
    pub number: u32,
    /// The name it is shown under.
    pub name: FileName,
    /// The name it was published under.
    pub original_name: FileName,
    /// Size as fetched: plaintext, or the `.age` file when end to end.
    pub size_bytes: u64,
    /// SHA-256 of the bytes as fetched.
    pub sha256: Digest,
    /// The sealed payload.
    pub payload: PayloadId,
}

/// A sealed payload in the vault and how many headers still open it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Payload {
    /// Its id.
    pub id: PayloadId,
    /// Plaintext size.
    pub size_bytes: u64,
    /// SHA-256 of the plaintext.
    pub sha256: Digest,
    /// Sealed size in the vault.
    pub sealed_bytes: u64,
    /// SHA-256 of the sealed payload.
    pub sealed_sha256: Digest,
    /// How many live headers open it; at 0 it is doomed and never used again (I7).
    pub headers: u32,
}

/// The header that opens a payload for one delivery, sealed under its shred key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SealedHeader {
    /// The payload.
    pub payload: PayloadId,
    /// The delivery.
    pub delivery: DeliveryId,
    /// The shred key it is sealed under.
    pub slot: ShredSlot,
    /// The sealed bytes.
    pub sealed: Vec<u8>,
}

/// One name in an outbox folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutboxEntry {
    /// Whose outbox.
    pub organisation: OrganisationCode,
    /// Which folder.
    pub product: ProductCode,
    /// The name, unique in the folder.
    pub name: FileName,
    /// The delivery it belongs to.
    pub delivery: DeliveryId,
    /// Which file of it.
    pub part: DeliveryPart,
    /// Size in bytes as fetched.
    pub size_bytes: u64,
    /// When it appeared; its mtime.
    pub published_at: Moment,
    /// The end of its window: it is not shown from then on.
    pub available_until: Moment,
}

/// A file that a delivery shows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum DeliveryPart {
    /// Data file by its number.
    Data(u32),
    /// `<delivery>.packing-slip.json`.
    PackingSlip,
    /// `<delivery>.sha256`.
    DigestList,
}

/// Which bytes of a data file left, over all channels and accounts of the recipient.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileCoverage {
    /// The delivery.
    pub delivery: DeliveryId,
    /// The data file.
    pub number: u32,
    /// The bytes that the transport took.
    pub coverage: Coverage,
    /// When the last uncovered byte was let go.
    pub released_at: Option<Moment>,
    /// When the transport had taken every byte.
    pub fetched_at: Option<Moment>,
}

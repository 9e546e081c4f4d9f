//! What is offered for publication, and what it became. Data only.

use std::sync::Arc;

use super::Source;
use crate::domain::agreement::Agreement;
use crate::domain::history::Channel;
use crate::domain::ids::{DeliveryId, PublicationId};
use crate::domain::moment::Moment;
use crate::domain::names::{FileName, Line, OrganisationCode, ProductCode};
use crate::domain::organisation::{Organisation, RecipientKey};
use crate::domain::retention::ShredSlot;

/// One publication reaches at most so many organisations.
pub(super) const MOST_RECIPIENTS: usize = 20_000;

/// What is to be published.
pub struct Offer {
    /// Asking again with the same key gives the same publication (I4).
    pub source_key: String,
    /// The product.
    pub product: ProductCode,
    /// For whom.
    pub recipients: Recipients,
    /// The data files; at least one.
    pub files: Vec<OfferedFile>,
    /// What period the data are about.
    pub period: Option<Line>,
    /// Counts given by the publisher.
    pub counts: Vec<(Line, u64)>,
    /// The number that the publisher expects; refused unless it is the next for every recipient.
    pub sequence: Option<u32>,
    /// The faulty delivery that this one replaces; its organisation is then the only recipient.
    pub replaces: Option<DeliveryId>,
    /// Leave out end-to-end recipients without a valid key, visibly, instead of refusing.
    pub skip_unready: bool,
    /// Where it comes from.
    pub channel: Channel,
}

/// For whom a publication is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Recipients {
    /// Every organisation with an agreement in force for the product, the blocked ones left out.
    All,
    /// These organisations; refused as a whole when one of them cannot receive.
    Listed(Vec<OrganisationCode>),
}

/// One file to publish.
pub struct OfferedFile {
    /// The name it is published under.
    pub name: FileName,
    /// Its content.
    pub source: Arc<dyn Source>,
}

/// What a publication became.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Published {
    /// The publication.
    pub publication: PublicationId,
    /// Its deliveries, in order of organisation.
    pub deliveries: Vec<PublishedDelivery>,
    /// Organisations that were left out, each with the reason.
    pub skipped: Vec<(OrganisationCode, String)>,
    /// It had been published before under the same source key; nothing was done now.
    pub existed: bool,
}

/// One delivery of a publication.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PublishedDelivery {
    /// Its id.
    pub id: DeliveryId,
    /// The recipient.
    pub organisation: OrganisationCode,
    /// `<product>_<YYYYMMDD>_<sequence>`.
    pub name: String,
    /// The end of its window.
    pub available_until: Moment,
    /// How many data files.
    pub file_count: u32,
}

/// A recipient for whom everything was found in order.
#[derive(Clone)]
pub(super) struct Ready {
    pub(super) organisation: Organisation,
    pub(super) agreement: Agreement,
    /// The agreement or the product demands it.
    pub(super) end_to_end: bool,
    /// The recipient's keys that are valid now, when it is end to end.
    pub(super) recipient_keys: Vec<RecipientKey>,
    pub(super) available_until: Moment,
    pub(super) slot: ShredSlot,
}

//! Disk form of events: the body of a journal record. Field order is the form.

use core::net::IpAddr;

use super::{Stored, from_bytes, struct_form, to_bytes};
use crate::domain::history::{About, Channel, Detail, Event, Happening, Who};
use crate::domain::ids::{DeliveryId, PublicationId};
use crate::domain::moment::Moment;
use crate::domain::names::{FileName, LoginName, OrganisationCode, ProductCode};
use crate::ports::failure::Fault;

struct_form! {
    WhoV1 = Who {
        login: Option<LoginName>,
        organisation: Option<OrganisationCode>,
        channel: Channel,
        address: Option<IpAddr>,
        credential: Option<String>,
        client: Option<String>,
    }
    AboutV1 = About {
        organisation: Option<OrganisationCode>,
        login: Option<LoginName>,
        product: Option<ProductCode>,
        publication: Option<PublicationId>,
        delivery: Option<DeliveryId>,
        file: Option<FileName>,
    }
    DetailV1 = Detail { bytes: Option<u64>, until: Option<Moment>, note: Option<String>, }
    EventV1 = Event { what: Happening, who: Who, about: About, detail: Detail, }
}

impl Stored for Vec<Event> {}

/// The events of one decision, as a plain body.
pub(in crate::adapters::catalog_journal) fn encode_events(events: &Vec<Event>) -> Result<Vec<u8>, Fault> {
    to_bytes(events)
}

/// The events of a plain body.
pub(in crate::adapters::catalog_journal) fn decode_events(body: &[u8]) -> Result<Vec<Event>, Fault> {
    from_bytes(body)
}

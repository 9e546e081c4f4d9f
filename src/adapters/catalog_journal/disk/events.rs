//! Disk form of events: the body of a journal record. Field order is the form.

use core::net::IpAddr;

use super::{Stored, from_bytes, struct_form, to_bytes};
use crate::adapters::catalog_journal::bodies::{Group, Grouped, Mark};
use crate::domain::bodies::BodySlot;
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

struct_form! {
    MarkV1 = Mark { about: Option<OrganisationCode>, who: Option<OrganisationCode>, delivery: Option<DeliveryId>, }
    GroupV1 = Group { slot: Option<BodySlot>, bytes: Vec<u8>, }
    GroupedV1 = Grouped { skips_ahead: bool, marks: Vec<(u32, Mark)>, groups: Vec<Group>, }
}

impl Stored for Vec<Event> {}

impl Stored for Grouped {}

/// The groups of events of one decision, as a sealed body.
pub(in crate::adapters::catalog_journal) fn encode_grouped(grouped: &Grouped) -> Result<Vec<u8>, Fault> {
    to_bytes(grouped)
}

/// The groups of a sealed body.
pub(in crate::adapters::catalog_journal) fn decode_grouped(body: &[u8]) -> Result<Grouped, Fault> {
    from_bytes(body)
}

/// The events of one decision, as a plain body.
pub(in crate::adapters::catalog_journal) fn encode_events(events: &Vec<Event>) -> Result<Vec<u8>, Fault> {
    to_bytes(events)
}

/// The events of a plain body.
pub(in crate::adapters::catalog_journal) fn decode_events(body: &[u8]) -> Result<Vec<Event>, Fault> {
    from_bytes(body)
}

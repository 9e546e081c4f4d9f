//! Deliveries (P07): the list with what is ready and until when, and one delivery with its files,
//! digests and packing slip. What is shown is what operations let the member see.

use askama::Template;

use super::documents::{self, Document};
use super::page::{Frame, last_day};
use super::texts::Texts;
use super::{Ask, Failure, Member, words};
use crate::domain::account::Language;
use crate::domain::delivery::Availability;
use crate::domain::ids::DeliveryId;
use crate::fronts::https::api::{self, content};
use crate::fronts::https::reply::Reply;
use crate::operations::{DeliveryView, Operations};

/// Rows of one page.
const PAGE: usize = 50;

/// Whose deliveries a page shows.
struct Place {
    /// Where they lie.
    base: String,
    /// Name and code of the client; empty for the own organisation.
    client: String,
    code: String,
    own: &'static super::texts::mandates::Texts,
}

impl Place {
    fn of(ask: &Ask, member: &Member) -> Result<Self, Failure> {
        let own = super::texts::mandates::Texts::of(member.guest.language);
        let caller = &member.visit.caller;
        if caller.recipient() == &caller.organisation {
            return Ok(Self { base: "/deliveries".to_owned(), client: String::new(), code: String::new(), own });
        }
        let client = ask.site.operations.client(caller, caller.recipient())?;
        let base = format!("/clients/{}/deliveries", client.code);
        Ok(Self { base, client: client.name.to_string(), code: client.code.to_string(), own })
    }
}

/// One delivery in a list.
pub(super) struct Row {
    pub(super) id: String,
    pub(super) product: String,
    pub(super) number: String,
    pub(super) period: String,
    pub(super) published: String,
    pub(super) until: String,
    pub(super) state: &'static str,
    /// For the style sheet: `new`, `done`, `busy` or `gone`.
    pub(super) tone: &'static str,
}

/// One file of a delivery.
struct File {
    number: u32,
    name: String,
    size: String,
    digest: String,
}

#[derive(Template)]
#[template(path = "deliveries.html", config = "src/fronts/https/portal/askama.toml")]
struct Deliveries {
    frame: Frame,
    place: Place,
    rows: Vec<Row>,
    more: String,
}

#[derive(Template)]
#[template(path = "delivery.html", config = "src/fronts/https/portal/askama.toml")]
struct One {
    frame: Frame,
    place: Place,
    row: Row,
    purpose: String,
    is_sealed: bool,
    is_open: bool,
    files: Vec<File>,
    /// Its product, and the documents of that.
    product: String,
    documents: Vec<Document>,
    documents_title: &'static str,
}

impl Row {
    /// What a list says of a delivery.
    pub(super) fn of(operations: &Operations, language: Language, view: &DeliveryView) -> Self {
        let delivery = &view.delivery;
        let (state, tone) = state_of(Texts::of(language), view);
        Self {
            id: delivery.id.to_string(),
            product: delivery.product_name.to_string(),
            number: delivery.name(),
            period: delivery.period.as_ref().map(ToString::to_string).unwrap_or_default(),
            published: words::date(language, operations.calendar().date_of(delivery.published_at)),
            until: last_day(operations, language, delivery.available_until),
            state,
            tone,
        }
    }
}

pub(super) fn state_of(texts: &'static Texts, view: &DeliveryView) -> (&'static str, &'static str) {
    let progress = &view.delivery.progress;
    match view.delivery.availability {
        Availability::Held { .. } => (texts.state_held, "gone"),
        Availability::Expired { .. } => (texts.state_expired, "gone"),
        Availability::Withdrawn { .. } => (texts.state_withdrawn, "gone"),
        Availability::Replaced { .. } => (texts.state_replaced, "gone"),
        Availability::Shredded { .. } => (texts.state_shredded, "gone"),
        Availability::Available if progress.acknowledged_at.is_some() => (texts.state_acknowledged, "done"),
        Availability::Available if progress.fetched_at.is_some() => (texts.state_fetched, "done"),
        Availability::Available if progress.started_at.is_some() => (texts.state_started, "busy"),
        Availability::Available => (texts.state_new, "new"),
    }
}

/// The list, the newest first.
pub(in crate::fronts::https) fn list(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let (operations, place) = (&ask.site.operations, Place::of(ask, member)?);
    let after = ask.query.split('&').find_map(|pair| pair.strip_prefix("after="));
    let after = after.and_then(|id| DeliveryId::parse(id).ok());
    let page = operations.newest_deliveries(&member.visit.caller, after, false, PAGE)?;
    let more = match page.last().filter(|_| page.len() >= PAGE) {
        Some(last) if member.guest.language_was_asked => {
            format!("{}?after={}&lang={}", place.base, last.delivery.id, member.guest.texts().tag)
        }
        Some(last) => format!("{}?after={}", place.base, last.delivery.id),
        None => String::new(),
    };
    let rows = page.iter().map(|view| Row::of(operations, member.guest.language, view)).collect();
    member.shown(&Deliveries { frame: member.frame(ask), place, rows, more })
}

/// One delivery.
pub(in crate::fronts::https) fn one(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let operations = &ask.site.operations;
    let view = operations.delivery(&member.visit.caller, ask.delivery_id()?)?;
    let language = member.guest.language;
    let files = view.files.iter().map(|file| File {
        number: file.number,
        name: file.name.to_string(),
        size: words::size(language, file.size_bytes),
        digest: file.sha256.to_string(),
    });
    let product = &view.delivery.product;
    let documents = match documents::of_product(ask, member, product) {
        Err(Failure::Refused(_)) => Vec::new(),
        outcome => outcome?,
    };
    member.shown(&One {
        frame: member.frame(ask),
        place: Place::of(ask, member)?,
        row: Row::of(operations, language, &view),
        purpose: view.delivery.purpose.to_string(),
        is_sealed: view.delivery.end_to_end,
        is_open: view.delivery.is_fetchable(operations.now()),
        files: files.collect(),
        product: product.to_string(),
        documents,
        documents_title: super::texts::documents::Texts::of(language).of_product,
    })
}

/// The bytes of a file, as the API gives them: whole or a range, with digest and ETag.
pub(in crate::fronts::https) fn download(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    content::show(ask, &member.visit.caller)
}

/// Its packing slip, byte for byte as in the outbox.
pub(in crate::fronts::https) fn packing_slip(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    api::deliveries::packing_slip(ask, &member.visit.caller)
}

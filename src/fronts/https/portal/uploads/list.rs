//! The list of participant files: the newest first, by product and state, page by page.

use askama::Template;

use super::expected::{self, Expected};
use super::said::{State, stage};
use super::{Place, Uploader, moment, texts};
use crate::domain::ids::UploadId;
use crate::domain::names::ProductCode;
use crate::domain::upload_stage::UploadStage;
use crate::fronts::https::portal::access::done_in;
use crate::fronts::https::portal::form::Form;
use crate::fronts::https::portal::page::Frame;
use crate::fronts::https::portal::texts::expected::Texts as ExpectedTexts;
use crate::fronts::https::portal::texts::uploads::Texts;
use crate::fronts::https::portal::{Ask, Failure, Member, words};
use crate::fronts::https::reply::Reply;
use crate::operations::{SeenFilter, SeenUpload};

/// Rows of one page.
const PAGE: usize = 50;

#[derive(Template)]
#[template(path = "uploads/list.html", config = "src/fronts/https/portal/askama.toml")]
struct List {
    frame: Frame,
    t: &'static Texts,
    place: Place,
    notice: &'static str,
    /// Where files are uploaded; empty for who may not.
    deliver: String,
    /// What is expected of whom the page is about; not on further pages.
    expected: Vec<Expected>,
    e: &'static ExpectedTexts,
    products: Vec<Choice>,
    states: Vec<Choice>,
    is_filtered: bool,
    language: &'static str,
    rows: Vec<Row>,
    older: String,
    newest: String,
}

/// One choice of a filter.
struct Choice {
    value: String,
    text: String,
    is_chosen: bool,
}

struct Row {
    link: String,
    name: String,
    product: String,
    at: String,
    is_received: bool,
    by: Uploader,
    size: String,
    state: State,
}

/// The list.
pub(in crate::fronts::https) fn list(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let (operations, caller, t) = (&ask.site.operations, &member.visit.caller, texts(member));
    let place = Place::of(ask, member)?;
    let query = Form::read(ask.query.as_bytes());
    let filter = SeenFilter {
        product: ProductCode::parse(query.field("product")).ok(),
        stage: UploadStage::parse(query.field("state")),
        before: UploadId::parse(query.field("before")).ok(),
        limit: PAGE,
    };
    let found = operations.seen_uploads(caller, &filter)?;
    let readable = operations.receipt_products(caller)?;
    let products = readable.iter().map(|product| Choice {
        value: product.code.to_string(),
        text: product.name.to_string(),
        is_chosen: filter.product.as_ref() == Some(&product.code),
    });
    let states = UploadStage::ALL.iter().map(|known| Choice {
        value: known.word().to_owned(),
        text: stage(t, *known).to_owned(),
        is_chosen: filter.stage == Some(*known),
    });
    let may_deliver = !operations.dropbox_products(caller)?.is_empty();
    let notice = match done_in(&ask.query) {
        "several" => t.done_several,
        "removed" => t.done_removed,
        _ => "",
    };
    member.shown(&List {
        frame: member.frame(ask),
        t,
        notice,
        deliver: if may_deliver { place.link(member, "new") } else { String::new() },
        expected: if filter.before.is_some() { Vec::new() } else { expected::expected(ask, member, &place)? },
        e: ExpectedTexts::of(member.guest.language),
        products: products.collect(),
        states: states.collect(),
        is_filtered: filter.product.is_some() || filter.stage.is_some(),
        language: if member.guest.language_was_asked { member.guest.texts().tag } else { "" },
        rows: found.uploads.iter().map(|seen| row(ask, member, &place, seen)).collect(),
        older: found.next.map(|id| address(member, &place, &filter, Some(id))).unwrap_or_default(),
        newest: if filter.before.is_some() { address(member, &place, &filter, None) } else { String::new() },
        place,
    })
}

fn row(ask: &Ask, member: &Member, place: &Place, seen: &SeenUpload) -> Row {
    let upload = &seen.view.upload;
    let at = seen.intake.as_ref().map_or(upload.begun_at, |intake| intake.received_at);
    Row {
        link: place.link(member, &upload.id.to_string()),
        name: upload.name.to_string(),
        product: seen.product_name.to_string(),
        at: moment(ask, member, at),
        is_received: seen.intake.is_some(),
        by: Uploader::of(seen),
        size: words::size(member.guest.language, upload.size_bytes),
        state: State::of(texts(member), seen),
    }
}

/// The list with the same choices, from before an upload.
fn address(member: &Member, place: &Place, filter: &SeenFilter, before: Option<UploadId>) -> String {
    let mut pairs = Vec::new();
    pairs.extend(filter.product.as_ref().map(|code| format!("product={code}")));
    pairs.extend(filter.stage.map(|stage| format!("state={}", stage.word())));
    pairs.extend(before.map(|id| format!("before={id}")));
    pairs.extend(member.guest.language_was_asked.then(|| format!("lang={}", member.guest.texts().tag)));
    if pairs.is_empty() { place.base.clone() } else { format!("{}?{}", place.base, pairs.join("&")) }
}

//! One delivery (P07): its files with digests, its packing slip to read and print, who fetched what, and
//! the documents of its product. What is shown is what operations let the member see.

use askama::Template;

use super::deliveries::{Place, Row};
use super::documents::{self, Document};
use super::page::Frame;
use super::texts::{deliveries as own, documents as of_documents};
use super::{Ask, Failure, Member, words};
use crate::domain::delivery::DeliveryPart;
use crate::domain::history::{Channel, Happening, HistoryQuery};
use crate::domain::packing_slip::digest_list_name;
use crate::domain::refusal::Refusal;
use crate::fronts::https::api::{self, content};
use crate::fronts::https::reply::Reply;
use crate::operations::DeliveryView;

/// Lines of the history that are looked through for fetches, page by page, and fetches that are shown.
const LINES: usize = 200;
const MOST_PAGES: usize = 5;
const MOST_FETCHES: usize = 100;

/// One file of a delivery.
struct File {
    number: u32,
    name: String,
    size: String,
    digest: String,
}

#[derive(Template)]
#[template(path = "delivery.html", config = "src/fronts/https/portal/askama.toml")]
struct One {
    frame: Frame,
    texts: &'static own::Texts,
    place: Place,
    row: Row,
    product: String,
    purpose: String,
    is_sealed: bool,
    is_open: bool,
    files: Vec<File>,
    /// What all files are together.
    total: String,
    /// The name of a file, and of the list of digests, to show how they are checked.
    sample: String,
    digest_list: String,
    /// Nothing where the history is hidden or not the member's to read.
    fetches: Option<Vec<Fetched>>,
    is_cut: bool,
    documents: Vec<Document>,
    documents_title: &'static str,
}

#[derive(Template)]
#[template(path = "slip.html", config = "src/fronts/https/portal/askama.toml")]
struct Slip {
    frame: Frame,
    texts: &'static own::Texts,
    place: Place,
    row: Row,
    organisation: String,
    purpose: String,
    sequence: u32,
    /// Until when it was promised: that never changes, as the slip itself.
    promised: String,
    total: String,
    counts: Vec<(String, u64)>,
    files: Vec<File>,
}

/// That somebody fetched something.
struct Fetched {
    when: String,
    /// The account; and the organisation that it belongs to, if that is not the recipient.
    login: String,
    of: String,
    file: String,
    what: String,
    /// It began, and nothing tells yet how far it came.
    is_open: bool,
    channel: &'static str,
}

fn files_of(member: &Member, view: &DeliveryView) -> Vec<File> {
    let shown = view.files.iter().map(|file| File {
        number: file.number,
        name: file.name.to_string(),
        size: words::size(member.guest.language, file.size_bytes),
        digest: file.sha256.to_string(),
    });
    shown.collect()
}

/// One delivery.
pub(in crate::fronts::https) fn one(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let operations = &ask.site.operations;
    let view = operations.delivery(&member.visit.caller, ask.delivery_id()?)?;
    let language = member.guest.language;
    let texts = own::Texts::of(language);
    let fetches = fetches(ask, member, &view, texts)?;
    let delivery = &view.delivery;
    let documents = match documents::of_product(ask, member, &delivery.product) {
        Err(Failure::Refused(_)) => Vec::new(),
        outcome => outcome?,
    };
    member.shown(&One {
        frame: member.frame(ask),
        texts,
        place: Place::of(ask, member)?,
        row: Row::of(operations, language, &view),
        product: delivery.product.to_string(),
        purpose: delivery.purpose.to_string(),
        is_sealed: delivery.end_to_end,
        is_open: delivery.is_fetchable(operations.now()),
        files: files_of(member, &view),
        total: words::size(language, delivery.total_bytes),
        sample: view.files.first().map(|file| file.name.to_string()).unwrap_or_default(),
        digest_list: digest_list_name(delivery),
        is_cut: fetches.as_ref().is_some_and(|fetches| fetches.len() >= MOST_FETCHES),
        fetches,
        documents,
        documents_title: of_documents::Texts::of(language).of_product,
    })
}

/// Its packing slip, to read and to print. It is there as long as the delivery is known, also when the files are gone.
pub(in crate::fronts::https) fn slip(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let operations = &ask.site.operations;
    let view = operations.delivery(&member.visit.caller, ask.delivery_id()?)?;
    let (language, delivery) = (member.guest.language, &view.delivery);
    member.shown(&Slip {
        frame: member.frame(ask),
        texts: own::Texts::of(language),
        place: Place::of(ask, member)?,
        row: Row::of(operations, language, &view),
        organisation: delivery.organisation_name.to_string(),
        purpose: delivery.purpose.to_string(),
        sequence: delivery.sequence,
        promised: super::page::last_day(operations, language, delivery.promised_until),
        total: words::size(language, delivery.total_bytes),
        counts: delivery.counts.iter().map(|(label, count)| (label.to_string(), *count)).collect(),
        files: files_of(member, &view),
    })
}

/// Who of the organisation, or for it, fetched what (4.2), unless another arrangement was made (A20).
fn fetches(
    ask: &Ask,
    member: &Member,
    view: &DeliveryView,
    texts: &'static own::Texts,
) -> Result<Option<Vec<Fetched>>, Failure> {
    let operations = &ask.site.operations;
    let mut query = HistoryQuery { delivery: Some(view.delivery.id), limit: LINES, ..HistoryQuery::default() };
    let mut fetches: Vec<Fetched> = Vec::new();
    for _ in 0..MOST_PAGES {
        let lines = match operations.own_history(&member.visit.caller, &query) {
            Err(Failure::Refused(Refusal::NotFound(_))) => return Ok(None),
            outcome => outcome?,
        };
        let Some(last) = lines.last() else { break };
        query.after = Some(last.sequence);
        for line in lines {
            let (event, at) = (&line.event, line.at);
            let (what, is_open) = match event.what {
                Happening::FetchStarted => (texts.was_started.to_owned(), true),
                Happening::FetchEnded => {
                    let sent = words::size(member.guest.language, event.detail.bytes.unwrap_or_default());
                    (format!("{}: {sent}", texts.was_ended), false)
                }
                Happening::FileFetched => (texts.was_fetched.to_owned(), false),
                Happening::DeliveryAcknowledged => (texts.was_acknowledged.to_owned(), false),
                _ => continue,
            };
            let day = words::date(member.guest.language, operations.calendar().date_of(at));
            let of = event.who.organisation.as_ref().filter(|of| **of != view.delivery.organisation);
            let login = event.who.login.as_ref().map(ToString::to_string).unwrap_or_default();
            let file = event.about.file.as_ref().map(ToString::to_string).unwrap_or_default();
            if event.what == Happening::FetchEnded {
                // one line for a fetch: when it began, and how far it came
                let is_its = |row: &&mut Fetched| row.is_open && row.login == login && row.file == file;
                if let Some(row) = fetches.iter_mut().find(is_its) {
                    (row.what, row.is_open) = (what, false);
                    continue;
                }
            }
            fetches.push(Fetched {
                when: format!("{day}, {}", operations.calendar().time_of(at)),
                login,
                of: of.map(ToString::to_string).unwrap_or_default(),
                file,
                what,
                is_open,
                channel: match event.who.channel {
                    Channel::Sftp => "SFTP",
                    Channel::Api => "API",
                    Channel::Portal => texts.portal,
                    Channel::Spool | Channel::Office | Channel::CommandLine | Channel::System => "",
                },
            });
        }
    }
    fetches.truncate(MOST_FETCHES);
    Ok(Some(fetches))
}

/// The list of digests, byte for byte as in the outbox.
pub(in crate::fronts::https) fn digests(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    content::send(ask, &member.visit.caller, DeliveryPart::DigestList)
}

/// The bytes of a file, as the API gives them: whole or a range, with digest and ETag.
pub(in crate::fronts::https) fn download(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    content::show(ask, &member.visit.caller)
}

/// All its files as one, as the API gives them.
pub(in crate::fronts::https) fn archive(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    api::archive::send(ask, &member.visit.caller)
}

/// Its packing slip, byte for byte as in the outbox.
pub(in crate::fronts::https) fn packing_slip(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    api::deliveries::packing_slip(ask, &member.visit.caller)
}

//! What participant files are expected of an organisation or a client, by when, and how that stands: on the page of
//! those files, and as tasks on the start page. What is expected, and of whom, the operations say.

use super::Place;
use crate::domain::expected_upload::ExpectedState;
use crate::domain::moment::Span;
use crate::fronts::https::portal::page::last_day;
use crate::fronts::https::portal::texts::expected::Texts;
use crate::fronts::https::portal::{Ask, Failure, Member};
use crate::operations::{Caller, ExpectedView};

/// What is still to come is a task so many days ahead.
const TASK_DAYS: u64 = 7;

/// A file that is expected.
pub(super) struct Expected {
    pub(super) product: String,
    /// The day by which it is to be here.
    pub(super) by: String,
    pub(super) word: &'static str,
    pub(super) tone: &'static str,
    /// Nothing came for the day before.
    pub(super) is_missing: bool,
    /// The file that came; empty when none did.
    pub(super) file: String,
    /// Where it is uploaded; empty for who may not, and for what came.
    pub(super) deliver: String,
}

/// What the start page says of one.
pub(in crate::fronts::https::portal) struct Task {
    pub(in crate::fronts::https::portal) lead: &'static str,
    pub(in crate::fronts::https::portal) product: String,
    /// Words before the day, and the day; both empty when it is over.
    pub(in crate::fronts::https::portal) until: &'static str,
    pub(in crate::fronts::https::portal) by: String,
    pub(in crate::fronts::https::portal) link: String,
}

/// What is expected of whom the page is about, what is late first.
pub(super) fn expected(ask: &Ask, member: &Member, place: &Place) -> Result<Vec<Expected>, Failure> {
    let (operations, caller) = (&ask.site.operations, &member.visit.caller);
    let (t, language) = (Texts::of(member.guest.language), member.guest.language);
    let may_deliver = operations.dropbox_products(caller)?;
    let mut rows = Vec::new();
    for view in sorted(operations.own_expected_uploads(caller)?) {
        let code = &view.expected.product;
        let (word, tone) = match view.state {
            ExpectedState::Waiting => (t.waiting, "new"),
            ExpectedState::Received(..) => (t.received, "done"),
            ExpectedState::Late(..) => (t.late, "busy"),
            ExpectedState::Missing => (t.missing, "wrong"),
        };
        let file = match view.state {
            ExpectedState::Received(id, _) | ExpectedState::Late(id, _) => place.link(member, &id.to_string()),
            ExpectedState::Waiting | ExpectedState::Missing => String::new(),
        };
        let is_mine = file.is_empty() && may_deliver.iter().any(|product| product.code == *code);
        rows.push(Expected {
            product: product_name(ask, caller, &view)?,
            by: last_day(operations, language, view.expected.until),
            word,
            tone,
            is_missing: view.state == ExpectedState::Missing,
            deliver: if is_mine { upload_link(member, &place.base, &view) } else { String::new() },
            file,
        });
    }
    Ok(rows)
}

/// What the member's own organisation has still to upload: what is late, and what is due soon.
pub(in crate::fronts::https::portal) fn tasks(ask: &Ask, member: &Member) -> Result<Vec<Task>, Failure> {
    let (operations, caller) = (&ask.site.operations, &member.visit.caller);
    let (t, soon) = (Texts::of(member.guest.language), operations.now().after(Span::from_days(TASK_DAYS)));
    let may_deliver = operations.dropbox_products(caller)?;
    let mut tasks = Vec::new();
    for view in sorted(operations.own_expected_uploads(caller)?) {
        let (lead, is_due) = match view.state {
            ExpectedState::Missing => (t.task_missing, true),
            ExpectedState::Waiting => (t.task_waiting, view.expected.until <= soon),
            ExpectedState::Received(..) | ExpectedState::Late(..) => continue,
        };
        if !is_due || !may_deliver.iter().any(|product| product.code == view.expected.product) {
            continue;
        }
        let is_late = view.state == ExpectedState::Missing;
        let day = last_day(operations, member.guest.language, view.expected.until);
        tasks.push(Task {
            lead,
            product: product_name(ask, caller, &view)?,
            until: if is_late { "" } else { t.task_by },
            by: if is_late { String::new() } else { day },
            link: upload_link(member, "/participant-files", &view),
        });
    }
    Ok(tasks)
}

/// How many files of a client are late.
pub(in crate::fronts::https::portal) fn late(ask: &Ask, client: &Caller) -> Result<usize, Failure> {
    let views = ask.site.operations.own_expected_uploads(client)?;
    Ok(views.iter().filter(|view| view.state == ExpectedState::Missing).count())
}

/// Late ones first, then by day.
fn sorted(mut views: Vec<ExpectedView>) -> Vec<ExpectedView> {
    views.sort_by_key(|view| (view.state != ExpectedState::Missing, view.expected.until));
    views
}

fn upload_link(member: &Member, base: &str, view: &ExpectedView) -> String {
    let link = member.guest.link(&format!("{base}/new"));
    let joint = if link.contains('?') { '&' } else { '?' };
    format!("{link}{joint}product={}", view.expected.product)
}

fn product_name(ask: &Ask, caller: &Caller, view: &ExpectedView) -> Result<String, Failure> {
    let products = ask.site.operations.receipt_products(caller)?;
    let found = products.into_iter().find(|product| product.code == view.expected.product);
    Ok(found.map_or_else(|| view.expected.product.to_string(), |product| product.name.to_string()))
}

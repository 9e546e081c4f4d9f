//! Participant files of all organisations: the list, one of them with what became of it, accepting and rejecting it,
//! and what is expected by when. Nobody of the office reads what is in them.

use hyper::StatusCode;
use hyper::header::CONTENT_DISPOSITION;

use super::super::form::{Form as Sent, escaped};
use super::super::texts::{OfficeUploadTexts, uploads as portal_texts};
use super::super::uploads::said::{Found, State, stage};
use super::language_words::size;
use super::sheet::{Cell, Form, Given, Mistake, Part, Search, Sheet, Table};
use super::{Ask, Desk, Failure, MOST_LOOKED_AT, MOST_ROWS};
use crate::domain::expected_upload::{ExpectedState, Rhythm};
use crate::domain::ids::UploadId;
use crate::domain::intake::{HandOverWay, IntakeState, Judge};
use crate::domain::intake_rows::MOST_REPORT_BYTES;
use crate::domain::names::{OrganisationCode, ProductCode};
use crate::domain::receipt::Report;
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::Act;
use crate::domain::upload_stage::UploadStage;
use crate::fronts::https::reply::Reply;
use crate::operations::{ExpectedView, ReceiptFile, SeenUpload, UploadWish};

/// Rows of one page.
const PAGE: usize = 100;

impl Desk {
    /// The texts of these pages.
    pub(super) const fn upload_words(&self) -> &'static OfficeUploadTexts {
        OfficeUploadTexts::of(self.guest.language)
    }

    /// What the portal's pages about participant files say too.
    const fn portal_upload_words(&self) -> &'static portal_texts::Texts {
        portal_texts::Texts::of(self.guest.language)
    }
}

/// The list, of all or of one organisation, product, state and uploader.
pub(in crate::fronts::https) fn uploads(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    let (words, own, t) = (desk.words(), desk.upload_words(), desk.portal_upload_words());
    let asked = Sent::read(ask.query.as_bytes());
    let field = |name: &str| asked.field(name).trim().to_owned();
    let (organisation, by, product) = (field("organisation"), field("by"), field("product"));
    let wish = UploadWish {
        organisation: OrganisationCode::parse(&organisation).ok(),
        by: OrganisationCode::parse(&by).ok(),
        product: ProductCode::parse(&product).ok(),
        stage: UploadStage::parse(asked.field("state")),
        before: UploadId::parse(asked.field("before")).ok(),
        limit: PAGE,
    };
    // what is no code names nothing
    let is_wrong = (!organisation.is_empty() && wish.organisation.is_none())
        || (!by.is_empty() && wish.by.is_none())
        || (!product.is_empty() && wish.product.is_none());
    let (mut found, mut next, mut error) = (Vec::new(), None, String::new());
    if !is_wrong {
        match ask.site.operations.wished_uploads(&wish, &desk.visit) {
            Ok(uploads) => (found, next) = (uploads.uploads, uploads.next),
            Err(Failure::Refused(Refusal::TooMuch(_))) => error = own.too_many.to_owned(),
            Err(failure) => return Err(failure),
        }
    }
    let rows = found.iter().map(|seen| {
        let upload = &seen.view.upload;
        let state = State::of(t, seen);
        vec![
            Cell::link(upload.name.as_str(), desk.href(&format!("/office/uploads/{}", upload.id))),
            seen.of.1.as_str().into(),
            upload.product.as_str().into(),
            uploader(t, seen).into(),
            desk.time(ask, seen.intake.as_ref().map_or(upload.begun_at, |intake| intake.received_at)).into(),
            Cell::state((state.word, state.tone)),
        ]
    });
    let more = next.map(|id| {
        desk.href(&format!(
            "/office/uploads?organisation={}&by={}&product={}&state={}&before={id}",
            escaped(&organisation),
            escaped(&by),
            escaped(&product),
            escaped(asked.field("state")),
        ))
    });
    let none = Given(None);
    let states = UploadStage::ALL.iter().map(|known| (known.word().to_owned(), stage(t, *known).to_owned()));
    let states = [(String::new(), own.all_states.to_owned())].into_iter().chain(states).collect();
    let mut state = none.choice("state", words.state, states, asked.field("state"));
    state.required = false;
    let search = Search {
        action: "/office/uploads",
        fields: vec![
            none.text("organisation", words.organisation_code, &organisation),
            none.text("by", own.by, &by),
            none.text("product", words.product_code, &product),
            state,
        ],
        button: words.search,
    };
    let table = Table {
        head: vec![t.file, words.organisation, words.product, t.by, t.when, words.state],
        rows: rows.collect(),
        empty: words.nothing_found,
        more: more.unwrap_or_default(),
        more_label: own.older,
        ..Table::default()
    };
    let expected = Part::Onward(desk.href("/office/uploads/expected"), own.expected);
    let (title, lead) = (t.title.to_owned(), own.lead.to_owned());
    let parts = vec![expected, Part::Search(search), Part::Table(table)];
    desk.sheet(ask, Sheet { title, lead, error, parts, ..Sheet::default() })
}

/// By whom, and on whose behalf (D6).
fn uploader(t: &portal_texts::Texts, seen: &SeenUpload) -> String {
    let login = &seen.view.upload.login;
    if seen.is_on_behalf() {
        format!("{login} {} {}, {} {}", t.by_of, seen.by.1, t.on_behalf, seen.of.1)
    } else {
        login.to_string()
    }
}

/// One file.
pub(in crate::fronts::https) fn upload(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    showing(ask, desk, None, String::new())
}

/// Accepts it.
pub(in crate::fronts::https) fn accept_upload(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    judge(ask, desk, "upload-accepted", |id, report| {
        ask.site.operations.accept_upload(id, report, &desk.visit).map(drop)
    })
}

/// Rejects it, with the reason.
pub(in crate::fronts::https) fn reject_upload(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    judge(ask, desk, "upload-rejected", |id, report| {
        ask.site.operations.reject_upload(id, report, &desk.visit).map(drop)
    })
}

fn judge(
    ask: &Ask,
    desk: &Desk,
    word: &str,
    act: impl FnOnce(UploadId, Option<Report>) -> Result<(), Failure>,
) -> Result<Reply, Failure> {
    let (sent, id, own) = (Sent::read(&ask.content), upload_id(ask)?, desk.upload_words());
    let text = sent.field("report").trim().replace("\r\n", "\n");
    let outcome = if text.len() > MOST_REPORT_BYTES {
        Err(Mistake::Said(own.report_long.to_owned()))
    } else if text.is_empty() && word == "upload-rejected" {
        Err(Mistake::Said(own.report_missing.to_owned()))
    } else {
        let report = Some(text).filter(|text| !text.is_empty()).map(Report::Text);
        act(id, report).map_err(Mistake::from)
    };
    desk.after(outcome, (&format!("/office/uploads/{id}"), word), |error| showing(ask, desk, Some(&sent), error))
}

fn showing(ask: &Ask, desk: &Desk, sent: Option<&Sent>, error: String) -> Result<Reply, Failure> {
    let (operations, t, own) = (&ask.site.operations, desk.portal_upload_words(), desk.upload_words());
    let id = upload_id(ask)?;
    let seen = operations.wished_upload(id, &desk.visit)?;
    let mut parts = vec![Part::Facts(facts(ask, desk, &seen))];
    let papers = operations.any_receipt(id)?.map(|view| view.papers).unwrap_or_default();
    let paper = |file: ReceiptFile| papers.iter().find(|paper| paper.file == file);
    if paper(ReceiptFile::Receipt).is_some() {
        let href = format!("/office/uploads/{id}/receipt");
        parts.push(Part::Link(href, t.receipt_get.to_owned()));
    }
    if let Some(result) = paper(ReceiptFile::Result) {
        let found = Found::read(t, desk.guest.language, &result.bytes);
        parts.extend(found.into_iter().flat_map(|found| result_parts(t, found)));
        parts.push(Part::Link(format!("/office/uploads/{id}/result"), t.result_get.to_owned()));
    }
    if desk.may(Act::HandleUploads) {
        let given = Given(sent);
        let form = |id: &'static str, title, lead, is_grave: bool| {
            let mut report = given.kind("textarea", "report", own.report, "").hinted(own.report_hint);
            report.required = is_grave;
            let action = desk.href(&format!("/office/uploads/{}/{id}", seen.view.upload.id));
            Part::Form(Form {
                id,
                title,
                lead,
                action,
                fields: vec![report],
                button: title,
                is_grave,
                is_multipart: false,
            })
        };
        let (accepts, rejects) = allows(&seen);
        parts.extend(accepts.then(|| form("accept", own.accept, own.accept_lead, false)));
        parts.extend(rejects.then(|| form("reject", own.reject, own.reject_lead, true)));
    }
    let title = seen.view.upload.name.to_string();
    desk.sheet(ask, Sheet { title, back: desk.href("/office/uploads"), error, parts, ..Sheet::default() })
}

/// Whether a form that accepts or rejects is worth showing; the operation judges whoever sends it.
fn allows(seen: &SeenUpload) -> (bool, bool) {
    match seen.intake.as_ref().map(|intake| &intake.state) {
        Some(IntakeState::Received | IntakeState::Checking { .. }) => (true, true),
        Some(IntakeState::Accepted { .. }) => (false, true),
        Some(IntakeState::Rejected { by, .. }) => (*by == Judge::Checks, false),
        Some(IntakeState::Collected { answer, .. }) => (answer.is_none(), answer.is_none()),
        Some(
            IntakeState::Duplicate { .. }
            | IntakeState::Replaced { .. }
            | IntakeState::Withdrawn { .. }
            | IntakeState::HandingOver { .. }
            | IntakeState::Cleared { .. },
        )
        | None => (false, false),
    }
}

fn facts(ask: &Ask, desk: &Desk, seen: &SeenUpload) -> Vec<(&'static str, Cell)> {
    let (words, own, t) = (desk.words(), desk.upload_words(), desk.portal_upload_words());
    let (upload, state) = (&seen.view.upload, State::of(t, seen));
    let organisation = desk.href(&format!("/office/organisations/{}", upload.organisation));
    let account = desk.href(&format!("/office/accounts/{}", upload.login));
    let mut facts = vec![
        (words.state, Cell::state((state.word, state.tone))),
        (words.organisation, Cell::link(seen.of.1.as_str(), organisation)),
        (words.product, seen.product_name.as_str().into()),
        (t.by, Cell::link(uploader(t, seen), account)),
    ];
    facts.push(match &seen.intake {
        Some(intake) => (t.when, desk.time(ask, intake.received_at).into()),
        None => (t.when, format!("{} {}", t.begun, desk.time(ask, upload.begun_at)).into()),
    });
    facts.push((t.size, size(desk.guest.language, upload.size_bytes).into()));
    facts.extend(upload.state.sha256().map(|sha256| (t.digest, sha256.to_string().into())));
    facts.push((t.number, upload.id.to_string().into()));
    let other = |id: UploadId| Cell::link(id.to_string(), desk.href(&format!("/office/uploads/{id}")));
    match seen.intake.as_ref().map(|intake| &intake.state) {
        Some(IntakeState::Accepted { at } | IntakeState::Rejected { at, .. }) => {
            facts.push((own.decided, desk.time(ask, *at).into()));
        }
        Some(IntakeState::Duplicate { of: id, .. } | IntakeState::Replaced { by: id, .. }) => {
            facts.push((own.replaces, other(*id)));
        }
        Some(IntakeState::Collected { at, way, acknowledged_at, answer, .. }) => {
            let way = if *way == HandOverWay::Folder { own.by_folder } else { own.by_command };
            facts.push((own.collected, format!("{}, {way}", desk.time(ask, *at)).into()));
            facts.extend(acknowledged_at.map(|at| (own.acknowledged, desk.time(ask, at).into())));
            facts.extend(answer.map(|answer| (own.decided, desk.time(ask, answer.at).into())));
        }
        Some(
            IntakeState::Received
            | IntakeState::Checking { .. }
            | IntakeState::Withdrawn { .. }
            | IntakeState::HandingOver { .. }
            | IntakeState::Cleared { .. },
        )
        | None => {}
    }
    facts
}

fn result_parts(t: &'static portal_texts::Texts, found: Found) -> Vec<Part> {
    let mut parts = vec![Part::Note(format!("{} {}", found.verdict, found.by).trim().to_owned())];
    if !found.counts.is_empty() {
        let counts = found.counts.into_iter().map(|(name, count)| vec![name.into(), count.into()]);
        parts.push(Part::Table(Table {
            title: t.counted,
            head: vec![t.counted, t.number],
            rows: counts.collect(),
            ..Table::default()
        }));
    }
    if found.was_checked {
        let rows =
            found.faults.into_iter().map(|fault| vec![fault.line.into(), fault.column.into(), fault.text.into()]);
        parts.push(Part::Table(Table {
            title: t.faults,
            head: vec![t.line, t.column, t.fault],
            rows: rows.collect(),
            empty: t.faults_none,
            ..Table::default()
        }));
        if !found.in_all.is_empty() {
            parts.push(Part::Note(format!("{} {}.", t.faults_first, found.in_all)));
        }
    }
    if !found.report.is_empty() {
        parts.push(Part::Note(format!("{}: {}", t.report, found.report)));
    }
    parts
}

/// Its receipt, as it was given out.
pub(in crate::fronts::https) fn upload_receipt(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    paper(ask, desk, ReceiptFile::Receipt)
}

/// Its result, as it was given out.
pub(in crate::fronts::https) fn upload_result(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    paper(ask, desk, ReceiptFile::Result)
}

fn paper(ask: &Ask, desk: &Desk, file: ReceiptFile) -> Result<Reply, Failure> {
    let id = upload_id(ask)?;
    let seen = ask.site.operations.wished_upload(id, &desk.visit)?;
    let papers = ask.site.operations.any_receipt(id)?.map(|view| view.papers).unwrap_or_default();
    let paper = papers.into_iter().find(|paper| paper.file == file).ok_or(Refusal::NotFound(What::File))?;
    // names of uploads hold only characters that need no escape (RFC 6266)
    let disposition = format!("attachment; filename=\"{}{}\"", seen.view.upload.name, file.ending());
    Ok(Reply::text(StatusCode::OK, "application/json", paper.bytes).with_text(CONTENT_DISPOSITION, &disposition))
}

/// What is expected of whom, what is late or missing first.
pub(in crate::fronts::https) fn expected_uploads(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    let (words, own, operations) = (desk.words(), desk.upload_words(), &ask.site.operations);
    operations.oversee(&desk.visit)?;
    let asked = Sent::read(ask.query.as_bytes());
    let code = asked.field("organisation").trim().to_owned();
    let organisation = OrganisationCode::parse(&code).ok();
    let (mut views, mut is_cut): (Vec<ExpectedView>, bool) = (Vec::new(), false);
    while code.is_empty() || organisation.is_some() {
        let last = views.last().map(|view| view.expected.clone());
        let page = operations.expected_uploads(organisation.as_ref(), last.as_ref())?;
        if page.is_empty() {
            break;
        }
        views.extend(page);
        if views.len() >= MOST_LOOKED_AT {
            is_cut = true;
            break;
        }
    }
    views.sort_by_key(|view| (rank(view.state), view.expected.until, view.expected.organisation.clone()));
    is_cut |= views.len() > MOST_ROWS;
    let rows = views.iter().take(MOST_ROWS).map(|view| {
        let row = &view.expected;
        let (word, tone, id) = match view.state {
            ExpectedState::Missing => (own.missing, "wrong", None),
            ExpectedState::Late(id, _) => (own.late, "busy", Some(id)),
            ExpectedState::Waiting => (own.waiting, "new", None),
            ExpectedState::Received(id, _) => (own.came, "done", Some(id)),
        };
        let state = match id {
            Some(id) => Cell::link(word, desk.href(&format!("/office/uploads/{id}"))),
            None => Cell::state((word, tone)),
        };
        vec![
            Cell::link(row.organisation.as_str(), desk.href(&format!("/office/organisations/{}", row.organisation))),
            row.product.as_str().into(),
            rhythm(own, row.rhythm).into(),
            desk.last_day(ask, row.until).into(),
            state,
            row.missed.to_string().into(),
        ]
    });
    let table = Table {
        head: vec![words.organisation, words.product, own.rhythm, own.next_day, words.state, own.missed],
        rows: rows.collect(),
        empty: if code.is_empty() { own.expected_none } else { words.nothing_found },
        ..Table::default()
    };
    let search = Search {
        action: "/office/uploads/expected",
        fields: vec![Given(None).text("organisation", words.organisation_code, &code)],
        button: words.search,
    };
    let mut parts = vec![Part::Search(search), Part::Table(table)];
    parts.extend(is_cut.then(|| Part::Note(own.too_many.to_owned())));
    let (title, lead) = (own.expected.to_owned(), own.expected_lead.to_owned());
    desk.sheet(ask, Sheet { title, lead, back: desk.href("/office/uploads"), parts, ..Sheet::default() })
}

const fn rank(state: ExpectedState) -> u8 {
    match state {
        ExpectedState::Missing => 0,
        ExpectedState::Late(..) => 1,
        ExpectedState::Waiting => 2,
        ExpectedState::Received(..) => 3,
    }
}

/// On which days, in words.
fn rhythm(own: &OfficeUploadTexts, rhythm: Rhythm) -> String {
    let weekdays = [own.monday, own.tuesday, own.wednesday, own.thursday, own.friday, own.saturday, own.sunday];
    match rhythm {
        Rhythm::Workdays => own.workdays.to_owned(),
        Rhythm::Weekly(day) => {
            format!("{} {}", own.weekly, weekdays.get(usize::from(day.saturating_sub(1))).copied().unwrap_or_default())
        }
        Rhythm::Monthly(day) => format!("{} {day}", own.monthly),
        Rhythm::Quarterly(day) => format!("{} {day}", own.quarterly),
        Rhythm::Yearly(month, day) => format!("{} {day}-{month}", own.yearly),
    }
}

fn upload_id(ask: &Ask) -> Result<UploadId, Failure> {
    UploadId::parse(ask.segment(0)).map_err(|_| Refusal::NotFound(What::File).into())
}

//! The whole history (F5, F6), with who did what, by organisation, delivery and day; also as CSV.

use hyper::StatusCode;
use hyper::header::CONTENT_DISPOSITION;

use super::super::form::{Form as Sent, escaped};
use super::sheet::{Given, Part, Search, Sheet, Table};
use super::{Ask, Desk, Failure};
use crate::domain::history::{HistoryLine, HistoryQuery};
use crate::domain::ids::DeliveryId;
use crate::domain::moment::Span;
use crate::domain::names::OrganisationCode;
use crate::fronts::forms;
use crate::fronts::https::reply::Reply;

/// Lines of one page.
const PAGE: usize = 200;

/// Without a day, so many days back.
const USUAL_DAYS: u64 = 7;

/// Lines of a file; the next begins after its last.
const MOST_LINES: usize = 50_000;

/// The lines of one page, the oldest first.
pub(in crate::fronts::https) fn history(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    let (words, asked) = (desk.words(), Sent::read(ask.query.as_bytes()));
    let query = HistoryQuery { limit: PAGE, ..query(ask, desk, &asked) };
    let lines = ask.site.operations.history_for(&query, &desk.visit)?;
    let rows = lines.iter().map(|line| {
        let (who, about) = (&line.event.who, &line.event.about);
        let text = |text: Option<String>| text.unwrap_or_default();
        let concerned = [
            about.organisation.as_ref().map(ToString::to_string),
            about.login.as_ref().filter(|login| who.login.as_ref() != Some(login)).map(ToString::to_string),
            about.product.as_ref().map(ToString::to_string),
            about.file.as_ref().map(ToString::to_string),
        ];
        let by = who.login.as_ref().map_or_else(|| who.channel.word().to_owned(), ToString::to_string);
        vec![
            desk.time(ask, line.at).into(),
            line.event.what.word().into(),
            by.into(),
            concerned.into_iter().flatten().collect::<Vec<_>>().join(", ").into(),
            text(line.event.detail.note.clone()).into(),
        ]
    });
    let (organisation, since, delivery) = (asked.field("organisation"), asked.field("since"), asked.field("delivery"));
    let same =
        format!("organisation={}&since={}&delivery={}", escaped(organisation), escaped(since), escaped(delivery));
    let more = match lines.last().filter(|_| lines.len() >= PAGE) {
        Some(last) => desk.href(&format!("/office/history?{same}&after={}", last.sequence)),
        None => String::new(),
    };
    let none = Given(None);
    let search = Search {
        action: "/office/history",
        fields: vec![
            none.text("organisation", words.organisation_code, organisation),
            none.kind("date", "since", words.from, since),
            none.text("delivery", words.delivery_id, delivery),
        ],
        button: words.search,
    };
    let table = Table {
        head: vec![words.at, words.event, words.by, words.about, words.note],
        rows: rows.collect(),
        empty: words.nothing_found,
        more,
        more_label: words.more,
        ..Table::default()
    };
    let csv = Part::Link(format!("/office/history.csv?{same}"), desk.guest.texts().as_csv.to_owned());
    let parts = vec![Part::Search(search), csv, Part::Table(table)];
    let (title, lead) = (words.history.to_owned(), words.history_lead.to_owned());
    desk.sheet(ask, Sheet { title, lead, parts, ..Sheet::default() })
}

/// The same as a file.
pub(in crate::fronts::https) fn history_csv(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    let asked = Sent::read(ask.query.as_bytes());
    let mut query = HistoryQuery { limit: usize::MAX, ..query(ask, desk, &asked) };
    let mut lines: Vec<HistoryLine> = Vec::new();
    loop {
        let page = ask.site.operations.history_for(&query, &desk.visit)?;
        let Some(last) = page.last() else { break };
        query.after = Some(last.sequence);
        lines.extend(page);
        if lines.len() >= MOST_LINES {
            lines.truncate(MOST_LINES);
            break;
        }
    }
    Ok(Reply::text(StatusCode::OK, "text/csv; charset=utf-8", forms::history_csv(&lines))
        .with_text(CONTENT_DISPOSITION, "attachment; filename=\"history.csv\""))
}

fn query(ask: &Ask, desk: &Desk, asked: &Sent) -> HistoryQuery {
    let usual = ask.site.operations.now().before(Span::from_days(USUAL_DAYS));
    let since = desk.read_first_day(ask, asked, ("since", "")).ok().flatten();
    let delivery = DeliveryId::parse(asked.field("delivery").trim()).ok();
    let after = asked.field("after").parse().ok();
    HistoryQuery {
        organisation: OrganisationCode::parse(asked.field("organisation").trim()).ok(),
        delivery,
        since: since.or_else(|| (delivery.is_none() && after.is_none()).then_some(usual)),
        after,
        limit: PAGE,
    }
}

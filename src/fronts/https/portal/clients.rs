//! The clients for which somebody works, with what is new and what ends soon (4.4-3). The deliveries of one lie at
//! `/clients/{code}/deliveries`; every such page says whose they are.

use askama::Template;

use super::access::wanted_in;
use super::page::{Frame, last_day};
use super::texts::mandates::Texts;
use super::texts::{expected, uploads};
use super::{Ask, Failure, Member};
use crate::fronts::https::reply::Reply;

#[derive(Template)]
#[template(path = "clients.html", config = "src/fronts/https/portal/askama.toml")]
struct Clients {
    frame: Frame,
    own: &'static Texts,
    files: &'static uploads::Texts,
    expected: &'static expected::Texts,
    wanted: String,
    has_any: bool,
    rows: Vec<Row>,
}

struct Row {
    code: String,
    name: String,
    new: u32,
    not_fetched: u32,
    ends_soon: u32,
    until: String,
    /// It has products that take participant files.
    has_files: bool,
    /// Files of it that are late.
    late: usize,
}

/// The list, those where something waits first.
pub(in crate::fronts::https) fn clients(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let operations = &ask.site.operations;
    let (own, wanted) = (Texts::of(member.guest.language), wanted_in(&ask.query));
    let mut clients = operations.clients(&member.visit.caller)?;
    let has_any = !clients.is_empty();
    let lower = wanted.to_lowercase();
    clients.retain(|view| view.code.as_str().contains(&lower) || view.name.as_str().to_lowercase().contains(&lower));
    clients.sort_by_key(|view| (view.counts.ends_soon == 0, view.counts.new == 0, view.name.as_str().to_lowercase()));
    let mut rows = Vec::new();
    for view in clients {
        let client = member.visit.caller.for_client(&view.code);
        rows.push(Row {
            late: super::uploads::expected::late(ask, &client)?,
            has_files: !operations.receipt_products(&client)?.is_empty(),
            code: view.code.to_string(),
            name: view.name.to_string(),
            new: view.counts.new,
            not_fetched: view.counts.not_fetched,
            ends_soon: view.counts.ends_soon,
            until: view
                .until
                .map_or_else(|| own.no_end.to_owned(), |until| last_day(operations, member.guest.language, until)),
        });
    }
    let files = uploads::Texts::of(member.guest.language);
    let expected = expected::Texts::of(member.guest.language);
    member.shown(&Clients { frame: member.frame(ask), own, files, expected, rows, has_any, wanted })
}

//! Agreements of organisations about products: the list, adding one, ending the one in force. Data
//! set and purpose never change (E17): that is another agreement.

use super::super::form::Form as Sent;
use super::sheet::{Cell, Form, Given, Mistake, Part, Search, Sheet, Table};
use super::{Ask, Desk, Failure, fits, sought, wanted};
use crate::domain::agreement::Agreement;
use crate::domain::moment::Span;
use crate::domain::names::{Line, OrganisationCode, ProductCode};
use crate::domain::office::OFFICE;
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::Act;
use crate::fronts::https::reply::Reply;
use crate::operations::NewAgreement;

/// The list.
pub(in crate::fronts::https) fn agreements(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    listing(ask, desk, None, String::new())
}

/// Adds one.
pub(in crate::fronts::https) fn add_agreement(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    let sent = Sent::read(&ask.content);
    let outcome = added(ask, desk, &sent);
    desk.after(outcome, ("/office/agreements", "added"), |error| listing(ask, desk, Some(&sent), error))
}

fn added(ask: &Ask, desk: &Desk, sent: &Sent) -> Result<(), Mistake> {
    let words = desk.words();
    let new = NewAgreement {
        organisation: desk.read(sent, ("organisation", words.organisation), OrganisationCode::parse)?,
        product: desk.read(sent, ("product", words.product), ProductCode::parse)?,
        purpose: desk.read(sent, ("purpose", words.purpose), Line::parse)?,
        retention: desk.read_some(sent, ("retention", words.retention), Span::parse)?,
        from: desk.read_first_day(ask, sent, ("from", words.from))?,
        until: desk.read_last_day(ask, sent, ("until", words.until))?,
        end_to_end: sent.field("sealed") == "yes",
        history_hidden: sent.field("hidden") == "yes",
    };
    ask.site.operations.add_agreement(new, &desk.visit)?;
    Ok(())
}

/// One agreement, in force or not.
pub(in crate::fronts::https) fn agreement(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    showing(ask, desk, String::new())
}

/// Ends the one in force.
pub(in crate::fronts::https) fn end_agreement(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    let sent = Sent::read(&ask.content);
    let (organisation, product) = place(ask)?;
    let outcome =
        desk.sure(&sent).and_then(|()| Ok(ask.site.operations.end_agreement(&organisation, &product, &desk.visit)?));
    let to = format!("/office/agreements/{organisation}/{product}");
    desk.after(outcome, (&to, "ended"), |error| showing(ask, desk, error))
}

fn place(ask: &Ask) -> Result<(OrganisationCode, ProductCode), Failure> {
    let missing = || Refusal::NotFound(What::Agreement);
    let organisation = OrganisationCode::parse(ask.segment(0)).map_err(|_| missing())?;
    Ok((organisation, ProductCode::parse(ask.segment(1)).map_err(|_| missing())?))
}

fn all(
    ask: &Ask,
    organisation: Option<&OrganisationCode>,
    keep: impl Fn(&Agreement) -> bool,
) -> Result<(Vec<Agreement>, bool), Failure> {
    sought(|after| ask.site.operations.agreements(organisation, after), Clone::clone, keep)
}

fn state(ask: &Ask, desk: &Desk, row: &Agreement) -> Cell {
    let (words, now) = (desk.words(), ask.site.operations.now());
    Cell::state(if row.is_in_force(now) {
        (words.in_force, "done")
    } else if row.ended_at.is_none() && now < row.from {
        (words.not_yet, "new")
    } else {
        (words.state_ended, "gone")
    })
}

fn listing(ask: &Ask, desk: &Desk, sent: Option<&Sent>, error: String) -> Result<Reply, Failure> {
    let (words, operations, given, wanted) = (desk.words(), &ask.site.operations, Given(sent), wanted(ask));
    let keep =
        |row: &Agreement| fits(&wanted, &[row.organisation.as_str(), row.product.as_str(), row.purpose.as_str()]);
    let (rows, has_more) = all(ask, None, keep)?;
    let rows = rows.iter().map(|row| {
        let link = desk.href(&format!("/office/agreements/{}/{}", row.organisation, row.product));
        vec![
            Cell::link(format!("{} {}", row.organisation, row.product), link),
            row.purpose.as_str().into(),
            desk.day(ask, row.from).into(),
            state(ask, desk, row),
        ]
    });
    let search = Search {
        action: "/office/agreements",
        fields: vec![Given(None).kind("search", "show", words.search_agreement, &wanted)],
        button: words.search,
    };
    let mut parts = vec![
        Part::Search(search),
        Part::Table(Table {
            head: vec![words.agreement, words.purpose, words.from, words.state],
            rows: rows.collect(),
            empty: words.nothing_found,
            ..Table::default()
        }),
    ];
    if has_more {
        parts.push(Part::Note(words.there_is_more.to_owned()));
    }
    if desk.may(Act::Administer) {
        let (known, _) =
            sought(|after| operations.organisations(after), |row| row.code.clone(), |row| row.code.as_str() != OFFICE)?;
        let (offered, _) = sought(|after| operations.products(after), |row| row.code.clone(), |_| true)?;
        let choose = desk.guest.texts().choose.to_owned();
        let mut organisations = vec![(String::new(), choose.clone())];
        organisations.extend(known.iter().map(|row| (row.code.to_string(), format!("{} ({})", row.name, row.code))));
        let mut products = vec![(String::new(), choose)];
        products.extend(offered.iter().map(|row| (row.code.to_string(), format!("{} ({})", row.name, row.code))));
        parts.push(Part::Form(Form {
            id: "add",
            title: words.add_agreement,
            lead: words.add_agreement_lead,
            action: desk.href("/office/agreements"),
            fields: vec![
                given.choice("organisation", words.organisation, organisations, ""),
                given.choice("product", words.product, products, ""),
                given.text("purpose", words.purpose, "").required().hinted(words.purpose_hint),
                given.text("retention", words.own_retention, "").hinted(words.own_retention_hint),
                given.kind("date", "from", words.from, "").hinted(words.agreement_from_hint),
                given.kind("date", "until", words.until, "").hinted(words.until_hint),
                given.kind("checkbox", "sealed", words.end_to_end_label, ""),
                given.kind("checkbox", "hidden", words.history_hidden, ""),
            ],
            button: words.add,
            ..Form::default()
        }));
    }
    desk.sheet(ask, Sheet { title: words.agreements.to_owned(), error, parts, ..Sheet::default() })
}

fn showing(ask: &Ask, desk: &Desk, error: String) -> Result<Reply, Failure> {
    let (words, (organisation, product)) = (desk.words(), place(ask)?);
    let (mut rows, _) = all(ask, Some(&organisation), |row| row.product == product)?;
    if rows.is_empty() {
        return Err(Refusal::NotFound(What::Agreement).into());
    }
    rows.sort_by_key(|row| core::cmp::Reverse((row.from, row.added_at)));
    let now = ask.site.operations.now();
    let is_in_force = rows.iter().any(|row| row.is_in_force(now));
    let mut parts = Vec::new();
    for row in &rows {
        let mut facts: Vec<(&'static str, Cell)> = vec![
            (words.state, state(ask, desk, row)),
            (words.purpose, row.purpose.as_str().into()),
            (words.from, desk.day(ask, row.from).into()),
        ];
        facts.extend(row.until.map(|until| (words.until, desk.last_day(ask, until).into())));
        facts.extend(row.ended_at.map(|at| (words.ended_on, desk.time(ask, at).into())));
        facts.extend(row.retention.map(|retention| (words.own_retention, retention.to_string().into())));
        facts.push((words.end_to_end, desk.yes_no(row.end_to_end).into()));
        facts.push((words.history_hidden, desk.yes_no(row.history_hidden).into()));
        parts.push(Part::Facts(facts));
    }
    if is_in_force && desk.may(Act::Administer) {
        parts.push(Part::Form(Form {
            id: "end",
            title: words.end_agreement,
            lead: words.end_agreement_lead,
            action: desk.href(&format!("/office/agreements/{organisation}/{product}/end")),
            fields: vec![Given(None).kind("checkbox", "sure", words.end_sure, "").required()],
            button: words.end_agreement,
            is_grave: true,
            ..Form::default()
        }));
    }
    let title = format!("{organisation} {product}");
    desk.sheet(ask, Sheet { title, back: desk.href("/office/agreements"), error, parts, ..Sheet::default() })
}

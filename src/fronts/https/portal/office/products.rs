//! Products: the list, adding one, changing one. Deliveries that are there stay as they are (F4).

use super::super::form::Form as Sent;
use super::sheet::{Cell, Form, Given, Mistake, Part, Sheet, Table};
use super::{Ask, Desk, Failure, sought};
use crate::domain::moment::Span;
use crate::domain::names::{Line, ProductCode};
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::Act;
use crate::fronts::https::reply::Reply;
use crate::operations::{NewProduct, ProductChange};

/// The list.
pub(in crate::fronts::https) fn products(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    listing(ask, desk, None, String::new())
}

/// Adds one.
pub(in crate::fronts::https) fn add_product(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    let sent = Sent::read(&ask.content);
    let outcome = added(ask, desk, &sent);
    desk.after(outcome, ("/office/products", "added"), |error| listing(ask, desk, Some(&sent), error))
}

fn added(ask: &Ask, desk: &Desk, sent: &Sent) -> Result<(), Mistake> {
    let words = desk.words();
    let is_ticked = |name: &str| sent.field(name) == "yes";
    let new = NewProduct {
        code: desk.read(sent, ("code", words.code), ProductCode::parse)?,
        name: desk.read(sent, ("name", words.name), Line::parse)?,
        retention: desk.read(sent, ("retention", words.retention), Span::parse)?,
        requires_marker: is_ticked("marker"),
        accepts_uploads: is_ticked("uploads"),
        end_to_end: is_ticked("sealed"),
    };
    ask.site.operations.add_product(new, &desk.visit)?;
    Ok(())
}

/// One product.
pub(in crate::fronts::https) fn product(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    showing(ask, desk, None, String::new())
}

/// Changes it.
pub(in crate::fronts::https) fn change_product(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    let sent = Sent::read(&ask.content);
    let outcome = changed(ask, desk, &sent);
    let to = format!("/office/products/{}", code_in(ask)?);
    desk.after(outcome, (&to, "saved"), |error| showing(ask, desk, Some(&sent), error))
}

fn changed(ask: &Ask, desk: &Desk, sent: &Sent) -> Result<(), Mistake> {
    let words = desk.words();
    let change = ProductChange {
        name: Some(desk.read(sent, ("name", words.name), Line::parse)?),
        retention: Some(desk.read(sent, ("retention", words.retention), Span::parse)?),
        requires_marker: Some(sent.field("marker") == "yes"),
        end_to_end: Some(sent.field("sealed") == "yes"),
    };
    Ok(ask.site.operations.change_product(&code_in(ask)?, change, &desk.visit)?)
}

fn code_in(ask: &Ask) -> Result<ProductCode, Failure> {
    ProductCode::parse(ask.segment(0)).map_err(|_| Refusal::NotFound(What::Product).into())
}

fn listing(ask: &Ask, desk: &Desk, sent: Option<&Sent>, error: String) -> Result<Reply, Failure> {
    let (words, given) = (desk.words(), Given(sent));
    let (rows, has_more) = sought(|after| ask.site.operations.products(after), |row| row.code.clone(), |_| true)?;
    let rows = rows.iter().map(|row| {
        vec![
            Cell::link(row.name.as_str(), desk.href(&format!("/office/products/{}", row.code))),
            row.code.as_str().into(),
            row.retention.to_string().into(),
            desk.yes_no(row.end_to_end).into(),
            desk.yes_no(row.accepts_uploads).into(),
        ]
    });
    let mut parts = vec![Part::Table(Table {
        head: vec![words.name, words.code, words.retention, words.end_to_end, words.accepts_uploads],
        rows: rows.collect(),
        empty: words.nothing_found,
        ..Table::default()
    })];
    if has_more {
        parts.push(Part::Note(words.there_is_more.to_owned()));
    }
    if desk.may(Act::Define) {
        parts.push(Part::Form(Form {
            id: "add",
            title: words.add_product,
            action: desk.href("/office/products"),
            fields: vec![
                given.text("code", words.code, "").required().hinted(words.code_hint),
                given.text("name", words.name, "").required(),
                given.text("retention", words.retention, "30d").required().hinted(words.retention_hint),
                given.kind("checkbox", "marker", words.requires_marker, ""),
                given.kind("checkbox", "uploads", words.accepts_uploads_label, ""),
                given.kind("checkbox", "sealed", words.end_to_end_label, ""),
            ],
            button: words.add,
            ..Form::default()
        }));
    }
    desk.sheet(ask, Sheet { title: words.products.to_owned(), error, parts, ..Sheet::default() })
}

fn showing(ask: &Ask, desk: &Desk, sent: Option<&Sent>, error: String) -> Result<Reply, Failure> {
    let (words, given) = (desk.words(), Given(sent));
    let row = ask.site.operations.product(&code_in(ask)?)?;
    let mut parts = vec![Part::Facts(vec![
        (words.code, row.code.as_str().into()),
        (words.retention, row.retention.to_string().into()),
        (words.requires_marker, desk.yes_no(row.requires_marker).into()),
        (words.accepts_uploads, desk.yes_no(row.accepts_uploads).into()),
        (words.end_to_end, desk.yes_no(row.end_to_end).into()),
        (words.added_on, desk.day(ask, row.added_at).into()),
    ])];
    let documents = desk.href(&format!("/office/products/{}/documents", row.code));
    parts.push(Part::Onward(documents, desk.document_words().of_product));
    if desk.may(Act::Define) {
        let ticked = |is_so: bool| if is_so { "yes" } else { "" };
        parts.push(Part::Form(Form {
            id: "change",
            title: words.change,
            lead: words.change_product_lead,
            action: desk.href(&format!("/office/products/{}", row.code)),
            fields: vec![
                given.text("name", words.name, row.name.as_str()).required(),
                given
                    .text("retention", words.retention, &row.retention.to_string())
                    .required()
                    .hinted(words.retention_hint),
                given.kind("checkbox", "marker", words.requires_marker, ticked(row.requires_marker)),
                given.kind("checkbox", "sealed", words.end_to_end_label, ticked(row.end_to_end)),
            ],
            button: words.save,
            ..Form::default()
        }));
    }
    let title = row.name.to_string();
    desk.sheet(ask, Sheet { title, back: desk.href("/office/products"), error, parts, ..Sheet::default() })
}

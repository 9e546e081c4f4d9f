//! Documents of a product in the office (F7): the list, adding one, another version of one, removing one.

use super::super::form::Form as Sent;
use super::super::texts::office_documents::Texts as Words;
use super::super::words::size;
use super::sheet::{Cell, Form, Given, Mistake, Part, Sheet, Table};
use super::{Ask, Desk, Failure};
use crate::domain::names::{FileName, ProductCode};
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::Act;
use crate::fronts::https::reply::Reply;

/// The documents of one product.
pub(in crate::fronts::https) fn documents(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    listing(ask, desk, String::new())
}

/// One of them.
pub(in crate::fronts::https) fn document(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    showing(ask, desk, String::new())
}

/// Removes it.
pub(in crate::fronts::https) fn remove_document(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    let sent = Sent::read(&ask.content);
    let outcome = removed(ask, desk, &sent);
    let to = base(ask)?;
    desk.after(outcome, (&to, "document-removed"), |error| showing(ask, desk, error))
}

fn removed(ask: &Ask, desk: &Desk, sent: &Sent) -> Result<(), Mistake> {
    desk.sure(sent)?;
    Ok(ask.site.operations.remove_document(&product(ask)?, &name(ask)?, &desk.visit)?)
}

/// The product that the path names.
pub(super) fn product(ask: &Ask) -> Result<ProductCode, Failure> {
    ProductCode::parse(ask.segment(0)).map_err(|_| Refusal::NotFound(What::Product).into())
}

/// The document that the path names.
pub(super) fn name(ask: &Ask) -> Result<FileName, Failure> {
    FileName::parse(ask.segment(1)).map_err(|_| Refusal::NotFound(What::File).into())
}

/// Where the documents of the product are.
pub(super) fn base(ask: &Ask) -> Result<String, Failure> {
    Ok(format!("/office/products/{}/documents", product(ask)?))
}

/// The list, with the form that adds one.
pub(super) fn listing(ask: &Ask, desk: &Desk, error: String) -> Result<Reply, Failure> {
    let (words, own, code) = (desk.words(), desk.document_words(), product(ask)?);
    let row = ask.site.operations.product(&code)?;
    let base = base(ask)?;
    let rows = ask.site.operations.all_documents(&code, &desk.visit)?;
    let rows = rows.iter().map(|row| {
        vec![
            Cell::link(row.name.as_str(), desk.href(&format!("{base}/{}", row.name))),
            row.version.as_ref().map(ToString::to_string).unwrap_or_default().into(),
            size(desk.guest.language, row.size_bytes).into(),
            desk.day(ask, row.added_at).into(),
        ]
    });
    let mut parts = vec![Part::Table(Table {
        head: vec![own.name, own.version, own.size, words.added_on],
        rows: rows.collect(),
        empty: own.none,
        ..Table::default()
    })];
    if desk.may(Act::Define) {
        let none = Given(None);
        parts.push(Part::Form(Form {
            id: "add",
            title: own.add,
            lead: own.add_lead,
            action: desk.href(&base),
            fields: vec![
                none.text("version", own.version, "").hinted(own.version_hint),
                none.kind("file", "file", own.file, "").required().hinted(own.file_hint),
            ],
            button: own.add,
            is_multipart: true,
            ..Form::default()
        }));
    }
    let title = format!("{}: {}", own.title, row.name);
    let back = desk.href(&format!("/office/products/{code}"));
    desk.sheet(ask, Sheet { title, lead: own.lead.to_owned(), back, error, parts })
}

/// One, with the forms that replace and remove it.
pub(super) fn showing(ask: &Ask, desk: &Desk, error: String) -> Result<Reply, Failure> {
    let (words, own, wanted) = (desk.words(), desk.document_words(), name(ask)?);
    let rows = ask.site.operations.all_documents(&product(ask)?, &desk.visit)?;
    let row = rows.into_iter().find(|row| row.name == wanted).ok_or(Refusal::NotFound(What::File))?;
    let base = base(ask)?;
    let mut facts: Vec<(&'static str, Cell)> = Vec::new();
    facts.extend(row.version.as_ref().map(|version| (own.version, version.as_str().into())));
    facts.push((own.size, size(desk.guest.language, row.size_bytes).into()));
    facts.push((words.added_on, desk.time(ask, row.added_at).into()));
    facts.push((own.digest, row.sha256.to_string().into()));
    let mut parts = vec![Part::Facts(facts)];
    if desk.may(Act::Define) {
        let none = Given(None);
        parts.push(Part::Form(Form {
            id: "replace",
            title: own.replace,
            lead: own.replace_lead,
            action: desk.href(&format!("{base}/{}/replace", row.name)),
            fields: vec![
                none.text("version", own.version, "").hinted(own.version_hint),
                none.kind("file", "file", own.file, "").required(),
            ],
            button: own.replace,
            is_multipart: true,
            ..Form::default()
        }));
        parts.push(Part::Form(Form {
            id: "remove",
            title: own.remove,
            lead: own.remove_lead,
            action: desk.href(&format!("{base}/{}/remove", row.name)),
            fields: vec![none.kind("checkbox", "sure", own.remove_sure, "").required()],
            button: own.remove,
            is_grave: true,
            ..Form::default()
        }));
    }
    let title = row.name.to_string();
    desk.sheet(ask, Sheet { title, back: desk.href(&base), error, parts, ..Sheet::default() })
}

impl Desk {
    /// The texts of these pages.
    pub(super) const fn document_words(&self) -> &'static Words {
        Words::of(self.guest.language)
    }
}

//! Documents of products, such as specifications (F7): what the member may read, by product.

use askama::Template;

use super::page::Frame;
use super::texts::documents::Texts;
use super::{Ask, Failure, Member, words};
use crate::domain::names::ProductCode;
use crate::fronts::https::api;
use crate::fronts::https::reply::Reply;

#[derive(Template)]
#[template(path = "documents.html", config = "src/fronts/https/portal/askama.toml")]
struct Page {
    frame: Frame,
    texts: &'static Texts,
    products: Vec<Shelf>,
}

/// The documents of one product.
pub(super) struct Shelf {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) documents: Vec<Document>,
}

/// One of them.
pub(super) struct Document {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) size: String,
    pub(super) added: String,
    pub(super) sha256: String,
}

/// Everything that the member may read.
pub(in crate::fronts::https) fn documents(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let mut products = Vec::new();
    for product in ask.site.operations.documented_products(&member.visit.caller)? {
        products.push(Shelf {
            documents: of_product(ask, member, &product.code)?,
            code: product.code.to_string(),
            name: product.name.to_string(),
        });
    }
    let texts = Texts::of(member.guest.language);
    member.shown(&Page { frame: member.frame(ask), texts, products })
}

/// The documents of one product.
pub(super) fn of_product(ask: &Ask, member: &Member, product: &ProductCode) -> Result<Vec<Document>, Failure> {
    let (operations, language) = (&ask.site.operations, member.guest.language);
    let rows = operations.documents(&member.visit.caller, product)?;
    let shown = rows.iter().map(|row| Document {
        name: row.name.to_string(),
        version: row.version.as_ref().map(ToString::to_string).unwrap_or_default(),
        size: words::size(language, row.size_bytes),
        added: words::date(language, operations.calendar().date_of(row.added_at)),
        sha256: row.sha256.to_string(),
    });
    Ok(shown.collect())
}

/// The bytes of one, as the API gives them.
pub(in crate::fronts::https) fn document(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    api::documents::content(ask, &member.visit.caller)
}

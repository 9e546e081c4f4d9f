//! Products: adding, changing, listing.

use super::{Failure, Officer, Operations};
use crate::domain::decision::Decision;
use crate::domain::history::{About, Event, Happening, Who};
use crate::domain::moment::Span;
use crate::domain::names::{Line, ProductCode};
use crate::domain::product::Product;
use crate::domain::record::Row;
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::Act;
use crate::domain::upload_share::UploadQuota;
use crate::ports::catalog::CatalogView;

/// What is needed to add a product.
#[derive(Clone, Debug)]
pub struct NewProduct {
    /// Short code.
    pub code: ProductCode,
    /// Full name.
    pub name: Line,
    /// How long its deliveries can be fetched.
    pub retention: Span,
    /// The spool accepts a drop of it only with a `.done` marker.
    pub requires_marker: bool,
    /// Recipients may upload participant files for it.
    pub accepts_uploads: bool,
    /// Every delivery of it is sealed to the recipients' own keys.
    pub end_to_end: bool,
}

/// What is to be different about a product; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct ProductChange {
    /// Full name.
    pub name: Option<Line>,
    /// How long new deliveries can be fetched.
    pub retention: Option<Span>,
    /// Whether the spool accepts a drop of it only with a `.done` marker.
    pub requires_marker: Option<bool>,
    /// Whether every new delivery of it is sealed to the recipients' own keys.
    pub end_to_end: Option<bool>,
    /// What the uploads of one organisation for it may take.
    pub upload_quota: Option<QuotaChange>,
}

/// What the uploads of one organisation for a product may take from now on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum QuotaChange {
    /// So many bytes. What is there already stays.
    Bytes(u64),
    /// What the configuration says.
    Configured,
}

impl Operations {
    /// Adds a product.
    ///
    /// # Errors
    /// `Exists` when the code is taken, `BadRequest` for a retention of nothing.
    pub fn add_product(&self, new: NewProduct, by: impl Into<Officer>) -> Result<Product, Failure> {
        let who = self.acting(by, Act::Define)?;
        refuse_no_retention(new.retention)?;
        let now = self.now();
        let product = Product {
            code: new.code,
            name: new.name,
            retention: new.retention,
            requires_marker: new.requires_marker,
            accepts_uploads: new.accepts_uploads,
            end_to_end: new.end_to_end,
            added_at: now,
        };
        let row = product.clone();
        self.catalog.decide(Box::new(move |view| {
            if view.find(&Product::key_of(&row.code))?.is_some() {
                return Err(Refusal::Exists(What::Product, row.code.to_string()).into());
            }
            let event = event(Happening::ProductAdded, &row.code, who).with_note(&terms(&row));
            Ok(Decision::new(now, event).put(row))
        }))?;
        Ok(product)
    }

    /// Changes a product. Deliveries that were published already stay as they are: their windows (F4), and
    /// whether the server can read them.
    ///
    /// # Errors
    /// `NotFound` for an unknown code, `BadRequest` for a retention of nothing.
    pub fn change_product(
        &self,
        code: &ProductCode,
        change: ProductChange,
        by: impl Into<Officer>,
    ) -> Result<(), Failure> {
        let who = self.acting(by, Act::Define)?;
        if let Some(retention) = change.retention {
            refuse_no_retention(retention)?;
        }
        let (now, code) = (self.now(), code.clone());
        self.catalog.decide(Box::new(move |view| {
            let mut row = product_of(view, &code)?;
            row.name = change.name.unwrap_or(row.name);
            row.retention = change.retention.unwrap_or(row.retention);
            row.requires_marker = change.requires_marker.unwrap_or(row.requires_marker);
            row.end_to_end = change.end_to_end.unwrap_or(row.end_to_end);
            let mut note = terms(&row);
            match change.upload_quota {
                Some(QuotaChange::Bytes(bytes)) => note.push_str(&format!(", {bytes} bytes of uploads")),
                Some(QuotaChange::Configured) => note.push_str(", uploads as configured"),
                None => {}
            }
            let decision = Decision::new(now, event(Happening::ProductChanged, &code, who).with_note(&note)).put(row);
            Ok(match change.upload_quota {
                Some(QuotaChange::Bytes(bytes)) => decision.put(UploadQuota { product: code, bytes }),
                Some(QuotaChange::Configured) => decision.remove(UploadQuota::key_of(&code)),
                None => decision,
            })
        }))?;
        Ok(())
    }

    /// One product.
    ///
    /// # Errors
    /// `NotFound` for an unknown code.
    pub fn product(&self, code: &ProductCode) -> Result<Product, Failure> {
        self.catalog.look(|view| product_of(view, code))
    }

    /// Products in order of code, those after `after` only.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn products(&self, after: Option<&ProductCode>) -> Result<Vec<Product>, Failure> {
        let after = after.map(Product::key_of);
        self.catalog.look(|view| Ok(view.rows(&Product::all(), after.as_ref(), self.settings.max_page)?))
    }
}

/// The product with this code.
pub(super) fn product_of(view: &dyn CatalogView, code: &ProductCode) -> Result<Product, Failure> {
    view.row::<Product>(&Product::key_of(code))?.ok_or_else(|| Refusal::NotFound(What::Product).into())
}

pub(super) fn refuse_no_retention(retention: Span) -> Result<(), Refusal> {
    if retention == Span::ZERO {
        return Err(Refusal::BadRequest("a retention must be longer than nothing, such as 30d".to_owned()));
    }
    Ok(())
}

/// What the history says of a product: its retention, and that it is end to end.
fn terms(product: &Product) -> String {
    let retention = product.retention.to_string();
    if product.end_to_end { format!("{retention}, end to end") } else { retention }
}

fn event(what: Happening, code: &ProductCode, who: impl Into<Who>) -> Event {
    let about = About { product: Some(code.clone()), ..About::default() };
    Event::new(what, who.into(), about)
}

//! Documents of products, such as specifications (F7): the operator adds and removes them, accounts
//! that are coupled to the product see and read them. Reading one is on record.

mod read;
mod take;

use std::sync::Arc;

pub use read::DocumentRead;

use super::back_up::all;
use super::manage_products::product_of;
use super::{Caller, Failure, Officer, Operations, Source, case_of};
use crate::domain::decision::Decision;
use crate::domain::delivery::Payload;
use crate::domain::history::{About, Event, Happening, Who};
use crate::domain::ids::PayloadId;
use crate::domain::moment::Moment;
use crate::domain::names::{FileName, Line, OrganisationCode, ProductCode};
use crate::domain::product::Product;
use crate::domain::product_document::ProductDocument;
use crate::domain::record::DoomedPayload;
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::{Act, Right, permits};
use crate::ports::catalog::CatalogView;
use crate::ports::keyring::FileKey;
use crate::ports::secrets::Secrets;

/// Bounds of documents, from `[storage]`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DocumentSettings {
    /// So many documents of one product.
    pub max_per_product: usize,
    /// One has at most so many bytes.
    pub max_bytes: u64,
}

/// The purpose under which file keys of documents are derived.
const DOCUMENT_KEY: &str = "product document";

/// An account is coupled to at most so many products, over all organisations that it acts for.
const MOST_RIGHTS: usize = 100_000;

impl Operations {
    /// Adds a document to a product: sealed and durable first, then on record, as a delivery.
    ///
    /// # Errors
    /// `NotFound` for the product, `Exists` for the name, `TooMuch` beyond the bounds, `BadRequest` for an empty file, `NoSpace`, `Changed` when the
    /// file changed while it was read.
    pub fn add_document(
        &self,
        product: &ProductCode,
        (name, version): (&FileName, Option<&Line>),
        source: &dyn Source,
        by: impl Into<Officer>,
    ) -> Result<ProductDocument, Failure> {
        let who = self.acting(by, Act::Define)?;
        let settings = self.settings.documents;
        self.catalog.look(|view| has_room(view, product, name, settings))?;
        if source.size_bytes() > settings.max_bytes {
            let most = settings.max_bytes;
            return Err(
                Refusal::TooMuch(format!("a document has at most {most} bytes (storage.max_document_bytes)")).into()
            );
        }
        if source.size_bytes() == 0 {
            return Err(Refusal::BadRequest(format!("{name} is empty")).into());
        }
        let id = PayloadId::from_random(self.entropy.sixteen());
        let key = document_key(self.secrets.as_ref(), id)?;
        let added = self.store_document(id, &key, source).and_then(|payload| {
            let now = self.now();
            let document = ProductDocument {
                product: product.clone(),
                name: name.clone(),
                version: version.cloned(),
                size_bytes: payload.size_bytes,
                sha256: payload.sha256,
                payload: id,
                added_at: now,
            };
            let row = document.clone();
            self.catalog.decide(Box::new(move |view| {
                has_room(view, &row.product, &row.name, settings)?;
                let added = event(Happening::ProductDocumentAdded, who, None, &row);
                let added = added.with_bytes(row.size_bytes).with_note(&row.sha256.to_string());
                Ok(Decision::new(now, added).put(payload).put(row).leaving_access_as_it_is())
            }))?;
            Ok(document)
        });
        match added {
            // it may be on record: the next start tells
            Err(Failure::Faulted(fault)) if fault.outcome_unknown() => Err(fault.into()),
            Err(failure) => {
                self.vault.remove(id)?;
                Err(failure)
            }
            Ok(document) => Ok(document),
        }
    }

    fn store_document(&self, id: PayloadId, key: &FileKey, source: &dyn Source) -> Result<Payload, Failure> {
        let stored = self.vault.store(id, key, None, source.open()?.as_mut())?;
        source.verify_unchanged()?;
        Ok(Payload {
            id,
            size_bytes: stored.size_bytes,
            sha256: stored.sha256,
            sealed_bytes: stored.sealed_bytes,
            sealed_sha256: stored.sealed_sha256,
            // the document itself
            headers: 1,
        })
    }

    /// Removes a document: nobody sees or opens it any more, and its bytes go.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn remove_document(
        &self,
        product: &ProductCode,
        name: &FileName,
        by: impl Into<Officer>,
    ) -> Result<(), Failure> {
        let who = self.acting(by, Act::Define)?;
        self.end_document(product, name, who, "")?;
        self.sweep_doomed()?;
        Ok(())
    }

    fn end_document(&self, product: &ProductCode, name: &FileName, who: Who, why: &str) -> Result<(), Failure> {
        let (now, key, why) = (self.now(), ProductDocument::key_of(product, name), why.to_owned());
        self.catalog.decide(Box::new(move |view| {
            let row = view.row::<ProductDocument>(&key)?.ok_or(Refusal::NotFound(What::File))?;
            let mut event = event(Happening::ProductDocumentRemoved, who, None, &row);
            if !why.is_empty() {
                event = event.with_note(&why);
            }
            let mut decision = Decision::new(now, event).remove(key);
            if let Some(payload) = view.row::<Payload>(&Payload::key_of(row.payload))? {
                decision = decision.put(Payload { headers: 0, ..payload }).put(DoomedPayload { payload: row.payload });
            }
            Ok(decision)
        }))?;
        Ok(())
    }

    /// The documents of a product, for the operator, in order of name.
    ///
    /// # Errors
    /// `NotFound` for the product.
    pub fn all_documents(
        &self,
        product: &ProductCode,
        by: impl Into<Officer>,
    ) -> Result<Vec<ProductDocument>, Failure> {
        self.acting(by, Act::Oversee)?;
        self.catalog.look(|view| {
            product_of(view, product)?;
            documents(view, product, self.settings.documents)
        })
    }

    /// Products that have documents which the caller may see, in order of code.
    ///
    /// # Errors
    /// A fault of the store; who may see nothing gets nothing.
    pub fn documented_products(&self, caller: &Caller) -> Result<Vec<Product>, Failure> {
        let now = self.now();
        self.catalog.look(|view| {
            let rights = view.rows::<Right>(&Right::keys_of(&caller.login, None), None, MOST_RIGHTS)?;
            let mut codes: Vec<ProductCode> = rights.into_iter().map(|right| right.product).collect();
            codes.sort();
            codes.dedup();
            let mut products = Vec::new();
            for code in codes {
                let has_some = !view.rows::<ProductDocument>(&ProductDocument::keys_of(&code), None, 1)?.is_empty();
                if has_some && may(Act::Browse, view, caller, &code, now)?.is_ok() {
                    products.extend(view.row::<Product>(&Product::key_of(&code))?);
                }
            }
            Ok(products)
        })
    }

    /// The documents of a product that the caller is coupled to, in order of name.
    ///
    /// # Errors
    /// `NotFound` for a product that the caller may not know, `Blocked`, `Ended`.
    pub fn documents(&self, caller: &Caller, product: &ProductCode) -> Result<Vec<ProductDocument>, Failure> {
        let now = self.now();
        self.catalog.look(|view| {
            may(Act::Browse, view, caller, product, now)??;
            documents(view, product, self.settings.documents)
        })
    }

    /// One of them.
    ///
    /// # Errors
    /// As `documents`; `NotFound` for the name.
    pub fn document(
        &self,
        caller: &Caller,
        product: &ProductCode,
        name: &FileName,
    ) -> Result<ProductDocument, Failure> {
        let now = self.now();
        self.catalog.look(|view| {
            may(Act::Browse, view, caller, product, now)??;
            found(view, product, name)
        })
    }

    /// Opens one of them for reading.
    ///
    /// # Errors
    /// As `document`; `ServiceEnded` where fetching was ended (J7); `TooMuch` when the account has too many files open.
    pub fn open_document(
        self: &Arc<Self>,
        caller: &Caller,
        product: &ProductCode,
        name: &FileName,
    ) -> Result<DocumentRead, Failure> {
        // before the right is judged: what changes after it makes another version
        let version = self.catalog.version();
        let now = self.now();
        let document = self.catalog.look(|view| {
            may(Act::Fetch, view, caller, product, now)??;
            found(view, product, name)
        })?;
        self.count_open(caller)?;
        let opened = document_key(self.secrets.as_ref(), document.payload)
            .and_then(|key| self.vault.open(document.payload, &key));
        match opened {
            Ok(reader) => Ok(DocumentRead::new(Arc::clone(self), caller.clone(), document, reader, version)),
            Err(failure) => {
                self.uncount_open(caller);
                Err(failure)
            }
        }
    }

    /// After a restore: documents whose payload is not there.
    pub(super) fn lost_documents(&self) -> Result<Vec<ProductDocument>, Failure> {
        let key_of = |row: &ProductDocument| ProductDocument::key_of(&row.product, &row.name);
        let rows = self.catalog.look(|view| all(view, key_of, |row| row))?;
        let mut lost = Vec::new();
        for row in rows {
            let payload = self.catalog.look(|view| Ok(view.row::<Payload>(&Payload::key_of(row.payload))?))?;
            let is_there = match payload {
                Some(payload) => self.vault.find(payload.id)? == Some(payload.sealed_bytes),
                None => false,
            };
            if !is_there {
                lost.push(row);
            }
        }
        Ok(lost)
    }

    /// Ends what a restore lost.
    pub(super) fn end_lost_documents(&self, lost: &[ProductDocument], who: &Who, why: &str) -> Result<(), Failure> {
        lost.iter().try_for_each(|row| self.end_document(&row.product, &row.name, who.clone(), why))
    }
}

/// The file key of a document follows from the id of its payload, under the keyring's deriving key: documents have
/// no window, so no shred key, and no one recipient, so no organisation's identity.
pub(super) fn document_key(secrets: &dyn Secrets, id: PayloadId) -> Result<FileKey, Failure> {
    let derived = secrets.derive(DOCUMENT_KEY, id.as_bytes())?;
    let mut key = [0; 16];
    for (to, from) in key.iter_mut().zip(derived) {
        *to = from;
    }
    Ok(FileKey::new(key))
}

/// Whether the caller may see (`Browse`) or read (`Fetch`) the documents of a product: coupled to it for any
/// recipient (F7). Of several refusals, the one about the own standing counts.
fn may(
    act: Act,
    view: &dyn CatalogView,
    caller: &Caller,
    product: &ProductCode,
    now: Moment,
) -> Result<Result<(), Refusal>, Failure> {
    let rights = view.rows::<Right>(&Right::keys_of(&caller.login, None), None, MOST_RIGHTS)?;
    let mut recipients: Vec<OrganisationCode> =
        rights.into_iter().filter(|right| right.product == *product).map(|right| right.recipient).collect();
    if recipients.is_empty() {
        recipients.push(caller.organisation.clone());
    }
    let mut outcome = Err(Refusal::NotFound(What::Folder));
    for recipient in recipients {
        let caller = if recipient == caller.organisation { caller.itself() } else { caller.for_client(&recipient) };
        match permits(act, case_of(view, &caller, &recipient, Some(product), now)?) {
            Ok(()) => return Ok(Ok(())),
            Err(Refusal::NotFound(_)) => {}
            Err(refusal) => outcome = Err(refusal),
        }
    }
    Ok(outcome)
}

fn has_room(
    view: &dyn CatalogView,
    product: &ProductCode,
    name: &FileName,
    settings: DocumentSettings,
) -> Result<(), Failure> {
    product_of(view, product)?;
    if view.find(&ProductDocument::key_of(product, name))?.is_some() {
        return Err(Refusal::Exists(What::File, format!("{name}; give the new version a name of its own")).into());
    }
    let most = settings.max_per_product;
    if view.rows::<ProductDocument>(&ProductDocument::keys_of(product), None, most)?.len() >= most {
        let told = format!("{product} has {most} documents (storage.max_documents); remove one first");
        return Err(Refusal::TooMuch(told).into());
    }
    Ok(())
}

fn found(view: &dyn CatalogView, product: &ProductCode, name: &FileName) -> Result<ProductDocument, Failure> {
    let row = view.row::<ProductDocument>(&ProductDocument::key_of(product, name))?;
    row.ok_or_else(|| Refusal::NotFound(What::File).into())
}

/// Up to the bound that held when they were added: a smaller one later hides none.
fn documents(
    view: &dyn CatalogView,
    product: &ProductCode,
    settings: DocumentSettings,
) -> Result<Vec<ProductDocument>, Failure> {
    let most = settings.max_per_product.max(MOST_DOCUMENTS);
    Ok(view.rows::<ProductDocument>(&ProductDocument::keys_of(product), None, most)?)
}

/// The largest bound that the configuration takes.
pub const MOST_DOCUMENTS: usize = 1_000;

fn event(what: Happening, who: Who, organisation: Option<OrganisationCode>, row: &ProductDocument) -> Event {
    let about =
        About { organisation, product: Some(row.product.clone()), file: Some(row.name.clone()), ..About::default() };
    Event::new(what, who, about)
}

//! Documents as they come in from a person of the office: read once, bounded while they are read, added or put in
//! the place of the version before. Which bytes those are, fronts know.

use std::io::{self, Read};

use super::{document_key, event, found, has_room};
use crate::domain::decision::Decision;
use crate::domain::delivery::Payload;
use crate::domain::history::Happening;
use crate::domain::ids::PayloadId;
use crate::domain::names::{FileName, Line, ProductCode};
use crate::domain::product_document::ProductDocument;
use crate::domain::record::DoomedPayload;
use crate::domain::refusal::Refusal;
use crate::domain::rights::Act;
use crate::operations::{Failure, Officer, Operations};

impl Operations {
    /// Takes a document from whoever sends it: sealed as it comes, durable first, then on record. With `replaces` it
    /// takes the place of the document of that name in one decision: whoever asks finds the one or the other.
    ///
    /// # Errors
    /// As `add_document`; with `replaces` `NotFound` for the name. What does not come whole is a fault of `content`,
    /// and nothing is kept of it.
    pub fn take_document(
        &self,
        product: &ProductCode,
        (name, version): (&FileName, Option<&Line>),
        content: &mut (dyn Read + Send),
        replaces: bool,
        by: impl Into<Officer>,
    ) -> Result<ProductDocument, Failure> {
        let by = by.into();
        self.acting(by.clone(), Act::Define)?;
        let settings = self.settings.documents;
        self.catalog.look(|view| {
            if replaces { found(view, product, name).map(drop) } else { has_room(view, product, name, settings) }
        })?;
        let id = PayloadId::from_random(self.entropy.sixteen());
        let key = document_key(self.secrets.as_ref(), id)?;
        let mut bounded = Bounded { content, left_bytes: settings.max_bytes, is_exceeded: false };
        let stored = self.vault.store(id, &key, None, &mut bounded);
        if bounded.is_exceeded {
            // what was stored before the bound is gone with the fault
            let most = settings.max_bytes;
            return Err(
                Refusal::TooMuch(format!("a document has at most {most} bytes (storage.max_document_bytes)")).into()
            );
        }
        let stored = stored?;
        let payload = Payload {
            id,
            size_bytes: stored.size_bytes,
            sha256: stored.sha256,
            sealed_bytes: stored.sealed_bytes,
            sealed_sha256: stored.sealed_sha256,
            headers: 1,
        };
        let outcome = self.put_on_record(product, (name, version), payload, replaces, by);
        match outcome {
            // it may be on record: the next start tells
            Err(Failure::Faulted(fault)) if fault.outcome_unknown() => Err(fault.into()),
            Err(failure) => {
                self.vault.remove(id)?;
                Err(failure)
            }
            Ok(document) => {
                if replaces {
                    self.sweep_doomed()?;
                }
                Ok(document)
            }
        }
    }

    fn put_on_record(
        &self,
        product: &ProductCode,
        (name, version): (&FileName, Option<&Line>),
        payload: Payload,
        replaces: bool,
        by: Officer,
    ) -> Result<ProductDocument, Failure> {
        if payload.size_bytes == 0 {
            return Err(Refusal::BadRequest(format!("{name} is empty")).into());
        }
        // it may have taken long: who sends it must still be who may
        let who = self.acting(by, Act::Define)?;
        let (now, settings) = (self.now(), self.settings.documents);
        let document = ProductDocument {
            product: product.clone(),
            name: name.clone(),
            version: version.cloned(),
            size_bytes: payload.size_bytes,
            sha256: payload.sha256,
            payload: payload.id,
            added_at: now,
        };
        let row = document.clone();
        self.catalog.decide(Box::new(move |view| {
            let added = event(Happening::ProductDocumentAdded, who.clone(), None, &row);
            let added = added.with_bytes(row.size_bytes).with_note(&row.sha256.to_string());
            let mut decision = if replaces {
                let before = found(view, &row.product, &row.name)?;
                let removed = event(Happening::ProductDocumentRemoved, who, None, &before);
                let decision = Decision::new(now, removed.with_note("replaced")).and(added);
                match view.row::<Payload>(&Payload::key_of(before.payload))? {
                    Some(old) => {
                        decision.put(Payload { headers: 0, ..old }).put(DoomedPayload { payload: before.payload })
                    }
                    None => decision,
                }
            } else {
                has_room(view, &row.product, &row.name, settings)?;
                Decision::new(now, added)
            };
            decision = decision.put(payload).put(row);
            // who has the version before open is asked again, as when it is removed
            Ok(if replaces { decision } else { decision.leaving_access_as_it_is() })
        }))?;
        Ok(document)
    }
}

/// Stops with an error where more comes than may.
struct Bounded<'a> {
    content: &'a mut (dyn Read + Send),
    left_bytes: u64,
    is_exceeded: bool,
}

impl Read for Bounded<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = self.content.read(into)?;
        match self.left_bytes.checked_sub(length as u64) {
            Some(left) => {
                self.left_bytes = left;
                Ok(length)
            }
            None => {
                self.is_exceeded = true;
                Err(io::Error::other("more comes than a document may have"))
            }
        }
    }
}

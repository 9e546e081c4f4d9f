//! Recovery before serving, and the removal of doomed payloads. Never touches
//! a payload that a row with headers names (I2, I6, I7, I9).

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use super::{Failure, Operations};
use crate::domain::bodies::BodySlot;
use crate::domain::decision::Decision;
use crate::domain::delivery::Payload;
use crate::domain::history::{About, Event, Happening, Who};
use crate::domain::ids::PayloadId;
use crate::domain::moment::Span;
use crate::domain::record::{DoomedPayload, Row};
use crate::domain::zip_layout::FileChecksum;

/// What recovery found and did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Recovery {
    /// Keys of event bodies that are gone without having been destroyed: their events cannot be read.
    pub lost_body_keys: Vec<BodySlot>,
    /// Temporary files that were deleted.
    pub temporaries: usize,
    /// Payloads without a row that were set aside for seven days.
    pub set_aside: Vec<PayloadId>,
    /// Payloads without a row that were left alone, because this start repaired the catalog.
    pub left_alone: Vec<PayloadId>,
    /// Rows whose payload is not there or has another size: an alarm.
    pub missing: Vec<PayloadId>,
    /// Payloads whose removal had been decided.
    pub removed: usize,
    /// Parts of uploads that nobody can resume any more.
    pub uploads_removed: usize,
    /// Payloads that had been set aside long enough and are gone now.
    pub purged: usize,
}

/// What was set aside is kept so long, for whoever wants to find out where it came from.
const ASIDE_KEPT: Span = Span::from_days(7);

/// Payload rows are read so many at a time.
const PAGE: usize = 10_000;

impl Operations {
    /// Brings vault and catalog together before anything is served. Idempotent, also when killed (I9).
    ///
    /// # Errors
    /// A fault of catalog or vault.
    pub fn recover(&self) -> Result<Recovery, Failure> {
        let mut recovery = Recovery { temporaries: self.vault.sweep_temporaries()?, ..Recovery::default() };
        recovery.lost_body_keys = self.lost_body_keys()?;
        recovery.removed = self.sweep_doomed()?;
        recovery.uploads_removed = self.recover_uploads()?;
        self.sweep_handover()?;
        let mut known = BTreeSet::new();
        let mut after = None;
        loop {
            let page: Vec<Payload> =
                self.catalog.look(|view| Ok(view.rows(&Payload::all(), after.as_ref(), PAGE)?))?;
            let Some(last) = page.last() else { break };
            after = Some(Payload::key_of(last.id));
            for payload in page {
                if self.vault.find(payload.id)? != Some(payload.sealed_bytes) {
                    recovery.missing.push(payload.id);
                }
                known.insert(payload.id);
            }
        }
        let is_whole = recovery.missing.is_empty() && recovery.lost_body_keys.is_empty();
        self.start_missed.store(!is_whole, Ordering::Relaxed);
        let may_clear = !self.catalog.was_repaired();
        if may_clear && self.is_clock_trusted() {
            recovery.purged = self.vault.purge_set_aside(ASIDE_KEPT)?;
        }
        for id in self.vault.inventory()? {
            if known.contains(&id) {
                continue;
            }
            if may_clear {
                self.vault.set_aside(id)?;
                recovery.set_aside.push(id);
            } else {
                recovery.left_alone.push(id);
            }
        }
        Ok(recovery)
    }

    /// Removes payloads that lost their last header: first from the vault, then from the record.
    ///
    /// # Errors
    /// A fault of catalog or vault; the rest is removed in the next round.
    pub(super) fn sweep_doomed(&self) -> Result<usize, Failure> {
        let mut removed = 0;
        loop {
            let doomed: Vec<DoomedPayload> =
                self.catalog.look(|view| Ok(view.rows(&DoomedPayload::all(), None, PAGE)?))?;
            if doomed.is_empty() {
                return Ok(removed);
            }
            for doomed in &doomed {
                self.vault.remove(doomed.payload)?;
            }
            removed += doomed.len();
            let now = self.now();
            self.catalog.decide(Box::new(move |_| {
                let note = format!("{} payloads", doomed.len());
                let event = Event::new(Happening::PayloadRemoved, Who::system(), About::default()).with_note(&note);
                Ok(doomed.iter().fold(Decision::new(now, event), |decision, doomed| {
                    decision
                        .remove(Payload::key_of(doomed.payload))
                        .remove(FileChecksum::key_of(doomed.payload))
                        .remove(DoomedPayload::key_of(doomed.payload))
                }))
            }))?;
        }
    }
}

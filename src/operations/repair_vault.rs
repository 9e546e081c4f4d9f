//! Payloads that were lost or damaged are put back out of a copy, such as a backup. Which ones, the
//! record and a reading of the whole vault say; nothing else is touched.

use std::collections::BTreeSet;
use std::io::Read;

use super::back_up::all;
use super::check_deep::held_against_record;
use super::{Failure, Fault, Operations};
use crate::domain::decision::Decision;
use crate::domain::delivery::Payload;
use crate::domain::history::{About, Channel, Event, Happening, Who};
use crate::domain::ids::PayloadId;
use crate::domain::record::DoomedPayload;
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::{Act, Case, Ground, permits};

/// The copy of a payload, if there is one.
pub type CopyOf<'a> = &'a dyn Fn(PayloadId) -> Result<Option<Box<dyn Read>>, Fault>;

/// What a repair did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RepairReport {
    /// Payloads that were read.
    pub read: usize,
    /// Payloads that were put back, each on record.
    pub repaired: Vec<PayloadId>,
    /// Payloads that are still missing or damaged, and why.
    pub left: Vec<(PayloadId, String)>,
}

impl Operations {
    /// Reads every payload on record, and puts those back that are not what was stored. What is put back is held
    /// against the digest on record first.
    ///
    /// # Errors
    /// A fault of the catalog. A copy that cannot be used is in the report.
    pub fn repair_vault(&self, copy_of: CopyOf<'_>, channel: Channel) -> Result<RepairReport, Failure> {
        permits(Act::Administer, Case::operator(Ground::None))?;
        let mut report = RepairReport::default();
        let (doomed, payloads) = self.catalog.look(|view| {
            let doomed = all(view, |row: &DoomedPayload| DoomedPayload::key_of(row.payload), |row| row.payload)?;
            Ok((doomed, all(view, |row: &Payload| Payload::key_of(row.id), |row| row)?))
        })?;
        let doomed: BTreeSet<PayloadId> = doomed.into_iter().collect();
        for payload in payloads.into_iter().filter(|payload| !doomed.contains(&payload.id)) {
            report.read += 1;
            let Err(damage) = held_against_record(self.vault.as_ref(), &payload, &mut |_| {}) else { continue };
            if self.has_payload_ended(payload.id)? {
                continue;
            }
            match self.put_back(&payload, copy_of, channel) {
                Ok(()) => report.repaired.push(payload.id),
                Err(failure) => report.left.push((payload.id, format!("{damage}; {failure}"))),
            }
        }
        Ok(report)
    }

    fn put_back(&self, payload: &Payload, copy_of: CopyOf<'_>, channel: Channel) -> Result<(), Failure> {
        let copy = copy_of(payload.id)?;
        let mut copy = copy.ok_or_else(|| Fault::new("there is no copy of it"))?;
        self.vault.put_back(payload, &mut copy)?;
        let (now, id) = (self.now(), payload.id);
        let event = Event::new(Happening::PayloadRepaired, Who::operator(channel), About::default());
        let event = event.with_note(&format!("payload {id}")).with_bytes(payload.sealed_bytes);
        let recorded = self.catalog.decide(Box::new(move |view| match view.find(&Payload::key_of(id))? {
            Some(_) => Ok(Decision::new(now, event).leaving_access_as_it_is()),
            None => Err(Refusal::NotFound(What::File).into()),
        }));
        match recorded {
            // it ended in the meantime
            Err(Failure::Refused(_)) => Ok(self.vault.remove(id)?),
            recorded => recorded.map(|_| ()),
        }
    }
}

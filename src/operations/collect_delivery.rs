//! Opening a file of a delivery for fetching: who may, with which keys, and how many
//! at once. What happens while it is read is in `fetch.rs`.

use std::sync::{Arc, Weak};

use sha2::{Digest as _, Sha256};

use super::browse::delivery_of;
use super::fetch::{Body, Fetch, Opening, Tracker};
use super::{Caller, Failure, Fault, Operations, locked, with_presence};
use crate::domain::delivery::{DeliveredFile, Delivery, DeliveryPart, FileCoverage, SealedHeader};
use crate::domain::digest::Digest;
use crate::domain::ids::DeliveryId;
use crate::domain::moment::Moment;
use crate::domain::names::FileName;
use crate::domain::packing_slip;
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::{Act, permits};
use crate::ports::catalog::CatalogView;
use crate::ports::keyring::HeaderBinding;

enum Opened {
    Text(Box<Delivery>, FileName, String),
    Data(Box<(Delivery, DeliveredFile, SealedHeader, Option<FileCoverage>)>),
}

impl Operations {
    /// Opens one file of a delivery for the caller.
    ///
    /// # Errors
    /// `NotFound` when it is not there or not for the caller, `Gone` when its window ended or it was
    /// withdrawn, `TooMuch` when the account has too many files open; faults of catalog, keys or vault.
    pub fn open_part(self: &Arc<Self>, caller: &Caller, id: DeliveryId, part: DeliveryPart) -> Result<Fetch, Failure> {
        self.open(caller, id, part, true)
    }

    /// As `open_part`, as a part of something that is counted already.
    pub(super) fn open_within(
        self: &Arc<Self>,
        caller: &Caller,
        id: DeliveryId,
        part: DeliveryPart,
    ) -> Result<Fetch, Failure> {
        self.open(caller, id, part, false)
    }

    fn open(
        self: &Arc<Self>,
        caller: &Caller,
        id: DeliveryId,
        part: DeliveryPart,
        is_counted: bool,
    ) -> Result<Fetch, Failure> {
        let now = self.now();
        // before the look: a right that is removed in between is missed by neither
        let version = self.catalog.version();
        let _ticket = self.headers_in_hand.take();
        let opened = self.catalog.look(|view| find_part(self, view, caller, id, part, now))?;
        if is_counted {
            self.count_open(caller)?;
        }
        let built = self.build_body(opened);
        let (delivery, name, body, sha256) = match built {
            Ok(built) => built,
            Err(failure) => {
                if is_counted {
                    self.uncount_open(caller);
                }
                return Err(failure);
            }
        };
        Ok(Fetch::new(self, caller, delivery, name, body, sha256, Opening { version, is_counted }))
    }

    fn build_body(&self, opened: Opened) -> Result<(Delivery, FileName, Body, Digest), Failure> {
        match opened {
            Opened::Text(delivery, name, text) => {
                let sha256 = Digest::new(Sha256::digest(text.as_bytes()).into());
                Ok((*delivery, name, Body::Text(text.into_bytes()), sha256))
            }
            Opened::Data(found) => {
                let (delivery, file, sealed, saved) = *found;
                let binding = HeaderBinding { payload: file.payload, delivery: delivery.id };
                let header = self.keyring.unseal_header(&sealed.slot, binding, &sealed.sealed)?;
                let reader = if delivery.end_to_end {
                    self.vault.open_sealed(file.payload, header)?
                } else {
                    let key = self.keyring.open_header(&delivery.organisation, &header)?;
                    self.vault.open(file.payload, &key)?
                };
                if reader.size_bytes() != file.size_bytes {
                    return Err(
                        Fault::new(format!("open payload {}: its size is not as recorded", file.payload)).into()
                    );
                }
                let tracker = self.tracker(delivery.id, file.number, saved);
                let body = Body::Sealed { reader, number: file.number, tracker };
                Ok((delivery, file.name, body, file.sha256))
            }
        }
    }

    fn tracker(&self, delivery: DeliveryId, number: u32, saved: Option<FileCoverage>) -> Arc<Tracker> {
        let mut trackers = locked(&self.trackers);
        if let Some(tracker) = trackers.get(&(delivery, number)).and_then(Weak::upgrade) {
            return tracker;
        }
        let taken = saved.map(|saved| saved.coverage).unwrap_or_default();
        let tracker = Arc::new(Tracker::new(taken));
        if trackers.len() >= SWEEP_TRACKERS_AT {
            trackers.retain(|_, tracker| tracker.strong_count() > 0);
        }
        trackers.insert((delivery, number), Arc::downgrade(&tracker));
        tracker
    }

    /// Keeps what was let go of a file that is not fetched whole: whoever goes on where a cut left off completes it.
    pub(super) fn keep_tracker(&self, tracker: &Arc<Tracker>) {
        let mut kept = locked(&self.kept_trackers);
        kept.retain(|other| !Arc::ptr_eq(other, tracker));
        if kept.len() >= MOST_KEPT_TRACKERS {
            kept.pop_front();
        }
        kept.push_back(Arc::clone(tracker));
    }

    pub(super) fn count_open(&self, caller: &Caller) -> Result<(), Failure> {
        let mut open = locked(&self.open_fetches);
        let count = open.entry(caller.login.clone()).or_default();
        if *count >= self.settings.max_open_fetches {
            let bound = self.settings.max_open_fetches;
            return Err(Refusal::TooMuch(format!("this account has {bound} files open; close some first")).into());
        }
        *count += 1;
        Ok(())
    }

    pub(super) fn uncount_open(&self, caller: &Caller) {
        let mut open = locked(&self.open_fetches);
        if let Some(count) = open.get_mut(&caller.login) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.remove(&caller.login);
            }
        }
    }
}

/// So many files that were not fetched whole are remembered, with what was let go of them; of an older one, and of
/// all after a restart, only what was taken is known.
const MOST_KEPT_TRACKERS: usize = 1_024;

/// Trackers of closed files are cleared when the table has grown to this.
const SWEEP_TRACKERS_AT: usize = 1_024;

fn find_part(
    operations: &Operations,
    view: &dyn CatalogView,
    caller: &Caller,
    id: DeliveryId,
    part: DeliveryPart,
    now: Moment,
) -> Result<Opened, Failure> {
    let delivery = delivery_of(view, id)?;
    let case = operations.known_case(view, caller, &delivery.organisation, &delivery.product, now)?;
    permits(Act::Fetch, with_presence(case, &delivery, now)).map_err(|refusal| match refusal {
        Refusal::Gone(_) => Refusal::Gone(Some(delivery.gone_since())),
        other => other,
    })?;
    let most = delivery.file_count as usize;
    match part {
        DeliveryPart::PackingSlip => {
            let files = view.rows(&DeliveredFile::keys_of(id), None, most)?;
            let name = FileName::parse(&packing_slip::slip_name(&delivery))?;
            let text = packing_slip::packing_slip(&delivery, &files);
            Ok(Opened::Text(Box::new(delivery), name, text))
        }
        DeliveryPart::DigestList => {
            let files: Vec<DeliveredFile> = view.rows(&DeliveredFile::keys_of(id), None, most)?;
            let name = FileName::parse(&packing_slip::digest_list_name(&delivery))?;
            let text = packing_slip::digest_list(&files);
            Ok(Opened::Text(Box::new(delivery), name, text))
        }
        DeliveryPart::Data(number) => {
            let file = view.row::<DeliveredFile>(&DeliveredFile::key_of(id, number))?;
            let file = file.ok_or(Refusal::NotFound(What::File))?;
            let header = view.row::<SealedHeader>(&SealedHeader::key_of(file.payload, id))?;
            let header = header.ok_or(Refusal::Gone(Some(delivery.gone_since())))?;
            let saved = view.row::<FileCoverage>(&FileCoverage::key_of(id, number))?;
            Ok(Opened::Data(Box::new((delivery, file, header, saved))))
        }
    }
}

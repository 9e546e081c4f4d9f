//! Participant files on their way in: opening, writing, completing, ending. What they mean once
//! they are received is not decided here. Knows who may, and nothing of extents.

mod announce;
mod backwards;
mod browse;
mod change;
mod complete;
mod contents;
mod discard;
mod handle;
mod live;
mod lose;
mod open;
mod overview;
mod quota;
mod seen;
mod settle;
mod unfinished;

use std::sync::Arc;

pub use announce::{Announced, Announcement, NewUpload, UploadFrom};
pub use browse::{UploadFilter, UploadRoom, UploadView};
pub use handle::Receiving;
pub use open::UploadMode;
pub use overview::UploadWish;
pub use seen::{OneUpload, SeenFilter, SeenUpload, SeenUploads};
pub use settle::SettledUploads;

use quota::folder_sums_of;

pub(super) use contents::Contents;
pub(super) use live::LiveUploads;

use super::restrict::services_of;
use super::sign_in::may_enter;
use super::{Caller, Failure, Operations};
use crate::domain::account::Account;
use crate::domain::block::{Access, Standing};
use crate::domain::decision::Decision;
use crate::domain::history::{About, Event, Happening, Who};
use crate::domain::ids::{DeliveryId, PayloadId, UploadId};
use crate::domain::moment::{Moment, Span};
use crate::domain::names::{FileName, OrganisationCode, ProductCode, UploadName};
use crate::domain::organisation::Organisation;
use crate::domain::product::Product;
use crate::domain::record::SlotRecord;
use crate::domain::refusal::{Refusal, What};
use crate::domain::restriction::Service;
use crate::domain::retention::ShredSlot;
use crate::domain::rights::{Act, permits};
use crate::domain::upload::{Upload, UploadEntry, UploadState, UploadSums};
use crate::ports::catalog::CatalogView;
use crate::ports::keyring::{FileKey, HeaderBinding, Keyring};
use crate::ports::unfinished::{ExtentKeys, UnfinishedLimits};

/// Bounds and periods of uploads; each has its default in the configuration.
#[derive(Clone, Debug)]
pub struct UploadSettings {
    /// Largest upload in bytes.
    pub max_file_bytes: u64,
    /// Unfinished uploads that one account may have.
    pub max_unfinished: u64,
    /// Bytes of all uploads of one account that are unfinished, or received and not yet gone.
    pub max_account_bytes: u64,
    /// The same of all accounts of one organisation for one product, where the operator set nothing else for that.
    pub max_product_bytes: u64,
    /// Parts in which one upload may lie before it is finished.
    pub max_extents: usize,
    /// Bytes of one upload that came early and wait in memory for those before them.
    pub max_early_bytes: usize,
    /// An upload that is not finished goes so long after it was begun.
    pub unfinished_kept: Span,
    /// A received upload can be resumed by its account for so long.
    pub resume_grace: Span,
    /// A received upload is shown under its name for so long.
    pub received_kept: Span,
    /// The bytes of a received upload that nobody collected go after so long.
    pub uncollected_kept: Span,
}

impl UploadSettings {
    const fn limits(&self) -> UnfinishedLimits {
        UnfinishedLimits {
            max_bytes: self.max_file_bytes,
            max_extents: self.max_extents,
            max_early_bytes: self.max_early_bytes,
        }
    }
}

/// The keys of the parts of one upload: wrapped to its organisation, under the shred key of its last day.
struct PartKeys {
    keyring: Arc<dyn Keyring>,
    organisation: OrganisationCode,
    slot: ShredSlot,
    upload: UploadId,
}

impl ExtentKeys for PartKeys {
    fn fresh(&self) -> Result<(FileKey, Vec<u8>), Failure> {
        let key = self.keyring.new_file_key();
        let header = self.keyring.header_for_organisation(&self.organisation, &key)?;
        let sealed = self.keyring.seal_header(&self.slot, part_binding(self.upload), &header)?;
        Ok((key, sealed))
    }

    fn open(&self, sealed_header: &[u8]) -> Result<FileKey, Failure> {
        let header = self.keyring.unseal_header(&self.slot, part_binding(self.upload), sealed_header)?;
        self.keyring.open_header(&self.organisation, &header)
    }
}

/// What the headers of the parts of an upload are bound to: they have no payload yet, and their numbers follow from
/// their names in its folder.
const fn part_binding(upload: UploadId) -> HeaderBinding {
    HeaderBinding {
        payload: PayloadId::from_bytes(*upload.as_bytes()),
        delivery: DeliveryId::from_bytes(*upload.as_bytes()),
    }
}

/// What the header of a received upload is bound to.
pub(super) const fn payload_binding(upload: UploadId, payload: PayloadId) -> HeaderBinding {
    HeaderBinding { payload, delivery: DeliveryId::from_bytes(*upload.as_bytes()) }
}

impl Operations {
    fn part_keys(&self, upload: &Upload) -> Arc<dyn ExtentKeys> {
        Arc::new(PartKeys {
            keyring: Arc::clone(&self.keyring),
            organisation: upload.organisation.clone(),
            slot: upload.slot.clone(),
            upload: upload.id,
        })
    }

    /// Whether the caller may deliver into this folder, of its own organisation or of the client that it acts for.
    /// Who may not does not learn whether it exists.
    pub(super) fn may_deliver(
        &self,
        view: &dyn CatalogView,
        caller: &Caller,
        product: &ProductCode,
        now: Moment,
    ) -> Result<Product, Failure> {
        let case = self.known_case(view, caller, caller.recipient(), product, now)?;
        permits(Act::Deliver, case)?;
        accepting(view, product)?.ok_or_else(|| Refusal::NotFound(What::Folder).into())
    }

    /// Puts on record that something was refused. Nobody waits for it, and what cannot be recorded now (a full
    /// disk) changes nothing for the asker.
    fn record_refused_upload(&self, caller: &Caller, product: &ProductCode, name: &str, refusal: &Refusal) {
        let about = About {
            organisation: Some(caller.recipient().clone()),
            login: Some(caller.login.clone()),
            product: Some(product.clone()),
            file: FileName::parse(name).ok(),
            ..About::default()
        };
        let event = Event::new(Happening::UploadRefused, caller.who(), about).with_note(&refusal.to_string());
        let now = self.now();
        let rule = Box::new(move |_: &dyn CatalogView| Ok(Decision::new(now, event).leaving_access_as_it_is()));
        if self.catalog.decide_later("put a refused upload on record", rule).is_err() {
            // The asker has its answer; the store's own fault shows with the next decision that must be kept.
        }
    }
}

/// An event about an upload; its id and name stand in the note, since an upload may bear a temporary name.
pub(super) fn event(what: Happening, who: Who, upload: &Upload, note: &str) -> Event {
    let about = About {
        organisation: Some(upload.organisation.clone()),
        login: Some(upload.login.clone()),
        product: Some(upload.product.clone()),
        file: FileName::parse(upload.name.as_str()).ok(),
        ..About::default()
    };
    let gap = if note.is_empty() { "" } else { ": " };
    Event::new(what, who, about)
        .with_bytes(upload.size_bytes)
        .with_note(&format!("upload {} {}{gap}{note}", upload.id, upload.name))
}

/// The product, when it takes uploads.
fn accepting(view: &dyn CatalogView, product: &ProductCode) -> Result<Option<Product>, Failure> {
    Ok(view.row::<Product>(&Product::key_of(product))?.filter(|product| product.accepts_uploads))
}

/// Whether an unfinished upload waits for its account: while that is blocked or has ended, or delivering was ended
/// for it or its organisation, nobody goes on with it, completes it or reads it (J6, J7).
pub(super) fn is_quarantined(view: &dyn CatalogView, upload: &Upload, now: Moment) -> Result<bool, Failure> {
    if upload.state != UploadState::Unfinished {
        return Ok(false);
    }
    let account = view.row::<Account>(&Account::key_of(&upload.login))?;
    let Some(account) = account else { return Ok(true) };
    let services = services_of(view, Some(&account.login), [&account.organisation, &upload.organisation])?;
    Ok(may_enter(view, &account, now)?.is_err() || !services.include(Service::Deliver))
}

/// Whether a received upload waits as well: its account, the organisation of that or the one it is for is blocked
/// (J6). What was handed in before an end stays handed in.
pub(in crate::operations) fn is_held_back(
    view: &dyn CatalogView,
    upload: &Upload,
    now: Moment,
) -> Result<bool, Failure> {
    let account = view.row::<Account>(&Account::key_of(&upload.login))?;
    let mut standings: Vec<Standing> = account.iter().map(|account| account.standing.clone()).collect();
    for code in
        [account.as_ref().map(|account| &account.organisation), Some(&upload.organisation)].into_iter().flatten()
    {
        standings.extend(view.row::<Organisation>(&Organisation::key_of(code))?.map(|row| row.standing));
    }
    Ok(standings.iter().any(|standing| standing.at(now) == Access::Blocked))
}

/// Refuses an upload that is quarantined.
fn refuse_quarantined(view: &dyn CatalogView, upload: &Upload, now: Moment) -> Result<(), Failure> {
    if is_quarantined(view, upload, now)? {
        return Err(Refusal::NotAllowed("the account that uploads this file may not deliver now").into());
    }
    Ok(())
}

/// The upload with this id.
pub(super) fn upload_of(view: &dyn CatalogView, id: UploadId) -> Result<Upload, Failure> {
    view.row::<Upload>(&Upload::key_of(id))?.ok_or_else(|| Refusal::NotFound(What::File).into())
}

/// The upload that bears this name or one that differs by case alone.
fn upload_named(
    view: &dyn CatalogView,
    organisation: &OrganisationCode,
    product: &ProductCode,
    name: &UploadName,
) -> Result<Option<Upload>, Failure> {
    match view.row::<UploadEntry>(&UploadEntry::key_of(organisation, product, name))? {
        Some(entry) => Ok(Some(upload_of(view, entry.upload)?)),
        None => Ok(None),
    }
}

/// The decision with the upload as it is now, and the sums of its account and its folder.
pub(super) fn put_upload(
    view: &dyn CatalogView,
    decision: Decision,
    before: Option<&Upload>,
    after: Upload,
) -> Result<Decision, Failure> {
    let sums = sums_of(view, &after)?.after(before, &after);
    let folder = folder_sums_of(view, &after.organisation, &after.product)?.after(before, &after);
    Ok(decision.put(sums).put(folder).put(after).leaving_access_as_it_is())
}

/// As `put_upload`, where another upload of the same account in the same folder goes with it.
fn put_two(
    view: &dyn CatalogView,
    decision: Decision,
    (before, after): (&Upload, Upload),
    gone: Option<(Upload, Upload)>,
) -> Result<Decision, Failure> {
    let Some((gone_before, gone_after)) = gone else { return put_upload(view, decision, Some(before), after) };
    let sums = sums_of(view, &after)?.after(Some(&gone_before), &gone_after).after(Some(before), &after);
    let folder = folder_sums_of(view, &after.organisation, &after.product)?;
    let folder = folder.after(Some(&gone_before), &gone_after).after(Some(before), &after);
    Ok(decision.put(sums).put(folder).put(gone_after).put(after).leaving_access_as_it_is())
}

fn sums_of(view: &dyn CatalogView, upload: &Upload) -> Result<UploadSums, Failure> {
    let sums = view.row::<UploadSums>(&UploadSums::key_of(&upload.login))?;
    Ok(sums.unwrap_or_else(|| UploadSums::none(upload.login.clone())))
}

/// The decision with the slot on record, unless it is.
fn put_slot(view: &dyn CatalogView, decision: Decision, slot: &ShredSlot) -> Result<Decision, Failure> {
    match view.row::<SlotRecord>(&SlotRecord::key_of(slot))? {
        Some(SlotRecord { destroyed_at: Some(_), .. }) => {
            Err(Refusal::WrongState("the day whose key would seal it has ended already".to_owned()).into())
        }
        Some(_) => Ok(decision),
        None => Ok(decision.put(SlotRecord { slot: slot.clone(), destroyed_at: None })),
    }
}

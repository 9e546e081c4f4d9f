//! What a backup is to hold, and what a restored home may have lost. Both end in
//! the history. Copies nothing: that is done where the files are known.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::end_delivery::{end_deliveries, is_living, notify_holders};
use super::{Failure, Fault, Operations};
use crate::domain::account::{Account, SshKey, Token};
use crate::domain::decision::Decision;
use crate::domain::delivery::{Availability, DeliveredFile, Delivery, Payload, SealedHeader};
use crate::domain::history::{About, Channel, Event, Happening, RESTORE_GAP_EVENTS, Who};
use crate::domain::ids::{DeliveryId, PayloadId, UploadId};
use crate::domain::moment::Moment;
use crate::domain::names::Line;
use crate::domain::notice::{Mail, MailState, NoticeKind};
use crate::domain::product_document::ProductDocument;
use crate::domain::record::{DoomedPayload, Key, LastSequence, Row, WindowEnd};
use crate::domain::refusal::Refusal;
use crate::domain::retention::ShredSlot;
use crate::domain::rights::{Act, Case, Ground, Right, permits};
use crate::domain::upload::{Upload, UploadState};
use crate::ports::catalog::{CatalogView, Standing};

/// After a restore the numbers of deliveries skip so far ahead: more than one recipient gets of one product
/// between two backups.
pub const RESTORE_GAP_DELIVERIES: u32 = 1_000;

/// Rows are read so many at a time.
const PAGE: usize = 10_000;

/// One decision changes at most so many rows.
const ROWS_PER_DECISION: usize = 1_000;

/// One delivery was lost: its note says why.
const LOST: &str = "restored from a backup that does not hold its content";

/// What a backup made now is to hold: one state of the catalog.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BackupScope {
    /// How far the catalog has come on disk.
    pub standing: Standing,
    /// Every payload on record there that is not doomed.
    pub payloads: Vec<Payload>,
    /// Uploads that are not finished: their bytes are not in the vault.
    pub unfinished_uploads: usize,
}

/// What exists in a restored home, and what is lost.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RestoredState {
    /// Accounts that are on record.
    pub accounts: usize,
    /// SSH keys of accounts.
    pub keys: usize,
    /// API tokens of accounts.
    pub tokens: usize,
    /// Rights to fetch.
    pub rights: usize,
    /// E-mails that are to be sent; some may have been sent in the time that is lost.
    pub mails_owed: usize,
    /// Deliveries that nobody can read: the payload or the shred key is not there.
    pub lost: Vec<DeliveryId>,
    /// Received uploads that nobody can read, for the same reason.
    pub lost_uploads: Vec<UploadId>,
    /// Documents of products of which the payload is not there.
    pub lost_documents: Vec<ProductDocument>,
}

impl Operations {
    /// One state of the catalog: what its files hold up to there, and which payloads it names.
    ///
    /// # Errors
    /// A fault of the catalog; a catalog that is not on disk.
    pub fn backup_scope(&self) -> Result<BackupScope, Failure> {
        permits(Act::Administer, Case::operator(Ground::None))?;
        self.catalog.settle()?;
        self.catalog.look(|view| {
            let standing = self.catalog.standing()?;
            let standing = standing.ok_or_else(|| Fault::new("back up the catalog: it is not on disk"))?;
            let doomed: BTreeSet<PayloadId> =
                all(view, |doomed: &DoomedPayload| DoomedPayload::key_of(doomed.payload), |doomed| doomed.payload)?
                    .into_iter()
                    .collect();
            let mut payloads = all(view, |payload: &Payload| Payload::key_of(payload.id), |payload| payload)?;
            payloads.retain(|payload| !doomed.contains(&payload.id));
            let unfinished = all(
                view,
                |upload: &Upload| Upload::key_of(upload.id),
                |upload| upload.state == UploadState::Unfinished,
            )?;
            let unfinished_uploads = unfinished.into_iter().filter(|is_unfinished| *is_unfinished).count();
            Ok(BackupScope { standing, payloads, unfinished_uploads })
        })
    }

    /// While what it returns lives, no file of the catalog is removed: a copy finds every one that a scope names
    /// which is asked for later.
    #[must_use]
    pub fn hold_catalog(&self) -> Box<dyn Send> {
        self.catalog.hold_files()
    }

    /// Whether a payload that was on record is gone from it, or about to be.
    ///
    /// # Errors
    /// A fault of the catalog.
    pub fn has_payload_ended(&self, id: PayloadId) -> Result<bool, Failure> {
        self.catalog.look(|view| {
            let is_known = view.find(&Payload::key_of(id))?.is_some();
            Ok(!is_known || view.find(&DoomedPayload::key_of(id))?.is_some())
        })
    }

    /// Puts on record that a backup was made.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn record_backup(&self, note: &str, written_bytes: u64, channel: Channel) -> Result<(), Failure> {
        permits(Act::Administer, Case::operator(Ground::None))?;
        let now = self.now();
        let event = Event::new(Happening::BackupMade, Who::operator(channel), About::default());
        let event = event.with_note(note).with_bytes(written_bytes);
        self.catalog.decide(Box::new(move |_| Ok(Decision::new(now, event).leaving_access_as_it_is())))?;
        Ok(())
    }

    /// Puts on record that this home was restored. Numbers of events and of deliveries skip ahead, so that none
    /// that was given out in the time that is lost comes to mean something else.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn record_restore(&self, made_at: Moment) -> Result<(), Failure> {
        permits(Act::Administer, Case::operator(Ground::None))?;
        let now = self.now();
        let note = format!("numbers of events skip {RESTORE_GAP_EVENTS} ahead");
        let event = Event::new(Happening::BackupRestored, Who::operator(Channel::CommandLine), About::default());
        let event = event.with_note(&note).with_until(made_at);
        self.catalog.decide(Box::new(move |_| Ok(Decision::new(now, event))))?;
        let key_of = |last: &LastSequence| LastSequence::key_of(&last.organisation, &last.product);
        let numbers = self.catalog.look(|view| all(view, key_of, |last| last))?;
        for chunk in numbers.chunks(ROWS_PER_DECISION) {
            let chunk = chunk.to_vec();
            self.catalog.decide(Box::new(move |_| {
                let note = format!("{} series of numbers skip {RESTORE_GAP_DELIVERIES} ahead", chunk.len());
                let event = Event::new(Happening::NumbersSkipped, Who::system(), About::default()).with_note(&note);
                Ok(chunk.into_iter().fold(Decision::new(now, event), |decision, last| {
                    decision
                        .put(LastSequence { sequence: last.sequence.saturating_add(RESTORE_GAP_DELIVERIES), ..last })
                }))
            }))?;
        }
        Ok(())
    }

    /// What exists now in a restored home, for the operator to judge.
    ///
    /// # Errors
    /// A fault of catalog, keys or vault.
    pub fn restored_state(&self) -> Result<RestoredState, Failure> {
        permits(Act::Administer, Case::operator(Ground::None))?;
        let slots: BTreeSet<_> = self.keyring.living_slots()?.into_iter().collect();
        let lost = self.lost_deliveries(&slots)?;
        let lost_uploads = self.lost_uploads(&slots)?;
        let lost_documents = self.lost_documents()?;
        self.catalog.look(|view| {
            let is_owed = |mail: Mail| matches!(mail.state, MailState::Queued { .. });
            let mails = all(view, |mail: &Mail| Mail::key_of(mail.id), is_owed)?;
            Ok(RestoredState {
                accounts: count(view, &Account::all())?,
                keys: count(view, &SshKey::all())?,
                tokens: count(view, &Token::all())?,
                rights: count(view, &Right::all())?,
                mails_owed: mails.into_iter().filter(|is_owed| *is_owed).count(),
                lost,
                lost_uploads,
                lost_documents,
            })
        })
    }

    /// Ends what is lost, on record, and says who confirmed. The home is open from then on.
    ///
    /// # Errors
    /// A fault of catalog, keys or vault; what was ended until then stays ended.
    pub fn confirm_restore(&self, channel: Channel) -> Result<RestoredState, Failure> {
        let state = self.restored_state()?;
        let now = self.now();
        for chunk in state.lost.chunks(ROWS_PER_DECISION / 10) {
            let chunk = chunk.to_vec();
            let (reason, post) = (Line::parse(LOST)?, Arc::clone(&self.post));
            self.catalog.decide(Box::new(move |view| {
                let mut ending = Vec::new();
                for id in chunk {
                    let found = view.row::<Delivery>(&Delivery::key_of(id))?;
                    let living = found.filter(is_living);
                    ending.extend(
                        living.map(|delivery| (delivery, Availability::Withdrawn { at: now, reason: reason.clone() })),
                    );
                }
                let note = format!("{} deliveries end: {LOST}", ending.len());
                let event = Event::new(Happening::DeliveryLost, Who::operator(channel), About::default());
                let mut decision = Decision::new(now, event.with_note(&note));
                for (delivery, _) in &ending {
                    decision = notify_holders(view, &post, decision, delivery, NoticeKind::DeliveryWithdrawn, now)?;
                }
                end_deliveries(view, decision, ending, Happening::DeliveryLost, &Who::operator(channel))
            }))?;
        }
        for id in &state.lost_uploads {
            self.end_lost_upload(*id, Who::operator(channel), LOST)?;
        }
        let held_back = self.hold_intakes_back(channel)?;
        self.end_lost_documents(&state.lost_documents, &Who::operator(channel), LOST)?;
        let documents = state.lost_documents.len();
        let (deliveries, uploads) = (state.lost.len(), state.lost_uploads.len());
        let note = format!(
            "{deliveries} deliveries, {uploads} uploads and {documents} documents were lost; \
             {held_back} uploads wait for the back office"
        );
        self.catalog.decide(Box::new(move |_| {
            let event = Event::new(Happening::RestoreConfirmed, Who::operator(channel), About::default());
            Ok(Decision::new(now, event.with_note(&note)))
        }))?;
        self.sweep_doomed()?;
        Ok(state)
    }

    /// Deliveries that have not ended, whose window is open, and of which a payload or a shred key is not there.
    fn lost_deliveries(&self, slots: &BTreeSet<ShredSlot>) -> Result<Vec<DeliveryId>, Failure> {
        let now = self.now();
        let key_of = |end: &WindowEnd| WindowEnd::key_of(end.at, end.delivery);
        let open = self.catalog.look(|view| all(view, key_of, |end| end))?;
        let mut whole: BTreeMap<PayloadId, bool> = BTreeMap::new();
        let mut lost = Vec::new();
        for end in open.into_iter().filter(|end| end.at > now) {
            let files = self.catalog.look(|view| headers_of(view, end.delivery))?;
            let mut is_lost = false;
            for (payload, header) in files {
                let is_whole = match whole.entry(payload.id) {
                    Entry::Occupied(known) => *known.get(),
                    Entry::Vacant(unknown) => {
                        *unknown.insert(self.vault.find(payload.id)? == Some(payload.sealed_bytes))
                    }
                };
                is_lost |= !is_whole || !slots.contains(&header.slot);
            }
            if is_lost {
                lost.push(end.delivery);
            }
        }
        Ok(lost)
    }
}

/// Payloads and headers of a delivery's files.
fn headers_of(view: &dyn CatalogView, id: DeliveryId) -> Result<Vec<(Payload, SealedHeader)>, Failure> {
    let mut found = Vec::new();
    for file in view.rows::<DeliveredFile>(&DeliveredFile::keys_of(id), None, PAGE)? {
        let payload = view.row::<Payload>(&Payload::key_of(file.payload))?;
        let header = view.row::<SealedHeader>(&SealedHeader::key_of(file.payload, id))?;
        found.extend(payload.zip(header));
    }
    Ok(found)
}

/// What `keep` makes of every row of a kind.
pub(super) fn all<R: Row, T>(
    view: &dyn CatalogView,
    key_of: impl Fn(&R) -> Key,
    keep: impl Fn(R) -> T,
) -> Result<Vec<T>, Failure> {
    let mut kept = Vec::new();
    let mut after = None;
    loop {
        let page = view.rows::<R>(&R::all(), after.as_ref(), PAGE)?;
        let Some(last) = page.last() else { return Ok(kept) };
        after = Some(key_of(last));
        kept.extend(page.into_iter().map(&keep));
    }
}

/// How many records have keys that begin so.
fn count(view: &dyn CatalogView, prefix: &Key) -> Result<usize, Failure> {
    let mut counted = 0;
    let mut after = None;
    loop {
        let page = view.list(prefix, after.as_ref(), PAGE)?;
        let Some(last) = page.last() else { return Ok(counted) };
        after = Some(last.key());
        counted += page.len();
    }
}

/// A home that was restored and not confirmed does only this.
#[must_use]
pub fn shut_until_confirmed() -> Refusal {
    Refusal::WrongState("this home was restored: run `postkluis restore confirm` first".to_owned())
}

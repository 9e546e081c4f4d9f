//! New keys in the place of old ones while everything goes on: the master, and
//! the identity of one organisation (engine §3). Payloads are never touched.
//! Idempotent: what was cut off goes on at the next start (I9).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use super::{Failure, Operations, locked};
use crate::domain::decision::Decision;
use crate::domain::delivery::{Delivery, SealedHeader};
use crate::domain::history::{About, Channel, Event, Happening, Who};
use crate::domain::ids::{DeliveryId, PayloadId};
use crate::domain::moment::Span;
use crate::domain::names::OrganisationCode;
use crate::domain::organisation::Organisation;
use crate::domain::record::{Record, Row};
use crate::domain::refusal::{Refusal, What};
use crate::domain::retention::ShredSlot;
use crate::domain::rights::{Act, Case, Ground, permits};
use crate::domain::upload::{ReceivedStage, Upload, UploadHeader, UploadState};
use crate::ports::catalog::CatalogView;
use crate::ports::keyring::{HeaderBinding, KeyFact, Rewrapped};

/// One decision rewrites at most so many headers.
const HEADERS_PER_DECISION: usize = 100;

/// Headers and uploads are looked through so many at a time.
const PAGE: usize = 1_000;

/// Parts of an upload that was begun up to so long after a new identity may still be for the older one.
const BEGUN_MARGIN: Span = Span::from_seconds(60);

/// Who is making or opening headers, and how far rotations came.
#[derive(Default)]
pub(super) struct HeadersInHand {
    hand: Mutex<InHand>,
    /// One rotation at a time: an older key goes only as long as nobody makes a newer one meanwhile.
    rotating: Mutex<()>,
}

#[derive(Default)]
struct InHand {
    next: u64,
    tickets: BTreeSet<u64>,
    rotations: BTreeMap<OrganisationCode, Waiting>,
}

/// A rotation goes on when whoever took a ticket below this has given it back.
#[derive(Clone, Copy)]
struct Waiting {
    below: u64,
    /// Every header has been found to be for the newest identity.
    is_clean: bool,
}

/// Somebody makes or opens headers until this is dropped.
pub(super) struct HeaderTicket<'a> {
    hand: &'a HeadersInHand,
    number: u64,
}

impl HeadersInHand {
    pub(super) fn take(&self) -> HeaderTicket<'_> {
        let mut hand = locked(&self.hand);
        let number = hand.next;
        hand.next += 1;
        hand.tickets.insert(number);
        HeaderTicket { hand: self, number }
    }

    /// Where a rotation stands, if all those have ended that it waits for. One that was not known begins to wait.
    fn stage(&self, organisation: &OrganisationCode) -> Option<Waiting> {
        let mut hand = locked(&self.hand);
        let next = hand.next;
        let fresh = Waiting { below: next, is_clean: false };
        let waiting = *hand.rotations.entry(organisation.clone()).or_insert(fresh);
        hand.tickets.first().is_none_or(|oldest| *oldest >= waiting.below).then_some(waiting)
    }

    fn set_clean(&self, organisation: &OrganisationCode) {
        let mut hand = locked(&self.hand);
        let below = hand.next;
        hand.rotations.insert(organisation.clone(), Waiting { below, is_clean: true });
    }

    fn forget(&self, organisation: &OrganisationCode) {
        locked(&self.hand).rotations.remove(organisation);
    }
}

impl Drop for HeaderTicket<'_> {
    fn drop(&mut self) {
        locked(&self.hand.hand).tickets.remove(&self.number);
    }
}

/// What a rotation of an organisation's identity did until now.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct OrganisationRotation {
    /// Headers that were made anew.
    pub headers: usize,
    /// Why the older identity is still kept, if it is.
    pub waits_for: Option<&'static str>,
}

/// A header that is for the server to open, as it is on record.
struct Found {
    record: Record,
    payload: PayloadId,
    bound_to: DeliveryId,
    slot: ShredSlot,
    sealed: Vec<u8>,
}

impl Found {
    fn with(&self, sealed: Vec<u8>) -> Record {
        match self.record.clone() {
            Record::SealedHeader(row) => SealedHeader { sealed, ..row }.into(),
            Record::UploadHeader(row) => UploadHeader { sealed, ..row }.into(),
            other => other,
        }
    }
}

impl Operations {
    /// Seals every organisation identity and shred key to a new master, and destroys the old one. Both are accepted
    /// until every key was read back under the new one.
    ///
    /// # Errors
    /// `WrongState` when the master cannot be written here (a systemd credential); a fault of keys or store. What was
    /// done stays, and it goes on when it is asked again or at the next start.
    pub fn rotate_master(&self, channel: Channel) -> Result<Rewrapped, Failure> {
        permits(Act::Administer, Case::operator(Ground::None))?;
        let _alone = locked(&self.headers_in_hand.rotating);
        self.keyring.begin_master_rotation()?;
        self.record_keys(Happening::MasterRotationBegun, Who::operator(channel), None, "")?;
        self.finish_master_rotation(Who::operator(channel))
    }

    fn finish_master_rotation(&self, who: Who) -> Result<Rewrapped, Failure> {
        let done = self.keyring.rewrap_to_master()?;
        let Rewrapped { organisations, shred_keys, body_keys } = done;
        let note = format!("{organisations} organisations, {shred_keys} shred keys, {body_keys} body keys");
        // On record before the old one goes: cut off between the two, it is recorded once more.
        self.record_keys(Happening::MasterRotated, who, None, &note)?;
        self.keyring.forget_older_masters()?;
        Ok(done)
    }

    /// A new identity for the headers of an organisation; the living ones are made anew for it. The older identity is
    /// destroyed when nothing needs it; until then housekeeping goes on.
    ///
    /// # Errors
    /// `NotFound` for an unknown organisation; a fault of keys or store.
    pub fn rotate_organisation_key(
        &self,
        code: &OrganisationCode,
        channel: Channel,
    ) -> Result<OrganisationRotation, Failure> {
        permits(Act::Administer, Case::operator(Ground::None))?;
        let is_known = self.catalog.look(|view| Ok(view.find(&Organisation::key_of(code))?.is_some()))?;
        if !is_known {
            return Err(Refusal::NotFound(What::Organisation).into());
        }
        let _alone = locked(&self.headers_in_hand.rotating);
        self.keyring.begin_organisation_rotation(code, self.now())?;
        self.record_keys(Happening::OrganisationKeyRotationBegun, Who::operator(channel), Some(code), "")?;
        self.go_on_with(code, Who::operator(channel))
    }

    /// Goes on with what was begun, soon after a start and from time to time.
    ///
    /// # Errors
    /// A fault of keys or store; the next round goes on.
    pub fn continue_rotations(&self) -> Result<(), Failure> {
        let _alone = locked(&self.headers_in_hand.rotating);
        if self.keyring.is_master_rotating() {
            self.finish_master_rotation(Who::system())?;
        }
        for (code, _) in self.keyring.rotating_organisations()? {
            self.go_on_with(&code, Who::system())?;
        }
        Ok(())
    }

    /// What there is of keys, without any secret.
    ///
    /// # Errors
    /// A fault of the keyring.
    pub fn key_facts(&self) -> Result<Vec<KeyFact>, Failure> {
        permits(Act::Administer, Case::operator(Ground::None))?;
        Ok(self.keyring.facts()?)
    }

    fn go_on_with(&self, code: &OrganisationCode, who: Who) -> Result<OrganisationRotation, Failure> {
        let mut done =
            OrganisationRotation { waits_for: Some("publications or uploads that are under way"), headers: 0 };
        // What is there is made anew at once, also while somebody who began before may still add to it.
        let Some(stage) = self.headers_in_hand.stage(code) else {
            done.headers = self.rewrap_headers(code)?;
            return Ok(done);
        };
        if !stage.is_clean {
            done.headers = self.rewrap_headers(code)?;
            if self.has_old_parts(code)? {
                done.waits_for = Some("unfinished uploads that were begun under the older identity");
                return Ok(done);
            }
            self.headers_in_hand.set_clean(code);
            if self.headers_in_hand.stage(code).is_none() {
                return Ok(done);
            }
        }
        self.record_keys(Happening::OrganisationKeyRotated, who, Some(code), "the older identity is destroyed")?;
        self.keyring.forget_older_identities(code)?;
        self.headers_in_hand.forget(code);
        done.waits_for = None;
        Ok(done)
    }

    /// Whether an upload has parts on disk that may be for the older identity.
    fn has_old_parts(&self, code: &OrganisationCode) -> Result<bool, Failure> {
        let rotating = self.keyring.rotating_organisations()?;
        let Some((_, since)) = rotating.into_iter().find(|(rotating, _)| rotating == code) else { return Ok(false) };
        let limit = since.after(BEGUN_MARGIN);
        let mut after = None;
        loop {
            let page: Vec<Upload> = self.catalog.look(|view| Ok(view.rows(&Upload::all(), after.as_ref(), PAGE)?))?;
            let Some(last) = page.last() else { return Ok(false) };
            after = Some(Upload::key_of(last.id));
            let has_parts = |upload: &Upload| match upload.state {
                UploadState::Unfinished => true,
                UploadState::Received { stage, .. } => stage == ReceivedStage::Resumable,
                UploadState::Removed { .. } | UploadState::Expired { .. } => false,
            };
            if page.iter().any(|upload| upload.organisation == *code && upload.begun_at <= limit && has_parts(upload)) {
                return Ok(true);
            }
        }
    }

    /// Makes every header of an organisation that is for an older identity anew. Returns how many.
    fn rewrap_headers(&self, code: &OrganisationCode) -> Result<usize, Failure> {
        let mut count = 0;
        let mut after = None;
        loop {
            let page: Vec<SealedHeader> =
                self.catalog.look(|view| Ok(view.rows(&SealedHeader::all(), after.as_ref(), PAGE)?))?;
            let Some(last) = page.last() else { break };
            after = Some(SealedHeader::key_of(last.payload, last.delivery));
            let owned = self.catalog.look(|view| of_deliveries(view, code, page))?;
            count += self.rewrap_found(code, owned)?;
        }
        let mut after = None;
        loop {
            let page: Vec<UploadHeader> =
                self.catalog.look(|view| Ok(view.rows(&UploadHeader::all(), after.as_ref(), PAGE)?))?;
            let Some(last) = page.last() else { return Ok(count) };
            after = Some(UploadHeader::key_of(last.upload));
            let owned = self.catalog.look(|view| of_uploads(view, code, page))?;
            count += self.rewrap_found(code, owned)?;
        }
    }

    fn rewrap_found(&self, code: &OrganisationCode, found: Vec<Found>) -> Result<usize, Failure> {
        let mut anew = Vec::new();
        for header in found {
            let binding = HeaderBinding { payload: header.payload, delivery: header.bound_to };
            let plain = match self.keyring.unseal_header(&header.slot, binding, &header.sealed) {
                // its key was destroyed meanwhile, or its record is about to go
                Err(Failure::Refused(Refusal::Gone(_))) => continue,
                other => other?,
            };
            let Some(fresh) = self.keyring.rewrap_header(code, &plain)? else { continue };
            let sealed = self.keyring.seal_header(&header.slot, binding, &fresh)?;
            anew.push((header.with(sealed), header));
        }
        let count = anew.len();
        while !anew.is_empty() {
            let rest = anew.split_off(anew.len().min(HEADERS_PER_DECISION));
            self.decide_rewrapped(code, std::mem::replace(&mut anew, rest))?;
        }
        Ok(count)
    }

    fn decide_rewrapped(&self, code: &OrganisationCode, anew: Vec<(Record, Found)>) -> Result<(), Failure> {
        let (now, code) = (self.now(), code.clone());
        self.catalog.decide(Box::new(move |view| {
            let mut changes = Vec::new();
            for (record, before) in anew {
                // ended, extended or held meanwhile: whoever did that holds a ticket, and the next pass looks again
                if view.find(&record.key())?.as_ref() == Some(&before.record) {
                    changes.push(record);
                }
            }
            let about = About { organisation: Some(code), ..About::default() };
            let event = Event::new(Happening::HeadersRewrapped, Who::system(), about)
                .with_note(&format!("{} headers", changes.len()));
            let decision = changes.into_iter().fold(Decision::new(now, event), Decision::put);
            Ok(decision.leaving_access_as_it_is())
        }))?;
        Ok(())
    }

    fn record_keys(
        &self,
        what: Happening,
        who: Who,
        organisation: Option<&OrganisationCode>,
        note: &str,
    ) -> Result<(), Failure> {
        let about = About { organisation: organisation.cloned(), ..About::default() };
        let event = Event::new(what, who, about).with_note(note);
        let now = self.now();
        self.catalog.decide(Box::new(move |_| Ok(Decision::new(now, event).leaving_access_as_it_is())))?;
        Ok(())
    }
}

/// Of these headers, those of the organisation's deliveries that the server can open.
fn of_deliveries(
    view: &dyn CatalogView,
    code: &OrganisationCode,
    page: Vec<SealedHeader>,
) -> Result<Vec<Found>, Failure> {
    let mut owned = Vec::new();
    for row in page {
        let delivery = view.row::<Delivery>(&Delivery::key_of(row.delivery))?;
        if delivery.is_some_and(|delivery| delivery.organisation == *code && !delivery.end_to_end) {
            owned.push(Found {
                payload: row.payload,
                bound_to: row.delivery,
                slot: row.slot.clone(),
                sealed: row.sealed.clone(),
                record: row.into(),
            });
        }
    }
    Ok(owned)
}

/// Of these headers, those of the organisation's received uploads.
fn of_uploads(view: &dyn CatalogView, code: &OrganisationCode, page: Vec<UploadHeader>) -> Result<Vec<Found>, Failure> {
    let mut owned = Vec::new();
    for row in page {
        let upload = view.row::<Upload>(&Upload::key_of(row.upload))?;
        if upload.is_some_and(|upload| upload.organisation == *code) {
            let HeaderBinding { payload, delivery } = super::uploads::payload_binding(row.upload, row.payload);
            owned.push(Found {
                payload,
                bound_to: delivery,
                slot: row.slot.clone(),
                sealed: row.sealed.clone(),
                record: row.into(),
            });
        }
    }
    Ok(owned)
}

//! The rule that makes a publication's deliveries appear: numbers, names,
//! records, events and e-mails of all recipients in one decision (I3, I5).

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use super::browse::delivery_of;
use super::end_delivery::{end_deliveries, notify_holders};
use super::manage_organisations::valid_recipient_keys;
use super::offer::{Offer, Ready};
use super::post::Post;
use super::restrict::services_of;
use super::{Failure, agreement_in_force, locked};
use crate::domain::block::Access;
use crate::domain::decision::Decision;
use crate::domain::delivery::{
    Availability, DeliveredFile, Delivery, DeliveryPart, OutboxEntry, Payload, Progress, Publication, SealedHeader,
};
use crate::domain::digest::Digest;
use crate::domain::history::{About, Channel, Event, Happening, Who};
use crate::domain::ids::{DeliveryId, PublicationId};
use crate::domain::moment::Moment;
use crate::domain::names::{FileName, Line, OrganisationCode, ProductCode};
use crate::domain::notice::NoticeKind;
use crate::domain::organisation::Organisation;
use crate::domain::packing_slip;
use crate::domain::product::Product;
use crate::domain::record::{
    DeliveryNumber, LastSequence, PublicationPart, PublishedSource, SlotMember, SlotRecord, WindowEnd,
};
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::{Act, Case, Ground, permits};
use crate::domain::zip_layout::FileChecksum;
use crate::ports::catalog::CatalogView;

/// One delivery as it was sealed, before it has a number.
pub(super) struct PlannedDelivery {
    pub(super) id: DeliveryId,
    pub(super) files: Vec<PlannedFile>,
}

/// One file of it.
pub(super) struct PlannedFile {
    pub(super) original_name: FileName,
    pub(super) name: FileName,
    pub(super) size_bytes: u64,
    pub(super) sha256: Digest,
    pub(super) crc32: Option<u32>,
    pub(super) payload: Payload,
    pub(super) header: SealedHeader,
}

struct Recipient {
    ready: Ready,
    planned: PlannedDelivery,
}

struct Publishing {
    id: PublicationId,
    now: Moment,
    day: u32,
    source_key: String,
    product: ProductCode,
    period: Option<Line>,
    counts: Vec<(Line, u64)>,
    sequence: Option<u32>,
    replaces: Option<DeliveryId>,
    channel: Channel,
    /// Organisations that are left out, each with the reason.
    skipped: Vec<(OrganisationCode, String)>,
    post: Arc<Post>,
}

/// Builds the rule. What it made is left in `made` when it decided.
pub(super) fn publish_rule(
    offer: &Offer,
    id: PublicationId,
    (now, day): (Moment, u32),
    plan: (&[Ready], &[(OrganisationCode, String)]),
    planned: Vec<PlannedDelivery>,
    made: Arc<Mutex<Vec<Delivery>>>,
    post: Arc<Post>,
) -> impl FnOnce(&dyn CatalogView) -> Result<Decision, Failure> + Send + use<> {
    let (ready, skipped) = plan;
    let recipients: Vec<Recipient> =
        ready.iter().zip(planned).map(|(ready, planned)| Recipient { ready: ready.clone(), planned }).collect();
    let publishing = Publishing {
        id,
        now,
        day,
        source_key: offer.source_key.clone(),
        product: offer.product.clone(),
        period: offer.period.clone(),
        counts: offer.counts.clone(),
        sequence: offer.sequence,
        replaces: offer.replaces,
        channel: offer.channel,
        skipped: skipped.to_vec(),
        post,
    };
    move |view| {
        let (decision, deliveries) = publishing.decide(view, recipients)?;
        *locked(&made) = deliveries;
        Ok(decision)
    }
}

impl Publishing {
    fn decide(self, view: &dyn CatalogView, recipients: Vec<Recipient>) -> Result<(Decision, Vec<Delivery>), Failure> {
        if view.find(&PublishedSource::key_of(&self.source_key))?.is_some() {
            return Err(Refusal::Exists(What::Publication, self.source_key).into());
        }
        let product = view.row::<Product>(&Product::key_of(&self.product))?;
        let product = product.ok_or(Refusal::NotFound(What::Product))?;
        let mut deliveries = Vec::new();
        let mut decision: Option<Decision> = None;
        let mut payloads = BTreeSet::new();
        for recipient in recipients {
            self.check_still(view, &recipient.ready, &product)?;
            let (delivery, files) = self.number(view, &recipient, &product)?;
            let event = self.event(&delivery);
            let mut next = match decision.take() {
                None => Decision::new(self.now, event),
                Some(decision) => decision.and(event),
            };
            // First the old names go: the new ones may be the same.
            if let Some(old) = self.replaces {
                let old = delivery_of(view, old)?;
                let ending = Availability::Replaced { at: self.now, by: delivery.id };
                let who = Who::operator(self.channel);
                next = notify_holders(view, &self.post, next, &old, NoticeKind::DeliveryReplaced, self.now)?;
                next = end_deliveries(view, next, vec![(old, ending)], Happening::DeliveryReplaced, &who)?;
            }
            for entry in self.entries(view, &delivery, &files)? {
                next = next.put(entry);
            }
            for file in recipient.planned.files {
                let payload = file.payload.id;
                if payloads.insert(payload) {
                    next = next.put(file.payload);
                    if let Some(crc32) = file.crc32 {
                        next = next.put(FileChecksum { payload, crc32 });
                    }
                }
                next = next.put(file.header);
            }
            for file in files {
                next = next.put(file);
            }
            next = self.index(next, &delivery);
            next = notify_holders(view, &self.post, next, &delivery, NoticeKind::DeliveryReady, self.now)?;
            decision = Some(next.put(delivery.clone()));
            deliveries.push(delivery);
        }
        let decision = decision.ok_or_else(|| Refusal::BadRequest("a publication needs a recipient".to_owned()))?;
        let decision = self.skipped.iter().fold(decision, |decision, (organisation, reason)| {
            let about = About {
                organisation: Some(organisation.clone()),
                product: Some(self.product.clone()),
                publication: Some(self.id),
                ..About::default()
            };
            let event = Event::new(Happening::RecipientLeftOut, Who::operator(self.channel), about);
            decision.and(event.with_note(reason))
        });
        let publication = Publication {
            id: self.id,
            product: self.product.clone(),
            source_key: self.source_key.clone(),
            published_at: self.now,
            delivery_count: u32::try_from(deliveries.len()).unwrap_or(u32::MAX),
        };
        let source = PublishedSource { source_key: self.source_key, publication: self.id };
        Ok((decision.put(publication).put(source), deliveries))
    }

    /// What was found in order before sealing must still be so now.
    fn check_still(&self, view: &dyn CatalogView, ready: &Ready, product: &Product) -> Result<(), Failure> {
        let code = &ready.organisation.code;
        let organisation = view.row::<Organisation>(&Organisation::key_of(code))?;
        let access = organisation.map_or(Access::Ended, |organisation| organisation.standing.at(self.now));
        let case = Case::operator(Ground::InForce).under(access).with(services_of(view, None, [code])?);
        if permits(Act::Publish, case).is_err() {
            return Err(Refusal::WrongState(format!(
                "organisation {code} was blocked, ended or may not fetch any more"
            ))
            .into());
        }
        let agreement = agreement_in_force(view, code, &self.product, self.now)?;
        let Some(agreement) = agreement.filter(|agreement| agreement.id == ready.agreement.id) else {
            let (organisation, product) = (code.to_string(), self.product.to_string());
            return Err(Refusal::NoAgreement { organisation, product }.into());
        };
        // What was sealed for the server to read must not appear where it may no longer read, nor what was sealed
        // to a key that was given up meanwhile.
        let end_to_end = agreement.is_end_to_end(product);
        if end_to_end != ready.end_to_end
            || (end_to_end && valid_recipient_keys(view, code, self.now)? != ready.recipient_keys)
        {
            return Err(Refusal::WrongState(format!(
                "whether {code} receives {} end to end, or with which keys, was changed meanwhile; publish again",
                self.product
            ))
            .into());
        }
        let slot = view.row::<SlotRecord>(&SlotRecord::key_of(&ready.slot))?;
        if slot.is_some_and(|slot| slot.destroyed_at.is_some()) {
            return Err(Refusal::WrongState("the window of this delivery has ended already".to_owned()).into());
        }
        Ok(())
    }

    fn number(
        &self,
        view: &dyn CatalogView,
        recipient: &Recipient,
        product: &Product,
    ) -> Result<(Delivery, Vec<DeliveredFile>), Failure> {
        let ready = &recipient.ready;
        let code = &ready.organisation.code;
        let last = view.row::<LastSequence>(&LastSequence::key_of(code, &self.product))?;
        let sequence = last.map_or(0, |last| last.sequence) + 1;
        match self.sequence {
            Some(asked) if asked < sequence => {
                return Err(
                    Refusal::Exists(What::Delivery, format!("number {asked} of {} for {code}", self.product)).into()
                );
            }
            Some(asked) if asked > sequence => {
                return Err(Refusal::BadRequest(format!(
                    "number {asked} leaves a gap: the next of {} for {code} is {sequence}",
                    self.product
                ))
                .into());
            }
            _ => {}
        }
        let mut delivery = Delivery {
            id: recipient.planned.id,
            publication: self.id,
            organisation: code.clone(),
            organisation_name: ready.organisation.name.clone(),
            product: self.product.clone(),
            product_name: product.name.clone(),
            agreement: ready.agreement.id,
            purpose: ready.agreement.purpose.clone(),
            sequence,
            day: self.day,
            period: self.period.clone(),
            counts: self.counts.clone(),
            published_at: self.now,
            promised_until: ready.available_until,
            available_until: ready.available_until,
            slot: ready.slot.clone(),
            end_to_end: ready.end_to_end,
            file_count: 0,
            total_bytes: 0,
            progress: Progress::default(),
            availability: Availability::Available,
            replaces: self.replaces,
        };
        let mut files = Vec::new();
        for (number, file) in (1..).zip(&recipient.planned.files) {
            let name = self.free_name(view, &delivery, &file.name)?;
            delivery.file_count = number;
            delivery.total_bytes = delivery.total_bytes.saturating_add(file.size_bytes);
            files.push(DeliveredFile {
                delivery: delivery.id,
                number,
                name,
                original_name: file.original_name.clone(),
                size_bytes: file.size_bytes,
                sha256: file.sha256,
                payload: file.payload.id,
            });
        }
        Ok((delivery, files))
    }

    /// The own name while it is free, else `<stem>_<YYYYMMDD>_<sequence><ext>` (interfaces §4).
    fn free_name(&self, view: &dyn CatalogView, delivery: &Delivery, name: &FileName) -> Result<FileName, Failure> {
        let is_taken = |name: &FileName| -> Result<bool, Failure> {
            let own = [packing_slip::slip_name(delivery), packing_slip::digest_list_name(delivery)];
            let entry =
                view.row::<OutboxEntry>(&OutboxEntry::key_of(&delivery.organisation, &delivery.product, name))?;
            let replaced = |entry: &OutboxEntry| Some(entry.delivery) == self.replaces;
            let bears = entry.is_some_and(|entry| self.now < entry.available_until && !replaced(&entry));
            Ok(bears || own.iter().any(|own| own == name.as_str()))
        };
        if !is_taken(name)? {
            return Ok(name.clone());
        }
        let (stem, extension) = match name.as_str().strip_suffix(".age") {
            Some(inner) if delivery.end_to_end => {
                inner.rsplit_once('.').map_or((inner, ".age".to_owned()), |(stem, ext)| (stem, format!(".{ext}.age")))
            }
            _ => {
                let (stem, extension) = name.split();
                (stem, extension.to_owned())
            }
        };
        let numbered = FileName::parse(&format!("{stem}_{:08}_{:06}{extension}", delivery.day, delivery.sequence))?;
        if is_taken(&numbered)? {
            return Err(Refusal::Exists(What::File, numbered.to_string()).into());
        }
        Ok(numbered)
    }

    fn entries(
        &self,
        view: &dyn CatalogView,
        delivery: &Delivery,
        files: &[DeliveredFile],
    ) -> Result<Vec<OutboxEntry>, Failure> {
        let entry = |name: FileName, part: DeliveryPart, size_bytes: u64| OutboxEntry {
            organisation: delivery.organisation.clone(),
            product: delivery.product.clone(),
            name,
            delivery: delivery.id,
            part,
            size_bytes,
            published_at: delivery.published_at,
            available_until: delivery.available_until,
        };
        let mut entries: Vec<OutboxEntry> = files
            .iter()
            .map(|file| entry(file.name.clone(), DeliveryPart::Data(file.number), file.size_bytes))
            .collect();
        let own = [
            (packing_slip::slip_name(delivery), DeliveryPart::PackingSlip, packing_slip::packing_slip(delivery, files)),
            (packing_slip::digest_list_name(delivery), DeliveryPart::DigestList, packing_slip::digest_list(files)),
        ];
        for (name, part, text) in own {
            let name = FileName::parse(&name)?;
            let key = OutboxEntry::key_of(&delivery.organisation, &delivery.product, &name);
            if view.row::<OutboxEntry>(&key)?.is_some_and(|entry| self.now < entry.available_until) {
                return Err(Refusal::Exists(What::File, name.to_string()).into());
            }
            entries.push(entry(name, part, text.len() as u64));
        }
        Ok(entries)
    }

    fn index(&self, decision: Decision, delivery: &Delivery) -> Decision {
        let (organisation, product) = (delivery.organisation.clone(), delivery.product.clone());
        decision
            .put(DeliveryNumber {
                organisation: organisation.clone(),
                product: product.clone(),
                sequence: delivery.sequence,
                delivery: delivery.id,
            })
            .put(LastSequence { organisation, product, sequence: delivery.sequence })
            .put(PublicationPart { publication: self.id, delivery: delivery.id })
            .put(WindowEnd { at: delivery.available_until, delivery: delivery.id })
            .put(SlotMember { slot: delivery.slot.clone(), delivery: delivery.id })
            .put(SlotRecord { slot: delivery.slot.clone(), destroyed_at: None })
    }

    fn event(&self, delivery: &Delivery) -> Event {
        let about = About {
            organisation: Some(delivery.organisation.clone()),
            product: Some(delivery.product.clone()),
            publication: Some(self.id),
            delivery: Some(delivery.id),
            ..About::default()
        };
        Event::new(Happening::DeliveryPublished, Who::operator(self.channel), about)
            .with_bytes(delivery.total_bytes)
            .with_until(delivery.available_until)
    }
}

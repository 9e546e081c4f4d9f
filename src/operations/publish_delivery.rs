//! Publishing: seals the files once, wraps their keys per organisation, and
//! makes all deliveries appear in one decision or none (I3).
//!
//! The order: shred keys durable → payloads durable → one decision → acknowledged. A failure before
//! the decision removes the payloads again; a crash leaves orphans, which recovery sets aside.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::manage_organisations::valid_recipient_keys;
use super::offer::{MOST_RECIPIENTS, Offer, OfferedFile, Published, PublishedDelivery, Ready, Recipients};
use super::publish_rule::{PlannedDelivery, PlannedFile, publish_rule};
use super::restrict::services_of;
use super::{Failure, Fault, Operations, agreement_in_force};
use crate::domain::block::Access;
use crate::domain::delivery::{Delivery, Payload, SealedHeader};
use crate::domain::history::{About, Channel, Event, Happening, Who};
use crate::domain::ids::{DeliveryId, PayloadId, PublicationId};
use crate::domain::moment::{Moment, Span};
use crate::domain::names::{FileName, OrganisationCode, ProductCode};
use crate::domain::organisation::Organisation;
use crate::domain::product::Product;
use crate::domain::record::{PublicationPart, PublishedSource, Row};
use crate::domain::refusal::{Refusal, What};
use crate::domain::retention::{SHORT_WINDOW, ShredSlot};
use crate::domain::rights::{Act, Case, Ground, permits};
use crate::ports::catalog::CatalogView;
use crate::ports::keyring::HeaderBinding;

struct Plan {
    product: Product,
    ready: Vec<Ready>,
    skipped: Vec<(OrganisationCode, String)>,
}

impl Operations {
    /// Publishes an offer. On return every delivery is on disk and visible to its recipient.
    ///
    /// # Errors
    /// A refusal that names what is wrong (no agreement, unknown or blocked recipient, duplicate or
    /// unfit names, wrong number, missing recipient keys, changed source, no space); then nothing
    /// was changed, and the refusal is in the history. A fault whose outcome is unknown: ask again
    /// with the same source key.
    pub fn publish(&self, offer: &Offer) -> Result<Published, Failure> {
        if let Some(published) = self.published_before(&offer.source_key)? {
            return Ok(published);
        }
        let result = self.publish_new(offer);
        if let Err(Failure::Refused(refusal)) = &result {
            self.record_refused_publication(offer, refusal)?;
        }
        result
    }

    /// What an offer would become, without doing it.
    ///
    /// # Errors
    /// The refusals of `publish` that can be told without reading the files.
    pub fn plan_publication(&self, offer: &Offer) -> Result<Published, Failure> {
        let plan = self.plan(offer, PublicationId::from_random([0; 16]), self.now())?;
        let file_count = u32::try_from(offer.files.len()).unwrap_or(u32::MAX);
        let deliveries = plan.ready.iter().map(|ready| PublishedDelivery {
            id: DeliveryId::from_random([0; 16]),
            organisation: ready.organisation.code.clone(),
            name: String::new(),
            available_until: ready.available_until,
            file_count,
        });
        Ok(Published {
            publication: PublicationId::from_random([0; 16]),
            deliveries: deliveries.collect(),
            skipped: plan.skipped,
            existed: false,
        })
    }

    /// Puts on record that a drop was refused before it could become an offer.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn record_refused_drop(
        &self,
        product: Option<&ProductCode>,
        refusal: &str,
        channel: Channel,
    ) -> Result<(), Failure> {
        let about = About { product: product.cloned(), ..About::default() };
        let event = Event::new(Happening::PublicationRefused, Who::operator(channel), about).with_note(refusal);
        let now = self.now();
        self.catalog.decide(Box::new(move |_| Ok(crate::domain::decision::Decision::new(now, event))))?;
        Ok(())
    }

    fn publish_new(&self, offer: &Offer) -> Result<Published, Failure> {
        check_names(offer, self.settings.max_files_per_delivery)?;
        let most = self.settings.max_file_bytes;
        if let Some(large) = offer.files.iter().find(|file| file.source.size_bytes() > most) {
            return Err(Refusal::TooMuch(format!(
                "{} is larger than the {most} bytes of limits.max_delivery_bytes",
                large.name
            ))
            .into());
        }
        let now = self.now();
        let id = PublicationId::from_random(self.entropy.sixteen());
        let plan = self.plan(offer, id, now)?;
        for slot in plan.ready.iter().map(|ready| &ready.slot).collect::<BTreeSet<_>>() {
            self.keyring.ensure_slot(slot)?;
        }
        let mut stored = Vec::new();
        let _ticket = self.headers_in_hand.take();
        let sealed = self.seal_all(offer, &plan.ready, &mut stored);
        let outcome = sealed.and_then(|planned| self.commit(offer, id, now, &plan, planned));
        match outcome {
            Ok(deliveries) => Ok(Published { publication: id, deliveries, skipped: plan.skipped, existed: false }),
            Err(Failure::Faulted(fault)) if fault.outcome_unknown() => Err(fault.into()),
            Err(failure) => {
                // Nothing names these payloads; what cannot be removed now is set aside at the next start.
                for payload in stored {
                    self.vault.remove(payload)?;
                }
                match failure {
                    Failure::Refused(Refusal::Exists(What::Publication, _)) => self
                        .published_before(&offer.source_key)?
                        .ok_or_else(|| Fault::new("publish: the source is on record without its publication").into()),
                    other => Err(other),
                }
            }
        }
    }

    fn published_before(&self, source_key: &str) -> Result<Option<Published>, Failure> {
        self.catalog.look(|view| {
            let Some(source) = view.row::<PublishedSource>(&PublishedSource::key_of(source_key))? else {
                return Ok(None);
            };
            let parts =
                view.rows::<PublicationPart>(&PublicationPart::keys_of(source.publication), None, MOST_RECIPIENTS)?;
            let mut deliveries = Vec::new();
            for part in parts {
                deliveries.extend(view.row::<Delivery>(&Delivery::key_of(part.delivery))?.as_ref().map(summary));
            }
            deliveries.sort_by(|a, b| a.organisation.cmp(&b.organisation));
            Ok(Some(Published { publication: source.publication, deliveries, skipped: Vec::new(), existed: true }))
        })
    }

    fn plan(&self, offer: &Offer, id: PublicationId, now: Moment) -> Result<Plan, Failure> {
        self.catalog.look(|view| {
            let product = view.row::<Product>(&Product::key_of(&offer.product))?;
            let product = product.ok_or(Refusal::NotFound(What::Product))?;
            let mut plan = Plan { product, ready: Vec::new(), skipped: Vec::new() };
            let mut unready = Vec::new();
            let (organisations, is_listed) = match &offer.recipients {
                Recipients::Listed(codes) => (listed(view, codes)?, true),
                Recipients::All => (view.rows::<Organisation>(&Organisation::all(), None, MOST_RECIPIENTS)?, false),
            };
            for organisation in organisations {
                let agreement = agreement_in_force(view, &organisation.code, &offer.product, now)?;
                let access = organisation.standing.at(now);
                let services = services_of(view, None, [&organisation.code])?;
                let case = Case::operator(Ground::InForce).under(access).with(services);
                let agreement = match agreement {
                    Some(agreement) => agreement,
                    None if !is_listed => continue,
                    None => return Err(no_agreement(&organisation.code, &offer.product).into()),
                };
                match permits(Act::Publish, case) {
                    Ok(()) => {}
                    Err(refusal) if is_listed => return Err(refusal.into()),
                    Err(_) => {
                        let why = if access == Access::Open { "may not fetch any more" } else { "blocked or ended" };
                        plan.skipped.push((organisation.code, why.to_owned()));
                        continue;
                    }
                }
                let end_to_end = agreement.is_end_to_end(&plan.product);
                let recipient_keys =
                    if end_to_end { valid_recipient_keys(view, &organisation.code, now)? } else { Vec::new() };
                if end_to_end && recipient_keys.is_empty() {
                    unready.push(organisation.code);
                    continue;
                }
                let retention = agreement.retention_of(&plan.product);
                let (available_until, slot) = self.window(now, retention, id);
                plan.ready.push(Ready { organisation, agreement, end_to_end, recipient_keys, available_until, slot });
            }
            if !unready.is_empty() && !offer.skip_unready {
                return Err(Refusal::NoRecipientKey(unready.iter().map(ToString::to_string).collect()).into());
            }
            let reason = "end to end without a valid recipient key";
            plan.skipped.extend(unready.into_iter().map(|code| (code, reason.to_owned())));
            if plan.ready.is_empty() {
                let product = &offer.product;
                return Err(Refusal::BadRequest(format!(
                    "no organisation can receive product {product} now; see `agreement list`"
                ))
                .into());
            }
            plan.ready.sort_by(|a, b| a.organisation.code.cmp(&b.organisation.code));
            Ok(plan)
        })
    }

    /// The end of a window and its shred key: the midnight that closes the last day, or the
    /// exact moment and a key of its own for windows shorter than a day.
    fn window(&self, now: Moment, retention: Span, id: PublicationId) -> (Moment, ShredSlot) {
        if retention < SHORT_WINDOW {
            let until = now.after(retention);
            (until, ShredSlot::of_its_own(until, &id.to_string()))
        } else {
            let until = self.clock.midnight_closing(now.after(retention));
            (until, ShredSlot::of_day(until))
        }
    }

    /// Seals every file: once for all organisations whose deliveries the server can read,
    /// once more for each end-to-end organisation under a key of its own.
    fn seal_all(
        &self,
        offer: &Offer,
        ready: &[Ready],
        stored: &mut Vec<PayloadId>,
    ) -> Result<Vec<PlannedDelivery>, Failure> {
        let mut planned: Vec<PlannedDelivery> = ready
            .iter()
            .map(|_| PlannedDelivery { id: DeliveryId::from_random(self.entropy.sixteen()), files: Vec::new() })
            .collect();
        for file in &offer.files {
            if ready.iter().any(|ready| !ready.end_to_end) {
                self.seal_shared(file, ready, &mut planned, stored)?;
            }
            for (ready, planned) in ready.iter().zip(&mut planned) {
                if ready.end_to_end {
                    planned.files.push(self.seal_end_to_end(file, ready, planned.id, stored)?);
                }
            }
            file.source.verify_unchanged()?;
        }
        Ok(planned)
    }

    fn seal_shared(
        &self,
        file: &OfferedFile,
        ready: &[Ready],
        planned: &mut [PlannedDelivery],
        stored: &mut Vec<PayloadId>,
    ) -> Result<(), Failure> {
        let key = self.keyring.new_file_key();
        let id = PayloadId::from_random(self.entropy.sixteen());
        stored.push(id);
        let done = self.vault.store(id, &key, None, file.source.open()?.as_mut())?;
        let sharers = ready.iter().filter(|ready| !ready.end_to_end).count();
        let payload = Payload {
            id,
            size_bytes: done.size_bytes,
            sha256: done.sha256,
            sealed_bytes: done.sealed_bytes,
            sealed_sha256: done.sealed_sha256,
            headers: u32::try_from(sharers).unwrap_or(u32::MAX),
        };
        for (ready, planned) in ready.iter().zip(planned).filter(|(ready, _)| !ready.end_to_end) {
            self.keyring.ensure_organisation(&ready.organisation.code)?;
            let header = self.keyring.header_for_organisation(&ready.organisation.code, &key)?;
            let header = self.seal_header(&ready.slot, id, planned.id, &header)?;
            planned.files.push(PlannedFile {
                original_name: file.name.clone(),
                name: file.name.clone(),
                size_bytes: done.size_bytes,
                sha256: done.sha256,
                crc32: done.crc32,
                payload: payload.clone(),
                header,
            });
        }
        Ok(())
    }

    fn seal_end_to_end(
        &self,
        file: &OfferedFile,
        ready: &Ready,
        delivery: DeliveryId,
        stored: &mut Vec<PayloadId>,
    ) -> Result<PlannedFile, Failure> {
        // The file key lives only in this function: afterwards only the recipient can open the file.
        let key = self.keyring.new_file_key();
        let lines: Vec<String> = ready.recipient_keys.iter().map(|key| key.line.clone()).collect();
        let header = self.keyring.header_for_recipients(&lines, &key)?;
        let id = PayloadId::from_random(self.entropy.sixteen());
        stored.push(id);
        let done = self.vault.store(id, &key, Some(&header), file.source.open()?.as_mut())?;
        let whole =
            done.whole_sha256.ok_or_else(|| Fault::new(format!("seal payload {id}: the vault gave no digest")))?;
        let size_bytes = done.sealed_bytes.saturating_add(header.len() as u64);
        Ok(PlannedFile {
            original_name: file.name.clone(),
            name: FileName::parse(&format!("{}.age", file.name))?,
            size_bytes,
            sha256: whole,
            crc32: done.crc32,
            payload: Payload {
                id,
                size_bytes: done.size_bytes,
                // The digest of a plaintext that the server must not be able to recognise is not kept.
                sha256: whole,
                sealed_bytes: done.sealed_bytes,
                sealed_sha256: done.sealed_sha256,
                headers: 1,
            },
            header: self.seal_header(&ready.slot, id, delivery, &header)?,
        })
    }

    fn seal_header(
        &self,
        slot: &ShredSlot,
        payload: PayloadId,
        delivery: DeliveryId,
        header: &[u8],
    ) -> Result<SealedHeader, Failure> {
        let sealed = self.keyring.seal_header(slot, HeaderBinding { payload, delivery }, header)?;
        Ok(SealedHeader { payload, delivery, slot: slot.clone(), sealed })
    }

    fn commit(
        &self,
        offer: &Offer,
        id: PublicationId,
        now: Moment,
        plan: &Plan,
        planned: Vec<PlannedDelivery>,
    ) -> Result<Vec<PublishedDelivery>, Failure> {
        let date = self.clock.date_of(now);
        let day = u32::try_from(date.year).unwrap_or_default() * 10_000
            + u32::try_from(date.month).unwrap_or_default() * 100
            + u32::try_from(date.day).unwrap_or_default();
        let made = Arc::new(std::sync::Mutex::new(Vec::new()));
        let rule = publish_rule(
            offer,
            id,
            (now, day),
            (&plan.ready, &plan.skipped),
            planned,
            Arc::clone(&made),
            Arc::clone(&self.post),
        );
        self.catalog.decide(Box::new(rule))?;
        let made = super::locked(&made).iter().map(summary).collect();
        Ok(made)
    }

    fn record_refused_publication(&self, offer: &Offer, refusal: &Refusal) -> Result<(), Failure> {
        match self.record_refused_drop(Some(&offer.product), &refusal.to_string(), offer.channel) {
            // A full disk cannot record that the disk is full; the asker is told all the same.
            Err(Failure::Refused(Refusal::NoSpace)) => Ok(()),
            other => other,
        }
    }
}

fn summary(delivery: &Delivery) -> PublishedDelivery {
    PublishedDelivery {
        id: delivery.id,
        organisation: delivery.organisation.clone(),
        name: delivery.name(),
        available_until: delivery.available_until,
        file_count: delivery.file_count,
    }
}

fn no_agreement(organisation: &OrganisationCode, product: &ProductCode) -> Refusal {
    Refusal::NoAgreement { organisation: organisation.to_string(), product: product.to_string() }
}

fn listed(view: &dyn CatalogView, codes: &[OrganisationCode]) -> Result<Vec<Organisation>, Failure> {
    let unique: BTreeSet<_> = codes.iter().collect();
    unique
        .into_iter()
        .map(|code| {
            view.row::<Organisation>(&Organisation::key_of(code))?.ok_or_else(|| {
                Refusal::BadRequest(format!("there is no organisation {code}; see `organisation list`")).into()
            })
        })
        .collect()
}

fn check_names(offer: &Offer, most_files: usize) -> Result<(), Refusal> {
    if offer.files.is_empty() {
        return Err(Refusal::BadRequest("a delivery needs at least one file".to_owned()));
    }
    if offer.files.len() > most_files {
        return Err(Refusal::TooMuch(format!("a delivery may hold at most {most_files} files")));
    }
    let mut seen: BTreeMap<String, &FileName> = BTreeMap::new();
    for file in &offer.files {
        if let Some(other) = seen.insert(file.name.as_str().to_ascii_lowercase(), &file.name) {
            let name = &file.name;
            return Err(Refusal::BadRequest(format!(
                "the names {other} and {name} are the same or differ only by case"
            )));
        }
        if FileName::is_unfinished(file.name.as_str()) {
            return Err(Refusal::BadRequest(format!("{} has the name of an unfinished file", file.name)));
        }
    }
    Ok(())
}

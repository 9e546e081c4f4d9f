//! Withdrawing, extending, holding and releasing deliveries (engine §3). What
//! loses its last header is doomed in the same decision (I7).

use std::sync::Arc;

use super::browse::delivery_of;
use super::end_delivery::{about, ended, entries_of, is_living, notify_holders, refuse_ended, undo};
use super::offer::{MOST_RECIPIENTS, Offer, Published, Recipients};
use super::{Failure, Officer, Operations};
use crate::domain::decision::Decision;
use crate::domain::delivery::{Availability, DeliveredFile, Delivery, SealedHeader};
use crate::domain::history::{About, Event, Happening, Who};
use crate::domain::ids::{DeliveryId, PublicationId};
use crate::domain::moment::Moment;
use crate::domain::names::Line;
use crate::domain::notice::NoticeKind;
use crate::domain::record::{PublicationPart, SlotMember, SlotRecord, WindowEnd};
use crate::domain::refusal::{Refusal, What};
use crate::domain::retention::ShredSlot;
use crate::domain::rights::Act;
use crate::ports::catalog::CatalogView;
use crate::ports::keyring::HeaderBinding;

/// A hold closes its own slot this long after it began, for the order of slots only: it ends by release.
pub(super) const HOLD_SLOT: Moment = Moment::from_millis(900_000_000_000_000);

impl Operations {
    /// Withdraws one delivery: unreachable at once, also on open handles.
    ///
    /// # Errors
    /// `NotFound`, or `WrongState` when it has ended already.
    pub fn withdraw(&self, id: DeliveryId, reason: &Line, by: impl Into<Officer>) -> Result<(), Failure> {
        self.withdraw_all(vec![id], reason, by.into()).map(|_| ())
    }

    /// Withdraws every delivery of a publication that has not ended yet. Returns how many.
    ///
    /// # Errors
    /// `NotFound` for an unknown publication, `WrongState` when all its deliveries have ended.
    pub fn withdraw_publication(
        &self,
        id: PublicationId,
        reason: &Line,
        by: impl Into<Officer>,
    ) -> Result<usize, Failure> {
        let ids = self.catalog.look(|view| {
            let parts = view.rows::<PublicationPart>(&PublicationPart::keys_of(id), None, MOST_RECIPIENTS)?;
            if parts.is_empty() {
                return Err(Refusal::NotFound(What::Publication).into());
            }
            let mut living = Vec::new();
            for part in parts {
                let delivery = delivery_of(view, part.delivery)?;
                if is_living(&delivery) {
                    living.push(delivery.id);
                }
            }
            Ok(living)
        })?;
        if ids.is_empty() {
            return Err(Refusal::WrongState("every delivery of this publication has ended already".to_owned()).into());
        }
        self.withdraw_all(ids, reason, by.into())
    }

    fn withdraw_all(&self, ids: Vec<DeliveryId>, reason: &Line, by: Officer) -> Result<usize, Failure> {
        let who = self.acting(by, Act::Steer)?;
        let now = self.now();
        let reason = reason.clone();
        let count = ids.len();
        let post = Arc::clone(&self.post);
        self.catalog.decide(Box::new(move |view| {
            let mut ending = Vec::new();
            for id in ids {
                let delivery = delivery_of(view, id)?;
                refuse_ended(&delivery)?;
                ending.push((delivery, Availability::Withdrawn { at: now, reason: reason.clone() }));
            }
            let first = ending.first().map(|(delivery, _)| about(delivery)).unwrap_or_default();
            let opening = Event::new(Happening::DeliveryWithdrawn, who.clone(), first).with_note(reason.as_str());
            let mut decision = Decision::new(now, opening);
            for (delivery, _) in &ending {
                decision = notify_holders(view, &post, decision, delivery, NoticeKind::DeliveryWithdrawn, now)?;
            }
            let rest = ending.iter().skip(1).map(|(delivery, _)| about(delivery)).collect::<Vec<_>>();
            for about in rest {
                decision = decision
                    .and(Event::new(Happening::DeliveryWithdrawn, who.clone(), about).with_note(reason.as_str()));
            }
            undo(view, decision, ending)
        }))?;
        self.sweep_doomed()?;
        Ok(count)
    }

    /// Publishes a corrected delivery in the place of one that was faulty; both in one decision.
    ///
    /// # Errors
    /// As `publish`; `WrongState` when the old one was withdrawn, replaced or shredded already.
    pub fn replace(&self, id: DeliveryId, mut offer: Offer) -> Result<Published, Failure> {
        self.acting(offer.channel, Act::Steer)?;
        let old = self.catalog.look(|view| delivery_of(view, id))?;
        match old.availability {
            Availability::Available | Availability::Held { .. } | Availability::Expired { .. } => {}
            Availability::Withdrawn { .. } | Availability::Replaced { .. } | Availability::Shredded { .. } => {
                return Err(ended(&old).into());
            }
        }
        offer.product = old.product;
        offer.recipients = Recipients::Listed(vec![old.organisation]);
        offer.replaces = Some(id);
        let published = self.publish(&offer)?;
        self.sweep_doomed()?;
        Ok(published)
    }

    /// Extends the window of a delivery: its headers are sealed under the later day first.
    ///
    /// # Errors
    /// `BadRequest` when `until` is not later than now promised, `WrongState` once it has ended.
    pub fn extend(&self, id: DeliveryId, until: Moment, by: impl Into<Officer>) -> Result<Moment, Failure> {
        let who = self.acting(by, Act::Steer)?;
        let now = self.now();
        let until = self.clock.midnight_closing(until);
        let delivery = self.catalog.look(|view| delivery_of(view, id))?;
        refuse_ended(&delivery)?;
        if until <= delivery.available_until {
            let current = delivery.available_until;
            return Err(Refusal::BadRequest(format!("the window already ends at {current}; give a later day")).into());
        }
        if now >= delivery.available_until {
            return Err(Refusal::WrongState("the window has ended; publish it again instead".to_owned()).into());
        }
        let slot = match delivery.availability {
            // A held delivery stays under its own key; only its window moves.
            Availability::Held { .. } => delivery.slot.clone(),
            _ => ShredSlot::of_day(until),
        };
        let event = Event::new(Happening::DeliveryExtended, who, about(&delivery)).with_until(until);
        self.reseal(delivery, slot, now, event, move |view, decision, delivery| {
            let mut decision = decision.remove(WindowEnd::key_of(delivery.available_until, delivery.id));
            delivery.available_until = until;
            if !matches!(delivery.availability, Availability::Held { .. }) {
                decision = decision.put(WindowEnd { at: until, delivery: delivery.id });
            }
            for mut entry in entries_of(view, delivery)? {
                entry.available_until = until;
                decision = decision.put(entry);
            }
            Ok(decision)
        })?;
        Ok(until)
    }

    /// Keeps a delivery from destruction: re-sealed under a key of its own, hidden from the
    /// recipient once its window has ended, until `release`.
    ///
    /// # Errors
    /// `WrongState` when it is held or has ended.
    pub fn hold(&self, id: DeliveryId, reason: &Line, by: impl Into<Officer>) -> Result<(), Failure> {
        let who = self.acting(by, Act::Steer)?;
        let now = self.now();
        let reason = reason.clone();
        let delivery = self.catalog.look(|view| delivery_of(view, id))?;
        refuse_ended(&delivery)?;
        if matches!(delivery.availability, Availability::Held { .. }) {
            return Err(Refusal::WrongState("the delivery is held already".to_owned()).into());
        }
        let slot = ShredSlot::of_its_own(HOLD_SLOT, &format!("hold{}", self.fresh_label()));
        let event = Event::new(Happening::DeliveryHeld, who, about(&delivery)).with_note(reason.as_str());
        self.reseal(delivery, slot, now, event, move |_, decision, delivery| {
            let decision = decision.remove(WindowEnd::key_of(delivery.available_until, delivery.id));
            delivery.availability = Availability::Held { reason: reason.clone(), since: now };
            Ok(decision)
        })
    }

    /// Ends a hold. While the window is open the delivery goes back under its day's key;
    /// after it the delivery expires at once.
    ///
    /// # Errors
    /// `WrongState` when it is not held.
    pub fn release(&self, id: DeliveryId, by: impl Into<Officer>) -> Result<(), Failure> {
        let who = self.acting(by, Act::Steer)?;
        let now = self.now();
        let delivery = self.catalog.look(|view| delivery_of(view, id))?;
        if !matches!(delivery.availability, Availability::Held { .. }) {
            return Err(Refusal::WrongState("the delivery is not held".to_owned()).into());
        }
        let held_slot = delivery.slot.clone();
        let is_open = now < delivery.available_until;
        // After its window the headers go under a slot that closes now: destroyed at the next tick.
        let slot = if is_open {
            ShredSlot::of_its_own(delivery.available_until, &format!("released{}", self.fresh_label()))
        } else {
            ShredSlot::of_its_own(now, &format!("released{}", self.fresh_label()))
        };
        let event = Event::new(Happening::DeliveryReleased, who, about(&delivery));
        self.reseal(delivery, slot, now, event, move |_, decision, delivery| {
            delivery.availability = Availability::Available;
            let at = delivery.available_until;
            Ok(decision.put(WindowEnd { at, delivery: delivery.id }))
        })?;
        // Nothing lies under the hold's key any more.
        self.keyring.destroy_slot(&held_slot)?;
        let now = self.now();
        self.catalog.decide(Box::new(move |_| {
            let event = Event::new(Happening::SlotDestroyed, Who::system(), About::default())
                .with_until(now)
                .with_note(&held_slot.to_string());
            Ok(Decision::new(now, event).put(SlotRecord { slot: held_slot, destroyed_at: Some(now) }))
        }))?;
        Ok(())
    }

    fn fresh_label(&self) -> String {
        data_encoding::HEXLOWER.encode(&self.entropy.sixteen())
    }

    /// Seals every header of a delivery under another slot and moves it there, with one more change.
    pub(super) fn reseal(
        &self,
        before: Delivery,
        slot: ShredSlot,
        now: Moment,
        event: Event,
        change: impl FnOnce(&dyn CatalogView, Decision, &mut Delivery) -> Result<Decision, Failure> + Send + 'static,
    ) -> Result<(), Failure> {
        self.keyring.ensure_slot(&slot)?;
        let _ticket = self.headers_in_hand.take();
        let most = before.file_count as usize;
        let headers = self.catalog.look(|view| {
            let files = view.rows::<DeliveredFile>(&DeliveredFile::keys_of(before.id), None, most)?;
            let mut headers = Vec::new();
            for file in files {
                headers.extend(view.row::<SealedHeader>(&SealedHeader::key_of(file.payload, before.id))?);
            }
            Ok(headers)
        })?;
        let mut resealed = Vec::new();
        for header in headers {
            let binding = HeaderBinding { payload: header.payload, delivery: header.delivery };
            let plain = self.keyring.unseal_header(&header.slot, binding, &header.sealed)?;
            let sealed = self.keyring.seal_header(&slot, binding, &plain)?;
            resealed.push(SealedHeader { slot: slot.clone(), sealed, ..header });
        }
        self.catalog.decide(Box::new(move |view| {
            let mut delivery = delivery_of(view, before.id)?;
            if delivery.slot != before.slot || delivery.availability != before.availability {
                return Err(Refusal::WrongState("the delivery was changed meanwhile; try again".to_owned()).into());
            }
            let mut decision = change(view, Decision::new(now, event), &mut delivery)?
                .remove(SlotMember::key_of(&before.slot, delivery.id))
                .put(SlotMember { slot: slot.clone(), delivery: delivery.id })
                .put(SlotRecord { slot: slot.clone(), destroyed_at: None });
            for header in resealed {
                decision = decision.put(header);
            }
            delivery.slot = slot;
            Ok(decision.put(delivery))
        }))?;
        Ok(())
    }
}

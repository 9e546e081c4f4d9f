//! Delete after fetch (domain 3.14): an account removes a file from its own view of the outbox, and the
//! operator brings it back. Nothing is destroyed, and nobody else sees less.

use super::browse::{delivery_of, may_browse, shown_entry};
use super::end_delivery::{about, refuse_ended};
use super::{Caller, Failure, Operations, case_of, with_presence};
use crate::domain::account::Account;
use crate::domain::decision::Decision;
use crate::domain::history::{About, Channel, Event, Happening, Who};
use crate::domain::ids::DeliveryId;
use crate::domain::names::{FileName, LoginName, OrganisationCode, ProductCode};
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::{Act, Case, Ground, permits};
use crate::domain::sign_off::{PartSet, SignOff};

impl Operations {
    /// Signs a file off: from now on the caller's outbox does not show it. What the caller has open stays open.
    ///
    /// # Errors
    /// `NotFound` when it is not there, not now, not for the caller, or signed off already; `NoSpace` or a
    /// fault of the store.
    pub fn sign_off(
        &self,
        caller: &Caller,
        recipient: &OrganisationCode,
        product: &ProductCode,
        name: &FileName,
    ) -> Result<(), Failure> {
        let now = self.now();
        let (caller, recipient, product, name) = (caller.clone(), recipient.clone(), product.clone(), name.clone());
        self.catalog.decide(Box::new(move |view| {
            let case = case_of(view, &caller, &recipient, Some(&product), now)?;
            may_browse(case)?;
            let entry = shown_entry(view, &caller, &recipient, &product, &name, now)?;
            let delivery = delivery_of(view, entry.delivery)?;
            permits(Act::SignOff, with_presence(case, &delivery, now))?;
            let before = view.row::<SignOff>(&SignOff::key_of(delivery.id, &caller.login))?;
            let (parts, since) = before.map_or((PartSet::default(), now), |before| (before.parts, before.since));
            let about = About { login: Some(caller.login.clone()), file: Some(name), ..about(&delivery) };
            let decision = Decision::new(now, Event::new(Happening::FileSignedOff, caller.who(), about));
            Ok(decision.leaving_access_as_it_is().put(SignOff {
                delivery: delivery.id,
                login: caller.login,
                parts: parts.with(entry.part),
                since,
            }))
        }))?;
        Ok(())
    }

    /// Undoes everything that an account has signed off of a delivery. Returns how many files appear again.
    ///
    /// # Errors
    /// `NotFound` for an unknown delivery or account; `WrongState` when the account has signed nothing of it
    /// off, or the delivery has ended.
    pub fn undo_sign_off(&self, id: DeliveryId, login: &LoginName, channel: Channel) -> Result<u32, Failure> {
        permits(Act::Steer, Case::operator(Ground::None))?;
        let now = self.now();
        let key = SignOff::key_of(id, login);
        let (delivery, count) = self.catalog.look(|view| {
            let delivery = delivery_of(view, id)?;
            view.find(&Account::key_of(login))?.ok_or(Refusal::NotFound(What::Account))?;
            refuse_ended(&delivery)?;
            let row = view.row::<SignOff>(&key)?;
            Ok((delivery, row.map_or(0, |row| row.parts.count())))
        })?;
        let nothing = format!("the account {login} has signed nothing of this delivery off");
        if count == 0 {
            return Err(Refusal::WrongState(nothing).into());
        }
        let about = About { login: Some(login.clone()), ..about(&delivery) };
        let event = Event::new(Happening::SignOffUndone, Who::operator(channel), about);
        self.catalog.decide(Box::new(move |view| {
            // Signed off more meanwhile, or undone by somebody else: the newest state counts.
            let row = view.row::<SignOff>(&key)?.ok_or(Refusal::WrongState(nothing))?;
            let note = format!("{} files", row.parts.count());
            Ok(Decision::new(now, event.with_note(&note)).remove(key))
        }))?;
        Ok(count)
    }
}

//! Coupling products to accounts and undoing it (C1–C11). Removals act at
//! once, also on open handles.

use super::manage_accounts::account_of;
use super::{Failure, Officer, Operations, agreement_in_force};
use crate::domain::decision::Decision;
use crate::domain::history::{About, Event, Happening, Who};
use crate::domain::names::{LoginName, OrganisationCode, ProductCode};
use crate::domain::record::{Key, RightHolder, Row};
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::{Act, Ground, Right};

impl Operations {
    /// Couples a product of a recipient to an account. The recipient is the account's own
    /// organisation; acting for another needs a mandate, which comes with intermediaries.
    ///
    /// # Errors
    /// `NotFound` for the account, `NotAllowed` for another organisation's recipient, `NoAgreement`, `Exists`.
    pub fn couple(
        &self,
        login: &LoginName,
        recipient: Option<&OrganisationCode>,
        product: &ProductCode,
        by: impl Into<Officer>,
    ) -> Result<(), Failure> {
        let (now, login, recipient, product) = (self.now(), login.clone(), recipient.cloned(), product.clone());
        let by = by.into();
        self.catalog.decide(Box::new(move |view| {
            let account = account_of(view, &login)?;
            let recipient = recipient.unwrap_or_else(|| account.organisation.clone());
            if recipient != account.organisation {
                return Err(Refusal::NotAllowed("the account's organisation has no mandate of that recipient").into());
            }
            let Some(_) = agreement_in_force(view, &recipient, &product, now)? else {
                let (organisation, product) = (recipient.to_string(), product.to_string());
                return Err(Refusal::NoAgreement { organisation, product }.into());
            };
            by.may(view, Act::Couple, Ground::InForce, now)?;
            if view.find(&Right::key_of(&login, &recipient, &product))?.is_some() {
                return Err(Refusal::Exists(What::Right, format!("of {login} to {product} of {recipient}")).into());
            }
            let event = event(Happening::RightCoupled, &login, &recipient, &product, by.who());
            let holder = RightHolder { recipient: recipient.clone(), product: product.clone(), login: login.clone() };
            Ok(Decision::new(now, event).put(Right { login, recipient, product, since: now }).put(holder))
        }))?;
        Ok(())
    }

    /// Undoes a coupling; from the next request on the account reaches nothing of it.
    ///
    /// # Errors
    /// `NotFound` when there is no such right.
    pub fn decouple(
        &self,
        login: &LoginName,
        recipient: Option<&OrganisationCode>,
        product: &ProductCode,
        by: impl Into<Officer>,
    ) -> Result<(), Failure> {
        let (now, login, recipient, product) = (self.now(), login.clone(), recipient.cloned(), product.clone());
        let who = self.acting(by, Act::Administer)?;
        self.catalog.decide(Box::new(move |view| {
            let recipient = match recipient {
                Some(recipient) => recipient,
                None => account_of(view, &login)?.organisation,
            };
            let key = Right::key_of(&login, &recipient, &product);
            if view.find(&key)?.is_none() {
                return Err(Refusal::NotFound(What::Right).into());
            }
            let event = event(Happening::RightDecoupled, &login, &recipient, &product, who);
            Ok(Decision::new(now, event).remove(key).remove(holder_key(&recipient, &product, &login)))
        }))?;
        Ok(())
    }

    /// Rights, of one account or all, in order of login, recipient and product.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn rights(&self, login: Option<&LoginName>, after: Option<&Right>) -> Result<Vec<Right>, Failure> {
        let prefix = login.map_or_else(Right::all, |login| Right::keys_of(login, None));
        let after = after.map(|right| Right::key_of(&right.login, &right.recipient, &right.product));
        self.catalog.look(|view| Ok(view.rows(&prefix, after.as_ref(), self.settings.max_page)?))
    }
}

pub(super) fn holder_key(recipient: &OrganisationCode, product: &ProductCode, login: &LoginName) -> Key {
    let holder = RightHolder { recipient: recipient.clone(), product: product.clone(), login: login.clone() };
    crate::domain::record::Record::from(holder).key()
}

fn event(what: Happening, login: &LoginName, recipient: &OrganisationCode, product: &ProductCode, who: Who) -> Event {
    let about = About {
        organisation: Some(recipient.clone()),
        login: Some(login.clone()),
        product: Some(product.clone()),
        ..About::default()
    };
    Event::new(what, who, about)
}

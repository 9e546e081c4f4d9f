//! Coupling products to accounts and undoing it (C1–C11). Removals act at
//! once, also on open handles.

use super::manage_accounts::account_of;
use super::mandates::{with_right, without_right};
use super::{Failure, Officer, Operations};
use crate::domain::decision::Decision;
use crate::domain::history::{About, Event, Happening, Who};
use crate::domain::names::{LoginName, OrganisationCode, ProductCode};
use crate::domain::record::Row;
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::{Act, Ground, Right};

impl Operations {
    /// Couples a product of a recipient to an account. The recipient is the account's own organisation, or a client
    /// of which that has a mandate in force for the product (D2).
    ///
    /// # Errors
    /// `NotFound` for the account, `NotAllowed` without a mandate, `NoAgreement`, `Exists`.
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
            by.may(view, Act::Couple, Ground::InForce, now)?;
            let event = event(Happening::RightCoupled, &login, &recipient, &product, by.who());
            with_right(view, Decision::new(now, event), &account, &recipient, &product, now)
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
            let account = account_of(view, &login)?;
            let recipient = recipient.unwrap_or_else(|| account.organisation.clone());
            let key = Right::key_of(&login, &recipient, &product);
            if view.find(&key)?.is_none() {
                return Err(Refusal::NotFound(What::Right).into());
            }
            let event = event(Happening::RightDecoupled, &login, &recipient, &product, who);
            without_right(view, Decision::new(now, event), &account, &recipient, &product)
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

fn event(what: Happening, login: &LoginName, recipient: &OrganisationCode, product: &ProductCode, who: Who) -> Event {
    let about = About {
        organisation: Some(recipient.clone()),
        login: Some(login.clone()),
        product: Some(product.clone()),
        ..About::default()
    };
    Event::new(what, who, about)
}

//! Reading the history: the operator sees all of it, an account what concerns
//! its own organisation and products, unless its agreement hides it (A20).

use super::browse::delivery_of;
use super::{Caller, Failure, Officer, Operations, agreement_in_force, case_of};
use crate::domain::delivery::Delivery;
use crate::domain::history::{Channel, Happening, HistoryLine, HistoryQuery, Who};
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::{Act, Case, Ground, permits};

impl Operations {
    /// Part of the whole history, oldest first, at most `limits.page` lines.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn history(&self, query: &HistoryQuery) -> Result<Vec<HistoryLine>, Failure> {
        permits(Act::ReadHistory, Case::operator(Ground::None))?;
        self.catalog.settle()?;
        Ok(self.catalog.history(&self.bounded(query))?)
    }

    /// The same for somebody of the operator.
    ///
    /// # Errors
    /// `NotAllowed`; a fault of the store.
    pub fn history_for(&self, query: &HistoryQuery, by: impl Into<Officer>) -> Result<Vec<HistoryLine>, Failure> {
        self.acting(by, Act::ReadHistory)?;
        self.history(query)
    }

    /// The part of the history of the caller's own organisation, or of the client for which the caller acts, that the
    /// caller may see, and nothing of any other: lines about
    /// coupled products with a visible history, all lines without a product for an administrator, and
    /// lines about the caller's own account.
    ///
    /// # Errors
    /// `NotFound` for a delivery that is not for the caller; `Blocked`, `Ended`; a fault of the store.
    pub fn own_history(&self, caller: &Caller, query: &HistoryQuery) -> Result<Vec<HistoryLine>, Failure> {
        let now = self.now();
        let mut query = self.bounded(query);
        query.organisation = Some(caller.recipient().clone());
        self.catalog.settle()?;
        self.catalog.look(|view| {
            let case = case_of(view, caller, caller.recipient(), None, now)?;
            match permits(Act::ReadHistory, case) {
                Ok(()) | Err(Refusal::NotFound(_)) => {}
                Err(refusal) => return Err(refusal.into()),
            }
            if let Some(id) = query.delivery {
                let delivery = delivery_of(view, id)?;
                let case = case_of(view, caller, &delivery.organisation, Some(&delivery.product), now)?;
                permits(Act::ReadHistory, case)?;
                let agreement = agreement_in_force(view, &delivery.organisation, &delivery.product, now)?;
                if agreement.is_some_and(|agreement| agreement.history_hidden) {
                    return Err(Refusal::NotFound(What::Delivery).into());
                }
            }
            Ok(())
        })?;
        // says nothing of anybody
        let removed = self.history_cut()?.map(|cut| cut.line());
        let mut shown = Vec::new();
        loop {
            let lines = self.catalog.history(&query)?;
            let Some(last) = lines.last() else { return Ok(shown) };
            query.after = Some(last.sequence);
            let page = self.catalog.look(|view| {
                let mut page = Vec::new();
                for line in lines {
                    let about = &line.event.about;
                    let recipient = about.organisation.as_ref().unwrap_or(caller.recipient());
                    // what is left of an event that ended names its delivery, and so its product
                    let product = match (&about.product, about.delivery) {
                        (None, Some(id)) if line.event.what == Happening::EventDestroyed => {
                            view.row::<Delivery>(&Delivery::key_of(id))?.map(|delivery| delivery.product)
                        }
                        (product, _) => product.clone(),
                    };
                    let case = case_of(view, caller, recipient, product.as_ref(), now)?;
                    let is_own = about.login.as_ref() == Some(&caller.login);
                    let is_hidden = match &product {
                        Some(product) => agreement_in_force(view, recipient, product, now)?
                            .is_some_and(|agreement| agreement.history_hidden),
                        None => false,
                    };
                    let is_for_all = removed.as_ref() == Some(&line);
                    // what was done for a client stands with that client, and nowhere else
                    let is_here = recipient == caller.recipient();
                    if is_for_all
                        || is_here
                            && !is_hidden
                            && (permits(Act::ReadHistory, case).is_ok() || (is_own && product.is_none()))
                    {
                        page.push(without_officer(line));
                    }
                }
                Ok(page)
            })?;
            shown.extend(page);
            if shown.len() >= query.limit {
                shown.truncate(query.limit);
                return Ok(shown);
            }
        }
    }

    fn bounded(&self, query: &HistoryQuery) -> HistoryQuery {
        HistoryQuery { limit: query.limit.clamp(1, self.settings.max_page), ..query.clone() }
    }
}

/// Customers see that the operator did it, not who of the operator's people, from where.
fn without_officer(mut line: HistoryLine) -> HistoryLine {
    if line.event.who.channel == Channel::Office {
        line.event.who = Who::operator(Channel::Office);
    }
    line
}

//! What an account sees: products, outbox folders, deliveries and their files.
//! Shows only what `permits` allows; everything else is "not found".

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::{Caller, Failure, Operations, agreement_in_force, case_of};
use crate::domain::delivery::{DeliveredFile, Delivery, FileCoverage, OutboxEntry};
use crate::domain::ids::DeliveryId;
use crate::domain::moment::Moment;
use crate::domain::names::{FileName, OrganisationCode, ProductCode};
use crate::domain::product::Product;
use crate::domain::record::DeliveryNumber;
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::{Act, Case, Ground, Right, permits};
use crate::domain::sign_off::SignOff;
use crate::ports::catalog::CatalogView;

/// A delivery with its files and what left of each.
#[derive(Clone, Debug)]
pub struct DeliveryView {
    /// The delivery.
    pub delivery: Delivery,
    /// Its data files, in order of number.
    pub files: Vec<DeliveredFile>,
    /// What left of each file of which anything left.
    pub coverage: Vec<FileCoverage>,
    /// Whether the history of it is hidden from the recipient (A20).
    pub history_hidden: bool,
}

/// Which deliveries are asked for.
#[derive(Clone, Debug, Default)]
pub struct DeliveryFilter {
    /// Only of this recipient; for an account, when `None`, of whom it reaches (`Caller::recipient`).
    pub organisation: Option<OrganisationCode>,
    /// Only of this product.
    pub product: Option<ProductCode>,
    /// Only those after this one, in the order of the list.
    pub after: Option<DeliveryId>,
    /// Only those that can be fetched now.
    pub only_available: bool,
    /// At most so many; bounded by `limits.page`.
    pub limit: usize,
}

impl Operations {
    /// The products that the caller may fetch of a recipient, in order of code (C1).
    ///
    /// # Errors
    /// `Blocked` or `Ended` for the caller; `NotFound` for a foreign recipient; a fault of the store.
    pub fn outbox_products(&self, caller: &Caller, recipient: &OrganisationCode) -> Result<Vec<Product>, Failure> {
        let now = self.now();
        self.catalog.look(|view| {
            let mut products = Vec::new();
            let rights = view.rows::<Right>(&Right::keys_of(&caller.login, Some(recipient)), None, MOST_RIGHTS)?;
            let case = case_of(view, caller, recipient, None, now)?;
            // Without any coupling the account's own standing still has to be told.
            match permits(Act::Browse, case) {
                Ok(()) | Err(Refusal::NotFound(_)) => {}
                Err(refusal) => return Err(refusal.into()),
            }
            for right in rights {
                let case = case_of(view, caller, recipient, Some(&right.product), now)?;
                if permits(Act::Browse, case).is_ok() {
                    products.extend(view.row::<Product>(&Product::key_of(&right.product))?);
                }
            }
            Ok(products)
        })
    }

    /// One page of an outbox folder in order of name: what can be fetched now and was not signed off.
    ///
    /// # Errors
    /// `NotFound` for a folder that the caller may not know; a fault of the store.
    pub fn outbox_page(
        &self,
        caller: &Caller,
        recipient: &OrganisationCode,
        product: &ProductCode,
        after: Option<&FileName>,
        limit: usize,
    ) -> Result<Vec<OutboxEntry>, Failure> {
        let now = self.now();
        self.catalog.look(|view| {
            self.may_browse(view, caller, recipient, product, now)?;
            let prefix = OutboxEntry::keys_of(recipient, product);
            let mut after = after.map(|name| OutboxEntry::key_of(recipient, product, name));
            loop {
                let page = view.rows::<OutboxEntry>(&prefix, after.as_ref(), limit)?;
                let Some(last) = page.last() else { return Ok(Vec::new()) };
                after = Some(OutboxEntry::key_of(recipient, product, &last.name));
                let shown = shown_of(view, caller, page, now)?;
                if !shown.is_empty() {
                    return Ok(shown);
                }
            }
        })
    }

    /// One name in an outbox folder.
    ///
    /// # Errors
    /// `NotFound` when it is not there, not now, not for the caller, or signed off.
    pub fn outbox_entry(
        &self,
        caller: &Caller,
        recipient: &OrganisationCode,
        product: &ProductCode,
        name: &FileName,
    ) -> Result<OutboxEntry, Failure> {
        let now = self.now();
        self.catalog.look(|view| {
            self.may_browse(view, caller, recipient, product, now)?;
            shown_entry(view, caller, recipient, product, name, now)
        })
    }

    /// Deliveries that the caller may see, newest number last per product.
    ///
    /// # Errors
    /// `NotFound` for a recipient that the caller may not know; a fault of the store.
    pub fn deliveries(&self, caller: &Caller, filter: &DeliveryFilter) -> Result<Vec<DeliveryView>, Failure> {
        self.catalog.settle()?;
        let recipient = filter.organisation.clone().unwrap_or_else(|| caller.recipient().clone());
        let products = match &filter.product {
            Some(product) => vec![product.clone()],
            None => self.outbox_products(caller, &recipient)?.into_iter().map(|product| product.code).collect(),
        };
        let now = self.now();
        self.catalog.look(|view| {
            for product in &products {
                let case = case_of(view, caller, &recipient, Some(product), now)?;
                permits(Act::ReadDeliveries, case)?;
            }
            let prefixes = products.iter().map(|product| DeliveryNumber::keys_of(&recipient, Some(product)));
            // Where a page begins is asked only about what the caller may see: a foreign id is as unknown as any.
            if let Some(id) = filter.after {
                let before = delivery_of(view, id)?;
                let case = case_of(view, caller, &before.organisation, Some(&before.product), now)?;
                permits(Act::ReadDeliveries, case)?;
            }
            self.delivery_page(view, prefixes, filter, now)
        })
    }

    /// All deliveries, for the operator.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn all_deliveries(&self, filter: &DeliveryFilter) -> Result<Vec<DeliveryView>, Failure> {
        permits(Act::ReadDeliveries, Case::operator(Ground::None))?;
        self.catalog.settle()?;
        let now = self.now();
        self.catalog.look(|view| {
            let prefix = match (&filter.organisation, &filter.product) {
                (Some(organisation), product) => DeliveryNumber::keys_of(organisation, product.as_ref()),
                (None, _) => <DeliveryNumber as crate::domain::record::Row>::all(),
            };
            self.delivery_page(view, [prefix].into_iter(), filter, now)
        })
    }

    /// One delivery that the caller may see.
    ///
    /// # Errors
    /// `NotFound` when it does not exist or is not for the caller.
    pub fn delivery(&self, caller: &Caller, id: DeliveryId) -> Result<DeliveryView, Failure> {
        self.catalog.settle()?;
        let now = self.now();
        self.catalog.look(|view| {
            let delivery = delivery_of(view, id)?;
            let case = case_of(view, caller, &delivery.organisation, Some(&delivery.product), now)?;
            permits(Act::ReadDeliveries, case)?;
            self.view_of(view, delivery, now)
        })
    }

    /// One delivery, for the operator.
    ///
    /// # Errors
    /// `NotFound` when it does not exist.
    pub fn any_delivery(&self, id: DeliveryId) -> Result<DeliveryView, Failure> {
        permits(Act::ReadDeliveries, Case::operator(Ground::None))?;
        self.catalog.settle()?;
        let now = self.now();
        self.catalog.look(|view| {
            let delivery = delivery_of(view, id)?;
            self.view_of(view, delivery, now)
        })
    }

    fn may_browse(
        &self,
        view: &dyn CatalogView,
        caller: &Caller,
        recipient: &OrganisationCode,
        product: &ProductCode,
        now: Moment,
    ) -> Result<(), Failure> {
        may_browse(self.known_case(view, caller, recipient, product, now)?)
    }

    fn delivery_page(
        &self,
        view: &dyn CatalogView,
        prefixes: impl Iterator<Item = crate::domain::record::Key>,
        filter: &DeliveryFilter,
        now: Moment,
    ) -> Result<Vec<DeliveryView>, Failure> {
        let limit = filter.limit.clamp(1, self.settings.max_page);
        let start = match filter.after {
            Some(id) => {
                let delivery = delivery_of(view, id)?;
                Some(DeliveryNumber::key_of(&delivery.organisation, &delivery.product, delivery.sequence))
            }
            None => None,
        };
        let mut found = Vec::new();
        for prefix in prefixes {
            let mut after = start.clone();
            loop {
                let numbers = view.rows::<DeliveryNumber>(&prefix, after.as_ref(), limit)?;
                let Some(last) = numbers.last() else { break };
                after = Some(DeliveryNumber::key_of(&last.organisation, &last.product, last.sequence));
                for number in numbers {
                    if filter.product.as_ref().is_some_and(|product| *product != number.product) {
                        continue;
                    }
                    let delivery = delivery_of(view, number.delivery)?;
                    if filter.only_available && !delivery.is_fetchable(now) {
                        continue;
                    }
                    found.push(self.view_of(view, delivery, now)?);
                    if found.len() == limit {
                        return Ok(found);
                    }
                }
            }
        }
        Ok(found)
    }

    pub(super) fn view_of(
        &self,
        view: &dyn CatalogView,
        delivery: Delivery,
        now: Moment,
    ) -> Result<DeliveryView, Failure> {
        let files = view.rows(&DeliveredFile::keys_of(delivery.id), None, self.settings.max_files_per_delivery)?;
        let mut coverage = Vec::new();
        if delivery.progress.started_at.is_some() {
            for number in 1..=delivery.file_count {
                coverage.extend(view.row::<FileCoverage>(&FileCoverage::key_of(delivery.id, number))?);
            }
        }
        let agreement = agreement_in_force(view, &delivery.organisation, &delivery.product, now)?;
        let history_hidden = agreement.is_some_and(|agreement| agreement.history_hidden);
        Ok(DeliveryView { delivery, files, coverage, history_hidden })
    }
}

/// One account has at most so many rights that are looked at.
const MOST_RIGHTS: usize = 100_000;

/// The delivery with this id.
pub(super) fn delivery_of(view: &dyn CatalogView, id: DeliveryId) -> Result<Delivery, Failure> {
    view.row::<Delivery>(&Delivery::key_of(id))?.ok_or_else(|| Refusal::NotFound(What::Delivery).into())
}

/// One name in an outbox folder that the caller may see, in the state of the catalog that is being looked at.
pub(super) fn shown_entry(
    view: &dyn CatalogView,
    caller: &Caller,
    recipient: &OrganisationCode,
    product: &ProductCode,
    name: &FileName,
    now: Moment,
) -> Result<OutboxEntry, Failure> {
    let entry = view.row::<OutboxEntry>(&OutboxEntry::key_of(recipient, product, name))?;
    let shown = shown_of(view, caller, entry.into_iter().collect(), now)?;
    shown.into_iter().next().ok_or_else(|| Refusal::NotFound(What::File).into())
}

/// Those that are in their window and that the caller has not signed off.
fn shown_of(
    view: &dyn CatalogView,
    caller: &Caller,
    entries: Vec<OutboxEntry>,
    now: Moment,
) -> Result<Vec<OutboxEntry>, Failure> {
    let mut signed_off: HashMap<DeliveryId, Option<SignOff>> = HashMap::new();
    let mut shown = Vec::with_capacity(entries.len());
    for entry in entries {
        // A folder has many files of few deliveries: each delivery is asked about once.
        let of_delivery = match signed_off.entry(entry.delivery) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(view.row::<SignOff>(&SignOff::key_of(entry.delivery, &caller.login))?),
        };
        let is_hidden = of_delivery.as_ref().is_some_and(|signed_off| signed_off.parts.contains(entry.part));
        if now < entry.available_until && !is_hidden {
            shown.push(entry);
        }
    }
    Ok(shown)
}

/// Whether the folder of a case may be seen.
pub(super) fn may_browse(case: Case) -> Result<(), Failure> {
    permits(Act::Browse, case).map_err(|refusal| match refusal {
        Refusal::NotFound(_) => Refusal::NotFound(What::Folder).into(),
        other => other.into(),
    })
}

//! Deliveries of all products together, the newest first, as people look at them. Each product's
//! numbers grow with time, so its list is read from its last number down.

use super::browse::{DeliveryView, delivery_of};
use super::{Caller, Failure, Operations};
use crate::domain::delivery::Delivery;
use crate::domain::ids::DeliveryId;
use crate::domain::moment::Moment;
use crate::domain::names::{OrganisationCode, ProductCode};
use crate::domain::record::{DeliveryNumber, LastSequence};
use crate::ports::catalog::CatalogView;

/// One look goes past at most so many numbers; what lies further back is found product by product.
const MOST_PASSED: usize = 50_000;

/// The list of one product, at the newest delivery that was not taken yet.
struct Head {
    product: ProductCode,
    /// The number below it, to go on with.
    next: u32,
    delivery: Delivery,
}

impl Head {
    fn rank(&self) -> (Moment, DeliveryId) {
        (self.delivery.published_at, self.delivery.id)
    }
}

impl Operations {
    /// Deliveries that the caller may see, the newest first, after `before` in that order; only those that can be
    /// fetched now, if so asked.
    ///
    /// # Errors
    /// `NotFound` for a delivery `before` that the caller may not know; a fault of the store.
    pub fn newest_deliveries(
        &self,
        caller: &Caller,
        before: Option<DeliveryId>,
        only_available: bool,
        limit: usize,
    ) -> Result<Vec<DeliveryView>, Failure> {
        let recipient = caller.recipient();
        let products = self.outbox_products(caller, recipient)?;
        let before = match before {
            Some(id) => {
                let view = self.delivery(caller, id)?;
                Some((view.delivery.published_at, view.delivery.id))
            }
            None => None,
        };
        self.catalog.settle()?;
        let (now, limit) = (self.now(), limit.clamp(1, self.settings.max_page));
        self.catalog.look(|view| {
            let mut passed = 0;
            let mut heads = Vec::new();
            for product in products {
                let last = view.row::<LastSequence>(&LastSequence::key_of(recipient, &product.code))?;
                let next = last.map_or(0, |last| last.sequence);
                heads.extend(head_from(view, recipient, product.code, next, &mut passed)?);
            }
            let mut found = Vec::new();
            while found.len() < limit && passed < MOST_PASSED {
                let newest = heads.iter().enumerate().max_by_key(|(_, head)| head.rank()).map(|(at, _)| at);
                let Some(at) = newest else { break };
                let head = heads.swap_remove(at);
                let is_wanted = before.is_none_or(|before| head.rank() < before)
                    && (!only_available || head.delivery.is_fetchable(now));
                let Head { product, next, delivery } = head;
                if is_wanted {
                    found.push(self.view_of(view, delivery, now)?);
                }
                heads.extend(head_from(view, recipient, product, next, &mut passed)?);
            }
            Ok(found)
        })
    }
}

/// The delivery with this number or the highest one below it.
fn head_from(
    view: &dyn CatalogView,
    recipient: &OrganisationCode,
    product: ProductCode,
    mut number: u32,
    passed: &mut usize,
) -> Result<Option<Head>, Failure> {
    while number > 0 && *passed < MOST_PASSED {
        *passed += 1;
        // numbers were left out where a home was restored
        if let Some(row) = view.row::<DeliveryNumber>(&DeliveryNumber::key_of(recipient, &product, number))? {
            let delivery = delivery_of(view, row.delivery)?;
            return Ok(Some(Head { product, next: number - 1, delivery }));
        }
        number -= 1;
    }
    Ok(None)
}

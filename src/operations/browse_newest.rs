//! Deliveries of all products together, the newest first, as people look at them and search them. Each
//! product's numbers grow with time, so its list is read from a number down.

use super::browse::{DeliveryView, delivery_of};
use super::{Caller, Failure, Operations};
use crate::domain::delivery::Delivery;
use crate::domain::ids::DeliveryId;
use crate::domain::moment::Moment;
use crate::domain::names::{OrganisationCode, ProductCode};
use crate::domain::record::{DeliveryNumber, LastSequence};
use crate::ports::catalog::CatalogView;

/// One look goes past at most so many numbers, most of which may have been left out by a restore.
const MOST_PASSED: usize = 50_000;

/// One look judges at most so many deliveries, some 50 µs each; what lies further back is the next page's.
const MOST_JUDGED: usize = 2_000;

/// Where a delivery stands in the order. Within a product the number decides, also in the same millisecond.
type Rank = (Moment, u32, DeliveryId);

fn rank_of(delivery: &Delivery) -> Rank {
    (delivery.published_at, delivery.sequence, delivery.id)
}

/// The list of one product, at the newest delivery that was not taken yet.
struct Head {
    product: ProductCode,
    /// The number below it, to go on with.
    next: u32,
    delivery: Delivery,
}

/// Which deliveries are wished for.
pub struct DeliveryWish<'a> {
    /// Only of this product.
    pub product: Option<&'a ProductCode>,
    /// By what it is itself.
    pub of_delivery: &'a dyn Fn(&Delivery) -> bool,
    /// By what its recipient sees of it; asked last, since more is read for it.
    pub of_view: &'a dyn Fn(&DeliveryView) -> bool,
}

/// A page of deliveries.
#[derive(Clone, Debug, Default)]
pub struct FoundDeliveries {
    /// The newest first.
    pub views: Vec<DeliveryView>,
    /// There may be more after this one, which itself need not be among them.
    pub goes_on_after: Option<DeliveryId>,
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
        let now = self.now();
        let wish = DeliveryWish {
            product: None,
            of_delivery: &|delivery| !only_available || delivery.is_fetchable(now),
            of_view: &|_| true,
        };
        Ok(self.find_deliveries(caller, before, &wish, limit)?.views)
    }

    /// The same of those that are wished for. A page may be short, or empty, before the end: `goes_on_after` says
    /// whether there is more to look through.
    ///
    /// # Errors
    /// As `newest_deliveries`.
    pub fn find_deliveries(
        &self,
        caller: &Caller,
        before: Option<DeliveryId>,
        wish: &DeliveryWish<'_>,
        limit: usize,
    ) -> Result<FoundDeliveries, Failure> {
        let recipient = caller.recipient();
        let mut products = self.outbox_products(caller, recipient)?;
        products.retain(|product| wish.product.is_none_or(|wanted| product.code == *wanted));
        let before = match before {
            Some(id) => Some(rank_of(&self.delivery(caller, id)?.delivery)),
            None => None,
        };
        self.catalog.settle()?;
        let (now, limit) = (self.now(), limit.clamp(1, self.settings.max_page));
        self.catalog.look(|view| {
            let (mut passed, mut judged) = (0, 0);
            let mut heads = Vec::new();
            for product in products {
                let last = view.row::<LastSequence>(&LastSequence::key_of(recipient, &product.code))?;
                let last = last.map_or(0, |last| last.sequence);
                let next = match before {
                    Some(before) => below(view, (recipient, &product.code), last, before, &mut passed)?,
                    None => last,
                };
                heads.extend(head_from(view, recipient, product.code, next, &mut passed)?);
            }
            let mut found = FoundDeliveries::default();
            loop {
                let newest = heads.iter().enumerate().max_by_key(|(_, head)| rank_of(&head.delivery));
                let Some(at) = newest.map(|(at, _)| at) else { return Ok(found) };
                let Head { product, next, delivery } = heads.swap_remove(at);
                let id = delivery.id;
                judged += 1;
                if (wish.of_delivery)(&delivery) {
                    let shown = self.view_of(view, delivery, now)?;
                    found.views.extend(Some(shown).filter(|shown| (wish.of_view)(shown)));
                }
                heads.extend(head_from(view, recipient, product, next, &mut passed)?);
                let is_cut = passed >= MOST_PASSED || judged >= MOST_JUDGED;
                if found.views.len() >= limit || is_cut {
                    // a list that was cut off in a gap has no head any more, and still goes on
                    found.goes_on_after = Some(id).filter(|_| !heads.is_empty() || passed >= MOST_PASSED);
                    return Ok(found);
                }
            }
        })
    }
}

/// The highest number of a product whose delivery comes after `before` in the order, or one between it and the
/// next: found by halves, so that a page far back costs as little as the first.
fn below(
    view: &dyn CatalogView,
    (recipient, product): (&OrganisationCode, &ProductCode),
    last: u32,
    before: Rank,
    passed: &mut usize,
) -> Result<u32, Failure> {
    // every delivery up to `low` comes after `before`, and none above `high` does
    let (mut low, mut high) = (0, last);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        match head_from(view, recipient, product.clone(), middle, passed)? {
            Some(head) if rank_of(&head.delivery) >= before => high = head.next,
            // nothing but numbers that were left out lies between it and the middle
            Some(_) | None => low = middle,
        }
    }
    Ok(low)
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

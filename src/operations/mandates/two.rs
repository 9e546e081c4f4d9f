//! Mandates where two people of the operator are asked (`operator.four_eyes`): what of a change lets one
//! reach further, and what speaks against an act before anybody is asked to confirm it.

use super::super::manage_products::product_of;
use super::super::{Failure, Operations};
use super::{MandateChange, NewMandate, judged, mandate_of, refuse_over};
use crate::domain::mandate::{MOST_PRODUCTS, Mandate, Scope};
use crate::domain::moment::Moment;
use crate::domain::proposal::ProposedAct;
use crate::domain::refusal::Refusal;
use crate::ports::catalog::CatalogView;

impl Operations {
    /// Whether an act lets somebody do more than before. All that two people are asked for does, but for a change of a
    /// mandate that only takes away.
    pub(in crate::operations) fn reaches_further(&self, act: &ProposedAct) -> Result<bool, Failure> {
        let now = self.now();
        match act {
            ProposedAct::AddRecipientKey { .. }
            | ProposedAct::RetireRecipientKey { .. }
            | ProposedAct::AddMandate { .. } => Ok(true),
            ProposedAct::WidenMandate { mandate, added, removed, until, .. } => {
                let (added, removed) = (added.clone(), removed.clone());
                let change = MandateChange { added, removed, until: *until };
                let before = self.mandate(*mandate)?;
                self.catalog.look(|view| Ok(is_wider(&before, &altered(view, &before, &change, now)?)))
            }
        }
    }
}

/// A mandate as a change leaves it.
pub(super) fn altered(
    view: &dyn CatalogView,
    before: &Mandate,
    change: &MandateChange,
    now: Moment,
) -> Result<Mandate, Failure> {
    refuse_over(before, now)?;
    let mut products = before.scope.products().clone();
    for product in &change.added {
        product_of(view, product)?;
        products.insert(product.clone());
    }
    products.retain(|product| !change.removed.contains(product));
    let mut after = Mandate { scope: Scope::new(products)?, ..before.clone() };
    if let Some(until) = change.until {
        if until <= after.from.max(now) {
            let why = format!("the end {until} is not after its begin and now; use `mandate end`");
            return Err(Refusal::BadRequest(why).into());
        }
        after.warned &= after.until == Some(until);
        after.until = Some(until);
    }
    if (&after.scope, after.until) == (&before.scope, before.until) {
        return Err(Refusal::BadRequest("nothing would change".to_owned()).into());
    }
    after.due = after.next_due();
    Ok(after)
}

/// Whether a mandate reaches further after a change: to another product, or to a later moment.
pub(super) fn is_wider(before: &Mandate, after: &Mandate) -> bool {
    let is_later = match (before.until, after.until) {
        (Some(before), Some(after)) => before < after,
        (Some(_), None) => true,
        (None, _) => false,
    };
    is_later || !after.scope.products().is_subset(before.scope.products())
}

/// What speaks against an act now already; whoever confirms it has it judged anew.
pub(in crate::operations) fn judge_proposed(
    view: &dyn CatalogView,
    act: &ProposedAct,
    now: Moment,
) -> Result<(), Failure> {
    match act {
        ProposedAct::AddRecipientKey { .. } | ProposedAct::RetireRecipientKey { .. } => Ok(()),
        ProposedAct::AddMandate { intermediary, client, scope, from, until } => {
            let (intermediary, client) = (intermediary.clone(), client.clone());
            let products = scope.products().clone();
            judged(view, &NewMandate { intermediary, client, products, from: *from, until: *until }, now).map(drop)
        }
        ProposedAct::WidenMandate { mandate, intermediary, client, added, removed, until } => {
            // the row of the proposal holds both lists
            if added.len().max(removed.len()) > MOST_PRODUCTS {
                return Err(Refusal::TooMuch(format!("at most {MOST_PRODUCTS} products at once")).into());
            }
            let before = mandate_of(view, &Mandate::key_of(intermediary, client, *mandate))?;
            let change = MandateChange { added: added.clone(), removed: removed.clone(), until: *until };
            altered(view, &before, &change, now).map(drop)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::block::Standing;
    use crate::domain::ids::MandateId;
    use crate::domain::names::{OrganisationCode, ProductCode};

    fn mandate(products: &[&str], until: Option<u64>) -> Mandate {
        Mandate {
            id: MandateId::from_bytes([1; 16]),
            intermediary: OrganisationCode::parse("bureau").unwrap(),
            client: OrganisationCode::parse("city").unwrap(),
            scope: Scope::new(products.iter().map(|code| ProductCode::parse(code).unwrap()).collect()).unwrap(),
            from: Moment::from_millis(0),
            until: until.map(Moment::from_millis),
            standing: Standing::Active,
            added_at: Moment::from_millis(0),
            warned: false,
            due: None,
        }
    }

    #[test]
    fn only_what_reaches_further_is_wider() {
        let before = mandate(&["aa", "bb"], Some(10));
        for (products, until, expected) in [
            (&["aa", "bb"][..], Some(10), false),
            (&["aa"][..], Some(5), false),
            (&["aa", "cc"][..], Some(5), true),
            (&["aa", "bb", "cc"][..], Some(10), true),
            (&["aa"][..], Some(11), true),
            (&["aa"][..], None, true),
        ] {
            assert_eq!(is_wider(&before, &mandate(products, until)), expected, "{products:?} {until:?}");
        }
        assert!(!is_wider(&mandate(&["aa"], None), &mandate(&["aa"], Some(99))), "an end where there was none");
    }
}

//! Agreements that nobody fetches for yet: an administrator sees them, nobody is mailed (C4, C5).

use super::members::{couplable, may_manage};
use super::{Failure, Operations};
use crate::domain::record::RightHolder;
use crate::operations::{Caller, CouplableProduct};

impl Operations {
    /// Products of the caller's organisation that no account is coupled to.
    ///
    /// # Errors
    /// `NotAllowed` for who is no administrator.
    pub fn uncoupled_products(&self, caller: &Caller) -> Result<Vec<CouplableProduct>, Failure> {
        let now = self.now();
        self.catalog.look(|view| {
            may_manage(view, caller, now)?;
            let mut uncoupled = Vec::new();
            for product in couplable(view, &caller.organisation, now)? {
                let holders = RightHolder::keys_of(&caller.organisation, &product.code);
                if view.rows::<RightHolder>(&holders, None, 1)?.is_empty() {
                    uncoupled.push(product);
                }
            }
            Ok(uncoupled)
        })
    }
}

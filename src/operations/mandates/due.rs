//! What comes of mandates by the clock: a warning before the end (M23), and the end. It counts from its
//! moment on in any case; here it is put on record.

use std::sync::Arc;

use super::super::people::administrators_of;
use super::super::post::{Notice, Post, addressed};
use super::super::send_notices::mail_id;
use super::super::{Failure, Operations};
use super::derived::without_derived;
use super::{event, mandate_of, name_of, scheduled};
use crate::domain::block::Standing;
use crate::domain::decision::Decision;
use crate::domain::history::{Happening, Who};
use crate::domain::mandate::{Mandate, MandateDue};
use crate::domain::moment::Moment;
use crate::domain::notice::{Fact, NoticeKind};
use crate::domain::product::Product;
use crate::domain::record::Row;
use crate::domain::refusal::{Refusal, What};
use crate::ports::catalog::CatalogView;

/// One round does at most so many.
const MOST_DUE: usize = 100;

impl Operations {
    /// Puts the ends of mandates on record whose time is over, with the rights that followed from them, and warns of
    /// those that end soon. Returns how many.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn settle_mandates(&self) -> Result<usize, Failure> {
        let now = self.now();
        let due = self.catalog.look(|view| Ok(view.rows::<MandateDue>(&MandateDue::all(), None, MOST_DUE)?))?;
        let mut count = 0;
        for row in due.into_iter().take_while(|row| row.at <= now) {
            let (key, post) = (Mandate::key_of(&row.intermediary, &row.client, row.mandate), Arc::clone(&self.post));
            let decided = self.catalog.decide(Box::new(move |view| {
                let mandate = mandate_of(view, &key)?;
                match mandate.due {
                    Some(at) if at <= now && mandate.until.is_some_and(|until| until <= now) => {
                        let told = event(Happening::MandateExpired, Who::system(), &mandate);
                        ended(view, Decision::new(now, told), mandate)
                    }
                    Some(at) if at <= now && !mandate.warned => warn(view, &post, mandate, now),
                    // changed meanwhile
                    _ => Err(Refusal::NotFound(What::Mandate).into()),
                }
            }));
            match decided {
                Ok(_) => count += 1,
                Err(Failure::Refused(_)) => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(count)
    }
}

/// The decision with the end of a mandate whose time is over.
pub(super) fn expire(view: &dyn CatalogView, decision: Decision, mandate: Mandate) -> Result<Decision, Failure> {
    let decision = decision.and(event(Happening::MandateExpired, Who::system(), &mandate));
    ended(view, decision, mandate)
}

fn ended(view: &dyn CatalogView, decision: Decision, before: Mandate) -> Result<Decision, Failure> {
    let at = before.until.unwrap_or(decision.at());
    let decision = without_derived(view, decision, (&before, None), &Who::system())?;
    let after = Mandate { standing: Standing::Ended { at, reason: None }, due: None, ..before.clone() };
    Ok(scheduled(decision, Some(&before), &after).put(after))
}

/// M23 to the administrators of both.
fn warn(view: &dyn CatalogView, post: &Post, before: Mandate, now: Moment) -> Result<Decision, Failure> {
    let until = before.until.unwrap_or(now);
    let mut after = Mandate { warned: true, ..before.clone() };
    after.due = after.next_due();
    let mut facts = vec![
        (Fact::Client, name_of(view, &before.client)?.to_string()),
        (Fact::Intermediary, name_of(view, &before.intermediary)?.to_string()),
        (Fact::Until, until.millis().to_string()),
    ];
    for code in before.scope.products() {
        let product = view.row::<Product>(&Product::key_of(code))?;
        facts.push((Fact::Added, product.map_or_else(|| code.to_string(), |product| product.name.to_string())));
    }
    let mut decision = Decision::new(now, event(Happening::MandateExpiring, Who::system(), &before));
    let kind = NoticeKind::MandateExpiring;
    // one for each end that there is: a mandate that was prolonged is warned of anew
    let mut about = [0; 16];
    let parts = until.millis().to_be_bytes().into_iter().chain(before.id.as_bytes().iter().copied());
    about.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
    for code in [&before.client, &before.intermediary] {
        for account in administrators_of(view, code, now)? {
            let notice = Notice { id: mail_id(kind, &about, account.login.as_str()), kind, delivery: None };
            let to = addressed(&account, facts.clone());
            decision = post.queue(decision, notice, &to, account.language, now)?;
        }
    }
    Ok(scheduled(decision, Some(&before), &after).put(after).leaving_access_as_it_is())
}

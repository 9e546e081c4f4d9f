//! Rights that follow from a mandate: bound to it when they are coupled, and gone with it, all in
//! the decision that ends it. Their number is bounded, so that this one decision holds them.

use super::super::{Failure, agreement_in_force};
use super::force::{mandate_in_force, of_pair};
use super::{MOST_ENDED, MOST_RIGHTS, about};
use crate::domain::account::Account;
use crate::domain::decision::Decision;
use crate::domain::history::{About, Event, Happening, Who};
use crate::domain::mandate::{AccountScope, Mandate, MandatedRight};
use crate::domain::moment::Moment;
use crate::domain::names::{OrganisationCode, ProductCode};
use crate::domain::record::{Key, Record, RightHolder};
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::Right;
use crate::ports::catalog::CatalogView;

/// The decision with a right of an account coupled: to its own organisation, or to a client under the mandate in
/// force. Needs an agreement of the recipient in any case (B11).
pub(in crate::operations) fn with_right(
    view: &dyn CatalogView,
    decision: Decision,
    account: &Account,
    recipient: &OrganisationCode,
    product: &ProductCode,
    now: Moment,
) -> Result<Decision, Failure> {
    let scope = view.row::<AccountScope>(&AccountScope::key_of(&account.login))?;
    if scope.is_some_and(|scope| scope.client != *recipient) {
        return Err(Refusal::NotAllowed("this account is for one client alone").into());
    }
    if agreement_in_force(view, recipient, product, now)?.is_none() {
        let (organisation, product) = (recipient.to_string(), product.to_string());
        return Err(Refusal::NoAgreement { organisation, product }.into());
    }
    let login = account.login.clone();
    let is_there = view.find(&Right::key_of(&login, recipient, product))?.is_some();
    let exists = || Refusal::Exists(What::Right, format!("of {login} to {product} of {recipient}"));
    let decision = if account.organisation == *recipient {
        if is_there {
            return Err(exists().into());
        }
        decision
    } else {
        let mandate = mandate_in_force(view, &account.organisation, recipient, Some(product), now)?;
        let no_mandate = Refusal::NotAllowed("the account's organisation has no mandate of that recipient for it");
        let mandate = mandate.ok_or(no_mandate)?;
        let derived = view.rows::<MandatedRight>(&MandatedRight::keys_of(mandate.id), None, MOST_RIGHTS)?;
        if derived.iter().any(|right| right.login == login && right.product == *product) {
            return Err(exists().into());
        }
        if derived.len() >= MOST_RIGHTS {
            return Err(Refusal::TooMuch(format!("one mandate carries at most {MOST_RIGHTS} rights")).into());
        }
        // a right that an earlier mandate left begins anew
        decision.put(MandatedRight { mandate: mandate.id, login: login.clone(), product: product.clone() })
    };
    let holder = RightHolder { recipient: recipient.clone(), product: product.clone(), login: login.clone() };
    let right = Right { login, recipient: recipient.clone(), product: product.clone(), since: now };
    Ok(decision.put(right).put(holder))
}

/// The decision with a right gone.
pub(in crate::operations) fn without_right(
    view: &dyn CatalogView,
    mut decision: Decision,
    account: &Account,
    recipient: &OrganisationCode,
    product: &ProductCode,
) -> Result<Decision, Failure> {
    if account.organisation != *recipient {
        for mandate in of_pair(view, &account.organisation, recipient)? {
            let key = MandatedRight::key_of(mandate.id, &account.login, product);
            if view.find(&key)?.is_some() {
                decision = decision.remove(key);
            }
        }
    }
    let holder = RightHolder { recipient: recipient.clone(), product: product.clone(), login: account.login.clone() };
    let key = Right::key_of(&account.login, recipient, product);
    Ok(decision.remove(key).remove(Record::from(holder).key()))
}

/// The decision with everything gone that follows from a mandate, or only what is outside of the scope that it has
/// in `kept`.
pub(super) fn without_derived(
    view: &dyn CatalogView,
    mut decision: Decision,
    (mandate, kept): (&Mandate, Option<&Mandate>),
    who: &Who,
) -> Result<Decision, Failure> {
    let rights = view.rows::<MandatedRight>(&MandatedRight::keys_of(mandate.id), None, MOST_ENDED)?;
    for MandatedRight { mandate: id, login, product } in rights {
        if kept.is_some_and(|kept| kept.scope.contains(&product)) {
            continue;
        }
        let about = About { login: Some(login.clone()), product: Some(product.clone()), ..about(mandate) };
        let event = Event::new(Happening::RightDecoupled, who.clone(), about);
        decision = decision
            .and(event.with_note(&format!("followed from mandate {id}")))
            .remove(MandatedRight::key_of(id, &login, &product))
            .remove(Right::key_of(&login, &mandate.client, &product))
            .remove(holder_key(&mandate.client, &product, &login));
    }
    Ok(decision)
}

fn holder_key(recipient: &OrganisationCode, product: &ProductCode, login: &crate::domain::names::LoginName) -> Key {
    let holder = RightHolder { recipient: recipient.clone(), product: product.clone(), login: login.clone() };
    Record::from(holder).key()
}

//! What has force: the mandate between two organisations now, and the rights that follow from
//! it. Everything that lets an intermediary act asks here; nothing here changes anything.

use std::collections::BTreeSet;

use super::super::{Caller, Failure};
use super::{MOST_OF_PAIR, MOST_RIGHTS};
use crate::domain::account::Account;
use crate::domain::ids::MandateId;
use crate::domain::mandate::{AccountScope, Mandate, MandatePhase, MandatedRight};
use crate::domain::moment::Moment;
use crate::domain::names::{LoginName, OrganisationCode, ProductCode};
use crate::domain::refusal::{Refusal, What};
use crate::ports::catalog::CatalogView;

/// The mandate under which an intermediary may act for a client now, for this product, or at all.
pub(in crate::operations) fn mandate_in_force(
    view: &dyn CatalogView,
    intermediary: &OrganisationCode,
    client: &OrganisationCode,
    product: Option<&ProductCode>,
    now: Moment,
) -> Result<Option<Mandate>, Failure> {
    Ok(of_pair(view, intermediary, client)?.into_iter().find(|mandate| mandate.covers(product, now)))
}

/// The mandate under which the caller acts where it is now.
pub(in crate::operations) fn mandate_for(
    view: &dyn CatalogView,
    caller: &Caller,
    now: Moment,
) -> Result<Mandate, Failure> {
    let mandate = mandate_in_force(view, &caller.organisation, caller.recipient(), None, now)?;
    Ok(mandate.ok_or(Refusal::NotFound(What::Organisation))?)
}

/// Whether a right follows from this mandate, and not from one before it.
pub(in crate::operations) fn follows_from(
    view: &dyn CatalogView,
    mandate: MandateId,
    login: &LoginName,
    product: &ProductCode,
) -> Result<bool, Failure> {
    Ok(view.find(&MandatedRight::key_of(mandate, login, product))?.is_some())
}

/// Products that are coupled to an account under a mandate.
pub(in crate::operations) fn coupled_under(
    view: &dyn CatalogView,
    mandate: MandateId,
    login: &LoginName,
) -> Result<BTreeSet<ProductCode>, Failure> {
    let rights = view.rows::<MandatedRight>(&MandatedRight::keys_of_account(mandate, login), None, MOST_RIGHTS)?;
    Ok(rights.into_iter().map(|right| right.product).collect())
}

/// Whether who holds a right of a recipient may hear of it now: of the own organisation, or of a client by mandate.
pub(in crate::operations) fn has_force(
    view: &dyn CatalogView,
    account: &Account,
    recipient: &OrganisationCode,
    product: &ProductCode,
    now: Moment,
) -> Result<bool, Failure> {
    let scope = view.row::<AccountScope>(&AccountScope::key_of(&account.login))?;
    if scope.is_some_and(|scope| scope.client != *recipient) {
        return Ok(false);
    }
    if account.organisation == *recipient {
        return Ok(true);
    }
    match mandate_in_force(view, &account.organisation, recipient, Some(product), now)? {
        Some(mandate) => follows_from(view, mandate.id, &account.login, product),
        None => Ok(false),
    }
}

/// Every mandate that there was between two organisations.
pub(super) fn of_pair(
    view: &dyn CatalogView,
    intermediary: &OrganisationCode,
    client: &OrganisationCode,
) -> Result<Vec<Mandate>, Failure> {
    Ok(view.rows::<Mandate>(&Mandate::keys_of(intermediary, Some(client)), None, MOST_OF_PAIR)?)
}

/// The one of them that is not over, if there is one.
pub(super) fn running(mandates: &[Mandate], now: Moment) -> Option<&Mandate> {
    mandates.iter().find(|mandate| mandate.phase(now) != MandatePhase::Over)
}

//! Gathers the facts that `permits` judges, from one state of the catalog.
//! Judges nothing itself.

use super::{Caller, Failure};
use crate::domain::account::{Account, AccountKind};
use crate::domain::agreement::Agreement;
use crate::domain::delivery::Delivery;
use crate::domain::moment::Moment;
use crate::domain::names::{OrganisationCode, ProductCode};
use crate::domain::organisation::Organisation;
use crate::domain::rights::{Case, Condition, Coupling, Ground, Presence, Relation, Right, Role};
use crate::ports::catalog::CatalogView;

/// One organisation has at most so many agreements for one product.
pub(super) const MOST_AGREEMENTS: usize = 1_000;

/// The facts of a case about an account.
pub(super) fn case_of(
    view: &dyn CatalogView,
    caller: &Caller,
    recipient: &OrganisationCode,
    product: Option<&ProductCode>,
    now: Moment,
) -> Result<Case, Failure> {
    let account = view.row::<Account>(&Account::key_of(&caller.login))?;
    let mut case = Case {
        role: match &account {
            Some(account) if account.is_administrator => Role::Administrator,
            Some(Account { kind: AccountKind::Person { .. }, .. }) => Role::Person,
            _ => Role::Machine,
        },
        condition: Condition::Open,
        relation: if *recipient == caller.organisation { Relation::Own } else { Relation::Foreign },
        coupling: Coupling::Uncoupled,
        ground: Ground::None,
        presence: Presence::Available,
    };
    match account {
        Some(account) => case = case.under(account.standing.at(now)),
        None => case.condition = Condition::Ended,
    }
    for code in [&caller.organisation, recipient] {
        match view.row::<Organisation>(&Organisation::key_of(code))? {
            Some(organisation) => case = case.under(organisation.standing.at(now)),
            None => case.condition = Condition::Ended,
        }
    }
    if let Some(product) = product {
        if view.find(&Right::key_of(&caller.login, recipient, product))?.is_some() {
            case.coupling = Coupling::Coupled;
        }
        if agreement_in_force(view, recipient, product, now)?.is_some() {
            case.ground = Ground::InForce;
        }
    }
    Ok(case)
}

/// The agreement in force for a recipient and product, the newest when there are several.
pub(super) fn agreement_in_force(
    view: &dyn CatalogView,
    recipient: &OrganisationCode,
    product: &ProductCode,
    now: Moment,
) -> Result<Option<Agreement>, Failure> {
    let prefix = Agreement::keys_of(recipient, Some(product));
    let agreements = view.rows::<Agreement>(&prefix, None, MOST_AGREEMENTS)?;
    Ok(agreements.into_iter().filter(|a| a.is_in_force(now)).max_by_key(|a| (a.from, a.added_at)))
}

/// The same case, with what is known of one delivery.
pub(super) fn with_presence(mut case: Case, delivery: &Delivery, now: Moment) -> Case {
    if !delivery.is_fetchable(now) {
        case.presence = Presence::Gone;
    }
    case
}

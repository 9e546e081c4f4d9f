//! Gathers the facts that `permits` judges, from one state of the catalog, and keeps
//! them while nothing about access has changed. Judges nothing itself.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;

use super::interrupt::is_closed;
use super::mandates::{follows_from, mandate_in_force};
use super::restrict::services_of;
use super::sign_in::{outside_of, still_lets_in};
use super::terms::has_terms_open;
use super::{Caller, Failure, Operations, locked};
use crate::domain::account::{Account, AccountKind};
use crate::domain::agreement::Agreement;
use crate::domain::block::Access;
use crate::domain::delivery::Delivery;
use crate::domain::history::Channel;
use crate::domain::ids::MandateId;
use crate::domain::mandate::AccountScope;
use crate::domain::moment::{Moment, Span};
use crate::domain::names::{LoginName, OrganisationCode, ProductCode};
use crate::domain::organisation::Organisation;
use crate::domain::rights::{Case, Condition, Coupling, Ground, Presence, Relation, Right, Role};
use crate::ports::catalog::CatalogView;

/// One organisation has at most so many agreements for one product.
pub(super) const MOST_AGREEMENTS: usize = 1_000;

/// Facts end with a change of the catalog; what ends by the clock alone, at most so much later.
const KEPT_FOR: Span = Span::from_millis(1_000);

/// So many cases are kept.
const MOST_KEPT: usize = 4_096;

/// Facts gathered before.
#[derive(Default)]
pub(super) struct KnownCases {
    kept: Mutex<HashMap<Asked, Known>>,
}

/// Everything about who asks that the facts depend on, and what they ask of.
#[derive(PartialEq, Eq, Hash)]
struct Asked {
    login: LoginName,
    channel: Channel,
    address: IpAddr,
    credential: String,
    rights_as_of: Option<Moment>,
    acts_for: Option<OrganisationCode>,
    recipient: OrganisationCode,
    product: ProductCode,
}

struct Known {
    version: u64,
    at: Moment,
    case: Case,
}

impl Operations {
    /// As `case_of`, from memory when nothing about access has changed since: a robot asks the same for each file.
    pub(super) fn known_case(
        &self,
        view: &dyn CatalogView,
        caller: &Caller,
        recipient: &OrganisationCode,
        product: &ProductCode,
        now: Moment,
    ) -> Result<Case, Failure> {
        // before the facts: what changes after it makes another version
        let version = self.catalog.version();
        let asked = Asked {
            login: caller.login.clone(),
            channel: caller.channel,
            address: caller.address,
            credential: caller.credential.clone(),
            rights_as_of: caller.rights_as_of,
            acts_for: caller.acts_for.clone(),
            recipient: recipient.clone(),
            product: product.clone(),
        };
        if let Some(known) = locked(&self.known_cases.kept).get(&asked)
            && known.version == version
            && known.at <= now
            && now < known.at.after(KEPT_FOR)
        {
            return Ok(known.case);
        }
        let case = case_of(view, caller, recipient, Some(product), now)?;
        let mut kept = locked(&self.known_cases.kept);
        if kept.len() >= MOST_KEPT {
            kept.clear();
        }
        kept.insert(asked, Known { version, at: now, case });
        Ok(case)
    }
}

/// The facts of a case about an account.
pub(super) fn case_of(
    view: &dyn CatalogView,
    caller: &Caller,
    recipient: &OrganisationCode,
    product: Option<&ProductCode>,
    now: Moment,
) -> Result<Case, Failure> {
    let account = view.row::<Account>(&Account::key_of(&caller.login))?;
    let place = place_of(view, caller, recipient, product, now)?;
    let mut case = Case {
        role: match &account {
            Some(account) if account.is_administrator => Role::Administrator,
            Some(Account { kind: AccountKind::Person { .. }, .. }) => Role::Person,
            _ => Role::Machine,
        },
        condition: Condition::Open,
        relation: match place {
            Place::Own => Relation::Own,
            Place::Mandated(_) => Relation::Mandated,
            Place::Foreign => Relation::Foreign,
        },
        coupling: Coupling::Uncoupled,
        ground: Ground::None,
        presence: Presence::Available,
        services: services_of(view, Some(&caller.login), [&caller.organisation, recipient])?,
    };
    if is_closed(view, caller.channel, now)? {
        case = case.under(Access::Blocked);
    }
    match account {
        Some(account) => {
            case = case.under(account.standing.at(now));
            if has_terms_open(view, &account, caller.channel, now)? {
                case = case.with_terms_open();
            }
            // a list, or the key or token itself, may have changed since they came in
            if outside_of(view, &account, caller.address)?.is_some() || !still_lets_in(view, caller, now)? {
                case = case.under(Access::Blocked);
            }
        }
        None => case.condition = Condition::Ended,
    }
    let concerned = match place {
        Place::Own | Place::Foreign => vec![&caller.organisation],
        Place::Mandated(_) => vec![&caller.organisation, recipient],
    };
    // how a stranger stands is told to nobody
    for code in concerned {
        match view.row::<Organisation>(&Organisation::key_of(code))? {
            Some(organisation) => case = case.under(organisation.standing.at(now)),
            None => case.condition = Condition::Ended,
        }
    }
    if let Some(product) = product {
        let right = view.row::<Right>(&Right::key_of(&caller.login, recipient, product))?;
        let counts = match place {
            Place::Own => true,
            Place::Mandated(mandate) => follows_from(view, mandate, &caller.login, product)?,
            Place::Foreign => false,
        };
        if counts && right.is_some_and(|right| caller.sees(&right)) {
            case.coupling = Coupling::Coupled;
        }
        if agreement_in_force(view, recipient, product, now)?.is_some() {
            case.ground = Ground::InForce;
        }
    }
    Ok(case)
}

/// How the caller stands to a recipient, where it is now.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// It is its own organisation, and it acts for that.
    Own,
    /// It acts for this client, under this mandate.
    Mandated(MandateId),
    /// Anything else: also a client where it acts for itself, and itself where it acts for a client.
    Foreign,
}

fn place_of(
    view: &dyn CatalogView,
    caller: &Caller,
    recipient: &OrganisationCode,
    product: Option<&ProductCode>,
    now: Moment,
) -> Result<Place, Failure> {
    if *recipient != *caller.recipient() {
        return Ok(Place::Foreign);
    }
    // an account for one client reaches nothing but that, not even its own organisation
    let scope = view.row::<AccountScope>(&AccountScope::key_of(&caller.login))?;
    if scope.is_some_and(|scope| scope.client != *recipient) {
        return Ok(Place::Foreign);
    }
    if caller.acts_for.is_none() {
        return Ok(Place::Own);
    }
    let mandate = mandate_in_force(view, &caller.organisation, recipient, product, now)?;
    Ok(mandate.map_or(Place::Foreign, |mandate| Place::Mandated(mandate.id)))
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

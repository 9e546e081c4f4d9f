//! Mandates: a client's consent that an intermediary acts for it, for named products and a
//! time (D4, 4.4). What follows from one, follows from this one alone. Reads no clock.

use std::collections::BTreeSet;

use super::block::{Access, Standing};
use super::ids::MandateId;
use super::moment::{Moment, Span};
use super::names::{LoginName, OrganisationCode, ProductCode};
use super::record::{Key, Row};
use super::refusal::Refusal;

/// Products of one mandate: with codes of 32 characters they fit in a value of the catalog.
pub const MOST_PRODUCTS: usize = 200;

/// So many days before the end of a mandate both organisations are told (M23).
pub const WARNED_DAYS: u64 = 30;

/// The products that a mandate is for: at least one, at most [`MOST_PRODUCTS`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scope(BTreeSet<ProductCode>);

impl Scope {
    /// A scope of these products.
    ///
    /// # Errors
    /// `BadRequest` for none, `TooMuch` for too many.
    pub fn new(products: BTreeSet<ProductCode>) -> Result<Self, Refusal> {
        match products.len() {
            0 => Err(Refusal::BadRequest("a mandate names at least one product; end it instead".to_owned())),
            count if count > MOST_PRODUCTS => {
                Err(Refusal::TooMuch(format!("a mandate names at most {MOST_PRODUCTS} products")))
            }
            _ => Ok(Self(products)),
        }
    }

    /// The products, in order of code.
    #[must_use]
    pub const fn products(&self) -> &BTreeSet<ProductCode> {
        &self.0
    }

    /// Whether a product is in it.
    #[must_use]
    pub fn contains(&self, product: &ProductCode) -> bool {
        self.0.contains(product)
    }
}

/// One mandate. Of an intermediary and a client at most one is not over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mandate {
    /// Its id.
    pub id: MandateId,
    /// Who acts.
    pub intermediary: OrganisationCode,
    /// For whom.
    pub client: OrganisationCode,
    /// For which products.
    pub scope: Scope,
    /// From when.
    pub from: Moment,
    /// Until when; without end when `None`.
    pub until: Option<Moment>,
    /// Active, blocked (J8) or ended.
    pub standing: Standing,
    /// When it was added.
    pub added_at: Moment,
    /// Both organisations were told that this `until` comes near.
    pub warned: bool,
    /// The moment of its row in the list of what is due.
    pub due: Option<Moment>,
}

/// Where a mandate stands at a moment.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum MandatePhase {
    /// It begins later.
    Announced,
    /// The intermediary may act.
    InForce,
    /// Blocked by the operator.
    Blocked,
    /// Its time is over, or it was ended.
    Over,
}

impl MandatePhase {
    /// The word shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Announced => "announced",
            Self::InForce => "in-force",
            Self::Blocked => "blocked",
            Self::Over => "over",
        }
    }
}

impl Mandate {
    /// The beginning of the keys of an intermediary's mandates, of one client or all.
    #[must_use]
    pub fn keys_of(intermediary: &OrganisationCode, client: Option<&OrganisationCode>) -> Key {
        let key = Key::of(Self::KIND).text(intermediary.as_str());
        client.iter().fold(key, |key, client| key.text(client.as_str()))
    }

    /// The key of one mandate.
    #[must_use]
    pub fn key_of(intermediary: &OrganisationCode, client: &OrganisationCode, id: MandateId) -> Key {
        Self::keys_of(intermediary, Some(client)).bytes(id.as_bytes())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(&self.intermediary, &self.client, self.id)
    }

    /// Where it stands at `now`.
    #[must_use]
    pub fn phase(&self, now: Moment) -> MandatePhase {
        match self.standing.at(now) {
            Access::Ended => MandatePhase::Over,
            _ if self.until.is_some_and(|until| until <= now) => MandatePhase::Over,
            Access::Blocked => MandatePhase::Blocked,
            Access::Open if now < self.from => MandatePhase::Announced,
            Access::Open => MandatePhase::InForce,
        }
    }

    /// Whether the intermediary may act at `now`, for this product, or at all when none is asked for.
    #[must_use]
    pub fn covers(&self, product: Option<&ProductCode>, now: Moment) -> bool {
        self.phase(now) == MandatePhase::InForce && product.is_none_or(|product| self.scope.contains(product))
    }

    /// Whether it has ended on record, and not by the clock alone.
    #[must_use]
    pub const fn is_ended(&self) -> bool {
        matches!(self.standing, Standing::Ended { .. })
    }

    /// When the next thing is to be done about it by itself: its warning, then its end. Nothing once it has ended.
    #[must_use]
    pub fn next_due(&self) -> Option<Moment> {
        let until = self.until.filter(|_| !self.is_ended())?;
        if self.warned {
            return Some(until);
        }
        // one that is shorter than that is warned of at its beginning
        Some(until.before(Span::from_days(WARNED_DAYS)).max(self.from).min(until))
    }
}

/// A right that follows from a mandate. A right for a client counts only while one leads from the mandate in force
/// to it: what was coupled under an earlier mandate comes back with none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MandatedRight {
    /// The mandate.
    pub mandate: MandateId,
    /// Whose right.
    pub login: LoginName,
    /// To which product of the client.
    pub product: ProductCode,
}

impl MandatedRight {
    /// The beginning of the keys of everything that follows from a mandate.
    #[must_use]
    pub fn keys_of(mandate: MandateId) -> Key {
        Key::of(Self::KIND).bytes(mandate.as_bytes())
    }

    /// The beginning of the keys of what follows from it for one account.
    #[must_use]
    pub fn keys_of_account(mandate: MandateId, login: &LoginName) -> Key {
        Self::keys_of(mandate).text(login.as_str())
    }

    /// The key of one.
    #[must_use]
    pub fn key_of(mandate: MandateId, login: &LoginName, product: &ProductCode) -> Key {
        Self::keys_of_account(mandate, login).text(product.as_str())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(self.mandate, &self.login, &self.product)
    }
}

/// When something is to be done about a mandate; what, the mandate says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MandateDue {
    /// When.
    pub at: Moment,
    /// Which mandate.
    pub mandate: MandateId,
    /// Of whom.
    pub intermediary: OrganisationCode,
    /// For whom.
    pub client: OrganisationCode,
}

impl MandateDue {
    /// The key of one.
    #[must_use]
    pub fn key_of(at: Moment, mandate: MandateId) -> Key {
        Key::of(Self::KIND).bytes(&at.millis().to_be_bytes()).bytes(mandate.as_bytes())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(self.at, self.mandate)
    }
}

/// An account of an intermediary that reaches this one client and nothing else, whatever is coupled to it: not the
/// own organisation, no other client. Set when the account is added, for good.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountScope {
    /// The account.
    pub login: LoginName,
    /// The one client.
    pub client: OrganisationCode,
}

impl AccountScope {
    /// The key of the scope of an account.
    #[must_use]
    pub fn key_of(login: &LoginName) -> Key {
        Key::of(Self::KIND).text(login.as_str())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(&self.login)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::block::Block;
    use crate::domain::names::Line;

    const BEGIN: Moment = Moment::from_millis(1_000_000_000_000);

    fn mandate() -> Mandate {
        let code = |text: &str| OrganisationCode::parse(text).unwrap();
        Mandate {
            id: MandateId::from_bytes([1; 16]),
            intermediary: code("kantoor"),
            client: code("gemeente"),
            scope: Scope::new(BTreeSet::from([ProductCode::parse("daily").unwrap()])).unwrap(),
            from: BEGIN,
            until: Some(BEGIN.after(Span::from_days(100))),
            standing: Standing::Active,
            added_at: BEGIN,
            warned: false,
            due: None,
        }
    }

    #[test]
    fn it_is_in_force_from_its_first_to_its_last_moment_for_its_products() {
        let (mandate, one) = (mandate(), Span::from_millis(1));
        let (daily, other) = (ProductCode::parse("daily").unwrap(), ProductCode::parse("other").unwrap());
        let until = mandate.until.unwrap();
        assert_eq!(mandate.phase(BEGIN.before(one)), MandatePhase::Announced);
        assert_eq!(mandate.phase(BEGIN), MandatePhase::InForce);
        assert_eq!(mandate.phase(until.before(one)), MandatePhase::InForce);
        assert_eq!(mandate.phase(until), MandatePhase::Over);
        assert!(mandate.covers(None, BEGIN) && mandate.covers(Some(&daily), BEGIN));
        assert!(!mandate.covers(Some(&other), BEGIN) && !mandate.covers(Some(&daily), until));
    }

    #[test]
    fn a_block_counts_until_its_moment_and_an_end_for_good() {
        let mut mandate = mandate();
        let block = Block { reason: Line::parse("onderzoek").unwrap(), since: BEGIN, until: None };
        mandate.standing = Standing::Blocked(block);
        assert_eq!(mandate.phase(BEGIN), MandatePhase::Blocked);
        assert_eq!(mandate.phase(mandate.until.unwrap()), MandatePhase::Over);
        mandate.standing = Standing::Ended { at: BEGIN, reason: None };
        assert_eq!((mandate.phase(BEGIN), mandate.next_due()), (MandatePhase::Over, None));
    }

    #[test]
    fn it_is_warned_of_once_thirty_days_before_its_end() {
        let mut mandate = mandate();
        let until = mandate.until.unwrap();
        assert_eq!(mandate.next_due(), Some(until.before(Span::from_days(30))));
        mandate.warned = true;
        assert_eq!(mandate.next_due(), Some(until));
        let short = Mandate { until: Some(BEGIN.after(Span::from_days(3))), warned: false, ..mandate.clone() };
        assert_eq!(short.next_due(), Some(BEGIN));
        assert_eq!(Mandate { until: None, ..mandate }.next_due(), None);
    }

    #[test]
    fn a_scope_is_never_empty_and_bounded() {
        assert!(Scope::new(BTreeSet::new()).is_err());
        let many = |count: usize| (0..count).map(|at| ProductCode::parse(&format!("p{at}")).unwrap()).collect();
        assert!(Scope::new(many(MOST_PRODUCTS)).is_ok());
        assert!(Scope::new(many(MOST_PRODUCTS + 1)).is_err());
    }
}

//! What an organisation tells of itself besides its identity: how to reach it and its contact
//! persons (A17, K4), and a change of its identity that waits for the operator. Reads no clock.

use super::moment::Moment;
use super::names::{EmailAddress, Kvk, Line, LoginName, NameFault, Oin, OrganisationCode};
use super::organisation::Organisation;
use super::record::{Key, Row};
use super::refusal::Refusal;

/// For what a contact person is to be asked (K4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ContactRole {
    /// About the data and what they mean.
    Functional,
    /// About the connection.
    Technical,
    /// About personal data.
    Privacy,
    /// About security incidents.
    Security,
}

impl ContactRole {
    /// Every role, in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::Functional, Self::Technical, Self::Privacy, Self::Security];

    /// The word in forms and JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Functional => "functional",
            Self::Technical => "technical",
            Self::Privacy => "privacy",
            Self::Security => "security",
        }
    }
}

/// Somebody to ask.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ContactPerson {
    /// For what.
    pub role: ContactRole,
    /// Name.
    pub name: Line,
    /// E-mail address.
    pub email: EmailAddress,
    /// Telephone number.
    pub phone: Option<Line>,
}

/// The contact persons of an organisation: at most one for each role, in the order of the roles.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ContactPersons(Vec<ContactPerson>);

impl ContactPersons {
    /// Puts them in order.
    ///
    /// # Errors
    /// `BadRequest` with two of one role.
    pub fn new(mut persons: Vec<ContactPerson>) -> Result<Self, Refusal> {
        persons.sort_by_key(|person| person.role);
        let is_double = persons.iter().zip(persons.iter().skip(1)).any(|(one, next)| one.role == next.role);
        if is_double {
            return Err(Refusal::BadRequest("there is one contact person for each role".to_owned()));
        }
        Ok(Self(persons))
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[ContactPerson] {
        &self.0
    }

    /// Who is asked about this.
    #[must_use]
    pub fn of(&self, role: ContactRole) -> Option<&ContactPerson> {
        self.0.iter().find(|person| person.role == role)
    }
}

/// How to reach an organisation, as its administrators keep it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OrganisationCard {
    /// Which organisation.
    pub organisation: OrganisationCode,
    /// General e-mail address.
    pub email: Option<EmailAddress>,
    /// General telephone number.
    pub phone: Option<Line>,
    /// Postal address, on one line.
    pub address: Option<Line>,
    /// Whom to ask.
    pub persons: ContactPersons,
    /// When it last changed.
    pub changed_at: Moment,
}

impl OrganisationCard {
    /// A card with nothing on it.
    #[must_use]
    pub fn empty(organisation: OrganisationCode, now: Moment) -> Self {
        let persons = ContactPersons::default();
        Self { organisation, email: None, phone: None, address: None, persons, changed_at: now }
    }

    /// The key of the card of this organisation.
    #[must_use]
    pub fn key_of(organisation: &OrganisationCode) -> Key {
        Key::of(Self::KIND).text(organisation.as_str())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(&self.organisation)
    }

    /// Whether it says the same.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        (&self.email, &self.phone, &self.address, &self.persons)
            == (&other.email, &other.phone, &other.address, &other.persons)
    }
}

/// What identifies an organisation: the operator vouches for it, so only the operator changes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OrganisationIdentity {
    /// Full name.
    pub name: Line,
    /// KVK number.
    pub kvk: Option<Kvk>,
    /// OIN.
    pub oin: Option<Oin>,
}

impl OrganisationIdentity {
    /// That of an organisation as it is on record.
    #[must_use]
    pub fn of(organisation: &Organisation) -> Self {
        Self { name: organisation.name.clone(), kvk: organisation.kvk.clone(), oin: organisation.oin.clone() }
    }

    /// Reads it as it was filled in; an empty number is none.
    ///
    /// # Errors
    /// The first field that breaks its rule.
    pub fn parse(name: &str, kvk: &str, oin: &str) -> Result<Self, NameFault> {
        Ok(Self { name: Line::parse(name)?, kvk: given(kvk, Kvk::parse)?, oin: given(oin, Oin::parse)? })
    }
}

/// A field that may be left empty.
///
/// # Errors
/// A text that breaks the rule of the field.
pub fn given<T>(text: &str, parse: fn(&str) -> Result<T, NameFault>) -> Result<Option<T>, NameFault> {
    match text.trim() {
        "" => Ok(None),
        text => parse(text).map(Some),
    }
}

/// A change of identity that an administrator asked for; one per organisation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IdentityChange {
    /// Which organisation.
    pub organisation: OrganisationCode,
    /// What it is to be.
    pub wanted: OrganisationIdentity,
    /// Who asked.
    pub asked_by: LoginName,
    /// When.
    pub asked_at: Moment,
    /// How far it came; one that was approved is gone.
    pub stage: IdentityChangeStage,
}

/// How far a change of identity came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum IdentityChangeStage {
    /// The operator has to judge it.
    Waiting,
    /// The operator rejected it; it stays in view until somebody asks anew.
    Rejected {
        /// When.
        at: Moment,
        /// Why.
        reason: Line,
    },
}

impl IdentityChange {
    /// The key of the change that this organisation asked for.
    #[must_use]
    pub fn key_of(organisation: &OrganisationCode) -> Key {
        Key::of(Self::KIND).text(organisation.as_str())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(&self.organisation)
    }

    /// Whether the operator has to judge it.
    #[must_use]
    pub const fn waits(&self) -> bool {
        matches!(self.stage, IdentityChangeStage::Waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_has_one_person() {
        let person = |role| ContactPerson {
            role,
            name: Line::parse("Anna").unwrap(),
            email: EmailAddress::parse("anna@example.org").unwrap(),
            phone: None,
        };
        let all = ContactPersons::new(ContactRole::ALL.into_iter().rev().map(person).collect()).unwrap();
        assert_eq!(all.all().iter().map(|person| person.role).collect::<Vec<_>>(), ContactRole::ALL);
        assert!(all.of(ContactRole::Privacy).is_some());
        assert!(ContactPersons::new(vec![person(ContactRole::Privacy), person(ContactRole::Privacy)]).is_err());
    }

    #[test]
    fn an_identity_is_read_as_it_was_filled_in() {
        let read = OrganisationIdentity::parse("Gemeente Demo", " 12345678 ", "").unwrap();
        assert_eq!((read.kvk.map(|kvk| kvk.to_string()), read.oin), (Some("12345678".to_owned()), None));
        for (name, kvk, oin) in [("", "", ""), ("x", "1234", ""), ("x", "", "12")] {
            assert!(OrganisationIdentity::parse(name, kvk, oin).is_err());
        }
    }
}

//! The operator's own people: who works in the office and as what (domain 5.2). Their account is
//! one like any other, of an organisation of its own that is no customer. Reads no clock.

use super::moment::Moment;
use super::names::{LoginName, NameFault};
use super::record::{Key, Row as _};
use super::rights::Role;

/// The organisation that accounts of the office belong to. No customer can have this code.
pub const OFFICE: &str = "postkluis-office";

/// So many people work in an office: lists of them are read in one go.
pub const MOST_OFFICERS: usize = 1_000;

/// Somebody of the operator who signs in to the office, and nowhere else.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OfficeMember {
    /// The account.
    pub login: LoginName,
    /// What they do there.
    pub role: OfficeRole,
    /// Since when they have an account there.
    pub added_at: Moment,
}

/// What somebody does in the office (domain 5.2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum OfficeRole {
    /// *Medewerker*: customers, their people, agreements and deliveries.
    Officer,
    /// *Functioneel beheerder*: also products, and who works in the office.
    Administrator,
    /// Reads everything and can block; nothing else.
    SecurityOfficer,
}

impl OfficeRole {
    /// Every role.
    pub const ALL: &'static [Self] = &[Self::Officer, Self::Administrator, Self::SecurityOfficer];

    /// The word shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Officer => "officer",
            Self::Administrator => "administrator",
            Self::SecurityOfficer => "security-officer",
        }
    }

    /// Reads the word.
    ///
    /// # Errors
    /// Any other text.
    pub fn parse(text: &str) -> Result<Self, NameFault> {
        let found = Self::ALL.iter().copied().find(|role| role.word() == text);
        found.ok_or_else(|| NameFault::new(text, "a role of the office", "officer, administrator or security-officer"))
    }

    /// The role as `permits` knows it.
    #[must_use]
    pub const fn role(self) -> Role {
        match self {
            Self::Officer => Role::Officer,
            Self::Administrator => Role::OfficeAdministrator,
            Self::SecurityOfficer => Role::SecurityOfficer,
        }
    }
}

impl OfficeMember {
    /// The key of somebody of the office.
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

    #[test]
    fn roles_are_read_back_and_the_code_of_the_office_is_one() {
        for role in OfficeRole::ALL {
            assert_eq!(OfficeRole::parse(role.word()).unwrap(), *role);
        }
        assert!(OfficeRole::parse("operator").is_err());
        assert!(crate::domain::names::OrganisationCode::parse(OFFICE).is_ok());
    }
}

//! Access that was ended in part (J7): one service of an account or organisation,
//! for a reason of the terms of use. Reads no clock.

use super::block::EndReason;
use super::moment::Moment;
use super::names::{Line, LoginName, NameFault, OrganisationCode};
use super::record::{Key, Row};

/// A part of what access consists of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Service {
    /// Fetching deliveries.
    Fetch,
    /// Delivering participant files.
    Deliver,
    /// Requesting products.
    Request,
}

impl Service {
    /// Every service.
    pub const ALL: &'static [Self] = &[Self::Fetch, Self::Deliver, Self::Request];

    /// The word shown and given.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Fetch => "fetch",
            Self::Deliver => "deliver",
            Self::Request => "request",
        }
    }

    /// Reads the word.
    ///
    /// # Errors
    /// Any other text.
    pub fn parse(text: &str) -> Result<Self, NameFault> {
        let found = Self::ALL.iter().copied().find(|service| service.word() == text);
        found.ok_or_else(|| NameFault::new(text, "a service", "fetch, deliver or request"))
    }

    /// The number in keys and disk forms; never reused.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Fetch => 0,
            Self::Deliver => 1,
            Self::Request => 2,
        }
    }
}

/// Whose access was ended in part.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Restricted {
    /// One account.
    Account(LoginName),
    /// Every account of an organisation, and everybody who acts for it.
    Organisation(OrganisationCode),
}

/// One service that was ended. The row goes when it is lifted; the history keeps both.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Restriction {
    /// Whose.
    pub subject: Restricted,
    /// Which service.
    pub service: Service,
    /// Why (J7: the terms of use know three reasons, and one of them there must be).
    pub reason: EndReason,
    /// What led to it; for the operator and the history, not for users.
    pub note: Option<Line>,
    /// Since when.
    pub since: Moment,
}

impl Restriction {
    /// The beginning of the keys of all services that were ended for somebody.
    #[must_use]
    pub fn keys_of(subject: &Restricted) -> Key {
        let key = Key::of(Self::KIND);
        match subject {
            Restricted::Account(login) => key.bytes(&[0]).text(login.as_str()),
            Restricted::Organisation(code) => key.bytes(&[1]).text(code.as_str()),
        }
    }

    /// The key of one service of somebody.
    #[must_use]
    pub fn key_of(subject: &Restricted, service: Service) -> Key {
        Self::keys_of(subject).bytes(&[service.number()])
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(&self.subject, self.service)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_have_a_word_and_a_number_of_their_own() {
        for (at, service) in Service::ALL.iter().enumerate() {
            assert_eq!(Service::parse(service.word()), Ok(*service));
            assert_eq!(usize::from(service.number()), at);
        }
        assert!(Service::parse("everything").is_err());
    }

    #[test]
    fn an_account_and_an_organisation_of_one_name_are_told_apart() {
        let account = Restricted::Account(LoginName::parse("alpha").unwrap());
        let organisation = Restricted::Organisation(OrganisationCode::parse("alpha").unwrap());
        assert_ne!(Restriction::key_of(&account, Service::Fetch), Restriction::key_of(&organisation, Service::Fetch));
    }
}

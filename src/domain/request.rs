//! A request for an account (A1-A13) or an invitation (B13), until it is approved, rejected or
//! too late. Personal data that nobody needs afterwards: the row goes with its end.

use super::account::Language;
use super::ids::LinkId;
use super::moment::{Moment, Span};
use super::names::{EmailAddress, Kvk, Line, LoginName, OrganisationCode};

/// Somebody who wants an account, or is invited to have one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountRequest {
    /// Its id; the link in the e-mail is made of it.
    pub id: LinkId,
    /// The business address; it becomes the login name (A3).
    pub email: EmailAddress,
    /// How to address them (A7).
    pub salutation: Salutation,
    /// Their name; unknown until somebody who was invited gives it.
    pub name: Option<Line>,
    /// For which organisation.
    pub organisation: Employer,
    /// In which language they asked.
    pub language: Language,
    /// The administrator who invited them.
    pub invited_by: Option<LoginName>,
    /// When it was made.
    pub made_at: Moment,
    /// So many e-mails with a link went to this address.
    pub mails: u32,
    /// How far it came.
    pub stage: RequestStage,
}

/// The organisation that somebody works for, as far as it is known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Employer {
    /// One that is known (B3).
    Known(OrganisationCode),
    /// One that the operator has to look at first (B4), as it was written.
    Stated {
        /// Its name.
        name: Line,
        /// Its number in the trade register.
        kvk: Option<Kvk>,
    },
}

/// How far a request came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RequestStage {
    /// Waits until its address is confirmed; afterwards it goes.
    Unconfirmed {
        /// Until when.
        until: Moment,
    },
    /// The address is confirmed: waits for the administrator, or the operator.
    Waiting {
        /// Since when.
        since: Moment,
    },
}

/// How to address somebody (A7); the neutral choice is the default.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Salutation {
    /// By name alone.
    #[default]
    Neutral,
    /// *Mevrouw*.
    Madam,
    /// *De heer*.
    Sir,
}

/// Which request belongs to an address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RequestAddress {
    /// The address as a login name.
    pub login: LoginName,
    /// The request.
    pub request: LinkId,
}

/// An address must be confirmed within so long (M01: 48 hours).
pub const CONFIRM_WITHIN: Span = Span::from_seconds(48 * 3_600);

/// An invitation must be taken up within so long, as an activation (B15).
pub const INVITED_FOR: Span = Span::from_days(21);

/// So many e-mails with a link go to one address for one request: nobody's box is filled by others.
pub const MOST_REQUEST_MAILS: u32 = 3;

/// Mail of everybody's: it does not tell for which organisation somebody works (A4).
const FREE_MAIL: &[&str] = &[
    "aol.com",
    "freedom.nl",
    "gmail.com",
    "gmx.com",
    "gmx.de",
    "gmx.net",
    "googlemail.com",
    "hetnet.nl",
    "home.nl",
    "hotmail.com",
    "hotmail.nl",
    "icloud.com",
    "kpnmail.nl",
    "kpnplanet.nl",
    "live.com",
    "live.nl",
    "mail.com",
    "me.com",
    "msn.com",
    "outlook.com",
    "planet.nl",
    "proton.me",
    "protonmail.com",
    "quicknet.nl",
    "telfort.nl",
    "tutanota.com",
    "upcmail.nl",
    "versatel.nl",
    "xs4all.nl",
    "yahoo.com",
    "yahoo.nl",
    "zeelandnet.nl",
    "ziggo.nl",
];

/// The domain of an address.
#[must_use]
pub fn domain_of(email: &EmailAddress) -> &str {
    email.as_str().rsplit_once('@').map_or("", |(_, domain)| domain)
}

/// Whether an address is one of everybody's, or of a domain that the operator refuses too.
#[must_use]
pub fn is_free_mail(email: &EmailAddress, refused: &[String]) -> bool {
    let domain = domain_of(email);
    FREE_MAIL.contains(&domain) || refused.iter().any(|own| own.eq_ignore_ascii_case(domain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_everybody_s_are_known_by_their_domain_alone() {
        let email = |text: &str| EmailAddress::parse(text).unwrap();
        assert!(is_free_mail(&email("Jan@GMail.com"), &[]));
        assert!(!is_free_mail(&email("jan@gmail.com.example.nl"), &[]));
        assert!(!is_free_mail(&email("gmail.com@gemeente.nl"), &[]));
        assert!(is_free_mail(&email("jan@school.nl"), &["School.nl".to_owned()]));
        assert!(FREE_MAIL.is_sorted(), "kept in order");
    }
}

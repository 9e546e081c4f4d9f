//! Names that come from outside, each parsed once into a type that cannot
//! hold a bad one. Must not know where a name is stored or shown.

use core::fmt;
use std::borrow::Cow;

/// A name that breaks its rule: says what was wrong and what is allowed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NameFault {
    given: String,
    kind: &'static str,
    rule: Cow<'static, str>,
}

impl NameFault {
    /// `given` is shortened and stripped of control characters before it is kept.
    #[must_use]
    pub fn new(given: &str, kind: &'static str, rule: impl Into<Cow<'static, str>>) -> Self {
        let given = given.chars().take(60).map(|c| if c.is_control() { '?' } else { c }).collect();
        Self { given, kind, rule: rule.into() }
    }
}

impl fmt::Display for NameFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" is not {}: use {}", self.given, self.kind, self.rule)
    }
}

impl core::error::Error for NameFault {}

macro_rules! text_name {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $rule:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(String);

        impl $name {
            /// Reads the name.
            ///
            /// # Errors
            /// A text that breaks the rule; the error states the rule.
            pub fn parse(text: &str) -> Result<Self, NameFault> {
                let check: fn(&str) -> Option<String> = $check;
                check(text).map(Self).ok_or_else(|| NameFault::new(text, $kind, $rule))
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_name!(
    /// Short code of an organisation: appears in folder names and the API.
    OrganisationCode,
    "an organisation code",
    "2 to 32 lower-case letters, digits and hyphens, beginning and ending with a letter or digit",
    code
);
text_name!(
    /// Short code of a product: appears in folder names, file names and the API.
    ProductCode,
    "a product code",
    "2 to 32 lower-case letters, digits and hyphens, beginning and ending with a letter or digit",
    code
);
text_name!(
    /// Login name of an account: a code for machines, an e-mail address for people (A3).
    LoginName,
    "a login name",
    "2 to 64 lower-case letters, digits, hyphens, dots, underscores, at most one @",
    login
);
text_name!(
    /// Name of a delivered file (Digikoppeling GB MD007): at most 200 of `A-Za-z0-9._-`.
    FileName,
    "a file name",
    "1 to 200 letters, digits, dots, underscores and hyphens, not beginning with a dot or hyphen, not ending with a dot",
    file_name
);
text_name!(
    /// Name of an uploaded file: as of a delivered one, but a temporary name may begin with a dot (domain 3.14).
    UploadName,
    "a file name",
    "1 to 200 letters, digits, dots, underscores and hyphens, not beginning with a hyphen, not ending with a dot",
    |text| file_name(text.strip_prefix('.').unwrap_or(text)).filter(|_| text.len() <= 200).map(|_| text.to_owned())
);
text_name!(
    /// Business e-mail address, domain in lower case (A3, A4).
    EmailAddress,
    "an e-mail address",
    "one address such as name@example.org, at most 254 characters",
    email
);
text_name!(
    /// Mail domain of an organisation (A4).
    MailDomain,
    "a mail domain",
    "a domain such as example.org, in lower case",
    domain
);
text_name!(
    /// Organisatie-identificatienummer: 20 digits.
    Oin,
    "an OIN",
    "20 digits",
    |text| digits(text, 20)
);
text_name!(
    /// Number in the trade register (KVK): 8 digits.
    Kvk,
    "a KVK number",
    "8 digits",
    |text| digits(text, 8)
);
text_name!(
    /// Name of a version of the terms of use: appears in the address of its page.
    VersionName,
    "the name of a version",
    "1 to 32 letters, digits, dots, underscores and hyphens, at least one digit, beginning with a letter or digit",
    version
);
text_name!(
    /// One line of text shown to people: a name, a purpose, a reason.
    Line,
    "a line of text",
    "1 to 200 characters on one line, without control characters",
    line
);

impl FileName {
    /// Endings that mean "still being written" (interfaces §3).
    pub const UNFINISHED: [&'static str; 4] = [".part", ".partial", ".filepart", ".tmp"];

    /// Whether a name on disk marks a file as still being written.
    #[must_use]
    pub fn is_unfinished(text: &str) -> bool {
        text.starts_with('.') || Self::UNFINISHED.iter().any(|ending| text.ends_with(ending))
    }

    /// Splits into stem and extension; the extension keeps its dot and may be empty.
    #[must_use]
    pub fn split(&self) -> (&str, &str) {
        match self.0.rfind('.') {
            Some(at) if at > 0 => self.0.split_at(at),
            _ => (&self.0, ""),
        }
    }
}

fn code(text: &str) -> Option<String> {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let edge = |c: char| c != '-';
    let fits = (2..=32).contains(&text.len())
        && text.chars().all(inner)
        && text.chars().next().is_some_and(edge)
        && text.chars().next_back().is_some_and(edge);
    fits.then(|| text.to_owned())
}

fn login(text: &str) -> Option<String> {
    let text = text.to_ascii_lowercase();
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._@+".contains(c);
    let fits = (2..=64).contains(&text.len())
        && text.chars().all(inner)
        && text.matches('@').count() <= 1
        && text.chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
    fits.then_some(text)
}

fn file_name(text: &str) -> Option<String> {
    let inner = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let fits = (1..=200).contains(&text.len())
        && text.chars().all(inner)
        && !text.starts_with(['.', '-'])
        && !text.ends_with('.');
    fits.then(|| text.to_owned())
}

fn domain(text: &str) -> Option<String> {
    let label = |part: &str| {
        (1..=63).contains(&part.len())
            && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    let fits = text.len() <= 253 && text.contains('.') && text.split('.').all(label);
    fits.then(|| text.to_owned())
}

fn email(text: &str) -> Option<String> {
    let (local, host) = text.rsplit_once('@')?;
    let host = domain(&host.to_ascii_lowercase())?;
    let inner = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let fits = (1..=64).contains(&local.len())
        && text.len() <= 254
        && local.chars().all(inner)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..");
    fits.then(|| format!("{local}@{host}"))
}

fn digits(text: &str, count: usize) -> Option<String> {
    (text.len() == count && text.chars().all(|c| c.is_ascii_digit())).then(|| text.to_owned())
}

fn version(text: &str) -> Option<String> {
    let fits = (1..=32).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
        && text.chars().any(|c| c.is_ascii_digit())
        && text.chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
    fits.then(|| text.to_owned())
}

fn line(text: &str) -> Option<String> {
    let text = text.trim();
    let fits = (1..=200).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    fits.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_tricks_are_no_file_names() {
        for text in ["..", ".", "", "a/b", "/etc/passwd", "a\0b", ".hidden", "-rf", "a.", "a b", "é", "a\\b"] {
            assert!(FileName::parse(text).is_err(), "{text:?}");
        }
        assert!(FileName::parse(&"a".repeat(200)).is_ok());
        assert!(FileName::parse(&"a".repeat(201)).is_err());
    }

    #[test]
    fn the_fault_says_what_to_do_and_hides_control_characters() {
        let fault = FileName::parse("a\u{7}b").map(|_| String::new()).unwrap_or_else(|f| f.to_string());
        assert!(fault.starts_with("\"a?b\" is not a file name: use 1 to 200"), "{fault}");
    }

    #[test]
    fn addresses_and_codes() {
        assert_eq!(
            EmailAddress::parse("Jan.Smit@Example.ORG").map(|a| a.to_string()),
            Ok("Jan.Smit@example.org".into())
        );
        for text in ["jan", "jan@", "@x.nl", "jan@localhost", "a b@x.nl", "jan@x.nl\r\nBcc: y@z.nl"] {
            assert!(EmailAddress::parse(text).is_err(), "{text:?}");
        }
        assert!(OrganisationCode::parse("gemeente-utrecht").is_ok());
        for text in ["a", "-ab", "ab-", "Ab", "a_b", "..", "a/b"] {
            assert!(OrganisationCode::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_version_has_a_digit_so_that_it_is_no_page_of_its_own() {
        for text in ["1", "1.0", "v2026-11", "2026_b"] {
            assert!(VersionName::parse(text).is_ok(), "{text}");
        }
        for text in ["", "accept", "refuse", "..1", "-1", "1/2", "1 0", "é1", &"1".repeat(33)] {
            assert!(VersionName::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_file_name_splits_at_its_last_dot() {
        let split = |text: &str| {
            FileName::parse(text).map(|n| {
                let (a, b) = n.split();
                (a.to_owned(), b.to_owned())
            })
        };
        assert_eq!(split("a.tar.gz"), Ok(("a.tar".into(), ".gz".into())));
        assert_eq!(split("plain"), Ok(("plain".into(), String::new())));
    }
}

//! What a port or operation can fail with: an expected refusal, or a fault.
//! Knows nothing of how either is shown.

use core::fmt;
use std::error::Error;

use crate::domain::names::NameFault;
use crate::domain::refusal::Refusal;

/// Refused (expected, nothing changed) or faulted (something broke).
#[derive(Debug)]
pub enum Failure {
    /// An expected "no".
    Refused(Refusal),
    /// Something broke; details are for the log, not for the asker.
    Faulted(Fault),
}

/// Something broke: what was being done, and the source of the trouble.
/// Logged once, where it is turned into a reply; outside only a reference is shown.
#[derive(Debug)]
pub struct Fault {
    doing: String,
    source: Option<Box<dyn Error + Send + Sync>>,
    outcome_unknown: bool,
}

impl Fault {
    /// A fault without a deeper source. `doing` names the path, key or record.
    #[must_use]
    pub fn new(doing: impl Into<String>) -> Self {
        Self { doing: doing.into(), source: None, outcome_unknown: false }
    }

    /// A fault with its source.
    #[must_use]
    pub fn from_error(doing: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { doing: doing.into(), source: Some(source.into()), outcome_unknown: false }
    }

    /// Whether an error of this type lies under it.
    #[must_use]
    pub fn is_caused_by<E: Error + 'static>(&self) -> bool {
        let mut next: Option<&(dyn Error + 'static)> = match &self.source {
            Some(source) => Some(source.as_ref()),
            None => None,
        };
        while let Some(error) = next {
            if error.is::<E>() {
                return true;
            }
            next = error.source();
        }
        false
    }

    /// Marks that the change may or may not have been stored: ask again with the same key.
    #[must_use]
    pub fn with_outcome_unknown(mut self) -> Self {
        self.outcome_unknown = true;
        self
    }

    /// Whether the change may have been stored all the same.
    #[must_use]
    pub const fn outcome_unknown(&self) -> bool {
        self.outcome_unknown
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.doing)?;
        let mut next: Option<&(dyn Error + 'static)> = match &self.source {
            Some(source) => Some(source.as_ref()),
            None => None,
        };
        while let Some(error) = next {
            write!(f, ": {error}")?;
            next = error.source();
        }
        Ok(())
    }
}

impl Error for Fault {}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Faulted(fault) => fault.fmt(f),
        }
    }
}

impl Error for Failure {}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<NameFault> for Failure {
    fn from(fault: NameFault) -> Self {
        Self::Refused(Refusal::BadName(fault))
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Faulted(fault)
    }
}

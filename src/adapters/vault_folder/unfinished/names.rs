//! The names in the folder of an upload. They say everything about what lies there but the
//! bytes themselves, so that no second list has to keep step with the folder.

use std::fmt;

/// One file in the folder of an upload. Numbers grow; what has a later number came later.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Name {
    /// `<number>-<start>`: an extent that is being written, or that a crash left so.
    Growing { number: u64, start: u64 },
    /// `<number>-<start>-whole-<length>`: synced, and its last chunk is sealed as the last.
    Whole { number: u64, start: u64, length: u64 },
    /// `<number>-<start>-cut-<length>`: synced; full chunks only, the last is not sealed as the last.
    Cut { number: u64, start: u64, length: u64 },
    /// `<number>-<start>.header`: the sealed header of that extent.
    Header { number: u64, start: u64 },
    /// `<number>-truncate-<size>`: the file was made so long; empty.
    Truncate { number: u64, size: u64 },
}

impl Name {
    /// Reads a name; `None` for one that is not of this form.
    pub(super) fn parse(name: &str) -> Option<Self> {
        if let Some(rest) = name.strip_suffix(".header") {
            let (number, start) = rest.split_once('-')?;
            return Some(Self::Header { number: decimal(number)?, start: decimal(start)? });
        }
        let mut parts = name.split('-');
        let number = decimal(parts.next()?)?;
        let (second, third, fourth) = (parts.next()?, parts.next(), parts.next());
        if parts.next().is_some() {
            return None;
        }
        match (second, third, fourth) {
            ("truncate", Some(size), None) => Some(Self::Truncate { number, size: decimal(size)? }),
            (start, None, None) => Some(Self::Growing { number, start: decimal(start)? }),
            (start, Some("whole"), Some(length)) => {
                Some(Self::Whole { number, start: decimal(start)?, length: decimal(length)? })
            }
            (start, Some("cut"), Some(length)) => {
                Some(Self::Cut { number, start: decimal(start)?, length: decimal(length)? })
            }
            _ => None,
        }
    }

    /// Its number.
    pub(super) const fn number(self) -> u64 {
        match self {
            Self::Growing { number, .. }
            | Self::Whole { number, .. }
            | Self::Cut { number, .. }
            | Self::Header { number, .. }
            | Self::Truncate { number, .. } => number,
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Growing { number, start } => write!(f, "{number}-{start}"),
            Self::Whole { number, start, length } => write!(f, "{number}-{start}-whole-{length}"),
            Self::Cut { number, start, length } => write!(f, "{number}-{start}-cut-{length}"),
            Self::Header { number, start } => write!(f, "{number}-{start}.header"),
            Self::Truncate { number, size } => write!(f, "{number}-truncate-{size}"),
        }
    }
}

/// Only the form that `Display` writes: one file has one name.
fn decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_nothing_else_is_a_name() {
        let (number, start, length, size) = (7, 65_536, 9, u64::MAX);
        for name in [
            Name::Growing { number, start },
            Name::Whole { number, start, length },
            Name::Cut { number, start, length },
            Name::Header { number, start },
            Name::Truncate { number, size },
        ] {
            assert_eq!(Name::parse(&name.to_string()), Some(name));
            assert_eq!(name.number(), 7);
        }
        for wrong in ["", "7", "7-", "-7", "07-1", "7-+1", "7-1-whole", "7-1-part-2", "7-1-cut-2-3", "7-1.head", ".x"] {
            assert_eq!(Name::parse(wrong), None, "{wrong}");
        }
    }
}

//! Whether an organisation or account may act at all: active, blocked, ended
//! (J5–J8). Reads no clock.

use super::moment::Moment;
use super::names::Line;

/// The standing of an organisation or account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Standing {
    /// May act.
    Active,
    /// May not act until the block is lifted or its time has come.
    Blocked(Block),
    /// Ended for good.
    Ended {
        /// Since when.
        at: Moment,
        /// Why; `None` when it came to its end by itself, as when somebody left.
        reason: Option<EndReason>,
    },
}

/// Why the operator ends access (J7).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EndReason {
    /// a: misuse.
    Misuse,
    /// b: the user does not accept the terms, or a change of them.
    TermsNotAccepted,
    /// c: special circumstances.
    SpecialCircumstances,
}

impl EndReason {
    /// As the history and lists say it: the letter of the terms of use, and what it stands for.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Misuse => "a: misuse",
            Self::TermsNotAccepted => "b: terms not accepted",
            Self::SpecialCircumstances => "c: special circumstances",
        }
    }
}

/// A block with its reason.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Block {
    /// Shown to the operator and in the history; not to the blocked user.
    pub reason: Line,
    /// Since when.
    pub since: Moment,
    /// Until when; without end when `None`.
    pub until: Option<Moment>,
}

/// What a standing means at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// May act.
    Open,
    /// Blocked now.
    Blocked,
    /// Ended.
    Ended,
}

impl Standing {
    /// What the standing means at `now`: a block whose time has come no longer counts.
    #[must_use]
    pub fn at(&self, now: Moment) -> Access {
        match self {
            Self::Active => Access::Open,
            Self::Blocked(block) if block.until.is_some_and(|until| until <= now) => Access::Open,
            Self::Blocked(_) => Access::Blocked,
            Self::Ended { .. } => Access::Ended,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_ends_at_its_moment() {
        let block = Block {
            reason: Line::parse("lost laptop").unwrap(),
            since: Moment::from_millis(10),
            until: Some(Moment::from_millis(20)),
        };
        let standing = Standing::Blocked(block);
        assert_eq!(standing.at(Moment::from_millis(19)), Access::Blocked);
        assert_eq!(standing.at(Moment::from_millis(20)), Access::Open);
        assert_eq!(
            Standing::Ended { at: Moment::from_millis(0), reason: None }.at(Moment::from_millis(0)),
            Access::Ended
        );
    }
}

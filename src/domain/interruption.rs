//! An interruption of access: for everybody, on a channel or on all, with its
//! nature and expected end (J1, J2). Reads no clock.

use super::history::Channel;
use super::ids::{InterruptionId, PauseId};
use super::moment::Moment;
use super::names::{Line, NameFault};
use super::record::{Key, Row};

/// Which doors it closes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// SFTP.
    Sftp,
    /// HTTPS: the portal and the API.
    Https,
    /// Both.
    All,
}

impl Reach {
    /// The word shown and given.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sftp => "sftp",
            Self::Https => "https",
            Self::All => "all",
        }
    }

    /// Reads the word.
    ///
    /// # Errors
    /// Any other text.
    pub fn parse(text: &str) -> Result<Self, NameFault> {
        [Self::Sftp, Self::Https, Self::All]
            .into_iter()
            .find(|reach| reach.word() == text)
            .ok_or_else(|| NameFault::new(text, "a channel", "sftp, https or all"))
    }

    /// Whether who comes in by this channel is shut out. The operator and the server never are.
    #[must_use]
    pub const fn covers(self, channel: Channel) -> bool {
        match channel {
            Channel::Sftp => matches!(self, Self::Sftp | Self::All),
            Channel::Api | Channel::Portal => matches!(self, Self::Https | Self::All),
            Channel::Office | Channel::Spool | Channel::CommandLine | Channel::System => false,
        }
    }
}

/// An interruption that is announced or runs; one that has ended is in the history only.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Interruption {
    /// Its id.
    pub id: InterruptionId,
    /// Which doors it closes.
    pub reach: Reach,
    /// What it is, as users read it.
    pub nature: Line,
    /// From when.
    pub from: Moment,
    /// When it is expected to end; it goes on until the operator ends it.
    pub until: Moment,
    /// The pause of windows that began with it; none while it is only announced.
    pub pause: Option<PauseId>,
}

impl Interruption {
    /// The key of the interruption with this id.
    #[must_use]
    pub fn key_of(id: InterruptionId) -> Key {
        Key::of(Self::KIND).bytes(id.as_bytes())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(self.id)
    }

    /// Whether it closes this channel at `now`.
    #[must_use]
    pub fn closes(&self, channel: Channel, now: Moment) -> bool {
        self.from <= now && self.reach.covers(channel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operator_is_never_shut_out() {
        for reach in [Reach::Sftp, Reach::Https, Reach::All] {
            assert_eq!(Reach::parse(reach.word()), Ok(reach));
            for channel in [Channel::Office, Channel::Spool, Channel::CommandLine, Channel::System] {
                assert!(!reach.covers(channel));
            }
        }
        assert!(Reach::All.covers(Channel::Sftp) && Reach::Https.covers(Channel::Portal));
        assert!(!Reach::Sftp.covers(Channel::Api) && !Reach::Https.covers(Channel::Sftp));
        assert!(Reach::parse("ftp").is_err());
    }
}

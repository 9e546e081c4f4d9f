//! How far a participant file came, in the one word that people and machines are told (5.1), from the first byte on.

use super::intake::Intake;

macro_rules! stages {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        /// How far a participant file came.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum UploadStage { $($(#[$doc])* $name,)* }

        impl UploadStage {
            /// Every stage, in the order in which a file can pass them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The one word for it.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }
        }
    };
}

stages! {
    /// Being uploaded, or interrupted.
    Receiving = "receiving",
    /// Whole and on record; its account may still go on with it.
    Received = "received",
    /// Being checked.
    Checking = "checking",
    /// In order.
    Accepted = "accepted",
    /// Not in order.
    Rejected = "rejected",
    /// The back office has it.
    Collected = "collected",
    /// Its bytes are gone.
    Cleared = "cleared",
    /// The same file came before.
    Duplicate = "duplicate",
    /// Another one took its place.
    Replaced = "replaced",
    /// Taken back by its account.
    Withdrawn = "withdrawn",
}

impl UploadStage {
    /// The stage of a file that was received, or of one that is not yet.
    #[must_use]
    pub fn of(intake: Option<&Intake>) -> Self {
        intake.and_then(|intake| Self::parse(intake.state.word())).unwrap_or(Self::Receiving)
    }

    /// The stage of this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|stage| stage.word() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::UploadId;
    use crate::domain::intake::{HandOverWay, Judge};
    use crate::domain::moment::Moment;

    #[test]
    fn each_state_of_a_received_file_has_its_stage() {
        let (id, at) = (UploadId::from_bytes([1; 16]), Moment::from_millis(1));
        let new = || Intake::received(id, at, at);
        let handing = || new().accepted(at, Judge::Checks, Some(at)).unwrap().handing_over(at, HandOverWay::Folder, "");
        let states = [
            new(),
            new().checking(at).unwrap(),
            handing().unwrap(),
            new().rejected(at, Judge::Checks, at).unwrap(),
            handing().unwrap().collected(at, at).unwrap(),
            new().cleared(at, at),
            Intake::duplicate(id, at, id, at),
            new().replaced(at, id, at).unwrap(),
            new().withdrawn(at, at).unwrap(),
        ];
        let found: Vec<UploadStage> = states.iter().map(|intake| UploadStage::of(Some(intake))).collect();
        assert_eq!(found, UploadStage::ALL[1..]);
        assert_eq!(UploadStage::of(None), UploadStage::Receiving);
        assert_eq!(UploadStage::parse("nonsense"), None);
    }
}

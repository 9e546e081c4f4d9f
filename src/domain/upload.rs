//! Participant files that recipients upload: how far an upload came and how it ended, and
//! the names under which they come. Reads no clock, stores nothing.

use super::digest::Digest;
use super::ids::{PayloadId, UploadId};
use super::moment::Moment;
use super::names::{FileName, LoginName, OrganisationCode, ProductCode, UploadName};
use super::retention::ShredSlot;

/// One upload of a participant file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Upload {
    /// Its id.
    pub id: UploadId,
    /// Whose drop-box.
    pub organisation: OrganisationCode,
    /// Which folder of it.
    pub product: ProductCode,
    /// The name now; the last one when it is no longer shown.
    pub name: UploadName,
    /// The account that uploads it.
    pub login: LoginName,
    /// When it was begun.
    pub begun_at: Moment,
    /// When it was last changed.
    pub changed_at: Moment,
    /// The time of last change that the client set, in seconds since 1970.
    pub mtime_seconds: Option<u32>,
    /// Size as of the last time that it was closed or interrupted.
    pub size_bytes: u64,
    /// When it goes if it is not finished by then. Never moves: the keys of its parts end with that day.
    pub unfinished_until: Moment,
    /// The shred key under which the headers of its parts lie.
    pub slot: ShredSlot,
    /// How far it came.
    pub state: UploadState,
}

/// How far an upload came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum UploadState {
    /// Being written, or waiting to be resumed.
    Unfinished,
    /// Whole, durable and on record; nobody can change it any more once the grace is over.
    Received {
        /// When it was completed.
        at: Moment,
        /// SHA-256 of its bytes.
        sha256: Digest,
        /// Where they lie.
        payload: PayloadId,
        /// What comes next for it.
        stage: ReceivedStage,
    },
    /// Removed by its account before it was finished.
    Removed {
        /// When.
        at: Moment,
    },
    /// Its time was over: unfinished too long, or received and never collected.
    Expired {
        /// When.
        at: Moment,
        /// Its digest, if it had been received.
        received_sha256: Option<Digest>,
    },
}

/// The stages of a received upload, in order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ReceivedStage {
    /// Its account may still resume it: the parts are kept beside the payload.
    Resumable,
    /// Shown under its name, read-only.
    Shown,
    /// No longer shown; its name is free again, its bytes are kept until they are collected or their end comes.
    Kept,
}

impl UploadState {
    /// The one word for it.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Unfinished => "unfinished",
            Self::Received { .. } => "received",
            Self::Removed { .. } => "removed",
            Self::Expired { .. } => "expired",
        }
    }

    /// SHA-256 of its bytes, once it was received.
    #[must_use]
    pub const fn sha256(&self) -> Option<Digest> {
        match self {
            Self::Received { sha256, .. } => Some(*sha256),
            Self::Expired { received_sha256, .. } => *received_sha256,
            Self::Unfinished | Self::Removed { .. } => None,
        }
    }
}

impl Upload {
    /// Whether its bytes still count for its account.
    #[must_use]
    pub const fn takes_room(&self) -> bool {
        matches!(self.state, UploadState::Unfinished | UploadState::Received { .. })
    }

    /// The time of last change to show, in seconds since 1970.
    #[must_use]
    pub fn shown_mtime_seconds(&self) -> u32 {
        self.mtime_seconds.unwrap_or_else(|| u32::try_from(self.changed_at.seconds()).unwrap_or(u32::MAX))
    }
}

/// One name in a drop-box folder. Its key has the name in lower case: no two names differ by case alone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UploadEntry {
    /// Whose drop-box.
    pub organisation: OrganisationCode,
    /// Which folder.
    pub product: ProductCode,
    /// The name as its client wrote it.
    pub name: UploadName,
    /// The upload.
    pub upload: UploadId,
}

/// When something is to be done about an upload; which, its state says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UploadEnd {
    /// When.
    pub at: Moment,
    /// Which upload.
    pub upload: UploadId,
}

/// The header that opens the payload of a received upload, sealed under its shred key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UploadHeader {
    /// The upload.
    pub upload: UploadId,
    /// Its payload.
    pub payload: PayloadId,
    /// The shred key it is sealed under.
    pub slot: ShredSlot,
    /// The sealed bytes.
    pub sealed: Vec<u8>,
}

/// What the uploads of one account take, as of their last close or interruption.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UploadSums {
    /// The account.
    pub login: LoginName,
    /// How many are unfinished.
    pub unfinished: u64,
    /// Bytes of those that are unfinished or received and not yet gone.
    pub bytes: u64,
}

impl UploadSums {
    /// Nothing yet.
    #[must_use]
    pub const fn none(login: LoginName) -> Self {
        Self { login, unfinished: 0, bytes: 0 }
    }

    /// The sums when an upload that was as `before` is as `after`.
    #[must_use]
    pub fn after(mut self, before: Option<&Upload>, after: &Upload) -> Self {
        let part = |upload: &Upload| {
            let is_unfinished = u64::from(upload.state == UploadState::Unfinished);
            (is_unfinished, if upload.takes_room() { upload.size_bytes } else { 0 })
        };
        let (old, new) = (before.map_or((0, 0), part), part(after));
        self.unfinished = self.unfinished.saturating_add(new.0).saturating_sub(old.0);
        self.bytes = self.bytes.saturating_add(new.1).saturating_sub(old.1);
        self
    }
}

/// Endings of the empty files that say "the file before the ending is whole" (domain 3.14).
const MARKERS: [&str; 3] = [".done", ".go", ".ok"];

impl UploadName {
    /// Whether a file of this name is still being written, whatever its client says: it becomes an upload when it
    /// is renamed.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        FileName::is_unfinished(self.as_str())
    }

    /// The name that this one marks as whole, if it is the name of a marker.
    #[must_use]
    pub fn marks(&self) -> Option<Self> {
        let marked = MARKERS.iter().find_map(|ending| self.as_str().strip_suffix(ending))?;
        Self::parse(marked).ok().filter(|marked| !marked.is_temporary())
    }

    /// The form by which names are told apart.
    #[must_use]
    pub fn folded(&self) -> String {
        self.as_str().to_ascii_lowercase()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::moment::Span;

    fn name(text: &str) -> UploadName {
        UploadName::parse(text).unwrap()
    }

    #[test]
    fn temporary_names_and_markers_are_told_from_final_ones() {
        for text in [".a.csv", "a.part", "a.csv.filepart", "a.partial", "a.tmp", ".a.csv.Xy12"] {
            assert!(name(text).is_temporary(), "{text}");
        }
        assert!(!name("a.csv").is_temporary());
        for ending in MARKERS {
            assert_eq!(name(&format!("a.csv{ending}")).marks(), Some(name("a.csv")));
        }
        for text in ["a.csv", ".done", "a.part.done"] {
            assert_eq!(name(text).marks(), None, "{text}");
        }
    }

    #[test]
    fn names_that_some_system_cannot_hold_are_refused_with_the_rule() {
        for text in
            ["a:b", "a*", "a?", "a\"", "a<", "a>", "a|", "a\\b", "a/b", "a\u{7}", "a ", "a.", "", ".", "..", "-a"]
        {
            let fault = UploadName::parse(text).unwrap_err().to_string();
            assert!(fault.contains("use 1 to 200"), "{fault}");
        }
    }

    #[test]
    fn sums_follow_an_upload_from_beginning_to_end() {
        let at = Moment::from_millis(1_000);
        let mut upload = Upload {
            id: UploadId::from_bytes([1; 16]),
            organisation: OrganisationCode::parse("one").unwrap(),
            product: ProductCode::parse("daily").unwrap(),
            name: name("a.csv"),
            login: LoginName::parse("robot").unwrap(),
            begun_at: at,
            changed_at: at,
            mtime_seconds: None,
            size_bytes: 0,
            unfinished_until: at.after(Span::from_days(7)),
            slot: ShredSlot::of_day(at.after(Span::from_days(7))),
            state: UploadState::Unfinished,
        };
        let sums = UploadSums::none(upload.login.clone()).after(None, &upload);
        assert_eq!((sums.unfinished, sums.bytes), (1, 0));
        let before = upload.clone();
        upload.size_bytes = 70;
        let sums = sums.after(Some(&before), &upload);
        assert_eq!((sums.unfinished, sums.bytes), (1, 70));
        let before = upload.clone();
        let (sha256, payload) = (Digest::new([0; 32]), PayloadId::from_bytes([2; 16]));
        upload.state = UploadState::Received { at, sha256, payload, stage: ReceivedStage::Resumable };
        let sums = sums.after(Some(&before), &upload);
        assert_eq!((sums.unfinished, sums.bytes), (0, 70));
        let before = upload.clone();
        upload.state = UploadState::Expired { at, received_sha256: Some(sha256) };
        let sums = sums.after(Some(&before), &upload);
        assert_eq!((sums.unfinished, sums.bytes), (0, 0));
    }
}

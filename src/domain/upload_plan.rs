//! What was said of an upload before its bytes came, at a door where that is asked first: the API and resumable
//! uploads. Stores nothing; an upload by SFTP has none.

use super::digest::Digest;
use super::ids::UploadId;
use super::names::{Line, UploadName};
use super::record::{Key, Row};
use super::refusal::Refusal;

/// What was said of one upload.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UploadPlan {
    /// The upload.
    pub upload: UploadId,
    /// The name that it takes when it is complete, from another upload that bears it until then.
    pub takes: Option<UploadName>,
    /// Its size in bytes.
    pub size_bytes: Option<u64>,
    /// SHA-256 of its bytes.
    pub sha256: Option<Digest>,
    /// Its media type.
    pub media_type: Option<Line>,
    /// What a tus client said (`Upload-Metadata`), as it said it.
    pub metadata: String,
    /// The digest of the request that announced it, when that had a key to be repeated with.
    pub asked: Option<Digest>,
}

/// What a tus client says has at most so many bytes.
pub const MOST_METADATA_BYTES: usize = 2 * 1024;

impl UploadPlan {
    /// A plan that says nothing yet.
    #[must_use]
    pub const fn new(upload: UploadId) -> Self {
        let (size_bytes, sha256, media_type, asked) = (None, None, None, None);
        Self { upload, takes: None, size_bytes, sha256, media_type, metadata: String::new(), asked }
    }

    /// The key of the plan of one upload.
    #[must_use]
    pub fn key_of(upload: UploadId) -> Key {
        Key::of(Self::KIND).bytes(upload.as_bytes())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(self.upload)
    }

    /// Whether so many bytes are what was said.
    ///
    /// # Errors
    /// `WrongState`.
    pub fn check_size(&self, name: &UploadName, size_bytes: u64) -> Result<(), Refusal> {
        match self.size_bytes {
            Some(said) if said != size_bytes => Err(Refusal::WrongState(format!(
                "{name} was announced with {said} bytes and has {size_bytes}: it stays unfinished"
            ))),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_whole_when_it_has_the_size_that_was_said() {
        let name = UploadName::parse("a.csv").unwrap();
        let plan = UploadPlan { size_bytes: Some(7), ..UploadPlan::new(UploadId::from_bytes([1; 16])) };
        assert!(plan.check_size(&name, 7).is_ok());
        let told = plan.check_size(&name, 6).unwrap_err().to_string();
        assert!(told.contains("7 bytes and has 6"), "{told}");
        assert!(UploadPlan::new(plan.upload).check_size(&name, 6).is_ok(), "nothing was said");
    }
}

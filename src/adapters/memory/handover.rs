//! The hand-over in memory: what was put where, and what the back office left.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::locked;
use crate::domain::names::ProductCode;
use crate::domain::refusal::Refusal;
use crate::ports::failure::{Failure, Fault};
use crate::ports::handover::{HandedOver, Handover, Place, ResultFile};

/// The hand-over in memory.
#[derive(Debug, Default)]
pub struct MemoryHandover {
    files: Mutex<BTreeMap<String, Vec<u8>>>,
    results: Mutex<Vec<ResultFile>>,
    refused: Mutex<Vec<String>>,
    is_full: Mutex<bool>,
    /// How often bytes were written: once for each file.
    written: Mutex<usize>,
}

impl MemoryHandover {
    /// Nothing was handed over.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What lies there, as `<product or folder>/<name>`.
    #[must_use]
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        locked(&self.files).clone()
    }

    /// The back office takes everything away.
    pub fn take_all(&self) {
        locked(&self.files).clear();
    }

    /// The back office puts a result down.
    pub fn answer(&self, result: ResultFile) {
        locked(&self.results).push(result);
    }

    /// Why results were put aside.
    #[must_use]
    pub fn refused(&self) -> Vec<String> {
        locked(&self.refused).clone()
    }

    /// From now on the disk is full, or is not.
    pub fn fill(&self, is_full: bool) {
        *locked(&self.is_full) = is_full;
    }

    /// How many files were written.
    #[must_use]
    pub fn written(&self) -> usize {
        *locked(&self.written)
    }
}

fn path(place: Place<'_>, name: &str) -> String {
    match place {
        Place::Intake(product) => format!("{product}/{name}"),
        Place::Folder(folder) => format!("{}/{name}", folder.display()),
    }
}

impl Handover for MemoryHandover {
    fn put(&self, place: Place<'_>, offered: &HandedOver<'_>) -> Result<(), Failure> {
        if *locked(&self.is_full) {
            return Err(Refusal::NoSpace.into());
        }
        let (file, note) = (path(place, offered.file), path(place, offered.note_name));
        if locked(&self.files).contains_key(&note) {
            return Ok(());
        }
        if !locked(&self.files).contains_key(&file) {
            let mut bytes = Vec::new();
            (offered.bytes)(&mut |part| {
                bytes.extend_from_slice(part);
                Ok(())
            })?;
            *locked(&self.written) += 1;
            locked(&self.files).insert(file, bytes);
        }
        locked(&self.files).insert(note, offered.note.to_vec());
        Ok(())
    }

    fn is_taken(&self, product: &ProductCode, file: &str, note_name: &str) -> Result<bool, Fault> {
        let files = locked(&self.files);
        let place = Place::Intake(product);
        Ok(!files.contains_key(&path(place, file)) || !files.contains_key(&path(place, note_name)))
    }

    fn results(&self, most: usize) -> Result<Vec<ResultFile>, Fault> {
        Ok(locked(&self.results).iter().take(most).cloned().collect())
    }

    fn settle_result(&self, result: &ResultFile, refused: Option<&str>) -> Result<(), Fault> {
        locked(&self.results).retain(|other| other != result);
        locked(&self.refused).extend(refused.map(str::to_owned));
        Ok(())
    }

    fn sweep(&self) -> Result<usize, Fault> {
        Ok(0)
    }
}

//! The hand-over in memory: what was put where, and what the back office left.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use super::locked;
use crate::domain::ids::UploadId;
use crate::domain::names::ProductCode;
use crate::domain::refusal::Refusal;
use crate::ports::failure::{Failure, Fault};
use crate::ports::handover::{HandedOver, Handover, Place, ResultFile};

/// The hand-over in memory.
#[derive(Default)]
pub struct MemoryHandover {
    files: Mutex<BTreeMap<String, Vec<u8>>>,
    /// Those that were put and are not on record yet.
    unsettled: Mutex<BTreeSet<UploadId>>,
    results: Mutex<Vec<ResultFile>>,
    refused: Mutex<Vec<String>>,
    is_full: Mutex<bool>,
    /// Happens once, right after the next note was put.
    after_put: Mutex<Option<Box<dyn FnOnce() + Send>>>,
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

    /// Lets something happen once, right after the next file and its note were put.
    pub fn after_next_put(&self, happens: impl FnOnce() + Send + 'static) {
        *locked(&self.after_put) = Some(Box::new(happens));
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
        if locked(&self.unsettled).contains(&offered.upload) || locked(&self.files).contains_key(&note) {
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
        locked(&self.unsettled).insert(offered.upload);
        if let Some(happens) = locked(&self.after_put).take() {
            happens();
        }
        Ok(())
    }

    fn settle(&self, _place: Place<'_>, upload: UploadId) -> Result<(), Fault> {
        locked(&self.unsettled).remove(&upload);
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

    fn sweep(&self, _is_on_its_way: &dyn Fn(UploadId) -> Result<bool, Failure>) -> Result<usize, Failure> {
        Ok(0)
    }
}

//! Uploads that are not finished: `unfinished/<upload>/` in the vault's folder, a list of extents,
//! each an age STREAM under a key of its own. What the file is follows from the names there.
//! A later number overrides; a crash is cut back to what opens and has no gap before it.

mod digests;
mod early;
mod extents;
mod growing;
mod names;
mod sealed;
mod state;
mod upload;

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{VaultFolder, sync_folder, writer};
use crate::domain::ids::UploadId;
use crate::domain::refusal::{Refusal, What};
use crate::ports::failure::{Failure, Fault};
use crate::ports::unfinished::{ExtentKeys, Unfinished, UnfinishedFile, UnfinishedLimits};
use extents::Extents;
use growing::Ground;
use names::Name;
use state::State;

/// Where they lie in the vault's folder.
const UNFINISHED: &str = "unfinished";

/// The uploads in the folder of a vault.
///
/// What happens on each failure:
///
/// - *Killed*: full chunks that were written are there, the rest of the last chunk and what waited is not. `resume`
///   opens every chunk of an extent that was not closed, cuts it at the first that does not open, and closes it.
/// - *Power cut*: the same; what was synced (`sync`, `abandon`, `finish`) is there.
/// - *Full disk*: the write is refused and nothing of it is kept. The extent that could not be written ends with its
///   full chunks, and its tail, which was accepted before, begins another: no chunk number is sealed twice.
/// - *An error of the disk*: the handle is broken and only `resume` tells what is there. An extent whose sync failed is
///   removed: a second sync would say nothing.
/// - *The key of the day is gone*: nothing opens; `remove` needs no key.
/// - *Killed in `finish`*: the payload may lie in the vault without being on record; the upload is as it was.
pub struct UnfinishedFolder {
    vault: Arc<VaultFolder>,
    folder: PathBuf,
}

impl UnfinishedFolder {
    /// Opens or makes the place for unfinished uploads in the folder of a vault, where finished ones go. Refuses to
    /// write when less than `reserve_bytes` of disk are free.
    ///
    /// # Errors
    /// A folder that cannot be made.
    pub fn open(folder_of_vault: PathBuf, reserve_bytes: u64) -> Result<Self, Failure> {
        let folder = folder_of_vault.join(UNFINISHED);
        let vault = Arc::new(VaultFolder::open(folder_of_vault, reserve_bytes)?);
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder);
        made.and_then(|()| sync_folder(&vault.folder))
            .map_err(|error| Fault::from_error(format!("make the folder {}", folder.display()), error))?;
        Ok(Self { vault, folder })
    }

    fn ground(&self, id: UploadId, keys: Arc<dyn ExtentKeys>) -> Ground {
        Ground { id, folder: self.folder_of(id), vault: Arc::clone(&self.vault), keys }
    }

    fn folder_of(&self, id: UploadId) -> PathBuf {
        self.folder.join(id.to_string())
    }
}

impl Unfinished for UnfinishedFolder {
    fn begin(
        &self,
        id: UploadId,
        keys: Arc<dyn ExtentKeys>,
        limits: UnfinishedLimits,
    ) -> Result<Arc<dyn UnfinishedFile>, Failure> {
        self.vault.check_reserve()?;
        let ground = self.ground(id, keys);
        let made = fs::DirBuilder::new().mode(0o700).create(&ground.folder).and_then(|()| sync_folder(&self.folder));
        made.map_err(|error| writer::disk_failure(format!("begin upload {id}"), error))?;
        Ok(Arc::new(upload::Upload::new(ground, limits, State::of_names(&[]))))
    }

    fn resume(
        &self,
        id: UploadId,
        keys: Arc<dyn ExtentKeys>,
        limits: UnfinishedLimits,
    ) -> Result<Arc<dyn UnfinishedFile>, Failure> {
        let ground = self.ground(id, keys);
        let names = match names_in(&ground.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Refusal::NotFound(What::File).into()),
            names => names.map_err(|error| ground.fault("list the folder", error))?,
        };
        let mut settled = Vec::with_capacity(names.len());
        for name in &names {
            match *name {
                Name::Growing { number, start } => {
                    settled.extend(sealed::recover(&ground, number, start)?.map(sealed::Closed::name));
                }
                name => settled.push(name),
            }
        }
        let mut state = State::of_names(&settled);
        for name in settled.into_iter().filter(|name| matches!(name, Name::Header { .. })) {
            // Left by an extent that was given up.
            if !state.closed.contains_key(&name.number()) {
                ground.discard(name);
            }
        }
        cut_at_gap(&ground, &mut state)?;
        ground.sync()?;
        Ok(Arc::new(upload::Upload::new(ground, limits, state)))
    }

    fn size_bytes(&self, id: UploadId) -> Result<Option<u64>, Fault> {
        match size_in(&self.folder_of(id)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            size => size.map(Some).map_err(|error| Fault::from_error(format!("look at upload {id}"), error)),
        }
    }

    fn remove(&self, id: UploadId) -> Result<(), Fault> {
        let failed = |error| Fault::from_error(format!("remove upload {id}"), error);
        match fs::remove_dir_all(self.folder_of(id)) {
            Ok(()) => sync_folder(&self.folder).map_err(failed),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }

    fn inventory(&self) -> Result<Vec<UploadId>, Fault> {
        let failed = |error| Fault::from_error(format!("list {}", self.folder.display()), error);
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            match UploadId::parse(&name.to_string_lossy()) {
                Ok(id) => found.push(id),
                Err(_) => tracing::warn!(folder = %self.folder.display(), "something among the uploads is no upload"),
            }
        }
        Ok(found)
    }
}

/// How much of an upload is there without a gap, by what lies in its folder.
fn size_in(folder: &Path) -> io::Result<u64> {
    let names = names_in(folder)?;
    let mut growing = Vec::new();
    for name in &names {
        if let Name::Growing { number, .. } = name {
            let bytes = fs::metadata(folder.join(name.to_string()))?.len();
            growing.push((*number, sealed::full_chunks_of(bytes)));
        }
    }
    let bytes_of = |number| growing.iter().find(|(of, _)| *of == number).map_or(0, |(_, bytes)| *bytes);
    Ok(Extents::of_names(&names, bytes_of).contiguous())
}

/// What lies in the folder of an upload.
fn names_in(folder: &Path) -> io::Result<Vec<Name>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        match Name::parse(&name.to_string_lossy()) {
            Some(name) => names.push(name),
            None => tracing::warn!(folder = %folder.display(), ?name, "a file of an upload has a foreign name"),
        }
    }
    Ok(names)
}

/// What lies beyond the first gap is forgotten, durably once the folder is synced: clients go on where the size says.
fn cut_at_gap(ground: &Ground, state: &mut State) -> Result<(), Failure> {
    match state.first_gap() {
        Some((start, _)) => state.cut(ground, start),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;

//! What a backup asks of the journal: which files hold it up to the last
//! acknowledged decision, and whether the chain in files that come from elsewhere holds.
#![expect(clippy::disallowed_methods, reason = "this adapter is the disk")]

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::compaction;
use super::layout::Chain;
use super::segments::{Place, Segment, segment_path, segments_in};
use crate::domain::compaction::HistoryCut;
use crate::domain::digest::Digest;
use crate::ports::catalog::{Standing, StandingFile};
use crate::ports::failure::Fault;

/// Folders of the catalog that hold what cannot be rebuilt: the journal comes last, its last file grows.
const SNAPSHOTS: &str = "snapshots";
const JOURNAL: &str = "journal";

/// The standing at `end`: whole snapshots, whole segments, and the last segment up to `end`.
pub(super) fn standing(folder: &Path, chain: &Chain, end: Place) -> Result<Standing, Fault> {
    let mut files = snapshots(&folder.join(SNAPSHOTS))?;
    let journal = folder.join(JOURNAL);
    for number in segments_in(&journal)?.into_iter().filter(|number| *number <= end.segment) {
        let path = segment_path(&journal, number);
        let bytes = if number == end.segment { end.offset } else { size_of(&path)? };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        files.push(StandingFile { path: format!("{JOURNAL}/{name}"), bytes });
    }
    Ok(Standing {
        sequence: chain.next_sequence - 1,
        last_event: chain.next_event - 1,
        hash: Digest::new(chain.hash),
        files,
    })
}

fn snapshots(folder: &Path) -> Result<Vec<StandingFile>, Fault> {
    let failed = |error: io::Error| Fault::from_error(format!("list {}", folder.display()), error);
    let mut files = Vec::new();
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(files),
        entries => entries.map_err(failed)?,
    };
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_whole = !name.ends_with(".new") && !name.ends_with(".tmp");
        if is_whole && entry.file_type().map_err(failed)?.is_file() {
            let bytes = size_of(&entry.path())?;
            files.push(StandingFile { path: format!("{SNAPSHOTS}/{name}"), bytes });
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

fn size_of(path: &Path) -> Result<u64, Fault> {
    let metadata = fs::metadata(path);
    metadata.map(|found| found.len()).map_err(|error| Fault::from_error(format!("look at {}", path.display()), error))
}

/// Follows the chain of records through segments that come from elsewhere, such as a backup.
#[derive(Default)]
pub struct Audit {
    chain: Option<Chain>,
    /// The header of the first segment, and its path.
    first: Option<(Chain, PathBuf)>,
    /// The newest cut that was found on record.
    cut: Option<HistoryCut>,
}

impl Audit {
    /// Reads one file of a standing to its end, in the order of the standing; `path` as there. What is no
    /// segment is passed over.
    ///
    /// # Errors
    /// A frame, record or link of the chain is damaged; the fault names file and byte.
    pub fn read(&mut self, path: &str, file: File) -> Result<(), Fault> {
        let Some(name) = path.strip_prefix(JOURNAL).and_then(|name| name.strip_prefix('/')) else { return Ok(()) };
        let Some(number) = name.strip_suffix(".seg").and_then(|number| number.parse().ok()) else { return Ok(()) };
        let segment = Segment::from_file(Path::new(path), number, file)?;
        let header = segment.header()?.ok_or_else(|| segment.damage(0, "no segment header"))?;
        if self.chain.as_ref().is_some_and(|chain| *chain != header) {
            return Err(segment.damage(0, "the segment does not continue the one before"));
        }
        self.first.get_or_insert_with(|| (header.clone(), PathBuf::from(path)));
        let mut chain = header;
        let cut = &mut self.cut;
        segment.scan(&mut chain, false, &mut |entry, _| {
            *cut = compaction::cut_in(&entry)?.or(cut.take());
            Ok(())
        })?;
        self.chain = Some(chain);
        Ok(())
    }

    /// Sequence, number of the last event and hash at which the chain ends; `None` before the first segment.
    ///
    /// # Errors
    /// The first segment is not the beginning, and the chain holds no record of the removal of what came before.
    pub fn end(&self) -> Result<Option<(u64, u64, Digest)>, Fault> {
        if let Some((first, path)) = &self.first {
            compaction::account(first, path, self.cut.as_ref())?;
        }
        let end = self.chain.as_ref();
        Ok(end.map(|chain| (chain.next_sequence - 1, chain.next_event - 1, Digest::new(chain.hash))))
    }
}

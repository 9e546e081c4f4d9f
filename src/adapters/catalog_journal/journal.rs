//! The journal as it is written: frames at the end of the last segment, a new
//! segment when one is full. Any failure stops it for good. Knows no rules.
#![expect(clippy::disallowed_methods, reason = "this adapter is the disk")]

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::files::{SegmentFile, SegmentFiles, sync_folder};
use super::layout::{Chain, SEGMENT_HEADER_BYTES};
use super::segments::{End, Place, Segment, segment_path, segments_in};
use crate::ports::failure::Fault;

/// What checking the journal at start found.
pub(super) struct Checked {
    /// Where the journal goes on.
    pub(super) chain: Chain,
    /// The end of the last good frame.
    pub(super) end: Place,
    /// Whether a torn end was cut.
    pub(super) was_cut: bool,
}

/// Checks the last segment, cuts a torn end of it (kept aside as `cut-<n>`), makes the first segment.
/// `known_end` is where the journal ended when it was last closed in order: nothing before it can be torn.
pub(super) fn check(folder: &Path, known_end: Option<Place>, files: &dyn SegmentFiles) -> Result<Checked, Fault> {
    let mut numbers = segments_in(folder)?;
    let mut was_cut = false;
    while let Some(number) = numbers.pop() {
        let segment = Segment::open(folder, number)?;
        let Some(mut chain) = segment.header()? else {
            // A header is durable before its first frame: a short file can only be a segment that was just made.
            let is_new = segment.bytes() <= SEGMENT_HEADER_BYTES as u64;
            if !is_new || was_cut || known_end.is_some() {
                return Err(segment.damage(0, "no segment header"));
            }
            set_aside(folder, number, 0)?;
            was_cut = true;
            continue;
        };
        // Before a segment is made, the one before it is durable to its end.
        let may_be_torn = !was_cut;
        let (offset, end) = segment.scan(&mut chain, may_be_torn, &mut |_, _| Ok(()))?;
        let end_place = Place { segment: number, offset };
        if known_end.is_some_and(|known| end_place < known) {
            return Err(segment.damage(offset, "records that were durable are missing from here on"));
        }
        if end == End::Torn {
            set_aside(folder, number, offset)?;
            was_cut = true;
        }
        return Ok(Checked { chain, end: end_place, was_cut });
    }
    if known_end.is_some() {
        return Err(Fault::new(format!("ALARM: the journal {} is empty; restore it from a backup", folder.display())));
    }
    let chain = Chain::START;
    drop(make_segment(folder, &chain, files).map_err(|error| making(folder, error))?);
    let end = Place { segment: chain.next_sequence, offset: SEGMENT_HEADER_BYTES as u64 };
    Ok(Checked { chain, end, was_cut })
}

/// Keeps what lies in a segment from `offset` on in `cut-<n>`, then cuts it off; a segment without header goes.
fn set_aside(folder: &Path, number: u64, offset: u64) -> Result<(), Fault> {
    let path = segment_path(folder, number);
    let doing = || format!("set the torn end of {} aside", path.display());
    let segment = Segment::open(folder, number)?;
    let tail = segment.read(offset, segment.bytes() - offset)?;
    let cut = || -> io::Result<PathBuf> {
        let mut count = 1_u64;
        let (mut file, kept) = loop {
            let kept = folder.join(format!("cut-{count}"));
            match fs::File::create_new(&kept) {
                Ok(file) => break (file, kept),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => count += 1,
                Err(error) => return Err(error),
            }
        };
        file.write_all(&tail)?;
        file.sync_all()?;
        sync_folder(folder)?;
        if offset == 0 {
            fs::remove_file(&path)?;
            sync_folder(folder)?;
        } else {
            let file = fs::OpenOptions::new().write(true).open(&path)?;
            file.set_len(offset)?;
            file.sync_all()?;
        }
        Ok(kept)
    };
    let kept = cut().map_err(|error| Fault::from_error(doing(), error))?;
    tracing::warn!(
        segment = %path.display(), offset, bytes = tail.len(), kept = %kept.display(),
        "cut a frame that was not written to its end"
    );
    Ok(())
}

fn make_segment(folder: &Path, chain: &Chain, files: &dyn SegmentFiles) -> io::Result<Box<dyn SegmentFile>> {
    let mut file = files.create(&segment_path(folder, chain.next_sequence))?;
    file.append(&chain.to_segment_header())?;
    file.sync()?;
    sync_folder(folder)?;
    Ok(file)
}

fn making(folder: &Path, error: io::Error) -> Fault {
    Fault::from_error(format!("make a journal segment in {}", folder.display()), error)
}

/// Why nothing can be written any more, and what it means for what was being written.
#[derive(Debug)]
pub(super) enum Stopped {
    /// The disk was full; what was begun is gone again.
    Full,
    /// It is not known what is on disk of it.
    Unknown(io::Error),
}

/// The journal, open for writing at its end.
pub(super) struct Journal {
    folder: PathBuf,
    files: Box<dyn SegmentFiles>,
    file: Box<dyn SegmentFile>,
    segment_bytes: u64,
    end: Place,
}

impl Journal {
    /// Opens a journal that `check` found whole, to write on at `end`.
    pub(super) fn open(
        folder: &Path,
        end: Place,
        segment_bytes: u64,
        files: Box<dyn SegmentFiles>,
    ) -> Result<Self, Fault> {
        let path = segment_path(folder, end.segment);
        let opened = files.reopen(&path).and_then(|mut file| {
            // What a killed process left in the page cache alone becomes durable before anything builds on it.
            file.sync()?;
            Ok(file)
        });
        let file = opened.map_err(|error| Fault::from_error(format!("open {}", path.display()), error))?;
        Ok(Self { folder: folder.to_owned(), files, file, segment_bytes, end })
    }

    /// Where the last frame ends.
    pub(super) const fn end(&self) -> Place {
        self.end
    }

    /// Bytes that are left for the journal.
    pub(super) fn free_bytes(&self) -> io::Result<u64> {
        self.files.free_bytes(&self.folder)
    }

    /// Makes a new segment when the last one is full. `chain` is where the journal stands.
    pub(super) fn make_room(&mut self, chain: &Chain) -> Result<(), Stopped> {
        if self.end.offset < self.segment_bytes || self.end.segment == chain.next_sequence {
            return Ok(());
        }
        // Nothing was begun yet, but a segment may stand there without its header: the next start cuts it.
        self.file = make_segment(&self.folder, chain, self.files.as_ref()).map_err(|error| match error.kind() {
            io::ErrorKind::StorageFull => Stopped::Full,
            _ => Stopped::Unknown(error),
        })?;
        self.end = Place { segment: chain.next_sequence, offset: SEGMENT_HEADER_BYTES as u64 };
        Ok(())
    }

    /// Appends a frame. Durable on return.
    pub(super) fn append(&mut self, frame: &[u8]) -> Result<(), Stopped> {
        if let Err(error) = self.file.append(frame) {
            let is_full = error.kind() == io::ErrorKind::StorageFull;
            return Err(match self.file.truncate(self.end.offset) {
                Ok(()) if is_full => Stopped::Full,
                _ => Stopped::Unknown(error),
            });
        }
        self.file.sync().map_err(Stopped::Unknown)?;
        self.end.offset += frame.len() as u64;
        Ok(())
    }
}

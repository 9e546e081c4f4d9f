//! An extent that is being written: full chunks are sealed and on their way to the disk, the
//! last piece of up to one chunk waits in memory, since only the end tells how it is sealed.
//! Invariant: a chunk number is sealed once under the extent's key, whatever fails.

use std::fs::{self, File, OpenOptions};
use std::io::{self, IoSlice, Write};
use std::mem;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use aws_lc_rs::rand::SecureRandom;

use super::super::writer::disk_failure;
use super::super::{VaultFolder, sync_folder};
use super::digests::Digests;
use super::names::Name;
use super::sealed::{self, Closed};
use crate::domain::ids::UploadId;
use crate::ports::failure::{Failure, Fault};
use crate::ports::unfinished::ExtentKeys;
use crate::sealing::stream::{CHUNK_BYTES, NONCE_BYTES, PayloadKey, SEALED_CHUNK_BYTES};

/// The reserve is looked at again after so many chunks: 1 MiB.
const CHUNKS_PER_ROOM_CHECK: u64 = 16;

/// Memory of chunks that is kept for the next write: 256 KiB.
const SPARE_CHUNKS: usize = 4;

/// Where an upload lies, and what its extents are made with.
pub(super) struct Ground {
    pub(super) id: UploadId,
    pub(super) folder: PathBuf,
    pub(super) vault: Arc<VaultFolder>,
    pub(super) keys: Arc<dyn ExtentKeys>,
}

impl Ground {
    pub(super) fn path_of(&self, name: Name) -> PathBuf {
        self.folder.join(name.to_string())
    }

    pub(super) fn fault(&self, doing: &str, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Fault {
        Fault::from_error(format!("{doing} of upload {}", self.id), error)
    }

    /// As a refusal when the disk is full, else as a fault.
    pub(super) fn failure(&self, doing: &str, error: io::Error) -> Failure {
        disk_failure(format!("{doing} of upload {}", self.id), error)
    }

    pub(super) fn sync(&self) -> Result<(), Failure> {
        sync_folder(&self.folder).map_err(|error| self.failure("sync the folder", error))
    }

    /// Removes what is of no use; what stays is found by the next `resume` or goes with the upload.
    pub(super) fn discard(&self, name: Name) {
        if let Err(error) = fs::remove_file(self.path_of(name))
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, upload = %self.id, file = %name, "a file of an upload could not be removed");
        }
    }
}

/// An extent that grows at its end.
pub(super) struct Growing {
    pub(super) number: u64,
    pub(super) start: u64,
    chunks: u64,
    tail: Vec<u8>,
    disk: Option<Disk>,
}

struct Disk {
    file: File,
    key: PayloadKey,
    /// Written together with the first chunk.
    nonce: Option<[u8; NONCE_BYTES]>,
    chunks_unasked: u64,
    #[cfg(test)]
    file_key: crate::ports::keyring::FileKey,
}

/// Digests of one extent, and memory that serves again.
#[derive(Default)]
pub(super) struct Workshop {
    pub(super) digests: Option<(u64, Digests)>,
    spare: Vec<Vec<u8>>,
}

/// What is left of an extent that could not be written on.
pub(super) struct Remains {
    /// Its full chunks, if it had any.
    pub(super) closed: Option<Closed>,
    /// The offset and the bytes of what was not sealed.
    pub(super) tail: (u64, Vec<u8>),
}

impl Growing {
    /// Nothing is on the disk until a chunk is full.
    pub(super) fn new(number: u64, start: u64) -> Self {
        Self { number, start, chunks: 0, tail: Vec::new(), disk: None }
    }

    /// Begins with bytes that another extent could not write.
    pub(super) fn with_tail(number: u64, start: u64, tail: Vec<u8>) -> Self {
        Self { tail, ..Self::new(number, start) }
    }

    /// The first byte that is not sealed.
    pub(super) fn tail_start(&self) -> u64 {
        self.start + self.chunks * CHUNK_BYTES as u64
    }

    /// The byte after the last.
    pub(super) fn end(&self) -> u64 {
        self.tail_start() + self.tail.len() as u64
    }

    /// Adds bytes at the end. After a failure it holds what it held before, and must be `cut` to go on.
    pub(super) fn append(&mut self, ground: &Ground, data: &[u8], workshop: &mut Workshop) -> Result<(), Failure> {
        let kept = self.tail.len();
        if kept + data.len() <= CHUNK_BYTES {
            self.tail.reserve_exact(SEALED_CHUNK_BYTES.saturating_sub(kept));
            self.tail.extend_from_slice(data);
            return Ok(());
        }
        let coming = (kept + data.len()) / CHUNK_BYTES;
        let disk = Disk::made(&mut self.disk, ground, self.number, self.start, workshop)?;
        disk.check_room(ground, coming as u64)?;
        let mut sealed: Vec<Vec<u8>> = Vec::with_capacity(coming);
        let mut rest = data;
        // The last chunk waits, also when it is full: more must come before it is known not to be the last.
        while self.tail.len() + rest.len() > CHUNK_BYTES {
            let (now, later) = rest.split_at(CHUNK_BYTES.saturating_sub(self.tail.len()));
            self.tail.extend_from_slice(now);
            rest = later;
            workshop.plain(self.number, &self.tail);
            disk.seal(ground, self.chunks + sealed.len() as u64, false, &mut self.tail)?;
            sealed.push(mem::replace(&mut self.tail, workshop.memory()));
        }
        if let Err(error) = disk.write(&sealed) {
            let first = sealed.into_iter().next().unwrap_or_default();
            self.tail = disk.unseal(ground, self.chunks, false, first, kept)?;
            return Err(ground.failure("write an extent", error));
        }
        self.tail.extend_from_slice(rest);
        self.chunks += sealed.len() as u64;
        for chunk in sealed {
            workshop.sealed(self.number, chunk);
        }
        Ok(())
    }

    /// Seals the tail as the last chunk and syncs. After a failure it holds what it held before, and must be `cut`.
    pub(super) fn close(&mut self, ground: &Ground, workshop: &mut Workshop) -> Result<Closed, Failure> {
        let (kept, length) = (self.tail.len(), self.end() - self.start);
        let disk = Disk::made(&mut self.disk, ground, self.number, self.start, workshop)?;
        workshop.plain(self.number, &self.tail);
        disk.seal(ground, self.chunks, true, &mut self.tail)?;
        let last = [mem::take(&mut self.tail)];
        let written = disk.write(&last);
        let [last] = last;
        if let Err(error) = written {
            self.tail = disk.unseal(ground, self.chunks, true, last, kept)?;
            return Err(ground.failure("write an extent", error));
        }
        workshop.sealed(self.number, last);
        disk.settle(ground, Closed { number: self.number, start: self.start, length, is_whole: true })
    }

    /// Gives up an extent that could not be written: its full chunks stay, the tail is for another extent.
    pub(super) fn cut(self, ground: &Ground) -> Result<Remains, Failure> {
        let tail = (self.tail_start(), self.tail);
        let length = self.chunks * CHUNK_BYTES as u64;
        let closed = match &self.disk {
            Some(disk) if self.chunks > 0 => {
                let sealed_bytes = NONCE_BYTES as u64 + self.chunks * SEALED_CHUNK_BYTES as u64;
                disk.file.set_len(sealed_bytes).map_err(|error| ground.fault("cut an extent", error))?;
                let closed = Closed { number: self.number, start: self.start, length, is_whole: false };
                Some(disk.settle(ground, closed)?)
            }
            Some(_) => {
                ground.discard(Name::Growing { number: self.number, start: self.start });
                ground.discard(Name::Header { number: self.number, start: self.start });
                None
            }
            None => None,
        };
        Ok(Remains { closed, tail })
    }

    /// Appends what lies at `offset` to `into`: at most `length` bytes, and not beyond the chunk.
    pub(super) fn read(&self, ground: &Ground, offset: u64, length: usize, into: &mut Vec<u8>) -> Result<(), Fault> {
        let within = offset.saturating_sub(self.start);
        let (chunk, at) = sealed::place_in_chunks(within);
        if chunk >= self.chunks {
            into.extend(self.tail.iter().skip(at).take(length));
            return Ok(());
        }
        let disk = self.disk.as_ref().ok_or_else(|| ground.fault("read an extent", "it is not on the disk"))?;
        let plain = sealed::open_chunk(&disk.file, &disk.key, chunk, CHUNK_BYTES, false)
            .map_err(|error| ground.fault("read an extent", error))?;
        into.extend(plain.iter().skip(at).take(length));
        Ok(())
    }
}

impl Disk {
    /// The files of an extent, made now if they are not there: a fresh key, its header durable before any chunk.
    fn made<'a>(
        place: &'a mut Option<Self>,
        ground: &Ground,
        number: u64,
        start: u64,
        workshop: &mut Workshop,
    ) -> Result<&'a mut Self, Failure> {
        if place.is_none() {
            let made = Self::make(ground, number, start);
            if made.is_err() {
                ground.discard(Name::Growing { number, start });
                ground.discard(Name::Header { number, start });
            }
            let made = made?;
            if let Some(nonce) = &made.nonce {
                workshop.nonce(number, nonce);
            }
            *place = Some(made);
        }
        place.as_mut().ok_or_else(|| ground.fault("write an extent", "it is not on the disk").into())
    }

    fn make(ground: &Ground, number: u64, start: u64) -> Result<Self, Failure> {
        ground.vault.check_reserve()?;
        let (file_key, sealed_header) = ground.keys.fresh()?;
        let mut nonce = [0; NONCE_BYTES];
        let random = ground.vault.random.fill(&mut nonce);
        random.map_err(|_| ground.fault("seal an extent", "the system gives no randomness"))?;
        let key = PayloadKey::new(file_key.expose(), &nonce).map_err(|error| ground.fault("seal an extent", error))?;
        let new =
            |name| OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(ground.path_of(name));
        let failed = |error| ground.failure("make an extent", error);
        let mut header = new(Name::Header { number, start }).map_err(failed)?;
        header.write_all(&sealed_header).and_then(|()| header.sync_all()).map_err(failed)?;
        let file = new(Name::Growing { number, start }).map_err(failed)?;
        ground.sync()?;
        Ok(Self {
            file,
            key,
            nonce: Some(nonce),
            chunks_unasked: 0,
            #[cfg(test)]
            file_key,
        })
    }

    fn check_room(&mut self, ground: &Ground, chunks: u64) -> Result<(), Failure> {
        self.chunks_unasked += chunks;
        if self.chunks_unasked >= CHUNKS_PER_ROOM_CHECK {
            ground.vault.check_reserve()?;
            self.chunks_unasked = 0;
        }
        Ok(())
    }

    fn seal(&self, ground: &Ground, chunk: u64, is_last: bool, buffer: &mut Vec<u8>) -> Result<(), Fault> {
        #[cfg(test)]
        super::tests::ledger::note(&self.file_key, chunk);
        self.key.seal_chunk(chunk, is_last, buffer).map_err(|error| ground.fault("seal an extent", error))
    }

    /// Takes a chunk back that could not be written: the first `kept` bytes of it were there before.
    fn unseal(
        &self,
        ground: &Ground,
        chunk: u64,
        is_last: bool,
        mut sealed: Vec<u8>,
        kept: usize,
    ) -> Result<Vec<u8>, Fault> {
        let opened = self.key.open_chunk(chunk, is_last, &mut sealed);
        opened.map_err(|error| ground.fault("take back a chunk", error))?;
        sealed.truncate(kept);
        Ok(sealed)
    }

    /// Writes sealed chunks at the end of the file, in as few calls as the system needs.
    fn write(&mut self, chunks: &[Vec<u8>]) -> io::Result<()> {
        #[cfg(test)]
        super::tests::full_disk::take(&self.file, chunks)?;
        let nonce = self.nonce.as_ref().map(<[u8; NONCE_BYTES]>::as_slice);
        let mut slices: Vec<IoSlice<'_>> =
            nonce.into_iter().chain(chunks.iter().map(Vec::as_slice)).map(IoSlice::new).collect();
        let mut rest = slices.as_mut_slice();
        while !rest.is_empty() {
            match self.file.write_vectored(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => IoSlice::advance_slices(&mut rest, written),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.nonce = None;
        Ok(())
    }

    /// Syncs the bytes, and only then gives the file the name that says so.
    fn settle(&self, ground: &Ground, closed: Closed) -> Result<Closed, Failure> {
        let growing = Name::Growing { number: closed.number, start: closed.start };
        if let Err(error) = self.file.sync_data() {
            // What a sync lost cannot be told afterwards: all of it counts as never arrived.
            ground.discard(growing);
            return Err(ground.fault("sync an extent", error).into());
        }
        let renamed = fs::rename(ground.path_of(growing), ground.path_of(closed.name()));
        renamed.map_err(|error| ground.failure("settle an extent", error))?;
        Ok(closed)
    }
}

impl Workshop {
    fn memory(&mut self) -> Vec<u8> {
        self.spare.pop().unwrap_or_else(|| Vec::with_capacity(SEALED_CHUNK_BYTES))
    }

    fn nonce(&mut self, number: u64, nonce: &[u8]) {
        if let Some((_, digests)) = self.digests.as_mut().filter(|(of, _)| *of == number) {
            digests.nonce(nonce);
        }
    }

    fn plain(&mut self, number: u64, chunk: &[u8]) {
        if let Some((_, digests)) = self.digests.as_mut().filter(|(of, _)| *of == number) {
            let taken = digests.plain(chunk);
            self.go_without(taken);
        }
    }

    /// Takes a chunk that is written; its memory serves again.
    fn sealed(&mut self, number: u64, chunk: Vec<u8>) {
        let memory = match self.digests.as_mut().filter(|(of, _)| *of == number) {
            Some((_, digests)) => {
                let taken = digests.sealed(chunk);
                self.go_without(taken)
            }
            None => Some(chunk),
        };
        if let Some(mut memory) = memory.filter(|_| self.spare.len() < SPARE_CHUNKS) {
            memory.clear();
            self.spare.push(memory);
        }
    }

    /// Digests that fail are taken in a second pass.
    fn go_without<T>(&mut self, taken: Result<T, Fault>) -> Option<T> {
        taken
            .inspect_err(|error| {
                tracing::warn!(%error, "an upload is not hashed while it comes");
                self.digests = None;
            })
            .ok()
    }
}

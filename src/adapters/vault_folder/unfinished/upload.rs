//! An open upload as the port has it: one lock around its state, a size that can be seen without
//! it, and the making of a payload.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest::{Context, SHA256};

use super::super::{sync_folder, writer};
use super::growing::Ground;
use super::sealed::{self, Closed};
use super::state::State;
use crate::domain::digest::Digest;
use crate::domain::ids::PayloadId;
use crate::domain::refusal::Refusal;
use crate::ports::failure::{Failure, Fault};
use crate::ports::keyring::FileKey;
use crate::ports::unfinished::{Finished, UnfinishedFile, UnfinishedLimits};
use crate::ports::vault::{StoredPayload, Vault};

/// Bytes that are read at once in a second pass.
const BLOCK_BYTES: usize = 256 * 1024;

/// One open upload.
pub(super) struct Upload {
    ground: Ground,
    limits: UnfinishedLimits,
    size: AtomicU64,
    state: Mutex<State>,
}

impl Upload {
    pub(super) fn new(ground: Ground, limits: UnfinishedLimits, state: State) -> Self {
        Self { ground, limits, size: AtomicU64::new(state.size()), state: Mutex::new(state) }
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works on the state, unless something broke before.
    fn working<T>(&self, work: impl FnOnce(&mut State) -> Result<T, Failure>) -> Result<T, Failure> {
        let mut state = self.locked();
        state.check_usable(&self.ground)?;
        let outcome = work(&mut state);
        self.size.store(state.size(), Ordering::Release);
        state.noting(outcome)
    }

    fn check_size(&self, size: u64) -> Result<(), Failure> {
        if size <= self.limits.max_bytes {
            return Ok(());
        }
        let why = format!("the file would have {size} bytes; at most {} are taken: send less", self.limits.max_bytes);
        Err(Refusal::TooMuch(why).into())
    }

    /// The extent itself becomes the payload: a second name for the same bytes, which nothing changes any more.
    fn link(&self, state: &mut State, closed: Closed, payload: PayloadId) -> Result<Finished, Failure> {
        let (ground, vault) = (&self.ground, &self.ground.vault);
        let (sha256, sealed_sha256) = match state.digests {
            Some((number, plain, sealed)) if number == closed.number => (plain, sealed),
            _ => (self.plain_sha256(state)?, self.sealed_sha256(closed)?),
        };
        let sealed_header = Some(sealed::header_of(ground, closed.number, closed.start)?);
        let failed = |error| ground.failure("make a payload", error);
        let (extent, path) = (ground.path_of(closed.name()), vault.path_of(payload));
        let folder = path.parent().unwrap_or(&vault.folder);
        vault.make_durable(folder).map_err(failed)?;
        match fs::hard_link(&extent, &path) {
            Ok(()) => {}
            // Finished before, and not put on record.
            Err(error)
                if error.kind() == io::ErrorKind::AlreadyExists && is_same(&extent, &path).map_err(failed)? => {}
            Err(error) => return Err(failed(error)),
        }
        File::open(&path).and_then(|file| file.sync_all()).map_err(failed)?;
        sync_folder(folder).map_err(failed)?;
        let sealed_bytes = fs::metadata(&path).map_err(failed)?.len();
        let size_bytes = closed.length;
        let stored = StoredPayload { size_bytes, sha256, sealed_bytes, sealed_sha256, whole_sha256: None, crc32: None };
        Ok(Finished { stored, sealed_header })
    }

    /// All extents are sealed anew into one payload.
    fn store(&self, state: &mut State, payload: PayloadId, key: &FileKey) -> Result<Finished, Failure> {
        let vault = &self.ground.vault;
        let stored = match vault.find(payload)? {
            Some(sealed_bytes) => self.stored_before(state, payload, key, sealed_bytes)?,
            None => vault.store(payload, key, None, &mut Source { upload: self, state, position: 0 })?,
        };
        // an upload is in no ZIP file
        Ok(Finished { stored: StoredPayload { crc32: None, ..stored }, sealed_header: None })
    }

    /// What an earlier call stored, if it is the same under the same key. A payload is never written again.
    fn stored_before(
        &self,
        state: &mut State,
        payload: PayloadId,
        key: &FileKey,
        sealed_bytes: u64,
    ) -> Result<StoredPayload, Failure> {
        let reader = self.ground.vault.open(payload, key)?;
        let mut hash = Context::new(&SHA256);
        let mut position = 0;
        let mut is_same = reader.size_bytes() == state.map.size();
        while is_same && position < reader.size_bytes() {
            let ours = state.read(&self.ground, position, BLOCK_BYTES)?;
            is_same = !ours.is_empty() && reader.read_vec(position, BLOCK_BYTES)? == ours;
            hash.update(&ours);
            position += ours.len() as u64;
        }
        if !is_same {
            return Err(self.ground.fault("finish", format!("payload {payload} holds something else")).into());
        }
        let file = File::open(self.ground.vault.path_of(payload));
        let sealed_sha256 = file.and_then(sha256_of).map_err(|error| self.ground.fault("read the payload", error))?;
        let sha256 = writer::finish(hash);
        Ok(StoredPayload { size_bytes: position, sha256, sealed_bytes, sealed_sha256, whole_sha256: None, crc32: None })
    }

    fn plain_sha256(&self, state: &mut State) -> Result<Digest, Failure> {
        let mut hash = Context::new(&SHA256);
        let mut position = 0;
        while position < state.map.size() {
            let bytes = state.read(&self.ground, position, BLOCK_BYTES)?;
            hash.update(&bytes);
            position += bytes.len() as u64;
        }
        Ok(writer::finish(hash))
    }

    fn sealed_sha256(&self, closed: Closed) -> Result<Digest, Fault> {
        let file = File::open(self.ground.path_of(closed.name()));
        file.and_then(sha256_of).map_err(|error| self.ground.fault("read an extent", error))
    }

    fn give_up(&self, state: &mut State) -> Result<(), Failure> {
        state.check_usable(&self.ground)?;
        // What finds no room on the disk is lost, like the rest of what waits.
        if let Err(Failure::Faulted(fault)) = state.take_in(&self.ground, &self.limits) {
            return Err(fault.into());
        }
        state.early.forget();
        state.close_all(&self.ground)?;
        super::cut_at_gap(&self.ground, state)?;
        self.ground.sync()
    }
}

impl UnfinishedFile for Upload {
    fn size_bytes(&self) -> u64 {
        self.size.load(Ordering::Acquire)
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), Failure> {
        self.check_size(offset.saturating_add(data.len() as u64))?;
        if data.is_empty() {
            return Ok(());
        }
        self.working(|state| state.write(&self.ground, &self.limits, offset, data))
    }

    fn set_size(&self, size_bytes: u64) -> Result<(), Failure> {
        self.check_size(size_bytes)?;
        self.working(|state| {
            if size_bytes == state.size() {
                return Ok(());
            }
            state.set_size(&self.ground, &self.limits, size_bytes)
        })
    }

    fn read(&self, offset: u64, length: usize) -> Result<Vec<u8>, Failure> {
        let mut state = self.locked();
        state.check_usable(&self.ground)?;
        state.take_in(&self.ground, &self.limits)?;
        state.read(&self.ground, offset, length)
    }

    fn sync(&self) -> Result<(), Failure> {
        self.working(|state| {
            state.spill(&self.ground, &self.limits)?;
            state.close_all(&self.ground)?;
            self.ground.sync()
        })
    }

    fn first_gap(&self) -> Option<(u64, u64)> {
        self.locked().first_gap()
    }

    fn abandon(&self) {
        let mut state = self.locked();
        let size = match self.give_up(&mut state) {
            Ok(()) => state.map.contiguous(),
            Err(failure) => {
                tracing::warn!(%failure, upload = %self.ground.id, "the end of what arrived of an upload is not kept");
                // what is said of it now must be what a resume finds: the map has what was lost
                super::size_in(&self.ground.folder).unwrap_or_default()
            }
        };
        self.size.store(size, Ordering::Release);
        state.abandon();
    }

    fn finish(&self, payload: PayloadId, key: &FileKey) -> Result<Finished, Failure> {
        self.working(|state| {
            state.take_in(&self.ground, &self.limits)?;
            if let Some((start, end)) = state.first_gap() {
                let why = format!("bytes {start} to {end} of the file never arrived: send them, or the file anew");
                return Err(Refusal::WrongState(why).into());
            }
            state.close_all(&self.ground)?;
            let single = state.map.single().and_then(|number| state.closed.get(&number)).copied();
            match single.filter(|closed| closed.is_whole && closed.length == state.map.size()) {
                Some(closed) => self.link(state, closed, payload),
                None => self.store(state, payload, key),
            }
        })
    }
}

/// The plaintext of an upload from its first byte to its last.
struct Source<'a> {
    upload: &'a Upload,
    state: &'a mut State,
    position: u64,
}

impl Read for Source<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.state.read(&self.upload.ground, self.position, into.len());
        let bytes = read.map_err(|failure| io::Error::other(failure.to_string()))?;
        if let Some(to) = into.get_mut(..bytes.len()) {
            to.copy_from_slice(&bytes);
        }
        self.position += bytes.len() as u64;
        Ok(bytes.len())
    }
}

fn is_same(one: &std::path::Path, other: &std::path::Path) -> io::Result<bool> {
    let (one, other) = (fs::metadata(one)?, fs::metadata(other)?);
    Ok((one.dev(), one.ino()) == (other.dev(), other.ino()))
}

fn sha256_of(mut file: File) -> io::Result<Digest> {
    let mut hash = Context::new(&SHA256);
    let mut block = vec![0; BLOCK_BYTES];
    loop {
        let length = file.read(&mut block)?;
        if length == 0 {
            return Ok(writer::finish(hash));
        }
        hash.update(block.get(..length).unwrap_or_default());
    }
}

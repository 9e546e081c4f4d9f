//! All files of a delivery as one ZIP file: opening it, reading any range, and counting what left of each file as
//! if it had been fetched by itself. What lies where is in `domain/zip_layout.rs`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, TryLockError};

use crc32fast::Hasher;
use sha2::{Digest as _, Sha256};

use super::{Caller, Failure, Fault, Fetch, Operations, locked};
use crate::domain::delivery::{DeliveredFile, Delivery, DeliveryPart};
use crate::domain::digest::Digest;
use crate::domain::ids::{DeliveryId, PayloadId};
use crate::domain::names::FileName;
use crate::domain::refusal::Refusal;
use crate::domain::zip_layout::{FileChecksum, Stamp, ZipLayout, ZipPart, zip_name};

/// So many files of one ZIP are open at once. What is read ends before the next one, and whoever sends it waits
/// until the transport took one: a delivery of 10,000 small files holds no more than this.
const MOST_OPEN_FILES: usize = 16;

/// Files of before checksums were kept are read once for theirs, in steps of 1 MiB.
const STEP_BYTES: usize = 1024 * 1024;

/// So many of those checksums are remembered until the server stops: 2 MiB.
const MOST_KNOWN: usize = 65_536;

/// Changes whenever the same delivery would give other bytes.
const FORM: &[u8] = b"postkluis zip 1";

/// Checksums of files whose publication kept none.
#[derive(Default)]
pub(super) struct KnownChecksums {
    known: Mutex<BTreeMap<PayloadId, u32>>,
    /// Held by whoever reads a file for its checksum: one at a time.
    turn: Mutex<()>,
}

/// An opened ZIP file of a delivery. Dropping it without `close` is the same as `abandon`.
pub struct DeliveryZip {
    operations: Arc<Operations>,
    caller: Caller,
    name: FileName,
    files: Vec<DeliveredFile>,
    /// Packing slip and list of digests, which follow the files.
    slip: Fetch,
    list: Fetch,
    layout: ZipLayout,
    tag: Digest,
    checksums: OnceLock<Vec<u32>>,
    /// Files of which something was read, and not all was taken yet.
    open: Mutex<BTreeMap<usize, Arc<Fetch>>>,
}

impl Operations {
    /// Opens all files of a delivery as one ZIP file, with its packing slip and its list of digests. It counts as one
    /// open file of the account.
    ///
    /// # Errors
    /// As `open_part`.
    pub fn open_zip(self: &Arc<Self>, caller: &Caller, id: DeliveryId) -> Result<DeliveryZip, Failure> {
        let slip = self.open_part(caller, id, DeliveryPart::PackingSlip)?;
        let list = self.open_within(caller, id, DeliveryPart::DigestList)?;
        let delivery = slip.delivery();
        let most = delivery.file_count as usize;
        let files: Vec<DeliveredFile> =
            self.catalog.look(|view| Ok(view.rows(&DeliveredFile::keys_of(id), None, most)?))?;
        let own = [&slip, &list].map(|text| (text.name().to_string(), text.size_bytes(), text.sha256()));
        let entries: Vec<(String, u64, Digest)> =
            files.iter().map(|file| (file.name.to_string(), file.size_bytes, file.sha256)).chain(own).collect();
        let stamp = self.stamp(delivery);
        let tag = tag(&delivery.name(), stamp, &entries);
        let sizes = entries.into_iter().map(|(name, size_bytes, _)| (name, size_bytes));
        Ok(DeliveryZip {
            operations: Arc::clone(self),
            caller: caller.clone(),
            name: FileName::parse(&zip_name(delivery))?,
            layout: ZipLayout::new(&delivery.name(), sizes, stamp),
            files,
            slip,
            list,
            tag,
            checksums: OnceLock::new(),
            open: Mutex::default(),
        })
    }

    fn stamp(&self, delivery: &Delivery) -> Stamp {
        let at = delivery.published_at;
        let date = self.clock.date_of(at);
        let time = self.clock.time_of(at);
        let part = |text: Option<&str>| text.and_then(|text| text.parse().ok()).unwrap_or_default();
        let mut parts = time.split(':');
        let (hour, minute) = (part(parts.next()), part(parts.next()));
        // every zone is whole minutes away from UTC
        let second = u16::try_from(at.seconds() % 60).unwrap_or_default();
        let year = u16::try_from(date.year).unwrap_or_default();
        let (month, day) = (u16::from(date.month.unsigned_abs()), u16::from(date.day.unsigned_abs()));
        Stamp::of((year, month, day), (hour, minute, second), at.seconds())
    }
}

impl DeliveryZip {
    /// Size of the whole ZIP file in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.layout.size_bytes()
    }

    /// `<delivery>.zip`.
    #[must_use]
    pub const fn name(&self) -> &FileName {
        &self.name
    }

    /// The delivery, as it was when opened.
    #[must_use]
    pub fn delivery(&self) -> &Delivery {
        self.slip.delivery()
    }

    /// The same as long as the ZIP file has the same bytes: made of names, sizes and digests of all that is in it.
    #[must_use]
    pub const fn tag(&self) -> Digest {
        self.tag
    }

    /// Makes the checksums known that the ZIP file holds: needed before the first `read`, and at once unless a file
    /// was published before they were kept.
    ///
    /// # Errors
    /// `TooMuch` while another file is read for its checksum; those of `Fetch::read`.
    pub fn prepare(&self) -> Result<(), Failure> {
        if self.checksums.get().is_some() {
            return Ok(());
        }
        let kept: Vec<Option<u32>> = self.operations.catalog.look(|view| {
            let kept = self
                .files
                .iter()
                .map(|file| Ok(view.row::<FileChecksum>(&FileChecksum::key_of(file.payload))?.map(|kept| kept.crc32)));
            kept.collect::<Result<_, Failure>>()
        })?;
        let mut checksums = Vec::with_capacity(self.files.len() + 2);
        for (file, kept) in self.files.iter().zip(kept) {
            checksums.push(match kept {
                Some(crc32) => crc32,
                None => self.checksum_of(file)?,
            });
        }
        for text in [&self.slip, &self.list] {
            let length = usize::try_from(text.size_bytes()).unwrap_or(usize::MAX);
            checksums.push(crc32fast::hash(&text.read_vec(0, length)?));
        }
        // whoever was first has the same
        let _ = self.checksums.set(checksums);
        Ok(())
    }

    /// Reads a whole file of before checksums were kept. Nothing of it leaves.
    fn checksum_of(&self, file: &DeliveredFile) -> Result<u32, Failure> {
        let known = &self.operations.checksums;
        if let Some(crc32) = locked(&known.known).get(&file.payload) {
            return Ok(*crc32);
        }
        let _turn = match known.turn.try_lock() {
            Ok(turn) => turn,
            Err(TryLockError::Poisoned(turn)) => turn.into_inner(),
            Err(TryLockError::WouldBlock) => {
                let why = "the ZIP file of an older delivery is being prepared; ask again in a minute";
                return Err(Refusal::TooMuch(why.to_owned()).into());
            }
        };
        let fetch = self.operations.open_within(&self.caller, file.delivery, DeliveryPart::Data(file.number))?;
        let mut hash = Hasher::new();
        let mut at = 0;
        while at < file.size_bytes {
            self.may_go_on()?;
            let bytes = fetch.read_for_checksum(at, STEP_BYTES)?;
            if bytes.is_empty() {
                return Err(Fault::new(format!("read payload {}: it is shorter than recorded", file.payload)).into());
            }
            hash.update(&bytes);
            at += bytes.len() as u64;
        }
        let crc32 = hash.finalize();
        let mut known = locked(&known.known);
        if known.len() >= MOST_KNOWN {
            known.clear();
        }
        known.insert(file.payload, crc32);
        Ok(crc32)
    }

    /// Fills `into` from `offset`: nothing at or after the end, less than asked where more files would have to be
    /// open. What has to be on record of each file before its bytes leave is on record, as in `Fetch::read`.
    ///
    /// # Errors
    /// Those of `Fetch::read`. Then nothing may be sent.
    pub fn read(&self, offset: u64, into: &mut [u8]) -> Result<usize, Failure> {
        self.may_go_on()?;
        self.prepare()?;
        let checksums = self.checksums.get().map(Vec::as_slice).unwrap_or_default();
        let mut filled = 0;
        while let Some(room) = into.get_mut(filled..).filter(|room| !room.is_empty()) {
            let at = offset.saturating_add(filled as u64);
            let read = match self.layout.at(at, checksums) {
                None => 0,
                Some(ZipPart::Structure { start, bytes, .. }) => {
                    let from = usize::try_from(at - start).unwrap_or(usize::MAX);
                    let bytes = bytes.get(from..).unwrap_or_default();
                    room.iter_mut().zip(bytes).map(|(to, byte)| *to = *byte).count()
                }
                Some(ZipPart::Content { start, entry, size_bytes }) => {
                    let left = usize::try_from(size_bytes - (at - start)).unwrap_or(usize::MAX);
                    let length = left.min(room.len());
                    let room = room.get_mut(..length).unwrap_or_default();
                    match self.text_of(entry) {
                        Some(text) => text.read(at - start, room)?,
                        None if filled > 0 && !self.has_room_for(entry) => break,
                        None => self.fetch_of(entry)?.read(at - start, room)?,
                    }
                }
            };
            if read == 0 {
                break;
            }
            filled += read;
        }
        Ok(filled)
    }

    /// Whether so many files are open that the transport must take one before more is read.
    #[must_use]
    pub fn is_full(&self) -> bool {
        locked(&self.open).len() >= MOST_OPEN_FILES
    }

    /// Whether it may still be read.
    ///
    /// # Errors
    /// As `Fetch::may_go_on`.
    pub fn may_go_on(&self) -> Result<(), Failure> {
        self.slip.may_go_on()
    }

    /// The transport took these bytes: what lies in them of each file is taken of that file.
    ///
    /// # Errors
    /// As `Fetch::taken`; also those of `open_part` for an empty file, which counts once its header was taken.
    pub fn taken(&self, offset: u64, length: usize) -> Result<(), Failure> {
        let end = offset.saturating_add(length as u64);
        let mut at = offset;
        while at < end {
            // the checksums do not move anything
            let Some(part) = self.layout.at(at, &[]) else { break };
            let range = part.range();
            let until = range.end.min(end);
            match part {
                ZipPart::Content { start, entry, .. } => {
                    let fetch = locked(&self.open).get(&entry).cloned();
                    if let Some(fetch) = fetch {
                        fetch.taken(at - start, usize::try_from(until - at).unwrap_or(usize::MAX))?;
                        if until == range.end {
                            locked(&self.open).remove(&entry);
                            fetch.close()?;
                        }
                    }
                }
                ZipPart::Structure { heads: Some(entry), .. } if until == range.end => self.take_empty(entry)?,
                ZipPart::Structure { .. } => {}
            }
            at = until;
        }
        Ok(())
    }

    /// Everything that was asked for was taken.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn close(&self) -> Result<(), Failure> {
        self.end(Fetch::close)
    }

    /// The connection ended before.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn abandon(&self) -> Result<(), Failure> {
        self.end(Fetch::abandon)
    }

    fn end(&self, how: fn(&Fetch) -> Result<(), Failure>) -> Result<(), Failure> {
        let open = std::mem::take(&mut *locked(&self.open));
        let ended: Vec<Result<(), Failure>> =
            open.values().map(AsRef::as_ref).chain([&self.slip, &self.list]).map(how).collect();
        ended.into_iter().collect()
    }

    /// An empty file has no bytes that could be taken.
    fn take_empty(&self, entry: usize) -> Result<(), Failure> {
        match self.files.get(entry) {
            Some(file) if file.size_bytes == 0 => {
                let part = DeliveryPart::Data(file.number);
                self.operations.open_within(&self.caller, file.delivery, part)?.close()
            }
            _ => Ok(()),
        }
    }

    /// Packing slip or list of digests.
    fn text_of(&self, entry: usize) -> Option<&Fetch> {
        match entry.checked_sub(self.files.len())? {
            0 => Some(&self.slip),
            _ => Some(&self.list),
        }
    }

    fn has_room_for(&self, entry: usize) -> bool {
        let open = locked(&self.open);
        open.len() < MOST_OPEN_FILES || open.contains_key(&entry)
    }

    fn fetch_of(&self, entry: usize) -> Result<Arc<Fetch>, Failure> {
        if let Some(fetch) = locked(&self.open).get(&entry) {
            return Ok(Arc::clone(fetch));
        }
        let file = self.files.get(entry).ok_or_else(|| Fault::new("read a ZIP file: an entry without its file"))?;
        let part = DeliveryPart::Data(file.number);
        let fetch = Arc::new(self.operations.open_within(&self.caller, file.delivery, part)?);
        Ok(Arc::clone(locked(&self.open).entry(entry).or_insert(fetch)))
    }
}

fn tag(folder: &str, stamp: Stamp, entries: &[(String, u64, Digest)]) -> Digest {
    let mut hash = Sha256::new_with_prefix(FORM);
    hash.update([0]);
    hash.update(folder);
    hash.update([0]);
    hash.update(stamp.date.to_be_bytes());
    hash.update(stamp.time.to_be_bytes());
    hash.update(stamp.seconds.to_be_bytes());
    for (name, size_bytes, sha256) in entries {
        hash.update(name);
        hash.update([0]);
        hash.update(size_bytes.to_be_bytes());
        hash.update(sha256.as_bytes());
    }
    Digest::new(hash.finalize().into())
}

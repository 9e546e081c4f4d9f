//! One small file beside the index that says what the index must hold, for a
//! start after the process was killed. Two places, written in turn and never
//! synced: it counts only while the machine has not been started again.
#![expect(clippy::disallowed_methods, reason = "this adapter is the disk")]

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::tally::{TALLY_BYTES, Tally};
use crate::ports::failure::Fault;

const FILE: &str = "applied";
/// The file of sled that holds the pairs.
const INDEX_FILE: &str = "index/db";
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
const MAGIC: [u8; 8] = *b"PKAPPL\0\x01";
/// Magic 8, boot 36, device 8, inode 8, sequence 8, hash 32, tally 24, CRC-32 4.
const PROMISE_BYTES: usize = 128;

/// What the index holds once a record is applied.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Promise {
    /// The record.
    pub(super) sequence: u64,
    /// Its hash in the journal.
    pub(super) hash: [u8; 32],
    /// All pairs but the mark.
    pub(super) tally: Tally,
}

/// The start of the machine, and the file of the index: a promise is of these two.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Ground {
    boot: [u8; 36],
    device: u64,
    inode: u64,
}

impl Ground {
    /// `None` where the machine does not tell one start from another.
    fn of(folder: &Path) -> io::Result<Option<Self>> {
        let mut boot = Vec::new();
        match File::open(BOOT_ID).and_then(|file| file.take(64).read_to_end(&mut boot)) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        }
        let Some(boot) = boot.first_chunk::<36>() else { return Ok(None) };
        let index = fs::metadata(folder.join(INDEX_FILE))?;
        Ok(Some(Self { boot: *boot, device: index.dev(), inode: index.ino() }))
    }

    fn encode(&self, promise: &Promise) -> Vec<u8> {
        let mut bytes = [MAGIC.as_slice(), &self.boot].concat();
        bytes.extend([self.device, self.inode, promise.sequence].iter().flat_map(|number| number.to_be_bytes()));
        bytes.extend(promise.hash);
        bytes.extend(promise.tally.to_bytes());
        bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
        bytes
    }

    /// The promise in `bytes` if it is whole and of this ground.
    fn decode(&self, bytes: &[u8]) -> Option<Promise> {
        let (content, crc) = bytes.split_last_chunk::<4>()?;
        let sequence = content.get(60..68)?.try_into().ok().map(u64::from_be_bytes)?;
        let hash = content.get(68..100)?.try_into().ok()?;
        let promise = Promise { sequence, hash, tally: Tally::from_bytes(content.get(100..100 + TALLY_BYTES)?)? };
        let is_whole = crc32fast::hash(content) == u32::from_be_bytes(*crc) && self.encode(&promise) == bytes;
        is_whole.then_some(promise)
    }
}

/// The newest promise for the index in `folder` that was made since the machine started, for the file that lies
/// there now; `None`: nothing is known of it.
pub(super) fn read(folder: &Path) -> Result<Option<Promise>, Fault> {
    let path = folder.join(FILE);
    let found = Ground::of(folder).and_then(|ground| {
        let mut bytes = Vec::new();
        File::open(&path)?.take(2 * PROMISE_BYTES as u64).read_to_end(&mut bytes)?;
        let promises = bytes.chunks(PROMISE_BYTES).filter_map(|bytes| ground.as_ref()?.decode(bytes));
        Ok(promises.max_by_key(|promise| promise.sequence))
    });
    match found {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        found => found.map_err(|error| Fault::from_error(format!("read {}", path.display()), error)),
    }
}

/// The file, while the catalog is open.
pub(super) struct Applied {
    path: PathBuf,
    /// None where nothing can be promised: the next start after a kill rebuilds.
    open: Option<(File, Ground)>,
    in_second: bool,
}

impl Applied {
    /// Begins with what the index in `folder` holds now.
    pub(super) fn begin(folder: &Path, promise: &Promise) -> Result<Self, Fault> {
        let path = folder.join(FILE);
        let begin = || -> io::Result<Option<(File, Ground)>> {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let Some(ground) = Ground::of(folder)? else { return Ok(None) };
            let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            // both places: later ones need no room on the disk
            file.write_all_at(&[ground.encode(promise), ground.encode(promise)].concat(), 0)?;
            Ok(Some((file, ground)))
        };
        let open = begin().map_err(|error| Fault::from_error(format!("begin {}", path.display()), error))?;
        Ok(Self { path, open, in_second: false })
    }

    /// Says what the index will hold, before it is changed. A failure is logged: without a promise the next
    /// start after a kill rebuilds, and with an older one it finds the index to be newer, and rebuilds.
    pub(super) fn promise(&mut self, promise: &Promise) {
        let Some((file, ground)) = &self.open else { return };
        self.in_second = !self.in_second;
        let place = if self.in_second { PROMISE_BYTES as u64 } else { 0 };
        if let Err(error) = file.write_all_at(&ground.encode(promise), place) {
            tracing::warn!(
                %error, file = %self.path.display(),
                "what the index holds cannot be noted; a start after a kill will rebuild it"
            );
            self.open = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn promise(sequence: u64) -> Promise {
        let mut tally = Tally::default();
        tally.add(&sequence.to_be_bytes(), b"value");
        Promise { sequence, hash: [7; 32], tally }
    }

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("index")).unwrap();
        fs::write(folder.path().join(INDEX_FILE), b"pairs").unwrap();
        folder
    }

    #[test]
    fn the_newest_is_read_and_a_torn_one_leaves_the_one_before() {
        let folder = folder();
        assert_eq!(read(folder.path()).unwrap(), None);
        let mut applied = Applied::begin(folder.path(), &promise(3)).unwrap();
        assert_eq!(read(folder.path()).unwrap(), Some(promise(3)));
        for sequence in 4..8 {
            applied.promise(&promise(sequence));
            assert_eq!(read(folder.path()).unwrap(), Some(promise(sequence)));
        }
        let path = folder.path().join(FILE);
        let whole = fs::read(&path).unwrap();
        assert_eq!(whole.len(), 2 * PROMISE_BYTES);
        // 7 was written to the first place
        for bit in 0..PROMISE_BYTES * 8 {
            let mut bytes = whole.clone();
            *bytes.get_mut(bit / 8).unwrap() ^= 1 << (bit % 8);
            fs::write(&path, bytes).unwrap();
            assert_eq!(read(folder.path()).unwrap(), Some(promise(6)), "bit {bit}");
        }
        fs::write(&path, b"").unwrap();
        assert_eq!(read(folder.path()).unwrap(), None);
    }

    #[test]
    fn it_does_not_count_for_another_file_or_after_another_start_of_the_machine() {
        let folder = folder();
        drop(Applied::begin(folder.path(), &promise(3)).unwrap());
        let index = folder.path().join(INDEX_FILE);
        let kept = folder.path().join("kept");
        fs::rename(&index, &kept).unwrap();
        fs::write(&index, b"pairs").unwrap();
        assert_eq!(read(folder.path()).unwrap(), None);
        fs::rename(&kept, &index).unwrap();
        assert_eq!(read(folder.path()).unwrap(), Some(promise(3)));
        let ground = Ground::of(folder.path()).unwrap().unwrap();
        let earlier = Ground { boot: [b'0'; 36], ..ground };
        fs::write(folder.path().join(FILE), earlier.encode(&promise(3)).repeat(2)).unwrap();
        assert_eq!(read(folder.path()).unwrap(), None);
    }
}

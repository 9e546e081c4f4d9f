//! A snapshot: all that the index holds at one position of the journal, in key
//! order, with where the chain stands there. Header, frames as the journal's, and
//! an end with count and digest. Written to the side, read back before it counts.
#![expect(clippy::disallowed_methods, reason = "this adapter is the disk")]

use std::error::Error;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::vec;

use sha2::{Digest as _, Sha256};

use super::layout::{
    Chain, FRAME_HEADER_BYTES, FrameHead, SEGMENT_HEADER_BYTES, frame, records_of, snapshot_end, snapshot_end_says,
};
use crate::ports::failure::Fault;

/// A frame is closed when it has so many bytes.
const FRAME_FULL_BYTES: usize = 64 * 1024;
/// No frame is longer: an entry has at most a key of 64 KiB and a value of 16 KiB.
const MOST_FRAME_BYTES: usize = 256 * 1024;
/// Length of what `snapshot_end` makes.
const END_BYTES: usize = 52;

/// A key of the index and its value.
pub(super) type Pair = (Vec<u8>, Vec<u8>);

/// What a snapshot holds, as its end says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Sum {
    /// How many pairs.
    pub(super) count: u64,
    /// SHA-256 of all bytes before the end.
    pub(super) digest: [u8; 32],
}

/// A snapshot that is being written.
pub(super) struct SnapshotWriter {
    file: BufWriter<File>,
    path: PathBuf,
    hash: Sha256,
    count: u64,
    waiting: Vec<Vec<u8>>,
    waiting_bytes: usize,
}

impl SnapshotWriter {
    /// Begins the snapshot of the position `chain` at `path`; what lies there is overwritten.
    pub(super) fn begin(path: &Path, chain: &Chain) -> Result<Self, Fault> {
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
        let file = file.map_err(|error| writing(path, error))?;
        let mut writer = Self {
            file: BufWriter::with_capacity(MOST_FRAME_BYTES, file),
            path: path.to_owned(),
            hash: Sha256::new(),
            count: 0,
            waiting: Vec::new(),
            waiting_bytes: 0,
        };
        writer.put(&chain.to_snapshot_header())?;
        Ok(writer)
    }

    /// Adds a pair; keys come in order.
    pub(super) fn add(&mut self, key: &[u8], value: &[u8]) -> Result<(), Fault> {
        let key_bytes = u16::try_from(key.len()).map_err(|error| Fault::from_error("write a snapshot", error))?;
        let pair = [&key_bytes.to_le_bytes(), key, value].concat();
        self.waiting_bytes += pair.len() + 4;
        self.count += 1;
        self.waiting.push(pair);
        if self.waiting_bytes >= FRAME_FULL_BYTES { self.put_frame() } else { Ok(()) }
    }

    /// Writes the end. Durable on return; the file has yet to be given its name.
    pub(super) fn finish(mut self) -> Result<Sum, Fault> {
        if !self.waiting.is_empty() {
            self.put_frame()?;
        }
        let sum = Sum { count: self.count, digest: self.hash.finalize_reset().into() };
        self.put(&snapshot_end(sum.count, &sum.digest))?;
        let Self { file, path, .. } = self;
        let file = file.into_inner().map_err(|error| writing(&path, error.into_error()))?;
        file.sync_all().map_err(|error| writing(&path, error))?;
        // So that reading it back asks the disk, as far as the system can be told.
        if let Err(error) = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed) {
            tracing::debug!(%error, "a snapshot is read back from memory");
        }
        Ok(sum)
    }

    fn put_frame(&mut self) -> Result<(), Fault> {
        self.waiting_bytes = 0;
        let bytes = frame(&std::mem::take(&mut self.waiting))?;
        self.put(&bytes)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.hash.update(bytes);
        self.file.write_all(bytes).map_err(|error| writing(&self.path, error))
    }
}

fn writing(path: &Path, error: io::Error) -> Fault {
    Fault::from_error(format!("write the snapshot {}", path.display()), error)
}

/// A snapshot that is being read, pair by pair. Only when `next` has said that there is no more is it known
/// to be whole.
pub(super) struct SnapshotReader {
    file: BufReader<File>,
    path: PathBuf,
    offset: u64,
    hash: Sha256,
    count: u64,
    chain: Chain,
    frame: vec::IntoIter<Pair>,
    last_key: Option<Vec<u8>>,
    sum: Option<Sum>,
}

impl SnapshotReader {
    /// Opens a snapshot and reads its header.
    pub(super) fn open(path: &Path) -> Result<Self, Fault> {
        let file = File::open(path)
            .map_err(|error| Fault::from_error(format!("open the snapshot {}", path.display()), error))?;
        let mut reader = Self {
            file: BufReader::with_capacity(MOST_FRAME_BYTES, file),
            path: path.to_owned(),
            offset: 0,
            hash: Sha256::new(),
            count: 0,
            chain: Chain::START,
            frame: Vec::new().into_iter(),
            last_key: None,
            sum: None,
        };
        let header = reader.take(SEGMENT_HEADER_BYTES)?;
        reader.chain =
            Chain::from_snapshot_header(&header).ok_or_else(|| reader.damage(0, "its header does not fit"))?;
        reader.hash.update(&header);
        Ok(reader)
    }

    /// The position of the journal that it shows.
    pub(super) const fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The next pair; `None` when all have been read and count and digest fit.
    pub(super) fn next(&mut self) -> Result<Option<Pair>, Fault> {
        loop {
            if let Some(pair) = self.frame.next() {
                let is_next = self.last_key.as_ref().is_none_or(|last| *last < pair.0);
                if !is_next {
                    return Err(self.damage(self.offset, "its keys are not in order before here"));
                }
                self.last_key = Some(pair.0.clone());
                self.count += 1;
                return Ok(Some(pair));
            }
            if self.sum.is_some() {
                return Ok(None);
            }
            self.read_frame()?;
        }
    }

    /// Reads what is left of it, and returns what it holds.
    pub(super) fn sum(mut self) -> Result<Sum, Fault> {
        while self.next()?.is_some() {}
        self.sum.ok_or_else(|| self.damage(self.offset, "it has no end"))
    }

    fn read_frame(&mut self) -> Result<(), Fault> {
        let at = self.offset;
        let head_bytes = self.take(FRAME_HEADER_BYTES)?;
        let Some(head) = FrameHead::decode(&head_bytes) else {
            return self.read_end(at, head_bytes);
        };
        if head.body_bytes > MOST_FRAME_BYTES {
            return Err(self.damage(at, "a frame is too long"));
        }
        let body = self.take(head.body_bytes)?;
        if crc32fast::hash(&body) != head.body_crc {
            return Err(self.damage(at, "the CRC of the frame does not fit"));
        }
        let pairs: Option<Vec<Pair>> =
            records_of(&body).and_then(|records| records.into_iter().map(|(_, record)| pair_of(record)).collect());
        let pairs = pairs.filter(|pairs| pairs.len() as u64 == u64::from(head.records));
        self.frame = pairs.ok_or_else(|| self.damage(at, "its pairs do not fill the frame"))?.into_iter();
        self.hash.update(&head_bytes);
        self.hash.update(&body);
        Ok(())
    }

    fn read_end(&mut self, at: u64, mut end: Vec<u8>) -> Result<(), Fault> {
        end.extend(self.take(END_BYTES - FRAME_HEADER_BYTES)?);
        let (count, digest) = snapshot_end_says(&end).ok_or_else(|| self.damage(at, "neither a frame nor the end"))?;
        let read = Sum { count: self.count, digest: self.hash.finalize_reset().into() };
        if read != (Sum { count, digest }) {
            return Err(self.damage(at, "its count or digest does not fit"));
        }
        let more = self.file.read(&mut [0]).map_err(|error| self.reading(error))?;
        if more > 0 {
            return Err(self.damage(self.offset, "bytes follow its end"));
        }
        self.sum = Some(read);
        Ok(())
    }

    fn take(&mut self, count: usize) -> Result<Vec<u8>, Fault> {
        let mut bytes = vec![0; count];
        match self.file.read_exact(&mut bytes) {
            Ok(()) => {
                self.offset += count as u64;
                Ok(bytes)
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(self.damage(self.offset, "it is cut off"))
            }
            Err(error) => Err(self.reading(error)),
        }
    }

    fn reading(&self, error: io::Error) -> Fault {
        Fault::from_error(format!("read the snapshot {} at byte {}", self.path.display(), self.offset), error)
    }

    fn damage(&self, offset: u64, why: &str) -> Fault {
        let doing = format!("the snapshot {} is damaged at byte {offset}", self.path.display());
        Fault::from_error(doing, Unfit(why.to_owned()))
    }
}

/// What lies there can never be used, however often it is read. A fault without it may be the disk's alone.
#[derive(Debug)]
pub(super) struct Unfit(pub(super) String);

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Unfit {}

fn pair_of(record: &[u8]) -> Option<Pair> {
    let (key_bytes, rest) = record.split_first_chunk::<2>()?;
    let (key, value) = rest.split_at_checked(usize::from(u16::from_le_bytes(*key_bytes)))?;
    Some((key.to_vec(), value.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::moment::Moment;

    const GOLDEN: &str = include_str!("../../../fixtures/catalog/v1/snapshot.txt");

    fn chain() -> Chain {
        let last_moment = Some(Moment::from_millis(1_790_000_000_000));
        Chain { next_sequence: 8, next_event: 12, last_moment, hash: [0x5a; 32] }
    }

    fn write(path: &Path, pairs: &[Pair]) -> Sum {
        let mut writer = SnapshotWriter::begin(path, &chain()).unwrap();
        pairs.iter().for_each(|(key, value)| writer.add(key, value).unwrap());
        writer.finish().unwrap()
    }

    fn read(path: &Path) -> Result<Vec<Pair>, Fault> {
        let mut reader = SnapshotReader::open(path)?;
        assert_eq!(*reader.chain(), chain());
        let mut pairs = Vec::new();
        while let Some(pair) = reader.next()? {
            pairs.push(pair);
        }
        Ok(pairs)
    }

    fn few() -> Vec<Pair> {
        vec![(b"ea".to_vec(), vec![1, 2, 3]), (b"rb".to_vec(), Vec::new()), (b"rc".to_vec(), vec![9; 40])]
    }

    #[test]
    fn what_was_written_is_read_in_several_frames_and_in_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1");
        let many: Vec<Pair> = (0..5_000_u32).map(|n| (n.to_be_bytes().to_vec(), vec![7; 100])).collect();
        for pairs in [many, few(), Vec::new()] {
            let sum = write(&path, &pairs);
            assert_eq!(sum.count, pairs.len() as u64);
            assert_eq!(read(&path).unwrap(), pairs);
            assert_eq!(SnapshotReader::open(&path).unwrap().sum().unwrap(), sum);
        }
    }

    #[test]
    fn the_form_is_as_version_1_wrote_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1");
        write(&path, &few());
        let golden: Vec<&str> = GOLDEN.lines().filter(|line| !line.starts_with('#')).collect();
        let written = data_encoding::HEXLOWER.encode(&std::fs::read(&path).unwrap());
        assert_eq!(written, golden.concat());
        std::fs::write(&path, data_encoding::HEXLOWER.decode(golden.concat().as_bytes()).unwrap()).unwrap();
        assert_eq!(read(&path).unwrap(), few());
    }

    #[test]
    fn every_flipped_bit_and_every_missing_byte_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1");
        write(&path, &few());
        let whole = std::fs::read(&path).unwrap();
        let judge = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            SnapshotReader::open(&path).and_then(SnapshotReader::sum).map(drop).unwrap_err().to_string()
        };
        for at in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            *bytes.get_mut(at / 8).unwrap() ^= 1 << (at % 8);
            let fault = judge(&bytes);
            assert!(fault.contains("damaged at byte"), "bit {at}: {fault}");
        }
        for length in 0..whole.len() {
            assert!(judge(whole.get(..length).unwrap()).contains("damaged at byte"), "{length}");
        }
        assert!(judge(&[whole.as_slice(), &[0]].concat()).contains("bytes follow its end"));
    }

    #[test]
    fn keys_out_of_order_are_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1");
        let mut pairs = few();
        pairs.reverse();
        write(&path, &pairs);
        assert!(read(&path).unwrap_err().to_string().contains("not in order"));
    }
}

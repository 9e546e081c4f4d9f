//! The ZIP file of a delivery, byte by byte: what lies where follows from names, sizes and checksums alone, so that
//! any range can be made again at any time. Entries are stored, never compressed; ZIP64 where it must be.
//! Own code: libraries write one stream from its beginning; a range of one they cannot make again.

use core::ops::Range;

use super::delivery::Delivery;
use super::ids::PayloadId;
use super::record::{Key, Row};

/// CRC-32 of a file as it is fetched, by its payload: local headers hold it before the content, and streaming readers
/// (Java's `ZipInputStream`) refuse stored entries that give it afterwards (APPNOTE 4.4.4, bit 3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FileChecksum {
    /// The payload.
    pub payload: PayloadId,
    /// CRC-32 (IEEE) of the file as it is fetched: of the `.age` file when it is end to end.
    pub crc32: u32,
}

impl FileChecksum {
    /// The key of the checksum of one payload.
    #[must_use]
    pub fn key_of(payload: PayloadId) -> Key {
        Key::of(Self::KIND).bytes(payload.as_bytes())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(self.payload)
    }
}

/// Name of the ZIP file of a delivery.
#[must_use]
pub fn zip_name(delivery: &Delivery) -> String {
    format!("{}.zip", delivery.name())
}

/// The time of all entries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stamp {
    /// Date as MS-DOS has it, in the portal's time zone.
    pub date: u16,
    /// Time as MS-DOS has it, in the portal's time zone.
    pub time: u16,
    /// Seconds since 1970, for readers that know them.
    pub seconds: u32,
}

impl Stamp {
    /// A local date and time; years before 1980 and after 2107 cannot be said.
    #[must_use]
    pub fn of((year, month, day): (u16, u16, u16), (hour, minute, second): (u16, u16, u16), seconds: u64) -> Self {
        let since = year.saturating_sub(1980).min(127);
        Self {
            date: (since << 9) | ((month & 15) << 5) | (day & 31),
            time: ((hour & 31) << 11) | ((minute & 63) << 5) | ((second / 2) & 31),
            seconds: u32::try_from(seconds).unwrap_or(u32::MAX),
        }
    }
}

/// Where everything in a ZIP file lies.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ZipLayout {
    entries: Vec<Entry>,
    stamp: Stamp,
    directory: Range<u64>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Entry {
    name: String,
    size_bytes: u64,
    header_at: u64,
    content_at: u64,
    record_at: u64,
}

/// What lies at a place of a ZIP file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ZipPart {
    /// Structure of the file, from `start` on; `heads` is the entry whose content follows it.
    Structure {
        /// Where it begins.
        start: u64,
        /// All of it.
        bytes: Vec<u8>,
        /// The entry whose local header it is.
        heads: Option<usize>,
    },
    /// Content of an entry, from `start` on.
    Content {
        /// Where it begins.
        start: u64,
        /// Which entry.
        entry: usize,
        /// How long it is; never 0.
        size_bytes: u64,
    },
}

impl ZipPart {
    /// Where it lies.
    #[must_use]
    pub fn range(&self) -> Range<u64> {
        match self {
            Self::Structure { start, bytes, .. } => *start..start.saturating_add(bytes.len() as u64),
            Self::Content { start, size_bytes, .. } => *start..start.saturating_add(*size_bytes),
        }
    }
}

impl ZipLayout {
    /// Entries by name and size, in their order, all in one folder.
    #[must_use]
    pub fn new(folder: &str, files: impl IntoIterator<Item = (String, u64)>, stamp: Stamp) -> Self {
        let mut entries = Vec::new();
        let mut at: u64 = 0;
        for (name, size_bytes) in files {
            let name = format!("{folder}/{name}");
            let content_at = at + HEADER_BYTES + name.len() as u64 + local_extra_bytes(size_bytes);
            entries.push(Entry { name, size_bytes, header_at: at, content_at, record_at: 0 });
            at = content_at.saturating_add(size_bytes);
        }
        let from = at;
        for entry in &mut entries {
            entry.record_at = at;
            at += entry.record_bytes();
        }
        Self { entries, stamp, directory: from..at }
    }

    /// Size of the whole ZIP file in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.directory.end + self.end_bytes()
    }

    /// What lies at `offset`; nothing at or after the end. `checksums` are the CRC-32s of the entries.
    #[must_use]
    pub fn at(&self, offset: u64, checksums: &[u32]) -> Option<ZipPart> {
        if offset >= self.directory.end {
            return (offset < self.size_bytes()).then(|| ZipPart::Structure {
                start: self.directory.end,
                bytes: self.end(),
                heads: None,
            });
        }
        let crc32 = |index: usize| checksums.get(index).copied().unwrap_or_default();
        if offset >= self.directory.start {
            let index = self.entries.partition_point(|entry| entry.record_at <= offset).checked_sub(1)?;
            let entry = self.entries.get(index)?;
            let bytes = entry.record(crc32(index), self.stamp);
            return Some(ZipPart::Structure { start: entry.record_at, bytes, heads: None });
        }
        let index = self.entries.partition_point(|entry| entry.header_at <= offset).checked_sub(1)?;
        let entry = self.entries.get(index)?;
        Some(if offset < entry.content_at {
            let bytes = entry.header(crc32(index), self.stamp);
            ZipPart::Structure { start: entry.header_at, bytes, heads: Some(index) }
        } else {
            ZipPart::Content { start: entry.content_at, entry: index, size_bytes: entry.size_bytes }
        })
    }

    fn is_end_large(&self) -> bool {
        self.entries.len() >= usize::from(u16::MAX)
            || is_large(self.directory.start)
            || is_large(self.directory.end - self.directory.start)
    }

    fn end_bytes(&self) -> u64 {
        if self.is_end_large() { LARGE_END_BYTES + LOCATOR_BYTES + END_BYTES } else { END_BYTES }
    }

    /// APPNOTE 4.3.14 to 4.3.16.
    fn end(&self) -> Vec<u8> {
        let (count, start) = (self.entries.len() as u64, self.directory.start);
        let length = self.directory.end - start;
        let mut bytes = Bytes::default();
        if self.is_end_large() {
            bytes.four(0x0606_4b50).eight(LARGE_END_BYTES - 12).two(MADE_BY).two(NEEDS_LARGE).four(0).four(0);
            bytes.eight(count).eight(count).eight(length).eight(start);
            bytes.four(0x0706_4b50).four(0).eight(self.directory.end).four(1);
        }
        let count = u16::try_from(count).unwrap_or(u16::MAX);
        bytes.four(0x0605_4b50).two(0).two(0).two(count).two(count);
        bytes.four(in_four(length)).four(in_four(start)).two(0);
        bytes.0
    }
}

impl Entry {
    /// The local header (APPNOTE 4.3.7), with sizes and checksum: nothing is left for a data descriptor.
    fn header(&self, crc32: u32, stamp: Stamp) -> Vec<u8> {
        let size = in_four(self.size_bytes);
        let mut bytes = Bytes::default();
        bytes.four(0x0403_4b50).two(self.needs(0)).two(NAMES_IN_UTF8).two(STORED).two(stamp.time).two(stamp.date);
        bytes.four(crc32).four(size).four(size).length(self.name.len()).sum(local_extra_bytes(self.size_bytes));
        bytes.0.extend_from_slice(self.name.as_bytes());
        if is_large(self.size_bytes) {
            bytes.two(LARGE).two(16).eight(self.size_bytes).eight(self.size_bytes);
        }
        bytes.time(stamp);
        bytes.0
    }

    /// Its record in the central directory (APPNOTE 4.3.12).
    fn record(&self, crc32: u32, stamp: Stamp) -> Vec<u8> {
        let size = in_four(self.size_bytes);
        let mut bytes = Bytes::default();
        bytes.four(0x0201_4b50).two(MADE_BY).two(self.needs(self.header_at)).two(NAMES_IN_UTF8).two(STORED);
        bytes.two(stamp.time).two(stamp.date).four(crc32).four(size).four(size);
        bytes.length(self.name.len()).sum(self.record_extra_bytes()).two(0).two(0).two(0);
        bytes.four(REGULAR_FILE).four(in_four(self.header_at));
        bytes.0.extend_from_slice(self.name.as_bytes());
        let large = 16 * u16::from(is_large(self.size_bytes)) + 8 * u16::from(is_large(self.header_at));
        if large > 0 {
            bytes.two(LARGE).two(large);
        }
        if is_large(self.size_bytes) {
            bytes.eight(self.size_bytes).eight(self.size_bytes);
        }
        if is_large(self.header_at) {
            bytes.eight(self.header_at);
        }
        bytes.time(stamp);
        bytes.0
    }

    const fn needs(&self, offset: u64) -> u16 {
        if is_large(self.size_bytes) || is_large(offset) { NEEDS_LARGE } else { NEEDS }
    }

    const fn record_extra_bytes(&self) -> u64 {
        let (size, offset) = (is_large(self.size_bytes), is_large(self.header_at));
        TIME_BYTES + if size || offset { 4 } else { 0 } + if size { 16 } else { 0 } + if offset { 8 } else { 0 }
    }

    const fn record_bytes(&self) -> u64 {
        RECORD_BYTES + self.name.len() as u64 + self.record_extra_bytes()
    }
}

/// Fixed lengths of APPNOTE 4.3.7, 4.3.12, 4.3.14, 4.3.15 and 4.3.16.
const HEADER_BYTES: u64 = 30;
const RECORD_BYTES: u64 = 46;
const LARGE_END_BYTES: u64 = 56;
const LOCATOR_BYTES: u64 = 20;
const END_BYTES: u64 = 22;
/// The extra field with seconds since 1970 (`UT`).
const TIME_BYTES: u64 = 9;
/// The extra field of ZIP64.
const LARGE: u16 = 1;
/// Unix, version 4.5.
const MADE_BY: u16 = (3 << 8) | 45;
/// Version 2.0 is asked for folders in names, 4.5 for ZIP64.
const NEEDS: u16 = 20;
const NEEDS_LARGE: u16 = 45;
const NAMES_IN_UTF8: u16 = 1 << 11;
const STORED: u16 = 0;
/// `-rw-r--r--`, as Unix has it.
const REGULAR_FILE: u32 = 0o100_644 << 16;

/// Whether a number says that ZIP64 holds it: all ones mean that too.
const fn is_large(number: u64) -> bool {
    number >= 0xffff_ffff
}

fn in_four(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

const fn local_extra_bytes(size_bytes: u64) -> u64 {
    TIME_BYTES + if is_large(size_bytes) { 20 } else { 0 }
}

/// Numbers as ZIP files have them: the lowest byte first.
#[derive(Default)]
struct Bytes(Vec<u8>);

impl Bytes {
    fn two(&mut self, number: u16) -> &mut Self {
        self.0.extend_from_slice(&number.to_le_bytes());
        self
    }

    fn four(&mut self, number: u32) -> &mut Self {
        self.0.extend_from_slice(&number.to_le_bytes());
        self
    }

    fn eight(&mut self, number: u64) -> &mut Self {
        self.0.extend_from_slice(&number.to_le_bytes());
        self
    }

    /// A length in two bytes; names of files and deliveries have at most 250 together.
    fn length(&mut self, length: usize) -> &mut Self {
        self.two(u16::try_from(length).unwrap_or(u16::MAX))
    }

    fn sum(&mut self, length: u64) -> &mut Self {
        self.two(u16::try_from(length).unwrap_or(u16::MAX))
    }

    fn time(&mut self, stamp: Stamp) -> &mut Self {
        self.two(0x5455).two(5);
        self.0.push(1);
        self.four(stamp.seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp() -> Stamp {
        Stamp::of((2026, 11, 29), (14, 5, 7), 1_795_957_507)
    }

    fn layout(files: &[(&str, u64)]) -> ZipLayout {
        ZipLayout::new("wages_20261129_000001", files.iter().map(|(name, size)| ((*name).to_owned(), *size)), stamp())
    }

    /// The structure alone, in order, and where content lies.
    fn walk(layout: &ZipLayout) -> Vec<ZipPart> {
        let (mut at, mut parts) = (0, Vec::new());
        while let Some(part) = layout.at(at, &[]) {
            assert_eq!(part.range().start, at, "parts follow each other: {part:?}");
            assert!(part.range().end > at, "{part:?}");
            at = part.range().end;
            parts.push(part);
        }
        assert_eq!(at, layout.size_bytes());
        parts
    }

    fn four(bytes: &[u8], at: usize) -> u32 {
        u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
    }

    fn eight(bytes: &[u8], at: usize) -> u64 {
        u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
    }

    #[test]
    fn parts_follow_each_other_and_every_byte_belongs_to_the_part_that_covers_it() {
        let layout = layout(&[("a.csv", 10), ("leeg.txt", 0), ("één-bestand.csv", 3)]);
        for part in walk(&layout) {
            for at in part.range() {
                assert_eq!(layout.at(at, &[]).as_ref(), Some(&part), "{at}");
            }
        }
        assert_eq!(layout.at(layout.size_bytes(), &[]), None);
        assert_eq!(layout.at(u64::MAX, &[]), None);
    }

    #[test]
    fn headers_and_records_hold_checksum_size_and_place() {
        let layout = layout(&[("a.csv", 10), ("b.csv", 20)]);
        let sums = [0xdead_beef, 0x0bad_cafe];
        let Some(ZipPart::Structure { start, bytes, heads }) = layout.at(layout.entries[1].header_at, &sums) else {
            panic!("a header")
        };
        assert_eq!(
            (four(&bytes, 0), four(&bytes, 14), four(&bytes, 18), four(&bytes, 22)),
            (0x0403_4b50, sums[1], 20, 20)
        );
        assert_eq!(heads, Some(1));
        let Some(ZipPart::Structure { bytes, .. }) = layout.at(layout.entries[1].record_at, &sums) else {
            panic!("a record")
        };
        assert_eq!((four(&bytes, 16), u64::from(four(&bytes, 42))), (sums[1], start));
        // no bit says that a descriptor follows
        assert_eq!(bytes[8] & 8, 0);
    }

    #[test]
    fn a_file_of_four_gibibytes_and_all_that_lies_behind_it_are_told_in_64_bits() {
        let below = layout(&[("a", 0xffff_fffe), ("b", 1)]);
        let parts = walk(&below);
        let ZipPart::Structure { bytes, .. } = &parts[0] else { panic!("a header") };
        assert_eq!((four(bytes, 18), bytes[4]), (0xffff_fffe, 20));

        for size in [0xffff_ffff, 0x1_0000_0000, 50 << 40] {
            let large = layout(&[("a", size), ("b", 1)]);
            let parts = walk(&large);
            let ZipPart::Structure { bytes, .. } = &parts[0] else { panic!("a header") };
            let extra = bytes.len() - 29;
            assert_eq!((bytes[4], four(bytes, 18), four(bytes, 22)), (45, u32::MAX, u32::MAX));
            assert_eq!(
                (four(bytes, extra), eight(bytes, extra + 4), eight(bytes, extra + 12)),
                (16 << 16 | 1, size, size)
            );
            let ZipPart::Structure { bytes, .. } = &parts[5] else { panic!("the record of b") };
            let extra = bytes.len() - 9 - 12;
            assert_eq!((four(bytes, 20), four(bytes, 42)), (1, u32::MAX), "small, but far away");
            assert_eq!((four(bytes, extra), eight(bytes, extra + 4)), (8 << 16 | 1, large.entries[1].header_at));
            let ZipPart::Structure { bytes, .. } = &parts[6] else { panic!("the end") };
            assert_eq!(bytes.len(), 98);
            assert_eq!((eight(bytes, 24), eight(bytes, 48)), (2, large.directory.start));
            assert_eq!((four(bytes, 56), eight(bytes, 64)), (0x0706_4b50, large.directory.end));
            assert_eq!((four(bytes, 76), four(bytes, 92)), (0x0605_4b50, u32::MAX));
        }
    }

    #[test]
    fn so_many_entries_that_16_bits_do_not_count_them() {
        let many = |count: u32| ZipLayout::new("d", (0..count).map(|number| (number.to_string(), 0)), stamp());
        assert_eq!(many(65_534).end().len(), 22);
        let large = many(65_535);
        assert_eq!(large.end().len(), 98);
        assert_eq!(eight(&large.end(), 24), 65_535);
    }

    #[test]
    fn times_are_what_ms_dos_can_say() {
        let stamp = stamp();
        assert_eq!((stamp.date >> 9, (stamp.date >> 5) & 15, stamp.date & 31), (46, 11, 29));
        assert_eq!((stamp.time >> 11, (stamp.time >> 5) & 63, stamp.time & 31), (14, 5, 3));
        assert_eq!(Stamp::of((1970, 1, 1), (0, 0, 0), 0).date >> 9, 0);
    }
}

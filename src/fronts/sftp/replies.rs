//! Answers of SFTP version 3 as bytes, and the one mapping from a shelf's
//! error to a status code. Knows nothing of requests or SSH.

use bytes::{BufMut, Bytes, BytesMut};

use super::shelf::{Attributes, Entry, ShelfError, ShelfErrorKind};
use super::wire::{MAX_DATA_BYTES, MAX_PACKET_BYTES, kind};

/// `SSH_FX_OK`.
pub const OK: u32 = 0;
/// `SSH_FX_EOF`.
pub const EOF: u32 = 1;
/// Most bytes of names in one NAME answer: well below the packet limit.
pub const NAMES_BUDGET_BYTES: usize = 128 * 1024;

const DIRECTORY: u32 = 0o040_000;
const REGULAR: u32 = 0o100_000;

/// The extensions announced in VERSION, each in its version 1.
const EXTENSIONS: [&str; 7] = [
    "posix-rename@openssh.com",
    "fsync@openssh.com",
    "lsetstat@openssh.com",
    "limits@openssh.com",
    "expand-path@openssh.com",
    "home-directory",
    "users-groups-by-id@openssh.com",
];

/// The status code of a shelf's error (draft §7).
pub fn code(kind: ShelfErrorKind) -> u32 {
    match kind {
        ShelfErrorKind::NoSuchFile => 2,
        ShelfErrorKind::PermissionDenied => 3,
        ShelfErrorKind::Failure => 4,
        ShelfErrorKind::BadMessage => 5,
        ShelfErrorKind::ConnectionLost => 7,
        ShelfErrorKind::Unsupported => 8,
    }
}

/// VERSION 3 with the extensions that are served.
pub fn version() -> Bytes {
    let mut packet = open(kind::VERSION, 3, 512);
    for name in EXTENSIONS {
        string(&mut packet, name.as_bytes());
        string(&mut packet, b"1");
    }
    seal(packet)
}

/// STATUS with a sentence for the user.
pub fn status(id: u32, code: u32, message: &str) -> Bytes {
    let mut packet = open(kind::STATUS, id, 32 + message.len());
    packet.put_u32(code);
    string(&mut packet, message.as_bytes());
    string(&mut packet, b"en");
    seal(packet)
}

/// STATUS of a refused or failed request.
pub fn refused(id: u32, error: &ShelfError) -> Bytes {
    status(id, code(error.kind), &error.message)
}

/// STATUS `SSH_FX_OK`.
pub fn done(id: u32) -> Bytes {
    status(id, OK, "")
}

/// HANDLE.
pub fn handle(id: u32, handle: &[u8]) -> Bytes {
    let mut packet = open(kind::HANDLE, id, 32);
    string(&mut packet, handle);
    seal(packet)
}

/// The head of DATA: the payload of `length` bytes follows it as it is, uncopied.
pub fn data_head(id: u32, length: usize) -> Bytes {
    let mut packet = open(kind::DATA, id, 32);
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    packet.put_u32(length);
    let whole = (packet.len() as u32 - 4).saturating_add(length);
    if let Some(field) = packet.first_chunk_mut::<4>() {
        *field = whole.to_be_bytes();
    }
    packet.freeze()
}

/// ATTRS.
pub fn attributes(id: u32, shown: &Attributes) -> Bytes {
    let mut packet = open(kind::ATTRS, id, 64);
    put_attributes(&mut packet, shown);
    seal(packet)
}

/// NAME with one path and no attributes, as REALPATH is answered.
pub fn path(id: u32, path: &str) -> Bytes {
    let mut packet = open(kind::NAME, id, 64 + 2 * path.len());
    packet.put_u32(1);
    string(&mut packet, path.as_bytes());
    string(&mut packet, path.as_bytes());
    packet.put_u32(0);
    seal(packet)
}

/// NAME with a page of a folder: takes entries from the front of `entries` while
/// they fit, and leaves the rest.
pub fn names(id: u32, entries: &mut std::collections::VecDeque<Entry>) -> Bytes {
    let mut packet = open(kind::NAME, id, 16 * 1024);
    packet.put_u32(0);
    let mut count = 0_u32;
    while packet.len() < NAMES_BUDGET_BYTES {
        let Some(entry) = entries.pop_front() else { break };
        string(&mut packet, entry.name.as_bytes());
        string(&mut packet, long_name(&entry).as_bytes());
        put_attributes(&mut packet, &entry.attributes);
        count += 1;
    }
    if let Some(field) = packet.get_mut(9..13) {
        field.copy_from_slice(&count.to_be_bytes());
    }
    seal(packet)
}

/// EXTENDED_REPLY of `limits@openssh.com`.
pub fn limits(id: u32, max_handles: usize) -> Bytes {
    let mut packet = open(kind::EXTENDED_REPLY, id, 64);
    packet.put_u64(MAX_PACKET_BYTES as u64);
    packet.put_u64(MAX_DATA_BYTES as u64);
    packet.put_u64(MAX_DATA_BYTES as u64);
    packet.put_u64(max_handles as u64);
    seal(packet)
}

/// EXTENDED_REPLY of `users-groups-by-id@openssh.com`: as many empty names as were
/// asked, since ids have no names here.
pub fn no_names(id: u32, users: usize, groups: usize) -> Bytes {
    let mut packet = open(kind::EXTENDED_REPLY, id, 16 + 4 * (users + groups));
    for count in [users, groups] {
        packet.put_u32((count * 4) as u32);
        packet.put_bytes(0, count * 4);
    }
    seal(packet)
}

/// The line `ls -l` would show, in UTC and with the year.
pub fn long_name(entry: &Entry) -> String {
    let shown = &entry.attributes;
    let mut mode = String::with_capacity(10);
    mode.push(if shown.is_folder { 'd' } else { '-' });
    for shift in [6_u32, 3, 0] {
        for (bit, letter) in [(4_u32, 'r'), (2, 'w'), (1, 'x')] {
            mode.push(if (shown.permissions >> shift) & bit != 0 { letter } else { '-' });
        }
    }
    let (year, month, day) = civil(shown.mtime_seconds / 86_400);
    let month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        .get(month as usize - 1)
        .copied()
        .unwrap_or("Jan");
    format!(
        "{mode}    1 {:<8} {:<8} {:>12} {month} {day:>2}  {year} {}",
        shown.uid, shown.gid, shown.size_bytes, entry.name
    )
}

/// Year, month 1–12 and day of a day number since 1970-01-01 (Hinnant's `civil_from_days`).
fn civil(days: u32) -> (u32, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let slot = (5 * of_year + 2) / 153;
    let day = of_year - (153 * slot + 2) / 5 + 1;
    let month = if slot < 10 { slot + 3 } else { slot - 9 };
    (year_of_era + era * 400 + u32::from(month <= 2), month, day)
}

fn put_attributes(packet: &mut BytesMut, shown: &Attributes) {
    const SIZE_OWNER_PERMISSIONS_TIMES: u32 = 1 | 2 | 4 | 8;
    packet.put_u32(SIZE_OWNER_PERMISSIONS_TIMES);
    packet.put_u64(shown.size_bytes);
    packet.put_u32(shown.uid);
    packet.put_u32(shown.gid);
    packet.put_u32((shown.permissions & 0o7777) | if shown.is_folder { DIRECTORY } else { REGULAR });
    packet.put_u32(shown.atime_seconds);
    packet.put_u32(shown.mtime_seconds);
}

fn open(kind: u8, number: u32, room: usize) -> BytesMut {
    let mut packet = BytesMut::with_capacity(room);
    packet.put_u32(0);
    packet.put_u8(kind);
    packet.put_u32(number);
    packet
}

fn string(packet: &mut BytesMut, text: &[u8]) {
    packet.put_u32(text.len() as u32);
    packet.put_slice(text);
}

fn seal(mut packet: BytesMut) -> Bytes {
    let length = packet.len() as u32 - 4;
    if let Some(field) = packet.first_chunk_mut::<4>() {
        *field = length.to_be_bytes();
    }
    packet.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_reads_as_ls_writes_it() {
        let entry = Entry {
            name: "a.txt".to_owned(),
            attributes: Attributes {
                is_folder: false,
                size_bytes: 1234,
                permissions: 0o440,
                uid: 10,
                gid: 20,
                atime_seconds: 0,
                mtime_seconds: 1_709_164_800, // 2024-02-29
            },
        };
        assert_eq!(long_name(&entry), "-r--r-----    1 10       20               1234 Feb 29  2024 a.txt");
    }

    #[test]
    fn days_become_dates() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(11_016), (2000, 2, 29));
        assert_eq!(civil(20_453), (2025, 12, 31));
    }

    #[test]
    fn the_head_of_data_counts_the_payload() {
        assert_eq!(&data_head(5, 3)[..], &[0, 0, 0, 12, 103, 0, 0, 0, 5, 0, 0, 0, 3]);
    }
}

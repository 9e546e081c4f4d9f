//! Answers of SFTP version 3 as bytes, and the one mapping from a shelf's
//! error to a status code. Knows nothing of requests or SSH.

use std::collections::VecDeque;

use bytes::{BufMut, Bytes, BytesMut};

use super::digests::{self, Checked};
use super::request_names::Extension;
use super::shelf::{Attributes, Entry, FileKind, ShelfError, ShelfErrorKind, Volume};
use super::wire::{MAX_DATA_BYTES, MAX_PACKET_BYTES, kind};

/// `SSH_FX_OK`.
pub const OK: u32 = 0;
/// `SSH_FX_EOF`.
pub const EOF: u32 = 1;
/// Most bytes of names in one NAME answer: well below the packet limit.
pub const NAMES_BUDGET_BYTES: usize = 128 * 1024;

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
pub fn version(served: &[&Extension]) -> Bytes {
    let mut packet = open(kind::VERSION, 3, 512);
    for extension in served {
        string(&mut packet, extension.name.as_bytes());
        string(&mut packet, extension.version.as_bytes());
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
    status(id, OK, "Success")
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

/// DATA, head and bytes in one piece.
pub fn data(id: u32, bytes: &[u8]) -> Bytes {
    let head = data_head(id, bytes.len());
    let mut packet = BytesMut::with_capacity(head.len() + bytes.len());
    packet.extend_from_slice(&head);
    packet.extend_from_slice(bytes);
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
pub fn names(id: u32, entries: &mut VecDeque<Entry>, long_name: impl Fn(&Entry) -> String) -> Bytes {
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

/// EXTENDED_REPLY of `users-groups-by-id@openssh.com`: as many names as were asked,
/// empty ones for ids that have none.
pub fn id_names(id: u32, users: &[String], groups: &[String]) -> Bytes {
    let length = |names: &[String]| names.iter().map(|name| 4 + name.len()).sum::<usize>();
    let mut packet = open(kind::EXTENDED_REPLY, id, 32 + length(users) + length(groups));
    for names in [users, groups] {
        packet.put_u32(length(names) as u32);
        for name in names {
            string(&mut packet, name.as_bytes());
        }
    }
    seal(packet)
}

/// EXTENDED_REPLY of `check-file`, `check-file-handle` and `check-file-name`: the digests run to its end.
pub fn digests(id: u32, checked: &Checked) -> Bytes {
    let mut packet = open(kind::EXTENDED_REPLY, id, 64 + checked.digests.len());
    if checked.is_named {
        string(&mut packet, b"check-file");
    }
    string(&mut packet, digests::ALGORITHM.as_bytes());
    packet.put_slice(&checked.digests);
    seal(packet)
}

/// EXTENDED_REPLY of `statvfs@openssh.com` and `fstatvfs@openssh.com`.
pub fn volume(id: u32, shown: &Volume) -> Bytes {
    const READ_ONLY: u64 = 1;
    const NO_SETUID: u64 = 2;
    let flags = (u64::from(shown.is_read_only) * READ_ONLY) | (u64::from(shown.ignores_setuid) * NO_SETUID);
    let mut packet = open(kind::EXTENDED_REPLY, id, 128);
    for number in [
        shown.block_bytes,
        shown.fragment_bytes,
        shown.blocks,
        shown.free_blocks,
        shown.available_blocks,
        shown.files,
        shown.free_files,
        shown.available_files,
        shown.id,
        flags,
        shown.longest_name_bytes,
    ] {
        packet.put_u64(number);
    }
    seal(packet)
}

/// The bits that tell in `permissions` what a name stands for (`S_IFMT` of stat(2)).
const fn kind_bits(kind: FileKind) -> u32 {
    match kind {
        FileKind::Pipe => 0o010_000,
        FileKind::CharacterDevice => 0o020_000,
        FileKind::Folder => 0o040_000,
        FileKind::BlockDevice => 0o060_000,
        FileKind::File => 0o100_000,
        FileKind::Link => 0o120_000,
        FileKind::Socket => 0o140_000,
    }
}

fn put_attributes(packet: &mut BytesMut, shown: &Attributes) {
    const SIZE_OWNER_PERMISSIONS_TIMES: u32 = 1 | 2 | 4 | 8;
    packet.put_u32(SIZE_OWNER_PERMISSIONS_TIMES);
    packet.put_u64(shown.size_bytes);
    packet.put_u32(shown.uid);
    packet.put_u32(shown.gid);
    packet.put_u32((shown.permissions & 0o7777) | kind_bits(shown.kind));
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
    fn the_head_of_data_counts_the_payload() {
        assert_eq!(&data_head(5, 3)[..], &[0, 0, 0, 12, 103, 0, 0, 0, 5, 0, 0, 0, 3]);
    }
}

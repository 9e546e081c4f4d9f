//! Whether a file is an archive or compressed, by its first bytes. None is ever unpacked.

use std::io::Read;

use super::fill;
use super::findings::Findings;
use crate::ports::failure::Fault;

/// Where tar writes its mark, after the name and facts of its first member.
const TAR_MARK_AT: usize = 257;

/// So much of the beginning is looked at.
const HEAD_BYTES: usize = TAR_MARK_AT + 5;

/// How kinds begin: zip (and what is made of it), gzip, compress, bzip2, xz, 7z, rar, zstd, lz4, cab, arj.
const MARKS: [&[u8]; 13] = [
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"PK\x07\x08",
    b"\x1F\x8B",
    b"\x1F\x9D",
    b"BZh",
    b"\xFD7zXZ\0",
    b"7z\xBC\xAF\x27\x1C",
    b"Rar!\x1A\x07",
    b"\x28\xB5\x2F\xFD",
    b"\x04\x22\x4D\x18",
    b"MSCF",
    b"\x60\xEA",
];

/// Refuses an archive.
pub(super) fn judge(bytes: &mut dyn Read, findings: &mut Findings) -> Result<(), Fault> {
    let (mut head, mut held) = ([0; HEAD_BYTES], 0);
    while held < HEAD_BYTES {
        let more = fill(bytes, head.get_mut(held..).unwrap_or_default())?.len();
        if more == 0 {
            break;
        }
        held += more;
    }
    let head = head.get(..held).unwrap_or_default();
    let is_tar = head.get(TAR_MARK_AT..) == Some(b"ustar");
    if is_tar || MARKS.iter().any(|mark| head.starts_with(mark)) {
        findings.of_file("archive");
    }
    Ok(())
}

//! `check-file` of draft-ietf-secsh-filexfer-extensions-00 §3: digests of parts of a file,
//! bounded in bytes read and in bytes answered. Knows nothing of what is on record of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::jobs::Done;
use super::shelf::{OpenedFile, ShelfError, ShelfErrorKind, error};
use super::wire::{Fields, MAX_DATA_BYTES, MAX_PACKET_BYTES};

/// The one algorithm: of those the draft names, MD5 and SHA-1 are broken, and the recorded digests are SHA-256.
pub const ALGORITHM: &str = "sha256";
/// Bytes of one digest.
pub const DIGEST_BYTES: usize = 32;
/// Smallest block that a digest may be asked of (§3).
const LEAST_BLOCK_BYTES: u64 = 256;
/// Most digests of one answer: the packet less its head and names.
const MOST_DIGESTS: u64 = ((MAX_PACKET_BYTES - 64) / DIGEST_BYTES) as u64;

/// Bound of one conversation, and its end.
#[derive(Clone, Debug)]
pub struct CheckBounds {
    /// Most bytes hashed for one request.
    pub most_bytes: u64,
    /// Set when nobody waits for an answer any more.
    pub ended: Arc<AtomicBool>,
}

/// What a `check-file` request asks.
#[derive(Debug)]
pub struct CheckOrder {
    algorithms: Bytes,
    start: u64,
    /// How much; 0 for all to the end.
    length: u64,
    /// Bytes per digest; 0 for one digest over all.
    block: u64,
    /// Whether the answer begins with `check-file`, which the draft does not say and paramiko expects.
    is_named: bool,
    bounds: CheckBounds,
}

/// Digests one after the other.
#[derive(Debug)]
pub struct Checked {
    /// Whether the answer begins with `check-file`.
    pub is_named: bool,
    /// The digests.
    pub digests: Vec<u8>,
}

/// Takes the fields behind the handle or the name; `None` when they run out.
pub fn order(body: &mut Fields, is_named: bool, bounds: &CheckBounds) -> Option<CheckOrder> {
    let algorithms = body.string()?;
    let (start, length, block) = (body.wide()?, body.wide()?, u64::from(body.number()?));
    Some(CheckOrder { algorithms, start, length, block, is_named, bounds: bounds.clone() })
}

/// Digests of an open file; reads nothing when the digest of the whole is known.
///
/// # Errors
/// What cannot be answered within the bounds, no known algorithm, and errors of the file.
pub fn check(order: &CheckOrder, file: &dyn OpenedFile) -> Result<Done, ShelfError> {
    if !order.algorithms.split(|byte| *byte == b',').any(|name| name == ALGORITHM.as_bytes()) {
        return Err(error(ShelfErrorKind::Unsupported, "of the hash algorithms only sha256 is served here"));
    }
    if order.block > 0 && order.block < LEAST_BLOCK_BYTES {
        return Err(error(ShelfErrorKind::BadMessage, "a block must have 256 bytes at least, or 0 for one digest"));
    }
    let size = file.attributes()?.size_bytes;
    if order.start > size {
        return Ok(Done::Eof);
    }
    let end = if order.length == 0 { size } else { order.start.saturating_add(order.length).min(size) };
    let range = end - order.start;
    let is_one = order.block == 0 || (order.block >= range && range > 0);
    if is_one
        && range == size
        && let Some(known) = file.sha256()?
    {
        return Ok(Done::Digests(Checked { is_named: order.is_named, digests: known.to_vec() }));
    }
    if !is_one && range.div_ceil(order.block) > MOST_DIGESTS {
        let text = format!("more than {MOST_DIGESTS} digests do not fit in one answer: ask for larger blocks");
        return Err(error(ShelfErrorKind::Failure, &text));
    }
    if range > order.bounds.most_bytes {
        let most = order.bounds.most_bytes;
        let text = format!("at most {most} bytes are read for one check-file: ask for shorter parts");
        return Err(error(ShelfErrorKind::Failure, &text));
    }
    let digests = hash(order, file, end, if is_one { u64::MAX } else { order.block })?;
    Ok(Done::Digests(Checked { is_named: order.is_named, digests }))
}

fn hash(order: &CheckOrder, file: &dyn OpenedFile, end: u64, block: u64) -> Result<Vec<u8>, ShelfError> {
    let mut digests = Vec::new();
    let (mut hash, mut at, mut left) = (Sha256::new(), order.start, block);
    while at < end {
        if order.bounds.ended.load(Ordering::Acquire) {
            return Err(error(ShelfErrorKind::ConnectionLost, "the session has ended"));
        }
        let piece = (end - at).min(left).min(MAX_DATA_BYTES as u64);
        let bytes = file.read_for_digest(at, piece as usize)?;
        if bytes.is_empty() {
            // the file became shorter meanwhile
            break;
        }
        hash.update(&bytes);
        at += bytes.len() as u64;
        left = left.saturating_sub(bytes.len() as u64);
        if left == 0 {
            digests.extend_from_slice(&hash.finalize_reset());
            left = block;
        }
    }
    if block == u64::MAX || left < block {
        digests.extend_from_slice(&hash.finalize());
    }
    Ok(digests)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fronts::sftp::shelf::{Attributes, FileKind};
    use bytes::{BufMut, BytesMut};

    /// A file of so many bytes; `known` when its digest is on record, and reading it would then be wrong.
    struct Plain {
        bytes: Vec<u8>,
        known: Option<[u8; 32]>,
    }

    impl OpenedFile for Plain {
        fn attributes(&self) -> Result<Attributes, ShelfError> {
            Ok(Attributes {
                kind: FileKind::File,
                links: 1,
                size_bytes: self.bytes.len() as u64,
                permissions: 0,
                uid: 0,
                gid: 0,
                atime_seconds: 0,
                mtime_seconds: 0,
            })
        }

        fn read(&self, offset: u64, length: usize) -> Result<Bytes, ShelfError> {
            assert!(self.known.is_none(), "what is known is not read");
            let rest = self.bytes.get(offset as usize..).unwrap_or_default();
            Ok(Bytes::copy_from_slice(&rest[..length.min(rest.len())]))
        }

        fn sha256(&self) -> Result<Option<[u8; 32]>, ShelfError> {
            Ok(self.known)
        }

        fn close(&self) -> Result<(), ShelfError> {
            Ok(())
        }

        fn abandon(&self) {}
    }

    fn plain(length: usize) -> Plain {
        Plain { bytes: (0..length).map(|at| (at % 251) as u8).collect(), known: None }
    }

    fn asked(algorithms: &'static str, start: u64, length: u64, block: u32, most_bytes: u64) -> CheckOrder {
        let mut body = BytesMut::new();
        body.put_u32(algorithms.len() as u32);
        body.put_slice(algorithms.as_bytes());
        body.put_u64(start);
        body.put_u64(length);
        body.put_u32(block);
        let bounds = CheckBounds { most_bytes, ended: Arc::default() };
        order(&mut Fields(body.freeze()), false, &bounds).unwrap()
    }

    fn digests(order: &CheckOrder, file: &Plain) -> Vec<Vec<u8>> {
        match check(order, file) {
            Ok(Done::Digests(checked)) => checked.digests.chunks(DIGEST_BYTES).map(<[u8]>::to_vec).collect(),
            Ok(Done::Eof) => panic!("the end of the file"),
            Ok(_) => panic!("another outcome"),
            Err(refusal) => panic!("{refusal:?}"),
        }
    }

    fn refusal(order: &CheckOrder, file: &Plain) -> ShelfErrorKind {
        check(order, file).err().unwrap().kind
    }

    #[test]
    fn each_block_has_the_digest_of_its_bytes() {
        let file = plain(700_001);
        for (start, length, block) in [(0, 0, 256), (3, 0, 300_000), (699_000, 5, 256), (1, 1_024, 512), (0, 1, 0)] {
            let end = if length == 0 { file.bytes.len() } else { start + length };
            let range = &file.bytes[start..end];
            let size = if block == 0 { range.len() } else { block };
            let expected: Vec<_> = range.chunks(size).map(|block| Sha256::digest(block).to_vec()).collect();
            let order = asked("md5,sha256", start as u64, length as u64, block as u32, u64::MAX);
            assert_eq!(digests(&order, &file), expected, "{start} {length} {block}");
        }
    }

    #[test]
    fn the_digest_on_record_is_answered_for_the_whole_alone() {
        let file = Plain { known: Some([9; 32]), ..plain(1_000) };
        for (length, block) in [(0, 0), (1_000, 0), (u64::MAX, 0), (0, 1_000), (0, u32::MAX)] {
            assert_eq!(digests(&asked("sha256", 0, length, block, 1), &file), [[9; 32]], "{length} {block}");
        }
        assert_eq!(refusal(&asked("sha256", 1, 0, 0, 1), &file), ShelfErrorKind::Failure, "a part must be read");
    }

    #[test]
    fn nothing_and_what_lies_behind_the_end() {
        let nothing = Sha256::digest([]).to_vec();
        assert_eq!(digests(&asked("sha256", 0, 0, 0, 0), &plain(0)), std::slice::from_ref(&nothing));
        assert_eq!(digests(&asked("sha256", 10, u64::MAX, 0, 0), &plain(10)), [nothing]);
        assert_eq!(digests(&asked("sha256", 10, 0, 256, 0), &plain(10)), Vec::<Vec<u8>>::new());
        assert!(matches!(check(&asked("sha256", 11, 0, 0, 99), &plain(10)), Ok(Done::Eof)));
        assert!(matches!(check(&asked("sha256", u64::MAX, u64::MAX, 256, 99), &plain(10)), Ok(Done::Eof)));
    }

    #[test]
    fn what_is_too_much_or_unknown_is_refused_before_anything_is_read() {
        let file = plain(5_000_000);
        assert_eq!(refusal(&asked("md5,sha1,SHA256", 0, 0, 0, 9), &file), ShelfErrorKind::Unsupported);
        for block in [1, 255] {
            assert_eq!(refusal(&asked("sha256", 0, 0, block, u64::MAX), &file), ShelfErrorKind::BadMessage);
        }
        assert_eq!(refusal(&asked("sha256", 0, 0, 256, u64::MAX), &file), ShelfErrorKind::Failure);
        assert_eq!(refusal(&asked("sha256", 0, u64::MAX, 0, 4_999_999), &file), ShelfErrorKind::Failure);
        let most = asked("sha256", 0, MOST_DIGESTS * 256, 256, u64::MAX);
        let answer = 64 + 32 * digests(&most, &file).len();
        assert!(answer <= MAX_PACKET_BYTES && answer + 32 > MAX_PACKET_BYTES, "{answer}");
    }

    #[test]
    fn the_end_of_the_session_ends_it() {
        let order = asked("sha256", 0, 0, 0, u64::MAX);
        order.bounds.ended.store(true, Ordering::Release);
        assert_eq!(refusal(&order, &plain(1_000)), ShelfErrorKind::ConnectionLost);
    }

    #[test]
    fn an_order_that_is_cut_short_is_malformed() {
        let bounds = CheckBounds { most_bytes: 1, ended: Arc::default() };
        assert!(order(&mut Fields(Bytes::from_static(b"\0\0\0\x06sha256\0\0\0\0")), true, &bounds).is_none());
    }
}

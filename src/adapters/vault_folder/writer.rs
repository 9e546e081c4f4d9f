//! Writes one sealed payload: reading and hashing the plaintext on this
//! thread, sealing and writing on another, hashing the sealed bytes there too.
#![expect(clippy::disallowed_methods, reason = "this adapter is the disk")]

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use aws_lc_rs::digest::{Context, SHA256};
use crc32fast::Hasher;

use crate::domain::digest::Digest;
use crate::domain::refusal::Refusal;
use crate::ports::failure::{Failure, Fault};
use crate::ports::keyring::FileKey;
use crate::ports::vault::StoredPayload;
use crate::sealing::stream::{CHUNK_BYTES, NONCE_BYTES, PayloadKey, TAG_BYTES};

/// Chunks that wait between reading and sealing: 1 MiB.
const CHUNKS_AHEAD: usize = 16;

/// The reserve is looked at again after so many chunks: 64 MiB.
const CHUNKS_PER_ROOM_CHECK: u64 = 1_024;

struct Sealed {
    sealed_bytes: u64,
    sealed_sha256: Digest,
    whole_sha256: Option<Digest>,
    whole_crc32: Option<u32>,
}

/// Makes the file that a payload is sealed into.
pub(super) fn create(path: &Path) -> Result<File, Failure> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.map_err(|error| disk_failure(format!("make {}", path.display()), error))
}

/// Seals `source` into the new `file` and syncs it. `check_room` is asked again as the file grows.
pub(super) fn write(
    file: File,
    key: &FileKey,
    nonce: [u8; NONCE_BYTES],
    prefix: Option<&[u8]>,
    source: &mut dyn Read,
    check_room: &(dyn Fn() -> Result<(), Failure> + Sync),
) -> Result<StoredPayload, Failure> {
    let key = PayloadKey::new(key.expose(), &nonce).map_err(|error| Fault::from_error("seal a payload", error))?;
    thread::scope(|scope| {
        let (chunks, received) = sync_channel(CHUNKS_AHEAD);
        let sealer = thread::Builder::new()
            .name("sealer".to_owned())
            .spawn_scoped(scope, move || seal_all(file, &key, nonce, prefix, &received, check_room))
            .map_err(|error| Fault::from_error("start a thread to seal a payload", error))?;
        let mut hash = Context::new(&SHA256);
        let mut crc32 = Hasher::new();
        let mut size_bytes = 0;
        let mut reading = Ok(());
        loop {
            let mut chunk = vec![0; CHUNK_BYTES];
            match read_full(source, &mut chunk) {
                Ok(0) => break,
                Ok(length) => {
                    chunk.truncate(length);
                    hash.update(&chunk);
                    crc32.update(&chunk);
                    size_bytes += length as u64;
                    chunk.reserve_exact(TAG_BYTES);
                    // The sealer has stopped: its own error tells why.
                    if chunks.send(chunk).is_err() {
                        break;
                    }
                }
                Err(error) => {
                    reading = Err(Fault::from_error("read the offered file", error));
                    break;
                }
            }
        }
        drop(chunks);
        let sealed = sealer.join().map_err(|_| Fault::new("seal a payload: the sealing thread panicked"))?;
        reading?;
        let sealed = sealed?;
        Ok(StoredPayload {
            size_bytes,
            sha256: finish(hash),
            sealed_bytes: sealed.sealed_bytes,
            sealed_sha256: sealed.sealed_sha256,
            whole_sha256: sealed.whole_sha256,
            crc32: Some(sealed.whole_crc32.unwrap_or_else(|| crc32.finalize())),
        })
    })
}

fn seal_all(
    mut file: File,
    key: &PayloadKey,
    nonce: [u8; NONCE_BYTES],
    prefix: Option<&[u8]>,
    chunks: &Receiver<Vec<u8>>,
    check_room: &(dyn Fn() -> Result<(), Failure> + Sync),
) -> Result<Sealed, Failure> {
    let mut hash = Context::new(&SHA256);
    let mut whole = prefix.map(|prefix| {
        let mut whole = Context::new(&SHA256);
        whole.update(prefix);
        let mut crc32 = Hasher::new();
        crc32.update(prefix);
        (whole, crc32)
    });
    let mut sealed_bytes = 0;
    let mut put = |bytes: &[u8]| -> io::Result<()> {
        hash.update(bytes);
        if let Some((whole, crc32)) = &mut whole {
            whole.update(bytes);
            crc32.update(bytes);
        }
        sealed_bytes += bytes.len() as u64;
        file.write_all(bytes)
    };
    let failed = |error| disk_failure("write a sealed payload".to_owned(), error);
    put(&nonce).map_err(failed)?;
    let mut number = 0;
    let mut current = chunks.recv().unwrap_or_default();
    loop {
        let next = chunks.recv().ok();
        key.seal_chunk(number, next.is_none(), &mut current)
            .map_err(|error| Fault::from_error("seal a payload", error))?;
        put(&current).map_err(failed)?;
        number += 1;
        if number % CHUNKS_PER_ROOM_CHECK == 0 {
            check_room()?;
        }
        match next {
            Some(next) => current = next,
            None => break,
        }
    }
    file.sync_all().map_err(failed)?;
    let (whole_sha256, whole_crc32) = whole.map(|(whole, crc32)| (finish(whole), crc32.finalize())).unzip();
    Ok(Sealed { sealed_bytes, sealed_sha256: finish(hash), whole_sha256, whole_crc32 })
}

/// The digest of what was hashed.
pub(super) fn finish(hash: Context) -> Digest {
    let mut bytes = [0; 32];
    for (to, from) in bytes.iter_mut().zip(hash.finish().as_ref()) {
        *to = *from;
    }
    Digest::new(bytes)
}

/// Fills the buffer unless the source ends.
fn read_full(source: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match source.read(rest) {
            Ok(0) => break,
            Ok(length) => filled += length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// A full disk or quota is an expected refusal; everything else is a fault.
pub(super) fn disk_failure(doing: String, error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Refusal::NoSpace.into(),
        _ => Fault::from_error(doing, error).into(),
    }
}

//! The vault in memory. Payloads lie there in plain; their "sealed" form has
//! the sizes of age STREAM and opens with the same file key only.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Arc, Mutex};

use sha2::{Digest as _, Sha256};

use super::locked;
use crate::domain::delivery::Payload;
use crate::domain::digest::Digest;
use crate::domain::ids::PayloadId;
use crate::domain::moment::Span;
use crate::ports::failure::{Failure, Fault};
use crate::ports::keyring::FileKey;
use crate::ports::vault::{PayloadReader, StoredPayload, Vault};

/// Plaintext bytes of one chunk of age STREAM.
const CHUNK_BYTES: usize = 64 * 1024;

/// The vault in memory.
#[derive(Debug, Default)]
pub struct MemoryVault {
    payloads: Mutex<BTreeMap<PayloadId, Kept>>,
    aside: Mutex<Vec<PayloadId>>,
}

#[derive(Clone, Debug)]
struct Kept {
    key: FileKey,
    plain: Arc<[u8]>,
}

impl MemoryVault {
    /// An empty vault.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What was set aside, in order.
    #[must_use]
    pub fn aside(&self) -> Vec<PayloadId> {
        locked(&self.aside).clone()
    }

    fn kept(&self, id: PayloadId) -> Result<Kept, Fault> {
        locked(&self.payloads).get(&id).cloned().ok_or_else(|| Fault::new(format!("open payload {id}: not there")))
    }
}

impl Vault for MemoryVault {
    fn store(
        &self,
        id: PayloadId,
        key: &FileKey,
        prefix: Option<&[u8]>,
        source: &mut dyn Read,
    ) -> Result<StoredPayload, Failure> {
        let mut plain = Vec::new();
        source.read_to_end(&mut plain).map_err(|error| Fault::from_error("read the source of a payload", error))?;
        let sealed = sealed(&plain);
        let stored = StoredPayload {
            size_bytes: plain.len() as u64,
            sha256: sha256(&[&plain]),
            sealed_bytes: sealed.len() as u64,
            sealed_sha256: sha256(&[&sealed]),
            whole_sha256: prefix.map(|prefix| sha256(&[prefix, &sealed])),
            crc32: Some(prefix.map_or_else(|| crc32(&[&plain]), |prefix| crc32(&[prefix, &sealed]))),
        };
        let mut payloads = locked(&self.payloads);
        if payloads.contains_key(&id) {
            return Err(Fault::new(format!("store payload {id}: it is there already")).into());
        }
        payloads.insert(id, Kept { key: key.clone(), plain: plain.into() });
        Ok(stored)
    }

    fn put_back(&self, payload: &Payload, _copy: &mut dyn Read) -> Result<(), Failure> {
        Err(Fault::new(format!("put payload {} back: memory keeps no sealed copies", payload.id)).into())
    }

    fn open(&self, id: PayloadId, key: &FileKey) -> Result<Arc<dyn PayloadReader>, Failure> {
        let kept = self.kept(id)?;
        if kept.key.expose() != key.expose() {
            return Err(Fault::new(format!("open payload {id}: another key sealed it")).into());
        }
        Ok(Arc::new(Bytes(kept.plain)))
    }

    fn open_sealed(&self, id: PayloadId, header: Vec<u8>) -> Result<Arc<dyn PayloadReader>, Failure> {
        let mut whole = header;
        whole.extend(sealed(&self.kept(id)?.plain));
        Ok(Arc::new(Bytes(whole.into())))
    }

    fn find(&self, id: PayloadId) -> Result<Option<u64>, Fault> {
        Ok(locked(&self.payloads).get(&id).map(|kept| sealed(&kept.plain).len() as u64))
    }

    fn remove(&self, id: PayloadId) -> Result<(), Fault> {
        locked(&self.payloads).remove(&id);
        Ok(())
    }

    fn inventory(&self) -> Result<Vec<PayloadId>, Fault> {
        Ok(locked(&self.payloads).keys().copied().collect())
    }

    fn sweep_temporaries(&self) -> Result<usize, Fault> {
        Ok(0)
    }

    fn set_aside(&self, id: PayloadId) -> Result<(), Fault> {
        if locked(&self.payloads).remove(&id).is_some() {
            locked(&self.aside).push(id);
        }
        Ok(())
    }

    /// Keeps no times: what was set aside is purged only when nothing is to be kept at all.
    fn purge_set_aside(&self, kept: Span) -> Result<usize, Fault> {
        let mut aside = locked(&self.aside);
        if kept > Span::ZERO {
            return Ok(0);
        }
        Ok(aside.drain(..).count())
    }
}

struct Bytes(Arc<[u8]>);

impl PayloadReader for Bytes {
    fn size_bytes(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<usize, Fault> {
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = self.0.get(from..).unwrap_or_default();
        Ok(into.iter_mut().zip(rest).map(|(byte, stored)| *byte = *stored).count())
    }

    fn read_kept(&self, offset: u64, length: usize) -> Option<Vec<u8>> {
        self.read_vec(offset, length).ok().filter(|bytes| bytes.len() == length)
    }
}

/// A nonce of zeros, then each chunk with a tag of zeros; an empty payload has one empty chunk.
fn sealed(plain: &[u8]) -> Vec<u8> {
    let mut sealed = vec![0; 16];
    let mut chunks = plain.chunks(CHUNK_BYTES);
    let first = chunks.next().unwrap_or_default();
    for chunk in std::iter::once(first).chain(chunks) {
        sealed.extend_from_slice(chunk);
        sealed.extend_from_slice(&[0; 16]);
    }
    sealed
}

fn crc32(parts: &[&[u8]]) -> u32 {
    let mut crc32 = crc32fast::Hasher::new();
    parts.iter().for_each(|part| crc32.update(part));
    crc32.finalize()
}

fn sha256(parts: &[&[u8]]) -> Digest {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    Digest::new(hash.finalize().into())
}

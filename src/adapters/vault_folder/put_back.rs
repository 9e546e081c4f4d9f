//! Puts a payload back that was lost or damaged, out of a copy of it: whole and with the digest
//! on record, or not at all. What lies under its name is there until then.

use std::io::{self, Read, Write as _};

use aws_lc_rs::digest::{Context, SHA256};

use super::{VaultFolder, discard, writer};
use crate::domain::delivery::Payload;
use crate::domain::digest::Digest;
use crate::ports::failure::{Failure, Fault};

/// Bytes that are copied at once.
const PIECE_BYTES: usize = 1 << 20;

impl VaultFolder {
    pub(super) fn replace(&self, payload: &Payload, copy: &mut dyn Read) -> Result<(), Failure> {
        self.check_reserve()?;
        let id = payload.id;
        let temporary = self.temporary_of(id);
        let mut file = writer::create(&temporary)?;
        let mut pour = || -> io::Result<(u64, Digest)> {
            let (mut hash, mut length) = (Context::new(&SHA256), 0);
            let mut piece = vec![0; PIECE_BYTES];
            // one byte more than there should be is enough to know
            let mut copy = copy.take(payload.sealed_bytes.saturating_add(1));
            loop {
                let read = copy.read(&mut piece)?;
                let Some(bytes) = piece.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
                hash.update(bytes);
                length += read as u64;
                file.write_all(bytes)?;
            }
            file.sync_all()?;
            Ok((length, writer::finish(hash)))
        };
        let doing = || format!("put payload {id} back");
        let outcome = pour().map_err(|error| writer::disk_failure(doing(), error)).and_then(|found| {
            if found != (payload.sealed_bytes, payload.sealed_sha256) {
                return Err(Fault::new(format!("{}: the copy is not what was stored either", doing())).into());
            }
            self.settle(id).map_err(|error| writer::disk_failure(doing(), error))
        });
        if outcome.is_err() {
            discard(id, &temporary);
        }
        outcome
    }
}

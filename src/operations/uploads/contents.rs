//! The bytes of a received upload: opened with its header, read at random or as a stream.

use std::io::{self, Read};
use std::sync::Arc;

use super::super::{Failure, Operations};
use super::payload_binding;
use crate::domain::ids::PayloadId;
use crate::domain::refusal::{Refusal, What};
use crate::domain::upload::{Upload, UploadHeader, UploadState};
use crate::ports::keyring::FileKey;
use crate::ports::vault::PayloadReader;

/// A stream is read ahead by so much.
const PIECE_BYTES: usize = 256 * 1024;

impl Operations {
    /// The payload of a received upload and what opens it.
    ///
    /// # Errors
    /// `NotFound` when it is not received any more; a fault of the keyring.
    pub(in crate::operations) fn key_of_received(&self, upload: &Upload) -> Result<(PayloadId, FileKey), Failure> {
        let _ticket = self.headers_in_hand.take();
        let header = self.catalog.look(|view| Ok(view.row::<UploadHeader>(&UploadHeader::key_of(upload.id))?))?;
        let (UploadState::Received { payload, .. }, Some(header)) = (&upload.state, header) else {
            return Err(Refusal::NotFound(What::File).into());
        };
        let binding = payload_binding(upload.id, *payload);
        let header = self.keyring.unseal_header(&header.slot, binding, &header.sealed)?;
        Ok((*payload, self.keyring.open_header(&upload.organisation, &header)?))
    }

    /// The bytes of a received upload.
    ///
    /// # Errors
    /// As `key_of_received`; a fault of the vault.
    pub(in crate::operations) fn open_received(&self, upload: &Upload) -> Result<Arc<dyn PayloadReader>, Failure> {
        let (payload, key) = self.key_of_received(upload)?;
        self.vault.open(payload, &key)
    }
}

/// The bytes of a payload in order, with one piece of them in memory.
pub(in crate::operations) struct Contents {
    reader: Arc<dyn PayloadReader>,
    next: u64,
    piece: io::Cursor<Vec<u8>>,
}

impl Contents {
    pub(in crate::operations) fn of(reader: Arc<dyn PayloadReader>) -> Self {
        Self { reader, next: 0, piece: io::Cursor::default() }
    }
}

impl Read for Contents {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.piece.position() >= self.piece.get_ref().len() as u64 {
            let piece = self.reader.read_vec(self.next, PIECE_BYTES).map_err(io::Error::other)?;
            self.next = self.next.saturating_add(piece.len() as u64);
            self.piece = io::Cursor::new(piece);
        }
        self.piece.read(into)
    }
}

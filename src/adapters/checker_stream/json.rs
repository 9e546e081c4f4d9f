//! Whether a file is one JSON value (RFC 8259), nested at most 128 deep. Keeps nothing of it.

use std::io::{BufReader, Read};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::BLOCK_BYTES;
use super::findings::Findings;
use crate::ports::failure::Fault;

/// Reads one JSON value to its end.
pub(super) fn judge(bytes: &mut dyn Read, findings: &mut Findings) -> Result<(), Fault> {
    let mut reader = serde_json::Deserializer::from_reader(BufReader::with_capacity(BLOCK_BYTES, bytes));
    let read = IgnoredAny::deserialize(&mut reader).and_then(|_| reader.end());
    match read {
        Ok(()) => {}
        Err(error) if error.is_io() => {
            return Err(Fault::from_error("read a participant file for its checks", error));
        }
        Err(error) => findings.at(error.line() as u64, error.column() as u64, "not-json"),
    }
    Ok(())
}

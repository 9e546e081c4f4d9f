//! Disk form of checksums for ZIP files. Field order is the form.

use super::struct_form;
use crate::domain::ids::PayloadId;
use crate::domain::zip_layout::FileChecksum;

struct_form! {
    FileChecksumV1 = FileChecksum { payload: PayloadId, crc32: u32, }
}

#[cfg(test)]
mod tests {
    use super::super::{decode, encode};
    use super::*;
    use crate::domain::record::Record;

    /// Number of the kind, then the bytes. Never change a line: catalogs on disk hold such bytes.
    const GOLDEN: [&str; 2] =
        ["120 010101010101010101010101010101010100", "120 0101010101010101010101010101010101ffffffff0f"];

    #[test]
    fn bytes_are_written_and_read_as_ever() {
        for (line, crc32) in GOLDEN.into_iter().zip([0, u32::MAX]) {
            let record = Record::from(FileChecksum { payload: PayloadId::from_bytes([1; 16]), crc32 });
            let hex = data_encoding::HEXLOWER.encode(&encode(&record).unwrap());
            assert_eq!(format!("{} {hex}", record.kind()), line);
            let bytes = data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap();
            assert_eq!(decode(record.kind(), &bytes).unwrap(), record);
        }
    }
}

//! Golden bytes of the last number of an organisation's participant files (kind 96). A difference means that catalogs
//! on disk can no longer be read.

use super::{decode, encode};
use crate::domain::check_sequence::UploadSequence;
use crate::domain::ids::UploadId;
use crate::domain::names::{OrganisationCode, ProductCode};
use crate::domain::record::Record;

/// As version 1 wrote them.
const FIRST: &str = include_str!("../../../../fixtures/catalog/v1/upload-sequences.txt");

fn records() -> Vec<Record> {
    let row = |last, before| UploadSequence {
        organisation: OrganisationCode::parse("duinstad").unwrap(),
        product: ProductCode::parse("leerlingen").unwrap(),
        last,
        upload: UploadId::from_bytes([1; 16]),
        before,
    };
    vec![row(1, None).into(), row(300, Some(299)).into()]
}

#[test]
fn numbers_are_written_and_read_as_ever() {
    let written: Vec<String> = records()
        .iter()
        .map(|record| format!("{} {}", record.kind(), data_encoding::HEXLOWER.encode(&encode(record).unwrap())))
        .collect();
    let golden: Vec<&str> = FIRST.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(written, golden);
    for (line, record) in golden.iter().zip(records()) {
        let (kind, hex) = line.split_once(' ').unwrap();
        let bytes = data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap();
        assert_eq!(decode(kind.parse().unwrap(), &bytes).unwrap(), record, "{line}");
    }
}

//! Golden bytes of documents of products (kind 82). A difference means that catalogs on disk can no
//! longer be read.

use super::{decode, encode};
use crate::domain::digest::Digest;
use crate::domain::ids::PayloadId;
use crate::domain::moment::Moment;
use crate::domain::names::{FileName, Line, ProductCode};
use crate::domain::product_document::ProductDocument;
use crate::domain::record::Record;

/// As version 1 wrote them.
const FIRST: &str = include_str!("../../../../fixtures/catalog/v1/product-documents.txt");

fn records() -> Vec<Record> {
    let document = ProductDocument {
        product: ProductCode::parse("suag").unwrap(),
        name: FileName::parse("suag-1.5.pdf").unwrap(),
        version: Some(Line::parse("1.5").unwrap()),
        size_bytes: 70_000,
        sha256: Digest::new([7; 32]),
        payload: PayloadId::from_bytes([8; 16]),
        added_at: Moment::from_millis(1_790_000_000_000),
    };
    let unversioned =
        ProductDocument { version: None, name: FileName::parse("uitleg.txt").unwrap(), ..document.clone() };
    vec![document.into(), unversioned.into()]
}

#[test]
fn documents_are_written_and_read_as_ever() {
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

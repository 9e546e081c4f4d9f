//! Golden bytes of what was said of an upload before its bytes came, as version 1 wrote them.

use super::{decode, encode};
use crate::domain::digest::Digest;
use crate::domain::ids::UploadId;
use crate::domain::names::{Line, UploadName};
use crate::domain::record::Record;
use crate::domain::upload_plan::UploadPlan;

const GOLDEN: &str = include_str!("../../../../fixtures/catalog/upload-plans/values.txt");

fn records() -> Vec<Record> {
    let upload = UploadId::from_bytes([1; 16]);
    let all = UploadPlan {
        upload,
        takes: Some(UploadName::parse("A-b.csv").unwrap()),
        size_bytes: Some(70_000),
        sha256: Some(Digest::new([0xab; 32])),
        media_type: Some(Line::parse("text/csv").unwrap()),
        metadata: "product aW50YWtl".to_owned(),
        asked: Some(Digest::new([0xcd; 32])),
    };
    vec![UploadPlan::new(upload).into(), all.into()]
}

#[test]
fn bytes_on_disk_stay_readable() {
    let written: Vec<String> = records()
        .iter()
        .map(|record| format!("{} {}", record.kind(), data_encoding::HEXLOWER.encode(&encode(record).unwrap())))
        .collect();
    let golden: Vec<&str> = GOLDEN.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(written, golden, "\n{}", written.join("\n"));
    for (line, record) in golden.iter().zip(records()) {
        let (kind, hex) = line.split_once(' ').unwrap();
        let bytes = data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap();
        assert_eq!(decode(kind.parse().unwrap(), &bytes).unwrap(), record, "{line}");
    }
}

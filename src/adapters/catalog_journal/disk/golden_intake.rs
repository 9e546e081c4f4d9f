//! Golden bytes of what became of received uploads, as version 1 wrote them.

use super::{decode, encode};
use crate::domain::digest::Digest;
use crate::domain::ids::UploadId;
use crate::domain::intake::{Answer, Ended, HandOverWay, Intake, IntakeState, Judge};
use crate::domain::intake_rows::{IntakeDue, IntakeEntry, IntakePaper, PaperKind, ReceiptEntry, UploadDigest};
use crate::domain::moment::Moment;
use crate::domain::names::{OrganisationCode, ProductCode, UploadName};
use crate::domain::record::Record;

const GOLDEN: &str = include_str!("../../../../fixtures/catalog/intake/values.txt");

fn at(n: u64) -> Moment {
    Moment::from_millis(1_790_000_000_000 + n)
}

fn records() -> Vec<Record> {
    let (upload, other) = (UploadId::from_bytes([1; 16]), UploadId::from_bytes([2; 16]));
    let organisation = OrganisationCode::parse("gemeente-demo").unwrap();
    let product = ProductCode::parse("leerlingen").unwrap();
    let states = [
        IntakeState::Received,
        IntakeState::Checking { since: at(1) },
        IntakeState::Accepted { at: at(2) },
        IntakeState::Rejected { at: at(3), by: Judge::Checks },
        IntakeState::Rejected { at: at(3), by: Judge::BackOffice },
        IntakeState::Duplicate { at: at(4), of: other },
        IntakeState::Replaced { at: at(5), by: other },
        IntakeState::Withdrawn { at: at(6) },
        IntakeState::HandingOver { since: at(7), way: HandOverWay::Folder, place: String::new() },
        IntakeState::Collected {
            at: at(8),
            way: HandOverWay::Command,
            place: "/srv/in".to_owned(),
            acknowledged_at: None,
            answer: None,
        },
        IntakeState::Collected {
            at: at(8),
            way: HandOverWay::Folder,
            place: String::new(),
            acknowledged_at: Some(at(9)),
            answer: Some(Answer { accepted: true, at: at(10) }),
        },
    ];
    let ends =
        [Ended::Collected, Ended::Rejected, Ended::Duplicate, Ended::Replaced, Ended::Withdrawn, Ended::NeverCollected];
    let ended = ends.into_iter().map(|after| IntakeState::Cleared { at: at(11), after });
    let mut records: Vec<Record> = states
        .into_iter()
        .chain(ended)
        .enumerate()
        .map(|(n, state)| {
            let due = (n % 2 == 0).then(|| at(12));
            Intake { upload, received_at: at(0), state, due, twins: 3 }.into()
        })
        .collect();
    records.push(IntakeDue { at: at(1), upload }.into());
    for which in [PaperKind::Receipt, PaperKind::Result, PaperKind::ResultText] {
        let (bytes, signature) = (b"{}\n".to_vec(), b"signed".to_vec());
        records.push(IntakePaper { upload, which, made_at: at(2), bytes, signature }.into());
    }
    let name = UploadName::parse("A-b.csv").unwrap();
    let (code, of) = (organisation.clone(), product.clone());
    records.push(ReceiptEntry { organisation: code, product: of, name, upload }.into());
    let (code, sha256) = (organisation.clone(), Digest::new([0xab; 32]));
    records.push(UploadDigest { organisation: code, product, sha256, upload, received_at: at(3) }.into());
    records.push(IntakeEntry { organisation, received_at: at(4), upload }.into());
    // came later
    let state = IntakeState::HandingOver { since: at(7), way: HandOverWay::Api, place: "run 7".to_owned() };
    records.push(Intake { upload, received_at: at(0), state, due: None, twins: 3 }.into());
    records
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

#[test]
fn the_largest_paper_fits() {
    let bytes = vec![b'x'; crate::domain::intake_rows::MOST_PAPER_BYTES];
    let upload = UploadId::from_bytes([1; 16]);
    let paper = IntakePaper { upload, which: PaperKind::Result, made_at: at(0), bytes, signature: vec![b'x'; 600] };
    assert!(encode(&paper.into()).is_ok());
}

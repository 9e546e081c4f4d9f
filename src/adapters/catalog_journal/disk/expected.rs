//! Disk forms of participant files that are expected. Field order is the form.

use serde::{Deserialize, Serialize};

use super::{Form, struct_form};
use crate::domain::expected_upload::{ExpectedDue, ExpectedUpload, Rhythm};
use crate::domain::moment::Moment;
use crate::domain::names::{OrganisationCode, ProductCode};
use crate::ports::failure::Fault;

struct_form! {
    ExpectedUploadV1 = ExpectedUpload {
        organisation: OrganisationCode,
        product: ProductCode,
        rhythm: Rhythm,
        remind_days: u32,
        from: Moment,
        until: Moment,
        due: Moment,
        missed: u32,
        set_at: Moment,
    }
    ExpectedDueV1 = ExpectedDue { at: Moment, organisation: OrganisationCode, product: ProductCode, }
}

/// As it is given and shown.
#[derive(Serialize, Deserialize)]
pub(super) struct RhythmV1(String);

impl Form for Rhythm {
    type Disk = RhythmV1;

    fn to_disk(&self) -> RhythmV1 {
        RhythmV1(self.to_string())
    }

    fn from_disk(disk: RhythmV1) -> Result<Self, Fault> {
        Self::parse(&disk.0).map_err(|fault| Fault::new(format!("read a stored rhythm: {fault}")))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{decode, encode};
    use super::*;
    use crate::domain::record::Record;

    /// Number of the kind, then the bytes. Never change a line: catalogs on disk hold such bytes.
    const GOLDEN: &[&str] = &[
        "113 010d67656d65656e74652d64656d6f0a6465656c6e656d65727308776f726b64617973028090dbcb8c3480988dec8e3480a8da998e340080d8c1a28c34",
        "113 010d67656d65656e74652d64656d6f0a6465656c6e656d6572730a7765656b6c793a73756e028090dbcb8c3480988dec8e3480a8da998e340180d8c1a28c34",
        "113 010d67656d65656e74652d64656d6f0a6465656c6e656d6572730a6d6f6e74686c793a3331028090dbcb8c3480988dec8e3480a8da998e34ac0280d8c1a28c34",
        "113 010d67656d65656e74652d64656d6f0a6465656c6e656d6572730c717561727465726c793a3135028090dbcb8c3480988dec8e3480a8da998e340080d8c1a28c34",
        "113 010d67656d65656e74652d64656d6f0a6465656c6e656d6572730c796561726c793a30322d3239028090dbcb8c3480988dec8e3480a8da998e340080d8c1a28c34",
        "114 0180a8da998e340d67656d65656e74652d64656d6f0a6465656c6e656d657273",
    ];

    fn records() -> Vec<Record> {
        let at = |days: u64| Moment::from_millis(1_790_000_000_000 + days * 86_400_000);
        let organisation = || OrganisationCode::parse("gemeente-demo").unwrap();
        let product = || ProductCode::parse("deelnemers").unwrap();
        let row = |text: &str, missed| {
            let rhythm = Rhythm::parse(text).unwrap();
            let (organisation, product, set_at) = (organisation(), product(), at(0));
            let (from, until, due, remind_days) = (at(1), at(8), at(6), 2);
            ExpectedUpload { organisation, product, rhythm, remind_days, from, until, due, missed, set_at }.into()
        };
        vec![
            row("workdays", 0),
            row("weekly:sun", 1),
            row("monthly:31", 300),
            row("quarterly:15", 0),
            row("yearly:02-29", 0),
            ExpectedDue { at: at(6), organisation: organisation(), product: product() }.into(),
        ]
    }

    #[test]
    fn bytes_are_written_and_read_as_ever() {
        let written: Vec<String> = records()
            .iter()
            .map(|record| format!("{} {}", record.kind(), data_encoding::HEXLOWER.encode(&encode(record).unwrap())))
            .collect();
        assert_eq!(written, GOLDEN);
        for (line, record) in GOLDEN.iter().zip(records()) {
            let (kind, hex) = line.split_once(' ').unwrap();
            let bytes = data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap();
            assert_eq!(decode(kind.parse().unwrap(), &bytes).unwrap(), record);
        }
    }
}

//! Disk form of instructions of the operator. Field order is the form.

use super::struct_form;
use crate::domain::ids::InstructionId;
use crate::domain::instruction::Instruction;
use crate::domain::moment::Moment;
use crate::domain::names::Line;

struct_form! {
    InstructionV1 = Instruction {
        id: InstructionId,
        title: Line,
        text: String,
        english: Option<(Line, String)>,
        given_at: Moment,
        until: Option<Moment>,
    }
}

#[cfg(test)]
mod golden {
    use super::super::{decode, encode};
    use super::*;
    use crate::domain::record::Record;

    /// As version 1 wrote them.
    const WRITTEN: [&str; 2] = [
        "01787878787878787878787878787878780441616e7a01580080d8c1a28c3400",
        "01787878787878787878787878787878780441616e7a01580104496e7374015980d8c1a28c340180d8c1a28c34",
    ];

    #[test]
    fn rows_are_written_and_read_as_ever() {
        let (line, at) = (|text: &str| Line::parse(text).unwrap(), Moment::from_millis(1_790_000_000_000));
        let of = |english, until| Instruction {
            id: InstructionId::from_bytes([0x78; 16]),
            title: line("Aanz"),
            text: "X".to_owned(),
            english,
            given_at: at,
            until,
        };
        let rows = [of(None, None), of(Some((line("Inst"), "Y".to_owned())), Some(at))];
        for (row, golden) in rows.into_iter().map(Record::from).zip(WRITTEN) {
            let bytes = encode(&row).unwrap();
            assert_eq!(data_encoding::HEXLOWER.encode(&bytes), golden);
            assert_eq!(decode(row.kind(), &bytes).unwrap(), row);
        }
    }
}

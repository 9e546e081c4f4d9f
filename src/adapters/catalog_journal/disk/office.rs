//! Disk forms of who works in the office. Field order is the form.

use super::struct_form;
use crate::domain::moment::Moment;
use crate::domain::names::LoginName;
use crate::domain::office::{OfficeMember, OfficeRole};

struct_form! {
    OfficeMemberV1 = OfficeMember { login: LoginName, role: OfficeRole, added_at: Moment, }
}

#[cfg(test)]
mod golden {
    use super::super::{decode, encode};
    use super::*;
    use crate::domain::record::Record;

    fn rows() -> Vec<Record> {
        let login = LoginName::parse("anna@operator.example").unwrap();
        let row = |role: &OfficeRole| {
            OfficeMember { login: login.clone(), role: *role, added_at: Moment::from_millis(1_790_000_000_000) }.into()
        };
        OfficeRole::ALL.iter().map(row).collect()
    }

    /// As version 1 wrote them.
    const WRITTEN: [&str; 3] = [
        "0115616e6e61406f70657261746f722e6578616d706c650080d8c1a28c34",
        "0115616e6e61406f70657261746f722e6578616d706c650180d8c1a28c34",
        "0115616e6e61406f70657261746f722e6578616d706c650280d8c1a28c34",
    ];

    #[test]
    fn rows_are_written_and_read_as_ever() {
        for (row, golden) in rows().into_iter().zip(WRITTEN) {
            let bytes = encode(&row).unwrap();
            assert_eq!(data_encoding::HEXLOWER.encode(&bytes), golden);
            assert_eq!(decode(row.kind(), &bytes).unwrap(), row);
        }
    }
}

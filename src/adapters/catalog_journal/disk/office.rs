//! Disk forms of who works in the office. Field order is the form.

use serde::{Deserialize, Serialize};

use super::{Form, struct_form};
use crate::domain::ids::ProposalId;
use crate::domain::moment::Moment;
use crate::domain::names::{LoginName, OrganisationCode};
use crate::domain::office::{OfficeMember, OfficeRole};
use crate::domain::proposal::{Proposal, ProposedAct};
use crate::ports::failure::Fault;

struct_form! {
    OfficeMemberV1 = OfficeMember { login: LoginName, role: OfficeRole, added_at: Moment, }
    ProposalV1 = Proposal { id: ProposalId, act: ProposedAct, by: String, made_at: Moment, until: Moment, }
}

#[derive(Serialize, Deserialize)]
pub(super) enum ProposedActV1 {
    AddRecipientKey { organisation: String, fingerprint: String, line: String },
    RetireRecipientKey { organisation: String, fingerprint: String, from: Option<u64> },
}

impl Form for ProposedAct {
    type Disk = ProposedActV1;

    fn to_disk(&self) -> ProposedActV1 {
        match self {
            Self::AddRecipientKey { organisation, fingerprint, line } => ProposedActV1::AddRecipientKey {
                organisation: organisation.to_disk(),
                fingerprint: fingerprint.clone(),
                line: line.clone(),
            },
            Self::RetireRecipientKey { organisation, fingerprint, from } => ProposedActV1::RetireRecipientKey {
                organisation: organisation.to_disk(),
                fingerprint: fingerprint.clone(),
                from: from.to_disk(),
            },
        }
    }

    fn from_disk(disk: ProposedActV1) -> Result<Self, Fault> {
        Ok(match disk {
            ProposedActV1::AddRecipientKey { organisation, fingerprint, line } => {
                Self::AddRecipientKey { organisation: OrganisationCode::from_disk(organisation)?, fingerprint, line }
            }
            ProposedActV1::RetireRecipientKey { organisation, fingerprint, from } => Self::RetireRecipientKey {
                organisation: OrganisationCode::from_disk(organisation)?,
                fingerprint,
                from: Option::<Moment>::from_disk(from)?,
            },
        })
    }
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
    fn proposals_are_written_and_read_as_ever() {
        let at = Moment::from_millis(1_790_000_000_000);
        let organisation = || OrganisationCode::parse("gemeente-demo").unwrap();
        let fingerprint = || "SHA256:abc".to_owned();
        let acts = [
            ProposedAct::AddRecipientKey {
                organisation: organisation(),
                fingerprint: fingerprint(),
                line: "age1abc".to_owned(),
            },
            ProposedAct::RetireRecipientKey {
                organisation: organisation(),
                fingerprint: fingerprint(),
                from: Some(at),
            },
        ];
        for (act, golden) in acts.into_iter().zip(PROPOSED) {
            let id = ProposalId::from_bytes([0x76; 16]);
            let row = Record::from(Proposal { id, act, by: "uid:0".to_owned(), made_at: at, until: at });
            let bytes = encode(&row).unwrap();
            assert_eq!(data_encoding::HEXLOWER.encode(&bytes), golden);
            assert_eq!(decode(row.kind(), &bytes).unwrap(), row);
        }
    }

    /// The same of proposals.
    const PROPOSED: [&str; 2] = [
        "0176767676767676767676767676767676000d67656d65656e74652d64656d6f0a5348413235363a6162630761676531616263057569643a3080d8c1a28c3480d8c1a28c34",
        "0176767676767676767676767676767676010d67656d65656e74652d64656d6f0a5348413235363a6162630180d8c1a28c34057569643a3080d8c1a28c3480d8c1a28c34",
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

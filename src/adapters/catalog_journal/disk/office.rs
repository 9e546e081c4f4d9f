//! Disk forms of who works in the office. Field order is the form.

use serde::{Deserialize, Serialize};

use std::collections::BTreeSet;

use super::{Form, Stored, parsed, struct_form, unknown_version};
use crate::domain::ids::{MandateId, ProposalId};
use crate::domain::mandate::Scope;
use crate::domain::moment::Moment;
use crate::domain::names::{LoginName, OrganisationCode, ProductCode};
use crate::domain::office::{OfficeMember, OfficeRole};
use crate::domain::proposal::{Proposal, ProposedAct};
use crate::ports::failure::Fault;

struct_form! {
    OfficeMemberV1 = OfficeMember { login: LoginName, role: OfficeRole, added_at: Moment, }
    ProposalV2 = Proposal { id: ProposalId, act: ProposedAct, by: String, made_at: Moment, until: Moment, }
}

#[derive(Serialize, Deserialize)]
pub(super) enum ProposedActV2 {
    AddRecipientKey {
        organisation: String,
        fingerprint: String,
        line: String,
    },
    RetireRecipientKey {
        organisation: String,
        fingerprint: String,
        from: Option<u64>,
    },
    AddMandate {
        intermediary: String,
        client: String,
        scope: Vec<String>,
        from: Option<u64>,
        until: Option<u64>,
    },
    WidenMandate {
        mandate: [u8; 16],
        intermediary: String,
        client: String,
        added: Vec<String>,
        removed: Vec<String>,
        until: Option<u64>,
    },
}

/// Acts as version 1 knew them.
#[derive(Deserialize)]
enum ProposedActV1 {
    AddRecipientKey { organisation: String, fingerprint: String, line: String },
    RetireRecipientKey { organisation: String, fingerprint: String, from: Option<u64> },
}

#[derive(Deserialize)]
struct ProposalV1 {
    id: [u8; 16],
    act: ProposedActV1,
    by: String,
    made_at: u64,
    until: u64,
}

impl From<ProposedActV1> for ProposedActV2 {
    fn from(act: ProposedActV1) -> Self {
        match act {
            ProposedActV1::AddRecipientKey { organisation, fingerprint, line } => {
                Self::AddRecipientKey { organisation, fingerprint, line }
            }
            ProposedActV1::RetireRecipientKey { organisation, fingerprint, from } => {
                Self::RetireRecipientKey { organisation, fingerprint, from }
            }
        }
    }
}

impl Stored for Proposal {
    const VERSION: u8 = 2;

    fn from_older(version: u8, bytes: &[u8]) -> Result<Self, Fault> {
        match version {
            1 => {
                let ProposalV1 { id, act, by, made_at, until } = parsed(bytes)?;
                Self::from_disk(ProposalV2 { id, act: act.into(), by, made_at, until })
            }
            _ => Err(unknown_version(version)),
        }
    }
}

impl Form for ProposedAct {
    type Disk = ProposedActV2;

    fn to_disk(&self) -> ProposedActV2 {
        match self {
            Self::AddRecipientKey { organisation, fingerprint, line } => ProposedActV2::AddRecipientKey {
                organisation: organisation.to_disk(),
                fingerprint: fingerprint.clone(),
                line: line.clone(),
            },
            Self::RetireRecipientKey { organisation, fingerprint, from } => ProposedActV2::RetireRecipientKey {
                organisation: organisation.to_disk(),
                fingerprint: fingerprint.clone(),
                from: from.to_disk(),
            },
            Self::AddMandate { intermediary, client, scope, from, until } => ProposedActV2::AddMandate {
                intermediary: intermediary.to_disk(),
                client: client.to_disk(),
                scope: scope.to_disk(),
                from: from.to_disk(),
                until: until.to_disk(),
            },
            Self::WidenMandate { mandate, intermediary, client, added, removed, until } => {
                ProposedActV2::WidenMandate {
                    mandate: mandate.to_disk(),
                    intermediary: intermediary.to_disk(),
                    client: client.to_disk(),
                    added: added.iter().map(Form::to_disk).collect(),
                    removed: removed.iter().map(Form::to_disk).collect(),
                    until: until.to_disk(),
                }
            }
        }
    }

    fn from_disk(disk: ProposedActV2) -> Result<Self, Fault> {
        Ok(match disk {
            ProposedActV2::AddRecipientKey { organisation, fingerprint, line } => {
                Self::AddRecipientKey { organisation: OrganisationCode::from_disk(organisation)?, fingerprint, line }
            }
            ProposedActV2::RetireRecipientKey { organisation, fingerprint, from } => Self::RetireRecipientKey {
                organisation: OrganisationCode::from_disk(organisation)?,
                fingerprint,
                from: Option::<Moment>::from_disk(from)?,
            },
            ProposedActV2::AddMandate { intermediary, client, scope, from, until } => Self::AddMandate {
                intermediary: OrganisationCode::from_disk(intermediary)?,
                client: OrganisationCode::from_disk(client)?,
                scope: Scope::from_disk(scope)?,
                from: Option::<Moment>::from_disk(from)?,
                until: Option::<Moment>::from_disk(until)?,
            },
            ProposedActV2::WidenMandate { mandate, intermediary, client, added, removed, until } => {
                Self::WidenMandate {
                    mandate: MandateId::from_disk(mandate)?,
                    intermediary: OrganisationCode::from_disk(intermediary)?,
                    client: OrganisationCode::from_disk(client)?,
                    added: codes(added)?,
                    removed: codes(removed)?,
                    until: Option::<Moment>::from_disk(until)?,
                }
            }
        })
    }
}

fn codes(disk: Vec<String>) -> Result<BTreeSet<ProductCode>, Fault> {
    disk.into_iter().map(ProductCode::from_disk).collect()
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

    fn proposals() -> Vec<Record> {
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
            ProposedAct::AddMandate {
                intermediary: OrganisationCode::parse("bureau").unwrap(),
                client: organisation(),
                scope: Scope::new([product("daily"), product("wages")].into()).unwrap(),
                from: None,
                until: Some(at),
            },
            ProposedAct::WidenMandate {
                mandate: MandateId::from_bytes([0x77; 16]),
                intermediary: OrganisationCode::parse("bureau").unwrap(),
                client: organisation(),
                added: [product("exams")].into(),
                removed: [product("daily")].into(),
                until: None,
            },
        ];
        let id = ProposalId::from_bytes([0x76; 16]);
        let row = |act| Proposal { id, act, by: "uid:0".to_owned(), made_at: at, until: at }.into();
        acts.into_iter().map(row).collect()
    }

    #[test]
    fn proposals_are_written_and_read_as_ever() {
        for (row, golden) in proposals().into_iter().zip(PROPOSED) {
            let bytes = encode(&row).unwrap();
            assert_eq!(data_encoding::HEXLOWER.encode(&bytes), golden);
            assert_eq!(decode(row.kind(), &bytes).unwrap(), row);
        }
    }

    #[test]
    fn proposals_of_the_first_version_are_read() {
        for (row, golden) in proposals().into_iter().zip(PROPOSED_V1) {
            let bytes = data_encoding::HEXLOWER.decode(golden.as_bytes()).unwrap();
            assert_eq!(decode(row.kind(), &bytes).unwrap(), row);
        }
        // which knew no mandates: what names one there is damaged
        let mut bytes = encode(&proposals()[2]).unwrap();
        bytes[0] = 1;
        assert!(decode(proposals()[2].kind(), &bytes).is_err());
    }

    fn product(code: &str) -> ProductCode {
        ProductCode::parse(code).unwrap()
    }

    /// As version 2 wrote them.
    const PROPOSED: [&str; 4] = [
        "0276767676767676767676767676767676000d67656d65656e74652d64656d6f0a5348413235363a6162630761676531616263057569643a3080d8c1a28c3480d8c1a28c34",
        "0276767676767676767676767676767676010d67656d65656e74652d64656d6f0a5348413235363a6162630180d8c1a28c34057569643a3080d8c1a28c3480d8c1a28c34",
        "027676767676767676767676767676767602066275726561750d67656d65656e74652d64656d6f02056461696c79057761676573000180d8c1a28c34057569643a3080d8c1a28c3480d8c1a28c34",
        "02767676767676767676767676767676760377777777777777777777777777777777066275726561750d67656d65656e74652d64656d6f01056578616d7301056461696c7900057569643a3080d8c1a28c3480d8c1a28c34",
    ];

    /// As version 1 wrote the first two.
    const PROPOSED_V1: [&str; 2] = [
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

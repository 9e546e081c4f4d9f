//! Disk forms of blocks of keys and tokens, of services that were ended, and of e-mails
//! about interruptions. Field order is the form, and so is the order of variants.

use serde::{Deserialize, Serialize};

use super::{Form, Stored, struct_form};
use crate::domain::block::{Block, EndReason};
use crate::domain::credential_block::CredentialBlock;
use crate::domain::ids::InterruptionId;
use crate::domain::interruption::Reach;
use crate::domain::interruption_mailing::{InterruptionMailing, News};
use crate::domain::moment::Moment;
use crate::domain::names::{Line, LoginName, OrganisationCode};
use crate::domain::restriction::{Restricted, Restriction, Service};
use crate::ports::failure::Fault;

struct_form! {
    CredentialBlockV1 = CredentialBlock { login: LoginName, credential: String, block: Block, }
    RestrictionV1 = Restriction {
        subject: Restricted,
        service: Service,
        reason: EndReason,
        note: Option<Line>,
        since: Moment,
    }
    InterruptionMailingV1 = InterruptionMailing {
        interruption: InterruptionId,
        reach: Reach,
        nature: Line,
        from: Moment,
        until: Moment,
        news: News,
        after: Option<LoginName>,
        is_done: bool,
    }
}

impl Stored for CredentialBlock {}

impl Stored for InterruptionMailing {}

impl Stored for Restriction {}

#[derive(Serialize, Deserialize)]
pub(super) enum RestrictedV1 {
    Account(String),
    Organisation(String),
}

impl Form for Restricted {
    type Disk = RestrictedV1;

    fn to_disk(&self) -> RestrictedV1 {
        match self {
            Self::Account(login) => RestrictedV1::Account(login.to_disk()),
            Self::Organisation(code) => RestrictedV1::Organisation(code.to_disk()),
        }
    }

    fn from_disk(disk: RestrictedV1) -> Result<Self, Fault> {
        Ok(match disk {
            RestrictedV1::Account(login) => Self::Account(LoginName::from_disk(login)?),
            RestrictedV1::Organisation(code) => Self::Organisation(OrganisationCode::from_disk(code)?),
        })
    }
}

impl Form for News {
    type Disk = u8;

    fn to_disk(&self) -> u8 {
        match self {
            Self::Announced => 0,
            Self::Begun => 1,
            Self::CalledOff => 2,
            Self::Over => 3,
        }
    }

    fn from_disk(disk: u8) -> Result<Self, Fault> {
        Ok(match disk {
            0 => Self::Announced,
            1 => Self::Begun,
            2 => Self::CalledOff,
            3 => Self::Over,
            _ => return Err(Fault::new(format!("read stored news of an interruption: number {disk} is unknown"))),
        })
    }
}

impl Form for Service {
    type Disk = u8;

    fn to_disk(&self) -> u8 {
        self.number()
    }

    fn from_disk(disk: u8) -> Result<Self, Fault> {
        let found = Self::ALL.iter().copied().find(|service| service.number() == disk);
        found.ok_or_else(|| Fault::new(format!("read a stored service: number {disk} is unknown")))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{decode, encode};
    use super::*;
    use crate::domain::record::Record;

    /// Number of the kind, then the bytes. Never change a line: catalogs on disk hold such bytes.
    const GOLDEN: &[&str] = &[
        "105 0107726f626f742d310a5348413235363a6162630b6c6f7374206c6170746f7080d8c1a28c3400",
        "105 0107726f626f742d3107746f6b656e3a310b6c6f7374206c6170746f7080d8c1a28c340180c8f4f48c34",
        "106 010007726f626f742d31000001056b77696a748090dbcb8c34",
        "106 01010d67656d65656e74652d64656d6f0101008090dbcb8c34",
        "106 01010d67656d65656e74652d64656d6f0202008090dbcb8c34",
        "107 010909090909090909090909090909090902096f6e646572686f75648090dbcb8c3480c8f4f48c34000000",
        "107 010909090909090909090909090909090902096f6e646572686f75648090dbcb8c3480c8f4f48c34010110616e6e61406f6e652e6578616d706c6501",
        "107 010909090909090909090909090909090902096f6e646572686f75648090dbcb8c3480c8f4f48c34020000",
        "107 010909090909090909090909090909090902096f6e646572686f75648090dbcb8c3480c8f4f48c34030000",
    ];

    fn records() -> Vec<Record> {
        let line = |text: &str| Line::parse(text).unwrap();
        let login = LoginName::parse("robot-1").unwrap();
        let at = |days: u64| Moment::from_millis(1_790_000_000_000 + days * 86_400_000);
        let block = |until| Block { reason: line("lost laptop"), since: at(0), until };
        let restriction =
            |subject, service, reason, note| Restriction { subject, service, reason, note, since: at(1) }.into();
        let mailing = |news, after: Option<LoginName>| {
            let id = InterruptionId::from_bytes([9; 16]);
            let (reach, nature, is_done) = (Reach::All, line("onderhoud"), after.is_some());
            let (from, until) = (at(1), at(2));
            InterruptionMailing { interruption: id, reach, nature, from, until, news, after, is_done }.into()
        };
        let organisation = || Restricted::Organisation(OrganisationCode::parse("gemeente-demo").unwrap());
        vec![
            CredentialBlock { login: login.clone(), credential: "SHA256:abc".to_owned(), block: block(None) }.into(),
            CredentialBlock { login: login.clone(), credential: "token:1".to_owned(), block: block(Some(at(2))) }
                .into(),
            restriction(Restricted::Account(login), Service::Fetch, EndReason::Misuse, Some(line("kwijt"))),
            restriction(organisation(), Service::Deliver, EndReason::TermsNotAccepted, None),
            restriction(organisation(), Service::Request, EndReason::SpecialCircumstances, None),
            mailing(News::Announced, None),
            mailing(News::Begun, Some(LoginName::parse("anna@one.example").unwrap())),
            mailing(News::CalledOff, None),
            mailing(News::Over, None),
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

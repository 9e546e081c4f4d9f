//! Disk forms of the terms of use. Field order is the form.

use core::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{Form, struct_form};
use crate::domain::account::Language;
use crate::domain::digest::Digest;
use crate::domain::moment::Moment;
use crate::domain::names::{EmailAddress, Line, LoginName, VersionName};
use crate::domain::terms::{AcceptedBy, Telling, TermsAcceptance, TermsText, TermsVersion};
use crate::ports::failure::Fault;

struct_form! {
    TermsVersionV1 = TermsVersion {
        number: u32,
        name: VersionName,
        published_at: Moment,
        effective_at: Moment,
        refusable_until: Moment,
        grace_until: Moment,
        sha256: Digest,
        english_sha256: Option<Digest>,
        telling: Telling,
    }
    TermsTextV1 = TermsText { number: u32, language: Language, part: u32, text: String, }
    TermsAcceptanceV1 = TermsAcceptance {
        login: LoginName,
        number: u32,
        at: Moment,
        address: Option<IpAddr>,
        by: AcceptedBy,
        states_reachable: bool,
    }
}

#[derive(Serialize, Deserialize)]
pub(super) enum TellingV1 {
    UnderWay { after: Option<String> },
    Done,
}

impl Form for Telling {
    type Disk = TellingV1;

    fn to_disk(&self) -> TellingV1 {
        match self {
            Self::UnderWay { after } => TellingV1::UnderWay { after: after.to_disk() },
            Self::Done => TellingV1::Done,
        }
    }

    fn from_disk(disk: TellingV1) -> Result<Self, Fault> {
        Ok(match disk {
            TellingV1::UnderWay { after } => Self::UnderWay { after: Option::<LoginName>::from_disk(after)? },
            TellingV1::Done => Self::Done,
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) enum AcceptedByV1 {
    Oneself,
    Owner(String),
    Administrator(String),
    Operator(String),
}

impl Form for AcceptedBy {
    type Disk = AcceptedByV1;

    fn to_disk(&self) -> AcceptedByV1 {
        match self {
            Self::Oneself => AcceptedByV1::Oneself,
            Self::Owner(address) => AcceptedByV1::Owner(address.to_disk()),
            Self::Administrator(login) => AcceptedByV1::Administrator(login.to_disk()),
            Self::Operator(line) => AcceptedByV1::Operator(line.to_disk()),
        }
    }

    fn from_disk(disk: AcceptedByV1) -> Result<Self, Fault> {
        Ok(match disk {
            AcceptedByV1::Oneself => Self::Oneself,
            AcceptedByV1::Owner(address) => Self::Owner(EmailAddress::from_disk(address)?),
            AcceptedByV1::Administrator(login) => Self::Administrator(LoginName::from_disk(login)?),
            AcceptedByV1::Operator(line) => Self::Operator(Line::from_disk(line)?),
        })
    }
}

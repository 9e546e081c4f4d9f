//! Disk forms of what people sign in with. Field order is the form.

use serde::{Deserialize, Serialize};

use super::{Form, struct_form};
use crate::domain::account::Language;
use crate::domain::credentials::{AccountLink, Assurance, CodeApp, Credentials, LinkPurpose, PasswordHash, WebSession};
use crate::domain::digest::Digest;
use crate::domain::ids::{FactorId, LinkId};
use crate::domain::moment::Moment;
use crate::domain::names::{EmailAddress, Kvk, Line, LoginName, OrganisationCode};
use crate::domain::request::{AccountRequest, Employer, RequestAddress, RequestStage, Salutation};
use crate::ports::failure::Fault;

struct_form! {
    AccountRequestV1 = AccountRequest {
        id: LinkId,
        email: EmailAddress,
        salutation: Salutation,
        name: Option<Line>,
        organisation: Employer,
        language: Language,
        invited_by: Option<LoginName>,
        made_at: Moment,
        mails: u32,
        stage: RequestStage,
    }
    RequestAddressV1 = RequestAddress { login: LoginName, request: LinkId, }
    PasswordHashV1 = PasswordHash { phc: String, set_at: Moment, }
    CodeAppV1 = CodeApp { id: FactorId, added_at: Moment, confirmed_at: Option<Moment>, last_step: u64, }
    AccountLinkV1 = AccountLink { id: LinkId, login: LoginName, purpose: LinkPurpose, until: Moment, }
    CredentialsV1 = Credentials {
        login: LoginName,
        password: Option<PasswordHash>,
        code_apps: Vec<CodeApp>,
        recovery_codes: Vec<Digest>,
        link: Option<LinkId>,
        known_sources: Vec<Digest>,
    }
    WebSessionV1 = WebSession {
        secret_sha256: Digest,
        login: LoginName,
        begun_at: Moment,
        ends_at: Moment,
        assurance: Assurance,
    }
}

#[derive(Serialize, Deserialize)]
pub(super) enum EmployerV1 {
    Known(String),
    Stated { name: String, kvk: Option<String> },
}

impl Form for Employer {
    type Disk = EmployerV1;

    fn to_disk(&self) -> EmployerV1 {
        match self {
            Self::Known(code) => EmployerV1::Known(code.to_disk()),
            Self::Stated { name, kvk } => EmployerV1::Stated { name: name.to_disk(), kvk: kvk.to_disk() },
        }
    }

    fn from_disk(disk: EmployerV1) -> Result<Self, Fault> {
        Ok(match disk {
            EmployerV1::Known(code) => Self::Known(OrganisationCode::from_disk(code)?),
            EmployerV1::Stated { name, kvk } => {
                Self::Stated { name: Line::from_disk(name)?, kvk: Option::<Kvk>::from_disk(kvk)? }
            }
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) enum RequestStageV1 {
    Unconfirmed { until: u64 },
    Waiting { since: u64 },
}

impl Form for RequestStage {
    type Disk = RequestStageV1;

    fn to_disk(&self) -> RequestStageV1 {
        match self {
            Self::Unconfirmed { until } => RequestStageV1::Unconfirmed { until: until.to_disk() },
            Self::Waiting { since } => RequestStageV1::Waiting { since: since.to_disk() },
        }
    }

    fn from_disk(disk: RequestStageV1) -> Result<Self, Fault> {
        Ok(match disk {
            RequestStageV1::Unconfirmed { until } => Self::Unconfirmed { until: Moment::from_millis(until) },
            RequestStageV1::Waiting { since } => Self::Waiting { since: Moment::from_millis(since) },
        })
    }
}

//! Disk forms of what organisations tell of themselves. Field order is the form.

use serde::{Deserialize, Serialize};

use super::{Form, struct_form};
use crate::domain::moment::Moment;
use crate::domain::names::{EmailAddress, Kvk, Line, LoginName, Oin, OrganisationCode};
use crate::domain::organisation_card::{
    ContactPerson, ContactPersons, ContactRole, IdentityChange, IdentityChangeStage, OrganisationCard,
    OrganisationIdentity,
};
use crate::ports::failure::Fault;

struct_form! {
    ContactPersonV1 = ContactPerson { role: ContactRole, name: Line, email: EmailAddress, phone: Option<Line>, }
    OrganisationCardV1 = OrganisationCard {
        organisation: OrganisationCode,
        email: Option<EmailAddress>,
        phone: Option<Line>,
        address: Option<Line>,
        persons: ContactPersons,
        changed_at: Moment,
    }
    OrganisationIdentityV1 = OrganisationIdentity { name: Line, kvk: Option<Kvk>, oin: Option<Oin>, }
    IdentityChangeV1 = IdentityChange {
        organisation: OrganisationCode,
        wanted: OrganisationIdentity,
        asked_by: LoginName,
        asked_at: Moment,
        stage: IdentityChangeStage,
    }
}

impl Form for ContactRole {
    type Disk = u8;

    fn to_disk(&self) -> u8 {
        match self {
            Self::Functional => 0,
            Self::Technical => 1,
            Self::Privacy => 2,
            Self::Security => 3,
        }
    }

    fn from_disk(disk: u8) -> Result<Self, Fault> {
        Self::ALL
            .into_iter()
            .find(|role| role.to_disk() == disk)
            .ok_or_else(|| Fault::new(format!("read a stored role of a contact: number {disk} is unknown")))
    }
}

impl Form for ContactPersons {
    type Disk = Vec<ContactPersonV1>;

    fn to_disk(&self) -> Self::Disk {
        self.all().iter().map(Form::to_disk).collect()
    }

    fn from_disk(disk: Self::Disk) -> Result<Self, Fault> {
        let persons = disk.into_iter().map(ContactPerson::from_disk).collect::<Result<_, _>>()?;
        Self::new(persons).map_err(|refusal| Fault::new(format!("read stored contact persons: {refusal}")))
    }
}

#[derive(Serialize, Deserialize)]
pub(super) enum IdentityChangeStageV1 {
    Waiting,
    Rejected { at: u64, reason: String },
}

impl Form for IdentityChangeStage {
    type Disk = IdentityChangeStageV1;

    fn to_disk(&self) -> IdentityChangeStageV1 {
        match self {
            Self::Waiting => IdentityChangeStageV1::Waiting,
            Self::Rejected { at, reason } => {
                IdentityChangeStageV1::Rejected { at: at.to_disk(), reason: reason.to_disk() }
            }
        }
    }

    fn from_disk(disk: IdentityChangeStageV1) -> Result<Self, Fault> {
        Ok(match disk {
            IdentityChangeStageV1::Waiting => Self::Waiting,
            IdentityChangeStageV1::Rejected { at, reason } => {
                Self::Rejected { at: Moment::from_millis(at), reason: Line::from_disk(reason)? }
            }
        })
    }
}

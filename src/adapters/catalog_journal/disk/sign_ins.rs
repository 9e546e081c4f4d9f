//! Disk forms of what is kept of sessions of people, and of passkeys. Field order is the form.

use super::{Form, struct_form};
use crate::domain::bodies::BodySlot;
use crate::domain::credentials::Assurance;
use crate::domain::digest::Digest;
use crate::domain::ids::{FactorId, SessionId};
use crate::domain::moment::Moment;
use crate::domain::names::{Line, LoginName};
use crate::domain::passkey::{Passkey, PasskeyOwner};
use crate::domain::sign_in_record::{SessionEnd, SignInRecord};
use crate::ports::failure::Fault;

struct_form! {
    SignInRecordV1 = SignInRecord {
        login: LoginName,
        begun_at: Moment,
        session: SessionId,
        assurance: Assurance,
        ended_at: Option<Moment>,
        ending: Option<SessionEnd>,
        slot: BodySlot,
        place: Vec<u8>,
    }
    PasskeyV1 = Passkey {
        login: LoginName,
        id: FactorId,
        name: Line,
        credential: Vec<u8>,
        credential_sha256: Digest,
        added_at: Moment,
        last_used_at: Option<Moment>,
    }
    PasskeyOwnerV1 = PasskeyOwner { credential_sha256: Digest, login: LoginName, id: FactorId, }
}

impl Form for SessionEnd {
    type Disk = u8;

    fn to_disk(&self) -> u8 {
        self.number()
    }

    fn from_disk(disk: u8) -> Result<Self, Fault> {
        Self::from_number(disk)
            .ok_or_else(|| Fault::new(format!("read a stored end of a session: number {disk} is unknown")))
    }
}

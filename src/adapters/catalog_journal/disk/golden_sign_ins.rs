//! Golden bytes of what is kept of sessions of people. A difference means that catalogs on disk can no
//! longer be read.

use super::{decode, encode};
use crate::domain::bodies::{BodyClass, BodySlot};
use crate::domain::credentials::{Assurance, WebSession};
use crate::domain::digest::Digest;
use crate::domain::ids::{FactorId, SessionId};
use crate::domain::moment::Moment;
use crate::domain::names::{Line, LoginName};
use crate::domain::passkey::{Passkey, PasskeyOwner};
use crate::domain::record::Record;
use crate::domain::sign_in_record::{SessionEnd, SignInRecord};

const VALUES: &str = include_str!("../../../../fixtures/catalog/v1/sign-ins.txt");

fn records() -> Vec<Record> {
    let at = |seconds: u64| Moment::from_millis(1_790_000_000_000 + seconds * 1_000);
    let login = || LoginName::parse("anna@demo.example").unwrap();
    let open = SignInRecord {
        login: login(),
        begun_at: at(0),
        session: SessionId::from_bytes([7; 16]),
        assurance: Assurance::PasswordAndPasskey,
        ended_at: None,
        ending: None,
        slot: BodySlot::new(BodyClass::SignIns, 2026, 11).unwrap(),
        place: vec![1, 2, 255],
    };
    let ended = SignInRecord {
        ended_at: Some(at(60)),
        ending: Some(SessionEnd::FactorChanged),
        assurance: Assurance::PasswordAndCode,
        ..open.clone()
    };
    let session = |assurance| WebSession {
        secret_sha256: Digest::new([0x5a; 32]),
        login: login(),
        begun_at: at(0),
        ends_at: at(9),
        assurance,
    };
    let passkey = |last_used_at| Passkey {
        login: login(),
        id: FactorId::from_bytes([8; 16]),
        name: Line::parse("laptop").unwrap(),
        credential: vec![3, 2, 1],
        credential_sha256: Digest::new([0x5a; 32]),
        added_at: at(1),
        last_used_at,
    };
    vec![
        open.into(),
        ended.into(),
        session(Assurance::PasswordAndPasskey).into(),
        passkey(None).into(),
        passkey(Some(at(9))).into(),
        PasskeyOwner { credential_sha256: Digest::new([0x5a; 32]), login: login(), id: FactorId::from_bytes([8; 16]) }
            .into(),
    ]
}

#[test]
fn sessions_are_written_as_ever_and_read_back() {
    let written =
        |record: &Record| format!("{} {}", record.kind(), data_encoding::HEXLOWER.encode(&encode(record).unwrap()));
    let golden: Vec<&str> = VALUES.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(records().iter().map(written).collect::<Vec<_>>(), golden);
    for (line, record) in golden.into_iter().zip(records()) {
        let (kind, bytes) = line.split_once(' ').unwrap();
        let bytes = data_encoding::HEXLOWER.decode(bytes.as_bytes()).unwrap();
        assert_eq!(decode(kind.parse().unwrap(), &bytes).unwrap(), record, "{line}");
    }
}

//! Disk forms of what is kept about connections. Field order is the form.

use super::struct_form;
use crate::domain::connections::{CredentialUse, EndWarning};
use crate::domain::moment::Moment;
use crate::domain::names::LoginName;

struct_form! {
    CredentialUseV1 = CredentialUse { login: LoginName, credential: String, at: Moment, }
    EndWarningV1 = EndWarning { login: LoginName, credential: String, expires_at: Moment, told_at: Moment, }
}

#[cfg(test)]
mod tests {
    use crate::adapters::catalog_journal::disk::rows::{decode, encode};
    use crate::domain::connections::{CredentialUse, EndWarning};
    use crate::domain::moment::Moment;
    use crate::domain::names::LoginName;
    use crate::domain::record::Record;

    /// One value of each kind, as version 1 wrote it. A difference means that catalogs on disk cannot be read.
    const GOLDEN: &str = include_str!("../../../../fixtures/catalog/v1/connections.txt");

    fn records() -> Vec<Record> {
        let (login, at) = (LoginName::parse("alpha-robot").unwrap(), Moment::from_millis(1_790_000_000_000));
        let use_of = |credential: &str| CredentialUse { login: login.clone(), credential: credential.to_owned(), at };
        let told = Moment::from_millis(1_789_000_000_000);
        vec![
            use_of("SHA256:abc").into(),
            use_of("token:f1f1f1f1-f1f1-f1f1-f1f1-f1f1f1f1f1f1").into(),
            EndWarning { login, credential: "SHA256:abc".to_owned(), expires_at: at, told_at: told }.into(),
        ]
    }

    #[test]
    fn rows_are_written_and_read_as_ever() {
        let lines: Vec<&str> = GOLDEN.lines().filter(|line| !line.starts_with('#')).collect();
        let written =
            |record: &Record| format!("{} {}", record.kind(), data_encoding::HEXLOWER.encode(&encode(record).unwrap()));
        assert_eq!(records().iter().map(written).collect::<Vec<_>>(), lines);
        for (line, record) in lines.into_iter().zip(records()) {
            let (kind, hex) = line.split_once(' ').unwrap();
            let bytes = data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap();
            assert_eq!(decode(kind.parse().unwrap(), &bytes).unwrap(), record);
        }
    }
}

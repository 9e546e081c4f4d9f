//! Golden bytes of the terms of use: a difference means that catalogs on disk can no longer be read.

use super::{decode, encode};
use crate::domain::account::Language;
use crate::domain::digest::Digest;
use crate::domain::moment::Moment;
use crate::domain::names::{EmailAddress, Line, LoginName, VersionName};
use crate::domain::record::Record;
use crate::domain::terms::{AcceptedBy, Telling, TermsAcceptance, TermsText, TermsVersion};

const GOLDEN: &str = include_str!("../../../../fixtures/catalog/v1/terms.txt");

const AT: Moment = Moment::from_millis(1_790_000_000_000);

fn login() -> LoginName {
    LoginName::parse("robot-1").unwrap()
}

fn records() -> Vec<Record> {
    let version = |telling, english_sha256| TermsVersion {
        number: 2,
        name: VersionName::parse("1.1").unwrap(),
        published_at: AT,
        effective_at: Moment::from_millis(1_790_000_000_001),
        refusable_until: Moment::from_millis(1_790_000_000_002),
        grace_until: Moment::from_millis(1_790_000_000_003),
        sha256: Digest::new([0x5a; 32]),
        english_sha256,
        telling,
    };
    let acceptance = |by, address: Option<&str>| TermsAcceptance {
        login: login(),
        number: 2,
        at: AT,
        address: address.map(|address| address.parse().unwrap()),
        states_reachable: address.is_some(),
        by,
    };
    vec![
        version(Telling::UnderWay { after: None }, None).into(),
        version(Telling::UnderWay { after: Some(login()) }, Some(Digest::new([0x5b; 32]))).into(),
        version(Telling::Done, None).into(),
        TermsText { number: 2, language: Language::Dutch, part: 0, text: "# Artikel 1".to_owned() }.into(),
        TermsText { number: 2, language: Language::English, part: 300, text: "x".to_owned() }.into(),
        acceptance(AcceptedBy::Oneself, Some("192.0.2.7")).into(),
        acceptance(AcceptedBy::Owner(EmailAddress::parse("jan@demo.example").unwrap()), Some("2001:db8::7")).into(),
        acceptance(AcceptedBy::Administrator(login()), None).into(),
        acceptance(AcceptedBy::Operator(Line::parse("op papier").unwrap()), None).into(),
    ]
}

#[test]
fn terms_are_written_as_ever_and_read_back() {
    let golden: Vec<&str> = GOLDEN.lines().filter(|line| !line.starts_with('#')).collect();
    let written: Vec<String> = records()
        .iter()
        .map(|record| format!("{} {}", record.kind(), data_encoding::HEXLOWER.encode(&encode(record).unwrap())))
        .collect();
    assert_eq!(written, golden, "{}", written.join("\n"));
    for (line, record) in golden.iter().zip(records()) {
        let (kind, hex) = line.split_once(' ').unwrap();
        let bytes = data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap();
        assert_eq!(decode(kind.parse().unwrap(), &bytes).unwrap(), record, "{line}");
    }
    let long = "é".repeat(crate::domain::terms::MOST_TEXT_BYTES / 2);
    for row in TermsText::rows_of(u32::MAX, Language::Dutch, &long) {
        assert!(encode(&row.into()).is_ok(), "a part fits into a value");
    }
}

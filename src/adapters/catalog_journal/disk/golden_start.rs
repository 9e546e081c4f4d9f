//! Golden bytes of what organisations tell of themselves (kinds 80 and 81). A difference
//! means that catalogs on disk can no longer be read.

use super::{decode, encode};
use crate::domain::moment::Moment;
use crate::domain::names::{EmailAddress, Kvk, Line, LoginName, Oin, OrganisationCode};
use crate::domain::organisation_card::{
    ContactPerson, ContactPersons, ContactRole, IdentityChange, IdentityChangeStage, OrganisationCard,
    OrganisationIdentity,
};
use crate::domain::record::Record;

/// As version 1 wrote them.
const FIRST: &str = include_str!("../../../../fixtures/catalog/v1/organisation-cards.txt");

fn line(text: &str) -> Line {
    Line::parse(text).unwrap()
}

fn records() -> Vec<Record> {
    let at = Moment::from_millis(1_790_000_000_000);
    let code = || OrganisationCode::parse("gemeente-demo").unwrap();
    let email = || EmailAddress::parse("anna@demo.example").unwrap();
    let person = |role| ContactPerson { role, name: line("Anna"), email: email(), phone: Some(line("030 1234567")) };
    let card = OrganisationCard {
        organisation: code(),
        email: Some(email()),
        phone: Some(line("030 1234567")),
        address: Some(line("Plein 1, 1234 AB Demo")),
        persons: ContactPersons::new(ContactRole::ALL.into_iter().map(person).collect()).unwrap(),
        changed_at: at,
    };
    let change = |wanted, stage| IdentityChange {
        organisation: code(),
        wanted,
        asked_by: LoginName::parse("anna@demo.example").unwrap(),
        asked_at: at,
        stage,
    };
    let full = OrganisationIdentity {
        name: line("Gemeente Demo"),
        kvk: Some(Kvk::parse("12345678").unwrap()),
        oin: Some(Oin::parse("00000001234567890000").unwrap()),
    };
    let bare = OrganisationIdentity { name: line("Demo"), kvk: None, oin: None };
    vec![
        card.into(),
        OrganisationCard::empty(code(), at).into(),
        change(full, IdentityChangeStage::Waiting).into(),
        change(bare, IdentityChangeStage::Rejected { at, reason: line("niet ons register") }).into(),
    ]
}

#[test]
fn organisation_cards_are_written_and_read_as_ever() {
    let written: Vec<String> = records()
        .iter()
        .map(|record| format!("{} {}", record.kind(), data_encoding::HEXLOWER.encode(&encode(record).unwrap())))
        .collect();
    let golden: Vec<&str> = FIRST.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(written, golden);
    for (line, record) in golden.iter().zip(records()) {
        let (kind, hex) = line.split_once(' ').unwrap();
        let bytes = data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap();
        assert_eq!(decode(kind.parse().unwrap(), &bytes).unwrap(), record, "{line}");
    }
}

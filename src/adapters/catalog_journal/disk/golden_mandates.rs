//! Golden bytes of mandates and what follows from them. A difference means that
//! catalogs on disk can no longer be read.

use std::collections::BTreeSet;

use super::{decode, encode};
use crate::domain::block::{Block, EndReason, Standing};
use crate::domain::ids::MandateId;
use crate::domain::mandate::{AccountScope, MOST_PRODUCTS, Mandate, MandateDue, MandatedRight, Scope};
use crate::domain::moment::{Moment, Span};
use crate::domain::names::{Line, LoginName, OrganisationCode, ProductCode};
use crate::domain::record::Record;

const GOLDEN: &str = include_str!("../../../../fixtures/catalog/v1/mandates.txt");
const ID: MandateId = MandateId::from_bytes([0x3d; 16]);

fn at(days: u64) -> Moment {
    Moment::from_millis(1_790_000_000_000).after(Span::from_days(days))
}

fn code(text: &str) -> OrganisationCode {
    OrganisationCode::parse(text).unwrap()
}

fn mandate(products: BTreeSet<ProductCode>, until: Option<Moment>, standing: Standing) -> Mandate {
    Mandate {
        id: ID,
        intermediary: code("kantoor"),
        client: code("gemeente-demo"),
        scope: Scope::new(products).unwrap(),
        from: at(1),
        warned: until.is_some(),
        due: until,
        until,
        standing,
        added_at: at(0),
    }
}

fn records() -> Vec<Record> {
    let products = |codes: &[&str]| codes.iter().map(|code| ProductCode::parse(code).unwrap()).collect();
    let block = Block { reason: Line::parse("onderzoek").unwrap(), since: at(2), until: Some(at(3)) };
    let login = LoginName::parse("robot-1").unwrap();
    vec![
        mandate(products(&["leerlingen", "verzuim"]), Some(at(90)), Standing::Active).into(),
        mandate(products(&["leerlingen"]), None, Standing::Blocked(block)).into(),
        mandate(products(&["leerlingen"]), None, Standing::Ended { at: at(4), reason: Some(EndReason::Misuse) }).into(),
        MandatedRight { mandate: ID, login: login.clone(), product: ProductCode::parse("leerlingen").unwrap() }.into(),
        MandateDue { at: at(60), mandate: ID, intermediary: code("kantoor"), client: code("gemeente-demo") }.into(),
        AccountScope { login, client: code("gemeente-demo") }.into(),
    ]
}

#[test]
fn golden_bytes_are_written_and_read_back() {
    let lines: Vec<&str> = GOLDEN.lines().filter(|line| !line.starts_with('#')).collect();
    let written =
        |record: &Record| format!("{} {}", record.kind(), data_encoding::HEXLOWER.encode(&encode(record).unwrap()));
    assert_eq!(records().iter().map(written).collect::<Vec<_>>(), lines);
    for (line, record) in lines.into_iter().zip(records()) {
        let (kind, hex) = line.split_once(' ').unwrap();
        let bytes = data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap();
        assert_eq!(decode(kind.parse().unwrap(), &bytes).unwrap(), record, "{line}");
    }
}

#[test]
fn the_largest_scope_fits_in_a_value() {
    let products = (0..MOST_PRODUCTS).map(|n| ProductCode::parse(&format!("{n:0>32}")).unwrap()).collect();
    let record = Record::from(mandate(products, None, Standing::Active));
    assert_eq!(decode(record.kind(), &encode(&record).unwrap()).unwrap(), record);
}

//! Disk forms of the register of security incidents. Field order is the form; numbers of values are never reused.

use serde::{Deserialize, Serialize};

use super::{Form, struct_form};
use crate::domain::ids::DeliveryId;
use crate::domain::incident::{
    Concerned, EntryKind, Incident, IncidentDue, IncidentEntry, IncidentFacts, IncidentState, IncidentText, Origin,
    PersonalData, Property, Reminded, ReportDecision, Severity,
};
use crate::domain::moment::Moment;
use crate::domain::names::{Line, OrganisationCode, ProductCode};
use crate::ports::failure::Fault;

struct_form! {
    IncidentFactsV1 = IncidentFacts {
        title: Line,
        description: IncidentText,
        threatens: Vec<Property>,
        origin: Origin,
        severity: Severity,
        personal_data: PersonalData,
        discovered_at: Moment,
        occurred_from: Option<Moment>,
        occurred_until: Option<Moment>,
        concerned: Concerned,
    }
    ConcernedV1 = Concerned {
        organisations: Vec<OrganisationCode>,
        products: Vec<ProductCode>,
        deliveries: Vec<DeliveryId>,
    }
    IncidentV1 = Incident {
        number: u32,
        opened_at: Moment,
        facts: IncidentFacts,
        state: IncidentState,
        report: Option<ReportDecision>,
        persons_told_at: Option<Moment>,
        reminded: Reminded,
        entries: u32,
    }
    IncidentEntryV1 = IncidentEntry { incident: u32, index: u32, at: Moment, by: String, kind: EntryKind, text: String, }
    IncidentDueV1 = IncidentDue { at: Moment, incident: u32, }
}

macro_rules! lists {
    ($($name:ty)*) => {$(
        impl Form for Vec<$name> {
            type Disk = Vec<<$name as Form>::Disk>;

            fn to_disk(&self) -> Self::Disk {
                self.iter().map(Form::to_disk).collect()
            }

            fn from_disk(disk: Self::Disk) -> Result<Self, Fault> {
                disk.into_iter().map(<$name>::from_disk).collect()
            }
        }
    )*};
}

lists! { Property OrganisationCode ProductCode DeliveryId }

macro_rules! numbers {
    ($($domain:ident, $what:literal { $($variant:ident = $number:literal,)* })*) => {$(
        impl Form for $domain {
            type Disk = u8;

            fn to_disk(&self) -> u8 {
                match self { $(Self::$variant => $number,)* }
            }

            fn from_disk(disk: u8) -> Result<Self, Fault> {
                match disk {
                    $($number => Ok(Self::$variant),)*
                    _ => Err(Fault::new(format!("read a stored {}: number {disk} is unknown", $what))),
                }
            }
        }
    )*};
}

numbers! {
    Property, "property that an incident threatens" { Reliability = 0, Confidentiality = 1, Availability = 2, }
    Origin, "origin of an incident" { Inside = 0, Outside = 1, }
    Severity, "severity of an incident" { Low = 0, Medium = 1, High = 2, Critical = 3, }
    PersonalData, "word on personal data" { No = 0, Yes = 1, Unknown = 2, }
    Reminded, "reminder of an incident" { Not = 0, Near = 1, Past = 2, }
    EntryKind, "kind of entry of an incident" {
        Opened = 0,
        Note = 1,
        Measure = 2,
        Changed = 3,
        Contained = 4,
        Closed = 5,
        Reopened = 6,
        Reported = 7,
        NotReported = 8,
        PersonsTold = 9,
        Reminded = 10,
    }
}

impl Form for IncidentText {
    type Disk = String;

    fn to_disk(&self) -> String {
        self.as_str().to_owned()
    }

    /// What was taken once is read, whatever is taken today.
    fn from_disk(disk: String) -> Result<Self, Fault> {
        Ok(Self::stored(disk))
    }
}

/// Variants in this order, for good.
#[derive(Serialize, Deserialize)]
pub(super) enum IncidentStateV1 {
    Open,
    Contained(u64),
    Closed(u64),
}

impl Form for IncidentState {
    type Disk = IncidentStateV1;

    fn to_disk(&self) -> IncidentStateV1 {
        match self {
            Self::Open => IncidentStateV1::Open,
            Self::Contained(at) => IncidentStateV1::Contained(at.to_disk()),
            Self::Closed(at) => IncidentStateV1::Closed(at.to_disk()),
        }
    }

    fn from_disk(disk: IncidentStateV1) -> Result<Self, Fault> {
        Ok(match disk {
            IncidentStateV1::Open => Self::Open,
            IncidentStateV1::Contained(at) => Self::Contained(Moment::from_disk(at)?),
            IncidentStateV1::Closed(at) => Self::Closed(Moment::from_disk(at)?),
        })
    }
}

/// Variants in this order, for good.
#[derive(Serialize, Deserialize)]
pub(super) enum ReportDecisionV1 {
    Reported(u64, String),
    NotNeeded(u64, String),
}

impl Form for ReportDecision {
    type Disk = ReportDecisionV1;

    fn to_disk(&self) -> ReportDecisionV1 {
        match self {
            Self::Reported { at, reference } => ReportDecisionV1::Reported(at.to_disk(), reference.to_disk()),
            Self::NotNeeded { at, why } => ReportDecisionV1::NotNeeded(at.to_disk(), why.to_disk()),
        }
    }

    fn from_disk(disk: ReportDecisionV1) -> Result<Self, Fault> {
        Ok(match disk {
            ReportDecisionV1::Reported(at, reference) => {
                Self::Reported { at: Moment::from_disk(at)?, reference: Line::from_disk(reference)? }
            }
            ReportDecisionV1::NotNeeded(at, why) => {
                Self::NotNeeded { at: Moment::from_disk(at)?, why: Line::from_disk(why)? }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{MOST_VALUE_BYTES, decode, encode};
    use super::*;
    use crate::domain::incident::{MOST_CONCERNED, MOST_INCIDENT_BYTES};
    use crate::domain::record::Record;

    /// Number of the kind, then the bytes. Never change a line: catalogs on disk hold such bytes.
    const GOLDEN: &[&str] = &[
        "117 010180c8f4f48c340d536c657574656c206b77696a741a45656e20736c657574656c206c6167206f70207374726161742e01020000028090dbcb8c3400000000000000000002",
        "117 01ac0280c8f4f48c340d536c657574656c206b77696a741a45656e20736c657574656c206c6167206f70207374726161742e030001020103018090dbcb8c340180d8c1a28c34018090dbcb8c34010d67656d65656e74652d64656d6f01056c6f6e656e01070707070707070707070707070707070180808e9e8d34010080c8f4f48c340541502d31320180808e9e8d340102",
        "117 01ac0280c8f4f48c340d536c657574656c206b77696a741a45656e20736c657574656c206c6167206f70207374726161742e030001020103018090dbcb8c340180d8c1a28c34018090dbcb8c34010d67656d65656e74652d64656d6f01056c6f6e656e01070707070707070707070707070707070280b8a7c78d34010180c8f4f48c340b766572736c657574656c640180808e9e8d340202",
        "119 0180808e9e8d34ac02",
        "118 01ac020080c8f4f48c34087569643a31303030000647657a69656e",
        "118 01ac020180c8f4f48c34087569643a31303030010647657a69656e",
        "118 01ac020280c8f4f48c34087569643a31303030020647657a69656e",
        "118 01ac020380c8f4f48c34087569643a31303030030647657a69656e",
        "118 01ac020480c8f4f48c34087569643a31303030040647657a69656e",
        "118 01ac020580c8f4f48c34087569643a31303030050647657a69656e",
        "118 01ac020680c8f4f48c34087569643a31303030060647657a69656e",
        "118 01ac020780c8f4f48c34087569643a31303030070647657a69656e",
        "118 01ac020880c8f4f48c34087569643a31303030080647657a69656e",
        "118 01ac020980c8f4f48c34087569643a31303030090647657a69656e",
        "118 01ac020a80c8f4f48c34087569643a313030300a0647657a69656e",
    ];

    fn at(days: u64) -> Moment {
        Moment::from_millis(1_790_000_000_000 + days * 86_400_000)
    }

    fn line(text: &str) -> Line {
        Line::parse(text).unwrap()
    }

    fn incident(state: IncidentState, report: Option<ReportDecision>, reminded: Reminded) -> Incident {
        let is_first = report.is_none();
        Incident {
            number: if is_first { 1 } else { 300 },
            opened_at: at(2),
            facts: IncidentFacts {
                title: line("Sleutel kwijt"),
                description: IncidentText::parse("Een sleutel lag op straat.").unwrap(),
                threatens: if is_first { vec![Property::Availability] } else { Property::ALL.to_vec() },
                origin: if is_first { Origin::Inside } else { Origin::Outside },
                severity: if is_first { Severity::Low } else { Severity::Critical },
                personal_data: if is_first { PersonalData::Unknown } else { PersonalData::Yes },
                discovered_at: at(1),
                occurred_from: (!is_first).then(|| at(0)),
                occurred_until: (!is_first).then(|| at(1)),
                concerned: if is_first {
                    Concerned::default()
                } else {
                    Concerned {
                        organisations: vec![OrganisationCode::parse("gemeente-demo").unwrap()],
                        products: vec![ProductCode::parse("lonen").unwrap()],
                        deliveries: vec![DeliveryId::from_bytes([7; 16])],
                    }
                },
            },
            state,
            report,
            persons_told_at: (!is_first).then(|| at(3)),
            reminded,
            entries: 2,
        }
    }

    fn records() -> Vec<Record> {
        let reported = ReportDecision::Reported { at: at(2), reference: line("AP-12") };
        let not_needed = ReportDecision::NotNeeded { at: at(2), why: line("versleuteld") };
        let entry = |(index, kind): (u32, EntryKind)| {
            let (by, text) = ("uid:1000".to_owned(), "Gezien".to_owned());
            Record::from(IncidentEntry { incident: 300, index, at: at(2), by, kind, text })
        };
        let mut records: Vec<Record> = vec![
            incident(IncidentState::Open, None, Reminded::Not).into(),
            incident(IncidentState::Contained(at(3)), Some(reported), Reminded::Near).into(),
            incident(IncidentState::Closed(at(4)), Some(not_needed), Reminded::Past).into(),
            IncidentDue { at: at(3), incident: 300 }.into(),
        ];
        records.extend((0..).zip(EntryKind::ALL.iter().copied()).map(entry));
        records
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

    #[test]
    fn the_largest_that_is_taken_fits_a_value() {
        let code = |number: usize| format!("{number:0>64}");
        let mut row = incident(IncidentState::Open, None, Reminded::Not);
        row.facts.title = line(&"é".repeat(200));
        row.facts.description = IncidentText::parse(&"x".repeat(MOST_INCIDENT_BYTES)).unwrap();
        let organisation = |number| OrganisationCode::parse(&code(number)).ok();
        let product = |number| ProductCode::parse(&code(number)).ok();
        row.facts.concerned.organisations = (0..MOST_CONCERNED).filter_map(organisation).collect();
        row.facts.concerned.products = (0..MOST_CONCERNED).filter_map(product).collect();
        row.facts.concerned.deliveries = vec![DeliveryId::from_bytes([9; 16]); MOST_CONCERNED];
        row.report = Some(ReportDecision::Reported { at: at(1), reference: line(&"é".repeat(200)) });
        let bytes = encode(&row.into()).unwrap();
        assert!(bytes.len() < MOST_VALUE_BYTES / 2, "{}", bytes.len());
    }
}

//! Tests of the rules of the register of security incidents, with a fixed clock.

use super::*;

const HOUR: u64 = 3_600_000;

fn at(hours: u64) -> Moment {
    Moment::from_millis(1_790_000_000_000 + hours * HOUR)
}

fn facts(personal_data: PersonalData) -> IncidentFacts {
    IncidentFacts {
        title: Line::parse("Sleutel kwijt").unwrap(),
        description: IncidentText::parse("Een sleutel lag op straat.").unwrap(),
        threatens: vec![Property::Confidentiality],
        origin: Origin::Outside,
        severity: Severity::High,
        personal_data,
        discovered_at: at(0),
        occurred_from: None,
        occurred_until: None,
        concerned: Concerned::default(),
    }
}

fn incident(personal_data: PersonalData) -> Incident {
    Incident::opened(1, facts(personal_data), at(1))
}

fn reported() -> ReportDecision {
    ReportDecision::Reported { at: at(2), reference: Line::parse("AP-1").unwrap() }
}

fn not_needed() -> ReportDecision {
    ReportDecision::NotNeeded { at: at(2), why: Line::parse("versleuteld").unwrap() }
}

#[test]
fn the_deadline_is_72_hours_after_the_discovery_and_due_a_day_before() {
    assert_eq!(incident(PersonalData::No).deadline(), None);
    assert_eq!(incident(PersonalData::No).due(), None);
    for involved in [PersonalData::Yes, PersonalData::Unknown] {
        let row = incident(involved);
        assert_eq!((row.deadline(), row.due()), (Some(at(72)), Some(at(48))), "from the discovery, not the opening");
        let near = Incident { reminded: Reminded::Near, ..row.clone() };
        assert_eq!(near.due(), Some(at(72)));
        assert_eq!(Incident { reminded: Reminded::Past, ..row.clone() }.due(), None);
        let decided = near.clone().decided(reported(), at(3)).unwrap();
        assert_eq!((decided.due(), decided.pending_deadline(), decided.deadline()), (None, None, Some(at(72))));
        assert_eq!(near.decided(not_needed(), at(3)).unwrap().due(), None);
    }
}

#[test]
fn another_deadline_is_reminded_of_anew_and_the_same_one_is_not() {
    let row = Incident { reminded: Reminded::Past, ..incident(PersonalData::Unknown) };
    let same = row.clone().changed(IncidentFacts { severity: Severity::Low, ..facts(PersonalData::Yes) }, at(80));
    assert_eq!(same.unwrap().reminded, Reminded::Past);
    let later = IncidentFacts { discovered_at: at(10), ..facts(PersonalData::Yes) };
    assert_eq!(row.clone().changed(later, at(80)).unwrap().due(), Some(at(58)));
    assert_eq!(row.changed(facts(PersonalData::No), at(80)).unwrap().due(), None);
}

#[test]
fn it_is_closed_when_it_is_known_what_was_told_and_opened_again_only_then() {
    let state = |outcome: Result<Incident, Refusal>| outcome.map(|row| row.state);
    let wrong = |outcome: Result<Incident, Refusal>| assert!(matches!(outcome, Err(Refusal::WrongState(_))));
    wrong(incident(PersonalData::Unknown).closed(at(2)));
    wrong(incident(PersonalData::Yes).closed(at(2)));
    wrong(incident(PersonalData::Yes).reopened());
    assert_eq!(state(incident(PersonalData::No).closed(at(2))), Ok(IncidentState::Closed(at(2))));
    let contained = incident(PersonalData::Yes).contained(at(2)).unwrap();
    wrong(contained.clone().contained(at(3)));
    // that something is not needed stays unknown of what is unknown
    wrong(incident(PersonalData::Unknown).decided(not_needed(), at(2)).unwrap().closed(at(3)));
    let closed = contained.decided(reported(), at(3)).unwrap().closed(at(4)).unwrap();
    wrong(closed.clone().closed(at(5)));
    wrong(closed.clone().contained(at(5)));
    wrong(closed.clone().changed(facts(PersonalData::Yes), at(5)));
    wrong(closed.clone().decided(reported(), at(5)));
    wrong(closed.clone().told_persons(at(4), at(5)));
    assert_eq!(state(closed.reopened()), Ok(IncidentState::Open));
}

#[test]
fn the_first_report_stands_and_takes_the_place_of_no_report() {
    let row = incident(PersonalData::Yes).decided(not_needed(), at(2)).unwrap();
    let row = row.decided(reported(), at(3)).unwrap();
    let later = ReportDecision::Reported { at: at(3), reference: Line::parse("AP-2").unwrap() };
    let row = row.decided(later, at(4)).unwrap();
    assert_eq!(row.report, Some(reported()));
    assert!(matches!(row.decided(not_needed(), at(5)), Err(Refusal::WrongState(_))));
    for wrong in [at(9), Moment::from_millis(1)] {
        let decision = ReportDecision::Reported { at: wrong, reference: Line::parse("x").unwrap() };
        assert!(matches!(incident(PersonalData::Yes).decided(decision, at(8)), Err(Refusal::BadRequest(_))));
        assert!(matches!(incident(PersonalData::Yes).told_persons(wrong, at(8)), Err(Refusal::BadRequest(_))));
    }
}

#[test]
fn what_contradicts_itself_is_refused() {
    let judged = |facts: IncidentFacts| facts.judged(at(5));
    assert!(judged(facts(PersonalData::No)).is_ok());
    let bad = [
        IncidentFacts { threatens: Vec::new(), ..facts(PersonalData::No) },
        IncidentFacts { discovered_at: at(6), ..facts(PersonalData::No) },
        IncidentFacts { occurred_from: Some(at(1)), ..facts(PersonalData::No) },
        IncidentFacts { occurred_until: Some(at(6)), ..facts(PersonalData::No) },
        IncidentFacts {
            occurred_from: Some(at(0)),
            occurred_until: Some(Moment::from_millis(5)),
            ..facts(PersonalData::No)
        },
    ];
    for facts in bad {
        assert!(matches!(judged(facts), Err(Refusal::BadRequest(_))));
    }
    let many = (0..=MOST_CONCERNED).map(|number| OrganisationCode::parse(&format!("org-{number}")).unwrap());
    let concerned = Concerned { organisations: many.collect(), ..Concerned::default() };
    assert!(matches!(judged(IncidentFacts { concerned, ..facts(PersonalData::No) }), Err(Refusal::TooMuch(_))));
    let twice = IncidentFacts { threatens: vec![Property::Availability; 9], ..facts(PersonalData::No) };
    assert_eq!(judged(twice).unwrap().threatens, [Property::Availability]);
}

#[test]
fn texts_are_bounded_and_hold_no_citizen_number() {
    assert_eq!(IncidentText::parse(" a\r\nb ").unwrap().as_str(), "a\nb");
    assert!(IncidentText::parse(&"x".repeat(MOST_INCIDENT_BYTES)).is_ok());
    assert!(IncidentText::parse("zaak 123456789, leveringen 2026-0012").is_ok(), "nine digits that are none");
    for bad in ["", "a\u{7}", &"x".repeat(MOST_INCIDENT_BYTES + 1), "van 111222333 gezien", "bsn:111222333."] {
        let refusal = IncidentText::parse(bad).unwrap_err();
        assert!(!refusal.to_string().contains("111222333"), "{refusal}");
    }
    let title = Line::parse("Bestand van 111222333").unwrap();
    let refusal = IncidentFacts { title, ..facts(PersonalData::No) }.judged(at(5)).unwrap_err();
    assert!(!refusal.to_string().contains("111222333"), "{refusal}");
}

#[test]
fn words_are_read_as_shown_and_the_newest_comes_first() {
    for severity in Severity::ALL {
        assert_eq!(Severity::parse(severity.word()), Ok(*severity));
    }
    assert!(Property::parse("integrity").is_err() && Origin::parse("").is_err());
    assert!(Incident::key_of(2) < Incident::key_of(1));
    assert!(IncidentDue::key_of(at(1), 2) < IncidentDue::key_of(at(2), 1));
}

#[test]
fn what_differs_is_named() {
    let other = IncidentFacts { severity: Severity::Low, occurred_from: Some(at(0)), ..facts(PersonalData::Yes) };
    let told = facts(PersonalData::No).differing(&other);
    assert_eq!(told.iter().map(|(name, ..)| *name).collect::<Vec<_>>(), ["severity", "personal data", "from"]);
    assert_eq!(told[0], ("severity", "high".to_owned(), "low".to_owned()));
    assert_eq!((told[2].1.as_str(), told[2].2.clone()), ("unknown", at(0).to_string()));
    assert!(other.differing(&other).is_empty());
}

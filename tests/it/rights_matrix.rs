//! Holds `permits` against the reviewed truth table in `fixtures/rights-matrix.txt`:
//! every combination of every value is tried.

use postkluis::domain::refusal::Refusal;
use postkluis::domain::rights::{Act, Case, Condition, Coupling, Ground, Presence, Relation, Role, Services, permits};

const MATRIX: &str = include_str!("../../fixtures/rights-matrix.txt");

/// The cells of one permission, in the order of the file.
type Line = [String; 8];

fn lines() -> Vec<Line> {
    MATRIX
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
        .map(|line| {
            let cells: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            cells.try_into().unwrap_or_else(|cells| panic!("eight cells wanted: {cells:?}"))
        })
        .collect()
}

fn matches(cell: &str, word: &str) -> bool {
    cell == "*" || cell.split('|').any(|value| value == word)
}

fn every_case() -> impl Iterator<Item = (Act, Case)> {
    Act::ALL.iter().flat_map(|act| {
        Role::ALL.iter().flat_map(move |role| {
            Condition::ALL.iter().flat_map(move |condition| {
                Relation::ALL.iter().flat_map(move |relation| {
                    Coupling::ALL.iter().flat_map(move |coupling| {
                        Ground::ALL.iter().flat_map(move |ground| {
                            Presence::ALL.iter().flat_map(move |presence| {
                                Services::ALL.iter().map(move |services| {
                                    let case = Case {
                                        role: *role,
                                        condition: *condition,
                                        relation: *relation,
                                        coupling: *coupling,
                                        ground: *ground,
                                        presence: *presence,
                                        services: *services,
                                    };
                                    (*act, case)
                                })
                            })
                        })
                    })
                })
            })
        })
    })
}

fn words(act: Act, case: Case) -> [&'static str; 8] {
    [
        act.word(),
        case.role.word(),
        case.condition.word(),
        case.relation.word(),
        case.coupling.word(),
        case.ground.word(),
        case.presence.word(),
        case.services.word(),
    ]
}

#[test]
fn the_code_permits_exactly_what_the_file_allows() {
    let lines = lines();
    let mut tried = 0;
    let mut differing = Vec::new();
    for (act, case) in every_case() {
        let words = words(act, case);
        let allowed = lines.iter().any(|line| line.iter().zip(words).all(|(cell, word)| matches(cell, word)));
        tried += 1;
        if permits(act, case).is_ok() != allowed {
            differing.push(format!("{}: the file says {allowed}", words.join(" ")));
        }
    }
    assert_eq!(tried, 24 * 8 * 4 * 3 * 2 * 2 * 2 * 4, "a new act or fact must be in the file");
    assert!(differing.is_empty(), "{} cases differ, such as\n{}", differing.len(), differing.join("\n"));
}

#[test]
fn every_value_in_the_file_exists() {
    let known: Vec<Vec<&str>> = vec![
        Act::ALL.iter().map(|value| value.word()).collect(),
        Role::ALL.iter().map(|value| value.word()).collect(),
        Condition::ALL.iter().map(|value| value.word()).collect(),
        Relation::ALL.iter().map(|value| value.word()).collect(),
        Coupling::ALL.iter().map(|value| value.word()).collect(),
        Ground::ALL.iter().map(|value| value.word()).collect(),
        Presence::ALL.iter().map(|value| value.word()).collect(),
        Services::ALL.iter().map(|value| value.word()).collect(),
    ];
    for line in lines() {
        for (cell, known) in line.iter().zip(&known) {
            for value in cell.split('|').filter(|value| *value != "*") {
                assert!(known.contains(&value), "{value} in {line:?}");
            }
        }
    }
}

#[test]
fn strangers_learn_nothing_of_what_is_not_theirs() {
    for (act, case) in every_case() {
        let is_account = matches!(case.role, Role::Machine | Role::Person | Role::Administrator);
        let is_foreign = case.relation == Relation::Foreign || case.coupling == Coupling::Uncoupled;
        let is_read = matches!(
            act,
            Act::Browse | Act::Fetch | Act::ReadDeliveries | Act::Acknowledge | Act::Deliver | Act::SignOff
        );
        if is_account && is_foreign && is_read && case.condition == Condition::Open {
            assert!(matches!(permits(act, case), Err(Refusal::NotFound(_))), "{act:?} {case:?}");
        }
    }
}

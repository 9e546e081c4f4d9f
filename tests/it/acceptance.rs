//! docs/ACCEPTANCE.md names tests that exist, and has every number of domain 5.10.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Of domain 5.10.
const NUMBERS: usize = 30;

/// What stands where there is nothing to test yet.
const NOT_BUILT: &str = "not built yet";

#[test]
fn each_acceptance_test_is_held_by_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("docs/ACCEPTANCE.md")).expect("docs/ACCEPTANCE.md");
    let mut numbers = Vec::new();
    let mut faults = BTreeSet::new();
    for line in text.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, number, _, operations, program, _] = cells[..] else { continue };
        let Ok(number) = number.parse::<usize>() else { continue };
        numbers.push(number);
        for cell in [operations, program] {
            let named: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
            if named.is_empty() && cell != NOT_BUILT {
                faults.insert(format!("{number}: `{cell}` names no test"));
            }
            for name in named {
                let (file, test) = name.rsplit_once("::").unwrap_or((name, ""));
                let code = fs::read_to_string(root.join(format!("tests/it/{file}.rs"))).unwrap_or_default();
                if !code.contains(&format!("#[test]\nfn {test}()")) {
                    faults.insert(format!("{number}: there is no test {name}"));
                }
            }
        }
    }
    assert_eq!(numbers, (1..=NUMBERS).collect::<Vec<_>>());
    assert!(faults.is_empty(), "{faults:#?}");
}

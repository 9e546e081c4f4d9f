//! Holds what is linked against `.ci/deny.toml`: licences, banned crates and
//! where crates come from. Needs no network. Says nothing of advisories: those
//! need a database, which `cargo deny` asks where it can be reached.

use std::process::Command;

use toml::{Table, Value};

use crate::support::project::root;

/// One crate of the built graph.
struct Linked {
    name: String,
    licence: String,
}

fn rules() -> Table {
    include_str!("../../.ci/deny.toml").parse().expect(".ci/deny.toml")
}

fn texts(rules: &Table, section: &str, key: &str) -> Vec<String> {
    let list = rules[section][key].as_array().unwrap_or_else(|| panic!("[{section}] {key} is no list"));
    list.iter().map(|value| value.as_str().unwrap_or_else(|| panic!("[{section}] {key}")).to_owned()).collect()
}

/// Licences that one crate alone may have.
fn excepted(rules: &Table, name: &str) -> Vec<String> {
    let rows = rules["licenses"]["exceptions"].as_array().expect("[licenses] exceptions");
    let own = rows.iter().filter(|row| row["crate"].as_str() == Some(name));
    let allow = own.flat_map(|row| row["allow"].as_array().expect("a list")).filter_map(Value::as_str);
    allow.map(str::to_owned).collect()
}

fn banned(rules: &Table) -> Vec<(String, String)> {
    let rows = rules["bans"]["deny"].as_array().expect("[bans] deny");
    let text =
        |row: &Value, key: &str| row[key].as_str().unwrap_or_else(|| panic!("[bans] deny without {key}")).to_owned();
    rows.iter().map(|row| (text(row, "crate"), text(row, "reason"))).collect()
}

/// What is built for this machine with every feature, tools for building included, tests left out.
fn linked() -> Vec<Linked> {
    let asked = ["tree", "--locked", "--offline", "--all-features", "--edges", "normal,build", "--prefix", "none"];
    let output = Command::new(env!("CARGO"))
        .current_dir(root())
        .args(asked)
        .args(["--format", "{p}|{l}"])
        .output()
        .expect("cargo tree can be started");
    assert!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout)
        .expect("cargo tree writes UTF-8")
        .lines()
        .filter_map(|line| {
            let (package, licence) = line.trim_end_matches(" (*)").split_once('|')?;
            let name = package.split(' ').next()?.to_owned();
            Some(Linked { name, licence: licence.trim_end_matches(" (*)").to_owned() })
        })
        .collect()
}

/// Whether a licence expression (SPDX, and the older `A/B`) can be met with the allowed ones.
fn may_be_met(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let met = any_of(&words, &mut at, allowed);
    met && at == words.len()
}

fn any_of(words: &[&str], at: &mut usize, allowed: &[String]) -> bool {
    let mut met = all_of(words, at, allowed);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        met |= all_of(words, at, allowed);
    }
    met
}

fn all_of(words: &[&str], at: &mut usize, allowed: &[String]) -> bool {
    let mut met = one(words, at, allowed);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        met &= one(words, at, allowed);
    }
    met
}

fn one(words: &[&str], at: &mut usize, allowed: &[String]) -> bool {
    let Some(word) = words.get(*at) else { return false };
    *at += 1;
    if *word == "(" {
        let met = any_of(words, at, allowed);
        *at += 1;
        return met;
    }
    let mut licence = (*word).to_owned();
    if words.get(*at) == Some(&"WITH") {
        licence = format!("{licence} WITH {}", words.get(*at + 1).unwrap_or(&""));
        *at += 2;
    }
    allowed.contains(&licence)
}

fn foreign_sources(lock: &str, allowed: &[String]) -> Vec<String> {
    lock.lines()
        .filter_map(|line| line.strip_prefix("source = \"")?.strip_suffix('"'))
        .filter(|source| !allowed.iter().any(|registry| *source == format!("registry+{registry}")))
        .map(str::to_owned)
        .collect()
}

#[test]
fn licences_are_allowed() {
    let (linked, rules) = (linked(), rules());
    let allowed = texts(&rules, "licenses", "allow");
    assert!(linked.len() > 100, "only {} crates seen: cargo tree was read wrongly", linked.len());
    let wrong: Vec<String> = linked
        .iter()
        .filter(|one| !may_be_met(&one.licence, &[allowed.clone(), excepted(&rules, &one.name)].concat()))
        .map(|one| format!("{}: {}", one.name, one.licence))
        .collect();
    assert!(wrong.is_empty(), "not allowed by .ci/deny.toml:\n{}", wrong.join("\n"));
}

#[test]
fn nothing_banned_is_linked() {
    let linked = linked();
    for (name, reason) in banned(&rules()) {
        assert!(!linked.iter().any(|one| one.name == name), "{name} is linked: {reason}; see `cargo tree -i {name}`");
    }
}

#[test]
fn every_crate_comes_from_an_allowed_place() {
    let foreign = foreign_sources(include_str!("../../Cargo.lock"), &texts(&rules(), "sources", "allow-registry"));
    assert!(foreign.is_empty(), "Cargo.lock names other sources: {foreign:?}");
}

mod tests {
    use super::{foreign_sources, may_be_met};

    #[test]
    fn licence_expressions_are_understood() {
        let allowed = ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned);
        for met in [
            "MIT",
            "Apache-2.0/MIT",
            "GPL-3.0 OR MIT",
            "ISC AND (Apache-2.0 OR MIT)",
            "Apache-2.0 WITH LLVM-exception OR X",
        ] {
            assert!(may_be_met(met, &allowed), "{met}");
        }
        for unmet in ["", "GPL-3.0", "MIT AND GPL-3.0", "(MIT OR X) AND Apache-2.0", "Apache-2.0", "MIT X"] {
            assert!(!may_be_met(unmet, &allowed), "{unmet}");
        }
    }

    #[test]
    fn a_foreign_source_is_seen() {
        let lock = "[[package]]\nsource = \"registry+https://a\"\nsource = \"git+https://b\"\n";
        assert_eq!(foreign_sources(lock, &["https://a".to_owned()]), ["git+https://b"]);
    }
}

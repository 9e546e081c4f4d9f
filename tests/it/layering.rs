//! Holds the source against the architecture: which layer may name which, and
//! which outside crates. The tables are the architecture; a change of them is a
//! change of `docs/ARCHITECTURE.md`.

use crate::support::named_paths::{NamedPath, lines_with_word, module_of, named_paths};
use crate::support::project::files_ending;

/// What a layer may name of this crate besides itself, and whether it may be async.
struct Layer {
    name: &'static str,
    may_name: &'static [&'static str],
    may_be_async: bool,
}

/// The arrows. Any layer may name `domain`, so it stands everywhere.
const LAYERS: [Layer; 11] = [
    Layer { name: "domain", may_name: &[], may_be_async: false },
    Layer { name: "ports", may_name: &["domain"], may_be_async: false },
    Layer { name: "operations", may_name: &["ports", "domain"], may_be_async: false },
    Layer { name: "sealing", may_name: &["domain"], may_be_async: false },
    Layer { name: "adapters", may_name: &["sealing", "ports", "domain"], may_be_async: false },
    Layer { name: "config", may_name: &["domain"], may_be_async: false },
    Layer { name: "telemetry", may_name: &["domain"], may_be_async: false },
    Layer { name: "fronts", may_name: &["operations", "config", "telemetry", "domain"], may_be_async: true },
    Layer {
        name: "housekeeping",
        may_name: &["operations", "telemetry", "domain", "fronts::offload"],
        may_be_async: true,
    },
    Layer {
        name: "assembly",
        may_name: &[
            "housekeeping",
            "fronts",
            "adapters",
            "config",
            "operations",
            "ports",
            "sealing",
            "telemetry",
            "domain",
        ],
        may_be_async: true,
    },
    // The program itself: words of the command line in, an exit code out.
    Layer {
        name: "main",
        may_name: &["assembly", "fronts::cli", "config", "telemetry", "domain", "operations::Failure"],
        may_be_async: true,
    },
];

/// What tests beside the code may name more: the ports in memory.
const MORE_IN_TESTS: [(&str, &str); 2] = [("operations", "adapters::memory"), ("fronts", "adapters::memory")];

/// Outside crates that belong to some layers only. One that is not listed may be named anywhere but in `domain`.
const OUTSIDE: [(&str, &[&str]); 37] = [
    ("sha1", &["fronts"]),
    ("tokio", &["fronts", "housekeeping", "assembly", "main"]),
    ("tokio_rustls", &["fronts", "assembly"]),
    ("futures", &["fronts", "housekeeping", "assembly"]),
    ("russh", &["fronts", "assembly"]),
    ("russh_sftp", &["assembly"]),
    ("hyper", &["fronts", "assembly"]),
    ("hyper_util", &["fronts", "assembly"]),
    ("http_body_util", &["fronts", "assembly"]),
    ("multer", &["fronts"]),
    ("rustls", &["fronts", "adapters", "assembly"]),
    ("rcgen", &["assembly"]),
    ("x509_parser", &["assembly"]),
    ("notify", &["fronts"]),
    ("clap", &["fronts", "main"]),
    ("indicatif", &["fronts", "assembly"]),
    ("sled", &["adapters"]),
    ("postcard", &["adapters"]),
    ("crc32fast", &["adapters", "operations"]),
    ("lettre", &["adapters"]),
    ("csv_core", &["adapters"]),
    ("quick_xml", &["adapters"]),
    ("memchr", &["adapters"]),
    ("argon2", &["adapters"]),
    ("totp_rs", &["adapters"]),
    ("webauthn_rs", &["adapters"]),
    ("qrcodegen", &["fronts"]),
    ("askama", &["fronts"]),
    ("age", &["sealing", "adapters", "assembly"]),
    ("age_core", &["sealing", "adapters"]),
    ("aws_lc_rs", &["sealing", "adapters"]),
    ("rustix", &["adapters", "fronts", "assembly"]),
    ("serde", &["adapters", "config", "fronts", "assembly"]),
    ("serde_json", &["adapters", "fronts", "assembly", "main"]),
    ("toml", &["adapters", "config", "fronts", "assembly"]),
    ("tracing", &["adapters", "telemetry", "fronts", "housekeeping", "assembly", "main"]),
    ("tracing_subscriber", &["telemetry"]),
];

/// All that `domain` may name of what is outside: no I/O, no clock, no randomness, no serialisation.
const DOMAIN_MAY_NAME: [&str; 24] = [
    "std::borrow",
    "std::collections",
    "std::cmp",
    "std::error",
    "std::fmt",
    "std::hash",
    "std::iter",
    "std::mem",
    "std::net::IpAddr",
    "std::net::Ipv4Addr",
    "std::net::Ipv6Addr",
    "std::num",
    "std::ops",
    "std::ptr::eq",
    "std::rc",
    "std::str",
    "std::string",
    "std::sync::Arc",
    "std::vec",
    "core",
    "alloc",
    "sha2",
    "data_encoding",
    "zeroize",
];

/// Adapters that others build on: named by whom, and why that is no sideways arrow.
const SHARED_ADAPTERS: [(&str, &[&str]); 1] =
    // The one form of an e-mail, whichever way it leaves.
    [("letter", &["mailer_smtp", "mailer_folder"])];

/// The crate's own layers, and crates that name themselves in a path.
fn layer_of(module: &[String], path: &str) -> Option<&'static Layer> {
    let name = match module.first() {
        Some(first) => first.as_str(),
        None if path.ends_with("main.rs") => "main",
        None => return None, // lib.rs: the map itself, held by its own test
    };
    Some(LAYERS.iter().find(|layer| layer.name == name).unwrap_or_else(|| {
        panic!("{path} belongs to no layer: give it a row in LAYERS and a place in docs/ARCHITECTURE.md")
    }))
}

/// What is wrong in one file, each with its line.
fn wrongs(path: &str, text: &str) -> Vec<String> {
    let module = module_of(path);
    let Some(layer) = layer_of(&module, path) else { return Vec::new() };
    let mut wrongs = Vec::new();
    for named in named_paths(&module, text) {
        let wrong = match named.segments.first().map(String::as_str) {
            Some("crate") => inner_wrong(layer, &module, &named),
            _ => outer_wrong(layer, &named),
        };
        if let Some(why) = wrong {
            wrongs.push(format!("{path}:{}: {} {why}", named.line, named.segments.join("::")));
        }
    }
    if !layer.may_be_async && !is_test_file(&module) {
        for line in lines_with_word(text, "async").into_iter().chain(lines_with_word(text, "await")) {
            wrongs.push(format!("{path}:{line}: {} is synchronous; async lives in fronts", layer.name));
        }
    }
    wrongs
}

fn is_test_file(module: &[String]) -> bool {
    module.iter().any(|part| part == "tests" || part.ends_with("_tests"))
}

fn inner_wrong(layer: &Layer, module: &[String], named: &NamedPath) -> Option<String> {
    let target = named.segments.get(1..).unwrap_or_default();
    let first = target.first()?;
    if first == layer.name {
        return sideways(layer, module, target);
    }
    if !LAYERS.iter().any(|known| known.name == first) {
        return None; // a macro or item at the root, which lib.rs does not have
    }
    let in_tests = named.in_tests || is_test_file(module);
    let more = MORE_IN_TESTS.iter().filter(|(name, _)| in_tests && *name == layer.name).map(|(_, path)| *path);
    let allowed = layer.may_name.iter().copied().chain(more).any(|prefix| begins_with(target, prefix));
    (!allowed).then(|| {
        if layer.name == "fronts" && first == "ports" {
            "is a port: fronts see ports only through `operations`, which re-exports what they need".to_owned()
        } else {
            format!("is above or beside {}, which may name: {}", layer.name, layer.may_name.join(", "))
        }
    })
}

/// No front names another front and no adapter another adapter. A front is a folder
/// in `fronts/`; its single files are common ground. An adapter is a file or a folder.
fn sideways(layer: &Layer, module: &[String], target: &[String]) -> Option<String> {
    let kind = match layer.name {
        "fronts" => "front",
        "adapters" => "adapter",
        _ => return None,
    };
    let theirs = target.get(1)?.as_str();
    let own = module.get(1)?.as_str();
    let own = own.strip_suffix("_tests").unwrap_or(own);
    if own == theirs || !names_sibling(kind, theirs) {
        return None;
    }
    let shared = SHARED_ADAPTERS.iter().any(|(name, by)| kind == "adapter" && *name == theirs && by.contains(&own));
    (!shared).then(|| format!("is another {kind}: what two of them need belongs below both"))
}

fn names_sibling(kind: &str, name: &str) -> bool {
    match kind {
        "front" => FRONTS.contains(&name),
        _ => name.chars().next().is_some_and(char::is_lowercase),
    }
}

/// The fronts, by protocol.
const FRONTS: [&str; 5] = ["sftp", "https", "spool", "cli", "webhooks"];

fn outer_wrong(layer: &Layer, named: &NamedPath) -> Option<String> {
    let first = named.segments.first()?.as_str();
    if named.in_tests {
        return None;
    }
    if let Some((_, layers)) = OUTSIDE.iter().find(|(name, _)| *name == first)
        && !layers.contains(&layer.name)
    {
        return Some(format!("is not for {}: it belongs to {}", layer.name, layers.join(", ")));
    }
    let is_outside = ["std", "core", "alloc"].contains(&first) || OUTSIDE.iter().any(|(name, _)| *name == first);
    let may = || DOMAIN_MAY_NAME.iter().any(|prefix| begins_with(&named.segments, prefix));
    (layer.name == "domain" && is_outside && !may()).then(|| "is not for domain, which is pure".to_owned())
}

fn begins_with(segments: &[String], prefix: &str) -> bool {
    let mut segments = segments.iter();
    prefix.split("::").all(|part| segments.next().is_some_and(|segment| segment == part))
}

#[test]
fn arrows_point_one_way() {
    let files = files_ending("src", ".rs");
    assert!(files.len() > 50, "only {} files found below src: the walk is wrong", files.len());
    let wrongs: Vec<String> = files.iter().flat_map(|file| wrongs(&file.path, &file.text)).collect();
    assert!(wrongs.is_empty(), "the source and the architecture part (tests/it/layering.rs):\n{}", wrongs.join("\n"));
}

#[test]
fn every_crate_of_the_manifest_has_its_place() {
    let manifest = include_str!("../../Cargo.toml");
    let dependencies = manifest.split("[dependencies]").nth(1).unwrap_or_default();
    let dependencies = dependencies.split("\n[").next().unwrap_or_default();
    let known = |name: &str| {
        OUTSIDE.iter().any(|(crate_name, _)| *crate_name == name)
            || ["sha2", "data_encoding", "zeroize"].contains(&name)
    };
    // Values that any layer above domain may hold, which neither read nor write anything.
    let anywhere = ["bytes", "jiff", "uuid"];
    let strangers: Vec<String> = dependencies
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('=').map(|(name, _)| name.trim().replace('-', "_")))
        .filter(|name| !known(name) && !anywhere.contains(&name.as_str()))
        .collect();
    assert!(strangers.is_empty(), "give these crates a row in OUTSIDE (tests/it/layering.rs): {strangers:?}");
}

#[test]
fn the_map_names_modules_only() {
    let text = include_str!("../../src/lib.rs");
    assert_eq!(lines_with_word(text, "use"), Vec::<usize>::new(), "src/lib.rs is the map: it re-exports nothing");
    assert_eq!(lines_with_word(text, "fn"), Vec::<usize>::new(), "src/lib.rs is the map: it does nothing");
}

#[test]
fn every_front_is_known_by_name() {
    let files = files_ending("src/fronts", ".rs");
    for file in files {
        let inner = file.path.trim_start_matches("src/fronts/").to_owned();
        if let Some((folder, _)) = inner.split_once('/') {
            assert!(FRONTS.contains(&folder), "{}: add the front to FRONTS in tests/it/layering.rs", file.path);
        }
    }
}

mod tests {
    use super::wrongs;

    fn refused(path: &str, text: &str) {
        assert!(!wrongs(path, text).is_empty(), "{path} with `{text}` should be refused");
    }

    fn accepted(path: &str, text: &str) {
        assert_eq!(wrongs(path, text), Vec::<String>::new(), "{path} with `{text}`");
    }

    #[test]
    fn arrows_that_point_up_are_refused() {
        refused("src/domain/names.rs", "use crate::ports::clock::Clock;");
        refused("src/ports/vault.rs", "use crate::operations::Operations;");
        refused("src/operations/browse.rs", "use crate::{\n    domain::ids,\n    adapters::{vault_folder},\n};");
        refused("src/operations/browse.rs", "fn f() { crate::fronts::offload(|| 1) }");
        refused("src/sealing/stream.rs", "use crate::ports::keyring::FileKey;");
        refused("src/config/mod.rs", "use super::fronts::cli;");
        refused("src/telemetry.rs", "use crate::operations::Failure;");
        refused("src/housekeeping.rs", "use crate::fronts::sessions::Sessions;");
        refused("src/main.rs", "use postkluis::adapters::memory;");
        refused("src/main.rs", "use postkluis::operations::Operations;");
    }

    #[test]
    fn arrows_that_point_down_are_accepted() {
        accepted(
            "src/operations/browse.rs",
            "use crate::{domain::ids, ports::{clock::Clock}}; use super::case::case_of;",
        );
        accepted(
            "src/adapters/vault_folder/mod.rs",
            "use crate::sealing::stream; use std::fs; use self::reader::Reader;",
        );
        accepted(
            "src/housekeeping.rs",
            "use crate::fronts::offload; use crate::operations::Operations; use tokio::time;",
        );
        accepted("src/main.rs", "use postkluis::operations::Failure; use postkluis::fronts::cli::args;");
        accepted("src/assembly/mod.rs", "use crate::adapters::memory; use crate::fronts::{sftp, cli};");
    }

    #[test]
    fn siblings_are_refused_by_every_spelling() {
        refused("src/fronts/sftp/session.rs", "use crate::fronts::https::reply;");
        refused("src/fronts/sftp/session.rs", "use super::super::https::reply;");
        refused("src/fronts/sftp/mod.rs", "use crate::fronts::{sessions, cli::say};");
        refused("src/adapters/mailer_folder.rs", "use super::mailer_smtp::Server;");
        refused("src/adapters/vault_folder/reader.rs", "use super::super::keyring_folder::files;");
        refused("src/adapters/memory/vault.rs", "use crate::adapters::letter::Letterhead;");
        accepted("src/adapters/mailer_smtp.rs", "use super::letter::Letterhead;");
        accepted(
            "src/fronts/sftp/session.rs",
            "use crate::fronts::sessions::Sessions; use crate::fronts::offload; use super::wire;",
        );
    }

    #[test]
    fn fronts_see_no_ports() {
        refused("src/fronts/cli/door.rs", "use crate::ports::failure::Failure;");
        accepted("src/fronts/cli/door.rs", "use crate::operations::Failure;");
    }

    #[test]
    fn the_domain_is_pure() {
        for text in [
            "use std::fs;",
            "use std::{fmt, time::Duration};",
            "use std::net::TcpStream;",
            "fn f() { let _ = std::env::var(\"X\"); }",
            "use serde::Serialize;",
            "#[derive(serde::Serialize)] struct S;",
            "use tokio::sync::watch;",
            "use std::sync::Mutex;",
            "async fn f() {}",
        ] {
            refused("src/domain/names.rs", text);
        }
        accepted(
            "src/domain/names.rs",
            "use core::fmt; use std::net::IpAddr; use std::collections::BTreeMap; use super::ids::Id;",
        );
        accepted("src/domain/names.rs", "mod tests { use std::fs; }");
    }

    #[test]
    fn crates_stay_in_their_layers() {
        refused("src/operations/browse.rs", "use tokio::sync::Mutex;");
        refused("src/operations/browse.rs", "use serde::Deserialize;");
        refused("src/fronts/https/mod.rs", "use sled::Db;");
        refused("src/adapters/catalog_journal/mod.rs", "use hyper::Request;");
        accepted("src/adapters/catalog_journal/mod.rs", "use sled::Db; use serde::Deserialize;");
    }

    #[test]
    fn memory_adapters_are_for_tests_beside_the_code() {
        refused("src/operations/browse.rs", "use crate::adapters::memory::Memory;");
        accepted("src/operations/browse.rs", "mod tests { use crate::adapters::memory::Memory; }");
        refused("src/operations/browse.rs", "mod tests { use crate::adapters::vault_folder::X; }");
    }
}

//! `check --deep`: reads everything that a stopped home holds and says of every fault what to do.
//! Changes nothing; shows how far it came on a terminal.
#![expect(clippy::disallowed_methods, reason = "looks at the files of a home")]

use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressStyle};

use super::check::{Finding, Verdict};
use crate::adapters::catalog_journal::DeepLook;
use crate::adapters::clock_system::SystemClock;
use crate::adapters::keyring_folder::KeyringFolder;
use crate::adapters::vault_folder::VaultFolder;
use crate::config::{Config, environment};
use crate::operations::{Failure, MonthlyBodies, Secrets, VaultLook, look_at_vault};
use crate::ports::bodies::BodySeal;

/// No more faults of one kind are told.
const MOST_TOLD: usize = 100;

/// Looks at catalog, vault and keys of a home whose server is stopped.
#[must_use]
pub fn check(home: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut add = |what: &str, verdict: Verdict, detail: String| {
        findings.push(Finding { what: what.to_owned(), verdict, detail });
    };
    // what is wrong with the configuration is told by the other checks
    let Ok(config) = Config::load(home, environment()) else { return findings };
    let bar = progress(home);
    let mut read = |bytes: u64| bar.inc(bytes);
    let keyring = match KeyringFolder::look(home.join("keys"), &super::master(&config)) {
        Ok(keyring) => Some(Arc::new(keyring)),
        Err(failure) => {
            add("keys", Verdict::Wrong, failure.to_string());
            None
        }
    };
    let bodies = keyring.as_ref().map(|keyring| {
        let clock = Arc::new(SystemClock::new(config.portal.time_zone.clone()));
        MonthlyBodies::new(Arc::clone(keyring) as Arc<_>, clock)
    });
    let bodies = bodies.as_ref().map(|bodies| bodies as &dyn BodySeal);
    let looked = DeepLook::at(&home.join("data/catalog"), config.storage.index_cache_bytes, bodies, &mut read);
    let catalog = match looked {
        Ok(catalog) => catalog,
        Err(fault) => {
            bar.finish_and_clear();
            add("deep", Verdict::Wrong, format!("{fault}; a deep check needs the server to be stopped"));
            return findings;
        }
    };
    of_catalog(&catalog, &mut add);
    match catalog.view() {
        None => {
            let why = "not looked at: without the journal nobody knows what should be there";
            add("vault", Verdict::Warning, why.to_owned());
        }
        Some(view) => {
            let vault = VaultFolder::open(home.join("data/vault"), 0);
            if let Some(keyring) = &keyring {
                // looked at, it must not be made
                let has_deriving = home.join("keys/deriving.age").exists();
                let secrets = has_deriving.then_some(keyring.as_ref() as &dyn Secrets);
                let looked = vault.and_then(|vault| look_at_vault(view, &vault, keyring.as_ref(), secrets, &mut read));
                of_vault(looked, &mut add);
            }
        }
    }
    bar.finish_and_clear();
    findings
}

fn of_catalog(catalog: &DeepLook, add: &mut dyn FnMut(&str, Verdict, String)) {
    for fault in catalog.damage.iter().take(MOST_TOLD) {
        add("catalog", Verdict::Wrong, fault.to_string());
    }
    if catalog.view().is_some() {
        let DeepLook { segments, records, events, .. } = catalog;
        add("journal", Verdict::Fine, format!("{records} records with {events} events in {segments} segments"));
    }
    if let Some(cut) = &catalog.cut {
        let detail = format!(
            "decisions 1 to {} and events 1 to {} were removed with their period, on record",
            cut.next_sequence.saturating_sub(1),
            cut.next_event.saturating_sub(1)
        );
        add("journal", Verdict::Fine, detail);
    }
    if let Some(torn) = &catalog.torn_end {
        let what =
            format!("its last frame is half written, {torn}: it was never acknowledged, the next start cuts it off");
        add("journal", Verdict::Warning, what);
    }
    for (name, pairs) in &catalog.snapshots {
        add("snapshot", Verdict::Fine, format!("{name}: {pairs} pairs"));
    }
    match catalog.index_pairs {
        Some(pairs) if catalog.damage.is_empty() => {
            add("index", Verdict::Fine, format!("{pairs} pairs are as the journal says"));
        }
        Some(_) => {}
        None if catalog.view().is_some() && catalog.damage.is_empty() => {
            add(
                "index",
                Verdict::Fine,
                "was not closed in order: the next start reads it in full or builds it anew".to_owned(),
            );
        }
        None => {}
    }
}

fn of_vault(looked: Result<VaultLook, Failure>, add: &mut dyn FnMut(&str, Verdict, String)) {
    let look = match looked {
        Ok(look) => look,
        Err(failure) => return add("vault", Verdict::Wrong, failure.to_string()),
    };
    for damage in look.damage.iter().take(MOST_TOLD) {
        add("vault", Verdict::Wrong, damage.clone());
    }
    let more = look.damage.len().saturating_sub(MOST_TOLD);
    if more > 0 {
        add("vault", Verdict::Wrong, format!("{more} more faults are not told"));
    }
    let VaultLook { payloads, bytes, headers, documents, shredded, .. } = look;
    add(
        "vault",
        Verdict::Fine,
        format!(
            "{payloads} payloads of {bytes} bytes are as they were stored; {headers} headers open, {shredded} are shredded; {documents} documents open"
        ),
    );
    if !look.unknown.is_empty() {
        let count = look.unknown.len();
        let what = format!("{count} payloads are in no record: a start sets them aside, and removes them 7 days later");
        add("vault", Verdict::Warning, what);
    }
}

/// How many bytes there are to be read, and how many were; nothing where nobody looks.
fn progress(home: &Path) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bytes =
        ["data/catalog/journal", "data/catalog/snapshots", "data/vault"].map(|folder| bytes_below(&home.join(folder)));
    let bar = ProgressBar::new(bytes.iter().sum());
    let style = ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes}, {eta} left");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn bytes_below(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(found) if found.is_dir() => bytes_below(&entry.path()),
            Ok(found) => found.len(),
            Err(_) => 0,
        })
        .sum()
}

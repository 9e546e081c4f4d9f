//! What lies on disk below the home, read from outside while the server runs
//! and after it was killed. Judges nothing.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What lay on disk when the server was dead.
pub(crate) struct Traces {
    pub(crate) unfinished: usize,
    pub(crate) claimed: BTreeSet<String>,
    pub(crate) orphans: usize,
    /// Torn ends that were cut off the journal so far.
    pub(crate) cuts: usize,
    pub(crate) living_slots: BTreeSet<String>,
    pub(crate) destroyed_slots: BTreeSet<String>,
}

impl Traces {
    pub(crate) fn of(home: &Path) -> Self {
        Self {
            unfinished: names(&unfinished(home)).len(),
            claimed: claimed(home).into_iter().collect(),
            orphans: names(&home.join("data/vault/.orphaned")).len(),
            cuts: names(&home.join("data/catalog/journal")).iter().filter(|name| name.starts_with("cut-")).count(),
            living_slots: living_slots(home),
            destroyed_slots: fs::read_to_string(destroyed(home))
                .unwrap_or_default()
                .lines()
                .map(ToOwned::to_owned)
                .collect(),
        }
    }
}

/// Names in a folder; none when it is not there.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// Where payloads are sealed.
pub(crate) fn unfinished(home: &Path) -> PathBuf {
    home.join("data/vault/tmp")
}

/// Where destroyed shred keys are listed.
pub(crate) fn destroyed(home: &Path) -> PathBuf {
    home.join("keys/shred/.destroyed")
}

fn living_slots(home: &Path) -> BTreeSet<String> {
    names(&home.join("keys/shred")).into_iter().filter(|name| !name.starts_with('.')).collect()
}

/// Shred keys whose windows closed before this moment.
pub(crate) fn overdue_slots(home: &Path, millis: u64) -> Vec<String> {
    let is_overdue =
        |name: &String| name.split_once('-').and_then(|(at, _)| at.parse::<u64>().ok()).is_some_and(|at| at <= millis);
    living_slots(home).into_iter().filter(is_overdue).collect()
}

/// Drops inside claims, by file or folder name.
pub(crate) fn claimed(home: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let folder = home.join("spool/.claimed");
    for claim in names(&folder) {
        for product in names(&folder.join(&claim)) {
            found.extend(names(&folder.join(&claim).join(product)).into_iter().filter(|name| !name.ends_with(".done")));
        }
    }
    found
}

/// Claims, also empty ones.
pub(crate) fn claims(home: &Path) -> usize {
    names(&home.join("spool/.claimed")).len()
}

/// Drops that nobody has claimed yet.
pub(crate) fn unclaimed(home: &Path) -> usize {
    names(&home.join("spool/spooled")).len()
}

/// Drops that were refused.
pub(crate) fn refused(home: &Path) -> Vec<String> {
    names(&home.join("spool/.refused"))
}

/// Payloads in the vault that a record may name.
pub(crate) fn payloads(home: &Path) -> usize {
    let vault = home.join("data/vault");
    names(&vault).iter().filter(|name| name.len() == 2).map(|fan| names(&vault.join(fan)).len()).sum()
}

/// Bytes of the catalog's journal; grows with every decision.
pub(crate) fn journal_bytes(home: &Path) -> u64 {
    fn below(folder: &Path) -> u64 {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries
            .filter_map(|entry| {
                let metadata = entry.metadata().ok()?;
                let name = entry.file_name().to_string_lossy().into_owned();
                let is_index = metadata.is_dir() && name.contains("index");
                Some(if is_index {
                    0
                } else if metadata.is_dir() {
                    below(&entry.path())
                } else {
                    metadata.len()
                })
            })
            .sum()
    }
    below(&home.join("data/catalog"))
}

/// The server's log of all its lives so far.
pub(crate) fn log(home: &Path) -> String {
    let log = home.parent().map(|folder| folder.join("serve.log")).expect("the folder of the home");
    fs::read_to_string(log).expect("the server's log")
}

/// How many payloads without a row a start left alone, because it had cut a torn end off the journal.
pub(crate) fn left_alone(log: &str) -> usize {
    let said = log.rsplit("left_alone=").next().filter(|_| log.contains("left_alone="));
    said.and_then(|rest| rest.split_whitespace().next()).map_or(0, |count| count.parse().expect("a count"))
}

//! The files of the project, as the tests of the house read them. Knows
//! nothing of what is right or wrong in them.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders that hold what tools made, not what somebody wrote.
const NOT_OURS: [&str; 4] = ["target", ".git", "postkluis-home", "node_modules"];
/// Far more files than the project has; a walk that reaches it went astray.
const MOST_FILES: usize = 20_000;

/// The folder of `Cargo.toml`.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// One file: its path from the root with `/` between the parts, and its text.
pub(crate) struct SourceFile {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Every file below `folder` whose name ends in `ending`, sorted by path. A
/// folder that is not there has no files.
pub(crate) fn files_ending(folder: &str, ending: &str) -> Vec<SourceFile> {
    let mut found = Vec::new();
    walk(&root().join(folder), &mut found);
    found.retain(|path| path.to_string_lossy().ends_with(ending));
    found.sort();
    found
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            SourceFile { path: from_root(&path), text }
        })
        .collect()
}

/// Every file of ours that holds text, whatever its kind.
pub(crate) fn text_files() -> Vec<SourceFile> {
    let mut found = Vec::new();
    walk(root(), &mut found);
    found.sort();
    found
        .into_iter()
        .filter_map(|path| {
            let text = String::from_utf8(fs::read(&path).ok()?).ok()?;
            Some(SourceFile { path: from_root(&path), text })
        })
        .collect()
}

fn from_root(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).to_string_lossy().into_owned()
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        if NOT_OURS.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        if kind.is_dir() {
            walk(&entry.path(), found);
        } else if kind.is_file() {
            assert!(found.len() < MOST_FILES, "more than {MOST_FILES} files below {}", root().display());
            found.push(entry.path());
        }
    }
}

//! The path resolver against a second way to do it, and the names that are parsed from its parts.

use postkluis::domain::names::FileName;
use postkluis::fronts::sftp::paths::{MAX_PATH_BYTES, normalise};

pub(crate) fn run(data: &[u8]) {
    let expected = plain_path(data);
    let plain = normalise(data).ok();
    assert_eq!(plain, expected);
    let Some(plain) = plain else { return };
    assert_eq!(normalise(plain.as_bytes()).ok(), Some(plain.clone()), "a plain path stays what it is");
    for part in plain.split('/').filter(|part| !part.is_empty()) {
        assert!(part != "." && part != "..");
        if let Ok(name) = FileName::parse(part) {
            assert_eq!(name.to_string(), part, "a name is taken as it is or not at all");
        }
    }
}

/// The same, put together another way.
pub(crate) fn plain_path(raw: &[u8]) -> Option<String> {
    if raw.len() > MAX_PATH_BYTES || raw.contains(&0) {
        return None;
    }
    let text = String::from_utf8(raw.to_vec()).ok()?;
    let mut kept: Vec<&str> = Vec::new();
    for part in text.split('/') {
        if part == ".." {
            kept.truncate(kept.len().saturating_sub(1));
        } else if !matches!(part, "" | ".") {
            kept.push(part);
        }
    }
    let mut path: String = kept.iter().flat_map(|part| ["/", part]).collect();
    if path.is_empty() {
        path.push('/');
    }
    Some(path)
}

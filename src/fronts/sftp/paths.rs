//! Paths as clients write them, made into the one form a shelf sees.
//! Knows nothing of what exists.

use super::shelf::{ShelfError, ShelfErrorKind};

/// Longest path accepted, in bytes (`PATH_MAX` of Linux).
pub const MAX_PATH_BYTES: usize = 4096;

/// Makes a client's path absolute and plain: `.`, `..` and empty parts are
/// resolved lexically and never climb above `/`.
///
/// # Errors
/// `NoSuchFile` for a NUL byte, a text that is not UTF-8, or more than
/// [`MAX_PATH_BYTES`]: such a path names nothing here.
pub fn normalise(raw: &[u8]) -> Result<String, ShelfError> {
    if raw.len() > MAX_PATH_BYTES || raw.contains(&0) {
        return Err(unknown());
    }
    let text = std::str::from_utf8(raw).map_err(|_| unknown())?;
    let mut parts: Vec<&str> = Vec::new();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    Ok(format!("/{}", parts.join("/")))
}

fn unknown() -> ShelfError {
    ShelfError { kind: ShelfErrorKind::NoSuchFile, message: "no such file or folder".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dots_are_resolved_and_the_root_is_never_left() {
        for (raw, plain) in [
            ("", "/"),
            (".", "/"),
            ("/", "/"),
            ("..", "/"),
            ("/../../etc", "/etc"),
            ("a/./b//c/..", "/a/b"),
            ("/outbox/x/", "/outbox/x"),
            ("...", "/..."),
        ] {
            assert_eq!(normalise(raw.as_bytes()).unwrap(), plain, "{raw:?}");
        }
    }

    #[test]
    fn nul_foreign_bytes_and_length_name_nothing() {
        let long = vec![b'a'; MAX_PATH_BYTES + 1];
        for raw in [&b"a\0b"[..], &b"\xff\xfe"[..], &long] {
            assert_eq!(normalise(raw).unwrap_err().kind, ShelfErrorKind::NoSuchFile);
        }
    }

    proptest! {
        #[test]
        fn a_normal_path_stays_what_it_is(raw in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(plain) = normalise(&raw) {
                prop_assert!(plain.starts_with('/'));
                prop_assert!(!plain.split('/').any(|part| part == "." || part == ".."));
                prop_assert_eq!(normalise(plain.as_bytes()).unwrap(), plain);
            }
        }
    }
}

//! Passwords that are known (NIST SP 800-63B §5.1.1.2): a short list that is compiled in, and the operator's
//! file: lines, kept in memory, or sorted SHA-1 digests of any size, searched where they lie.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use data_encoding::HEXUPPER;

use crate::ports::failure::Fault;

/// A list that is kept in memory is no larger: 64 MiB.
const MOST_LIST_BYTES: u64 = 64 << 20;

/// Hexadecimal digits of a SHA-1 digest.
const DIGEST_CHARS: usize = 40;

/// A line of digests is shorter: 40 digits, a colon, how often it was seen, and its end.
const MOST_LINE_BYTES: usize = 128;

/// So many lines, spread over the file, are held against their order when it is opened.
const SAMPLES: u64 = 64;

/// Passwords that everybody knows, as far as they are letters: digits and marks behind them make them no better.
const COMMON: &[&str] = &[
    "admin",
    "administrator",
    "beheerder",
    "changeme",
    "correcthorsebatterystaple",
    "dragon",
    "footballfan",
    "geheim",
    "gemeente",
    "goedemorgen",
    "iloveyou",
    "ikhouvanjou",
    "inloggen",
    "letmein",
    "letmeinplease",
    "lenteherfst",
    "mijnwachtwoord",
    "monkey",
    "mypassword",
    "nederland",
    "newpassword",
    "nieuwwachtwoord",
    "password",
    "passwordpassword",
    "passw0rd",
    "p@ssw0rd",
    "p@ssword",
    "princess",
    "secret",
    "sterkwachtwoord",
    "sunshine",
    "superman",
    "test",
    "testtest",
    "thisisapassword",
    "trustno",
    "wachtwoord",
    "wachtwoordwachtwoord",
    "welcome",
    "welkom",
    "welkomwelkom",
    "zomer",
    "winter",
    "herfst",
    "lente",
];

/// Rows of keys and letters: part of one, forwards or backwards, is easy to guess.
const ROWS: &[&str] = &[
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789012345678901234567890123456789",
    "qwertyuiopasdfghjklzxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "1q2w3e4r5t6y7u8i9o0p",
];

/// What is known.
pub struct KnownPasswords {
    lines: HashSet<Box<str>>,
    digests: Option<SortedDigests>,
}

impl KnownPasswords {
    /// With passwords of one's own, one on each line of a text.
    #[must_use]
    pub fn of_lines(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.is_empty()).map(|line| line.to_lowercase().into()).collect();
        Self { lines, digests: None }
    }

    /// With those of a file: lines of passwords, or of sorted digests.
    ///
    /// # Errors
    /// A fault that names the file: it cannot be read, is no UTF-8, is larger than 64 MiB and no digests, or its
    /// digests are not sorted.
    pub fn in_file(path: &Path) -> Result<Self, Fault> {
        let failed = |error| Fault::from_error(format!("read sign-in.known_passwords {}", path.display()), error);
        let file = File::open(path).map_err(failed)?;
        if let Some(digests) = SortedDigests::open(&file, path).map_err(failed)? {
            return Ok(Self { digests: Some(digests), ..Self::of_lines("") });
        }
        let mut text = String::new();
        file.take(MOST_LIST_BYTES + 1).read_to_string(&mut text).map_err(failed)?;
        if text.len() as u64 > MOST_LIST_BYTES {
            return Err(failed(io::Error::other("it is larger than 64 MiB: give sorted SHA-1 digests instead")));
        }
        Ok(Self::of_lines(&text))
    }

    /// Whether a password is known, in whatever case.
    ///
    /// # Errors
    /// The file cannot be read: nobody chooses a password unlooked at.
    pub fn hold(&self, password: &str) -> Result<bool, Fault> {
        let lower = password.to_lowercase();
        if is_common(&lower) || self.lines.contains(lower.as_str()) {
            return Ok(true);
        }
        let Some(digests) = &self.digests else { return Ok(false) };
        for form in [password, &lower] {
            let found = digests.hold(form).map_err(|error| {
                Fault::from_error(format!("search sign-in.known_passwords {}", digests.path.display()), error)
            })?;
            if found {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Known by heart: a common word with digits and marks behind it, one part again and again, or a row of keys.
fn is_common(lower: &str) -> bool {
    let word = lower.trim_end_matches(|c: char| !c.is_alphabetic());
    let joined: String = word.split_whitespace().collect();
    let reversed: String = lower.chars().rev().collect();
    let is_row = |text: &str| ROWS.iter().any(|row| row.contains(text));
    COMMON.contains(&joined.as_str()) || is_row(lower) || is_row(&reversed) || is_repeated(lower)
}

/// A part of at most 6 characters, from the begin to the end.
fn is_repeated(text: &str) -> bool {
    let signs: Vec<char> = text.chars().collect();
    (1..=6).any(|length| {
        signs.len() > length && signs.iter().zip(signs.iter().skip(length)).all(|(one, next)| one == next)
    })
}

/// Digests in the order of their bytes, one on each line, as Have I Been Pwned gives them: `HEX[:count]`.
struct SortedDigests {
    path: PathBuf,
    file: File,
    size_bytes: u64,
}

/// Where a line begins, and its digest.
type Found = (u64, String);

impl SortedDigests {
    /// The file, if its first line is a digest.
    fn open(file: &File, path: &Path) -> io::Result<Option<Self>> {
        let (file, size_bytes) = (file.try_clone()?, file.metadata()?.len());
        let digests = Self { path: path.to_owned(), file, size_bytes };
        let mut head = [0; DIGEST_CHARS];
        let is_digest = digests.file.read_exact_at(&mut head, 0).is_ok() && head.iter().all(u8::is_ascii_hexdigit);
        if !is_digest {
            return Ok(None);
        }
        let mut before = String::new();
        for sample in 0..SAMPLES {
            let at = size_bytes / SAMPLES * sample;
            let Some((_, digest)) = digests.line_from(at)? else { continue };
            if digest < before {
                return Err(io::Error::other("its digests are not sorted: take the list that is ordered by hash"));
            }
            before = digest;
        }
        Ok(Some(digests))
    }

    /// Some forty reads of one line each, however large the file is.
    fn hold(&self, password: &str) -> io::Result<bool> {
        let wanted = HEXUPPER.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes()).as_ref());
        let (mut low, mut high) = (0, self.size_bytes);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.line_from(middle)? {
                Some((start, digest)) if start < high => match wanted.cmp(&digest) {
                    core::cmp::Ordering::Equal => return Ok(true),
                    core::cmp::Ordering::Less => high = middle,
                    core::cmp::Ordering::Greater => low = start + 1,
                },
                // no line begins from there on
                _ => high = middle,
            }
        }
        Ok(false)
    }

    /// The first line that begins at `at` or behind it.
    fn line_from(&self, at: u64) -> io::Result<Option<Found>> {
        let start = if at == 0 {
            0
        } else {
            let piece = self.piece(at - 1)?;
            match piece.iter().position(|byte| *byte == b'\n') {
                Some(end) => at + end as u64,
                None if piece.len() < MOST_LINE_BYTES => return Ok(None),
                None => return Err(io::Error::other("a line of it is too long")),
            }
        };
        let piece = self.piece(start)?;
        if piece.is_empty() {
            return Ok(None);
        }
        let digest = piece.get(..DIGEST_CHARS).filter(|digest| digest.iter().all(u8::is_ascii_hexdigit));
        let digest = digest.ok_or_else(|| io::Error::other("a line of it does not begin with a SHA-1 digest"))?;
        Ok(Some((start, String::from_utf8_lossy(digest).to_ascii_uppercase())))
    }

    fn piece(&self, at: u64) -> io::Result<Vec<u8>> {
        let mut piece = vec![0; MOST_LINE_BYTES];
        let mut filled = 0;
        while let Some(rest) = piece.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.file.read_at(rest, at + filled as u64)? {
                0 => break,
                read => filled += read,
            }
        }
        piece.truncate(filled);
        Ok(piece)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn file(content: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(content.as_bytes()).unwrap();
        file
    }

    fn digest_of(password: &str) -> String {
        HEXUPPER.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes()).as_ref())
    }

    #[test]
    fn every_digest_of_a_sorted_file_is_found_and_no_other() {
        for (ending, count, lower) in [("\r\n", ":12345", false), ("\n", "", true), ("\n", ":3", false)] {
            for number in [1_usize, 2, 3, 64, 1_000] {
                let mut lines: Vec<String> = (0..number).map(|n| digest_of(&format!("known password {n}"))).collect();
                lines.sort();
                let lines = lines.iter().map(|one| if lower { one.to_lowercase() } else { one.clone() });
                let text = lines.map(|one| format!("{one}{count}")).collect::<Vec<_>>().join(ending);
                let file = file(&text);
                let known = KnownPasswords::in_file(file.path()).unwrap();
                assert!(known.digests.is_some());
                for n in 0..number {
                    assert!(known.hold(&format!("known password {n}")).unwrap(), "{n} of {number}");
                    assert!(known.hold(&format!("KNOWN Password {n}")).unwrap(), "in another case");
                    assert!(!known.hold(&format!("other password {n}")).unwrap());
                }
            }
        }
    }

    #[test]
    fn lines_of_passwords_are_kept_and_what_is_neither_is_refused() {
        let known = KnownPasswords::in_file(file("Hunter2 hunter2\nzo maar een zin\n").path()).unwrap();
        assert!(known.hold("hunter2 HUNTER2").unwrap() && !known.hold("iets heel anders").unwrap());
        let unsorted = (0..200).map(|n| digest_of(&n.to_string())).collect::<Vec<_>>().join("\n");
        let told = KnownPasswords::in_file(file(&unsorted).path()).map(|_| ()).unwrap_err().to_string();
        assert!(told.contains("not sorted"), "{told}");
        assert!(KnownPasswords::in_file(Path::new("/nowhere/at/all")).is_err());
        let broken = format!("{}\n{}\n", digest_of("a"), "x".repeat(500));
        assert!(KnownPasswords::in_file(file(&broken).path()).is_err());
    }

    #[test]
    fn what_everybody_knows_is_known_without_a_file() {
        let known = KnownPasswords::of_lines("");
        for easy in [
            "Wachtwoord2026!",
            "welkom12345678",
            "Nieuw Wachtwoord 1",
            "qwertyuiopas",
            "123456789012",
            "zyxwvutsrqpo",
            "abcabcabcabc",
            "1q2w3e4r5t6y",
            "P@ssw0rd2026",
        ] {
            assert!(known.hold(easy).unwrap(), "{easy}");
        }
        for fine in ["een lange zin die niemand raadt", "vier fietsen op zolder", "Tr0ub4dor en nog iets"] {
            assert!(!known.hold(fine).unwrap(), "{fine}");
        }
    }
}

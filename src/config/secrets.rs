//! Secrets kept in files: read once, never shown, refused when others on the
//! machine can read them. Knows nothing of what a secret is for.
#![expect(clippy::disallowed_methods, reason = "reads its own files")]

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// A secret is at most this long; a longer file is surely not one.
const MAX_SECRET_BYTES: u64 = 4_096;

/// Permission bits that let the group or the world at a file.
const OTHERS: u32 = 0o077;

/// Before the name of a systemd credential.
pub(super) const CREDENTIAL: &str = "credential:";

/// A secret text, wiped from memory when dropped and never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The secret itself, for the one place that needs it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Refuses a file that the group or the world can read or write.
///
/// # Errors
/// A file that cannot be looked at, is no regular file, or is open to others;
/// the text names the path and the remedy (`chmod 600`).
pub fn refuse_readable_by_others(path: &Path) -> Result<(), String> {
    let file = open_regular(path)?;
    refuse_open_file(&file, path)
}

/// Reads a secret from a file; a newline at its end does not count.
///
/// # Errors
/// As `refuse_readable_by_others`; also an empty, long or non-UTF-8 file.
pub fn read_secret(path: &Path) -> Result<Secret, String> {
    let file = open_regular(path)?;
    refuse_open_file(&file, path)?;
    let mut text = Zeroizing::new(String::with_capacity(256));
    file.take(MAX_SECRET_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(|_| format!("{} is not text in UTF-8", path.display()))?;
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() || text.len() as u64 > MAX_SECRET_BYTES {
        return Err(format!("{} is empty or longer than {MAX_SECRET_BYTES} bytes", path.display()));
    }
    Ok(Secret(Zeroizing::new(secret.to_owned())))
}

/// Looked at before it is opened: opening a pipe would wait for its writer.
fn open_regular(path: &Path) -> Result<File, String> {
    let told = |error| format!("cannot read {}: {error}", path.display());
    if !std::fs::metadata(path).map_err(told)?.is_file() {
        return Err(format!("{} is not a regular file", path.display()));
    }
    File::open(path).map_err(told)
}

fn refuse_open_file(file: &File, path: &Path) -> Result<(), String> {
    let metadata = file.metadata().map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & OTHERS != 0 {
        return Err(format!(
            "{} has mode {mode:04o}, open to others on this machine: run `chmod 600 {}`",
            path.display(),
            path.display()
        ));
    }
    Ok(())
}

/// Where a secret lies: `credential:NAME` in the folder of systemd credentials,
/// anything else relative to the home folder.
///
/// # Errors
/// A credential that names a path, or no credentials folder in the environment.
pub(super) fn secret_path(home: &Path, credentials: Option<&str>, text: &str) -> Result<PathBuf, String> {
    let Some(name) = text.strip_prefix(CREDENTIAL) else {
        return Ok(home.join(text));
    };
    if name.is_empty() || name.contains('/') || name.starts_with('.') {
        return Err("a credential has a plain name".to_owned());
    }
    let folder = credentials.ok_or("CREDENTIALS_DIRECTORY is not set: not started by systemd with LoadCredential=?")?;
    Ok(Path::new(folder).join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file_with(mode: u32, text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        (folder, path)
    }

    #[test]
    fn a_private_file_is_read_without_its_newline_and_not_shown() {
        let (_folder, path) = file_with(0o600, "geheim\n");
        let secret = read_secret(&path).unwrap();
        assert_eq!(secret.reveal(), "geheim");
        assert!(!format!("{secret:?}").contains("geheim"));
    }

    #[test]
    fn a_file_open_to_others_is_refused_with_the_remedy() {
        for mode in [0o640, 0o604, 0o620, 0o644] {
            let (_folder, path) = file_with(mode, "geheim");
            let fault = read_secret(&path).unwrap_err();
            assert!(fault.contains("chmod 600") && !fault.contains("geheim"), "{fault}");
            assert!(refuse_readable_by_others(&path).is_err());
        }
    }

    #[test]
    fn empty_and_long_files_and_folders_are_refused() {
        let (folder, path) = file_with(0o600, "\n");
        assert!(read_secret(&path).is_err());
        let (_folder, long) = file_with(0o600, &"x".repeat(5_000));
        assert!(read_secret(&long).is_err());
        assert!(read_secret(folder.path()).is_err());
    }

    #[test]
    fn a_credential_is_found_by_its_plain_name_only() {
        let home = Path::new("/home");
        assert_eq!(secret_path(home, Some("/run/c"), "credential:mail"), Ok(PathBuf::from("/run/c/mail")));
        assert_eq!(secret_path(home, None, "keys/x"), Ok(PathBuf::from("/home/keys/x")));
        assert!(secret_path(home, None, "credential:mail").is_err());
        assert!(secret_path(home, Some("/run/c"), "credential:../x").is_err());
    }
}

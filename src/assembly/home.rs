//! Makes a home folder: configuration, keys, self-signed certificate. Never
//! overwrites anything.
#![expect(clippy::disallowed_methods, reason = "makes the files of a home")]

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use super::host_keys;
use crate::adapters::keyring_folder::{KeyringFolder, MasterSource};
use crate::config::{CONFIG_FILE, default_file_text};
use crate::domain::refusal::Refusal;
use crate::fronts::cli::args::HostKeyKind;
use crate::operations::{Failure, Fault, Signer as _};

/// Days that the self-signed certificate is valid.
const CERTIFICATE_DAYS: i64 = 397;

/// What a new home shows to its maker.
#[derive(Clone, Debug)]
pub struct NewHome {
    /// `SHA256:…` of the SSH host key, to be published.
    pub host_fingerprint: String,
}

/// Makes a home for these addresses.
///
/// # Errors
/// `Exists` wording when there is a configuration already; a fault that names the path.
pub fn init(home: &Path, sftp_listen: SocketAddr, https_listen: SocketAddr) -> Result<NewHome, Failure> {
    let config = home.join(CONFIG_FILE);
    if fs::symlink_metadata(&config).is_ok() {
        let why = format!("{} exists already; nothing was changed", config.display());
        return Err(Refusal::WrongState(why).into());
    }
    make_folders(home)?;
    let keys = home.join("keys");
    // What an earlier run made before it was cut off is whole, and stays: no key is ever made in the place of another.
    if !is_there(&keys.join("master.age"))? {
        KeyringFolder::create(&keys)?;
        // an older home, and one whose making was cut off here, gets it at its first start
        let master = MasterSource::plain(KeyringFolder::master_in(&keys));
        KeyringFolder::open(keys.clone(), &master)?.verifying_key()?;
    }
    let host_key = host_keys::path_of(&keys, HostKeyKind::Ed25519, false);
    if !is_there(&host_key)? {
        host_keys::make(&host_key, HostKeyKind::Ed25519)?;
    }
    let there = host_keys::read(&keys)?;
    for key in &there {
        host_keys::write_public(&key.path, &key.key)?;
    }
    let host_fingerprint = there.first().map(host_keys::HostKey::fingerprint).unwrap_or_default();
    make_certificate(&keys, https_listen)?;
    // The configuration comes last: a home with it is whole.
    write_new(&config, default_file_text(&sftp_listen.to_string(), &https_listen.to_string()).as_bytes(), 0o640)?;
    Ok(NewHome { host_fingerprint })
}

/// Makes the folders of a home.
pub(super) fn make_folders(home: &Path) -> Result<(), Failure> {
    for (folder, mode) in [
        ("", 0o750),
        ("keys", 0o700),
        ("data", 0o700),
        ("spool", 0o770),
        ("spool/.claimed", 0o700),
        ("spool/.refused", 0o770),
        ("intake", 0o750),
        ("run", 0o700),
    ] {
        let path = home.join(folder);
        make_folder(&path, mode)
            .map_err(|error| Fault::from_error(format!("make the folder {}", path.display()), error))?;
    }
    Ok(())
}

/// Makes a folder with this mode, whatever the umask says. One that is there stays as it is.
fn make_folder(path: &Path, mode: u32) -> std::io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    fs::DirBuilder::new().recursive(true).mode(mode).create(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

fn make_certificate(keys: &Path, listen: SocketAddr) -> Result<(), Failure> {
    let failed = |error: rcgen::Error| Fault::from_error("make a self-signed certificate", error);
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    let own = listen.ip();
    if !own.is_unspecified() && !names.contains(&own.to_string()) {
        names.push(own.to_string());
    }
    let mut parameters = rcgen::CertificateParams::new(names).map_err(failed)?;
    parameters.distinguished_name.push(rcgen::DnType::CommonName, "postkluis");
    let now = jiff::Timestamp::now();
    let date = |days: i64| {
        let day = now.to_zoned(jiff::tz::TimeZone::UTC).date().saturating_add(jiff::Span::new().days(days));
        rcgen::date_time_ymd(
            i32::from(day.year()),
            u8::try_from(day.month()).unwrap_or(1),
            u8::try_from(day.day()).unwrap_or(1),
        )
    };
    parameters.not_before = date(-1);
    parameters.not_after = date(CERTIFICATE_DAYS);
    let (key_path, certificate_path) = (keys.join("https-key.pem"), keys.join("https-cert.pem"));
    if is_there(&certificate_path)? {
        return Ok(());
    }
    if !is_there(&key_path)? {
        let made = rcgen::KeyPair::generate().map_err(failed)?;
        write_new(&key_path, made.serialize_pem().as_bytes(), 0o600)?;
    }
    let pem = fs::read_to_string(&key_path)
        .map_err(|error| Fault::from_error(format!("read {}", key_path.display()), error))?;
    let key = rcgen::KeyPair::from_pem(&pem).map_err(failed)?;
    let certificate = parameters.self_signed(&key).map_err(failed)?;
    write_new(&certificate_path, certificate.pem().as_bytes(), 0o644)
}

fn is_there(path: &Path) -> Result<bool, Fault> {
    path.try_exists().map_err(|error| Fault::from_error(format!("look at {}", path.display()), error))
}

/// Makes a file that must not exist: whole and durable under its name, or not there.
pub(super) fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<(), Failure> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let write = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        // a link does not replace what is there, as a rename would
        let linked = fs::hard_link(&new, path);
        fs::remove_file(&new)?;
        linked?;
        File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
    };
    write().map_err(|error| Fault::from_error(format!("write {}", path.display()), error).into())
}

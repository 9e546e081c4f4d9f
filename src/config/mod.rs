//! Configuration: valid by type once built. Reads one file and the
//! environment, and says everything that is wrong at once. Opens no sockets,
//! makes no keys, names no port or adapter.
#![expect(clippy::disallowed_methods, reason = "reads its own files")]

mod build;
pub mod check_plans;
pub mod checks;
pub mod connections;
mod example;
mod faults;
mod file;
mod keys;
pub mod mail;
pub mod secrets;
pub mod sections;
pub mod sftp;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use example::default_file_text;
pub use faults::{ConfigFault, ConfigFaults};
pub use file::parse_bytes;

use connections::ConnectionLimits;
use file::Settings;
use mail::MailSettings;
use sections::{
    FolderNames, HttpsSettings, LimitSettings, LoggingSettings, OperatorSettings, OrganisationSettings, PortalSettings,
    RetentionSettings, SealingSettings, SftpFront, SignInSettings, SpoolSettings, StorageSettings, TermsSettings,
    UploadLimits,
};

/// Name of the configuration file in the home folder.
pub const CONFIG_FILE: &str = "postkluis.toml";

/// A configuration file is at most this long.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// A whole configuration, every value checked; paths are absolute when the
/// home folder is.
#[derive(Clone, Debug)]
pub struct Config {
    /// The home folder.
    pub home: PathBuf,
    /// What people see.
    pub portal: PortalSettings,
    /// Who runs the server.
    pub organisation: OrganisationSettings,
    /// Catalog and disk.
    pub storage: StorageSettings,
    /// Where the master key comes from.
    pub sealing: SealingSettings,
    /// The SFTP server.
    pub sftp: SftpFront,
    /// Names of the folders that SFTP users see.
    pub folders: FolderNames,
    /// The HTTPS server.
    pub https: HttpsSettings,
    /// The listener for operation.
    pub operator: OperatorSettings,
    /// How people sign in.
    pub sign_in: SignInSettings,
    /// Machine accounts, keys and tokens.
    pub connections: ConnectionLimits,
    /// The drop folder of the back office.
    pub spool: SpoolSettings,
    /// Bounds and periods of uploads.
    pub uploads: UploadLimits,
    /// Notices by e-mail.
    pub mail: MailSettings,
    /// Logs.
    pub logging: LoggingSettings,
    /// What happens after a window has ended.
    pub retention: RetentionSettings,
    /// Bounds on what one account or request may ask.
    pub limits: LimitSettings,
    /// Terms of use.
    pub terms: TermsSettings,
}

impl Config {
    /// Reads `postkluis.toml` in `home` with the environment laid over it
    /// (`POSTKLUIS_<SECTION>__<KEY>`).
    ///
    /// # Errors
    /// Everything wrong at once: an unreadable file, unknown keys or variables,
    /// bad values, secrets open to others.
    pub fn load(home: &Path, env: impl Iterator<Item = (String, String)>) -> Result<Self, ConfigFaults> {
        let path = home.join(CONFIG_FILE);
        let text = read_bounded(&path).map_err(|what| {
            let origin = path.display().to_string();
            let allowed = "a readable file, as made by `postkluis init`".to_owned();
            ConfigFaults::new(vec![ConfigFault { origin, key: String::new(), what, allowed }])
        })?;
        Self::from_text(home, &path, &text, env)
    }

    /// As `load`, from a text already read; `file` is what faults name.
    ///
    /// # Errors
    /// As `load`.
    pub fn from_text(
        home: &Path,
        file: &Path,
        text: &str,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigFaults> {
        let env: BTreeMap<String, String> =
            env.filter(|(name, _)| name.starts_with(keys::PREFIX) || name == build::CREDENTIALS).collect();
        let mut settings = Settings::read(file, text, &env);
        let config = build::config(&mut settings, home, env.get(build::CREDENTIALS).map(String::as_str));
        match config {
            Some(config) if settings.is_faultless() => Ok(config),
            _ => Err(ConfigFaults::new(settings.into_faults())),
        }
    }

    /// The configuration of an empty file and an empty environment.
    ///
    /// # Errors
    /// Only when a key file of the default configuration is open to others.
    pub fn defaults(home: &Path) -> Result<Self, ConfigFaults> {
        Self::from_text(home, &home.join(CONFIG_FILE), "", std::iter::empty())
    }
}

/// The environment of this process for `Config::load`; variables that are not
/// UTF-8 are left out (none of ours may be).
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

fn read_bounded(path: &Path) -> Result<String, String> {
    let length = std::fs::metadata(path).map_err(|error| format!("cannot be read: {error}"))?.len();
    if length > MAX_FILE_BYTES {
        return Err(format!("is longer than {MAX_FILE_BYTES} bytes"));
    }
    std::fs::read_to_string(path).map_err(|error| format!("cannot be read: {error}"))
}

#[cfg(test)]
mod tests;

//! The master identity: from a file, a systemd credential or a file under a
//! passphrase. While it is being rotated the file holds several, the newest
//! first: keys are sealed to that one, and opened with any of them.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use age::secrecy::{ExposeSecret, SecretString};
use age::x25519::Identity;
use zeroize::Zeroizing;

use super::files;
use crate::domain::refusal::Refusal;
use crate::ports::failure::{Failure, Fault};

/// First bytes of a file that age has encrypted.
const ENCRYPTED: &[u8] = b"age-encryption.org/";

/// An identity in text is shorter.
const IDENTITY_BYTES: usize = 80;

/// Gives the passphrase of the master when it is needed.
pub type Passphrase = Box<dyn Fn() -> Result<Zeroizing<String>, Fault> + Send + Sync>;

/// Where the master identity comes from.
pub struct MasterSource {
    /// The file, 0600.
    pub file: PathBuf,
    /// Whether it is a systemd credential: the server cannot write it.
    pub is_credential: bool,
    /// Asked when the file is encrypted.
    pub passphrase: Passphrase,
}

impl MasterSource {
    /// A plain file of the server's own, without a passphrase.
    #[must_use]
    pub fn plain(file: PathBuf) -> Self {
        let passphrase = || Err(Fault::new("open the master key: it is under a passphrase, and none is configured"));
        Self { file, is_credential: false, passphrase: Box::new(passphrase) }
    }
}

pub(super) struct Masters {
    file: PathBuf,
    is_credential: bool,
    passphrase: Option<SecretString>,
    /// Newest first, never empty.
    identities: RwLock<Vec<Identity>>,
}

impl Masters {
    pub(super) fn open(source: &MasterSource) -> Result<Self, Fault> {
        let path = source.file.as_path();
        files::refuse_open_to_others(path)?;
        let bytes = Zeroizing::new(files::read(path)?);
        let (passphrase, identities) = if bytes.starts_with(ENCRYPTED) {
            let given = (source.passphrase)()?;
            let passphrase = SecretString::from(given.as_str());
            let failed = |error| Fault::from_error(format!("open {} with the passphrase", path.display()), error);
            let opened = age::decrypt(&age::scrypt::Identity::new(passphrase.clone()), &bytes).map_err(failed)?;
            (Some(passphrase), identities_in(&Zeroizing::new(opened), path)?)
        } else {
            (None, identities_in(&bytes, path)?)
        };
        let identities = RwLock::new(identities);
        Ok(Self { file: source.file.clone(), is_credential: source.is_credential, passphrase, identities })
    }

    fn identities(&self) -> RwLockReadGuard<'_, Vec<Identity>> {
        self.identities.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// How it is kept, for reports.
    pub(super) fn kept_as(&self) -> &'static str {
        match (self.is_credential, self.passphrase.is_some()) {
            (true, false) => "a systemd credential",
            (true, true) => "a systemd credential under a passphrase",
            (false, true) => "a file under a passphrase",
            (false, false) => "a file",
        }
    }

    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// The public halves, newest first.
    pub(super) fn public(&self) -> Vec<String> {
        self.identities().iter().map(|identity| identity.to_public().to_string()).collect()
    }

    pub(super) fn has_older(&self) -> bool {
        self.identities().len() > 1
    }

    pub(super) fn seal(&self, secret: &[u8]) -> Result<Vec<u8>, Fault> {
        let recipient = self.identities().first().map(Identity::to_public);
        let recipient = recipient.ok_or_else(|| Fault::new("seal a key to the master: there is none"))?;
        age::encrypt(&recipient, secret).map_err(|error| Fault::from_error("seal a key to the master", error))
    }

    /// What a key file holds, and whether it is sealed to the newest master.
    pub(super) fn open_file(&self, path: &Path) -> Result<(Zeroizing<Vec<u8>>, bool), Fault> {
        let sealed = files::read(path)?;
        let mut failure = None;
        for (place, identity) in self.identities().iter().enumerate() {
            match age::decrypt(identity, &sealed) {
                Ok(secret) => return Ok((Zeroizing::new(secret), place == 0)),
                Err(error) => failure = Some(error),
            }
        }
        let doing = format!("open {} with the master key", path.display());
        Err(failure.map_or_else(|| Fault::new(doing.clone()), |error| Fault::from_error(doing.clone(), error)))
    }

    /// Puts a new master before the others: in the file first, so that nothing is sealed to one that could be lost.
    /// A rotation that has begun already goes on with the master that it made.
    pub(super) fn begin(&self) -> Result<(), Failure> {
        if self.has_older() {
            return Ok(());
        }
        if self.is_credential {
            let why = "the master key is a systemd credential, which the server cannot write: put a new identity on a \
                       line above the old one in the credential and start the server again";
            return Err(Refusal::WrongState(why.to_owned()).into());
        }
        let mut identities = vec![Identity::generate()];
        identities.extend(self.identities().iter().cloned());
        self.write(&identities)?;
        *self.identities.write().unwrap_or_else(PoisonError::into_inner) = identities;
        Ok(())
    }

    /// Keeps the newest alone. The caller has made sure that nothing is sealed to the others. Those of a credential
    /// stay in it until the operator takes them out.
    pub(super) fn forget_older(&self) -> Result<(), Failure> {
        let newest: Vec<Identity> = self.identities().iter().take(1).cloned().collect();
        if !self.is_credential {
            self.write(&newest)?;
        }
        *self.identities.write().unwrap_or_else(PoisonError::into_inner) = newest;
        Ok(())
    }

    fn write(&self, identities: &[Identity]) -> Result<(), Failure> {
        let text = text_of(identities);
        let sealed = match &self.passphrase {
            None => None,
            Some(passphrase) => {
                let recipient = age::scrypt::Recipient::new(passphrase.clone());
                let failed = |error| Fault::from_error("seal the master key under its passphrase", error);
                Some(age::encrypt(&recipient, text.as_bytes()).map_err(failed)?)
            }
        };
        files::replace_durably(&self.file, sealed.as_deref().unwrap_or(text.as_bytes()))
    }
}

/// Identities in text, one per line.
pub(super) fn text_of(identities: &[Identity]) -> Zeroizing<String> {
    // of its full size at once: growing would leave copies behind
    let mut text = Zeroizing::new(String::with_capacity(identities.len() * IDENTITY_BYTES));
    for identity in identities {
        text.push_str(identity.to_string().expose_secret());
        text.push('\n');
    }
    text
}

/// The identities of a file, at least one.
pub(super) fn identities_in(bytes: &[u8], path: &Path) -> Result<Vec<Identity>, Fault> {
    let fault = |why: &str| Fault::new(format!("read the age identity {}: {why}", path.display()));
    let text = std::str::from_utf8(bytes).map_err(|_| fault("it is not text"))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let identities = lines.map(|line| Identity::from_str(line).map_err(fault)).collect::<Result<Vec<_>, _>>()?;
    if identities.is_empty() {
        return Err(fault("it holds no key"));
    }
    Ok(identities)
}

//! The world that is killed again and again: organisations with their robots,
//! products, and a server on one home. Knows nothing of what is checked.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use age::secrecy::ExposeSecret as _;

use crate::support::clients::{SftpClient, ssh_key};
use crate::support::server::{Server, postkluis};

/// Recipients of the product published by command line; the last one reads end to end.
pub(crate) const DAILY: [&str; 3] = ["alpha", "beta", "gamma"];
/// Recipients of the product published by the spool.
pub(crate) const SPOOLED: [&str; 2] = ["alpha", "beta"];
/// Recipients of the product whose windows are short.
pub(crate) const BRIEF: [&str; 2] = ["alpha", "gamma"];
/// The organisation that alone can read what it is sent.
pub(crate) const END_TO_END: &str = "gamma";
/// How long a short window is open.
pub(crate) const BRIEF_WINDOW_MS: u64 = 1_500;

pub(crate) struct Stage {
    pub(crate) server: Server,
    keys: PathBuf,
    identity: age::x25519::Identity,
}

/// The command line on a home, without holding its server.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) home: PathBuf,
}

impl Desk {
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = postkluis();
        command.arg("--home").arg(&self.home).args(arguments).arg("--json");
        command
    }
}

impl Stage {
    /// A home with everything in it, served.
    pub(crate) fn set() -> Self {
        Self::on(Server::prepare(), age::x25519::Identity::generate())
    }

    /// The same on a home that is prepared; the end-to-end recipient reads by this identity.
    pub(crate) fn on(mut server: Server, identity: age::x25519::Identity) -> Self {
        for (variable, value) in [
            ("POSTKLUIS_RETENTION__TICK_SECONDS", "1"),
            ("POSTKLUIS_RETENTION__SHRED_DELAY", "0s"),
            ("POSTKLUIS_RETENTION__OPEN_GRACE", "0s"),
            ("POSTKLUIS_SPOOL__SETTLE_SECONDS", "0"),
            ("POSTKLUIS_SPOOL__RESCAN_SECONDS", "1"),
            ("POSTKLUIS_MAIL__MAX_PER_MINUTE", "6000"),
            ("POSTKLUIS_SFTP__MAX_SESSIONS", "100"),
            // A segment ends now and then, so that kills also meet its change.
            ("POSTKLUIS_STORAGE__JOURNAL_SEGMENT_BYTES", "1 MiB"),
            ("POSTKLUIS_STORAGE__MAX_FRAME_BYTES", "1 MiB"),
            ("POSTKLUIS_STORAGE__SNAPSHOT_AFTER_BYTES", "1 MiB"),
        ] {
            server.set(variable, value);
        }
        server.serve();
        let keys = server.desk("keys-of-the-robots");
        let stage = Self { server, keys, identity };
        stage.furnish();
        stage
    }

    /// The same world with another server; the keys of the robots stay where they are.
    pub(crate) fn with(&self, server: Server) -> Self {
        Self { server, keys: self.keys.clone(), identity: self.identity.clone() }
    }

    /// The same world in a folder of its own; this one's server must not run.
    pub(super) fn copied(&self) -> Self {
        let server = self.server.copied();
        let keys = server.desk("keys-of-the-robots");
        Self { server, keys, identity: self.identity.clone() }
    }

    fn furnish(&self) {
        let run = |arguments: &[&str]| drop(self.server.done(arguments));
        let brief = format!("{BRIEF_WINDOW_MS}ms");
        for (code, retention) in [("daily", "30d"), ("spooled", "30d"), ("brief", brief.as_str())] {
            run(&["product", "add", code, "--name", code, "--retention", retention]);
        }
        for code in DAILY {
            run(&["organisation", "add", code, "--name", code]);
            if code == END_TO_END {
                let path = self.keys.join("recipient");
                fs::write(&path, format!("{}\n", self.identity.to_public())).expect("the recipient key");
                run(&["recipient-key", "add", "--organisation", code, "--file", &path.display().to_string()]);
            }
            let login = login(code);
            let owner = format!("{code}@example.org");
            run(&["account", "add", &login, "--organisation", code, "--kind", "machine", "--owner", &owner]);
            let public = format!("{}.pub", ssh_key(&self.keys, code).display());
            run(&["key", "add", "--account", &login, "--file", &public]);
        }
        let products = [("daily", &DAILY[..]), ("spooled", &SPOOLED[..]), ("brief", &BRIEF[..])];
        for (product, recipients) in products {
            for code in recipients {
                let mut agreement =
                    vec!["agreement", "add", "--organisation", code, "--product", product, "--purpose", "test"];
                if *code == END_TO_END {
                    agreement.push("--end-to-end");
                }
                run(&agreement);
                run(&["right", "couple", "--account", &login(code), "--product", product]);
            }
            fs::create_dir_all(self.spool().join(product)).expect("a folder of the spool");
        }
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.server.home()
    }

    pub(crate) fn spool(&self) -> PathBuf {
        self.home().join("spool")
    }

    pub(crate) fn desk(&self) -> Desk {
        Desk { home: self.home() }
    }

    /// A client of this organisation's robot, for the server as it runs now.
    pub(crate) fn robot(&self, organisation: &str) -> SftpClient {
        SftpClient::new(&self.server, &login(organisation), &self.keys.join(organisation))
    }

    /// What the end-to-end recipient finds in a file that it fetched.
    #[track_caller]
    pub(crate) fn opened(&self, sealed: &Path) -> Vec<u8> {
        let keys = self.server.desk("keys-of-the-robots");
        let identity = keys.join("identity");
        if !identity.exists() {
            fs::write(&identity, self.identity.to_string().expose_secret()).expect("the identity");
        }
        let bytes = fs::read(sealed).expect("the sealed file");
        age::decrypt(&self.identity, &bytes).unwrap_or_else(|error| panic!("{}: {error}", sealed.display()))
    }
}

pub(crate) fn login(organisation: &str) -> String {
    format!("robot-{organisation}")
}

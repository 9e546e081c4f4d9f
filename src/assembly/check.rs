//! Looks at everything that `serve` needs before it is needed, and says of
//! every fault what to do. Changes nothing.
#![expect(clippy::disallowed_methods, reason = "looks at the files, clocks and addresses of a home")]

use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use rustix::fs::Access;
use serde_json::{Value, json};

use super::{ADMIN_SOCKET, SPOOL, host_keys};
use crate::adapters::backup_folder;
use crate::adapters::keyring_folder::KeyringFolder;
use crate::config::mail::Relay;
use crate::config::{CONFIG_FILE, Config, environment};
use crate::fronts::https::tls;

/// How one look ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// In order.
    Fine,
    /// Works now, but needs attention.
    Warning,
    /// `serve` would fail or be unsafe.
    Wrong,
}

/// One thing that was looked at.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What was looked at.
    pub what: String,
    /// How it ended.
    pub verdict: Verdict,
    /// What was seen, and what to do about it.
    pub detail: String,
}

impl Finding {
    /// As a line for people.
    #[must_use]
    pub fn line(&self) -> String {
        let word = match self.verdict {
            Verdict::Fine => "ok",
            Verdict::Warning => "warn",
            Verdict::Wrong => "FAIL",
        };
        format!("{word:<5} {}: {}", self.what, self.detail)
    }

    /// As JSON.
    #[must_use]
    pub fn document(&self) -> Value {
        let verdict = match self.verdict {
            Verdict::Fine => "ok",
            Verdict::Warning => "warning",
            Verdict::Wrong => "failed",
        };
        json!({ "check": self.what, "result": verdict, "detail": self.detail })
    }
}

/// Warn about a certificate that ends within so many days.
const CERTIFICATE_WARNING_DAYS: i64 = 30;

/// How long a mail relay may take to accept a connection.
const RELAY_PATIENCE: Duration = Duration::from_secs(3);

struct Report(Vec<Finding>);

impl Report {
    fn add(&mut self, what: &str, verdict: Verdict, detail: impl Into<String>) {
        self.0.push(Finding { what: what.to_owned(), verdict, detail: detail.into() });
    }

    fn judge<E: ToString>(&mut self, what: &str, outcome: Result<String, E>) {
        match outcome {
            Ok(detail) => self.add(what, Verdict::Fine, detail),
            Err(error) => self.add(what, Verdict::Wrong, error.to_string()),
        }
    }
}

/// Looks at a home. Every finding is returned; a bad configuration ends the look early.
#[must_use]
pub fn check(home: &Path) -> Vec<Finding> {
    let mut report = Report(Vec::new());
    let config = match Config::load(home, environment()) {
        Ok(config) => config,
        Err(faults) => {
            for fault in faults.list() {
                report.add("configuration", Verdict::Wrong, fault.to_string());
            }
            return report.0;
        }
    };
    report.add("configuration", Verdict::Fine, home.join(CONFIG_FILE).display().to_string());
    check_folders(&mut report, home);
    check_keys(&mut report, &config);
    check_certificate(&mut report, &config);
    let is_running = UnixStream::connect(home.join(ADMIN_SOCKET)).is_ok();
    if is_running {
        report.add("addresses", Verdict::Fine, "a server of this home is running");
    } else {
        check_address(&mut report, "sftp.listen", config.sftp.listen);
        check_address(&mut report, "https.listen", config.https.listen);
        if let Some(address) = config.operator.listen {
            check_address(&mut report, "operator.listen", address);
        }
    }
    check_checks(&mut report, &config);
    check_disk(&mut report, &config);
    check_backup(&mut report, &config);
    check_relay(&mut report, &config);
    report.0
}

fn check_folders(report: &mut Report, home: &Path) {
    for (name, open_to_others) in [("keys", false), ("data", false), (SPOOL, true), ("run", false)] {
        let path = home.join(name);
        let shown = path.display();
        match std::fs::metadata(&path) {
            Err(error) => {
                report.add(
                    "folder",
                    Verdict::Wrong,
                    format!("{shown} cannot be looked at: {error}; run `postkluis init`"),
                );
            }
            Ok(metadata) if !metadata.is_dir() => {
                report.add("folder", Verdict::Wrong, format!("{shown} is not a folder"));
            }
            Ok(metadata) if !open_to_others && metadata.permissions().mode() & 0o077 != 0 => {
                let mode = metadata.permissions().mode() & 0o777;
                report.add(
                    "folder",
                    Verdict::Wrong,
                    format!("{shown} is open to others ({mode:o}); run `chmod 700 {shown}`"),
                );
            }
            Ok(_) => match rustix::fs::access(&path, Access::WRITE_OK | Access::EXEC_OK) {
                Ok(()) => report.add("folder", Verdict::Fine, shown.to_string()),
                Err(error) => {
                    let detail =
                        format!("{shown} cannot be written: {error}; it must be writable for the server's user");
                    report.add("folder", Verdict::Wrong, detail);
                }
            },
        }
    }
    let devices = [home.join(SPOOL), home.join(SPOOL).join(crate::fronts::spool::CLAIMED)];
    let devices: Vec<u64> = devices.iter().filter_map(|path| std::fs::metadata(path).ok()).map(|m| m.dev()).collect();
    if let [spool, claimed] = devices.as_slice()
        && spool != claimed
    {
        let why = "spool/.claimed lies on another file system than spool: drops cannot be claimed by a rename";
        report.add("spool", Verdict::Wrong, why);
    }
}

fn check_keys(report: &mut Report, config: &Config) {
    let keys = config.home.join("keys");
    report.judge("master key", KeyringFolder::judge(&keys, &super::master(config)).map(|()| "opens".to_owned()));
    match host_keys::read(&keys) {
        Ok(found) => {
            for key in found {
                let next = if key.in_use { "" } else { " (next)" };
                let detail = format!("{} {}{next}", key.key.algorithm(), key.fingerprint());
                report.add("SSH host key", Verdict::Fine, detail);
            }
        }
        Err(failure) => report.add("SSH host key", Verdict::Wrong, failure.to_string()),
    }
}

fn check_certificate(report: &mut Report, config: &Config) {
    let path = &config.https.certificate;
    let opened = tls::acceptor(path, &config.https.key, config.https.tls_minimum);
    report.judge("certificate and key", opened.map(|_| path.display().to_string()));
    let Ok(pem) = std::fs::read(path) else { return };
    let Ok((_, pem)) = x509_parser::pem::parse_x509_pem(&pem) else { return };
    let Ok(certificate) = pem.parse_x509() else { return };
    let ends = certificate.validity().not_after.timestamp();
    let days = (ends - jiff::Timestamp::now().as_second()) / 86_400;
    let detail = format!("{}: valid for {days} more days", path.display());
    match days {
        ..0 => report.add(
            "certificate dates",
            Verdict::Wrong,
            format!("{}: expired {} days ago; renew it", path.display(), -days),
        ),
        0..CERTIFICATE_WARNING_DAYS => report.add("certificate dates", Verdict::Warning, detail),
        _ => report.add("certificate dates", Verdict::Fine, detail),
    }
}

fn check_address(report: &mut Report, key: &str, address: SocketAddr) {
    match TcpListener::bind(address) {
        Ok(_) => report.add(key, Verdict::Fine, format!("{address} is free")),
        Err(error) => {
            let detail =
                format!("{address} cannot be listened on: {error}; choose another address or stop what listens there");
            report.add(key, Verdict::Wrong, detail);
        }
    }
}

fn check_checks(report: &mut Report, config: &Config) {
    match super::checks::plans(config) {
        Ok(plans) => {
            let products: Vec<String> = plans.keys().map(ToString::to_string).collect();
            let told = if products.is_empty() { "none".to_owned() } else { products.join(", ") };
            let detail = format!("{}: {told}", config.uploads.checks.folder.display());
            report.add("checks of participant files", Verdict::Fine, detail);
        }
        Err(faults) => {
            for fault in faults {
                report.add("checks of participant files", Verdict::Wrong, fault.to_string());
            }
        }
    }
    match super::checks::scanner_answers(config) {
        None => {}
        Some(Ok(())) => report.add("uploads.scanner", Verdict::Fine, "answers"),
        // a scanner that is down is no reason not to serve: uploads.scanner_down says what becomes of files
        Some(Err(fault)) => report.add("uploads.scanner", Verdict::Warning, fault.to_string()),
    }
}

fn check_disk(report: &mut Report, config: &Config) {
    let reserve = config.storage.reserve_bytes;
    match rustix::fs::statvfs(&config.home) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let detail = format!("{} MiB free, storage.reserve_bytes keeps {} MiB", free >> 20, reserve >> 20);
            match free {
                free if free < reserve => {
                    report.add("disk", Verdict::Wrong, format!("{detail}: nothing can be stored; free some space"))
                }
                free if free < reserve.saturating_mul(4) => report.add("disk", Verdict::Warning, detail),
                _ => report.add("disk", Verdict::Fine, detail),
            }
        }
        Err(error) => report.add("disk", Verdict::Wrong, format!("{}: {error}", config.home.display())),
    }
}

fn check_backup(report: &mut Report, config: &Config) {
    match &config.storage.backup_recipient {
        None => report.add(
            "storage.backup_recipient",
            Verdict::Warning,
            "is not set: no backup can be made; run `age-keygen` and put its public key there",
        ),
        Some(key) => report.judge("storage.backup_recipient", backup_folder::recipient(key).map(|key| key.to_string())),
    }
    match super::backup::is_unconfirmed(&config.home) {
        Ok(false) => {}
        Ok(true) => {
            let detail = "this home was restored and stays shut until `postkluis restore confirm`";
            report.add("restored home", Verdict::Warning, detail);
        }
        Err(failure) => report.add("restored home", Verdict::Wrong, failure.to_string()),
    }
}

fn check_relay(report: &mut Report, config: &Config) {
    match &config.mail.relay {
        Relay::Folder(folder) => {
            report.add(
                "mail.relay",
                Verdict::Warning,
                format!("e-mails go to the folder {}, not to people", folder.display()),
            );
        }
        Relay::Smtp(relay) => {
            let reached = (relay.host.as_str(), relay.port)
                .to_socket_addrs()
                .and_then(|mut addresses| {
                    let none = || std::io::Error::new(std::io::ErrorKind::NotFound, "the name has no address");
                    TcpStream::connect_timeout(&addresses.next().ok_or_else(none)?, RELAY_PATIENCE)
                })
                .map(|_| "answers".to_owned());
            match reached {
                Ok(detail) => {
                    report.add("mail.relay", Verdict::Fine, format!("{}:{} {detail}", relay.host, relay.port))
                }
                // Publication never waits for mail: a relay that is down is no reason not to serve.
                Err(error) => report.add(
                    "mail.relay",
                    Verdict::Warning,
                    format!("{}:{} does not answer: {error}; e-mails wait in the queue", relay.host, relay.port),
                ),
            }
        }
    }
}

/// The DNS records that the outside world needs for this server, for the administrator to enter.
#[must_use]
pub fn dns_records(home: &Path) -> Vec<String> {
    let Ok(config) = Config::load(home, environment()) else { return Vec::new() };
    let host = host_keys::host_name(&config);
    let mut records = vec![
        format!("{host}. IN A      <IPv4 address>"),
        format!("{host}. IN AAAA   <IPv6 address>"),
        format!("{host}. IN CAA    0 issue \"<your certification authority>\""),
    ];
    for key in host_keys::read(&config.home.join("keys")).unwrap_or_default() {
        records.push(key.sshfp(&host));
    }
    let (_, mail_domain) = config.mail.from.as_str().rsplit_once('@').unwrap_or(("", "<mail domain>"));
    records.push(format!("{mail_domain}. IN TXT    \"v=spf1 <your relay> -all\""));
    records.push(format!("_dmarc.{mail_domain}. IN TXT \"v=DMARC1; p=reject; rua=mailto:<address>\""));
    records
}

//! The part of `[uploads]` about checks: where they are declared, and the scanner. Knows nothing of files.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::file::Settings;

/// Where checks are declared, and the scanner.
#[derive(Clone, Debug)]
pub struct CheckSettings {
    /// The folder of declarations.
    pub folder: PathBuf,
    /// The scanner, if there is one.
    pub scanner: Option<ScannerAddress>,
    /// What becomes of a file while it does not answer.
    pub scanner_down: ScannerDown,
    /// How long it may take for one answer.
    pub scanner_timeout: Duration,
}

/// Where the scanner listens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ScannerAddress {
    /// A socket in the file system.
    Unix(PathBuf),
    /// Host and port.
    Tcp(String, u16),
}

/// What becomes of a file that could not be scanned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ScannerDown {
    /// It waits.
    Wait,
    /// It is accepted.
    Accept,
    /// It is rejected.
    Reject,
}

const ADDRESS_RULE: &str = "unix:/path/of/clamd.ctl or tcp:host:port";

pub(super) fn read(settings: &mut Settings, home: &Path) -> Option<CheckSettings> {
    Some(CheckSettings {
        folder: home.join(settings.text("uploads.checks_folder")?),
        scanner: settings.parsed_optional("uploads.scanner", ADDRESS_RULE, address)?,
        scanner_down: match settings.text("uploads.scanner_down")?.as_str() {
            "accept" => ScannerDown::Accept,
            "reject" => ScannerDown::Reject,
            _ => ScannerDown::Wait,
        },
        scanner_timeout: Duration::from_millis(settings.period("uploads.scanner_timeout")?.millis()),
    })
}

fn address(text: &str) -> Result<ScannerAddress, &'static str> {
    if let Some(path) = text.strip_prefix("unix:").filter(|path| path.starts_with('/')) {
        return Ok(ScannerAddress::Unix(PathBuf::from(path)));
    }
    let host_and_port = text.strip_prefix("tcp:").and_then(|rest| rest.rsplit_once(':'));
    let (host, port) = host_and_port.ok_or("is no address of a scanner")?;
    // an address of IPv6 stands in brackets
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    match port.parse() {
        Ok(port) if port > 0 && !host.is_empty() => Ok(ScannerAddress::Tcp(host.to_owned(), port)),
        _ => Err("is no address of a scanner"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_a_scanner() {
        assert_eq!(address("unix:/run/clamd.ctl"), Ok(ScannerAddress::Unix("/run/clamd.ctl".into())));
        assert_eq!(address("tcp:localhost:3310"), Ok(ScannerAddress::Tcp("localhost".to_owned(), 3310)));
        assert_eq!(address("tcp:[::1]:3310"), Ok(ScannerAddress::Tcp("::1".to_owned(), 3310)));
        for wrong in ["", "unix:clamd.ctl", "tcp:3310", "tcp::3310", "tcp:host:0", "tcp:host:x", "/run/clamd.ctl"] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
    }
}

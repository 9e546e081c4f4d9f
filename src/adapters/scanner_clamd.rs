//! The scanner is ClamAV's daemon: INSTREAM over its socket (clamd(8)), each wait with a limit. The crate
//! `clamav-client` takes only whole files and buffers, without limits of time; the protocol is these few lines.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use crate::ports::failure::Fault;
use crate::ports::scanner::{Scan, Scanned, Scanner};

/// Longest answer that is read.
const MOST_ANSWER_BYTES: u64 = 4_096;

/// How long its connection may take: other files wait for this one.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);

/// Sent as one piece; the protocol has a length of 32 bits for each.
const PIECE_BYTES: usize = 1024 * 1024;

/// Where the daemon listens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ClamdAddress {
    /// Its socket in the file system (`LocalSocket`).
    Unix(PathBuf),
    /// Its host and port (`TCPSocket`).
    Tcp(String, u16),
}

/// ClamAV's daemon.
#[derive(Clone, Debug)]
pub struct ScannerClamd {
    address: ClamdAddress,
    timeout: Duration,
}

impl ScannerClamd {
    /// The daemon at this address; it has `timeout` for each answer and each piece.
    #[must_use]
    pub const fn new(address: ClamdAddress, timeout: Duration) -> Self {
        Self { address, timeout }
    }
}

impl Scanner for ScannerClamd {
    fn begin(&self) -> Result<Box<dyn Scan>, Fault> {
        let reach = |error| Fault::from_error("reach the scanner", error);
        let mut line: Box<dyn Line> = match &self.address {
            ClamdAddress::Unix(path) => {
                let stream = UnixStream::connect(path).map_err(reach)?;
                stream.set_read_timeout(Some(self.timeout)).map_err(reach)?;
                stream.set_write_timeout(Some(self.timeout)).map_err(reach)?;
                Box::new(stream)
            }
            ClamdAddress::Tcp(host, port) => {
                let none = || std::io::Error::new(std::io::ErrorKind::NotFound, "the name has no address");
                let address = (host.as_str(), *port).to_socket_addrs().and_then(|mut all| all.next().ok_or_else(none));
                let patience = self.timeout.min(CONNECT_PATIENCE);
                let stream =
                    address.and_then(|address| TcpStream::connect_timeout(&address, patience)).map_err(reach)?;
                stream.set_read_timeout(Some(self.timeout)).map_err(reach)?;
                stream.set_write_timeout(Some(self.timeout)).map_err(reach)?;
                Box::new(stream)
            }
        };
        line.write_all(b"zINSTREAM\0").map_err(reach)?;
        Ok(Box::new(InStream { line, answered: None }))
    }
}

/// A connection to the daemon.
trait Line: Read + Write {}

impl Line for UnixStream {}
impl Line for TcpStream {}

struct InStream {
    line: Box<dyn Line>,
    /// It answered before the end, as it does when a file is too large, and takes no more.
    answered: Option<Scanned>,
}

impl Scan for InStream {
    fn take(&mut self, part: &[u8]) -> Result<(), Fault> {
        for piece in part.chunks(PIECE_BYTES) {
            if self.answered.is_some() {
                return Ok(());
            }
            let length = u32::try_from(piece.len()).unwrap_or_default().to_be_bytes();
            if let Err(error) = self.line.write_all(&length).and_then(|()| self.line.write_all(piece)) {
                // it hangs up once it has answered: the answer says why
                let answer = self.answer().map_err(|_| Fault::from_error("hand a file to the scanner", error))?;
                self.answered = Some(answer);
            }
        }
        Ok(())
    }

    fn end(mut self: Box<Self>) -> Result<Scanned, Fault> {
        if let Some(answer) = self.answered.take() {
            return Ok(answer);
        }
        let ended = self.line.write_all(&[0; 4]).and_then(|()| self.line.flush());
        match (ended, self.answer()) {
            (_, Ok(answer)) => Ok(answer),
            (Err(error), Err(_)) => Err(Fault::from_error("hand a file to the scanner", error)),
            (Ok(()), Err(fault)) => Err(fault),
        }
    }
}

impl InStream {
    fn answer(&mut self) -> Result<Scanned, Fault> {
        let mut answer = Vec::new();
        let mut limited = (&mut self.line).take(MOST_ANSWER_BYTES);
        limited.read_to_end(&mut answer).map_err(|error| Fault::from_error("read the scanner's answer", error))?;
        understood(&answer)
    }
}

/// The answer is `stream: OK`, `stream: NAME FOUND`, or an error; it ends in NUL.
fn understood(answer: &[u8]) -> Result<Scanned, Fault> {
    let text = String::from_utf8_lossy(answer);
    let text = text.trim_end_matches(['\0', '\n']);
    if text == "stream: OK" {
        Ok(Scanned::Clean)
    } else if let Some(name) = text.strip_prefix("stream: ").and_then(|rest| rest.strip_suffix(" FOUND")) {
        Ok(Scanned::Found(name.to_owned()))
    } else if text.contains("size limit exceeded") {
        Ok(Scanned::TooLarge)
    } else {
        let told: String = text.chars().take(100).map(|c| if c.is_control() { ' ' } else { c }).collect();
        Err(Fault::new(format!("understand the scanner: it answered \"{told}\"")))
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn answers_are_told_apart() {
        assert_eq!(understood(b"stream: OK\0").unwrap(), Scanned::Clean);
        assert_eq!(understood(b"stream: Own.Test FOUND\0").unwrap(), Scanned::Found("Own.Test".to_owned()));
        assert_eq!(understood(b"INSTREAM size limit exceeded. ERROR\0").unwrap(), Scanned::TooLarge);
        for unknown in [&b""[..], b"stream: OK FOUNDED", b"UNKNOWN COMMAND\0", b"\xFF"] {
            assert!(understood(unknown).is_err(), "{unknown:?}");
        }
    }

    #[test]
    fn a_daemon_that_is_not_there_or_hangs_up_is_a_fault_within_its_time() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let there = ClamdAddress::Tcp(address.ip().to_string(), address.port());
        let scanner = ScannerClamd::new(there, Duration::from_millis(200));
        // it takes the connection and never answers
        let mut scan = scanner.begin().unwrap();
        scan.take(b"abc").unwrap();
        assert!(scan.end().is_err());
        // it hangs up
        let scan = scanner.begin().unwrap();
        for _ in 0..2 {
            drop(listener.accept().unwrap());
        }
        assert!(scan.end().is_err());
        drop(listener);
        assert!(scanner.begin().is_err());
        let absent = ClamdAddress::Unix("/nonexistent/clamd.ctl".into());
        assert!(ScannerClamd::new(absent, Duration::from_millis(200)).begin().is_err());
    }
}

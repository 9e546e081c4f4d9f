//! The real program on a home of the bench: started until it answers,
//! stopped or killed by its own process id. Knows nothing of what is measured.

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// What a bench may fail with.
pub(crate) type Outcome<T> = Result<T, Box<dyn Error>>;

/// Laid over the configuration of every home of a bench: ports by the system, no mail
/// to speak of, and folders of 10,000 files.
pub(crate) const SETTINGS: &[(&str, &str)] = &[
    ("POSTKLUIS_SFTP__LISTEN", "127.0.0.1:0"),
    ("POSTKLUIS_HTTPS__LISTEN", "127.0.0.1:0"),
    ("POSTKLUIS_MAIL__MAX_PER_MINUTE", "1"),
    ("POSTKLUIS_SPOOL__MAX_FILES_PER_DELIVERY", "10000"),
    ("POSTKLUIS_LOGGING__LEVEL", "error"),
];

/// A running server. Dropped without `stop` it ends as in a crash (SIGKILL).
pub(crate) struct Served {
    child: Child,
    addresses: Vec<(String, SocketAddr)>,
}

impl Served {
    /// Starts the program with these settings too, and waits until it answers.
    pub(crate) fn start(home: &Path, more: &[(&str, &str)]) -> Outcome<Self> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postkluis"));
        command.arg("--home").arg(home).arg("serve").envs(SETTINGS.iter().chain(more).copied());
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let pairs = line.split_whitespace().filter_map(|word| word.split_once('='));
        let addresses: Vec<_> =
            pairs.filter_map(|(channel, at)| Some((channel.to_owned(), at.parse().ok()?))).collect();
        if addresses.is_empty() {
            end(&mut child);
            return Err(format!("the server did not say where it answers: {line:?}").into());
        }
        Ok(Self { child, addresses })
    }

    /// Where a channel answers: `sftp`, `https`.
    pub(crate) fn at(&self, channel: &str) -> Outcome<SocketAddr> {
        let found = self.addresses.iter().find(|(name, _)| name == channel);
        Ok(found.ok_or_else(|| format!("the server has no channel {channel}"))?.1)
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end, and waits for the end.
    pub(crate) fn stop(mut self) -> Outcome<()> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        let status = self.child.wait()?;
        if status.success() { Ok(()) } else { Err(format!("the server ended with {status}").into()) }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// Its own process only; it may have ended already.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

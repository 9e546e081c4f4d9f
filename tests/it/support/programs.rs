//! Runs outside programs to their end, always within a bound, and tells plainly
//! when one is not installed. Knows nothing of the server.

use std::io::{Read, Write};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// No client of the tests needs longer; a build machine with two cores is slow.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// How a program ended and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Ended {
    /// Standard output as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Standard output as one JSON document.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.stdout)
            .unwrap_or_else(|error| panic!("no JSON document ({error}):\n{}\n{}", self.text(), self.stderr))
    }

    /// Fails the test unless the program ended with this exit code.
    #[track_caller]
    pub(crate) fn expect_code(self, code: i32) -> Self {
        assert_eq!(
            self.status.code(),
            Some(code),
            "ended with {}\nstandard output: {}\nstandard error: {}",
            self.status,
            self.text(),
            self.stderr
        );
        self
    }
}

/// Runs a program to its end.
#[track_caller]
pub(crate) fn finish(command: &mut Command) -> Ended {
    finish_with(command, b"", PATIENCE)
}

/// Runs a program to its end with this on its standard input.
///
/// Fails the test when the program is missing or still runs after `within`; then it is ended.
#[track_caller]
pub(crate) fn finish_with(command: &mut Command, input: &[u8], within: Duration) -> Ended {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child =
        command.spawn().unwrap_or_else(|error| panic!("{name} cannot be started ({error}); `tests/run` installs it"));
    let (mut to, from, aside) =
        (child.stdin.take().unwrap(), child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let input = input.to_vec();
    // A program that reads no further breaks the pipe; what it says then is judged by the test.
    thread::spawn(move || to.write_all(&input).is_ok());
    let (stdout, stderr) = (collect(from), collect(aside));
    let Ok(stdout) = stdout.recv_timeout(within) else {
        end(&mut child);
        panic!("{name} still ran after {} s: {:?}", within.as_secs(), stderr.recv_timeout(PATIENCE));
    };
    let status = child.wait().unwrap_or_else(|error| panic!("{name}: {error}"));
    let stderr = match stderr.recv_timeout(within) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => String::new(),
    };
    Ended { status, stdout, stderr }
}

fn end(child: &mut std::process::Child) {
    // It may have ended by itself in between.
    let _ = child.kill();
    let _ = child.wait();
}

fn collect(mut from: impl Read + Send + 'static) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let whole = from.read_to_end(&mut bytes);
        whole.is_ok() && sender.send(bytes).is_ok()
    });
    receiver
}

/// The JavaScript interpreter, which finds the test's libraries.
#[track_caller]
pub(crate) fn node() -> Command {
    let modules = std::env::var_os("POSTKLUIS_TEST_NODE_MODULES").unwrap_or_else(|| {
        panic!("POSTKLUIS_TEST_NODE_MODULES is not set: run the tests by `tests/run`, which prepares them")
    });
    let mut node = Command::new("node");
    node.env("NODE_PATH", modules);
    node
}

/// The Python that has the test's libraries.
#[track_caller]
pub(crate) fn python() -> Command {
    let python = std::env::var_os("POSTKLUIS_TEST_PYTHON")
        .unwrap_or_else(|| panic!("POSTKLUIS_TEST_PYTHON is not set: run the tests by `tests/run`, which prepares it"));
    Command::new(python)
}

/// `rage`, the other implementation of age.
#[track_caller]
pub(crate) fn rage() -> Command {
    let rage = std::env::var_os("POSTKLUIS_TEST_RAGE")
        .unwrap_or_else(|| panic!("POSTKLUIS_TEST_RAGE is not set: run the tests by `tests/run`, which prepares it"));
    Command::new(rage)
}

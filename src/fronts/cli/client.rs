//! The client side of `run/admin.sock`: sends the arguments of one command and
//! prints the answer. Knows no command by name.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The largest request or answer on the socket.
pub const MOST_BYTES: u64 = 256 << 20;

/// How long a command may take: publishing many gigabytes is long work.
const PATIENCE: Duration = Duration::from_secs(6 * 60 * 60);

/// One command, as it was typed.
#[derive(Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Request {
    /// The arguments without the program's name.
    pub arguments: Vec<String>,
    /// The folder that relative paths start from.
    pub folder: String,
}

/// The answer to one command.
#[derive(Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Response {
    /// 0 done, 1 refused or failed, 2 wrong usage.
    pub exit: u8,
    /// For `--json`.
    pub document: Value,
    /// For people: the answer, or what is wrong.
    pub text: String,
}

/// Whether a server of this home answers.
#[must_use]
pub fn is_served(home: &Path) -> bool {
    UnixStream::connect(home.join("run/admin.sock")).is_ok()
}

/// Sends one command to the server of this home.
///
/// # Errors
/// No server answers there, or it hangs up; the text says what to do.
pub fn ask(home: &Path, request: &Request) -> Result<Response, String> {
    let socket = home.join("run/admin.sock");
    let stream = UnixStream::connect(&socket).map_err(|error| {
        format!("no server answers at {}: {error}; start it with `postkluis serve` or give --home", socket.display())
    })?;
    let failed = |error: std::io::Error| format!("the server at {} hung up: {error}", socket.display());
    stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    let mut line = serde_json::to_vec(request).map_err(|error| format!("the command cannot be sent: {error}"))?;
    line.push(b'\n');
    (&stream).write_all(&line).map_err(failed)?;
    let mut answer = String::new();
    BufReader::new((&stream).take(MOST_BYTES)).read_line(&mut answer).map_err(failed)?;
    serde_json::from_str(&answer).map_err(|error| format!("the server at {} gave no answer: {error}", socket.display()))
}

//! The server side of `run/admin.sock`: one line of JSON in, one out. The
//! socket is 0600: whoever can open it is the operator.
#![expect(clippy::disallowed_methods, reason = "its socket, and files that the operator names")]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, watch};

use super::args::{Command, CommandLine};
use super::client::{Request, Response};
use super::commands::{self, Office};
use crate::domain::history::Channel;
use crate::operations::{Failure, Officer};

/// At most so many commands run at once; further ones wait.
const MOST_AT_ONCE: usize = 32;

/// The longest request: arguments are short.
const MOST_REQUEST_BYTES: u64 = 1 << 20;

/// Binds the socket, in place of one that a killed server left.
///
/// # Errors
/// The socket cannot be made or its permissions not set.
pub fn bind(path: &Path) -> std::io::Result<UnixListener> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))?;
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// After `shutdown`, commands that still run may finish for so long.
const LAST_ANSWERS: Duration = Duration::from_secs(10);

/// Answers commands until `shutdown`, and then those that run already.
pub async fn serve(listener: UnixListener, office: Arc<Office>, mut shutdown: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(MOST_AT_ONCE));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = shutdown.wait_for(|stop| *stop) => break,
        };
        let Ok((stream, _)) = accepted else { continue };
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let office = Arc::clone(&office);
        tokio::spawn(async move {
            let _place = place;
            if let Err(error) = answer(stream, office).await {
                tracing::debug!(%error, "a command's client hung up");
            }
        });
    }
    let everyone = u32::try_from(MOST_AT_ONCE).unwrap_or(u32::MAX);
    if tokio::time::timeout(LAST_ANSWERS, places.acquire_many(everyone)).await.is_err() {
        tracing::warn!("a command still ran when the server stopped; its outcome is in the history");
    }
}

async fn answer(mut stream: UnixStream, office: Arc<Office>) -> std::io::Result<()> {
    // who is there, as the kernel tells it (SO_PEERCRED)
    let by =
        stream.peer_cred().map_or(Officer::Channel(Channel::CommandLine), |peer| Officer::Peer { uid: peer.uid() });
    let (reader, mut writer) = stream.split();
    let mut line = String::new();
    BufReader::new(reader.take(MOST_REQUEST_BYTES)).read_line(&mut line).await?;
    let response = match serde_json::from_str::<Request>(&line) {
        Ok(request) => run(request, office, by).await,
        Err(error) => Response { exit: 2, document: json!({ "title": error.to_string() }), text: error.to_string() },
    };
    let mut text = serde_json::to_vec(&response)?;
    text.push(b'\n');
    writer.write_all(&text).await?;
    writer.shutdown().await
}

async fn run(request: Request, office: Arc<Office>, by: Officer) -> Response {
    let arguments = std::iter::once("postkluis".to_owned()).chain(request.arguments);
    let command = match CommandLine::try_parse_from(arguments) {
        Ok(CommandLine { command: Command::Running(command), .. }) => command,
        Ok(_) => return wrong_usage("this command runs without a server"),
        Err(error) => return wrong_usage(&error.to_string()),
    };
    let folder = PathBuf::from(request.folder);
    let outcome = crate::fronts::offload(move || commands::run(&office, command, &folder, by)).await;
    match outcome {
        Ok(answer) => Response { exit: 0, document: answer.document, text: answer.text },
        Err(Failure::Refused(refusal)) => {
            let text = refusal.to_string();
            Response { exit: 1, document: json!({ "error": text }), text }
        }
        Err(Failure::Faulted(fault)) => {
            let reference = crate::telemetry::report("run a command", &fault);
            // The operator may see the cause: it is the operator's own server.
            let text = format!("{fault} (reference {reference})");
            Response { exit: 1, document: json!({ "error": text, "reference": reference.to_string() }), text }
        }
    }
}

fn wrong_usage(text: &str) -> Response {
    Response { exit: 2, document: json!({ "error": text }), text: text.to_owned() }
}

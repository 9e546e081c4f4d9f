//! The passphrase of the master identity: from the configuration, else asked
//! for on the terminal of whoever starts the server. Never shown, never kept here.
#![expect(clippy::disallowed_methods, reason = "opens the terminal")]

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::adapters::keyring_folder::Passphrase;
use crate::config::secrets::Secret;
use crate::operations::Fault;

/// A passphrase is at most so long.
const MOST_BYTES: u64 = 1_024;

/// Gives the configured passphrase, or asks for it.
pub(super) fn of_master(configured: Option<Secret>) -> Passphrase {
    Box::new(move || match &configured {
        Some(secret) => Ok(Zeroizing::new(secret.reveal().to_owned())),
        None => ask(),
    })
}

fn ask() -> Result<Zeroizing<String>, Fault> {
    let no_terminal = |error| {
        Fault::from_error(
            "ask for the passphrase of the master key: there is no terminal; set sealing.passphrase_file",
            error,
        )
    };
    let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty").map_err(no_terminal)?;
    let before = tcgetattr(&terminal).map_err(|error| no_terminal(error.into()))?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&terminal, OptionalActions::Flush, &silent).map_err(|error| no_terminal(error.into()))?;
    let answer = read_line(&terminal);
    // The terminal is given back as it was, whatever was typed.
    let restored = tcsetattr(&terminal, OptionalActions::Flush, &before);
    let answer = answer.map_err(no_terminal)?;
    restored.map_err(|error| no_terminal(error.into()))?;
    Ok(answer)
}

fn read_line(mut terminal: &File) -> std::io::Result<Zeroizing<String>> {
    terminal.write_all(b"Passphrase of the master key: ")?;
    let mut line = Zeroizing::new(String::with_capacity(usize::try_from(MOST_BYTES).unwrap_or_default()));
    BufReader::new(terminal.take(MOST_BYTES)).read_line(&mut line)?;
    terminal.write_all(b"\n")?;
    Ok(Zeroizing::new(line.trim_end_matches(['\r', '\n']).to_owned()))
}

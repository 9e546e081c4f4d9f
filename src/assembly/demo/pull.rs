//! How the demo fetches: OpenSSH's sftp and curl where present, else the
//! program's own clients. Checks every digest list it gets.
#![expect(clippy::disallowed_methods, reason = "the demonstration makes and reads its own files")]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use russh::client::{self, Handle};
use russh::keys::{HashAlg, PrivateKeyWithHashAlg, PublicKeyOrCertificate};
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncReadExt;

use super::super::StartError;

/// A robot of a recipient, with what it needs to sign in.
pub(super) struct Robot {
    pub(super) login: String,
    pub(super) private_key: PathBuf,
    pub(super) known_hosts: PathBuf,
}

/// Which client fetched.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Client {
    OpenSsh,
    Own,
}

/// Whether a program can be started.
pub(super) fn is_present(program: &str) -> bool {
    let version = if program == "curl" { "--version" } else { "-V" };
    Command::new(program).arg(version).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// The command that a person would type.
pub(super) fn sftp_command(robot: &Robot, server: SocketAddr) -> String {
    format!(
        "sftp -i {} -o UserKnownHostsFile={} -P {} {}@{}",
        robot.private_key.display(),
        robot.known_hosts.display(),
        server.port(),
        robot.login,
        server.ip()
    )
}

/// Fetches the whole outbox into `into` with `get -r`.
pub(super) async fn fetch_outbox(robot: &Robot, server: SocketAddr, into: &Path) -> Result<Client, StartError> {
    std::fs::create_dir_all(into)?;
    if is_present("sftp") {
        run_sftp(robot, server, into, "get -r outbox\n").await?;
        return Ok(Client::OpenSsh);
    }
    fetch_with_own_client(robot, server, into).await?;
    Ok(Client::Own)
}

/// Whether one path can still be fetched.
pub(super) async fn can_fetch(robot: &Robot, server: SocketAddr, into: &Path, path: &str) -> Result<bool, StartError> {
    std::fs::create_dir_all(into)?;
    if is_present("sftp") {
        return Ok(run_sftp(robot, server, into, &format!("get {path}\n")).await.is_ok());
    }
    let session = own_session(robot, server).await?;
    Ok(session.open(path).await.is_ok())
}

async fn run_sftp(robot: &Robot, server: SocketAddr, into: &Path, batch: &str) -> Result<(), StartError> {
    let script = into.with_extension("batch");
    std::fs::write(&script, batch)?;
    let mut command = tokio::process::Command::new("sftp");
    command
        .args(["-q", "-b"])
        .arg(&script)
        .arg("-i")
        .arg(&robot.private_key)
        .arg("-o")
        .arg(format!("UserKnownHostsFile={}", robot.known_hosts.display()))
        .args(["-F", "none", "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes"])
        .args(["-P", &server.port().to_string()])
        .arg(format!("{}@{}", robot.login, server.ip()))
        .current_dir(into)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = command.output().await?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(failed(format!("sftp as {} failed: {}", robot.login, said.trim())))
}

struct TrustFirst;

impl client::Handler for TrustFirst {
    type Error = russh::Error;

    async fn check_server_key(&mut self, _key: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        // The demo talks to the server that it started itself, on loopback.
        Ok(true)
    }
}

async fn own_session(robot: &Robot, server: SocketAddr) -> Result<russh_sftp::client::SftpSession, StartError> {
    let wrong = |what: &str, error: &dyn std::fmt::Display| failed(format!("{what} as {}: {error}", robot.login));
    let config = Arc::new(client::Config::default());
    let mut session: Handle<TrustFirst> =
        client::connect(config, server, TrustFirst).await.map_err(|error| wrong("connect", &error))?;
    let key = russh::keys::load_secret_key(&robot.private_key, None).map_err(|error| wrong("read the key", &error))?;
    let key = PrivateKeyWithHashAlg::new(Arc::new(key), Some(HashAlg::Sha256));
    let signed_in =
        session.authenticate_publickey(&robot.login, key).await.map_err(|error| wrong("sign in", &error))?;
    if !signed_in.success() {
        return Err(failed(format!("sign in as {}: refused", robot.login)));
    }
    let channel = session.channel_open_session().await.map_err(|error| wrong("open a channel", &error))?;
    channel.request_subsystem(true, "sftp").await.map_err(|error| wrong("ask for sftp", &error))?;
    russh_sftp::client::SftpSession::new(channel.into_stream()).await.map_err(|error| wrong("speak sftp", &error))
}

async fn fetch_with_own_client(robot: &Robot, server: SocketAddr, into: &Path) -> Result<(), StartError> {
    let wrong = |error: russh_sftp::client::error::Error| failed(format!("fetch as {}: {error}", robot.login));
    let session = own_session(robot, server).await?;
    for product in session.read_dir("outbox").await.map_err(wrong)? {
        let folder = format!("outbox/{}", product.file_name());
        std::fs::create_dir_all(into.join(&folder))?;
        for entry in session.read_dir(&folder).await.map_err(wrong)? {
            let path = format!("{folder}/{}", entry.file_name());
            let mut remote = session.open(&path).await.map_err(wrong)?;
            let mut bytes = Vec::new();
            remote.read_to_end(&mut bytes).await?;
            std::fs::write(into.join(&path), bytes)?;
        }
    }
    Ok(())
}

/// Checks every `.sha256` below a folder, as `sha256sum -c` would. Returns how many files were right.
pub(super) fn check_digests(folder: &Path) -> Result<usize, StartError> {
    let mut right = 0;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            right += check_digests(&path)?;
        } else if path.extension().is_some_and(|extension| extension == "sha256") {
            for line in std::fs::read_to_string(&path)?.lines() {
                let (digest, name) = line.split_once("  ").unwrap_or_default();
                let found = digest_of(&folder.join(name))?;
                if found != digest {
                    return Err(failed(format!("{name} has digest {found}, its list says {digest}")));
                }
                right += 1;
            }
        }
    }
    Ok(right)
}

/// SHA-256 of a file, in hexadecimal.
pub(super) fn digest_of(path: &Path) -> Result<String, StartError> {
    let mut hash = Sha256::new();
    std::io::copy(&mut std::fs::File::open(path)?, &mut hash)?;
    Ok(data_encoding::HEXLOWER.encode(&hash.finalize()))
}

pub(super) fn failed(why: String) -> StartError {
    StartError::Io(std::io::Error::other(why))
}

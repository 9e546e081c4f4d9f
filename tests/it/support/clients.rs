//! Real clients against a server under test: the OpenSSH `sftp` and `curl`.
//! They trust this server's own host key and certificate, and nothing else.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::programs::{Ended, PATIENCE, finish, finish_with};
use super::server::Server;

/// Makes a fresh SSH key pair without a passphrase; returns the private key's path.
/// The public key lies beside it with `.pub`.
#[track_caller]
pub(crate) fn ssh_key(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"]).arg(&path);
    finish(&mut command).expect_code(0);
    path
}

/// One user's SFTP client, set up by an ssh configuration file of its own, which
/// `lftp`, `rclone` and `sshfs` can be given as well.
pub(crate) struct SftpClient {
    folder: PathBuf,
}

impl SftpClient {
    /// A client that signs in as `login` with this private key.
    #[track_caller]
    pub(crate) fn new(server: &Server, login: &str, key: &Path) -> Self {
        let folder = server.desk(&format!("client-of-{login}"));
        fs::write(folder.join("known_hosts"), server.known_host()).expect("known_hosts");
        let address = server.address("sftp");
        let config = format!(
            "Host vault\n  HostName {}\n  Port {}\n  User {login}\n  IdentityFile {}\n  IdentitiesOnly yes\n  \
             IdentityAgent none\n  UserKnownHostsFile {}\n  GlobalKnownHostsFile none\n  StrictHostKeyChecking yes\n  \
             PreferredAuthentications publickey\n  BatchMode yes\n  ConnectTimeout 20\n  LogLevel ERROR\n",
            address.ip(),
            address.port(),
            key.display(),
            folder.join("known_hosts").display(),
        );
        fs::write(folder.join("config"), config).expect("the ssh configuration");
        Self { folder }
    }

    /// Runs lines of `sftp`; local paths start from `folder()`. A line that fails ends it with exit code 1.
    #[track_caller]
    pub(crate) fn batch(&self, lines: &str) -> Ended {
        let mut command = Command::new("sftp");
        command.arg("-F").arg(self.config()).args(["-b", "-", "vault"]).current_dir(&self.folder);
        finish_with(&mut command, lines.as_bytes(), PATIENCE)
    }

    /// The ssh configuration, in which the server is called `vault`.
    pub(crate) fn config(&self) -> PathBuf {
        self.folder.join("config")
    }

    /// Where the client fetches to.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

/// Asks HTTPS by `curl`, with more arguments as wanted. `path` begins with `/`.
#[track_caller]
pub(crate) fn curl(server: &Server, path: &str, arguments: &[&str]) -> Ended {
    let mut command = Command::new("curl");
    command
        .args(["--silent", "--show-error", "--max-time", "60", "--cacert"])
        .arg(server.certificate())
        .args(arguments)
        .arg(format!("https://localhost:{}{path}", server.address("https").port()));
    finish(&mut command)
}

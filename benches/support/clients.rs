//! The peers: the OpenSSH client, and an OpenSSH server of the bench's own on
//! loopback over plain folders.

use std::fs;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::served::Outcome;

/// Both servers are asked for the same cipher.
const CIPHER: &str = "aes128-gcm@openssh.com";

/// `sshd` answers within this time.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// Makes a key pair without a passphrase; the public key lies beside it with `.pub`.
pub(crate) fn make_key(path: &Path) -> Outcome<()> {
    run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", "bench", "-f"]).arg(path))
}

/// One session of `sftp` that runs these lines; how long it took, sign-in included.
pub(crate) fn sftp(at: SocketAddr, login: &str, key: &Path, lines: &str) -> Outcome<Duration> {
    let mut command = Command::new("sftp");
    command.args(["-q", "-c", CIPHER, "-P", &at.port().to_string(), "-b", "-", "-i"]).arg(key);
    for option in [
        "IdentitiesOnly=yes",
        "IdentityAgent=none",
        "StrictHostKeyChecking=no",
        "UserKnownHostsFile=/dev/null",
        "GlobalKnownHostsFile=/dev/null",
        "LogLevel=ERROR",
    ] {
        command.args(["-o", option]);
    }
    command.arg("-F").arg("none").arg(format!("{login}@{}", at.ip()));
    let begun = Instant::now();
    run_with(&mut command, lines)?;
    Ok(begun.elapsed())
}

/// An OpenSSH server over plain files, on a port of its own.
pub(crate) struct Sshd {
    child: Child,
    /// Where it answers.
    pub(crate) at: SocketAddr,
}

impl Sshd {
    /// The server program, when this machine has it.
    pub(crate) fn program() -> Option<PathBuf> {
        Some(PathBuf::from("/usr/sbin/sshd")).filter(|path| path.exists())
    }

    /// Starts it in `folder`; who has `key` signs in as the user of the bench.
    pub(crate) fn start(program: &Path, folder: &Path, key: &Path) -> Outcome<Self> {
        let host_key = folder.join("sshd_host_key");
        make_key(&host_key)?;
        // Free a moment ago; when somebody takes it meanwhile, sshd fails and so does the bench.
        let at = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        // Its own demand; made by the service elsewhere.
        fs::create_dir_all("/run/sshd")?;
        let config = format!(
            "ListenAddress {at}\nHostKey {}\nAuthorizedKeysFile {}\nStrictModes no\nUsePAM no\nPidFile none\n\
             PermitRootLogin yes\nPasswordAuthentication no\nUseDNS no\nCiphers {CIPHER}\n\
             MaxStartups 5000\nMaxSessions 5000\nSubsystem sftp internal-sftp\n",
            host_key.display(),
            key.with_extension("pub").display(),
        );
        let path = folder.join("sshd_config");
        fs::write(&path, config)?;
        let mut command = Command::new(program);
        command.arg("-D").arg("-f").arg(&path).arg("-E").arg(folder.join("sshd.log")).stdin(Stdio::null());
        let mut server = Self { child: command.spawn()?, at };
        let begun = Instant::now();
        while TcpStream::connect(at).is_err() {
            if begun.elapsed() > ANSWERS_WITHIN || server.child.try_wait()?.is_some() {
                let log = fs::read_to_string(folder.join("sshd.log")).unwrap_or_default();
                return Err(format!("sshd does not answer: {log}").into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// Its process; each session is a child of it.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        // Its own process only; it may have ended already.
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let _ = self.child.wait();
    }
}

fn run(command: &mut Command) -> Outcome<()> {
    run_with(command, "")
}

fn run_with(command: &mut Command, input: &str) -> Outcome<()> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    if let Some(mut to) = child.stdin.take() {
        to.write_all(input.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{command:?}: {}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim()).into())
}

//! The peers: the OpenSSH client, and an OpenSSH server of the bench's own on
//! loopback over plain folders.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::measure::cpu_seconds_of;
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
    let batch = key.with_extension("batch");
    fs::write(&batch, lines)?;
    let mut command = Command::new("sftp");
    command.args(["-q", "-c", CIPHER, "-P", &at.port().to_string(), "-b"]).arg(&batch).arg("-i").arg(key);
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
    run(&mut command)?;
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
             Subsystem sftp /usr/lib/openssh/sftp-server\n",
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

    /// CPU seconds of the server and of every session that has ended.
    pub(crate) fn cpu_seconds(&self) -> Outcome<f64> {
        cpu_seconds_of(self.child.id())
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
    let output = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let output = output.wait_with_output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{command:?}: {}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim()).into())
}

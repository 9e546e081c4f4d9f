//! The servers that are measured, all over the same plain bytes on loopback: each a
//! process of the bench's own, ended by its id. Knows how to start them, not what they do.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::clients::{Sshd, make_key};
use crate::served::{Outcome, Served};
use crate::{tree, world};

/// A server answers within this time.
const ANSWERS_WITHIN: Duration = Duration::from_secs(20);

/// Laid over the settings of our server: bounds for 1,000 idle and 200 busy sessions of one account, from one
/// address.
pub(crate) const ROOM: &[(&str, &str)] = &[
    ("POSTKLUIS_SFTP__MAX_SESSIONS", "4000"),
    ("POSTKLUIS_LIMITS__MAX_SESSIONS_PER_ACCOUNT", "4000"),
    ("POSTKLUIS_LIMITS__MAX_OPEN_FETCHES_PER_ACCOUNT", "4000"),
];

/// A running server.
pub(crate) struct Server {
    /// As it stands in the tables.
    pub(crate) name: &'static str,
    /// What it says of itself.
    pub(crate) version: String,
    /// Where it answers.
    pub(crate) at: SocketAddr,
    /// Who signs in.
    pub(crate) login: String,
    /// Before each path.
    prefix: String,
    process: Process,
    /// Processes without any session.
    idle: usize,
    /// Keeps each upload's name apart.
    uploads: AtomicUsize,
}

enum Process {
    Ours(Served),
    OpenSsh(Sshd),
    Other(Other),
}

/// Another server's process; ended by its own id when dropped.
pub(crate) struct Other(Child);

impl Other {
    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Starts it and waits until it answers at an address that was free a moment ago.
    pub(crate) fn start_at(command: &mut Command, at: SocketAddr, log: &Path) -> Outcome<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(fs::File::create(log)?);
        let mut other = Self(command.spawn()?);
        let begun = Instant::now();
        while TcpStream::connect(at).is_err() {
            if begun.elapsed() > ANSWERS_WITHIN || other.0.try_wait()?.is_some() {
                return Err(format!("{command:?} does not answer: {}", fs::read_to_string(log)?).into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(other)
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // Its own process only; it may have ended already.
        let _ = kill_process(Pid::from_child(&self.0), Signal::TERM);
        let _ = self.0.wait();
    }
}

/// An address that is free now; when somebody takes it meanwhile, the server fails and so does the bench.
pub(crate) fn free_address() -> Outcome<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// What a program says of its version, the first line.
pub(crate) fn version_of(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    output.map_or_else(
        |error| format!("{program}: {error}"),
        |output| {
            let text = if output.stdout.is_empty() { output.stderr } else { output.stdout };
            String::from_utf8_lossy(&text).lines().next().unwrap_or_default().trim().to_owned()
        },
    )
}

impl Server {
    fn new(name: &'static str, version: String, at: SocketAddr, login: &str, prefix: &str, process: Process) -> Self {
        let login = login.to_owned();
        let server = Self {
            name,
            version,
            at,
            login,
            prefix: prefix.to_owned(),
            process,
            idle: 0,
            uploads: AtomicUsize::new(0),
        };
        Self { idle: tree::members(server.pid()).len(), ..server }
    }

    /// Ours, on this home.
    pub(crate) fn ours(home: &Path) -> Outcome<Self> {
        let served = Served::start(home, ROOM)?;
        let (at, version) = (served.at("sftp")?, version_of(env!("CARGO_BIN_EXE_postkluis"), &["--version"]));
        Ok(Self::new("postkluis, sealed", version, at, world::ROBOT, "outbox", Process::Ours(served)))
    }

    /// OpenSSH's `sshd` with `internal-sftp`, over plain files.
    pub(crate) fn openssh(folder: &Path, key: &Path, plain: &Path) -> Outcome<Self> {
        let program = Sshd::program().ok_or("this machine has no /usr/sbin/sshd")?;
        let sshd = Sshd::start(&program, folder, key)?;
        let user = std::env::var("USER").unwrap_or_else(|_| "root".to_owned());
        let (at, version) = (sshd.at, version_of("ssh", &["-V"]));
        let prefix = plain.display().to_string();
        Ok(Self::new("OpenSSH sshd, plain", version, at, &user, &prefix, Process::OpenSsh(sshd)))
    }

    /// `rclone serve sftp`, over plain files or over its crypt.
    pub(crate) fn rclone(folder: &Path, key: &Path, plain: &Path, is_sealed: bool) -> Outcome<Self> {
        let config = folder.join("rclone.conf");
        let host_key = folder.join("rclone_host_key");
        if !host_key.exists() {
            make_key(&host_key)?;
        }
        let sealed = folder.join("rclone-crypt");
        let secret = version_of("rclone", &["obscure", "a password of the bench"]);
        let text = format!(
            "[sealed]\ntype = crypt\nremote = {}\nfilename_encryption = off\ndirectory_name_encryption = false\n\
             password = {secret}\n",
            sealed.display()
        );
        fs::write(&config, text)?;
        let rclone = || {
            let mut command = Command::new("rclone");
            command.arg("--config").arg(&config);
            command
        };
        let what = if is_sealed {
            let copied = rclone().arg("copy").arg(plain).arg("sealed:").stdin(Stdio::null()).output()?;
            if !copied.status.success() {
                return Err(format!("rclone copy: {}", String::from_utf8_lossy(&copied.stderr)).into());
            }
            "sealed:".to_owned()
        } else {
            plain.display().to_string()
        };
        let mut serve = rclone();
        serve.args(["serve", "sftp", &what, "--addr", "127.0.0.1:0", "--authorized-keys"]);
        serve.arg(key.with_extension("pub")).arg("--key").arg(&host_key);
        let mut child = serve.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let log = child.stderr.take();
        let other = Other(child);
        let at = log.and_then(listening).ok_or("rclone does not say where it listens")?;
        let name = if is_sealed { "rclone serve over crypt" } else { "rclone serve, plain" };
        Ok(Self::new(name, version_of("rclone", &["version"]), at, "bench", "", Process::Other(other)))
    }

    /// ProFTPD with `mod_sftp`, over plain files.
    pub(crate) fn proftpd(folder: &Path, key: &Path, plain: &Path) -> Outcome<Self> {
        let desk = folder.join("proftpd");
        fs::create_dir(&desk)?;
        let host_key = desk.join("host_key");
        make_key(&host_key)?;
        let mut convert = Command::new("ssh-keygen");
        let converted = convert.args(["-e", "-f"]).arg(key.with_extension("pub")).stdin(Stdio::null()).output()?;
        private(&desk.join("keys"), &converted.stdout)?;
        private(&desk.join("passwd"), format!("bench:*:0:0:bench:{}:/bin/sh\n", desk.display()).as_bytes())?;
        let at = free_address()?;
        let own = desk.display();
        let both = format!(
            "RootLogin on\nRequireValidShell off\nAuthUserFile {own}/passwd\nAuthOrder mod_auth_file.c\nTransferLog none\n"
        );
        let text = format!(
            "LoadModule mod_sftp.c\nServerName bench\nServerType standalone\nDefaultAddress 127.0.0.1\nPort 0\n\
             PidFile {own}/pid\nScoreboardFile {own}/scoreboard\nDelayEngine off\nUseReverseDNS off\nUser root\n\
             Group root\nAuthPAM off\nMaxInstances none\nWtmpLog off\n{both}\
             <VirtualHost {}>\nPort {}\n{both}SFTPEngine on\nSFTPHostKey {}\nSFTPAuthMethods publickey\n\
             SFTPAuthorizedUserKeys file:{own}/keys\nSFTPCiphers aes128-gcm@openssh.com aes128-ctr\n\
             MaxClients none\n</VirtualHost>\n",
            at.ip(),
            at.port(),
            host_key.display(),
        );
        let config = desk.join("proftpd.conf");
        fs::write(&config, text)?;
        let mut command = Command::new("/usr/sbin/proftpd");
        command.args(["-n", "-q", "-c"]).arg(&config);
        let other = Other::start_at(&mut command, at, &desk.join("log"))?;
        let (version, prefix) = (version_of("/usr/sbin/proftpd", &["-v"]), plain.display().to_string());
        Ok(Self::new("ProFTPD mod_sftp, plain", version, at, "bench", &prefix, Process::Other(other)))
    }

    /// A path as this server has it.
    pub(crate) fn remote(&self, path: &str) -> String {
        if self.prefix.is_empty() { path.to_owned() } else { format!("{}/{path}", self.prefix) }
    }

    /// Where one more upload may be written.
    pub(crate) fn fresh_upload(&self) -> String {
        let name = format!("upload-{:03}.bin", self.uploads.fetch_add(1, Ordering::Relaxed));
        match self.process {
            Process::Ours(_) => format!("dropbox/large/{name}"),
            Process::OpenSsh(_) | Process::Other(_) => self.remote(&name),
        }
    }

    /// Whether it is the one that seals what lies on the disk, and may remove no upload.
    pub(crate) const fn is_ours(&self) -> bool {
        matches!(self.process, Process::Ours(_))
    }

    /// Where ours answers over HTTPS.
    pub(crate) fn https(&self) -> Outcome<SocketAddr> {
        match &self.process {
            Process::Ours(served) => served.at("https"),
            Process::OpenSsh(_) | Process::Other(_) => Err("only ours speaks HTTPS".into()),
        }
    }

    /// Asks ours to end in order and waits for it; the others end when they are dropped.
    pub(crate) fn stop(self) -> Outcome<()> {
        match self.process {
            Process::Ours(served) => served.stop(),
            Process::OpenSsh(_) | Process::Other(_) => Ok(()),
        }
    }

    /// How many processes it has without any session.
    pub(crate) const fn idle_processes(&self) -> usize {
        self.idle
    }

    /// Its first process.
    pub(crate) fn pid(&self) -> u32 {
        match &self.process {
            Process::Ours(served) => served.pid(),
            Process::OpenSsh(sshd) => sshd.pid(),
            Process::Other(other) => other.pid(),
        }
    }

    /// CPU seconds of all its processes so far. No session may be open: waits until those that ended are counted.
    pub(crate) fn cpu_seconds(&self) -> Outcome<f64> {
        tree::settle(self.pid(), self.idle)?;
        Ok(tree::cpu_seconds(self.pid()))
    }
}

fn private(path: &Path, bytes: &[u8]) -> Outcome<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::write(path, bytes)?;
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(0o600))?)
}

/// The address in the line that rclone logs; what it logs later is taken and dropped.
fn listening(log: impl std::io::Read + Send + 'static) -> Option<SocketAddr> {
    let mut lines = BufReader::new(log).lines().map_while(Result::ok);
    let at = lines.find_map(|line| line.split_once("listening on ")?.1.trim().parse().ok());
    std::thread::spawn(move || lines.count());
    at
}

//! The real program under test: a home of its own in a temporary folder, ports
//! chosen by the system, ended by its own process id. Its log is shown when a
//! test fails.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use super::programs::{Ended, finish};

/// From the start to the `ready` line, on a slow machine.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// From SIGTERM to the end: transfers in flight may finish.
const STOPPED_WITHIN: Duration = Duration::from_secs(60);
/// So much of the log is shown when a test fails.
const LAST_LOG_LINES: usize = 200;

/// The program.
pub(crate) fn postkluis() -> Command {
    clean_command(Path::new(env!("CARGO_BIN_EXE_postkluis")))
}

/// A program that is, or starts, the program under test.
pub(crate) fn clean_command(program: &Path) -> Command {
    let mut command = Command::new(program);
    // What the surroundings of the test say must not steer it.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("POSTKLUIS_")) {
        command.env_remove(name);
    }
    command
}

/// A server with its home.
pub(crate) struct Server {
    folder: Folder,
    settings: BTreeMap<String, String>,
    running: Option<Running>,
}

/// Where a home lies.
enum Folder {
    /// Made for it, and removed with it.
    Own(TempDir),
    /// On a file system that the test mounted.
    Lent(PathBuf),
}

impl Folder {
    fn path(&self) -> &Path {
        match self {
            Self::Own(folder) => folder.path(),
            Self::Lent(folder) => folder,
        }
    }
}

struct Running {
    child: Child,
    /// Ends when the program's standard output does, so when the program does.
    lines: mpsc::Receiver<String>,
    addresses: BTreeMap<String, SocketAddr>,
}

impl Server {
    /// A fresh home with a server that answers.
    #[track_caller]
    pub(crate) fn start() -> Self {
        let mut server = Self::prepare();
        server.serve();
        server
    }

    /// A fresh home, nothing running yet: for tests that change the configuration first.
    #[track_caller]
    pub(crate) fn prepare() -> Self {
        Self::without_home().with_home()
    }

    /// The same in a folder that the test removes, such as a file system of its own.
    #[track_caller]
    pub(crate) fn prepare_in(folder: &Path) -> Self {
        Self::in_folder(Folder::Lent(folder.to_owned())).with_home()
    }

    /// The home of this server as a copy of its folder holds it, nothing running yet.
    pub(crate) fn copied_to(&self, folder: &Path) -> Self {
        let mut server = Self::in_folder(Folder::Lent(folder.to_owned()));
        for (variable, value) in &self.settings {
            server.settings.entry(variable.clone()).or_insert_with(|| value.clone());
        }
        server
    }

    #[track_caller]
    fn with_home(self) -> Self {
        let listen = ["init", "--sftp-listen", "127.0.0.1:0", "--https-listen", "127.0.0.1:0"];
        self.run(&listen).expect_code(0);
        self
    }

    /// No home yet: for tests that restore one.
    #[track_caller]
    pub(crate) fn without_home() -> Self {
        let folder = tempfile::Builder::new().prefix("postkluis-").tempdir().expect("a temporary folder");
        Self::in_folder(Folder::Own(folder))
    }

    fn in_folder(folder: Folder) -> Self {
        let mut server = Self { folder, settings: BTreeMap::new(), running: None };
        let mail = format!("folder:{}", server.mail_folder().display());
        server.set("POSTKLUIS_MAIL__RELAY", &mail);
        // Many homes stand beside each other.
        server.set("POSTKLUIS_STORAGE__BALLAST_BYTES", "1 MiB");
        server.set("POSTKLUIS_MAIL__FROM", "portal@example.org");
        server
    }

    /// Sets one key of the configuration through its environment variable, from the next start on.
    pub(crate) fn set(&mut self, variable: &str, value: &str) {
        self.settings.insert(variable.to_owned(), value.to_owned());
    }

    /// Takes back what was set, from the next start on.
    pub(crate) fn unset(&mut self, variable: &str) {
        self.settings.remove(variable);
    }

    /// A server on a copy of this one's whole folder, with the same settings; this one must not run.
    #[track_caller]
    pub(crate) fn copied(&self) -> Self {
        assert!(self.running.is_none(), "a home is copied while its server runs");
        let mut server = Self::without_home();
        let from = format!("{}/.", self.folder.path().display());
        finish(Command::new("cp").args(["-a", &from]).arg(server.folder.path())).expect_code(0);
        let relay = server.settings.remove("POSTKLUIS_MAIL__RELAY").expect("a relay");
        server.settings = self.settings.clone();
        server.set("POSTKLUIS_MAIL__RELAY", &relay);
        server
    }

    /// Starts the server on its home and waits until it answers.
    #[track_caller]
    pub(crate) fn serve(&mut self) {
        let line = self.first_line();
        self.running.as_mut().expect("the server runs").addresses = addresses_of(&line);
    }

    /// Starts the server on a restored home and waits until it says that it is shut.
    #[track_caller]
    pub(crate) fn serve_shut(&mut self) {
        let line = self.first_line();
        assert!(line.starts_with("shut"), "a restored home is shut: {line}");
    }

    /// Waits until a server that was shut answers.
    #[track_caller]
    pub(crate) fn await_ready(&mut self) {
        let running = self.running.as_mut().expect("the server runs");
        let line = running.lines.recv_timeout(READY_WITHIN).expect("a `ready` line");
        running.addresses = addresses_of(&line);
    }

    /// The process of the server.
    pub(crate) fn process(&self) -> u32 {
        self.running.as_ref().map(|running| running.child.id()).expect("the server runs")
    }

    #[track_caller]
    fn first_line(&mut self) -> String {
        assert!(self.running.is_none(), "the server runs already");
        let log = File::options().create(true).append(true).open(self.log()).expect("the log");
        let mut child = self
            .command()
            .arg("serve")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the program can be started");
        let lines = lines_of(child.stdout.take().expect("standard output"));
        let ready = lines.recv_timeout(READY_WITHIN);
        // Kept first, so that whatever fails from here on ends it.
        self.running = Some(Running { child, lines, addresses: BTreeMap::new() });
        match ready {
            Ok(line) => line,
            Err(error) => panic!("no `ready` within {} s: {error}", READY_WITHIN.as_secs()),
        }
    }

    /// Ends the server as a power failure of the process would (SIGKILL).
    #[track_caller]
    pub(crate) fn kill9(&mut self) {
        let mut running = self.running.take().expect("the server runs");
        running.child.kill().expect("the server can be ended");
        running.child.wait().expect("the server's end");
    }

    /// Asks the server to end (SIGTERM) and checks that it does so in order.
    #[track_caller]
    pub(crate) fn stop(&mut self) {
        let mut running = self.running.take().expect("the server runs");
        kill_process(Pid::from_child(&running.child), Signal::TERM).expect("SIGTERM");
        let status = ended_within(&mut running, STOPPED_WITHIN);
        assert!(status.is_some_and(|status| status.success()), "after SIGTERM the server ended with {status:?}");
    }

    /// Where a channel listens: `sftp`, `https`, `operator`.
    #[track_caller]
    pub(crate) fn address(&self, channel: &str) -> SocketAddr {
        let running = self.running.as_ref().expect("the server runs");
        *running.addresses.get(channel).unwrap_or_else(|| panic!("no `{channel}=` in the ready line"))
    }

    /// One command of the command line, on this home.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        finish(self.command().args(arguments))
    }

    /// One command that must succeed; its JSON document.
    #[track_caller]
    pub(crate) fn done(&self, arguments: &[&str]) -> Value {
        finish(self.command().args(arguments).arg("--json")).expect_code(0).json()
    }

    /// One command that must be refused (exit 1); what it said on standard error.
    #[track_caller]
    pub(crate) fn refused(&self, arguments: &[&str]) -> String {
        self.run(arguments).expect_code(1).stderr
    }

    /// The program on this home with these settings, for tests that give it its own arguments.
    pub(crate) fn command(&self) -> Command {
        let mut command = postkluis();
        command.arg("--home").arg(self.home()).envs(&self.settings).current_dir(self.folder.path());
        command
    }

    /// The home folder.
    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// A folder beside the home for the files of the test; made when asked for.
    pub(crate) fn desk(&self, name: &str) -> PathBuf {
        let desk = self.folder.path().join(name);
        fs::create_dir_all(&desk).expect("a folder for the test");
        desk
    }

    /// Where sent e-mail lies, one file per message.
    pub(crate) fn mail_folder(&self) -> PathBuf {
        self.folder.path().join("mail")
    }

    /// The certificate that clients of HTTPS trust.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.home().join("keys/https-cert.pem")
    }

    /// The line that makes clients of SFTP trust this server, and no other.
    #[track_caller]
    pub(crate) fn known_host(&self) -> String {
        let public = fs::read_to_string(self.home().join("keys/ssh_host_ed25519_key.pub")).expect("the host key");
        let at = self.address("sftp");
        format!("[{}]:{} {public}", at.ip(), at.port())
    }

    /// What every server on this home has logged so far.
    pub(crate) fn logged(&self) -> String {
        fs::read_to_string(self.log()).unwrap_or_default()
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.folder.path().join("serve.log")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut running) = self.running.take() {
            // Its own process only, by its id; it may have ended already.
            let _ = running.child.kill();
            let _ = running.child.wait();
        }
        if thread::panicking() {
            show_log(&self.log());
        }
    }
}

fn show_log(log: &Path) {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(LAST_LOG_LINES);
    eprintln!("--- the server's log ---\n{}\n---", lines.get(from..).unwrap_or_default().join("\n"));
}

fn lines_of(stdout: ChildStdout) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

fn ended_within(running: &mut Running, within: Duration) -> Option<ExitStatus> {
    loop {
        match running.lines.recv_timeout(within) {
            Ok(_) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => return running.child.wait().ok(),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                let _ = running.child.kill();
                let _ = running.child.wait();
                return None;
            }
        }
    }
}

/// `ready sftp=127.0.0.1:1 https=127.0.0.1:2 …`
fn addresses_of(line: &str) -> BTreeMap<String, SocketAddr> {
    let mut words = line.split_whitespace();
    assert_eq!(words.next(), Some("ready"), "the first line of `serve`: {line}");
    words
        .map(|word| {
            let (channel, address) = word.split_once('=').unwrap_or_else(|| panic!("`{word}` in: {line}"));
            let address: SocketAddr = address.parse().unwrap_or_else(|error| panic!("`{word}`: {error}"));
            assert_ne!(address.port(), 0, "the real port is printed: {line}");
            (channel.to_owned(), address)
        })
        .collect()
}

mod tests {
    use super::addresses_of;

    #[test]
    fn the_ready_line_tells_each_address() {
        let addresses = addresses_of("ready sftp=127.0.0.1:2022 https=[::1]:8443 operator=127.0.0.1:9000");
        assert_eq!(addresses.len(), 3);
        assert_eq!(addresses.get("https").map(std::net::SocketAddr::port), Some(8443));
    }

    #[test]
    #[should_panic(expected = "the real port is printed")]
    fn port_nought_is_no_address() {
        addresses_of("ready sftp=127.0.0.1:0");
    }
}

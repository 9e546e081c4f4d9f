//! The world of the fetch tests: two organisations, what was published to them, and
//! clients that can be stopped on their way. Starts things and looks; judges nothing.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::clients::{SftpClient, ssh_key};
use crate::support::programs::{PATIENCE, finish, python};
use crate::support::server::Server;

/// Accounts of the first organisation; both may fetch both products.
pub(crate) const ALPHA: &str = "alpha-robot";
pub(crate) const SECOND: &str = "alpha-second";
/// The account of the second organisation, which gets one of the products too.
pub(crate) const BETA: &str = "beta-robot";
/// More than sockets and windows on the way can swallow, so that a client killed
/// early was not sent all of it; no multiple of any chunk.
pub(crate) const LARGE_BYTES: usize = 24 * 1024 * 1024 + 77;
/// How often something awaited is looked at.
const GLANCE: Duration = Duration::from_millis(20);

/// One published file.
pub(crate) struct Given {
    pub(crate) product: String,
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

/// A server, two organisations and their keys.
pub(crate) struct World {
    pub(crate) server: Server,
    keys: PathBuf,
    /// What was published to the first organisation.
    pub(crate) given: Vec<Given>,
    pub(crate) deliveries: Vec<String>,
}

impl World {
    /// A server with its accounts; nothing published yet.
    #[track_caller]
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with these settings.
    #[track_caller]
    pub(crate) fn start_with(settings: &[(&str, &str)]) -> Self {
        let mut server = Server::prepare();
        settings.iter().for_each(|(variable, value)| server.set(variable, value));
        server.serve();
        let keys = server.desk("keys-of-clients");
        for (code, product_codes, logins) in
            [("alpha", &["wages", "letters"][..], &[ALPHA, SECOND][..]), ("beta", &["wages"], &[BETA])]
        {
            server.done(&["organisation", "add", code, "--name", code]);
            for product in product_codes {
                if code == "alpha" {
                    server.done(&["product", "add", product, "--name", product, "--retention", "30d"]);
                }
                server.done(&[
                    "agreement",
                    "add",
                    "--organisation",
                    code,
                    "--product",
                    product,
                    "--purpose",
                    "testing",
                ]);
            }
            for login in logins {
                let of = ["--organisation", code, "--kind", "machine", "--owner", "owner@example.org"];
                server.done(&[&["account", "add", login][..], &of].concat());
                let public = format!("{}.pub", ssh_key(&keys, login).display());
                server.done(&["key", "add", "--account", login, "--file", &public]);
                for product in product_codes {
                    server.done(&["right", "couple", "--account", login, "--product", product]);
                }
            }
        }
        Self { server, keys, given: Vec::new(), deliveries: Vec::new() }
    }

    /// Publishes files to the first organisation as one delivery; its id.
    #[track_caller]
    pub(crate) fn publish(&mut self, product: &str, files: &[(&str, Vec<u8>)]) -> String {
        let (id, _) = self.publish_to("alpha", product, files);
        for (name, bytes) in files {
            let (product, name) = (product.to_owned(), (*name).to_owned());
            self.given.push(Given { product, name, bytes: bytes.clone() });
        }
        self.deliveries.push(id.clone());
        id
    }

    /// Publishes files to one organisation; the id and the name of the delivery.
    #[track_caller]
    pub(crate) fn publish_to(&self, organisation: &str, product: &str, files: &[(&str, Vec<u8>)]) -> (String, String) {
        let desk = self.server.desk("offers");
        let mut arguments = vec!["delivery", "publish", "--product", product, "--organisation", organisation];
        let paths: Vec<String> = files.iter().map(|(name, _)| desk.join(name).display().to_string()).collect();
        for (path, (_, bytes)) in paths.iter().zip(files) {
            fs::write(path, bytes).expect("a file to publish");
            arguments.push(path);
        }
        let published = self.server.done(&arguments);
        let member = |name: &str| {
            let text = published.pointer(&format!("/deliveries/0/{name}")).and_then(Value::as_str);
            text.unwrap_or_else(|| panic!("no {name}: {published}")).to_owned()
        };
        (member("id"), member("name"))
    }

    /// The private key of an account; the public one lies beside it.
    pub(crate) fn key(&self, login: &str) -> PathBuf {
        self.keys.join(login)
    }

    /// The client of an account.
    #[track_caller]
    pub(crate) fn client(&self, login: &str) -> SftpClient {
        SftpClient::new(&self.server, login, &self.key(login))
    }

    /// A delivery as the command line shows it.
    #[track_caller]
    pub(crate) fn delivery(&self, id: &str) -> Value {
        self.server.done(&["delivery", "show", id])
    }

    /// `published`, `started` or `fetched`.
    #[track_caller]
    pub(crate) fn progress(&self, id: &str) -> String {
        text(&self.delivery(id), "progress")
    }

    /// Lines of the history of this delivery with this event.
    #[track_caller]
    pub(crate) fn events(&self, id: &str, event: &str) -> Vec<Value> {
        let lines = self.server.done(&["history", "list", "--delivery", id]);
        let lines = lines.as_array().expect("a list").iter();
        lines.filter(|line| text(line, "event") == event).cloned().collect()
    }

    /// Waits until so many fetches of this delivery have ended; their lines.
    #[track_caller]
    pub(crate) fn ended(&self, id: &str, count: usize) -> Vec<Value> {
        eventually("ends of fetches in the history", || {
            let lines = self.events(id, "fetch-ended");
            (lines.len() >= count).then_some(lines)
        })
    }

    /// Waits until the delivery is wholly fetched: the record may lag behind the client.
    #[track_caller]
    pub(crate) fn becomes_fetched(&self, id: &str) {
        eventually("the delivery to be fetched", || (self.progress(id) == "fetched").then_some(()));
        let delivery = self.delivery(id);
        let files = delivery.get("fileCount").and_then(Value::as_u64).expect("a count");
        let lines = self.events(id, "file-fetched").len();
        assert_eq!(u64::try_from(lines).expect("a count"), files, "every file is fetched once: {delivery}");
    }

    /// A program for the Python that has the libraries: it is told the host, the port, the login,
    /// the private key and the server's public key.
    pub(crate) fn python(&self, program: &str, login: &str) -> Command {
        let address = self.server.address("sftp");
        let mut command = python();
        command
            .args(["-c", program, &address.ip().to_string(), &address.port().to_string(), login])
            .arg(self.key(login))
            .arg(self.server.home().join("keys/ssh_host_ed25519_key.pub"));
        command
    }

    /// `lftp` with this script, signed in as the login behind `client`.
    pub(crate) fn lftp(&self, client: &SftpClient, login: &str, script: &str) -> Command {
        let port = self.server.address("sftp").port();
        let script = format!(
            "set net:max-retries 1; set net:timeout 30; set sftp:auto-confirm no; \
             set sftp:connect-program \"ssh -a -x -F {}\"; open -p {port} -u {login}, sftp://vault; {script}; bye",
            client.config().display(),
        );
        let mut command = Command::new("lftp");
        command.args(["-c", &script]).env("HOME", client.folder()).current_dir(client.folder());
        command
    }

    /// `rclone` with these arguments, in which `:sftp:` is the server.
    pub(crate) fn rclone(&self, client: &SftpClient, login: &str, arguments: &[&str]) -> Command {
        let address = self.server.address("sftp");
        let mut command = Command::new("rclone");
        command
            .args(["--config", "/dev/null", "--retries", "1", "--low-level-retries", "1"])
            .args(["--sftp-host", &address.ip().to_string(), "--sftp-port", &address.port().to_string()])
            .args(["--sftp-user", login, "--sftp-key-file"])
            .arg(self.key(login))
            .arg("--sftp-known-hosts-file")
            .arg(client.folder().join("known_hosts"))
            .args(arguments)
            .env("HOME", client.folder())
            .current_dir(client.folder());
        command
    }

    /// What the server wrote to its log.
    pub(crate) fn log(&self) -> String {
        let log = self.server.home().with_file_name("serve.log");
        fs::read_to_string(&log).unwrap_or_else(|error| panic!("{}: {error}", log.display()))
    }

    /// Fails unless everything published to the first organisation lies below `outbox`, byte for
    /// byte, and `sha256sum` finds every file of every digest list as it should be.
    #[track_caller]
    pub(crate) fn holds_everything(&self, outbox: &Path) {
        for given in &self.given {
            same(&outbox.join(&given.product).join(&given.name), &given.bytes);
        }
        let products: std::collections::BTreeSet<&str> =
            self.given.iter().map(|given| given.product.as_str()).collect();
        let mut sound = 0;
        for product in products {
            let mut check = Command::new("sh");
            check.args(["-c", "sha256sum --check --strict ./*.sha256"]).current_dir(outbox.join(product));
            let said = finish(&mut check).expect_code(0).text();
            sound += said.lines().filter(|line| line.ends_with(": OK")).count();
        }
        assert_eq!(sound, self.given.len(), "files that the digest lists name");
    }
}

/// Bytes that differ from file to file and from place to place.
pub(crate) fn pattern(seed: usize, size: usize) -> Vec<u8> {
    (0..size).map(|at| u8::try_from((at * 31 + (at >> 12) * 7 + seed * 101) % 251).expect("a byte")).collect()
}

/// A member that is text; empty when there is none.
pub(crate) fn text(row: &Value, member: &str) -> String {
    row.get(member).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Fails unless the file holds exactly these bytes.
#[track_caller]
pub(crate) fn same(path: &Path, wanted: &[u8]) {
    let got = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(got.len(), wanted.len(), "{}", path.display());
    let differs = got.iter().zip(wanted).position(|(got, wanted)| got != wanted);
    assert_eq!(differs, None, "{} has another byte there", path.display());
}

/// How many bytes lie there so far.
pub(crate) fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |found| found.len())
}

/// Looks again and again until there is something, for a bounded time.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        thread::sleep(GLANCE);
    }
}

/// A client on its way. Ended by its own process id when it is dropped.
pub(crate) struct OnItsWay {
    child: Child,
    input: ChildStdin,
    lines: mpsc::Receiver<String>,
}

impl OnItsWay {
    #[track_caller]
    pub(crate) fn start(command: &mut Command) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{name} cannot be started: {error}"));
        let (input, stdout) = (child.stdin.take().expect("its input"), child.stdout.take().expect("its output"));
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            let read = BufReader::new(stdout).lines().map_while(Result::ok);
            read.map(|line| sender.send(line)).take_while(Result::is_ok).count()
        });
        Self { child, input, lines }
    }

    /// Gives it a line on its standard input.
    #[track_caller]
    pub(crate) fn tell(&mut self, line: &str) {
        writeln!(self.input, "{line}").expect("the client listens");
    }

    /// Waits for the next line that it says.
    #[track_caller]
    pub(crate) fn hear(&self) -> String {
        self.lines.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("the client says nothing: {error}"))
    }

    /// Waits for all that it still says; its last line.
    #[track_caller]
    pub(crate) fn hear_rest(self) -> String {
        let mut last = String::new();
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            last = line;
        }
        last
    }

    /// Kills it (SIGKILL), if it has not ended.
    pub(crate) fn cut(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Kills it (SIGKILL); it must not have come to its end before.
    #[track_caller]
    pub(crate) fn kill(mut self) {
        let ended = self.child.try_wait().expect("the client's state");
        assert!(ended.is_none(), "the client ended before it was killed: {ended:?}");
        self.child.kill().expect("the client can be killed");
        self.child.wait().expect("the client's end");
    }

    /// Waits until it has ended, in order or not.
    #[track_caller]
    pub(crate) fn ended(mut self) -> ExitStatus {
        eventually("the client's end", || self.child.try_wait().expect("the client's state"))
    }

    /// Waits until it has ended, which must be in order.
    #[track_caller]
    pub(crate) fn finish(self) {
        let status = self.ended();
        assert!(status.success(), "the client ended with {status}");
    }
}

impl Drop for OnItsWay {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

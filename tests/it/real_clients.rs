//! One delivery, fetched by the clients that recipients really use. Each must get
//! every byte; the history must say so. Speed and odd requests are not the matter here.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::clients::{SftpClient, ssh_key};
use crate::support::programs::PATIENCE;
use crate::support::programs::{finish, finish_with, python};
use crate::support::server::Server;

/// More than one SFTP window (2 MiB), not a multiple of any chunk.
const SIZE_BYTES: usize = 3 * 1024 * 1024 + 77;

/// A server with one delivery for one machine account, and that account's client.
struct World {
    server: Server,
    key: PathBuf,
    client: SftpClient,
    bytes: Vec<u8>,
}

const LOGIN: &str = "alpha-robot";

fn world() -> World {
    let server = Server::start();
    let desk = server.desk("desk");
    let key = ssh_key(&desk, "robot");
    let public = format!("{}.pub", key.display());
    let bytes: Vec<u8> = (0..SIZE_BYTES).map(|at| u8::try_from(at * 31 % 251).unwrap()).collect();
    let file = desk.join("salaries.csv");
    fs::write(&file, &bytes).unwrap();
    server.done(&["organisation", "add", "alpha", "--name", "Alpha"]);
    server.done(&["product", "add", "wages", "--name", "Wages", "--retention", "30d"]);
    server.done(&["agreement", "add", "--organisation", "alpha", "--product", "wages", "--purpose", "testing"]);
    let robot =
        ["account", "add", LOGIN, "--organisation", "alpha", "--kind", "machine", "--owner", "owner@example.org"];
    server.done(&robot);
    server.done(&["key", "add", "--account", LOGIN, "--file", &public]);
    server.done(&["right", "couple", "--account", LOGIN, "--product", "wages"]);
    server.done(&["delivery", "publish", "--product", "wages", file.to_str().unwrap()]);
    let client = SftpClient::new(&server, LOGIN, &key);
    World { server, key, client, bytes }
}

impl World {
    #[track_caller]
    fn holds(&self, path: &Path) {
        let got = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(got.len(), self.bytes.len(), "{}", path.display());
        assert!(got == self.bytes, "{} has other bytes", path.display());
    }

    fn progress(&self) -> String {
        let list = self.server.done(&["delivery", "list"]).to_string();
        let from = list.find("\"progress\":\"").map(|at| at + 12).unwrap_or_else(|| panic!("no progress: {list}"));
        list.get(from..).unwrap_or_default().split('"').next().unwrap_or_default().to_owned()
    }

    fn python(&self, program: &str, to: &Path) {
        let address = self.server.address("sftp");
        let mut command = python();
        command
            .args(["-", &address.ip().to_string(), &address.port().to_string(), LOGIN])
            .arg(&self.key)
            .arg(to)
            .arg(self.server.home().join("keys/ssh_host_ed25519_key.pub"));
        finish_with(&mut command, program.as_bytes(), PATIENCE).expect_code(0);
    }
}

#[test]
fn openssh_sees_and_fetches() {
    let mut world = world();
    assert_eq!(world.progress(), "published");
    let seen = world.client.batch("ls -l outbox/wages\n").expect_code(0).text();
    for name in ["salaries.csv", ".packing-slip.json", ".sha256"] {
        assert!(seen.contains(name), "{name} is not in:\n{seen}");
    }
    world.client.batch("get outbox/wages/salaries.csv\nget outbox/wages/*.sha256\n").expect_code(0);
    world.holds(&world.client.folder().join("salaries.csv"));
    let mut check = Command::new("sh");
    check.args(["-c", "sha256sum --check --ignore-missing ./*.sha256"]).current_dir(world.client.folder());
    finish(&mut check).expect_code(0);
    assert_eq!(world.progress(), "fetched");
    world.client.batch("put salaries.csv outbox/wages/forged.csv\n").expect_code(1);
    let seen = world.client.batch("ls outbox/wages\n").expect_code(0).text();
    assert!(!seen.contains("forged"), "{seen}");
    world.server.stop();
}

#[test]
fn lftp_and_rclone_fetch() {
    let world = world();
    let address = world.server.address("sftp");
    let to = world.server.desk("lftp");
    let mut lftp = Command::new("lftp");
    let script = format!(
        "set net:max-retries 1; set net:timeout 30; set sftp:auto-confirm no; \
         set sftp:connect-program \"ssh -a -x -F {}\"; open -p {} -u {LOGIN}, sftp://vault; \
         mirror outbox/wages {}; bye",
        world.client.config().display(),
        address.port(),
        to.display(),
    );
    finish(lftp.env("HOME", &to).args(["-c", &script])).expect_code(0);
    world.holds(&to.join("salaries.csv"));

    let to = world.server.desk("rclone");
    let mut rclone = Command::new("rclone");
    rclone
        .args(["--config", "/dev/null", "--retries", "1", "copy", "--sftp-host", &address.ip().to_string()])
        .args(["--sftp-port", &address.port().to_string(), "--sftp-user", LOGIN, "--sftp-key-file"])
        .arg(&world.key)
        .arg("--sftp-known-hosts-file")
        .arg(world.client.folder().join("known_hosts"))
        .arg(":sftp:outbox/wages")
        .arg(&to);
    finish(rclone.env("HOME", &to)).expect_code(0);
    world.holds(&to.join("salaries.csv"));
    assert_eq!(world.progress(), "fetched");
}

#[test]
fn paramiko_and_asyncssh_fetch() {
    let world = world();
    let to = world.server.desk("paramiko").join("salaries.csv");
    world.python(include_str!("../clients/paramiko_fetch.py"), &to);
    world.holds(&to);
    let to = world.server.desk("asyncssh").join("salaries.csv");
    world.python(include_str!("../clients/asyncssh_fetch.py"), &to);
    world.holds(&to);
    assert_eq!(world.progress(), "fetched");
}

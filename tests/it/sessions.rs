//! Live SFTP sessions: the operator sees them, a block or a revoked key ends them
//! within seconds, one account holds no more than its share.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::clients::{SftpClient, ssh_key};
use crate::support::server::Server;

const LOGIN: &str = "alpha-robot";
/// The promise of J6.
const CUT_WITHIN: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(30);

struct World {
    server: Server,
    client: SftpClient,
    public: PathBuf,
}

fn world(settings: &[(&str, &str)]) -> World {
    let mut server = Server::prepare();
    for (variable, value) in settings {
        server.set(variable, value);
    }
    server.serve();
    let key = ssh_key(&server.desk("desk"), "robot");
    let public = PathBuf::from(format!("{}.pub", key.display()));
    server.done(&["organisation", "add", "alpha", "--name", "Alpha"]);
    let owner = ["--kind", "machine", "--owner", "owner@example.org"];
    server.done(&[&["account", "add", LOGIN, "--organisation", "alpha"], &owner[..]].concat());
    server.done(&["key", "add", "--account", LOGIN, "--file", public.to_str().expect("a path")]);
    let client = SftpClient::new(&server, LOGIN, &key);
    World { server, client, public }
}

impl World {
    /// A client that has signed in and waits for its user.
    fn idle(&self) -> Client {
        self.idle_from("127.0.0.1")
    }

    /// The same, from an address of this machine.
    fn idle_from(&self, address: &str) -> Client {
        let mut command = Command::new("sftp");
        command.arg("-F").arg(self.client.config()).args(["-o", &format!("BindAddress={address}"), "-b", "-", "vault"]);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut client = Client(child.expect("sftp"));
        client.0.stdin.as_mut().expect("its input").write_all(b"ls\n").expect("a line");
        client
    }

    fn live(&self) -> Vec<Value> {
        self.server.done(&["session", "list"]).as_array().expect("a list").clone()
    }

    fn wait_for_live(&self, count: usize) {
        self.live_within(count, PATIENCE);
    }

    fn live_within(&self, count: usize, most: Duration) {
        let begun = Instant::now();
        while self.live().len() != count {
            assert!(begun.elapsed() < most, "{:?} instead of {count} sessions", self.live());
        }
    }
}

/// Ended at the latest with the test.
struct Client(Child);

impl Client {
    /// The next line it is given fails, because the server has ended the session.
    fn is_cut(&mut self) {
        // the pipe may be broken already
        let _ = self.0.stdin.as_mut().expect("its input").write_all(b"ls\n");
        let begun = Instant::now();
        let ended = loop {
            if let Some(status) = self.0.try_wait().expect("the client") {
                break status;
            }
            assert!(begun.elapsed() < PATIENCE, "the client goes on");
            std::thread::sleep(Duration::from_millis(20));
        };
        assert!(!ended.success(), "{ended}");
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // it may have ended already
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_operator_sees_who_is_connected() {
    let world = world(&[]);
    assert!(world.live().is_empty());
    let client = world.idle();
    world.wait_for_live(1);
    let live = world.live();
    let text = |member: &str| live[0].get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
    assert_eq!((text("login").as_str(), text("organisation").as_str()), (LOGIN, "alpha"));
    assert!(text("address").starts_with("127.0.0.1:") && text("credential").starts_with("SHA256:"), "{live:?}");
    assert!(text("since").ends_with('Z'), "{live:?}");
    let begun = Instant::now();
    let bytes = |member: &str| world.live()[0].get(member).and_then(Value::as_u64).expect("a number");
    while bytes("sentBytes") == 0 || bytes("receivedBytes") == 0 {
        assert!(begun.elapsed() < PATIENCE, "no bytes were counted: {:?}", world.live());
    }
    drop(client);
    world.wait_for_live(0);
}

#[test]
fn a_block_ends_live_sessions_within_seconds() {
    let world = world(&[]);
    let mut client = world.idle();
    world.wait_for_live(1);
    world.server.done(&["account", "block", LOGIN, "--reason", "suspected misuse"]);
    world.live_within(0, CUT_WITHIN);
    client.is_cut();
    let refused = world.client.batch("ls\n").expect_code(255);
    assert!(refused.stderr.contains("Permission denied"), "{}", refused.stderr);
    world.server.done(&["account", "unblock", LOGIN]);
    world.client.batch("ls\n").expect_code(0);

    let mut client = world.idle();
    world.wait_for_live(1);
    world.server.done(&["organisation", "block", "alpha", "--reason", "incident"]);
    world.live_within(0, CUT_WITHIN);
    client.is_cut();
}

#[test]
fn a_revoked_key_ends_its_sessions_and_no_others() {
    let world = world(&[]);
    let other = ssh_key(&world.server.desk("other"), "other");
    let path = format!("{}.pub", other.display());
    world.server.done(&["key", "add", "--account", LOGIN, "--file", &path]);
    let mut first = world.idle();
    world.wait_for_live(1);
    let keys = world.server.done(&["key", "list", "--account", LOGIN]);
    let live = world.live();
    let fingerprint = live[0].get("credential").and_then(Value::as_str).expect("a fingerprint");
    assert!(keys.to_string().contains(fingerprint), "{keys}");
    assert!(world.public.exists());
    let second = World { client: SftpClient::new(&world.server, LOGIN, &other), ..world };
    let mut stays = second.idle();
    second.wait_for_live(2);
    second.server.done(&["key", "revoke", "--account", LOGIN, fingerprint]);
    second.live_within(1, CUT_WITHIN);
    first.is_cut();
    assert!(stays.0.try_wait().expect("the client").is_none());
}

#[test]
fn an_allow_list_ends_the_sessions_outside_it_and_no_others() {
    let world = world(&[]);
    let mut outside = world.idle();
    let mut inside = world.idle_from("127.0.0.2");
    world.wait_for_live(2);
    world.server.done(&["account", "change", LOGIN, "--allow-from", "127.0.0.2"]);
    world.live_within(1, CUT_WITHIN);
    outside.is_cut();
    assert!(world.live()[0].get("address").and_then(Value::as_str).expect("an address").starts_with("127.0.0.2:"));
    assert!(inside.0.try_wait().expect("the client").is_none());
    let refused = world.client.batch("ls\n").expect_code(255);
    assert!(refused.stderr.contains("Permission denied"), "{}", refused.stderr);

    world.server.done(&["organisation", "change", "alpha", "--allow-from", "127.0.0.3"]);
    world.live_within(0, CUT_WITHIN);
    inside.is_cut();
    world.server.done(&["account", "change", LOGIN, "--allow-from", "any"]);
    world.client.batch("ls\n").expect_code(255);
    world.server.done(&["organisation", "change", "alpha", "--allow-from", "any"]);
    world.client.batch("ls\n").expect_code(0);
}

#[test]
fn one_account_holds_no_more_than_its_share() {
    let world = world(&[("POSTKLUIS_LIMITS__MAX_SESSIONS_PER_ACCOUNT", "1")]);
    let client = world.idle();
    world.wait_for_live(1);
    let refused = world.client.batch("ls\n").expect_code(255);
    assert!(refused.stderr.contains("as many sessions as it may have"), "{}", refused.stderr);
    drop(client);
    world.wait_for_live(0);
    world.client.batch("ls\n").expect_code(0);
}

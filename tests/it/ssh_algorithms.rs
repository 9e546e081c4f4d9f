//! Which algorithms SSH speaks, to whom, and which it refuses: judged by OpenSSH,
//! asyncssh and ssh-audit. Reading files is the matter of other tests.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::clients::{SftpClient, ssh_key};
use crate::support::programs::{Ended, PATIENCE, finish, finish_with, python};
use crate::support::server::Server;

const LOGIN: &str = "alpha-robot";
const MODERN: (&str, &str) = ("POSTKLUIS_SFTP__PROFILE", "modern");

/// A server with one account and its client.
pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) key: PathBuf,
    pub(crate) client: SftpClient,
}

impl World {
    /// With these settings, as environment variables.
    #[track_caller]
    pub(crate) fn start(settings: &[(&str, &str)]) -> Self {
        let mut server = Server::prepare();
        for (variable, value) in settings {
            server.set(variable, value);
        }
        server.serve();
        let key = ssh_key(&server.desk("desk"), "robot");
        server.done(&["organisation", "add", "alpha", "--name", "Alpha"]);
        let owner = ["--kind", "machine", "--owner", "owner@example.org"];
        server.done(&[&["account", "add", LOGIN, "--organisation", "alpha"], &owner[..]].concat());
        let client = SftpClient::new(&server, LOGIN, &key);
        let world = Self { server, key, client };
        world.trust(&world.key);
        world
    }

    /// Lets the account sign in with this key too.
    #[track_caller]
    pub(crate) fn trust(&self, key: &Path) {
        let public = format!("{}.pub", key.display());
        self.server.done(&["key", "add", "--account", LOGIN, "--file", &public]);
    }

    /// OpenSSH as this account's client with more arguments.
    pub(crate) fn ssh(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("ssh");
        command.arg("-F").arg(self.client.config()).args(arguments);
        command
    }

    /// `sftp` with more arguments before the host.
    #[track_caller]
    pub(crate) fn sftp(&self, arguments: &[&str]) -> Ended {
        let mut command = Command::new("sftp");
        // of an option given twice the first counts
        command.arg("-F").arg(self.client.config()).args(arguments).args(["-o", "LogLevel=INFO", "-b", "-", "vault"]);
        finish_with(&mut command, b"ls\n", PATIENCE)
    }
}

/// What `ssh -v` says was agreed on.
#[track_caller]
fn agreed(world: &World, arguments: &[&str], about: &str) -> Vec<String> {
    let ended = world.sftp(&[arguments, &["-o", "LogLevel=DEBUG1"]].concat()).expect_code(0);
    let lines = ended.stderr.lines().filter_map(|line| line.split_once(about));
    lines.filter_map(|(_, rest)| rest.split_whitespace().next().map(str::to_owned)).collect()
}

fn rsa_key(world: &World, name: &str, bits: &str) -> PathBuf {
    key_of(world, name, &["-t", "rsa", "-b", bits])
}

fn key_of(world: &World, name: &str, kind: &[&str]) -> PathBuf {
    let path = world.server.desk("desk").join(name);
    let mut command = Command::new("ssh-keygen");
    finish(command.arg("-q").args(kind).args(["-N", "", "-C", name, "-f"]).arg(&path)).expect_code(0);
    path
}

#[test]
fn openssh_gets_the_cheapest_safe_cipher_and_others_what_they_ask() {
    let world = World::start(&[]);
    let ciphers = |arguments: &[&str]| agreed(&world, arguments, "cipher: ");
    assert_eq!(ciphers(&[]), ["aes128-gcm@openssh.com", "aes128-gcm@openssh.com"]);
    for cipher in ["chacha20-poly1305@openssh.com", "aes256-gcm@openssh.com", "aes256-ctr", "aes192-ctr", "aes128-ctr"]
    {
        assert_eq!(ciphers(&["-c", cipher]), [cipher, cipher]);
    }
    let macs = agreed(&world, &["-c", "aes128-ctr", "-o", "MACs=hmac-sha2-256-etm@openssh.com"], "MAC: ");
    assert_eq!(macs, ["hmac-sha2-256-etm@openssh.com", "hmac-sha2-256-etm@openssh.com"]);
    assert_eq!(agreed(&world, &[], "kex: algorithm: "), ["curve25519-sha256"]);
    for kex in ["diffie-hellman-group16-sha512", "diffie-hellman-group18-sha512", "curve25519-sha256@libssh.org"] {
        let option = format!("KexAlgorithms={kex}");
        assert_eq!(agreed(&world, &["-o", &option], "kex: algorithm: "), [kex]);
    }
    let said = world.sftp(&["-C", "-o", "LogLevel=DEBUG1"]).expect_code(0).stderr;
    assert_eq!(said.matches("compression: none").count(), 2, "{said}");
}

#[test]
fn what_is_weak_is_refused_and_the_server_goes_on() {
    let world = World::start(&[]);
    for arguments in [
        ["-o", "KexAlgorithms=diffie-hellman-group14-sha1"],
        ["-o", "KexAlgorithms=diffie-hellman-group14-sha256"],
        ["-o", "KexAlgorithms=diffie-hellman-group-exchange-sha256"],
        ["-o", "KexAlgorithms=ecdh-sha2-nistp256"],
        ["-o", "HostKeyAlgorithms=ssh-rsa"],
        ["-o", "HostKeyAlgorithms=ecdsa-sha2-nistp256"],
        ["-c", "aes128-cbc"],
        ["-c", "3des-cbc"],
    ] {
        let refused = world.sftp(&arguments).expect_code(255);
        assert!(refused.stderr.contains("no matching"), "{arguments:?}: {}", refused.stderr);
    }
    for mac in ["hmac-sha1", "hmac-sha2-256", "hmac-sha1-etm@openssh.com", "umac-64-etm@openssh.com"] {
        let option = format!("MACs={mac}");
        let refused = world.sftp(&["-c", "aes128-ctr", "-o", &option]).expect_code(255);
        assert!(refused.stderr.contains("no matching MAC"), "{mac}: {}", refused.stderr);
    }
    world.sftp(&[]).expect_code(0);
}

#[test]
fn keys_of_clients_are_judged_by_kind_and_strength() {
    let world = World::start(&[]);
    for (name, kind) in [
        ("p256", &["-t", "ecdsa", "-b", "256"][..]),
        ("p384", &["-t", "ecdsa", "-b", "384"]),
        ("p521", &["-t", "ecdsa", "-b", "521"]),
        ("rsa", &["-t", "rsa", "-b", "3072"]),
    ] {
        let key = key_of(&world, name, kind);
        let client = SftpClient::new(&world.server, LOGIN, &key);
        client.batch("ls\n").expect_code(255);
        world.trust(&key);
        client.batch("ls\n").expect_code(0);
    }
    let rsa = world.server.desk("desk").join("rsa");
    let client = SftpClient::new(&world.server, LOGIN, &rsa);
    let with = |algorithm: &str| {
        let mut command = Command::new("sftp");
        command.arg("-F").arg(client.config()).arg("-o").arg(format!("PubkeyAcceptedAlgorithms={algorithm}"));
        finish_with(command.args(["-b", "-", "vault"]), b"ls\n", PATIENCE)
    };
    with("rsa-sha2-256").expect_code(0);
    with("rsa-sha2-512").expect_code(0);
    let refused = with("ssh-rsa").expect_code(255);
    assert!(refused.stderr.contains("Permission denied"), "{}", refused.stderr);

    let weak = rsa_key(&world, "weak", "2048");
    let add = |file: &str| world.server.refused(&["key", "add", "--account", LOGIN, "--file", file]);
    let said = add(&format!("{}.pub", weak.display()));
    assert!(said.contains("at least 3072 bits, this one has 2048"), "{said}");
    let dsa = world.server.desk("desk").join("dsa.pub");
    std::fs::write(&dsa, include_str!("../clients/dsa.pub")).expect("a file");
    let said = add(&dsa.display().to_string());
    assert!(said.contains("ssh-dss are not accepted"), "{said}");
    let refused = SftpClient::new(&world.server, LOGIN, &weak).batch("ls\n").expect_code(255);
    assert!(refused.stderr.contains("Permission denied"), "{}", refused.stderr);
}

#[test]
fn signatures_with_sha1_are_not_announced() {
    let world = World::start(&[]);
    let said = finish(&mut world.ssh(&["-o", "LogLevel=DEBUG1", "vault", "true"])).expect_code(1);
    let line =
        said.stderr.lines().find(|line| line.contains("server-sig-algs=")).unwrap_or_else(|| panic!("{}", said.stderr));
    let (_, list) = line.split_once("server-sig-algs=").expect("a list");
    let names: Vec<&str> = list.trim_matches(['<', '>']).split(',').collect();
    assert_eq!(
        names,
        [
            "ssh-ed25519",
            "ecdsa-sha2-nistp256",
            "ecdsa-sha2-nistp384",
            "ecdsa-sha2-nistp521",
            "sk-ssh-ed25519@openssh.com",
            "sk-ecdsa-sha2-nistp256@openssh.com",
            "rsa-sha2-512",
            "rsa-sha2-256"
        ]
    );
}

#[test]
fn asyncssh_agrees_on_keys_that_withstand_quantum_computers() {
    let world = World::start(&[MODERN]);
    let address = world.server.address("sftp");
    let mut command = python();
    command.args(["-", &address.ip().to_string(), &address.port().to_string(), LOGIN]).arg(&world.key);
    command.arg(world.server.home().join("keys/ssh_host_ed25519_key.pub"));
    command.arg("mlkem768x25519-sha256");
    let said =
        finish_with(&mut command, include_bytes!("../clients/asyncssh_agreed.py"), PATIENCE).expect_code(0).json();
    assert_eq!(said.get("names").and_then(Value::as_array).map(Vec::is_empty), Some(false), "{said}");
    // this OpenSSH knows other key exchanges only
    let refused = world.sftp(&["-o", "KexAlgorithms=curve25519-sha256"]).expect_code(255);
    assert!(refused.stderr.contains("no matching key exchange method"), "{}", refused.stderr);
}

/// What ssh-audit calls a failure or warning, as `kind: name: text`.
#[track_caller]
fn audited(world: &World) -> Vec<String> {
    let address = world.server.address("sftp");
    let mut command = python();
    command.args(["-m", "ssh_audit.ssh_audit", "--json", "--port", &address.port().to_string()]);
    let ended = finish(command.arg(address.ip().to_string()));
    let said = ended.json();
    let mut found = Vec::new();
    for kind in ["kex", "key", "enc", "mac"] {
        let list = said.get(kind).and_then(Value::as_array).unwrap_or_else(|| panic!("no {kind}: {said}"));
        assert!(!list.is_empty(), "no {kind}: {said}");
        for item in list {
            let name = item.get("algorithm").and_then(Value::as_str).unwrap_or_default();
            for grade in ["fail", "warn"] {
                let notes = item.pointer(&format!("/notes/{grade}")).and_then(Value::as_array);
                found.extend(notes.into_iter().flatten().map(|note| format!("{grade}: {kind}: {name}: {note}")));
            }
        }
    }
    // 2 is for warnings, 3 for failures; anything else is no audit
    let code = ended.status.code();
    assert_eq!(code == Some(0), found.is_empty(), "{code:?}: {found:?}\n{}", ended.stderr);
    assert!(matches!(code, Some(0 | 2 | 3)), "{code:?}\n{}", ended.stderr);
    found
}

#[test]
fn ssh_audit_finds_nothing_in_the_modern_profile() {
    let found = audited(&World::start(&[MODERN]));
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn ssh_audit_finds_only_key_exchange_of_today_in_the_standard_profile() {
    let found = audited(&World::start(&[]));
    let about_quantum = |line: &&String| line.starts_with("warn: kex:") && line.contains("quantum");
    let others: Vec<&String> = found.iter().filter(|line| !about_quantum(line)).collect();
    assert!(others.is_empty(), "{others:#?}");
    assert!(found.iter().any(|line| line.contains("curve25519-sha256")), "{found:#?}");
}

#[test]
fn keys_on_a_token_sign_in() {
    let world = World::start(&[]);
    let client = |arguments: &[&str]| {
        let mut command = python();
        finish_with(command.arg("-").args(arguments), include_bytes!("../clients/paramiko_sk.py"), PATIENCE)
    };
    let address = world.server.address("sftp");
    let (ip, port) = (address.ip().to_string(), address.port().to_string());
    let host_key = world.server.home().join("keys/ssh_host_ed25519_key.pub").display().to_string();
    for kind in ["ed25519", "ecdsa"] {
        let enter = [kind, &ip, &port, LOGIN, &host_key, "1"];
        let refused = client(&enter).expect_code(1);
        assert!(refused.stderr.contains("AuthenticationException"), "{}", refused.stderr);
        let path = world.server.desk("tokens").join(kind);
        std::fs::write(format!("{}.pub", path.display()), client(&[kind]).expect_code(0).stdout).expect("a file");
        world.trust(&path);
        assert!(client(&enter).expect_code(0).text().contains("outbox"), "{kind}");
    }
}

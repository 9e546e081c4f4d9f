//! What SFTP does not give: another organisation's deliveries, anything outside the
//! outbox, any change, and a way in for strangers. Nobody learns from a refusal what
//! exists, and a refused session goes on.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::fetch_stage::{ALPHA, BETA, World, pattern, text};
use crate::support::clients::{SftpClient, ssh_key};
use crate::support::programs::{PATIENCE, finish, finish_with, python};

const DONE: u64 = 0;
const NO_SUCH_FILE: u64 = 2;
const DENIED: u64 = 3;
const UNSUPPORTED: u64 = 8;

/// A request: operation, path, second path.
type Asked<'a> = (&'a str, &'a [u8], &'a [u8]);

#[derive(PartialEq, Eq, Debug)]
struct Answer {
    status: u64,
    text: String,
    names: Vec<String>,
    sha256: String,
}

/// Asks all of it over one session.
#[track_caller]
fn ask(world: &World, login: &str, asked: &[Asked]) -> Vec<Answer> {
    let hex = |path: &[u8]| data_encoding::HEXLOWER.encode(path);
    let asked: Vec<Value> = asked.iter().map(|(what, one, other)| json!([what, hex(one), hex(other)])).collect();
    let mut command = world.python(include_str!("../clients/paramiko_raw.py"), login);
    let said = finish_with(&mut command, json!(asked).to_string().as_bytes(), PATIENCE).expect_code(0).json();
    let answers: Vec<Answer> = said.as_array().expect("a list").iter().map(answer).collect();
    assert_eq!(answers.len(), asked.len());
    answers
}

fn answer(said: &Value) -> Answer {
    let names = said.get("names").and_then(Value::as_array).expect("names").iter();
    Answer {
        status: said.get("status").and_then(Value::as_u64).expect("a status"),
        text: text(said, "text"),
        names: names.map(|name| name.as_str().expect("a name").to_owned()).collect(),
        sha256: text(said, "sha256"),
    }
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    data_encoding::HEXLOWER.encode(&sha2::Sha256::digest(bytes))
}

/// A world with one small delivery; the digest of its file.
fn world() -> (World, String, String) {
    let mut world = World::start();
    let bytes = pattern(1, 70_001);
    let digest = sha256(&bytes);
    let id = world.publish("wages", &[("salaries.csv", bytes)]);
    (world, id, digest)
}

#[test]
fn path_tricks_lead_nowhere() {
    let (world, id, digest) = world();
    let long = [&b"/outbox/wages/"[..], &b"a".repeat(4_096)].concat();
    let just_fits = [&b"/outbox/wages/"[..], &b"a".repeat(4_096 - 14)].concat();
    let deep = [&b"/outbox/wages"[..], &b"/a".repeat(2_000)].concat();
    let outside: Vec<&[u8]> = vec![
        b"/etc/passwd",
        b"etc/passwd",
        b"../../etc/passwd",
        b"/../../../../../../etc/passwd",
        b"outbox/wages/../../../etc/passwd",
        b"/outbox/wages/salaries.csv/../../../../etc/passwd",
        b"//etc//passwd",
        b"/./etc/./passwd",
        b"/proc/self/environ",
        b"/keys/master.key",
        b"../keys",
        b"/outbox/wages/..salaries.csv",
        b"/outbox/wages/salaries.csv/salaries.csv",
        b"/outbox/wages/..\\..\\etc\\passwd",
        b"\\outbox\\wages\\salaries.csv",
        b"~/.ssh/id_ed25519",
        b"/outbox/wages/salaries.csv\0",
        b"/outbox/wages/salaries.csv\0.txt",
        b"\0",
        b"/outbox/wages/\xff\xfe",
        b"/outbox/wages/\xc0\xae\xc0\xae/\xc0\xae\xc0\xae/etc/passwd",
        b"/outbox/wages/%2e%2e/%2e%2e/etc/passwd",
        b"/outbox/WAGES/salaries.csv",
        b"/outbox/wages/SALARIES.CSV",
        b"/outbox/wages/salaries.csv ",
        &long,
        &just_fits,
        &deep,
    ];
    let twin = ask(&world, ALPHA, &[("get", b"/outbox/wages/never.csv", b"")]).remove(0);
    assert_eq!(twin.status, NO_SUCH_FILE);
    let mut asked: Vec<Asked> = Vec::new();
    for path in &outside {
        asked.extend([("get", *path, &b""[..]), ("stat", path, b""), ("lstat", path, b"")]);
    }
    for ((what, path, _), answer) in asked.iter().zip(ask(&world, ALPHA, &asked)) {
        let shown = String::from_utf8_lossy(&path[..path.len().min(80)]).into_owned();
        assert_eq!(answer.status, NO_SUCH_FILE, "{what} {shown:?}: {answer:?}");
        assert!(!answer.text.is_empty() && answer.text.len() < 200, "{what} {shown:?}: {answer:?}");
    }
    let folders: [Asked; 5] = [
        ("list", b"/etc", b""),
        ("list", b"../..", b""),
        ("list", b"../../etc", b""),
        ("list", b"/outbox/\0", b""),
        ("list", b"/outbox/wages/..", b""),
    ];
    let listed = ask(&world, ALPHA, &folders);
    assert_eq!(listed[1].names, ["outbox"], "above the root is the root");
    assert_eq!(listed[4].names, ["letters", "wages"]);
    for at in [0, 2, 3] {
        assert_eq!((listed[at].status, listed[at].names.len()), (NO_SUCH_FILE, 0), "{:?}", folders[at]);
    }
    assert_eq!(world.progress(&id), "published", "nothing was fetched so far");
    // Other ways to write the same path lead to the file, and the session that asked oddly still serves it.
    let roundabout: [&[u8]; 6] = [
        b"outbox/wages/salaries.csv",
        b"//outbox///wages//salaries.csv",
        b"/./outbox/./wages/./salaries.csv",
        b"/outbox/letters/../wages/salaries.csv",
        b"../../outbox/wages/salaries.csv",
        b"/outbox/wages/salaries.csv/",
    ];
    let mut asked: Vec<Asked> = outside.iter().map(|path| ("get", *path, &b""[..])).collect();
    asked.extend(roundabout.iter().map(|path| ("get", *path, &b""[..])));
    let answers = ask(&world, ALPHA, &asked);
    for (path, answer) in roundabout.iter().zip(&answers[outside.len()..]) {
        assert_eq!((answer.status, &answer.sha256), (DONE, &digest), "{}", String::from_utf8_lossy(path));
    }
    world.becomes_fetched(&id);
    assert_eq!(world.ended(&id, roundabout.len()).len(), roundabout.len(), "only the good ones are fetches");
}

#[test]
fn nothing_in_the_outbox_can_be_changed() {
    let (world, id, digest) = world();
    let list: Asked = ("list", b"/outbox/wages", b"");
    let before = ask(&world, ALPHA, &[list]).remove(0);
    assert_eq!(before.names.len(), 3, "{before:?}");
    let (file, fresh, away): (&[u8], &[u8], &[u8]) =
        (b"/outbox/wages/salaries.csv", b"/outbox/wages/forged.csv", b"/../etc/forged.csv");
    let refused: [(Asked, u64); 26] = [
        (("put", file, b""), DENIED),
        (("put", fresh, b""), DENIED),
        (("put", b"/forged.csv", b""), DENIED),
        (("put", away, b""), DENIED),
        (("put", b"/dropbox/wages/forged.csv", b""), NO_SUCH_FILE),
        (("append", file, b""), DENIED),
        (("truncate", file, b""), DENIED),
        (("chmod", file, b""), DENIED),
        (("mkdir", b"/outbox/wages/forged", b""), DENIED),
        (("mkdir", b"/forged", b""), DENIED),
        (("rmdir", b"/outbox/wages", b""), DENIED),
        (("rmdir", b"/", b""), DENIED),
        (("remove", b"/outbox/wages", b""), DENIED),
        (("remove", b"/outbox", b""), DENIED),
        (("remove", fresh, b""), NO_SUCH_FILE),
        (("rename", file, fresh), DENIED),
        (("rename", file, away), DENIED),
        (("rename", b"/outbox/wages", b"/outbox/letters"), DENIED),
        (("posix-rename", file, fresh), DENIED),
        (("posix-rename", file, b"/outbox/letters/salaries.csv"), DENIED),
        (("hardlink", file, fresh), UNSUPPORTED),
        (("hardlink", b"/etc/passwd", fresh), UNSUPPORTED),
        (("symlink", b"/etc/passwd", fresh), UNSUPPORTED),
        (("symlink", fresh, b"/etc/passwd"), UNSUPPORTED),
        (("readlink", file, b""), UNSUPPORTED),
        (("mkdir", b"/outbox/\xff\0", b""), NO_SUCH_FILE),
    ];
    let mut asked: Vec<Asked> = refused.iter().map(|(asked, _)| *asked).collect();
    asked.extend([list, ("get", file, b""), ("get", fresh, b"")]);
    let answers = ask(&world, ALPHA, &asked);
    for ((asked, wanted), answer) in refused.iter().zip(&answers) {
        assert_eq!(answer.status, *wanted, "{asked:?}: {answer:?}");
        assert!(!answer.text.is_empty(), "{asked:?} is refused without a word");
    }
    let after = &answers[refused.len()..];
    assert_eq!(after[0], before, "the folder is as it was");
    assert_eq!((after[1].status, &after[1].sha256), (DONE, &digest));
    assert_eq!(after[2].status, NO_SUCH_FILE);
    world.becomes_fetched(&id);
}

#[test]
fn openssh_is_refused_and_goes_on() {
    let (world, id, digest) = world();
    let client = world.client(ALPHA);
    fs::write(client.folder().join("forged.csv"), b"forged").expect("a file to put");
    // A line with `-` may fail; the last one may not.
    let lines = "-get /etc/passwd\n-get ../../etc/passwd passwd\n-put forged.csv outbox/wages/forged.csv\n\
                 -put forged.csv forged.csv\n-ln outbox/wages/salaries.csv outbox/wages/link.csv\n\
                 -ln -s /etc/passwd outbox/wages/link.csv\n-mkdir outbox/wages/new\n-rmdir outbox/wages\n\
                 -rm outbox/wages\n-rename outbox/wages/salaries.csv outbox/wages/other.csv\n\
                 -chmod 777 outbox/wages/salaries.csv\nls -1 outbox/wages\nget outbox/wages/salaries.csv\n";
    let said = client.batch(lines).expect_code(0);
    let refusals: Vec<&str> = said.stderr.lines().filter(|line| !line.trim().is_empty()).collect();
    assert!(refusals.len() >= 11, "eleven lines are refused:\n{}", said.stderr);
    assert!(!client.folder().join("passwd").exists());
    for name in ["forged", "link", "new", "other"] {
        let listing = said.text();
        let listing = listing.split("ls -1 outbox/wages").nth(1).expect("a listing");
        assert!(!listing.contains(name), "{name} is in:\n{listing}");
    }
    assert_eq!(sha256(&fs::read(client.folder().join("salaries.csv")).expect("the file")), digest);
    world.becomes_fetched(&id);
}

#[test]
fn another_organisation_sees_nothing_of_it() {
    let mut world = World::start();
    let (own, own_name) = world.publish_to("beta", "wages", &[("own.csv", b"own".to_vec())]);
    // The second one has a sequence number that no delivery of the other organisation has.
    world.publish("wages", &[("salaries.csv", pattern(1, 1_000))]);
    let (second, name) = world.publish_to("alpha", "wages", &[("secret.csv", pattern(2, 1_000))]);
    world.publish("letters", &[("letter.txt", b"Dear reader,\n".to_vec())]);
    assert_ne!(name, own_name);

    let listings: [Asked; 3] = [("list", b"/", b""), ("list", b"/outbox", b""), ("list", b"/outbox/wages", b"")];
    let seen = ask(&world, BETA, &listings);
    assert_eq!(seen[0].names, ["outbox"]);
    assert_eq!(seen[1].names, ["wages"], "a product without a right is not shown");
    let slip = |name: &str| format!("{name}.packing-slip.json");
    let digests = |name: &str| format!("{name}.sha256");
    let wanted = BTreeSet::from(["own.csv".to_owned(), slip(&own_name), digests(&own_name)]);
    assert_eq!(seen[2].names.iter().cloned().collect::<BTreeSet<_>>(), wanted);

    // Each foreign path beside one of the same shape that does not exist anywhere.
    let pairs = [
        ("/outbox/wages/salaries.csv".to_owned(), "/outbox/wages/neverness.csv".to_owned()),
        ("/outbox/wages/secret.csv".to_owned(), "/outbox/wages/nowise.csv".to_owned()),
        (format!("/outbox/wages/{}", slip(&name)), "/outbox/wages/wages_19990101_000007.packing-slip.json".to_owned()),
        (format!("/outbox/wages/{}", digests(&name)), "/outbox/wages/wages_19990101_000007.sha256".to_owned()),
        ("/outbox/letters".to_owned(), "/outbox/nowhere".to_owned()),
        ("/outbox/letters/letter.txt".to_owned(), "/outbox/nowhere/letter.txt".to_owned()),
    ];
    let operations = ["get", "stat", "lstat", "list", "realpath", "put", "append", "truncate", "remove", "rmdir"];
    let of = |path: fn(&(String, String)) -> &str| -> Vec<Asked> {
        let each = |pair| operations.map(|what| (what, path(pair).as_bytes(), &b""[..]));
        pairs.iter().flat_map(each).collect()
    };
    let (foreign, nowhere) = (of(|pair| &pair.0), of(|pair| &pair.1));
    let compared = ask(&world, BETA, &foreign).into_iter().zip(ask(&world, BETA, &nowhere));
    for ((what, path, _), (foreign, nowhere)) in foreign.iter().zip(compared) {
        let path = String::from_utf8_lossy(path);
        if *what == "realpath" {
            assert_eq!(foreign.names, [path.as_ref()], "a path is only written out: it tells nothing");
            continue;
        }
        assert_eq!(foreign, nowhere, "{what} {path} tells that it exists");
        assert_ne!(foreign.status, DONE, "{what} {path}");
    }
    // Those who may do get an answer: the comparison above could have failed.
    let reads: Vec<Asked> = pairs.iter().map(|pair| ("stat", pair.0.as_bytes(), &b""[..])).collect();
    assert!(ask(&world, ALPHA, &reads).iter().all(|answer| answer.status == DONE));
    for id in world.deliveries.iter().chain([&second]) {
        assert_eq!(world.progress(id), "published");
        let lines = world.server.done(&["history", "list", "--delivery", id]).to_string();
        assert!(!lines.contains(BETA), "{lines}");
    }
    world.client(BETA).batch("get outbox/wages/own.csv\n").expect_code(0);
    world.becomes_fetched(&own);
    let said = world.client(BETA).batch("get outbox/wages/secret.csv\n").expect_code(1);
    assert!(said.stderr.contains("not found"), "{}", said.stderr);
}

/// How the server refused each attempt.
#[track_caller]
fn sign_in(world: &World, attempts: &[(&str, &str, &str)]) -> Vec<Value> {
    let address = world.server.address("sftp");
    let mut command = python();
    let program = include_str!("../clients/paramiko_sign_in.py");
    command.args(["-c", program, &address.ip().to_string(), &address.port().to_string()]);
    command.arg(world.server.home().join("keys/ssh_host_ed25519_key.pub"));
    let said = finish_with(&mut command, json!(attempts).to_string().as_bytes(), PATIENCE).expect_code(0).json();
    let refusals = said.as_array().expect("a list").clone();
    assert_eq!(refusals.len(), attempts.len());
    refusals
}

#[test]
fn strangers_are_refused_alike_and_no_key_is_written_down() {
    // more wrong keys than an address may try: what it is refused for is another test's matter
    let settings = [("POSTKLUIS_LOGGING__LEVEL", "trace"), ("POSTKLUIS_SFTP__PENALTY_AFTER", "0")];
    let world = World::start_with(&settings);
    let desk = world.server.desk("keys-of-strangers");
    let (stranger, revoked) = (ssh_key(&desk, "stranger"), ssh_key(&desk, "revoked"));
    let public = format!("{}.pub", revoked.display());
    let added = world.server.done(&["key", "add", "--account", ALPHA, "--file", &public]);
    world.server.done(&["key", "revoke", "--account", ALPHA, &text(&added, "fingerprint")]);
    let paths: Vec<String> =
        [stranger, revoked, world.key(ALPHA), world.key(BETA)].iter().map(|path| path.display().to_string()).collect();
    let (known, unknown, password) = (ALPHA, "gamma-robot", "correct-horse-battery-staple");
    let endless = "a".repeat(5_000);
    let by_key = [
        (known, "key", paths[0].as_str()),
        (known, "key", &paths[1]),
        (known, "key", &paths[3]),
        (unknown, "key", &paths[0]),
        (unknown, "key", &paths[2]),
        ("../../etc/passwd", "key", &paths[2]),
        (endless.as_str(), "key", &paths[2]),
        ("ålpha\u{0}robot", "key", &paths[2]),
        ("", "key", &paths[2]),
    ];
    let by_password = [(known, "password", password), (unknown, "password", password), ("", "password", "")];
    let by_nothing = [(known, "none", ""), (unknown, "none", "")];
    for attempts in [&by_key[..], &by_password, &by_nothing] {
        let refusals = sign_in(&world, attempts);
        for (attempt, refusal) in attempts.iter().zip(&refusals) {
            assert_ne!(refusal.get(0), Some(&json!("entered")), "{attempt:?}");
            assert_eq!(refusal, &refusals[0], "{attempt:?} is refused otherwise than {:?}", attempts[0]);
        }
    }
    assert_eq!(sign_in(&world, &by_password)[0].get(1), Some(&json!(["publickey"])), "the one method there is");
    assert_eq!(
        sign_in(&world, &[(known, "key", &paths[2])])[0].get(0),
        Some(&json!("entered")),
        "the right key enters"
    );

    let said = |login: &str, key: &str| {
        let refused = SftpClient::new(&world.server, login, key.as_ref()).batch("ls\n").expect_code(255).stderr;
        refused.replace(login, "LOGIN")
    };
    let wrong_key = said(known, &paths[0]);
    assert!(wrong_key.contains("Permission denied (publickey)"), "{wrong_key}");
    assert_eq!(wrong_key, said(unknown, &paths[0]));

    let log = world.log();
    let history = world.server.done(&["history", "list"]).to_string();
    assert!(!history.contains(unknown) && !history.contains("sign-in-refused"), "{history}");
    assert_eq!(history.matches("\"signed-in\"").count(), 1, "only the one that may");
    let mut secrets = vec![password.to_owned()];
    for path in &paths {
        let body = fs::read_to_string(path).expect("a private key");
        secrets.extend(body.lines().filter(|line| !line.starts_with("-----")).map(str::to_owned));
        let public = fs::read_to_string(format!("{path}.pub")).expect("a public key");
        secrets.push(public.split(' ').nth(1).expect("a key").to_owned());
    }
    for secret in secrets.iter().filter(|secret| secret.len() > 20) {
        assert!(!log.contains(secret.as_str()), "the log holds {secret}");
        assert!(!history.contains(secret.as_str()), "the history holds {secret}");
    }
    let mut scan = Command::new("ssh-keygen");
    scan.args(["-l", "-f"]).arg(format!("{}.pub", paths[2]));
    let fingerprint = finish(&mut scan).expect_code(0).text();
    let fingerprint = fingerprint.split(' ').nth(1).expect("a fingerprint");
    assert!(history.contains(fingerprint), "keys are named by their fingerprint: {history}");
}

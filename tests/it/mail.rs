//! Notices by e-mail through a real relay: what arrives and at whom, what is
//! refused, and that a relay that fails delays mail but never loses or doubles it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::support::programs::python;
use crate::support::server::Server;
use crate::support::stock::{deliveries, events, eventually, organisation, product, robot, text};

/// A line of the delivered file; it must appear in no e-mail.
const CONTENT: &str = "000000012;lopend";

/// A relay in a process of its own, ended with its value.
struct Relay {
    child: Child,
    folder: PathBuf,
    port: u16,
}

impl Relay {
    #[track_caller]
    fn start(folder: &Path, port: u16, tls: Option<&Authority>) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/smtp_relay.py");
        let mut command: Command = python();
        command.arg(script).arg(folder).arg(port.to_string());
        if let Some(authority) = tls {
            command.arg(&authority.certificate).arg(&authority.key);
        }
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("the relay");
        let mut line = String::new();
        let read = BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line);
        // Kept first, so that it is ended if it did not start.
        let mut relay = Self { child, folder: folder.to_owned(), port: 0 };
        relay.port = line.trim().parse().unwrap_or_else(|error| panic!("the relay said {line:?} ({read:?}): {error}"));
        relay
    }

    fn address(&self) -> String {
        format!("smtp://localhost:{}", self.port)
    }

    /// From now on every recipient gets this answer, or is taken again.
    fn answer(&self, answer: Option<&str>) {
        let path = self.folder.join("answer");
        match answer {
            Some(answer) => fs::write(path, answer).expect("the answer"),
            None => fs::remove_file(path).expect("the answer"),
        }
    }

    fn taken(&self) -> Vec<Value> {
        let entries = fs::read_dir(&self.folder).expect("the folder").map(|entry| entry.expect("an entry").path());
        let messages = entries.filter(|path| path.extension().is_some_and(|end| end == "json"));
        messages.map(|path| serde_json::from_slice(&fs::read(path).expect("a message")).expect("a document")).collect()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // Its own process, by its id; it may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A certification authority of the test, and a certificate of `localhost` by it.
struct Authority {
    root: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
}

impl Authority {
    fn new(folder: &Path) -> Self {
        let mut root = rcgen::CertificateParams::new(Vec::new()).expect("parameters");
        root.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        root.distinguished_name.push(rcgen::DnType::CommonName, folder.display().to_string());
        let root = rcgen::CertifiedIssuer::self_signed(root, rcgen::KeyPair::generate().expect("a key")).expect("root");
        let key = rcgen::KeyPair::generate().expect("a key");
        let leaf = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
        let leaf = leaf.signed_by(&key, &root).expect("a certificate");
        let write = |name: &str, pem: String| {
            let path = folder.join(name);
            fs::write(&path, pem).expect("written");
            path
        };
        Self {
            root: write("root.pem", root.pem()),
            certificate: write("relay.pem", leaf.pem()),
            key: write("relay-key.pem", key.serialize_pem()),
        }
    }
}

/// A server that mails through `relay`, with `alpha` ready to be delivered to.
#[track_caller]
fn stage(relay: &str, settings: &[(&str, &str)]) -> Server {
    let mut server = Server::prepare();
    server.set("POSTKLUIS_MAIL__RELAY", relay);
    server.set("POSTKLUIS_MAIL__FROM", "portal@sender.example");
    server.set("POSTKLUIS_MAIL__TIMEOUT_SECONDS", "20");
    // No try of its own within the time of a test.
    server.set("POSTKLUIS_MAIL__RETRY", "1h,2h");
    for (variable, value) in settings {
        server.set(variable, value);
    }
    server.serve();
    product(&server, "wages");
    organisation(&server, "alpha", &["wages"]);
    robot(&server, "alpha", &["wages"]);
    server
}

#[track_caller]
fn publish(server: &Server) {
    let file = server.desk("desk").join("wages_2026-10.csv");
    fs::write(&file, format!("bsn;status\n{CONTENT}\n")).expect("a file");
    server.done(&["delivery", "publish", file.to_str().expect("a path"), "--product", "wages", "--period", "2026-10"]);
}

/// The only e-mail of the queue, once it is as wanted.
#[track_caller]
fn only_mail(server: &Server, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    eventually(what, || {
        let queue = server.done(&["mail", "queue"]);
        let rows = queue.as_array().expect("a list");
        assert!(rows.len() <= 1, "one notice: {queue}");
        rows.first().filter(|mail| wanted(mail)).cloned()
    })
}

#[track_caller]
fn sent(server: &Server) -> Value {
    only_mail(server, "the e-mail is sent", |mail| mail["state"] == "sent")
}

/// Tried, and waiting for a later try.
#[track_caller]
fn put_off(server: &Server) -> Value {
    only_mail(server, "the e-mail is put off", |mail| mail["state"] == "queued" && !mail["error"].is_null())
}

const PLAIN: (&str, &str) = ("POSTKLUIS_MAIL__STARTTLS", "none");

#[test]
fn a_notice_arrives_and_tells_no_more_than_it_may() {
    let folder = tempfile::tempdir().expect("a folder");
    let relay = Relay::start(folder.path(), 0, None);
    let portal = ("POSTKLUIS_PORTAL__BASE_URL", "https://files.sender.example");
    let server = stage(&relay.address(), &[PLAIN, portal, ("POSTKLUIS_PORTAL__NAME", "Portaal van de test")]);
    publish(&server);
    let mail = sent(&server);
    assert_eq!((text(&mail, "kind"), text(&mail, "to")), ("delivery-ready", "owner@alpha.example"));
    let taken = relay.taken();
    assert_eq!(taken.len(), 1, "{taken:?}");
    assert_eq!(taken[0]["to"], serde_json::json!(["owner@alpha.example"]));
    assert_eq!((text(&taken[0], "from"), &taken[0]["tls"]), ("portal@sender.example", &Value::Bool(false)));
    let message = opened(text(&taken[0], "message"));
    let number = text(&deliveries(&server)[0], "name").to_owned();
    for wanted in [
        "Subject: [Portaal van de test] Nieuwe levering klaar: wages (alpha)\r\n",
        "To: owner@alpha.example\r\n",
        "Er staat een nieuwe levering voor u klaar.",
        "https://files.sender.example",
        &number,
        "2026-10",
        &format!("Message-ID: <{}@sender.example>", text(&mail, "id")),
    ] {
        assert!(message.contains(wanted), "`{wanted}` is not in:\n{message}");
    }
    for unwanted in [CONTENT, "000000012", "lopend", "wages_2026-10.csv", "alpha-robot"] {
        assert!(!message.contains(unwanted), "`{unwanted}` is in:\n{message}");
    }
    assert_eq!(events(&server, "mail-sent").len(), 1);
    // A test e-mail takes the same way.
    server.done(&["mail", "test", "operator@sender.example"]);
    assert_eq!(relay.taken().len(), 2);
}

/// A message with its transfer encodings undone, so that nothing hides in them.
fn opened(message: &str) -> String {
    let mut whole = message.replace("=\r\n", "");
    for (code, sign) in [("=3D", "="), ("=22", "\"")] {
        whole = whole.replace(code, sign);
    }
    assert!(!message.contains("Content-Transfer-Encoding: base64"), "this test reads no base64:\n{message}");
    whole
}

#[test]
fn starttls_with_an_authority_of_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let keys = tempfile::tempdir().expect("a folder");
    let authority = Authority::new(keys.path());
    let relay = Relay::start(folder.path(), 0, Some(&authority));
    let trust = authority.root.display().to_string();
    // STARTTLS is what an smtp:// relay gets when nothing is said.
    let server = stage(&relay.address(), &[("POSTKLUIS_MAIL__TRUST", &trust)]);
    publish(&server);
    sent(&server);
    assert_eq!(relay.taken().iter().map(|mail| mail["tls"].clone()).collect::<Vec<_>>(), [Value::Bool(true)]);
}

#[test]
fn a_relay_that_is_not_trusted_gets_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let (keys, others) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let (authority, other) = (Authority::new(keys.path()), Authority::new(others.path()));
    let relay = Relay::start(folder.path(), 0, Some(&authority));
    let trust = other.root.display().to_string();
    let mut server = stage(&relay.address(), &[("POSTKLUIS_MAIL__TRUST", &trust)]);
    publish(&server);
    let mail = put_off(&server);
    assert!(text(&mail, "error").contains("(STARTTLS): invalid peer certificate: UnknownIssuer"), "{mail}");
    let said = server.refused(&["mail", "test", "operator@sender.example"]);
    assert!(said.contains("invalid peer certificate"), "{said}");
    assert!(relay.taken().is_empty());
    // Put right: the e-mail that waited leaves, once.
    server.stop();
    server.set("POSTKLUIS_MAIL__TRUST", &authority.root.display().to_string());
    server.serve();
    assert_eq!(server.done(&["mail", "retry"])["retried"], 1);
    sent(&server);
    assert_eq!(relay.taken().len(), 1);
}

#[test]
fn a_relay_without_starttls_gets_nothing_unless_that_was_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let relay = Relay::start(folder.path(), 0, None);
    let server = stage(&relay.address(), &[]);
    publish(&server);
    let mail = put_off(&server);
    assert!(text(&mail, "error").contains("STARTTLS"), "{mail}");
    assert!(relay.taken().is_empty());
}

#[test]
fn while_the_relay_is_down_mail_waits_and_then_leaves_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let relay = Relay::start(folder.path(), 0, None);
    let (address, port) = (relay.address(), relay.port);
    drop(relay);
    let mut server = stage(&address, &[PLAIN]);
    // Publication does not wait for mail.
    publish(&server);
    assert_eq!(deliveries(&server).len(), 1);
    let waiting = put_off(&server);
    assert!(text(&waiting, "error").contains("the connection with the relay failed"), "{waiting}");
    assert_eq!(waiting["attempts"], 1);
    let shown = server.run(&["mail", "queue"]).expect_code(0).text();
    assert!(shown.contains("queued") && shown.contains("owner@alpha.example"), "{shown}");
    // It also waits through a crash.
    server.kill9();
    server.serve();
    assert_eq!(put_off(&server)["id"], waiting["id"]);

    let relay = Relay::start(folder.path(), port, None);
    let said = server.run(&["mail", "retry"]).expect_code(0).text();
    assert!(said.contains("1 e-mails are tried again now"), "{said}");
    assert_eq!(sent(&server)["id"], waiting["id"]);
    assert_eq!(server.done(&["mail", "retry"])["retried"], 0);
    server.stop();
    server.serve();
    assert_eq!(server.done(&["mail", "retry"])["retried"], 0);
    assert_eq!(relay.taken().len(), 1);
    assert!(text(&relay.taken()[0], "message").contains(text(&waiting, "id")), "the id that it was queued under");
    assert_eq!(events(&server, "mail-sent").len(), 1);
    server.stop();
}

#[test]
fn the_server_tries_again_by_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let relay = Relay::start(folder.path(), 0, None);
    relay.answer(Some("451 4.3.0 Try again later"));
    let server = stage(&relay.address(), &[PLAIN, ("POSTKLUIS_MAIL__RETRY", "1s,1s,1s,1s,1s,1s,1s,1h")]);
    publish(&server);
    put_off(&server);
    relay.answer(None);
    sent(&server);
    assert_eq!(relay.taken().len(), 1);
}

#[test]
fn a_temporary_no_waits_and_a_final_no_is_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let relay = Relay::start(folder.path(), 0, None);
    relay.answer(Some("451 4.3.0 Try again later"));
    let server = stage(&relay.address(), &[PLAIN]);
    publish(&server);
    let mail = put_off(&server);
    assert_eq!(text(&mail, "error"), "the relay answered 451 4.3.0 (sending)");
    assert!(!mail["nextAt"].is_null(), "{mail}");
    assert_eq!(events(&server, "mail-deferred").len(), 1);

    relay.answer(Some("550 5.1.1 No such user here"));
    server.done(&["mail", "retry"]);
    let mail = only_mail(&server, "the e-mail has failed", |mail| mail["state"] == "failed");
    assert_eq!(text(&mail, "error"), "the relay answered 550 5.1.1 (sending)");
    let shown = server.run(&["mail", "queue"]).expect_code(0).text();
    assert!(shown.contains("failed") && shown.contains("550 5.1.1"), "{shown}");
    let history = events(&server, "mail-failed");
    assert_eq!(history.len(), 1);
    assert!(text(&history[0], "note").contains("550 5.1.1"), "{history:?}");
    assert_eq!(deliveries(&server)[0]["availability"], "available", "the delivery itself is untouched");

    // The relay has been put right: what failed can be asked for again, once.
    relay.answer(None);
    assert_eq!(server.done(&["mail", "retry"])["retried"], 1);
    sent(&server);
    assert_eq!(relay.taken().len(), 1);
}

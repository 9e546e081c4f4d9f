//! Bad input at the command line and in the configuration: every message says
//! what is wrong and what to do, the exit code is the promised one, and nothing
//! changes. What good input does is the matter of other files.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::clients::ssh_key;
use crate::support::programs::{Ended, finish};
use crate::support::server::{Server, postkluis};
use crate::support::stock::{organisation, product, robot};

/// Everything that a refused command might have changed.
const LISTS: [&[&str]; 8] = [
    &["organisation", "list"],
    &["product", "list"],
    &["agreement", "list"],
    &["account", "list"],
    &["key", "list", "--account", "alpha-robot"],
    &["token", "list", "--account", "alpha-robot"],
    &["right", "list"],
    &["delivery", "list"],
];

fn lists(server: &Server) -> Vec<Value> {
    LISTS.iter().map(|list| server.done(list)).collect()
}

/// Arguments, and what the message must hold.
type Case<'a> = (&'a [&'a str], &'a [&'a str]);

/// Wrong usage, exit code 2.
const USAGE: &[Case<'_>] = &[
    (&[], &["Usage: postkluis", "organisation"]),
    (&["frobnicate"], &["unrecognized subcommand 'frobnicate'", "--help"]),
    (&["organisation", "lst"], &["unrecognized subcommand 'lst'", "'list'"]),
    (&["organisation", "list", "--jsn"], &["unexpected argument '--jsn'", "'--json'"]),
    (&["organisation", "add"], &["<CODE>", "--name", "Usage: postkluis organisation add"]),
    (&["product", "add", "rent", "--name", "Rent"], &["--retention <PERIOD>", "Usage: postkluis product add"]),
    (
        &["account", "add", "r2", "--organisation", "alpha", "--kind", "robot"],
        &["invalid value 'robot'", "machine, person"],
    ),
    (&["delivery", "publish", "--product", "wages"], &["<FILE>", "Usage: postkluis delivery publish"]),
    (&["delivery", "withdraw", "--reason", "wrong"], &["<ID>", "Usage: postkluis delivery withdraw"]),
    (&["delivery", "withdraw", "one", "--publication", "two", "--reason", "wrong"], &["cannot be used with"]),
    (&["init", "--sftp-listen", "somewhere"], &["invalid value 'somewhere'", "--sftp-listen"]),
    (&["history", "list", "--after", "first"], &["invalid value 'first'", "--after"]),
];

/// Refused, exit code 1. Relative paths start from the test's desk.
const REFUSED: &[Case<'_>] = &[
    (&["organisation", "add", "alpha", "--name", "Again"], &["alpha exists already"]),
    (&["organisation", "add", "Alpha!", "--name", "A"], &["\"Alpha!\" is not an organisation code", "2 to 32"]),
    (&["organisation", "add", "beta", "--name", "Beta", "--oin", "123"], &["\"123\" is not an OIN", "20 digits"]),
    (&["organisation", "add", "beta", "--name", "Beta", "--kvk", "x"], &["is not a KVK number", "8 digits"]),
    (&["organisation", "add", "beta", "--name", ""], &["is not a line of text", "1 to 200 characters"]),
    (&["organisation", "show", "nobody"], &["no such organisation"]),
    (&["organisation", "block", "alpha", "--reason", "r", "--until", "soon"], &["\"soon\" is not a moment", "2026-"]),
    (&["product", "add", "rent", "--name", "R", "--retention", "thirty"], &["\"thirty\" is not", "30d"]),
    (&["product", "add", "rent", "--name", "R", "--retention", "30 bananas"], &["\"30 bananas\" is not", "30d"]),
    (&["product", "add", "rent", "--name", "R", "--retention=-1d"], &["\"-1d\" is not", "30d"]),
    (&["product", "change", "nothing", "--name", "R"], &["no such product"]),
    (&["agreement", "add", "--organisation", "alpha", "--product", "nothing", "--purpose", "p"], &["no such product"]),
    (
        &[
            "agreement",
            "add",
            "--organisation",
            "alpha",
            "--product",
            "wages",
            "--purpose",
            "p",
            "--until",
            "31-12-2026",
        ],
        &["\"31-12-2026\" is not a moment", "2026-12-01"],
    ),
    (&["agreement", "end", "--organisation", "alpha", "--product", "nothing"], &["no such"]),
    (&["account", "add", "r2", "--organisation", "nobody", "--kind", "machine", "--owner", "o@x.nl"], &["no such"]),
    (&["account", "add", "r2", "--organisation", "alpha", "--kind", "machine"], &["owner"]),
    (
        &["account", "add", "r2", "--organisation", "alpha", "--kind", "machine", "--owner", "nobody"],
        &["\"nobody\" is not an e-mail address", "name@example.org"],
    ),
    (
        &["account", "add", "alpha-robot", "--organisation", "alpha", "--kind", "machine", "--owner", "o@x.nl"],
        &["exists"],
    ),
    (
        &["key", "add", "--account", "alpha-robot", "--file", "missing.pub"],
        &["missing.pub cannot be read", "No such file"],
    ),
    (&["key", "add", "--account", "alpha-robot", "--file", "text.csv"], &["SSH"]),
    (&["key", "add", "--account", "alpha-robot", "--file", "new"], &["public"]),
    (&["key", "add", "--account", "nobody", "--file", "new.pub"], &["no such account"]),
    (
        &["key", "add", "--account", "alpha-robot", "--file", "new.pub", "--expires", "never"],
        &["\"never\" is not a moment"],
    ),
    (&["key", "revoke", "--account", "alpha-robot", "SHA256:nothing"], &["no such key"]),
    (&["token", "add", "--account", "nobody"], &["no such account"]),
    (&["token", "revoke", "00000000-0000-4000-8000-000000000000"], &["no such token"]),
    (&["right", "couple", "--account", "nobody", "--product", "wages"], &["no such account"]),
    (
        &["right", "couple", "--account", "alpha-robot", "--product", "nothing"],
        &["no agreement in force", "agreement add"],
    ),
    (&["delivery", "publish", "text.csv", "--product", "nothing"], &["no such product"]),
    (&["delivery", "publish", "missing.csv", "--product", "wages"], &["missing.csv cannot be read", "No such file"]),
    (&["delivery", "publish", "a folder", "--product", "wages", "--name", "a.csv"], &["is not a regular file"]),
    (
        &["delivery", "publish", "bad name.csv", "--product", "wages"],
        &["\"bad name.csv\" is not a file name", "1 to 200"],
    ),
    (
        &["delivery", "publish", "link.csv", "--product", "wages"],
        &["link.csv is a symbolic link", "offer the file itself"],
    ),
    (&["delivery", "publish", "text.csv", "text.csv", "--product", "wages"], &["text.csv", "are the same"]),
    (
        &["delivery", "publish", "text.csv", "other.csv", "--product", "wages", "--name", "x.csv"],
        &["--name goes with one"],
    ),
    (&["delivery", "publish", "text.csv", "--product", "wages", "--name", "../x"], &["\"../x\" is not a file name"]),
    (
        &["delivery", "publish", "text.csv", "--product", "wages", "--organisation", "nobody"],
        &["no organisation nobody", "organisation list"],
    ),
    (
        &["delivery", "publish", "text.csv", "--product", "wages", "--counts", "text.csv"],
        &["text.csv", "\"label\": number"],
    ),
    (&["delivery", "publish", "text.csv", "--product", "wages", "--sequence", "7"], &["7", "1"]),
    (&["delivery", "show", "7"], &["\"7\" is not"]),
    (&["delivery", "show", "00000000-0000-4000-8000-000000000000"], &["no such delivery"]),
    (&["delivery", "withdraw", "00000000-0000-4000-8000-000000000000", "--reason", "r"], &["no such delivery"]),
    (&["recipient-key", "add", "--organisation", "alpha", "--file", "text.csv"], &["age"]),
    (&["mail", "test", "nobody"], &["\"nobody\" is not an e-mail address", "name@example.org"]),
    (&["history", "list", "--since", "yesterday"], &["\"yesterday\" is not a moment", "2026-12-01"]),
];

#[track_caller]
fn told(case: &Case<'_>, ended: &Ended) {
    for wanted in case.1 {
        assert!(ended.stderr.contains(wanted), "{:?} does not tell `{wanted}`: {}", case.0, ended.stderr);
    }
    assert!(!ended.stderr.contains("panicked"), "{:?}: {}", case.0, ended.stderr);
}

#[test]
fn bad_input_says_what_is_wrong_and_changes_nothing() {
    let server = Server::start();
    product(&server, "wages");
    organisation(&server, "alpha", &["wages"]);
    robot(&server, "alpha", &["wages"]);
    let desk = server.desk("desk");
    for name in ["text.csv", "other.csv", "bad name.csv"] {
        fs::write(desk.join(name), "bsn;status\n000000012;lopend\n").expect("a file");
    }
    symlink("text.csv", desk.join("link.csv")).expect("a link");
    fs::create_dir(desk.join("a folder")).expect("a folder");
    ssh_key(&desk, "new");
    let before = lists(&server);
    let run =
        |arguments: &[&str], more: &[&str]| finish(server.command().args(arguments).args(more).current_dir(&desk));
    for case in USAGE {
        let ended = run(case.0, &[]).expect_code(2);
        told(case, &ended);
        assert!(ended.stdout.is_empty(), "{:?} says on standard output: {}", case.0, ended.text());
    }
    for case in REFUSED {
        let ended = run(case.0, &[]).expect_code(1);
        told(case, &ended);
        assert!(ended.stdout.is_empty(), "{:?} says on standard output: {}", case.0, ended.text());
        assert!(ended.stderr.starts_with("postkluis: "), "{:?}: {}", case.0, ended.stderr);
        // The same as one JSON document.
        let ended = run(case.0, &["--json"]).expect_code(1);
        let error = ended.json()["error"].as_str().unwrap_or_else(|| panic!("no error in {}", ended.text())).to_owned();
        assert_eq!(ended.stderr, format!("postkluis: {error}\n"), "{:?}", case.0);
    }
    let private = fs::read_to_string(desk.join("new")).expect("the private key");
    let secret = private.lines().nth(1).expect("a line of the private key");
    assert!(!run(&["key", "add", "--account", "alpha-robot", "--file", "new"], &[]).stderr.contains(secret));
    assert!(!server.logged().contains(secret), "a private key in the log");
    assert_eq!(lists(&server), before);
}

#[test]
fn wrong_usage_is_a_json_document_too() {
    let home = tempfile::tempdir().expect("a temporary folder");
    for arguments in [&["organisation", "add", "--json"][..], &["--json", "frobnicate"], &["--json", "delivery", "shw"]]
    {
        let ended = finish(postkluis().arg("--home").arg(home.path()).args(arguments)).expect_code(2);
        let document = ended.json();
        assert!(document["error"].as_str().is_some_and(|text| !text.is_empty()), "{arguments:?}: {document}");
        assert!(ended.stderr.contains("--help"), "{arguments:?}: {}", ended.stderr);
    }
    assert_eq!(fs::read_dir(home.path()).expect("the folder").count(), 0);
}

#[test]
fn without_a_server_a_command_says_how_to_start_one() {
    let server = Server::prepare();
    for arguments in [&["organisation", "list"][..], &["delivery", "list"], &["mail", "queue"], &["retention", "run"]] {
        let ended = server.run(arguments).expect_code(1);
        assert!(ended.stderr.contains("no server answers at"), "{}", ended.stderr);
        assert!(ended.stderr.contains("`postkluis serve`") && ended.stderr.contains("--home"), "{}", ended.stderr);
        let ended = finish(server.command().args(arguments).arg("--json")).expect_code(1);
        assert!(ended.json()["error"].as_str().is_some_and(|text| text.contains("postkluis serve")));
    }
    let nowhere = server.desk("nothing").join("here");
    for noun in [&["check"][..], &["serve"]] {
        let ended = finish(postkluis().arg("--home").arg(&nowhere).args(noun)).expect_code(1);
        let said = format!("{}{}", ended.text(), ended.stderr);
        assert!(said.contains("postkluis init") && said.contains("here/postkluis.toml"), "{said}");
        assert!(!nowhere.exists(), "{noun:?} made a home");
    }
}

/// Every file below a folder with its content, its rights and its time.
fn picture(folder: &Path) -> BTreeMap<String, (Vec<u8>, u32, std::time::SystemTime)> {
    let mut found = BTreeMap::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(&folder).expect("a folder").flatten() {
            let (path, metadata) = (entry.path(), entry.metadata().expect("metadata"));
            let content = if metadata.is_file() { fs::read(&path).expect("a file") } else { Vec::new() };
            let modified = metadata.modified().expect("a time");
            found.insert(path.display().to_string(), (content, metadata.permissions().mode(), modified));
            if metadata.is_dir() {
                pending.push(path);
            }
        }
    }
    found
}

#[test]
fn init_goes_on_where_it_was_cut_off() {
    let server = Server::prepare();
    let keys = server.home().join("keys");
    let master = fs::read(keys.join("master.age")).expect("the master");
    let again = || server.run(&["init", "--sftp-listen", "127.0.0.1:0", "--https-listen", "127.0.0.1:0"]);
    // in the order in which they are made, the last one first
    let made = ["https-cert.pem", "https-key.pem", "ssh_host_ed25519_key.pub", "ssh_host_ed25519_key"];
    for removed in 0..=made.len() {
        fs::remove_file(server.home().join("postkluis.toml")).expect("removed");
        for name in &made[..removed] {
            fs::remove_file(keys.join(name)).expect("removed");
        }
        // half written: it was never given its name
        fs::write(server.home().join("postkluis.toml.new"), "[sftp]\nlis").expect("written");
        again().expect_code(0);
        server.run(&["check"]).expect_code(0);
        assert_eq!(fs::read(keys.join("master.age")).expect("the master"), master, "no key takes the place of another");
    }
    again().expect_code(1);
}

#[test]
fn init_twice_changes_nothing() {
    let mut server = Server::start();
    organisation(&server, "alpha", &[]);
    server.stop();
    let before = picture(&server.home());
    assert!(before.len() > 10, "{:?}", before.keys());
    for more in [&[][..], &["--sftp-listen", "127.0.0.1:1", "--https-listen", "127.0.0.1:2"]] {
        let ended = finish(server.command().arg("init").args(more)).expect_code(1);
        assert!(ended.stderr.contains("exists already; nothing was changed"), "{}", ended.stderr);
        assert!(picture(&server.home()) == before, "init changed the home");
    }
}

#[test]
fn a_second_server_on_the_same_home_is_refused() {
    let mut server = Server::start();
    organisation(&server, "alpha", &[]);
    let socket = fs::metadata(server.home().join("run/admin.sock")).expect("the socket").modified().expect("a time");
    let ended = finish(server.command().arg("serve")).expect_code(1);
    assert!(ended.stdout.is_empty(), "{}", ended.text());
    assert!(ended.stderr.contains("another") || ended.stderr.contains("already"), "{}", ended.stderr);
    assert!(ended.stderr.contains(&server.home().display().to_string()), "names the place: {}", ended.stderr);
    let after = fs::metadata(server.home().join("run/admin.sock")).expect("the socket").modified().expect("a time");
    assert_eq!(socket, after, "the door of the first is untouched");
    // The first goes on, and ends in order.
    organisation(&server, "beta", &[]);
    assert_eq!(server.done(&["organisation", "list"]).as_array().map(Vec::len), Some(2));
    server.stop();
}

/// One thing that is made wrong, and what `check` must say of it.
struct Fault<'a> {
    what: &'a str,
    make: &'a dyn Fn(&Path),
    tells: &'a [&'a str],
}

fn with_line(home: &Path, after: &str, line: &str) {
    let path = home.join("postkluis.toml");
    let text = fs::read_to_string(&path).expect("the configuration");
    let changed = text.replacen(&format!("{after}\n"), &format!("{after}\n{line}\n"), 1);
    assert_ne!(text, changed, "there is no {after}");
    fs::write(path, changed).expect("the configuration");
}

fn chmod(home: &Path, path: &str, mode: u32) {
    fs::set_permissions(home.join(path), Permissions::from_mode(mode)).expect("the rights");
}

fn remove(home: &Path, path: &str) {
    let path = home.join(path);
    if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.expect("removed");
}

#[test]
fn check_names_every_fault_of_a_home() {
    let faults: &[Fault<'_>] = &[
        Fault {
            what: "an unknown key",
            make: &|home| with_line(home, "[sftp]", "keep_alive = \"30s\""),
            tells: &["sftp.keep_alive: unknown key; did you mean keepalive?", "postkluis.toml"],
        },
        Fault {
            what: "a key of another section",
            make: &|home| with_line(home, "[sftp]", "settle_seconds = 3"),
            tells: &["sftp.settle_seconds: unknown key; did you mean spool.settle_seconds?"],
        },
        Fault {
            what: "an unknown section",
            make: &|home| with_line(home, "[sftp]", "[spol]"),
            tells: &["spol: unknown section; did you mean [spool]?"],
        },
        Fault {
            what: "bad TOML",
            make: &|home| with_line(home, "[sftp]", "listen = "),
            tells: &["postkluis.toml: line ", "TOML"],
        },
        Fault {
            what: "a bad period",
            make: &|home| with_line(home, "[sftp]", "idle_timeout = \"15 parsecs\""),
            tells: &["sftp.idle_timeout: \"15 parsecs\" is not", "\"15m\""],
        },
        Fault {
            what: "a period out of bounds",
            make: &|home| with_line(home, "[sftp]", "idle_timeout = \"300d\""),
            tells: &["sftp.idle_timeout: 300d is out of bounds", "from 10s to"],
        },
        Fault {
            what: "a bad size",
            make: &|home| with_line(home, "[limits]", "max_delivery_bytes = \"12 bananas\""),
            tells: &["limits.max_delivery_bytes: 12 bananas is no such number", "\"64 MiB\""],
        },
        Fault {
            what: "a number as text",
            make: &|home| with_line(home, "[sftp]", "max_sessions = \"many\""),
            tells: &["sftp.max_sessions: wrong kind of value (string)", "a whole number from 1 to 100000"],
        },
        Fault {
            what: "a word that is none",
            make: &|home| with_line(home, "[logging]", "level = \"inof\""),
            tells: &["logging.level: unknown value \"inof\"; did you mean \"info\"?"],
        },
        Fault {
            what: "an address that is none",
            make: &|home| with_line(home, "[organisation]", "contact_mail = \"somebody\""),
            tells: &["organisation.contact_mail: \"somebody\" is not an e-mail address", "name@example.org"],
        },
        Fault {
            what: "an open master key",
            make: &|home| chmod(home, "keys/master.age", 0o644),
            tells: &["keys/master.age", "chmod 600"],
        },
        Fault {
            what: "an open host key",
            make: &|home| chmod(home, "keys/ssh_host_ed25519_key", 0o640),
            tells: &["keys/ssh_host_ed25519_key", "chmod 600"],
        },
        Fault {
            what: "an open folder of keys",
            make: &|home| chmod(home, "keys", 0o755),
            tells: &["keys is open to others (755)", "chmod 700"],
        },
        Fault {
            what: "a missing master key",
            make: &|home| remove(home, "keys/master.age"),
            tells: &["FAIL", "keys/master.age", "No such file"],
        },
        Fault {
            what: "a missing host key",
            make: &|home| remove(home, "keys/ssh_host_ed25519_key"),
            tells: &["FAIL  SSH host key", "keys"],
        },
        Fault {
            what: "a missing certificate",
            make: &|home| remove(home, "keys/https-cert.pem"),
            tells: &["FAIL  certificate", "keys/https-cert.pem", "No such file"],
        },
        Fault {
            what: "a missing key of the certificate",
            make: &|home| remove(home, "keys/https-key.pem"),
            tells: &["FAIL  certificate", "keys/https-key.pem", "No such file"],
        },
        Fault {
            what: "a host key that is none",
            make: &|home| fs::write(home.join("keys/ssh_host_ed25519_key"), "none\n").expect("written"),
            tells: &["FAIL  SSH host key", "keys/ssh_host_ed25519_key"],
        },
        Fault {
            what: "a missing folder",
            make: &|home| remove(home, "spool"),
            tells: &["FAIL  folder", "spool cannot be looked at", "postkluis init"],
        },
        Fault {
            what: "a file in the place of a folder",
            make: &|home| {
                remove(home, "data");
                fs::write(home.join("data"), "").expect("a file");
            },
            tells: &["FAIL  folder", "data is not a folder"],
        },
    ];
    let server = Server::prepare();
    let good = finish(server.command().arg("check")).expect_code(0);
    assert!(!good.text().contains("FAIL"), "{}", good.text());
    let spare = server.desk("spare");
    let copy = |from: &Path, to: &Path| {
        finish(Command::new("cp").arg("-a").arg(from).arg(to)).expect_code(0);
    };
    copy(&server.home(), &spare.join("home"));
    for Fault { what, make, tells } in faults {
        make(&server.home());
        let before = picture(&server.home());
        let ended = finish(server.command().arg("check"));
        assert_eq!(ended.status.code(), Some(1), "{what}: {}", ended.text());
        let said = ended.text();
        assert!(picture(&server.home()) == before, "{what}: check changed something");
        for wanted in *tells {
            assert!(said.contains(wanted), "{what}: check does not tell `{wanted}`:\n{said}");
        }
        let findings = finish(server.command().args(["check", "--json"])).expect_code(1).json();
        let failed = findings["findings"].as_array().expect("findings").iter();
        assert!(failed.filter(|finding| finding["result"] == "failed").count() >= 1, "{what}: {findings}");
        remove(&server.home(), "");
        copy(&spare.join("home"), &server.home());
    }
    finish(server.command().arg("check")).expect_code(0);
}

#[test]
fn check_names_an_address_in_use_and_a_wrong_variable() {
    let mut server = Server::prepare();
    let taken = TcpListener::bind("127.0.0.1:0").expect("an address");
    let address = taken.local_addr().expect("an address").to_string();
    for (variable, key) in
        [("POSTKLUIS_SFTP__LISTEN", "sftp.listen"), ("POSTKLUIS_OPERATOR__LISTEN", "operator.listen")]
    {
        let ended = finish(server.command().arg("check").env(variable, &address)).expect_code(1);
        let said = ended.text();
        assert!(said.contains(&format!("FAIL  {key}: {address} cannot be listened on")), "{said}");
        assert!(said.contains("choose another address"), "{said}");
        let ended = finish(server.command().arg("serve").env(variable, &address)).expect_code(1);
        assert!(ended.stderr.contains(key) && ended.stderr.contains(&address), "serve: {}", ended.stderr);
    }
    for noun in ["check", "serve"] {
        let ended = finish(server.command().arg(noun).env("POSTKLUIS_SFTP__LISTNE", "127.0.0.1:0")).expect_code(1);
        let said = format!("{}{}", ended.text(), ended.stderr);
        assert!(said.contains("POSTKLUIS_SFTP__LISTNE") && said.contains("mean POSTKLUIS_SFTP__LISTEN?"), "{said}");
    }
    server.serve();
    let running = server.done(&["check"]);
    let findings = running["findings"].as_array().expect("findings");
    assert!(findings.contains(&json!({
        "check": "addresses", "result": "ok", "detail": "a server of this home is running"
    })));
    server.stop();
}

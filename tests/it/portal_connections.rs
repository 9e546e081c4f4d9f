//! Connections in Chromium, with OpenSSH and `curl` on the other side: an administrator makes an
//! account, gives it a key and a token, couples a product, tests, revokes and ends (P14).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::support::clients::{SftpClient, curl, ssh_key};
use crate::support::programs::{finish, node};
use crate::support::server::Server;
use crate::support::stock::{events, organisation, product, text, write_file};

const WALK: &str = concat!(include_str!("../clients/browser.js"), include_str!("../clients/portal_connections.js"));
const ANNA: &str = "anna@alpha.example";
const LOGIN: &str = "alpha-sftp";

fn stage() -> (Server, String) {
    let mut server = Server::prepare();
    server.set("POSTKLUIS_SIGN_IN__PASSWORD_MEMORY", "64 KiB");
    server.set("POSTKLUIS_ORGANISATION__CONTACT_MAIL", "info@example.org");
    server.serve();
    product(&server, "wages");
    organisation(&server, "alpha", &["wages"]);
    server.done(&["organisation", "change", "alpha", "--mail-domain", "alpha.example"]);
    server.done(&["account", "add", ANNA, "--organisation", "alpha", "--kind", "person", "--administrator"]);
    let file = server.desk("files").join("salaries.csv");
    write_file(&file, 70_000, 1);
    server.done(&["delivery", "publish", &file.display().to_string(), "--product", "wages"]);
    let link = text(&server.done(&["account", "link", ANNA]), "link").to_owned();
    let path = link.split_once("/account/").expect("a link").1;
    let link = format!("https://localhost:{}/account/{path}", server.address("https").port());
    (server, link)
}

fn strings(found: &Value, member: &str) -> Vec<String> {
    let list = found[member].as_array().unwrap_or_else(|| panic!("no list {member} in {found}"));
    list.iter().map(|item| item.as_str().unwrap_or_default().to_owned()).collect()
}

/// Whether any file below a folder holds these bytes.
fn holds(folder: &Path, wanted: &[u8]) -> bool {
    fs::read_dir(folder).expect("a folder").any(|entry| {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            return holds(&path, wanted);
        }
        // a socket or a file that is gone again holds nothing
        fs::read(&path).is_ok_and(|bytes| bytes.windows(wanted.len()).any(|window| window == wanted))
    })
}

fn said(command: &mut Command) -> String {
    finish(command).expect_code(0).text()
}

#[test]
fn an_administrator_makes_tests_and_ends_a_connection_in_a_browser() {
    let (server, link) = stage();
    let shots = std::env::var_os("POSTKLUIS_TEST_SCREENSHOTS").map_or_else(|| server.desk("pages"), PathBuf::from);
    fs::create_dir_all(&shots).expect("a folder for screenshots");
    let key = ssh_key(&server.desk("keys-of-robots"), "alpha");
    let second = ssh_key(&server.desk("keys-of-robots"), "second");
    let public = |key: &Path| format!("{}.pub", key.display());
    let client = SftpClient::new(&server, LOGIN, &key);
    let rfc_key = said(Command::new("ssh-keygen").args(["-e", "-f", &public(&key)]));
    let private_key = fs::read_to_string(&key).expect("a private key");
    let given = json!({
        "privateKey": private_key,
        "publicKey": fs::read_to_string(public(&key)).expect("a public key"),
        "rfcKey": rfc_key,
        "secondKey": { "private": second, "public": public(&second) },
        "sshConfig": client.config(),
        "certificate": server.certificate(),
    });
    let base = format!("https://localhost:{}", server.address("https").port());
    let mut command = node();
    command.args(["-e", WALK, &base]).arg(&shots).arg(&link).arg(given.to_string());
    let operator = server.command();
    command.arg(operator.get_program()).args(operator.get_args());
    command.envs(operator.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let found = finish(&mut command).expect_code(0).json();
    for nothing in ["violations", "tooWide", "elsewhere"] {
        assert_eq!(strings(&found, nothing), Vec::<String>::new(), "{nothing}");
    }
    let console = strings(&found, "console");
    assert!(console.iter().all(|line| line.contains("status of 404")), "{console:?}");
    assert_eq!(found["scripts"], 0, "pages need no script");
    assert_eq!((&found["keptLogin"], &found["made"]), (&LOGIN.into(), &"/connections/accounts/alpha-sftp".into()));
    // a private key is refused loudly, and is nowhere
    assert!(text(&found, "privateKey").contains("geheime sleutel"), "{found}");
    assert_eq!(found["echoed"], false);
    let secret_line = private_key.lines().nth(2).expect("a line of the private key");
    assert!(!server.logged().contains(secret_line) && !holds(&server.home().join("data"), secret_line.as_bytes()));
    assert!(text(&found, "again").contains("deze sleutel al"), "{found}");
    assert_eq!((&found["secretIn"], &found["secretLater"]), (&json!([false, false]), &json!(false)));
    assert_eq!((&found["tokens"], &found["noAttempts"]), (&1.into(), &0.into()));
    // C1, then the product
    assert_eq!(found["before"], json!([false, 200]));
    assert_eq!((&found["fetched"], &found["byToken"], &found["ownKeys"]), (&0.into(), &1.into(), &json!([true])));
    assert_eq!(found["entered"], 2, "by key and by token: {found}");
    assert_eq!((&found["ranOut"], &found["toldRanOut"]), (&255.into(), &true.into()), "{found}");
    assert_eq!((&found["stillOpen"], &found["shut"], &found["openAgain"]), (&200.into(), &401.into(), &200.into()));
    let cut_after = found["cutAfter"].as_u64().expect("milliseconds");
    assert!(cut_after < 5_000, "an open session went on for {cut_after} ms");
    assert_eq!((&found["afterwards"], &found["toldRevoked"]), (&255.into(), &true.into()), "{found}");
    assert!(text(&found, "takenBack").contains("eerder ingetrokken"), "{found}");
    assert_eq!((&found["owner"], &found["withoutToken"]), (&ANNA.into(), &403.into()));
    assert_eq!((&found["ended"], &found["afterEnd"]), (&"/connections".into(), &json!([401, 404])));
    // what clients compare is what the server shows
    let host_key = server.home().join("keys/ssh_host_ed25519_key.pub");
    let print = said(Command::new("ssh-keygen").arg("-lf").arg(&host_key));
    let print = print.split(' ').nth(1).expect("a fingerprint");
    let tls = said(
        Command::new("openssl").args(["x509", "-noout", "-fingerprint", "-sha256", "-in"]).arg(server.certificate()),
    );
    let tls = tls.trim().split('=').nth(1).expect("a fingerprint");
    let host_line = fs::read_to_string(&host_key).expect("a host key");
    let host_line = host_line.split(' ').take(2).collect::<Vec<_>>().join(" ");
    let known = format!("[localhost]:{} {host_line}", server.address("sftp").port());
    for shown in [print, tls, known.as_str(), "IN SSHFP  4 2 "] {
        assert!(text(&found, "server").contains(shown), "{shown} in {}", found["server"]);
    }
    // each change with its actor, each told to owner and administrator
    for (event, count) in
        [("account-added", 2), ("key-added", 2), ("key-revoked", 1), ("token-added", 1), ("account-ended", 1)]
    {
        let lines = events(&server, event);
        assert_eq!(lines.len(), count, "{event}");
        let by_anna =
            lines.iter().filter(|line| line["by"] == ANNA || line["actor"] == ANNA || line.to_string().contains(ANNA));
        assert!(by_anna.count() >= 1, "{event}: {lines:?}");
    }
    let mails = server.done(&["mail", "queue"]);
    let count = |kind: &str| mails.as_array().expect("a list").iter().filter(|mail| mail["kind"] == kind).count();
    let kinds = ["machine-added", "key-added", "token-added", "allow-list-changed", "key-revoked", "owner-changed"];
    assert_eq!(kinds.map(count), [2, 2, 2, 4, 2, 2], "owner and administrator, once per save");
    assert_eq!(count("machine-ended"), 1, "Anna is owner and administrator");
    let secret_words = fs::read_dir(server.mail_folder())
        .expect("e-mails")
        .any(|entry| fs::read_to_string(entry.expect("an e-mail").path()).is_ok_and(|mail| mail.contains("pkt_")));
    assert!(!secret_words, "no e-mail holds a token");
}

#[test]
fn nobody_else_reaches_connections() {
    let (server, _) = stage();
    server.done(&["account", "add", LOGIN, "--organisation", "alpha", "--kind", "machine", "--owner", ANNA]);
    let token = text(&server.done(&["token", "add", "--account", LOGIN]), "secret").to_owned();
    let before = server.done(&["history", "list"]);
    let ask = |path: &str, arguments: &[&str]| {
        curl(&server, path, &[&["--include"], arguments].concat()).expect_code(0).text()
    };
    let one = format!("/connections/accounts/{LOGIN}");
    for path in ["/connections", "/connections/server", &one, &format!("{one}/end")] {
        assert!(ask(path, &[]).starts_with("HTTP/2 303"), "{path}");
        // a token is no session
        let bearer = format!("Authorization: Bearer {token}");
        assert!(ask(path, &["--header", &bearer]).starts_with("HTTP/2 303"), "{path}");
    }
    for path in ["keys", "tokens", "allow-list", "owner", "end"] {
        assert!(ask(&format!("{one}/{path}"), &["--data", "x=y"]).starts_with("HTTP/2 303"), "{path}");
    }
    assert!(ask("/api/v1/ssh-keys", &[]).starts_with("HTTP/2 401"));
    assert_eq!(server.done(&["history", "list"]), before);
}

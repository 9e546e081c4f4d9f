//! The start page, the organisation's card, the pages that help and the warning before a session
//! ends, in Chromium (A15-A17, A21, B8, C5, J2, J3, K4, P01, P06, P19, WCAG 2.2.1).

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::clients::curl;
use crate::support::programs::{finish, node};
use crate::support::server::Server;
use crate::support::stock::{events, organisation, product, text, write_file};

const WALK: &str = concat!(include_str!("../clients/browser.js"), include_str!("../clients/portal_start.js"));
const ANNE: &str = "anne@alpha.example";

fn stage(idle: &str) -> (Server, String) {
    let mut server = Server::prepare();
    server.set("POSTKLUIS_SIGN_IN__PASSWORD_MEMORY", "64 KiB");
    server.set("POSTKLUIS_SIGN_IN__IDLE_TIMEOUT", idle);
    server.set("POSTKLUIS_ORGANISATION__NAME", "Uitvoering Voorbeeld");
    server.set("POSTKLUIS_ORGANISATION__CONTACT_MAIL", "info@example.org");
    server.set("POSTKLUIS_ORGANISATION__CONTACT_PHONE", "+31 88 123 45 67");
    server.set("POSTKLUIS_PORTAL__EMPLOYER_LINK", "https://employers.example.org");
    let told = server.desk("house").join("start.txt");
    fs::write(&told, "# Nieuw product?\nBel ons <b>eerst</b>.\n\n- doel\n- grondslag\n").expect("a text");
    server.set("POSTKLUIS_PORTAL__START_TEXT", &told.display().to_string());
    server.serve();
    product(&server, "wages");
    product(&server, "status");
    organisation(&server, "alpha", &["wages", "status"]);
    server.done(&["account", "add", ANNE, "--organisation", "alpha", "--kind", "person", "--administrator"]);
    server.done(&["right", "couple", "--account", ANNE, "--product", "wages"]);
    let file = server.desk("files").join("salaries.csv");
    write_file(&file, 70_000, 1);
    let file = file.display().to_string();
    server.done(&["delivery", "publish", &file, "--product", "wages", "--period", "oktober 2026"]);
    let link = text(&server.done(&["account", "link", ANNE]), "link").to_owned();
    let path = link.split_once("/account/").expect("a link").1;
    let link = format!("https://localhost:{}/account/{path}", server.address("https").port());
    (server, link)
}

fn strings(found: &Value, member: &str) -> Vec<String> {
    let list = found[member].as_array().unwrap_or_else(|| panic!("no list {member} in {found}"));
    list.iter().map(|item| item.as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_person_is_helped_told_and_warned_before_the_session_ends() {
    let (server, link) = stage("60s");
    let shots = std::env::var_os("POSTKLUIS_TEST_SCREENSHOTS").map_or_else(|| server.desk("pages"), PathBuf::from);
    fs::create_dir_all(&shots).expect("a folder for screenshots");
    let mut command = node();
    command.args(["-e", WALK, &link, ANNE]).arg(&shots);
    let operator = server.command();
    command.arg(operator.get_program()).args(operator.get_args());
    command.envs(operator.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let found = finish(&mut command).expect_code(0).json();
    for nothing in ["violations", "tooWide", "console", "elsewhere", "clipped", "small"] {
        assert_eq!(strings(&found, nothing), Vec::<String>::new(), "{nothing}");
    }
    assert_eq!(found["scripts"], 0, "pages need no script");
    assert_eq!(found["employer"], "https://employers.example.org", "A21");
    assert_eq!(found["footers"], 1, "the same help, contact and number for misuse on every page (J3): {found}");
    assert_eq!(found["told"], "Nieuw product? Bel ons <b>eerst</b>. doel grondslag", "A15, as text");
    assert_eq!(found["tasks"], 3, "a product without a user, a second administrator, contacts, and no more: {found}");
    assert_eq!(found["newUntil"], true, "F2: {found}");
    // the card: a mistake is shown beside what was filled in, then it is saved
    assert_eq!((&found["kept"], &found["cardPhone"]), (&"030 1234567".into(), &"030 1234567".into()));
    assert_eq!(found["waits"], true);
    assert_eq!(found["nameAfter"], "Organisatie Alfa");
    let shown = server.done(&["organisation", "show", "alpha"]);
    assert_eq!((&shown["name"], &shown["kvk"]), (&"Organisatie Alfa".into(), &"12345678".into()));
    assert_eq!(shown["contacts"]["persons"][0]["role"], "security");
    // once as it was put right, once more after the warning
    assert_eq!(events(&server, "organisation-card-changed").len(), 2);
    assert_eq!(events(&server, "identity-change-approved").len(), 1);
    // the warning came, staying worked without touching the form, and the form could still be sent
    assert_eq!((&found["warned"], &found["stayed"]), (&true.into(), &true.into()), "{found}");
    assert_eq!(found["typed"], "Plein 1, half ingevuld");
    assert_eq!(found["sentAfter"], "Plein 1, half ingevuld");
    assert_eq!(events(&server, "signed-out").len(), 0, "{found}");
}

#[test]
fn the_strip_of_a_session_is_framed_by_this_site_alone_and_tells_strangers_nothing() {
    let (server, _) = stage("20m");
    let ask = |path: &str, arguments: &[&str]| {
        curl(&server, path, &[&["--include"], arguments].concat()).expect_code(0).text().to_lowercase()
    };
    // the server's own doings go on meanwhile
    let told = || {
        let lines = server.done(&["history", "list"]);
        lines.as_array().expect("a list").iter().filter(|line| line["channel"] != "system").count()
    };
    let before = told();
    let strip = ask("/session", &["--header", "Cookie: __Host-postkluis=made-up"]);
    for wanted in ["frame-ancestors 'self'", "x-frame-options: sameorigin", "u bent niet meer ingelogd"] {
        assert!(strip.contains(wanted), "{wanted}: {strip}");
    }
    assert!(!strip.contains("refresh:"), "{strip}");
    for page in [ask("/", &[]), ask("/contact", &[]), ask("/misuse", &[]), ask("/maintenance", &[])] {
        assert!(page.contains("frame-ancestors 'none'") && page.contains("x-frame-options: deny"), "{page}");
    }
    assert!(ask("/session", &["--data", "token=x"]).starts_with("http/2 303"));
    let crossed = ask("/session", &["--data", "token=x", "--header", "Origin: https://evil.example"]);
    assert!(crossed.starts_with("http/2 403"), "{crossed}");
    for path in ["/organisation/card", "/organisation/identity"] {
        assert!(ask(path, &["--data", "phone=1"]).starts_with("http/2 303"), "to the page for signing in");
    }
    assert_eq!(told(), before);
    // planned work is told to everybody, before it begins (J2)
    server.done(&[
        "interruption",
        "start",
        "--nature",
        "Nieuwe schijven",
        "--from",
        "2035-01-01",
        "--until",
        "2035-01-02",
        "--channel",
        "sftp",
    ]);
    let page = ask("/maintenance", &[]);
    assert!(page.contains("nieuwe schijven") && page.contains("gepland"), "{page}");
}

#[test]
fn a_start_text_that_cannot_be_read_stops_the_server() {
    let mut server = Server::prepare();
    let told = server.desk("house").join("start.txt");
    fs::write(&told, "x".repeat(33 * 1024)).expect("a text");
    server.set("POSTKLUIS_PORTAL__START_TEXT", &told.display().to_string());
    let stderr = server.run(&["serve"]).expect_code(1).stderr;
    assert!(stderr.contains("portal.start_text") && stderr.contains("32 KiB"), "{stderr}");
}

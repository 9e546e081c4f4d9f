//! The portal as people meet it: the whole way from the link to a fetched file in Chromium, and
//! by `curl` what forged, replayed and foreign requests come to (A12, C1, PV14, PV20, domain §3.2).

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::clients::curl;
use crate::support::programs::{finish, node};
use crate::support::server::Server;
use crate::support::stock::{events, organisation, product, text, write_file};

const WALK: &str = concat!(include_str!("../clients/browser.js"), include_str!("../clients/portal.js"));
const ANNE: &str = "anne@alpha.example";

struct Stage {
    server: Server,
    link: String,
}

/// One person who may fetch one delivery, and the link of her account.
fn stage() -> Stage {
    let mut server = Server::prepare();
    server.set("POSTKLUIS_SIGN_IN__PASSWORD_MEMORY", "64 KiB");
    server.set("POSTKLUIS_ORGANISATION__CONTACT_MAIL", "info@example.org");
    server.set("POSTKLUIS_ORGANISATION__CONTACT_PHONE", "088 123 45 67");
    server.serve();
    product(&server, "wages");
    organisation(&server, "alpha", &["wages"]);
    server.done(&["account", "add", ANNE, "--organisation", "alpha", "--kind", "person"]);
    server.done(&["right", "couple", "--account", ANNE, "--product", "wages"]);
    let file = server.desk("files").join("salaries.csv");
    write_file(&file, 70_000, 1);
    let file = file.display().to_string();
    server.done(&["delivery", "publish", &file, "--product", "wages", "--period", "oktober 2026"]);
    let link = text(&server.done(&["account", "link", ANNE]), "link").to_owned();
    // the address of the configuration, at the port that the system chose
    let path = link.split_once("/account/").expect("a link").1;
    let link = format!("https://localhost:{}/account/{path}", server.address("https").port());
    Stage { server, link }
}

impl Stage {
    /// Status line, headers and body, as they came.
    #[track_caller]
    fn ask(&self, path: &str, arguments: &[&str]) -> String {
        curl(&self.server, path, &[&["--include"], arguments].concat()).expect_code(0).text()
    }

    fn path(&self) -> String {
        self.link
            .split_once("://")
            .and_then(|(_, rest)| rest.find('/').map(|at| rest[at..].to_owned()))
            .expect("a path")
    }
}

fn strings(found: &Value, member: &str) -> Vec<String> {
    let list = found[member].as_array().unwrap_or_else(|| panic!("no list {member} in {found}"));
    list.iter().map(|item| item.as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_person_goes_from_the_link_to_a_fetched_file_in_a_browser() {
    let stage = stage();
    let shots =
        std::env::var_os("POSTKLUIS_TEST_SCREENSHOTS").map_or_else(|| stage.server.desk("pages"), PathBuf::from);
    fs::create_dir_all(&shots).expect("a folder for screenshots");
    let mut command = node();
    command.args(["-e", WALK, &stage.link, ANNE]).arg(&shots);
    let found = finish(&mut command).expect_code(0).json();
    for nothing in ["violations", "tooWide", "console", "elsewhere"] {
        assert_eq!(strings(&found, nothing), Vec::<String>::new(), "{nothing}");
    }
    assert_eq!(found["scripts"], 0, "pages need no script");
    assert_eq!(found["pages"].as_array().map(Vec::len), Some(14), "{found}");
    assert_eq!(strings(&found, "recoveryCodes").len(), 10);
    assert_eq!((&found["withoutSession"], &found["afterwards"]), (&"/sign-in".into(), &"/sign-in".into()));
    assert_eq!(found["english"], "en");
    // what was fetched is what was published, and is on record as fetched by her in the portal
    assert_eq!(found["fetched"]["name"], "salaries.csv");
    assert_eq!(found["fetched"]["sha256"], found["digestShown"]);
    let fetched = events(&stage.server, "file-fetched");
    assert_eq!((text(&fetched[0], "login"), text(&fetched[0], "channel")), (ANNE, "portal"));
    assert_eq!(events(&stage.server, "signed-in").len(), 1);
    assert_eq!(events(&stage.server, "signed-out").len(), 1, "the end of the session is on record (PV14)");
    // one cookie, of this host alone, gone afterwards (PV20); not the one of before the code (fixation)
    let cookies = found["cookies"].as_array().expect("cookies");
    assert_eq!(cookies.len(), 1, "{cookies:?}");
    let cookie = &cookies[0];
    assert_eq!((&cookie["name"], &cookie["path"]), (&"__Host-postkluis".into(), &"/".into()));
    assert_eq!(
        (&cookie["httpOnly"], &cookie["secure"], &cookie["sameSite"]),
        (&true.into(), &true.into(), &"Lax".into())
    );
    assert_eq!(cookie["expires"], -1, "it goes with the browser");
    assert!(!strings(&found, "cookieBefore").contains(&cookie["value"].as_str().expect("a value").to_owned()));
    assert_eq!(found["cookiesAfter"], Value::Array(Vec::new()));
}

#[test]
fn looking_at_a_link_changes_nothing_and_a_forged_form_neither() {
    let stage = stage();
    // the server's own doings, such as sending mail, go on meanwhile
    let told = || {
        let lines = stage.server.done(&["history", "list"]);
        let lines = lines.as_array().unwrap().iter().filter(|line| line["channel"] != "system");
        lines.cloned().collect::<Vec<_>>()
    };
    let before = told();
    for _ in 0..3 {
        let page = stage.ask(&stage.path(), &[]);
        assert!(page.starts_with("HTTP/2 200") && page.contains(ANNE), "{page}");
        assert!(stage.ask(&stage.path(), &["--head"]).starts_with("HTTP/2 200"));
    }
    let form = "password=een+lange+zin+die+niemand+raadt&again=een+lange+zin+die+niemand+raadt";
    for header in
        ["Origin: https://evil.example", "Origin: null", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site"]
    {
        let refused = stage.ask(&stage.path(), &["--data", form, "--header", header]);
        assert!(refused.starts_with("HTTP/2 403"), "{header}: {refused}");
    }
    assert_eq!(told(), before);
    let chosen = stage.ask(&stage.path(), &["--data", form, "--header", "Sec-Fetch-Site: same-origin"]);
    assert!(chosen.starts_with("HTTP/2 200") && chosen.contains("class=\"qr\""), "{chosen}");
    assert_eq!(events(&stage.server, "password-set").len(), 1);
    // a link that is not one says nothing else than one that was used
    for path in ["/account/a", "/account/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "/account/%00"] {
        assert!(stage.ask(path, &[]).starts_with("HTTP/2 410"), "{path}");
    }
}

#[test]
fn signing_in_tells_strangers_nothing() {
    let stage = stage();
    let tell = |email: &str| {
        let form = format!("email={email}&password=wrong+wrong+wrong");
        let page = stage.ask("/sign-in", &["--data", &form]);
        let without: Vec<&str> = page.lines().filter(|line| !line.starts_with("date:")).collect();
        without.join("\n").replace(email, "somebody")
    };
    assert_eq!(tell(ANNE), tell("nono@alpha.example"), "an account that exists and one that does not");
    let page = stage.ask("/sign-in", &["--data", "email=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&password=x"]);
    assert!(!page.contains("<script>"), "{page}");
    for path in ["/start", "/deliveries"] {
        let led = stage.ask(path, &["--header", "Cookie: __Host-postkluis=made-up"]);
        assert!(led.starts_with("HTTP/2 303") && led.contains("location: /sign-in/again"), "{led}");
    }
    assert!(events(&stage.server, "signed-in").is_empty());
}

#[test]
fn every_page_has_the_headers_that_browsers_are_told_by() {
    let stage = stage();
    let html = ["--header", "Accept: text/html,application/xhtml+xml"];
    for path in ["/", "/sign-in", "/sign-in/code", &stage.path(), "/nowhere", "/account/wrong"] {
        let page = stage.ask(path, &html).to_lowercase();
        let head = page.split("\r\n\r\n").next().unwrap_or_default().to_owned();
        for wanted in [
            "content-security-policy: default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
            "strict-transport-security: max-age=63072000; includesubdomains",
            "x-content-type-options: nosniff",
            "x-frame-options: deny",
            "referrer-policy: no-referrer",
            "cache-control: no-store",
            "content-language: nl",
            "content-type: text/html; charset=utf-8",
        ] {
            assert!(head.contains(wanted), "{path} has no {wanted}:\n{head}");
        }
        assert!(!page.contains("<script") && !page.contains("style=") && !page.contains("onclick"), "{path}");
    }
    assert!(stage.ask("/nowhere", &html).starts_with("HTTP/2 404"));
    let robot = stage.ask("/nowhere", &[]);
    assert!(robot.contains("application/problem+json"), "programs are answered as ever: {robot}");
    let english = stage.ask("/", &["--header", "Accept-Language: en-GB,en;q=0.9"]);
    assert!(english.contains("<html lang=\"en\">"), "{english}");
}

#[test]
fn an_operator_lays_the_colours_of_the_house_over_the_portal() {
    let mut server = Server::prepare();
    let sheet = server.desk("house").join("house.css");
    fs::write(&sheet, ":root { --postkluis-link-color: #154273; }\n").expect("a style sheet");
    server.set("POSTKLUIS_PORTAL__STYLE_SHEET", &sheet.display().to_string());
    server.serve();
    let served = curl(&server, "/assets/portal.css", &[]).expect_code(0).text();
    assert!(served.trim_end().ends_with(":root { --postkluis-link-color: #154273; }"), "{served}");
    server.stop();
    fs::remove_file(&sheet).expect("removed");
    let told = server.run(&["serve"]).expect_code(1).stderr;
    assert!(told.contains("portal.style_sheet") && told.contains("house.css"), "{told}");
}

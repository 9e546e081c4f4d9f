//! People who ask for accounts, and administrators who couple products, in Chromium: the whole way
//! from a request to a fetched file, and what forged requests come to (A1-A13, B7-B15, C1-C11).

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::clients::curl;
use crate::support::programs::{finish, node};
use crate::support::server::Server;
use crate::support::stock::{events, organisation, product, robot, text, write_file};

const WALK: &str = concat!(include_str!("../clients/browser.js"), include_str!("../clients/portal_access.js"));

fn stage() -> Server {
    let mut server = Server::prepare();
    server.set("POSTKLUIS_SIGN_IN__PASSWORD_MEMORY", "64 KiB");
    server.set("POSTKLUIS_ORGANISATION__CONTACT_MAIL", "info@example.org");
    server.serve();
    product(&server, "wages");
    organisation(&server, "alpha", &["wages"]);
    server.done(&["organisation", "change", "alpha", "--mail-domain", "alpha.example"]);
    let file = server.desk("files").join("salaries.csv");
    write_file(&file, 70_000, 1);
    server.done(&["delivery", "publish", &file.display().to_string(), "--product", "wages"]);
    server
}

fn strings(found: &Value, member: &str) -> Vec<String> {
    let list = found[member].as_array().unwrap_or_else(|| panic!("no list {member} in {found}"));
    list.iter().map(|item| item.as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn from_a_request_to_a_colleague_who_fetches_in_a_browser() {
    let server = stage();
    let robot = robot(&server, "alpha", &[]);
    let shots = std::env::var_os("POSTKLUIS_TEST_SCREENSHOTS").map_or_else(|| server.desk("pages"), PathBuf::from);
    fs::create_dir_all(&shots).expect("a folder for screenshots");
    let base = format!("https://localhost:{}", server.address("https").port());
    let mut command = node();
    command.args(["-e", WALK, &base]).arg(&shots).arg(server.mail_folder());
    let operator = server.command();
    command.arg(operator.get_program()).args(operator.get_args());
    command.envs(operator.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let found = finish(&mut command).expect_code(0).json();
    for nothing in ["violations", "tooWide", "elsewhere"] {
        assert_eq!(strings(&found, nothing), Vec::<String>::new(), "{nothing}");
    }
    // Chromium tells of pages that are refused on purpose; nothing else
    let console = strings(&found, "console");
    assert!(console.iter().all(|line| line.contains("status of 410") || line.contains("status of 403")), "{console:?}");
    assert_eq!(found["scripts"], 0, "pages need no script");
    assert_eq!(found["keptName"], "Anna de Vries");
    assert_eq!(found["requests"][0]["email"], "anna@alpha.example");
    assert_eq!(found["requests"][0]["domainFits"], true);
    let numbers: Vec<&Value> = [
        "annaSees",
        "offeredElsewhere",
        "requestsLeft",
        "bertBefore",
        "bertSameSession",
        "bertAfter",
        "bertRemoved",
        "filtered",
    ]
    .iter()
    .map(|name| &found[*name])
    .collect();
    // an account sees nothing (C1); additions with the next session, removals at once (C10)
    assert_eq!(numbers, [0, 0, 0, 0, 0, 1, 0, 1], "{found}");
    assert_eq!((&found["cancelled"], &found["bertMayNot"]), (&"/".into(), &403.into()));
    assert_eq!((&found["fetched"], &found["withoutToken"]), (&"salaries.csv".into(), &403.into()));
    assert_eq!(found["csv"], "login,administrator,product\r\nbert@alpha.example,false,wages\r\n");
    // one mail per save, and the right ones on record
    let count = |kind: &str| {
        let mails = server.done(&["mail", "queue"]);
        mails.as_array().expect("a list").iter().filter(|mail| mail["kind"] == kind).count()
    };
    let kinds = [
        "account-requested",
        "request-waits",
        "account-approved",
        "became-administrator",
        "request-rejected",
        "invited",
        "rights-changed",
    ];
    assert_eq!(kinds.map(count), [3, 3, 2, 1, 1, 1, 3]);
    assert_eq!(events(&server, "right-coupled").len(), 2);
    assert_eq!(text(&events(&server, "administrator-appointed")[0], "login"), "anna@alpha.example");
    // the robot that she coupled fetches by SFTP
    let to = server.desk("fetched");
    robot.batch(&format!("get outbox/wages/salaries.csv {}/", to.display())).expect_code(0);
    assert!(to.join("salaries.csv").exists());
}

#[test]
fn a_request_answers_everybody_the_same_and_changes_nothing_by_looking() {
    let server = stage();
    let ask = |path: &str, arguments: &[&str]| {
        curl(&server, path, &[&["--include"], arguments].concat()).expect_code(0).text()
    };
    let history = || {
        let lines = server.done(&["history", "list"]);
        lines.as_array().expect("a list").iter().filter(|line| line["channel"] != "system").count()
    };
    let without = |reply: &str| {
        let kept = reply.lines().filter(|line| !line.starts_with("date:") && !line.starts_with("location:"));
        kept.collect::<Vec<_>>().join("\n")
    };
    server.done(&["account", "add", "anne@alpha.example", "--organisation", "alpha", "--kind", "person"]);
    let mut replies = Vec::new();
    for email in ["anne%40alpha.example", "nobody%40alpha.example"] {
        let form = format!("salutation=neutral&name=Anne&email={email}");
        let first = ask("/account-request", &["--data", &form]);
        let place =
            first.lines().find_map(|line| line.strip_prefix("location: ")).expect("the second step").trim().to_owned();
        let second = ask(&place, &["--data", "organisation=alpha"]);
        replies.push((without(&first), without(&second)));
    }
    assert_eq!(replies[0], replies[1], "A11");
    assert!(replies[0].1.starts_with("HTTP/2 303"), "{replies:?}");
    // pages that a stranger or a mail program opens change nothing (A12), nor do forms of other sites
    let before = history();
    for path in [
        "/account-request",
        "/account-request/sent",
        "/account-request/confirm/abc",
        "/account-request/organisation/00",
    ] {
        let _ = ask(path, &[]);
        let _ = ask(path, &["--head"]);
    }
    let form = "salutation=neutral&name=Eve&email=eve%40alpha.example";
    assert!(
        ask("/account-request", &["--data", form, "--header", "Sec-Fetch-Site: cross-site"]).starts_with("HTTP/2 403")
    );
    assert!(ask("/account-request/confirm/abc", &["--data", ""]).starts_with("HTTP/2 410"));
    // no page of administrators is there for who is not signed in
    for path in ["/access", "/access/overview", "/access/overview.csv", "/access/accounts/anne@alpha.example"] {
        assert!(ask(path, &[]).starts_with("HTTP/2 303"), "{path}");
    }
    for path in ["/access/invitations", "/access/accounts/anne@alpha.example", "/access/requests/0/approve"] {
        assert!(ask(path, &["--data", "x=y"]).starts_with("HTTP/2 303"), "{path}");
    }
    // a name cannot add a header to an e-mail, nor a line to a page
    let evil = "salutation=neutral&name=Anne%0D%0ABcc%3A+eve%40evil.example&email=anne%40alpha.example";
    assert!(ask("/account-request", &["--data", evil]).starts_with("HTTP/2 200"), "the form again");
    assert_eq!(history(), before);
}

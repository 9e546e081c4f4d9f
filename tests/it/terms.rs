//! Terms of use as robots and people meet them: SFTP and API refuse with a sentence until somebody accepts, the
//! pages in Chromium, and what forged requests come to (I1-I14, H5; acceptance test 17).

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::clients::{SftpClient, curl, ssh_key};
use crate::support::programs::{finish, node};
use crate::support::server::Server;
use crate::support::stock::{events, eventually, organisation, product, robot, robot_login, text, write_file};

const WALK: &str = concat!(include_str!("../clients/browser.js"), include_str!("../clients/portal_terms.js"));
const DUTCH: &str =
    "# Artikel 1\n\nU gaat zorgvuldig om met gegevens.\n\n## Plichten\n\n- u leest dit\n- <script>alert(1)</script>\n";
const ENGLISH: &str = "# Article 1\n\nYou take care of data.\n";

fn stage(grace: &str) -> Server {
    let mut server = Server::prepare();
    server.set("POSTKLUIS_SIGN_IN__PASSWORD_MEMORY", "64 KiB");
    server.set("POSTKLUIS_ORGANISATION__CONTACT_MAIL", "info@example.org");
    server.set("POSTKLUIS_TERMS__GRACE", grace);
    server.serve();
    product(&server, "wages");
    organisation(&server, "alpha", &["wages"]);
    let file = server.desk("files").join("salaries.csv");
    write_file(&file, 70_000, 1);
    server.done(&["delivery", "publish", &file.display().to_string(), "--product", "wages"]);
    let desk = server.desk("terms");
    fs::write(desk.join("nl.md"), DUTCH).expect("a text");
    fs::write(desk.join("en.md"), ENGLISH).expect("a text");
    server
}

fn file_of(server: &Server, name: &str) -> String {
    server.desk("terms").join(name).display().to_string()
}

fn publish(server: &Server, version: &str, effective: &str) -> Value {
    let (dutch, english) = (file_of(server, "nl.md"), file_of(server, "en.md"));
    server.done(&["terms", "publish", &dutch, "--english", &english, "--version", version, "--effective", effective])
}

/// A robot that was made after the first publication.
fn late_robot(server: &Server) -> SftpClient {
    let key = ssh_key(&server.desk("keys-of-robots"), "late");
    let public = format!("{}.pub", key.display());
    let owner = ["--kind", "machine", "--owner", "owner@alpha.example"];
    server.done(&[&["account", "add", "late-robot", "--organisation", "alpha"], &owner[..]].concat());
    server.done(&["key", "add", "--account", "late-robot", "--file", &public]);
    server.done(&["right", "couple", "--account", "late-robot", "--product", "wages"]);
    SftpClient::new(server, "late-robot", &key)
}

/// The path in the one e-mail with it.
fn mailed(server: &Server, start: &str) -> String {
    let folder = server.mail_folder();
    eventually("an e-mail with a link", || {
        for entry in fs::read_dir(&folder).ok()?.filter_map(Result::ok) {
            let text = fs::read_to_string(entry.path()).unwrap_or_default().replace("=\r\n", "").replace("=\n", "");
            if let Some((_, rest)) = text.split_once(start) {
                let rest: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric()).collect();
                return Some(format!("{start}{rest}"));
            }
        }
        None
    })
}

fn ask(server: &Server, path: &str, arguments: &[&str]) -> String {
    curl(server, path, &[&["--include"], arguments].concat()).expect_code(0).text()
}

fn bearer(server: &Server, login: &str) -> String {
    let token = server.done(&["token", "add", "--account", login]);
    format!("Authorization: Bearer {}", text(&token, "secret"))
}

/// What people and robots did; the server's own doings go on meanwhile.
fn doings(server: &Server) -> usize {
    let lines = server.done(&["history", "list"]);
    lines.as_array().expect("a list").iter().filter(|line| line["channel"] != "system").count()
}

#[test]
fn a_robot_is_refused_with_a_sentence_until_its_owner_accepts() {
    let mut server = stage("42d");
    let old = robot(&server, "alpha", &["wages"]);
    let old_bearer = bearer(&server, &robot_login("alpha"));
    let published = publish(&server, "1.0", "2099-01-01");
    assert_eq!((text(&published, "version"), text(&published, "state")), ("1.0", "coming"));
    let late = late_robot(&server);
    let late_bearer = bearer(&server, "late-robot");
    // who was there before goes on; a first publication locks out no robot
    old.batch("ls outbox/wages\n").expect_code(0);
    assert!(ask(&server, "/api/v1/products", &["--header", &old_bearer]).starts_with("HTTP/2 200"));
    // who came after it does not, and is told why
    let refused = late.batch("ls\n").expect_code(255).stderr;
    assert!(refused.contains("The terms of use are not accepted for this account yet."), "{refused}");
    assert!(refused.contains("De gebruiksvoorwaarden zijn voor dit account nog niet geaccepteerd."), "{refused}");
    assert!(refused.contains("/terms"), "{refused}");
    for path in ["/api/v1/products", "/api/v1/deliveries", "/api/v1/accounts/me"] {
        let answer = ask(&server, path, &["--header", &late_bearer]);
        assert!(answer.starts_with("HTTP/2 403") && answer.contains("application/problem+json"), "{answer}");
        assert!(answer.contains("urn:postkluis:problem:terms-not-accepted"), "{answer}");
        assert!(answer.contains("/terms>; rel=\"terms-of-service\""), "{answer}");
    }
    let note = events(&server, "sign-in-refused").last().map(|line| text(line, "note").to_owned());
    assert!(note.is_some_and(|note| note.contains("terms of use")));

    // the owner: looking changes nothing, a wrong link opens nothing, and the right one once
    let path = mailed(&server, "/terms/for/late-robot/");
    let before = doings(&server);
    for _ in 0..2 {
        let page = ask(&server, &path, &[]);
        assert!(page.starts_with("HTTP/2 200") && page.contains("late-robot"), "{page}");
        assert!(ask(&server, &path, &["--head"]).starts_with("HTTP/2 200"));
    }
    let wrong = format!("/terms/for/late-robot/{}", "a".repeat(26));
    for path in [&wrong, "/terms/for/alpha-robot/abc", "/terms/for/nobody/abc"] {
        assert!(ask(&server, path, &[]).starts_with("HTTP/2 410"), "{path}");
        assert!(ask(&server, path, &["--data", "number=1"]).starts_with("HTTP/2 410"), "{path}");
    }
    let evil = ["--data", "number=1", "--header", "Sec-Fetch-Site: cross-site"];
    assert!(ask(&server, &path, &evil).starts_with("HTTP/2 403"));
    let other = ask(&server, &path, &["--data", "number=7"]);
    assert!(other.starts_with("HTTP/2 200") && other.contains("role=\"alert\""), "another version than was shown");
    assert_eq!(doings(&server), before);
    assert!(ask(&server, &path, &["--data", "number=1"]).starts_with("HTTP/2 200"));
    assert!(ask(&server, &path, &["--data", "number=1"]).starts_with("HTTP/2 410"));
    late.batch("ls outbox/wages\n").expect_code(0);
    assert!(ask(&server, "/api/v1/products", &["--header", &late_bearer]).starts_with("HTTP/2 200"));
    let kept = server.done(&["terms", "acceptance", "--account", "late-robot"]);
    assert_eq!((text(&kept, "standing"), text(&kept, "version")), ("accepted", "1.0"));
    assert_eq!((text(&kept, "by"), text(&kept, "address")), ("owner owner@alpha.example", "127.0.0.1"));
    assert_eq!(kept["emailInsteadOfPaper"], true, "H5");
    let kept = server.done(&["terms", "acceptance", "--account", &robot_login("alpha")]);
    assert_eq!((text(&kept, "standing"), &kept["version"]), ("in-grace", &Value::Null));
    let accepted = events(&server, "terms-accepted");
    assert_eq!((accepted.len(), text(&accepted[0], "login")), (1, "late-robot"));

    // the time of those who were there before is over: refused as well, until the operator has it on paper
    server.stop();
    server.set("POSTKLUIS_TERMS__GRACE", "1s");
    server.serve();
    let old = SftpClient::new(&server, &robot_login("alpha"), &server.desk("keys-of-robots").join("alpha"));
    eventually("the time of grace is over", || old.batch("ls\n").stderr.contains("terms of use").then_some(()));
    assert!(ask(&server, "/api/v1/products", &["--header", &old_bearer]).starts_with("HTTP/2 403"));
    assert_eq!(events(&server, "terms-grace-changed").len(), 1);
    server.done(&["terms", "accept", "--account", &robot_login("alpha"), "--by", "letter of the director"]);
    old.batch("ls outbox/wages\n").expect_code(0);
    assert!(ask(&server, "/api/v1/products", &["--header", &old_bearer]).starts_with("HTTP/2 200"));
    assert_eq!(server.done(&["terms", "list"])[0]["accepted"], 2);
}

#[test]
fn a_robot_that_changes_hands_is_accepted_for_by_the_new_owner_alone() {
    let server = stage("42d");
    publish(&server, "1.0", "2099-01-01");
    let late = late_robot(&server);
    let old = mailed(&server, "/terms/for/late-robot/");
    let page = ask(&server, &old, &[]);
    assert!(page.starts_with("HTTP/2 200"), "{page}");
    // nobody is told on a page of what they are reading there
    let refusing = ask(&server, &format!("{old}/refuse"), &[]);
    assert!(refusing.starts_with("HTTP/2 200") && !refusing.contains("href=\"/terms/1.0"), "{refusing}");
    assert!(ask(&server, "/", &[]).contains("href=\"/terms/1.0"), "and elsewhere everybody is");

    let changed = server.done(&["account", "change", "late-robot", "--owner", "heir@alpha.example"]);
    assert_eq!(text(&changed, "owner"), "heir@alpha.example");
    for path in [old.clone(), format!("{old}/refuse")] {
        assert!(ask(&server, &path, &[]).starts_with("HTTP/2 410"), "{path}");
    }
    assert!(ask(&server, &old, &["--data", "number=1"]).starts_with("HTTP/2 410"));
    assert!(ask(&server, &format!("{old}/refuse"), &["--data", ""]).starts_with("HTTP/2 410"));
    let new = eventually("an e-mail to the new owner", || {
        let folder = fs::read_dir(server.mail_folder()).ok()?.filter_map(Result::ok);
        let letters = folder.map(|entry| fs::read_to_string(entry.path()).unwrap_or_default());
        let to_heir = letters.filter(|letter| letter.contains("heir@alpha.example"));
        let whole = to_heir.map(|letter| letter.replace("=\r\n", "").replace("=\n", ""));
        whole.into_iter().find_map(|letter| {
            let (_, rest) = letter.split_once("/terms/for/late-robot/")?;
            let code: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
            Some(format!("/terms/for/late-robot/{code}"))
        })
    });
    assert_ne!(new, old);
    assert!(ask(&server, &new, &["--data", "number=1"]).starts_with("HTTP/2 200"));
    late.batch("ls outbox/wages\n").expect_code(0);
    let kept = server.done(&["terms", "acceptance", "--account", "late-robot"]);
    assert_eq!(text(&kept, "by"), "owner heir@alpha.example");
    let told = server.refused(&["account", "change", "late-robot", "--owner", "nobody"]);
    assert!(told.contains("e-mail"), "{told}");
    let usage = &["account", "change", "late-robot", "--owner", "a@b.example", "--allow-from", "any"];
    assert_eq!(server.run(usage).status.code(), Some(2), "one thing at a time");
}

/// A client that has signed in and waits for its user; ended at the latest with the test.
struct Waiting(Child);

impl Drop for Waiting {
    fn drop(&mut self) {
        // it may have ended already
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_live_session_is_cut_when_the_time_of_grace_is_over() {
    let server = stage("10s");
    let client = robot(&server, "alpha", &["wages"]);
    let mut command = Command::new("sftp");
    command.arg("-F").arg(client.config()).args(["-b", "-", "vault"]);
    let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut waiting = Waiting(child.expect("sftp"));
    waiting.0.stdin.as_mut().expect("its input").write_all(b"ls\n").expect("a line");
    let live = || server.done(&["session", "list"]).as_array().expect("a list").len();
    eventually("a live session", || (live() == 1).then_some(()));
    let begun = Instant::now();
    publish(&server, "1.0", "2099-01-01");
    let first_look = live();
    assert!(first_look == 1 || begun.elapsed() > Duration::from_secs(10), "cut before its time");
    eventually("the session is cut", || (live() == 0).then_some(()));
    assert!(client.batch("ls\n").expect_code(255).stderr.contains("terms of use"));
}

#[test]
fn what_cannot_be_published_is_refused_and_every_version_can_be_read() {
    let server = stage("42d");
    let (file, empty) = (file_of(&server, "nl.md"), file_of(&server, "empty.md"));
    fs::write(&empty, "\n \n").expect("a file");
    assert!(ask(&server, "/terms", &[]).starts_with("HTTP/2 200"), "nothing is published, and the page says so");
    assert!(ask(&server, "/terms/1.0", &["--header", "Accept: text/html"]).starts_with("HTTP/2 404"));
    let refused = |file: &str, version: &str, effective: &str| {
        server.refused(&["terms", "publish", file, "--version", version, "--effective", effective])
    };
    let told = refused(&file, "1.0", "2020-01-01");
    assert!(told.contains("not after now"), "{told}");
    assert!(refused(&empty, "1.0", "2099-01-01").contains("text of terms of use"));
    assert!(refused("no-such-file", "1.0", "2099-01-01").contains("no-such-file"));
    assert!(refused(&file, "accept", "2099-01-01").contains("name of a version"));
    assert!(server.done(&["terms", "list"]).as_array().is_some_and(Vec::is_empty));
    assert!(events(&server, "terms-published").is_empty());
    assert!(server.refused(&["terms", "accept", "--account", "nobody", "--by", "x"]).contains("no such"));

    publish(&server, "1.0", "2099-01-01");
    assert!(refused(&file, "1.0", "2099-02-01").contains("exists already"));
    assert!(refused(&file, "2.0", "2098-01-01").contains("a later version applies later"));
    publish(&server, "2.0", "2099-02-01");
    let list = server.done(&["terms", "list"]);
    let names: Vec<&str> = list.as_array().expect("a list").iter().map(|row| text(row, "version")).collect();
    assert_eq!(names, ["2.0", "1.0"]);
    for path in ["/terms", "/terms/1.0", "/terms/2.0"] {
        let page = ask(&server, path, &[]);
        assert!(page.starts_with("HTTP/2 200") && page.contains("U gaat zorgvuldig om met gegevens."), "{page}");
        assert!(page.contains("<h2>Artikel 1</h2>") && page.contains("<li>u leest dit</li>"), "{page}");
        assert!(!page.contains("<script"), "what the text holds stays text");
    }
    assert!(ask(&server, "/terms/1.0?lang=en", &[]).contains("You take care of data."));
    // the nine terms that they define (I2)
    let glossary = ask(&server, "/glossary", &[]);
    assert_eq!(glossary.matches("<dt>").count(), 9, "{glossary}");
    // everybody sees it coming (I12)
    let welcome = ask(&server, "/?lang=nl", &[]);
    assert!(welcome.contains("Er komen nieuwe gebruiksvoorwaarden") && welcome.contains("/terms/2.0"), "{welcome}");
    // nothing of a member is there for who is not signed in
    for path in ["/terms/accept", "/terms/refuse", "/terms/machines"] {
        assert!(ask(&server, path, &[]).starts_with("HTTP/2 303"), "{path}");
    }
    for path in ["/terms/accept", "/terms/refuse", "/terms/machines/late-robot"] {
        assert!(ask(&server, path, &["--data", "number=1"]).starts_with("HTTP/2 303"), "{path}");
    }
    assert!(events(&server, "terms-accepted").is_empty());
}

#[test]
fn a_server_that_is_killed_while_it_tells_goes_on_where_it_was() {
    let mut server = stage("42d");
    let most = 130;
    for number in 0..most {
        let login = format!("user{number:03}@alpha.example");
        server.done(&["account", "add", &login, "--organisation", "alpha", "--kind", "person"]);
    }
    publish(&server, "1.0", "2099-01-01");
    eventually("some were told", || (!events(&server, "terms-told").is_empty()).then_some(()));
    server.kill9();
    server.serve();
    let told = || {
        let mut after = 0;
        let mails = server.done(&["mail", "queue"]);
        for mail in mails.as_array().expect("a list") {
            after += usize::from(mail["kind"] == "terms-published");
        }
        after
    };
    eventually("everybody was told", || (told() == most).then_some(()));
    let batches = events(&server, "terms-told").len();
    assert_eq!(batches, 3, "50, 50 and 30 accounts, none twice");
    // each has one e-mail, and nothing more comes
    let mails = server.done(&["mail", "queue"]);
    let mut to: Vec<&str> = mails.as_array().expect("a list").iter().map(|mail| text(mail, "to")).collect();
    to.sort_unstable();
    to.dedup();
    assert_eq!(to.len(), most);
}

fn strings(found: &Value, member: &str) -> Vec<String> {
    let list = found[member].as_array().unwrap_or_else(|| panic!("no list {member} in {found}"));
    list.iter().map(|item| item.as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn people_accept_read_a_change_and_refuse_it_in_a_browser() {
    let server = stage("42d");
    let anne = "anne@alpha.example";
    let person = ["--organisation", "alpha", "--kind", "person"];
    server.done(&[&["account", "add", anne, "--administrator"], &person[..]].concat());
    server.done(&["right", "couple", "--account", anne, "--product", "wages"]);
    let link = text(&server.done(&["account", "link", anne]), "link").to_owned();
    let path = link.split_once("/account/").expect("a link").1.to_owned();
    let shots = std::env::var_os("POSTKLUIS_TEST_SCREENSHOTS").map_or_else(|| server.desk("pages"), PathBuf::from);
    fs::create_dir_all(&shots).expect("a folder for screenshots");
    let base = format!("https://localhost:{}", server.address("https").port());
    let mut command = node();
    command.args(["-e", WALK, &base, anne, &path]).arg(&shots).arg(server.mail_folder());
    command.args([file_of(&server, "nl.md"), file_of(&server, "en.md")]);
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
    assert_eq!(strings(&found, "gated"), ["/terms/accept"; 5], "no page before the terms are accepted (I6): {found}");
    assert_eq!(found["mayFetch"], false, "nor a file");
    assert_eq!(found["agreed"], true, "when she agreed is shown");
    assert_eq!(found["english"], "You take care of data.");
    assert_eq!((&found["accepted"], &found["changed"]), (&"/start".into(), &"/start".into()), "no click (I13)");
    assert_eq!((&found["machineDone"], &found["ownerDone"]), (&true.into(), &true.into()));
    assert_eq!((&found["afterNo"], &found["afterwards"]), (&"/terms".into(), &"/sign-in".into()));
    assert_eq!(found["ended"], true, "the account has ended");
    assert_eq!((&found["ownerNot"], &found["ownerRefused"]), (&true.into(), &true.into()));
    assert_eq!(events(&server, "terms-refused").len(), 2, "she, and the owner of a robot");
    let robot = server.done(&["account", "show", "dusk-robot"]);
    assert_eq!((text(&robot, "standing"), text(&robot, "endReason")), ("ended", "b: terms not accepted"));
    assert_eq!(events(&server, "terms-accepted").len(), 3, "she, and two robots");
    let shown = server.done(&["account", "show", anne]);
    assert_eq!((text(&shown, "standing"), text(&shown, "endReason")), ("ended", "b: terms not accepted"));
    let mails = server.done(&["mail", "queue"]);
    let left = mails.as_array().expect("a list").iter().filter(|mail| mail["kind"] == "member-left");
    let mut left: Vec<&str> = left.map(|mail| text(mail, "to")).collect();
    left.sort_unstable();
    // she hears of the robot, and the operator of her: no administrator is left
    assert_eq!(left, [anne, "info@example.org"]);
}

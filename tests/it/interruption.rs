//! An interruption as users meet it: SFTP, API and portal tell its nature and expected end, live sessions are
//! cut, a restart does not open the doors (J1, J2; acceptance test 16).

use std::fs;
use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::clients::{SftpClient, curl};
use crate::support::programs::finish;
use crate::support::server::Server;
use crate::support::stock::{events, eventually, organisation, product, robot, robot_login, text, write_file};

/// The promise of J6.
const CUT_WITHIN: Duration = Duration::from_secs(5);

/// A client that has signed in and waits for its user; ended at the latest with the test.
struct Waiting(Child);

impl Waiting {
    fn begin(client: &SftpClient) -> Self {
        let mut command = Command::new("sftp");
        command.arg("-F").arg(client.config()).args(["-b", "-", "vault"]);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut waiting = Self(child.expect("sftp"));
        waiting.0.stdin.as_mut().expect("its input").write_all(b"ls\n").expect("a line");
        waiting
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // it may have ended already
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn live(server: &Server) -> usize {
    server.done(&["session", "list"]).as_array().expect("a list").len()
}

/// What an SFTP client that asks for the banner says.
fn told_by_sftp(client: &SftpClient) -> String {
    let mut command = Command::new("sftp");
    command.arg("-o").arg("LogLevel=INFO").arg("-F").arg(client.config()).args(["-b", "/dev/null", "vault"]);
    finish(&mut command).stderr
}

/// Every door is shut, and says why and until when.
fn is_shut(server: &Server, client: &SftpClient, bearer: &str, id: &str) {
    let refused = client.batch("ls\n").expect_code(255);
    assert!(refused.stderr.contains("Access is interrupted: een storing."), "{}", refused.stderr);
    let told = told_by_sftp(client);
    assert!(told.contains("De toegang is onderbroken: een storing. Verwacht einde: "), "{told}");
    for path in [format!("/api/v1/deliveries/{id}"), "/api/v1/products".to_owned()] {
        let answer = ask(server, &path, bearer);
        assert!(answer.contains(" 503") && answer.contains("urn:postkluis:problem:interrupted"), "{answer}");
        assert!(answer.contains("De toegang is onderbroken: een storing."), "{answer}");
        let wait =
            answer.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("retry-after: ").map(str::to_owned));
        let seconds: u64 = wait.expect("Retry-After").trim().parse().expect("seconds");
        assert!((7_000..=7_200).contains(&seconds), "{seconds}");
    }
    for (path, sentence) in [
        ("/?lang=nl", "De toegang is onderbroken: een storing."),
        ("/sign-in?lang=en", "Access is interrupted: een storing."),
    ] {
        let page = ask(server, path, "Accept: text/html");
        assert!(page.contains(" 503") && page.to_ascii_lowercase().contains("retry-after: "), "{page}");
        assert!(page.contains(sentence) && page.contains("<html"), "{page}");
    }
    for path in ["/health/live", "/assets/portal.css", "/api/v1/openapi.json"] {
        let answer = ask(server, path, "Accept: */*");
        assert!(answer.lines().next().is_some_and(|line| line.contains(" 200")), "{path}: {answer}");
    }
}

fn ask(server: &Server, path: &str, header: &str) -> String {
    let arguments = ["--include", "--header", header];
    curl(server, path, &arguments).expect_code(0).text()
}

#[test]
fn an_interruption_is_told_on_every_channel_and_outlives_a_restart() {
    let mut server = Server::start();
    product(&server, "wages");
    organisation(&server, "alpha", &["wages"]);
    let client = robot(&server, "alpha", &["wages"]);
    let file = server.desk("files").join("salaries.csv");
    let content = write_file(&file, 70_000, 1);
    let published = server.done(&["delivery", "publish", &file.display().to_string(), "--product", "wages"]);
    let id = published["deliveries"][0]["id"].as_str().expect("an id").to_owned();
    let login = robot_login("alpha");
    let token = server.done(&["token", "add", "--account", &login]);
    let bearer = format!("Authorization: Bearer {}", text(&token, "secret"));
    let content_of = |server: &Server| {
        let shown = ask(server, &format!("/api/v1/deliveries/{id}"), &bearer);
        shown.lines().next().unwrap_or_default().to_owned()
    };
    assert!(content_of(&server).contains(" 200"), "{}", content_of(&server));

    let announced = ["--nature", "werk aan de schijven", "--from", "2099-01-01T10:00:00Z", "--until"];
    let announced = [&["interruption", "start"], &announced[..], &["2099-01-01T12:00:00Z"]].concat();
    let announced = server.done(&announced);
    assert_eq!((text(&announced, "state"), text(&announced, "channel")), ("announced", "all"));
    let page = ask(&server, "/?lang=nl", "Accept: text/html");
    assert!(page.contains(" 200") && page.contains("is er geen toegang: werk aan de schijven."), "{page}");
    let told = told_by_sftp(&client);
    assert!(told.contains("there is no access: werk aan de schijven."), "{told}");

    let waiting = Waiting::begin(&client);
    eventually("a live session", || (live(&server) == 1).then_some(()));
    server.done(&["interruption", "start", "--nature", "een storing", "--until", "2h"]);
    let begun = Instant::now();
    while live(&server) > 0 {
        assert!(begun.elapsed() < CUT_WITHIN, "a live session goes on");
    }
    drop(waiting);
    is_shut(&server, &client, &bearer, &id);
    let refused = server.refused(&["interruption", "end", &"0".repeat(32)]);
    assert!(refused.contains("no such interruption"), "{refused}");

    server.stop();
    server.serve();
    // the port is another one
    let client = SftpClient::new(&server, &login, &server.desk("keys-of-robots").join("alpha"));
    is_shut(&server, &client, &bearer, &id);
    let left = server.done(&["interruption", "end"]);
    assert_eq!(left.as_array().expect("a list").len(), 1, "the announced one is left: {left}");
    assert!(content_of(&server).contains(" 200"), "{}", content_of(&server));
    let desk = server.desk("fetched");
    client.batch(&format!("get outbox/wages/salaries.csv {}\n", desk.join("it.csv").display())).expect_code(0);
    assert_eq!(fs::read(desk.join("it.csv")).expect("the file"), content);
    assert_eq!((events(&server, "interruption-begun").len(), events(&server, "interruption-ended").len()), (1, 1));
}

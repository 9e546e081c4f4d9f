//! An intermediary at the real fronts: `clients/<code>/` over SFTP and `/clients/{code}` in the API show what is
//! coupled of a client and nothing else; the end of the mandate ends an open handle and a running download (D1-D6,
//! 4.4, 5.10-21).

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::fetch_stage::{OnItsWay, pattern, same, size};
use crate::support::clients::{SftpClient, curl, ssh_key};
use crate::support::programs::python;
use crate::support::server::Server;
use crate::support::stock::{events, eventually, organisation, product, robot, robot_login, text};

/// More than sockets and windows on the way can swallow.
const LARGE_BYTES: usize = 24 * 1024 * 1024 + 77;

/// `bureau` acts for `alpha` in `wages`, and has deliveries of its own; `beta` gave it nothing.
struct World {
    server: Server,
    client: SftpClient,
    mandate: String,
    bearer: String,
}

impl World {
    fn start() -> Self {
        Self::on(Server::start())
    }

    fn on(server: Server) -> Self {
        for code in ["wages", "letters"] {
            product(&server, code);
        }
        server.done(&["product", "add", "intake", "--name", "intake", "--retention", "30d", "--accepts-uploads"]);
        for code in ["alpha", "beta", "bureau"] {
            organisation(&server, code, &["wages", "letters", "intake"]);
        }
        let client = robot(&server, "bureau", &["wages"]);
        let login = robot_login("bureau");
        let added = server.done(&[
            "mandate",
            "add",
            "--intermediary",
            "bureau",
            "--for",
            "alpha",
            "--product",
            "wages",
            "--product",
            "intake",
        ]);
        for product in ["wages", "intake"] {
            server.done(&["right", "couple", "--account", &login, "--product", product, "--for", "alpha"]);
        }
        let token = server.done(&["token", "add", "--account", &login]);
        let bearer = format!("Authorization: Bearer {}", text(&token, "secret"));
        Self { client, mandate: text(&added, "id").to_owned(), bearer, server }
    }

    fn publish(&self, product: &str, organisation: &str, name: &str, bytes: &[u8]) -> String {
        let path = self.server.desk("offers").join(name);
        fs::write(&path, bytes).expect("a file to publish");
        let path = path.display().to_string();
        let published =
            self.server.done(&["delivery", "publish", &path, "--product", product, "--organisation", organisation]);
        text(&published["deliveries"][0], "id").to_owned()
    }

    fn api(&self, path: &str) -> (u16, Value) {
        let answer = curl(&self.server, path, &["--header", &self.bearer, "--write-out", "\n%{http_code}"]);
        let said = answer.expect_code(0).text();
        let (body, status) = said.rsplit_once('\n').expect("a status");
        (status.trim().parse().expect("a status"), serde_json::from_str(body).unwrap_or(Value::Null))
    }

    fn listed(&self, folder: &str) -> Vec<String> {
        let said = self.client.batch(&format!("ls -1 {folder}\n")).expect_code(0).text();
        said.lines().filter(|line| !line.starts_with("sftp>")).map(|line| line.trim().to_owned()).collect()
    }
}

#[test]
fn clients_lie_beside_the_own_folders_and_only_what_is_coupled_is_there() {
    let world = World::start();
    let bytes = pattern(3, 70_001);
    world.publish("wages", "alpha", "alpha.csv", &bytes);
    world.publish("wages", "bureau", "bureau.csv", &pattern(4, 500));
    world.publish("wages", "beta", "beta.csv", &pattern(5, 500));
    world.publish("letters", "alpha", "letter.csv", &pattern(6, 500));
    let (folders, products) = (world.listed("/"), world.listed("/clients/alpha/outbox"));
    assert_eq!(folders, ["/clients", "/outbox"]);
    assert_eq!(world.listed("/clients"), ["/clients/alpha"]);
    let folders = ["dropbox", "outbox", "receipts"].map(|folder| format!("/clients/alpha/{folder}"));
    assert_eq!(world.listed("/clients/alpha"), folders);
    assert_eq!(products, ["/clients/alpha/outbox/intake", "/clients/alpha/outbox/wages"]);
    let own = world.listed("/outbox/wages");
    assert!(own.iter().any(|name| name.ends_with("bureau.csv")) && own.iter().all(|name| !name.contains("alpha.csv")));
    let fetched = world.client.folder().join("alpha.csv");
    let lines = format!("get /clients/alpha/outbox/wages/alpha.csv {}\n", fetched.display());
    world.client.batch(&lines).expect_code(0);
    same(&fetched, &bytes);
    // the packing slip names the client (4.4-2)
    world.client.batch("get -r /clients/alpha/outbox/wages slips\n").expect_code(0);
    let slip = fs::read_dir(world.client.folder().join("slips")).expect("files").filter_map(Result::ok);
    let slip = slip.map(|entry| entry.path()).find(|path| path.to_string_lossy().ends_with("packing-slip.json"));
    let slip = fs::read_to_string(slip.expect("a packing slip")).expect("its text");
    assert!(slip.contains("\"alpha\""), "{slip}");
    // all clients at once, each in its own folder (4.4-8)
    world.client.batch("get -r /clients all\n").expect_code(0);
    same(&world.client.folder().join("all/alpha/outbox/wages/alpha.csv"), &bytes);
    // another client, one that is not there, an uncoupled product: the same answer
    let mut refusals = Vec::new();
    for path in ["/clients/beta", "/clients/nobody", "/clients/beta/outbox/wages/beta.csv", "/clients/bureau"] {
        let refused = world.client.batch(&format!("ls {path}\n")).expect_code(1).stderr;
        refusals.push(refused.replace(path, "it"));
    }
    refusals.dedup();
    assert_eq!(refusals.len(), 1, "{refusals:?}");
    world.client.batch("ls /clients/alpha/outbox/letters\n").expect_code(1);
    // both are named (D6)
    let lines = events(&world.server, "file-fetched");
    assert!(
        lines.iter().any(|line| line["organisation"] == "alpha" && line["actingOrganisation"] == "bureau"),
        "{lines:?}"
    );
}

#[test]
fn an_upload_for_a_client_goes_there_and_cannot_be_moved_elsewhere() {
    let world = World::start();
    world.server.done(&["right", "couple", "--account", &robot_login("bureau"), "--product", "intake"]);
    let from = world.client.folder().join("from.csv");
    fs::write(&from, b"a;b\n").expect("a file");
    let from = from.display();
    world.client.batch(&format!("put {from} /clients/alpha/dropbox/intake/members.csv\n")).expect_code(0);
    world.client.batch(&format!("put {from} /clients/alpha/dropbox/intake/half.part\n")).expect_code(0);
    let uploads = world.server.done(&["upload", "list"]);
    let uploads = uploads.as_array().expect("a list");
    assert!(
        uploads.iter().all(|row| row["organisation"] == "alpha" && row["login"] == robot_login("bureau").as_str()),
        "{uploads:?}"
    );
    // the path decides, and stays: neither to the own drop-box nor to another client's (4.4-4)
    for to in ["/dropbox/intake/half.csv", "/clients/beta/dropbox/intake/half.csv"] {
        world.client.batch(&format!("rename /clients/alpha/dropbox/intake/half.part {to}\n")).expect_code(1);
    }
    assert!(!world.listed("/dropbox/intake").iter().any(|name| name.contains("half")));
    world
        .client
        .batch("rename /clients/alpha/dropbox/intake/half.part /clients/alpha/dropbox/intake/half.csv\n")
        .expect_code(0);
    assert_eq!(events(&world.server, "upload-received").len(), 2);
    // the receipt names both, and lies with the client (D6)
    let receipt = world.client.folder().join("receipt.json");
    let lines = format!("get /clients/alpha/receipts/intake/members.csv.receipt.json {}\n", receipt.display());
    world.client.batch(&lines).expect_code(0);
    let receipt = fs::read_to_string(receipt).expect("a receipt");
    for part in ["\"organisation\": \"bureau\"", "\"onBehalfOf\": \"alpha\""] {
        assert!(receipt.contains(part), "{part} in {receipt}");
    }
    world.client.batch(&format!("put {from} /clients/beta/dropbox/intake/members.csv\n")).expect_code(1);
    assert_eq!(world.server.done(&["upload", "list"]).as_array().map(Vec::len), Some(2));
}

#[test]
fn the_end_of_a_mandate_cuts_an_open_handle_and_a_running_download() {
    let world = World::start();
    let bytes = pattern(1, LARGE_BYTES);
    let id = world.publish("wages", "alpha", "large.bin", &bytes);
    // a download that is read slowly
    let to = world.client.folder().join("slow.bin");
    let mut slow = Command::new("curl");
    slow.args(["--silent", "--max-time", "120", "--limit-rate", "300k", "--cacert"])
        .arg(world.server.certificate())
        .args(["--header", &world.bearer, "--output"])
        .arg(&to)
        .arg(format!(
            "https://localhost:{}/api/v1/clients/alpha/deliveries/{id}/files/1/content",
            world.server.address("https").port()
        ));
    let slow = OnItsWay::start(&mut slow);
    eventually("the download to begin", || (size(&to) > 0).then_some(()));
    // a handle over SFTP that reads on when it is told
    let address = world.server.address("sftp");
    let mut halfway = python();
    halfway
        .args(["-c", include_str!("../clients/paramiko_halfway.py"), &address.ip().to_string()])
        .args([&address.port().to_string(), &robot_login("bureau")])
        .arg(world.server.desk("keys-of-robots").join("bureau"))
        .arg(world.server.home().join("keys/ssh_host_ed25519_key.pub"))
        .arg("/clients/alpha/outbox/wages/large.bin")
        .arg(world.client.folder().join("halfway.bin"))
        .arg("65536");
    let mut halfway = OnItsWay::start(&mut halfway);
    assert_eq!(halfway.hear(), "halfway");
    world.server.done(&["mandate", "end", &world.mandate]);
    halfway.tell("on");
    assert!(!halfway.ended().success(), "the next read of an open handle is refused");
    assert!(size(&world.client.folder().join("halfway.bin")) < 200_000);
    assert!(!slow.ended().success(), "the download ended early");
    assert!(size(&to) < LARGE_BYTES as u64);
    // and nothing of the client is there any more, while the own folders are
    assert_eq!(world.listed("/"), ["/outbox"]);
    world.client.batch("ls /clients\n").expect_code(1);
    assert_eq!(world.api(&format!("/api/v1/clients/alpha/deliveries/{id}")).0, 404);
    assert_eq!(world.api("/api/v1/clients").1["clients"].as_array().map(Vec::len), Some(0));
    // a new mandate brings no old right back
    world.server.done(&["mandate", "add", "--intermediary", "bureau", "--for", "alpha", "--product", "wages"]);
    assert_eq!(world.listed("/"), ["/outbox"]);
    assert_eq!(world.api("/api/v1/clients/alpha/deliveries").0, 200);
    assert_eq!(world.api("/api/v1/clients/alpha/deliveries").1["deliveries"].as_array().map(Vec::len), Some(0));
    assert_eq!(world.api(&format!("/api/v1/clients/alpha/deliveries/{id}")).0, 404);
}

#[test]
fn the_api_names_the_client_in_the_path_and_keeps_organisations_apart() {
    let world = World::start();
    let bytes = pattern(2, 70_001);
    let theirs = world.publish("wages", "alpha", "alpha.csv", &bytes);
    let own = world.publish("wages", "bureau", "own.csv", &pattern(4, 500));
    let beta = world.publish("wages", "beta", "beta.csv", &pattern(5, 500));
    let (status, clients) = world.api("/api/v1/clients");
    assert_eq!((status, clients["clients"].as_array().map(Vec::len)), (200, Some(1)), "{clients}");
    let client = &clients["clients"][0];
    assert_eq!(
        (text(client, "code"), client["new"].as_u64(), client["notFetched"].as_u64()),
        ("alpha", Some(1), Some(1))
    );
    let ids = |path: &str| -> Vec<String> {
        let (status, list) = world.api(path);
        assert_eq!(status, 200, "{path}: {list}");
        list["deliveries"].as_array().expect("a list").iter().map(|row| text(row, "id").to_owned()).collect()
    };
    assert_eq!(ids("/api/v1/deliveries"), std::slice::from_ref(&own));
    assert_eq!(ids("/api/v1/clients/alpha/deliveries"), std::slice::from_ref(&theirs));
    let (_, shown) = world.api(&format!("/api/v1/clients/alpha/deliveries/{theirs}"));
    let content = text(&shown["files"][0], "contentUri").to_owned();
    assert!(content.starts_with("/api/v1/clients/alpha/deliveries/"), "{content}");
    let to = world.client.folder().join("api.csv");
    curl(&world.server, &content, &["--fail", "--header", &world.bearer, "--output", &to.display().to_string()])
        .expect_code(0);
    same(&to, &bytes);
    for path in [
        format!("/api/v1/deliveries/{theirs}"),
        format!("/api/v1/deliveries/{theirs}/files/1/content"),
        format!("/api/v1/deliveries/{theirs}/packing-slip"),
        format!("/api/v1/clients/alpha/deliveries/{own}"),
        format!("/api/v1/clients/alpha/deliveries/{beta}/files/1/content"),
        format!("/api/v1/clients/beta/deliveries/{beta}"),
        format!("/api/v1/clients/bureau/deliveries/{own}"),
        format!("/api/v1/history?delivery={theirs}"),
        "/api/v1/clients/beta".to_owned(),
        "/api/v1/clients/nobody".to_owned(),
        "/api/v1/clients/NO%20CODE/deliveries".to_owned(),
    ] {
        assert_eq!(world.api(&path).0, 404, "{path}");
    }
    let stranger = curl(&world.server, "/api/v1/clients/alpha/deliveries", &["--write-out", "%{http_code}"]);
    assert!(stranger.expect_code(0).text().ends_with("401"));
    // a header names nobody
    let (status, list) = world.api("/api/v1/deliveries");
    let with_header =
        curl(&world.server, "/api/v1/deliveries", &["--header", &world.bearer, "--header", "Client: alpha"]);
    assert_eq!((status, with_header.expect_code(0).json()), (200, list));
    let told = |path: &str| {
        let (status, history) = world.api(path);
        assert_eq!(status, 200);
        history["history"].as_array().expect("a list").clone()
    };
    eventually("the fetch in the client's history", || {
        told("/api/v1/clients/alpha/history").iter().any(|line| line["event"] == "file-fetched").then_some(())
    });
    assert!(told("/api/v1/clients/alpha/history").iter().all(|line| line["organisation"] == "alpha"));
    assert!(told("/api/v1/history").iter().all(|line| line["organisation"] != "alpha"));
    let (_, fetches) = world.api(&format!("/api/v1/clients/alpha/deliveries/{theirs}/fetches"));
    assert!(!fetches["fetches"].as_array().expect("a list").is_empty());
}

#[test]
fn the_command_line_manages_mandates_and_a_machine_for_one_client() {
    let world = World::start();
    let server = &world.server;
    let id = world.mandate.as_str();
    let list = server.done(&["mandate", "list", "--for", "alpha"]);
    assert_eq!((list.as_array().map(Vec::len), text(&list[0], "state")), (Some(1), "in-force"));
    assert_eq!(server.done(&["mandate", "list", "--intermediary", "alpha"]).as_array().map(Vec::len), Some(0));
    let again = ["mandate", "add", "--intermediary", "bureau", "--for", "alpha", "--product", "letters"];
    assert!(server.refused(&again).contains("exists already"));
    let lines = events(server, "mandate-added").len();
    let changed = server.done(&["mandate", "change", id, "--product", "letters", "--until", "2099-12-31"]);
    assert_eq!(changed["products"].as_array().map(Vec::len), Some(3));
    assert_eq!(text(&changed, "until"), "2099-12-31T23:00:00Z", "it closes at midnight of portal.time_zone");
    assert_eq!(events(server, "mandate-added").len(), lines);
    assert_eq!(text(&server.done(&["mandate", "block", id, "--reason", "onderzoek"]), "state"), "blocked");
    assert_eq!(world.listed("/"), ["/outbox"]);
    assert_eq!(text(&server.done(&["mandate", "unblock", id]), "state"), "in-force");
    assert_eq!(world.listed("/clients"), ["/clients/alpha"]);
    // an account for this one client
    let key = ssh_key(&server.desk("keys-of-robots"), "scoped");
    let account = ["--organisation", "bureau", "--kind", "machine", "--owner", "o@bureau.example", "--for", "alpha"];
    server.done(&[&["account", "add", "alpha-only"][..], &account].concat());
    assert_eq!(text(&server.done(&["account", "show", "alpha-only"]), "onlyClient"), "alpha");
    server.done(&["key", "add", "--account", "alpha-only", "--file", &format!("{}.pub", key.display())]);
    server.done(&["right", "couple", "--account", "alpha-only", "--product", "wages", "--for", "alpha"]);
    server.done(&["mandate", "add", "--intermediary", "bureau", "--for", "beta", "--product", "wages"]);
    let before = server.done(&["right", "list", "--account", "alpha-only"]);
    for more in [&[][..], &["--for", "beta"]] {
        let couple = [&["right", "couple", "--account", "alpha-only", "--product", "wages"], more].concat();
        assert!(server.refused(&couple).contains("one client alone"));
    }
    assert_eq!(server.done(&["right", "list", "--account", "alpha-only"]), before);
    let scoped = SftpClient::new(server, "alpha-only", &key);
    let said = scoped.batch("ls -1 /clients\nls -1 /outbox\n").expect_code(0).text();
    assert!(said.contains("/clients/alpha") && !said.contains("wages"), "{said}");
    server.done(&["mandate", "end", id, "--reason", "a", "--note", "melding"]);
    assert!(server.refused(&["mandate", "unblock", id]).contains("is over"));
    let ended = events(server, "mandate-ended");
    assert!(text(&ended[0], "note").contains("a: misuse; melding"), "{ended:?}");
    assert!(server.refused(&["mandate", "end", &"0".repeat(32)]).contains("no such mandate"));
}

#[test]
fn a_file_for_one_client_never_lands_at_another_by_what_stands_in_it() {
    let mut server = Server::prepare();
    fs::create_dir(server.home().join("checks")).expect("the folder of declarations");
    let declared =
        "[name]\npattern = '{client}*.csv'\n[records]\nform = 'csv'\ncolumns = [{name = 'klant', kind = 'client'}]\n";
    fs::write(server.home().join("checks/intake.toml"), declared).expect("a declaration");
    server.set("POSTKLUIS_UPLOADS__SETTLE", "0s");
    server.serve();
    let world = World::on(server);
    let put = |name: &str, line: &str| {
        let from = world.server.desk("offers").join(name);
        fs::write(&from, line).expect("a file to upload");
        world.client.batch(&format!("put {} /clients/alpha/dropbox/intake/\n", from.display())).expect_code(0);
    };
    // of the intermediary itself, and of another client: in the name, and in the file (4.4-4)
    let wrong = [
        ("bureau.csv", "alpha\nalpha\n"),
        ("beta.csv", "alpha\nalpha\nalpha\n"),
        ("alpha-b.csv", "beta\n"),
        ("alpha-c.csv", "bureau\n"),
    ];
    for (name, line) in wrong {
        put(name, line);
    }
    put("alpha.csv", "alpha\n");
    crate::fetch_stage::eventually("all to be judged", || {
        let all = world.server.done(&["upload", "list"]);
        let stages = all.as_array().expect("a list").iter().map(|row| text(row, "stage").to_owned());
        let (ended, open): (Vec<_>, Vec<_>) = stages.partition(|stage| stage == "rejected" || stage == "collected");
        (open.is_empty() && ended.len() == 5).then_some(())
    });
    for (name, _) in wrong {
        let file = format!("{name}.result.json");
        world.client.batch(&format!("get /clients/alpha/receipts/intake/{file}\n")).expect_code(0);
        let told = fs::read_to_string(world.client.folder().join(&file)).expect("a result");
        assert!(told.contains("\"state\": \"rejected\"") && told.contains("wrong-client"), "{told}");
    }
    let lying = fs::read_dir(world.server.home().join("intake/intake")).expect("the intake").flatten();
    let names: Vec<String> = lying.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    let handed_over: Vec<&String> = names.iter().filter(|name| name.ends_with(".csv")).collect();
    assert!(handed_over.len() == 1 && handed_over[0].ends_with("_alpha.csv"), "{names:?}");
    let note = names.iter().find(|name| name.ends_with("alpha.csv.json")).expect("a note");
    let note = fs::read_to_string(world.server.home().join("intake/intake").join(note)).expect("a note");
    assert!(note.contains("\"organisation\": \"alpha\"") && note.contains("\"uploadedBy\": \"bureau\""), "{note}");
}

//! Several recipient keys at once, keys that are retired, products and agreements that
//! are end to end, and whom a fan-out refuses: through spool, command line and API,
//! with `age` and `rage` on the other side.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::clients::{SftpClient, curl, ssh_key};
use crate::support::programs::{finish, rage};
use crate::support::server::Server;
use crate::support::stock::{deliveries, events, eventually, organisation, product, robot, text, write_file};

/// Two chunks of 64 KiB and a part of a third.
const BYTES: usize = 150_001;

/// The least that the server accepts of an RSA key.
const RSA_BITS: &str = "3072";

/// An age key; its public half stands beside it with `.pub`.
#[track_caller]
fn age_key(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    finish(Command::new("age-keygen").arg("-o").arg(&path)).expect_code(0);
    let public = finish(Command::new("age-keygen").arg("-y").arg(&path)).expect_code(0).text();
    fs::write(folder.join(format!("{name}.pub")), public).expect("the public key");
    path
}

#[track_caller]
fn rsa_key(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-t", "rsa", "-b", RSA_BITS, "-m", "PEM", "-N", "", "-C", name, "-f"]).arg(&path);
    finish(&mut command).expect_code(0);
    path
}

/// Gives a public key to an organisation; its fingerprint.
#[track_caller]
fn add_key(server: &Server, organisation: &str, key: &Path) -> String {
    let before = fingerprints(server, organisation);
    let public = format!("{}.pub", key.display());
    server.done(&["recipient-key", "add", "--organisation", organisation, "--file", &public]);
    let mut after = fingerprints(server, organisation);
    after.retain(|fingerprint| !before.contains(fingerprint));
    after.pop().expect("a new key")
}

#[track_caller]
fn fingerprints(server: &Server, organisation: &str) -> Vec<String> {
    let keys = server.done(&["recipient-key", "list", "--organisation", organisation]);
    keys.as_array().expect("a list").iter().map(|key| text(key, "fingerprint").to_owned()).collect()
}

/// What a program makes of a sealed file with one key; `None` when it does not open.
fn opened(mut program: Command, key: &Path, sealed: &Path) -> Option<Vec<u8>> {
    let to = sealed.with_extension("opened");
    let _ = fs::remove_file(&to);
    let ended = finish(program.arg("-d").arg("-i").arg(key).arg("-o").arg(&to).arg(sealed));
    // `age` makes no file where nothing is in it
    ended.status.success().then(|| fs::read(&to).unwrap_or_default())
}

fn with_age(key: &Path, sealed: &Path) -> Option<Vec<u8>> {
    opened(Command::new("age"), key, sealed)
}

/// The names in a client's folder of `wages`, without those that say what is in it.
fn data_files(client: &SftpClient) -> Vec<String> {
    let listed = client.batch("ls -1 outbox/wages\n").expect_code(0).text();
    let names = listed.lines().filter_map(|line| line.strip_prefix("outbox/wages/")).map(str::trim);
    names.filter(|name| !name.contains(".packing-slip.") && !name.ends_with(".sha256")).map(str::to_owned).collect()
}

#[track_caller]
fn publish(server: &Server, file: &Path, more: &[&str]) -> Value {
    let file = file.to_str().expect("a path");
    server.done(&[&["delivery", "publish", "--product", "wages", file], more].concat())
}

#[track_caller]
fn sealed_organisation(server: &Server, code: &str) {
    server.done(&["organisation", "add", code, "--name", code]);
    let agreement = ["agreement", "add", "--organisation", code, "--product", "wages", "--purpose", "test"];
    server.done(&[&agreement[..], &["--end-to-end"]].concat());
}

/// Whether these bytes stand in any file below a folder.
fn stands_below(folder: &Path, wanted: &[u8]) -> bool {
    fs::read_dir(folder).expect("a folder").flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return stands_below(&path, wanted);
        }
        fs::read(&path).is_ok_and(|bytes| bytes.windows(wanted.len()).any(|window| window == wanted))
    })
}

#[test]
fn each_of_several_keys_opens_what_sftp_and_https_gave_with_age_and_rage() {
    let server = Server::start();
    let desk = server.desk("desk");
    product(&server, "wages");
    sealed_organisation(&server, "alpha");
    let keys = [age_key(&desk, "age"), age_key(&desk, "second-age"), ssh_key(&desk, "ed25519"), rsa_key(&desk, "rsa")];
    for key in &keys {
        add_key(&server, "alpha", key);
    }
    let client = robot(&server, "alpha", &["wages"]);
    let token = text(&server.done(&["token", "add", "--account", "alpha-robot"]), "secret").to_owned();
    let bearer = format!("Authorization: Bearer {token}");
    for size in [0, 1, 65_536, BYTES] {
        let file = desk.join(format!("wages-{size}.csv"));
        let bytes = write_file(&file, size, 1);
        let published = publish(&server, &file, &[]);
        let id = text(&published["deliveries"][0], "id");

        let name = format!("wages-{size}.csv.age");
        client.batch(&format!("get outbox/wages/{name}\n")).expect_code(0);
        let by_sftp = client.folder().join(&name);
        let found = fs::read(&by_sftp).expect("the sealed file");
        let by_https = desk.join(format!("https-{name}"));
        let path = format!("/api/v1/deliveries/{id}/files/1/content");
        let to = by_https.to_str().expect("a path");
        curl(&server, &path, &["--fail", "--header", &bearer, "--output", to]).expect_code(0);
        assert!(fs::read(&by_https).expect("the sealed file") == found, "both channels give the same bytes");

        // Name, size and digest are those of the sealed bytes, on every channel.
        let said = curl(&server, &format!("/api/v1/deliveries/{id}"), &["--fail", "--header", &bearer]);
        let said = said.expect_code(0).json();
        let digest = finish(Command::new("sha256sum").arg(&by_sftp)).expect_code(0).text();
        let digest = digest.split(' ').next().expect("a digest");
        let row = &said["files"][0];
        assert_eq!((text(row, "fileName"), row["size"].as_u64()), (name.as_str(), Some(found.len() as u64)), "{said}");
        assert!(said.to_string().contains(digest), "{digest} is not in {said}");
        let listed = client.batch(&format!("ls -l outbox/wages/{name}\n")).expect_code(0).text();
        assert!(listed.contains(&format!(" {} ", found.len())), "{listed}");

        let head = String::from_utf8_lossy(found.get(..found.len().min(4_096)).expect("a header")).into_owned();
        assert!(!head.contains("postkluis"), "no stanza is the server's: {head}");
        let stanzas = |kind: &str| head.matches(&format!("\n-> {kind} ")).count();
        assert_eq!((stanzas("X25519"), stanzas("ssh-ed25519"), stanzas("ssh-rsa")), (2, 1, 1), "{head}");
        for key in &keys {
            for sealed in [&by_sftp, &by_https] {
                assert!(with_age(key, sealed).as_ref() == Some(&bytes), "age, {}, {size}", key.display());
                assert!(opened(rage(), key, sealed).as_ref() == Some(&bytes), "rage, {}, {size}", key.display());
            }
        }
        for stranger in [age_key(&desk, &format!("stranger-{size}")), ssh_key(&desk, &format!("foreign-{size}"))] {
            assert_eq!(with_age(&stranger, &by_sftp), None);
            assert_eq!(opened(rage(), &stranger, &by_sftp), None);
        }
    }
}

#[test]
fn a_retired_key_opens_what_was_made_for_it_and_nothing_later() {
    let server = Server::start();
    let desk = server.desk("desk");
    product(&server, "wages");
    sealed_organisation(&server, "alpha");
    let (old, new) = (age_key(&desk, "old"), age_key(&desk, "new"));
    let old_print = add_key(&server, "alpha", &old);
    add_key(&server, "alpha", &new);
    let client = robot(&server, "alpha", &["wages"]);
    let retire = ["recipient-key", "retire", "--organisation", "alpha", &old_print];

    let sealed = |name: &str| {
        let file = desk.join(name);
        let bytes = write_file(&file, BYTES, name.len());
        publish(&server, &file, &[]);
        client.batch(&format!("get outbox/wages/{name}.age\n")).expect_code(0);
        (client.folder().join(format!("{name}.age")), bytes)
    };
    let (first, first_bytes) = sealed("first.csv");
    // To be retired on a day that has not come: it is in use until then.
    server.done(&[&retire[..], &["--from", "2099-12-31"]].concat());
    let listed = server.done(&["recipient-key", "list", "--organisation", "alpha"]);
    assert!(listed.to_string().contains("2099-12-3"), "the day is shown: {listed}");
    let (second, second_bytes) = sealed("second.csv");
    server.done(&retire);
    let (third, third_bytes) = sealed("third.csv");
    for (file, bytes, old_opens) in
        [(&first, &first_bytes, true), (&second, &second_bytes, true), (&third, &third_bytes, false)]
    {
        assert!(with_age(&new, file).as_ref() == Some(bytes), "{}", file.display());
        assert_eq!(with_age(&old, file).as_ref(), old_opens.then_some(bytes), "{}", file.display());
    }
    // What was delivered before is fetched again as it was.
    client.batch("get outbox/wages/first.csv.age again.age\n").expect_code(0);
    assert!(with_age(&old, &client.folder().join("again.age")) == Some(first_bytes));
    // Retired is retired: not by another date, only by adding the key anew.
    let refused = server.refused(&[&retire[..], &["--from", "2099-12-31"]].concat());
    assert!(refused.contains("add it again"), "{refused}");
    assert_eq!(events(&server, "recipient-key-retired").len(), 2);
    let public = format!("{}.pub", old.display());
    server.done(&["recipient-key", "add", "--organisation", "alpha", "--file", &public]);
    let (fourth, fourth_bytes) = sealed("fourth.csv");
    assert!(with_age(&old, &fourth) == Some(fourth_bytes));
}

#[test]
fn a_product_demands_it_of_every_agreement_and_the_server_keeps_no_copy_it_can_read() {
    let server = Server::start();
    let desk = server.desk("desk");
    server.done(&["product", "add", "wages", "--name", "Wages", "--retention", "30d", "--end-to-end"]);
    product(&server, "notes");
    // Its agreements ask for nothing of the kind.
    organisation(&server, "alpha", &["wages", "notes"]);
    let file = desk.join("wages.csv");
    let bytes = write_file(&file, BYTES, 5);
    let path = file.to_str().expect("a path");
    let refused = server.refused(&["delivery", "publish", "--product", "wages", path]);
    assert!(refused.contains("alpha"), "{refused}");
    let key = age_key(&desk, "age");
    add_key(&server, "alpha", &key);
    publish(&server, &file, &[]);
    let client = robot(&server, "alpha", &["wages", "notes"]);
    assert_eq!(data_files(&client), ["wages.csv.age"]);
    client.batch("get outbox/wages/wages.csv.age\n").expect_code(0);
    assert!(with_age(&key, &client.folder().join("wages.csv.age")) == Some(bytes.clone()));
    assert!(!stands_below(&server.home(), bytes.get(1_000..1_064).expect("a part")));

    // Changed later, it counts for what is published from then on.
    server.done(&["delivery", "publish", "--product", "notes", path]);
    server.done(&["product", "change", "notes", "--end-to-end", "true"]);
    let later = desk.join("later.csv");
    write_file(&later, 10, 6);
    server.done(&["delivery", "publish", "--product", "notes", later.to_str().expect("a path")]);
    let names = client.batch("ls -1 outbox/notes\n").expect_code(0).text();
    assert!(names.contains("notes/wages.csv\n") && names.contains("notes/later.csv.age\n"), "{names}");
    assert_eq!(server.done(&["product", "show", "notes"])["endToEnd"], true);
}

/// `alpha` is end to end and has no key; `beta` is read by the server.
struct Unready {
    server: Server,
    desk: PathBuf,
}

impl Unready {
    fn set() -> Self {
        let mut server = Server::prepare();
        server.set("POSTKLUIS_SPOOL__SETTLE_SECONDS", "1");
        server.set("POSTKLUIS_SPOOL__RESCAN_SECONDS", "1");
        server.set("POSTKLUIS_OPERATOR__LISTEN", "127.0.0.1:0");
        server.serve();
        product(&server, "wages");
        sealed_organisation(&server, "alpha");
        organisation(&server, "beta", &["wages"]);
        let desk = server.desk("desk");
        Self { server, desk }
    }

    /// Stages a file under a new id and asks to publish it; status and answer.
    #[track_caller]
    fn by_api(&self, file: &Path, number: u8, wanted: &str) -> (String, Value) {
        let id = format!("0190d3a4-0000-7000-8000-0000000000{number:02x}");
        let base = format!("http://{}/operator/publications/{id}", self.server.address("operator"));
        let ask = |arguments: &[&str]| {
            let mut command = Command::new("curl");
            command.args(["--silent", "--show-error", "--max-time", "60", "--write-out", "\n%{http_code}"]);
            finish(command.args(arguments)).expect_code(0).text()
        };
        ask(&["-T", file.to_str().expect("a path"), &format!("{base}/files/by-api.csv")]);
        let answer = ask(&["-H", "Content-Type: application/json", "-d", wanted, &base]);
        let (body, status) = answer.rsplit_once('\n').expect("an answer and its status");
        (status.to_owned(), serde_json::from_str(body).expect("a JSON document"))
    }
}

#[test]
fn without_a_valid_key_every_way_in_refuses_the_fan_out_and_names_whom() {
    let unready = Unready::set();
    let (server, desk) = (&unready.server, &unready.desk);
    let file = desk.join("by-command.csv");
    write_file(&file, 1_000, 1);
    let refused = server.refused(&["delivery", "publish", "--product", "wages", file.to_str().expect("a path")]);
    assert!(refused.contains("alpha") && !refused.contains("beta"), "{refused}");

    let (status, answer) = unready.by_api(&file, 1, r#"{"product": "wages"}"#);
    assert!(status.starts_with('4') && answer.to_string().contains("alpha"), "{status}: {answer}");

    let dropped = desk.join("by-spool.csv");
    write_file(&dropped, 1_000, 1);
    let spool = server.home().join("spool");
    fs::create_dir_all(spool.join("wages")).expect("a folder of the spool");
    fs::rename(&dropped, spool.join("wages/by-spool.csv")).expect("moved in");
    let reason = eventually("the reason", || {
        let listing = fs::read_dir(spool.join(".refused")).ok()?.flatten();
        let reason = listing.map(|entry| entry.path()).find(|path| path.to_string_lossy().ends_with(".reason.txt"))?;
        fs::read_to_string(reason).ok().filter(|text| !text.is_empty())
    });
    assert!(reason.contains("alpha"), "{reason}");

    assert!(deliveries(server).is_empty(), "nothing was published, to nobody");
    let refusals = events(server, "publication-refused");
    assert_eq!(refusals.len(), 3, "{refusals:?}");
    assert!(refusals.iter().all(|line| text(line, "note").contains("alpha")), "{refusals:?}");
    // A key that was retired is none.
    let key = age_key(desk, "age");
    let print = add_key(server, "alpha", &key);
    server.done(&["recipient-key", "retire", "--organisation", "alpha", &print]);
    let refused = server.refused(&["delivery", "publish", "--product", "wages", file.to_str().expect("a path")]);
    assert!(refused.contains("alpha"), "{refused}");
    assert!(deliveries(server).is_empty());
}

#[test]
fn who_is_left_out_is_in_the_answer_and_on_record() {
    let unready = Unready::set();
    let (server, desk) = (&unready.server, &unready.desk);
    let file = desk.join("by-command.csv");
    write_file(&file, 1_000, 1);
    let by_command = publish(server, &file, &["--skip-unready"]);
    let (status, by_api) = unready.by_api(&file, 2, r#"{"product": "wages", "skipUnready": true}"#);
    assert_eq!(status, "201", "{by_api}");
    for answer in [by_command, by_api] {
        let skipped = answer["skipped"].as_array().unwrap_or_else(|| panic!("nobody is left out in {answer}"));
        assert_eq!(skipped.len(), 1, "{answer}");
        assert_eq!(text(&skipped[0], "organisation"), "alpha");
        let recipients: Vec<_> =
            answer["deliveries"].as_array().expect("a list").iter().map(|row| text(row, "organisation")).collect();
        assert_eq!(recipients, ["beta"], "{answer}");
    }
    let left_out = events(server, "recipient-left-out");
    assert_eq!(left_out.len(), 2, "{left_out:?}");
    for line in &left_out {
        assert_eq!(text(line, "organisation"), "alpha");
        assert!(text(line, "note").contains("recipient key"), "{line}");
    }
    assert!(deliveries(server).iter().all(|row| row["organisation"] == "beta"));
}

//! Checks of participant files with the real program over SFTP: what is accepted, what is refused and how that is
//! told, and that no value of a file leaves it.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::fetch_stage::{ALPHA, World, eventually, same, text};
use crate::support::clients::SftpClient;
use crate::support::server::Server;
use crate::upload_stage::{INTAKE, events, local, upload, world_with};

/// Taken in as soon as it is closed.
pub(crate) const AT_ONCE: (&str, &str) = ("POSTKLUIS_UPLOADS__SETTLE", "0s");

const FOLDER: &str = "POSTKLUIS_UPLOADS__CHECKS_FOLDER";

pub(crate) const CSV: &str = r#"
[name]
pattern = "DN_{client}_{sequence}*.csv"
extensions = ["csv"]
[size]
min_bytes = 1
[sequence]
gap = "warn"
repeat = "refuse"
[text]
last_line_ends = true
[records]
form = "csv"
names_first = true
columns = [
    { name = "bsn", kind = "citizen-number", required = true },
    { name = "geboren", kind = "date", date_form = "yyyymmdd" },
    { name = "klant", kind = "client", required = true },
]
last = { mark = "T", count_column = 2 }
"#;

/// Passes the eleven-test; never to be seen outside a file.
pub(crate) const BSN: &str = "123456782";
/// Does not.
pub(crate) const NO_BSN: &str = "123456781";

/// A world in which the files of `intake` are checked by this declaration.
#[track_caller]
pub(crate) fn checked_by(declared: &str, settings: &[(&str, &str)]) -> (World, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("intake.toml"), declared).expect("a declaration");
    let path = folder.path().display().to_string();
    (world_with(&[&[AT_ONCE, (FOLDER, &path)], settings].concat()), folder)
}

/// Puts a file over SFTP.
#[track_caller]
pub(crate) fn put(world: &World, client: &SftpClient, name: &str, bytes: &[u8]) {
    let from = local(world, name, bytes);
    client.batch(&format!("put {} dropbox/{INTAKE}/\n", from.display())).expect_code(0);
}

#[track_caller]
pub(crate) fn becomes(world: &World, name: &str, stage: &str) {
    eventually(&format!("{name} to be {stage}"), || (text(&upload(world, name), "stage") == stage).then_some(()));
}

/// The result of a file, as its uploader reads it over SFTP.
#[track_caller]
pub(crate) fn result(client: &SftpClient, name: &str) -> Value {
    client.batch(&format!("get receipts/{INTAKE}/{name}.result.json\n")).expect_code(0);
    let told = fs::read_to_string(client.folder().join(format!("{name}.result.json"))).expect("a result");
    assert!(!told.contains(BSN) && !told.contains(NO_BSN), "{told}");
    serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}: {told}"))
}

/// The errors of a result as `line:column code`.
pub(crate) fn errors(result: &Value) -> Vec<String> {
    let all = result.get("errors").and_then(Value::as_array).expect("errors");
    let number = |error: &Value, name: &str| error.get(name).and_then(Value::as_u64).expect("a number");
    let told = |error: &Value| format!("{}:{} {}", number(error, "line"), number(error, "column"), text(error, "code"));
    all.iter().map(told).collect()
}

/// Puts a file that must be rejected; its errors.
#[track_caller]
fn rejected(world: &World, client: &SftpClient, name: &str, bytes: &[u8]) -> Vec<String> {
    put(world, client, name, bytes);
    becomes(world, name, "rejected");
    let result = result(client, name);
    assert_eq!((text(&result, "state"), text(&result, "by")), ("rejected".to_owned(), "checks".to_owned()));
    errors(&result)
}

/// Puts a file that must be accepted and handed over; the counts of its result.
#[track_caller]
fn accepted(world: &World, client: &SftpClient, name: &str, bytes: &[u8]) -> Value {
    put(world, client, name, bytes);
    becomes(world, name, "collected");
    let result = result(client, name);
    assert_eq!(text(&result, "state"), "accepted", "{result}");
    let handed_over = format!("{}_{name}", text(&upload(world, name), "id"));
    same(&world.server.home().join("intake").join(INTAKE).join(handed_over), bytes);
    result.get("counts").expect("counts").clone()
}

fn handed_over(world: &World) -> usize {
    fs::read_dir(world.server.home().join("intake").join(INTAKE)).map_or(0, |entries| {
        entries.flatten().filter(|entry| !entry.file_name().to_string_lossy().starts_with('.')).count() / 2
    })
}

fn all_text(folder: &Path, found: &mut String) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            all_text(&path, found);
        } else {
            found.push_str(&String::from_utf8_lossy(&fs::read(&path).expect("a file")));
        }
    }
}

#[test]
fn files_are_accepted_or_rejected_by_what_is_declared_and_no_value_leaves_them() {
    let (world, _folder) = checked_by(CSV, &[("POSTKLUIS_LOGGING__LEVEL", "trace")]);
    let client = world.client(ALPHA);
    let names = "bsn;geboren;klant\n";
    let good = format!("{names}{BSN};20001231;alpha\n{BSN};;alpha\nT;2\n");
    let counts = accepted(&world, &client, "DN_alpha_1.csv", good.as_bytes());
    assert_eq!(counts, serde_json::json!({ "lines": 4, "records": 2 }));

    // places and codes, never a value
    let bad = format!("{names}{NO_BSN};20001231;alpha\n{BSN};20003112;alpha\n;;alpha\n{BSN};;alpha;x\nT;5\n");
    let told = rejected(&world, &client, "DN_alpha_2.csv", bad.as_bytes());
    let expected =
        ["2:1 not-a-citizen-number", "3:2 not-a-date", "4:1 missing", "5:0 column-count", "6:2 record-count"];
    assert_eq!(told, expected);
    client.batch(&format!("get receipts/{INTAKE}/DN_alpha_2.csv.result.txt\n")).expect_code(0);
    let for_people = fs::read_to_string(client.folder().join("DN_alpha_2.csv.result.txt")).expect("a result");
    assert!(for_people.contains("line 2, kolom / column 1: not-a-citizen-number"), "{for_people}");
    assert!(!for_people.contains(NO_BSN), "{for_people}");

    // of another client: in the name, and in the file (4.4-4)
    let told = rejected(&world, &client, "DN_beta_2.csv", good.replace(";20001231", ";20001230").as_bytes());
    assert_eq!(told, ["0:0 wrong-client-in-name"]);
    let told = rejected(&world, &client, "DN_alpha_2c.csv", format!("{names}{BSN};;beta\nT;1\n").as_bytes());
    assert_eq!(told, ["2:3 wrong-client"]);
    world.server.done(&["organisation", "change", "alpha", "--kvk", "87654321"]);
    let by_number = format!("{names}{BSN};;87654321\nT;1\n");
    accepted(&world, &client, "DN_87654321_2.csv", by_number.as_bytes());

    // the same bytes once more
    put(&world, &client, "DN_alpha_3d.csv", good.as_bytes());
    becomes(&world, "DN_alpha_3d.csv", "duplicate");

    // numbers: 5 after 2, and then 5 again
    let gap = format!("{names}{BSN};20010101;alpha\nT;1\n");
    let counts = accepted(&world, &client, "DN_alpha_5.csv", gap.as_bytes());
    assert_eq!(counts.get("sequence-gap").and_then(Value::as_u64), Some(2), "{counts}");
    let again = rejected(&world, &client, "DN_alpha_5b.csv", gap.replace("20010101", "20010102").as_bytes());
    assert_eq!(again, ["0:0 sequence-repeated"]);

    // nothing in it, another encoding, another name
    let told = rejected(&world, &client, "DN_alpha_6e.csv", b"");
    assert!(told.contains(&"0:0 empty".to_owned()), "{told:?}");
    let told = rejected(&world, &client, "DN_alpha_6l.csv", b"bsn;geboren;klant\n\xE9;;alpha\nT;1\n");
    assert!(told.contains(&"2:0 encoding".to_owned()), "{told:?}");
    let told = rejected(&world, &client, "anything.txt", format!("{good}\n").as_bytes());
    assert!(told.contains(&"0:0 extension".to_owned()) && told.contains(&"0:0 name".to_owned()), "{told:?}");

    // what was rejected went nowhere, and each file was judged once
    assert_eq!(handed_over(&world), 3);
    assert_eq!((events(&world, "upload-rejected").len(), events(&world, "upload-accepted").len()), (7, 3));
    let mut seen = world.server.logged();
    assert!(seen.contains("INFO"), "there is a log: {seen}");
    seen.push_str(&world.server.done(&["history", "list"]).to_string());
    seen.push_str(&world.server.done(&["upload", "list"]).to_string());
    let mut mails = String::new();
    all_text(&world.server.mail_folder(), &mut mails);
    assert!(mails.contains("DN_alpha_2.csv") && !mails.contains("Content-Transfer-Encoding: base64"));
    seen.push_str(&mails.replace("=\r\n", ""));
    assert!(!seen.contains(BSN) && !seen.contains(NO_BSN), "a citizen number is told outside its file");
}

#[test]
fn a_million_lines_are_checked_to_the_last() {
    let (world, _folder) = checked_by(CSV, &[]);
    let client = world.client(ALPHA);
    let mut bytes = b"bsn;geboren;klant\n".to_vec();
    for _ in 0..1_000_000 {
        bytes.extend_from_slice(b"123456782;20001231;alpha\n");
    }
    let whole = [&bytes[..], b"T;1000000\n"].concat();
    let counts = accepted(&world, &client, "DN_alpha_1.csv", &whole);
    assert_eq!(counts, serde_json::json!({ "lines": 1_000_002, "records": 1_000_000 }));
    let wrong = [&bytes[..], b"T;1000001\n"].concat();
    assert_eq!(rejected(&world, &client, "DN_alpha_2.csv", &wrong), ["1000002:2 record-count"]);
}

#[test]
fn archives_are_refused_or_handed_over_as_they_are_and_never_unpacked() {
    let (mut world, folder) = checked_by("[size]\nmax_bytes = 1000000\n", &[]);
    let mut gzip = Command::new("sh");
    gzip.args(["-c", "head -c 268435456 /dev/zero | gzip -1"]);
    let bomb = gzip.output().expect("gzip").stdout;
    assert!(bomb.len() > 100_000 && bomb.starts_with(b"\x1F\x8B"), "{}", bomb.len());
    let client = world.client(ALPHA);
    let told = rejected(&world, &client, "a.csv", &bomb);
    assert_eq!(told, if bomb.len() > 1_000_000 { ["0:0 too-large"] } else { ["0:0 archive"] });
    assert_eq!(rejected(&world, &client, "b.csv", b"PK\x03\x04 and so on"), ["0:0 archive"]);
    // what is declared is read at the next start
    fs::write(folder.path().join("intake.toml"), "archives = \"allowed\"\n").expect("a declaration");
    world.server.stop();
    world.server.serve();
    let client = world.client(ALPHA);
    accepted(&world, &client, "c.csv", &bomb);
}

#[test]
fn a_wrong_declaration_is_told_with_file_and_place_and_the_server_does_not_start_with_it() {
    let mut server = Server::prepare();
    let folder = server.home().join("checks");
    fs::create_dir(&folder).expect("the folder of declarations");
    fs::write(folder.join("intake.toml"), CSV).expect("a declaration");
    let said = server.run(&["check"]).text();
    assert!(said.contains("ok    checks of participant files") && said.contains(": intake"), "{said}");
    fs::write(folder.join("letters.toml"), "[name]\npatern = \"x\"\n").expect("a declaration");
    fs::write(folder.join("Wages.toml"), "").expect("a declaration");
    let said = server.run(&["check"]).expect_code(1).text();
    assert!(said.contains("letters.toml: line 2: unknown field `patern`"), "{said}");
    assert!(said.contains("Wages.toml: "), "{said}");
    let ended = server.run(&["serve"]).expect_code(1);
    assert!(ended.stderr.contains("letters.toml: line 2"), "{}", ended.stderr);
    fs::remove_file(folder.join("letters.toml")).expect("removed");
    fs::remove_file(folder.join("Wages.toml")).expect("removed");
    server.set("POSTKLUIS_UPLOADS__SCANNER", "clamd");
    let said = server.run(&["check"]).expect_code(1).text();
    assert!(said.contains("UPLOADS__SCANNER") && said.contains("tcp:host:port"), "{said}");
    server.set("POSTKLUIS_UPLOADS__SCANNER", "unix:/nonexistent/clamd.ctl");
    let said = server.run(&["check"]).text();
    assert!(said.contains("warn  uploads.scanner"), "{said}");
}

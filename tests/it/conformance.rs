//! The SFTP protocol core as `sftp-stdio`, held against OpenSSH's `sftp-server`: outside
//! suites made for that one, and the same requests to both, answer by answer.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::support::programs::{PATIENCE, finish, finish_with};
use crate::support::project::root;

const OURS: &str = env!("CARGO_BIN_EXE_sftp-stdio");
const OPENSSH: &str = "/usr/lib/openssh/sftp-server";

/// Runs a script of `tests/conformance/`, which says itself when a suite cannot be fetched.
fn suite(name: &str, within: Duration) -> String {
    let target = Path::new(OURS).ancestors().nth(2).expect("the target folder");
    let mut command = Command::new(root().join("tests/conformance").join(name));
    command.arg(OURS).env("CARGO_TARGET_DIR", target);
    let said = finish_with(&mut command, b"", within).expect_code(0).text();
    println!("{said}");
    said
}

#[test]
fn net_sftp_foreign_passes_whole() {
    let said = suite("net-sftp-foreign", Duration::from_secs(60));
    assert!(said.contains("939 of 939 passed, 0 skipped") || said.starts_with("NOT RUN: "), "{said}");
}

#[test]
fn the_regress_scripts_of_openssh_pass() {
    let said = suite("openssh-regress", PATIENCE);
    assert!(said.contains("6 of 6 scripts passed, ") || said.starts_with("NOT RUN: "), "{said}");
}

#[test]
fn the_requests_have_the_same_names() {
    let names = |program: &str| finish(Command::new(program).args(["-Q", "requests"])).expect_code(0).text();
    let added: String = CHECK_FILE.iter().map(|name| format!("{name}\n")).collect();
    assert_eq!(names(OURS), names(OPENSSH) + &added);
}

/// Extensions that `sftp-server` does not have.
const CHECK_FILE: [&str; 3] = ["check-file", "check-file-handle", "check-file-name"];

/// A field of a request.
#[derive(Clone, Copy)]
enum Field<'a> {
    Text(&'a str),
    Number(u32),
    Wide(u64),
    /// The handle given out as the n-th, from 0.
    Handle(usize),
}

use Field::{Handle, Number, Text, Wide};

/// A conversation with a program in its own folder.
struct Talk<'a> {
    child: Child,
    folder: &'a Path,
    handles: Vec<Vec<u8>>,
}

impl<'a> Talk<'a> {
    fn new(program: &str, arguments: &[&str], folder: &'a Path) -> Self {
        let mut command = Command::new("timeout");
        command.args(["60", program]).args(arguments).current_dir(folder).env("TZ", "UTC");
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect(program);
        Self { child, folder, handles: Vec::new() }
    }

    fn ask(&mut self, kind: u8, fields: &[Field]) -> String {
        let mut body = vec![kind];
        if kind != 1 {
            body.extend(7_u32.to_be_bytes());
        }
        for field in fields {
            match field {
                Number(number) => body.extend(number.to_be_bytes()),
                Wide(number) => body.extend(number.to_be_bytes()),
                Text(text) => put(&mut body, text.as_bytes()),
                Handle(at) => put(&mut body, self.handles.get(*at).map_or(b"none", Vec::as_slice)),
            }
        }
        let mut packet = Vec::new();
        put(&mut packet, &body);
        self.child.stdin.as_mut().unwrap().write_all(&packet).unwrap();
        let mut length = [0; 4];
        let stdout = self.child.stdout.as_mut().unwrap();
        stdout.read_exact(&mut length).expect("an answer");
        let mut answer = vec![0; u32::from_be_bytes(length) as usize];
        stdout.read_exact(&mut answer).expect("a whole answer");
        let said = self.read(Answer(&answer));
        said.replace(self.folder.to_str().unwrap(), "@")
    }

    /// The answer in words; times are left out, which differ between two runs.
    fn read(&mut self, mut answer: Answer) -> String {
        let (kind, id) = (answer.byte(), answer.number());
        match kind {
            2 => format!("version {id}: {}", answer.rest()),
            101 => format!("status {}: {}", answer.number(), answer.text()),
            102 => {
                self.handles.push(answer.bytes().to_vec());
                "handle".to_owned()
            }
            103 => format!("data {}", answer.text()),
            104 => {
                let mut lines: Vec<String> = (0..answer.number()).map(|_| answer.entry()).collect();
                lines.sort_unstable();
                format!("names\n{}", lines.join("\n"))
            }
            105 => format!("attributes {}", answer.attributes()),
            201 => format!("extended {}", answer.rest()),
            other => panic!("answer {other}"),
        }
    }
}

impl Drop for Talk<'_> {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let ended = self.child.wait().expect("the program");
        assert!(ended.success() || std::thread::panicking(), "{ended}");
    }
}

fn put(body: &mut Vec<u8>, bytes: &[u8]) {
    body.extend(u32::try_from(bytes.len()).unwrap().to_be_bytes());
    body.extend(bytes);
}

/// The fields of an answer, one after the other.
struct Answer<'a>(&'a [u8]);

impl<'a> Answer<'a> {
    fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap();
        self.0 = rest;
        *first
    }

    fn number(&mut self) -> u32 {
        let (first, rest) = self.0.split_first_chunk::<4>().unwrap();
        self.0 = rest;
        u32::from_be_bytes(*first)
    }

    fn bytes(&mut self) -> &'a [u8] {
        let length = self.number() as usize;
        let (first, rest) = self.0.split_at(length);
        self.0 = rest;
        first
    }

    fn text(&mut self) -> String {
        String::from_utf8_lossy(self.bytes()).into_owned()
    }

    fn rest(&mut self) -> String {
        std::mem::take(&mut self.0).escape_ascii().to_string()
    }

    fn attributes(&mut self) -> String {
        let flags = self.number();
        let mut said = format!("{flags:x}");
        for (flag, words) in [(1, 2), (2, 2), (4, 1), (8, 2)] {
            for _ in 0..if flags & flag == 0 { 0 } else { words } {
                let number = self.number();
                if flag != 8 {
                    write!(said, " {number:o}").unwrap();
                }
            }
        }
        said
    }

    fn entry(&mut self) -> String {
        let (name, long) = (self.text(), self.text());
        let attributes = self.attributes();
        // the folders themselves were changed just now, and the one above by others too
        if name == "." || name == ".." { name } else { format!("{name}: {long}: {attributes}") }
    }
}

const NOTHING: Field = Number(0);

/// What both are asked: types and fields of packets.
fn requests() -> Vec<(u8, Vec<Field<'static>>)> {
    let at = |kind: u8, path: &'static str| (kind, vec![Text(path)]);
    let two = |kind: u8, one: &'static str, other: &'static str| (kind, vec![Text(one), Text(other)]);
    let open = |path: &'static str, flags: u32| (3, vec![Text(path), Number(flags), Number(4), Number(0o640)]);
    let write = |handle: usize, offset: u64, data: &'static str| (6, vec![Handle(handle), Wide(offset), Text(data)]);
    let read = |handle: usize, offset: u64, count: u32| (5, vec![Handle(handle), Wide(offset), Number(count)]);
    let close = |handle: usize| (4, vec![Handle(handle)]);
    let extended = |name: &'static str, fields: &[Field<'static>]| (200, [&[Text(name)], fields].concat());
    let times = |path: &'static str, at: u32| (9, vec![Text(path), Number(8), Number(at), Number(at)]);
    vec![
        (1, vec![Number(3)]),
        // folders
        (14, vec![Text("d"), Number(4), Number(0o750)]),
        (14, vec![Text("d"), NOTHING]),
        (14, vec![Text("no/d"), NOTHING]),
        // a file: made, written, shown, changed
        open("f", 0x1a),
        write(0, 0, "hello"),
        write(0, 7, "world"),
        (8, vec![Handle(0)]),
        (10, vec![Handle(0), Number(1), Wide(9)]),
        (10, vec![Handle(0), Number(4), Number(0o4711)]),
        extended("fsync@openssh.com", &[Handle(0)]),
        close(0),
        close(0),
        close(99),
        open("f", 0x2a),
        open("f", 0x06),
        write(1, 0, "appended"),
        close(1),
        open("f", 0x01),
        read(2, 0, 100),
        read(2, 3, 4),
        read(2, 1000, 10),
        read(99, 0, 10),
        write(99, 0, "x"),
        (8, vec![Handle(99)]),
        open("missing", 0x01),
        open("d", 0x02),
        open("f/x", 0x01),
        at(17, "f"),
        at(17, "missing"),
        at(17, "f/x"),
        at(17, ""),
        (9, vec![Text("f"), Number(1), Wide(4)]),
        (9, vec![Text("f"), Number(4), Number(0o600)]),
        (9, vec![Text("missing"), Number(4), Number(0o600)]),
        times("f", 1_000_000_000),
        // links
        two(20, "f", "link"),
        two(20, "nowhere", "dangling"),
        two(20, "f", "link"),
        at(19, "link"),
        at(19, "f"),
        at(19, "missing"),
        at(7, "link"),
        at(17, "link"),
        at(17, "dangling"),
        extended("hardlink@openssh.com", &[Text("f"), Text("second")]),
        extended("hardlink@openssh.com", &[Text("missing"), Text("third")]),
        extended("lsetstat@openssh.com", &[Text("link"), Number(8), Number(86_400), Number(86_400)]),
        extended("lsetstat@openssh.com", &[Text("link"), Number(1), Wide(0)]),
        at(17, "f"),
        // names
        two(18, "f", "second"),
        two(18, "f", "g"),
        two(18, "missing", "h"),
        two(18, "d", "e"),
        two(18, "e", "g"),
        extended("posix-rename@openssh.com", &[Text("g"), Text("second")]),
        extended("posix-rename@openssh.com", &[Text("missing"), Text("second")]),
        at(16, "."),
        at(16, ""),
        at(16, "link"),
        at(16, "dangling"),
        at(16, "missing"),
        at(16, "missing/x"),
        at(16, "missing/"),
        at(16, "e/../second"),
        at(16, "/../etc/./passwd"),
        extended("expand-path@openssh.com", &[Text("~/second")]),
        extended("expand-path@openssh.com", &[Text("second")]),
        extended("expand-path@openssh.com", &[Text("~nobody-at-all/x")]),
        extended("expand-path@openssh.com", &[Text("~root")]),
        extended("home-directory", &[Text("nobody-at-all")]),
        extended("home-directory", &[Text("root")]),
        extended("users-groups-by-id@openssh.com", &[Text("\0\0\0\0\0\0\0\x01\x7f\0\0\0"), Text("\0\0\0\x02")]),
        // listing
        open("e/one", 0x1a),
        close(3),
        times("e/one", 1_100_000_000),
        (9, vec![Text("e/one"), Number(4), Number(0o1777)]),
        two(20, "one", "e/link"),
        extended("lsetstat@openssh.com", &[Text("e/link"), Number(8), Number(1), Number(1)]),
        at(11, "e"),
        (12, vec![Handle(4)]),
        (12, vec![Handle(4)]),
        (8, vec![Handle(4)]),
        close(4),
        at(11, "missing"),
        at(11, "second"),
        // copying
        open("copy", 0x1a),
        open("second", 0x01),
        open("second", 0x02),
        extended("copy-data", &[Handle(6), Wide(1), Wide(0), Handle(5), Wide(2)]),
        extended("copy-data", &[Handle(6), Wide(0), Wide(2), Handle(5), Wide(0)]),
        (8, vec![Handle(5)]),
        // removing
        at(13, "e"),
        at(13, "missing"),
        at(15, "e"),
        at(15, "second"),
        at(15, "missing"),
        at(13, "e/one"),
        at(13, "e/link"),
        at(15, "e"),
    ]
}

fn both(arguments: &[&str], requests: &[(u8, Vec<Field>)]) -> String {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut ours = Talk::new(OURS, arguments, here.path());
    let mut theirs = Talk::new(OPENSSH, arguments, there.path());
    let mut differences = String::new();
    for (at, (kind, fields)) in requests.iter().enumerate() {
        let (own, other) = (ours.ask(*kind, fields), theirs.ask(*kind, fields));
        // announced by the core alone, at the end
        let own = if kind == &1 { CHECK_FILE.iter().fold(own, |own, name| without(&own, name)) } else { own };
        // a status of the core's own making has its own words
        let own = own.replace("status 4: no such handle", "status 4: Failure");
        let own = own.replace("status 2: no such handle", "status 2: No such file");
        let own = own.replace("status 4: this handle is not a file", "status 4: Failure");
        if own != other {
            writeln!(differences, "request {at} (type {kind})\n  ours:    {own}\n  OpenSSH: {other}").unwrap();
        }
    }
    differences
}

/// The VERSION in words without this extension, if it is there.
fn without(version: &str, name: &str) -> String {
    let mut announced = Vec::new();
    put(&mut announced, name.as_bytes());
    put(&mut announced, b"1");
    version.replace(&Answer(&announced).rest(), "")
}

#[test]
fn a_plain_file_is_checked_in_blocks() {
    use sha2::{Digest as _, Sha256};
    let folder = tempfile::tempdir().unwrap();
    let bytes: Vec<u8> = (0..1_000_u32).map(|at| (at % 251) as u8).collect();
    std::fs::write(folder.path().join("f"), &bytes).unwrap();
    let mut ours = Talk::new(OURS, &[], folder.path());
    ours.ask(1, &[Number(3)]);
    let mut expected = Vec::new();
    put(&mut expected, b"sha256");
    expected.extend(bytes[10..].chunks(400).flat_map(|block| Sha256::digest(block).to_vec()));
    let fields = [Text("check-file-name"), Text("f"), Text("md5,sha256"), Wide(10), Wide(0), Number(400)];
    assert_eq!(ours.ask(200, &fields), format!("extended {}", Answer(&expected).rest()));
}

#[test]
fn every_answer_is_that_of_openssh() {
    let differences = both(&["-u", "022"], &requests());
    assert!(differences.is_empty(), "{differences}");
}

#[test]
fn flags_refuse_what_they_refuse_there() {
    for arguments in [&["-R"][..], &["-P", "open,stat,statvfs,hardlink"], &["-p", "open,mkdir,close,rename,limits"]] {
        let differences = both(arguments, &requests());
        assert!(differences.is_empty(), "{arguments:?}:\n{differences}");
    }
}

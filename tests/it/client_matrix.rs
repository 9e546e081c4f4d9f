//! The rest of the matrix of clients (docs/CONFORMANCE.md): each fetches the same outbox
//! in its own manner. The common ones are in `fetch_sftp`, deleting is in `delete_after_fetch`.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use crate::fetch_sftp::{SOME_MIB, all_fetched, target, world};
use crate::fetch_stage::{ALPHA, World, same};
use crate::support::programs::{PATIENCE, finish, node};

/// The largest file of the world, and where it lies.
const LARGE: &str = "/outbox/wages/salaries.csv";

fn large(world: &World) -> &[u8] {
    &world.given[0].bytes
}

/// Arguments that tell a program where the server is and who asks.
pub(crate) fn surroundings(world: &World, login: &str) -> Vec<String> {
    let address = world.server.address("sftp");
    let host_key = world.server.home().join("keys/ssh_host_ed25519_key.pub");
    let (host, port) = (address.ip().to_string(), address.port().to_string());
    vec![host, port, login.to_owned(), world.key(login).display().to_string(), host_key.display().to_string()]
}

#[test]
fn scp_fetches_the_whole_outbox_by_sftp() {
    let world = world();
    let client = world.client(ALPHA);
    let to = target(&world);
    let scp = |arguments: &[&str], to: &Path| {
        let mut command = Command::new("scp");
        command.args(["-s", "-F"]).arg(client.config()).args(arguments).arg(to);
        finish(&mut command)
    };
    scp(&["-r", "vault:outbox"], &to).expect_code(0);
    all_fetched(&world, &to);
    let some = world.server.desk("some");
    scp(&["-p", "vault:outbox/wages/*.bin"], &some).expect_code(0);
    let mut names: Vec<_> =
        fs::read_dir(&some).expect("a folder").map(|entry| entry.expect("a name").file_name()).collect();
    names.sort();
    assert_eq!(names, ["chunk.bin", "more.bin", "one.bin"]);
    scp(&["vault:outbox/wages/nothing.csv"], &some).expect_code(1);
}

/// `psftp` with these lines, signed in as `login`; it knows the server by its fingerprint alone.
pub(crate) fn psftp(world: &World, login: &str, lines: &str) -> Command {
    let desk = world.server.desk("psftp");
    let key = desk.join(format!("{login}.ppk"));
    let mut convert = Command::new("puttygen");
    finish(convert.arg(world.key(login)).args(["-O", "private", "-o"]).arg(&key)).expect_code(0);
    let mut list = Command::new("ssh-keygen");
    let shown = finish(list.args(["-l", "-f"]).arg(world.server.home().join("keys/ssh_host_ed25519_key.pub")));
    let shown = shown.expect_code(0).text();
    let fingerprint = shown.split_whitespace().nth(1).expect("a fingerprint");
    let batch = desk.join("batch");
    fs::write(&batch, lines).expect("the batch");
    let address = world.server.address("sftp");
    let mut command = Command::new("psftp");
    command
        .args(["-batch", "-P", &address.port().to_string(), "-hostkey", fingerprint, "-i"])
        .arg(&key)
        .arg("-b")
        .arg(&batch)
        .arg(format!("{login}@{}", address.ip()))
        .env("HOME", &desk);
    command
}

#[test]
fn psftp_fetches_the_whole_outbox_and_resumes() {
    let world = world();
    let to = target(&world);
    let half = world.server.desk("half").join("salaries.csv");
    fs::write(&half, &large(&world)[..SOME_MIB / 2]).expect("a half");
    let lines = format!("ls outbox/wages\nget -r outbox {}\nreget {LARGE} {}\n", to.display(), half.display());
    let said = finish(&mut psftp(&world, ALPHA, &lines)).expect_code(0).text();
    assert!(said.contains("salaries.csv"), "the listing: {said}");
    same(&half, large(&world));
    all_fetched(&world, &to);
}

#[test]
fn net_sftp_foreign_fetches_the_whole_outbox_and_resumes() {
    let world = world();
    let (to, client) = (target(&world), world.client(ALPHA));
    let half = world.server.desk("half").join("salaries.csv");
    fs::write(&half, &large(&world)[..SOME_MIB / 2]).expect("a half");
    let mut perl = Command::new("perl");
    perl.args(["-e", include_str!("../clients/net_sftp_foreign.pl")]);
    finish(perl.arg(client.config()).arg(&to).arg(LARGE).arg(&half)).expect_code(0);
    same(&half, large(&world));
    all_fetched(&world, &to);
}

#[test]
fn ssh2_sftp_client_fetches_the_whole_outbox() {
    let world = world();
    let (to, desk) = (target(&world), world.server.desk("again"));
    let (fast, range) = (desk.join("fast"), desk.join("range"));
    let (first, last) = (65_000, 1_200_000);
    let mut command = node();
    command
        .args(["-e", include_str!("../clients/ssh2_sftp_client.js")])
        .args(surroundings(&world, ALPHA))
        .arg(&to)
        .arg(LARGE)
        .args([&fast, &range])
        .args([first.to_string(), last.to_string()]);
    finish(&mut command).expect_code(0);
    same(&fast, large(&world));
    same(&range, &large(&world)[first..=last]);
    all_fetched(&world, &to);
}

#[test]
fn libssh2_fetches_the_whole_outbox() {
    let world = world();
    let to = target(&world);
    finish(world.python(include_str!("../clients/libssh2_folder.py"), ALPHA).arg(&to)).expect_code(0);
    all_fetched(&world, &to);
}

#[test]
fn paramiko_fetches_ahead_in_turn_and_in_pieces() {
    let world = world();
    let to = world.server.desk("fetched");
    let mut command = world.python(include_str!("../clients/paramiko_prefetch.py"), ALPHA);
    finish(command.arg(LARGE).arg(&to)).expect_code(0);
    for way in ["at-once", "bounded", "in-turn", "pieces"] {
        same(&to.join(way), large(&world));
    }
}

#[test]
fn asyncssh_fetches_many_files_at_once_in_one_session() {
    let world = world();
    let to = world.server.desk("fetched");
    let mut command = world.python(include_str!("../clients/asyncssh_parallel.py"), ALPHA);
    command.arg(&to).arg("4");
    let wages: Vec<_> = world.given.iter().filter(|given| given.product == "wages").collect();
    command.args(wages.iter().map(|given| format!("/outbox/wages/{}", given.name)));
    finish(&mut command).expect_code(0);
    for number in 0..4 {
        for given in &wages {
            same(&to.join(number.to_string()).join(&given.name), &given.bytes);
        }
    }
}

#[test]
fn lftp_fetches_a_file_in_pieces_at_once_and_goes_on_with_a_mirror() {
    let world = world();
    let client = world.client(ALPHA);
    let desk = world.server.desk("fetched");
    let pieces = desk.join("pieces");
    let script = format!("pget -n 4 {LARGE} -o {}", pieces.display());
    finish(&mut world.lftp(&client, ALPHA, &script)).expect_code(0);
    same(&pieces, large(&world));
    // A mirror that was cut off: one file is there by half, one in full.
    let to = target(&world);
    fs::create_dir_all(to.join("wages")).expect("a folder");
    fs::write(to.join("wages/salaries.csv"), &large(&world)[..SOME_MIB / 2]).expect("a half");
    fs::write(to.join("wages/chunk.bin"), &world.given[3].bytes).expect("a file");
    finish(&mut world.lftp(&client, ALPHA, &format!("mirror -c outbox {}", to.display()))).expect_code(0);
    world.holds_everything(&to);
}

#[test]
fn rclone_reads_ranges_and_many_pieces_at_once() {
    let world = world();
    let client = world.client(ALPHA);
    let remote = format!(":sftp:{LARGE}");
    for (offset, count) in [(0, 1), (65_535, 2), (1_000_000, 70_000), (SOME_MIB - 10, 100)] {
        let range = ["cat", "--offset", &offset.to_string(), "--count", &count.to_string(), &remote];
        let got = finish(&mut world.rclone(&client, ALPHA, &range)).expect_code(0).stdout;
        let wanted = &large(&world)[offset..(offset + count).min(SOME_MIB)];
        assert!(got == wanted, "{} bytes from {offset}, not {} as they should be", got.len(), wanted.len());
    }
    let to = world.server.desk("fetched");
    let at_once = ["--multi-thread-streams", "4", "--multi-thread-cutoff", "1M", "copy", &remote, "."];
    let mut copy = world.rclone(&client, ALPHA, &at_once);
    finish(copy.current_dir(&to)).expect_code(0);
    same(&to.join("salaries.csv"), large(&world));
}

/// A program that serves until it is dropped; ended by its own process id.
struct Serving {
    child: Child,
    url: String,
    /// What it logs; while somebody takes it, it may go on.
    lines: mpsc::Receiver<String>,
}

impl Serving {
    /// Waits for the address that the program tells of in what it logs.
    #[track_caller]
    fn start(command: &mut Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"));
        let log = BufReader::new(child.stderr.take().expect("its log"));
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            log.lines().map_while(Result::ok).map(|line| sender.send(line)).take_while(Result::is_ok).count()
        });
        let mut serving = Self { child, url: String::new(), lines };
        let mut said = Vec::new();
        let begun = Instant::now();
        while serving.url.is_empty() {
            // It may go on to talk of other things.
            let line = serving
                .lines
                .recv_timeout(PATIENCE.saturating_sub(begun.elapsed()))
                .unwrap_or_else(|error| panic!("no address ({error}): {said:?}"));
            let url =
                line.find("http://").and_then(|at| line.get(at..)).and_then(|rest| rest.split_whitespace().next());
            serving.url = url.unwrap_or_default().trim_end_matches([']', '/']).to_owned();
            said.push(line);
        }
        serving
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Its own process only; it may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn ranges_are_read_through_rclone_as_from_a_mounted_folder() {
    // `rclone serve` reads as `rclone mount` does, and needs nothing of the machine.
    let world = world();
    let client = world.client(ALPHA);
    let serve = ["--verbose", "serve", "webdav", "--addr", "127.0.0.1:0", "--read-only", ":sftp:outbox"];
    let serving = Serving::start(&mut world.rclone(&client, ALPHA, &serve));
    let asked = |range: &str| {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--fail", "--noproxy", "*", "--max-time", "60"]);
        if !range.is_empty() {
            curl.args(["--range", range]);
        }
        finish(curl.arg(format!("{}/wages/salaries.csv", serving.url))).expect_code(0).stdout
    };
    let bytes = large(&world);
    assert!(asked("2000000-2100000") == bytes[2_000_000..=2_100_000], "a range towards the end, first");
    assert!(asked("65536-65536") == bytes[65_536..=65_536], "a byte before it");
    assert!(asked("-77") == bytes[SOME_MIB - 77..], "the last bytes");
    assert!(asked("") == bytes, "all of it");
}

#[test]
fn any_order_and_size_of_reads_gives_the_plaintext() {
    let variable = |name: &str| std::env::var(name).ok();
    let seed = variable("POSTKLUIS_READS_SEED").unwrap_or_else(|| std::process::id().to_string());
    let count = variable("POSTKLUIS_READS").unwrap_or_else(|| "600".to_owned());
    println!("POSTKLUIS_READS_SEED={seed}");
    let world = world();
    let here = world.server.desk("here");
    for given in world.given.iter().filter(|given| given.product == "wages" && !given.bytes.is_empty()) {
        let local = here.join(&given.name);
        fs::write(&local, &given.bytes).expect("a file to compare with");
        let mut command = world.python(include_str!("../clients/asyncssh_reads.py"), ALPHA);
        command.arg(format!("/outbox/wages/{}", given.name)).arg(&local).args([&seed, &count]);
        let said = finish(&mut command).expect_code(0).text();
        assert!(said.trim().parse::<u64>().is_ok_and(|bytes| bytes > 0), "nothing was read: {said}");
    }
}

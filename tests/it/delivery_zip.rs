//! A delivery as one ZIP file over HTTPS: what other programs make of it, that it goes on where it was cut off, what
//! of it counts as fetched, and who does not get it (P07; domain 473).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::fetch_stage::{ALPHA, BETA, LARGE_BYTES, OnItsWay, World, eventually, pattern, same, size, text};
use crate::support::clients::curl;
use crate::support::programs::finish;

struct Stage {
    world: World,
    id: String,
    name: String,
    bearer: String,
}

impl Stage {
    #[track_caller]
    fn with(files: &[(&str, Vec<u8>)]) -> Self {
        let mut world = World::start();
        let id = world.publish("wages", files);
        let name = text(&world.delivery(&id), "name");
        let bearer = bearer(&world, ALPHA);
        Self { world, id, name, bearer }
    }

    fn several() -> Self {
        Self::with(&[
            ("salaries.csv", pattern(1, LARGE_BYTES)),
            ("empty.txt", Vec::new()),
            ("one.bin", pattern(2, 1)),
            ("letters-2026.csv", pattern(3, 70_001)),
        ])
    }

    fn path(&self) -> String {
        format!("/api/v1/deliveries/{}/archive", self.id)
    }

    fn folder(&self) -> PathBuf {
        self.world.server.desk("fetched")
    }

    /// `curl` of the ZIP file into this file.
    fn curl(&self, to: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new("curl");
        command
            .args(["--silent", "--show-error", "--fail", "--max-time", "110", "--cacert"])
            .arg(self.world.server.certificate())
            .args(["--header", &self.bearer, "--output"])
            .arg(to)
            .args(arguments)
            .arg(format!("https://localhost:{}{}", self.world.server.address("https").port(), self.path()));
        command
    }

    #[track_caller]
    fn fetch(&self, file: &str, arguments: &[&str]) -> PathBuf {
        let to = self.folder().join(file);
        finish(&mut self.curl(&to, arguments)).expect_code(0);
        to
    }

    /// Status and headers, in lower case.
    #[track_caller]
    fn head(&self, arguments: &[&str]) -> String {
        let all = [&["--header", &self.bearer, "--head"][..], arguments].concat();
        curl(&self.world.server, &self.path(), &all).expect_code(0).text().to_lowercase()
    }

    /// Fails unless the files lie there as they were published, and `sha256sum` finds them so.
    #[track_caller]
    fn holds_everything(&self, unpacked: &Path) {
        let folder = unpacked.join(&self.name);
        for given in &self.world.given {
            same(&folder.join(&given.name), &given.bytes);
        }
        let list = format!("{}.sha256", self.name);
        let said = finish(Command::new("sha256sum").args(["--check", "--strict", &list]).current_dir(&folder));
        assert_eq!(said.expect_code(0).text().lines().count(), self.world.given.len());
        let slip = fs::read(folder.join(format!("{}.packing-slip.json", self.name))).expect("the packing slip");
        let path = format!("/api/v1/deliveries/{}/packing-slip", self.id);
        let asked = curl(&self.world.server, &path, &["--header", &self.bearer]).expect_code(0);
        assert!(slip == asked.stdout, "the packing slip as at the other doors");
        let lying = fs::read_dir(&folder).expect("the folder").count();
        assert_eq!((lying, fs::read_dir(unpacked).expect("a folder").count()), (self.world.given.len() + 2, 1));
    }

    fn fetched_files(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.world.events(&self.id, "file-fetched").iter().map(|line| text(line, "file")).collect();
        names.sort_unstable();
        names
    }
}

fn bearer(world: &World, login: &str) -> String {
    let made = world.server.done(&["token", "add", "--account", login]);
    format!("Authorization: Bearer {}", text(&made, "secret"))
}

#[track_caller]
fn run(program: &str, arguments: &[&str], folder: &Path) -> String {
    finish(Command::new(program).args(arguments).current_dir(folder)).expect_code(0).text()
}

#[test]
fn other_programs_unpack_what_was_published_and_every_file_counts() {
    let stage = Stage::several();
    let head = stage.head(&[]);
    assert!(head.starts_with("http/2 200") && head.contains("accept-ranges: bytes"), "{head}");
    assert!(head.contains(&format!("attachment; filename=\"{}.zip\"", stage.name)), "{head}");
    assert!(head.contains("content-type: application/zip"), "{head}");
    assert_eq!(stage.world.progress(&stage.id), "published", "HEAD takes nothing");
    let zip = stage.fetch("whole.zip", &[]);
    assert!(head.contains(&format!("content-length: {}\r\n", size(&zip))), "{head}");
    stage.world.becomes_fetched(&stage.id);
    assert_eq!(stage.fetched_files(), ["empty.txt", "letters-2026.csv", "one.bin", "salaries.csv"]);
    let ended = stage.world.events(&stage.id, "fetch-ended");
    let bytes = |line: &Value| line.get("bytes").and_then(Value::as_u64).unwrap_or_default();
    assert_eq!(ended.iter().map(bytes).sum::<u64>(), (LARGE_BYTES + 1 + 70_001) as u64, "as by single downloads");
    assert!(ended.iter().all(|line| text(line, "login") == ALPHA && text(line, "channel") == "api"), "{ended:?}");

    let path = zip.display().to_string();
    for (number, (program, arguments)) in [
        ("unzip", &["-q", &path][..]),
        ("python3", &["-c", "import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extractall()", &path]),
        ("7z", &["x", "-bd", &path]),
        ("bsdtar", &["-xf", &path]),
        // as a stream, by the local headers alone
        ("sh", &["-c", &format!("bsdtar -xf - < '{path}'")]),
    ]
    .into_iter()
    .enumerate()
    {
        let unpacked = stage.world.server.desk(&format!("unpacked-{number}"));
        run(program, arguments, &unpacked);
        stage.holds_everything(&unpacked);
    }
    let here = stage.folder();
    assert!(run("unzip", &["-tq", &path], &here).contains("No errors detected"));
    assert!(run("7z", &["t", "-bd", &path], &here).contains("Everything is Ok"));
    let bad = "import sys, zipfile; print(zipfile.ZipFile(sys.argv[1]).testzip())";
    assert_eq!(run("python3", &["-c", bad, &path], &here).trim(), "None");
}

#[test]
fn what_was_cut_off_anywhere_goes_on_to_the_same_bytes() {
    for protocol in ["--http1.1", "--http2"] {
        let stage = Stage::several();
        let to = stage.folder().join("resumed.zip");
        let slow = OnItsWay::start(&mut stage.curl(&to, &[protocol, "--limit-rate", "2M"]));
        eventually("a part of the file", || (size(&to) >= 1024 * 1024).then_some(()));
        slow.kill();
        assert_eq!(stage.world.progress(&stage.id), "started");
        assert!(stage.world.events(&stage.id, "file-fetched").is_empty());
        let had = size(&to);
        finish(&mut stage.curl(&to, &[protocol, "--continue-at", "-"])).expect_code(0);
        stage.world.becomes_fetched(&stage.id);
        let whole = stage.fetch("whole.zip", &[protocol]);
        let whole = fs::read(&whole).expect("the whole file");
        same(&to, &whole);
        assert!(had < whole.len() as u64);
        // at points that nobody chose, also within headers and the directory at the end
        let head = stage.head(&[protocol]);
        let etag = head.lines().find_map(|line| line.strip_prefix("etag: ")).expect("an ETag").trim().to_owned();
        let mut seed = u64::from(stage.world.server.process());
        for round in 0..12 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let length = whole.len() as u64;
            // half of them among the small files and the structure at the end
            let at = if round % 2 == 0 { (seed >> 16) % length } else { length - 1 - (seed >> 16) % 75_000 };
            let part = stage.folder().join("part.zip");
            fs::write(&part, &whole[..usize::try_from(at).expect("a place")]).expect("a part");
            let condition = format!("If-Range: {etag}");
            let mut command = stage.curl(&part, &[protocol, "--continue-at", "-", "--header", &condition]);
            finish(&mut command).expect_code(0);
            same(&part, &whole);
        }
        // of another file a part would be of no use
        let other = stage.fetch("other.zip", &[protocol, "--range", "100-199", "--header", "If-Range: \"other\""]);
        same(&other, &whole);
        let known = stage.head(&[protocol, "--header", &format!("If-None-Match: {etag}")]);
        assert!(known.contains(" 304"), "{known}");
    }
}

#[test]
fn parts_of_the_zip_and_single_files_together_make_the_delivery_fetched() {
    let stage = Stage::with(&[("a.csv", pattern(1, 300_000)), ("b.csv", pattern(2, 5_000))]);
    let world = &stage.world;
    // the first 100,000 bytes hold no more of the first file than that
    stage.fetch("part.zip", &["--range", "0-99999"]);
    let sent = world.ended(&stage.id, 1)[0]["bytes"].as_u64().expect("bytes");
    assert!((99_000..100_000).contains(&sent), "{sent}");
    let single = format!("/api/v1/deliveries/{}/files/1/content", stage.id);
    let range = format!("{sent}-");
    curl(&world.server, &single, &["--header", &stage.bearer, "--range", &range, "--output", "/dev/null"])
        .expect_code(0);
    eventually("the first file to be fetched", || (stage.fetched_files() == ["a.csv"]).then_some(()));
    assert_eq!(world.progress(&stage.id), "started");
    stage.fetch("rest.zip", &["--range", "300000-"]);
    world.becomes_fetched(&stage.id);
}

#[test]
fn many_small_files_come_in_bounded_steps_over_either_protocol() {
    let names: Vec<String> = (0..300).map(|number| format!("file-{number:03}.csv")).collect();
    let files: Vec<(&str, Vec<u8>)> =
        names.iter().enumerate().map(|(number, name)| (name.as_str(), pattern(number, number % 7 * 40))).collect();
    let stage = Stage::with(&files);
    for protocol in ["--http1.1", "--http2"] {
        let zip = stage.fetch("many.zip", &[protocol, "--limit-rate", "1M"]);
        let unpacked = stage.world.server.desk(&format!("unpacked{protocol}"));
        run("unzip", &["-q", &zip.display().to_string()], &unpacked);
        stage.holds_everything(&unpacked);
        stage.world.becomes_fetched(&stage.id);
    }
    assert_eq!(stage.fetched_files().len(), 300);
}

#[test]
fn a_right_that_is_withdrawn_cuts_it_and_who_has_none_learns_nothing() {
    let stage = Stage::several();
    let world = &stage.world;
    let to = stage.folder().join("slow.zip");
    let slow = OnItsWay::start(&mut stage.curl(&to, &["--limit-rate", "300k"]));
    eventually("the download to begin", || (size(&to) > 0).then_some(()));
    world.server.done(&["right", "decouple", "--account", ALPHA, "--product", "wages"]);
    assert!(!slow.ended().success(), "it ended early");
    assert!(size(&to) < LARGE_BYTES as u64);
    assert!(world.events(&stage.id, "file-fetched").is_empty());
    let asked = |bearer: &str, path: &str| {
        let said = curl(&world.server, path, &["--header", bearer, "--include"]).expect_code(0).text();
        let lines = said.lines().filter(|line| !line.starts_with("date:")).map(str::to_owned);
        lines.collect::<Vec<String>>().join("\n")
    };
    let absent = asked(&stage.bearer, "/api/v1/deliveries/00000000-0000-4000-8000-000000000000/archive");
    assert!(absent.starts_with("HTTP/2 404"), "{absent}");
    for bearer in [stage.bearer.clone(), bearer(world, BETA)] {
        assert_eq!(asked(&bearer, &stage.path()), absent);
    }
    assert!(asked("X-Nothing: 1", &stage.path()).starts_with("HTTP/2 401"));
    world.server.done(&["right", "couple", "--account", ALPHA, "--product", "wages"]);
    world.server.done(&["delivery", "withdraw", &stage.id, "--reason", "wrong"]);
    assert!(asked(&stage.bearer, &stage.path()).starts_with("HTTP/2 410"));
}

#[test]
fn an_end_to_end_delivery_goes_in_as_it_is_sealed() {
    let world = World::start();
    let desk = world.server.desk("keys");
    let key = desk.join("age-key");
    run("age-keygen", &["-o", &key.display().to_string()], &desk);
    let public = desk.join("age-key.pub");
    fs::write(&public, run("age-keygen", &["-y", &key.display().to_string()], &desk)).expect("the public key");
    let public = public.display().to_string();
    world.server.done(&["recipient-key", "add", "--organisation", "alpha", "--file", &public]);
    world.server.done(&["product", "add", "secret", "--name", "secret", "--retention", "30d"]);
    let agreement = ["agreement", "add", "--organisation", "alpha", "--product", "secret", "--purpose", "testing"];
    world.server.done(&[&agreement[..], &["--end-to-end"]].concat());
    world.server.done(&["right", "couple", "--account", ALPHA, "--product", "secret"]);
    let files = [("a.csv", pattern(1, 150_001)), ("b.csv", pattern(2, 10))];
    let (id, name) = world.publish_to("alpha", "secret", &files);
    let bearer = bearer(&world, ALPHA);
    let stage = Stage { world, id, name, bearer };
    let zip = stage.fetch("sealed.zip", &[]);
    let unpacked = stage.world.server.desk("unpacked");
    run("unzip", &["-q", &zip.display().to_string()], &unpacked);
    let folder = unpacked.join(&stage.name);
    run("sha256sum", &["--check", "--strict", &format!("{}.sha256", stage.name)], &folder);
    for (file, bytes) in &files {
        let opened = folder.join(file);
        let arguments = ["-d", "-i", &key.display().to_string(), "-o", file, &format!("{file}.age")].map(str::to_owned);
        run("age", &arguments.each_ref().map(String::as_str), &folder);
        same(&opened, bytes);
    }
    stage.world.becomes_fetched(&stage.id);
}

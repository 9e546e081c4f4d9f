//! What goes wrong with backups: killed at every step, a full disk, damage of every part, a folder
//! that is something else. The backup before must stay usable, and what is wrong must be named.

use std::fs;
use std::process::Command;

use postkluis::adapters::backup_folder::{BackupJob, PayloadToCopy, create};
use postkluis::domain::digest::Digest;
use postkluis::domain::ids::PayloadId;
use postkluis::domain::moment::Moment;
use postkluis::ports::catalog::{Standing, StandingFile};

use crate::backup::{Stage, files_below, path};
use crate::support::disk::Disk;
use crate::support::programs::finish;
use crate::support::server::Server;
use crate::support::stock::{organisation, product, write_file};

/// A public key whose identity nobody here has.
const SOMEBODYS: &str = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

/// No run makes so many system calls of one kind.
const MOST_STEPS: usize = 200;

/// Every call that changes what a crash leaves, by the names that strace gives them.
const CALLS: [&str; 3] = ["/^rename", "fsync", "/^unlink"];

#[test]
fn killed_at_any_step_the_backup_before_can_be_used() {
    let mut stage = Stage::set(&[]);
    stage.publish("wages", "first.bin", 1);
    stage.back_up();
    stage.publish("wages", "second.bin", 2);
    stage.server.stop();
    let first = stage.server.desk("desk").join("first-run");
    finish(Command::new("cp").arg("-a").arg(&stage.target).arg(&first)).expect_code(0);
    for call in CALLS {
        // each kind of call begins from the first run; kills of one kind pile up their leftovers
        fs::remove_dir_all(&stage.target).expect("removed");
        finish(Command::new("cp").arg("-a").arg(&first).arg(&stage.target)).expect_code(0);
        let mut killed = 0;
        for step in 1..=MOST_STEPS {
            let mut command = Command::new("strace");
            let inject = format!("inject={call}:signal=KILL:when={step}");
            command.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e", &inject]);
            let program = stage.server.command();
            command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
            command.arg(program.get_program()).args(program.get_args());
            command.args(["backup", "create", path(&stage.target), "--json"]);
            let ended = finish(command.current_dir(stage.server.desk("desk")));
            let (is_whole, found) = stage.verify(true);
            assert!(is_whole, "killed at {call} number {step}: {found}");
            if ended.status.success() {
                break;
            }
            assert!(ended.stderr.is_empty(), "it was killed, not refused: {}", ended.stderr);
            killed += 1;
            assert!(step < MOST_STEPS, "{call}: no run came to its end");
        }
        assert!(killed >= 2, "{call}: killed {killed} times");
        let last = stage.back_up();
        let (is_whole, found) = stage.verify(true);
        assert!(is_whole, "{found}");
        let left = files_below(&stage.target).into_iter().filter(|file| file.extension().is_some_and(|e| e == "tmp"));
        assert_eq!(left.count(), 0, "what killed runs left is gone: {last}");
    }
}

#[test]
fn verify_names_what_is_wrong() {
    let mut stage = Stage::set(&[]);
    stage.publish("wages", "first.bin", 1);
    stage.back_up();
    stage.server.stop();
    assert!(stage.verify(false).0 && stage.verify(true).0);
    let names = |file: &std::path::Path| file.strip_prefix(&stage.target).expect("below").to_owned();
    let kept = files_below(&stage.target);
    let parts: Vec<_> = kept
        .iter()
        .filter(|file| {
            let name = names(file);
            ["catalog", "vault"].iter().any(|folder| name.starts_with(folder)) || path(&name).ends_with(".age")
        })
        .collect();
    assert!(parts.len() >= 4, "{kept:?}");
    for file in parts {
        let bytes = fs::read(file).expect("a file");
        let name = names(file);
        // one bit in the middle, one byte less, not there at all
        let mut flipped = bytes.clone();
        flipped[bytes.len() / 2] ^= 1;
        for (what, changed) in
            [("flipped", Some(flipped)), ("cut", Some(bytes[..bytes.len() - 1].to_vec())), ("gone", None)]
        {
            match &changed {
                Some(changed) => fs::write(file, changed).expect("written"),
                None => fs::remove_file(file).expect("removed"),
            }
            for with_identity in [false, true] {
                let (is_whole, found) = stage.verify(with_identity);
                assert!(!is_whole && found["wrong"].to_string().contains(path(&name)), "{name:?} {what}: {found}");
            }
            fs::write(file, &bytes).expect("written");
        }
    }
    assert!(stage.verify(true).0, "all as it was");

    // the manifest itself: any flipped bit; and that of another backup
    let manifest = stage.target.join("manifest");
    let own = fs::read(&manifest).expect("the manifest");
    for at in [0, 30, own.len() / 2, own.len() - 2] {
        let mut flipped = own.clone();
        flipped[at] ^= 1;
        fs::write(&manifest, flipped).expect("written");
        let refused = stage.server.refused(&["backup", "verify", path(&stage.target)]);
        assert!(refused.contains("manifest") && refused.contains("damaged"), "byte {at}: {refused}");
    }
    let mut other = Stage::set(&[]);
    other.back_up();
    other.server.stop();
    fs::copy(other.target.join("manifest"), &manifest).expect("copied");
    let (is_whole, found) = stage.verify(false);
    assert!(!is_whole && found["wrong"].to_string().contains("not what the manifest says"), "{found}");
    fs::write(&manifest, &own).expect("written");
    assert!(stage.verify(true).0);

    // another home does not continue this backup, whichever key it seals to
    let refused = other.server.refused(&["backup", "create", path(&stage.target)]);
    assert!(refused.contains("another recipient"), "{refused}");
    let public = finish(Command::new("age-keygen").arg("-y").arg(&stage.identity)).expect_code(0).text();
    other.server.set("POSTKLUIS_STORAGE__BACKUP_RECIPIENT", public.trim());
    other.server.serve();
    for number in 0..20 {
        // further than the backup, so that only its content tells
        other.server.done(&["organisation", "add", &format!("more-{number}"), "--name", "More"]);
    }
    let refused = other.server.refused(&["backup", "create", path(&stage.target)]);
    assert!(refused.contains("another history"), "{refused}");
    assert!(stage.verify(true).0, "nothing was changed");
}

#[test]
fn refused_are_no_recipient_and_a_folder_of_something_else() {
    let mut server = Server::start();
    let folder = server.desk("backup");
    let refused = server.refused(&["backup", "create", path(&folder)]);
    assert!(refused.contains("storage.backup_recipient") && refused.contains("age-keygen"), "{refused}");
    assert!(files_below(&folder).is_empty(), "nothing was written");
    server.stop();
    server.set("POSTKLUIS_STORAGE__BACKUP_RECIPIENT", "age1nokey");
    let refused = server.refused(&["serve"]);
    assert!(refused.contains("storage.backup_recipient"), "{refused}");
    server.set("POSTKLUIS_STORAGE__BACKUP_RECIPIENT", SOMEBODYS);
    fs::write(folder.join("letter.txt"), "somebody's").expect("written");
    let refused = server.refused(&["backup", "create", path(&folder)]);
    assert!(refused.contains("is not empty and no backup"), "{refused}");
    assert_eq!(files_below(&folder).len(), 1, "nothing was written");
    let inside = server.home().join("backup");
    let refused = server.refused(&["backup", "create", path(&inside)]);
    assert!(refused.contains("cannot lie in its home"), "{refused}");
    let refused = server.refused(&["backup", "verify", path(&folder)]);
    assert!(refused.contains("no whole backup"), "{refused}");
}

#[test]
fn a_payload_that_is_gone_has_ended_or_is_an_alarm() {
    let server = Server::prepare();
    let (home, desk) = (server.home(), server.desk("desk"));
    let journal = home.join("data/catalog/journal");
    fs::create_dir_all(&journal).expect("a folder");
    fs::write(journal.join("1.seg"), b"abc").expect("a segment");
    let (ended, lost) = (PayloadId::from_random([1; 16]), PayloadId::from_random([2; 16]));
    let job = BackupJob {
        home: &home,
        recipient: SOMEBODYS,
        standing: Standing {
            sequence: 1,
            last_event: 1,
            hash: Digest::new([0; 32]),
            files: vec![StandingFile { path: "journal/1.seg".to_owned(), bytes: 2 }],
        },
        payloads: [ended, lost].map(|id| PayloadToCopy { id, bytes: 5, sha256: Digest::new([1; 32]) }).to_vec(),
        unfinished_uploads: 0,
        made_at: Moment::from_millis(1),
        has_ended: &|id| Ok(id == ended),
    };
    let report = create(&desk.join("backup"), job).expect("a backup");
    assert_eq!((report.ended_meanwhile, report.missing), (vec![ended.to_string()], vec![lost.to_string()]));
    let said = finish(server.command().args(["backup", "verify", path(&desk.join("backup")), "--json"])).expect_code(1);
    let wrong = said.json()["wrong"].to_string();
    assert!(wrong.contains(&lost.to_string()) && !wrong.contains(&ended.to_string()), "{wrong}");
}

#[test]
fn two_runs_into_one_folder_do_not_mix() {
    let stage = Stage::set(&[]);
    stage.back_up();
    let lock = fs::File::open(stage.target.join("lock")).expect("the lock");
    lock.lock().expect("locked");
    let refused = stage.server.refused(&["backup", "create", path(&stage.target)]);
    assert!(refused.contains("another backup"), "{refused}");
    lock.unlock().expect("unlocked");
    assert_eq!(stage.back_up()["run"], 2);
}

#[test]
fn a_full_disk_leaves_the_backup_before() {
    let stage = Stage::set(&[]);
    let at = stage.server.desk("small-disk").join("backup");
    fs::create_dir(&at).expect("a folder");
    let Some(disk) = Disk::mount(&at, "size=4m,mode=0700") else { return };
    let target = at.join("of-the-server");
    stage.publish("wages", "first.bin", 1);
    stage.server.done(&["backup", "create", path(&target)]);
    let large = stage.server.desk("desk").join("large.bin");
    write_file(&large, 6_000_000, 5);
    stage.server.done(&["delivery", "publish", path(&large), "--product", "wages"]);
    let refused = stage.server.refused(&["backup", "create", path(&target)]);
    assert!(refused.contains("the disk is full"), "{refused}");
    let verify = ["backup", "verify", path(&target), "--identity", path(&stage.identity)];
    assert_eq!(stage.server.done(&verify)["run"], 1, "the run before");
    // the server itself is not touched by it
    product(&stage.server, "letters");
    organisation(&stage.server, "beta", &["letters"]);
    disk.resize("32m");
    assert_eq!(stage.server.done(&["backup", "create", path(&target)])["run"], 2);
    assert_eq!(stage.server.done(&verify)["run"], 2);
}

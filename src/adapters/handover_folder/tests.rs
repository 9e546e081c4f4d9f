//! What lies in `intake/` after each way of handing over, and after those that broke off.

use std::os::unix::fs::MetadataExt as _;

use super::*;
use crate::ports::handover::Sink;

const ID: &str = "01020304-0506-4708-890a-0b0c0d0e0f10";

fn product() -> ProductCode {
    ProductCode::parse("daily").unwrap()
}

fn world() -> (tempfile::TempDir, HandoverFolder) {
    let home = tempfile::tempdir().unwrap();
    let intake = home.path().join("intake");
    fs::create_dir(&intake).unwrap();
    let handover = HandoverFolder::new(intake, 0);
    (home, handover)
}

fn put(handover: &HandoverFolder, bytes: &[u8]) -> Result<(), Failure> {
    let file = format!("{ID}_a.csv");
    let note_name = format!("{file}.json");
    let note = b"{\"id\": \"x\"}\n";
    let offered = HandedOver { upload: id(), file: &file, bytes: &|sink| sink(bytes), note_name: &note_name, note };
    handover.put(Place::Intake(&product()), &offered)
}

fn id() -> UploadId {
    UploadId::parse(ID).unwrap()
}

fn settle(handover: &HandoverFolder) {
    handover.settle(Place::Intake(&product()), id()).unwrap();
}

/// What a start removes while the hand-over is, or is not, on its way by the record.
fn sweep(handover: &HandoverFolder, is_on_its_way: bool) -> usize {
    handover.sweep(&|_| Ok(is_on_its_way)).unwrap()
}

fn listed(home: &tempfile::TempDir) -> Vec<String> {
    names(&home.path().join("intake/daily")).unwrap()
}

#[test]
fn a_file_and_its_note_are_put_once_and_never_again() {
    let (home, handover) = world();
    put(&handover, b"first").unwrap();
    let file = home.path().join(format!("intake/daily/{ID}_a.csv"));
    assert_eq!(fs::read(&file).unwrap(), b"first");
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o7777, 0o640);
    put(&handover, b"second").unwrap();
    assert_eq!(fs::read(&file).unwrap(), b"first", "what is there stays");
    assert_eq!(listed(&home).len(), 4, "and the marker");
    settle(&handover);
    settle(&handover);
    assert_eq!(listed(&home), [".results", &format!("{ID}_a.csv"), &format!("{ID}_a.csv.json")]);
    assert!(!handover.is_taken(&product(), &format!("{ID}_a.csv"), &format!("{ID}_a.csv.json")).unwrap());
    fs::remove_file(&file).unwrap();
    assert!(handover.is_taken(&product(), &format!("{ID}_a.csv"), &format!("{ID}_a.csv.json")).unwrap());
}

#[test]
fn what_broke_off_leaves_no_name_and_is_swept() {
    let (home, handover) = world();
    let broken = |sink: &mut Sink<'_>| {
        sink(b"half")?;
        Err(Failure::from(Refusal::NoSpace))
    };
    let offered = HandedOver { upload: id(), file: "x_a.csv", bytes: &broken, note_name: "x_a.csv.json", note: b"{}" };
    assert!(handover.put(Place::Intake(&product()), &offered).is_err());
    assert_eq!(listed(&home), [".results"]);
    // a process that was killed removes nothing
    fs::write(home.path().join("intake/daily").join(format!("{UNFINISHED}x")), b"half").unwrap();
    assert_eq!(sweep(&handover, true), 1);
    assert_eq!(listed(&home), [".results"]);
}

#[test]
fn killed_before_any_step_it_goes_on_and_is_seen_once() {
    let (home, handover) = world();
    let folder = handover.product_folder(&product()).unwrap();
    let [file, note, unfinished, ready, marker] = [
        &format!("{ID}_a.csv"),
        &format!("{ID}_a.csv.json"),
        &format!("{UNFINISHED}{ID}"),
        &format!("{UNFINISHED}{ID}{NOTE}"),
        &format!("{MARKER}{ID}"),
    ]
    .map(|name| folder.join(name));
    // what lies there when the process is killed, step by step
    let steps: [&[&PathBuf]; 6] =
        [&[], &[&unfinished], &[&file], &[&file, &ready], &[&file, &ready, &marker], &[&file, &note, &marker]];
    for there in steps {
        for path in there {
            fs::write(path, b"first").unwrap();
        }
        sweep(&handover, true);
        put(&handover, b"first").unwrap();
        assert_eq!(listed(&home).len(), 4, "file, note and marker: {there:?}");
        assert_eq!(fs::read(&file).unwrap(), b"first");
        // the back office takes both; until the record says so, nothing comes again, whatever is killed
        fs::remove_file(&file).unwrap();
        fs::remove_file(&note).unwrap();
        sweep(&handover, true);
        put(&handover, b"first").unwrap();
        assert!(!is_there(&file).unwrap() && !is_there(&note).unwrap(), "{there:?}");
        // killed between the record and the end
        assert_eq!(sweep(&handover, false), 1);
        assert_eq!(listed(&home), [".results"]);
    }
}

#[test]
fn what_an_older_version_left_is_neither_lost_nor_doubled() {
    let (home, handover) = world();
    let folder = handover.product_folder(&product()).unwrap();
    fs::write(folder.join(format!("{UNFINISHED}{ID}.json")), b"{").unwrap();
    for name in [format!("{ID}_a.csv"), format!("{ID}_a.csv.json")] {
        fs::write(folder.join(name), b"first").unwrap();
    }
    sweep(&handover, true);
    put(&handover, b"second").unwrap();
    assert_eq!(fs::read(folder.join(format!("{ID}_a.csv"))).unwrap(), b"first");
    assert_eq!(listed(&home).len(), 3);
}

#[test]
fn a_name_that_is_taken_is_not_overwritten() {
    let (home, _handover) = world();
    let (from, to) = (home.path().join("from"), home.path().join("to"));
    fs::write(&from, b"new").unwrap();
    fs::write(&to, b"old").unwrap();
    assert!(rename_new(&from, &to).is_err());
    assert_eq!(fs::read(&to).unwrap(), b"old");
    fs::remove_file(&to).unwrap();
    rename_new(&from, &to).unwrap();
    assert_eq!(fs::read(&to).unwrap(), b"new");
}

#[test]
fn results_are_found_by_their_id_and_settled() {
    let (home, handover) = world();
    put(&handover, b"x").unwrap();
    let results = home.path().join("intake/daily/.results");
    fs::write(results.join(format!("{ID}.result.json")), b"{\"accepted\": true, \"rows\": 3}").unwrap();
    fs::write(results.join("other.result.json"), b"{}").unwrap();
    fs::write(results.join(format!(".{ID}.result.json")), b"{").unwrap();
    let found = handover.results(10).unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].upload.to_string(), ID);
    assert_eq!(found[0].said, Ok((true, Report::Json("{\"accepted\":true,\"rows\":3}".to_owned()))));
    assert!(handover.results(0).unwrap().is_empty());
    handover.settle_result(&found[0], None).unwrap();
    assert!(handover.results(10).unwrap().is_empty());
    fs::write(results.join(format!("{ID}.result.json")), vec![b'x'; 100_000]).unwrap();
    let found = handover.results(10).unwrap();
    assert!(found[0].said.is_err());
    handover.settle_result(&found[0], Some("too large")).unwrap();
    let aside = results.join(".refused");
    assert_eq!(names(&aside).unwrap(), [format!("{ID}.result.json"), format!("{ID}.result.json.reason.txt")]);
    assert!(handover.results(10).unwrap().is_empty());
}

#[test]
fn a_result_says_whether_it_was_processed() {
    for text in ["", "[]", "{}", "{\"accepted\": \"yes\"}", "{\"accepted\": true", "\u{feff}{\"accepted\": true}"] {
        assert!(said(text.as_bytes()).is_err(), "{text}");
    }
    assert!(said(b"{\"accepted\": false}").is_ok_and(|(accepted, _)| !accepted));
}

#[test]
fn the_longest_name_fits() {
    let (_home, handover) = world();
    let file = format!("{ID}_{}.age", "x".repeat(200));
    let note_name = format!("{file}.json");
    let offered =
        HandedOver { upload: id(), file: &file, bytes: &|sink| sink(b"x"), note_name: &note_name, note: b"{}" };
    handover.put(Place::Intake(&product()), &offered).unwrap();
}

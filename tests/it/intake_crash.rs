//! The server is killed again and again while it hands participant files over, and a back office takes them away
//! meanwhile: each file that was received arrives once, whole, and none is missing (U1, U2).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::fetch_stage::{ALPHA, World, eventually, pattern, text};
use crate::upload_stage::{INTAKE, local, uploads, world_with};

/// Kills in one run; more with `POSTKLUIS_TEST_KILLS`.
const KILLS: usize = 8;

/// Files in each round, so large that copying one takes its time.
const FILES: usize = 3;
const FILE_BYTES: usize = 4 * 1024 * 1024 + 11;

/// What the back office has taken away: name of the file, its digest.
type Taken = BTreeMap<String, Vec<u8>>;

/// Takes away what is whole: whatever has its note.
fn take(intake: &Path, taken: &mut Taken) {
    let Ok(listed) = fs::read_dir(intake) else { return };
    for entry in listed {
        let note = entry.expect("an entry").path();
        let name = note.file_name().expect("a name").to_string_lossy().into_owned();
        let Some(file) = name.strip_suffix(".json").filter(|_| !name.starts_with('.')) else { continue };
        let bytes = fs::read(intake.join(file)).expect("a file with a note is there");
        let noted: serde_json::Value =
            serde_json::from_slice(&fs::read(&note).expect("a note")).expect("a note is whole");
        let digest = Sha256::digest(&bytes).to_vec();
        let shown: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(text(&noted, "sha256"), shown, "{file} is not what its note says");
        assert!(taken.insert(file.to_owned(), digest).is_none(), "{file} came twice");
        fs::remove_file(intake.join(file)).expect("taken away");
        fs::remove_file(&note).expect("taken away");
    }
}

fn put(world: &World, round: usize) -> Vec<(String, Vec<u8>)> {
    let mut lines = String::new();
    let mut put = Vec::new();
    for number in 0..FILES {
        let (name, bytes) = (format!("r{round}-{number}.bin"), pattern(round * 10 + number + 1, FILE_BYTES));
        let from = local(world, &name, &bytes);
        // renamed to its final name, so that nothing is waited for
        lines.push_str(&format!("put {} dropbox/intake/{name}.part\n", from.display()));
        lines.push_str(&format!("rename dropbox/intake/{name}.part dropbox/intake/{name}\n"));
        put.push((name, Sha256::digest(&bytes).to_vec()));
    }
    world.client(ALPHA).batch(&lines).expect_code(0);
    put
}

#[test]
fn killed_while_it_hands_over_it_hands_over_once() {
    let mut world = world_with(&[("POSTKLUIS_STORAGE__SCRUB_BYTES_PER_SECOND", "0")]);
    let intake = world.server.home().join("intake").join(INTAKE);
    let kills = std::env::var("POSTKLUIS_TEST_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    let (mut taken, mut given) = (Taken::new(), Vec::new());
    for round in 0..kills {
        given.extend(put(&world, round));
        if round % 2 == 1 {
            take(&intake, &mut taken);
        }
        // at another moment of the round of the intake each time
        thread::sleep(Duration::from_millis((round as u64 * 137) % 1_100));
        world.server.kill9();
        take(&intake, &mut taken);
        world.server.serve();
    }
    for (name, _) in &given {
        eventually(&format!("{name} to be handed over"), || {
            take(&intake, &mut taken);
            let rows = uploads(&world, name);
            (rows.len() == 1 && text(&rows[0], "stage") == "collected").then_some(())
        });
    }
    take(&intake, &mut taken);
    let left: Vec<_> = fs::read_dir(&intake)
        .expect("the intake")
        .map(|entry| entry.expect("an entry").file_name())
        .filter(|name| name != ".results")
        .collect();
    assert!(left.is_empty(), "nothing half or double is left: {left:?}");
    assert_eq!(taken.len(), given.len());
    for (name, digest) in &given {
        let id = text(&uploads(&world, name)[0], "id");
        assert_eq!(taken.get(&format!("{id}_{name}")), Some(digest), "{name}");
    }
}

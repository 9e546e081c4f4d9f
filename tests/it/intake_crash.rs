//! The server is killed again and again, aimed at each step of handing participant files over, and a back office takes
//! away what it sees while the server is down, and while it runs: each file that was received arrives once, whole, and
//! none is missing (U1, U2).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use crate::fetch_stage::{ALPHA, World, eventually, pattern, text};
use crate::upload_stage::{INTAKE, all_uploads, local, world_with};

/// Kills in one run; more with `POSTKLUIS_TEST_KILLS`.
const KILLS: usize = 10;

/// In so many kills every step must have been hit.
const MANY: usize = 100;

/// Files in each round, so large that copying one takes its time.
const FILES: usize = 3;
const FILE_BYTES: usize = 4 * 1024 * 1024 + 11;

/// A moment that is aimed at comes within this time, or the kill comes anyway.
const AIM_PATIENCE: Duration = Duration::from_secs(4);
const GLANCE: Duration = Duration::from_micros(60);

/// Where a kill came, by what lies in the folder of the intake when the process is dead.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Step {
    NotBegun,
    Copying,
    FileWithoutNote,
    NoteReady,
    NoteSeen,
    Settled,
}

impl Step {
    const ALL: [Self; 6] =
        [Self::NotBegun, Self::Copying, Self::FileWithoutNote, Self::NoteReady, Self::NoteSeen, Self::Settled];

    const fn words(self) -> &'static str {
        match self {
            Self::NotBegun => "received, nothing of it in the intake",
            Self::Copying => "a part of the file under its unfinished name",
            Self::FileWithoutNote => "the file has its name, the note is not written",
            Self::NoteReady => "the note lies ready, and the marker says so",
            Self::NoteSeen => "the note has its name, the marker is still there",
            Self::Settled => "handed over on record",
        }
    }

    /// The others take a moment each: a few kills cannot hit them for certain.
    fn must_be_hit(self, kills: usize) -> bool {
        kills >= MANY || matches!(self, Self::Copying | Self::NotBegun)
    }
}

/// The steps that the files in the intake are in now.
fn steps(intake: &Path) -> Vec<Step> {
    let listed = fs::read_dir(intake).into_iter().flatten().flatten();
    let names: Vec<String> = listed.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    let has = |name: &str| names.iter().any(|other| other == name);
    let mut found = Vec::new();
    for name in &names {
        let rest = name.strip_prefix(".handing-over-").or_else(|| name.strip_prefix(".handed-over-")).unwrap_or(name);
        let Some(id) = rest.get(..36).filter(|_| !name.ends_with(".json")) else { continue };
        let (marker, ready) = (format!(".handed-over-{id}"), format!(".handing-over-{id}.json"));
        found.push(if name.starts_with(".handing-over-") {
            Step::Copying
        } else if !has(&marker) && !has(&format!("{name}.json")) {
            Step::FileWithoutNote
        } else if has(&marker) && has(&ready) {
            Step::NoteReady
        } else if has(&marker) {
            Step::NoteSeen
        } else {
            Step::Settled
        });
    }
    found
}

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
        let name = format!("r{round}-{number}.bin");
        // no two alike: the same bytes again would be recognised and not handed over
        let bytes = [name.as_bytes(), &pattern(round + 1, FILE_BYTES)].concat();
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
fn killed_at_each_step_of_the_hand_over_it_hands_over_once() {
    let mut world = world_with(&[("POSTKLUIS_STORAGE__SCRUB_BYTES_PER_SECOND", "0")]);
    let intake = world.server.home().join("intake").join(INTAKE);
    let kills = std::env::var("POSTKLUIS_TEST_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    let (mut taken, mut given) = (Taken::new(), Vec::new());
    let (mut hits, begun) = (BTreeMap::<Step, usize>::new(), Instant::now());
    for round in 0..kills {
        let aim = Step::ALL[round % Step::ALL.len()];
        given.extend(put(&world, round));
        if aim == Step::NotBegun {
            thread::sleep(Duration::from_millis(round as u64 * 37 % 300));
        } else {
            let before = steps(&intake).iter().filter(|step| **step == aim).count();
            let since = Instant::now();
            while steps(&intake).iter().filter(|step| **step == aim).count() <= before && since.elapsed() < AIM_PATIENCE
            {
                // a back office that does not wait: in one of two tours it takes what it sees at once
                if round / Step::ALL.len() % 2 == 1 && aim != Step::Settled {
                    take(&intake, &mut taken);
                }
                thread::sleep(GLANCE);
            }
        }
        world.server.kill9();
        let found = steps(&intake);
        let is_on_its_way = found.iter().any(|step| *step != Step::Settled);
        for step in found {
            *hits.entry(step).or_default() += 1;
        }
        if !is_on_its_way && taken.len() < given.len() {
            *hits.entry(Step::NotBegun).or_default() += 1;
        }
        take(&intake, &mut taken);
        world.server.serve();
    }
    let rows = eventually("every file to be handed over", || {
        take(&intake, &mut taken);
        let rows = all_uploads(&world);
        (rows.len() == given.len() && rows.iter().all(|row| text(row, "stage") == "collected")).then_some(rows)
    });
    take(&intake, &mut taken);
    let left: Vec<_> = fs::read_dir(&intake)
        .expect("the intake")
        .map(|entry| entry.expect("an entry").file_name())
        .filter(|name| name != ".results")
        .collect();
    assert!(left.is_empty(), "nothing half or double is left: {left:?}");
    assert_eq!(taken.len(), given.len());
    for (name, digest) in &given {
        let row = rows.iter().find(|row| text(row, "name") == *name).expect("a row");
        let id = text(row, "id");
        assert_eq!(taken.get(&format!("{id}_{name}")), Some(digest), "{name}");
    }
    let mut shown = format!(
        "{kills} kills in {} s, {} files handed over once each.\n\n| step in which a kill came | files |\n|---|---:|\n",
        begun.elapsed().as_secs(),
        given.len()
    );
    for step in Step::ALL {
        let must = if step.must_be_hit(kills) { " (must be hit)" } else { "" };
        writeln!(shown, "| {}{must} | {} |", step.words(), hits.get(&step).copied().unwrap_or_default())
            .expect("a text");
    }
    println!("{shown}");
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    fs::create_dir_all(&target).expect("the target folder");
    fs::write(target.join("crash-table-intake.txt"), shown).expect("the table");
    let missed: Vec<_> =
        Step::ALL.into_iter().filter(|step| step.must_be_hit(kills) && !hits.contains_key(step)).collect();
    assert!(missed.is_empty(), "no kill came in {missed:?}: more kills or other aims are needed");
}

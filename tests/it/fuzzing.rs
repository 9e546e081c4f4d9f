//! The fuzz targets without their engine: first the kept corpus, then inputs that are made from it by a
//! seed, for a bounded time. `POSTKLUIS_FUZZ_SECONDS` and `POSTKLUIS_FUZZ_SEED` lengthen and repeat it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::fuzz::{Chance, TARGETS, core};

const SECONDS: f64 = 2.0;
/// Fewer inputs than this in the default time would mean that the run shows nothing.
const LEAST_INPUTS: u64 = 50;
/// Paths that hit, miss, climb and are no text.
const PATHS: [&[u8]; 12] =
    [b"/", b".", b"/a", b"/b", b"/d", b"/d/c", b"/d/../b", b"/new", b"/d/new", b"", b"/\xff", b"/tmp/pkrec/b.txt"];
const OFFSETS: [u64; 8] = [0, 1, 65_535, 65_536, 69_999, 1 << 20, 1 << 63, u64::MAX];
const LENGTHS: [u32; 6] = [0, 1, 4_096, 65_537, 261_121, u32::MAX];
const BLOCKS: [u32; 6] = [0, 1, 255, 256, 65_536, u32::MAX];
const EXTENDED: [&[u8]; 16] = [
    b"posix-rename@openssh.com",
    b"statvfs@openssh.com",
    b"fstatvfs@openssh.com",
    b"hardlink@openssh.com",
    b"fsync@openssh.com",
    b"lsetstat@openssh.com",
    b"limits@openssh.com",
    b"expand-path@openssh.com",
    b"copy-data",
    b"home-directory",
    b"users-groups-by-id@openssh.com",
    b"check-file",
    b"check-file-handle",
    b"check-file-name",
    b"no-such@example.com",
    b"",
];

#[test]
fn core() {
    fuzz("core", |chance, corpus| match chance.below(3) {
        0 => conversation(chance),
        1 => spoilt_conversation(chance),
        _ => from_corpus(chance, corpus),
    });
}

#[test]
fn intervals() {
    fuzz("intervals", |chance, corpus| match chance.below(4) {
        // apart from each other: more of them than are kept
        0 => (0..1_300_u16).flat_map(|at| [((at * 3) >> 8) as u8, (at * 3) as u8, 1 + chance.below(2) as u8]).collect(),
        1 => from_corpus(chance, corpus),
        _ => noise(chance, 6_000),
    });
}

#[test]
fn packets() {
    fuzz("packets", |chance, corpus| match chance.below(4) {
        0 => spoilt_conversation(chance).split_off(0),
        1 => from_corpus(chance, corpus),
        2 => conversation(chance).split_off(core::HEAD_BYTES),
        _ => noise(chance, 400),
    });
}

#[test]
fn paths() {
    const PARTS: [&[u8]; 9] = [b"/", b"/", b".", b"..", b"a", b"\xc3\xab", b"\0", b"\xff", b"name"];
    fuzz("paths", |chance, corpus| match chance.below(3) {
        0 => from_corpus(chance, corpus),
        1 => noise(chance, 5_000),
        _ => (0..chance.below(40)).flat_map(|_| PARTS[chance.below(PARTS.len())].to_vec()).collect(),
    });
}

/// A spoilt target would otherwise look like a sound server.
#[test]
fn a_failure_is_told_with_its_seed_and_its_input_is_kept() {
    let kept = tempfile::tempdir().unwrap();
    let failed = catch_unwind(AssertUnwindSafe(|| {
        trial("planted", |data| assert!(data.len() < 3), b"four", 99, kept.path());
    }));
    let said = *failed.unwrap_err().downcast::<String>().unwrap();
    assert!(said.contains("POSTKLUIS_FUZZ_SEED=99"), "{said}");
    let input = std::fs::read_dir(kept.path()).unwrap().next().unwrap().unwrap().path();
    assert_eq!(std::fs::read(input).unwrap(), b"four");
}

fn fuzz(name: &str, make: impl Fn(&mut Chance, &[Vec<u8>]) -> Vec<u8>) {
    let target = TARGETS.iter().find(|(known, _)| *known == name).unwrap().1;
    let corpus = corpus(name);
    let failures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz").join(name);
    let seed =
        setting("SEED").unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64);
    for input in &corpus {
        trial(name, target, input, seed, &failures);
    }
    let time = Duration::from_secs_f64(setting("SECONDS").unwrap_or(SECONDS));
    let (begun, mut chance, mut inputs) = (Instant::now(), Chance::new(seed), 0_u64);
    while begun.elapsed() < time || inputs < LEAST_INPUTS {
        trial(name, target, &make(&mut chance, &corpus), seed, &failures);
        inputs += 1;
    }
    println!("{name}: {} kept inputs, {inputs} made from seed {seed}", corpus.len());
}

fn setting<T: std::str::FromStr>(name: &str) -> Option<T> {
    let name = format!("POSTKLUIS_FUZZ_{name}");
    std::env::var(&name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/fuzz").join(name);
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} holds no corpus", folder.display());
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

fn trial(name: &str, target: fn(&[u8]), input: &[u8], seed: u64, failures: &Path) {
    if catch_unwind(AssertUnwindSafe(|| target(input))).is_err() {
        std::fs::create_dir_all(failures).unwrap();
        let sum = input.iter().fold(0_u64, |sum, byte| sum.wrapping_mul(0x100_0000_01b3) ^ u64::from(*byte));
        let kept = failures.join(format!("failed-{sum:016x}"));
        std::fs::write(&kept, input).unwrap();
        panic!("{name} failed: POSTKLUIS_FUZZ_SEED={seed} repeats it; its input is {}", kept.display());
    }
}

fn noise(chance: &mut Chance, most: usize) -> Vec<u8> {
    (0..chance.below(most)).map(|_| chance.next() as u8).collect()
}

fn from_corpus(chance: &mut Chance, corpus: &[Vec<u8>]) -> Vec<u8> {
    let input = corpus[chance.below(corpus.len())].clone();
    spoilt(chance, input)
}

fn spoilt_conversation(chance: &mut Chance) -> Vec<u8> {
    let input = conversation(chance);
    spoilt(chance, input)
}

/// A few bytes changed, taken out, doubled or cut off.
fn spoilt(chance: &mut Chance, mut input: Vec<u8>) -> Vec<u8> {
    for _ in 0..1 + chance.below(4) {
        if input.is_empty() {
            break;
        }
        let at = chance.below(input.len());
        let end = (at + 1 + chance.below(40)).min(input.len());
        match chance.below(6) {
            0 => input.truncate(end),
            1 => drop(input.drain(at..end)),
            2 => {
                let piece = input[at..end].to_vec();
                input.splice(at..at, piece);
            }
            3 => input[at] = [0, 1, 0x7f, 0x80, 0xff][chance.below(5)],
            _ => input[at] ^= 1 << chance.below(8),
        }
    }
    input
}

/// Bounds, a schedule and requests that mostly make sense.
fn conversation(chance: &mut Chance) -> Vec<u8> {
    let mut input: Vec<u8> = (0..core::HEAD_BYTES).map(|_| chance.next() as u8).collect();
    input.extend([0, 0, 0, 5, 1, 0, 0, 0, 3]);
    for id in 0..chance.below(40) as u32 {
        let (kind, body) = request(chance);
        input.extend((5 + body.len() as u32).to_be_bytes());
        input.push(kind);
        input.extend((id % 7).to_be_bytes());
        input.extend(body);
    }
    input
}

fn request(chance: &mut Chance) -> (u8, Vec<u8>) {
    let kind = [3, 3, 3, 4, 5, 5, 5, 6, 7, 8, 9, 10, 11, 11, 12, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 200, 200, 200]
        [chance.below(28)];
    let body = match kind {
        3 => [path(chance), vec![0, 0, 0, chance.below(64) as u8], attributes(chance)].concat(),
        5 => [handle(chance), offset(chance), length(chance)].concat(),
        6 => [handle(chance), offset(chance), string(&vec![7; chance.below(3_000)])].concat(),
        4 | 8 | 12 => handle(chance),
        9 | 14 => [path(chance), attributes(chance)].concat(),
        10 => [handle(chance), attributes(chance)].concat(),
        18 | 20 => [path(chance), path(chance)].concat(),
        200 => extended(chance),
        _ => path(chance),
    };
    (kind, body)
}

fn extended(chance: &mut Chance) -> Vec<u8> {
    let name = EXTENDED[chance.below(EXTENDED.len())];
    let body = match name {
        b"fsync@openssh.com" | b"fstatvfs@openssh.com" => handle(chance),
        b"copy-data" => {
            let length = u64::from(LENGTHS[chance.below(LENGTHS.len())]).to_be_bytes().to_vec();
            [handle(chance), offset(chance), length, handle(chance), offset(chance)].concat()
        }
        b"lsetstat@openssh.com" => [path(chance), attributes(chance)].concat(),
        b"check-file" | b"check-file-handle" => [handle(chance), digests(chance)].concat(),
        b"check-file-name" => [path(chance), digests(chance)].concat(),
        _ => [path(chance), path(chance)].concat(),
    };
    [string(name), body].concat()
}

fn digests(chance: &mut Chance) -> Vec<u8> {
    let algorithms: &[u8] = if chance.below(8) == 0 { b"md5,sha1" } else { b"md5,sha256" };
    let length = u64::from(LENGTHS[chance.below(LENGTHS.len())]).to_be_bytes().to_vec();
    let block = BLOCKS[chance.below(BLOCKS.len())].to_be_bytes().to_vec();
    [string(algorithms), offset(chance), length, block].concat()
}

fn string(text: &[u8]) -> Vec<u8> {
    [&(text.len() as u32).to_be_bytes()[..], text].concat()
}

fn path(chance: &mut Chance) -> Vec<u8> {
    string(PATHS[chance.below(PATHS.len())])
}

/// Mostly one of the first, which may be open; sometimes what was never given out.
fn handle(chance: &mut Chance) -> Vec<u8> {
    match chance.below(20) {
        0 => string(b"forged"),
        1 => string(&u64::MAX.to_be_bytes()),
        _ => string(&(1 + chance.below(5) as u64).to_be_bytes()),
    }
}

fn offset(chance: &mut Chance) -> Vec<u8> {
    OFFSETS[chance.below(OFFSETS.len())].to_be_bytes().to_vec()
}

fn length(chance: &mut Chance) -> Vec<u8> {
    LENGTHS[chance.below(LENGTHS.len())].to_be_bytes().to_vec()
}

fn attributes(chance: &mut Chance) -> Vec<u8> {
    match chance.below(4) {
        0 => [vec![0, 0, 0, 1], offset(chance)].concat(),
        1 => vec![0, 0, 0, 4, 0, 0, 1, 0xa4],
        _ => vec![0; 4],
    }
}

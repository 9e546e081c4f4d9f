//! Unfinished uploads on a real folder.

mod model;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::super::VaultFolder;
use super::*;
use crate::domain::ids::PayloadId;
use crate::ports::keyring::FileKey;
use crate::ports::unfinished::Finished;
use crate::ports::vault::Vault;
use crate::sealing::header;

/// Every chunk that was sealed: a number once per key.
pub(super) mod ledger {
    use std::collections::BTreeSet;
    use std::sync::Mutex;

    use crate::ports::keyring::FileKey;

    static SEALED: Mutex<BTreeSet<([u8; 16], u64)>> = Mutex::new(BTreeSet::new());

    pub(in super::super) fn note(key: &FileKey, chunk: u64) {
        let is_new = SEALED.lock().unwrap().insert((*key.expose(), chunk));
        assert!(is_new, "chunk {chunk} was sealed twice under one key");
    }

    #[test]
    fn the_ledger_finds_a_chunk_that_is_sealed_twice() {
        note(&FileKey::new([255; 16]), 0);
        note(&FileKey::new([255; 16]), 1);
        assert!(std::thread::spawn(|| note(&FileKey::new([255; 16]), 0)).join().is_err());
    }
}

/// A disk that becomes full after so many bytes, for the thread that says so.
pub(super) mod full_disk {
    use std::cell::Cell;
    use std::fs::File;
    use std::io::{self, Write};

    thread_local! {
        static LEFT: Cell<Option<usize>> = const { Cell::new(None) };
    }

    pub(super) fn set(left: Option<usize>) {
        LEFT.set(left);
    }

    /// Writes what still fits, as a disk does, and fails when not all does.
    pub(in super::super) fn take(mut file: &File, chunks: &[Vec<u8>]) -> io::Result<()> {
        let Some(left) = LEFT.get() else { return Ok(()) };
        let bytes = chunks.concat();
        if bytes.len() <= left {
            LEFT.set(Some(left - bytes.len()));
            return Ok(());
        }
        file.write_all(bytes.get(..left).unwrap())?;
        LEFT.set(Some(0));
        Err(io::ErrorKind::StorageFull.into())
    }
}

/// Fresh keys, each once in the life of the process; headers that only their own keys open.
struct TestKeys {
    owner: u8,
    given: Mutex<BTreeMap<Vec<u8>, FileKey>>,
}

impl TestKeys {
    fn new(owner: u8) -> Arc<Self> {
        Arc::new(Self { owner, given: Mutex::default() })
    }
}

impl ExtentKeys for TestKeys {
    fn fresh(&self) -> Result<(FileKey, Vec<u8>), Failure> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let key = FileKey::new(u128::from(next).to_be_bytes());
        let header = format!("header {} {next}", self.owner).into_bytes();
        self.given.lock().unwrap().insert(header.clone(), key.clone());
        Ok((key, header))
    }

    fn open(&self, sealed_header: &[u8]) -> Result<FileKey, Failure> {
        self.given.lock().unwrap().get(sealed_header).cloned().ok_or_else(|| Refusal::Gone(None).into())
    }
}

const LIMITS: UnfinishedLimits = UnfinishedLimits { max_bytes: 1 << 40, max_extents: 1_024, max_early_bytes: 300_000 };

fn text(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from((at * 31 + at / 251) % 256).unwrap()).collect()
}

fn id() -> UploadId {
    UploadId::from_random([1; 16])
}

fn payload(byte: u8) -> PayloadId {
    PayloadId::from_random([byte; 16])
}

struct Home {
    _folder: tempfile::TempDir,
    uploads: UnfinishedFolder,
    vault: VaultFolder,
    keys: Arc<TestKeys>,
}

fn home() -> Home {
    let folder = tempfile::tempdir().unwrap();
    let uploads = UnfinishedFolder::open(folder.path().join("vault"), 0).unwrap();
    let vault = VaultFolder::open(folder.path().join("vault"), 0).unwrap();
    Home { _folder: folder, uploads, vault, keys: TestKeys::new(0) }
}

impl Home {
    fn begin(&self) -> Arc<dyn UnfinishedFile> {
        self.uploads.begin(id(), self.keys.clone(), LIMITS).unwrap()
    }

    fn resume(&self) -> Arc<dyn UnfinishedFile> {
        self.uploads.resume(id(), self.keys.clone(), LIMITS).unwrap()
    }

    fn names(&self) -> Vec<String> {
        let folder = std::fs::read_dir(self.uploads.folder_of(id())).unwrap();
        let mut names: Vec<String> = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn path(&self, name: &str) -> PathBuf {
        self.uploads.folder_of(id()).join(name)
    }

    /// The plaintext of a payload, opened with the key that its header or the caller has.
    fn plain_of(&self, payload: PayloadId, finished: &Finished, key: &FileKey) -> Vec<u8> {
        let key = match &finished.sealed_header {
            Some(header) => self.keys.open(header).unwrap(),
            None => key.clone(),
        };
        let reader = self.vault.open(payload, &key).unwrap();
        reader.read_vec(0, usize::try_from(reader.size_bytes()).unwrap()).unwrap()
    }

    /// Digests and sizes are those of the bytes.
    fn check_stored(&self, payload: PayloadId, finished: &Finished, plain: &[u8]) {
        let sha256 = |bytes: &[u8]| {
            let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
            crate::domain::digest::Digest::new(digest.as_ref().try_into().unwrap())
        };
        let sealed = std::fs::read(self.vault.path_of(payload)).unwrap();
        let stored = &finished.stored;
        assert_eq!((stored.size_bytes, stored.sealed_bytes), (plain.len() as u64, sealed.len() as u64));
        assert_eq!((stored.sha256, stored.sealed_sha256), (sha256(plain), sha256(&sealed)));
        assert_eq!(self.vault.find(payload).unwrap(), Some(stored.sealed_bytes));
    }
}

fn all_of(file: &dyn UnfinishedFile) -> Vec<u8> {
    file.read(0, usize::MAX).unwrap()
}

fn write_all(file: &dyn UnfinishedFile, plain: &[u8], piece: usize) {
    for (at, piece) in plain.chunks(piece).scan(0, |at, piece| Some((std::mem::replace(at, *at + piece.len()), piece)))
    {
        file.write(at as u64, piece).unwrap();
    }
}

#[test]
fn one_run_becomes_the_payload_as_it_is_and_the_age_crate_opens_it() {
    let identity = age::x25519::Identity::generate();
    for (size, piece) in
        [(1, 1), (65_535, 9_999), (65_536, 65_536), (65_537, 32_768), (131_072, 261_120), (3_000_000, 261_120)]
    {
        let home = home();
        let file = home.begin();
        write_all(file.as_ref(), &text(size), piece);
        let unused = FileKey::new([9; 16]);
        let finished = file.finish(payload(1), &unused).unwrap();
        home.check_stored(payload(1), &finished, &text(size));
        let file_key = home.keys.open(finished.sealed_header.as_ref().unwrap()).unwrap();
        let header = header::build(&[&identity.to_public()], file_key.expose()).unwrap();
        let whole = home.vault.open_sealed(payload(1), header).unwrap();
        let bytes = whole.read_vec(0, usize::MAX).unwrap();
        assert!(age::decrypt(&identity, &bytes).unwrap() == text(size), "{size}");
        // The same bytes under a second name, also for a later process that hashes them anew.
        assert_eq!(home.names(), ["0-0-whole-".to_owned() + &size.to_string(), "0-0.header".to_owned()]);
        drop(file);
        assert_eq!(home.resume().finish(payload(1), &unused).unwrap(), finished);
        // Going on after that changes nothing of the payload.
        let file = home.resume();
        file.write(size as u64, b"more").unwrap();
        file.write(0, b"other").unwrap();
        file.set_size(3).unwrap();
        file.sync().unwrap();
        home.uploads.remove(id()).unwrap();
        assert!(home.plain_of(payload(1), &finished, &unused) == text(size));
        assert_eq!(home.vault.inventory().unwrap(), [payload(1)]);
    }
}

#[test]
fn several_extents_are_sealed_anew_and_the_age_crate_opens_them() {
    let (home, identity, key) = (home(), age::x25519::Identity::generate(), FileKey::new([9; 16]));
    let file = home.begin();
    let plain = text(500_000);
    write_all(file.as_ref(), &plain, 100_000);
    file.write(70_000, plain.get(70_000..140_000).unwrap()).unwrap();
    let finished = file.finish(payload(1), &key).unwrap();
    assert_eq!(finished.sealed_header, None);
    home.check_stored(payload(1), &finished, &plain);
    let header = header::build(&[&identity.to_public()], key.expose()).unwrap();
    let bytes = home.vault.open_sealed(payload(1), header).unwrap().read_vec(0, usize::MAX).unwrap();
    assert!(age::decrypt(&identity, &bytes).unwrap() == plain);
    // Again under the same key: the same. Under another, or with other contents: what is there stays.
    assert_eq!(file.finish(payload(1), &key).unwrap(), finished);
    assert!(matches!(file.finish(payload(1), &FileKey::new([8; 16])), Err(Failure::Faulted(_))));
    let file = home.resume();
    file.write(3, b"x").unwrap();
    assert!(matches!(file.finish(payload(1), &key), Err(Failure::Faulted(_))));
    assert!(home.plain_of(payload(1), &finished, &key) == plain);
}

#[test]
fn an_empty_upload_is_an_empty_payload() {
    let (home, key) = (home(), FileKey::new([9; 16]));
    let finished = home.begin().finish(payload(1), &key).unwrap();
    home.check_stored(payload(1), &finished, b"");
    assert_eq!(home.plain_of(payload(1), &finished, &key), b"");
}

#[test]
fn a_payload_of_another_is_not_linked_over() {
    let (home, key) = (home(), FileKey::new([9; 16]));
    home.vault.store(payload(1), &key, None, &mut b"another".as_slice()).unwrap();
    let file = home.begin();
    file.write(0, b"mine").unwrap();
    assert!(matches!(file.finish(payload(1), &key), Err(Failure::Faulted(_))));
    assert_eq!(home.vault.open(payload(1), &key).unwrap().read_vec(0, 9).unwrap(), b"another");
}

#[test]
fn the_keys_of_another_open_nothing() {
    let home = home();
    let file = home.begin();
    write_all(file.as_ref(), &text(200_000), 32_768);
    drop(file);
    let foreign = || home.uploads.resume(id(), TestKeys::new(1), LIMITS);
    assert!(matches!(foreign(), Err(Failure::Refused(Refusal::Gone(None)))), "an extent that a crash left");
    home.resume().abandon();
    let file = foreign().unwrap();
    assert!(matches!(file.read(0, 10), Err(Failure::Refused(Refusal::Gone(None)))));
    assert!(file.finish(payload(1), &FileKey::new([9; 16])).is_err());
    assert!(home.vault.inventory().unwrap().is_empty());
    assert!(all_of(home.resume().as_ref()) == text(196_608), "nothing was lost by it");
}

#[test]
fn changed_bytes_are_found() {
    let home = home();
    let file = home.begin();
    write_all(file.as_ref(), &text(200_000), 32_768);
    file.abandon();
    let path = home.path("0-0-whole-200000");
    let sealed = std::fs::read(&path).unwrap();
    for at in [0, 16, 70_000, sealed.len() - 1] {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        std::fs::write(&path, &changed).unwrap();
        assert!(home.resume().read(0, 200_000).is_err(), "byte {at}");
        assert!(home.resume().finish(payload(1), &FileKey::new([9; 16])).is_err(), "byte {at}");
    }
    assert!(home.vault.inventory().unwrap().is_empty());
}

#[test]
fn what_came_early_waits_and_then_is_in_order() {
    let home = home();
    let file = home.begin();
    let plain = text(400_000);
    let pieces: Vec<(usize, &[u8])> = (0..).step_by(32_768).zip(plain.chunks(32_768)).collect();
    // Pairs that were exchanged: what a client with several requests under way does.
    for pair in pieces.chunks(2) {
        for (at, piece) in pair.iter().rev() {
            file.write(*at as u64, piece).unwrap();
        }
    }
    let finished = file.finish(payload(1), &FileKey::new([9; 16])).unwrap();
    assert!(finished.sealed_header.is_some(), "it needs no second pass");
    home.check_stored(payload(1), &finished, &plain);
}

#[test]
fn parts_that_are_sent_side_by_side_are_few_extents() {
    let home = home();
    let limits = UnfinishedLimits { max_extents: 4, max_early_bytes: 100_000, ..LIMITS };
    let file = home.uploads.begin(id(), home.keys.clone(), limits).unwrap();
    let plain = text(4_000_000);
    for at in (0..1_000_000).step_by(20_000) {
        for part in 0..4 {
            let at = part * 1_000_000 + at;
            file.write(at as u64, plain.get(at..at + 20_000).unwrap()).unwrap();
        }
    }
    assert_eq!(file.first_gap(), None);
    let finished = file.finish(payload(1), &FileKey::new([9; 16])).unwrap();
    home.check_stored(payload(1), &finished, &plain);
}

#[test]
fn beyond_a_gap_nothing_is_kept_and_no_file_is_finished() {
    let (home, key) = (home(), FileKey::new([9; 16]));
    let file = home.begin();
    file.write(0, b"begin").unwrap();
    file.write(10, b"end").unwrap();
    assert_eq!((file.first_gap(), file.size_bytes()), (Some((5, 10)), 13));
    match file.finish(payload(1), &key) {
        Err(Failure::Refused(Refusal::WrongState(why))) => assert!(why.contains("bytes 5 to 10"), "{why}"),
        other => panic!("{other:?}"),
    }
    // Synced as it is, with the gap: it is still forgotten.
    file.sync().unwrap();
    drop(file);
    assert_eq!(home.uploads.size_bytes(id()).unwrap(), Some(5));
    let file = home.resume();
    assert_eq!((file.first_gap(), file.size_bytes()), (None, 5));
    file.write(5, b"ning").unwrap();
    let finished = file.finish(payload(1), &key).unwrap();
    assert_eq!(home.plain_of(payload(1), &finished, &key), b"beginning");
}

#[test]
fn bounds_are_refused_and_change_nothing() {
    let home = home();
    let limits = UnfinishedLimits { max_bytes: 1_000, max_extents: 3, max_early_bytes: 0 };
    let file = home.uploads.begin(id(), home.keys.clone(), limits).unwrap();
    let refused = |outcome| matches!(outcome, Err(Failure::Refused(Refusal::TooMuch(_))));
    file.write(0, &text(990)).unwrap();
    for (offset, length) in [(990, 11), (1_001, 1), (u64::MAX, 1), (u64::MAX - 5, 100)] {
        assert!(refused(file.write(offset, &text(length))), "{offset}");
    }
    assert!(refused(file.set_size(1_001)));
    file.write(500, b"x").unwrap();
    file.write(100, b"x").unwrap();
    assert!(refused(file.write(300, b"x")));
    assert!(refused(file.set_size(1_000)));
    let mut plain = text(990);
    (plain[500], plain[100]) = (b'x', b'x');
    assert!(all_of(file.as_ref()) == plain);
    let before = home.names();
    file.sync().unwrap();
    assert!(home.names().len() >= before.len());
    // Cut to nothing, it begins anew, and its room on the disk is free.
    file.set_size(0).unwrap();
    assert_eq!(home.names().len(), 1);
    file.write(0, b"new").unwrap();
    assert_eq!(all_of(file.as_ref()), b"new");
    file.abandon();
    assert_eq!(all_of(home.resume().as_ref()), b"new");
}

#[test]
fn below_the_reserve_nothing_begins_and_nothing_grows() {
    let home = home();
    let full = UnfinishedFolder::open(home.vault.folder.clone(), u64::MAX).unwrap();
    assert!(matches!(full.begin(id(), home.keys.clone(), LIMITS), Err(Failure::Refused(Refusal::NoSpace))));
    assert!(full.inventory().unwrap().is_empty());
    home.begin().abandon();
    let file = full.resume(id(), home.keys.clone(), LIMITS).unwrap();
    assert!(matches!(file.write(0, &text(70_000)), Err(Failure::Refused(Refusal::NoSpace))));
    assert_eq!(file.size_bytes(), 0);
    assert!(home.names().is_empty());
}

#[test]
fn a_full_disk_takes_nothing_and_loses_nothing() {
    let home = home();
    let file = home.begin();
    let plain = text(300_000);
    file.write(0, plain.get(..100_000).unwrap()).unwrap();
    full_disk::set(Some(40_000));
    for _ in 0..3 {
        let refused = file.write(100_000, plain.get(100_000..300_000).unwrap());
        assert!(matches!(refused, Err(Failure::Refused(Refusal::NoSpace))));
        assert!(all_of(file.as_ref()) == plain.get(..100_000).unwrap());
    }
    assert!(matches!(file.sync(), Ok(()) | Err(Failure::Refused(Refusal::NoSpace))));
    full_disk::set(None);
    file.write(100_000, plain.get(100_000..300_000).unwrap()).unwrap();
    let finished = file.finish(payload(1), &FileKey::new([9; 16])).unwrap();
    home.check_stored(payload(1), &finished, &plain);
}

#[test]
fn what_a_full_disk_did_not_keep_at_the_end_is_not_counted() {
    let home = home();
    let file = home.begin();
    let plain = text(100_000);
    file.write(0, &plain).unwrap();
    full_disk::set(Some(10));
    file.abandon();
    full_disk::set(None);
    let kept = file.size_bytes();
    assert!(kept < 100_000, "the last piece found no room");
    assert_eq!(home.uploads.size_bytes(id()).unwrap(), Some(kept));
    let resumed = home.uploads.resume(id(), home.keys.clone(), LIMITS).unwrap();
    assert_eq!(resumed.size_bytes(), kept);
    assert!(all_of(resumed.as_ref()) == plain[..usize::try_from(kept).unwrap()]);
}

#[test]
fn an_upload_is_begun_once_and_found_until_it_is_removed() {
    let home = home();
    assert_eq!(home.uploads.size_bytes(id()).unwrap(), None);
    let missing = home.uploads.resume(id(), home.keys.clone(), LIMITS);
    assert!(matches!(missing, Err(Failure::Refused(Refusal::NotFound(What::File)))));
    home.begin();
    assert_eq!(home.uploads.size_bytes(id()).unwrap(), Some(0));
    assert_eq!(home.uploads.inventory().unwrap(), [id()]);
    assert!(home.uploads.begin(id(), home.keys.clone(), LIMITS).is_err());
    home.uploads.remove(id()).unwrap();
    home.uploads.remove(id()).unwrap();
    assert_eq!(home.uploads.size_bytes(id()).unwrap(), None);
    assert!(home.vault.inventory().unwrap().is_empty(), "the vault takes no upload for a payload");
}

#[test]
fn the_last_chunk_may_be_torn_anywhere() {
    let (home, plain) = (home(), text(400_000));
    let file = home.begin();
    write_all(file.as_ref(), &plain, 32_768);
    drop(file);
    let sealed = std::fs::read(home.path("0-0")).unwrap();
    let header = std::fs::read(home.path("0-0.header")).unwrap();
    assert_eq!(sealed.len(), 16 + 6 * 65_552, "the tail is in memory only");
    for length in [0, 1, 16, 17, 32, 33, 65_567, 65_568, 65_569, 131_120, 200_000, sealed.len() - 1, sealed.len()] {
        home.uploads.remove(id()).unwrap();
        home.begin();
        std::fs::write(home.path("0-0"), sealed.get(..length).unwrap()).unwrap();
        std::fs::write(home.path("0-0.header"), &header).unwrap();
        let chunks = length.saturating_sub(16) / 65_552;
        assert_eq!(home.uploads.size_bytes(id()).unwrap(), Some(chunks as u64 * 65_536));
        let file = home.resume();
        assert!(all_of(file.as_ref()) == plain.get(..chunks * 65_536).unwrap(), "{length}");
        file.write(file.size_bytes(), plain.get(chunks * 65_536..).unwrap()).unwrap();
        assert!(all_of(file.as_ref()) == plain, "{length}");
    }
    home.uploads.remove(id()).unwrap();
    home.begin();
    // Zeros where a power cut kept the size but not the bytes.
    let mut holed = sealed;
    holed.get_mut(16 + 65_552..16 + 70_000).unwrap().fill(0);
    std::fs::write(home.path("0-0"), &holed).unwrap();
    std::fs::write(home.path("0-0.header"), &header).unwrap();
    assert!(all_of(home.resume().as_ref()) == plain.get(..65_536).unwrap(), "a hole in the middle ends it");
}

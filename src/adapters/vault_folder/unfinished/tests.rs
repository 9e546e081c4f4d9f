//! Unfinished uploads on a real folder.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;

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
    folder: tempfile::TempDir,
    uploads: UnfinishedFolder,
    vault: VaultFolder,
    keys: Arc<TestKeys>,
}

fn home() -> Home {
    let folder = tempfile::tempdir().unwrap();
    let uploads = UnfinishedFolder::open(folder.path().join("vault"), 0).unwrap();
    let vault = VaultFolder::open(folder.path().join("vault"), 0).unwrap();
    Home { folder, uploads, vault, keys: TestKeys::new(0) }
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

#[derive(Clone, Debug)]
enum Step {
    Write(usize, usize),
    Append(usize),
    SetSize(usize),
    Read(usize, usize),
    Sync,
    AbandonAndResume,
    CrashAndResume,
    TornAndResume(usize),
    FullDisk(usize, usize, usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let offset = 0usize..400_000;
    let length = prop_oneof![1usize..200, 30_000usize..140_000, Just(65_536), Just(131_072)];
    let step = prop_oneof![
        4 => (offset.clone(), length.clone()).prop_map(|(offset, length)| Step::Write(offset, length)),
        8 => length.clone().prop_map(Step::Append),
        1 => prop_oneof![offset.clone(), Just(0)].prop_map(Step::SetSize),
        2 => (offset.clone(), length.clone()).prop_map(|(offset, length)| Step::Read(offset, length)),
        1 => Just(Step::Sync),
        1 => Just(Step::AbandonAndResume),
        1 => Just(Step::CrashAndResume),
        1 => (1usize..70_000).prop_map(Step::TornAndResume),
        1 => (offset, length, 0usize..140_000).prop_map(|(offset, length, left)| Step::FullDisk(offset, length, left)),
    ];
    prop::collection::vec(step, 1..30)
}

/// The file as its client wrote it; `None` where nobody wrote.
#[derive(Default)]
struct Model {
    bytes: Vec<Option<u8>>,
}

impl Model {
    fn write(&mut self, offset: usize, data: &[u8]) {
        let end = offset + data.len();
        if self.bytes.len() < end {
            self.bytes.resize(end, None);
        }
        for (to, from) in self.bytes.iter_mut().skip(offset).zip(data) {
            *to = Some(*from);
        }
    }

    fn set_size(&mut self, size: usize) {
        self.bytes.truncate(size);
        let written = self.bytes.iter().rposition(Option::is_some).map_or(0, |at| at + 1);
        self.bytes.truncate(written);
        self.bytes.resize(size, Some(0));
    }

    fn gap(&self) -> Option<(u64, u64)> {
        let start = self.bytes.iter().position(Option::is_none)?;
        let length = self.bytes.iter().skip(start).position(Option::is_some)?;
        Some((start as u64, (start + length) as u64))
    }

    fn in_order(&self) -> Vec<u8> {
        self.bytes.iter().map_while(|byte| *byte).collect()
    }

    fn is_equal(&self, file: &dyn UnfinishedFile) {
        assert_eq!(file.size_bytes(), self.bytes.len() as u64);
        assert_eq!(file.first_gap(), self.gap());
        assert!(all_of(file) == self.in_order());
    }

    /// After a crash: less may be there, all of it without a gap and as it was written at some time before.
    fn fall_back(&mut self, file: &dyn UnfinishedFile, history: &[Vec<Option<u8>>]) {
        let there = all_of(file);
        assert_eq!(there.len() as u64, file.size_bytes());
        for (at, byte) in there.iter().enumerate() {
            let was = history.iter().any(|past| past.get(at).copied().flatten() == Some(*byte));
            assert!(was, "byte {at} was never {byte}");
        }
        self.bytes = there.into_iter().map(Some).collect();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn an_upload_is_what_its_client_wrote(steps in steps()) {
        let home = home();
        let mut file = home.begin();
        let mut model = Model::default();
        let mut history: Vec<Vec<Option<u8>>> = Vec::new();
        let mut synced: Option<Vec<u8>> = None;
        for (number, step) in (1usize..).zip(steps) {
            let data = |length| text(length + number * 7).split_off(number * 7);
            match step {
                Step::Write(offset, length) => {
                    file.write(offset as u64, &data(length)).unwrap();
                    model.write(offset, &data(length));
                    synced = None;
                }
                Step::Append(length) => {
                    let offset = model.in_order().len();
                    file.write(offset as u64, &data(length)).unwrap();
                    model.write(offset, &data(length));
                    synced = synced.filter(|synced| synced.len() <= offset);
                }
                Step::SetSize(size) => {
                    if size != model.bytes.len() {
                        file.set_size(size as u64).unwrap();
                        model.set_size(size);
                        synced = None;
                    }
                }
                Step::Read(offset, length) => {
                    let expected: Vec<u8> = model.in_order().into_iter().skip(offset).take(length).collect();
                    prop_assert!(file.read(offset as u64, length).unwrap() == expected);
                }
                Step::Sync => {
                    file.sync().unwrap();
                    synced = Some(model.in_order());
                }
                Step::AbandonAndResume => {
                    file.abandon();
                    prop_assert!(file.write(0, b"late").is_err());
                    model.bytes = model.in_order().into_iter().map(Some).collect();
                    prop_assert_eq!(file.size_bytes(), model.bytes.len() as u64);
                    prop_assert_eq!(home.uploads.size_bytes(id()).unwrap(), Some(model.bytes.len() as u64));
                    file = home.resume();
                }
                Step::CrashAndResume => {
                    drop(file);
                    let told = home.uploads.size_bytes(id()).unwrap().unwrap();
                    file = home.resume();
                    prop_assert!(file.size_bytes() == told);
                    history.push(model.bytes.clone());
                    model.fall_back(file.as_ref(), &history);
                    if let Some(synced) = &synced {
                        prop_assert!(all_of(file.as_ref()).starts_with(synced), "what was synced is there");
                    }
                }
                Step::TornAndResume(cut) => {
                    drop(file);
                    if let Some(name) = home.names().iter().find(|name| {
                        matches!(Name::parse(name), Some(Name::Growing { .. }))
                    }) {
                        let torn = std::fs::File::options().write(true).open(home.path(name)).unwrap();
                        torn.set_len(torn.metadata().unwrap().len().saturating_sub(cut as u64)).unwrap();
                    }
                    file = home.resume();
                    history.push(model.bytes.clone());
                    model.fall_back(file.as_ref(), &history);
                    synced = None;
                }
                Step::FullDisk(offset, length, left) => {
                    full_disk::set(Some(left));
                    let outcome = file.write(offset as u64, &data(length));
                    full_disk::set(None);
                    match outcome {
                        Ok(()) => model.write(offset, &data(length)),
                        Err(Failure::Refused(Refusal::NoSpace)) => {}
                        Err(other) => panic!("{other}"),
                    }
                    synced = None;
                }
            }
            model.is_equal(file.as_ref());
            history.push(model.bytes.clone());
            history.drain(..history.len().saturating_sub(60));
        }
        let key = FileKey::new([9; 16]);
        let outcome = file.finish(payload(1), &key);
        if model.gap().is_some() {
            prop_assert!(matches!(outcome, Err(Failure::Refused(Refusal::WrongState(_)))));
            prop_assert_eq!(home.vault.find(payload(1)).unwrap(), None);
            model.is_equal(file.as_ref());
        } else {
            let finished = outcome.unwrap();
            prop_assert!(home.plain_of(payload(1), &finished, &key) == model.in_order());
            home.check_stored(payload(1), &finished, &model.in_order());
            prop_assert_eq!(&file.finish(payload(1), &key).unwrap(), &finished);
            drop(file);
            prop_assert_eq!(&home.resume().finish(payload(1), &key).unwrap(), &finished);
        }
        home.uploads.remove(id()).unwrap();
        prop_assert!(home.uploads.inventory().unwrap().is_empty());
    }
}

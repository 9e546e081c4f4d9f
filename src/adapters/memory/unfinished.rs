//! Unfinished uploads in memory. Nothing is sealed, but keys and headers are asked for as the
//! real ones are: a file that came in one run becomes the payload under its own key.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use super::{MemoryVault, locked};
use crate::domain::ids::{PayloadId, UploadId};
use crate::domain::refusal::{Refusal, What};
use crate::ports::failure::{Failure, Fault};
use crate::ports::keyring::FileKey;
use crate::ports::unfinished::{ExtentKeys, Finished, Unfinished, UnfinishedFile, UnfinishedLimits};
use crate::ports::vault::Vault;

/// Unfinished uploads in memory; finished ones go to the vault in memory.
pub struct MemoryUnfinished {
    vault: Arc<MemoryVault>,
    uploads: Mutex<BTreeMap<UploadId, Arc<Mutex<Kept>>>>,
}

/// What was written; `None` where nobody wrote. What came early is not told apart.
#[derive(Default)]
struct Kept {
    bytes: Vec<Option<u8>>,
    /// Where the runs end that are being written.
    run_ends: Vec<u64>,
    /// Runs and changes of size.
    entries: usize,
    /// Of the run that holds all.
    sequential_header: Option<Vec<u8>>,
    finished: BTreeMap<PayloadId, (Vec<u8>, Finished)>,
}

struct Open {
    id: UploadId,
    vault: Arc<MemoryVault>,
    keys: Arc<dyn ExtentKeys>,
    limits: UnfinishedLimits,
    kept: Arc<Mutex<Kept>>,
    is_abandoned: Mutex<bool>,
}

impl MemoryUnfinished {
    /// No uploads; finished ones will go to `vault`.
    #[must_use]
    pub fn new(vault: Arc<MemoryVault>) -> Self {
        Self { vault, uploads: Mutex::default() }
    }

    fn kept(&self, id: UploadId) -> Option<Arc<Mutex<Kept>>> {
        locked(&self.uploads).get(&id).map(Arc::clone)
    }

    fn open(
        &self,
        id: UploadId,
        keys: Arc<dyn ExtentKeys>,
        limits: UnfinishedLimits,
        kept: Arc<Mutex<Kept>>,
    ) -> Arc<dyn UnfinishedFile> {
        Arc::new(Open { id, vault: Arc::clone(&self.vault), keys, limits, kept, is_abandoned: Mutex::new(false) })
    }
}

impl Unfinished for MemoryUnfinished {
    fn begin(
        &self,
        id: UploadId,
        keys: Arc<dyn ExtentKeys>,
        limits: UnfinishedLimits,
    ) -> Result<Arc<dyn UnfinishedFile>, Failure> {
        let mut uploads = locked(&self.uploads);
        if uploads.contains_key(&id) {
            return Err(Fault::new(format!("begin upload {id}: it is there already")).into());
        }
        let kept = Arc::new(Mutex::default());
        uploads.insert(id, Arc::clone(&kept));
        Ok(self.open(id, keys, limits, kept))
    }

    fn resume(
        &self,
        id: UploadId,
        keys: Arc<dyn ExtentKeys>,
        limits: UnfinishedLimits,
    ) -> Result<Arc<dyn UnfinishedFile>, Failure> {
        let kept = self.kept(id).ok_or(Refusal::NotFound(What::File))?;
        locked(&kept).cut_at_gap();
        Ok(self.open(id, keys, limits, kept))
    }

    fn size_bytes(&self, id: UploadId) -> Result<Option<u64>, Fault> {
        Ok(self.kept(id).map(|kept| locked(&kept).contiguous() as u64))
    }

    fn remove(&self, id: UploadId) -> Result<(), Fault> {
        locked(&self.uploads).remove(&id);
        Ok(())
    }

    fn inventory(&self) -> Result<Vec<UploadId>, Fault> {
        Ok(locked(&self.uploads).keys().copied().collect())
    }
}

impl Kept {
    fn contiguous(&self) -> usize {
        self.bytes.iter().position(Option::is_none).unwrap_or(self.bytes.len())
    }

    fn first_gap(&self) -> Option<(u64, u64)> {
        let start = self.contiguous();
        let length = self.bytes.iter().skip(start).position(Option::is_some)?;
        Some((start as u64, (start + length) as u64))
    }

    /// What lies beyond the first gap is forgotten, and no run goes on.
    fn cut_at_gap(&mut self) {
        if self.first_gap().is_some() {
            self.bytes.truncate(self.contiguous());
            self.sequential_header = None;
        }
        self.run_ends.clear();
    }

    fn plain(&self) -> Vec<u8> {
        self.bytes.iter().map_while(|byte| *byte).collect()
    }

    fn check_entries(&self, limits: &UnfinishedLimits) -> Result<(), Failure> {
        if self.entries < limits.max_extents {
            return Ok(());
        }
        let (entries, most) = (self.entries, limits.max_extents);
        Err(Refusal::TooMuch(format!("the upload is in {entries} pieces and may have {most}")).into())
    }
}

impl Open {
    fn usable(&self) -> Result<MutexGuard<'_, Kept>, Failure> {
        if *locked(&self.is_abandoned) {
            return Err(Fault::new(format!("use upload {}: it was given up; open it again", self.id)).into());
        }
        Ok(locked(&self.kept))
    }

    fn place_of(&self, size: u64) -> Result<usize, Failure> {
        usize::try_from(size).ok().filter(|_| size <= self.limits.max_bytes).ok_or_else(|| {
            let most = self.limits.max_bytes;
            Refusal::TooMuch(format!("the file would have {size} bytes; at most {most} are taken")).into()
        })
    }
}

impl UnfinishedFile for Open {
    fn size_bytes(&self) -> u64 {
        locked(&self.kept).bytes.len() as u64
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), Failure> {
        let end = offset.saturating_add(data.len() as u64);
        let (at, length) = (self.place_of(end)?.saturating_sub(data.len()), data.len());
        let mut kept = self.usable()?;
        if data.is_empty() {
            return Ok(());
        }
        match kept.run_ends.iter_mut().find(|run_end| **run_end == offset) {
            Some(run_end) => *run_end = end,
            None => {
                kept.check_entries(&self.limits)?;
                let (_, header) = self.keys.fresh()?;
                kept.sequential_header = (at == 0 && kept.bytes.is_empty()).then_some(header);
                kept.run_ends.push(end);
                kept.entries += 1;
            }
        }
        if kept.bytes.len() < at + length {
            kept.bytes.resize(at + length, None);
        }
        for (to, from) in kept.bytes.iter_mut().skip(at).zip(data) {
            *to = Some(*from);
        }
        Ok(())
    }

    fn set_size(&self, size_bytes: u64) -> Result<(), Failure> {
        let size = self.place_of(size_bytes)?;
        let mut kept = self.usable()?;
        if size == kept.bytes.len() {
            return Ok(());
        }
        if size == 0 {
            kept.entries = 0;
        }
        kept.check_entries(&self.limits)?;
        kept.entries += 1;
        kept.sequential_header = None;
        kept.run_ends.clear();
        kept.bytes.truncate(size);
        while kept.bytes.pop_if(|byte| byte.is_none()).is_some() {}
        kept.bytes.resize(size, Some(0));
        Ok(())
    }

    fn read(&self, offset: u64, length: usize) -> Result<Vec<u8>, Failure> {
        let kept = self.usable()?;
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(kept.contiguous());
        Ok(kept.bytes.iter().skip(from).take(length).map_while(|byte| *byte).collect())
    }

    fn sync(&self) -> Result<(), Failure> {
        self.usable()?.run_ends.clear();
        Ok(())
    }

    fn first_gap(&self) -> Option<(u64, u64)> {
        locked(&self.kept).first_gap()
    }

    fn abandon(&self) {
        locked(&self.kept).cut_at_gap();
        *locked(&self.is_abandoned) = true;
    }

    fn finish(&self, payload: PayloadId, key: &FileKey) -> Result<Finished, Failure> {
        let mut kept = self.usable()?;
        if let Some((start, end)) = kept.first_gap() {
            let why = format!("bytes {start} to {end} of the file never arrived: send them, or the file anew");
            return Err(Refusal::WrongState(why).into());
        }
        kept.run_ends.clear();
        let plain = kept.plain();
        if let Some((before, finished)) = kept.finished.get(&payload)
            && *before == plain
        {
            return Ok(finished.clone());
        }
        let sealed_header = kept.sequential_header.clone();
        let key = sealed_header.as_ref().map_or_else(|| Ok(key.clone()), |header| self.keys.open(header))?;
        let stored = self.vault.store(payload, &key, None, &mut plain.as_slice())?;
        let finished = Finished { stored, sealed_header };
        kept.finished.insert(payload, (plain, finished.clone()));
        Ok(finished)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The header is the key.
    struct PlainKeys;

    impl ExtentKeys for PlainKeys {
        fn fresh(&self) -> Result<(FileKey, Vec<u8>), Failure> {
            Ok((FileKey::new([7; 16]), vec![7; 16]))
        }

        fn open(&self, sealed_header: &[u8]) -> Result<FileKey, Failure> {
            let key: Result<[u8; 16], _> = sealed_header.try_into();
            key.map(FileKey::new).map_err(|_| Refusal::Gone(None).into())
        }
    }

    const LIMITS: UnfinishedLimits = UnfinishedLimits { max_bytes: 100, max_extents: 3, max_early_bytes: 10 };

    fn begin() -> (Arc<MemoryVault>, MemoryUnfinished, Arc<dyn UnfinishedFile>) {
        let vault = Arc::new(MemoryVault::new());
        let uploads = MemoryUnfinished::new(Arc::clone(&vault));
        let file = uploads.begin(UploadId::from_random([1; 16]), Arc::new(PlainKeys), LIMITS).unwrap();
        (vault, uploads, file)
    }

    #[test]
    fn what_came_in_one_run_keeps_its_key_and_the_rest_takes_the_callers() {
        let (vault, uploads, file) = begin();
        let (one, two, key) = (PayloadId::from_random([1; 16]), PayloadId::from_random([2; 16]), FileKey::new([9; 16]));
        file.write(0, b"in ").unwrap();
        file.write(3, b"order").unwrap();
        let finished = file.finish(one, &key).unwrap();
        assert_eq!(finished.sealed_header, Some(vec![7; 16]));
        assert_eq!(file.finish(one, &key).unwrap(), finished);
        assert_eq!(vault.open(one, &FileKey::new([7; 16])).unwrap().read_vec(0, 9).unwrap(), b"in order");
        file.write(0, b"IN").unwrap();
        let finished = file.finish(two, &key).unwrap();
        assert_eq!((finished.sealed_header, finished.stored.size_bytes), (None, 8));
        assert_eq!(vault.open(two, &key).unwrap().read_vec(0, 9).unwrap(), b"IN order");
        uploads.remove(UploadId::from_random([1; 16])).unwrap();
        assert!(uploads.inventory().unwrap().is_empty());
    }

    #[test]
    fn gaps_and_bounds_are_those_of_the_real_one() {
        let (_vault, uploads, file) = begin();
        let id = UploadId::from_random([1; 16]);
        file.write(0, b"abc").unwrap();
        file.write(5, b"f").unwrap();
        assert_eq!((file.first_gap(), file.size_bytes()), (Some((3, 5)), 6));
        assert_eq!(file.read(0, 100).unwrap(), b"abc");
        assert!(matches!(
            file.finish(PayloadId::from_random([1; 16]), &FileKey::new([9; 16])),
            Err(Failure::Refused(Refusal::WrongState(_)))
        ));
        assert!(matches!(file.write(99, b"xx"), Err(Failure::Refused(Refusal::TooMuch(_)))));
        file.set_size(4).unwrap();
        assert_eq!(file.read(0, 100).unwrap(), b"abc\0");
        assert!(matches!(file.write(1, b"x"), Err(Failure::Refused(Refusal::TooMuch(_)))));
        assert_eq!(file.read(0, 100).unwrap(), b"abc\0");
        file.set_size(0).unwrap();
        file.write(1, b"x").unwrap();
        file.abandon();
        assert!(file.write(0, b"x").is_err());
        assert_eq!(uploads.size_bytes(id).unwrap(), Some(0));
        assert_eq!(uploads.resume(id, Arc::new(PlainKeys), LIMITS).unwrap().size_bytes(), 0);
    }
}

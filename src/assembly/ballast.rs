//! A file that holds room on the disk for an operator: removing it is the way
//! out of a full disk when nothing else may go. Made again when there is room.
#![expect(clippy::disallowed_methods, reason = "makes and looks at one file")]

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::FallocateFlags;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

/// The ballast below `data/`.
const FILE: &str = "ballast";

/// How often it is looked at.
const TICK: Duration = Duration::from_secs(60);

/// The ballast of a home.
#[derive(Clone, Debug)]
pub(super) struct Ballast {
    path: PathBuf,
    bytes: u64,
    reserve_bytes: u64,
}

/// What became of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Found {
    /// It is there, or none is wanted.
    Kept,
    /// It was made.
    Made,
    /// It is not there, and there is no room for it.
    NoRoom,
}

impl Ballast {
    /// The ballast in `data`, of `bytes` (0: none); made only where twice `reserve_bytes` stay free.
    pub(super) fn new(data: &Path, bytes: u64, reserve_bytes: u64) -> Self {
        Self { path: data.join(FILE), bytes, reserve_bytes }
    }

    /// Looks at it now and every minute, until `stop`.
    pub(super) async fn keep(self, mut stop: watch::Receiver<bool>) {
        let mut interval = tokio::time::interval(TICK);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut before = None;
        loop {
            tokio::select! {
                _ = interval.tick() => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
            let (ballast, own) = (self.clone(), self.path.display());
            let found = tokio::task::spawn_blocking(move || ballast.look(free_bytes(&ballast.path)?)).await;
            let found = found.map_err(io::Error::other).and_then(|found| found);
            let said = found.as_ref().ok().copied();
            // Said once, not every minute.
            if before != Some(said) {
                match &found {
                    Ok(Found::Kept) => {}
                    Ok(Found::Made) => tracing::info!(ballast = %own, bytes = self.bytes, "the ballast was made"),
                    Ok(Found::NoRoom) => {
                        tracing::warn!(ballast = %own, "there is no ballast: the disk has no room for it");
                    }
                    Err(error) => tracing::warn!(%error, ballast = %own, "the ballast cannot be made"),
                }
            }
            before = Some(said);
        }
    }

    fn look(&self, free: u64) -> io::Result<Found> {
        let has = match fs::metadata(&self.path) {
            Ok(found) => found.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        if has == self.bytes {
            return Ok(Found::Kept);
        }
        if has > 0 {
            fs::remove_file(&self.path)?;
        }
        if self.bytes == 0 {
            return Ok(Found::Kept);
        }
        // Once the operator has made room with it, it must not take that room back at once.
        let wanted = self.bytes.saturating_add(self.reserve_bytes.saturating_mul(2));
        if free.saturating_add(has) < wanted {
            return Ok(Found::NoRoom);
        }
        let new = self.path.with_extension("new");
        let made = self.make(&new);
        if made.is_err() {
            // a part of it would only take room
            drop(fs::remove_file(&new));
        }
        made.map(|()| Found::Made)
    }

    fn make(&self, new: &Path) -> io::Result<()> {
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(new)?;
        rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, self.bytes)?;
        file.sync_all()?;
        fs::rename(new, &self.path)
    }
}

fn free_bytes(path: &Path) -> io::Result<u64> {
    let space = rustix::fs::statvfs(path.parent().unwrap_or(path))?;
    Ok(space.f_bavail.saturating_mul(space.f_frsize))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    const BYTES: u64 = 1024 * 1024;
    const RESERVE: u64 = 10 * BYTES;
    const ENOUGH: u64 = 2 * RESERVE + BYTES;

    #[test]
    fn it_takes_real_room_and_is_made_again_only_when_there_is_room() {
        let folder = tempfile::tempdir().unwrap();
        let ballast = Ballast::new(folder.path(), BYTES, RESERVE);
        let path = folder.path().join("ballast");
        assert_eq!(ballast.look(ENOUGH - 1).unwrap(), Found::NoRoom);
        assert!(!path.exists());
        assert_eq!(ballast.look(ENOUGH).unwrap(), Found::Made);
        assert_eq!(ballast.look(0).unwrap(), Found::Kept);
        let found = fs::metadata(&path).unwrap();
        assert_eq!((found.len(), found.mode() & 0o777), (BYTES, 0o600));
        assert!(found.blocks() * 512 >= BYTES, "the room is taken, not only promised");
        fs::remove_file(&path).unwrap();
        assert_eq!(ballast.look(ENOUGH - 1).unwrap(), Found::NoRoom, "what the operator freed is not taken back");
        assert_eq!(ballast.look(ENOUGH).unwrap(), Found::Made);
    }

    #[test]
    fn another_size_or_none_replaces_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ballast");
        assert_eq!(Ballast::new(folder.path(), BYTES, 0).look(ENOUGH).unwrap(), Found::Made);
        assert_eq!(Ballast::new(folder.path(), 2 * BYTES, 0).look(BYTES).unwrap(), Found::Made);
        assert_eq!(fs::metadata(&path).unwrap().len(), 2 * BYTES);
        assert_eq!(Ballast::new(folder.path(), 0, 0).look(0).unwrap(), Found::Kept);
        assert!(!path.exists());
    }

    #[test]
    fn what_cannot_be_made_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        // more than any file system holds in one file
        let ballast = Ballast::new(folder.path(), u64::MAX / 2, 0);
        assert!(ballast.look(u64::MAX).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

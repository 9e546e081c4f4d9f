//! The spool front: publishes what the back office drops (interfaces §3).
//!
//! The scan is the truth, notify only a wake-up (engine §4). A drop that is whole is claimed by a
//! rename into `.claimed/<uuid>/` with both folders fsynced; that uuid is the key of the
//! publication, so a crash at any point neither loses a drop nor publishes it twice.
#![expect(clippy::disallowed_methods, reason = "the spool is a folder on disk")]

mod drops;
mod pickup;
mod writers;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use notify::event::{EventKind, ModifyKind, RenameMode};
use notify::{RecursiveMode, Watcher};

use crate::config::sections::SpoolSettings;
use crate::operations::Operations;

/// Folder of drops that are being published.
pub const CLAIMED: &str = ".claimed";

/// Folder of refused drops, each beside its reason.
pub const REFUSED: &str = ".refused";

/// Wake-ups that wait are bounded: one more is as good as none, the scan sees everything.
const MOST_WAKE_UPS: usize = 1_024;

/// Why the spool thread wakes.
enum WakeUp {
    /// Something changed somewhere.
    Changed,
    /// This path was moved in.
    MovedIn(PathBuf),
    /// Stop.
    Stop,
}

/// The running spool: stops when dropped or told to.
pub struct Spool {
    wake: SyncSender<WakeUp>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Spool {
    /// Makes the folders, recovers claims that a crash left, and begins to watch.
    ///
    /// # Errors
    /// The folders cannot be made or the thread not started.
    pub fn start(folder: &Path, settings: SpoolSettings, operations: Arc<Operations>) -> std::io::Result<Self> {
        for name in [CLAIMED, REFUSED] {
            std::fs::create_dir_all(folder.join(name))?;
        }
        let (wake, wakes) = sync_channel(MOST_WAKE_UPS);
        let pickup = pickup::Pickup::new(folder.to_owned(), settings, operations);
        let (folder, hints) = (folder.to_owned(), wake.clone());
        let thread =
            std::thread::Builder::new().name("spool".to_owned()).spawn(move || run(&folder, pickup, &wakes, hints))?;
        Ok(Self { wake, thread: Some(thread) })
    }

    /// Finishes the drop that is being published, then stops.
    pub fn stop(mut self) {
        self.join();
    }

    fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            // A full channel means that the thread is awake; it looks for Stop at every turn.
            while !thread.is_finished() {
                if self.wake.try_send(WakeUp::Stop).is_ok() {
                    break;
                }
                std::thread::yield_now();
            }
            if thread.join().is_err() {
                tracing::error!("the spool thread had panicked");
            }
        }
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        self.join();
    }
}

fn run(folder: &Path, mut pickup: pickup::Pickup, wakes: &Receiver<WakeUp>, hints: SyncSender<WakeUp>) {
    // Without a watcher (a network file system, no inotify left) the scan alone does the work.
    let _watcher = watch(folder, hints);
    pickup.recover_claims();
    loop {
        let wait = pickup.scan();
        match wakes.recv_timeout(wait) {
            Ok(WakeUp::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            Ok(WakeUp::MovedIn(path)) => pickup.moved_in(path),
            Ok(WakeUp::Changed) | Err(RecvTimeoutError::Timeout) => {}
        }
        // One burst of events is one scan.
        let mut burst = 0;
        while let Ok(next) = wakes.recv_timeout(DEBOUNCE) {
            match next {
                WakeUp::Stop => return,
                WakeUp::MovedIn(path) => pickup.moved_in(path),
                WakeUp::Changed => {}
            }
            burst += 1;
            if burst >= MOST_WAKE_UPS {
                break;
            }
        }
    }
}

/// Events within this time of each other belong to one burst.
const DEBOUNCE: Duration = Duration::from_millis(20);

fn watch(folder: &Path, hints: SyncSender<WakeUp>) -> Option<notify::RecommendedWatcher> {
    let handler = move |event: notify::Result<notify::Event>| {
        let Ok(event) = event else { return };
        let is_move = matches!(event.kind, EventKind::Modify(ModifyKind::Name(RenameMode::To | RenameMode::Both)));
        let wake = match event.paths.into_iter().next_back() {
            Some(path) if path.components().any(|part| part.as_os_str() == CLAIMED || part.as_os_str() == REFUSED) => {
                return;
            }
            Some(path) if is_move => WakeUp::MovedIn(path),
            _ if matches!(
                event.kind,
                EventKind::Access(notify::event::AccessKind::Open(_) | notify::event::AccessKind::Read)
            ) =>
            {
                return;
            }
            _ => WakeUp::Changed,
        };
        // A full channel: the scan that is due sees it all the same.
        if hints.try_send(wake).is_err() {
            tracing::debug!("a spool wake-up was dropped");
        }
    };
    let mut watcher = match notify::recommended_watcher(handler) {
        Ok(watcher) => watcher,
        Err(error) => {
            tracing::warn!(%error, "the spool is not watched; it is scanned only");
            return None;
        }
    };
    if let Err(error) = watcher.watch(folder, RecursiveMode::Recursive) {
        tracing::warn!(%error, "the spool is not watched; it is scanned only");
        return None;
    }
    Some(watcher)
}

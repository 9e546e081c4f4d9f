//! What a server and all its processes use: CPU seconds, those of sessions that
//! have ended too, and memory. Reads /proc and knows nothing of servers.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::measure::cpu_seconds_of;
use crate::served::Outcome;

/// Between two looks at memory; a look at a few processes takes well below a millisecond.
const LOOK: Duration = Duration::from_millis(100);
/// Processes of sessions that have ended are gone by then.
const GONE_WITHIN: Duration = Duration::from_secs(10);

/// The process and everything below it that lives now.
pub(crate) fn members(root: u32) -> Vec<u32> {
    let mut found = vec![root];
    let mut at = 0;
    while let Some(pid) = found.get(at) {
        let mut below = Vec::new();
        // What has ended meanwhile has no folder any more.
        for task in fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            below.extend(children.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
        }
        found.extend(below);
        at += 1;
    }
    found
}

/// CPU seconds of the process, of what lives below it, and of what lived there and was waited for.
pub(crate) fn cpu_seconds(root: u32) -> f64 {
    members(root).into_iter().filter_map(|pid| cpu_seconds_of(pid).ok()).sum()
}

/// Waits until the tree has no more processes than that: then every session is counted.
pub(crate) fn settle(root: u32, processes: usize) -> Outcome<()> {
    let begun = Instant::now();
    while members(root).len() > processes {
        if begun.elapsed() > GONE_WITHIN {
            return Err(format!("processes below {root} do not end, though their sessions did").into());
        }
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// Memory of the tree in KiB, shared pages by their share (PSS).
pub(crate) fn memory_kib(root: u32) -> f64 {
    let of = |pid: u32| {
        let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
        let line = text.lines().find(|line| line.starts_with("Pss:"))?;
        line.split_whitespace().nth(1)?.parse::<f64>().ok()
    };
    members(root).into_iter().filter_map(of).sum()
}

/// Runs something and tells the most memory in KiB that the tree had meanwhile.
pub(crate) fn with_peak<T>(root: u32, work: impl FnOnce() -> T) -> (T, f64) {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let looker = scope.spawn(|| {
            let mut most = 0.0_f64;
            while !done.load(Ordering::Acquire) {
                most = most.max(memory_kib(root));
                thread::sleep(LOOK);
            }
            most
        });
        let outcome = work();
        done.store(true, Ordering::Release);
        (outcome, looker.join().unwrap_or(f64::NAN))
    })
}

//! Whether anybody has a file open for writing, as far as /proc tells. Where
//! it does not (another machine, another user without privilege) the answer is no.
#![expect(clippy::disallowed_methods, reason = "the spool is a folder on disk")]

use std::collections::HashSet;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Device and inode of every regular file that is open for writing now, among `wanted`.
pub(super) fn open_for_writing(wanted: &HashSet<(u64, u64)>) -> HashSet<(u64, u64)> {
    let mut found = HashSet::new();
    let Ok(processes) = std::fs::read_dir("/proc") else { return found };
    for process in processes.flatten() {
        let name = process.file_name();
        if !name.to_string_lossy().bytes().all(|b| b.is_ascii_digit()) {
            continue;
        }
        let Ok(handles) = std::fs::read_dir(process.path().join("fd")) else { continue };
        for handle in handles.flatten() {
            let Ok(metadata) = std::fs::metadata(handle.path()) else { continue };
            let id = (metadata.dev(), metadata.ino());
            if wanted.contains(&id) && is_writable(&process.path().join("fdinfo").join(handle.file_name())) {
                found.insert(id);
            }
        }
    }
    found
}

/// The identity of a file, for `open_for_writing`.
pub(super) fn identity(path: &Path) -> Option<(u64, u64)> {
    std::fs::symlink_metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

fn is_writable(fdinfo: &Path) -> bool {
    // proc(5): "flags: 0100001", octal, the two lowest bits are the access mode.
    let Ok(text) = std::fs::read_to_string(fdinfo) else { return false };
    let flags = text.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok());
    flags.is_some_and(|flags| flags & 0o3 != 0)
}

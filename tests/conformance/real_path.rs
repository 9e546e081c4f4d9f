//! REALPATH as `sftp-server` answers it: links are followed, and the last part of a
//! path need not exist.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

/// Links followed at most, as `SYMLOOP_MAX` there.
const MOST_LINKS: usize = 32;

/// The path without links, `.`, `..` and empty parts.
pub(crate) fn real_path(path: &str) -> io::Result<PathBuf> {
    let mut resolved = if path.starts_with('/') { PathBuf::from("/") } else { std::env::current_dir()? };
    let mut left: VecDeque<String> = path.split('/').map(str::to_owned).collect();
    let mut links = 0;
    while let Some(part) = left.pop_front() {
        match part.as_str() {
            "" | "." => continue,
            ".." => {
                resolved.pop();
                continue;
            }
            name => resolved.push(name),
        }
        let is_link = match std::fs::symlink_metadata(&resolved) {
            Ok(found) => found.is_symlink(),
            Err(error) if error.kind() == io::ErrorKind::NotFound && left.is_empty() => return Ok(resolved),
            Err(error) => return Err(error),
        };
        if is_link {
            links += 1;
            if links > MOST_LINKS {
                return Err(Errno::LOOP.into());
            }
            let target = link_target(&resolved)?;
            if target.starts_with('/') {
                resolved = PathBuf::from("/");
            } else {
                resolved.pop();
            }
            for part in target.split('/').rev() {
                left.push_front(part.to_owned());
            }
        }
    }
    Ok(resolved)
}

/// What a link points to, if that is UTF-8.
pub(crate) fn link_target(path: &Path) -> io::Result<String> {
    let target = std::fs::read_link(path)?;
    target.into_os_string().into_string().map_err(|_| Errno::NOENT.into())
}

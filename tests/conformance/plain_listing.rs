//! A folder of the plain file system being listed, with long names in local time
//! and with the names of owners.

use std::fs::ReadDir;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use postkluis::fronts::sftp::long_names;
use postkluis::fronts::sftp::shelf::{Entry, FolderCursor, ShelfError};

use super::plain_folder::{failed, shown};
use super::users::Users;

/// Half a year: older changes are shown with the year.
const RECENT_SECONDS: u64 = 365 * 24 * 60 * 60 / 2;

/// The folder, from `.` and `..` on.
pub(crate) struct PlainListing {
    first: Vec<&'static str>,
    folder: PathBuf,
    names: ReadDir,
    users: Arc<Users>,
}

impl PlainListing {
    pub(crate) fn open(path: &str, users: Arc<Users>) -> Result<Self, ShelfError> {
        let names = std::fs::read_dir(path).map_err(failed)?;
        Ok(Self { first: vec!["..", "."], folder: Path::new(path).to_owned(), names, users })
    }
}

impl FolderCursor for PlainListing {
    fn next(&mut self, limit: usize) -> Result<Vec<Entry>, ShelfError> {
        let mut page = Vec::new();
        while page.len() < limit {
            let name = match self.first.pop() {
                Some(name) => name.to_owned(),
                None => match self.names.next() {
                    None => break,
                    Some(entry) => match entry.map_err(failed)?.file_name().into_string() {
                        Ok(name) => name,
                        Err(_) => continue,
                    },
                },
            };
            // what went away in between is left out
            if let Ok(found) = std::fs::symlink_metadata(self.folder.join(&name)) {
                page.push(Entry { attributes: shown(&found), name });
            }
        }
        Ok(page)
    }

    fn long_name(&self, entry: &Entry) -> String {
        let shown = &entry.attributes;
        let named = |name: Option<&str>, id: u32| name.map_or_else(|| id.to_string(), str::to_owned);
        let owner = named(self.users.user_name(shown.uid), shown.uid);
        let group = named(self.users.group_name(shown.gid), shown.gid);
        long_names::line(entry, &owner, &group, &changed(shown.mtime_seconds))
    }
}

fn changed(mtime_seconds: u32) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mtime = u64::from(mtime_seconds);
    let form = if now < mtime + RECENT_SECONDS && now >= mtime { "%b %e %H:%M" } else { "%b %e  %Y" };
    let Ok(at) = Timestamp::from_second(i64::from(mtime_seconds)) else { return String::new() };
    at.to_zoned(TimeZone::system()).strftime(form).to_string()
}

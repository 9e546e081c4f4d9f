//! Texts of arguments as moments, periods and file contents.
#![expect(clippy::disallowed_methods, reason = "its socket, and files that the operator names")]

use std::path::Path;

use jiff::Timestamp;
use jiff::civil::Date;

use super::Office;
use crate::domain::moment::{Moment, Span};
use crate::domain::names::NameFault;
use crate::domain::refusal::Refusal;
use crate::operations::Failure;

/// The largest key or counts file that is read.
const MOST_TEXT_BYTES: u64 = 1 << 20;

impl Office {
    /// A moment: RFC 3339, a period from now such as `90d`, or a date, which means the midnight
    /// that closes it.
    pub(super) fn until(&self, text: &str) -> Result<Moment, Failure> {
        if let Ok(span) = Span::parse(text) {
            return Ok(self.operations.now().after(span));
        }
        match self.from(text) {
            Ok(moment) if text.parse::<Date>().is_ok() && !text.contains('T') => {
                Ok(self.operations.calendar().midnight_closing(moment))
            }
            other => other,
        }
    }

    /// A moment: RFC 3339, or a date, which means its first midnight.
    pub(super) fn from(&self, text: &str) -> Result<Moment, Failure> {
        let millis = if text.contains('T') {
            text.parse::<Timestamp>().ok().map(|timestamp| timestamp.as_millisecond())
        } else {
            text.parse::<Date>()
                .ok()
                .and_then(|date| date.to_zoned(self.time_zone.clone()).ok())
                .map(|zoned| zoned.timestamp().as_millisecond())
        };
        let millis = millis.and_then(|millis| u64::try_from(millis).ok());
        let fault = || NameFault::new(text, "a moment", "2026-12-01, 2026-12-01T12:00:00Z or, where it ends, 90d");
        Ok(Moment::from_millis(millis.ok_or_else(fault)?))
    }
}

/// Reads a small text file that an argument names.
pub(super) fn read_text(folder: &Path, file: &Path) -> Result<String, Failure> {
    let path = folder.join(file);
    let unreadable = |why: String| Refusal::BadRequest(format!("{} cannot be read: {why}", path.display()));
    let metadata = std::fs::metadata(&path).map_err(|error| unreadable(error.to_string()))?;
    if metadata.len() > MOST_TEXT_BYTES {
        return Err(unreadable(format!("it is larger than {MOST_TEXT_BYTES} bytes")).into());
    }
    std::fs::read_to_string(&path).map_err(|error| unreadable(error.to_string()).into())
}

/// Every page of a list, until one comes back empty.
pub(super) fn all_pages<T>(mut page: impl FnMut(Option<&T>) -> Result<Vec<T>, Failure>) -> Result<Vec<T>, Failure> {
    let mut all: Vec<T> = Vec::new();
    loop {
        let next = page(all.last())?;
        if next.is_empty() || all.len() + next.len() > MOST_ROWS {
            all.extend(next.into_iter().take(MOST_ROWS.saturating_sub(all.len())));
            return Ok(all);
        }
        all.extend(next);
    }
}

/// A command lists at most so many rows.
pub(super) const MOST_ROWS: usize = 100_000;

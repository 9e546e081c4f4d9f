//! The root of a session: the folders of the own organisation, and beside them those of each client
//! of an intermediary, `/clients/<code>/…` (interfaces §4). The path alone says for whom.

use std::sync::Arc;

use tokio::runtime::Handle;

use super::home::Home;
use super::outbox::{Listed, folder};
use super::reply::shelf_error;
use super::shelf::{
    Attributes, Entry, FolderCursor, OpenMode, OpenedFile, SentAttributes, Shelf, ShelfError, ShelfErrorKind, Volume,
    error,
};
use crate::config::sections::FolderNames;
use crate::domain::moment::Moment;
use crate::domain::names::OrganisationCode;
use crate::domain::refusal::{Refusal, What};
use crate::operations::{Caller, Operations};

/// Everything that one signed-in account sees; its end is the end of the session.
pub(super) struct Root {
    operations: Arc<Operations>,
    caller: Caller,
    folders: FolderNames,
    since: Moment,
    own: Home,
    /// Where its end is put on record: whoever drops it last may not wait, least of all the catalog's own thread.
    runtime: Option<Handle>,
}

/// Whose folders a path leads into.
enum Whose<'a> {
    /// The own organisation's, or nobody's.
    Own,
    /// The folder in which clients are listed.
    Clients,
    /// This client's: its folders, and the path in them.
    Client(Box<Home>, &'a str),
}

impl Root {
    /// The root of this account.
    pub(super) fn new(operations: Arc<Operations>, caller: Caller, folders: FolderNames) -> Self {
        let since = operations.now();
        let own = Home::of(&operations, caller.clone(), &folders, since);
        Self { operations, caller, folders, since, own, runtime: Handle::try_current().ok() }
    }

    /// Since when the session is there.
    pub(super) const fn since(&self) -> Moment {
        self.since
    }

    fn whose<'a>(&self, path: &'a str) -> Result<Whose<'a>, ShelfError> {
        let below = path.strip_prefix('/').and_then(|path| path.strip_prefix(self.folders.clients.as_str()));
        let rest = match below {
            Some("") => {
                let is_shown = !self.clients()?.is_empty();
                return if is_shown { Ok(Whose::Clients) } else { Err(not_found()) };
            }
            Some(rest) => match rest.strip_prefix('/') {
                Some(rest) => rest,
                None => return Ok(Whose::Own),
            },
            None => return Ok(Whose::Own),
        };
        let (code, within) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
        let code = OrganisationCode::parse(code).map_err(|_| not_found())?;
        let caller = self.caller.for_client(&code);
        // who acts for it in nothing does not learn whether it exists; further down the folders tell nothing either
        let is_high_up = within.bytes().filter(|byte| *byte == b'/').count() < 2;
        if is_high_up && self.operations.outbox_products(&caller, &code).map_err(shelf_error)?.is_empty() {
            return Err(not_found());
        }
        Ok(Whose::Client(Box::new(Home::of(&self.operations, caller, &self.folders, self.since)), within))
    }

    fn clients(&self) -> Result<Vec<OrganisationCode>, ShelfError> {
        self.operations.client_codes(&self.caller).map_err(shelf_error)
    }

    fn listed(&self, names: impl Iterator<Item = String>) -> Vec<Entry> {
        names.map(|name| Entry { name, attributes: folder(self.since) }).collect()
    }
}

fn not_found() -> ShelfError {
    shelf_error(Refusal::NotFound(What::Folder).into())
}

fn stays() -> ShelfError {
    error(ShelfErrorKind::PermissionDenied, "this folder stays as it is")
}

impl Shelf for Root {
    fn admit(&self, request: &str) -> Result<(), ShelfError> {
        self.own.admit(request)
    }

    fn looks_up_at_hand(&self) -> bool {
        self.own.looks_up_at_hand()
    }

    fn stat(&self, path: &str) -> Result<Attributes, ShelfError> {
        match self.whose(path)? {
            Whose::Own => self.own.stat(path),
            Whose::Clients => Ok(folder(self.since)),
            Whose::Client(home, within) => home.stat(within),
        }
    }

    fn volume(&self, path: &str) -> Result<Volume, ShelfError> {
        match self.whose(path)? {
            Whose::Own => self.own.volume(path),
            Whose::Clients => self.own.volume("/"),
            Whose::Client(home, within) => home.volume(within),
        }
    }

    fn open_folder(&self, path: &str) -> Result<Box<dyn FolderCursor>, ShelfError> {
        match self.whose(path)? {
            Whose::Own if path == "/" => {
                let mut entries = self.own.open_folder(path)?.next(usize::MAX)?;
                if !self.clients()?.is_empty() {
                    entries.extend(self.listed([self.folders.clients.clone()].into_iter()));
                }
                entries.sort_by(|one, other| one.name.cmp(&other.name));
                Ok(Box::new(Listed(entries)))
            }
            Whose::Own => self.own.open_folder(path),
            Whose::Clients => Ok(Box::new(Listed(self.listed(self.clients()?.iter().map(ToString::to_string))))),
            Whose::Client(home, within) => home.open_folder(within),
        }
    }

    fn open_file(&self, path: &str, mode: OpenMode) -> Result<Arc<dyn OpenedFile>, ShelfError> {
        match self.whose(path)? {
            Whose::Own => self.own.open_file(path, mode),
            Whose::Clients => Err(error(ShelfErrorKind::Failure, "this is a folder, not a file")),
            Whose::Client(home, within) => home.open_file(within, mode),
        }
    }

    fn remove(&self, path: &str) -> Result<(), ShelfError> {
        match self.whose(path)? {
            Whose::Own => self.own.remove(path),
            Whose::Clients => Err(stays()),
            Whose::Client(home, within) => home.remove(within),
        }
    }

    /// What is brought in for one organisation never comes to stand with another (4.4-4).
    fn rename(&self, from: &str, to: &str, overwrite: bool) -> Result<(), ShelfError> {
        match (self.whose(from)?, self.whose(to)?) {
            (Whose::Own, Whose::Own) => self.own.rename(from, to, overwrite),
            (Whose::Client(home, from_within), Whose::Client(_, to_within))
                if from.strip_suffix(from_within) == to.strip_suffix(to_within) =>
            {
                home.rename(from_within, to_within, overwrite)
            }
            _ => Err(error(ShelfErrorKind::PermissionDenied, "a file stays with the organisation that it is for")),
        }
    }

    fn set_attributes(&self, path: &str, sent: &SentAttributes) -> Result<(), ShelfError> {
        match self.whose(path)? {
            Whose::Own => self.own.set_attributes(path, sent),
            Whose::Clients => Ok(()),
            Whose::Client(home, within) => home.set_attributes(within, sent),
        }
    }

    fn make_folder(&self, path: &str, permissions: Option<u32>) -> Result<(), ShelfError> {
        match self.whose(path)? {
            Whose::Own => self.own.make_folder(path, permissions),
            Whose::Clients => Err(error(ShelfErrorKind::Failure, "this folder is there already")),
            Whose::Client(home, within) => home.make_folder(within, permissions),
        }
    }

    fn remove_folder(&self, path: &str) -> Result<(), ShelfError> {
        match self.whose(path)? {
            Whose::Own => self.own.remove_folder(path),
            Whose::Clients => Err(stays()),
            Whose::Client(home, within) => home.remove_folder(within),
        }
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        let (operations, caller) = (Arc::clone(&self.operations), self.caller.clone());
        let sign_out = move || {
            if let Err(failure) = operations.sign_out(&caller) {
                tracing::warn!(%failure, "the end of a session could not be recorded");
            }
        };
        match &self.runtime {
            Some(runtime) => drop(runtime.spawn_blocking(sign_out)),
            None => sign_out(),
        }
    }
}

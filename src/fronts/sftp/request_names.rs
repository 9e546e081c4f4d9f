//! What requests are called, as `sftp-server -Q requests` calls them, and the
//! extensions that are known. Which of them are served, the shelf says.

use super::shelf::Shelf;
use super::wire::Request;

/// An extension as VERSION announces it.
#[derive(Debug)]
pub struct Extension {
    /// The name in EXTENDED.
    pub name: &'static str,
    /// The version, a text.
    pub version: &'static str,
    /// The request's name for permissions.
    pub request: &'static str,
}

/// The extensions known, in OpenSSH's order, and those that it does not have.
pub const EXTENSIONS: [Extension; 14] = [
    extension("posix-rename@openssh.com", "1", "posix-rename"),
    extension("statvfs@openssh.com", "2", "statvfs"),
    extension("fstatvfs@openssh.com", "2", "fstatvfs"),
    extension("hardlink@openssh.com", "1", "hardlink"),
    extension("fsync@openssh.com", "1", "fsync"),
    extension("lsetstat@openssh.com", "1", "lsetstat"),
    extension("limits@openssh.com", "1", "limits"),
    extension("expand-path@openssh.com", "1", "expand-path"),
    extension("copy-data", "1", "copy-data"),
    extension("home-directory", "1", "home-directory"),
    extension("users-groups-by-id@openssh.com", "1", "users-groups-by-id"),
    extension("check-file", "1", "check-file"),
    extension("check-file-handle", "1", "check-file-handle"),
    extension("check-file-name", "1", "check-file-name"),
];

/// The requests of version 3 by name, in OpenSSH's order.
pub const REQUESTS: [&str; 18] = [
    "open", "close", "read", "write", "lstat", "fstat", "setstat", "fsetstat", "opendir", "readdir", "remove", "mkdir",
    "rmdir", "realpath", "stat", "rename", "readlink", "symlink",
];

const fn extension(name: &'static str, version: &'static str, request: &'static str) -> Extension {
    Extension { name, version, request }
}

/// The extensions that a shelf admits.
pub fn admitted(shelf: &dyn Shelf) -> Vec<&'static Extension> {
    EXTENSIONS.iter().filter(|extension| shelf.admit(extension.request).is_ok()).collect()
}

/// A request's name; `None` for what is no known request.
pub fn request_name(request: &Request) -> Option<&'static str> {
    Some(match request {
        Request::Open { .. } => "open",
        Request::Close { .. } => "close",
        Request::Read { .. } => "read",
        Request::Write { .. } => "write",
        Request::Lstat { .. } => "lstat",
        Request::Fstat { .. } => "fstat",
        Request::Setstat { .. } => "setstat",
        Request::Fsetstat { .. } => "fsetstat",
        Request::Opendir { .. } => "opendir",
        Request::Readdir { .. } => "readdir",
        Request::Remove { .. } => "remove",
        Request::Mkdir { .. } => "mkdir",
        Request::Rmdir { .. } => "rmdir",
        Request::Realpath { .. } => "realpath",
        Request::Stat { .. } => "stat",
        Request::Rename { .. } => "rename",
        Request::Readlink { .. } => "readlink",
        Request::Symlink { .. } => "symlink",
        Request::Extended { name, .. } => {
            EXTENSIONS.iter().find(|extension| extension.name.as_bytes() == &name[..])?.request
        }
        Request::Unknown { .. } | Request::Malformed => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fronts::sftp::shelf::NOT_SERVED;

    #[test]
    fn what_is_not_served_is_an_extension() {
        for name in NOT_SERVED {
            assert!(EXTENSIONS.iter().any(|extension| extension.request == name), "{name}");
        }
    }
}

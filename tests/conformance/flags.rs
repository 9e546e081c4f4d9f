//! The flags of `sftp-server`, which requests they let through, and its log levels.

use clap::Parser;

/// The flags, as sftp-server(8) has them.
#[derive(Parser, Debug)]
#[command(name = "sftp-stdio", disable_version_flag = true)]
pub(crate) struct Flags {
    /// Log to standard error.
    #[arg(short = 'e')]
    to_stderr: bool,
    /// Read-only.
    #[arg(short = 'R')]
    pub(crate) read_only: bool,
    /// Log level: QUIET, FATAL, ERROR, INFO, VERBOSE, DEBUG, DEBUG1, DEBUG2 or DEBUG3.
    #[arg(short = 'l', default_value = "ERROR")]
    level: String,
    /// Log facility: taken and passed over, there is no log but standard error.
    #[arg(short = 'f')]
    facility: Option<String>,
    /// Folder to start in; `%d`, `%u`, `%U` and `~` stand for home, login and user id.
    #[arg(short = 'd')]
    pub(crate) start: Option<String>,
    /// Only these requests, by the names of `-Q requests`.
    #[arg(short = 'p', value_delimiter = ',')]
    allowed: Option<Vec<String>>,
    /// Not these requests.
    #[arg(short = 'P', value_delimiter = ',')]
    denied: Option<Vec<String>>,
    /// The umask, in octal.
    #[arg(short = 'u')]
    pub(crate) umask: Option<String>,
    /// `requests` lists the names of requests.
    #[arg(short = 'Q')]
    pub(crate) query: Option<String>,
}

/// Requests that change something: what `-R` refuses. Opening decides for itself.
const CHANGES: [&str; 13] = [
    "write",
    "setstat",
    "fsetstat",
    "remove",
    "mkdir",
    "rmdir",
    "rename",
    "symlink",
    "posix-rename",
    "hardlink",
    "fsync",
    "lsetstat",
    "copy-data",
];

impl Flags {
    /// From the command line, or what to say of it.
    pub(crate) fn read() -> Result<Self, String> {
        Self::try_parse().map_err(|error| error.to_string())
    }

    /// Whether a request may be made; the reason if not.
    pub(crate) fn refuses(&self, request: &str) -> Option<&'static str> {
        let names = |list: &Option<Vec<String>>| list.as_ref().map(|list| list.iter().any(|name| name == request));
        if self.read_only && CHANGES.contains(&request) {
            return Some("read-only mode");
        }
        if names(&self.denied) == Some(true) {
            return Some("denied");
        }
        (names(&self.allowed) == Some(false)).then_some("not allowed")
    }

    /// What is logged.
    pub(crate) fn journal(&self) -> Journal {
        let level = match self.level.to_ascii_uppercase().as_str() {
            "QUIET" | "FATAL" => None,
            "ERROR" => Some(Level::Error),
            "INFO" => Some(Level::Info),
            _ => Some(Level::Verbose),
        };
        Journal { level: level.filter(|_| self.to_stderr) }
    }
}

/// How much a line matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Level {
    Error,
    Info,
    Verbose,
}

/// Lines on standard error up to a level.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Journal {
    level: Option<Level>,
}

impl Journal {
    pub(crate) fn say(self, level: Level, line: &str) {
        if self.level.is_some_and(|most| level <= most) {
            eprintln!("{line}");
        }
    }
}

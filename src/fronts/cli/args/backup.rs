//! The grammar of `backup` and `restore`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// In the place of a folder after `restore`: confirms a restored home.
pub const CONFIRM: &str = "confirm";

/// `backup …`
#[derive(Subcommand, Debug)]
pub enum Backup {
    /// Make or continue the backup in a folder, while the server serves or is stopped
    Create {
        /// The folder; empty, or a backup of this home
        dir: PathBuf,
    },
    /// Put payloads that were lost or damaged back out of a backup, while the server serves or is stopped
    Repair {
        /// The folder
        dir: PathBuf,
    },
    /// Look whether a backup is whole
    Verify {
        /// The folder
        dir: PathBuf,
        /// File with the age identity of storage.backup_recipient: opens the sealed parts too
        #[arg(long, value_name = "FILE")]
        identity: Option<PathBuf>,
    },
}

/// `restore DIR`, `restore confirm`
#[derive(Args, Debug)]
pub struct Restore {
    /// Folder of the backup; or `confirm`, which opens a restored home
    #[arg(value_name = "DIR|confirm")]
    pub from: PathBuf,
    /// File with the age identity of storage.backup_recipient
    #[arg(long, value_name = "FILE")]
    pub identity: Option<PathBuf>,
    /// A newer shred-keys.age than the one in DIR, when DIR is an older copy
    #[arg(long, value_name = "FILE")]
    pub shred_keys: Option<PathBuf>,
    /// Confirm without being asked
    #[arg(long)]
    pub yes: bool,
}

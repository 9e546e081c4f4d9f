//! `terms …` (interfaces §2).

use std::path::PathBuf;

use clap::Subcommand;

/// `terms …`
#[derive(Subcommand, Debug)]
pub enum Terms {
    /// Publish a version; everybody is told by e-mail, and it applies from its date on
    // `--version` is a version of the terms here
    #[command(disable_version_flag = true)]
    Publish {
        /// The Dutch text: plain, or Markdown with headings and lists
        file: PathBuf,
        /// How people name it, such as 1.0
        #[arg(id = "terms-version", long = "version", value_name = "V")]
        version: String,
        /// From when it applies, later than now: a date, which means its first midnight, or a moment
        #[arg(long, value_name = "DATE")]
        effective: String,
        /// The same text in English
        #[arg(long, value_name = "FILE")]
        english: Option<PathBuf>,
    },
    /// Show whether and how they were accepted for an account
    Acceptance {
        /// The account
        #[arg(long, value_name = "LOGIN")]
        account: String,
    },
    /// List the versions, and for how many accounts each was accepted
    List,
    /// Put on record that they were accepted for an account, on paper or otherwise
    Accept {
        /// The account
        #[arg(long, value_name = "LOGIN")]
        account: String,
        /// Who accepted, and how that is known
        #[arg(long, value_name = "TEXT")]
        by: String,
    },
}

//! `recipient-key …` (interfaces §2).

use std::path::PathBuf;

use clap::Subcommand;

/// `recipient-key …`
#[derive(Subcommand, Debug)]
pub enum RecipientKey {
    /// Add age or SSH public keys, one per line
    Add {
        /// Whose keys
        #[arg(long, value_name = "CODE")]
        organisation: String,
        /// File with the keys
        #[arg(long, value_name = "KEYFILE")]
        file: PathBuf,
    },
    /// List the keys of an organisation
    List {
        /// Whose keys
        #[arg(long, value_name = "CODE")]
        organisation: String,
    },
    /// Retire a key
    Retire {
        /// Whose key
        #[arg(long, value_name = "CODE")]
        organisation: String,
        /// SHA256:… as shown by `list`
        fingerprint: String,
        /// From when [default: now]
        #[arg(long, value_name = "DATE")]
        from: Option<String>,
    },
}

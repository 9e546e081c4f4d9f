//! `instruction …`: what the operator tells all users to do (I7).

use std::path::PathBuf;

use clap::Subcommand;

/// `instruction …`
#[derive(Subcommand, Debug)]
pub enum Instruction {
    /// Give one: users see it at once on the portal
    Give {
        /// The Dutch text: plain, with lists
        file: PathBuf,
        /// What it is about, in Dutch
        #[arg(long, value_name = "TEXT")]
        title: String,
        /// The same text in English
        #[arg(long, value_name = "FILE", requires = "english_title")]
        english: Option<PathBuf>,
        /// What it is about, in English
        #[arg(long, value_name = "TEXT", requires = "english")]
        english_title: Option<String>,
        /// Until and including [default: until it is withdrawn]
        #[arg(long, value_name = "DATE")]
        until: Option<String>,
    },
    /// List them, those that are over too
    List,
    /// Withdraw one
    Withdraw {
        /// Id as shown by `list`
        id: String,
    },
}

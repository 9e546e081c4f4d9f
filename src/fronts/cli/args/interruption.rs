//! `interruption …` (interfaces §2).

use clap::{Subcommand, ValueEnum};

/// `interruption …`
#[derive(Subcommand, Debug)]
pub enum Interruption {
    /// Shut everybody out, at once or announced; it goes on until `end`
    Start {
        /// What it is, in one line; users read it
        #[arg(long, value_name = "TEXT")]
        nature: String,
        /// When it is expected to end: a moment such as 2026-12-01T12:00:00Z, a date, or a period such as 1d
        #[arg(long, value_name = "T")]
        until: String,
        /// From when; until then it is announced [default: now]
        #[arg(long, value_name = "T")]
        from: Option<String>,
        /// Which doors it closes
        #[arg(long, value_enum, default_value = "all")]
        channel: ClosedChannel,
        /// Tell every administrator by e-mail, and again if it is called off or ends early
        #[arg(long)]
        mail: bool,
    },
    /// End what runs, or one by its id; an announced one is called off
    End {
        /// Id as shown by `list` [default: all that run]
        id: Option<String>,
    },
    /// List what runs and what is announced
    List,
}

/// Which doors an interruption closes.
#[derive(Clone, Copy, ValueEnum, Debug)]
pub enum ClosedChannel {
    /// SFTP
    Sftp,
    /// Portal and API
    Https,
    /// All of them
    All,
}

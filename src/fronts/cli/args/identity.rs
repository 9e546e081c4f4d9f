//! `organisation change-request …` (A17).

use clap::Subcommand;

/// `organisation change-request …`
#[derive(Subcommand, Debug)]
pub enum ChangeRequest {
    /// Changes of name, KVK number or OIN that wait
    List,
    /// Make the change as it was asked for
    Approve {
        /// Short code of the organisation
        code: String,
    },
    /// Reject it; the organisation's administrators read why
    Reject {
        /// Short code of the organisation
        code: String,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

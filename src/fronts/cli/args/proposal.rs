//! `proposal …`: acts of the operator that wait for a second person (`operator.four_eyes`).

use clap::Subcommand;

/// `proposal …`
#[derive(Subcommand, Debug)]
pub enum Proposal {
    /// List what waits for a second person
    List,
    /// Confirm what somebody else proposed: it is done
    Confirm {
        /// Id as shown by `list`
        id: String,
    },
    /// Reject a proposal, or take the own one back
    Reject {
        /// Id as shown by `list`
        id: String,
        /// Why, for the history
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
}

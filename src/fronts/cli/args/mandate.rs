//! `mandate …` (interfaces §2).

use clap::{Args, Subcommand};

use super::{Block, End};

/// `mandate …`
#[derive(Subcommand, Debug)]
pub enum Mandate {
    /// Put on record that an intermediary may act for a client
    Add {
        /// Who is to act
        #[arg(long, value_name = "CODE")]
        intermediary: String,
        /// For whom
        #[arg(long = "for", value_name = "CODE")]
        client: String,
        /// For which product; may be given more than once
        #[arg(long = "product", value_name = "CODE", required = true)]
        products: Vec<String>,
        /// From when [default: now]
        #[arg(long, value_name = "DATE")]
        from: Option<String>,
        /// Until and including [default: without end]
        #[arg(long, value_name = "DATE")]
        until: Option<String>,
    },
    /// Change a mandate that is not over; one that is over never comes back
    Change(Change),
    /// List mandates
    List {
        /// Only of this intermediary
        #[arg(long, value_name = "CODE")]
        intermediary: Option<String>,
        /// Only of this client
        #[arg(long = "for", value_name = "CODE")]
        client: Option<String>,
    },
    /// Close it for a time: nothing can be done under it
    Block(Block),
    /// Lift a block
    Unblock {
        /// Id as shown by `list`
        id: String,
    },
    /// End it for good, with every right that follows from it
    End(End),
}

/// What changes.
#[derive(Args, Debug)]
pub struct Change {
    /// Id as shown by `list`
    pub id: String,
    /// A product that comes to it; may be given more than once
    #[arg(long = "product", value_name = "CODE")]
    pub products: Vec<String>,
    /// A product that goes, with every right to it; may be given more than once
    #[arg(long = "without", value_name = "CODE")]
    pub without: Vec<String>,
    /// Its new end, until and including
    #[arg(long, value_name = "DATE")]
    pub until: Option<String>,
}

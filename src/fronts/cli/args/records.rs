//! The grammar of the nouns that record what happens: deliveries, history,
//! retention, e-mail, reports.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `delivery …`
#[derive(Subcommand, Debug)]
pub enum Delivery {
    /// Publish files as one delivery
    Publish(Publish),
    /// List deliveries
    List {
        /// Only of this organisation
        #[arg(long, value_name = "CODE")]
        organisation: Option<String>,
        /// Only of this product
        #[arg(long, value_name = "CODE")]
        product: Option<String>,
        /// Only those that can be fetched now
        #[arg(long)]
        available: bool,
        /// Only those after this one, for the next page
        #[arg(long, value_name = "ID")]
        after: Option<String>,
    },
    /// Show one delivery with its files and what left of them
    Show {
        /// Its id
        id: String,
    },
    /// Withdraw one delivery, or a whole publication
    Withdraw {
        /// Id of the delivery
        #[arg(required_unless_present = "publication", conflicts_with = "publication")]
        id: Option<String>,
        /// Id of the publication
        #[arg(long, value_name = "ID")]
        publication: Option<String>,
        /// Why; the recipients see it
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Publish corrected files in the place of a delivery
    Replace {
        /// Its id
        id: String,
        /// The corrected files
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Extend the window of a delivery
    Extend {
        /// Its id
        id: String,
        /// Last day, or a moment
        #[arg(long, value_name = "T")]
        until: String,
    },
    /// Keep a delivery from destruction
    Hold {
        /// Its id
        id: String,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// End a hold
    Release {
        /// Its id
        id: String,
    },
    /// Show an account again what it removed from its outbox
    Restore {
        /// Id of the delivery
        id: String,
        /// Whose view of the outbox
        #[arg(long, value_name = "LOGIN")]
        account: String,
    },
}

/// `delivery publish …`
#[derive(Args, Debug)]
pub struct Publish {
    /// The files of one delivery
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The product
    #[arg(long, value_name = "CODE")]
    pub product: String,
    /// A recipient; may be given more than once [default: all with an agreement in force]
    #[arg(long = "organisation", value_name = "CODE")]
    pub organisations: Vec<String>,
    /// Publish a single file under another name
    #[arg(long, value_name = "TEXT")]
    pub name: Option<String>,
    /// What period the data are about
    #[arg(long, value_name = "TEXT")]
    pub period: Option<String>,
    /// JSON file with counts: {"label": number, …}
    #[arg(long, value_name = "FILE")]
    pub counts: Option<PathBuf>,
    /// The expected number; refused unless it is the next
    #[arg(long, value_name = "N")]
    pub sequence: Option<u32>,
    /// Leave out end-to-end recipients without a valid key
    #[arg(long)]
    pub skip_unready: bool,
    /// Asking again with the same key publishes nothing again
    #[arg(long, value_name = "KEY")]
    pub idempotency_key: Option<String>,
    /// Only say what would happen
    #[arg(long)]
    pub dry_run: bool,
}

/// `history …`
#[derive(Subcommand, Debug)]
pub enum History {
    /// List the history, oldest first
    List {
        /// Only what concerns this organisation
        #[arg(long, value_name = "CODE")]
        organisation: Option<String>,
        /// Only what concerns this delivery
        #[arg(long, value_name = "ID")]
        delivery: Option<String>,
        /// Only from then on
        #[arg(long, value_name = "T")]
        since: Option<String>,
        /// Only after this number, for the next page
        #[arg(long, value_name = "N")]
        after: Option<u64>,
        /// As comma-separated values (RFC 4180)
        #[arg(long)]
        csv: bool,
    },
}

/// `retention …`
#[derive(Subcommand, Debug)]
pub enum Retention {
    /// End the windows that are due and destroy what has ended
    Run {
        /// Only say what would happen
        #[arg(long)]
        dry_run: bool,
        /// The clock is right: it may destroy again
        #[arg(long)]
        confirm_time: bool,
    },
}

/// `mail …`
#[derive(Subcommand, Debug)]
pub enum Mail {
    /// List the e-mails and how far they came
    Queue {
        /// Only those after this one, for the next page
        #[arg(long, value_name = "ID")]
        after: Option<String>,
    },
    /// Try everything again that was not sent
    Retry,
    /// Send a test e-mail
    Test {
        /// To whom
        address: String,
    },
}

/// `report …`
#[derive(Subcommand, Debug)]
pub enum Report {
    /// Available deliveries that were not fetched in full
    Unfetched,
    /// Every kind of key and algorithm in use, since when and until when
    Crypto,
    /// Which shred keys were destroyed when, and which are still there, by day; keys of the history by month
    Retention,
}

/// `session …`
#[derive(Subcommand, Debug)]
pub enum Session {
    /// Who is connected, since when, and how many bytes went each way
    List,
}

//! `upload …` and `receipt-key …` (interfaces §2).

use std::path::PathBuf;

use clap::Subcommand;

/// `upload …`
#[derive(Subcommand, Debug)]
pub enum Upload {
    /// List uploads, unfinished and received
    List {
        /// Only of this organisation
        #[arg(long, value_name = "CODE")]
        organisation: Option<String>,
        /// Only for this product
        #[arg(long, value_name = "CODE")]
        product: Option<String>,
        /// Only those after this one, for the next page
        #[arg(long, value_name = "ID")]
        after: Option<String>,
    },
    /// Show one upload
    Show {
        /// Its id
        id: String,
    },
    /// Put an accepted file and its note into a folder; done once, and goes on where it was cut off
    Collect {
        /// Its id
        id: String,
        /// The folder, which exists
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
    },
    /// Accept a file that waits or that the checks rejected, or say that one was processed
    Accept {
        /// Its id
        id: String,
        /// What the uploader is to read: JSON or text
        #[arg(long, value_name = "FILE")]
        report: Option<PathBuf>,
    },
    /// Reject a file that was not handed over, or say that one was not processed
    Reject {
        /// Its id
        id: String,
        /// What the uploader is to read: JSON or text
        #[arg(long, value_name = "FILE")]
        report: Option<PathBuf>,
    },
    /// Say that a file that was handed over was taken away
    Acknowledge {
        /// Its id
        id: String,
    },
    /// Set by which days an organisation is to deliver; who is to deliver is told when nothing came
    Expect {
        /// Who is to deliver
        #[arg(long, value_name = "CODE")]
        organisation: String,
        /// For which product
        #[arg(long, value_name = "CODE")]
        product: String,
        /// workdays, weekly:mon, monthly:15, quarterly:15 or yearly:03-31: before the end of that day
        #[arg(long, value_name = "RHYTHM")]
        every: String,
        /// Remind so many days ahead when nothing has come yet; 0 for never
        #[arg(long, value_name = "DAYS", default_value_t = 0)]
        remind: u32,
    },
    /// Expect nothing of an organisation for a product any more
    Unexpect {
        /// Who was to deliver
        #[arg(long, value_name = "CODE")]
        organisation: String,
        /// For which product
        #[arg(long, value_name = "CODE")]
        product: String,
    },
    /// List what is expected, by which day, and how it stands: waiting, received, missing or late
    Expected {
        /// Only of this organisation
        #[arg(long, value_name = "CODE")]
        organisation: Option<String>,
        /// Only in this state
        #[arg(long, value_name = "STATE", value_parser = ["waiting", "received", "missing", "late"])]
        state: Option<String>,
    },
    /// Check a file as if an organisation had brought it; nothing of it is kept or put on record
    Check {
        /// The file
        file: PathBuf,
        /// Its product
        #[arg(long, value_name = "CODE")]
        product: String,
        /// The organisation that would bring it, or for which it would be brought
        #[arg(long, value_name = "CODE")]
        organisation: String,
        /// The name under which it would be brought, when that is another one
        #[arg(long)]
        name: Option<String>,
    },
    /// Print the receipt as it was given out
    Receipt {
        /// Its id
        id: String,
    },
    /// Print the result as it was given out
    Result {
        /// Its id
        id: String,
    },
}

/// `receipt-key …`
#[derive(Subcommand, Clone, Copy, Debug)]
pub enum ReceiptKeyCommand {
    /// Show with which key receipts and results are checked
    Show,
}

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

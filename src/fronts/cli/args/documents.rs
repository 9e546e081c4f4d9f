//! `product document …` (F7, interfaces §2).

use std::path::PathBuf;

use clap::Subcommand;

/// `product document …`
#[derive(Subcommand, Debug)]
pub enum ProductDocument {
    /// Add a document; those coupled to the product read it under its file name
    // `--version` is a version of the document here
    #[command(disable_version_flag = true)]
    Add {
        /// Short code of the product
        code: String,
        /// The file; a new version has a name of its own
        file: PathBuf,
        /// Which version it is, as people name it
        #[arg(id = "document-version", long = "version", value_name = "V")]
        version: Option<String>,
    },
    /// List the documents of a product
    List {
        /// Short code of the product
        code: String,
    },
    /// Remove a document
    Remove {
        /// Short code of the product
        code: String,
        /// Its name
        name: String,
    },
}

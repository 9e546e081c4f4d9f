//! The languages that a command can name.

use clap::ValueEnum;

/// Language of e-mails.
#[derive(Clone, Copy, ValueEnum, Debug)]
pub enum Language {
    /// Dutch
    Nl,
    /// English
    En,
}

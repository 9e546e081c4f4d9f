//! `office …`: the operator's own people (interfaces §2).

use clap::{Subcommand, ValueEnum};

use super::Language;

/// `office …`
#[derive(Subcommand, Debug)]
pub enum OfficePeople {
    /// Give somebody an account in the office, and print the link to activate it: a secret, shown once
    Add {
        /// E-mail address; it becomes the login name
        email: String,
        /// What they do there
        #[arg(long, value_enum)]
        role: Role,
        /// Language of pages and e-mails
        #[arg(long, value_enum, default_value = "nl")]
        language: Language,
    },
    /// List who works or worked in the office
    List,
    /// Give somebody another role
    Role {
        /// Login name
        email: String,
        /// What they do from now on
        #[arg(long, value_enum)]
        role: Role,
    },
    /// End somebody's account in the office for good
    End {
        /// Login name
        email: String,
        /// What led to it, for the history
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
    },
}

/// What somebody does in the office.
#[derive(Clone, Copy, ValueEnum, Debug)]
pub enum Role {
    /// Customers, their people, agreements and deliveries
    #[value(alias = "operator")]
    Officer,
    /// Also products, and who works in the office
    #[value(alias = "operator-admin")]
    Administrator,
    /// Reads everything and can block; nothing else
    SecurityOfficer,
}

//! `account end`, `organisation end` and `mandate end` (J7).

use clap::{Args, ValueEnum};

/// What ends, and why.
#[derive(Args, Debug)]
pub struct End {
    /// Code, login or id
    pub code: String,
    /// The reason of the terms of use [default: none, as when somebody left]
    #[arg(long, value_enum, visible_alias = "reason-code")]
    pub reason: Option<Why>,
    /// What led to it, in one line, for the history
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    /// Tell the user by e-mail too, and not only the administrators
    #[arg(long)]
    pub inform_user: bool,
}

/// A reason of the terms of use.
#[derive(Clone, Copy, ValueEnum, Debug)]
pub enum Why {
    /// Misuse
    A,
    /// The terms, or a change of them, are not accepted
    B,
    /// Special circumstances
    C,
}

//! The command line: its grammar, the commands, and the door to a running
//! server (`run/admin.sock`), over which the same grammar is spoken.

pub mod args;
pub mod client;
pub mod commands;
pub mod door;
mod table;

use serde_json::Value;

/// What a command answers: one JSON document, and the same for people.
#[derive(Clone, Debug)]
pub struct Answer {
    /// For `--json`.
    pub document: Value,
    /// For people.
    pub text: String,
}

impl Answer {
    /// An answer that is shown as a table of these members.
    #[must_use]
    pub fn list(rows: Vec<Value>, columns: &[&str]) -> Self {
        let text = table::rows(&rows, columns);
        Self { document: Value::Array(rows), text }
    }

    /// An answer that is shown as lines of `member: value`.
    #[must_use]
    pub fn one(document: Value) -> Self {
        let text = table::members(&document);
        Self { document, text }
    }

    /// A sentence for people, with its document.
    #[must_use]
    pub fn said(text: impl Into<String>, document: Value) -> Self {
        Self { document, text: text.into() }
    }
}

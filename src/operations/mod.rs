//! Verbs: one `impl Operations` block per file, synchronous. Names ports and domain only.

pub mod texts;

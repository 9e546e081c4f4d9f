//! Nouns: pure, synchronous types and rules. No clock, no randomness, no
//! serialisation, no I/O; names no other layer.

pub mod digest;
pub mod ids;
pub mod moment;
pub mod names;
pub mod refusal;
pub mod retention;

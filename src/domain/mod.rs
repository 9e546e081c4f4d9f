//! Nouns: pure, synchronous types and rules. No clock, no randomness, no
//! serialisation, no I/O; names no other layer.

#![deny(clippy::wildcard_enum_match_arm)]

pub mod account;
pub mod agreement;
pub mod allow_list;
pub mod block;
pub mod bodies;
pub mod check_plan;
pub mod check_sequence;
pub mod compaction;
pub mod connections;
pub mod coverage;
pub mod credential_block;
pub mod credentials;
pub mod decision;
pub mod delivery;
pub mod digest;
pub mod history;
pub mod ids;
pub mod intake;
pub mod intake_rows;
pub mod intake_ways;
pub mod interruption;
pub mod interruption_mailing;
pub mod mandate;
pub mod moment;
pub mod names;
pub mod network;
pub mod notice;
pub mod office;
pub mod organisation;
pub mod organisation_card;
pub mod packing_slip;
pub mod passkey;
pub mod pause;
pub mod product;
pub mod product_document;
pub mod proposal;
pub mod receipt;
pub mod record;
mod record_keys;
pub mod refusal;
pub mod request;
pub mod restriction;
pub mod retention;
pub mod rights;
pub mod scrub;
pub mod sign_in_record;
pub mod sign_off;
pub mod terms;
pub mod trust;
pub mod upload;
pub mod verdict;

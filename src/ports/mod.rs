//! Traits: what operations need of the world outside. Adapters implement them.

pub mod bodies;
pub mod catalog;
pub mod checker;
pub mod clock;
pub mod entropy;
pub mod failure;
pub mod handover;
pub mod keyring;
pub mod mailer;
pub mod one_time_codes;
pub mod passkeys;
pub mod passwords;
pub mod scanner;
pub mod secrets;
pub mod signer;
pub mod source;
pub mod unfinished;
pub mod vault;

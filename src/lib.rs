//! Postkluis: a secure file-delivery and drop-box server over SFTP and HTTPS.
//!
//! Arrows point one way (held by `tests/it/layering.rs`):
//! main → assembly → config, adapters, housekeeping, fronts;
//! fronts, housekeeping → operations → ports → domain;
//! adapters → sealing → domain; adapters → ports → domain; fronts → config → domain.

#[cfg(feature = "server")]
pub mod adapters;
#[cfg(feature = "server")]
pub mod config;
pub mod domain;
#[cfg(feature = "server")]
pub mod fronts;
#[cfg(feature = "server")]
pub mod housekeeping;
pub mod operations;
pub mod ports;
#[cfg(feature = "server")]
pub mod sealing;
#[cfg(feature = "server")]
pub mod telemetry;

//! Adapters: each implements one port, named thing_how. None names another.

pub mod backup_folder;
pub mod catalog_journal;
pub mod checker_stream;
pub mod clock_system;
pub mod entropy_system;
pub mod handover_folder;
pub mod keyring_folder;
pub mod letter;
pub mod mailer_folder;
pub mod mailer_smtp;
pub mod memory;
pub mod one_time_codes_totp;
pub mod passkeys_webauthn;
pub mod passwords_argon2;
pub mod scanner_clamd;
pub mod vault_folder;

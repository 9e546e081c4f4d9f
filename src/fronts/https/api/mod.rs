//! The resources of the API, one file each. Handlers are synchronous and may
//! block; they know operations and replies, not connections.

pub(super) mod accounts;
pub(super) mod announce;
pub(super) mod archive;
pub(super) mod clients;
pub(super) mod content;
pub(super) mod deliveries;
pub(super) mod documents;
pub(super) mod files;
pub(super) mod health;
pub(super) mod history;
pub(super) mod organisations;
pub(super) mod participant_files;
pub(super) mod products;
pub(super) mod ssh_keys;
pub(super) mod well_known;

//! Publishing over HTTP in two steps: files are staged one by one, then published
//! together. Asking again with the same id gives the same publication.

pub(super) mod participant_files;
pub(super) mod publications;
pub(super) mod stage;

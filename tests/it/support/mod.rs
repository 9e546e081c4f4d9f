//! What the integration tests stand on: the project's own files, the paths that
//! source text names, a server under test and real clients. Judges nothing itself.

pub(crate) mod clients;
pub(crate) mod disk;
pub(crate) mod named_paths;
pub(crate) mod programs;
pub(crate) mod project;
pub(crate) mod server;
pub(crate) mod stock;

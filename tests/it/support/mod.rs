//! What the integration tests stand on: the project's own files, the paths that
//! source text names, and a server under test. Judges nothing itself.

pub mod named_paths;
pub mod project;

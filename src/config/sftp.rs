//! Settings of the SFTP front, with the values that apply when nothing is said.

use std::time::Duration;

/// How the SFTP front behaves.
#[derive(Clone, Debug)]
pub struct SftpSettings {
    /// Most signed-in sessions at once.
    pub max_sessions: usize,
    /// Most connections that have not yet signed in.
    pub max_unauthenticated: usize,
    /// Time to sign in.
    pub login_grace: Duration,
    /// Sign-in attempts per connection.
    pub max_attempts: usize,
    /// A session without traffic ends after this.
    pub idle_timeout: Duration,
    /// Time between questions to a silent client.
    pub keepalive: Duration,
    /// Most open handles per session.
    pub max_handles: usize,
    /// Most requests of a session that run at once.
    pub window_requests: usize,
    /// Most bytes of a session that are read ahead or wait to be written.
    pub window_bytes: usize,
    /// New keys after this many bytes in either direction; at most 1 GiB.
    pub rekey_limit_bytes: usize,
    /// Time that transfers get to finish when the server stops.
    pub drain_grace: Duration,
    /// Shown before sign-in.
    pub banner: Option<String>,
}

impl Default for SftpSettings {
    fn default() -> Self {
        Self {
            max_sessions: 1000,
            max_unauthenticated: 100,
            login_grace: Duration::from_secs(30),
            max_attempts: 6,
            idle_timeout: Duration::from_secs(15 * 60),
            keepalive: Duration::from_secs(30),
            max_handles: 256,
            window_requests: 64,
            window_bytes: 8 * 1024 * 1024,
            rekey_limit_bytes: 1 << 30,
            drain_grace: Duration::from_secs(30),
            banner: None,
        }
    }
}

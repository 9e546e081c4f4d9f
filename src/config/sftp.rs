//! Limits and time limits of the SFTP front, valid by construction.
//! Knows nothing of sockets or sessions.

use std::time::Duration;

/// How much the SFTP front takes on, and how long it waits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SftpSettings {
    /// Sessions at once, over all accounts.
    pub max_sessions: usize,
    /// Sessions at once of one account.
    pub max_sessions_per_account: usize,
    /// Connections at once that have not signed in yet.
    pub max_unauthenticated: usize,
    /// Time from connecting to being signed in.
    pub login_grace: Duration,
    /// Attempts to sign in per connection.
    pub max_attempts: usize,
    /// A session without any request for this long is closed.
    pub idle_timeout: Duration,
    /// Time between keep-alive messages.
    pub keepalive: Duration,
    /// Open files and folders per session.
    pub max_handles: usize,
    /// Requests taken on at once per session.
    pub window_requests: usize,
    /// Bytes of replies held per session.
    pub window_bytes: usize,
    /// Bytes after which keys are exchanged anew.
    pub rekey_limit_bytes: usize,
    /// Time that sessions get to finish when the server stops.
    pub drain_grace: Duration,
    /// Text shown before signing in.
    pub banner: Option<String>,
}

impl Default for SftpSettings {
    fn default() -> Self {
        Self {
            max_sessions: 1_000,
            max_sessions_per_account: 32,
            max_unauthenticated: 100,
            login_grace: Duration::from_secs(30),
            max_attempts: 6,
            idle_timeout: Duration::from_secs(15 * 60),
            keepalive: Duration::from_secs(30),
            max_handles: 256,
            window_requests: 64,
            window_bytes: 8 * 1024 * 1024,
            rekey_limit_bytes: 1024 * 1024 * 1024,
            drain_grace: Duration::from_secs(30),
            banner: None,
        }
    }
}

//! Limits and time limits of the SFTP front, valid by construction.
//! Knows nothing of sockets or sessions.

use std::time::Duration;

use crate::domain::network::Network;

/// Which algorithms SSH offers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SshProfile {
    /// What is safe today and most clients know.
    Standard,
    /// Key exchange withstands quantum computers too.
    Modern,
}

/// When an address that comes to nothing is refused for a while, and how long.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PenaltySettings {
    /// So many connections in vain are too many; 0 for no penalties.
    pub after: usize,
    /// Time without one after which all are forgotten.
    pub window: Duration,
    /// First time of refusal; doubled by each further one.
    pub base: Duration,
    /// Longest time of refusal.
    pub most: Duration,
    /// Never refused, and not bound per address.
    pub exempt: Vec<Network>,
}

/// How much the SFTP front takes on, and how long it waits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SftpSettings {
    /// Which algorithms SSH offers.
    pub profile: SshProfile,
    /// Sessions at once, over all accounts.
    pub max_sessions: usize,
    /// Sessions at once of one account.
    pub max_sessions_per_account: usize,
    /// Connections at once that have not signed in yet.
    pub max_unauthenticated: usize,
    /// Of these, at most so many of one address (IPv6: of one /64).
    pub max_unauthenticated_per_address: usize,
    /// Penalties for addresses that come to nothing.
    pub penalties: PenaltySettings,
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
    /// Most bytes read for the digests of one `check-file` request.
    pub check_file_bytes: u64,
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
            profile: SshProfile::Standard,
            max_sessions: 1_000,
            max_sessions_per_account: 32,
            max_unauthenticated: 100,
            max_unauthenticated_per_address: 10,
            penalties: PenaltySettings::default(),
            login_grace: Duration::from_secs(30),
            max_attempts: 6,
            idle_timeout: Duration::from_secs(15 * 60),
            keepalive: Duration::from_secs(30),
            max_handles: 256,
            window_requests: 64,
            window_bytes: 8 * 1024 * 1024,
            check_file_bytes: 1024 * 1024 * 1024,
            rekey_limit_bytes: 1024 * 1024 * 1024,
            drain_grace: Duration::from_secs(30),
            banner: None,
        }
    }
}

impl Default for PenaltySettings {
    fn default() -> Self {
        Self {
            after: 10,
            window: Duration::from_secs(10 * 60),
            base: Duration::from_secs(30),
            most: Duration::from_secs(60 * 60),
            exempt: Vec::new(),
        }
    }
}

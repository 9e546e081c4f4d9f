//! Sign-in as this front sees it: a door that is asked about a visitor. Who may
//! enter is decided behind the door.

use std::net::SocketAddr;
use std::sync::Arc;

use super::shelf::Shelf;
use crate::domain::moment::Moment;
use crate::operations::PenaltyImposed;

/// Who stands before the door.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Visitor {
    /// Login name as sent.
    pub login: String,
    /// `SHA256:…` of the public key.
    pub fingerprint: String,
    /// The key's signature algorithm, such as `ssh-ed25519`.
    pub algorithm: String,
    /// Where the connection comes from.
    pub address: SocketAddr,
    /// The client's identification line; empty when it came too late to be seen.
    pub client_version: String,
}

/// What a visitor who may enter gets.
#[derive(Clone)]
pub struct Entrance {
    /// The folders and files of the account.
    pub shelf: Arc<dyn Shelf>,
    /// The organisation, for the list of sessions.
    pub organisation: String,
    /// When the session began.
    pub since: Moment,
}

/// Why a visitor may not enter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DoorRefusal {
    /// A sentence for the user where the protocol allows one; reveals nothing.
    pub message: String,
    /// The visitor proved who they are and is told the sentence: the door is closed for everybody now, or until the
    /// terms of use are accepted.
    pub is_closed: bool,
}

/// Decides who may enter. Its calls may block.
pub trait Door: Send + Sync + 'static {
    /// Whether a signature by this key would be of use; the key is not yet proven.
    fn may_offer(&self, visitor: &Visitor) -> bool;

    /// Lets in a visitor whose signature has been verified.
    ///
    /// # Errors
    /// [`DoorRefusal`] with the sentence to show.
    fn enter(&self, visitor: &Visitor) -> Result<Entrance, DoorRefusal>;

    /// What everybody is told before they sign in: interruptions that run or are announced (J2).
    fn notice(&self) -> Option<String> {
        None
    }

    /// Hears that an address is refused for a while.
    fn penalised(&self, penalty: PenaltyImposed);
}

//! One SSH connection: what russh reports becomes sign-in and SFTP conversations;
//! everything that is not SFTP is refused with a sentence.
#![expect(clippy::disallowed_methods, reason = "tasks and time limits of its own connections")]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use russh::keys::{Algorithm, HashAlg, PublicKey};
use russh::server::{Auth, ChannelOpenHandle, Handle, Handler, Msg, PublicKeyOffer, Session, VerifiedPublicKey};
use russh::{Channel, ChannelId, ChannelOpenFailure, Disconnect, Pty, Sig};
use tokio::sync::Notify;

use crate::config::sftp::SftpSettings;
use crate::fronts::sessions::{Arrival, Full, Meter, MostSessions, Seat, Sessions};

use super::auth::{Door, Entrance, Visitor};
use super::conversation::Conversation;
use super::requests::CoreLimits;

/// Most channels of one connection.
const MAX_CHANNELS: usize = 10;
/// The sentence for everything that is not SFTP.
const ONLY_SFTP: &str = "This server offers file transfer by SFTP only.\r\n";

/// What the listener and the session both look at.
#[derive(Default)]
pub struct Signals {
    /// Set once the visitor has entered.
    pub entered: AtomicBool,
    /// Set once a key or another way of signing in was refused.
    pub refused: AtomicBool,
    /// The client's identification line.
    pub client_version: std::sync::OnceLock<String>,
    /// Told when the visitor enters.
    pub entrance: Notify,
    /// Told when the session must end at once.
    pub cut: Notify,
    /// The conversations, so that draining knows what is still under way.
    pub conversations: std::sync::Mutex<Vec<Conversation>>,
}

impl Signals {
    /// Whether a transfer is under way.
    pub fn is_busy(&self) -> bool {
        let conversations = self.conversations.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        conversations.iter().any(Conversation::is_busy)
    }
}

/// The state of one connection.
pub struct Guest {
    settings: Arc<SftpSettings>,
    door: Arc<dyn Door>,
    sessions: Sessions,
    address: SocketAddr,
    signals: Arc<Signals>,
    entrance: Option<Entrance>,
    seat: Option<Seat>,
    channels: HashMap<ChannelId, Option<Conversation>>,
    /// Told once the visitor has proved who they are; then the connection ends.
    refusal: Option<(Disconnect, String)>,
}

impl Guest {
    /// A connection that has not signed in.
    pub fn new(
        settings: Arc<SftpSettings>,
        door: Arc<dyn Door>,
        sessions: Sessions,
        address: SocketAddr,
        signals: Arc<Signals>,
    ) -> Self {
        Self {
            settings,
            door,
            sessions,
            address,
            signals,
            entrance: None,
            seat: None,
            channels: HashMap::new(),
            refusal: None,
        }
    }

    fn visitor(&self, login: &str, key: &PublicKey, algorithm: &Algorithm) -> Visitor {
        Visitor {
            login: login.to_owned(),
            fingerprint: key.fingerprint(HashAlg::Sha256).to_string(),
            algorithm: algorithm.to_string(),
            address: self.address,
            client_version: self.signals.client_version.get().cloned().unwrap_or_default(),
        }
    }

    /// Refuses a sign-in; the listener is to know of it when nothing better follows.
    fn turn_away(&self) -> Auth {
        self.signals.refused.store(true, Ordering::Release);
        Auth::reject()
    }

    fn forget(&mut self, channel: ChannelId) {
        if let Some(Some(conversation)) = self.channels.remove(&channel) {
            end_elsewhere(conversation);
        }
        let mut conversations = self.signals.conversations.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        conversations.retain(Conversation::is_busy);
    }

    fn refuse(&self, channel: ChannelId, session: &mut Session) -> Result<(), russh::Error> {
        const STDERR: u32 = 1;
        session.channel_success(channel)?;
        session.extended_data(channel, STDERR, ONLY_SFTP.as_bytes().to_vec())?;
        session.exit_status_request(channel, 1)?;
        session.eof(channel)?;
        session.close(channel)
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        for (_, conversation) in self.channels.drain() {
            if let Some(conversation) = conversation {
                end_elsewhere(conversation);
            }
        }
    }
}

/// Ending tells the shelf what was not taken, which may touch the disk.
fn end_elsewhere(conversation: Conversation) {
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => drop(runtime.spawn_blocking(move || conversation.end())),
        Err(_) => conversation.end(),
    }
}

const fn no_room(full: Full) -> &'static str {
    match full {
        Full::Server => "The server is full; try again later.",
        Full::Login => "This account has as many sessions as it may have; close one first.",
    }
}

fn is_sha1_rsa(algorithm: &Algorithm) -> bool {
    matches!(algorithm, Algorithm::Rsa { hash: None } | Algorithm::Dsa)
}

impl Handler for Guest {
    type Error = russh::Error;

    async fn authentication_banner(&mut self) -> Result<Option<String>, Self::Error> {
        let door = Arc::clone(&self.door);
        let notice = tokio::task::spawn_blocking(move || door.notice()).await.unwrap_or_default();
        Ok(match (notice, self.settings.banner.clone()) {
            // a line of its own, as the banner has
            (Some(notice), banner) => Some(format!("{notice}\r\n{}", banner.unwrap_or_default())),
            (None, banner) => banner,
        })
    }

    async fn auth_password(&mut self, _user: &str, _password: &str) -> Result<Auth, Self::Error> {
        Ok(self.turn_away())
    }

    async fn auth_publickey_offered(&mut self, user: &str, offer: PublicKeyOffer<'_>) -> Result<Auth, Self::Error> {
        if is_sha1_rsa(offer.algorithm) {
            return Ok(self.turn_away());
        }
        let visitor = self.visitor(user, offer.public_key, offer.algorithm);
        let door = Arc::clone(&self.door);
        let useful = tokio::task::spawn_blocking(move || door.may_offer(&visitor)).await.unwrap_or(false);
        Ok(if useful { Auth::Accept } else { self.turn_away() })
    }

    async fn auth_publickey(&mut self, user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
        if is_sha1_rsa(key.algorithm) {
            return Ok(self.turn_away());
        }
        let visitor = self.visitor(user, key.public_key, key.algorithm);
        let door = Arc::clone(&self.door);
        match tokio::task::spawn_blocking(move || door.enter(&visitor)).await {
            Ok(Ok(entrance)) => {
                let signals = Arc::clone(&self.signals);
                let cut = move || signals.cut.notify_one();
                let most = MostSessions {
                    in_all: self.settings.max_sessions,
                    per_login: self.settings.max_sessions_per_account,
                };
                let arrival = Arrival {
                    login: user.to_owned(),
                    organisation: entrance.organisation.clone(),
                    credential: key.public_key.fingerprint(HashAlg::Sha256).to_string(),
                    address: self.address,
                    since: entrance.since,
                };
                match self.sessions.enter(arrival, most, cut) {
                    Ok(seat) => self.seat = Some(seat),
                    Err(full) => self.refusal = Some((Disconnect::TooManyConnections, no_room(full).to_owned())),
                }
                self.entrance = Some(entrance);
                self.signals.entered.store(true, Ordering::Release);
                self.signals.entrance.notify_one();
                Ok(Auth::Accept)
            }
            Ok(Err(refusal)) if refusal.is_closed => {
                // not the visitor's fault: signed in, told why, and sent away
                self.refusal = Some((Disconnect::ServiceNotAvailable, refusal.message));
                self.signals.entered.store(true, Ordering::Release);
                self.signals.entrance.notify_one();
                Ok(Auth::Accept)
            }
            Ok(Err(_)) | Err(_) => Ok(self.turn_away()),
        }
    }

    async fn auth_succeeded(&mut self, session: &mut Session) -> Result<(), Self::Error> {
        if self.seat.is_none() {
            let (reason, sentence) = self.refusal.take().unwrap_or((Disconnect::ByApplication, String::new()));
            session.disconnect(reason, &sentence, "en")?;
        }
        Ok(())
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        if self.channels.len() >= MAX_CHANNELS {
            reply.reject(ChannelOpenFailure::ResourceShortage).await;
            return Ok(());
        }
        self.channels.insert(channel.id(), None);
        reply.accept().await;
        Ok(())
    }

    async fn subsystem_request(
        &mut self,
        channel: ChannelId,
        name: &str,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        let fresh = matches!(self.channels.get(&channel), Some(None));
        let (true, "sftp", Some(entrance)) = (fresh, name, &self.entrance) else {
            return session.channel_failure(channel);
        };
        let limits = CoreLimits {
            max_handles: self.settings.max_handles,
            window_requests: self.settings.window_requests,
            window_bytes: self.settings.window_bytes,
            check_file_bytes: self.settings.check_file_bytes,
        };
        let conversation = Conversation::new(Arc::clone(&entrance.shelf), limits);
        self.signals.conversations.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(conversation.clone());
        let meter = self.seat.as_ref().map(Seat::meter).unwrap_or_default();
        tokio::spawn(send_answers(conversation.clone(), session.handle(), channel, meter));
        self.channels.insert(channel, Some(conversation));
        session.channel_success(channel)
    }

    async fn data(&mut self, channel: ChannelId, data: &[u8], session: &mut Session) -> Result<(), Self::Error> {
        let Some(Some(conversation)) = self.channels.get(&channel) else { return Ok(()) };
        if let Some(seat) = &self.seat {
            seat.count_received(data.len());
        }
        if let Err(broken) = conversation.feed(data).await {
            tracing::warn!(?broken, address = %self.address, "sftp conversation broken off");
            session.close(channel)?;
            self.forget(channel);
            return Ok(());
        }
        // what is ready now leaves from here; what comes later is carried by `send_answers`
        while let Some(answer) = conversation.take_answer() {
            if let Some(seat) = &self.seat {
                seat.count_sent(answer.len());
            }
            session.data(channel, answer)?;
        }
        Ok(())
    }

    async fn channel_eof(&mut self, channel: ChannelId, session: &mut Session) -> Result<(), Self::Error> {
        if self.channels.contains_key(&channel) {
            session.exit_status_request(channel, 0)?;
            session.close(channel)?;
            self.forget(channel);
        }
        Ok(())
    }

    async fn channel_close(&mut self, channel: ChannelId, _session: &mut Session) -> Result<(), Self::Error> {
        self.forget(channel);
        Ok(())
    }

    // What follows is answered: a client that asks for an answer waits until it comes.

    async fn pty_request(
        &mut self,
        channel: ChannelId,
        _term: &str,
        _columns: u32,
        _rows: u32,
        _width: u32,
        _height: u32,
        _modes: &[(Pty, u32)],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        // OpenSSH with `RequestTTY force` would give up; nothing is behind it
        session.channel_success(channel)
    }

    async fn x11_request(
        &mut self,
        channel: ChannelId,
        _single_connection: bool,
        _protocol: &str,
        _cookie: &str,
        _screen: u32,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }

    async fn env_request(
        &mut self,
        channel: ChannelId,
        _name: &str,
        _value: &str,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }

    async fn window_change_request(
        &mut self,
        channel: ChannelId,
        _columns: u32,
        _rows: u32,
        _width: u32,
        _height: u32,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }

    async fn signal(&mut self, channel: ChannelId, _signal: Sig, session: &mut Session) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }

    async fn shell_request(&mut self, channel: ChannelId, session: &mut Session) -> Result<(), Self::Error> {
        self.refuse(channel, session)
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        _command: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.refuse(channel, session)
    }
}

/// Carries answers to russh, which takes them only while the window is open and no
/// keys are being exchanged: held back and resumed without a callback.
async fn send_answers(conversation: Conversation, handle: Handle, channel: ChannelId, meter: Arc<Meter>) {
    let send = |bytes: Bytes| async {
        let length = bytes.len();
        let is_sent = handle.data(channel, bytes).await.is_ok();
        if is_sent {
            meter.add_sent(length);
        }
        is_sent
    };
    conversation.pump(send).await;
    // the session may be gone already, and the channel with it
    let _ = handle.close(channel).await;
}

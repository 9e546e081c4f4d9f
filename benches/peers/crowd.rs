//! Many sessions from one process (russh as the client): signing in, idling, small
//! requests. The same client, cipher and key exchange for every server.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use russh::client::{self, Handle, Msg};
use russh::keys::{PrivateKey, PrivateKeyWithHashAlg, PublicKeyOrCertificate};
use russh::{Channel, Disconnect, Preferred, cipher, kex};
use russh_sftp::client::SftpSession;
use tokio::task::JoinSet;

use crate::served::Outcome;
use crate::server::Server;

/// Sign-ins at once: as many as a server that bounds those of one address takes.
const AT_ONCE: usize = 8;
/// No step of a session takes longer, however busy the machine is.
const WITHIN: Duration = Duration::from_secs(60);

const KEX: &[kex::Name] = &[kex::CURVE25519, kex::CURVE25519_PRE_RFC_8731, kex::DH_G16_SHA512];
const CIPHERS: &[cipher::Name] = &[cipher::AES_128_GCM, cipher::AES_128_CTR];

struct TrustAll;

impl client::Handler for TrustAll {
    type Error = russh::Error;

    async fn check_server_key(&mut self, _key: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        // The bench talks to servers that it started itself, on loopback.
        Ok(true)
    }
}

/// Who signs in, and how.
#[derive(Clone)]
pub(crate) struct Guest {
    key: Arc<PrivateKey>,
    config: Arc<client::Config>,
}

/// One open session.
pub(crate) struct Session {
    handle: Handle<TrustAll>,
    /// Its SFTP side.
    pub(crate) sftp: SftpSession,
}

impl Guest {
    pub(crate) fn new(key: &Path) -> Outcome<Self> {
        let preferred = Preferred { kex: Cow::Borrowed(KEX), cipher: Cow::Borrowed(CIPHERS), ..Preferred::DEFAULT };
        let config = client::Config { preferred, nodelay: true, ..client::Config::default() };
        let key = russh::keys::load_secret_key(key, None)?;
        Ok(Self { key: Arc::new(key), config: Arc::new(config) })
    }

    /// Signs in and begins SFTP.
    pub(crate) async fn enter(&self, at: SocketAddr, login: &str) -> Outcome<Session> {
        tokio::time::timeout(WITHIN, self.try_enter(at, login)).await?
    }

    async fn try_enter(&self, at: SocketAddr, login: &str) -> Outcome<Session> {
        let (handle, channel) = self.open_channel(at, login).await?;
        let sftp = SftpSession::new(channel.into_stream()).await?;
        sftp.set_timeout(WITHIN.as_secs());
        Ok(Session { handle, sftp })
    }

    /// Signs in, asks for SFTP and begins to send a request of 200,000 bytes, whose rest never comes but byte by
    /// byte, as slowly as told; goes on until it is dropped.
    pub(crate) async fn dribble(&self, at: SocketAddr, login: &str, pause: Duration) -> Outcome<()> {
        let (handle, channel) = self.open_channel(at, login).await?;
        channel.data(&b"\x00\x00\x00\x05\x01\x00\x00\x00\x03"[..]).await?;
        channel.data(&b"\x00\x03\x0d\x40\x06\x00\x00\x00\x01"[..]).await?;
        loop {
            tokio::time::sleep(pause).await;
            channel.data(&b"x"[..]).await?;
            if handle.is_closed() {
                return Err("the server hung up".into());
            }
        }
    }

    async fn open_channel(&self, at: SocketAddr, login: &str) -> Outcome<(Handle<TrustAll>, Channel<Msg>)> {
        let mut handle = client::connect(Arc::clone(&self.config), at, TrustAll).await?;
        let key = PrivateKeyWithHashAlg::new(Arc::clone(&self.key), None);
        if !handle.authenticate_publickey(login, key).await?.success() {
            return Err(format!("{login} was refused").into());
        }
        let channel = handle.channel_open_session().await?;
        channel.request_subsystem(true, "sftp").await?;
        Ok((handle, channel))
    }

    /// So many sessions, some at a time.
    pub(crate) async fn enter_all(&self, server: &Server, count: usize) -> Outcome<Vec<Session>> {
        let mut entering = JoinSet::new();
        let mut sessions = Vec::with_capacity(count);
        for started in 0..count {
            if started >= AT_ONCE {
                sessions.extend(next(&mut entering).await?);
            }
            let (guest, at, login) = (self.clone(), server.at, server.login.clone());
            entering.spawn(async move { guest.enter(at, &login).await.map_err(|error| error.to_string()) });
        }
        while let Some(session) = next(&mut entering).await? {
            sessions.push(session);
        }
        Ok(sessions)
    }

    /// Signs in and out so many times, some at a time; the wall seconds.
    pub(crate) async fn sign_in_and_out(&self, server: &Server, count: usize) -> Outcome<f64> {
        let begun = Instant::now();
        let mut lanes: JoinSet<Result<(), String>> = JoinSet::new();
        for _ in 0..AT_ONCE {
            let (guest, at, login) = (self.clone(), server.at, server.login.clone());
            lanes.spawn(async move {
                for _ in 0..count / AT_ONCE {
                    guest.enter(at, &login).await.map_err(|error| error.to_string())?.leave().await;
                }
                Ok(())
            });
        }
        while let Some(ended) = lanes.join_next().await {
            ended??;
        }
        Ok(begun.elapsed().as_secs_f64())
    }
}

async fn next(entering: &mut JoinSet<Result<Session, String>>) -> Outcome<Option<Session>> {
    match entering.join_next().await {
        Some(entered) => Ok(Some(entered??)),
        None => Ok(None),
    }
}

impl Session {
    /// Ends it in order.
    pub(crate) async fn leave(self) {
        // A server that hung up first has ended it as well.
        let _ = self.handle.disconnect(Disconnect::ByApplication, "", "en").await;
    }

    /// Asks for the attributes of a path, one request after the other, for so long; milliseconds of each.
    pub(crate) async fn stat_times(&self, path: &str, lasts: Duration) -> Outcome<Vec<f64>> {
        let mut each = Vec::new();
        let whole = Instant::now();
        while whole.elapsed() < lasts {
            let begun = Instant::now();
            self.sftp.metadata(path).await?;
            each.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        Ok(each)
    }
}

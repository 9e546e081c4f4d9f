//! Takes connections, bounds them in number and time, and drains them when the
//! server stops. Knows nothing of requests or rights.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use russh::keys::{Algorithm, EcdsaCurve, HashAlg, PrivateKey};
use russh::server::Config;
use russh::{MethodKind, MethodSet, Preferred, SshId, cipher, compression, kex, mac};
use tokio::io::BufReader;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use crate::config::sftp::SftpSettings;
use crate::fronts::sessions::Sessions;

use super::auth::Door;
use super::session::{Guest, Signals};

/// Wait after a refused `accept` (out of descriptors), so as not to spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How often a draining session is looked at.
const DRAIN_LOOK: Duration = Duration::from_millis(50);
/// Wait for the client's identification line, before ours is sent: most speak at once.
const IDENTIFICATION_WAIT: Duration = Duration::from_millis(100);
/// Longest identification line (RFC 4253 §4.2).
const MAX_IDENTIFICATION_BYTES: usize = 255;
/// Every refused key costs the same time, found or not.
const REJECTION_TIME: Duration = Duration::from_millis(100);
/// Unanswered keepalives before a connection is given up.
const KEEPALIVE_MAX: usize = 3;
/// Receive window of a channel, in bytes: what may be under way towards us.
const WINDOW_BYTES: u32 = 2 * 1024 * 1024;
/// Read from the socket at a time: the length of a packet and the packet itself need not be two calls.
const READ_BUFFER_BYTES: usize = 8 * 1024;
/// Most payload of an SSH packet (RFC 4253 §6.1).
const PACKET_BYTES: u32 = 32_768;
/// Longest time with the same keys (RFC 4253 §9).
const REKEY_TIME: Duration = Duration::from_secs(3600);
/// russh accepts no more than this between rekeys.
const MAX_REKEY_BYTES: usize = 1 << 30;

const KEX: &[kex::Name] = &[
    kex::MLKEM768X25519_SHA256,
    kex::CURVE25519,
    kex::CURVE25519_PRE_RFC_8731,
    kex::DH_G16_SHA512,
    kex::DH_G18_SHA512,
    kex::EXTENSION_SUPPORT_AS_SERVER,
    kex::EXTENSION_OPENSSH_STRICT_KEX_AS_SERVER,
];
const CIPHERS: &[cipher::Name] = &[
    cipher::AES_128_GCM,
    cipher::AES_256_GCM,
    cipher::CHACHA20_POLY1305,
    cipher::AES_256_CTR,
    cipher::AES_192_CTR,
    cipher::AES_128_CTR,
];
const MACS: &[mac::Name] = &[mac::HMAC_SHA512_ETM, mac::HMAC_SHA256_ETM];
const KEYS: &[Algorithm] = &[
    Algorithm::Ed25519,
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 },
    Algorithm::SkEd25519,
    Algorithm::SkEcdsaSha2NistP256,
    Algorithm::Rsa { hash: Some(HashAlg::Sha512) },
    Algorithm::Rsa { hash: Some(HashAlg::Sha256) },
];

/// The stop signal, or its sender gone.
async fn stopped(shutdown: &mut watch::Receiver<bool>) {
    // Both ways mean the same; the borrowed value must not be held over an await.
    drop(shutdown.wait_for(|stop| *stop).await);
}

/// Serves SFTP on `listener` until `shutdown` becomes true (or its sender is gone),
/// then lets transfers finish for at most `settings.drain_grace`.
pub async fn serve(
    listener: TcpListener,
    host_keys: Vec<PrivateKey>,
    settings: SftpSettings,
    door: Arc<dyn Door>,
    sessions: Sessions,
    mut shutdown: watch::Receiver<bool>,
) {
    let config = Arc::new(ssh_config(host_keys, &settings));
    let settings = Arc::new(settings);
    let strangers = Arc::new(Semaphore::new(settings.max_unauthenticated));
    let mut connections = JoinSet::new();
    let stop = shutdown.clone();
    loop {
        tokio::select! {
            () = stopped(&mut shutdown) => break,
            Some(ended) = connections.join_next() => report(ended),
            accepted = listener.accept() => match accepted {
                Ok((socket, address)) => {
                    let Ok(place) = Arc::clone(&strangers).try_acquire_owned() else {
                        tracing::warn!(%address, "too many connections wait for sign-in: refused");
                        continue;
                    };
                    let signals = Arc::new(Signals::default());
                    let guest = Guest::new(
                        Arc::clone(&settings), Arc::clone(&door), sessions.clone(), address, Arc::clone(&signals));
                    connections.spawn(connection(
                        socket, address, Arc::clone(&config), guest, Arc::clone(&settings), signals, place, stop.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    let drained = async {
        while let Some(ended) = connections.join_next().await {
            report(ended);
        }
    };
    if tokio::time::timeout(settings.drain_grace, drained).await.is_err() {
        connections.shutdown().await;
    }
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!("an sftp session ended in a fault; the others go on");
    }
}

#[expect(clippy::too_many_arguments, reason = "called once; a struct would only rename them")]
async fn connection(
    socket: TcpStream,
    address: SocketAddr,
    config: Arc<Config>,
    guest: Guest,
    settings: Arc<SftpSettings>,
    signals: Arc<Signals>,
    place: OwnedSemaphorePermit,
    mut shutdown: watch::Receiver<bool>,
) {
    // answers are written whole; waiting to fill a segment only delays them
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%error, "no-delay could not be set");
    }
    let Ok((socket, line)) = with_cutter(socket) else { return };
    if let Ok(Some(line)) = tokio::time::timeout(IDENTIFICATION_WAIT, identification(&socket)).await {
        let _ = signals.client_version.set(line);
    }
    let grace = tokio::time::sleep(settings.login_grace);
    tokio::pin!(grace);
    let running = tokio::select! {
        running = russh::server::run_stream(config, BufReader::with_capacity(READ_BUFFER_BYTES, socket), guest) => running,
        () = &mut grace => return,
    };
    let Ok(mut running) = running else { return };
    let handle = running.handle();
    let mut place = Some(place);
    let mut stopping = false;
    loop {
        tokio::select! {
            ended = &mut running => {
                if let Err(error) = ended {
                    tracing::debug!(%error, %address, "sftp connection ended");
                }
                return;
            }
            () = signals.entrance.notified() => place = None,
            () = &mut grace, if !signals.entered.load(Ordering::Acquire) && place.is_some() => break,
            () = signals.cut.notified() => break,
            _ = shutdown.wait_for(|stop| *stop), if !stopping => stopping = true,
            () = tokio::time::sleep(DRAIN_LOOK), if stopping => if !signals.is_busy() { break },
        }
    }
    let farewell = handle.disconnect(russh::Disconnect::ByApplication, "the session was ended".into(), "en".into());
    // a client that does not read must not keep us
    let _ = tokio::time::timeout(ACCEPT_PAUSE, farewell).await;
    if tokio::time::timeout(ACCEPT_PAUSE, &mut running).await.is_ok() {
        return;
    }
    // russh would wait for the client to hang up; the socket ends it for both
    drop(line);
    let _ = tokio::time::timeout(ACCEPT_PAUSE, &mut running).await;
}

/// A second hold on a socket: dropped, it cuts the connection off.
struct Line(std::net::TcpStream);

impl Drop for Line {
    fn drop(&mut self) {
        // an error means that the connection was gone already
        let _ = self.0.shutdown(std::net::Shutdown::Both);
    }
}

/// The client's first line, left in the socket for russh to read; only printable ASCII.
async fn identification(socket: &TcpStream) -> Option<String> {
    let mut start = [0; MAX_IDENTIFICATION_BYTES];
    let count = socket.peek(&mut start).await.ok()?;
    let line = start.get(..count)?.split(|byte| matches!(byte, b'\r' | b'\n')).next()?;
    let printable = line.iter().all(|byte| matches!(byte, b' '..=b'~'));
    printable.then(|| String::from_utf8_lossy(line).into_owned())
}

/// The socket, and a second hold on it by which it can be cut off.
fn with_cutter(socket: TcpStream) -> std::io::Result<(TcpStream, Line)> {
    let socket = socket.into_std()?;
    let line = Line(socket.try_clone()?);
    Ok((TcpStream::from_std(socket)?, line))
}

fn ssh_config(keys: Vec<PrivateKey>, settings: &SftpSettings) -> Config {
    let rekey = settings.rekey_limit_bytes.min(MAX_REKEY_BYTES);
    Config {
        server_id: SshId::Standard(Cow::Borrowed("SSH-2.0-Postkluis")),
        methods: MethodSet::from(&[MethodKind::PublicKey][..]),
        auth_rejection_time: REJECTION_TIME,
        auth_rejection_time_initial: Some(Duration::ZERO),
        keys,
        limits: russh::Limits::new(rekey, rekey, REKEY_TIME),
        window_size: WINDOW_BYTES,
        maximum_packet_size: PACKET_BYTES,
        preferred: Preferred {
            kex: Cow::Borrowed(KEX),
            key: Cow::Borrowed(KEYS),
            host_key_certificates: Cow::Borrowed(&[]),
            cipher: Cow::Borrowed(CIPHERS),
            mac: Cow::Borrowed(MACS),
            compression: Cow::Borrowed(&[compression::NONE]),
        },
        max_auth_attempts: settings.max_attempts,
        inactivity_timeout: Some(settings.idle_timeout),
        keepalive_interval: Some(settings.keepalive),
        keepalive_max: KEEPALIVE_MAX,
        nodelay: true,
        ..Config::default()
    }
}

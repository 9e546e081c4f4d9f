//! Takes connections, bounds them in number and time, and drains them when the
//! server stops. Knows nothing of requests or rights.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use russh::keys::PrivateKey;
use tokio::io::BufReader;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::config::sftp::SftpSettings;
use crate::domain::moment::Span;
use crate::fronts::sessions::Sessions;
use crate::operations::PenaltyImposed;

use super::algorithms::Offers;
use super::auth::Door;
use super::greeting::greet;
use super::session::{Guest, Signals};
use super::strangers::{Penalty, Place, Strangers, Turned};

/// Wait after a refused `accept` (out of descriptors), so as not to spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How often a draining session is looked at.
const DRAIN_LOOK: Duration = Duration::from_millis(50);
/// Read from the socket at a time: the length of a packet and the packet itself need not be two calls.
const READ_BUFFER_BYTES: usize = 8 * 1024;

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
    let house = Arc::new(House {
        offers: Offers::new(&host_keys, &settings),
        strangers: Strangers::new(&settings),
        settings: Arc::new(settings),
        door,
        sessions,
    });
    let mut connections = JoinSet::new();
    let stop = shutdown.clone();
    loop {
        tokio::select! {
            () = stopped(&mut shutdown) => break,
            Some(ended) = connections.join_next() => report(ended),
            accepted = listener.accept() => match accepted {
                Ok((socket, address)) => {
                    if let Some(place) = house.admit(address) {
                        connections.spawn(connection(socket, address, Arc::clone(&house), place, stop.clone()));
                    }
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
    if tokio::time::timeout(house.settings.drain_grace, drained).await.is_err() {
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

/// What all connections share.
struct House {
    offers: Offers,
    strangers: Arc<Strangers>,
    settings: Arc<SftpSettings>,
    door: Arc<dyn Door>,
    sessions: Sessions,
}

impl House {
    fn admit(&self, address: SocketAddr) -> Option<Place> {
        let turned = match self.strangers.admit(address.ip(), now()) {
            Ok(place) => return Some(place),
            Err(turned) => turned,
        };
        let why = match turned {
            Turned::Full => "sftp.max_unauthenticated connections wait for sign-in",
            Turned::FullOfAddress => {
                "sftp.max_unauthenticated_per_address connections of this address wait for sign-in"
            }
            Turned::Penalised => "too many connections of this address came to nothing",
        };
        if let Some(count) = self.strangers.turned_away(now()) {
            tracing::warn!(%address, count, "connections were refused, the last because {why}");
        }
        None
    }

    /// Remembers how the connection of a stranger ended.
    fn came_to_nothing(&self, address: SocketAddr, why: &str) {
        tracing::info!(%address, "came to nothing: {why}");
        if let Some(penalty) = self.strangers.fault(address.ip(), now()) {
            self.tell_of(&penalty, address);
            tracing::warn!(
                source = %penalty.source,
                seconds = penalty.lasts.as_secs(),
                failures = penalty.faults,
                refused_before = penalty.refused,
                "this address is refused for a while (sftp.penalty_after)"
            );
        }
    }

    fn tell_of(&self, penalty: &Penalty, address: SocketAddr) {
        let millis = u64::try_from(penalty.lasts.as_millis()).unwrap_or(u64::MAX);
        let imposed = PenaltyImposed {
            address: address.ip(),
            source: penalty.source,
            lasts: Span::from_millis(millis),
            faults: penalty.faults,
            refused: penalty.refused,
        };
        let door = Arc::clone(&self.door);
        // the end of the connection does not wait for it
        drop(tokio::task::spawn_blocking(move || door.penalised(imposed)));
    }
}

#[expect(clippy::disallowed_methods, reason = "a front may time its own connections")]
fn now() -> Instant {
    Instant::now()
}

async fn connection(
    socket: TcpStream,
    address: SocketAddr,
    house: Arc<House>,
    place: Place,
    mut shutdown: watch::Receiver<bool>,
) {
    // answers are written whole; waiting to fill a segment only delays them
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%error, "no-delay could not be set");
    }
    let Ok((socket, line)) = with_cutter(socket) else { return };
    let settings = &house.settings;
    let grace = tokio::time::sleep(settings.login_grace);
    tokio::pin!(grace);
    let signals = Arc::new(Signals::default());
    let start = async {
        let (stream, hello) = greet(BufReader::with_capacity(READ_BUFFER_BYTES, socket)).await?;
        let offer = house.offers.offer_to(&hello);
        let _ = signals.client_version.set(hello.line);
        let guest = Guest::new(
            Arc::clone(settings),
            Arc::clone(&house.door),
            house.sessions.clone(),
            address,
            Arc::clone(&signals),
        );
        russh::server::run_stream(offer, stream, guest).await
    };
    let started = tokio::select! {
        started = start => started,
        () = &mut grace => return house.came_to_nothing(address, "the time to sign in passed (sftp.login_grace)"),
        () = stopped(&mut shutdown) => return,
    };
    let mut running = match started {
        Ok(running) => running,
        Err(error) => {
            if is_fault(&error) {
                house.came_to_nothing(address, &error.to_string());
            }
            return;
        }
    };
    let handle = running.handle();
    let mut place = Some(place);
    let mut stopping = false;
    loop {
        tokio::select! {
            ended = &mut running => {
                let fault = ended.as_ref().err().filter(|error| is_fault(error)).map(ToString::to_string);
                if !signals.entered.load(Ordering::Acquire) {
                    let refused = signals.refused.load(Ordering::Acquire).then(|| "no sign-in succeeded".to_owned());
                    if let Some(why) = refused.or(fault) {
                        house.came_to_nothing(address, &why);
                    }
                } else if let Err(error) = ended {
                    tracing::debug!(%error, %address, "sftp connection ended");
                }
                return;
            }
            () = signals.entrance.notified() => {
                place = None;
                house.strangers.forgive(address.ip());
            }
            () = &mut grace, if !signals.entered.load(Ordering::Acquire) && place.is_some() => {
                house.came_to_nothing(address, "the time to sign in passed (sftp.login_grace)");
                break;
            }
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

/// Whether a connection ended by something that is not SSH. A client that hangs up does no wrong, nor
/// does one too old to agree on algorithms: it should be told so each time.
fn is_fault(error: &russh::Error) -> bool {
    match error {
        russh::Error::IO(error) => error.kind() == std::io::ErrorKind::InvalidData,
        russh::Error::Disconnect | russh::Error::HUP | russh::Error::NoCommonAlgo { .. } => false,
        _ => true,
    }
}

/// The socket, and a second hold on it by which it can be cut off.
fn with_cutter(socket: TcpStream) -> std::io::Result<(TcpStream, Line)> {
    let socket = socket.into_std()?;
    let line = Line(socket.try_clone()?);
    Ok((TcpStream::from_std(socket)?, line))
}

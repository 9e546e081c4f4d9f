//! Accepting connections, their bounds in number and time, and their end. Knows
//! what HTTP versions are, not what is asked over them.
#![expect(clippy::disallowed_methods, reason = "time limits and tasks of its own connections")]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::Site;
use super::answer::{Door, answer};
use super::routes::Table;
use super::tls;
use super::wire::{Ledger, Wire};

/// Requests at once over one HTTP/2 connection.
const MOST_STREAMS: u32 = 64;

/// HTTP/2 keeps at most so much unsent content per stream: two pieces.
const STREAM_BUFFER_BYTES: usize = 2 * super::body::PIECE_BYTES;

/// The head of a request may be so large: 32 KiB.
const HEAD_BYTES: u32 = 32 * 1024;

/// A request has at most so many headers (HTTP/1).
const MOST_HEADERS: usize = 64;

/// The first byte of TLS (RFC 8446 §5.1, a handshake record); no request of HTTP begins so.
const TLS_HANDSHAKE: [u8; 1] = [22];

/// Wait after an accept that failed, such as for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// After connections were cut, downloads get so long to put on record what left.
const RECORD_GRACE: Duration = Duration::from_secs(5);

/// Whether anything is asked over a connection, and since when not.
pub(super) struct Activity {
    running: AtomicUsize,
    last: Mutex<Instant>,
}

/// One request that runs; until its answer has been handed over.
pub(super) struct Running(Arc<Activity>);

impl Activity {
    fn new() -> Self {
        Self { running: AtomicUsize::new(0), last: Mutex::new(Instant::now()) }
    }

    /// A request begins.
    pub(super) fn begin(self: &Arc<Self>) -> Running {
        self.running.fetch_add(1, Ordering::AcqRel);
        Running(Arc::clone(self))
    }

    fn idle(&self) -> Duration {
        if self.running.load(Ordering::Acquire) > 0 {
            return Duration::ZERO;
        }
        self.last.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        *self.0.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.0.running.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Serves over TLS until `shutdown`, then drains; `plain` is what is answered to who comes without TLS.
pub(super) async fn serve(
    site: Arc<Site>,
    listener: TcpListener,
    table: Table,
    tls: TlsAcceptor,
    plain: Option<Table>,
    mut shutdown: watch::Receiver<bool>,
) {
    let seats = Arc::new(Semaphore::new(site.config.https.max_connections));
    let (alive, mut ended) = mpsc::channel::<()>(1);
    let (cut, cutting) = watch::channel(false);
    loop {
        let accepted = tokio::select! {
            () = stopped(&mut shutdown) => break,
            accepted = accept(&listener, &seats) => accepted,
        };
        let Ok((stream, peer, seat)) = accepted else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let connection = Connection {
            site: Arc::clone(&site),
            table,
            plain,
            peer,
            shutdown: shutdown.clone(),
            cutting: cutting.clone(),
            alive: alive.clone(),
        };
        let tls = tls.clone();
        tokio::spawn(async move {
            connection.run(stream, tls).await;
            drop(seat);
        });
    }
    drop(listener);
    site.stopping.store(true, Ordering::Relaxed);
    drop(alive);
    // `recv` ends when the last connection and download have dropped their sender.
    if timeout(site.config.https.drain_grace, ended.recv()).await.is_err() {
        let _ = cut.send(true);
        if timeout(RECORD_GRACE, ended.recv()).await.is_err() {
            tracing::warn!("downloads were still being recorded when the HTTPS server stopped");
        }
    }
}

type Seat = tokio::sync::OwnedSemaphorePermit;

async fn accept(listener: &TcpListener, seats: &Arc<Semaphore>) -> std::io::Result<(TcpStream, SocketAddr, Seat)> {
    let seat = Arc::clone(seats).acquire_owned().await.map_err(std::io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, seat))
}

/// Waits for true, or for nobody being left to say it.
async fn stopped(signal: &mut watch::Receiver<bool>) {
    let _ = signal.wait_for(|stop| *stop).await;
}

struct Connection {
    site: Arc<Site>,
    table: Table,
    /// What is answered without TLS, on a listener that takes both.
    plain: Option<Table>,
    peer: SocketAddr,
    shutdown: watch::Receiver<bool>,
    cutting: watch::Receiver<bool>,
    alive: mpsc::Sender<()>,
}

impl Connection {
    async fn run(mut self, stream: TcpStream, tls: TlsAcceptor) {
        // Without it small answers wait for acknowledgements; a failure costs speed only.
        let _ = stream.set_nodelay(true);
        if let Some(table) = self.plain {
            let mut first = [0];
            let looked = timeout(self.site.config.https.handshake_timeout, stream.peek(&mut first));
            let looked = tokio::select! {
                looked = looked => looked,
                () = stopped(&mut self.shutdown) => return,
            };
            match looked {
                Ok(Ok(1)) if first == TLS_HANDSHAKE => {}
                Ok(Ok(1)) => {
                    self.table = table;
                    return self.speak(stream, false).await;
                }
                Ok(Ok(_) | Err(_)) | Err(_) => return,
            }
        }
        let handshake = timeout(self.site.config.https.handshake_timeout, tls.accept(stream));
        let shaken = tokio::select! {
            shaken = handshake => shaken,
            () = stopped(&mut self.shutdown) => return,
        };
        match shaken {
            Ok(Ok(stream)) => {
                let is_http2 = stream.get_ref().1.alpn_protocol() == Some(tls::H2);
                self.speak(stream, is_http2).await;
            }
            Ok(Err(error)) => tracing::debug!(peer = %self.peer, %error, "TLS handshake failed"),
            Err(_) => tracing::debug!(peer = %self.peer, "TLS handshake took too long"),
        }
    }

    async fn speak<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(self, stream: S, is_http2: bool) {
        let Self { site, table, plain: _, peer, mut shutdown, mut cutting, alive } = self;
        let https = &site.config.https;
        let ledger = Arc::new(Ledger::default());
        let activity = Arc::new(Activity::new());
        let wire = TokioIo::new(Wire::new(stream, Arc::clone(&ledger), https.request_timeout));
        let cut = Arc::clone(&ledger);
        let door = Door { site: Arc::clone(&site), table, address: peer.ip(), ledger, alive };
        let door = Arc::new(door);
        let asked = Arc::clone(&activity);
        let service = service_fn(move |request| {
            let (door, running) = (Arc::clone(&door), asked.begin());
            async move { Ok::<_, Infallible>(answer(&door, request, running).await) }
        });
        let builder = builder(is_http2, https.header_timeout, https.idle_timeout);
        let mut connection = std::pin::pin!(builder.serve_connection(wire, service));
        let (mut is_ending, mut wait) = (false, https.idle_timeout);
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%peer, %error, "connection ended");
                    }
                    return;
                }
                () = stopped(&mut shutdown), if !is_ending => {
                    is_ending = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = stopped(&mut cutting) => return,
                () = cut.is_cut() => return,
                () = sleep(wait) => {
                    let idle = activity.idle();
                    if idle >= https.idle_timeout {
                        return;
                    }
                    wait = https.idle_timeout.saturating_sub(idle);
                }
            }
        }
    }
}

fn builder(is_http2: bool, header_timeout: Duration, idle_timeout: Duration) -> Builder<TokioExecutor> {
    let builder = Builder::new(TokioExecutor::new());
    let mut builder = if is_http2 { builder.http2_only() } else { builder.http1_only() };
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        .max_headers(MOST_HEADERS)
        .half_close(false);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MOST_STREAMS)
        .max_send_buf_size(STREAM_BUFFER_BYTES)
        .max_header_list_size(HEAD_BYTES)
        .keep_alive_interval(idle_timeout / 2)
        .keep_alive_timeout(idle_timeout / 2);
    builder
}

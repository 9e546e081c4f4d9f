//! A far server: a proxy on loopback that hands bytes on after a while, each way
//! alike, or that stops handing on what the server says. Bandwidth is not limited.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;

use crate::served::Outcome;

const PIECE_BYTES: usize = 64 * 1024;
/// What is under way in one direction: 64 MiB, far more than 50 ms of loopback.
const PIECES: usize = 1_024;

/// Listens on loopback; every connection goes to `to`, and every piece arrives `one_way` later than it was sent.
pub(crate) async fn delayed(to: SocketAddr, one_way: Duration) -> Outcome<SocketAddr> {
    proxy(to, one_way, usize::MAX).await
}

/// The same without delay, which stops taking what the server says after so many bytes: a reader that has stalled.
pub(crate) async fn stalling(to: SocketAddr, after_bytes: usize) -> Outcome<SocketAddr> {
    proxy(to, Duration::ZERO, after_bytes).await
}

async fn proxy(to: SocketAddr, one_way: Duration, most_bytes: usize) -> Outcome<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let at = listener.local_addr()?;
    // Ends with the runtime of the bench.
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let Ok(far) = TcpStream::connect(to).await else { continue };
            if near.set_nodelay(true).and(far.set_nodelay(true)).is_err() {
                continue;
            }
            let ((near_from, near_to), (far_from, far_to)) = (near.into_split(), far.into_split());
            tokio::spawn(carry(near_from, far_to, one_way, usize::MAX));
            tokio::spawn(carry(far_from, near_to, one_way, most_bytes));
        }
    });
    Ok(at)
}

async fn carry(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    one_way: Duration,
    most_bytes: usize,
) {
    let (sender, mut pieces) = mpsc::channel::<(Instant, Vec<u8>)>(PIECES);
    let never = Arc::new(Semaphore::new(0));
    let reading = async move {
        let mut carried = 0;
        loop {
            let mut piece = vec![0; PIECE_BYTES];
            let Ok(length @ 1..) = from.read(&mut piece).await else { return };
            piece.truncate(length);
            carried += length;
            if sender.send((Instant::now() + one_way, piece)).await.is_err() {
                return;
            }
            if carried >= most_bytes {
                // Neither read nor closed any more, until the bench ends.
                drop(never.acquire().await);
            }
        }
    };
    let writing = async move {
        while let Some((due, piece)) = pieces.recv().await {
            tokio::time::sleep_until(due).await;
            if to.write_all(&piece).await.is_err() {
                return;
            }
        }
        // The other side hung up; the connection ends with this half.
        let _ = to.shutdown().await;
    };
    tokio::join!(reading, writing);
}

//! Load: memory per idle session, many idle and busy sessions at once, and what
//! attackers and stalled clients do to the latency of somebody else's session.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

use crate::crowd::{Guest, Session};
use crate::far;
use crate::measure::median;
use crate::served::Outcome;
use crate::server::Server;
use crate::tree;

/// Attackers come from another address than honest clients, as they would.
const ATTACKER: &str = "127.0.0.2:0";
const STATS: usize = 400;
const SLICES: usize = 5;
/// Below the bound on connections that have not signed in (100).
const HALF_OPEN: usize = 60;
const STALLED: usize = 20;
const FLOODERS: usize = 4;

/// Prints the memory of each idle session, when there are so many; a server that cannot bear them is named.
pub(crate) async fn memory(guest: &Guest, servers: &[&Server], counts: &[usize]) -> Outcome<()> {
    println!("\n-- memory per idle session (PSS of all processes, less that without sessions)");
    for server in servers {
        for count in counts {
            tree::settle(server.pid(), server.idle_processes())?;
            let before = tree::memory_kib(server.pid());
            let begun = Instant::now();
            match guest.enter_all(server, *count).await {
                Ok(sessions) => {
                    let took = begun.elapsed().as_secs_f64();
                    let each = (tree::memory_kib(server.pid()) - before) / *count as f64;
                    let (name, total) = (server.name, before / 1024.0);
                    println!(
                        "{name:<26} {count:>5} sessions: {each:>8.1} KiB each ({total:.0} MiB before; signed in within {took:.1} s)"
                    );
                    for session in sessions {
                        session.leave().await;
                    }
                }
                Err(error) => println!("{:<26} {count:>5} sessions: not measured: {error}", server.name),
            }
        }
    }
    Ok(())
}

/// 1,000 idle and 200 busy sessions at once: none may be refused, and each busy one gets its bytes.
pub(crate) async fn crowd(guest: &Guest, server: &Server, idle: usize, busy: usize, lasts: Duration) -> Outcome<()> {
    println!("\n-- {idle} idle and {busy} busy sessions at once for {} s", lasts.as_secs());
    let sessions = guest.enter_all(server, idle).await?;
    let workers = guest.enter_all(server, busy).await?;
    let memory = tree::memory_kib(server.pid());
    let cpu = tree::cpu_seconds(server.pid());
    let fetched = Arc::new(AtomicUsize::new(0));
    let begun = Instant::now();
    let mut working: JoinSet<Result<Vec<f64>, String>> = JoinSet::new();
    for (number, session) in workers.into_iter().enumerate() {
        let (fetched, prefix) = (Arc::clone(&fetched), server.remote("small"));
        working.spawn(async move {
            let mut each = Vec::new();
            while begun.elapsed() < lasts {
                let path = format!("{prefix}/small-{:05}.bin", (number * 7 + each.len()) % 2_000);
                let from = Instant::now();
                let bytes = session.sftp.read(&path).await.map_err(|error| format!("{path}: {error}"))?;
                if bytes.len() != 10 * 1024 {
                    return Err(format!("{path} came with {} bytes", bytes.len()));
                }
                each.push(from.elapsed().as_secs_f64() * 1e3);
                fetched.fetch_add(1, Ordering::Relaxed);
            }
            session.leave().await;
            Ok(each)
        });
    }
    let mut times = Vec::new();
    while let Some(ended) = working.join_next().await {
        times.extend(ended??);
    }
    let seconds = begun.elapsed().as_secs_f64();
    let cpu = tree::cpu_seconds(server.pid()) - cpu;
    times.sort_by(f64::total_cmp);
    let at = |part: f64| times.get((times.len() as f64 * part) as usize).copied().unwrap_or(f64::NAN);
    let count = fetched.load(Ordering::Relaxed);
    println!(
        "{:<26} none refused; {:.0} files/s, CPU {:.3} ms/file, each {:.0} ms (median), {:.0} ms (99 %), memory {:.0} MiB",
        server.name,
        count as f64 / seconds,
        cpu * 1e3 / count as f64,
        at(0.5),
        at(0.99),
        memory / 1024.0
    );
    let path = server.remote("small/small-00000.bin");
    for session in sessions {
        // An idle one still lives.
        session.sftp.metadata(&path).await?;
        session.leave().await;
    }
    Ok(())
}

/// Whoever troubles the server; ends when it is dropped.
struct Trouble {
    stop: Arc<AtomicBool>,
    tasks: JoinSet<()>,
    sessions: Vec<Session>,
}

impl Drop for Trouble {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.tasks.abort_all();
        self.sessions.clear();
    }
}

#[derive(Clone, Copy)]
enum Kind {
    /// Connections that say who they are and nothing more.
    HalfOpen,
    /// Sessions that ask for much and take nothing.
    SlowReaders,
    /// Sessions that send a large request byte by byte.
    SlowWriters,
    /// Bytes that are no SSH, as fast as they are taken.
    Garbage,
    /// Connections made and dropped, as fast as they are taken.
    Connections,
}

/// Prints the latency of `stat` in one session, alone and under each trouble in turn.
pub(crate) async fn latency(guest: &Guest, server: &Server) -> Outcome<()> {
    println!(
        "\n-- latency of a stat in one session, alone and under trouble, {SLICES} slices of {STATS} in turn; troubles \
         come from another address; client, attackers and server share the processors"
    );
    let probe = guest.enter(server.at, &server.login).await?;
    let path = server.remote("small/small-00000.bin");
    probe.stat_times(&path, STATS).await?;
    for (name, kind) in [
        ("60 half-open connections", Kind::HalfOpen),
        ("20 sessions that read nothing", Kind::SlowReaders),
        ("20 sessions that send byte by byte", Kind::SlowWriters),
        ("4 senders of garbage", Kind::Garbage),
        ("4 makers of connections", Kind::Connections),
    ] {
        let (mut alone, mut troubled) = (Vec::new(), Vec::new());
        for _ in 0..SLICES {
            alone.push(median(&probe.stat_times(&path, STATS).await?));
            let trouble = trouble(guest, server, kind).await?;
            troubled.push(median(&probe.stat_times(&path, STATS).await?));
            drop(trouble);
        }
        let (alone, troubled) = (median(&alone), median(&troubled));
        println!(
            "{:<26} {name:<36} alone {alone:.3} ms, troubled {troubled:.3} ms, {:.2} times",
            server.name,
            troubled / alone
        );
    }
    probe.leave().await;
    Ok(())
}

async fn trouble(guest: &Guest, server: &Server, kind: Kind) -> Outcome<Trouble> {
    let stop = Arc::new(AtomicBool::new(false));
    let (mut tasks, mut sessions) = (JoinSet::new(), Vec::new());
    let at = server.at;
    match kind {
        Kind::HalfOpen => {
            for _ in 0..HALF_OPEN {
                let mut socket = from_elsewhere(at).await?;
                socket.write_all(b"SSH-2.0-silent\r\n").await?;
                tasks.spawn(async move {
                    // Holds the connection open, and takes what comes.
                    let _ = socket.read_to_end(&mut Vec::new()).await;
                    std::future::pending::<()>().await;
                });
            }
        }
        Kind::SlowReaders => {
            // Enough for the handshake, then nothing is taken any more.
            let stalled = far::stalling(at, 200_000).await?;
            for _ in 0..STALLED {
                let session = guest.enter(stalled, &server.login).await?;
                let file = session.sftp.open(server.remote("large/large.bin")).await?;
                tasks.spawn(async move {
                    let (mut file, mut into) = (file, vec![0; 1 << 20]);
                    while file.read_exact(&mut into).await.is_ok() {}
                });
                sessions.push(session);
            }
        }
        Kind::SlowWriters => {
            for _ in 0..STALLED {
                let (guest, login) = (guest.clone(), server.login.clone());
                tasks.spawn(async move {
                    // That the server hangs up on it is its right.
                    let _ = guest.dribble(at, &login, Duration::from_millis(5)).await;
                });
            }
        }
        Kind::Garbage => {
            for number in 0..FLOODERS {
                let stop = Arc::clone(&stop);
                tasks.spawn(async move {
                    let garbage: Vec<u8> = (0..4_096_usize).map(|at| ((at * 131 + number * 7) % 251) as u8).collect();
                    while !stop.load(Ordering::Relaxed) {
                        let Ok(mut socket) = from_elsewhere(at).await else { continue };
                        while socket.write_all(&garbage).await.is_ok() {}
                    }
                });
            }
        }
        Kind::Connections => {
            for _ in 0..FLOODERS {
                let stop = Arc::clone(&stop);
                tasks.spawn(async move {
                    while !stop.load(Ordering::Relaxed) {
                        drop(from_elsewhere(at).await);
                    }
                });
            }
        }
    }
    Ok(Trouble { stop, tasks, sessions })
}

async fn from_elsewhere(at: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(ATTACKER.parse().map_err(std::io::Error::other)?)?;
    socket.connect(at).await
}

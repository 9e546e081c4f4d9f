//! Load: memory per idle session, many idle and busy sessions at once, and what
//! attackers and stalled clients do to the latency of somebody else's session.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::crowd::Guest;
use crate::far;
use crate::measure::median;
use crate::served::Outcome;
use crate::server::Server;
use crate::tree;

const SLICES: usize = 5;
/// Long enough for a thousand stats.
const SLICE: Duration = Duration::from_millis(500);
/// Each flooder makes a connection so often.
const PACE: Duration = Duration::from_millis(4);
/// All attackers have got to the server by then.
const UNDER_WAY_WITHIN: Duration = Duration::from_secs(30);
/// Below the bound on connections that have not signed in (100).
const HALF_OPEN: usize = 60;
const STALLED: usize = 20;
/// Below the bound on connections of one address that have not signed in (10).
const AT_THE_DOOR: usize = 5;
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

/// Whoever troubles the server, on a thread apart from the honest client's; ends when it is dropped.
struct Trouble {
    attackers: Option<Runtime>,
    /// What they have done so far: connections and sessions.
    done: Arc<AtomicUsize>,
}

impl Drop for Trouble {
    fn drop(&mut self) {
        if let Some(attackers) = self.attackers.take() {
            attackers.shutdown_background();
        }
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
    /// Connections with bytes that are no SSH.
    Garbage,
    /// Connections made and dropped.
    Connections,
}

/// Prints the latency of `stat` in one session, alone and under each trouble in turn.
pub(crate) async fn latency(guest: &Guest, server: &Server) -> Outcome<()> {
    println!(
        "\n-- {}: latency of a stat in one session, alone and under trouble; {SLICES} slices of {} s each in turn, median \
         of the medians; troubles come from other addresses, floods at {} connections a second; client, attackers and \
         server share the processors",
        server.name,
        SLICE.as_secs_f64(),
        FLOODERS * 1_000 / usize::try_from(PACE.as_millis())?,
    );
    let probe = guest.enter(server.at, &server.login).await?;
    let path = server.remote("small/small-00000.bin");
    probe.stat_times(&path, SLICE).await?;
    for (name, kind) in [
        ("60 half-open connections", Kind::HalfOpen),
        ("20 sessions that read nothing", Kind::SlowReaders),
        ("20 sessions that send byte by byte", Kind::SlowWriters),
        ("a flood of garbage", Kind::Garbage),
        ("a flood of connections", Kind::Connections),
    ] {
        let (mut alone, mut troubled, mut done) = (Vec::new(), Vec::new(), 0);
        for _ in 0..SLICES {
            alone.push(median(&probe.stat_times(&path, SLICE).await?));
            let trouble = trouble(guest, server, &path, kind).await?;
            troubled.push(median(&probe.stat_times(&path, SLICE).await?));
            done += trouble.done.load(Ordering::Relaxed);
            drop(trouble);
        }
        let (alone, troubled) = (median(&alone), median(&troubled));
        let times = troubled / alone;
        println!(
            "{name:<36} alone {alone:.3} ms, troubled {troubled:.3} ms: {times:.2} times ({done} connections in all)"
        );
    }
    probe.leave().await;
    Ok(())
}

/// Starts it, and waits until it is under way.
async fn trouble(guest: &Guest, server: &Server, small: &str, kind: Kind) -> Outcome<Trouble> {
    let attackers = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let done = Arc::new(AtomicUsize::new(0));
    let at = server.at;
    let wanted = match kind {
        Kind::HalfOpen => {
            for number in 0..HALF_OPEN {
                let done = Arc::clone(&done);
                attackers.spawn(async move {
                    let Ok(mut socket) = from_elsewhere(at, number).await else { return };
                    if socket.write_all(b"SSH-2.0-silent\r\n").await.is_ok() {
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                    // Holds the connection open, and takes what comes.
                    let _ = socket.read_to_end(&mut Vec::new()).await;
                    std::future::pending::<()>().await;
                });
            }
            HALF_OPEN
        }
        Kind::SlowReaders => {
            // A server lets in so many of one address at a time that have not signed in.
            let turns = Arc::new(Semaphore::new(AT_THE_DOOR));
            for _ in 0..STALLED {
                let (guest, login, done) = (guest.clone(), server.login.clone(), Arc::clone(&done));
                let turns = Arc::clone(&turns);
                let (small, large) = (small.to_owned(), server.remote("large/large.bin"));
                attackers.spawn(async move {
                    let Ok(turn) = turns.acquire().await else { return };
                    // Enough for the handshake, then nothing is taken any more.
                    let Ok(stalled) = far::stalling(at, 200_000).await else { return };
                    let Ok(session) = guest.enter(stalled, &login).await else { return };
                    drop(turn);
                    let (Ok(_), Ok(mut file)) = (session.sftp.metadata(small).await, session.sftp.open(large).await)
                    else {
                        return;
                    };
                    done.fetch_add(1, Ordering::Relaxed);
                    let mut into = vec![0; 1 << 20];
                    while file.read_exact(&mut into).await.is_ok() {}
                    std::future::pending::<()>().await;
                });
            }
            STALLED
        }
        Kind::SlowWriters => {
            for _ in 0..STALLED {
                let (guest, login, done) = (guest.clone(), server.login.clone(), Arc::clone(&done));
                attackers.spawn(async move {
                    done.fetch_add(1, Ordering::Relaxed);
                    // That the server hangs up on it is its right.
                    let _ = guest.dribble(at, &login, Duration::from_millis(5)).await;
                });
            }
            STALLED
        }
        Kind::Garbage | Kind::Connections => {
            let garbage: Vec<u8> =
                (0..4_096_usize).map(|at| u8::try_from(at * 131 % 251).unwrap_or_default()).collect();
            let garbage = Arc::new(if matches!(kind, Kind::Garbage) { garbage } else { Vec::new() });
            for number in 0..FLOODERS {
                let (done, garbage) = (Arc::clone(&done), Arc::clone(&garbage));
                attackers.spawn(async move {
                    let mut pace = tokio::time::interval(PACE);
                    loop {
                        pace.tick().await;
                        let made = done.fetch_add(1, Ordering::Relaxed);
                        let Ok(mut socket) = from_elsewhere(at, number + made % 100).await else { continue };
                        if !garbage.is_empty() {
                            // The server hangs up at some point.
                            let _ = socket.write_all(&garbage).await;
                        }
                    }
                });
            }
            FLOODERS * 20
        }
    };
    let trouble = Trouble { attackers: Some(attackers), done };
    let begun = Instant::now();
    while trouble.done.load(Ordering::Relaxed) < wanted {
        if begun.elapsed() > UNDER_WAY_WITHIN {
            let done = trouble.done.load(Ordering::Relaxed);
            return Err(format!("only {done} of {wanted} attackers got to the server").into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(trouble)
}

/// One of 127.0.0.2 to 127.0.0.249.
async fn from_elsewhere(at: SocketAddr, number: usize) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    let host = u8::try_from(2 + number % 248).unwrap_or(2);
    socket.bind(SocketAddr::from(([127, 0, 0, host], 0)))?;
    socket.connect(at).await
}

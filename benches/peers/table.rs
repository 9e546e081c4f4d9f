//! Rounds in turn and their tables: each server once per round, medians, and
//! ratios of ours to each other server's of the same round.

use std::io::{Write as _, stdout};

use crate::measure::{median, ratio};
use crate::served::Outcome;
use crate::server::Server;
use crate::tree;

/// What one server took in the rounds that count.
#[derive(Default)]
pub(crate) struct Taken {
    wall: Vec<f64>,
    cpu: Vec<f64>,
    peak_kib: Vec<f64>,
}

/// In what a work is counted.
pub(crate) struct Unit {
    pub(crate) name: &'static str,
    pub(crate) count: f64,
}

/// How many rounds count, after one that warms up: for ours and OpenSSH's, and for the others.
#[derive(Clone, Copy)]
pub(crate) struct Rounds {
    pub(crate) first_two: usize,
    pub(crate) others: usize,
}

/// Runs the work on each server in turn and prints the table; returns the CPU seconds of ours for one unit. The
/// first server is ours. The work returns its wall seconds; who cannot do it is named with the reason and left out.
pub(crate) fn rounds(
    title: &str,
    unit: &Unit,
    rounds: Rounds,
    servers: &[&Server],
    mut work: impl FnMut(&Server) -> Outcome<f64>,
) -> Outcome<Option<f64>> {
    println!("\n-- {title}, in turn");
    let mut taken: Vec<Result<Taken, String>> = servers.iter().map(|_| Ok(Taken::default())).collect();
    for round in 0..=rounds.first_two {
        for (place, (server, taken)) in servers.iter().zip(&mut taken).enumerate() {
            let Ok(values) = taken else { continue };
            if place >= 2 && round > rounds.others {
                continue;
            }
            let cpu = server.cpu_seconds()?;
            let (outcome, peak) = tree::with_peak(server.pid(), || work(server));
            match outcome {
                Err(error) => *taken = Err(error.to_string()),
                // The first round warms up.
                Ok(_) if round == 0 => {}
                Ok(wall) => {
                    values.wall.push(wall);
                    values.cpu.push(server.cpu_seconds()? - cpu);
                    values.peak_kib.push(peak);
                }
            }
        }
    }
    print_table(unit, servers, &taken);
    let ours = taken.first().and_then(|taken| taken.as_ref().ok());
    Ok(ours.map(|taken| median(&taken.cpu) / unit.count))
}

fn print_table(unit: &Unit, servers: &[&Server], taken: &[Result<Taken, String>]) {
    println!(
        "{:<26} {:>6} {:>8} {:>12} {:>16} {:>9}   {:<22} {:<22}",
        "server",
        "rounds",
        "wall s",
        format!("{}/s", unit.name),
        format!("CPU ms/{}", unit.name),
        "peak MiB",
        "wall, ours/theirs",
        "CPU, ours/theirs"
    );
    let ours = taken.first().and_then(|taken| taken.as_ref().ok());
    for (server, taken) in servers.iter().zip(taken) {
        let taken = match taken {
            Ok(taken) => taken,
            Err(error) => {
                println!(
                    "{:<26} not measured: {}",
                    server.name,
                    error.rsplit("exit status: 1:").next().unwrap_or_default().trim()
                );
                continue;
            }
        };
        let (wall, cpu) = (median(&taken.wall), median(&taken.cpu));
        let ratios = match ours {
            Some(ours) if !std::ptr::eq(ours, taken) => {
                format!("{:<22} {:<22}", ratio(&ours.wall, &taken.wall), ratio(&ours.cpu, &taken.cpu))
            }
            _ => String::new(),
        };
        println!(
            "{:<26} {:>6} {wall:>8.2} {:>12.2} {:>16.3} {:>9.1}   {ratios}",
            server.name,
            taken.wall.len(),
            unit.count / wall,
            cpu * 1e3 / unit.count,
            median(&taken.peak_kib) / 1024.0,
        );
    }
    // Lines appear as they are measured, also in a file; a closed output is no reason to stop.
    let _ = stdout().flush();
}

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

/// Runs the work on each server in turn, so many times after one that warms up, and prints the table. The first
/// server is ours. The work returns its wall seconds; who cannot do it is named with the reason and left out.
pub(crate) fn rounds(
    title: &str,
    unit: &Unit,
    pairs: usize,
    servers: &[&Server],
    mut work: impl FnMut(&Server) -> Outcome<f64>,
) -> Outcome<()> {
    println!("\n-- {title}; {pairs} rounds in turn");
    let mut taken: Vec<Result<Taken, String>> = servers.iter().map(|_| Ok(Taken::default())).collect();
    for round in 0..=pairs {
        for (server, taken) in servers.iter().zip(&mut taken) {
            let Ok(values) = taken else { continue };
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
    Ok(())
}

fn print_table(unit: &Unit, servers: &[&Server], taken: &[Result<Taken, String>]) {
    println!(
        "{:<26} {:>8} {:>12} {:>16} {:>9}   {:<22} {:<22}",
        "server",
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
                println!("{:<26} not measured: {}", server.name, error.lines().last().unwrap_or_default());
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
            "{:<26} {wall:>8.2} {:>12.2} {:>16.3} {:>9.1}   {ratios}",
            server.name,
            unit.count / wall,
            cpu * 1e3 / unit.count,
            median(&taken.peak_kib) / 1024.0,
        );
    }
    // Lines appear as they are measured, also in a file; a closed output is no reason to stop.
    let _ = stdout().flush();
}

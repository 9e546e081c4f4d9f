//! Numbers: medians, CPU seconds of a process, and the machine they were
//! taken on.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::served::Outcome;

/// Clock ticks per second in `/proc/<pid>/stat`: 100 on every Linux platform of Rust.
const TICKS_PER_SECOND: f64 = 100.0;

/// User and system CPU seconds of a process and of its children that have ended.
pub(crate) fn cpu_seconds_of(pid: u32) -> Outcome<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in brackets may hold blanks; utime to cstime are fields 14 to 17.
    let (_, rest) = stat.rsplit_once(')').ok_or("a process without a name")?;
    let ticks = rest.split_whitespace().skip(11).take(4).map(str::parse::<f64>).sum::<Result<f64, _>>()?;
    Ok(ticks / TICKS_PER_SECOND)
}

/// The middle value; the mean of the two in the middle for an even count.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
    if sorted.len() % 2 == 1 { at(middle) } else { f64::midpoint(at(middle.wrapping_sub(1)), at(middle)) }
}

/// Median of the ratios of pairs that were measured in turn, with the smallest and the largest.
pub(crate) fn ratio(ours: &[f64], theirs: &[f64]) -> String {
    let ratios: Vec<f64> = ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect();
    let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    let most = ratios.iter().copied().fold(0.0, f64::max);
    format!("{:.2} ({least:.2}–{most:.2})", median(&ratios))
}

/// Prints date, machine, load and versions.
pub(crate) fn print_machine(folder: &Path) {
    let said = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output();
        output.map_or_else(
            |error| format!("{program}: {error}"),
            |output| {
                let text = if output.stdout.is_empty() { output.stderr } else { output.stdout };
                String::from_utf8_lossy(&text).trim().to_owned()
            },
        )
    };
    let first_of = |path: &str, beginning: &str| {
        let text = fs::read_to_string(path).unwrap_or_default();
        text.lines().find(|line| line.starts_with(beginning)).unwrap_or("unknown").to_owned()
    };
    let folder = folder.display().to_string();
    println!("date         {}", said("date", &["--utc", "--iso-8601=seconds"]));
    println!("processors   {}", said("nproc", &[]));
    println!("             {}", first_of("/proc/cpuinfo", "model name"));
    println!("             {}", first_of("/proc/meminfo", "MemTotal"));
    println!("kernel       {}", said("uname", &["-sr"]));
    println!("file system  {}", said("stat", &["--file-system", "--format=%T", &folder]));
    println!("load         {}", fs::read_to_string("/proc/loadavg").unwrap_or_default().trim());
    println!("client       {}", said("ssh", &["-V"]));
    println!("compiler     {}", said("rustc", &["--version"]));
}

//! One file of 1 GiB to one organisation and to a thousand, in turn: through the
//! operations, and through the command line on a running server.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::measure::{median, ratio};
use crate::served::{Outcome, SETTINGS, Served};
use crate::{Disk, MIB, own_cpu, row, seconds, world};

const ORGANISATIONS: usize = 1_000;
const FILE_BYTES: u64 = 1_024 * MIB;
/// Pairs through the operations and through the command line, after one pair of a small file that warms up.
const PAIRS: usize = 3;
const PRODUCT: &str = "large";

/// What one publication took.
#[derive(Default)]
struct Costs {
    wall: Vec<f64>,
    cpu: Vec<f64>,
    disk: Vec<f64>,
}

/// Measures in `folder`.
pub(crate) fn measure(folder: &Path) -> Outcome<()> {
    let home = folder.join("home");
    world::make_home(&home)?;
    {
        let operations = world::open(&home)?;
        let begun = Instant::now();
        world::add_product(&operations, PRODUCT)?;
        for number in 1..=ORGANISATIONS {
            world::add_organisation(&operations, number)?;
            world::agree(&operations, number, PRODUCT)?;
        }
        row("make 1,000 organisations, accounts, agreements and rights", &seconds(begun.elapsed()));
        let mut publish = |to_all: bool, bytes: u64, name: String| {
            world::publish(&operations, PRODUCT, to_all, &[(name, bytes)])?;
            Ok(())
        };
        println!("\n-- through the operations, {PAIRS} pairs in turn");
        in_turn(&home, &mut publish)?;
    }
    println!("\n-- `delivery publish` on a running server, {PAIRS} pairs in turn");
    let source = folder.join("source.bin");
    let served = Served::start(&home, &[])?;
    let mut publish = |to_all: bool, bytes: u64, name: String| {
        make_file(&source, bytes)?;
        let named = folder.join(name);
        fs::rename(&source, &named)?;
        let published = publish_by_command(&home, &named, to_all);
        fs::remove_file(&named)?;
        published
    };
    in_turn(&home, &mut publish)?;
    served.stop()
}

/// Publishes to one and to all in turn, and prints what it took.
fn in_turn(home: &Path, publish: &mut dyn FnMut(bool, u64, String) -> Outcome<()>) -> Outcome<()> {
    let (mut one, mut all) = (Costs::default(), Costs::default());
    let run = std::process::id();
    for pair in 0..=PAIRS {
        let bytes = if pair == 0 { MIB } else { FILE_BYTES };
        for (to_all, costs) in [(false, &mut one), (true, &mut all)] {
            let before = Disk::of(home)?;
            let (begun, cpu) = (Instant::now(), own_cpu()?);
            publish(to_all, bytes, format!("file-{run}-{}-{pair}-{to_all}.bin", before.vault))?;
            let (wall, cpu) = (begun.elapsed().as_secs_f64(), own_cpu()? - cpu);
            if pair > 0 {
                let used = Disk::of(home)?.since(&before);
                costs.wall.push(wall);
                costs.cpu.push(cpu);
                costs.disk.push((used.vault + used.journal + used.index) as f64);
            }
        }
    }
    row("wall to one, to all", &format!("{:.2} s, {:.2} s", median(&one.wall), median(&all.wall)));
    row("wall ratio (goal 1.5)", &ratio(&all.wall, &one.wall));
    let each = |all: &[f64], one: &[f64]| (median(all) - median(one)) / (ORGANISATIONS - 1) as f64;
    row("a further organisation, wall", &format!("{:.3} ms", each(&all.wall, &one.wall) * 1e3));
    row("CPU of this process, to one, to all", &format!("{:.2} s, {:.2} s", median(&one.cpu), median(&all.cpu)));
    row("disk ratio (vault, journal and index; goal 1.01)", &format!("{:.4}", median(&all.disk) / median(&one.disk)));
    row("a further organisation, disk", &format!("{:.0} B", each(&all.disk, &one.disk)));
    row("disk to one against the bytes of the file", &format!("{:.5}", median(&one.disk) / FILE_BYTES as f64));
    Ok(())
}

/// Bytes that do not repeat within a megabyte.
fn make_file(path: &Path, bytes: u64) -> Outcome<()> {
    let block: Vec<u8> =
        (0..1_u32 << 20).map(|at| at.wrapping_mul(2_654_435_761).to_be_bytes().first().copied().unwrap_or(0)).collect();
    let mut file = File::create(path)?;
    for _ in 0..bytes / MIB {
        file.write_all(&block)?;
    }
    // What is still to be written would be counted against the first that publishes.
    file.sync_all()?;
    Ok(())
}

fn publish_by_command(home: &Path, file: &Path, to_all: bool) -> Outcome<()> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postkluis"));
    command.arg("--home").arg(home).args(["delivery", "publish", "--product", PRODUCT]);
    if !to_all {
        command.args(["--organisation", world::FIRST]);
    }
    let done = command.arg(file).envs(SETTINGS.iter().copied()).stdin(Stdio::null()).output()?;
    if done.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&done.stderr).into()) }
}

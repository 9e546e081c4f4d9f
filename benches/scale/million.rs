//! A million deliveries in one catalog, 1,000 to each of 1,000 organisations: what
//! grows with them, against the same catalog with its first thousand.

use std::fs;
use std::path::Path;
use std::time::Instant;

use postkluis::domain::delivery::DeliveryPart;
use postkluis::domain::names::{OrganisationCode, ProductCode};
use postkluis::operations::{Caller, DeliveryFilter};

use crate::clients::make_key;
use crate::measure::{cpu_seconds_of, median};
use crate::served::{Outcome, Served};
use crate::{Disk, MIB, row, world};

const ORGANISATIONS: usize = 1_000;
const DELIVERIES: usize = 1_000_000;
const PRODUCT: &str = "daily";
const SMALL_BYTES: u64 = 1_024;
/// Publications to one organisation, and fetches of them, of one measurement.
const SINGLE: usize = 51;
/// Publications to all of one measurement.
const TO_ALL: usize = 5;
const STARTS: usize = 3;
/// With more deliveries a start after SIGKILL takes long: one is enough.
const KILLED_ONCE_FROM: usize = 100_000;

/// How many deliveries: `--deliveries=N`, or a million.
pub(crate) fn wanted(arguments: &[String]) -> Outcome<usize> {
    let given = arguments.iter().find_map(|argument| argument.strip_prefix("--deliveries="));
    Ok(given.map(str::parse).transpose()?.unwrap_or(DELIVERIES))
}

/// Measures in `folder`.
pub(crate) fn measure(folder: &Path, deliveries: usize) -> Outcome<()> {
    let (home, key) = (folder.join("home"), folder.join("key"));
    world::make_home(&home)?;
    make_key(&key)?;
    let caller = {
        let operations = world::open(&home)?;
        world::add_product(&operations, PRODUCT)?;
        for number in 1..=ORGANISATIONS {
            world::add_organisation(&operations, number)?;
            world::agree(&operations, number, PRODUCT)?;
        }
        world::add_key(&operations, &key.with_extension("pub"))?
    };
    publish_to_all(&home, 1)?;
    println!("\n-- with 1,000 deliveries");
    probe(&home, &caller, "few", STARTS)?;
    let publications = (deliveries / ORGANISATIONS).saturating_sub(1 + TO_ALL).max(1);
    println!("\n-- {publications} more publications of one file of 1 KiB to all {ORGANISATIONS}");
    publish_to_all(&home, publications)?;
    println!("\n-- with {deliveries} deliveries");
    let kills = if deliveries < KILLED_ONCE_FROM { STARTS } else { 1 };
    probe(&home, &caller, "many", kills)
}

fn publish_to_all(home: &Path, publications: usize) -> Outcome<()> {
    let operations = world::open(home)?;
    let before = Disk::of(home)?;
    let begun = Instant::now();
    let mut each = Vec::new();
    for number in 0..publications {
        let begun = Instant::now();
        let name = format!("daily-{number:05}-of-{publications}.csv");
        world::publish(&operations, PRODUCT, true, &[(name, SMALL_BYTES)])?;
        each.push(begun.elapsed().as_secs_f64());
        // Each tenth of them in a line: what grows is seen while it grows.
        let tenth = publications.div_ceil(10);
        if publications >= 10 && each.len() == tenth {
            let used = Disk::of(home)?.since(&before);
            let sizes = format!("journal {} MiB, index {} MiB", used.journal / MIB, used.index / MIB);
            row(
                &format!("up to publication {}", number + 1),
                &format!("{:.0} ms each, {sizes}, {} MiB resident", median(&each) * 1e3, own_memory()?),
            );
            each.clear();
        }
    }
    row("publish them, wall", &format!("{:.1} s", begun.elapsed().as_secs_f64()));
    Ok(())
}

fn probe(home: &Path, caller: &Caller, run: &str, kills: usize) -> Outcome<()> {
    {
        let operations = world::open(home)?;
        row("publish to all", &{
            let mut each = Vec::new();
            for number in 0..TO_ALL {
                let begun = Instant::now();
                world::publish(&operations, PRODUCT, true, &[(format!("all-{run}-{number}.csv"), SMALL_BYTES)])?;
                each.push(begun.elapsed().as_secs_f64());
            }
            format!("{:.0} ms", median(&each) * 1e3)
        });
        let (mut publish, mut fetch, mut made) = (Vec::new(), Vec::new(), Vec::new());
        for number in 0..SINGLE {
            let begun = Instant::now();
            let done =
                world::publish(&operations, PRODUCT, false, &[(format!("one-{run}-{number}.csv"), SMALL_BYTES)])?;
            publish.push(begun.elapsed().as_secs_f64());
            made.extend(done.deliveries.into_iter().map(|delivery| delivery.id));
        }
        row("publish to one", &micros(&publish));
        let mut into = vec![0; 64 * 1024];
        for id in made {
            let begun = Instant::now();
            let file = operations.open_part(caller, id, DeliveryPart::Data(1))?;
            let length = file.read(0, &mut into)?;
            file.taken(0, length)?;
            file.close()?;
            fetch.push(begun.elapsed().as_secs_f64());
        }
        row("fetch one file, on record", &micros(&fetch));
        let (organisation, product) = (OrganisationCode::parse(world::FIRST)?, ProductCode::parse(PRODUCT)?);
        let (mut folder, mut page) = (Vec::new(), Vec::new());
        let (mut names, mut rows) = (0, 0);
        for _ in 0..SINGLE {
            let begun = Instant::now();
            names = operations.outbox_page(caller, &organisation, &product, None, 100)?.len();
            folder.push(begun.elapsed().as_secs_f64());
            let filter = DeliveryFilter { organisation: Some(organisation.clone()), limit: 50, ..Default::default() };
            let begun = Instant::now();
            rows = operations.deliveries(caller, &filter)?.len();
            page.push(begun.elapsed().as_secs_f64());
        }
        row(&format!("first {names} names of one organisation's folder"), &micros(&folder));
        row(&format!("first {rows} deliveries of one organisation"), &micros(&page));
        row("memory of this process", &format!("{} MiB", own_memory()?));
    }
    let disk = Disk::of(home)?;
    let snapshots = fs::read_dir(home.join("data/catalog/snapshots")).map_or(0, Iterator::count);
    let sizes = [("vault", disk.vault), ("journal", disk.journal), ("index", disk.index)];
    let sizes: Vec<_> = sizes.map(|(what, bytes)| format!("{what} {} MiB", bytes / MIB)).to_vec();
    row("disk", &format!("{}, {snapshots} snapshots", sizes.join(", ")));
    for is_killed in [false, true] {
        let (mut wall, mut cpu, mut memory, mut peak) = (vec![], vec![], vec![], vec![]);
        for _ in 0..if is_killed { kills } else { STARTS } {
            let before = Served::start(home, &[])?;
            if is_killed {
                drop(before);
            } else {
                before.stop()?;
            }
            let begun = Instant::now();
            let served = Served::start(home, &[])?;
            wall.push(begun.elapsed().as_secs_f64());
            cpu.push(cpu_seconds_of(served.pid())?);
            memory.push(memory_mib(served.pid(), "VmRSS:")? as f64);
            peak.push(memory_mib(served.pid(), "VmHWM:")? as f64);
            served.stop()?;
        }
        let what = if is_killed { "start after SIGKILL" } else { "start after SIGTERM" };
        let memory = format!("{:.0} MiB, at most {:.0} MiB", median(&memory), median(&peak));
        row(what, &format!("{:.2} s, {:.2} s CPU, {memory}", median(&wall), median(&cpu)));
    }
    Ok(())
}

fn micros(values: &[f64]) -> String {
    format!("{:.0} µs", median(values) * 1e6)
}

fn own_memory() -> Outcome<u64> {
    memory_mib(std::process::id(), "VmRSS:")
}

/// What the kernel says of a process under this name: memory that is resident now, or was at most.
fn memory_mib(pid: u32, name: &str) -> Outcome<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).ok_or("a process without memory")?;
    let kib = line.split_whitespace().next().ok_or("memory without a number")?.parse::<u64>()?;
    Ok(kib / 1_024)
}

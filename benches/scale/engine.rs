//! Commits, publishing, reading and headers, each beside its parts alone: the cipher,
//! the digest, the disk. Everything in one process, without a network.

use std::fs::{self, File, OpenOptions};
use std::hint::black_box;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use age::secrecy::ExposeSecret as _;
use age::x25519::Identity;
use aws_lc_rs::digest::{Context, SHA256};
use postkluis::adapters::catalog_journal::{CatalogJournal, JournalSettings};
use postkluis::domain::decision::Decision;
use postkluis::domain::delivery::DeliveryPart;
use postkluis::domain::history::{About, Event, Happening, Who};
use postkluis::domain::ids::DeliveryId;
use postkluis::domain::moment::Moment;
use postkluis::domain::names::{OrganisationCode, ProductCode};
use postkluis::domain::record::LastSequence;
use postkluis::operations::{Caller, Operations};
use postkluis::ports::catalog::Catalog;
use postkluis::sealing::header;
use postkluis::sealing::owner::OwnerKey;
use postkluis::sealing::stream::{CHUNK_BYTES, Layout, PayloadKey, SEALED_CHUNK_BYTES};

use crate::clients::make_key;
use crate::measure::median;
use crate::served::Outcome;
use crate::{MIB, row, world};

const ROUNDS: usize = 5;
/// Decisions of one round, over all writers.
const COMMITS: usize = 4_000;
const WRITERS: [usize; 3] = [1, 8, 32];
/// What such a decision takes in the journal, about.
const COMMIT_BYTES: usize = 256;
const FILE_BYTES: u64 = 512 * MIB;
/// One read of a client that reads in order.
const READ_BYTES: usize = 256 * 1024;
const OPENS: usize = 2_000;
const FILE_KEY: [u8; 16] = [7; 16];
const NONCE: [u8; 16] = [9; 16];

/// Measures in `folder`.
pub(crate) fn measure(folder: &Path) -> Outcome<()> {
    commits(folder)?;
    let (home, key) = (folder.join("home"), folder.join("key"));
    world::make_home(&home)?;
    make_key(&key)?;
    let operations = world::open(&home)?;
    world::add_product(&operations, "large")?;
    world::add_organisation(&operations, 1)?;
    world::agree(&operations, 1, "large")?;
    let caller = world::add_key(&operations, &key.with_extension("pub"))?;
    let last = publishing(folder, &operations)?;
    reading(&home, &operations, &caller, last)?;
    headers(&operations, &caller, last)
}

fn commits(folder: &Path) -> Outcome<()> {
    println!("\n-- durable decisions, {COMMITS} a round, median of {ROUNDS} rounds");
    let settings = JournalSettings { reserve_bytes: 0, ..JournalSettings::default() };
    let catalog = CatalogJournal::open(&folder.join("catalog"), settings)?;
    let path = folder.join("synced");
    let mut file = OpenOptions::new().append(true).create(true).open(&path)?;
    let mut synced = Vec::new();
    let mut by_writers = vec![Vec::new(); WRITERS.len()];
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        for _ in 0..COMMITS / 4 {
            file.write_all(&[b'x'; COMMIT_BYTES])?;
            file.sync_data()?;
        }
        synced.push((COMMITS / 4) as f64 / begun.elapsed().as_secs_f64());
        for (writers, rates) in WRITERS.iter().zip(&mut by_writers) {
            rates.push(commit_all(&catalog, *writers)?);
        }
    }
    row("a file of its own: appended and synced alone", &format!("{:.0} per second", median(&synced)));
    for (writers, rates) in WRITERS.iter().zip(&by_writers) {
        let times = median(rates) / median(&synced);
        row(&format!("decisions, {writers} writers"), &format!("{:.0} per second, {times:.2} of that", median(rates)));
    }
    Ok(())
}

/// Decisions per second with so many writers.
fn commit_all(catalog: &CatalogJournal, writers: usize) -> Outcome<f64> {
    let left = AtomicUsize::new(COMMITS);
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..writers)
            .map(|writer| {
                let left = &left;
                scope.spawn(move || -> Result<(), String> {
                    let take = |count: usize| count.checked_sub(1);
                    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
                        commit(catalog, writer)?;
                    }
                    Ok(())
                })
            })
            .collect();
        threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| "a writer panicked".to_owned())?)
    })?;
    Ok(COMMITS as f64 / begun.elapsed().as_secs_f64())
}

/// One durable decision with one small row and one event.
fn commit(catalog: &CatalogJournal, writer: usize) -> Result<(), String> {
    let organisation = OrganisationCode::parse(&format!("writer{writer}")).map_err(|refusal| refusal.to_string())?;
    let product = ProductCode::parse("product").map_err(|refusal| refusal.to_string())?;
    let about = About { organisation: Some(organisation.clone()), ..About::default() };
    let event = Event::new(Happening::DeliveryPublished, Who::system(), about);
    let row = LastSequence { organisation, product, sequence: 1 };
    let decision = Decision::new(Moment::from_millis(1), event).put(row);
    catalog.decide(Box::new(move |_| Ok(decision))).map(drop).map_err(|failure| failure.to_string())
}

/// Publishes, and does each of its parts alone; gives the last delivery.
fn publishing(folder: &Path, operations: &Operations) -> Outcome<DeliveryId> {
    println!("\n-- publishing one file of {} MiB, and its parts alone, median of {ROUNDS}", FILE_BYTES / MIB);
    let block: Vec<u8> = (0..=u8::MAX).cycle().take(MIB as usize).collect();
    let (mut whole, mut seal, mut hash, mut disk) = (vec![], vec![], vec![], vec![]);
    let mut last = None;
    for round in 0..ROUNDS {
        let begun = Instant::now();
        let done = world::publish(operations, "large", false, &[(format!("engine-{round}.bin"), FILE_BYTES)])?;
        whole.push(rate(begun));
        last = done.deliveries.first().map(|delivery| delivery.id);

        let begun = Instant::now();
        seal_all(&block)?;
        seal.push(rate(begun));

        let begun = Instant::now();
        let mut context = Context::new(&SHA256);
        (0..FILE_BYTES / MIB).for_each(|_| context.update(&block));
        black_box(context.finish());
        hash.push(rate(begun));

        let path = folder.join("written");
        let begun = Instant::now();
        let mut file = File::create(&path)?;
        for _ in 0..FILE_BYTES / MIB {
            file.write_all(&block)?;
        }
        file.sync_all()?;
        disk.push(rate(begun));
        fs::remove_file(&path)?;
    }
    against("published: sealed, two digests, on disk, on record", &whole, &whole);
    against("sealed alone, one thread", &seal, &whole);
    against("one SHA-256 alone", &hash, &whole);
    against("written and synced alone", &disk, &whole);
    Ok(last.ok_or("nothing was published")?)
}

fn seal_all(block: &[u8]) -> Outcome<()> {
    let key = PayloadKey::new(&FILE_KEY, &NONCE)?;
    let layout = Layout::of_plain(FILE_BYTES);
    let mut chunk = Vec::with_capacity(SEALED_CHUNK_BYTES);
    let chunks = (0..FILE_BYTES / MIB).flat_map(|_| block.chunks(CHUNK_BYTES));
    for (number, text) in (0..).zip(chunks) {
        chunk.clear();
        chunk.extend_from_slice(text);
        key.seal_chunk(number, layout.is_last(number), &mut chunk)?;
        black_box(&chunk);
    }
    Ok(())
}

fn reading(home: &Path, operations: &Arc<Operations>, caller: &Caller, id: DeliveryId) -> Outcome<()> {
    println!("\n-- reading that file in order, from the page cache, and its parts alone, median of {ROUNDS}");
    let payload = newest_file(&home.join("data/vault"))?;
    let file = File::open(&payload)?;
    let (mut whole, mut plain, mut cipher) = (vec![], vec![], vec![]);
    let mut into = vec![0; READ_BYTES];
    // One sealed megabyte, opened again and again.
    let key = PayloadKey::new(&FILE_KEY, &NONCE)?;
    let layout = Layout::of_plain(MIB);
    let mut sealed = Vec::new();
    for (number, text) in (0..).zip(vec![7; MIB as usize].chunks(CHUNK_BYTES)) {
        let mut chunk = text.to_vec();
        key.seal_chunk(number, layout.is_last(number), &mut chunk)?;
        sealed.extend(chunk);
    }
    let mut opened = vec![0; CHUNK_BYTES];
    for _ in 0..ROUNDS {
        // First, so that the file is in the page cache for both.
        let begun = Instant::now();
        let mut at = 0;
        loop {
            let length = file.read_at(&mut into, at)?;
            if length == 0 {
                break;
            }
            at += length as u64;
        }
        plain.push(rate(begun));

        let begun = Instant::now();
        let fetch = operations.open_part(caller, id, DeliveryPart::Data(1))?;
        let mut at = 0;
        while at < FILE_BYTES {
            let length = fetch.read(at, &mut into)?;
            fetch.taken(at, length)?;
            at += length as u64;
        }
        fetch.close()?;
        whole.push(rate(begun));

        let begun = Instant::now();
        for _ in 0..FILE_BYTES / MIB {
            for (number, text) in (0..).zip(sealed.chunks(SEALED_CHUNK_BYTES)) {
                key.open_chunk_into(number, layout.is_last(number), text, &mut opened)?;
                black_box(&opened);
            }
        }
        cipher.push(rate(begun));
    }
    against("fetched: opened, checked, on record", &whole, &whole);
    against("the sealed file, read alone", &plain, &whole);
    against("opened alone, one thread", &cipher, &whole);
    Ok(())
}

fn headers(operations: &Arc<Operations>, caller: &Caller, id: DeliveryId) -> Outcome<()> {
    println!("\n-- headers, {OPENS} a round, median of {ROUNDS}");
    let identity = Identity::generate();
    let own = OwnerKey::of_identity(identity.to_string().expose_secret())?;
    let built = header::build(&[&own, &identity.to_public()], &FILE_KEY)?;
    let (mut part, mut by_owner, mut by_age) = (vec![], vec![], vec![]);
    let each = |begun: Instant| OPENS as f64 / begun.elapsed().as_secs_f64();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        for _ in 0..OPENS {
            operations.open_part(caller, id, DeliveryPart::Data(1))?.abandon()?;
        }
        part.push(each(begun));
        let begun = Instant::now();
        for _ in 0..OPENS {
            header::open(&built, &own)?;
        }
        by_owner.push(each(begun));
        let begun = Instant::now();
        for _ in 0..OPENS {
            header::open(&built, &identity)?;
        }
        by_age.push(each(begun));
    }
    let times = |rates: &[f64]| format!("{:.0} per second", median(rates));
    row("a file opened: right, rows, shred key, header, payload", &times(&part));
    row("a header alone, by the organisation's own stanza", &times(&by_owner));
    row("a header alone, by its X25519 stanza", &times(&by_age));
    Ok(())
}

fn against(what: &str, rates: &[f64], whole: &[f64]) {
    row(what, &format!("{:.0} MiB/s, {:.2}", median(rates), median(whole) / median(rates)));
}

fn rate(begun: Instant) -> f64 {
    (FILE_BYTES / MIB) as f64 / begun.elapsed().as_secs_f64()
}

/// The payload that was stored last.
fn newest_file(vault: &Path) -> Outcome<std::path::PathBuf> {
    let mut newest = None;
    for folder in fs::read_dir(vault)? {
        let folder = folder?.path();
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let entry = entry?;
            newest = newest.max(Some((entry.metadata()?.modified()?, entry.path())));
        }
    }
    Ok(newest.ok_or("an empty vault")?.1)
}

//! Small costs, measured by criterion: sealing and opening against the age
//! crate in the same run, headers, coverage, commits of the journal, and checks of participant files.
//! Nothing here goes over a network; `scale` and `peers` do that.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::hint::black_box;
use std::io::{Read, Write};
use std::iter;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use age::x25519::{Identity, Recipient};
use criterion::{Criterion, Throughput};
use postkluis::adapters::catalog_journal::{CatalogJournal, JournalSettings};
use postkluis::adapters::checker_stream::StreamChecker;
use postkluis::config::check_plans;
use postkluis::domain::coverage::Coverage;
use postkluis::domain::decision::Decision;
use postkluis::domain::history::{About, Event, Happening, Who};
use postkluis::domain::moment::Moment;
use postkluis::domain::names::{OrganisationCode, ProductCode, UploadName};
use postkluis::domain::record::LastSequence;
use postkluis::ports::catalog::Catalog;
use postkluis::ports::checker::{Checked, Checker};
use postkluis::sealing::header;
use postkluis::sealing::stream::{CHUNK_BYTES, Layout, PayloadKey, SEALED_CHUNK_BYTES};

/// Bytes that one round seals or opens: enough that age's header weighs nothing.
const STREAM_BYTES: usize = 16 << 20;

/// Writers at once, for the group commit.
const WRITERS: u32 = 32;

const FILE_KEY: [u8; 16] = [7; 16];
const NONCE: [u8; 16] = [9; 16];

/// A measurement without its ground has no result: it ends the bench with the reason.
fn must<T, E: Display>(doing: &str, outcome: Result<T, E>) -> T {
    match outcome {
        Ok(value) => value,
        Err(error) => {
            eprintln!("micro: {doing}: {error}");
            std::process::exit(1)
        }
    }
}

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .without_plots()
        .configure_from_args();
    streams(&mut criterion);
    headers(&mut criterion);
    coverage(&mut criterion);
    commits(&mut criterion);
    checks(&mut criterion);
    criterion.final_summary();
}

/// What a file of each form is asked, and a line of it that is right.
const CHECKED: [(&str, &str, &str); 5] = [
    (
        "csv",
        "[records]\nform = 'csv'\ncolumns = [{name = 'bsn', kind = 'citizen-number', required = true}, \
         {name = 'geboren', kind = 'date', date_form = 'yyyymmdd'}, {name = 'reden', kind = 'one-of', values = ['nieuw', 'einde']}, \
         {name = 'bedrag', kind = 'decimal'}, {name = 'kenmerk', max_chars = 40}]",
        "123456782;20001231;nieuw;1234,50;kenmerk van de klant\n",
    ),
    (
        "fixed width",
        "[records]\nform = 'fixed'\ncolumns = [{name = 'bsn', kind = 'citizen-number', required = true, width = 9}, \
         {name = 'geboren', kind = 'date', date_form = 'yyyymmdd', width = 8}, {name = 'reden', kind = 'one-of', values = ['nieuw', 'einde'], width = 5}, \
         {name = 'bedrag', kind = 'decimal', width = 9}, {name = 'kenmerk', width = 22}]",
        "12345678220001231nieuw001234,50kenmerk van de klant  \n",
    ),
    ("text alone", "content = 'text'", "123456782;20001231;nieuw;1234,50;kenmerk van de klant\n"),
    ("json", "content = 'json'", "{\"bsn\": \"123456782\", \"geboren\": \"2000-12-31\", \"bedrag\": 1234.50},\n"),
    ("xml", "content = 'xml'", "<mens bsn=\"123456782\"><geboren>2000-12-31</geboren></mens>\n"),
];

/// One pass of the checks over a file that is in order.
fn checks(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("check");
    for (name, declared, line) in CHECKED {
        let body = line.repeat(STREAM_BYTES / line.len());
        let bytes = match name {
            "json" => format!("[{body}null]"),
            "xml" => format!("<alle>{body}</alle>"),
            _ => body,
        };
        let product = must("name a product", ProductCode::parse("intake"));
        let plan = must("read a declaration", check_plans::parse(declared));
        let checker = StreamChecker::new(BTreeMap::from([(product.clone(), plan)]));
        let file = Checked {
            product,
            organisation: must("name an organisation", OrganisationCode::parse("duinstad")),
            client_marks: vec!["duinstad".to_owned()],
            last_sequence: None,
            name: must("name a file", UploadName::parse("a.csv")),
            size_bytes: Some(bytes.len() as u64),
        };
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let verdict = must("check a file", checker.check(&file, &mut bytes.as_bytes()));
                if !verdict.is_accepted() {
                    must("check a file", Err::<(), _>(format!("{:?}", verdict.faults().first())));
                }
            });
        });
    }
    group.finish();
}

fn streams(criterion: &mut Criterion) {
    let plain: Vec<u8> = (0..=u8::MAX).cycle().take(STREAM_BYTES).collect();
    let identity = Identity::generate();
    let recipient = identity.to_public();

    let mut group = criterion.benchmark_group("seal");
    group.throughput(Throughput::Bytes(STREAM_BYTES as u64));
    let mut sealed = Vec::new();
    group.bench_function("own", |bencher| bencher.iter(|| seal_own(&plain, &mut sealed)));
    let mut by_age = Vec::new();
    group.bench_function("age", |bencher| bencher.iter(|| seal_age(&recipient, &plain, &mut by_age)));
    group.finish();

    // Criterion may have been told to skip the sealing.
    seal_own(&plain, &mut sealed);
    seal_age(&recipient, &plain, &mut by_age);
    let mut group = criterion.benchmark_group("open");
    group.throughput(Throughput::Bytes(STREAM_BYTES as u64));
    let mut chunk = vec![0; CHUNK_BYTES];
    group.bench_function("own", |bencher| bencher.iter(|| open_own(&sealed, &mut chunk)));
    group.bench_function("age", |bencher| bencher.iter(|| open_age(&identity, &by_age, &mut chunk)));
    group.finish();
}

fn seal_own(plain: &[u8], sealed: &mut Vec<u8>) {
    let key = must("derive a key", PayloadKey::new(&FILE_KEY, &NONCE));
    let layout = Layout::of_plain(plain.len() as u64);
    let mut chunk = Vec::with_capacity(SEALED_CHUNK_BYTES);
    sealed.clear();
    for (number, text) in (0..).zip(plain.chunks(CHUNK_BYTES)) {
        chunk.clear();
        chunk.extend_from_slice(text);
        must("seal a chunk", key.seal_chunk(number, layout.is_last(number), &mut chunk));
        sealed.extend_from_slice(&chunk);
    }
}

fn open_own(sealed: &[u8], plain: &mut [u8]) {
    let key = must("derive a key", PayloadKey::new(&FILE_KEY, &NONCE));
    let layout = Layout::of_plain(STREAM_BYTES as u64);
    for (number, text) in (0..).zip(sealed.chunks(SEALED_CHUNK_BYTES)) {
        must("open a chunk", key.open_chunk_into(number, layout.is_last(number), text, plain));
        black_box(&plain);
    }
}

fn seal_age(recipient: &Recipient, plain: &[u8], sealed: &mut Vec<u8>) {
    sealed.clear();
    let encryptor = must("set up age", age::Encryptor::with_recipients(iter::once(recipient as &dyn age::Recipient)));
    let mut writer = must("begin an age file", encryptor.wrap_output(sealed));
    for text in plain.chunks(CHUNK_BYTES) {
        must("seal by age", writer.write_all(text));
    }
    must("end an age file", writer.finish());
}

fn open_age(identity: &Identity, sealed: &[u8], plain: &mut [u8]) {
    let decryptor = must("read an age header", age::Decryptor::new(sealed));
    let mut reader = must("open by age", decryptor.decrypt(iter::once(identity as &dyn age::Identity)));
    while must("open by age", reader.read(plain)) > 0 {
        black_box(&plain);
    }
}

fn headers(criterion: &mut Criterion) {
    let identity = Identity::generate();
    let recipient = identity.to_public();
    let mut group = criterion.benchmark_group("header");
    group.bench_function("build", |bencher| {
        bencher.iter(|| must("build a header", header::build(&[&recipient as &dyn age::Recipient], &FILE_KEY)));
    });
    let built = must("build a header", header::build(&[&recipient as &dyn age::Recipient], &FILE_KEY));
    group.bench_function("open", |bencher| {
        bencher.iter(|| must("open a header", header::open(&built, &identity)));
    });
    group.finish();
}

fn coverage(criterion: &mut Criterion) {
    const BLOCK: u64 = 32 * 1024;
    const BLOCKS: u64 = 1_024;
    let mut group = criterion.benchmark_group("coverage");
    group.throughput(Throughput::Elements(BLOCKS));
    group.bench_function("in-order", |bencher| {
        bencher.iter(|| {
            let mut coverage = Coverage::default();
            for block in 0..BLOCKS {
                coverage.add(block * BLOCK, BLOCK);
            }
            coverage.bytes()
        });
    });
    // 629 shares no factor with 1,024: every block comes once, scattered, so that the set grows to its bound.
    group.bench_function("scattered", |bencher| {
        bencher.iter(|| {
            let mut coverage = Coverage::default();
            for block in 0..BLOCKS {
                coverage.add(block * 629 % BLOCKS * BLOCK, BLOCK);
            }
            coverage.bytes()
        });
    });
    group.finish();
}

fn commits(criterion: &mut Criterion) {
    let folder = must("make a folder", tempfile::tempdir());
    let settings = JournalSettings { reserve_bytes: 0, ..JournalSettings::default() };
    let catalog = must("open a catalog", CatalogJournal::open(folder.path(), settings));
    let mut group = criterion.benchmark_group("catalog");
    group.throughput(Throughput::Elements(1));
    group.bench_function("decide-1-writer", |bencher| bencher.iter(|| commit(&catalog, 0)));
    group.bench_function("decide-32-writers", |bencher| {
        bencher.iter_custom(|rounds| {
            let left = AtomicU32::new(u32::try_from(rounds).unwrap_or(u32::MAX));
            let begun = Instant::now();
            std::thread::scope(|scope| {
                for writer in 0..WRITERS {
                    let (catalog, left) = (&catalog, &left);
                    scope.spawn(move || {
                        let take = |count: u32| count.checked_sub(1);
                        while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
                            commit(catalog, writer);
                        }
                    });
                }
            });
            begun.elapsed()
        });
    });
    group.finish();
}

/// One durable decision with one small row and one event.
fn commit(catalog: &CatalogJournal, writer: u32) {
    let organisation = must("name an organisation", OrganisationCode::parse(&format!("writer{writer}")));
    let product = must("name a product", ProductCode::parse("product"));
    let about = About { organisation: Some(organisation.clone()), ..About::default() };
    let event = Event::new(Happening::DeliveryPublished, Who::system(), about);
    let row = LastSequence { organisation, product, sequence: writer };
    let decision = Decision::new(Moment::from_millis(1), event).put(row);
    must("commit", catalog.decide(Box::new(move |_| Ok(decision))));
}

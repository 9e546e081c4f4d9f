//! That ending means gone, on a whole server (engine §3): once a delivery is
//! shredded, neither the store nor a copy of it made before gives a byte of its
//! content or header, with every key that is left. What is not ended still opens.

use std::fs;
use std::path::{Path, PathBuf};

use postkluis::adapters::catalog_journal::{CatalogJournal, JournalSettings};
use postkluis::adapters::keyring_folder::{KeyringFolder, MasterSource};
use postkluis::adapters::vault_folder::VaultFolder;
use postkluis::domain::delivery::{Delivery, SealedHeader};
use postkluis::domain::record::Row as _;
use postkluis::domain::refusal::Refusal;
use postkluis::operations::{Catalog, Failure, Keyring as _};
use postkluis::ports::keyring::HeaderBinding;
use postkluis::ports::vault::Vault as _;
use serde_json::Value;

use crate::support::server::Server;
use crate::support::stock::{deliveries, events, eventually, organisation, text};

/// Long enough to publish four deliveries, steer them and copy the home on a slow machine.
const WINDOW: &str = "20s";

/// Stands in every file, so that plaintext would be found anywhere.
const CONTENT: &str = "Huurder 0042, Dorpsstraat 7, te betalen 812,50";

fn content(name: &str) -> String {
    format!("{CONTENT} ({name})\n").repeat(50)
}

/// A copy of the folder `from`; the ones in `without` are left out.
fn copy(from: &Path, to: &Path, without: &[&str]) {
    fs::create_dir_all(to).expect("a folder");
    fs::set_permissions(to, fs::metadata(from).expect("a folder").permissions()).expect("its mode");
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        let name = entry.file_name();
        if without.iter().any(|left_out| *left_out == name) {
            continue;
        }
        let kind = entry.file_type().expect("a kind");
        if kind.is_dir() {
            copy(&entry.path(), &to.join(&name), without);
        } else if kind.is_file() {
            fs::copy(entry.path(), to.join(&name)).expect("a copy");
        }
    }
}

fn files_under(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(files_under(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// Whether any file under a folder holds these bytes.
fn holds(folder: &Path, bytes: &[u8]) -> bool {
    let files = files_under(folder);
    assert!(files.len() > 3, "{} is no store", folder.display());
    files.iter().any(|path| fs::read(path).is_ok_and(|text| text.windows(bytes.len()).any(|part| part == bytes)))
}

/// What a thief makes of a store with these keys: for each file whose header is there, the name of its
/// delivery's shred key and the plaintext, or nothing.
struct Loot {
    delivery: String,
    plaintext: Option<Vec<u8>>,
}

/// Opens all that can be opened: with the key that each header names, and with every other key that is there.
fn loot(data: &Path, keys: &Path) -> Vec<Loot> {
    let catalog = CatalogJournal::open(&data.join("catalog"), JournalSettings::default()).expect("the catalog");
    let vault = VaultFolder::open(data.join("vault"), 0).expect("the vault");
    let master = MasterSource::plain(KeyringFolder::master_in(keys));
    let keyring = KeyringFolder::open(keys.to_owned(), &master).expect("the keyring");
    let slots = keyring.living_slots().expect("the shred keys");
    let catalog: &dyn Catalog = &catalog;
    let rows = catalog.look(|view| {
        let headers = view.rows::<SealedHeader>(&SealedHeader::all(), None, 1_000)?;
        let with_delivery = headers.into_iter().map(|header| {
            let delivery = view.row::<Delivery>(&Delivery::key_of(header.delivery))?.expect("its delivery");
            Ok((header, delivery))
        });
        with_delivery.collect::<Result<Vec<_>, Failure>>()
    });
    let open = |header: &SealedHeader, delivery: &Delivery| {
        let binding = HeaderBinding { payload: header.payload, delivery: header.delivery };
        let by_others = slots.iter().filter(|slot| **slot != header.slot);
        for slot in by_others {
            assert!(keyring.unseal_header(slot, binding, &header.sealed).is_err(), "opened by the key of {slot}");
        }
        let plain = match keyring.unseal_header(&header.slot, binding, &header.sealed) {
            Err(Failure::Refused(Refusal::Gone(_))) => return None,
            other => other.expect("a header whose key is there"),
        };
        assert!(plain.starts_with(b"age-encryption.org/v1\n"));
        let key = keyring.open_header(&delivery.organisation, &plain).expect("a file key");
        let reader = vault.open(header.payload, &key).ok()?;
        let mut bytes = vec![0; usize::try_from(reader.size_bytes()).expect("a size")];
        let length = reader.read_at(0, &mut bytes).expect("the content");
        bytes.truncate(length);
        Some(bytes)
    };
    rows.expect("the headers")
        .into_iter()
        .map(|(header, delivery)| Loot { plaintext: open(&header, &delivery), delivery: delivery.id.to_string() })
        .collect()
}

/// What came of one delivery.
fn of<'a>(loot: &'a [Loot], delivery: &str) -> Vec<&'a Loot> {
    loot.iter().filter(|found| found.delivery == delivery).collect()
}

fn publish(server: &Server, name: &str) -> String {
    let path = server.desk("offers").join(format!("{name}.csv"));
    fs::write(&path, content(name)).expect("an offer");
    let path = path.display().to_string();
    let published = server.done(&["delivery", "publish", &path, "--product", "brief"]);
    published["deliveries"][0]["id"].as_str().unwrap_or_else(|| panic!("{published}")).to_owned()
}

fn state_of(server: &Server, id: &str) -> String {
    let all = deliveries(server);
    let found = all.iter().find(|row| row["id"] == id).unwrap_or_else(|| panic!("no {id}"));
    text(found, "availability").to_owned()
}

fn is_on_record(server: &Server, event: &str, id: &str) -> Option<u64> {
    events(server, event).iter().find(|line| line["deliveryId"] == id).and_then(|line| line["sequence"].as_u64())
}

#[test]
fn what_is_shredded_opens_with_no_key_that_is_left_in_no_copy() {
    let mut server = Server::prepare();
    for (variable, value) in [
        ("POSTKLUIS_RETENTION__TICK_SECONDS", "1"),
        ("POSTKLUIS_RETENTION__SHRED_DELAY", "0s"),
        ("POSTKLUIS_RETENTION__OPEN_GRACE", "0s"),
    ] {
        server.set(variable, value);
    }
    server.serve();
    server.done(&["product", "add", "brief", "--name", "Brief", "--retention", WINDOW]);
    organisation(&server, "alpha", &["brief"]);
    let [plain, withdrawn, extended, held] =
        ["plain", "withdrawn", "extended", "held"].map(|name| publish(&server, name));
    let (home, data) = (server.home(), server.home().join("data"));
    let copies = server.desk("copies");
    // A: the store as it was in the beginning, with every key. B: the same without the shred keys, as in a backup.
    copy(&data, &copies.join("a/data"), &[]);
    copy(&home.join("keys"), &copies.join("a/keys"), &[]);
    copy(&data, &copies.join("b/data"), &[]);
    copy(&home.join("keys"), &copies.join("b/keys"), &["shred"]);

    // The control: with its shred keys the copy gives everything, and without them nothing.
    let all = loot(&copies.join("a/data"), &copies.join("a/keys"));
    for (id, name) in [(&plain, "plain"), (&withdrawn, "withdrawn"), (&extended, "extended"), (&held, "held")] {
        let found = of(&all, id);
        assert_eq!(found.len(), 1);
        assert!(found.iter().all(|found| found.plaintext.as_deref() == Some(content(name).as_bytes())), "{name}");
    }
    assert_eq!(all.len(), 4);
    let without = loot(&copies.join("b/data"), &copies.join("b/keys"));
    assert!(without.len() == 4 && without.iter().all(|found| found.plaintext.is_none()));

    server.done(&["delivery", "withdraw", &withdrawn, "--reason", "wrong file"]);
    server.done(&["delivery", "hold", &held, "--reason", "asked for by a court"]);
    let tomorrow = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(48);
    server.done(&["delivery", "extend", &extended, "--until", &tomorrow.to_string()]);

    for id in [&plain, &withdrawn] {
        eventually("a delivery that is shredded", || is_on_record(&server, "delivery-shredded", id));
    }
    assert_eq!(state_of(&server, &plain), "shredded");
    let (expired, shredded) =
        (is_on_record(&server, "delivery-expired", &plain), is_on_record(&server, "delivery-shredded", &plain));
    assert!(expired.is_some() && expired < shredded, "{expired:?} before {shredded:?}");
    assert!(is_on_record(&server, "delivery-shredded", &extended).is_none());
    assert!(is_on_record(&server, "delivery-shredded", &held).is_none());

    // The store as it is now: nothing of what ended; what is extended or held opens.
    copy(&data, &copies.join("c/data"), &[]);
    copy(&home.join("keys"), &copies.join("c/keys"), &[]);
    let now = loot(&copies.join("c/data"), &copies.join("c/keys"));
    assert!(of(&now, &plain).is_empty() && of(&now, &withdrawn).is_empty());
    for (id, name) in [(&extended, "extended"), (&held, "held")] {
        let found = of(&now, id);
        assert!(found.len() == 1 && found.iter().all(|f| f.plaintext.as_deref() == Some(content(name).as_bytes())));
    }

    // The copy from the beginning, with every key that is left now: not one of the four headers in it opens,
    // also not those of what lives on, which lies under other keys.
    copy(&copies.join("b/data"), &copies.join("d/data"), &[]);
    let later = loot(&copies.join("d/data"), &copies.join("c/keys"));
    assert_eq!(later.len(), 4);
    assert!(later.iter().all(|found| found.plaintext.is_none()), "a copy could be opened");

    server.done(&["delivery", "release", &held]);
    eventually("what was held to be shredded", || is_on_record(&server, "delivery-shredded", &held));
    assert_eq!(state_of(&server, &held), "shredded");
    let destroyed = events(&server, "shred-key-destroyed").len();
    let report: Value = server.done(&["report", "retention"]);
    let (days, months): (Vec<&Value>, Vec<&Value>) =
        report.as_array().expect("a list").iter().partition(|row| row["day"].is_string());
    let (months, reach): (Vec<&Value>, Vec<&Value>) = months.into_iter().partition(|row| row["month"].is_string());
    assert_eq!(reach.len(), 1, "how far the history goes back: {report}");
    assert!(!months.is_empty(), "the keys of the history are listed too: {report}");
    assert!(months.iter().all(|row| row["living"] == 1 && row["keptUntil"].is_string()), "{report}");
    let sum = |member: &str| days.iter().filter_map(|day| day[member].as_u64()).sum::<u64>();
    assert_eq!(usize::try_from(sum("destroyed")).expect("a number"), destroyed, "{report}");
    assert!(destroyed >= 5, "four windows and a hold ended: {destroyed}");
    let living = fs::read_dir(home.join("keys/shred")).expect("the shred keys").flatten();
    let living = living.filter(|entry| !entry.file_name().to_string_lossy().starts_with('.')).count();
    assert_eq!(usize::try_from(sum("living")).expect("a number"), living, "{report}");
    server.stop();

    // Neither plaintext nor the beginning of an age header lies in any file of any store.
    for folder in [data, copies.join("a/data"), copies.join("b/data"), copies.join("c/data")] {
        assert!(!holds(&folder, CONTENT.as_bytes()), "plaintext in {}", folder.display());
        assert!(!holds(&folder, b"age-encryption.org/v1"), "a header in {}", folder.display());
    }
    let left = files_under(&home.join("data/vault")).len();
    assert_eq!(left, 1, "of the payloads only that of the extended delivery is left");
}

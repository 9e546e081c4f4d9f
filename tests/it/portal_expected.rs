//! What is expected in the portal, in Chromium: late and due on the start page, each file with its day among the
//! participant files, for oneself and for a client (P10; M19; issue 6, point 6). A day goes by in a time zone that is
//! made for this test.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::support::programs::{finish, node};
use crate::support::server::Server;
use crate::support::stock::{organisation, text};

const WALK: &str = concat!(include_str!("../clients/browser.js"), include_str!("../clients/portal_expected.js"));

/// In so many seconds a day is over: enough to put on record what is expected by then.
const UNTIL_MIDNIGHT: i64 = 60;

/// A time zone in which midnight is near, as a file that programs read (RFC 9636), below this folder; what day it is there, and
/// what day three days later.
fn zone(folder: &Path) -> [i8; 2] {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970").as_secs();
    let now = i64::try_from(now).expect("a time");
    // ahead by up to half a day, or behind
    let ahead = (-UNTIL_MIDNIGHT - now).rem_euclid(86_400);
    let offset = if ahead > 43_200 { ahead - 86_400 } else { ahead };
    let seconds = i32::try_from(offset).expect("an offset");
    let (sign, ahead) = if seconds > 0 { ("-", seconds) } else { ("", -seconds) };
    let footer = format!("\nXST{sign}{}:{:02}:{:02}\n", ahead / 3_600, ahead / 60 % 60, ahead % 60);
    let mut header = b"TZif2".to_vec();
    header.extend([0; 15]);
    // no indicators, leap seconds or transitions; one type with a name of four bytes
    [0_u32, 0, 0, 0, 1, 4].iter().for_each(|count| header.extend(count.to_be_bytes()));
    let mut block = seconds.to_be_bytes().to_vec();
    block.extend([0, 0]);
    block.extend(b"XST\0");
    fs::create_dir_all(folder.join("Test")).expect("a folder for the time zone");
    let file = [&header[..], &block, &header, &block, footer.as_bytes()].concat();
    fs::write(folder.join("Test/Soon"), file).expect("the time zone");
    let day_at = |seconds: i64| {
        let there = jiff::Timestamp::from_second(now + offset + seconds).expect("a time");
        there.to_zoned(jiff::tz::TimeZone::UTC).day()
    };
    [day_at(0), day_at(3 * 86_400)]
}

fn strings(found: &Value, member: &str) -> Vec<String> {
    let list = found[member].as_array().unwrap_or_else(|| panic!("no list {member} in {found}"));
    list.iter().map(|item| item.as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn people_see_what_is_expected_of_them_and_of_their_clients() {
    let mut server = Server::prepare();
    server.set("POSTKLUIS_SIGN_IN__PASSWORD_MEMORY", "64 KiB");
    server.set("POSTKLUIS_ORGANISATION__CONTACT_MAIL", "info@example.org");
    let zones = server.desk("zones");
    server.set("TZDIR", &zones.display().to_string());
    server.set("POSTKLUIS_PORTAL__TIME_ZONE", "Test/Soon");
    let [today, soon] = zone(&zones);
    server.serve();
    for (code, name) in [("intake", "Deelnemers pensioenen"), ("wages", "Loonopgaven"), ("yearly", "Jaaropgaven")] {
        server.done(&["product", "add", code, "--name", name, "--retention", "30d", "--accepts-uploads"]);
    }
    organisation(&server, "alpha", &["intake", "wages", "yearly"]);
    organisation(&server, "gamma", &["intake"]);
    let (today, soon) = (format!("monthly:{today}"), format!("monthly:{soon}"));
    for (whom, product, every) in [("alpha", "intake", &today), ("gamma", "intake", &today), ("alpha", "wages", &soon)]
    {
        server.done(&["upload", "expect", "--organisation", whom, "--product", product, "--every", every]);
    }
    // far away
    let far = if (2..12).contains(&jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).month()) {
        "12-31"
    } else {
        "06-30"
    };
    let far = format!("yearly:{far}");
    server.done(&["upload", "expect", "--organisation", "alpha", "--product", "yearly", "--every", &far]);
    server.done(&["organisation", "add", "bureau", "--name", "Administratiekantoor De Balans"]);
    server.done(&["mandate", "add", "--intermediary", "bureau", "--for", "gamma", "--product", "intake"]);
    for (login, code) in
        [("anne@alpha.example", "alpha"), ("rob@alpha.example", "alpha"), ("iris@bureau.example", "bureau")]
    {
        server.done(&["account", "add", login, "--organisation", code, "--kind", "person"]);
    }
    for product in ["intake", "wages", "yearly"] {
        server.done(&["right", "couple", "--account", "anne@alpha.example", "--product", product]);
    }
    server.done(&["right", "couple", "--account", "iris@bureau.example", "--product", "intake", "--for", "gamma"]);

    let folder = std::env::var_os("POSTKLUIS_TEST_SCREENSHOTS").map_or_else(|| server.desk("pages"), PathBuf::from);
    fs::create_dir_all(&folder).expect("a folder for screenshots");
    let base = format!("https://localhost:{}", server.address("https").port());
    let mut command = node();
    command.args(["-e", WALK, &base]).arg(&folder);
    let operator = server.command();
    command.arg(operator.get_program()).args(operator.get_args());
    command.envs(operator.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let found = finish(&mut command).expect_code(0).json();
    for nothing in ["violations", "tooWide", "elsewhere", "console"] {
        assert_eq!(strings(&found, nothing), Vec::<String>::new(), "{nothing}");
    }
    // late first, then what is due within a week; what is far away is no task
    let tasks = strings(&found, "tasks");
    assert_eq!(tasks.len(), 2, "{tasks:?}");
    assert_eq!(tasks[0], "Het bestand is te laat voor Deelnemers pensioenen.");
    assert!(tasks[1].starts_with("Nog een bestand aan te leveren voor Loonopgaven, uiterlijk "), "{tasks:?}");
    let rows = strings(&found, "rows");
    assert_eq!(rows.len(), 3, "{rows:?}");
    assert!(rows[0].contains("Deelnemers pensioenen") && rows[0].contains("te laat"), "{rows:?}");
    assert!(rows[1].contains("Loonopgaven") && rows[1].contains("nog aan te leveren"), "{rows:?}");
    assert!(rows[2].contains("Jaaropgaven"), "{rows:?}");
    assert_eq!((&found["chosen"], text(&found, "file")), (&json!("intake"), "late.csv"));
    let came = strings(&found, "came");
    assert!(came.iter().any(|row| row.contains("received") && row.contains("Deelnemers pensioenen")), "{came:?}");
    assert_eq!(strings(&found, "tasksAfter").len(), 1, "{found}");
    // who has no right for it is told nothing; nor is an intermediary told of a client as of itself
    assert_eq!((&found["robs"], &found["irisTasks"]), (&json!([0, 0]), &json!(0)));
    let clients = strings(&found, "clients");
    assert!(clients.len() == 1 && clients[0].contains("Bestanden te laat: 1"), "{clients:?}");
    assert!(found["client"][0].as_str().is_some_and(|said| said.starts_with("Wat wij verwachten van")), "{found}");
    assert!(found["client"][1][0].as_str().is_some_and(|row| row.contains("te laat")), "{found}");
}

//! New master and organisation keys on a whole server: while files are fetched,
//! killed while it is under way, and what `report crypto` says of it.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use age::secrecy::ExposeSecret as _;

use crate::support::clients::SftpClient;
use crate::support::programs::finish;
use crate::support::server::Server;
use crate::support::stock::{events, eventually, organisation, product, robot, robot_login, write_file};

/// Kills at different distances from the beginning of a rotation.
const KILLS: usize = 4;

/// So many deliveries: enough for a rotation to take a moment.
const DELIVERIES: usize = 30;

fn furnished() -> Server {
    let server = Server::start();
    product(&server, "rent");
    organisation(&server, "alpha", &["rent"]);
    robot(&server, "alpha", &["rent"]);
    server
}

fn publish(server: &Server, number: usize) -> Vec<u8> {
    let path = server.desk("offers").join(format!("{number}.csv"));
    let bytes = write_file(&path, 1_000, number);
    server.done(&["delivery", "publish", &path.display().to_string(), "--product", "rent"]);
    bytes
}

/// Fetches one file over SFTP and returns its bytes.
fn fetched(server: &Server, number: usize) -> Vec<u8> {
    // made anew: after a start the server has another port
    let client = SftpClient::new(server, &robot_login("alpha"), &server.desk("keys-of-robots").join("alpha"));
    let to = server.desk("fetched").join("file");
    drop(fs::remove_file(&to));
    client.batch(&format!("get /outbox/rent/{number}.csv {}\n", to.display())).expect_code(0);
    fs::read(&to).expect("the file")
}

fn master(server: &Server) -> PathBuf {
    server.home().join("keys/master.age")
}

fn masters(server: &Server) -> usize {
    fs::read_to_string(master(server)).map_or(0, |text| text.lines().count())
}

fn is_rotating(server: &Server) -> bool {
    server.home().join("keys/organisations/alpha.rotating").exists()
}

#[test]
fn keys_are_new_while_files_are_fetched_and_the_report_shows_no_secret() {
    let mut server = furnished();
    let bytes = publish(&server, 0);
    let old = fs::read_to_string(master(&server)).expect("the master");
    let identity = server.home().join("keys/organisations/alpha.age");
    let before = fs::read(&identity).expect("the identity");
    std::thread::scope(|scope| {
        let (mut master, mut organisation) = (server.command(), server.command());
        master.args(["key-ring", "rotate-master"]);
        organisation.args(["organisation", "rotate-key", "alpha"]);
        let rotating = scope.spawn(move || {
            for _ in 0..3 {
                finish(&mut master).expect_code(0);
                finish(&mut organisation).expect_code(0);
            }
        });
        let mut fetches = 0;
        while fetches < 3 || !rotating.is_finished() {
            assert_eq!(fetched(&server, 0), bytes);
            fetches += 1;
        }
    });
    eventually("the end of the last rotation", || (!is_rotating(&server)).then_some(()));
    let new = fs::read_to_string(master(&server)).expect("the master");
    assert_ne!(new, old);
    assert_ne!(fs::read(&identity).expect("the identity"), before);
    assert_eq!(events(&server, "master-key-rotated").len(), 3);
    server.kill9();
    server.serve();
    assert_eq!(fetched(&server, 0), bytes);
    let report = server.done(&["report", "crypto"]);
    let rows = report.as_array().expect("a list");
    for kind in ["master", "organisation identity", "shred key", "SSH host key", "TLS certificate", "payload"] {
        let row = rows.iter().find(|row| row["kind"] == kind).unwrap_or_else(|| panic!("no {kind} in {report}"));
        assert!(row["algorithm"].is_string(), "{row}");
    }
    let shred = rows.iter().find(|row| row["kind"] == "shred key").expect("a shred key");
    assert!(shred["since"].is_string() && shred["until"].is_string(), "{shred}");
    let shown = format!("{report}{}", server.run(&["report", "crypto"]).expect_code(0).text());
    assert!(!shown.contains("SECRET") && !shown.contains(new.trim()), "{shown}");
    server.stop();
}

#[test]
fn killed_while_keys_are_rotated_it_goes_on_at_the_next_start() {
    let mut server = furnished();
    let bytes: Vec<_> = (0..DELIVERIES).map(|number| publish(&server, number)).collect();
    let mut hits = 0;
    for round in 0..KILLS {
        let commands = [["key-ring", "rotate-master"].as_slice(), &["organisation", "rotate-key", "alpha"]];
        let command = commands.get(round % 2).expect("a command");
        let mut asking = server.command();
        asking.args(*command).stdout(Stdio::null()).stderr(Stdio::null());
        let mut asking = asking.spawn().expect("the command");
        // until it is under way, or is over already
        while masters(&server) < 2 && !is_rotating(&server) {
            if asking.try_wait().expect("the command").is_some() {
                break;
            }
        }
        server.kill9();
        asking.wait().expect("the command");
        hits += usize::from(masters(&server) > 1 || is_rotating(&server));
        server.serve();
        eventually("the end of the rotation", || (masters(&server) == 1 && !is_rotating(&server)).then_some(()));
        for number in [0, DELIVERIES / 2, DELIVERIES - 1] {
            assert_eq!(Some(&fetched(&server, number)), bytes.get(number));
        }
    }
    println!("{hits} of {KILLS} kills came while keys were rotated");
    // what a kill right after the beginning leaves, made by hand
    server.stop();
    let text = fs::read_to_string(master(&server)).expect("the master");
    let new = age::x25519::Identity::generate();
    fs::write(master(&server), format!("{}\n{text}", new.to_string().expose_secret())).expect("the master");
    server.serve();
    eventually("the end of the rotation", || (masters(&server) == 1).then_some(()));
    let text = fs::read_to_string(master(&server)).expect("the master");
    assert_eq!(text.trim(), new.to_string().expose_secret());
    assert_eq!(Some(&fetched(&server, 1)), bytes.get(1));
    server.stop();
}

#[test]
fn the_master_is_where_the_configuration_says_also_under_a_passphrase() {
    let mut server = Server::prepare();
    let text = fs::read(master(&server)).expect("the master");
    let mut recipient = age::scrypt::Recipient::new("een lange zin".to_owned().into());
    recipient.set_work_factor(4);
    let elsewhere = server.desk("credentials");
    let sealed = age::encrypt(&recipient, &text).expect("encrypted");
    for (name, bytes) in [("master", sealed.as_slice()), ("phrase", b"een lange zin\n")] {
        write_private(&elsewhere.join(name), bytes);
    }
    fs::remove_file(master(&server)).expect("moved away");
    server.set("CREDENTIALS_DIRECTORY", &elsewhere.display().to_string());
    server.set("POSTKLUIS_SEALING__MASTER_FILE", "credential:master");
    server.set("POSTKLUIS_SEALING__PASSPHRASE_FILE", "credential:phrase");
    server.serve();
    server.done(&["organisation", "add", "alpha", "--name", "Alpha"]);
    let refused = server.refused(&["key-ring", "rotate-master"]);
    assert!(refused.contains("credential"), "{refused}");
    assert!(events(&server, "master-key-rotation-begun").is_empty());
    server.stop();
}

fn write_private(path: &std::path::Path, bytes: &[u8]) {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.expect("a file").write_all(bytes).expect("its bytes");
}

//! The five-minute tour of README.md, word for word, with the built program
//! on free ports. Fails when a newcomer who pastes it would be stuck.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use crate::support::programs::finish;
use crate::support::project::root;
use crate::support::server::clean_command;

/// Where nothing listens now.
fn free_ports() -> [String; 2] {
    // Both are held at once, so that they differ.
    let held = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    held.map(|listener| listener.local_addr().expect("its address").port().to_string())
}

#[test]
fn the_tour_of_the_readme_runs_to_its_end() {
    let program = Path::new(env!("CARGO_BIN_EXE_postkluis"));
    let folder = tempfile::Builder::new().prefix("postkluis-tour-").tempdir().expect("a temporary folder");
    let home = folder.path().join("home-of-the-tour");
    let [sftp, https] = free_ports();
    let mut tour = clean_command(&root().join("docs/tour.sh"));
    tour.env("BIN_DIR", program.parent().expect("its folder"))
        .env("TMPDIR", folder.path())
        .env("TOUR_HOME", &home)
        .env("SFTP_PORT", &sftp)
        .env("HTTPS_PORT", &https)
        .current_dir(folder.path());
    let ended = finish(&mut tour).expect_code(0);
    let said = ended.text();
    let told = |wanted: &str| assert!(said.contains(wanted), "`{wanted}` is not in:\n{said}\n{}", ended.stderr);
    told(&format!("ready sftp=127.0.0.1:{sftp} https=127.0.0.1:{https}"));
    // Both deliveries came over SFTP, whole.
    told("\nsuag_2026-10.csv: OK\n");
    told("\nsuag_2026-11.csv: OK\n");
    // One came over HTTPS as well, with its description.
    told("bsn;status\n000000012;lopend\n");
    told("\"fileName\"");
    told(".eml");
    told("withdrawn");
    assert!(said.ends_with("The tour of README.md ran to its end.\n"), "{said}");
    let fetched = |name: &str| fs::read_to_string(home.join("fetched/outbox/suag").join(name)).expect("a fetched file");
    assert_eq!(fetched("suag_2026-10.csv"), "bsn;status\n000000012;lopend\n");
    assert_eq!(fetched("suag_2026-11.csv"), "bsn;status\n000000012;beeindigd\n");
    // The server that the tour started has ended: its addresses are free again.
    for port in [sftp, https] {
        TcpListener::bind(format!("127.0.0.1:{port}")).expect("the tour's server has ended");
    }
}

#[test]
fn a_step_that_fails_stops_the_tour() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let ports = free_ports();
    fs::create_dir(folder.path().join("home")).expect("a home");
    fs::write(folder.path().join("home/postkluis.toml"), "").expect("a configuration that is there already");
    let mut tour = clean_command(&root().join("docs/tour.sh"));
    tour.env("BIN_DIR", Path::new(env!("CARGO_BIN_EXE_postkluis")).parent().expect("its folder"))
        .env("TMPDIR", folder.path())
        .env("TOUR_HOME", folder.path().join("home"))
        .env("SFTP_PORT", &ports[0])
        .env("HTTPS_PORT", &ports[1]);
    let ended = finish(&mut tour).expect_code(1);
    assert!(ended.stderr.contains("exists already"), "{}", ended.stderr);
    assert!(!ended.text().contains("ran to its end"), "{}", ended.text());
}

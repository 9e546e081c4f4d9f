//! `init`, `restore` and `restore confirm` under the shim: each is struck, asked again, and then complete.

use std::fs;

use super::super::ledger::Dice;
use super::super::verdict::{deliveries, text};
use super::shim::{Fault, Named, Shim};
use super::{Template, every_step, places};
use crate::support::server::Server;

const LISTEN: [&str; 5] = ["init", "--sftp-listen", "127.0.0.1:0", "--https-listen", "127.0.0.1:0"];

/// Faults for the calls of a command: every step on request, else a few of them.
fn chosen(calls: &[Named], dice: &mut Dice) -> Vec<(Fault, u64)> {
    let all: Vec<_> = every_step(calls)
        .into_iter()
        .map(|(fault, step)| (fault, places(calls, &step).next().expect("a place")))
        .collect();
    if matches!(std::env::var("POSTKLUIS_FAULT_RUNS").as_deref(), Ok("all" | "steps")) {
        return all;
    }
    let stride = all.len().div_ceil(8);
    let from = usize::try_from(dice.below(stride as u64)).expect("a small number");
    all.into_iter().skip(from).step_by(stride).collect()
}

#[test]
fn init_struck_at_any_call_is_asked_again() {
    let mut dice = Dice(super::super::now_millis());
    let run = |strike: Option<(Fault, u64)>| {
        let mut server = Server::without_home();
        let shim = Shim::before(&mut server, &["init"]);
        Shim::watch_home(&mut server);
        shim.arm(strike);
        let ended = server.run(&LISTEN);
        let calls = shim.read().0;
        Shim::away(&mut server);
        (server, ended.status.success(), calls)
    };
    let (_, done, calls) = run(None);
    assert!(done && calls.len() > 10, "init changes files: {calls:?}");
    for (fault, at) in chosen(&calls, &mut dice) {
        println!("init {} call {at} of {}", fault.words(), calls.len());
        let (mut server, done, _) = run(Some((fault, at)));
        if !done {
            let again = server.run(&LISTEN);
            // struck behind its last change, it is complete
            assert!(again.status.success() || again.stderr.contains("exists already"), "{}", again.stderr);
        }
        server.serve();
        server.stop();
        server.run(&["check"]).expect_code(0);
    }
}

#[test]
fn a_restore_struck_at_any_call_is_asked_again_and_confirmed() {
    let mut template = Template::made(Dice(super::super::now_millis()));
    template.stage.server.serve();
    let backup = template.stage.server.desk("backup").join("one").display().to_string();
    let identity = template.stage.server.desk("desk").join("backup-identity").display().to_string();
    template.stage.server.done(&["backup", "create", &backup]);
    template.stage.server.stop();
    let restore = ["restore", backup.as_str(), "--identity", identity.as_str()];
    let of_template = |server: Server| template.stage.with(server);
    // the restore itself
    let run = |strike: Option<(Fault, u64)>| {
        let mut server = Server::without_home();
        let shim = Shim::before(&mut server, &["restore"]);
        Shim::watch_home(&mut server);
        shim.arm(strike);
        let done = server.run(&restore).status.success();
        let calls = shim.read().0;
        Shim::away(&mut server);
        (server, done, calls)
    };
    let (restored, done, calls) = run(None);
    assert!(done && calls.len() > 10, "{calls:?}");
    let mut dice = template.dice;
    for (fault, at) in chosen(&calls, &mut dice) {
        println!("restore {} call {at} of {}", fault.words(), calls.len());
        let (server, done, _) = run(Some((fault, at)));
        if !done {
            let again = server.run(&restore);
            if !again.status.success() {
                // it says that the home is not empty, and what to do; with an empty one it goes on
                assert!(again.stderr.contains("empty"), "{}", again.stderr);
                fs::remove_dir_all(server.home()).expect("what a cut restore left");
                server.run(&restore).expect_code(0);
            }
        }
        confirmed(&of_template(server), None, &template);
    }
    // and its confirmation, in the server
    let calls = confirmed(&of_template(restored.copied()), Some((Fault::Eio, u64::MAX)), &template);
    for (fault, at) in chosen(&calls, &mut dice) {
        println!("restore confirm {} call {at} of {}", fault.words(), calls.len());
        confirmed(&of_template(restored.copied()), Some((fault, at)), &template);
    }
}

/// Confirms a restored home, struck or not, until it is open; then everything can be fetched. Returns the calls.
fn confirmed(stage: &super::super::stage::Stage, strike: Option<(Fault, u64)>, template: &Template) -> Vec<Named> {
    let mut server = stage.server.copied();
    let mut calls = Vec::new();
    if let Some(strike) = strike {
        let shim = Shim::before(&mut server, &["serve"]);
        server.serve_shut();
        shim.arm(Some(strike));
        drop(server.run(&["restore", "confirm", "--yes"]));
        shim.disarm();
        calls = shim.read().0;
        server.kill9();
        Shim::away(&mut server);
    }
    if server.home().join("data/restored.json").exists() {
        server.serve_shut();
        server.done(&["restore", "confirm", "--yes"]);
        server.await_ready();
    } else {
        server.serve();
    }
    let mut stage = template.stage.with(server);
    let list = deliveries(&stage.server);
    assert_eq!(list.len(), super::DAILY.len());
    let own = list.iter().find(|row| text(row, "organisation") == "alpha").expect("a delivery");
    let ledger = vec![template.before.clone()];
    super::verdict::fetched_whole(&stage, own, &ledger, &mut super::Table::default());
    stage.server.stop();
    stage.server.run(&["check"]).expect_code(0);
    calls
}

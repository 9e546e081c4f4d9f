//! A fault at every call: the program runs with a shim before the C library, which kills it or lets a call
//! fail at the k-th change of a file; then it starts again without the shim and everything must hold.
//! `docs/CRASH.md` says how to ask for all of them.

mod acts;
mod clock;
mod commands;
mod odds;
mod shim;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Instant;

use self::shim::{Fault, Named, Shim};
use super::ledger::{self, Asked, Content, Dice};
use super::stage::{BRIEF, DAILY, Stage};
use super::table::Table;
use super::verdict::{self, deliveries, of, text};
use super::work;

/// Strikes per operation when nobody asks for all.
const STRIKES: usize = 3;
/// A step that moves is tried so often.
const TRIES: usize = 4;
/// The publication that every run finds on the home.
const BEFORE: &str = "before";

/// What the program is asked to do while calls are struck.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Operation {
    Publish,
    Fetch,
    Expire,
    Withdraw,
    RotateKey,
    RotateMaster,
    Upload,
    Snapshot,
    BackUp,
}

impl Operation {
    const ALL: [Self; 9] = [
        Self::Publish,
        Self::Fetch,
        Self::Expire,
        Self::Withdraw,
        Self::RotateKey,
        Self::RotateMaster,
        Self::Upload,
        Self::Snapshot,
        Self::BackUp,
    ];
}

/// A home with one publication on it, from which every run begins.
struct Template {
    stage: Stage,
    before: Asked,
    /// The same with a journal that is about to begin a new segment.
    filled: Option<(Stage, Vec<Asked>)>,
    dice: Dice,
}

/// One run: a copy of the template under the shim.
struct Run {
    stage: Stage,
    shim: Shim,
    ledger: Vec<Asked>,
    withdrawn: bool,
    /// What was put, and whether its client was told that it is there.
    put: Option<(Content, bool)>,
    dice: Dice,
}

#[derive(Default)]
struct Tally {
    /// Per operation every step that it has.
    steps: BTreeMap<Operation, BTreeSet<Named>>,
    struck: BTreeMap<(Operation, Named, Fault), u64>,
    runs: usize,
    not_reached: usize,
}

#[test]
fn a_fault_at_any_call_breaks_no_promise() {
    let asked = std::env::var("POSTKLUIS_FAULT_RUNS").ok();
    let is_all = asked.as_deref() == Some("all");
    let is_every_step = asked.as_deref() == Some("steps");
    let most = match asked.as_deref() {
        None | Some("all" | "steps") => STRIKES,
        Some(text) => text.parse().unwrap_or_else(|error| panic!("POSTKLUIS_FAULT_RUNS: {error}")),
    };
    let seed = super::number("POSTKLUIS_CRASH_SEED").unwrap_or_else(super::now_millis);
    println!("POSTKLUIS_CRASH_SEED={seed}");
    let begun = Instant::now();
    let mut template = Template::made(Dice(seed));
    let (mut tally, mut table) = (Tally::default(), Table::default());
    for operation in Operation::ALL {
        let (calls, _) = template.run(operation, None, &mut table);
        println!("{operation:?}: {} calls at {} s", calls.len(), begun.elapsed().as_secs());
        assert!(!calls.is_empty(), "{operation:?} changed no file: the shim watches nothing");
        tally.steps.insert(operation, calls.iter().cloned().collect());
        let spread = strikes(&calls, is_all, most, &mut template.dice);
        let mut strike = |tally: &mut Tally, fault: Fault, at: u64| {
            println!("{operation:?} {} call {at} of {}", fault.words(), calls.len());
            let (_, struck) = template.run(operation, Some((fault, at)), &mut table);
            tally.runs += 1;
            match struck {
                Some(step) => *tally.struck.entry((operation, step, fault)).or_default() += 1,
                None => tally.not_reached += 1,
            }
        };
        if is_every_step {
            for (fault, step) in every_step(&calls) {
                // what runs beside it moves the calls: another place of the same step is tried
                for at in places(&calls, &step).take(TRIES) {
                    strike(&mut tally, fault, at);
                    if tally.struck.contains_key(&(operation, step.clone(), fault)) {
                        break;
                    }
                }
            }
        } else {
            for (fault, at) in spread {
                strike(&mut tally, fault, at);
            }
        }
    }
    let title = format!("{} runs in {} s, seed {seed}.", tally.runs, begun.elapsed().as_secs());
    let shown = format!("{}\n{}", tally.shown(&title), table.checks());
    println!("{shown}");
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    fs::create_dir_all(&target).expect("the target folder");
    fs::write(target.join("faults-table.txt"), shown).expect("the table");
    assert!(tally.not_reached * 2 < tally.runs, "most strikes came too late: {} of {}", tally.not_reached, tally.runs);
    let missed = tally.missed();
    assert!(!(is_all || is_every_step) || missed.is_empty(), "no fault came in {missed:?}");
}

/// Every named step, killed before and after it, and with one of the other faults in turn.
fn every_step(calls: &[Named]) -> Vec<(Fault, Named)> {
    let steps: BTreeSet<&Named> = calls.iter().collect();
    let others = [Fault::Eio, Fault::Enospc, Fault::Short, Fault::SyncFails];
    let turns = steps.into_iter().zip(others.into_iter().cycle());
    turns
        .flat_map(|(step, other)| {
            // only a sync is struck by syncs that fail
            let other = if other == Fault::SyncFails && !step.starts_with("sync") { Fault::Eio } else { other };
            [Fault::KillBefore, Fault::KillAfter, other].map(|fault| (fault, step.clone()))
        })
        .collect()
}

/// Where a step comes, its middle first: the ends of a run differ most from one to the next.
fn places(calls: &[Named], step: &Named) -> impl Iterator<Item = u64> {
    let at: Vec<u64> = (1..).zip(calls).filter(|(_, call)| *call == step).map(|(at, _)| at).collect();
    let middle = at.len() / 2;
    let order = at[middle..].iter().chain(at[..middle].iter().rev()).copied().collect::<Vec<_>>();
    order.into_iter().cycle()
}

/// Every call with every fault, or so many spread evenly with the kinds in turn.
fn strikes(calls: &[Named], is_all: bool, most: usize, dice: &mut Dice) -> Vec<(Fault, u64)> {
    let count = calls.len() as u64;
    if is_all {
        return (1..=count).flat_map(|at| Fault::ALL.map(|fault| (fault, at))).collect();
    }
    let (most, turn) = (most as u64, dice.below(6));
    let stride = |part: u64| 1 + (part * count + dice.below(count)) / most.max(1);
    let places: Vec<u64> = (0..most).map(stride).collect();
    let kinds = Fault::ALL.iter().cycle().skip(usize::try_from(turn).expect("a small number"));
    kinds.copied().zip(places.into_iter().map(|at| at.min(count))).collect()
}

impl Template {
    fn made(mut dice: Dice) -> Self {
        let mut server = crate::support::server::Server::prepare();
        acts::seal_backups(&mut server);
        let mut stage = Stage::on(server, age::x25519::Identity::generate());
        acts::furnish(&stage);
        let offers = stage.server.desk("offers");
        let mut before = ledger::for_command_line(&offers, BEFORE, Some(150_000), &mut dice);
        before.answered = work::publish(&stage.desk(), &offers, &before).is_some();
        assert!(before.answered, "the first publication");
        stage.server.stop();
        Self { stage, before, filled: None, dice }
    }

    /// One run to its verdict: the calls of the operation, and the one that was struck.
    fn run(
        &mut self,
        operation: Operation,
        strike: Option<(Fault, u64)>,
        table: &mut Table,
    ) -> (Vec<Named>, Option<Named>) {
        let (mut stage, ledger) = if operation == Operation::Snapshot {
            let (stage, ledger) = self.filled();
            (stage.copied(), ledger.clone())
        } else {
            (self.stage.copied(), vec![self.before.clone()])
        };
        let shim = Shim::before(&mut stage.server, &["serve"]);
        stage.server.serve();
        let dice = Dice(self.dice.below(1 << 31));
        let mut run = Run { stage, shim, ledger, withdrawn: false, put: None, dice };
        run.prepare(operation);
        run.act(operation, strike);
        run.shim.disarm();
        let read = run.shim.read();
        run.stage.server.kill9();
        Shim::away(&mut run.stage.server);
        run.judge(operation, table);
        read
    }
}

impl Run {
    fn act(&mut self, operation: Operation, strike: Option<(Fault, u64)>) {
        let offers = self.stage.server.desk("offers");
        let asked = match operation {
            Operation::Publish => Some(ledger::for_command_line(&offers, "during", Some(70_000), &mut self.dice)),
            Operation::Expire => Some(ledger::for_a_moment(&offers, "during", &mut self.dice)),
            _ => None,
        };
        let rows = deliveries(&self.stage.server);
        let row = rows.first().expect("the first delivery");
        self.shim.arm(strike);
        if let Some(mut asked) = asked {
            asked.answered = work::publish(&self.stage.desk(), &offers, &asked).is_some();
            let is_answered = asked.answered;
            self.ledger.push(asked);
            if operation == Operation::Expire && is_answered {
                self.wait_for_the_end();
            }
            return;
        }
        let server = &self.stage.server;
        match operation {
            Operation::Fetch => {
                let name = text(verdict::files(row).first().expect("a file"), "fileName");
                let robot = self.stage.robot(text(row, "organisation"));
                // Whether it ends well depends on the fault; what must hold is asked afterwards.
                robot.batch(&format!("get outbox/daily/{name}\n"));
            }
            Operation::Withdraw => {
                let ended = server.run(&["delivery", "withdraw", text(row, "id"), "--reason", "test"]);
                self.withdrawn = ended.status.success();
            }
            Operation::RotateKey => drop(server.run(&["organisation", "rotate-key", "alpha"])),
            Operation::RotateMaster => drop(server.run(&["key-ring", "rotate-master"])),
            Operation::Upload => self.put(),
            Operation::Snapshot => self.publish_until_a_snapshot(),
            Operation::BackUp => drop(server.run(&["backup", "create", &self.backup().display().to_string()])),
            Operation::Publish | Operation::Expire => {}
        }
    }

    /// Until the window is shredded on record, or the server has stopped to write or to live.
    fn wait_for_the_end(&self) {
        let until = Instant::now() + std::time::Duration::from_secs(6);
        while Instant::now() < until {
            let ended = self.stage.server.run(&["delivery", "list", "--json"]);
            if !ended.status.success() {
                return;
            }
            let list = ended.json();
            let rows = list.as_array().expect("a list");
            let mut brief = rows.iter().filter(|row| text(row, "product") == "brief");
            if brief.all(|row| text(row, "availability") == "shredded") {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
    }

    fn judge(mut self, operation: Operation, table: &mut Table) {
        // A recovery that is killed itself is only another start.
        self.stage.server.serve();
        self.stage.server.kill9();
        self.stage.server.serve();
        table.checked("recovery, killed and begun again, was ready without a hand", 1);
        self.settle(table);
        let left_alone = super::traces::left_alone(&super::traces::log(&self.stage.home()));
        match operation {
            Operation::Withdraw => return self.judge_withdrawn(table),
            Operation::Upload => return self.judge_upload(table),
            Operation::BackUp => self.judge_backup(table),
            Operation::RotateKey | Operation::RotateMaster => self.judge_rotated(operation, table),
            _ => {}
        }
        let list = verdict::quiet(&self.stage, &self.ledger, left_alone, table);
        verdict::whole_and_once(&list, &self.ledger, table);
        let mails = self.stage.server.done(&["mail", "queue"]);
        verdict::mail_for_each(&list, 0, mails.as_array().expect("a list"), table);
        verdict::everything_fetched(&self.stage, &list, table);
        // not one whose short window may end meanwhile
        let is_kept = |row: &&serde_json::Value| text(row, "product") == "daily" && verdict::is_available(row);
        let kept = list.iter().find(|row| text(row, "organisation") == "gamma" && is_kept(row));
        verdict::fetched_whole(&self.stage, kept.expect("a delivery end to end"), &self.ledger, table);
        self.end(table);
    }

    /// What nobody was told is there for all or for none, and can be asked again.
    fn settle(&mut self, table: &mut Table) {
        let offers = self.stage.server.desk("offers");
        let list = deliveries(&self.stage.server);
        for asked in self.ledger.iter_mut().filter(|asked| !asked.answered) {
            let found = of(&list, asked).len();
            let all = if asked.is_brief() { BRIEF.len() } else { asked.recipients.len() };
            assert!(found == 0 || found == all, "{} is there for {found} only", asked.key);
            let answer = work::publish(&self.stage.desk(), &offers, asked);
            let answer = answer.unwrap_or_else(|| panic!("{} was refused when asked again", asked.key));
            assert_eq!(answer.get("existed").and_then(serde_json::Value::as_bool), Some(found > 0), "{answer}");
            asked.answered = true;
            table.checked("unanswered, it was there for all or for none, and asking again gave one", 1);
        }
    }

    fn judge_withdrawn(mut self, table: &mut Table) {
        let list = deliveries(&self.stage.server);
        assert_eq!(list.len(), DAILY.len(), "rows of the first publication");
        let gone = list.iter().filter(|row| !verdict::is_available(row)).count();
        assert!(gone <= 1 && (gone == 1 || !self.withdrawn), "{gone} withdrawn, answered: {}", self.withdrawn);
        if gone == 0 {
            // unanswered, it is asked again
            let row = list.first().expect("a delivery");
            self.stage.server.done(&["delivery", "withdraw", text(row, "id"), "--reason", "test"]);
            return self.judge_withdrawn(table);
        }
        for organisation in DAILY {
            let own = list.iter().find(|row| text(row, "organisation") == organisation).expect("a delivery");
            if verdict::is_available(own) {
                verdict::fetched_whole(&self.stage, own, &self.ledger, table);
            } else {
                let name = text(verdict::files(own).first().expect("a file"), "fileName");
                let said = self.stage.robot(organisation).batch(&format!("get outbox/daily/{name}\n"));
                assert!(!said.status.success(), "what was withdrawn was given out");
                table.checked("what was withdrawn was refused, the others were fetched whole", 1);
            }
        }
        self.end(table);
    }

    fn end(&mut self, table: &mut Table) {
        self.stage.server.stop();
        self.stage.server.run(&["check"]).expect_code(0);
        table.checked("stopped in order, `postkluis check` found nothing", 1);
    }
}

impl Tally {
    fn missed(&self) -> Vec<(Operation, Named)> {
        let is_struck = |operation: Operation, step: &Named| {
            self.struck.keys().any(|(one, name, _)| *one == operation && name == step)
        };
        let all = self.steps.iter().flat_map(|(operation, steps)| steps.iter().map(|step| (*operation, step.clone())));
        all.filter(|(operation, step)| !is_struck(*operation, step)).collect()
    }

    /// Operation by step, one column for each fault.
    fn shown(&self, title: &str) -> String {
        let heads: Vec<_> = Fault::ALL.map(Fault::words).to_vec();
        let mut text = format!("{title}\n\n| operation | call and folder | {} |\n|---|---|", heads.join(" | "));
        text.push_str(&"---:|".repeat(Fault::ALL.len()));
        text.push('\n');
        for (operation, steps) in &self.steps {
            for step in steps {
                write!(text, "| {operation:?} | {step} |").expect("a text");
                for fault in Fault::ALL {
                    let times = self.struck.get(&(*operation, step.clone(), fault)).copied().unwrap_or_default();
                    write!(text, " {times} |").expect("a text");
                }
                text.push('\n');
            }
        }
        writeln!(text, "\nThe call was not reached: {} times.", self.not_reached).expect("a text");
        text
    }
}

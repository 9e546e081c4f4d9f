//! Kills the program (SIGKILL) at random and at aimed moments of publishing,
//! fetching and expiry, restarts it on the same home, and checks what must
//! hold. `docs/CRASH.md` says how to ask for more rounds and what this proves.

mod calls;
pub(crate) mod ledger;
pub(crate) mod stage;
pub(crate) mod table;
pub(crate) mod traces;
pub(crate) mod uploads;
pub(crate) mod verdict;
pub(crate) mod work;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use self::ledger::{Asked, Dice, write};
use self::stage::{BRIEF, Stage};
use self::table::{Step, Table};
use self::traces::Traces;
use self::verdict::{deliveries, files, history_after, millis, of, text};
use self::work::{Aim, Places, Round, Shown, work_and_kill};

/// Rounds when nobody asks for another number.
const ROUNDS: u64 = 36;
/// From the kill to the `ready` line, on a slow machine.
const READY_WITHIN: Duration = Duration::from_secs(20);
/// The size of the file that is fetched slowly.
pub(crate) const LARGE: usize = 3_000_000;

struct Run {
    stage: Stage,
    places: Places,
    ledger: Vec<Asked>,
    table: Table,
    dice: Dice,
    list: Vec<Value>,
    /// The last line of the history that was looked at.
    seen: u64,
    /// Payloads that the last start left alone, because it had repaired the journal.
    left_alone: usize,
    slowest: Duration,
}

/// The moment of a kill: just before it was asked, and when the process had ended.
pub(crate) struct Killed {
    from: u64,
    until: u64,
}

pub(crate) fn now_millis() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a time after 1970");
    u64::try_from(since.as_millis()).expect("a time of this age")
}

pub(crate) fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|error| panic!("{variable}: {error}")))
}

#[test]
fn killed_at_any_moment_it_keeps_what_it_promised() {
    let rounds = number("POSTKLUIS_CRASH_ROUNDS").unwrap_or(ROUNDS);
    let seed = number("POSTKLUIS_CRASH_SEED").unwrap_or_else(now_millis);
    println!("{rounds} rounds, POSTKLUIS_CRASH_SEED={seed}");
    let begun = Instant::now();
    let mut run = Run::begin(Dice(seed));
    for round in 0..rounds {
        let aim = Aim::CYCLE[usize::try_from(round).expect("a round") % Aim::CYCLE.len()];
        let at = Instant::now();
        run.round(round, aim);
        println!("round {round} {aim:?} {} ms", at.elapsed().as_millis());
    }
    verdict::everything_fetched(&run.stage, &run.list, &mut run.table);
    run.stage.server.stop();
    // pair by pair with what the whole journal says, after all these kills
    let told = run.stage.server.run(&["check", "--deep"]).expect_code(0).text();
    assert!(told.contains("pairs are as the journal says"), "{told}");
    let log = traces::log(&run.stage.server.home());
    let [kept, rebuilt] =
        ["was found to hold what it must", "its index is rebuilt"].map(|said| log.matches(said).count());
    println!("after a kill the index was used {kept} times and rebuilt {rebuilt} times");
    assert!(kept > 0, "the index was rebuilt after every kill");
    let title = format!(
        "{rounds} rounds in {} s, {} publications, {} deliveries, slowest restart {} ms, seed {seed}.",
        begun.elapsed().as_secs(),
        run.ledger.len(),
        run.list.len(),
        run.slowest.as_millis(),
    );
    let shown = run.table.shown(&title, rounds);
    println!("{shown}");
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    fs::create_dir_all(&target).expect("the target folder");
    fs::write(target.join("crash-table.txt"), shown).expect("the table");
    let missed = run.table.missed(rounds);
    assert!(missed.is_empty(), "no kill came in {missed:?}: more rounds or other aims are needed");
}

impl Run {
    fn begin(mut dice: Dice) -> Self {
        let stage = Stage::set();
        let offers = stage.server.desk("offers");
        let places = Places { offers, spool: stage.spool() };
        let content = write(&places.offers, "large.bin", LARGE, &mut dice);
        let mut large = Asked {
            key: "large".to_owned(),
            product: "daily",
            recipients: stage::DAILY.to_vec(),
            files: vec![content],
            answered: false,
            abandoned: false,
        };
        large.answered = work::publish(&stage.desk(), &places.offers, &large).is_some();
        assert!(large.answered, "the first publication");
        let list = deliveries(&stage.server);
        let mut run = Self {
            stage,
            places,
            ledger: vec![large],
            table: Table::default(),
            dice,
            list,
            seen: 0,
            left_alone: 0,
            slowest: Duration::ZERO,
        };
        run.read_history();
        run
    }

    fn read_history(&mut self) -> Vec<Value> {
        let lines = history_after(&self.stage.server, self.seen);
        if let Some(last) = lines.last() {
            self.seen = last.get("sequence").and_then(Value::as_u64).expect("a sequence");
        }
        lines
    }

    fn round(&mut self, number: u64, aim: Aim) {
        let shown = self.shown();
        let Run { stage, places, dice, .. } = self;
        let (done, killed) = work_and_kill(stage, places, aim, number, shown, dice);
        let traces = Traces::of(&self.stage.home());
        let logged = traces::log(&self.stage.home()).len();
        let at = Instant::now();
        self.stage.server.serve();
        let took = at.elapsed();
        assert!(took < READY_WITHIN, "ready only {} ms after a kill", took.as_millis());
        self.slowest = self.slowest.max(took);
        self.table.checked("the restart was ready within the bound, without a hand", 1);
        self.refuse_ended();
        self.count_disk(&traces, logged);
        let Round { asked, fetched, cut_off } = done;
        let from = self.ledger.len();
        self.ledger.extend(asked);
        self.settle_unanswered(from);
        self.list = verdict::quiet(&self.stage, &self.ledger, self.left_alone, &mut self.table);
        verdict::whole_and_once(&self.list, &self.ledger, &mut self.table);
        let lines = self.read_history();
        verdict::fetches_on_record(&lines, &fetched, &mut self.table);
        let mails = self.stage.server.done(&["mail", "queue"]);
        let mails = mails.as_array().expect("a list");
        verdict::mail_for_each(&self.list, 0, mails, &mut self.table);
        self.count_steps(&traces, &killed, &lines, mails, cut_off);
        let at = usize::try_from(self.dice.below(3)).expect("a place in a list");
        verdict::shown_in_outbox(&self.stage, stage::DAILY[at], &self.list, &mut self.table);
        if let Some(row) = verdict::any_available(&self.list, &mut self.dice) {
            verdict::fetched_whole(&self.stage, row, &self.ledger, &mut self.table);
        }
        self.forget_offers(from);
    }

    /// What alpha's robot can fetch.
    fn shown(&self) -> Vec<Shown> {
        let is_own = |row: &&Value| text(row, "organisation") == "alpha" && verdict::is_available(row);
        let lasting = self.list.iter().filter(is_own).filter(|row| text(row, "product") != "brief");
        let file = |row: &Value, file: &Value| Shown {
            delivery: text(row, "id").to_owned(),
            path: format!("outbox/{}/{}", text(row, "product"), text(file, "fileName")),
            file: text(file, "fileName").to_owned(),
            size: file.get("size").and_then(Value::as_u64).unwrap_or_default(),
        };
        lasting.flat_map(|row| files(row).iter().map(move |found| file(row, found))).collect()
    }

    /// Right after the restart, whatever is on record by then.
    fn refuse_ended(&mut self) {
        let list = deliveries(&self.stage.server);
        let now = now_millis();
        let is_ended = |row: &&Value| {
            text(row, "organisation") == BRIEF[0] && millis(row, "availableUntil").is_some_and(|until| until <= now)
        };
        if let Some(row) = list.iter().filter(is_ended).max_by_key(|row| millis(row, "availableUntil")) {
            verdict::ended_is_refused(&self.stage, row, &mut self.table);
        }
    }

    fn count_disk(&mut self, traces: &Traces, logged: usize) {
        let home = self.stage.home();
        let left_alone = traces::left_alone(traces::log(&home).get(logged..).unwrap_or_default());
        let unnamed = Traces::of(&home).orphans + left_alone;
        let known = traces.orphans + self.left_alone;
        assert!(unnamed >= known, "payloads without a row went from {known} to {unnamed}: none may be destroyed");
        self.left_alone = left_alone;
        self.table.hit(Step::Sealing, traces.unfinished);
        self.table.hit(Step::SealedNotOnRecord, unnamed - known);
        self.table.hit(Step::JournalTorn, Traces::of(&home).cuts.saturating_sub(traces.cuts));
        self.table.checked("a payload that no record names was left alone by a start that repaired", left_alone);
    }

    /// What the clients could not know: is it there for all or for none, and does asking again give one?
    fn settle_unanswered(&mut self, from: usize) {
        let list = deliveries(&self.stage.server);
        for asked in self.ledger.iter_mut().skip(from).filter(|asked| !asked.answered) {
            let found = of(&list, asked).len();
            assert!(found == 0 || found == asked.recipients.len(), "{} is there for {found} only", asked.key);
            self.table.checked("an unanswered publication is there for all recipients or for none", 1);
            self.table.hit(Step::OnRecordUnanswered, usize::from(found > 0));
            if found == 0 && (asked.is_brief() || self.dice.below(2) == 0) {
                asked.abandoned = true;
                continue;
            }
            let answer = work::publish(&self.stage.desk(), &self.places.offers, asked);
            let answer = answer.unwrap_or_else(|| panic!("{} was refused when asked again", asked.key));
            assert_eq!(answer.get("existed").and_then(Value::as_bool), Some(found > 0), "{answer}");
            self.table.checked("asking again with the same key gave the same publication", 1);
            asked.answered = true;
        }
    }

    fn count_steps(&mut self, traces: &Traces, killed: &Killed, lines: &[Value], mails: &[Value], cut_off: usize) {
        let before = |line: &&Value| millis(line, "at").is_some_and(|at| at <= killed.until);
        let events = |word: &'static str| lines.iter().filter(move |line| text(line, "event") == word);
        let begun = events("fetch-started").filter(before).count();
        let ended = events("fetch-ended").filter(before).count();
        self.table.hit(Step::MidFetch, cut_off.min(begun.saturating_sub(ended)));
        for name in &traces.claimed {
            let key = name.split('.').next().unwrap_or_default();
            let asked = self.ledger.iter().find(|asked| asked.key == key).expect("what was dropped");
            let published = of(&self.list, asked).first().and_then(|row| millis(row, "publishedAt"));
            let outlived = lines.iter().filter(before).any(|line| {
                text(line, "event") == "delivery-published"
                    && of(&self.list, asked).iter().any(|row| text(row, "id") == text(line, "deliveryId"))
            });
            assert!(published.is_some(), "{key} was claimed and is not published");
            self.table.hit(if outlived { Step::ClaimOutlived } else { Step::Claimed }, 1);
        }
        self.count_ends(traces, killed, lines);
        let is_owed = |mail: &&Value| {
            millis(mail, "queuedAt").is_some_and(|at| at <= killed.from)
                && millis(mail, "endedAt").is_none_or(|at| at > killed.until)
                && millis(mail, "queuedAt").is_some_and(|at| at + 60_000 > killed.from)
        };
        self.table.hit(Step::MailOwed, mails.iter().filter(is_owed).count());
    }

    fn count_ends(&mut self, traces: &Traces, killed: &Killed, lines: &[Value]) {
        let at = |word: &str, id: &str| {
            let line = lines.iter().find(|line| text(line, "event") == word && text(line, "deliveryId") == id);
            line.and_then(|line| millis(line, "at"))
        };
        let mut hits = Vec::new();
        for row in self.list.iter().filter(|row| text(row, "product") == "brief") {
            let id = text(row, "id");
            let Some(shredded) = at("delivery-shredded", id) else { continue };
            let label: String = text(row, "publicationId").chars().filter(char::is_ascii_alphanumeric).collect();
            let is_slot = |slot: &String| slot.ends_with(&label);
            let expired_after = at("delivery-expired", id).is_some_and(|at| at > killed.until);
            let is_due = millis(row, "availableUntil").is_some_and(|until| until <= killed.from);
            if expired_after && is_due {
                hits.push(Step::WindowEndedNotExpired);
            }
            if shredded > killed.until && !expired_after {
                let is_destroyed = traces.destroyed_slots.iter().any(is_slot);
                let is_living = traces.living_slots.iter().any(is_slot);
                hits.extend((is_living && !is_destroyed).then_some(Step::ExpiredNotDestroyed));
                hits.extend(is_destroyed.then_some(Step::DestroyedNotOnRecord));
            }
        }
        let after = lines.iter().filter(|line| millis(line, "at").is_some_and(|at| at > killed.until));
        let first =
            after.map(|line| text(line, "event")).find(|word| ["delivery-shredded", "payload-removed"].contains(word));
        hits.extend((first == Some("payload-removed")).then_some(Step::PayloadLeft));
        for step in hits {
            self.table.hit(step, 1);
        }
    }

    /// What is published needs no files any more; what was abandoned never will.
    fn forget_offers(&self, from: usize) {
        for file in self.ledger.iter().skip(from).flat_map(|asked| &asked.files) {
            // Drops were moved away already.
            drop(fs::remove_file(self.places.offers.join(&file.name)));
        }
    }
}

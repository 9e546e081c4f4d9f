//! A disk that is full by chance: while it lasts, each call that needs room fails with ENOSPC now and then.

use super::super::ledger::{self, Dice};
use super::super::table::Table;
use super::super::verdict::{self, deliveries};
use super::super::work;
use super::shim::{Fault, Shim};
use super::{Operation, Run, Template};

/// Of a thousand calls so many fail, in each run.
const ODDS: [u64; 3] = [5, 40, 300];

#[test]
fn a_disk_that_is_full_by_chance_loses_nothing() {
    let seed = super::super::number("POSTKLUIS_CRASH_SEED").unwrap_or_else(super::super::now_millis);
    println!("POSTKLUIS_CRASH_SEED={seed}");
    let mut template = Template::made(Dice(seed));
    let mut table = Table::default();
    let (mut refused, mut struck) = (0, 0);
    for (odds, uploads) in ODDS.into_iter().flat_map(|odds| [(odds, false), (odds, true)]) {
        let mut stage = template.stage.copied();
        let shim = Shim::before(&mut stage.server, &["serve"]);
        stage.server.serve();
        let dice = Dice(template.dice.below(1 << 31));
        let ledger = vec![template.before.clone()];
        let mut run = Run { stage, shim, ledger, withdrawn: false, put: None, dice };
        run.shim.arm(Some((Fault::OftenFull, odds)));
        if uploads {
            run.put();
        } else {
            refused += run.publish_some();
        }
        run.shim.disarm();
        struck += usize::from(run.shim.read().1.is_some());
        run.stage.server.kill9();
        Shim::away(&mut run.stage.server);
        run.judge(if uploads { Operation::Upload } else { Operation::Fetch }, &mut table);
    }
    println!("{}", table.checks());
    assert!(struck >= ODDS.len(), "the shim struck in {struck} runs only");
    assert!(refused > 0, "no publication met a full disk");
}

impl Run {
    /// Publishes while the disk is full now and then; how often that was refused.
    fn publish_some(&mut self) -> usize {
        let offers = self.stage.server.desk("offers");
        let mut refused = 0;
        for number in 0..6 {
            let mut asked = ledger::for_command_line(&offers, &format!("odds-{number}"), Some(30_000), &mut self.dice);
            asked.answered = work::publish(&self.stage.desk(), &offers, &asked).is_some();
            refused += usize::from(!asked.answered);
            self.ledger.push(asked);
            // reading goes on, whatever becomes of writing
            let row = deliveries(&self.stage.server).into_iter().next().expect("the first delivery");
            assert!(verdict::is_available(&row), "what was there before is still shown");
        }
        refused
    }
}

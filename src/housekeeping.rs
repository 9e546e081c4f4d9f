//! Timers: each tick calls one operation. Decides nothing itself.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::fronts::offload;
use crate::operations::{Failure, Operations};

/// How often the mail queue is looked at.
const MAIL_TICK: Duration = Duration::from_secs(1);

/// How often rotations of keys that could not end yet are looked at; the first time at the start.
const ROTATION_TICK: Duration = Duration::from_secs(60);

/// How often the length of the mail queue is judged.
const MAIL_ALARM_TICK: Duration = Duration::from_secs(60);

/// How often the check of the vault reads on.
const SCRUB_TICK: Duration = Duration::from_secs(1);

/// How often sessions of people are judged (J6 asks for five seconds).
const SESSION_TICK: Duration = Duration::from_secs(2);

/// How often requests that were not confirmed in time, and links whose time is almost over, are looked for.
const REQUEST_TICK: Duration = Duration::from_secs(300);

/// How often ends of mandates and warnings of them are put on record; what has ended has no force before that either.
const MANDATE_TICK: Duration = Duration::from_secs(2);
/// How often the calendar of expected uploads is looked at; its days end at midnight.
const EXPECTED_TICK: Duration = Duration::from_secs(10);

/// How often keys and tokens that end soon are looked for.
const ENDS_TICK: Duration = Duration::from_secs(3_600);

/// How often it is asked whether an announced interruption begins (J6 asks for five seconds).
const INTERRUPTION_TICK: Duration = Duration::from_secs(1);

/// How often it is asked whether anybody is to be told of new terms of use.
const TERMS_TICK: Duration = Duration::from_secs(1);

/// How often it is asked whether a report of an incident is due; its period is counted in hours.
const INCIDENT_TICK: Duration = Duration::from_secs(60);

/// How often received participant files are looked at.
const INTAKE_TICK: Duration = Duration::from_secs(1);

/// What the timers need to know.
#[derive(Clone, Copy, Debug)]
pub struct Timers {
    /// How often retention is enforced.
    pub retention: Duration,
    /// How many e-mails leave per minute at most.
    pub mails_per_minute: u32,
    /// With more e-mails waiting an alarm is raised.
    pub mails_waiting: usize,
    /// How fast the check of the vault reads; 0 for no check.
    pub scrub_bytes_per_second: u64,
}

/// Starts the timers; they end soon after `shutdown`.
pub fn start(tasks: &mut JoinSet<()>, operations: &Arc<Operations>, timers: Timers, shutdown: &watch::Receiver<bool>) {
    let per_tick = usize::try_from(timers.mails_per_minute / 60).unwrap_or(usize::MAX).max(1);
    tasks.spawn(every(timers.retention, Arc::clone(operations), shutdown.clone(), "enforce retention", |operations| {
        let report = operations.enforce_retention()?;
        if report.clock_not_trusted {
            tracing::warn!(
                "the clock is not trusted: nothing is destroyed until `postkluis retention run --confirm-time`"
            );
        }
        Ok(())
    }));
    tasks.spawn(every(ROTATION_TICK, Arc::clone(operations), shutdown.clone(), "rotate keys", |operations| {
        operations.continue_rotations()
    }));
    tasks.spawn(every(MAIL_TICK, Arc::clone(operations), shutdown.clone(), "send e-mail", move |operations| {
        operations.send_due_mail(per_tick).map(|_| ())
    }));
    tasks.spawn(every(SESSION_TICK, Arc::clone(operations), shutdown.clone(), "end sessions", |operations| {
        operations.end_idle_sessions().map(|_| ())
    }));
    tasks.spawn(every(REQUEST_TICK, Arc::clone(operations), shutdown.clone(), "end requests", |operations| {
        operations.expire_requests()?;
        operations.expire_proposals().map(|_| ())
    }));
    tasks.spawn(every(REQUEST_TICK, Arc::clone(operations), shutdown.clone(), "attend to links", |operations| {
        operations.attend_to_links().map(|_| ())
    }));
    tasks.spawn(every(MANDATE_TICK, Arc::clone(operations), shutdown.clone(), "settle mandates", |operations| {
        operations.settle_mandates().map(|_| ())
    }));
    tasks.spawn(every(ENDS_TICK, Arc::clone(operations), shutdown.clone(), "tell ends of keys", |operations| {
        operations.tell_ends().map(|_| ())
    }));
    tasks.spawn(every(
        INTERRUPTION_TICK,
        Arc::clone(operations),
        shutdown.clone(),
        "begin interruptions",
        |operations| operations.begin_due_interruptions().map(|_| ()),
    ));
    tasks.spawn(every(
        INTERRUPTION_TICK,
        Arc::clone(operations),
        shutdown.clone(),
        "tell of interruptions",
        |operations| operations.continue_interruption_mail().map(|_| ()),
    ));
    tasks.spawn(every(TERMS_TICK, Arc::clone(operations), shutdown.clone(), "tell of terms of use", |operations| {
        operations.keep_terms().map(|_| ())
    }));
    tasks.spawn(every(INTAKE_TICK, Arc::clone(operations), shutdown.clone(), "take in uploads", |operations| {
        for (upload, failure) in operations.advance_intake()?.failed {
            tracing::error!(%upload, %failure, "a received upload could not go on; it is tried again");
        }
        Ok(())
    }));
    tasks.spawn(every(
        EXPECTED_TICK,
        Arc::clone(operations),
        shutdown.clone(),
        "judge what is expected",
        |operations| operations.judge_expected_uploads().map(|_| ()),
    ));
    tasks.spawn(every(INCIDENT_TICK, Arc::clone(operations), shutdown.clone(), "remind of incidents", |operations| {
        for reminder in operations.remind_of_incidents()? {
            let (number, is_late) = (reminder.number, reminder.is_late);
            tracing::error!(number, is_late, "ALARM: no report of this incident to the authority is on record");
        }
        Ok(())
    }));
    let most = timers.mails_waiting;
    let judge = move |operations: &Operations| {
        if operations.waiting_mail(most.saturating_add(1))? > most {
            tracing::error!(most, "ALARM: more e-mails wait than mail.max_queue; see `postkluis mail queue`");
        }
        Ok(())
    };
    let budget_bytes = timers.scrub_bytes_per_second;
    if budget_bytes > 0 {
        let scrub = move |operations: &Operations| {
            for payload in operations.scrub_vault(budget_bytes)?.damaged {
                tracing::error!(%payload, "ALARM: a payload is not what was stored; see `payload-damaged` in the history");
            }
            Ok(())
        };
        tasks.spawn(every(SCRUB_TICK, Arc::clone(operations), shutdown.clone(), "check the vault", scrub));
    }
    tasks.spawn(every(MAIL_ALARM_TICK, Arc::clone(operations), shutdown.clone(), "judge the mail queue", judge));
}

async fn every(
    tick: Duration,
    operations: Arc<Operations>,
    mut shutdown: watch::Receiver<bool>,
    doing: &'static str,
    work: impl Fn(&Operations) -> Result<(), Failure> + Clone + Send + 'static,
) {
    let mut interval = tokio::time::interval(tick);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = interval.tick() => {}
            _ = shutdown.wait_for(|stop| *stop) => return,
        }
        let (operations, work) = (Arc::clone(&operations), work.clone());
        if let Err(failure) = offload(move || work(&operations)).await {
            tracing::error!(%failure, doing, "housekeeping failed; it is tried again at the next tick");
        }
    }
}

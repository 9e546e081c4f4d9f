//! Commands about the keys of the server itself, and reports of keys and of
//! what was destroyed. No secret passes here.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Office;
use crate::domain::history::Channel;
use crate::domain::moment::Moment;
use crate::domain::names::OrganisationCode;
use crate::domain::retention::ShredSlot;
use crate::fronts::cli::{Answer, args};
use crate::operations::{Failure, KeyFact};

pub(super) fn key_ring(office: &Office, command: args::KeyRing) -> Result<Answer, Failure> {
    let args::KeyRing::RotateMaster = command;
    let done = office.operations.rotate_master(Channel::CommandLine)?;
    let text = format!(
        "the master key is new; {} organisation identities, {} shred keys and {} keys of event bodies are sealed to it, \
         the old one is destroyed",
        done.organisations, done.shred_keys, done.body_keys
    );
    let document = json!({
        "organisations": done.organisations,
        "shredKeys": done.shred_keys,
        "bodyKeys": done.body_keys,
    });
    Ok(Answer::said(text, document))
}

pub(super) fn rotate_organisation(office: &Office, code: &str) -> Result<Answer, Failure> {
    let code = OrganisationCode::parse(code)?;
    let done = office.operations.rotate_organisation_key(&code, Channel::CommandLine)?;
    let state = match done.waits_for {
        None => "the old key is destroyed".to_owned(),
        Some(why) => format!("the old key is kept until nothing needs it any more: {why}"),
    };
    let text = format!("{code} has a new key; {} headers were wrapped to it; {state}", done.headers);
    let document = json!({
        "organisation": code.to_string(),
        "headers": done.headers,
        "oldKeyDestroyed": done.waits_for.is_none(),
        "waitsFor": done.waits_for,
    });
    Ok(Answer::said(text, document))
}

/// What is used besides keys that are kept.
const ALGORITHMS: [(&str, &str, &str); 5] = [
    ("payload", "ChaCha20-Poly1305 in chunks of 64 KiB (age STREAM)", "a file key of 128 bits for each payload"),
    ("payload header", "X25519 and AES-256-GCM stanzas, HMAC-SHA-256 (age)", "one for each organisation and file"),
    ("header seal", "AES-256-GCM, key by HKDF-SHA-256", "under the shred key of the last day"),
    ("digest of files", "SHA-256", "of plaintext and of the sealed payload"),
    ("digest of API tokens", "SHA-256", "no secret of a token is kept"),
];

pub(super) fn crypto(office: &Office) -> Result<Answer, Failure> {
    let mut rows: Vec<Value> = office.operations.key_facts()?.iter().map(row_of).collect();
    rows.extend((office.key_facts)()?.iter().map(row_of));
    for (kind, algorithm, note) in ALGORITHMS {
        rows.push(json!({ "kind": kind, "algorithm": algorithm, "note": note }));
    }
    let columns = ["kind", "name", "count", "algorithm", "since", "until", "note"];
    Ok(Answer::list(rows, &columns))
}

fn row_of(fact: &KeyFact) -> Value {
    json!({
        "kind": fact.kind,
        "name": fact.name,
        "count": fact.count,
        "algorithm": fact.algorithm,
        "since": fact.since.map(|at| at.to_string()),
        "until": fact.until.map(|at| at.to_string()),
        "note": fact.note,
    })
}

/// What one day's shred keys came to.
#[derive(Default)]
struct Day {
    destroyed: usize,
    destroyed_at: Option<Moment>,
    living: usize,
}

pub(super) fn destroyed(office: &Office) -> Result<Answer, Failure> {
    let mut days: BTreeMap<String, Day> = BTreeMap::new();
    let day_of = |at: Moment| {
        let at = i64::try_from(at.millis()).ok().and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok());
        // a slot that closes at midnight is that of the day before
        at.map(|at| at - jiff::SignedDuration::from_millis(1))
            .map_or_else(|| "held".to_owned(), |at| at.to_zoned(office.time_zone.clone()).date().to_string())
    };
    // From the record of each key: the history grows with every fetch, these only with the days.
    let mut after = None;
    loop {
        let page = office.operations.slot_records(after.as_ref())?;
        let Some(last) = page.last() else { break };
        after = Some(last.slot.clone());
        for record in page.iter().filter(|record| record.destroyed_at.is_some()) {
            let day = days.entry(day_of(record.slot.closes_at())).or_default();
            day.destroyed += 1;
            day.destroyed_at = day.destroyed_at.max(record.destroyed_at);
        }
    }
    for fact in office.operations.key_facts()?.iter().filter(|fact| fact.kind == "shred key") {
        let Ok(slot) = ShredSlot::parse(&fact.name) else { continue };
        days.entry(day_of(slot.closes_at())).or_default().living += fact.count;
    }
    let rows = days.into_iter().map(|(day, Day { destroyed, destroyed_at, living })| {
        json!({ "day": day, "living": living, "destroyed": destroyed, "destroyedAt": destroyed_at.map(|at| at.to_string()) })
    });
    let events = office.operations.body_keys()?.into_iter().map(|state| {
        let (slot, destroyed_at) = (state.key.slot, state.key.destroyed_at);
        json!({
            "month": slot.month_text(),
            "events": slot.class().word(),
            "living": u8::from(destroyed_at.is_none()),
            "destroyed": u8::from(destroyed_at.is_some()),
            "destroyedAt": destroyed_at.map(|at| at.to_string()),
            "keptUntil": state.kept_until.to_string(),
        })
    });
    let columns = ["day", "month", "events", "living", "destroyed", "destroyedAt", "keptUntil"];
    let listed = Answer::list(rows.chain(events).collect(), &columns);
    let cut = office.operations.history_cut()?;
    let reach = match &cut {
        None => "history: from its beginning on; nothing was removed".to_owned(),
        Some(cut) => format!(
            "history: from event {} on; events 1 to {}, until {}, were removed with their period",
            cut.next_event,
            cut.next_event.saturating_sub(1),
            cut.last_at
        ),
    };
    let mut document = listed.document;
    if let Some(rows) = document.as_array_mut() {
        rows.push(json!({
            "historyFromEvent": cut.as_ref().map_or(1, |cut| cut.next_event),
            "historyFromDecision": cut.as_ref().map_or(1, |cut| cut.next_sequence),
            "removedUntil": cut.as_ref().map(|cut| cut.last_at.to_string()),
        }));
    }
    Ok(Answer::said(format!("{}\n{reach}", listed.text), document))
}

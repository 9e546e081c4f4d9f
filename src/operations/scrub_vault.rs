//! The slow check of the vault: every payload is read now and then and held against the digest of
//! what was stored, so that a disk that forgets is found before a recipient finds it. Repairs
//! nothing: what is damaged is named, once per round, and is in a backup or nowhere.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::{Failure, Operations, locked};
use crate::domain::decision::Decision;
use crate::domain::delivery::{Payload, SealedHeader};
use crate::domain::digest::Digest;
use crate::domain::history::{About, Event, Happening, Who};
use crate::domain::ids::PayloadId;
use crate::domain::moment::{Moment, Span};
use crate::domain::record::Row;
use crate::domain::scrub::ScrubPosition;
use crate::ports::vault::PayloadReader;

/// Bytes that are read at once.
const PIECE_BYTES: u64 = 256 * 1024;

/// How far it came is put on record so often: a restart repeats at most that much.
const SAVED_EVERY: Span = Span::from_seconds(6 * 3_600);

/// Deliveries that are counted for a damaged payload; there may be more.
const MOST_COUNTED: usize = 1_000;

/// What one slice of the check did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ScrubReport {
    /// Bytes that were read.
    pub read_bytes: u64,
    /// Payloads that are not what was stored.
    pub damaged: Vec<PayloadId>,
    /// The round came to its end.
    pub is_round_ended: bool,
}

/// The check as far as it came; nothing when this process has not begun.
#[derive(Default)]
pub(super) struct Scrub {
    position: Option<ScrubPosition>,
    current: Option<Current>,
    saved_at: Option<Moment>,
}

/// The payload that is being read.
struct Current {
    row: Payload,
    reader: Arc<dyn PayloadReader>,
    hash: Sha256,
    at: u64,
}

impl Operations {
    /// Reads on in the vault, about `budget_bytes` of it. A round that ended is followed by another
    /// `storage.scrub_every` after its beginning. One caller at a time.
    ///
    /// # Errors
    /// A fault of the catalog. What cannot be read in the vault is damage, not an error.
    pub fn scrub_vault(&self, budget_bytes: u64) -> Result<ScrubReport, Failure> {
        let mut scrub = locked(&self.scrub);
        let now = self.now();
        let mut report = ScrubReport::default();
        let Some(mut position) = self.position_of(&scrub, now)? else { return Ok(report) };
        while report.read_bytes < budget_bytes {
            let Some(mut current) = scrub.current.take() else {
                match self.next_payload(&position)? {
                    None => {
                        position.ended_at = Some(now);
                        self.save(&position, now)?;
                        report.is_round_ended = true;
                        break;
                    }
                    Some(row) => match self.vault.open_sealed(row.id, Vec::new()) {
                        Ok(reader) if reader.size_bytes() == row.sealed_bytes => {
                            scrub.current = Some(Current { row, reader, hash: Sha256::new(), at: 0 });
                        }
                        Ok(_) => self.passed(&mut position, &row, Some("has another size"), &mut report)?,
                        Err(_) => self.passed(&mut position, &row, Some("cannot be opened"), &mut report)?,
                    },
                }
                continue;
            };
            let length =
                usize::try_from((current.row.sealed_bytes - current.at).min(PIECE_BYTES)).unwrap_or(usize::MAX);
            match current.reader.read_vec(current.at, length) {
                Ok(bytes) if bytes.len() == length => {
                    current.hash.update(&bytes);
                    current.at += length as u64;
                    report.read_bytes += length as u64;
                    if current.at < current.row.sealed_bytes {
                        scrub.current = Some(current);
                        continue;
                    }
                    let is_same = Digest::new(current.hash.finalize().into()) == current.row.sealed_sha256;
                    let wrong = (!is_same).then_some("has other bytes");
                    self.passed(&mut position, &current.row, wrong, &mut report)?;
                }
                _ => self.passed(&mut position, &current.row, Some("cannot be read"), &mut report)?,
            }
        }
        let saved_at = *scrub.saved_at.get_or_insert(now);
        if now >= saved_at.after(SAVED_EVERY) && !report.is_round_ended {
            self.save(&position, now)?;
            scrub.saved_at = Some(now);
        }
        scrub.position = Some(position);
        Ok(report)
    }

    /// Where to go on; nothing while the next round is not due.
    fn position_of(&self, scrub: &Scrub, now: Moment) -> Result<Option<ScrubPosition>, Failure> {
        let known = match &scrub.position {
            Some(position) => Some(position.clone()),
            None => self.catalog.look(|view| Ok(view.row::<ScrubPosition>(&ScrubPosition::key_of())?))?,
        };
        Ok(match known {
            Some(position) if position.ended_at.is_none() => Some(position),
            Some(position) if now < position.begun_at.after(self.settings.scrub_every) => None,
            _ => Some(ScrubPosition::beginning(now)),
        })
    }

    fn next_payload(&self, position: &ScrubPosition) -> Result<Option<Payload>, Failure> {
        let after = position.after.map(Payload::key_of);
        let rows = self.catalog.look(|view| Ok(view.rows::<Payload>(&Payload::all(), after.as_ref(), 1)?))?;
        Ok(rows.into_iter().next())
    }

    /// A payload was looked at. One that was removed meanwhile, or is about to be, is not damaged.
    fn passed(
        &self,
        position: &mut ScrubPosition,
        row: &Payload,
        wrong: Option<&'static str>,
        report: &mut ScrubReport,
    ) -> Result<(), Failure> {
        position.after = Some(row.id);
        position.checked += 1;
        let Some(wrong) = wrong else { return Ok(()) };
        let (id, now) = (row.id, self.now());
        let still = self.catalog.look(|view| Ok(view.row::<Payload>(&Payload::key_of(id))?))?;
        if still.is_none_or(|row| row.headers == 0) {
            return Ok(());
        }
        position.damaged += 1;
        report.damaged.push(id);
        self.catalog.decide(Box::new(move |view| {
            let headers = view.rows::<SealedHeader>(&SealedHeader::keys_of(id), None, MOST_COUNTED)?;
            let delivery = headers.first().map(|header| header.delivery);
            let note = format!("payload {id} {wrong}; {} deliveries have it", headers.len());
            let about = About { delivery, ..About::default() };
            let event = Event::new(Happening::PayloadDamaged, Who::system(), about).with_note(&note);
            Ok(Decision::new(now, event).leaving_access_as_it_is())
        }))?;
        Ok(())
    }

    fn save(&self, position: &ScrubPosition, now: Moment) -> Result<(), Failure> {
        self.catalog.decide(saving(position.clone(), now)).map(|_| ())
    }
}

fn saving(position: ScrubPosition, now: Moment) -> crate::ports::catalog::Rule {
    Box::new(move |_| {
        let (checked, damaged) = (position.checked, position.damaged);
        let word = if position.ended_at.is_some() { "all of them" } else { "so far" };
        let note = format!("{checked} payloads, {word}; {damaged} damaged");
        let event = Event::new(Happening::VaultScrubbed, Who::system(), About::default()).with_note(&note);
        Ok(Decision::new(now, event).put(position).leaving_access_as_it_is())
    })
}

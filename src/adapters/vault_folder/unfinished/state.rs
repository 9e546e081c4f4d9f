//! What is known of an open upload, under its lock: the map, the extents that grow, those that
//! are closed, and what waits. Each write goes to one place as a whole, so it is kept or refused
//! as a whole.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;

use super::digests::Digests;
use super::early::Early;
use super::extents::Extents;
use super::growing::{Ground, Growing, Workshop};
use super::names::Name;
use super::sealed::{Closed, SealedExtent};
use crate::domain::digest::Digest;
use crate::domain::refusal::Refusal;
use crate::ports::failure::{Failure, Fault};
use crate::ports::unfinished::UnfinishedLimits;

/// Extents that grow at the same time: clients that send a file in several parts at once use up to 8 streams.
/// Each holds one chunk in memory.
const MAX_GROWING: usize = 8;

/// Closed extents that are open for reading.
const MAX_OPENED: usize = 8;

/// The state of one open upload.
pub(super) struct State {
    pub(super) map: Extents,
    pub(super) closed: BTreeMap<u64, Closed>,
    /// The one written last is the last.
    growing: Vec<Growing>,
    pub(super) early: Early,
    opened: Vec<SealedExtent>,
    /// Extents and changes of size: what `max_extents` bounds.
    entries: usize,
    next_number: u64,
    workshop: Workshop,
    /// Digests of the plaintext and of the sealed bytes of a closed extent.
    pub(super) digests: Option<(u64, Digest, Digest)>,
    condition: Condition,
}

enum Condition {
    Usable,
    /// `abandon` was called.
    Abandoned,
    /// Something broke, so that memory and disk may differ: only `resume` tells what is there.
    Broken,
}

impl State {
    /// The state that follows from what lies in the folder: closed extents and changes of size only.
    pub(super) fn of_names(names: &[Name]) -> Self {
        let closed: BTreeMap<u64, Closed> =
            names.iter().filter_map(|name| Closed::of_name(*name)).map(|closed| (closed.number, closed)).collect();
        let sizes = names.iter().filter(|name| matches!(name, Name::Truncate { .. })).count();
        Self {
            map: Extents::of_names(names, |_| 0),
            entries: closed.len() + sizes,
            closed,
            growing: Vec::new(),
            early: Early::default(),
            opened: Vec::new(),
            next_number: names.iter().map(|name| name.number() + 1).max().unwrap_or(0),
            workshop: Workshop::default(),
            digests: None,
            condition: Condition::Usable,
        }
    }

    /// Size as a reader sees it, with what waits.
    pub(super) fn size(&self) -> u64 {
        self.map.size().max(self.early.end())
    }

    /// The first range that nobody wrote though bytes lie behind it.
    pub(super) fn first_gap(&self) -> Option<(u64, u64)> {
        let mut position = 0;
        loop {
            let further = self.early.covered_from(self.map.covered_from(position));
            if further == position {
                break;
            }
            position = further;
        }
        let next = [self.map.next_start(position), self.early.next_start(position)];
        next.into_iter().flatten().min().map(|end| (position, end))
    }

    /// Fails unless the upload can be worked on.
    pub(super) fn check_usable(&self, ground: &Ground) -> Result<(), Fault> {
        match self.condition {
            Condition::Usable => Ok(()),
            Condition::Abandoned => Err(ground.fault("use the handle", "it was given up; open the upload again")),
            Condition::Broken => Err(ground.fault("use the handle", "an earlier error; open the upload again")),
        }
    }

    /// No more work after this.
    pub(super) fn abandon(&mut self) {
        self.condition = Condition::Abandoned;
        self.growing.clear();
        self.early.forget();
        self.opened.clear();
        self.workshop = Workshop::default();
    }

    /// After a fault nobody knows what lies on the disk; after a refusal all is as it was.
    pub(super) fn noting<T>(&mut self, outcome: Result<T, Failure>) -> Result<T, Failure> {
        if matches!(outcome, Err(Failure::Faulted(_))) {
            self.condition = Condition::Broken;
        }
        outcome
    }

    /// Writes, or lets wait what comes before its time.
    pub(super) fn write(
        &mut self,
        ground: &Ground,
        limits: &UnfinishedLimits,
        offset: u64,
        data: &[u8],
    ) -> Result<(), Failure> {
        self.take_in(ground, limits)?;
        let is_in_order = offset <= self.map.contiguous() || self.growing.iter().any(|extent| extent.end() == offset);
        if is_in_order {
            self.place(ground, limits, offset, data)?;
            // The write itself is done: what still does not fit goes on waiting.
            match self.take_in(ground, limits) {
                Ok(()) | Err(Failure::Refused(_)) => Ok(()),
                Err(fault) => Err(fault),
            }
        } else if self.early.bytes() + data.len() <= limits.max_early_bytes {
            self.early.insert(offset, data);
            Ok(())
        } else {
            self.spill(ground, limits)?;
            self.place(ground, limits, offset, data)
        }
    }

    /// Takes in what waited for bytes that are there now.
    pub(super) fn take_in(&mut self, ground: &Ground, limits: &UnfinishedLimits) -> Result<(), Failure> {
        while self.early.first().is_some_and(|first| first <= self.map.contiguous()) {
            self.place_first(ground, limits)?;
        }
        Ok(())
    }

    /// Everything that waits becomes extents, with the gaps between them.
    pub(super) fn spill(&mut self, ground: &Ground, limits: &UnfinishedLimits) -> Result<(), Failure> {
        while self.early.first().is_some() {
            self.place_first(ground, limits)?;
        }
        Ok(())
    }

    fn place_first(&mut self, ground: &Ground, limits: &UnfinishedLimits) -> Result<(), Failure> {
        let Some((start, piece)) = self.early.take_first() else { return Ok(()) };
        let placed = self.place(ground, limits, start, &piece);
        if placed.is_err() {
            self.early.put_back(start, piece);
        }
        placed
    }

    /// Gives bytes to the extent that ends where they begin, or to a new one.
    fn place(&mut self, ground: &Ground, limits: &UnfinishedLimits, offset: u64, data: &[u8]) -> Result<(), Failure> {
        let end = offset + data.len() as u64;
        let newest = self.map.newest_in(offset, end);
        let goes_on = |extent: &Growing| extent.end() == offset && newest.is_none_or(|newest| newest < extent.number);
        let at = self.growing.iter().position(goes_on);
        let number = at.and_then(|at| self.growing.get(at)).map(|extent| extent.number);
        // What is overridden must be sealed before: so a tail can move to a later number and overrides nothing.
        let hit =
            |extent: &Growing| Some(extent.number) != number && extent.tail_start() < end && offset < extent.end();
        while let Some(hit) = self.growing.iter().position(hit) {
            self.close_one(ground, hit)?;
        }
        let (mut extent, is_new) = match number.and_then(|number| self.take_growing(number)) {
            Some(extent) => (extent, false),
            None => (self.begin_extent(ground, limits, offset)?, true),
        };
        let appended = extent.append(ground, data, &mut self.workshop);
        match appended {
            Ok(()) => {
                self.map.put(extent.number, extent.start, offset, data.len() as u64);
                self.early.clear(offset, end);
                self.growing.push(extent);
                Ok(())
            }
            Err(failure) if is_new => {
                self.forget_digests(extent.number);
                extent.cut(ground)?;
                self.entries = self.entries.saturating_sub(1);
                Err(failure)
            }
            Err(failure) => {
                self.replant(ground, extent)?;
                Err(failure)
            }
        }
    }

    fn take_growing(&mut self, number: u64) -> Option<Growing> {
        let at = self.growing.iter().position(|extent| extent.number == number)?;
        Some(self.growing.remove(at))
    }

    fn begin_extent(&mut self, ground: &Ground, limits: &UnfinishedLimits, offset: u64) -> Result<Growing, Failure> {
        check_entries(self.entries, limits)?;
        if self.growing.len() >= MAX_GROWING {
            self.close_one(ground, 0)?;
        }
        let number = self.take_number();
        self.entries += 1;
        // Only a file that comes in one run from its first byte is hashed on its way.
        let is_first = offset == 0 && self.map.size() == 0;
        self.digests = None;
        self.workshop.digests = is_first.then(|| (number, Digests::new()));
        Ok(Growing::new(number, offset))
    }

    fn take_number(&mut self) -> u64 {
        let number = self.next_number;
        self.next_number += 1;
        number
    }

    fn forget_digests(&mut self, number: u64) {
        self.workshop.digests.take_if(|(of, _)| *of == number);
    }

    /// Seals the end of every extent that grows, and syncs them.
    pub(super) fn close_all(&mut self, ground: &Ground) -> Result<(), Failure> {
        while !self.growing.is_empty() {
            self.close_one(ground, 0)?;
        }
        Ok(())
    }

    fn close_one(&mut self, ground: &Ground, at: usize) -> Result<(), Failure> {
        if at >= self.growing.len() {
            return Ok(());
        }
        let mut extent = self.growing.remove(at);
        match extent.close(ground, &mut self.workshop) {
            Ok(closed) => {
                self.closed.insert(closed.number, closed);
                if let Some((number, digests)) = self.workshop.digests.take_if(|(of, _)| *of == closed.number) {
                    let (plain, sealed) = digests.finish()?;
                    self.digests = Some((number, plain, sealed));
                }
                Ok(())
            }
            Err(failure) => {
                self.replant(ground, extent)?;
                Err(failure)
            }
        }
    }

    /// An extent could not be written: its key is done with, and its tail begins another extent.
    fn replant(&mut self, ground: &Ground, extent: Growing) -> Result<(), Failure> {
        self.forget_digests(extent.number);
        let remains = extent.cut(ground)?;
        if let Some(closed) = remains.closed {
            self.closed.insert(closed.number, closed);
            self.entries += 1;
        }
        let (start, tail) = remains.tail;
        if !tail.is_empty() {
            let number = self.take_number();
            self.map.put(number, start, start, tail.len() as u64);
            self.growing.push(Growing::with_tail(number, start, tail));
        }
        Ok(())
    }

    /// Makes the file so long. Not yet synced, unless it is cut to nothing.
    pub(super) fn set_size(&mut self, ground: &Ground, limits: &UnfinishedLimits, size: u64) -> Result<(), Failure> {
        if size == 0 {
            return self.empty(ground);
        }
        self.spill(ground, limits)?;
        self.close_all(ground)?;
        check_entries(self.entries, limits)?;
        self.cut(ground, size)
    }

    /// Forgets what lies from `size` on, whatever the bound: nothing grows, nothing waits.
    pub(super) fn cut(&mut self, ground: &Ground, size: u64) -> Result<(), Failure> {
        if size == 0 {
            return self.empty(ground);
        }
        let number = self.record_size(ground, size)?;
        self.map.set_size(number, size);
        Ok(())
    }

    /// All that came before is of no use any more and is removed, once the disk knows that it is.
    fn empty(&mut self, ground: &Ground) -> Result<(), Failure> {
        let number = self.record_size(ground, 0)?;
        ground.sync()?;
        for name in super::names_in(&ground.folder).map_err(|error| ground.fault("list the folder", error))? {
            if name.number() < number {
                ground.discard(name);
            }
        }
        let next_number = self.next_number;
        *self = Self::of_names(&[Name::Truncate { number, size: 0 }]);
        self.next_number = next_number;
        Ok(())
    }

    fn record_size(&mut self, ground: &Ground, size: u64) -> Result<u64, Failure> {
        let number = self.next_number;
        let path = ground.path_of(Name::Truncate { number, size });
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        made.map_err(|error| ground.failure("record the size", error))?;
        self.next_number += 1;
        self.entries += 1;
        self.digests = None;
        self.workshop.digests = None;
        Ok(number)
    }

    /// Reads up to `length` bytes from `offset`, as far as it goes without a gap.
    pub(super) fn read(&mut self, ground: &Ground, offset: u64, length: usize) -> Result<Vec<u8>, Failure> {
        let left = self.map.contiguous().saturating_sub(offset);
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(length);
        let mut bytes = Vec::with_capacity(wanted);
        while bytes.len() < wanted {
            let position = offset + bytes.len() as u64;
            let Some(piece) = self.map.at(position) else { break };
            let rest = usize::try_from(piece.end - position).unwrap_or(usize::MAX).min(wanted - bytes.len());
            let before = bytes.len();
            if piece.extent_start.is_none() {
                bytes.resize(before + rest, 0);
            } else if let Some(extent) = self.growing.iter().find(|extent| extent.number == piece.number) {
                extent.read(ground, position, rest, &mut bytes)?;
            } else {
                self.opened(ground, piece.number)?.read(ground, position, rest, &mut bytes)?;
            }
            if bytes.len() == before {
                return Err(ground.fault("read an extent", "it is shorter than its name says").into());
            }
        }
        Ok(bytes)
    }

    fn opened(&mut self, ground: &Ground, number: u64) -> Result<&mut SealedExtent, Failure> {
        let extent = match self.opened.iter().position(|extent| extent.closed.number == number) {
            Some(at) => self.opened.remove(at),
            None => {
                let closed = self.closed.get(&number);
                let closed = closed.ok_or_else(|| ground.fault("open an extent", "nothing is known of it"))?;
                SealedExtent::open(ground, *closed)?
            }
        };
        if self.opened.len() >= MAX_OPENED {
            self.opened.remove(0);
        }
        Ok(self.opened.push_mut(extent))
    }
}

fn check_entries(entries: usize, limits: &UnfinishedLimits) -> Result<(), Failure> {
    if entries < limits.max_extents {
        return Ok(());
    }
    let why = format!(
        "the upload is in {entries} pieces and may have {}: send the file from its beginning to its end in one go",
        limits.max_extents
    );
    Err(Refusal::TooMuch(why).into())
}

//! The open handles of one conversation: bounded, validated, never reused.
//! Knows nothing of packets.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use super::shelf::{Entry, FolderCursor, OpenedFile};

/// A listing in progress with what did not fit in the last answer.
pub struct Listing {
    /// Where the rest comes from.
    pub cursor: Box<dyn FolderCursor>,
    /// Entries taken from the cursor but not yet answered.
    pub rest: VecDeque<Entry>,
}

/// What a handle stands for.
#[derive(Clone)]
pub enum Opened {
    /// A file, and whether it was opened for reading and for writing.
    File {
        /// The file.
        file: Arc<dyn OpenedFile>,
        /// `SSH_FXF_READ` was given.
        read: bool,
        /// `SSH_FXF_WRITE` was given.
        write: bool,
    },
    /// A folder being listed.
    Folder(Arc<Mutex<Listing>>),
}

/// One handle with the requests now running on it.
pub struct Slot {
    /// What it stands for.
    pub opened: Opened,
    /// Requests running that others may run beside.
    pub shared: usize,
    /// Whether a request runs that must be alone.
    pub exclusive: bool,
}

/// All handles of a conversation.
#[derive(Default)]
pub struct Handles {
    slots: HashMap<u64, Slot>,
    last: u64,
}

impl Handles {
    /// How many are open.
    pub fn count(&self) -> usize {
        self.slots.len()
    }

    /// Adds one and returns its number.
    pub fn add(&mut self, opened: Opened) -> u64 {
        self.last += 1;
        self.slots.insert(self.last, Slot { opened, shared: 0, exclusive: false });
        self.last
    }

    /// The handle with this number.
    pub fn slot(&mut self, number: u64) -> Option<&mut Slot> {
        self.slots.get_mut(&number)
    }

    /// Takes the handle out.
    pub fn remove(&mut self, number: u64) -> Option<Opened> {
        self.slots.remove(&number).map(|slot| slot.opened)
    }

    /// Takes all out, for the end of the conversation.
    pub fn drain(&mut self) -> Vec<Opened> {
        self.slots.drain().map(|(_, slot)| slot.opened).collect()
    }
}

/// A handle's number from the bytes a client sent; `None` if they cannot be one.
pub fn number(handle: &[u8]) -> Option<u64> {
    <[u8; 8]>::try_from(handle).ok().map(u64::from_be_bytes)
}

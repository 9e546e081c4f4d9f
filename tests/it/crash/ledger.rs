//! What the clients asked and what they were answered: the outside truth that
//! the server is held against after each kill. Looks at no server.

use std::fs;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::stage::{BRIEF, DAILY, SPOOLED};

/// One publication that was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) key: String,
    pub(crate) product: &'static str,
    pub(crate) recipients: Vec<&'static str>,
    pub(crate) files: Vec<Content>,
    /// The client ended with success.
    pub(crate) answered: bool,
    /// It was not there after the kill and nobody asked again: it must never appear.
    pub(crate) abandoned: bool,
}

/// One file that was offered.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    pub(crate) name: String,
    pub(crate) size: u64,
    pub(crate) sha256: String,
}

/// One fetch that a client ended with success.
#[derive(Clone, Debug)]
pub(crate) struct Fetched {
    pub(crate) delivery: String,
    pub(crate) file: String,
    pub(crate) size: u64,
}

impl Asked {
    pub(crate) fn is_brief(&self) -> bool {
        self.product == "brief"
    }

    pub(crate) fn is_spooled(&self) -> bool {
        self.product == "spooled"
    }
}

/// Numbers that look random, from a seed that is printed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound.max(1)
    }

    /// Nothing, a few bytes, around a block, or up to 3 MB; small ones most often.
    pub(crate) fn size(&mut self) -> usize {
        let size = match self.below(12) {
            0 => 0,
            1..=5 => self.below(2_000),
            6 => 65_535 + self.below(3),
            7..=10 => self.below(200_000),
            _ => self.below(3_000_000),
        };
        usize::try_from(size).expect("a small number")
    }
}

/// Writes a file of that size; no two have the same bytes unless they are empty.
pub(crate) fn write(folder: &Path, name: &str, size: usize, dice: &mut Dice) -> Content {
    let mut bytes = Vec::with_capacity(size + 4);
    while bytes.len() < size {
        let number = u32::try_from(dice.below(1 << 31)).expect("31 bits");
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    bytes.truncate(size);
    fs::write(folder.join(name), &bytes).expect("a file to publish");
    Content { name: name.to_owned(), size: size as u64, sha256: digest(&bytes) }
}

/// SHA-256 in hexadecimal.
pub(crate) fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A publication by command line: one to three files, for all recipients or for one.
pub(crate) fn for_command_line(folder: &Path, key: &str, size: Option<usize>, dice: &mut Dice) -> Asked {
    let count = if size.is_some() { 1 } else { 1 + dice.below(3) };
    let files =
        (0..count).map(|at| write(folder, &format!("{key}-{at}.bin"), size.unwrap_or_else(|| dice.size()), dice));
    let files = files.collect();
    let recipients = match dice.below(4) {
        0 if size.is_none() => vec!["alpha"],
        1 if size.is_none() => vec!["beta", "gamma"],
        _ => DAILY.to_vec(),
    };
    Asked { key: key.to_owned(), product: "daily", recipients, files, answered: false, abandoned: false }
}

/// A publication with a short window.
pub(crate) fn for_a_moment(folder: &Path, key: &str, dice: &mut Dice) -> Asked {
    let size = usize::try_from(dice.below(100_000)).expect("a small number");
    let files = vec![write(folder, &format!("{key}.bin"), size, dice)];
    Asked {
        key: key.to_owned(),
        product: "brief",
        recipients: BRIEF.to_vec(),
        files,
        answered: false,
        abandoned: false,
    }
}

/// A drop: one file, or a folder of two that is one delivery.
pub(crate) fn for_spool(folder: &Path, key: &str, size: Option<usize>, dice: &mut Dice) -> Asked {
    let files = if size.is_none() && dice.below(3) == 0 {
        let inner = folder.join(format!("{key}.delivery"));
        fs::create_dir_all(&inner).expect("a folder to drop");
        let names = [format!("{key}-a.bin"), format!("{key}-b.bin")];
        names.iter().map(|name| write(&inner, name, dice.size(), dice)).collect()
    } else {
        vec![write(folder, &format!("{key}.bin"), size.unwrap_or_else(|| dice.size()), dice)]
    };
    Asked {
        key: key.to_owned(),
        product: "spooled",
        recipients: SPOOLED.to_vec(),
        files,
        answered: false,
        abandoned: false,
    }
}

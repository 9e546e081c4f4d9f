//! The sample world and its data files: the same bytes at every run, no real
//! persons, no citizen numbers.
#![expect(clippy::disallowed_methods, reason = "the demonstration makes and reads its own files")]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use serde::Deserialize;

/// The sample world, as `fixtures/demo/world.toml` has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct World {
    pub(super) organisation: Vec<SampleOrganisation>,
    pub(super) product: Vec<SampleProduct>,
}

/// A recipient with its robot.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SampleOrganisation {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) oin: String,
    pub(super) mail_domain: String,
    pub(super) account: String,
    pub(super) owner: String,
    #[serde(default)]
    pub(super) end_to_end: bool,
}

/// A product and who receives it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SampleProduct {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) retention: String,
    pub(super) recipients: Vec<String>,
    pub(super) records: u32,
}

impl World {
    /// Reads the fixture that is compiled in.
    pub(super) fn sample() -> Result<Self, toml::de::Error> {
        toml::from_str(include_str!("../../../fixtures/demo/world.toml"))
    }
}

/// Writes the data file of a product: a header line and one line per record, about 60 bytes each.
pub(super) fn write_data(path: &Path, product: &SampleProduct) -> std::io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    writeln!(out, "volgnummer;relatie;mutatie;ingangsdatum;percentage;bedrag")?;
    let mut state = product.code.bytes().fold(0x9e37_79b9_7f4a_7c15_u64, |state, byte| mix(state ^ u64::from(byte)));
    for number in 1..=product.records {
        state = mix(state);
        let relation = format!("R{:012}", state % 1_000_000_000_000);
        let kind = ["NIEUW", "WIJZIGING", "EINDE"].get((state >> 40) as usize % 3).copied().unwrap_or("NIEUW");
        let (month, day) = ((state >> 8) % 12 + 1, (state >> 16) % 28 + 1);
        let percentage = (state >> 24) % 101;
        let amount = (state >> 32) % 400_000;
        writeln!(
            out,
            "{number};{relation};{kind};2026-{month:02}-{day:02};{percentage};{}.{:02}",
            amount / 100,
            amount % 100
        )?;
    }
    out.into_inner()?.sync_all()
}

/// splitmix64: a fixed sequence, not fit for keys.
const fn mix(state: u64) -> u64 {
    let state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

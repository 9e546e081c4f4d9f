//! The targets under libFuzzer: the one named by `POSTKLUIS_FUZZ_TARGET` gets what the engine makes.
#![no_main]

use std::sync::OnceLock;

#[path = "../../mod.rs"]
mod fuzz;

static TARGET: OnceLock<fn(&[u8])> = OnceLock::new();

fn named() -> fn(&[u8]) {
    let name = std::env::var("POSTKLUIS_FUZZ_TARGET").unwrap_or_default();
    let known = fuzz::TARGETS.iter().find(|(known, _)| *known == name);
    known.expect("POSTKLUIS_FUZZ_TARGET names none of the targets of tests/fuzz/mod.rs").1
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| TARGET.get_or_init(named)(data));

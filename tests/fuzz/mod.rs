//! The targets: what bytes may do to the protocol core and to the interval set. Each is a plain function
//! that panics when a promise is broken; `tests/it/fuzzing.rs` and `tests/fuzz/engine` run them.

pub(crate) mod core;
pub(crate) mod intervals;
pub(crate) mod oracle;
pub(crate) mod packets;
pub(crate) mod paths;
pub(crate) mod shelf;

/// Anything that takes bytes.
pub(crate) type Target = fn(&[u8]);

/// The targets by name.
pub(crate) const TARGETS: [(&str, Target); 4] =
    [("core", core::run), ("intervals", intervals::run), ("packets", packets::run), ("paths", paths::run)];

/// Numbers that look random and follow from a seed (xorshift64*).
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `bound`, which is not 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 16) as usize % bound
    }
}

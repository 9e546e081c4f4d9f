//! Logs, and the promise of what never stands in them: no secrets, tokens or
//! keys, no contents of files or messages, no whole mail address. What comes
//! from outside is logged through `Shown` or `Masked`; faults once, by `report`.

use std::error::Error;
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing_subscriber::EnvFilter;

/// Characters of an outside text that are logged at most.
const MAX_SHOWN_CHARS: usize = 120;

/// Characters of a fault with its causes that are logged at most.
const MAX_FAULT_CHARS: usize = 2_000;

/// Form of log lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// For people.
    Text,
    /// One JSON document per line.
    Json,
}

/// Begins logging to standard error. Own messages from `level` (`error`, `warn`,
/// `info`, `debug`, `trace`) on; libraries never below `warn`, since their finer
/// messages repeat what users send.
///
/// # Errors
/// An unknown level, or logging that was begun before.
pub fn start(level: &str, form: Form) -> Result<(), Box<dyn Error + Send + Sync>> {
    let filter = filter(level)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    match form {
        Form::Text => builder.try_init(),
        Form::Json => builder.json().flatten_event(true).try_init(),
    }
}

fn filter(level: &str) -> Result<EnvFilter, Box<dyn Error + Send + Sync>> {
    let known = ["error", "warn", "info", "debug", "trace"];
    if !known.contains(&level) {
        return Err(format!("unknown log level; use one of {}", known.join(", ")).into());
    }
    let libraries = if level == "error" { "error" } else { "warn" };
    Ok(EnvFilter::builder().parse(format!("{libraries},postkluis={level}"))?)
}

/// A text from outside, fit for a log: on one line, without control characters,
/// at most 120 characters.
#[derive(Clone, Copy)]
pub struct Shown<'a>(pub &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, c) in self.0.chars().enumerate() {
            if at == MAX_SHOWN_CHARS {
                return f.write_str("…");
            }
            fmt::Write::write_char(f, if is_forging(c) { '?' } else { c })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// A mail address of which a log shows the domain only.
#[derive(Clone, Copy)]
pub struct Masked<'a>(pub &'a str);

impl fmt::Display for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.rsplit_once('@') {
            Some((_, domain)) => write!(f, "…@{}", Shown(domain)),
            None => f.write_str("…"),
        }
    }
}

impl fmt::Debug for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Number of a fault, such as `7K2M-X9QD`: told to the asker in place of the
/// details, and found in the log beside them.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Reference(u64);

/// Digits and letters that are not mistaken for one another (Crockford's base 32).
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // 8 symbols of 5 bits: 40 bits.
        for at in 0..8u32 {
            if at == 4 {
                f.write_str("-")?;
            }
            let symbol = usize::try_from(self.0 >> (5 * at) & 31).ok().and_then(|index| ALPHABET.get(index));
            fmt::Write::write_char(f, symbol.map_or('0', |byte| char::from(*byte)))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A fresh reference. Not a secret and not a count: it tells nothing of how
/// many faults there were.
#[must_use]
pub fn reference() -> Reference {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    static SEED: OnceLock<RandomState> = OnceLock::new();
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    Reference(SEED.get_or_init(RandomState::new).hash_one(number))
}

/// Logs a fault, once, where it is turned into a reply; returns the reference
/// that the reply shows.
pub fn report(doing: &'static str, fault: &dyn Error) -> Reference {
    let reference = reference();
    let fault = one_line(&fault.to_string());
    tracing::error!(%reference, %fault, "{doing} failed");
    reference
}

/// A chain of causes may quote what came from outside: it stays on its line.
fn one_line(text: &str) -> String {
    text.chars().take(MAX_FAULT_CHARS).map(|c| if is_forging(c) { '?' } else { c }).collect()
}

/// Control characters, line and paragraph separators and direction marks can
/// make one line look like two, or like another.
fn is_forging(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn outside_text_cannot_forge_a_line() {
        assert_eq!(Shown("a\r\nb\u{1b}[31m\u{202e}c").to_string(), "a??b?[31m?c");
        assert_eq!(Shown(&"x".repeat(500)).to_string().chars().count(), MAX_SHOWN_CHARS + 1);
        assert_eq!(one_line("a\nb\u{2028}c"), "a?b?c");
        assert_eq!(format!("{:?}", Shown("naam")), "\"naam\"");
    }

    #[test]
    fn an_address_shows_its_domain_only() {
        assert_eq!(Masked("jan.smit@example.org").to_string(), "…@example.org");
        assert_eq!(format!("{:?}", Masked("jan.smit")), "…");
    }

    #[test]
    fn references_are_short_and_differ() {
        let seen: HashSet<String> = (0..1_000).map(|_| reference().to_string()).collect();
        assert_eq!(seen.len(), 1_000);
        for text in &seen {
            assert!(text.len() == 9 && text.chars().nth(4) == Some('-'), "{text}");
        }
    }

    #[test]
    fn libraries_stay_quiet_whatever_the_level() {
        assert!(filter("trace").unwrap().to_string().contains("postkluis=trace"));
        assert!(filter("debug").unwrap().to_string().split(',').any(|part| part == "warn"));
        assert!(filter("loud,russh=trace").is_err());
    }
}

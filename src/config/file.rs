//! Raw TOML and environment → one checked value per known key. Unknown names,
//! wrong types and numbers out of bounds are gathered, not stopped at.

use std::collections::BTreeMap;
use std::path::Path;

use toml::{Table, Value as Toml};

use super::faults::{ConfigFault, nearest};
use super::keys::{self, Key, Kind, PREFIX, SECTIONS};
use crate::domain::moment::Span;
use crate::domain::network::Network;

/// Waits in one list at most (`mail.retry`).
const MAX_PERIODS: usize = 32;
/// Networks in one list at most (`sftp.penalty_exempt`).
const MAX_NETWORKS: usize = 256;

#[derive(Clone, Debug)]
enum Value {
    Text(String),
    Whole(u64),
    Period(Span),
    Periods(Vec<Span>),
    Networks(Vec<Network>),
}

#[derive(Debug)]
struct Given {
    origin: String,
    is_default: bool,
    value: Value,
}

/// Every known key with its value, and the faults met so far.
#[derive(Debug)]
pub(super) struct Settings {
    values: BTreeMap<String, Given>,
    faults: Vec<ConfigFault>,
}

impl Settings {
    /// Reads `text` (named `file` in faults) with the environment laid over it.
    pub(super) fn read(file: &Path, text: &str, env: &BTreeMap<String, String>) -> Self {
        let mut settings = Self { values: BTreeMap::new(), faults: Vec::new() };
        let origin = file.display().to_string();
        let table = match text.parse::<Table>() {
            Ok(table) => table,
            Err(error) => {
                let line =
                    error.span().map_or(1, |span| text.bytes().take(span.start).filter(|b| *b == b'\n').count() + 1);
                settings.fault(
                    origin.clone(),
                    "",
                    format!("line {line}: {}", error.message().replace('\n', " ")),
                    "TOML 1.0",
                );
                Table::new()
            }
        };
        settings.refuse_unknown_keys(&origin, &table);
        settings.refuse_unknown_variables(env);
        for section in SECTIONS {
            for key in section.keys {
                settings.read_key(&origin, &table, env, section.name, key);
            }
        }
        settings
    }

    fn read_key(&mut self, origin: &str, table: &Table, env: &BTreeMap<String, String>, section: &str, key: &Key) {
        let path = format!("{section}.{}", key.name);
        let variable = keys::variable(section, key.name);
        let (origin, is_default, raw) = if let Some(text) = env.get(&variable) {
            (format!("environment {variable}"), false, Some(from_variable(key.kind, text)))
        } else if let Some(value) = lookup(table, section).and_then(|t| t.get(key.name)) {
            (origin.to_owned(), false, Some(value.clone()))
        } else {
            (origin.to_owned(), true, key.default.and_then(literal))
        };
        let Some(raw) = raw else { return };
        if key.default.is_none() && raw.as_str().is_some_and(str::is_empty) {
            return;
        }
        match typed(key.kind, &raw) {
            Ok(value) => {
                self.values.insert(path, Given { origin, is_default, value });
            }
            Err(what) => self.fault(origin, &path, what, &allowed(key.kind)),
        }
    }

    fn refuse_unknown_keys(&mut self, origin: &str, table: &Table) {
        for (name, value) in table {
            match (keys::section(name), value) {
                (Some(_), Toml::Table(inner)) => self.refuse_unknown_in(origin, name, inner),
                (Some(_), _) => {
                    self.fault(origin.to_owned(), name, "is a section, not a value".to_owned(), &format!("[{name}]"))
                }
                (None, _) => {
                    let tops = || SECTIONS.iter().map(|s| s.name).filter(|s| !s.contains('.'));
                    let what = unknown("section", nearest(name, tops()).map(|s| format!("[{s}]")));
                    self.fault(origin.to_owned(), name, what, &list(tops()));
                }
            }
        }
    }

    fn refuse_unknown_in(&mut self, origin: &str, section: &str, table: &Table) {
        let Some(known) = keys::section(section) else { return };
        for (name, value) in table {
            let path = format!("{section}.{name}");
            match (keys::section(&path), value) {
                (Some(_), Toml::Table(inner)) => self.refuse_unknown_in(origin, &path, inner),
                (Some(_), _) => {
                    self.fault(origin.to_owned(), &path, "is a section, not a value".to_owned(), &format!("[{path}]"))
                }
                (None, _) if known.keys.iter().any(|key| key.name == name) => {}
                (None, _) => {
                    let names = || known.keys.iter().map(|key| key.name);
                    let elsewhere = SECTIONS.iter().find(|s| s.keys.iter().any(|key| key.name == name));
                    let hint = nearest(name, names())
                        .map(str::to_owned)
                        .or_else(|| elsewhere.map(|s| format!("{}.{name}", s.name)));
                    let allowed =
                        if known.keys.is_empty() { "no keys yet in this section".to_owned() } else { list(names()) };
                    self.fault(origin.to_owned(), &path, unknown("key", hint), &allowed);
                }
            }
        }
    }

    fn refuse_unknown_variables(&mut self, env: &BTreeMap<String, String>) {
        let known: Vec<String> =
            SECTIONS.iter().flat_map(|s| s.keys.iter().map(|key| keys::variable(s.name, key.name))).collect();
        for name in env.keys() {
            let ours = name.strip_prefix(PREFIX).is_some_and(|rest| rest.contains("__"));
            if ours && !known.contains(name) {
                let what = unknown("variable", nearest(name, known.iter().map(String::as_str)).map(str::to_owned));
                self.fault(
                    format!("environment {name}"),
                    "",
                    what,
                    "POSTKLUIS_<SECTION>__<KEY> for the keys in postkluis.toml",
                );
            }
        }
    }

    pub(super) fn fault(&mut self, origin: String, key: &str, what: String, allowed: &str) {
        self.faults.push(ConfigFault { origin, key: key.to_owned(), what, allowed: allowed.to_owned() });
    }

    /// Records that the value of a known key breaks a rule.
    pub(super) fn refuse(&mut self, path: &str, what: String, allowed: &str) {
        let origin = self.values.get(path).map_or_else(|| "configuration".to_owned(), |given| given.origin.clone());
        self.fault(origin, path, what, allowed);
    }

    pub(super) fn into_faults(self) -> Vec<ConfigFault> {
        self.faults
    }

    pub(super) const fn is_faultless(&self) -> bool {
        self.faults.is_empty()
    }

    /// Whether a key was left at its default.
    pub(super) fn is_default(&self, path: &str) -> bool {
        self.values.get(path).is_none_or(|given| given.is_default)
    }

    pub(super) fn text(&self, path: &str) -> Option<String> {
        match &self.values.get(path)?.value {
            Value::Text(text) => Some(text.clone()),
            Value::Whole(_) | Value::Period(_) | Value::Periods(_) | Value::Networks(_) => None,
        }
    }

    /// Reads text with a finer rule; a breach is recorded and gives nothing.
    pub(super) fn parsed<T, E: ToString>(
        &mut self,
        path: &str,
        allowed: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text(path)?;
        match parse(&text) {
            Ok(value) => Some(value),
            Err(error) => {
                self.refuse(path, error.to_string(), allowed);
                None
            }
        }
    }

    /// As `parsed` for a key that may be left out: the outer option is for a breach.
    pub(super) fn parsed_optional<T, E: ToString>(
        &mut self,
        path: &str,
        allowed: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<Option<T>> {
        if self.text(path).is_none() {
            return Some(None);
        }
        self.parsed(path, allowed, parse).map(Some)
    }

    pub(super) fn whole(&self, path: &str) -> Option<u64> {
        match self.values.get(path)?.value {
            Value::Whole(number) => Some(number),
            Value::Text(_) | Value::Period(_) | Value::Periods(_) | Value::Networks(_) => None,
        }
    }

    pub(super) fn count(&self, path: &str) -> Option<usize> {
        usize::try_from(self.whole(path)?).ok()
    }

    pub(super) fn period(&self, path: &str) -> Option<Span> {
        match self.values.get(path)?.value {
            Value::Period(span) => Some(span),
            Value::Text(_) | Value::Whole(_) | Value::Periods(_) | Value::Networks(_) => None,
        }
    }

    pub(super) fn periods(&self, path: &str) -> Option<Vec<Span>> {
        match &self.values.get(path)?.value {
            Value::Periods(spans) => Some(spans.clone()),
            Value::Text(_) | Value::Whole(_) | Value::Period(_) | Value::Networks(_) => None,
        }
    }

    pub(super) fn networks(&self, path: &str) -> Option<Vec<Network>> {
        match &self.values.get(path)?.value {
            Value::Networks(networks) => Some(networks.clone()),
            Value::Text(_) | Value::Whole(_) | Value::Period(_) | Value::Periods(_) => None,
        }
    }
}

fn lookup<'a>(table: &'a Table, section: &str) -> Option<&'a Table> {
    section.split('.').try_fold(table, |table, name| table.get(name)?.as_table())
}

/// A default of the key table as a value.
fn literal(text: &str) -> Option<Toml> {
    format!("value = {text}").parse::<Table>().ok()?.remove("value")
}

fn from_variable(kind: Kind, text: &str) -> Toml {
    match kind {
        Kind::Whole(..) | Kind::Bytes(..) => text.parse().map_or_else(|_| Toml::String(text.to_owned()), Toml::Integer),
        Kind::Networks if text.trim().is_empty() => Toml::Array(Vec::new()),
        Kind::Periods | Kind::Networks => {
            Toml::Array(text.split(',').map(|part| Toml::String(part.trim().to_owned())).collect())
        }
        Kind::Text | Kind::Period(..) | Kind::Choice(_) => Toml::String(text.to_owned()),
    }
}

fn typed(kind: Kind, raw: &Toml) -> Result<Value, String> {
    let wrong = || format!("wrong kind of value ({})", raw.type_str());
    match kind {
        Kind::Text => {
            let text = raw.as_str().ok_or_else(wrong)?;
            // A banner may have several lines; nothing else gets past its own rule.
            let clean = !text.chars().any(|c| c.is_control() && c != '\n');
            clean.then(|| Value::Text(text.to_owned())).ok_or_else(|| "holds control characters".to_owned())
        }
        Kind::Choice(words) => {
            let text = raw.as_str().ok_or_else(wrong)?;
            let known = words.contains(&text).then(|| Value::Text(text.to_owned()));
            known.ok_or_else(|| {
                unknown(
                    &format!("value \"{}\"", printable(text)),
                    nearest(text, words.iter().copied()).map(|w| format!("\"{w}\"")),
                )
            })
        }
        Kind::Whole(min, max) => {
            let number = raw.as_integer().ok_or_else(wrong)?;
            within(u64::try_from(number).ok(), min, max, &number).map(Value::Whole)
        }
        Kind::Bytes(min, max) => match raw {
            Toml::Integer(number) => within(u64::try_from(*number).ok(), min, max, number).map(Value::Whole),
            Toml::String(text) => within(parse_bytes(text), min, max, &printable(text)).map(Value::Whole),
            Toml::Float(_) | Toml::Boolean(_) | Toml::Datetime(_) | Toml::Array(_) | Toml::Table(_) => Err(wrong()),
        },
        Kind::Period(min, max) => {
            let span = Span::parse(raw.as_str().ok_or_else(wrong)?).map_err(|fault| fault.to_string())?;
            let fits = span >= Span::from_seconds(min) && span <= Span::from_seconds(max);
            if fits { Ok(Value::Period(span)) } else { Err(format!("{span} is out of bounds")) }
        }
        Kind::Periods => {
            let list = raw.as_array().ok_or_else(wrong)?;
            if list.len() > MAX_PERIODS {
                return Err(format!("{} periods", list.len()));
            }
            let read = |item: &Toml| Span::parse(item.as_str().ok_or_else(wrong)?).map_err(|fault| fault.to_string());
            list.iter().map(read).collect::<Result<_, _>>().map(Value::Periods)
        }
        Kind::Networks => {
            let list = raw.as_array().ok_or_else(wrong)?;
            if list.len() > MAX_NETWORKS {
                return Err(format!("{} networks", list.len()));
            }
            let read =
                |item: &Toml| Network::parse(item.as_str().ok_or_else(wrong)?).map_err(|fault| fault.to_string());
            list.iter().map(read).collect::<Result<_, _>>().map(Value::Networks)
        }
    }
}

fn within(number: Option<u64>, min: u64, max: u64, given: &dyn std::fmt::Display) -> Result<u64, String> {
    let number = number.ok_or_else(|| format!("{given} is no such number"))?;
    if (min..=max).contains(&number) { Ok(number) } else { Err(format!("{given} is out of bounds")) }
}

const UNITS: [(&str, u64); 4] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

/// Reads "64 MiB", "64MiB" or "4096".
#[must_use]
pub fn parse_bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let unit = UNITS.iter().find_map(|(name, size)| Some((text.strip_suffix(name)?, *size)));
    let (number, size) = unit.unwrap_or((text, 1));
    number.trim_end().parse::<u64>().ok()?.checked_mul(size)
}

fn shown_bytes(number: u64) -> String {
    let unit = UNITS.iter().find(|(_, size)| number >= *size && number.is_multiple_of(*size));
    unit.map_or_else(|| number.to_string(), |(name, size)| format!("{} {name}", number / size))
}

/// What a kind of key takes, in words.
pub(super) fn allowed(kind: Kind) -> String {
    match kind {
        Kind::Text => "text in quotes".to_owned(),
        Kind::Whole(min, max) => format!("a whole number from {min} to {max}"),
        Kind::Bytes(min, max) => {
            format!("a number of bytes or \"64 MiB\", from {} to {}", shown_bytes(min), shown_bytes(max))
        }
        Kind::Period(min, max) => {
            format!(
                "a period such as \"30s\", \"15m\", \"1h\", \"30d\", from {} to {}",
                Span::from_seconds(min),
                Span::from_seconds(max)
            )
        }
        Kind::Periods => format!("a list of at most {MAX_PERIODS} periods such as [\"1m\", \"1h\"]"),
        Kind::Networks => {
            format!("a list of at most {MAX_NETWORKS} networks such as [\"192.0.2.0/24\", \"2001:db8::/32\"]")
        }
        Kind::Choice(words) => words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" or "),
    }
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

fn unknown(what: &str, hint: Option<String>) -> String {
    hint.map_or_else(|| format!("unknown {what}"), |hint| format!("unknown {what}; did you mean {hint}?"))
}

fn printable(text: &str) -> String {
    text.chars().take(60).map(|c| if c.is_control() { '?' } else { c }).collect()
}

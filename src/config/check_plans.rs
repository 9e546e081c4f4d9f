//! The checks of participant files as an operator declares them: one TOML file for each product, `<product>.toml`
//! in one folder. What is declared wrongly is refused with file and place. Checks nothing itself.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::faults::ConfigFault;
use crate::domain::check_plan::{
    CheckPlan, Column, ColumnKind, Content, DateForm, Encoding, FramePlan, LineEnds, MOST_CHOICES, MOST_COLUMNS,
    NamePattern, Presence, RecordForm, RecordPlan, TextPlan,
};
use crate::domain::check_sequence::{SequencePlan, WhenBroken};
use crate::domain::names::ProductCode;

/// Longest declaration, in bytes.
const MOST_BYTES: u64 = 256 * 1024;

/// Declarations in one folder.
const MOST_PLANS: usize = 1_000;

/// Longest line that can be allowed: it is held in memory.
const MOST_LINE_BYTES: usize = 1024 * 1024;

/// A line unless the declaration says otherwise.
const LINE_BYTES: usize = 64 * 1024;

/// The checks of each product that has any.
pub type CheckPlans = BTreeMap<ProductCode, CheckPlan>;

/// Reads the declarations of a folder; a folder that is not there holds none.
///
/// # Errors
/// Everything that is wrong, file by file.
pub fn read_folder(folder: &Path) -> Result<CheckPlans, Vec<ConfigFault>> {
    let mut plans = CheckPlans::new();
    let mut faults = Vec::new();
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(plans),
        Err(error) => return Err(vec![fault(folder, format!("cannot be read: {error}"), "a folder")]),
    };
    for entry in entries.take(MOST_PLANS + 1) {
        let path = match entry {
            Ok(entry) => entry.path(),
            Err(error) => {
                faults.push(fault(folder, format!("cannot be read: {error}"), "a folder"));
                break;
            }
        };
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some(stem) = name.strip_suffix(".toml").filter(|_| !name.starts_with('.')) else { continue };
        if plans.len() == MOST_PLANS {
            faults.push(fault(folder, "too many declarations".to_owned(), "at most 1000"));
            break;
        }
        match read(&path, stem) {
            Ok((product, plan)) => {
                plans.insert(product, plan);
            }
            Err(wrong) => faults.push(wrong),
        }
    }
    if faults.is_empty() { Ok(plans) } else { Err(faults) }
}

fn read(path: &Path, stem: &str) -> Result<(ProductCode, CheckPlan), ConfigFault> {
    let product = ProductCode::parse(stem).map_err(|wrong| fault(path, wrong.to_string(), "<product>.toml"))?;
    let size = std::fs::metadata(path).map_or(0, |facts| facts.len());
    if size > MOST_BYTES {
        return Err(fault(path, format!("{size} bytes"), "at most 256 KiB"));
    }
    let text = std::fs::read_to_string(path).map_err(|error| fault(path, error.to_string(), "a file of UTF-8 text"))?;
    let plan = parse(&text).map_err(|wrong| fault(path, wrong, "docs/CHECKS.md says what can be declared"))?;
    Ok((product, plan))
}

fn fault(path: &Path, what: String, allowed: &str) -> ConfigFault {
    ConfigFault { origin: path.display().to_string(), key: String::new(), what, allowed: allowed.to_owned() }
}

/// Reads one declaration.
///
/// # Errors
/// What is wrong with it, and where.
pub fn parse(text: &str) -> Result<CheckPlan, String> {
    let raw: Declared = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| 1 + text.bytes().take(span.start).filter(|b| *b == b'\n').count());
        format!("line {line}: {}", error.message().replace('\n', " "))
    })?;
    let Declared { name, size, sequence, content, archives, text: lines, records } = raw;
    if archives.is_some() && (content.is_some() || lines.is_some() || records.is_some()) {
        return Err("archives: only of files whose content is not looked at; others are refused as what they are not"
            .to_owned());
    }
    let content = match (content, lines, records) {
        (Some(DeclaredContent::Json), None, None) => Content::Json,
        (Some(DeclaredContent::Xml), None, None) => Content::Xml,
        (Some(DeclaredContent::Json | DeclaredContent::Xml), ..) => {
            return Err("content: json and xml have no [text] and no [records]".to_owned());
        }
        (None, None, None) => Content::Opaque { archives: archives == Some(DeclaredArchives::Allowed) },
        (None | Some(DeclaredContent::Text), lines, records) => {
            Content::Text(Box::new(text_plan(lines.unwrap_or_default(), records)?))
        }
    };
    let (least_bytes, most_bytes) = (size.min_bytes.unwrap_or(0), size.max_bytes.unwrap_or(u64::MAX));
    if least_bytes > most_bytes {
        return Err("size: min_bytes is more than max_bytes".to_owned());
    }
    let pattern = name.pattern.map(|pattern| NamePattern::parse(&pattern)).transpose();
    let name_pattern = pattern.map_err(|wrong| format!("name.pattern: {wrong}"))?;
    let sequence = sequence.map(|sequence| sequence_plan(&sequence));
    let in_name = name_pattern.as_ref().is_some_and(NamePattern::has_sequence);
    if sequence.is_some() && !in_name && !has_sequence_column(&content) {
        return Err("sequence: it stands nowhere: {sequence} in name.pattern, or a sequence_column".to_owned());
    }
    Ok(CheckPlan {
        name: name_pattern,
        extensions: name.extensions.iter().map(|end| end.trim_start_matches('.').to_ascii_lowercase()).collect(),
        least_bytes,
        most_bytes,
        sequence,
        content,
    })
}

fn sequence_plan(declared: &DeclaredSequence) -> SequencePlan {
    let when = |broken: DeclaredBroken| match broken {
        DeclaredBroken::Ignore => WhenBroken::Ignore,
        DeclaredBroken::Warn => WhenBroken::Warn,
        DeclaredBroken::Refuse => WhenBroken::Refuse,
    };
    SequencePlan { gap: when(declared.gap), repeat: when(declared.repeat), restarts: declared.restarts }
}

fn has_sequence_column(content: &Content) -> bool {
    let Content::Text(text) = content else { return false };
    let Some(records) = &text.records else { return false };
    [&records.first, &records.last].into_iter().flatten().any(|frame| frame.sequence.is_some())
}

fn text_plan(declared: DeclaredText, records: Option<DeclaredRecords>) -> Result<TextPlan, String> {
    let most_line_bytes = declared.max_line_bytes.unwrap_or(LINE_BYTES);
    if !(1..=MOST_LINE_BYTES).contains(&most_line_bytes) {
        return Err("text.max_line_bytes: from 1 to 1048576".to_owned());
    }
    if declared.byte_order_mark == DeclaredPresence::Required && declared.encoding != DeclaredEncoding::Utf8 {
        return Err("text.byte_order_mark: only UTF-8 has one".to_owned());
    }
    Ok(TextPlan {
        encoding: match declared.encoding {
            DeclaredEncoding::Ascii => Encoding::Ascii,
            DeclaredEncoding::Utf8 => Encoding::Utf8,
            DeclaredEncoding::Latin1 => Encoding::Latin1,
        },
        byte_order_mark: match declared.byte_order_mark {
            DeclaredPresence::Allowed => Presence::Allowed,
            DeclaredPresence::Required => Presence::Required,
            DeclaredPresence::Refused => Presence::Refused,
        },
        line_ends: match declared.line_ends {
            DeclaredLineEnds::Uniform => LineEnds::Uniform,
            DeclaredLineEnds::Lf => LineEnds::Lf,
            DeclaredLineEnds::CrLf => LineEnds::CrLf,
        },
        last_line_ends: declared.last_line_ends,
        most_line_bytes,
        records: records.map(record_plan).transpose()?,
    })
}

fn record_plan(declared: DeclaredRecords) -> Result<RecordPlan, String> {
    let DeclaredRecords { form, delimiter, quote, names_first, columns, first, last } = declared;
    if columns.is_empty() || columns.len() > MOST_COLUMNS {
        return Err("records.columns: 1 to 1000 of them".to_owned());
    }
    let widths: Option<Vec<usize>> = columns.iter().map(|column| column.width).collect();
    let is_fixed = form == DeclaredForm::Fixed;
    let form = if is_fixed {
        if delimiter.is_some() || quote.is_some() || names_first {
            return Err("records: form fixed has no delimiter, quote or names_first".to_owned());
        }
        let widths = widths.ok_or("records.columns: form fixed needs the width of each column")?;
        if widths.contains(&0) {
            return Err("records.columns: a width is 1 or more".to_owned());
        }
        RecordForm::Fixed(widths)
    } else {
        if columns.iter().any(|column| column.width.is_some()) {
            return Err("records.columns: only form fixed has widths".to_owned());
        }
        let (delimiter, quote) =
            (one_byte(delimiter.as_deref().unwrap_or(";"))?, one_byte(quote.as_deref().unwrap_or("\""))?);
        if delimiter == quote {
            return Err("records: delimiter and quote are the same".to_owned());
        }
        RecordForm::Delimited { delimiter, quote }
    };
    let frame = |declared: Option<DeclaredFrame>, which: &str| {
        declared
            .map(|frame| frame_plan(frame, is_fixed).map_err(|wrong| format!("records.{which}: {wrong}")))
            .transpose()
    };
    Ok(RecordPlan {
        form,
        names_first,
        columns: columns.into_iter().map(column).collect::<Result<_, _>>()?,
        first: frame(first, "first")?,
        last: frame(last, "last")?,
    })
}

fn frame_plan(declared: DeclaredFrame, is_fixed: bool) -> Result<FramePlan, &'static str> {
    if declared.mark.is_empty() {
        return Err("mark: it cannot be empty");
    }
    if is_fixed == declared.widths.is_empty() || declared.widths.contains(&0) || declared.widths.len() > MOST_COLUMNS {
        return Err("widths: form fixed needs them, each 1 or more; others have none");
    }
    let from_zero = |number: Option<usize>| match number {
        Some(number @ 1..=MOST_COLUMNS) => Ok(Some(number - 1)),
        Some(_) => Err("client_column, count_column, sequence_column: columns count from 1"),
        None => Ok(None),
    };
    Ok(FramePlan {
        mark: declared.mark,
        client: from_zero(declared.client_column)?,
        count: from_zero(declared.count_column)?,
        sequence: from_zero(declared.sequence_column)?,
        widths: declared.widths,
    })
}

fn column(declared: DeclaredColumn) -> Result<Column, String> {
    let DeclaredColumn { name, kind, required, max_chars, date_form, separator, values, width: _ } = declared;
    let wrong = |what: &str| format!("records.columns: {name}: {what}");
    if date_form.is_some() && kind != DeclaredKind::Date {
        return Err(wrong("only a date has a date_form"));
    }
    if separator.is_some() && kind != DeclaredKind::Decimal {
        return Err(wrong("only a decimal has a separator"));
    }
    if values.is_empty() == (kind == DeclaredKind::OneOf) || values.len() > MOST_CHOICES {
        return Err(wrong("one-of has 1 to 1000 values, others have none"));
    }
    let kind = match kind {
        DeclaredKind::Text => ColumnKind::Text,
        DeclaredKind::Integer => ColumnKind::Integer,
        DeclaredKind::Decimal => {
            let separator = one_byte(separator.as_deref().unwrap_or(",")).map_err(|what| wrong(&what))?;
            ColumnKind::Decimal { separator }
        }
        DeclaredKind::Date => ColumnKind::Date(match date_form.unwrap_or(DeclaredDate::Iso) {
            DeclaredDate::Iso => DateForm::Iso,
            DeclaredDate::Compact => DateForm::Compact,
            DeclaredDate::Dutch => DateForm::Dutch,
        }),
        DeclaredKind::CitizenNumber => ColumnKind::CitizenNumber,
        DeclaredKind::OneOf => ColumnKind::OneOf(values),
        DeclaredKind::Client => ColumnKind::Client,
    };
    Ok(Column { kind, required, most_chars: max_chars.unwrap_or(usize::MAX), name })
}

fn one_byte(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        [byte] if byte.is_ascii() && !b"\r\n".contains(byte) => Ok(*byte),
        _ => Err(format!("{text:?} is not one ASCII character")),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Declared {
    #[serde(default)]
    name: DeclaredName,
    #[serde(default)]
    size: DeclaredSize,
    #[serde(default)]
    sequence: Option<DeclaredSequence>,
    content: Option<DeclaredContent>,
    archives: Option<DeclaredArchives>,
    text: Option<DeclaredText>,
    records: Option<DeclaredRecords>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct DeclaredName {
    pattern: Option<String>,
    #[serde(default)]
    extensions: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct DeclaredSize {
    min_bytes: Option<u64>,
    max_bytes: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeclaredSequence {
    #[serde(default)]
    gap: DeclaredBroken,
    #[serde(default)]
    repeat: DeclaredBroken,
    #[serde(default)]
    restarts: bool,
}

#[derive(Clone, Copy, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
enum DeclaredBroken {
    Ignore,
    #[default]
    Warn,
    Refuse,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum DeclaredArchives {
    Allowed,
    Refused,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum DeclaredContent {
    Text,
    Json,
    Xml,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct DeclaredText {
    #[serde(default)]
    encoding: DeclaredEncoding,
    #[serde(default)]
    byte_order_mark: DeclaredPresence,
    #[serde(default)]
    line_ends: DeclaredLineEnds,
    #[serde(default)]
    last_line_ends: bool,
    max_line_bytes: Option<usize>,
}

#[derive(Deserialize, Default, PartialEq)]
enum DeclaredEncoding {
    #[serde(rename = "ascii")]
    Ascii,
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    #[serde(rename = "iso-8859-1")]
    Latin1,
}

#[derive(Deserialize, Default, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum DeclaredPresence {
    #[default]
    Allowed,
    Required,
    Refused,
}

#[derive(Deserialize, Default)]
enum DeclaredLineEnds {
    #[default]
    #[serde(rename = "uniform")]
    Uniform,
    #[serde(rename = "lf")]
    Lf,
    #[serde(rename = "crlf")]
    CrLf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeclaredRecords {
    form: DeclaredForm,
    delimiter: Option<String>,
    quote: Option<String>,
    #[serde(default)]
    names_first: bool,
    columns: Vec<DeclaredColumn>,
    first: Option<DeclaredFrame>,
    last: Option<DeclaredFrame>,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum DeclaredForm {
    Csv,
    Fixed,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeclaredFrame {
    mark: String,
    client_column: Option<usize>,
    count_column: Option<usize>,
    sequence_column: Option<usize>,
    #[serde(default)]
    widths: Vec<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeclaredColumn {
    name: String,
    #[serde(default)]
    kind: DeclaredKind,
    #[serde(default)]
    required: bool,
    max_chars: Option<usize>,
    date_form: Option<DeclaredDate>,
    separator: Option<String>,
    #[serde(default)]
    values: Vec<String>,
    width: Option<usize>,
}

#[derive(Deserialize, Default, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum DeclaredKind {
    #[default]
    Text,
    Integer,
    Decimal,
    Date,
    CitizenNumber,
    OneOf,
    Client,
}

#[derive(Deserialize)]
enum DeclaredDate {
    #[serde(rename = "yyyy-mm-dd")]
    Iso,
    #[serde(rename = "yyyymmdd")]
    Compact,
    #[serde(rename = "dd-mm-yyyy")]
    Dutch,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_read() {
        let plan = parse(include_str!("../../config/checks/deelnemers.toml")).unwrap();
        assert_eq!(plan.extensions, ["csv"]);
        let Content::Text(text) = plan.content else { panic!("text") };
        let records = text.records.unwrap();
        assert_eq!(records.columns.len(), 4);
        assert_eq!(records.last.unwrap().count, Some(1));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, says) in [
            ("[name]\npatern = 'x'", "line 2: unknown field `patern`"),
            ("[name]\npattern = '{bsn}'", "name.pattern: in braces"),
            ("[size]\nmin_bytes = 2\nmax_bytes = 1", "size: min_bytes"),
            ("content = 'json'\n[text]", "content: json"),
            ("content = 'yaml'", "line 1: unknown variant `yaml`"),
            ("[records]\nform = 'csv'\ncolumns = []", "records.columns: 1 to 1000"),
            ("[records]\nform = 'fixed'\ncolumns = [{name = 'a'}]", "needs the width"),
            ("[records]\nform = 'csv'\ndelimiter = 'ab'\ncolumns = [{name = 'a'}]", "not one ASCII character"),
            ("[records]\nform = 'csv'\ncolumns = [{name = 'a', kind = 'one-of'}]", "records.columns: a: one-of"),
            ("[records]\nform = 'csv'\ncolumns = [{name = 'a', separator = ','}]", "only a decimal"),
            (
                "[records]\nform = 'csv'\nlast = {mark = 'T', count_column = 0}\ncolumns = [{name = 'a'}]",
                "count from 1",
            ),
            ("[sequence]\ngap = 'refuse'", "it stands nowhere"),
            ("archives = 'allowed'\ncontent = 'xml'", "archives: only"),
            ("[text]\nmax_line_bytes = 99999999", "text.max_line_bytes"),
        ] {
            let wrong = parse(text).unwrap_err();
            assert!(wrong.contains(says), "{text}: {wrong}");
        }
        assert_eq!(parse("").unwrap().content, Content::Opaque { archives: false });
    }

    #[test]
    fn a_folder_gives_one_plan_for_each_product() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read_folder(&folder.path().join("absent")).unwrap().is_empty());
        std::fs::write(folder.path().join("suag.toml"), "content = 'xml'").unwrap();
        std::fs::write(folder.path().join("notes.txt"), "not read").unwrap();
        let plans = read_folder(folder.path()).unwrap();
        assert_eq!(plans.keys().map(ToString::to_string).collect::<Vec<_>>(), ["suag"]);
        std::fs::write(folder.path().join("Bad Name.toml"), "").unwrap();
        std::fs::write(folder.path().join("aog.toml"), "x = 1").unwrap();
        let faults = read_folder(folder.path()).unwrap_err();
        assert_eq!(faults.len(), 2, "{faults:?}");
    }
}

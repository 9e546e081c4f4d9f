//! JSON documents as text for people: tables and lists. Knows no command.

use serde_json::Value;

/// Rows as a table with aligned columns; a sentence when there are none.
pub(super) fn rows(rows: &[Value], columns: &[&str]) -> String {
    if rows.is_empty() {
        return "(none)".to_owned();
    }
    let mut lines: Vec<Vec<String>> = vec![columns.iter().map(|column| column.to_uppercase()).collect()];
    lines.extend(rows.iter().map(|row| columns.iter().map(|column| cell(member(row, column))).collect()));
    let widths: Vec<usize> = (0..columns.len())
        .map(|at| lines.iter().filter_map(|line| line.get(at)).map(|cell| cell.chars().count()).max().unwrap_or(0))
        .collect();
    let text: Vec<String> = lines
        .iter()
        .map(|line| {
            let cells: Vec<String> =
                line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}", width = *width)).collect();
            cells.join("  ").trim_end().to_owned()
        })
        .collect();
    text.join("\n")
}

/// The members of one document, a line each; lists below each other.
pub(super) fn members(document: &Value) -> String {
    let Some(object) = document.as_object() else { return cell(Some(document)) };
    let mut text = Vec::new();
    for (name, value) in object {
        match value {
            Value::Array(values) if values.iter().any(Value::is_object) => {
                text.push(format!("{name}:"));
                text.extend(values.iter().map(|value| {
                    let inner: Vec<String> = value
                        .as_object()
                        .into_iter()
                        .flatten()
                        .filter(|(_, value)| !value.is_null())
                        .map(|(name, value)| format!("{name}={}", cell(Some(value))))
                        .collect();
                    format!("  - {}", inner.join("  "))
                }));
            }
            value => text.push(format!("{name}: {}", cell(Some(value)))),
        }
    }
    text.join("\n")
}

/// A member by its dotted path.
fn member<'a>(row: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(row, |value, part| value.get(part))
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Bool(true)) => "yes".to_owned(),
        Some(Value::Bool(false)) => "no".to_owned(),
        Some(Value::Array(values)) if values.is_empty() => "-".to_owned(),
        Some(Value::Array(values)) => values.iter().map(|value| cell(Some(value))).collect::<Vec<_>>().join(", "),
        Some(Value::Object(members)) if members.is_empty() => "-".to_owned(),
        Some(Value::Object(members)) => {
            members.iter().map(|(name, value)| format!("{name}={}", cell(Some(value)))).collect::<Vec<_>>().join(" ")
        }
        Some(Value::Number(number)) => number.to_string(),
    }
}

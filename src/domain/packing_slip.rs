//! The packing slip (*pakbon*) and digest list of a delivery: pure functions
//! of what was fixed at publication, so that their bytes never change.

use super::delivery::{DeliveredFile, Delivery};

/// Version of the packing slip's form; a new form gets a new number and keeps the old renderer.
pub const FORM: u32 = 1;

/// Name of the packing slip in the outbox.
#[must_use]
pub fn slip_name(delivery: &Delivery) -> String {
    format!("{}.packing-slip.json", delivery.name())
}

/// Name of the digest list in the outbox.
#[must_use]
pub fn digest_list_name(delivery: &Delivery) -> String {
    format!("{}.sha256", delivery.name())
}

/// The digest list in `sha256sum -c` form: 64 digits, two spaces, name, newline.
#[must_use]
pub fn digest_list(files: &[DeliveredFile]) -> String {
    files.iter().map(|file| format!("{}  {}\n", file.sha256, file.name)).collect()
}

/// The packing slip as JSON (camelCase, as in the API).
#[must_use]
pub fn packing_slip(delivery: &Delivery, files: &[DeliveredFile]) -> String {
    let mut json = String::from("{\n");
    let mut member = |name: &str, value: String| {
        json.push_str(&format!("  {}: {value},\n", quoted(name)));
    };
    member("form", FORM.to_string());
    member("delivery", quoted(&delivery.name()));
    member("deliveryId", quoted(&delivery.id.to_string()));
    member("organisation", quoted(delivery.organisation.as_str()));
    member("organisationName", quoted(delivery.organisation_name.as_str()));
    member("product", quoted(delivery.product.as_str()));
    member("productName", quoted(delivery.product_name.as_str()));
    member("purpose", quoted(delivery.purpose.as_str()));
    member("sequence", delivery.sequence.to_string());
    let previous = delivery.sequence.saturating_sub(1);
    member("previousSequence", if previous == 0 { "null".to_owned() } else { previous.to_string() });
    member("replaces", delivery.replaces.map_or_else(|| "null".to_owned(), |id| quoted(&id.to_string())));
    member("period", delivery.period.as_ref().map_or_else(|| "null".to_owned(), |p| quoted(p.as_str())));
    member("publishedAt", quoted(&delivery.published_at.to_string()));
    member("availableUntil", quoted(&delivery.promised_until.to_string()));
    member("endToEnd", delivery.end_to_end.to_string());
    let counts: Vec<String> =
        delivery.counts.iter().map(|(label, count)| format!("{}: {count}", quoted(label.as_str()))).collect();
    member("counts", format!("{{{}}}", counts.join(", ")));
    json.push_str("  \"files\": [\n");
    let files: Vec<String> = files.iter().map(file_object).collect();
    json.push_str(&files.join(",\n"));
    json.push_str("\n  ]\n}\n");
    json
}

fn file_object(file: &DeliveredFile) -> String {
    format!(
        "    {{\"name\": {}, \"originalName\": {}, \"size\": {}, \"sha256\": \"{}\"}}",
        quoted(file.name.as_str()),
        quoted(file.original_name.as_str()),
        file.size_bytes,
        file.sha256
    )
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

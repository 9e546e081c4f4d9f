//! The description of the API (OpenAPI 3.0), made of the table of routes so that
//! it cannot drift from it. Decides nothing.

use hyper::Method;
use serde_json::{Map, Value, json};

use super::answer::API_VERSION;
use super::receive::Receive;
use super::routes::{Handler, Route, Table};
use crate::config::Config;

/// The document for the routes below `/api/v1`.
pub(super) fn document(table: Table, config: &Config) -> Value {
    let mut paths = Map::new();
    for route in table.iter().copied().flatten() {
        let Some(path) = route.path.strip_prefix(BASE) else { continue };
        let entry = paths.entry(path.to_owned()).or_insert_with(|| json!({}));
        if let Value::Object(entry) = entry {
            entry.insert(route.method.as_str().to_ascii_lowercase(), operation(route));
        }
    }
    let base = &config.portal.base_url;
    let mut contact = json!({ "name": config.organisation.name.as_str(), "url": base });
    if let (Value::Object(contact), Some(mail)) = (&mut contact, &config.organisation.contact_mail) {
        contact.insert("email".to_owned(), json!(mail.as_str()));
    }
    json!({
        "openapi": "3.0.3",
        "info": {
            "title": config.portal.name.as_str(),
            "description": "Fetching deliveries and bringing participant files. Times are UTC (RFC 3339); errors are problem documents (RFC 9457).",
            "version": API_VERSION,
            "contact": contact,
        },
        "servers": [{ "url": format!("{base}{BASE}") }],
        "paths": paths,
        "components": {
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
            "headers": { "API-Version": { "schema": { "type": "string" }, "example": API_VERSION } },
            "schemas": {
                "Problem": {
                    "type": "object",
                    "required": ["type", "title", "status", "detail"],
                    "properties": {
                        "type": { "type": "string" },
                        "title": { "type": "string" },
                        "status": { "type": "integer" },
                        "detail": { "type": "string" },
                    },
                },
            },
        },
    })
}

/// The path that all of the API lies under.
const BASE: &str = "/api/v1";

fn operation(route: &Route) -> Value {
    let version = json!({ "API-Version": { "$ref": "#/components/headers/API-Version" } });
    let problem = |description: &str| {
        json!({
            "description": description,
            "headers": version,
            "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
        })
    };
    let content: Map<String, Value> = route.gives.iter().map(|kind| ((*kind).to_owned(), schema(kind))).collect();
    let done = json!({ "description": route.about, "headers": version, "content": content });
    let mut responses = json!({
        "400": problem("The request is wrong in itself"),
        "500": problem("Something broke; with a reference number"),
    });
    let needs_sign_in = matches!(route.handler, Handler::Account(_) | Handler::Uploader(_) | Handler::Receive(_));
    let is_content = route.path.ends_with("/content") && route.method == Method::GET;
    if let Value::Object(responses) = &mut responses {
        for status in successes(route) {
            responses.insert((*status).to_owned(), done.clone());
        }
        for (status, description) in refusals(route) {
            responses.insert((*status).to_owned(), problem(description));
        }
        if needs_sign_in {
            responses.insert("401".to_owned(), problem("No valid token was shown"));
            responses.insert("403".to_owned(), problem("The account is blocked or ended"));
            responses.insert("404".to_owned(), problem("Not there, or not for the asker to know"));
            responses.insert("429".to_owned(), problem("Too much at once"));
            responses.insert("503".to_owned(), problem("Access is interrupted; Retry-After says when to ask again"));
        }
        if is_content {
            let part = json!({ "description": "The range asked for", "headers": version, "content": content });
            responses.insert("206".to_owned(), part);
            responses.insert("410".to_owned(), problem("No longer available"));
            responses.insert("412".to_owned(), problem("Not the file that the request names"));
            responses.insert("416".to_owned(), problem("The range lies outside the file"));
        }
    }
    let mut operation = json!({
        "operationId": operation_id(route),
        "summary": route.about,
        "parameters": parameters(route),
        "security": if needs_sign_in { json!([{ "token": [] }]) } else { json!([]) },
        "responses": responses,
    });
    if let (Value::Object(operation), Some(kind)) = (&mut operation, takes(route)) {
        let content: Map<String, Value> = [(kind.to_owned(), schema(kind))].into_iter().collect();
        operation.insert("requestBody".to_owned(), json!({ "content": content }));
    }
    operation
}

/// The statuses of what was done.
fn successes(route: &Route) -> &'static [&'static str] {
    match route.handler {
        // whole; the rest is still to come; whole, with its receipt
        Handler::Receive(Receive::Content) => &["204", "202", "200"],
        Handler::Receive(Receive::Create) => &["201"],
        Handler::Receive(Receive::Append | Receive::Override) => &["204"],
        Handler::Uploader(_) if route.method == Method::DELETE => &["204"],
        Handler::Open(_) if route.method == Method::OPTIONS => &["204"],
        Handler::Account(_) if route.method == Method::POST => &["201"],
        _ => &["200"],
    }
}

/// What may be refused of uploads.
fn refusals(route: &Route) -> &'static [(&'static str, &'static str)] {
    match route.handler {
        Handler::Account(_) if route.method == Method::POST => &[
            ("409", "The name is taken"),
            ("413", "Larger than a file may be"),
            ("422", "The Idempotency-Key came with another request before"),
        ],
        Handler::Receive(Receive::Content) => &[
            (
                "409",
                "Received already with other bytes, or the range begins elsewhere; Upload-Offset says where to go on",
            ),
            ("411", "Say how long the content is"),
            ("413", "More than was announced, or than a file may have"),
            ("415", "Content codings are not undone"),
            ("507", "No space"),
        ],
        Handler::Receive(Receive::Check) => &[
            ("411", "Say how long the content is"),
            ("413", "More than a file may have"),
            ("415", "Content codings are not undone"),
            ("429", "Another file of this account is being checked"),
            ("503", "It cannot be checked now"),
        ],
        Handler::Receive(_) => &[
            ("409", "The bytes belong elsewhere; Upload-Offset says where"),
            ("412", "Tus-Resumable is missing or another"),
            ("413", "More than was said, or than a file may have"),
            ("415", "The media type is another"),
            ("460", "Not as Upload-Checksum says"),
            ("507", "No space"),
        ],
        Handler::Uploader(_) => &[("412", "Tus-Resumable is missing or another")],
        _ => &[],
    }
}

/// The media type of what is sent.
fn takes(route: &Route) -> Option<&'static str> {
    match route.handler {
        Handler::Receive(Receive::Content | Receive::Check) => Some("application/octet-stream"),
        Handler::Receive(_) => Some("application/offset+octet-stream"),
        Handler::Account(_) if route.method == Method::POST => Some("application/json"),
        _ => None,
    }
}

fn schema(media_type: &str) -> Value {
    match media_type {
        "application/json" => json!({ "schema": { "type": "object" } }),
        "text/csv" | "text/plain" => json!({ "schema": { "type": "string" } }),
        _ => json!({ "schema": { "type": "string", "format": "binary" } }),
    }
}

fn parameters(route: &Route) -> Vec<Value> {
    let in_path = route.path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    let in_path =
        in_path.map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }));
    let in_query = route.query.iter().map(|(name, meaning)| {
        json!({ "name": name, "in": "query", "description": meaning, "schema": { "type": "string" } })
    });
    in_path.chain(in_query).collect()
}

fn operation_id(route: &Route) -> String {
    let mut id = route.method.as_str().to_ascii_lowercase();
    for word in route.path.trim_start_matches(BASE).split(|c: char| !c.is_ascii_alphanumeric()) {
        let mut letters = word.chars();
        id.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        id.push_str(letters.as_str());
    }
    id
}

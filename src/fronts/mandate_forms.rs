//! The JSON forms of mandates and of the clients of an intermediary.

use serde_json::{Value, json};

use super::forms::{end_reason, moment, standing};
use crate::domain::mandate::Mandate;
use crate::domain::moment::Moment;
use crate::domain::names::ProductCode;
use crate::operations::ClientView;

/// A mandate, as it stands at `now`.
#[must_use]
pub fn mandate(row: &Mandate, now: Moment) -> Value {
    let products: Vec<&str> = row.scope.products().iter().map(ProductCode::as_str).collect();
    let (_, reason, until) = standing(&row.standing);
    json!({
        "id": row.id.to_string(),
        "intermediary": row.intermediary.as_str(),
        "client": row.client.as_str(),
        "products": products,
        "from": row.from.to_string(),
        "until": moment(row.until),
        "state": row.phase(now).word(),
        "blockReason": reason,
        "blockedUntil": until,
        "endReason": end_reason(&row.standing),
        "addedAt": row.added_at.to_string(),
    })
}

/// A client of an intermediary, as one of its accounts sees it.
#[must_use]
pub fn client(view: &ClientView) -> Value {
    json!({
        "code": view.code.as_str(),
        "name": view.name.as_str(),
        "mandateUntil": moment(view.until),
        "new": view.counts.new,
        "notFetched": view.counts.not_fetched,
        "endsSoon": view.counts.ends_soon,
    })
}

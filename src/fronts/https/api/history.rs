//! `/history`: what happened around the caller's organisation, as JSON or CSV.

use hyper::StatusCode;
use hyper::header::{ACCEPT, LINK};
use serde_json::json;

use crate::fronts::forms;
use crate::fronts::https::ask::Ask;
use crate::fronts::https::reply::Reply;
use crate::operations::{Caller, Failure};

/// One page of history, oldest first; `Link` with `rel="next"` while there may be more.
pub(in crate::fronts::https) fn list(ask: &Ask, caller: &Caller) -> Result<Reply, Failure> {
    let limits = &ask.site.config.limits;
    let mut query = ask.query();
    let wanted = query.history(limits.page_size, limits.max_page_size);
    query.finish()?;
    let lines = ask.site.operations.own_history(caller, &wanted)?;
    let reply = if wants_csv(ask) {
        Reply::text(StatusCode::OK, "text/csv; charset=utf-8; header=present", forms::history_csv(&lines))
    } else {
        let lines: Vec<_> = lines.iter().map(forms::history_line).collect();
        Reply::json(StatusCode::OK, &json!({ "history": lines }))
    };
    let Some(last) = lines.last().filter(|_| lines.len() >= wanted.limit) else { return Ok(reply) };
    let mut next = format!("<{}/history?limit={}&after={}", ask.api_base(), wanted.limit, last.sequence);
    if let Some(delivery) = wanted.delivery {
        next.push_str(&format!("&delivery={delivery}"));
    }
    if let Some(since) = wanted.since {
        next.push_str(&format!("&since={since}"));
    }
    next.push_str(">; rel=\"next\"");
    Ok(reply.with_text(LINK, &next))
}

fn wants_csv(ask: &Ask) -> bool {
    let accept = ask.header(ACCEPT).unwrap_or_default();
    let mut types = accept.split(',').map(|range| range.split(';').next().unwrap_or_default().trim());
    // The one named first wins; `*/*` means JSON.
    types.find(|name| ["text/csv", "application/json", "*/*"].contains(name)) == Some("text/csv")
}

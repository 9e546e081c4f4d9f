//! `/deliveries`: what the caller's organisation received, its packing slips and
//! who fetched what. Shows only what operations let the caller see.

use hyper::StatusCode;
use hyper::header::LINK;
use serde_json::json;

use super::content;
use crate::domain::delivery::DeliveryPart;
use crate::domain::history::{Happening, HistoryQuery};
use crate::fronts::forms;
use crate::fronts::https::ask::Ask;
use crate::fronts::https::reply::Reply;
use crate::operations::{Caller, DeliveryFilter, Failure};

/// One page of deliveries; `Link` with `rel="next"` while there may be more.
pub(in crate::fronts::https) fn list(ask: &Ask, caller: &Caller) -> Result<Reply, Failure> {
    let limits = &ask.site.config.limits;
    let mut query = ask.query();
    let filter = DeliveryFilter {
        organisation: None,
        product: query.product("product"),
        after: query.delivery("after"),
        only_available: query.flag("available"),
        limit: query.limit(limits.page_size, limits.max_page_size),
    };
    query.finish()?;
    let page = ask.site.operations.deliveries(caller, &filter)?;
    let deliveries: Vec<_> = page.iter().map(|view| forms::delivery_for_recipient(&ask.api_base(), view)).collect();
    let reply = Reply::json(StatusCode::OK, &json!({ "deliveries": deliveries }));
    let Some(last) = page.last().filter(|_| page.len() >= filter.limit) else { return Ok(reply) };
    let mut next = format!("<{}/deliveries?limit={}&after={}", ask.api_base(), filter.limit, last.delivery.id);
    if let Some(product) = &filter.product {
        next.push_str(&format!("&product={product}"));
    }
    if filter.only_available {
        next.push_str("&available=true");
    }
    next.push_str(">; rel=\"next\"");
    Ok(reply.with_text(LINK, &next))
}

/// One delivery.
pub(in crate::fronts::https) fn show(ask: &Ask, caller: &Caller) -> Result<Reply, Failure> {
    ask.query().finish()?;
    let view = ask.site.operations.delivery(caller, ask.delivery_id()?)?;
    Ok(Reply::json(StatusCode::OK, &forms::delivery_for_recipient(&ask.api_base(), &view)))
}

/// Its packing slip, byte for byte as in the outbox.
pub(in crate::fronts::https) fn packing_slip(ask: &Ask, caller: &Caller) -> Result<Reply, Failure> {
    content::send(ask, caller, DeliveryPart::PackingSlip)
}

/// The lines of its history that tell of fetching.
pub(in crate::fronts::https) fn fetches(ask: &Ask, caller: &Caller) -> Result<Reply, Failure> {
    let limits = &ask.site.config.limits;
    ask.query().finish()?;
    let mut query =
        HistoryQuery { delivery: Some(ask.delivery_id()?), limit: limits.max_page_size, ..HistoryQuery::default() };
    let mut fetches = Vec::new();
    // Bounded: a delivery with more lines shows the first of them; `/history` pages through all.
    for _ in 0..MOST_PAGES {
        let lines = ask.site.operations.own_history(caller, &query)?;
        let Some(last) = lines.last() else { break };
        query.after = Some(last.sequence);
        fetches.extend(lines.iter().filter(|line| tells_of_fetching(line.event.what)).map(forms::history_line));
        if fetches.len() >= limits.max_page_size {
            fetches.truncate(limits.max_page_size);
            break;
        }
    }
    Ok(Reply::json(StatusCode::OK, &json!({ "fetches": fetches })))
}

/// Looks through at most so many pages of history for fetches.
const MOST_PAGES: usize = 10;

fn tells_of_fetching(what: Happening) -> bool {
    matches!(what, Happening::FetchStarted | Happening::FileReleased | Happening::FileFetched | Happening::FetchEnded)
}

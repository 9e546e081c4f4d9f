//! What accounts of an intermediary ask about one client: the resources of the own organisation, below
//! `/clients/{code}`. The first segment says for whom; `answer` takes it away before the handler is asked.

use super::super::api::{archive, clients, content, deliveries, files, history, products};
use super::api::{DELIVERY_QUERY, HISTORY_QUERY, ZIP};
use super::{Handler, JSON, Route, get};

/// Routes of the public listener.
pub(in crate::fronts::https) static CLIENTS: &[Route] = &[
    get("/api/v1/clients", Handler::Account(clients::list), "Clients, for intermediaries", JSON),
    get("/api/v1/clients/{code}", Handler::Account(clients::show), "One client", JSON),
    get("/api/v1/clients/{code}/deliveries", Handler::Account(deliveries::list), "Deliveries of a client", JSON)
        .asking(DELIVERY_QUERY),
    get("/api/v1/clients/{code}/deliveries/{id}", Handler::Account(deliveries::show), "One of them", JSON),
    get(
        "/api/v1/clients/{code}/deliveries/{id}/packing-slip",
        Handler::Account(deliveries::packing_slip),
        "Its packing slip",
        JSON,
    ),
    get(
        "/api/v1/clients/{code}/deliveries/{id}/fetches",
        Handler::Account(deliveries::fetches),
        "Who fetched what of it",
        JSON,
    ),
    get(
        "/api/v1/clients/{code}/deliveries/{id}/files/{fileId}",
        Handler::Account(files::show),
        "Metadata of a file",
        JSON,
    ),
    get(
        "/api/v1/clients/{code}/deliveries/{id}/files/{fileId}/content",
        Handler::Account(content::show),
        "The bytes of a file; one range at most",
        &["application/octet-stream", "application/age"],
    )
    .at_hand(),
    get(
        "/api/v1/clients/{code}/deliveries/{id}/archive",
        Handler::Account(archive::show),
        "All its files as one ZIP file; one range at most",
        ZIP,
    ),
    get(
        "/api/v1/clients/{code}/history",
        Handler::Account(history::list),
        "History of a client",
        &["application/json", "text/csv"],
    )
    .asking(HISTORY_QUERY),
    get("/api/v1/clients/{code}/products", Handler::Account(products::list), "Products of a client", JSON),
];

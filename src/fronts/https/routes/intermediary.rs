//! Pages of intermediaries: what is coupled for which client, who acts for whom, and the deliveries of a client.

use super::super::portal;
use super::{HTML, Handler, JSON, Route, get, post};

/// Pages of the public listener.
pub(in crate::fronts::https) static INTERMEDIARY: &[Route] = &[
    get("/intermediary", Handler::Member(portal::intermediary), "Intermediary (P13)", HTML),
    get("/intermediary/rights.csv", Handler::Member(portal::client_rights_csv), "Who has what", &["text/csv"]),
    get("/intermediary/accounts/{login}", Handler::Member(portal::intermediary_account), "One user", HTML),
    get("/intermediary/accounts/{login}/copy", Handler::Member(portal::look_at_copy), "What a colleague has", HTML),
    post("/intermediary/accounts/{login}/copy", Handler::Member(portal::copy), "Take it over"),
    get(
        "/intermediary/accounts/{login}/clients/{client}",
        Handler::Member(portal::intermediary_client),
        "One user and one client",
        HTML,
    ),
    post("/intermediary/accounts/{login}/clients/{client}", Handler::Member(portal::save_client), "Save its products"),
    get("/intermediary/mandates/{id}/end", Handler::Member(portal::ask_end), "Whether a mandate is to end", HTML),
    post("/intermediary/mandates/{id}/end", Handler::Member(portal::end), "End it"),
    get("/clients", Handler::Member(portal::clients), "Clients, with what is new", HTML),
    get("/clients/{code}/deliveries", Handler::Member(portal::list), "Deliveries of a client", HTML),
    get("/clients/{code}/deliveries/{id}", Handler::Member(portal::one), "One of them", HTML),
    get(
        "/clients/{code}/deliveries/{id}/files/{fileId}",
        Handler::Member(portal::download),
        "Fetch a file",
        &["application/octet-stream"],
    ),
    get(
        "/clients/{code}/deliveries/{id}/archive",
        Handler::Member(portal::archive),
        "All its files as one",
        super::api::ZIP,
    ),
    get(
        "/clients/{code}/deliveries/{id}/slip",
        Handler::Member(portal::slip),
        "Its packing slip, to read and print",
        HTML,
    ),
    get(
        "/clients/{code}/deliveries/{id}/digests",
        Handler::Member(portal::digests),
        "Its list of digests",
        &["text/plain"],
    ),
    get(
        "/clients/{code}/deliveries/{id}/packing-slip",
        Handler::Member(portal::packing_slip),
        "Its packing slip",
        JSON,
    ),
];

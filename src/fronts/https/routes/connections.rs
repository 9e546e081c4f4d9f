//! The pages of connections (P14).

use super::super::portal::connections as page;
use super::{HTML, Handler, Route, get, post};

/// Pages of the public listener.
pub(in crate::fronts::https) static CONNECTIONS: &[Route] = &[
    get("/connections", Handler::Member(page::overview), "Connections (P14)", HTML),
    get("/connections/server", Handler::Member(page::server), "What clients must know of the server", HTML),
    post("/connections/accounts", Handler::Member(page::add), "Make a machine account"),
    get("/connections/accounts/{login}", Handler::Member(page::one), "One machine account", HTML),
    post("/connections/accounts/{login}/keys", Handler::Member(page::add_key), "Add an SSH key"),
    get("/connections/accounts/{login}/keys/{key}/revoke", Handler::Member(page::ask_revoke_key), "Ask again", HTML),
    post("/connections/accounts/{login}/keys/{key}/revoke", Handler::Member(page::revoke_key), "Revoke a key"),
    post("/connections/accounts/{login}/tokens", Handler::Member(page::add_token), "Make an API token"),
    get("/connections/accounts/{login}/tokens/{id}/revoke", Handler::Member(page::ask_revoke_token), "Ask again", HTML),
    post("/connections/accounts/{login}/tokens/{id}/revoke", Handler::Member(page::revoke_token), "Revoke a token"),
    post("/connections/accounts/{login}/allow-list", Handler::Member(page::allow), "Save allowed addresses"),
    post("/connections/accounts/{login}/owner", Handler::Member(page::own), "Save the owner"),
    get("/connections/accounts/{login}/end", Handler::Member(page::ask_end), "Ask again", HTML),
    post("/connections/accounts/{login}/end", Handler::Member(page::end), "End a machine account"),
];

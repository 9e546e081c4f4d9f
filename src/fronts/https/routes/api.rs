//! What accounts ask with a token, and what anybody may ask a machine.

use super::super::api::{
    accounts, archive, content, deliveries, documents, files, health, history, organisations, products, ssh_keys,
    well_known,
};
use super::{Handler, JSON, Route, get};

/// What a list of deliveries is asked with.
pub(super) const DELIVERY_QUERY: &[(&str, &str)] = &[
    ("product", "Only of this product (code)"),
    ("available", "true: only what can be fetched now"),
    ("limit", "At most so many"),
    ("after", "Go on after the delivery with this id"),
];

/// What a delivery as one file is.
pub(super) const ZIP: &[&str] = &["application/zip"];

/// What a history is asked with.
pub(super) const HISTORY_QUERY: &[(&str, &str)] = &[
    ("since", "Only from this time on (RFC 3339)"),
    ("delivery", "Only about the delivery with this id"),
    ("limit", "At most so many"),
    ("after", "Go on after the line with this number"),
];

/// Routes of the public listener.
pub(in crate::fronts::https) static PUBLIC: &[Route] = &[
    get("/api/v1/openapi.json", Handler::Open(well_known::openapi), "This description", JSON),
    get("/api/v1/deliveries", Handler::Account(deliveries::list), "Deliveries of the own organisation", JSON)
        .asking(DELIVERY_QUERY),
    get("/api/v1/deliveries/{id}", Handler::Account(deliveries::show), "One delivery", JSON),
    get("/api/v1/deliveries/{id}/packing-slip", Handler::Account(deliveries::packing_slip), "Its packing slip", JSON),
    get("/api/v1/deliveries/{id}/fetches", Handler::Account(deliveries::fetches), "Who fetched what of it", JSON),
    get("/api/v1/deliveries/{id}/files/{fileId}", Handler::Account(files::show), "Metadata of a file", JSON),
    get(
        "/api/v1/deliveries/{id}/files/{fileId}/content",
        Handler::Account(content::show),
        "The bytes of a file; one range at most",
        &["application/octet-stream", "application/age"],
    )
    .at_hand(),
    get(
        "/api/v1/deliveries/{id}/archive",
        Handler::Account(archive::show),
        "All its files as one ZIP file; one range at most",
        ZIP,
    ),
    get(
        "/api/v1/history",
        Handler::Account(history::list),
        "History of the own organisation",
        &["application/json", "text/csv"],
    )
    .asking(HISTORY_QUERY),
    get("/api/v1/products/{id}/documents", Handler::Account(documents::list), "Documents of a product", JSON),
    get("/api/v1/products/{id}/documents/{name}", Handler::Account(documents::show), "Metadata of a document", JSON),
    get(
        "/api/v1/products/{id}/documents/{name}/content",
        Handler::Account(documents::content),
        "The bytes of a document; one range at most",
        &["application/octet-stream"],
    ),
    get("/api/v1/products", Handler::Account(products::list), "Products that can be fetched", JSON),
    get("/api/v1/organisations/{id}", Handler::Account(organisations::show), "The own organisation, by code", JSON),
    get("/api/v1/accounts/me", Handler::Account(accounts::me), "The account that asks", JSON),
    get("/api/v1/ssh-keys", Handler::Account(ssh_keys::list), "SSH keys of the account that asks", JSON),
    get("/health/live", Handler::Open(health::live), "Whether the server lives", JSON),
    get("/health/ready", Handler::Open(health::ready), "Whether the server takes work", JSON),
    get(
        "/.well-known/security.txt",
        Handler::Open(well_known::security_txt),
        "Security contact (RFC 9116)",
        &["text/plain"],
    ),
];

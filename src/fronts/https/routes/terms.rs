//! The pages about terms of use (P05).

use super::super::portal;
use super::{HTML, Handler, Route, get, post};

/// Pages of the public listener.
pub(in crate::fronts::https) static TERMS: &[Route] = &[
    get("/terms", Handler::Page(portal::terms), "The terms of use that apply (P05)", HTML),
    get("/terms/accept", Handler::Signed(portal::ask_to_accept), "Accept them, before anything else", HTML),
    post("/terms/accept", Handler::Signed(portal::accept), "Take the acceptance"),
    get("/terms/refuse", Handler::Signed(portal::ask_to_refuse), "Refuse them, and cancel the account", HTML),
    post("/terms/refuse", Handler::Signed(portal::refuse), "Cancel the account"),
    get("/terms/machines", Handler::Member(portal::machines), "Machine accounts without acceptance", HTML),
    post("/terms/machines/{login}", Handler::Member(portal::accept_for_machine), "Accept for one of them"),
    get("/terms/for/{login}/{code}", Handler::Page(portal::ask_owner), "A link to the owner of a machine", HTML),
    post("/terms/for/{login}/{code}", Handler::Page(portal::accept_by_owner), "Accept by that link"),
    get("/terms/for/{login}/{code}/refuse", Handler::Page(portal::ask_owner_to_refuse), "Refuse by that link", HTML),
    post("/terms/for/{login}/{code}/refuse", Handler::Page(portal::refuse_by_owner), "Cancel the machine account"),
    get("/instructions", Handler::Page(portal::instructions), "Instructions of the operator (I7)", HTML),
    get("/glossary", Handler::Page(portal::glossary), "The terms they define (P18, I2)", HTML),
    get("/terms/{version}", Handler::Page(portal::one_version), "One version, an old one too (I14)", HTML),
];

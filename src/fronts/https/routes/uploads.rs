//! The pages of participant files (P10): of the own organisation, and of a client.

use super::super::portal::uploads::{self as page, Taking};
use super::{HTML, Handler, JSON, Route, get, post};

const TEXT: &[&str] = &["text/plain"];

/// Pages of the public listener.
pub(in crate::fronts::https) static UPLOADS: &[Route] = &[
    get(
        "/receipt-key/allowed-signers",
        Handler::Open(page::allowed_signers),
        "The key under receipts, to verify",
        TEXT,
    ),
    get("/assets/uploads.js", Handler::Open(page::script), "The script of uploads", &["text/javascript"]),
    get("/participant-files", Handler::Member(page::list), "Participant files (P10)", HTML),
    get("/participant-files/new", Handler::Member(page::ask_file), "Upload files", HTML),
    post("/participant-files/new", Handler::Upload(Taking::Files), "Take files as they come in"),
    get("/participant-files/{id}", Handler::Member(page::one), "One of them", HTML),
    get("/participant-files/{id}/withdraw", Handler::Member(page::ask_withdrawal), "Ask again", HTML),
    post("/participant-files/{id}/withdraw", Handler::Member(page::withdraw), "Take it back"),
    get("/participant-files/{id}/replace", Handler::Member(page::ask_replacement), "Replace it", HTML),
    post("/participant-files/{id}/replace", Handler::Upload(Taking::Replacement), "Take the new one as it comes in"),
    get("/participant-files/{id}/receipt", Handler::Member(page::receipt), "Its receipt", JSON),
    get("/participant-files/{id}/receipt/signature", Handler::Member(page::receipt_signature), "The signature", TEXT),
    get("/participant-files/{id}/result", Handler::Member(page::result), "Its result", JSON),
    get("/participant-files/{id}/result/signature", Handler::Member(page::result_signature), "The signature", TEXT),
    get("/participant-files/{id}/result/text", Handler::Member(page::result_text), "Its result in words", TEXT),
    get("/clients/{code}/participant-files", Handler::Member(page::list), "Those of a client", HTML),
    get("/clients/{code}/participant-files/new", Handler::Member(page::ask_file), "Upload files for it", HTML),
    post("/clients/{code}/participant-files/new", Handler::Upload(Taking::Files), "Take files as they come in"),
    get("/clients/{code}/participant-files/{id}", Handler::Member(page::one), "One of them", HTML),
    get("/clients/{code}/participant-files/{id}/withdraw", Handler::Member(page::ask_withdrawal), "Ask again", HTML),
    post("/clients/{code}/participant-files/{id}/withdraw", Handler::Member(page::withdraw), "Take it back"),
    get("/clients/{code}/participant-files/{id}/replace", Handler::Member(page::ask_replacement), "Replace it", HTML),
    post(
        "/clients/{code}/participant-files/{id}/replace",
        Handler::Upload(Taking::Replacement),
        "Take the new one as it comes in",
    ),
    get("/clients/{code}/participant-files/{id}/receipt", Handler::Member(page::receipt), "Its receipt", JSON),
    get(
        "/clients/{code}/participant-files/{id}/receipt/signature",
        Handler::Member(page::receipt_signature),
        "The signature",
        TEXT,
    ),
    get("/clients/{code}/participant-files/{id}/result", Handler::Member(page::result), "Its result", JSON),
    get(
        "/clients/{code}/participant-files/{id}/result/signature",
        Handler::Member(page::result_signature),
        "The signature",
        TEXT,
    ),
    get(
        "/clients/{code}/participant-files/{id}/result/text",
        Handler::Member(page::result_text),
        "Its result in words",
        TEXT,
    ),
];

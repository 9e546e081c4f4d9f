//! The pages of the operator's office.

use super::super::portal::{self, office};
use super::{HTML, Handler, Route, get, post};

/// Pages of the operator listener, over TLS.
pub(in crate::fronts::https) static PAGES: &[Route] = &[
    get("/", Handler::Page(office::home), "The way in", HTML),
    get("/assets/portal.css", Handler::Open(portal::style_sheet), "How pages look", &["text/css"]),
    get("/assets/icon.svg", Handler::Open(portal::icon), "The mark of a tab", &["image/svg+xml"]),
    get("/sign-in", Handler::Page(office::ask_password), "Sign in to the office", HTML),
    get("/sign-in/again", Handler::Page(office::ask_password), "Sign in after a session ended", HTML),
    post("/sign-in", Handler::Page(office::check_password), "Take the password"),
    get("/sign-in/code", Handler::Page(office::ask_code), "The second factor", HTML),
    post("/sign-in/code", Handler::Page(office::check_code), "Take the second factor"),
    post("/sign-out", Handler::Desk(office::sign_out), "Sign out"),
    get("/account/{code}", Handler::Page(portal::look), "A link of an e-mail", HTML),
    post("/account/{code}", Handler::Page(portal::choose), "Choose a password"),
    post("/account/{code}/app", Handler::Page(portal::app), "Confirm an app"),
    get("/office", Handler::Desk(office::queue), "What waits (P21)", HTML),
    get("/office/requests/{id}", Handler::Desk(office::request), "A request for an account", HTML),
    post("/office/requests/{id}/approve", Handler::Desk(office::approve), "Approve it"),
    post(
        "/office/requests/{id}/approve-new",
        Handler::Desk(office::approve_new),
        "Make its organisation and approve it",
    ),
    post("/office/requests/{id}/reject", Handler::Desk(office::reject), "Reject it"),
    get("/office/organisations", Handler::Desk(office::organisations), "Organisations", HTML),
    post("/office/organisations", Handler::Desk(office::add_organisation), "Add one"),
    get("/office/organisations/{code}", Handler::Desk(office::organisation), "One organisation", HTML),
    post("/office/organisations/{code}", Handler::Desk(office::change_organisation), "Change its data"),
    post("/office/organisations/{code}/block", Handler::Desk(office::block_organisation), "Block it"),
    post("/office/organisations/{code}/unblock", Handler::Desk(office::unblock_organisation), "Lift its block"),
    post("/office/organisations/{code}/end", Handler::Desk(office::end_organisation), "End it"),
    get("/office/accounts", Handler::Desk(office::accounts), "People and machines", HTML),
    get("/office/accounts/{login}", Handler::Desk(office::account), "One account", HTML),
    post("/office/accounts/{login}/block", Handler::Desk(office::block_account), "Block it"),
    post("/office/accounts/{login}/unblock", Handler::Desk(office::unblock_account), "Lift its block"),
    post("/office/accounts/{login}/end", Handler::Desk(office::end_account), "End it"),
    post("/office/accounts/{login}/link", Handler::Desk(office::send_link), "Send its link anew"),
    get("/office/interruptions", Handler::Desk(office::interruptions), "Interruptions", HTML),
    post("/office/interruptions", Handler::Desk(office::start_interruption), "Start or announce one"),
    post("/office/interruptions/{id}/end", Handler::Desk(office::end_interruption), "End it"),
    get("/office/colleagues", Handler::Desk(office::colleagues), "Who works in the office", HTML),
    post("/office/colleagues", Handler::Desk(office::add_colleague), "Add somebody"),
    post("/office/colleagues/role", Handler::Desk(office::change_role), "Another role"),
];

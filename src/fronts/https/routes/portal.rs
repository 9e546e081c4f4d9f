//! The pages of the portal, but for those that a file of their own lists.

use super::super::portal;
use super::{HTML, Handler, JSON, Route, get, post};

/// Pages of the public listener.
pub(in crate::fronts::https) static PORTAL: &[Route] = &[
    get("/", Handler::Page(portal::welcome), "Welcome (P01)", HTML),
    get("/assets/portal.css", Handler::Open(portal::style_sheet), "How pages look", &["text/css"]),
    get("/assets/icon.svg", Handler::Open(portal::icon), "The mark of a tab", &["image/svg+xml"]),
    get("/sign-in", Handler::Page(portal::ask_password), "Sign in (P04)", HTML),
    get("/sign-in/again", Handler::Page(portal::ask_password), "Sign in after a session ended", HTML),
    post("/sign-in", Handler::Page(portal::check_password), "Take the password"),
    get("/sign-in/code", Handler::Page(portal::ask_code), "The second factor", HTML),
    post("/sign-in/code", Handler::Page(portal::check_code), "Take the second factor"),
    post("/sign-out", Handler::Signed(portal::sign_out), "Sign out"),
    get("/account/{code}", Handler::Page(portal::look), "A link of an e-mail (P03)", HTML),
    post("/account/{code}", Handler::Page(portal::choose), "Choose a password"),
    post("/account/{code}/app", Handler::Page(portal::app), "Confirm an app"),
    get("/account-request", Handler::Page(portal::ask_person), "Ask for an account, step 1 (P02)", HTML),
    post("/account-request", Handler::Page(portal::take_person), "Take step 1"),
    get("/account-request/sent", Handler::Page(portal::sent), "What happens next", HTML),
    get("/account-request/organisation/{draft}", Handler::Page(portal::ask_organisation), "Step 2", HTML),
    post("/account-request/organisation/{draft}", Handler::Page(portal::take_organisation), "Take step 2"),
    post("/account-request/organisation/{draft}/cancel", Handler::Page(portal::cancel), "Wipe what was filled in"),
    get("/account-request/confirm/{code}", Handler::Page(portal::look_at_request), "A link of an e-mail", HTML),
    post("/account-request/confirm/{code}", Handler::Page(portal::confirm_request), "Confirm an address"),
    get("/access", Handler::Member(portal::overview), "Manage access rights (P12)", HTML),
    get("/access/accounts/{login}", Handler::Member(portal::account), "One account", HTML),
    post("/access/accounts/{login}", Handler::Member(portal::save), "Save its products"),
    post("/access/accounts/{login}/administrator", Handler::Member(portal::appoint), "Appoint or dismiss"),
    post("/access/accounts/{login}/link", Handler::Member(portal::resend), "Send the link anew"),
    post("/access/invitations", Handler::Member(portal::invite), "Invite somebody"),
    post("/access/requests/{id}/approve", Handler::Member(portal::approve), "Approve a request"),
    post("/access/requests/{id}/reject", Handler::Member(portal::reject), "Reject a request"),
    get("/access/overview", Handler::Member(portal::grid), "Who has what", HTML),
    get("/access/overview.csv", Handler::Member(portal::grid_csv), "The same as a file", &["text/csv"]),
    get("/start", Handler::Member(portal::start), "Start (P06)", HTML),
    get("/deliveries", Handler::Member(portal::list), "Deliveries (P07)", HTML),
    get("/deliveries/{id}", Handler::Member(portal::one), "One delivery", HTML),
    get(
        "/deliveries/{id}/files/{fileId}",
        Handler::Member(portal::download),
        "Fetch a file",
        &["application/octet-stream"],
    ),
    get("/deliveries/{id}/packing-slip", Handler::Member(portal::packing_slip), "Its packing slip", JSON),
];

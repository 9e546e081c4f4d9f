//! Pages about what somebody signs in with (P03, P17 in part).

use super::super::portal;
use super::{HTML, Handler, Route, get, post};

/// Pages of the public listener.
pub(in crate::fronts::https) static SECURITY: &[Route] = &[
    get("/forgotten-password", Handler::Page(portal::ask_address), "Forgot the password (P03)", HTML),
    post("/forgotten-password", Handler::Page(portal::take_address), "Ask for a link"),
    get("/forgotten-password/sent", Handler::Page(portal::link_sent), "What happens next", HTML),
    get("/security", Handler::Signed(portal::own_security), "Sign-in and security (P17)", HTML),
    get("/security/sign-ins", Handler::Signed(portal::own_sign_ins), "Begin and end of own sessions (PV14)", HTML),
    get("/security/password", Handler::Signed(portal::ask_new_password), "Change the password", HTML),
    post("/security/password", Handler::Signed(portal::change_password), "Take the new password"),
    get("/security/app", Handler::Signed(portal::ask_app), "Replace the app for codes", HTML),
    post("/security/app", Handler::Signed(portal::begin_app), "Show the new app its key"),
    post("/security/app/confirm", Handler::Signed(portal::finish_app), "Take the first code of the new app"),
    get("/security/recovery-codes", Handler::Signed(portal::ask_codes), "New recovery codes", HTML),
    post("/security/recovery-codes", Handler::Signed(portal::make_codes), "Make them"),
    get("/assets/passkeys.js", Handler::Open(portal::script), "The script of passkeys", &["text/javascript"]),
    post("/sign-in/passkey", Handler::Page(portal::check_passkey), "Take a passkey"),
    get("/security/passkeys", Handler::Signed(portal::ask_passkey), "Add a passkey", HTML),
    post("/security/passkeys", Handler::Signed(portal::begin_passkey), "Let the browser make it"),
    post("/security/passkeys/add", Handler::Signed(portal::add_passkey), "Take it"),
    get("/security/passkeys/{id}/remove", Handler::Signed(portal::ask_removal), "Remove a passkey", HTML),
    post("/security/passkeys/{id}/remove", Handler::Signed(portal::remove_passkey), "Remove it"),
    post("/security/sessions/{id}/end", Handler::Signed(portal::end_session), "End another session"),
    post("/security/sessions/end-others", Handler::Signed(portal::end_others), "End all others"),
];

//! The tables of routes: path, handler and who may ask. The description of the API
//! is made of the same tables. Knows no connection.

use hyper::Method;

use super::api::{accounts, content, deliveries, files, health, history, organisations, products, well_known};
use super::ask::Ask;
use super::operator::publications;
use super::portal::{self, Guest, Member};
use super::reply::Reply;
use crate::operations::{Caller, Failure};

/// What answers a route.
#[derive(Clone, Copy)]
pub(super) enum Handler {
    /// Anybody may ask.
    Open(fn(&Ask) -> Result<Reply, Failure>),
    /// Only an account that signed in.
    Account(fn(&Ask, &Caller) -> Result<Reply, Failure>),
    /// A page for anybody.
    Page(fn(&Ask, &Guest) -> Result<Reply, Failure>),
    /// A page for who is signed in to the portal.
    Member(fn(&Ask, &Member) -> Result<Reply, Failure>),
    /// Takes a file as it comes in; on the operator listener only.
    Stage,
}

/// One route.
pub(super) struct Route {
    /// GET stands for HEAD too.
    pub method: Method,
    /// Segments in braces are variable and never empty.
    pub path: &'static str,
    /// What answers.
    pub handler: Handler,
    /// What it is, in one line.
    pub about: &'static str,
    /// Query keys with what they mean.
    pub query: &'static [(&'static str, &'static str)],
    /// Media types of the answer.
    pub gives: &'static [&'static str],
    /// Answered where it is met while the catalog is at hand: such a handler only looks things up and opens.
    pub at_hand: bool,
}

const JSON: &[&str] = &["application/json"];

const fn get(path: &'static str, handler: Handler, about: &'static str, gives: &'static [&'static str]) -> Route {
    Route { method: Method::GET, path, handler, about, query: &[], gives, at_hand: false }
}

impl Route {
    const fn asking(mut self, query: &'static [(&'static str, &'static str)]) -> Self {
        self.query = query;
        self
    }

    const fn at_hand(mut self) -> Self {
        self.at_hand = true;
        self
    }
}

/// Routes of the public listener.
pub(super) static PUBLIC: &[Route] = &[
    get("/api/v1/openapi.json", Handler::Open(well_known::openapi), "This description", JSON),
    get("/api/v1/deliveries", Handler::Account(deliveries::list), "Deliveries of the own organisation", JSON).asking(
        &[
            ("product", "Only of this product (code)"),
            ("available", "true: only what can be fetched now"),
            ("limit", "At most so many"),
            ("after", "Go on after the delivery with this id"),
        ],
    ),
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
        "/api/v1/history",
        Handler::Account(history::list),
        "History of the own organisation",
        &["application/json", "text/csv"],
    )
    .asking(&[
        ("since", "Only from this time on (RFC 3339)"),
        ("delivery", "Only about the delivery with this id"),
        ("limit", "At most so many"),
        ("after", "Go on after the line with this number"),
    ]),
    get("/api/v1/products", Handler::Account(products::list), "Products that can be fetched", JSON),
    get("/api/v1/organisations/{id}", Handler::Account(organisations::show), "The own organisation, by code", JSON),
    get("/api/v1/accounts/me", Handler::Account(accounts::me), "The account that asks", JSON),
    get("/health/live", Handler::Open(health::live), "Whether the server lives", JSON),
    get("/health/ready", Handler::Open(health::ready), "Whether the server takes work", JSON),
    get(
        "/.well-known/security.txt",
        Handler::Open(well_known::security_txt),
        "Security contact (RFC 9116)",
        &["text/plain"],
    ),
];

const HTML: &[&str] = &["text/html"];

const fn post(path: &'static str, handler: Handler, about: &'static str) -> Route {
    Route { method: Method::POST, path, handler, about, query: &[], gives: HTML, at_hand: false }
}

/// Pages of the public listener.
pub(super) static PORTAL: &[Route] = &[
    get("/", Handler::Page(portal::welcome), "Welcome (P01)", HTML),
    get("/assets/portal.css", Handler::Open(portal::style_sheet), "How pages look", &["text/css"]),
    get("/assets/icon.svg", Handler::Open(portal::icon), "The mark of a tab", &["image/svg+xml"]),
    get("/sign-in", Handler::Page(portal::ask_password), "Sign in (P04)", HTML),
    get("/sign-in/again", Handler::Page(portal::ask_password), "Sign in after a session ended", HTML),
    post("/sign-in", Handler::Page(portal::check_password), "Take the password"),
    get("/sign-in/code", Handler::Page(portal::ask_code), "The second factor", HTML),
    post("/sign-in/code", Handler::Page(portal::check_code), "Take the second factor"),
    post("/sign-out", Handler::Member(portal::sign_out), "Sign out"),
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

/// Routes of an operator listener that others than this machine can reach.
pub(super) static HEALTH: &[Route] = &[
    get("/health/live", Handler::Open(health::live), "Whether the server lives", JSON),
    get("/health/ready", Handler::Open(health::ready), "Whether the server takes work", JSON),
];

/// Routes of the operator listener.
pub(super) static OPERATOR: &[Route] = &[
    get("/health/live", Handler::Open(health::live), "Whether the server lives", JSON),
    get("/health/ready", Handler::Open(health::ready), "Whether the server takes work", JSON),
    Route {
        method: Method::PUT,
        path: "/operator/publications/{id}/files/{name}",
        handler: Handler::Stage,
        about: "Stage a file of a publication",
        query: &[],
        gives: &[],
        at_hand: false,
    },
    Route {
        method: Method::POST,
        path: "/operator/publications/{id}",
        handler: Handler::Open(publications::publish),
        about: "Publish the staged files",
        query: &[],
        gives: JSON,
        at_hand: false,
    },
];

/// All of the public listener.
pub(super) static EVERYBODY: Table = &[PUBLIC, PORTAL];

/// All of an operator listener, as far as who can reach it.
pub(super) static OFFICE: Table = &[OPERATOR];
/// The same when others than this machine can reach it.
pub(super) static HEALTH_ALONE: Table = &[HEALTH];

/// Routes of one listener.
pub(super) type Table = &'static [&'static [Route]];

/// What browsers see where nothing is.
pub(super) static MISSING: Route = get("", Handler::Page(portal::missing), "Nothing is here", HTML);

/// What a path leads to.
pub(super) enum Found {
    /// This route, with the variable segments in order.
    Route(&'static Route, Vec<String>),
    /// The path exists for these methods only.
    OtherMethods(Vec<Method>),
    /// Nothing.
    Nothing,
}

/// Looks a path up. A slash at the end leads to nothing (API Design Rules).
pub(super) fn find(table: Table, method: &Method, path: &str) -> Found {
    let mut others = Vec::new();
    for route in table.iter().copied().flatten() {
        let Some(segments) = matched(route.path, path) else { continue };
        if route.method == *method || (route.method == Method::GET && *method == Method::HEAD) {
            return Found::Route(route, segments);
        }
        others.push(route.method.clone());
        if route.method == Method::GET {
            others.push(Method::HEAD);
        }
    }
    if others.is_empty() { Found::Nothing } else { Found::OtherMethods(others) }
}

fn matched(pattern: &str, path: &str) -> Option<Vec<String>> {
    let mut segments = Vec::new();
    let mut given = path.split('/');
    for wanted in pattern.split('/') {
        let segment = given.next()?;
        if wanted.starts_with('{') {
            if segment.is_empty() {
                return None;
            }
            segments.push(segment.to_owned());
        } else if wanted != segment {
            return None;
        }
    }
    given.next().is_none().then_some(segments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_matched_whole_and_without_slash_at_its_end() {
        let pattern = "/api/v1/deliveries/{id}/files/{fileId}";
        assert_eq!(matched(pattern, "/api/v1/deliveries/a/files/2"), Some(vec!["a".to_owned(), "2".to_owned()]));
        for path in ["/api/v1/deliveries/a/files/2/", "/api/v1/deliveries//files/2", "/api/v1/deliveries/a/files", "/"]
        {
            assert_eq!(matched(pattern, path), None, "{path}");
        }
    }

    #[test]
    fn paths_follow_the_design_rules() {
        for route in PUBLIC.iter().chain(PORTAL).chain(OPERATOR) {
            let fixed = route.path.split('/').filter(|segment| !segment.starts_with('{'));
            let is_kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
            assert!(fixed.flat_map(str::chars).all(is_kebab), "{}", route.path);
            // the root alone is a slash
            assert!(route.path == "/" || !route.path.ends_with('/'), "{}", route.path);
        }
    }

    /// The routes of `fixtures/route-matrix.txt`: listener, method, path, asker, act.
    fn reviewed() -> Vec<Vec<&'static str>> {
        let matrix = include_str!("../../../fixtures/route-matrix.txt");
        let lines = matrix.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        lines.map(|line| line.split_whitespace().collect()).collect()
    }

    #[test]
    fn every_route_is_in_the_reviewed_file_with_its_asker() {
        let asker = |listener: &str, route: &Route| match route.handler {
            Handler::Open(_) if listener == "operator" && !route.path.starts_with("/health") => "operator",
            Handler::Open(_) | Handler::Page(_) => "anybody",
            Handler::Account(_) => "account",
            Handler::Member(_) => "person",
            Handler::Stage => "operator",
        };
        let mut found = Vec::new();
        for (listener, table) in [("public", EVERYBODY), ("operator", OFFICE), ("operator", HEALTH_ALONE)] {
            for route in table.iter().copied().flatten() {
                let row = [listener, route.method.as_str(), route.path, asker(listener, route)].map(str::to_owned);
                found.push(row.to_vec());
            }
        }
        found.sort();
        found.dedup();
        let mut reviewed: Vec<Vec<String>> =
            reviewed().iter().map(|row| row.iter().take(4).map(|&cell| cell.to_owned()).collect()).collect();
        reviewed.sort();
        assert_eq!(found, reviewed, "a route and its asker belong into fixtures/route-matrix.txt");
    }

    #[test]
    fn what_a_route_asks_of_permits_exists() {
        use crate::domain::rights::Act;
        for row in reviewed() {
            assert_eq!(row.len(), 5, "{row:?}");
            let act = row[4];
            assert!(act == "-" || Act::ALL.iter().any(|known| known.word() == act), "{row:?}");
            // what is behind a sign-in tells or changes something, but for the page about oneself
            let about_oneself = ["/sign-out", "/api/v1/accounts/me", "/api/v1/organisations/{id}"].contains(&row[2]);
            assert!(act != "-" || about_oneself || row[3] == "anybody", "{row:?}: say which act");
        }
    }
}

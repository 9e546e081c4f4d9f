//! The tables of routes, one file for each area: path, handler and who may ask. The
//! description of the API is made of the same tables. Knows no connection.

mod api;
mod clients;
mod connections;
mod intermediary;
mod office;
mod operator;
mod participant_files;
mod portal;
mod resumable_uploads;
mod security;
mod terms;
mod uploads;

use hyper::Method;

use super::ask::Ask;
use super::portal::office::{Desk, Shelving};
use super::portal::uploads::Taking;
use super::portal::{Guest, Member, missing};
use super::receive::{Receive, Tus};
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
    /// A page for who is signed in to the portal and has accepted the terms of use.
    Member(fn(&Ask, &Member) -> Result<Reply, Failure>),
    /// A page for who is signed in, whether the terms of use are accepted or not (I6).
    Signed(fn(&Ask, &Member) -> Result<Reply, Failure>),
    /// A page for who is signed in to the office.
    Desk(fn(&Ask, &Desk) -> Result<Reply, Failure>),
    /// A page for who is signed in to the office about themselves: one that the portal has too.
    Own(fn(&Ask, &Member) -> Result<Reply, Failure>),
    /// Who brings a resumable upload: an account with a token, or who is signed in to the portal.
    Uploader(Tus),
    /// Takes a participant file as it comes in, from an account.
    Receive(Receive),
    /// Takes a file as it comes in; on the operator listener only.
    Stage,
    /// Takes the files of a form as they come in, from who is signed in to the portal.
    Upload(Taking),
    /// Takes a document of a product as it comes in, from who is signed in to the office.
    Shelve(Shelving),
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
    /// So much content is taken. More than usual is read only of who is signed in to the office.
    pub most_bytes: usize,
}

/// Content of a request is at most this, if the route does not say otherwise.
pub(super) const MOST_CONTENT_BYTES: usize = 64 * 1024;

const JSON: &[&str] = &["application/json"];

const fn get(path: &'static str, handler: Handler, about: &'static str, gives: &'static [&'static str]) -> Route {
    Route {
        method: Method::GET,
        path,
        handler,
        about,
        query: &[],
        gives,
        at_hand: false,
        most_bytes: MOST_CONTENT_BYTES,
    }
}

impl Route {
    const fn asking(mut self, query: &'static [(&'static str, &'static str)]) -> Self {
        self.query = query;
        self
    }

    const fn holding(mut self, most_bytes: usize) -> Self {
        self.most_bytes = most_bytes;
        self
    }

    const fn at_hand(mut self) -> Self {
        self.at_hand = true;
        self
    }
}

const HTML: &[&str] = &["text/html"];

const fn post(path: &'static str, handler: Handler, about: &'static str) -> Route {
    Route {
        method: Method::POST,
        path,
        handler,
        about,
        query: &[],
        gives: HTML,
        at_hand: false,
        most_bytes: MOST_CONTENT_BYTES,
    }
}

const fn delete(path: &'static str, handler: Handler, about: &'static str) -> Route {
    Route {
        method: Method::DELETE,
        path,
        handler,
        about,
        query: &[],
        gives: JSON,
        at_hand: false,
        most_bytes: MOST_CONTENT_BYTES,
    }
}

/// What the API description lists.
pub(super) static DESCRIBED: Table =
    &[api::PUBLIC, clients::CLIENTS, participant_files::PARTICIPANT_FILES, resumable_uploads::RESUMABLE_UPLOADS];

/// All of the public listener.
pub(super) static EVERYBODY: Table = &[
    api::PUBLIC,
    clients::CLIENTS,
    intermediary::INTERMEDIARY,
    connections::CONNECTIONS,
    participant_files::PARTICIPANT_FILES,
    resumable_uploads::RESUMABLE_UPLOADS,
    portal::PORTAL,
    terms::TERMS,
    security::SECURITY,
    uploads::UPLOADS,
];

/// Of an operator listener that only this machine can reach, over plain HTTP and over TLS.
pub(super) static LOCAL: Table = &[operator::OPERATOR];
pub(super) static LOCAL_OFFICE: Table = &[operator::OPERATOR, office::PAGES];
/// The same when others can reach it too.
pub(super) static HEALTH_ALONE: Table = &[operator::HEALTH];
pub(super) static OFFICE: Table = &[operator::HEALTH, office::PAGES];

/// Whether a table has the pages of the office.
pub(super) fn has_office(table: Table) -> bool {
    core::ptr::eq(table, LOCAL_OFFICE) || core::ptr::eq(table, OFFICE)
}

/// Routes of one listener.
pub(super) type Table = &'static [&'static [Route]];

/// What browsers see where nothing is.
pub(super) static MISSING: Route = get("", Handler::Page(missing), "Nothing is here", HTML);

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

/// What a path below a client begins with; its first segment names the client.
const BELOW_CLIENT: [&str; 2] = ["/api/v1/clients/{code}/", "/clients/{code}/"];

impl Route {
    /// Whether it is for the client that its first segment names, as what lies beside it is for the own organisation.
    pub(super) fn is_for_client(&self) -> bool {
        BELOW_CLIENT.iter().any(|begin| self.path.starts_with(begin))
    }
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
        for route in EVERYBODY.iter().chain(LOCAL_OFFICE).copied().flatten() {
            let fixed = route.path.split('/').filter(|segment| !segment.starts_with('{'));
            let is_kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
            // an operation that is no resource begins with an underscore (interfaces §5)
            let fixed = fixed.map(|segment| segment.strip_prefix('_').unwrap_or(segment));
            assert!(fixed.flat_map(str::chars).all(is_kebab), "{}", route.path);
            // the root alone is a slash
            assert!(route.path == "/" || !route.path.ends_with('/'), "{}", route.path);
        }
    }

    /// The routes of `fixtures/route-matrix.txt`: listener, method, path, asker, act.
    fn reviewed() -> Vec<Vec<&'static str>> {
        let matrix = include_str!("../../../../fixtures/route-matrix.txt");
        let lines = matrix.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        lines.map(|line| line.split_whitespace().collect()).collect()
    }

    #[test]
    fn every_route_is_in_the_reviewed_file_with_its_asker() {
        let asker = |listener: &str, route: &Route| match route.handler {
            Handler::Open(_) if listener == "operator" && !route.path.starts_with("/health") => "operator",
            Handler::Open(_) | Handler::Page(_) => "anybody",
            Handler::Account(_) | Handler::Receive(Receive::Content | Receive::Check) => "account",
            Handler::Uploader(_) | Handler::Receive(_) => "uploader",
            Handler::Member(_) | Handler::Signed(_) | Handler::Upload(_) => "person",
            Handler::Desk(_) | Handler::Own(_) | Handler::Shelve(_) => "officer",
            Handler::Stage => "operator",
        };
        let mut found = Vec::new();
        for (listener, table) in
            [("public", EVERYBODY), ("operator", LOCAL), ("operator", HEALTH_ALONE), ("office", &[office::PAGES])]
        {
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
            let about_oneself = ["/sign-out", "/api/v1/accounts/me", "/api/v1/ssh-keys", "/api/v1/organisations/{id}"]
                .contains(&row[2]);
            assert!(act != "-" || about_oneself || row[3] == "anybody", "{row:?}: say which act");
        }
    }
}

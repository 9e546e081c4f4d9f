//! The public front as somebody meets it who means ill: every route of the reviewed file by a real request. What
//! is not there yet and comes later is covered by being in that file (issue 5, "Abuse"; domain 3.2, 5.10-24, -26, -29).

use std::collections::BTreeSet;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use totp_rs::{Algorithm, Builder};

use crate::support::clients::curl;
use crate::support::server::Server;
use crate::support::stock::{events, organisation, product, text};

const ROUTES: &str = include_str!("../../fixtures/route-matrix.txt");
pub(crate) const ANNE: &str = "anne@alpha.example";
const PASSWORD: &str = "een lange zin die niemand raadt";
const NOWHERE: &str = "__Host-postkluis=made-up-by-somebody-else";

/// A row of the reviewed file, on the public listener.
struct Route {
    method: &'static str,
    /// With something made up in the place of each variable segment.
    path: String,
    asker: &'static str,
}

fn routes() -> Vec<Route> {
    let lines = ROUTES.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let rows = lines.map(|line| line.split_whitespace().collect::<Vec<_>>()).filter(|row| row[0] == "public");
    let made_up = |part: &str| match part {
        "{login}" => "nobody@alpha.example".to_owned(),
        "{fileId}" => "1".to_owned(),
        part if part.starts_with('{') => "0b9d6f7e-1111-4222-8333-0123456789ab".to_owned(),
        part => part.to_owned(),
    };
    rows.map(|row| Route {
        method: row[1],
        path: row[2].split('/').map(made_up).collect::<Vec<_>>().join("/"),
        asker: row[3],
    })
    .collect()
}

/// Somebody with a browser that does just what it is told.
pub(crate) struct Person {
    pub(crate) cookie: String,
    token: String,
}

pub(crate) struct Stage {
    pub(crate) server: Server,
    link: String,
}

pub(crate) fn stage_with(set: &[(&str, &str)]) -> Stage {
    let mut server = Server::prepare();
    server.set("POSTKLUIS_SIGN_IN__PASSWORD_MEMORY", "64 KiB");
    server.set("POSTKLUIS_ORGANISATION__CONTACT_MAIL", "info@example.org");
    for (name, value) in set {
        server.set(name, value);
    }
    server.serve();
    product(&server, "wages");
    organisation(&server, "alpha", &["wages"]);
    server.done(&["organisation", "change", "alpha", "--mail-domain", "alpha.example"]);
    server.done(&["account", "add", ANNE, "--organisation", "alpha", "--kind", "person", "--administrator"]);
    let link = text(&server.done(&["account", "link", ANNE]), "link").to_owned();
    let link = format!("/account/{}", link.split_once("/account/").expect("a link").1);
    Stage { server, link }
}

fn stage() -> Stage {
    stage_with(&[])
}

/// The value of a header of a reply, as it came.
fn header<'a>(reply: &'a str, name: &str) -> Option<&'a str> {
    let head = reply.split("\r\n\r\n").next().unwrap_or_default();
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).map(str::trim)
}

fn cookie_in(reply: &str) -> String {
    let set = header(reply, "set-cookie").unwrap_or_else(|| panic!("no cookie in {reply}"));
    set.split(';').next().unwrap_or_default().to_owned()
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let rest = text.split_once(before).unwrap_or_else(|| panic!("no {before} in {text}")).1;
    rest.split_once(after).map_or(rest, |(found, _)| found)
}

fn code_of(key: &str, steps: u64) -> String {
    let secret = data_encoding::BASE32_NOPAD.decode(key.replace(' ', "").as_bytes()).expect("a key");
    let app = Builder::new().with_algorithm(Algorithm::SHA1).with_secret(secret).build().expect("an app");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
    app.generate(now + steps * 30).to_string()
}

impl Stage {
    #[track_caller]
    pub(crate) fn ask(&self, path: &str, arguments: &[&str]) -> String {
        curl(&self.server, path, &[&["--include"], arguments].concat()).expect_code(0).text()
    }

    /// What people and strangers did, as far as it is on record.
    pub(crate) fn told(&self) -> usize {
        let lines = self.server.done(&["history", "list"]);
        lines.as_array().expect("a list").iter().filter(|line| line["channel"] != "system").count()
    }

    /// Activates the account: the key of its app, and recovery codes.
    pub(crate) fn activate(&self) -> (String, Vec<String>) {
        let form = format!("password={0}&again={0}", PASSWORD.replace(' ', "+"));
        let page = self.ask(&self.link, &["--data", &form]);
        let key = between(&page, "class=\"key\">", "<").to_owned();
        let done = self.ask(&format!("{}/app", self.link), &["--data", &format!("code={}", code_of(&key, 0))]);
        let codes = between(&done, "class=\"codes\">", "</ul>");
        let codes = codes.split("<code>").skip(1).map(|rest| rest.split('<').next().unwrap_or_default().to_owned());
        (key, codes.collect())
    }

    /// The cookie between password and code.
    fn password_shown(&self, with: &[&str]) -> String {
        let form = format!("email={}&password={}", ANNE.replace('@', "%40"), PASSWORD.replace(' ', "+"));
        self.ask("/sign-in", &[&["--data", &form], with].concat())
    }

    pub(crate) fn enter(&self, code: &str) -> Person {
        let between_steps = cookie_in(&self.password_shown(&[]));
        let entered = self.ask(
            "/sign-in/code",
            &["--data", &format!("code={code}"), "--header", &format!("Cookie: {between_steps}")],
        );
        assert!(entered.starts_with("HTTP/2 303"), "{entered}");
        let cookie = cookie_in(&entered);
        let start = self.ask("/start", &["--header", &format!("Cookie: {cookie}")]);
        Person { cookie, token: between(&start, "name=\"token\" value=\"", "\"").to_owned() }
    }
}

/// Headers that every answer of the public front has (domain 3.2).
#[track_caller]
fn assert_guarded(reply: &str, of: &str) {
    let lower = reply.to_lowercase();
    let head = lower.split("\r\n\r\n").next().unwrap_or_default();
    for wanted in [
        "strict-transport-security: max-age=63072000; includesubdomains",
        "x-content-type-options: nosniff",
        "x-frame-options: deny",
        "referrer-policy: no-referrer",
        "content-security-policy: default-src 'none'",
        "cache-control: ",
    ] {
        // the strip that says how long a session lasts stands in a frame of this site's own pages
        let is_framed = of.starts_with("/session ") && head.contains("x-frame-options: sameorigin");
        assert!(
            head.contains(wanted) || (is_framed && wanted == "x-frame-options: deny"),
            "{of} has no {wanted}:\n{head}"
        );
    }
    for wrong in ["unsafe-inline", "unsafe-eval", "server: ", "x-powered-by", "access-control-allow-origin"] {
        // the description of the API is for everybody to read
        let is_description = of.starts_with("/api/v1/openapi.json") && wrong == "access-control-allow-origin";
        assert!(is_description || !head.contains(wrong), "{of} has {wrong}:\n{head}");
    }
    for cookie in head.lines().filter(|line| line.starts_with("set-cookie: ")) {
        assert!(cookie.starts_with("set-cookie: __host-postkluis="), "{of}: {cookie}");
        for wanted in ["; path=/", "; secure", "; httponly", "; samesite=lax"] {
            assert!(cookie.contains(wanted), "{of}: {cookie}");
        }
        assert!(!cookie.contains("domain="), "{of}: {cookie}");
    }
}

#[test]
fn no_route_changes_anything_for_a_page_of_another_site() {
    let stage = stage();
    let (_, codes) = stage.activate();
    let anne = stage.enter(&codes[0]);
    let cookie = format!("Cookie: {}", anne.cookie);
    let with_token = format!("token={}&email=eve%40evil.example&code=000000&password=x", anne.token);
    let before = stage.told();
    let mut tried = 0;
    for route in routes().iter().filter(|route| route.method != "GET" && !route.path.starts_with("/api")) {
        let Route { method, path, asker } = route;
        // a form with files comes in parts, its token first
        let takes_files =
            path.contains("/participant-files/") && ["/new", "/replace"].iter().any(|end| path.ends_with(end));
        let send = |form: &str, headers: &[&str]| {
            let headers = headers.iter().flat_map(|header| ["--header", header]);
            let form = if takes_files && form.is_empty() { "token=" } else { form };
            let fields: Vec<&str> = if takes_files {
                form.split('&').flat_map(|field| ["--form-string", field]).collect()
            } else {
                vec!["--data", form]
            };
            let all = ["--request", method].into_iter().chain(fields).chain(headers).collect::<Vec<_>>();
            stage.ask(path, &all)
        };
        // with the session and even its token, what the browser says of another site counts
        for foreign in [
            "Sec-Fetch-Site: cross-site",
            "Sec-Fetch-Site: same-site",
            "Origin: https://evil.example",
            "Origin: null",
            "Origin: http://localhost",
        ] {
            let refused = send(&with_token, &[foreign, &cookie]);
            assert!(refused.starts_with("HTTP/2 403"), "{method} {path} from {foreign}: {refused}");
            assert!(header(&refused, "set-cookie").is_none(), "{method} {path} from {foreign}: {refused}");
            assert_guarded(&refused, path);
        }
        if *asker == "person" {
            for form in ["", "token=", "token=made-up", &with_token.replace(&anne.token, &anne.token.to_lowercase())] {
                let refused = send(form, &[&cookie]);
                // a form with files is not read at all for a client that the asker does not know
                let wanted = if takes_files && path.starts_with("/clients/") { "HTTP/2 404" } else { "HTTP/2 403" };
                assert!(refused.starts_with(wanted), "{method} {path} with {form}: {refused}");
            }
            for nobody in [&["Accept: */*"][..], &[&format!("Cookie: {NOWHERE}")]] {
                let led = send(&with_token, nobody);
                assert!(led.starts_with("HTTP/2 303") && led.contains("location: /sign-in"), "{method} {path}: {led}");
            }
        }
        tried += 1;
    }
    assert!(tried >= 25, "{tried} routes were tried: the file was read wrongly");
    assert_eq!(stage.told(), before, "nothing was changed");
}

#[test]
fn resumable_uploads_are_open_to_no_page_of_another_site_and_to_nobody_without_a_name() {
    let stage = stage();
    let (_, codes) = stage.activate();
    let anne = stage.enter(&codes[0]);
    let cookie = format!("Cookie: {}", anne.cookie);
    let tus = "Tus-Resumable: 1.0.0";
    let before = stage.told();
    let mut tried = 0;
    for route in routes().iter().filter(|route| route.asker == "uploader") {
        let path = &route.path;
        let send = |headers: &[&str]| {
            let method: &[&str] = if route.method == "HEAD" { &["--head"] } else { &["--request", route.method] };
            let headers = headers.iter().flat_map(|header| ["--header", header]);
            let reply = stage.ask(path, &method.iter().copied().chain(headers).collect::<Vec<_>>());
            assert_guarded(&reply, path);
            assert!(reply.contains("tus-resumable: 1.0.0"), "{reply}");
            reply.get(7..10).unwrap_or_default().to_owned()
        };
        let is_override = route.method == "POST" && path.ends_with("0123456789ab");
        let method = if is_override { "X-HTTP-Method-Override: PATCH" } else { "X-Asked: 1" };
        let body = "Content-Type: application/offset+octet-stream";
        for foreign in
            ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site", "Origin: https://evil.example", "Origin: null"]
        {
            assert_eq!(send(&[foreign, &cookie, tus, method, body]), "403", "{} {path} {foreign}", route.method);
        }
        assert_eq!(send(&[&cookie, method, body]), "412", "a form cannot say which version: {path}");
        assert_eq!(send(&[tus, method, body]), "401", "{path}");
        assert_eq!(send(&[tus, method, body, &format!("Cookie: {NOWHERE}")]), "401", "{path}");
        assert_eq!(send(&[tus, method, body, "Authorization: Bearer made-up"]), "401", "{path}");
        let own = send(&[tus, method, body, &cookie, "Upload-Offset: 0"]);
        // what is one's own is listed; nothing of it is there
        let is_own_list = route.method == "GET" && path == "/api/v1/resumable-uploads";
        let wanted: &[&str] = if is_own_list { &["200"] } else { &["400", "404"] };
        assert!(wanted.contains(&own.as_str()), "{} {path}: {own}", route.method);
        tried += 1;
    }
    assert_eq!(tried, 12);
    assert_eq!(stage.told(), before, "nothing was changed");
}

#[test]
fn every_answer_is_guarded_and_looking_changes_nothing() {
    let stage = stage();
    let (_, codes) = stage.activate();
    let anne = stage.enter(&codes[0]);
    let cookie = format!("Cookie: {}", anne.cookie);
    let html = "Accept: text/html,application/xhtml+xml";
    let before = stage.told();
    let mut statuses = BTreeSet::new();
    for route in routes().iter().filter(|route| route.method == "GET") {
        let path = &route.path;
        for arguments in [
            &["--header", html][..],
            &["--header", html, "--header", &cookie],
            &["--head", "--header", &cookie],
            &["--header", &format!("Cookie: {NOWHERE}")],
            &["--request", "DELETE", "--header", html],
        ] {
            let reply = stage.ask(path, arguments);
            assert_guarded(&reply, &format!("{path} {arguments:?}"));
            assert!(!reply.starts_with("HTTP/2 5"), "{path} {arguments:?}: {reply}");
            statuses.insert(reply.get(7..10).unwrap_or_default().to_owned());
            if let Some(location) = header(&reply, "location") {
                assert!(location.starts_with('/') && !location.starts_with("//"), "{path}: {location}");
            }
        }
    }
    // mistakes too: nothing there, too much, no form, a slash too many, a path that tries to leave
    let large = format!("email={}", "x".repeat(70_000));
    for (path, arguments) in [
        ("/nowhere", &["--header", html][..]),
        ("//evil.example/", &["--header", html]),
        ("/%2e%2e/%2e%2e/etc/passwd", &["--header", html]),
        ("/assets/../keys/https-key.pem", &["--path-as-is"]),
        ("/sign-in/", &["--header", html]),
        ("/sign-in?next=https://evil.example/", &["--header", html]),
        ("/sign-in", &["--data", &large]),
        ("/sign-in", &["--data-binary", "\u{1}\u{2}"]),
        ("/deliveries?after=%00", &["--header", &cookie]),
        ("/security/sign-ins?after=9999999999999999999999.x", &["--header", &cookie]),
        ("/access/overview?show=%22%3E%3Cscript%3Ealert(1)%3C/script%3E", &["--header", &cookie]),
    ] {
        let reply = stage.ask(path, arguments);
        assert_guarded(&reply, path);
        assert!(!reply.starts_with("HTTP/2 5"), "{path}: {reply}");
        assert!(!reply.contains("<script>alert"), "{path}: {reply}");
        assert!(header(&reply, "location").is_none_or(|to| to.starts_with('/') && !to.contains("evil")), "{reply}");
    }
    assert!(statuses.is_superset(&["200", "303", "401", "404", "405"].map(str::to_owned).into()), "{statuses:?}");
    assert_eq!(stage.told(), before, "no GET changes anything");
}

#[test]
fn a_session_is_new_with_every_step_and_gone_with_the_last() {
    let stage = stage();
    let (key, codes) = stage.activate();
    // a cookie that somebody else planted names nothing afterwards (fixation)
    let planted = format!("Cookie: {NOWHERE}");
    let shown = stage.password_shown(&["--header", &planted]);
    assert_guarded(&shown, "the password");
    let first = cookie_in(&shown);
    assert!(!NOWHERE.contains(&first) && first.len() > 50, "{first}");
    let led = stage.ask("/start", &["--header", &format!("Cookie: {first}")]);
    assert!(led.contains("location: /sign-in"), "the password alone is no session: {led}");
    let entered = stage.ask(
        "/sign-in/code",
        &["--data", &format!("code={}", code_of(&key, 1)), "--header", &format!("Cookie: {first}")],
    );
    assert_guarded(&entered, "the code");
    let second = cookie_in(&entered);
    assert_ne!(first, second);
    let open = |cookie: &str| stage.ask("/start", &["--header", &format!("Cookie: {cookie}")]);
    assert!(open(&second).starts_with("HTTP/2 200"));
    for dead in [NOWHERE, &first] {
        assert!(open(dead).contains("location: /sign-in"), "{dead}");
    }
    // the sign-in is spent: the same code or another opens no second session with it
    for code in [code_of(&key, 1), codes[0].clone()] {
        let again =
            stage.ask("/sign-in/code", &["--data", &format!("code={code}"), "--header", &format!("Cookie: {first}")]);
        assert!(again.starts_with("HTTP/2 200") && !again.contains("location"), "{again}");
    }
    let token = between(&open(&second), "name=\"token\" value=\"", "\"").to_owned();
    let out = stage.ask("/sign-out", &["--data", &format!("token={token}"), "--header", &format!("Cookie: {second}")]);
    assert_guarded(&out, "signing out");
    assert!(header(&out, "set-cookie").expect("a cookie").contains("Max-Age=0"), "gone (5.10-26): {out}");
    assert!(open(&second).contains("location: /sign-in/again"));
    // a password that was changed ends what was open
    assert_eq!((events(&stage.server, "signed-in").len(), events(&stage.server, "signed-out").len()), (1, 1));
}

#[test]
fn names_of_hosts_and_of_people_lead_nobody_elsewhere() {
    let stage = stage();
    let (_, codes) = stage.activate();
    stage.enter(&codes[0]);
    for forged in [
        &["--header", "Host: evil.example"][..],
        &["--header", "X-Forwarded-Host: evil.example", "--header", "X-Forwarded-Proto: http"],
        &["--header", "Forwarded: host=evil.example"],
        &["--http1.1", "--header", "Host: evil.example"],
    ] {
        let asked = ["--data", "email=anne%40alpha.example"];
        let reply = stage.ask("/forgotten-password", &[&asked[..], forged].concat());
        assert!(!reply.contains("evil.example"), "{forged:?}: {reply}");
        let page = stage.ask("/sign-in", forged);
        assert!(!page.contains("evil.example"), "{forged:?}: {page}");
    }
    // a name that would like to be a header, a tag or another line stays a name
    let name = "Eve%22+%3Ceve%40evil.example%3E%2C+Bcc%3A+all%40evil.example+%3Cb%3E%26+%3D%3Futf-8%3Fq%3Fx%3F%3D";
    let form = format!("salutation=neutral&name={name}&email=eve%40alpha.example");
    let first = stage.ask("/account-request", &["--data", &form]);
    let place = header(&first, "location").expect("the second step").to_owned();
    let second = stage.ask(&place, &["--data", "organisation=alpha"]);
    assert!(second.starts_with("HTTP/2 303"), "{second}");
    let link = eventually(|| {
        let mails = mails(&stage.server);
        let mail = mails.iter().find(|mail| mail.contains("/account-request/confirm/"))?;
        Some(format!("/account-request/confirm/{}", between(mail, "/account-request/confirm/", "\n").trim()))
    });
    let confirmed = stage.ask(&link, &["--data", ""]);
    assert!(confirmed.starts_with("HTTP/2 200"), "{confirmed}");
    let told = eventually(|| mails(&stage.server).into_iter().find(|mail| mail.contains("beoordelen")));
    let head = told.split("\n\n").next().unwrap_or_default();
    assert_eq!(head.matches("evil.example").count(), 0, "{head}");
    assert_eq!((head.matches("\nTo: ").count(), head.to_lowercase().matches("bcc").count()), (1, 0), "{head}");
    assert!(!told.contains("<b>&"), "{told}");
    for mail in mails(&stage.server) {
        assert!(!mail.contains("//evil.example"), "{mail}");
    }
    for line in ["Anne%0D%0AX-Evil%3A+1", "Anne%00", "Anne%0ABcc%3A+x", ""] {
        let form = format!("salutation=neutral&name={line}&email=dave%40alpha.example");
        let again = stage.ask("/account-request", &["--data", &form]);
        assert!(again.starts_with("HTTP/2 200") && header(&again, "x-evil").is_none(), "{line}: {again}");
    }
}

#[test]
fn guessing_is_slow_for_who_guesses_and_for_nobody_else() {
    let stage = stage();
    let (_, codes) = stage.activate();
    stage.enter(&codes[0]);
    let wrong = |email: &str, header: &str| {
        let form = format!("email={email}&password=wrong+wrong+wrong");
        stage.ask("/sign-in", &["--data", &form, "--header", header])
    };
    let status = |reply: &str| reply.get(7..10).unwrap_or_default().to_owned();
    let mut seen = Vec::new();
    for number in 0..7 {
        // a header that claims another address buys nothing
        let claimed = format!("X-Forwarded-For: 203.0.113.{number}");
        seen.push((status(&wrong("anne%40alpha.example", &claimed)), status(&wrong("nono%40alpha.example", &claimed))));
    }
    for (at, (known, unknown)) in seen.iter().enumerate() {
        assert_eq!(known, unknown, "try {at}: nobody learns who has an account");
    }
    assert_eq!((seen[0].0.as_str(), seen[6].0.as_str()), ("200", "429"), "{seen:?}");
    let right = stage.password_shown(&[]);
    assert!(right.starts_with("HTTP/2 429"), "the right password waits too: {right}");
    let other = wrong("piet%40alpha.example", "Accept: */*");
    assert_eq!(status(&other), "200", "other accounts are free");
}

#[test]
fn answers_take_as_long_for_accounts_that_are_there_and_those_that_are_not() {
    // hashes that cost something, so that leaving one out would show
    let stage = stage_with(&[("POSTKLUIS_SIGN_IN__PASSWORD_MEMORY", "16 MiB"), ("POSTKLUIS_SIGN_IN__ATTEMPTS", "100")]);
    let (_, codes) = stage.activate();
    stage.enter(&codes[0]);
    let quickest = |path: &str, forms: [&str; 2]| {
        let mut least = [Duration::MAX; 2];
        for _ in 0..7 {
            for (least, form) in least.iter_mut().zip(forms) {
                let begun = Instant::now();
                stage.ask(path, &["--data", form]);
                *least = (*least).min(begun.elapsed());
            }
        }
        least
    };
    let [known, unknown] = quickest(
        "/sign-in",
        ["email=anne%40alpha.example&password=wrong+wrong", "email=nono%40alpha.example&password=wrong+wrong"],
    );
    let [asked, nobody] = quickest("/forgotten-password", ["email=anne%40alpha.example", "email=nono%40alpha.example"]);
    for (one, other) in [(known, unknown), (asked, nobody)] {
        // within reason: a loaded machine must not fail, a hash or a write that is left out must
        let apart = one.max(other).saturating_sub(one.min(other));
        assert!(apart < one.max(other) / 2 + Duration::from_millis(25), "{one:?} and {other:?}");
    }
}

#[test]
fn links_that_were_used_replaced_or_made_up_say_the_same() {
    let stage = stage();
    let made_up = "/account/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    let told = |path: &str, arguments: &[&str]| {
        let reply = stage.ask(path, arguments);
        let kept = reply.lines().filter(|line| !line.starts_with("date:"));
        kept.collect::<Vec<_>>().join("\n").replace(path, "THERE")
    };
    let gone = told(made_up, &[]);
    assert!(gone.starts_with("HTTP/2 410"), "{gone}");
    let replaced = stage.link.clone();
    let link = text(&stage.server.done(&["account", "link", ANNE]), "link").to_owned();
    let stage = Stage { link: format!("/account/{}", link.split_once("/account/").expect("a link").1), ..stage };
    let told = |path: &str, arguments: &[&str]| {
        let reply = stage.ask(path, arguments);
        let kept = reply.lines().filter(|line| !line.starts_with("date:"));
        kept.collect::<Vec<_>>().join("\n").replace(path, "THERE")
    };
    assert_eq!(told(&replaced, &[]), gone, "replaced");
    let (_, codes) = stage.activate();
    assert_eq!(told(&stage.link, &[]), gone, "used");
    let before = stage.told();
    let form = format!("password={0}&again={0}", "heel+iets+anders+nu");
    for path in [made_up, &replaced, &stage.link] {
        assert_eq!(told(path, &["--data", &form]), told(made_up, &["--data", &form]), "{path}");
        let app = format!("{path}/app");
        assert!(told(&app, &["--data", "code=000000"]).starts_with("HTTP/2 410"), "{path}");
    }
    assert_eq!(stage.told(), before, "nothing was changed");
    stage.enter(&codes[0]);
}

#[test]
fn nothing_that_was_typed_in_secret_stands_in_a_log_or_the_history() {
    let stage = stage_with(&[("POSTKLUIS_LOGGING__LEVEL", "trace")]);
    let (key, codes) = stage.activate();
    let anne = stage.enter(&codes[1]);
    let cookie = format!("Cookie: {}", anne.cookie);
    // 123456782 passes the check on citizen numbers; planted wherever somebody could type it
    let planted = ["geheim-geplant-wachtwoord", "123456782", "geplant-token-0123456789", "999111"];
    let [password, bsn, bearer, code] = planted;
    stage.ask("/sign-in", &["--data", &format!("email={bsn}%40alpha.example&password={password}")]);
    stage.ask("/sign-in", &["--data", &format!("email={password}&password={bsn}")]);
    stage.ask("/sign-in/code", &["--data", &format!("code={code}"), "--header", &format!("Cookie: {bearer}")]);
    stage.ask("/forgotten-password", &["--data", &format!("email={bsn}%40alpha.example")]);
    stage.ask(&format!("/account/{bearer}"), &["--data", &format!("password={password}&again={password}")]);
    stage.ask("/api/v1/deliveries", &["--header", &format!("Authorization: Bearer {bearer}")]);
    stage.ask(&format!("/nowhere/{bearer}?x={bsn}"), &[]);
    for path in ["/security/password", "/security/app", "/security/recovery-codes"] {
        let form = format!("token={}&current={password}&password={password}&again={password}", anne.token);
        stage.ask(path, &["--data", &form, "--header", &cookie]);
    }
    let made = stage.ask(
        "/security/recovery-codes",
        &["--data", &format!("token={}&current={}", anne.token, PASSWORD.replace(' ', "+")), "--header", &cookie],
    );
    let new_codes = between(&made, "class=\"codes\">", "</ul>");
    let new_code = between(new_codes, "<code>", "<").to_owned();
    let mut secrets: Vec<String> = planted.iter().map(|text| (*text).to_owned()).collect();
    let session = anne.cookie.split_once('=').expect("a cookie").1.to_owned();
    secrets.extend([PASSWORD.to_owned(), key, codes[0].clone(), codes[1].clone(), new_code, session, anne.token]);
    secrets.push(stage.link.trim_start_matches("/account/").to_owned());
    let history = stage.server.done(&["history", "list"]).to_string();
    let log = stage.server.logged();
    assert!(log.contains("DEBUG") || log.contains("INFO"), "{log}");
    for secret in secrets {
        assert!(!log.contains(&secret), "{secret} stands in the log:\n{log}");
        assert!(!history.contains(&secret), "{secret} stands in the history:\n{history}");
    }
}

fn mails(server: &Server) -> Vec<String> {
    let Ok(files) = std::fs::read_dir(server.mail_folder()) else { return Vec::new() };
    let paths = files.map(|entry| entry.expect("an entry").path());
    let paths = paths.filter(|path| path.extension().is_some_and(|ending| ending == "eml"));
    let read = |path: std::path::PathBuf| std::fs::read_to_string(path).expect("an e-mail");
    paths.map(|path| read(path).replace("=\r\n", "").replace("=3D", "=").replace("\r\n", "\n")).collect()
}

/// What comes within a time that is far too long.
#[track_caller]
fn eventually<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "it did not come");
        std::thread::sleep(Duration::from_millis(50));
    }
}

//! The world of the tests of uploads over HTTPS: the upload world, with tokens and clients of HTTP. Starts things and
//! looks; judges nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use data_encoding::{BASE64, HEXLOWER};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::fetch_stage::{World, text};
use crate::support::programs::finish;
use crate::support::server::Server;
use crate::upload_stage::INTAKE;

/// What a server said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Said {
    /// A header, as it came.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        let mut found = lines.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        found.next_back().map(|(_, value)| value.trim())
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }
}

/// `curl` against this server.
pub(crate) fn curl(server: &Server) -> Command {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--max-time", "100", "--cacert"]).arg(server.certificate());
    curl
}

pub(crate) fn url(server: &Server, path: &str) -> String {
    format!("https://localhost:{}{path}", server.address("https").port())
}

/// Asks with these arguments of `curl`.
#[track_caller]
pub(crate) fn ask(server: &Server, path: &str, arguments: &[&str]) -> Said {
    let ended = finish(curl(server).arg("--include").args(arguments).arg(url(server, path)));
    said_by(&ended.expect_code(0).text())
}

/// What stands in an answer with its head.
pub(crate) fn said_by(answer: &str) -> Said {
    // an interim answer may come before
    let mut rest = answer;
    loop {
        let (head, body) = rest.split_once("\r\n\r\n").unwrap_or((rest, ""));
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or_default();
        if (100..200).contains(&status) {
            rest = body;
            continue;
        }
        return Said { status, head: head.to_owned(), body: body.to_owned() };
    }
}

/// The header that signs in.
#[track_caller]
pub(crate) fn bearer(world: &World, login: &str) -> String {
    let added = world.server.done(&["token", "add", "--account", login]);
    format!("Authorization: Bearer {}", text(&added, "secret"))
}

/// An account that talks to the API.
pub(crate) struct Robot<'a> {
    pub(crate) world: &'a World,
    pub(crate) bearer: String,
    /// The resources of whom it asks for: `/api/v1`, or with a client.
    pub(crate) base: String,
}

impl<'a> Robot<'a> {
    #[track_caller]
    pub(crate) fn new(world: &'a World, login: &str) -> Self {
        Self { world, bearer: bearer(world, login), base: "/api/v1".to_owned() }
    }

    #[track_caller]
    pub(crate) fn ask(&self, path: &str, arguments: &[&str]) -> Said {
        let signed = ["--header", self.bearer.as_str()];
        ask(&self.world.server, &format!("{}{path}", self.base), &[&signed[..], arguments].concat())
    }

    /// Announces a file with these members beside product and name.
    #[track_caller]
    pub(crate) fn announce(&self, name: &str, more: &str, headers: &[&str]) -> Said {
        let json = format!("{{\"product\": \"{INTAKE}\", \"fileName\": \"{name}\"{more}}}");
        let mut arguments = vec!["--header", "Content-Type: application/json", "--data", &json];
        headers.iter().for_each(|header| arguments.extend(["--header", header]));
        self.ask("/participant-files", &arguments)
    }

    /// The id of a file that is announced now.
    #[track_caller]
    pub(crate) fn announced(&self, name: &str) -> String {
        text(&self.announce(name, "", &[]).expect(201).json(), "id")
    }

    /// Puts the content, with these headers.
    #[track_caller]
    pub(crate) fn put(&self, id: &str, file: &Path, headers: &[&str]) -> Said {
        let mut arguments = vec!["--upload-file", file.to_str().expect("a path")];
        headers.iter().for_each(|header| arguments.extend(["--header", header]));
        self.ask(&format!("/participant-files/{id}/content"), &arguments)
    }

    /// A participant file as the API shows it.
    #[track_caller]
    pub(crate) fn shown(&self, id: &str) -> Value {
        self.ask(&format!("/participant-files/{id}"), &[]).expect(200).json()
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

/// As in `Content-Digest` (RFC 9530).
pub(crate) fn digest_field(bytes: &[u8]) -> String {
    format!("sha-256=:{}:", BASE64.encode(&Sha256::digest(bytes)))
}

/// A file with these bytes on the desk of the test.
#[track_caller]
pub(crate) fn desk_file(world: &World, name: &str, bytes: &[u8]) -> PathBuf {
    let path = world.server.desk("over-https").join(name);
    fs::write(&path, bytes).expect("a file to upload");
    path
}

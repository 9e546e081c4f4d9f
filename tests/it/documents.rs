//! Documents of products with real clients: added on the command line, read with OpenSSH and curl by
//! those who are coupled, kept by a backup and looked at by the deep check (F7).

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::backup::Stage;
use crate::support::clients::curl;
use crate::support::server::Server;
use crate::support::stock::{events, organisation, product, robot, robot_login, text, write_file};

#[test]
fn a_specification_is_read_by_those_coupled_and_by_nobody_else() {
    let mut stage = Stage::set(&[("POSTKLUIS_SFTP__FOLDERS__DOCUMENTS", "documenten")]);
    let server = &stage.server;
    product(server, "letters");
    organisation(server, "beta", &["letters"]);
    let other = robot(server, "beta", &["letters"]);
    let list = |client: &crate::support::clients::SftpClient, what: &str| client.batch(&format!("ls -1 {what}")).text();
    assert!(!list(&stage.client, "/").contains("documenten"), "there is nothing to read yet");
    let file = server.desk("desk").join("wages-1.5.pdf");
    let bytes = write_file(&file, 200_001, 5);
    let path = file.to_str().expect("a path");
    let added = server.done(&["product", "document", "add", "wages", path, "--version", "1.5"]);
    assert_eq!((text(&added, "fileName"), &added["size"]), ("wages-1.5.pdf", &200_001.into()));
    assert_eq!((text(&added, "version"), text(&added, "contentType")), ("1.5", "application/pdf"));
    let before = server.done(&["history", "list"]).as_array().expect("lines").len();
    assert!(server.refused(&["product", "document", "add", "wages", path]).contains("exists"), "versions have names");
    assert!(server.refused(&["product", "document", "add", "nothing", path]).contains("no such product"));
    assert_eq!(server.done(&["history", "list"]).as_array().expect("lines").len(), before);

    // OpenSSH: listed, fetched whole and from the middle on, never written
    assert_eq!(list(&stage.client, "/documenten/wages").lines().last(), Some("/documenten/wages/wages-1.5.pdf"));
    let to = stage.client.folder().join("wages-1.5.pdf");
    stage.client.batch("get documenten/wages/wages-1.5.pdf").expect_code(0);
    assert!(fs::read(&to).expect("fetched") == bytes);
    fs::write(&to, &bytes[..70_000]).expect("half of it");
    stage.client.batch("reget documenten/wages/wages-1.5.pdf").expect_code(0);
    assert!(fs::read(&to).expect("fetched") == bytes, "resumed");
    for line in
        ["rm documenten/wages/wages-1.5.pdf", "put wages-1.5.pdf documenten/wages/mine.pdf", "mkdir documenten/x"]
    {
        stage.client.batch(line).expect_code(1);
    }
    assert!(!list(&other, "/").contains("documenten"));
    other.batch("get documenten/wages/wages-1.5.pdf").expect_code(1);
    let read = events(server, "product-document-read");
    assert_eq!(read.len(), 2);
    assert_eq!((text(&read[0], "login"), text(&read[0], "file")), (robot_login("alpha").as_str(), "wages-1.5.pdf"));

    // the API: list, bytes, a range, and nothing for others
    let token = |login: &str| {
        let token = server.done(&["token", "add", "--account", login, "--expires", "1d"]);
        format!("Authorization: Bearer {}", text(&token, "secret"))
    };
    let (own, foreign) = (token(&robot_login("alpha")), token(&robot_login("beta")));
    let documents = "/api/v1/products/wages/documents";
    let listed: Value = curl(server, documents, &["--header", &own]).expect_code(0).json();
    let row = &listed["documents"][0];
    assert_eq!(row["sha256"], added["sha256"]);
    let content = text(row, "contentUri");
    let range = curl(server, content, &["--header", &own, "--range", "100-199", "--include"]).expect_code(0).stdout;
    assert!(range.starts_with(b"HTTP/2 206") && range.ends_with(&bytes[100..200]));
    let saved = server.desk("answers").join("document").display().to_string();
    curl(server, content, &["--header", &own, "--output", &saved]).expect_code(0);
    assert!(fs::read(&saved).expect("saved") == bytes);
    for (path, header) in [(documents, Some(&foreign)), (content, Some(&foreign)), (content, None)] {
        let mut arguments = vec!["--include"];
        arguments.extend(header.into_iter().flat_map(|header| ["--header", header.as_str()]));
        let refused = curl(server, path, &arguments).expect_code(0).text();
        let status = if header.is_some() { "HTTP/2 404" } else { "HTTP/2 401" };
        assert!(refused.starts_with(status), "{path}: {refused}");
    }
    let unknown = curl(server, &format!("{documents}/absent.pdf"), &["--include", "--header", &own]).text();
    assert!(unknown.starts_with("HTTP/2 404"), "{unknown}");

    // a backup has it, a restored home serves it, the deep check opens it
    stage.back_up();
    let (mut restored, _) = stage.restore_from(&stage.target.clone(), &[]);
    restored.set("POSTKLUIS_SFTP__FOLDERS__DOCUMENTS", "documenten");
    restored.serve_shut();
    let told = restored.done(&["restore", "confirm", "--yes"]);
    assert_eq!(told["lostDocuments"], 0, "{told}");
    restored.await_ready();
    let rows = restored.done(&["product", "document", "list", "wages"]);
    assert_eq!(rows[0]["sha256"], added["sha256"]);
    restored.stop();
    let told = restored.run(&["check", "--deep"]).text();
    assert!(told.contains("1 documents open"), "{told}");

    // across a kill, and gone when it is removed
    stage.server.kill9();
    stage.server.serve();
    let client = crate::support::clients::SftpClient::new(
        &stage.server,
        &robot_login("alpha"),
        &stage.server.desk("keys-of-robots").join("alpha"),
    );
    client.batch("get documenten/wages/wages-1.5.pdf").expect_code(0);
    stage.server.done(&["product", "document", "remove", "wages", "wages-1.5.pdf"]);
    client.batch("get documenten/wages/wages-1.5.pdf").expect_code(1);
    assert_eq!(events(&stage.server, "product-document-removed").len(), 1);
}

#[test]
fn a_document_is_there_whole_or_not_at_all_wherever_the_server_is_killed() {
    let mut server = Server::start();
    product(&server, "wages");
    let file = server.desk("desk").join("wages.pdf");
    // long enough to be caught at work
    let bytes = write_file(&file, 24_000_000, 5);
    let path = file.to_str().expect("a path").to_owned();
    let digest = data_encoding::HEXLOWER.encode(&Sha256::digest(&bytes));
    let mut was_cut = 0;
    for wait in [5, 40, 120, 250] {
        let mut add = server.command();
        add.args(["product", "document", "add", "wages", &path, "--json"]);
        let mut adding = add.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started");
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(wait) && adding.try_wait().expect("asked").is_none() {
            std::thread::yield_now();
        }
        server.kill9();
        was_cut += usize::from(!adding.wait().expect("ended").success());
        server.serve();
        let rows = server.done(&["product", "document", "list", "wages"]);
        let rows = rows.as_array().expect("a list");
        let told = events(&server, "product-document-added").len() - events(&server, "product-document-removed").len();
        assert_eq!(rows.len(), told, "there exactly when it is on record");
        if let Some(row) = rows.first() {
            assert_eq!((&row["size"], text(row, "sha256")), (&bytes.len().into(), digest.as_str()));
            server.done(&["product", "document", "remove", "wages", "wages.pdf"]);
        }
    }
    assert!(was_cut > 0, "nothing was cut off: this shows nothing");
    server.done(&["product", "document", "add", "wages", &path]);
    server.stop();
    let told = server.run(&["check", "--deep"]).text();
    assert!(told.contains("1 documents open"), "{told}");
}

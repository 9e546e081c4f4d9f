//! The world of the upload tests: the fetch world with a product that takes participant files.
//! Starts things and looks; judges only whether a file arrived as it was.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::fetch_stage::{ALPHA, BETA, SECOND, World, text};

/// The product that takes participant files of both organisations.
pub(crate) const INTAKE: &str = "intake";

/// A world in which everybody may upload for `intake`.
#[track_caller]
pub(crate) fn world() -> World {
    world_with(&[])
}

/// The same with these settings.
#[track_caller]
pub(crate) fn world_with(settings: &[(&str, &str)]) -> World {
    // a closed file can be gone on with for as long as these tests take
    let world = World::start_with(&[&[("POSTKLUIS_UPLOADS__SETTLE", "1h")], settings].concat());
    let server = &world.server;
    server.done(&["product", "add", INTAKE, "--name", INTAKE, "--retention", "30d", "--accepts-uploads"]);
    for code in ["alpha", "beta"] {
        server.done(&["agreement", "add", "--organisation", code, "--product", INTAKE, "--purpose", "testing"]);
    }
    for login in [ALPHA, SECOND, BETA] {
        server.done(&["right", "couple", "--account", login, "--product", INTAKE]);
    }
    world
}

/// A local file with these bytes.
#[track_caller]
pub(crate) fn local(world: &World, name: &str, bytes: &[u8]) -> PathBuf {
    let path = world.server.desk("to-upload").join(name);
    fs::write(&path, bytes).expect("a file to upload");
    path
}

/// The uploads of this name, as the command line lists them.
#[track_caller]
pub(crate) fn uploads(world: &World, name: &str) -> Vec<Value> {
    all_uploads(world).into_iter().filter(|row| text(row, "name") == name).collect()
}

/// All uploads, over all pages of the list.
#[track_caller]
pub(crate) fn all_uploads(world: &World) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    loop {
        let last = all.last().map(|row| text(row, "id"));
        let after: Vec<&str> = last.iter().flat_map(|last| ["--after", last]).collect();
        let page = world.server.done(&[&["upload", "list"], after.as_slice()].concat());
        let page = page.as_array().expect("a list");
        if page.is_empty() {
            return all;
        }
        all.extend(page.iter().cloned());
    }
}

/// The only upload of this name, as the command line shows it.
#[track_caller]
pub(crate) fn upload(world: &World, name: &str) -> Value {
    let found = uploads(world, name);
    assert_eq!(found.len(), 1, "{name}: {found:?}");
    world.server.done(&["upload", "show", &text(&found[0], "id")])
}

/// Fails unless the upload is received with exactly these bytes by the record.
#[track_caller]
pub(crate) fn is_received(world: &World, name: &str, bytes: &[u8]) {
    let shown = upload(world, name);
    assert_eq!(text(&shown, "state"), "received", "{shown}");
    assert_eq!(shown.get("sizeBytes").and_then(Value::as_u64), u64::try_from(bytes.len()).ok(), "{shown}");
    let sha256: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(text(&shown, "sha256"), sha256, "{shown}");
}

/// Lines of the history with this event.
#[track_caller]
pub(crate) fn events(world: &World, event: &str) -> Vec<Value> {
    let lines = world.server.done(&["history", "list"]);
    let lines = lines.as_array().expect("a list").iter();
    lines.filter(|line| text(line, "event") == event).cloned().collect()
}

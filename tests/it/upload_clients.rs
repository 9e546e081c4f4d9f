//! Uploads by the other clients that recipients really use, each in its own way: temporary names,
//! many blocks at once, times set afterwards, whole folders.

use std::fs;

use crate::fetch_stage::{ALPHA, pattern};
use crate::support::programs::{PATIENCE, finish, finish_with};
use crate::upload_stage::{is_received, local, upload, uploads, world, world_with};

const SOME_MIB: usize = 3 * 1024 * 1024 + 77;

#[test]
fn lftp_puts_a_file_and_mirrors_a_folder() {
    let world = world();
    let client = world.client(ALPHA);
    let bytes = pattern(1, SOME_MIB);
    let from = local(&world, "data.csv", &bytes);
    let folder = world.server.desk("mirrored");
    for number in 1..=3 {
        fs::write(folder.join(format!("file-{number}.csv")), pattern(number, 70_000 * number)).expect("a file");
    }
    let script =
        format!("put {} -o dropbox/intake/data.csv; mirror -R {} dropbox/intake", from.display(), folder.display());
    finish(&mut world.lftp(&client, ALPHA, &script)).expect_code(0);
    is_received(&world, "data.csv", &bytes);
    for number in 1..=3 {
        is_received(&world, &format!("file-{number}.csv"), &pattern(number, 70_000 * number));
    }
    // the time of the local file, set after the close, was taken
    let again = finish(&mut world.lftp(&client, ALPHA, &format!("mirror -R {} dropbox/intake", folder.display())));
    again.expect_code(0);
    assert_eq!(uploads(&world, "file-1.csv").len(), 1, "nothing was sent twice");
}

#[test]
fn rclone_copies_streams_and_finds_nothing_different() {
    let world = world();
    let client = world.client(ALPHA);
    let bytes = pattern(2, SOME_MIB);
    let from = local(&world, "data.csv", &bytes).display().to_string();
    finish(&mut world.rclone(&client, ALPHA, &["copyto", &from, ":sftp:dropbox/intake/data.csv"])).expect_code(0);
    is_received(&world, "data.csv", &bytes);
    let mut streamed = world.rclone(&client, ALPHA, &["rcat", ":sftp:dropbox/intake/streamed.csv"]);
    finish_with(&mut streamed, &bytes, PATIENCE).expect_code(0);
    is_received(&world, "streamed.csv", &bytes);
    let folder = world.server.desk("to-upload").display().to_string();
    let check = ["check", "--one-way", "--download", &folder, ":sftp:dropbox/intake"];
    let said = finish(&mut world.rclone(&client, ALPHA, &check)).expect_code(0).stderr;
    assert!(said.contains("0 differences found"), "{said}");
    // the size and the time of last change are those of the local file: nothing to do
    finish(&mut world.rclone(&client, ALPHA, &["copyto", &from, ":sftp:dropbox/intake/data.csv"])).expect_code(0);
    assert_eq!(uploads(&world, "data.csv").len(), 1);
}

#[test]
fn paramiko_writes_in_any_order_appends_cuts_renames_and_is_refused() {
    let world = world_with(&[("POSTKLUIS_UPLOADS__COLLECT_ONLY", "intake")]);
    let program = include_str!("../clients/paramiko_upload.py");
    let said = finish(world.python(program, ALPHA).arg("/dropbox/intake")).expect_code(0).text();
    let last = said.lines().last().unwrap_or_default();
    assert_eq!(last, "cut.bin log.txt marked.bin order.bin over.bin renamed.bin win.csv", "{said}");
    assert_eq!(said.lines().count(), 10, "{said}");
    assert_eq!(crate::fetch_stage::text(&upload(&world, "order.bin"), "state"), "received");
}

#[test]
fn asyncssh_puts_with_many_blocks_at_once() {
    let world = world();
    let bytes = pattern(3, 20 * 1024 * 1024 + 5);
    let from = local(&world, "data.csv", &bytes);
    let program = include_str!("../clients/asyncssh_upload.py");
    finish(world.python(program, ALPHA).arg(&from).arg("/dropbox/intake/data.csv")).expect_code(0);
    is_received(&world, "data.csv", &bytes);
}

//! Room for the uploads of one organisation for one product, as real clients meet it over SFTP and the API, also after
//! a kill (issue 6, point 6).

use crate::doors_stage::{Robot, desk_file};
use crate::fetch_stage::{ALPHA, BETA, SECOND, pattern, text};
use crate::upload_stage::{INTAKE, events, is_received, local, uploads, world_with};

const WHY: &str = "the uploads of this organisation for intake may take 2097152 bytes together";

#[test]
fn every_door_says_that_an_organisation_has_no_room_left_for_a_product() {
    let mut world = world_with(&[("POSTKLUIS_UPLOADS__MAX_PRODUCT_BYTES", "2 MiB")]);
    let bytes = pattern(1, 1_500_000);
    let from = local(&world, "a.csv", &bytes);
    let client = world.client(ALPHA);
    client.batch(&format!("put {} dropbox/intake/a.csv\n", from.display())).expect_code(0);
    is_received(&world, "a.csv", &bytes);
    let told = world.client(SECOND).batch("df dropbox/intake\n").expect_code(0).text();
    // in KiB: 2 MiB, of which whole blocks of 4 KiB are left
    assert!(told.contains("2048") && told.contains("580"), "{told}");

    // the server is killed: what is there counts all the same
    world.server.kill9();
    world.server.serve();
    let said =
        world.client(SECOND).batch(&format!("put {} dropbox/intake/b.csv\n", from.display())).expect_code(1).text();
    assert!(said.contains("b.csv"), "{said}");
    let refused = events(&world, "upload-refused");
    assert!(refused.iter().any(|line| text(line, "note").contains(WHY)), "{refused:?}");
    let second = Robot::new(&world, SECOND);
    let told = second.announce("c.csv", ", \"size\": 1500000", &[]).expect(429);
    assert!(told.body.contains(WHY), "{}", told.body);
    assert!(uploads(&world, "c.csv").is_empty());
    let id = second.announced("c.csv");
    let told = second.put(&id, &desk_file(&world, "c.csv", &bytes), &[]).expect(429);
    assert!(told.body.contains(WHY), "{}", told.body);
    assert_eq!(second.shown(&id)["stage"], "receiving");

    // another organisation has its own
    world.client(BETA).batch(&format!("put {} dropbox/intake/d.csv\n", from.display())).expect_code(0);
    // the operator makes room
    let shown = world.server.done(&["product", "change", INTAKE, "--upload-quota", "10 MiB"]);
    assert_eq!(shown["uploadQuotaBytes"], 10_485_760);
    second.put(&id, &desk_file(&world, "c.csv", &bytes), &[]).expect(204);
    world.server.done(&["product", "change", INTAKE, "--upload-quota", "default"]);
    assert!(world.server.done(&["product", "show", INTAKE])["uploadQuotaBytes"].is_null());
    second.announce("e.csv", ", \"size\": 1", &[]).expect(429);
}

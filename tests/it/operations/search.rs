//! Looking through deliveries page by page (P07): each is found once, in one order, across products,
//! gaps in the numbers and the same millisecond; and nothing of anybody else.

use postkluis::domain::ids::DeliveryId;
use postkluis::domain::moment::Span;
use postkluis::domain::refusal::Refusal;
use postkluis::operations::{Caller, DeliveryWish};

use super::{CHANNEL, World, file, login, offer, product, refusal};

const ANY: DeliveryWish<'static> = DeliveryWish { product: None, of_delivery: &|_| true, of_view: &|_| true };

impl World {
    fn place(&self, at: usize, code: &str) {
        let files = vec![file(&format!("{code}-{at}.csv"), b"x")];
        self.operations.publish(&offer(&format!("{code}-{at}"), code, &["one"], files)).unwrap();
    }

    /// Every page to the end: the names found, and how many pages there were.
    fn paged(&self, caller: &Caller, wish: &DeliveryWish<'_>, limit: usize) -> (Vec<String>, usize) {
        let (mut names, mut pages, mut after): (_, _, Option<DeliveryId>) = (Vec::new(), 0, None);
        loop {
            let found = self.operations.find_deliveries(caller, after, wish, limit).unwrap();
            assert!(found.views.len() <= limit);
            names.extend(found.views.iter().map(|view| view.files[0].name.to_string()));
            pages += 1;
            match found.goes_on_after {
                Some(id) => assert_ne!(after.replace(id), Some(id), "it goes on"),
                None => return (names, pages),
            }
        }
    }
}

#[test]
fn pages_of_any_size_are_the_whole_list_in_one_order() {
    let world = World::new();
    world.operations.couple(&login("one-robot"), None, &product("short"), CHANNEL).unwrap();
    for at in 0..23 {
        world.place(at, if at % 3 == 0 { "short" } else { "daily" });
        // some in the same millisecond, and a gap of a thousand numbers as a restore leaves it
        if at % 4 == 0 {
            world.clock.advance(Span::from_millis(1));
        }
        if at == 11 {
            world.operations.confirm_restore(CHANNEL).unwrap();
        }
    }
    let robot = world.caller("one");
    let (whole, pages) = world.paged(&robot, &ANY, 1_000);
    assert_eq!((whole.len(), pages), (23, 1));
    let ages: Vec<usize> = whole.iter().map(|name| name.split(['-', '.']).nth(1).unwrap().parse().unwrap()).collect();
    // the newest first; within a millisecond each product keeps its own order
    assert!(ages.windows(2).all(|two| two[0] + 4 > two[1]), "{ages:?}");
    for limit in [1, 2, 5, 22] {
        assert_eq!(world.paged(&robot, &ANY, limit).0, whole, "pages of {limit}");
    }
    let daily = product("daily");
    let of_one = DeliveryWish { product: Some(&daily), ..ANY };
    let (names, _) = world.paged(&robot, &of_one, 4);
    let wanted: Vec<String> = whole.iter().filter(|name| name.starts_with("daily")).cloned().collect();
    assert_eq!(names, wanted);
    // what a wish passes over never hides what comes after it
    let third = DeliveryWish { of_view: &|view| view.files[0].name.as_str().ends_with("3.csv"), ..ANY };
    let (names, _) = world.paged(&robot, &third, 1);
    let wanted: Vec<String> = whole.iter().filter(|name| name.ends_with("3.csv")).cloned().collect();
    assert_eq!(names, wanted);
    // ended ones stay in the list
    world.clock.advance(Span::from_days(60));
    world.operations.enforce_retention().unwrap();
    let robot = world.caller("one");
    assert_eq!(world.paged(&robot, &ANY, 5).0, whole);
    let now = world.operations.now();
    let there = DeliveryWish { of_delivery: &|delivery| delivery.is_fetchable(now), ..ANY };
    assert!(world.paged(&robot, &there, 5).0.is_empty());
}

#[test]
fn one_page_looks_through_a_bounded_number_and_says_where_to_go_on() {
    let world = World::new();
    world.place(0, "daily");
    for at in 1..=2_000 {
        world.place(at, "daily");
    }
    let robot = world.caller("one");
    let oldest = DeliveryWish { of_view: &|view| view.files[0].name.as_str() == "daily-0.csv", ..ANY };
    let found = world.operations.find_deliveries(&robot, None, &oldest, 10).unwrap();
    assert!(found.views.is_empty() && found.goes_on_after.is_some(), "2,000 were looked through");
    assert_eq!(world.paged(&robot, &oldest, 10), (vec!["daily-0.csv".to_owned()], 2));
}

#[test]
fn nothing_of_others_is_found_and_no_page_begins_at_theirs() {
    let world = World::new();
    world.place(1, "daily");
    world.place(2, "short");
    let (own, other) = (world.caller("one"), world.caller("two"));
    let (names, _) = world.paged(&own, &ANY, 10);
    assert_eq!(names, ["daily-1.csv"], "short is not coupled");
    let id = world.operations.find_deliveries(&own, None, &ANY, 10).unwrap().views[0].delivery.id;
    let (before, mails) = (world.history(), world.mails());
    assert!(world.operations.find_deliveries(&other, None, &ANY, 10).unwrap().views.is_empty());
    let refused = world.operations.find_deliveries(&other, Some(id), &ANY, 10);
    assert!(matches!(refusal(refused), Refusal::NotFound(_)));
    let short = product("short");
    let wish = DeliveryWish { product: Some(&short), ..ANY };
    assert!(
        world.operations.find_deliveries(&own, None, &wish, 10).unwrap().views.is_empty(),
        "as if it were not there"
    );
    assert_eq!((world.history(), world.mails()), (before, mails));
}

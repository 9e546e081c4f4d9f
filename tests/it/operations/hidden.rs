//! An agreement may hide the history from its recipient, and from nobody else (A20, domain 5.10-13).

use postkluis::domain::delivery::DeliveryPart;
use postkluis::domain::history::{Happening, HistoryQuery};
use postkluis::domain::moment::Span;
use postkluis::domain::refusal::What;
use postkluis::operations::NewAgreement;

use super::*;

#[test]
fn a_hidden_history_is_the_operators_alone() {
    let world = World::new();
    let new = NewProduct {
        code: product("hushed"),
        name: line("hushed"),
        retention: Span::from_days(30),
        requires_marker: false,
        accepts_uploads: false,
        end_to_end: false,
    };
    world.operations.add_product(new, CHANNEL).unwrap();
    let new = NewAgreement {
        organisation: org("one"),
        product: product("hushed"),
        purpose: line("testing"),
        retention: None,
        from: None,
        until: None,
        end_to_end: false,
        history_hidden: true,
    };
    world.operations.add_agreement(new, CHANNEL).unwrap();
    world.operations.couple(&login("one-robot"), None, &product("hushed"), CHANNEL).unwrap();
    let files = |name: &str| vec![file(name, b"hello")];
    let shown = world.operations.publish(&offer("a", "daily", &["one"], files("shown.csv"))).unwrap();
    let hidden = world.operations.publish(&offer("b", "hushed", &["one"], files("hidden.csv"))).unwrap();
    let caller = world.caller("one");
    for published in [&shown, &hidden] {
        let fetch = world.operations.open_part(&caller, published.deliveries[0].id, DeliveryPart::Data(1)).unwrap();
        assert_eq!(fetch.read(0, &mut [0; 5]).unwrap(), 5, "fetching it is another matter");
        fetch.taken(0, 5).unwrap();
        fetch.close().unwrap();
    }
    let lines = |delivery| {
        let query = HistoryQuery { delivery, limit: 100, ..HistoryQuery::default() };
        world.operations.own_history(&caller, &query)
    };
    let about = |product_code: &str| {
        let all = lines(None).unwrap();
        all.iter().filter(|line| line.event.about.product.as_ref() == Some(&product(product_code))).count()
    };
    assert!(about("daily") > 0, "what is not hidden is there");
    assert_eq!(about("hushed"), 0);
    let [shown, hidden] = [&shown, &hidden].map(|published| published.deliveries[0].id);
    assert!(!lines(Some(shown)).unwrap().is_empty());
    assert_eq!(refusal(lines(Some(hidden))), Refusal::NotFound(What::Delivery));
    let view = world.operations.delivery(&caller, hidden).unwrap();
    assert!(view.history_hidden, "fronts leave out how far it was fetched");
    // the operator's history holds it all
    let query = HistoryQuery { delivery: Some(hidden), limit: 100, ..HistoryQuery::default() };
    let all = world.operations.history(&query).unwrap();
    assert!(all.iter().any(|line| line.event.what == Happening::FileFetched), "{all:?}");
}

//! Deliveries of all organisations: the list, one of them with how far it was fetched, and steering
//! it. Nobody of the office reads what is in them.

use super::super::deliveries::state_of;
use super::super::form::{Form as Sent, escaped};
use super::super::page::last_day;
use super::sheet::{Cell, Form, Given, Mistake, Part, Search, Sheet, Table};
use super::{Ask, Desk, Failure};
use crate::domain::delivery::Availability;
use crate::domain::ids::DeliveryId;
use crate::domain::names::{Line, OrganisationCode, ProductCode};
use crate::domain::rights::Act;
use crate::fronts::https::reply::Reply;
use crate::operations::{DeliveryFilter, DeliveryView};

/// Rows of one page.
const PAGE: usize = 100;

/// The list, of all or of one organisation and product.
pub(in crate::fronts::https) fn deliveries(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    let (words, asked) = (desk.words(), Sent::read(ask.query.as_bytes()));
    let (organisation, product) = (asked.field("organisation").trim(), asked.field("product").trim());
    let filter = DeliveryFilter {
        organisation: OrganisationCode::parse(organisation).ok(),
        product: ProductCode::parse(product).ok(),
        after: DeliveryId::parse(asked.field("after")).ok(),
        only_available: asked.field("all") != "yes",
        limit: PAGE,
    };
    // what is no code names nothing
    let is_wrong = (!organisation.is_empty() && filter.organisation.is_none())
        || (!product.is_empty() && (filter.product.is_none() || filter.organisation.is_none()));
    let page = if is_wrong { Vec::new() } else { ask.site.operations.all_deliveries(&filter)? };
    let rows = page.iter().map(|view| {
        vec![
            Cell::link(view.delivery.name(), desk.href(&format!("/office/deliveries/{}", view.delivery.id))),
            view.delivery.organisation.as_str().into(),
            view.delivery.product.as_str().into(),
            desk.day(ask, view.delivery.published_at).into(),
            last_day(&ask.site.operations, desk.guest.language, view.delivery.available_until).into(),
            Cell::state(state_of(desk.guest.texts(), view, ask.site.operations.now())),
        ]
    });
    let more = match page.last().filter(|_| page.len() >= PAGE) {
        Some(last) => desk.href(&format!(
            "/office/deliveries?organisation={}&product={}&all={}&after={}",
            escaped(organisation),
            escaped(product),
            escaped(asked.field("all")),
            last.delivery.id
        )),
        None => String::new(),
    };
    let none = Given(None);
    let scopes = vec![(String::new(), words.only_open.to_owned()), ("yes".to_owned(), words.ended_too.to_owned())];
    let mut scope = none.choice("all", words.which, scopes, asked.field("all"));
    scope.required = false;
    let search = Search {
        action: "/office/deliveries",
        fields: vec![
            none.text("organisation", words.organisation_code, organisation),
            none.text("product", words.product_code, product),
            scope,
        ],
        button: words.search,
    };
    let table = Table {
        head: vec![
            words.delivery,
            words.organisation,
            words.product,
            words.published_on,
            words.available_until,
            words.state,
        ],
        rows: rows.collect(),
        empty: words.nothing_found,
        more,
        more_label: words.more,
        ..Table::default()
    };
    let parts = vec![Part::Search(search), Part::Table(table)];
    let (title, lead) = (words.deliveries.to_owned(), words.deliveries_lead.to_owned());
    desk.sheet(ask, Sheet { title, lead, parts, ..Sheet::default() })
}

/// One delivery.
pub(in crate::fronts::https) fn delivery(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    showing(ask, desk, None, String::new())
}

/// Withdraws it.
pub(in crate::fronts::https) fn withdraw(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    steer(ask, desk, "withdrawn", |sent| {
        desk.sure(sent)?;
        let reason = desk.read(sent, ("reason", desk.words().reason), Line::parse)?;
        Ok(ask.site.operations.withdraw(ask.delivery_id()?, &reason, &desk.visit)?)
    })
}

/// Extends its window.
pub(in crate::fronts::https) fn extend(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    steer(ask, desk, "saved", |sent| {
        let words = desk.words();
        let until = desk.read_last_day(ask, sent, ("until", words.until))?;
        let until = until.ok_or_else(|| Mistake::Said(format!("{} {}", words.check_field, words.until)))?;
        // the day that is given closes the window
        let until = until.before(crate::domain::moment::Span::from_millis(1));
        Ok(ask.site.operations.extend(ask.delivery_id()?, until, &desk.visit).map(drop)?)
    })
}

/// Keeps it from destruction.
pub(in crate::fronts::https) fn hold(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    steer(ask, desk, "saved", |sent| {
        let reason = desk.read(sent, ("reason", desk.words().reason), Line::parse)?;
        Ok(ask.site.operations.hold(ask.delivery_id()?, &reason, &desk.visit)?)
    })
}

/// Ends a hold.
pub(in crate::fronts::https) fn release(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    steer(ask, desk, "saved", |_| Ok(ask.site.operations.release(ask.delivery_id()?, &desk.visit)?))
}

fn steer(ask: &Ask, desk: &Desk, word: &str, act: impl FnOnce(&Sent) -> Result<(), Mistake>) -> Result<Reply, Failure> {
    let sent = Sent::read(&ask.content);
    let to = format!("/office/deliveries/{}", ask.delivery_id()?);
    desk.after(act(&sent), (&to, word), |error| showing(ask, desk, Some(&sent), error))
}

fn showing(ask: &Ask, desk: &Desk, sent: Option<&Sent>, error: String) -> Result<Reply, Failure> {
    let (words, given, operations) = (desk.words(), Given(sent), &ask.site.operations);
    let view = operations.any_delivery(ask.delivery_id()?)?;
    let delivery = &view.delivery;
    let organisation = desk.href(&format!("/office/organisations/{}", delivery.organisation));
    let mut facts: Vec<(&'static str, Cell)> = vec![
        (words.state, Cell::state(state_of(desk.guest.texts(), &view, operations.now()))),
        (words.organisation, Cell::link(delivery.organisation_name.as_str(), organisation)),
        (words.product, delivery.product_name.as_str().into()),
        (words.period, delivery.period.as_ref().map(ToString::to_string).unwrap_or_default().into()),
        (words.published_on, desk.time(ask, delivery.published_at).into()),
        (words.available_until, last_day(operations, desk.guest.language, delivery.available_until).into()),
        (words.purpose, delivery.purpose.as_str().into()),
        (words.end_to_end, desk.yes_no(delivery.end_to_end).into()),
    ];
    facts.extend(match &delivery.availability {
        Availability::Withdrawn { reason, at } => {
            vec![(words.reason, reason.as_str().into()), (words.since, desk.time(ask, *at).into())]
        }
        Availability::Held { reason, since } => {
            vec![(words.reason, reason.as_str().into()), (words.since, desk.time(ask, *since).into())]
        }
        Availability::Available
        | Availability::Expired { .. }
        | Availability::Replaced { .. }
        | Availability::Shredded { .. } => Vec::new(),
    });
    facts.retain(|(_, cell)| !cell.text.is_empty());
    let files = view.files.iter().map(|file| {
        vec![
            file.name.as_str().into(),
            super::language_words::size(desk.guest.language, file.size_bytes).into(),
            fetched(ask, desk, &view, file.number).into(),
        ]
    });
    let table = Table {
        title: words.files,
        head: vec![words.file, words.size, words.fetched],
        rows: files.collect(),
        ..Table::default()
    };
    let mut parts = vec![Part::Facts(facts), Part::Table(table)];
    if desk.may(Act::Steer) {
        parts.extend(forms(ask, desk, &given, &view));
    }
    desk.sheet(
        ask,
        Sheet { title: delivery.name(), back: desk.href("/office/deliveries"), error, parts, ..Sheet::default() },
    )
}

/// When a file was fetched in full.
fn fetched(ask: &Ask, desk: &Desk, view: &DeliveryView, number: u32) -> String {
    let coverage = view.coverage.iter().find(|coverage| coverage.number == number);
    match coverage.map(|coverage| coverage.fetched_at) {
        Some(Some(at)) => desk.time(ask, at),
        Some(None) => desk.words().fetched_in_part.to_owned(),
        None => desk.words().not_fetched.to_owned(),
    }
}

fn forms(ask: &Ask, desk: &Desk, given: &Given<'_>, view: &DeliveryView) -> Vec<Part> {
    let words = desk.words();
    let base = format!("/office/deliveries/{}", view.delivery.id);
    let is_held = matches!(view.delivery.availability, Availability::Held { .. });
    let is_open = view.delivery.is_fetchable(ask.site.operations.now());
    let is_living =
        is_held || matches!(view.delivery.availability, Availability::Available | Availability::Expired { .. });
    let mut parts = Vec::new();
    if is_open {
        parts.push(Part::Form(Form {
            id: "extend",
            title: words.extend,
            lead: words.extend_lead,
            action: desk.href(&format!("{base}/extend")),
            fields: vec![given.kind("date", "until", words.until, "").required()],
            button: words.extend,
            ..Form::default()
        }));
    }
    if is_held {
        parts.push(Part::Form(Form {
            id: "release",
            title: words.release,
            action: desk.href(&format!("{base}/release")),
            button: words.release,
            ..Form::default()
        }));
    } else if is_living {
        parts.push(Part::Form(Form {
            id: "hold",
            title: words.hold,
            lead: words.hold_lead,
            action: desk.href(&format!("{base}/hold")),
            fields: vec![given.text("reason", words.reason, "").required()],
            button: words.hold,
            is_grave: true,
            ..Form::default()
        }));
    }
    if is_living {
        parts.push(Part::Form(Form {
            id: "withdraw",
            title: words.withdraw,
            lead: words.withdraw_lead,
            action: desk.href(&format!("{base}/withdraw")),
            fields: vec![
                given.text("reason", words.reason, "").required(),
                given.kind("checkbox", "sure", words.withdraw_sure, "").required(),
            ],
            button: words.withdraw,
            is_grave: true,
            ..Form::default()
        }));
    }
    parts
}

//! The list of deliveries (P07): what is ready and until when, to be searched; of the own organisation,
//! or of a client. What is shown is what operations let the member see.

use askama::Template;

use super::form::{Form, escaped};
use super::page::{Frame, last_day};
use super::texts::{Texts, deliveries as own};
use super::{Ask, Failure, Member, words};
use crate::domain::account::Language;
use crate::domain::delivery::{Availability, Delivery};
use crate::domain::ids::DeliveryId;
use crate::domain::moment::Moment;
use crate::domain::names::ProductCode;
use crate::fronts::https::reply::Reply;
use crate::operations::{DeliveryView, DeliveryWish, Operations};

/// Rows of one page.
const PAGE: usize = 50;

/// Characters of one field of the search.
const MOST_TYPED: usize = 64;

/// Whose deliveries a page shows.
pub(super) struct Place {
    /// Where they lie.
    pub(super) base: String,
    /// Name and code of the client; empty for the own organisation.
    pub(super) client: String,
    pub(super) code: String,
    pub(super) own: &'static super::texts::mandates::Texts,
}

impl Place {
    pub(super) fn of(ask: &Ask, member: &Member) -> Result<Self, Failure> {
        let own = super::texts::mandates::Texts::of(member.guest.language);
        let caller = &member.visit.caller;
        if caller.recipient() == &caller.organisation {
            return Ok(Self { base: "/deliveries".to_owned(), client: String::new(), code: String::new(), own });
        }
        let client = ask.site.operations.client(caller, caller.recipient())?;
        let base = format!("/clients/{}/deliveries", client.code);
        Ok(Self { base, client: client.name.to_string(), code: client.code.to_string(), own })
    }
}

/// One delivery in a list.
pub(super) struct Row {
    pub(super) id: String,
    pub(super) product: String,
    pub(super) number: String,
    pub(super) period: String,
    pub(super) published: String,
    pub(super) until: String,
    pub(super) state: &'static str,
    /// For the style sheet: `new`, `done`, `busy` or `gone`.
    pub(super) tone: &'static str,
}

impl Row {
    /// What a list says of a delivery.
    pub(super) fn of(operations: &Operations, language: Language, view: &DeliveryView) -> Self {
        let delivery = &view.delivery;
        // how far it was fetched is history, which another arrangement may hide (A20)
        let now = operations.now();
        let is_open = matches!(delivery.availability, Availability::Available) && delivery.is_fetchable(now);
        let is_hidden = view.history_hidden && is_open;
        let (state, tone) = if is_hidden {
            (own::Texts::of(language).state_available, "new")
        } else {
            state_of(Texts::of(language), view, now)
        };
        Self {
            id: delivery.id.to_string(),
            product: delivery.product_name.to_string(),
            number: delivery.name(),
            period: delivery.period.as_ref().map(ToString::to_string).unwrap_or_default(),
            published: words::date(language, operations.calendar().date_of(delivery.published_at)),
            until: last_day(operations, language, delivery.available_until),
            state,
            tone,
        }
    }
}

/// A window ends by the clock, also before retention has recorded it.
pub(super) fn state_of(texts: &'static Texts, view: &DeliveryView, now: Moment) -> (&'static str, &'static str) {
    let progress = &view.delivery.progress;
    match view.delivery.availability {
        Availability::Available if !view.delivery.is_fetchable(now) => (texts.state_expired, "gone"),
        Availability::Held { .. } => (texts.state_held, "gone"),
        Availability::Expired { .. } => (texts.state_expired, "gone"),
        Availability::Withdrawn { .. } => (texts.state_withdrawn, "gone"),
        Availability::Replaced { .. } => (texts.state_replaced, "gone"),
        Availability::Shredded { .. } => (texts.state_shredded, "gone"),
        Availability::Available if progress.acknowledged_at.is_some() => (texts.state_acknowledged, "done"),
        Availability::Available if progress.fetched_at.is_some() => (texts.state_fetched, "done"),
        Availability::Available if progress.started_at.is_some() => (texts.state_started, "busy"),
        Availability::Available => (texts.state_new, "new"),
    }
}

#[derive(Template)]
#[template(path = "deliveries.html", config = "src/fronts/https/portal/askama.toml")]
struct Deliveries {
    frame: Frame,
    texts: &'static own::Texts,
    place: Place,
    wish: Wish,
    products: Vec<Choice>,
    rows: Vec<Row>,
    /// Go on after the delivery with this id; empty at the end.
    more: String,
    is_further: bool,
}

/// A product to choose.
struct Choice {
    code: String,
    name: String,
}

/// What was filled in to find deliveries; what breaks a rule counts as not filled in.
struct Wish {
    language: String,
    product: String,
    state: String,
    from: String,
    to: String,
    text: String,
    /// The text as it is compared, and the days as deliveries have them.
    folded: String,
    days: (Option<u32>, Option<u32>),
}

impl Wish {
    fn read(form: &Form, member: &Member) -> Self {
        let field = |name: &str| form.field(name).trim().chars().take(MOST_TYPED).collect::<String>();
        let only = |text: String, is_fine: bool| if is_fine { text } else { String::new() };
        let (product, state, from, to, text) =
            (field("product"), field("state"), field("from"), field("to"), field("text"));
        let is_state = ["open", "fetched", "gone"].contains(&state.as_str());
        let is_product = ProductCode::parse(&product).is_ok();
        let days = (day_in(&from), day_in(&to));
        Self {
            language: only(member.guest.texts().tag.to_owned(), member.guest.language_was_asked),
            product: only(product, is_product),
            state: only(state, is_state),
            from: only(from, days.0.is_some()),
            to: only(to, days.1.is_some()),
            folded: text.to_lowercase(),
            text,
            days,
        }
    }

    fn is_any(&self) -> bool {
        [&self.product, &self.state, &self.from, &self.to, &self.text].iter().any(|field| !field.is_empty())
    }

    /// The query that asks for the same again, after a delivery.
    fn query(&self, after: &str) -> String {
        let fields = [
            ("lang", self.language.as_str()),
            ("product", &self.product),
            ("state", &self.state),
            ("from", &self.from),
            ("to", &self.to),
            ("text", &self.text),
            ("after", after),
        ];
        let given = fields.iter().filter(|(_, value)| !value.is_empty());
        given.map(|(name, value)| format!("{name}={}", escaped(value))).collect::<Vec<_>>().join("&")
    }

    fn fits(&self, delivery: &Delivery, now: Moment) -> bool {
        let is_there = delivery.is_fetchable(now);
        self.days.0.is_none_or(|from| from <= delivery.day)
            && self.days.1.is_none_or(|to| delivery.day <= to)
            && match self.state.as_str() {
                "open" => is_there,
                "gone" => !is_there,
                _ => true,
            }
    }

    /// How far it was fetched, as far as its recipient may know that (A20), and what was typed.
    fn fits_view(&self, view: &DeliveryView) -> bool {
        let delivery = &view.delivery;
        let is_fetched = delivery.progress.fetched_at.is_some() && !view.history_hidden;
        let fits = match self.state.as_str() {
            "open" => !is_fetched,
            "fetched" => is_fetched,
            _ => true,
        };
        let says = |what: &str| what.to_lowercase().contains(&self.folded);
        fits && (self.folded.is_empty()
            || says(&delivery.name())
            || says(delivery.product_name.as_str())
            || delivery.period.as_ref().is_some_and(|period| says(period.as_str()))
            || view.files.iter().any(|file| says(file.name.as_str())))
    }
}

/// A day such as `2026-11-28`, as deliveries have it.
fn day_in(text: &str) -> Option<u32> {
    let digits = text.replace('-', "");
    let is_day = text.len() == 10 && digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| is_day)
}

/// The list, the newest first.
pub(in crate::fronts::https) fn list(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let (operations, caller) = (&ask.site.operations, &member.visit.caller);
    let form = Form::read(ask.query.as_bytes());
    let (wished, now) = (Wish::read(&form, member), operations.now());
    let after = DeliveryId::parse(form.field("after")).ok();
    let product = ProductCode::parse(&wished.product).ok();
    let wish = DeliveryWish {
        product: product.as_ref(),
        of_delivery: &|delivery| wished.fits(delivery, now),
        of_view: &|view| wished.fits_view(view),
    };
    let found = operations.find_deliveries(caller, after, &wish, PAGE)?;
    let products = operations.outbox_products(caller, caller.recipient())?;
    let language = member.guest.language;
    member.shown(&Deliveries {
        frame: member.frame(ask),
        texts: own::Texts::of(language),
        place: Place::of(ask, member)?,
        products: products
            .iter()
            .map(|product| Choice { code: product.code.to_string(), name: product.name.to_string() })
            .collect(),
        rows: found.views.iter().map(|view| Row::of(operations, language, view)).collect(),
        more: found.goes_on_after.map(|id| id.to_string()).unwrap_or_default(),
        is_further: after.is_some(),
        wish: wished,
    })
}

#[cfg(test)]
mod tests {
    use super::day_in;

    #[test]
    fn a_day_is_eight_digits_in_its_form() {
        assert_eq!(day_in("2026-11-28"), Some(20_261_128));
        for wrong in ["", "20261128", "2026-11-2", "2026-1-128x", "２０２６-11", "yyyy-mm-dd"] {
            assert_eq!(day_in(wrong), None, "{wrong}");
        }
    }
}

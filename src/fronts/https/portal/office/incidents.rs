//! The register of security incidents (I3): the list, one incident with everything that became of it,
//! and the forms of each step. What may be done when is judged by operations.

use super::super::form::Form as Sent;
use super::super::texts::OfficeIncidentTexts;
use super::sheet::{Cell, Field, Form, Given, Mistake, Part, Search, Sheet, Table};
use super::{Ask, Desk, Failure};
use crate::domain::ids::DeliveryId;
use crate::domain::incident::{
    Concerned, EntryKind, Incident, IncidentEntry, IncidentFacts, IncidentState, IncidentText, Origin, PersonalData,
    Property, ReportDecision, Severity,
};
use crate::domain::moment::Moment;
use crate::domain::names::{Line, NameFault, OrganisationCode, ProductCode};
use crate::domain::refusal::{Refusal, What};
use crate::domain::rights::Act;
use crate::fronts::https::reply::Reply;
use crate::operations::{IncidentChange, IncidentView, IncidentsWanted};

/// Rows of a page.
const PAGE: usize = 50;

impl Desk {
    /// The texts of these pages.
    pub(super) const fn incident_words(&self) -> &'static OfficeIncidentTexts {
        OfficeIncidentTexts::of(self.guest.language)
    }
}

impl OfficeIncidentTexts {
    const fn severity(&self, severity: Severity) -> &'static str {
        match severity {
            Severity::Low => self.low,
            Severity::Medium => self.medium,
            Severity::High => self.high,
            Severity::Critical => self.critical,
        }
    }

    const fn state(&self, state: IncidentState) -> (&'static str, &'static str) {
        match state {
            IncidentState::Open => (self.state_open, "new"),
            IncidentState::Contained(_) => (self.state_contained, "busy"),
            IncidentState::Closed(_) => (self.state_closed, "done"),
        }
    }

    const fn property(&self, property: Property) -> &'static str {
        match property {
            Property::Reliability => self.reliability,
            Property::Confidentiality => self.confidentiality,
            Property::Availability => self.availability,
        }
    }

    const fn origin(&self, origin: Origin) -> &'static str {
        match origin {
            Origin::Inside => self.inside,
            Origin::Outside => self.outside,
        }
    }

    const fn entry(&self, kind: EntryKind) -> &'static str {
        match kind {
            EntryKind::Opened => self.state_open,
            EntryKind::Note => self.note,
            EntryKind::Measure => self.measure,
            EntryKind::Changed => self.changed,
            EntryKind::Contained => self.state_contained,
            EntryKind::Closed => self.state_closed,
            EntryKind::Reopened => self.reopened,
            EntryKind::Reported => self.reported,
            EntryKind::NotReported => self.not_reported,
            EntryKind::PersonsTold => self.told_persons,
            EntryKind::Reminded => self.reminded,
        }
    }
}

/// The list, and the form that opens one.
pub(in crate::fronts::https) fn incidents(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    listing(ask, desk, None, String::new())
}

/// Opens one.
pub(in crate::fronts::https) fn open_incident(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    let sent = Sent::read(&ask.content);
    let outcome = read_new(ask, desk, &sent).and_then(|new| Ok(ask.site.operations.open_incident(new, &desk.visit)?));
    match outcome {
        Ok(opened) => {
            let to = format!("/office/incidents/{}", opened.number);
            desk.after(Ok(()), (&to, "incident-opened"), |error| listing(ask, desk, None, error))
        }
        Err(mistake) => {
            desk.after(Err(mistake), ("/office/incidents", ""), |error| listing(ask, desk, Some(&sent), error))
        }
    }
}

/// One incident.
pub(in crate::fronts::https) fn incident(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    showing(ask, desk, None, String::new())
}

/// Says otherwise what is on record of it.
pub(in crate::fronts::https) fn change_incident(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    step(ask, desk, "change", |sent, number| {
        let view = ask.site.operations.incident(number, &desk.visit)?;
        let seen = sent.field("seen").parse().ok();
        let change = read_change(ask, desk, sent, &view.incident)?;
        Ok(ask.site.operations.change_incident(number, change, seen, &desk.visit)?)
    })
}

/// Notes something of it.
pub(in crate::fronts::https) fn note_incident(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    step(ask, desk, "note", |sent, number| {
        let text = text_in(desk, sent, "text")?;
        let is_measure = sent.field("kind") == EntryKind::Measure.word();
        Ok(ask.site.operations.note_incident(number, &text, is_measure, &desk.visit)?)
    })
}

/// Puts on record what was reported, or need not be, or that persons were told.
pub(in crate::fronts::https) fn report_incident(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    step(ask, desk, "report", |sent, number| {
        let (operations, own) = (&ask.site.operations, desk.incident_words());
        let at = desk.read_time(ask, sent, ("at", own.when))?;
        let line = || desk.read(sent, ("reference", own.reference), Line::parse);
        match sent.field("decision") {
            "not-needed" => operations.report_no_incident(number, line()?, &desk.visit)?,
            "persons-told" => {
                let how = text_in(desk, sent, "reference")?;
                operations.tell_persons_of_incident(number, &how, at, &desk.visit)?;
            }
            _ => operations.report_incident(number, line()?, at, &desk.visit)?,
        }
        Ok(())
    })
}

/// It goes no further.
pub(in crate::fronts::https) fn contain_incident(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    step(ask, desk, "contain", |sent, number| {
        Ok(ask.site.operations.contain_incident(number, &text_in(desk, sent, "text")?, &desk.visit)?)
    })
}

/// Closes it.
pub(in crate::fronts::https) fn close_incident(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    step(ask, desk, "close", |sent, number| {
        Ok(ask.site.operations.close_incident(number, &text_in(desk, sent, "text")?, &desk.visit)?)
    })
}

/// Opens it again.
pub(in crate::fronts::https) fn reopen_incident(ask: &Ask, desk: &Desk) -> Result<Reply, Failure> {
    step(ask, desk, "reopen", |sent, number| {
        Ok(ask.site.operations.reopen_incident(number, &text_in(desk, sent, "text")?, &desk.visit)?)
    })
}

fn step(
    ask: &Ask,
    desk: &Desk,
    form: &str,
    act: impl FnOnce(&Sent, u32) -> Result<(), Mistake>,
) -> Result<Reply, Failure> {
    let (sent, number) = (Sent::read(&ask.content), number_in(ask)?);
    let to = format!("/office/incidents/{number}");
    desk.after(act(&sent, number), (&to, "incident-step"), |error| showing(ask, desk, Some((form, &sent)), error))
}

fn number_in(ask: &Ask) -> Result<u32, Failure> {
    ask.segment(0).parse().map_err(|_| Refusal::NotFound(What::Incident).into())
}

fn text_in(desk: &Desk, sent: &Sent, field: &str) -> Result<IncidentText, Mistake> {
    IncidentText::parse(sent.field(field)).map_err(|_| Mistake::Said(desk.incident_words().text_refused.to_owned()))
}

/// The codes of a field, with commas or spaces between.
fn codes_in<T>(
    desk: &Desk,
    sent: &Sent,
    field: (&str, &str),
    parse: impl Fn(&str) -> Result<T, NameFault>,
) -> Result<Vec<T>, Mistake> {
    desk.read(sent, field, |text| {
        let parts = text.split([',', ' ', '\n']).map(str::trim).filter(|part| !part.is_empty());
        parts.map(parse).collect()
    })
}

fn read_new(ask: &Ask, desk: &Desk, sent: &Sent) -> Result<IncidentFacts, Mistake> {
    let own = desk.incident_words();
    let ticked = |property: &Property| sent.field(&format!("threatens-{}", property.word())) == "yes";
    let discovered = desk.read_time(ask, sent, ("discovered", own.discovered))?;
    Ok(IncidentFacts {
        title: desk.read(sent, ("title", own.subject), Line::parse)?,
        description: text_in(desk, sent, "description")?,
        threatens: Property::ALL.iter().copied().filter(ticked).collect(),
        origin: desk.read(sent, ("origin", own.origin), Origin::parse)?,
        severity: desk.read(sent, ("severity", own.severity), Severity::parse)?,
        personal_data: desk.read(sent, ("personal", own.personal_data), PersonalData::parse)?,
        discovered_at: discovered.unwrap_or_else(|| ask.site.operations.now()),
        occurred_from: desk.read_time(ask, sent, ("from", own.from))?,
        occurred_until: desk.read_time(ask, sent, ("until", own.until))?,
        concerned: Concerned {
            organisations: codes_in(desk, sent, ("organisations", own.organisations), OrganisationCode::parse)?,
            products: codes_in(desk, sent, ("products", own.products), ProductCode::parse)?,
            deliveries: codes_in(desk, sent, ("deliveries", own.deliveries), DeliveryId::parse)?,
        },
    })
}

/// What a form says otherwise. It shows moments to the minute: one that was left alone stays as it was.
fn read_change(ask: &Ask, desk: &Desk, sent: &Sent, row: &Incident) -> Result<IncidentChange, Mistake> {
    let (new, facts) = (read_new(ask, desk, sent)?, &row.facts);
    let is_left = |name: &str, known: Option<Moment>| sent.field(name) == shown_time(ask, known);
    let discovered = sent.field("discovered");
    let keeps_discovery = discovered.is_empty() || is_left("discovered", Some(facts.discovered_at));
    Ok(IncidentChange {
        title: Some(new.title),
        description: Some(new.description),
        threatens: Some(new.threatens),
        origin: Some(new.origin),
        severity: Some(new.severity),
        personal_data: Some(new.personal_data),
        discovered_at: (!keeps_discovery).then_some(new.discovered_at),
        occurred_from: (!is_left("from", facts.occurred_from)).then_some(new.occurred_from),
        occurred_until: (!is_left("until", facts.occurred_until)).then_some(new.occurred_until),
        organisations: Some(new.concerned.organisations),
        products: Some(new.concerned.products),
        deliveries: Some(new.concerned.deliveries),
    })
}

/// A moment as the field for one has it.
fn shown_time(ask: &Ask, at: Option<Moment>) -> String {
    let calendar = ask.site.operations.calendar();
    at.map(|at| format!("{}T{}", calendar.date_of(at), calendar.time_of(at))).unwrap_or_default()
}

fn listing(ask: &Ask, desk: &Desk, sent: Option<&Sent>, error: String) -> Result<Reply, Failure> {
    let (words, own, operations) = (desk.words(), desk.incident_words(), &ask.site.operations);
    let asked = Sent::read(ask.query.as_bytes());
    let state = asked.field("state");
    let wanted = match state {
        "all" => IncidentsWanted::All,
        "contained" => IncidentsWanted::Contained,
        "closed" => IncidentsWanted::Closed,
        "pending" => IncidentsWanted::Pending,
        _ => IncidentsWanted::Open,
    };
    let mut found = operations.incidents(wanted, asked.field("after").parse().ok(), &desk.visit)?;
    let has_more = found.len() > PAGE;
    found.truncate(PAGE);
    let more = match found.last().filter(|_| has_more) {
        Some(last) => desk.href(&format!("/office/incidents?state={}&after={}", wanted_word(wanted), last.number)),
        None => String::new(),
    };
    let rows = found.iter().map(|row| {
        vec![
            Cell::link(row.number.to_string(), desk.href(&format!("/office/incidents/{}", row.number))),
            row.facts.title.as_str().into(),
            own.severity(row.facts.severity).into(),
            Cell::state(own.state(row.state)),
            desk.time(ask, row.facts.discovered_at).into(),
            deadline(ask, desk, row),
        ]
    });
    let states = [
        ("open", own.open),
        ("pending", own.pending),
        ("contained", own.state_contained),
        ("closed", own.state_closed),
        ("all", own.all),
    ];
    let search = Search {
        action: "/office/incidents",
        fields: vec![Given(None).choice("state", own.which, options(&states), wanted_word(wanted))],
        button: words.search,
    };
    let table = Table {
        head: vec![own.number, own.subject, own.severity, own.state, own.discovered, own.deadline],
        rows: rows.collect(),
        empty: own.none,
        more,
        more_label: words.more,
        ..Table::default()
    };
    let mut parts = vec![Part::Search(search), Part::Table(table)];
    if desk.may(Act::KeepIncidents) {
        parts.push(Part::Form(Form {
            id: "open",
            title: own.open_one,
            action: desk.href("/office/incidents"),
            fields: fields(ask, desk, &Given(sent), None),
            button: own.open_one,
            ..Form::default()
        }));
    }
    let (title, lead) = (own.title.to_owned(), own.lead.to_owned());
    desk.sheet(ask, Sheet { title, lead, error, parts, ..Sheet::default() })
}

const fn wanted_word(wanted: IncidentsWanted) -> &'static str {
    match wanted {
        IncidentsWanted::All => "all",
        IncidentsWanted::Open => "open",
        IncidentsWanted::Contained => "contained",
        IncidentsWanted::Closed => "closed",
        IncidentsWanted::Pending => "pending",
    }
}

fn options(rows: &[(&str, &str)]) -> Vec<(String, String)> {
    rows.iter().map(|(value, label)| ((*value).to_owned(), (*label).to_owned())).collect()
}

/// By when it is to be reported, or what became of that.
fn deadline(ask: &Ask, desk: &Desk, row: &Incident) -> Cell {
    let own = desk.incident_words();
    match (&row.report, row.pending_deadline()) {
        (Some(ReportDecision::Reported { .. }), _) => own.reported.into(),
        (Some(ReportDecision::NotNeeded { .. }), _) => own.not_needed.into(),
        (None, Some(at)) => {
            let tone = if at <= ask.site.operations.now() { "gone" } else { "busy" };
            Cell::state((&desk.time(ask, at), tone))
        }
        (None, None) => "-".into(),
    }
}

/// The fields of what is said of an incident.
fn fields(ask: &Ask, desk: &Desk, given: &Given<'_>, row: Option<&Incident>) -> Vec<Field> {
    let (own, facts) = (desk.incident_words(), row.map(|row| &row.facts));
    let properties: Vec<(&str, &str)> = Property::ALL.iter().map(|one| (one.word(), own.property(*one))).collect();
    let origins: Vec<(&str, &str)> = Origin::ALL.iter().map(|one| (one.word(), own.origin(*one))).collect();
    let severities: Vec<(&str, &str)> = Severity::ALL.iter().map(|one| (one.word(), own.severity(*one))).collect();
    let personal = [("unknown", own.unknown), ("yes", desk.yes_no(true)), ("no", desk.yes_no(false))];
    let ticked = facts.map(|facts| facts.threatens.iter().map(|one| one.word()).collect::<Vec<_>>().join(" "));
    let moment = |at: Option<Moment>| shown_time(ask, at);
    let concerned = facts.map(|facts| &facts.concerned);
    let organisations = listed(concerned.map(|of| of.organisations.as_slice()));
    let products = listed(concerned.map(|of| of.products.as_slice()));
    let deliveries = listed(concerned.map(|of| of.deliveries.as_slice()));
    let time = "datetime-local";
    let mut fields = vec![
        given.text("title", own.subject, facts.map_or("", |facts| facts.title.as_str())).required(),
        given
            .kind("textarea", "description", own.description, facts.map_or("", |facts| facts.description.as_str()))
            .hinted(own.text_hint)
            .required(),
        given.checks("threatens", own.threatens, options(&properties), &ticked.unwrap_or_default()),
        given.choice("origin", own.origin, options(&origins), facts.map_or("outside", |facts| facts.origin.word())),
        given.choice(
            "severity",
            own.severity,
            options(&severities),
            facts.map_or("medium", |facts| facts.severity.word()),
        ),
        given.choice(
            "personal",
            own.personal_data,
            options(&personal),
            facts.map_or("unknown", |facts| facts.personal_data.word()),
        ),
        given
            .kind(time, "discovered", own.discovered, &moment(facts.map(|facts| facts.discovered_at)))
            .hinted(own.discovered_hint),
        given
            .kind(time, "from", own.from, &moment(facts.and_then(|facts| facts.occurred_from)))
            .hinted(own.empty_unknown),
        given
            .kind(time, "until", own.until, &moment(facts.and_then(|facts| facts.occurred_until)))
            .hinted(own.empty_unknown),
        given.text("organisations", own.organisations, &organisations).hinted(own.codes_hint),
        given.text("products", own.products, &products).hinted(own.codes_hint),
        given.text("deliveries", own.deliveries, &deliveries).hinted(own.codes_hint),
    ];
    fields.extend(row.map(|row| given.kind("hidden", "seen", "", &row.entries.to_string())));
    fields
}

fn listed<T: ToString>(rows: Option<&[T]>) -> String {
    rows.unwrap_or_default().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// `sent` is a form that comes back with a mistake, and which of the page's forms it is.
fn showing(ask: &Ask, desk: &Desk, sent: Option<(&str, &Sent)>, error: String) -> Result<Reply, Failure> {
    let (own, number) = (desk.incident_words(), number_in(ask)?);
    let IncidentView { incident: row, entries } = ask.site.operations.incident(number, &desk.visit)?;
    let mut parts = vec![
        Part::Facts(facts(ask, desk, &row)),
        Part::Note(row.facts.description.to_string()),
        Part::Table(timeline(ask, desk, &entries)),
    ];
    if desk.may(Act::KeepIncidents) {
        parts.extend(forms(ask, desk, &row, sent));
    }
    let title = format!("{number}. {}", row.facts.title);
    let back = desk.href("/office/incidents");
    let lead = if row.state.is_closed() { String::new() } else { own.lead.to_owned() };
    desk.sheet(ask, Sheet { title, lead, back, error, parts })
}

fn timeline(ask: &Ask, desk: &Desk, entries: &[IncidentEntry]) -> Table {
    let own = desk.incident_words();
    let rows = entries.iter().map(|entry| {
        vec![
            desk.time(ask, entry.at).into(),
            entry.by.as_str().into(),
            own.entry(entry.kind).into(),
            entry.text.as_str().into(),
        ]
    });
    let head = vec![own.at, own.by, own.what, own.text];
    Table { title: own.entries, head, rows: rows.collect(), ..Table::default() }
}

fn facts(ask: &Ask, desk: &Desk, row: &Incident) -> Vec<(&'static str, Cell)> {
    let (own, of) = (desk.incident_words(), &row.facts);
    let personal = match of.personal_data {
        PersonalData::Yes => desk.yes_no(true),
        PersonalData::No => desk.yes_no(false),
        PersonalData::Unknown => own.unknown,
    };
    let threatens: Vec<&str> = of.threatens.iter().map(|one| own.property(*one)).collect();
    let mut facts: Vec<(&'static str, Cell)> = vec![
        (own.state, Cell::state(own.state(row.state))),
        (own.severity, own.severity(of.severity).into()),
        (own.threatens, threatens.join(", ").into()),
        (own.origin, own.origin(of.origin).into()),
        (own.discovered, desk.time(ask, of.discovered_at).into()),
        (own.opened_on, desk.time(ask, row.opened_at).into()),
    ];
    facts.extend(of.occurred_from.map(|at| (own.from, desk.time(ask, at).into())));
    facts.extend(of.occurred_until.map(|at| (own.until, desk.time(ask, at).into())));
    facts.push((own.personal_data, personal.into()));
    facts.extend(row.pending_deadline().map(|_| (own.deadline, deadline(ask, desk, row))));
    match &row.report {
        Some(ReportDecision::Reported { at, reference }) => {
            facts.push((own.report, format!("{reference} ({})", desk.time(ask, *at)).into()));
        }
        Some(ReportDecision::NotNeeded { why, .. }) => {
            facts.push((own.report, format!("{}: {why}", own.not_needed).into()));
        }
        None => {}
    }
    facts.extend(row.persons_told_at.map(|at| (own.persons_told, desk.time(ask, at).into())));
    for code in &of.concerned.organisations {
        facts.push((own.organisations, Cell::link(code.as_str(), desk.href(&format!("/office/organisations/{code}")))));
    }
    for code in &of.concerned.products {
        facts.push((own.products, Cell::link(code.as_str(), desk.href(&format!("/office/products/{code}")))));
    }
    for id in &of.concerned.deliveries {
        facts.push((own.deliveries, Cell::link(id.to_string(), desk.href(&format!("/office/deliveries/{id}")))));
    }
    facts
}

/// The forms of the steps that can be taken now.
fn forms(ask: &Ask, desk: &Desk, row: &Incident, sent: Option<(&str, &Sent)>) -> Vec<Part> {
    let own = desk.incident_words();
    let given = |form: &str| Given(sent.filter(|(sent, _)| *sent == form).map(|(_, sent)| sent));
    let base = format!("/office/incidents/{}", row.number);
    let text = |form: &str| given(form).kind("textarea", "text", own.text, "").hinted(own.text_hint).required();
    let one = |id: &'static str, title: &'static str, lead: &'static str, is_grave: bool| {
        let action = desk.href(&format!("{base}/{id}"));
        Part::Form(Form {
            id,
            title,
            lead,
            action,
            fields: vec![text(id)],
            button: title,
            is_grave,
            is_multipart: false,
        })
    };
    if row.state.is_closed() {
        return vec![one("reopen", own.reopen, own.reopen_lead, true)];
    }
    let kinds = [(EntryKind::Note.word(), own.note), (EntryKind::Measure.word(), own.measure)];
    let decisions = [("reported", own.is_reported), ("not-needed", own.is_not_needed), ("persons-told", own.are_told)];
    let mut parts = vec![
        Part::Form(Form {
            id: "note",
            title: own.add_note,
            action: desk.href(&format!("{base}/note")),
            fields: vec![given("note").choice("kind", own.kind, options(&kinds), EntryKind::Note.word()), text("note")],
            button: own.save_note,
            ..Form::default()
        }),
        Part::Form(Form {
            id: "report",
            title: own.report,
            lead: own.report_lead,
            action: desk.href(&format!("{base}/report")),
            fields: vec![
                given("report").choice("decision", own.decision, options(&decisions), "reported"),
                given("report").text("reference", own.reference, "").required(),
                given("report").kind("datetime-local", "at", own.when, "").hinted(own.when_hint),
            ],
            button: own.save_report,
            ..Form::default()
        }),
    ];
    if row.state == IncidentState::Open {
        parts.push(one("contain", own.contain, own.contain_lead, true));
    }
    if row.clone().closed(ask.site.operations.now()).is_ok() {
        parts.push(one("close", own.close, own.close_lead, true));
    } else {
        parts.push(Part::Note(own.close_first.to_owned()));
    }
    parts.push(Part::Form(Form {
        id: "change",
        title: own.change,
        action: desk.href(&base),
        fields: fields(ask, desk, &given("change"), Some(row)),
        button: own.save,
        is_grave: true,
        ..Form::default()
    }));
    parts
}

//! The register of security incidents (I3; GDPR art. 33 and 34): what happened, whom it concerns, by when the
//! authority hears of it, and everything that was noted, in order. Reads no clock.

use core::fmt;

use super::check_plan::is_citizen_number;
use super::ids::DeliveryId;
use super::moment::{Moment, Span};
use super::names::{Line, NameFault, OrganisationCode, ProductCode};
use super::record::{Key, Row};
use super::refusal::Refusal;

/// Where personal data are involved, the authority hears of it so long after the discovery at the latest, weekends
/// included (GDPR art. 33.1).
pub const REPORTED_WITHIN: Span = Span::from_days(3);

/// The operator is reminded so long before that.
pub const REMINDED_BEFORE: Span = Span::from_days(1);

/// A description, a note or a measure: about a page.
pub const MOST_INCIDENT_BYTES: usize = 4 * 1024;

/// So many organisations, so many products and so many deliveries are named; more are told in words.
pub const MOST_CONCERNED: usize = 20;

/// So many notes, measures and changes of one incident: all are read in one go.
pub const MOST_NOTES: u32 = 300;

/// So many entries in all; what is left above the notes is for reports, closing and opening again.
pub const MOST_ENTRIES: u32 = 400;

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident, $what:literal, $examples:literal {
        $($(#[$vdoc:meta])* $variant:ident = $word:literal,)*
    })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word shown.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// Reads the word.
            ///
            /// # Errors
            /// Any other text.
            pub fn parse(text: &str) -> Result<Self, NameFault> {
                let found = Self::ALL.iter().copied().find(|one| one.word() == text);
                found.ok_or_else(|| NameFault::new(text, $what, $examples))
            }
        }
    )*};
}

words! {
    /// What an incident threatens (I3).
    Property, "what an incident threatens", "reliability, confidentiality or availability" {
        /// That data and service are right and whole (*betrouwbaarheid*).
        Reliability = "reliability",
        /// That nobody else sees them.
        Confidentiality = "confidentiality",
        /// That they are there.
        Availability = "availability",
    }
    /// Where it comes from (I3).
    Origin, "where an incident comes from", "inside or outside" {
        /// Somebody or something of the operator.
        Inside = "inside",
        /// Anybody else.
        Outside = "outside",
    }
    /// How grave it is.
    Severity, "how grave an incident is", "low, medium, high or critical" {
        /// Nobody is harmed.
        Low = "low",
        /// Somebody is hindered.
        Medium = "medium",
        /// Somebody may be harmed.
        High = "high",
        /// Many may be harmed, or the service is in danger.
        Critical = "critical",
    }
    /// Whether personal data are involved.
    PersonalData, "whether personal data are involved", "no, yes or unknown" {
        /// They are not.
        No = "no",
        /// They are.
        Yes = "yes",
        /// It is not known yet: taken as yes until it is.
        Unknown = "unknown",
    }
    /// What an entry of the register is.
    EntryKind, "an entry", "note or measure" {
        /// It was opened.
        Opened = "opened",
        /// Something that was found.
        Note = "note",
        /// Something that was done against it.
        Measure = "measure",
        /// What is on record of it was changed.
        Changed = "changed",
        /// It goes no further.
        Contained = "contained",
        /// It is over.
        Closed = "closed",
        /// It is not over after all.
        Reopened = "reopened",
        /// The authority was told of it.
        Reported = "reported",
        /// The authority need not be told of it.
        NotReported = "not-reported",
        /// Those whose data are involved were told (art. 34).
        PersonsTold = "persons-told",
        /// The operator was reminded of the deadline.
        Reminded = "reminded",
    }
}

/// How far it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IncidentState {
    /// It goes on, or nobody knows yet.
    Open,
    /// It goes no further, since then.
    Contained(Moment),
    /// It is over, since then.
    Closed(Moment),
}

impl IncidentState {
    /// The word shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Contained(_) => "contained",
            Self::Closed(_) => "closed",
        }
    }

    /// Whether it is over.
    #[must_use]
    pub const fn is_closed(self) -> bool {
        matches!(self, Self::Closed(_))
    }
}

/// What was decided about telling the authority.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ReportDecision {
    /// It was told.
    Reported {
        /// When.
        at: Moment,
        /// Under which reference.
        reference: Line,
    },
    /// It need not be, as a risk for persons is unlikely (art. 33.1).
    NotNeeded {
        /// When that was decided.
        at: Moment,
        /// Why (art. 33.5).
        why: Line,
    },
}

/// Of which deadline the operator was reminded.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Reminded {
    /// Of none yet.
    Not,
    /// That it is near.
    Near,
    /// That it went by.
    Past,
}

/// Whom and what an incident concerns, as far as it is known here.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Concerned {
    /// Organisations.
    pub organisations: Vec<OrganisationCode>,
    /// Products.
    pub products: Vec<ProductCode>,
    /// Deliveries.
    pub deliveries: Vec<DeliveryId>,
}

/// What is said of an incident, and can be said better later.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IncidentFacts {
    /// In a few words.
    pub title: Line,
    /// What happened; no personal data.
    pub description: IncidentText,
    /// What it threatens: at least one.
    pub threatens: Vec<Property>,
    /// Where it comes from.
    pub origin: Origin,
    /// How grave it is.
    pub severity: Severity,
    /// Whether personal data are involved.
    pub personal_data: PersonalData,
    /// When it was discovered: the period for the report runs from here.
    pub discovered_at: Moment,
    /// Since when it was so, if that is known.
    pub occurred_from: Option<Moment>,
    /// Until when it was so, if that is known.
    pub occurred_until: Option<Moment>,
    /// Whom it concerns.
    pub concerned: Concerned,
}

/// A security incident: an event inside or outside that is or can be a threat to reliability, confidentiality or
/// availability (I3). It is never removed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Incident {
    /// The first is 1.
    pub number: u32,
    /// When it was put on record.
    pub opened_at: Moment,
    /// What is said of it.
    pub facts: IncidentFacts,
    /// How far it is.
    pub state: IncidentState,
    /// What was decided about telling the authority; later reports are entries.
    pub report: Option<ReportDecision>,
    /// When those whose data are involved were told (art. 34), the first time.
    pub persons_told_at: Option<Moment>,
    /// Of which deadline the operator was reminded.
    pub reminded: Reminded,
    /// So many entries there are.
    pub entries: u32,
}

/// One line of what became of an incident. It is never changed or removed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IncidentEntry {
    /// Of which incident.
    pub incident: u32,
    /// The first is 0.
    pub index: u32,
    /// When.
    pub at: Moment,
    /// Who: a login of the office, `uid:<n>` at the command line, or the channel.
    pub by: String,
    /// What it is.
    pub kind: EntryKind,
    /// In words; may be empty.
    pub text: String,
}

/// When something is due about an incident.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IncidentDue {
    /// When.
    pub at: Moment,
    /// Which.
    pub incident: u32,
}

/// A text of the register: bounded, without control characters and without citizen numbers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IncidentText(String);

impl IncidentText {
    /// Reads a text.
    ///
    /// # Errors
    /// An empty text, one that is too long, one with control characters, and one with what may be a citizen number,
    /// which is not repeated.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let rule =
            || Refusal::BadRequest(format!("a text is 1 to {MOST_INCIDENT_BYTES} bytes without control characters"));
        let text = super::terms::parse_text(text).map_err(|_| rule())?;
        refuse_citizen_number(&text)?;
        if text.len() > MOST_INCIDENT_BYTES {
            return Err(rule());
        }
        Ok(Self(text))
    }

    /// The text as it was stored.
    #[must_use]
    pub const fn stored(text: String) -> Self {
        Self(text)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IncidentText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The register has no personal data: what looks like a citizen number is refused, and not repeated.
fn refuse_citizen_number(text: &str) -> Result<(), Refusal> {
    let digits = text.split(|c: char| !c.is_ascii_digit());
    if digits.into_iter().any(|run| is_citizen_number(run.as_bytes())) {
        let why = "nine digits in it can be a citizen number; the register of incidents has no personal data";
        return Err(Refusal::BadRequest(why.to_owned()));
    }
    Ok(())
}

impl IncidentFacts {
    /// Holds the facts against each other and against the clock.
    ///
    /// # Errors
    /// `BadRequest` with the first contradiction.
    pub fn judged(mut self, now: Moment) -> Result<Self, Refusal> {
        let refused = |why: &str| Err(Refusal::BadRequest(why.to_owned()));
        self.threatens.sort_unstable();
        self.threatens.dedup();
        if self.threatens.is_empty() {
            return refused("say what it threatens: reliability, confidentiality or availability");
        }
        refuse_citizen_number(self.title.as_str())?;
        if self.discovered_at > now {
            return refused("it was discovered before now");
        }
        if self.occurred_from.is_some_and(|from| from > self.discovered_at) {
            return refused("it began before it was discovered");
        }
        if self.occurred_until.is_some_and(|until| until > now) {
            return refused("leave the end out while it goes on");
        }
        if self.occurred_from.zip(self.occurred_until).is_some_and(|(from, until)| until < from) {
            return refused("it ended after it began");
        }
        let Concerned { organisations, products, deliveries } = &mut self.concerned;
        organisations.sort_unstable();
        organisations.dedup();
        products.sort_unstable();
        products.dedup();
        deliveries.sort_unstable();
        deliveries.dedup();
        if [organisations.len(), products.len(), deliveries.len()].iter().any(|count| *count > MOST_CONCERNED) {
            let why =
                format!("at most {MOST_CONCERNED} organisations, products and deliveries each; tell of more in words");
            return Err(Refusal::TooMuch(why));
        }
        Ok(self)
    }

    /// What is said otherwise there: the name of each fact, how it is told here and how there.
    #[must_use]
    pub fn differing(&self, other: &Self) -> Vec<(&'static str, String, String)> {
        let told = |facts: &Self| {
            let moment = |at: Option<Moment>| at.map_or_else(|| "unknown".to_owned(), |at| at.to_string());
            [
                ("title", facts.title.to_string()),
                ("description", facts.description.to_string()),
                ("threatens", listed(facts.threatens.iter().map(|one| one.word()))),
                ("origin", facts.origin.word().to_owned()),
                ("severity", facts.severity.word().to_owned()),
                ("personal data", facts.personal_data.word().to_owned()),
                ("discovered", facts.discovered_at.to_string()),
                ("from", moment(facts.occurred_from)),
                ("until", moment(facts.occurred_until)),
                ("organisations", listed(&facts.concerned.organisations)),
                ("products", listed(&facts.concerned.products)),
                ("deliveries", listed(&facts.concerned.deliveries)),
            ]
        };
        let pairs = told(self).into_iter().zip(told(other));
        pairs
            .filter(|((_, here), (_, there))| here != there)
            .map(|((name, here), (_, there))| (name, here, there))
            .collect()
    }
}

fn listed(rows: impl IntoIterator<Item = impl ToString>) -> String {
    let rows: Vec<String> = rows.into_iter().map(|row| row.to_string()).collect();
    if rows.is_empty() { "none".to_owned() } else { rows.join(", ") }
}

impl Incident {
    /// The key of the incident with this number: the newest comes first.
    #[must_use]
    pub fn key_of(number: u32) -> Key {
        Key::of(Self::KIND).bytes(&(u32::MAX - number).to_be_bytes())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(self.number)
    }

    /// A new one.
    #[must_use]
    pub const fn opened(number: u32, facts: IncidentFacts, now: Moment) -> Self {
        let (state, reminded) = (IncidentState::Open, Reminded::Not);
        Self { number, opened_at: now, facts, state, report: None, persons_told_at: None, reminded, entries: 0 }
    }

    /// By when the authority is told, where personal data are involved or may be.
    #[must_use]
    pub const fn deadline(&self) -> Option<Moment> {
        match self.facts.personal_data {
            PersonalData::No => None,
            PersonalData::Yes | PersonalData::Unknown => Some(self.facts.discovered_at.after(REPORTED_WITHIN)),
        }
    }

    /// The deadline while it has to be met: nothing is decided about it yet, and it is not over.
    #[must_use]
    pub const fn pending_deadline(&self) -> Option<Moment> {
        if self.report.is_some() || self.state.is_closed() { None } else { self.deadline() }
    }

    /// When the operator is to be reminded next.
    #[must_use]
    pub const fn due(&self) -> Option<Moment> {
        match (self.pending_deadline(), self.reminded) {
            (Some(deadline), Reminded::Not) => Some(deadline.before(REMINDED_BEFORE)),
            (Some(deadline), Reminded::Near) => Some(deadline),
            (Some(_), Reminded::Past) | (None, _) => None,
        }
    }

    /// With other facts. Another deadline is reminded of anew.
    ///
    /// # Errors
    /// `WrongState` when it is over; what `IncidentFacts::judged` refuses.
    pub fn changed(self, facts: IncidentFacts, now: Moment) -> Result<Self, Refusal> {
        let (mut row, before) = (self.while_open()?, self.deadline());
        row.facts = facts.judged(now)?;
        if row.deadline() != before {
            row.reminded = Reminded::Not;
        }
        Ok(row)
    }

    /// It goes no further.
    ///
    /// # Errors
    /// `WrongState` when that is on record already, or it is over.
    pub fn contained(self, now: Moment) -> Result<Self, Refusal> {
        match self.while_open()?.state {
            IncidentState::Contained(_) => Err(Refusal::WrongState("it is contained already".to_owned())),
            IncidentState::Open | IncidentState::Closed(_) => Ok(Self { state: IncidentState::Contained(now), ..self }),
        }
    }

    /// It is over.
    ///
    /// # Errors
    /// `WrongState` while it is not known whether personal data are involved, or nothing is decided about telling the
    /// authority of those that are; and when it is over already.
    pub fn closed(self, now: Moment) -> Result<Self, Refusal> {
        let row = self.while_open()?;
        if row.facts.personal_data == PersonalData::Unknown {
            return Err(Refusal::WrongState("say first whether personal data are involved".to_owned()));
        }
        if row.pending_deadline().is_some() {
            let why = "put on record first what was reported to the authority, or why that is not needed";
            return Err(Refusal::WrongState(why.to_owned()));
        }
        Ok(Self { state: IncidentState::Closed(now), ..row })
    }

    /// It is not over after all.
    ///
    /// # Errors
    /// `WrongState` when it is not over.
    pub fn reopened(self) -> Result<Self, Refusal> {
        if self.state.is_closed() {
            Ok(Self { state: IncidentState::Open, ..self })
        } else {
            Err(Refusal::WrongState("it is not closed".to_owned()))
        }
    }

    /// With what was decided about telling the authority. A first report stands; that none is needed gives way.
    ///
    /// # Errors
    /// `BadRequest` for a moment that is to come or before the discovery; `WrongState` when it is over, or when
    /// nothing is said to be needed of what was reported.
    pub fn decided(self, decision: ReportDecision, now: Moment) -> Result<Self, Refusal> {
        let mut row = self.while_open()?;
        match (&decision, &row.report) {
            (ReportDecision::Reported { at, reference }, known) => {
                refuse_citizen_number(reference.as_str())?;
                row.refuse_moment(*at, now)?;
                if !matches!(known, Some(ReportDecision::Reported { .. })) {
                    row.report = Some(decision);
                }
            }
            (ReportDecision::NotNeeded { .. }, Some(ReportDecision::Reported { .. })) => {
                return Err(Refusal::WrongState("it was reported already".to_owned()));
            }
            (ReportDecision::NotNeeded { why, .. }, _) => {
                refuse_citizen_number(why.as_str())?;
                row.report = Some(decision);
            }
        }
        Ok(row)
    }

    /// Those whose data are involved were told (art. 34).
    ///
    /// # Errors
    /// `BadRequest` for a moment that is to come or before the discovery; `WrongState` when it is over.
    pub fn told_persons(self, at: Moment, now: Moment) -> Result<Self, Refusal> {
        let mut row = self.while_open()?;
        row.refuse_moment(at, now)?;
        row.persons_told_at = row.persons_told_at.or(Some(at));
        Ok(row)
    }

    /// As it is, unless it is over: what is found afterwards opens it again.
    ///
    /// # Errors
    /// `WrongState` when it is over.
    pub fn while_open(&self) -> Result<Self, Refusal> {
        if self.state.is_closed() {
            return Err(Refusal::WrongState("it is closed; open it again first".to_owned()));
        }
        Ok(self.clone())
    }

    fn refuse_moment(&self, at: Moment, now: Moment) -> Result<(), Refusal> {
        if at > now {
            return Err(Refusal::BadRequest("that moment is still to come".to_owned()));
        }
        if at < self.facts.discovered_at {
            return Err(Refusal::BadRequest("that moment is before the discovery".to_owned()));
        }
        Ok(())
    }
}

impl IncidentEntry {
    /// The beginning of the keys of the entries of an incident, in their order.
    #[must_use]
    pub fn keys_of(incident: u32) -> Key {
        Key::of(Self::KIND).bytes(&incident.to_be_bytes())
    }

    pub(super) fn key(&self) -> Key {
        Self::keys_of(self.incident).bytes(&self.index.to_be_bytes())
    }
}

impl IncidentDue {
    /// The key of one; in order of moment.
    #[must_use]
    pub fn key_of(at: Moment, incident: u32) -> Key {
        Key::of(Self::KIND).bytes(&at.millis().to_be_bytes()).bytes(&incident.to_be_bytes())
    }

    pub(super) fn key(&self) -> Key {
        Self::key_of(self.at, self.incident)
    }
}

#[cfg(test)]
#[path = "incident_tests.rs"]
mod tests;

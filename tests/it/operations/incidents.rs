//! The register of security incidents (I3, GDPR art. 33 and 34): what each step stores, what is refused and stores
//! nothing, and the reminders before and after the 72 hours. Each refusal also shows that nothing was mailed.

use postkluis::domain::history::HistoryLine;
use postkluis::domain::ids::DeliveryId;
use postkluis::domain::incident::{
    Concerned, EntryKind, Incident, IncidentDue, IncidentEntry, IncidentFacts, IncidentState, IncidentText,
    MOST_ENTRIES, MOST_NOTES, Origin, PersonalData, Property, Severity,
};
use postkluis::domain::office::OfficeRole;
use postkluis::domain::record::Row as _;
use postkluis::domain::refusal::What;
use postkluis::operations::{Catalog, IncidentChange, IncidentReminder, IncidentsWanted};

use super::*;

const HOUR: u64 = 3_600;

fn text(text: &str) -> IncidentText {
    IncidentText::parse(text).unwrap()
}

impl World {
    fn incident_facts(&self, personal_data: PersonalData) -> IncidentFacts {
        IncidentFacts {
            title: line("Sleutel kwijt"),
            description: text("Een sleutel lag op straat."),
            threatens: vec![Property::Confidentiality, Property::Reliability],
            origin: Origin::Outside,
            severity: Severity::High,
            personal_data,
            discovered_at: self.operations.now(),
            occurred_from: None,
            occurred_until: None,
            concerned: Concerned::default(),
        }
    }

    fn opened(&self, personal_data: PersonalData) -> u32 {
        self.operations.open_incident(self.incident_facts(personal_data), CHANNEL).unwrap().number
    }

    fn hours_go_by(&self, hours: u64) -> Vec<(u32, bool)> {
        self.clock.advance(Span::from_seconds(hours * HOUR));
        let reminders = self.operations.remind_of_incidents().unwrap();
        reminders.into_iter().map(|IncidentReminder { number, is_late }| (number, is_late)).collect()
    }

    fn incident_kinds(&self, number: u32) -> Vec<&'static str> {
        let view = self.operations.incident(number, CHANNEL).unwrap();
        assert_eq!(usize::try_from(view.incident.entries).unwrap(), view.entries.len());
        view.entries.iter().map(|entry| entry.kind.word()).collect()
    }

    fn told_of_incidents(&self) -> Vec<HistoryLine> {
        let query = HistoryQuery { limit: 1_000, ..HistoryQuery::default() };
        let lines = self.operations.history(&query).unwrap().into_iter();
        lines.filter(|line| line.event.what.word().starts_with("incident-")).collect()
    }

    fn register(&self) -> (Vec<Incident>, Vec<IncidentEntry>, Vec<IncidentDue>, usize, usize) {
        let catalog: &dyn Catalog = self.catalog.as_ref();
        let rows = catalog.look(|view| {
            let rows = view.rows::<Incident>(&Incident::all(), None, 1_000)?;
            let entries = view.rows::<IncidentEntry>(&IncidentEntry::all(), None, 1_000)?;
            Ok((rows, entries, view.rows::<IncidentDue>(&IncidentDue::all(), None, 1_000)?))
        });
        let (rows, entries, due) = rows.unwrap();
        (rows, entries, due, self.history().len(), self.mails())
    }

    /// That something is refused, and nothing was stored or mailed by it.
    #[track_caller]
    fn refuses<T: std::fmt::Debug>(&self, act: impl FnOnce(&Operations) -> Result<T, Failure>) -> Refusal {
        let before = self.register();
        let refusal = refusal(act(&self.operations));
        assert_eq!(self.register(), before, "{refusal}");
        refusal
    }
}

#[test]
fn every_step_is_an_entry_and_an_event_and_names_who_took_it() {
    let world = World::new();
    let operations = &world.operations;
    let watch = world.officer("watch@operator.example", OfficeRole::SecurityOfficer);
    let published = world.publish("k1", &["one"], vec![file("a.csv", b"aaa")]);
    let delivery = published.deliveries[0].id;
    let concerned =
        Concerned { organisations: vec![org("one")], products: vec![product("daily")], deliveries: vec![delivery] };
    let facts = IncidentFacts { concerned: concerned.clone(), ..world.incident_facts(PersonalData::Unknown) };
    let opened = operations.open_incident(facts, &watch).unwrap();
    assert_eq!((opened.number, opened.state, opened.opened_at), (1, IncidentState::Open, operations.now()));
    assert_eq!(opened.facts.concerned, concerned);
    assert_eq!(opened.facts.threatens, [Property::Reliability, Property::Confidentiality], "in order");

    operations.note_incident(1, &text("Wie vond hem?"), false, &watch).unwrap();
    operations.note_incident(1, &text("Sleutel ingetrokken."), true, CHANNEL).unwrap();
    let change = IncidentChange {
        severity: Some(Severity::Medium),
        personal_data: Some(PersonalData::Yes),
        ..IncidentChange::default()
    };
    operations.change_incident(1, change, Some(3), &watch).unwrap();
    operations.contain_incident(1, &text("Niemand komt er nog in."), &watch).unwrap();
    operations.report_incident(1, line("AP-2026-1"), None, &watch).unwrap();
    operations.tell_persons_of_incident(1, &text("Per brief."), None, &watch).unwrap();
    operations.close_incident(1, &text("Een kluis voor sleutels."), &watch).unwrap();
    operations.reopen_incident(1, &text("Er was er nog een."), &watch).unwrap();
    let kinds = ["opened", "note", "measure", "changed", "contained", "reported", "persons-told", "closed", "reopened"];
    assert_eq!(world.incident_kinds(1), kinds);
    let view = operations.incident(1, &watch).unwrap();
    let by: Vec<&str> = view.entries.iter().map(|entry| entry.by.as_str()).collect();
    assert_eq!((by[0], by[2]), ("watch@operator.example", "command-line"));
    assert_eq!(view.entries[3].text, "severity: high -> medium\npersonal data: unknown -> yes");
    assert_eq!((view.incident.state, view.incident.persons_told_at), (IncidentState::Open, Some(operations.now())));

    let told = world.told_of_incidents();
    let words: Vec<&str> = told.iter().map(|line| line.event.what.word()).collect();
    let noted = ["incident-opened", "incident-noted", "incident-noted", "incident-changed", "incident-changed"];
    let ended = ["incident-reported", "incident-reported", "incident-closed", "incident-reopened"];
    assert_eq!(words, [&noted[..], &ended[..]].concat());
    for line in &told {
        // an administrator of the organisation reads its history; this is not in it
        assert_eq!((&line.event.about.organisation, &line.event.about.delivery), (&None, &None));
        let note = line.event.detail.note.as_deref().unwrap_or_default();
        assert!(note.starts_with("incident 1: ") && !note.contains("straat"), "{note}");
    }
    assert_eq!(told[0].event.who.login, Some(login("watch@operator.example")));
    assert_eq!(world.opened(PersonalData::No), 2, "numbers go up");
}

#[test]
fn what_is_refused_stores_nothing() {
    let world = World::new();
    let number = world.opened(PersonalData::Yes);
    let facts = |change: fn(&mut IncidentFacts)| {
        let mut facts = world.incident_facts(PersonalData::No);
        change(&mut facts);
        facts
    };
    let nobody = facts(|facts| facts.concerned.organisations = vec![org("nobody")]);
    assert_eq!(world.refuses(|to| to.open_incident(nobody, CHANNEL)), Refusal::NotFound(What::Organisation));
    let nothing = facts(|facts| facts.concerned.products = vec![product("nothing")]);
    assert_eq!(world.refuses(|to| to.open_incident(nothing, CHANNEL)), Refusal::NotFound(What::Product));
    let never = facts(|facts| facts.concerned.deliveries = vec![DeliveryId::from_bytes([9; 16])]);
    assert_eq!(world.refuses(|to| to.open_incident(never, CHANNEL)), Refusal::NotFound(What::Delivery));
    let tomorrow = facts(|facts| facts.discovered_at = facts.discovered_at.after(Span::from_days(1)));
    assert!(matches!(world.refuses(|to| to.open_incident(tomorrow, CHANNEL)), Refusal::BadRequest(_)));

    let wrong = |refusal: Refusal| assert!(matches!(refusal, Refusal::WrongState(_)), "{refusal}");
    let change = |change: IncidentChange, seen| move |to: &Operations| to.change_incident(1, change, seen, CHANNEL);
    let gone = IncidentChange { organisations: Some(vec![org("nobody")]), ..IncidentChange::default() };
    assert_eq!(world.refuses(change(gone, None)), Refusal::NotFound(What::Organisation));
    wrong(world.refuses(change(IncidentChange::default(), None)));
    let low = || IncidentChange { severity: Some(Severity::Low), ..IncidentChange::default() };
    wrong(world.refuses(change(low(), Some(0))));
    wrong(world.refuses(|to| to.close_incident(number, &text("klaar"), CHANNEL)));
    wrong(world.refuses(|to| to.reopen_incident(number, &text("toch"), CHANNEL)));
    let soon = Some(world.operations.now().after(Span::from_days(1)));
    let early = world.refuses(|to| to.report_incident(number, line("AP"), soon, CHANNEL));
    assert!(matches!(early, Refusal::BadRequest(_)));
    for missing in [
        world.refuses(|to| to.note_incident(9, &text("x"), false, CHANNEL)),
        world.refuses(|to| to.incident(9, CHANNEL)),
        world.refuses(|to| to.contain_incident(9, &text("x"), CHANNEL)),
    ] {
        assert_eq!(missing, Refusal::NotFound(What::Incident));
    }
    // who is no operator, and a channel that is none
    let allowed = |refusal: Refusal| assert!(matches!(refusal, Refusal::NotAllowed(_)), "{refusal}");
    allowed(world.refuses(|to| to.note_incident(number, &text("x"), false, Channel::Portal)));
    allowed(world.refuses(|to| to.incidents(IncidentsWanted::All, None, Channel::Sftp)));
    allowed(world.refuses(|to| to.incident(number, Channel::Sftp)));

    // once it is closed nothing is added before it is opened again
    world.operations.report_no_incident(number, line("versleuteld"), CHANNEL).unwrap();
    world.operations.close_incident(number, &text("klaar"), CHANNEL).unwrap();
    wrong(world.refuses(|to| to.note_incident(number, &text("x"), true, CHANNEL)));
    wrong(world.refuses(|to| to.contain_incident(number, &text("x"), CHANNEL)));
    wrong(world.refuses(change(low(), None)));
    wrong(world.refuses(|to| to.report_incident(number, line("AP"), None, CHANNEL)));
    wrong(world.refuses(|to| to.tell_persons_of_incident(number, &text("brief"), None, CHANNEL)));
}

#[test]
fn the_operator_is_reminded_a_day_before_the_deadline_and_when_it_is_over() {
    let world = World::new();
    world.opened(PersonalData::No);
    let number = world.opened(PersonalData::Unknown);
    assert_eq!(world.hours_go_by(47), [], "nothing is due yet");
    assert_eq!(world.hours_go_by(1), [(number, false)]);
    assert_eq!(world.hours_go_by(1), [], "once");
    assert_eq!(world.hours_go_by(23), [(number, true)]);
    assert_eq!(world.hours_go_by(999), [], "once");
    world.operations.send_due_mail(100).unwrap();
    let mails = world.mailer.messages();
    let mails: Vec<_> = mails.iter().map(|mail| (mail.to.as_str(), mail.subject.as_str())).collect();
    assert_eq!(mails.len(), 2, "{mails:?}");
    assert!(mails.iter().all(|(to, subject)| *to == "contact@test.example" && subject.starts_with("Incident 2: ")));
    assert!(world.mailer.messages().iter().all(|mail| !mail.text.contains("straat") && !mail.text.contains("kwijt")));
    assert_eq!(world.incident_kinds(number), ["opened", "reminded", "reminded"]);
    let told = world.told_of_incidents();
    let reminded: Vec<_> = told.iter().filter(|line| line.event.what.word() == "incident-reminded").collect();
    assert!(reminded.len() == 2 && reminded.iter().all(|line| line.event.who.login.is_none()));
    assert_eq!(world.operations.incidents(IncidentsWanted::Pending, None, CHANNEL).unwrap().len(), 1);
}

#[test]
fn what_was_decided_is_not_reminded_of_and_another_deadline_is() {
    let world = World::new();
    let (reported, needless, harmless, late) = (
        world.opened(PersonalData::Yes),
        world.opened(PersonalData::Yes),
        world.opened(PersonalData::Unknown),
        world.opened(PersonalData::No),
    );
    world.operations.report_incident(reported, line("AP-1"), None, CHANNEL).unwrap();
    world.operations.report_no_incident(needless, line("versleuteld"), CHANNEL).unwrap();
    let change = |personal_data| IncidentChange { personal_data: Some(personal_data), ..IncidentChange::default() };
    world.operations.change_incident(harmless, change(PersonalData::No), None, CHANNEL).unwrap();
    world.operations.close_incident(harmless, &text("loos alarm"), CHANNEL).unwrap();
    assert_eq!(world.hours_go_by(60), []);
    // found out late: both moments have gone by, one e-mail says so
    world.clock.advance(Span::from_seconds(20 * HOUR));
    world.operations.change_incident(late, change(PersonalData::Yes), None, CHANNEL).unwrap();
    assert_eq!(world.hours_go_by(0), [(late, true)]);
    // it was discovered later than was thought: a deadline of its own
    let discovered_at = Some(world.operations.now());
    let later = IncidentChange { discovered_at, ..IncidentChange::default() };
    world.operations.change_incident(late, later, None, CHANNEL).unwrap();
    assert_eq!(world.hours_go_by(48), [(late, false)]);
    // opened again without a decision: as it was
    world.operations.reopen_incident(harmless, &text("toch niet"), CHANNEL).unwrap();
    assert_eq!(world.hours_go_by(1), []);
    assert_eq!(world.mails(), 2);
}

#[test]
fn without_an_address_the_reminder_is_on_record_and_mailed_to_nobody() {
    let mut settings = settings_of_world();
    settings.sender.contact_mail = String::new();
    let world = World::with(settings);
    let number = world.opened(PersonalData::Yes);
    assert_eq!(world.hours_go_by(50), [(number, false)]);
    assert_eq!(world.mails(), 0);
    let told = world.told_of_incidents();
    let note = told.last().unwrap().event.detail.note.clone().unwrap();
    assert!(note.contains("contact_mail"), "{note}");
}

#[test]
fn the_list_is_filtered_paged_and_newest_first() {
    let world = World::new();
    for _ in 0..5 {
        world.opened(PersonalData::No);
    }
    world.operations.contain_incident(2, &text("x"), CHANNEL).unwrap();
    world.operations.close_incident(3, &text("x"), CHANNEL).unwrap();
    let listed = |wanted, after| {
        let rows = world.operations.incidents(wanted, after, CHANNEL).unwrap();
        rows.iter().map(|row| row.number).collect::<Vec<_>>()
    };
    assert_eq!(listed(IncidentsWanted::All, None), [5, 4, 3, 2, 1]);
    assert_eq!(listed(IncidentsWanted::All, Some(3)), [2, 1]);
    assert_eq!(listed(IncidentsWanted::Open, None), [5, 4, 2, 1]);
    assert_eq!(listed(IncidentsWanted::Contained, None), [2]);
    assert_eq!(listed(IncidentsWanted::Closed, None), [3]);
    assert_eq!(listed(IncidentsWanted::Pending, None), Vec::<u32>::new());
    // pages of two, filtered: each goes on where the last ended
    let small = world.restarted_with(|settings| settings.max_page = 2);
    let (mut found, mut after) = (Vec::new(), None);
    while let rows @ [_, ..] = &small.incidents(IncidentsWanted::Open, after, CHANNEL).unwrap()[..] {
        after = rows.last().map(|row| row.number);
        found.extend(rows.iter().map(|row| row.number));
    }
    assert_eq!(found, [5, 4, 2, 1]);
}

#[test]
fn notes_are_bounded_and_it_can_be_closed_all_the_same() {
    let world = World::new();
    let number = world.opened(PersonalData::No);
    for _ in 1..MOST_NOTES {
        world.operations.note_incident(number, &text("x"), false, CHANNEL).unwrap();
    }
    let many = world.refuses(|to| to.note_incident(number, &text("x"), false, CHANNEL));
    assert!(matches!(many, Refusal::TooMuch(_)), "{many}");
    for _ in 0..(MOST_ENTRIES - MOST_NOTES) / 2 {
        world.operations.close_incident(number, &text("klaar"), CHANNEL).unwrap();
        world.operations.reopen_incident(number, &text("toch"), CHANNEL).unwrap();
    }
    let many = world.refuses(|to| to.close_incident(number, &text("klaar"), CHANNEL));
    assert!(matches!(many, Refusal::TooMuch(_)), "{many}");
    let view = world.operations.incident(number, CHANNEL).unwrap();
    assert_eq!(view.entries.len(), usize::try_from(MOST_ENTRIES).unwrap());
    assert_eq!(view.entries.last().map(|entry| entry.kind), Some(EntryKind::Reopened));
}

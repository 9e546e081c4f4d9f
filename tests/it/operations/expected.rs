//! The calendar of participant files (M19, domain §4.5): a reminder before the day, word of a day that went by, and
//! what counts. The world begins on Monday 2026-11-23 at 10:00. Each refusal also shows that nothing was stored.

use postkluis::domain::block::EndReason;
use postkluis::domain::expected_upload::{ExpectedState, Rhythm};
use postkluis::domain::history::HistoryLine;
use postkluis::domain::interruption::Reach;
use postkluis::domain::restriction::{Restricted, Service};
use postkluis::domain::verdict::{CheckFault, CheckVerdict};
use postkluis::operations::{ExpectedView, NewExpectation, NewInterruption, ServiceEnd, StandingChange};

use super::*;

const HOUR: Span = Span::from_seconds(3_600);
const DAY: Span = Span::from_days(1);

fn expectation(every: &str, remind_days: u32) -> NewExpectation {
    let rhythm = Rhythm::parse(every).unwrap();
    NewExpectation { organisation: org("one"), product: product("intake"), rhythm, remind_days }
}

impl World {
    fn expecting(every: &str, remind_days: u32) -> Self {
        let world = Self::with_dropbox();
        world.operations.expect_uploads(expectation(every, remind_days), CHANNEL).unwrap();
        world
    }

    fn days_go_by(&self, span: Span) -> usize {
        self.wait(span);
        self.operations.judge_expected_uploads().unwrap()
    }

    fn expected(&self) -> ExpectedView {
        self.operations.expected_uploads(Some(&org("one")), None).unwrap().pop().unwrap()
    }

    fn told_of_expected(&self) -> Vec<HistoryLine> {
        let query = HistoryQuery { limit: 1_000, ..HistoryQuery::default() };
        let lines = self.operations.history(&query).unwrap().into_iter();
        let words = ["upload-reminded", "upload-missing", "upload-came-in-time", "upload-not-expected"];
        lines.filter(|line| words.contains(&line.event.what.word())).collect()
    }

    fn words(&self) -> Vec<&'static str> {
        self.told_of_expected().iter().map(|line| line.event.what.word()).collect()
    }

    /// Subjects and readers of the mails of the calendar, sent now.
    fn mailed(&self) -> Vec<(String, String)> {
        self.operations.send_due_mail(100).unwrap();
        let messages = self.mailer.messages().into_iter().filter(|mail| !mail.subject.contains("Ontvangst"));
        messages.map(|mail| (mail.subject, mail.to.to_string())).collect()
    }
}

#[test]
fn who_is_to_deliver_is_reminded_and_told_when_nothing_came() {
    let world = World::expecting("weekly:thu", 2);
    let shown = world.expected();
    assert_eq!((shown.day.as_str(), shown.state), ("2026-11-26", ExpectedState::Waiting));
    assert_eq!(world.days_go_by(HOUR), 0, "nothing is due yet");
    // two days before the day, as that begins
    assert_eq!(world.days_go_by(Span::from_seconds(13 * 3_600)), 1);
    assert_eq!(world.days_go_by(HOUR), 0, "once");
    assert_eq!(world.words(), ["upload-reminded"]);
    let mut readers = world.mailed();
    readers.sort();
    let subject = || "Aanlevering verwacht op 2026-11-26".to_owned();
    assert_eq!(readers, [(subject(), "owner@one.example".to_owned()), (subject(), "second@one.example".to_owned())]);
    // the day goes by
    assert_eq!(world.days_go_by(Span::from_days(3)), 1);
    assert_eq!(world.days_go_by(HOUR), 0, "once");
    assert_eq!(world.words(), ["upload-reminded", "upload-missing"]);
    let missing =
        world.mailed().into_iter().filter(|(subject, _)| subject.contains("niet ontvangen: intake (2026-11-26)"));
    assert_eq!(missing.count(), 2);
    let shown = world.expected();
    assert_eq!((shown.day.as_str(), shown.state, shown.expected.missed), ("2026-12-03", ExpectedState::Missing, 1));
    for line in world.told_of_expected() {
        assert_eq!(line.event.about.organisation, Some(org("one")));
        assert_eq!(line.event.who.login, None, "what the server does by itself names nobody");
    }
}

#[test]
fn what_came_in_time_is_on_record_and_tells_nobody() {
    let world = World::expecting("weekly:thu", 2);
    world.put(&world.caller("one"), "a.csv", b"hello").unwrap();
    assert!(matches!(world.expected().state, ExpectedState::Received(..)));
    let before = world.mails();
    assert_eq!(world.days_go_by(Span::from_days(2)), 1, "the reminder is judged");
    assert_eq!(world.days_go_by(Span::from_days(2)), 1, "and the day");
    assert_eq!(world.words(), ["upload-reminded", "upload-came-in-time"]);
    assert_eq!(world.mails(), before);
    let shown = world.expected();
    assert_eq!((shown.state, shown.expected.missed), (ExpectedState::Waiting, 0), "it stands for its day alone");
    assert_eq!(shown.day, "2026-12-03");
}

#[test]
fn another_product_another_organisation_and_what_was_rejected_do_not_count() {
    let world = World::expecting("weekly:thu", 0);
    world.put(&world.caller("two"), "theirs.csv", b"of the other").unwrap();
    let fault = CheckFault { line: 1, column: 0, code: "no-header".to_owned() };
    world.checker.script(CheckVerdict::rejected(Vec::new(), vec![fault], 1));
    world.put(&world.caller("one"), "a.csv", b"no header").unwrap();
    world.wait(Span::from_seconds(6));
    world.operations.advance_intake().unwrap();
    assert_eq!(world.expected().state, ExpectedState::Waiting);
    assert_eq!(world.days_go_by(Span::from_days(4)), 1);
    assert_eq!(world.words(), ["upload-missing"]);
}

#[test]
fn what_comes_soon_after_a_missed_day_is_late_and_the_next_day_needs_its_own() {
    let world = World::expecting("weekly:thu", 0);
    assert_eq!(world.days_go_by(Span::from_days(4)), 1);
    world.put(&world.caller("one"), "late.csv", b"late").unwrap();
    assert!(matches!(world.expected().state, ExpectedState::Late(..)));
    assert_eq!(world.days_go_by(Span::from_days(7)), 1);
    assert_eq!(world.words(), ["upload-missing", "upload-missing"]);
    assert_eq!(world.expected().expected.missed, 2);
    // in the second half it is the next one
    world.wait(Span::from_days(5));
    world.put(&world.caller("one"), "next.csv", b"next").unwrap();
    assert!(matches!(world.expected().state, ExpectedState::Received(..)));
    assert_eq!(world.days_go_by(Span::from_days(2)), 1);
    assert_eq!((world.words().last().copied(), world.expected().expected.missed), (Some("upload-came-in-time"), 0));
}

#[test]
fn who_may_not_deliver_is_not_reproached() {
    let world = World::expecting("weekly:thu", 0);
    let block = StandingChange::Block { reason: line("test"), until: None };
    world.operations.change_organisation_standing(&org("one"), block, CHANNEL).unwrap();
    assert_eq!(world.days_go_by(Span::from_days(5)), 0, "it waits");
    world.operations.change_organisation_standing(&org("one"), StandingChange::Unblock, CHANNEL).unwrap();
    let end = ServiceEnd { service: Service::Deliver, reason: EndReason::SpecialCircumstances, note: None };
    world.operations.end_service(Restricted::Organisation(org("one")), end, CHANNEL).unwrap();
    assert_eq!(world.days_go_by(HOUR), 0);
    let subject = Restricted::Organisation(org("one"));
    world.operations.restore_service(subject, Service::Deliver, CHANNEL).unwrap();
    let now = world.operations.now();
    let shut = NewInterruption {
        reach: Reach::Sftp,
        nature: line("onderhoud"),
        from: None,
        until: now.after(DAY),
        tells_administrators: false,
    };
    let interruption = world.operations.start_interruption(shut, CHANNEL).unwrap();
    assert_eq!(world.days_go_by(HOUR), 0);
    world.operations.end_interruption(Some(interruption.id), CHANNEL).unwrap();
    // what comes before it is judged counts
    world.put(&world.caller("one"), "a.csv", b"hello").unwrap();
    assert_eq!(world.days_go_by(HOUR), 1);
    assert_eq!(world.words(), ["upload-came-in-time"]);
}

#[test]
fn a_server_that_was_off_for_weeks_tells_of_one_day() {
    let world = World::expecting("workdays", 0);
    assert_eq!(world.days_go_by(Span::from_days(21)), 1);
    assert_eq!(world.days_go_by(HOUR), 0);
    assert_eq!(world.words(), ["upload-missing"]);
    assert_eq!(world.expected().day, "2026-12-14", "the day that it is now");
}

#[test]
fn with_the_agreement_it_ends() {
    let world = World::expecting("weekly:thu", 0);
    world.operations.end_agreement(&org("one"), &product("intake"), CHANNEL).unwrap();
    assert_eq!(world.days_go_by(Span::from_days(4)), 1);
    assert_eq!(world.words(), ["upload-not-expected"]);
    assert_eq!(world.operations.expected_uploads(None, None).unwrap(), Vec::new());
    assert_eq!(world.days_go_by(Span::from_days(30)), 0);
}

#[test]
fn with_the_organisation_it_ends() {
    let world = World::expecting("weekly:thu", 0);
    let end = StandingChange::End { reason: None, note: None };
    world.operations.change_organisation_standing(&org("one"), end, CHANNEL).unwrap();
    assert_eq!(world.days_go_by(Span::from_days(4)), 1);
    assert_eq!(world.words(), ["upload-not-expected"]);
    assert_eq!(world.operations.expected_uploads(None, None).unwrap(), Vec::new());
}

#[test]
fn it_is_set_anew_and_taken_back() {
    let world = World::expecting("weekly:thu", 0);
    world.operations.expect_uploads(expectation("monthly:31", 26), CHANNEL).unwrap();
    let shown = world.expected();
    assert_eq!(shown.day, "2026-11-30", "the last day of a month that has fewer");
    assert_eq!(world.days_go_by(Span::from_days(4)), 0, "the Thursday is no day any more");
    world.operations.expect_no_uploads(&org("one"), &product("intake"), CHANNEL).unwrap();
    assert_eq!(world.operations.expected_uploads(None, None).unwrap(), Vec::new());
    assert_eq!(world.days_go_by(Span::from_days(60)), 0);
    let stored = (world.history().len(), world.mails());
    assert!(matches!(
        refusal(world.operations.expect_no_uploads(&org("one"), &product("intake"), CHANNEL)),
        Refusal::NotFound(_)
    ));
    assert_eq!((world.history().len(), world.mails()), stored);
}

#[test]
fn what_nobody_can_meet_is_refused_and_nothing_stored() {
    let world = World::with_dropbox();
    let stored = (world.history().len(), world.mails());
    let refused = |new: NewExpectation| refusal(world.operations.expect_uploads(new, CHANNEL));
    assert!(matches!(refused(expectation("workdays", 1)), Refusal::BadRequest(_)));
    assert!(matches!(refused(expectation("weekly:mon", 6)), Refusal::BadRequest(_)));
    let no_agreement = NewExpectation { organisation: org("sealed"), ..expectation("weekly:mon", 0) };
    assert!(matches!(refused(no_agreement), Refusal::NotFound(_)));
    let unknown = NewExpectation { organisation: org("nobody"), ..expectation("weekly:mon", 0) };
    assert!(matches!(refused(unknown), Refusal::NotFound(_)));
    let no_uploads = NewExpectation { product: product("daily"), ..expectation("weekly:mon", 0) };
    assert!(matches!(refused(no_uploads), Refusal::WrongState(_)));
    assert_eq!((world.history().len(), world.mails()), stored);
    assert_eq!(world.operations.expected_uploads(None, None).unwrap(), Vec::new());
}

#[test]
fn an_account_sees_what_is_expected_of_what_it_may_deliver() {
    let world = World::expecting("weekly:thu", 0);
    let seen = |code: &str| world.operations.own_expected_uploads(&world.caller(code)).unwrap();
    assert_eq!(seen("one").len(), 1);
    assert_eq!(seen("two"), Vec::new(), "not of another organisation");
    world.operations.decouple(&login("one-robot"), None, &product("intake"), CHANNEL).unwrap();
    assert_eq!(seen("one"), Vec::new(), "nor without a right");
}

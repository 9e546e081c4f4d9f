//! Passkeys over adapters in memory: adding, showing in the place of a code, removing, and what replayed and
//! foreign answers come to (BIO2 5.17.01, M09).

use postkluis::domain::moment::Span;
use postkluis::domain::names::Line;
use postkluis::domain::refusal::{Refusal, What};
use postkluis::operations::PortalVisit;

use super::people::{App, JAN, PASSWORD, from, home};
use super::{World, refusal};

const PIET: &str = "piet@one.example";

fn line(text: &str) -> Line {
    Line::parse(text).unwrap()
}

impl World {
    fn entered(&self, email: &str, app: &App) -> PortalVisit {
        self.pass(Span::from_seconds(30));
        let secret = self.sign_in(email, &app.code(self), &home()).unwrap();
        self.visit(&secret)
    }

    /// Adds a passkey of this device.
    fn add_passkey(&self, visit: &PortalVisit, device: &str) {
        let challenge = self.operations.begin_passkey(visit, line(device), PASSWORD, &home()).unwrap();
        self.operations.finish_passkey(visit, &format!("{device} {challenge}"), &home()).unwrap();
    }

    /// Shows the password, and is asked for a passkey: the sign-in and the challenge.
    fn asked(&self, email: &str) -> (String, Option<String>) {
        let accepted = self.operations.check_password(email, PASSWORD, &home()).unwrap();
        let challenge = self.operations.ask_passkey(&accepted.secret).unwrap();
        (accepted.secret, challenge)
    }
}

#[test]
fn a_passkey_is_added_with_the_password_and_signs_in_beside_it() {
    let world = World::new();
    let (app, _) = world.activate(JAN);
    assert_eq!(world.asked(JAN).1, None, "without one nobody is asked for it");
    let visit = world.entered(JAN, &app);
    let before = (world.history(), world.mails());
    let wrong = world.operations.begin_passkey(&visit, line("phone"), "not the password", &home());
    assert_eq!(refusal(wrong), Refusal::NotSignedIn);
    let challenge = world.operations.begin_passkey(&visit, line("phone"), PASSWORD, &home()).unwrap();
    assert_eq!(refusal(world.operations.finish_passkey(&visit, "phone 999", &home())), Refusal::WrongCode);
    let again = world.operations.finish_passkey(&visit, &format!("phone {challenge}"), &home());
    assert!(matches!(refusal(again), Refusal::WrongState(_)), "a challenge is answered once, right or wrong");
    let challenge = world.operations.begin_passkey(&visit, line("phone"), PASSWORD, &home()).unwrap();
    world.pass(Span::from_seconds(300));
    let late = world.operations.finish_passkey(&visit, &format!("phone {challenge}"), &home());
    assert!(matches!(refusal(late), Refusal::WrongState(_)), "nor too late");
    assert_eq!((world.history(), world.mails()), before, "nothing was stored or mailed");

    world.add_passkey(&visit, "phone");
    let own = world.operations.own_passkeys(&visit).unwrap();
    assert_eq!((own.len(), own[0].name.as_str(), own[0].last_used_at), (1, "phone", None));
    assert_eq!(world.told("passkey-added")[0].event.detail.note.as_deref(), Some("phone"));
    world.operations.send_due_mail(10).unwrap();
    assert!(world.mailer.messages().last().unwrap().text.contains("er is een passkey toegevoegd"), "M09");

    let (secret, challenge) = world.asked(JAN);
    let answer = format!("phone {}", challenge.unwrap());
    let session = world.operations.finish_sign_in_with_passkey(&secret, &answer, &home()).unwrap();
    assert_eq!(world.visit(&session).assurance.word(), "password-and-passkey");
    assert!(world.operations.own_passkeys(&visit).unwrap()[0].last_used_at.is_some());
    let told = world.told("signed-in");
    assert_eq!(told.last().unwrap().event.who.credential.as_deref(), Some("password-and-passkey"));
    // the code goes on to work: nobody needs a script
    world.entered(JAN, &app);
}

#[test]
fn answers_that_were_seen_or_are_of_others_open_nothing() {
    let world = World::new();
    let (app, _) = world.activate(JAN);
    let (piet_app, _) = world.activate(PIET);
    let (jan, piet) = (world.entered(JAN, &app), world.entered(PIET, &piet_app));
    world.add_passkey(&jan, "phone");
    world.add_passkey(&piet, "tablet");
    world.guesses_from_afar();
    let finish = |secret: &str, answer: &str| world.operations.finish_sign_in_with_passkey(secret, answer, &home());
    // one credential belongs to one account
    let challenge = world.operations.begin_passkey(&piet, line("stolen"), PASSWORD, &home()).unwrap();
    let taken = refusal(world.operations.finish_passkey(&piet, &format!("phone {challenge}"), &home()));
    assert!(matches!(taken, Refusal::Exists(What::Passkey, _)), "{taken:?}");
    // replayed, of another account, of an older challenge, without a password
    let (secret, challenge) = world.asked(JAN);
    let answer = format!("phone {}", challenge.unwrap());
    finish(&secret, &answer).unwrap();
    assert_eq!(refusal(finish(&secret, &answer)), Refusal::NotSignedIn, "the sign-in is over");
    let (secret, challenge) = world.asked(JAN);
    assert_eq!(refusal(finish(&secret, &answer)), Refusal::WrongCode, "an answer to another challenge");
    let now = format!("phone {}", challenge.unwrap());
    assert_eq!(refusal(finish(&secret, &now)), Refusal::WrongCode, "a wrong answer spends the challenge");
    let (secret, challenge) = world.asked(JAN);
    let newer = world.operations.ask_passkey(&secret).unwrap().unwrap();
    let older = refusal(finish(&secret, &format!("phone {}", challenge.unwrap())));
    assert_eq!(older, Refusal::WrongCode, "the page was asked for anew: {newer}");
    let (secret, challenge) = world.asked(PIET);
    let foreign = refusal(finish(&secret, &format!("phone {}", challenge.unwrap())));
    assert_eq!(foreign, Refusal::WrongCode, "the passkey of somebody else");
    assert_eq!(world.operations.ask_passkey("made up").unwrap(), None);
    assert_eq!(refusal(finish("made up", "phone 1")), Refusal::NotSignedIn);
    assert_eq!(world.told("signed-in").len(), 3);
}

impl World {
    /// Wrong passkeys wait as wrong codes do, where they are shown, and keep nobody else out.
    fn guesses_from_afar(&self) {
        let thief = from("198.51.100.7");
        let accepted = self.operations.check_password(JAN, PASSWORD, &thief).unwrap();
        for _ in 0..3 {
            let challenge = self.operations.ask_passkey(&accepted.secret).unwrap();
            assert!(challenge.is_some());
            let _ = self.operations.finish_sign_in_with_passkey(&accepted.secret, "thief 1", &thief);
        }
        let waits = self.operations.finish_sign_in_with_passkey(&accepted.secret, "thief 1", &thief);
        assert!(matches!(refusal(waits), Refusal::TriedTooOften { .. }));
        assert!(self.operations.check_password(JAN, PASSWORD, &home()).is_ok(), "at home the owner goes on");
    }
}

#[test]
fn a_passkey_that_was_removed_opens_nothing_and_there_are_few() {
    let world = World::new();
    let (app, _) = world.activate(JAN);
    let visit = world.entered(JAN, &app);
    for number in 0..10 {
        world.add_passkey(&visit, &format!("device{number}"));
    }
    let beyond = world.operations.begin_passkey(&visit, line("one more"), PASSWORD, &home());
    assert!(matches!(refusal(beyond), Refusal::TooMuch(_)));
    let (secret, challenge) = world.asked(JAN);
    let own = world.operations.own_passkeys(&visit).unwrap();
    let gone = own.iter().find(|one| one.name.as_str() == "device3").unwrap().id;
    assert_eq!(refusal(world.operations.remove_passkey(&visit, gone, "wrong one", &home())), Refusal::NotSignedIn);
    world.operations.remove_passkey(&visit, gone, PASSWORD, &home()).unwrap();
    let late =
        world.operations.finish_sign_in_with_passkey(&secret, &format!("device3 {}", challenge.unwrap()), &home());
    assert_eq!(refusal(late), Refusal::WrongCode, "removed while it was being shown");
    assert_eq!(
        refusal(world.operations.remove_passkey(&visit, gone, PASSWORD, &home())),
        Refusal::NotFound(What::Passkey)
    );
    let (piet_app, _) = world.activate(PIET);
    let piet = world.entered(PIET, &piet_app);
    let foreign = world.operations.remove_passkey(&piet, own[0].id, PASSWORD, &home());
    assert_eq!(refusal(foreign), Refusal::NotFound(What::Passkey), "nobody sees or removes those of others");
    assert_eq!((world.told("passkey-added").len(), world.told("passkey-removed").len()), (10, 1));
    // the credential is free again
    world.add_passkey(&visit, "device3");
}

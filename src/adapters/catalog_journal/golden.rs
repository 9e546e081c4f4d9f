//! Golden bytes of whole records: form 0, plain, and form 1, sealed. A difference
//! means that journals on disk can no longer be read.

use super::bodies::{Body, Opener};
use super::layout::{BODY_PLAIN, BODY_SEALED, Entry};
use crate::domain::bodies::{BodyClass, BodyKey, BodySlot};
use crate::domain::history::{About, Channel, Event, Happening, Who};
use crate::domain::ids::DeliveryId;
use crate::domain::moment::Moment;
use crate::domain::names::{LoginName, OrganisationCode};
use crate::ports::bodies::{BodyBinding, BodySeal, OpenedBody};
use crate::ports::failure::{Failure, Fault};

const GOLDEN: &str = include_str!("../../../fixtures/catalog/v1/records.txt");
const AT: Moment = Moment::from_millis(1_790_000_000_000);
const PREVIOUS: [u8; 32] = [7; 32];

/// A seal that any test can undo: the place, then each byte turned round.
struct Turned;

impl BodySeal for Turned {
    fn slot_for(&self, class: BodyClass, _at: Moment) -> Result<(BodySlot, Moment), Failure> {
        Ok((BodySlot::new(class, 2026, 9)?, AT))
    }

    fn seal(&self, _slot: BodySlot, binding: BodyBinding, plain: &[u8]) -> Result<Vec<u8>, Failure> {
        Ok(binding.to_bytes().into_iter().chain(plain.iter().map(|byte| !byte)).collect())
    }

    fn open(&self, _slot: BodySlot, binding: BodyBinding, sealed: &[u8]) -> Result<OpenedBody, Fault> {
        let rest = sealed.strip_prefix(binding.to_bytes().as_slice()).ok_or_else(|| Fault::new("another place"))?;
        Ok(OpenedBody::Plain(rest.iter().map(|byte| !byte).collect()))
    }
}

fn events() -> Vec<Event> {
    let who = Who { login: Some(LoginName::parse("robot-1").unwrap()), ..Who::operator(Channel::Sftp) };
    let about = |code: &str| About {
        organisation: Some(OrganisationCode::parse(code).unwrap()),
        delivery: Some(DeliveryId::from_bytes([3; 16])),
        ..About::default()
    };
    let own = Who { organisation: about("gemeente").organisation, ..who.clone() };
    vec![
        Event::new(Happening::FetchStarted, own.clone(), about("gemeente")),
        Event::new(Happening::SlotDestroyed, Who::system(), About::default()).with_note("dag"),
        Event::new(Happening::SignedIn, who, About::default()),
        Event::new(Happening::FetchEnded, own, about("andere")).with_bytes(12),
    ]
}

fn entry(body: Body) -> Entry {
    Entry { sequence: 9, at: AT, first_event: 21, body, changes: vec![(vec![41], Some(vec![1, 2])), (vec![20], None)] }
}

fn records() -> [String; 2] {
    let plain = Body::plain(&events()).unwrap();
    let (sealed, slots) = Body::sealed(&events(), 9, AT, &Turned).unwrap();
    assert_eq!((plain.form, sealed.form, slots.len()), (BODY_PLAIN, BODY_SEALED, 2));
    [plain, sealed].map(|body| data_encoding::HEXLOWER.encode(&entry(body).encode(&PREVIOUS).unwrap()))
}

fn golden() -> Vec<&'static str> {
    GOLDEN.lines().filter(|line| !line.starts_with('#')).collect()
}

#[test]
fn records_are_written_as_ever() {
    assert_eq!(records().as_slice(), golden());
}

#[test]
fn records_of_both_forms_read_back() {
    let none = |_: BodySlot| -> Result<Option<BodyKey>, Fault> { Ok(None) };
    let opener = Opener { seal: Some(&Turned), on_record: &none };
    let mut marks = Vec::new();
    for line in golden() {
        let bytes = data_encoding::HEXLOWER.decode(line.as_bytes()).unwrap();
        let (read, previous) = Entry::decode(&bytes).unwrap();
        assert_eq!(previous, PREVIOUS);
        assert_eq!(opener.events(read.body.form, &read.body.bytes, read.sequence).unwrap(), events());
        assert_eq!(entry(read.body.clone()), read);
        marks.push(read.body.marks);
    }
    assert_eq!(marks.len(), 2);
    assert_eq!(marks.first(), marks.last(), "the index needs no key");
}

#[test]
fn a_body_in_another_place_does_not_open() {
    let none = |_: BodySlot| -> Result<Option<BodyKey>, Fault> { Ok(None) };
    let opener = Opener { seal: Some(&Turned), on_record: &none };
    let (sealed, _) = Body::sealed(&events(), 9, AT, &Turned).unwrap();
    assert!(opener.events(sealed.form, &sealed.bytes, 10).is_err());
    assert!(Body::read(7, &sealed.bytes).is_err());
}

#[test]
fn numbers_skip_ahead_with_a_restore_in_either_form() {
    let mut events = events();
    events.insert(0, Event::new(Happening::BackupRestored, Who::operator(Channel::CommandLine), About::default()));
    for body in [Body::plain(&events).unwrap(), Body::sealed(&events, 9, AT, &Turned).unwrap().0] {
        assert!(body.skips_ahead);
        assert_eq!(Body::read(body.form, &body.bytes).unwrap(), body);
    }
}

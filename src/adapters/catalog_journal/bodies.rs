//! The events of a record: which of them are sealed under which key, what stays
//! plain so that the index can be built without any key, and reading them again.
//! Form 0 is plain; form 1 holds groups of events, each sealed for its class and month.

use super::disk;
use super::layout::{BODY_PLAIN, BODY_SEALED};
use crate::domain::bodies::{BodyClass, BodyKey, BodySlot};
use crate::domain::history::{Event, Happening, destroyed};
use crate::domain::ids::DeliveryId;
use crate::domain::moment::Moment;
use crate::domain::names::OrganisationCode;
use crate::ports::bodies::{BodyBinding, BodySeal, OpenedBody};
use crate::ports::failure::{Failure, Fault};

/// What the index needs of an event, and what is left of it when its key is gone: organisations and delivery,
/// never a person.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Mark {
    /// The organisation that it is about.
    pub(super) about: Option<OrganisationCode>,
    /// The organisation that acted.
    pub(super) who: Option<OrganisationCode>,
    /// The delivery.
    pub(super) delivery: Option<DeliveryId>,
}

/// Events under one key, or plain ones.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Group {
    /// The key; `None`: plain.
    pub(super) slot: Option<BodySlot>,
    /// The events, as `disk::encode_events` gives them, sealed unless plain.
    pub(super) bytes: Vec<u8>,
}

/// What form 1 holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Grouped {
    /// Numbers of events skip ahead with this record.
    pub(super) skips_ahead: bool,
    /// Each event in order: its group, and its mark.
    pub(super) marks: Vec<(u32, Mark)>,
    /// The groups; each holds its events in order.
    pub(super) groups: Vec<Group>,
}

/// The events of one record, as they lie in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Body {
    /// The form.
    pub(super) form: u8,
    /// One for each event, in order.
    pub(super) marks: Vec<Mark>,
    /// Numbers of events skip ahead with this record: a restore.
    pub(super) skips_ahead: bool,
    /// What the form says that they are.
    pub(super) bytes: Vec<u8>,
}

/// Keys that a body lies under, and when their months end.
pub(super) type Slots = Vec<(BodySlot, Moment)>;

impl Mark {
    fn of(event: &Event) -> Self {
        let (about, who) = (event.about.organisation.clone(), event.who.organisation.clone());
        Self { who: who.filter(|who| about.as_ref() != Some(who)), about, delivery: event.about.delivery }
    }
}

impl Body {
    /// A plain body.
    pub(super) fn plain(events: &Vec<Event>) -> Result<Self, Fault> {
        let bytes = disk::encode_events(events)?;
        let (marks, skips_ahead) = (events.iter().map(Mark::of).collect(), skips_ahead(events));
        Ok(Self { form: BODY_PLAIN, marks, skips_ahead, bytes })
    }

    /// The body of the events of decision `sequence`, sealed where they are personal, and the keys it lies under.
    pub(super) fn sealed(
        events: &Vec<Event>,
        sequence: u64,
        at: Moment,
        seal: &dyn BodySeal,
    ) -> Result<(Self, Slots), Failure> {
        let mut groups: Vec<(Option<BodyClass>, Vec<Event>)> = Vec::new();
        let mut marks = Vec::with_capacity(events.len());
        for event in events {
            let class = BodyClass::of(event);
            let place = groups.iter().position(|(own, _)| *own == class).unwrap_or(groups.len());
            match groups.get_mut(place) {
                Some((_, group)) => group.push(event.clone()),
                None => groups.push((class, vec![event.clone()])),
            }
            marks.push((number_of(place)?, Mark::of(event)));
        }
        if groups.iter().all(|(class, _)| class.is_none()) {
            return Ok((Self::plain(events)?, Slots::new()));
        }
        let mut slots = Slots::new();
        let mut sealed = Vec::with_capacity(groups.len());
        for (place, (class, events)) in groups.into_iter().enumerate() {
            let plain = disk::encode_events(&events)?;
            sealed.push(match class {
                None => Group { slot: None, bytes: plain },
                Some(class) => {
                    let (slot, closes_at) = seal.slot_for(class, at)?;
                    slots.push((slot, closes_at));
                    let binding = BodyBinding::Events { sequence, group: number_of(place)? };
                    Group { slot: Some(slot), bytes: seal.seal(slot, binding, &plain)? }
                }
            });
        }
        let grouped = Grouped { skips_ahead: skips_ahead(events), marks, groups: sealed };
        Ok((Self::grouped(grouped)?, slots))
    }

    fn grouped(grouped: Grouped) -> Result<Self, Fault> {
        let bytes = disk::encode_grouped(&grouped)?;
        let marks = grouped.marks.into_iter().map(|(_, mark)| mark).collect();
        Ok(Self { form: BODY_SEALED, marks, skips_ahead: grouped.skips_ahead, bytes })
    }

    /// Takes a body of this form; no key is needed. `Err` says what is wrong.
    pub(super) fn read(form: u8, bytes: &[u8]) -> Result<Self, String> {
        let said = |fault: Fault| fault.to_string();
        match form {
            BODY_PLAIN => {
                let events = disk::decode_events(bytes).map_err(said)?;
                let (marks, skips_ahead) = (events.iter().map(Mark::of).collect(), skips_ahead(&events));
                Ok(Self { form, marks, skips_ahead, bytes: bytes.to_vec() })
            }
            BODY_SEALED => {
                let Grouped { skips_ahead, marks, .. } = disk::decode_grouped(bytes).map_err(said)?;
                let marks = marks.into_iter().map(|(_, mark)| mark).collect();
                Ok(Self { form, marks, skips_ahead, bytes: bytes.to_vec() })
            }
            _ => Err(format!("its event body has the unknown form {form}")),
        }
    }
}

/// Opens bodies for whoever reads the history.
pub(super) struct Opener<'a> {
    /// The keys; `None` where bodies are plain.
    pub(super) seal: Option<&'a dyn BodySeal>,
    /// What is on record of a key.
    pub(super) on_record: &'a dyn Fn(BodySlot) -> Result<Option<BodyKey>, Fault>,
}

/// What an event in a group was, or that it is gone.
enum Told {
    Events(std::vec::IntoIter<Event>),
    Gone(BodySlot, Option<Moment>),
}

impl Opener<'_> {
    /// The events of a body of decision `sequence`. Those whose key was destroyed on record are told as such; a key
    /// that is lost is an alarm.
    pub(super) fn events(&self, form: u8, bytes: &[u8], sequence: u64) -> Result<Vec<Event>, Fault> {
        if form == BODY_PLAIN {
            return disk::decode_events(bytes);
        }
        let short = || Fault::new("its groups do not hold the events that it says");
        let Grouped { marks, groups, .. } = disk::decode_grouped(bytes)?;
        let mut told = Vec::with_capacity(groups.len());
        for (place, group) in groups.into_iter().enumerate() {
            told.push(self.told(group, BodyBinding::Events { sequence, group: number_of(place)? })?);
        }
        let mut events = Vec::with_capacity(marks.len());
        for (group, mark) in marks {
            let group = usize::try_from(group).ok().and_then(|group| told.get_mut(group)).ok_or_else(short)?;
            events.push(match group {
                Told::Events(events) => events.next().ok_or_else(short)?,
                Told::Gone(slot, at) => {
                    destroyed(slot.class().word(), &slot.month_text(), (mark.about, mark.who, mark.delivery), *at)
                }
            });
        }
        Ok(events)
    }

    fn told(&self, group: Group, binding: BodyBinding) -> Result<Told, Fault> {
        let Some(slot) = group.slot else {
            return Ok(Told::Events(disk::decode_events(&group.bytes)?.into_iter()));
        };
        let seal = self.seal.ok_or_else(|| Fault::new("it is sealed, and no keys were given"))?;
        match seal.open(slot, binding, &group.bytes)? {
            OpenedBody::Plain(plain) => Ok(Told::Events(disk::decode_events(&plain)?.into_iter())),
            OpenedBody::Destroyed => Ok(Told::Gone(slot, (self.on_record)(slot)?.and_then(|row| row.destroyed_at))),
            OpenedBody::Missing => match (self.on_record)(slot)? {
                Some(BodyKey { destroyed_at: Some(at), .. }) => Ok(Told::Gone(slot, Some(at))),
                _ => Err(Fault::new(format!(
                    "ALARM: the key keys/bodies/{slot} is missing and its destruction is not on record; \
                     restore it from the newest shred-keys.age"
                ))),
            },
        }
    }
}

fn skips_ahead(events: &[Event]) -> bool {
    events.first().is_some_and(|event| event.what == Happening::BackupRestored)
}

fn number_of(place: usize) -> Result<u32, Fault> {
    u32::try_from(place).map_err(|error| Fault::from_error("count the groups of events", error))
}

//! The end of a delivery inside a decision: names and headers go, payloads that
//! lost their last header are doomed, holders of a right are told. Decides nothing.

use std::collections::BTreeMap;

use super::Failure;
use super::mandates::has_force;
use super::post::{Notice, Post, addressed};
use super::send_notices::mail_id;
use crate::domain::account::Account;
use crate::domain::block::Access;
use crate::domain::decision::Decision;
use crate::domain::delivery::{Availability, DeliveredFile, Delivery, OutboxEntry, Payload, SealedHeader};
use crate::domain::history::{About, Event, Happening, Who};
use crate::domain::ids::PayloadId;
use crate::domain::moment::Moment;
use crate::domain::names::FileName;
use crate::domain::notice::NoticeKind;
use crate::domain::packing_slip;
use crate::domain::record::{DoomedPayload, RightHolder, WindowEnd};
use crate::domain::refusal::Refusal;
use crate::domain::sign_off::SignOff;
use crate::ports::catalog::CatalogView;

/// One product of one recipient notifies at most so many accounts.
const MOST_HOLDERS: usize = 1_000;

/// What a delivery is about, for its events.
pub(super) fn about(delivery: &Delivery) -> About {
    About {
        organisation: Some(delivery.organisation.clone()),
        product: Some(delivery.product.clone()),
        publication: Some(delivery.publication),
        delivery: Some(delivery.id),
        ..About::default()
    }
}

pub(super) fn is_living(delivery: &Delivery) -> bool {
    matches!(delivery.availability, Availability::Available | Availability::Held { .. })
}

pub(super) fn ended(delivery: &Delivery) -> Refusal {
    Refusal::WrongState(format!("the delivery is {} already", delivery.availability.word()))
}

pub(super) fn refuse_ended(delivery: &Delivery) -> Result<(), Refusal> {
    if is_living(delivery) { Ok(()) } else { Err(ended(delivery)) }
}

/// Ends deliveries with one event each, inside a decision that exists already.
pub(super) fn end_deliveries(
    view: &dyn CatalogView,
    mut decision: Decision,
    ending: Vec<(Delivery, Availability)>,
    what: Happening,
    who: &Who,
) -> Result<Decision, Failure> {
    for (delivery, _) in &ending {
        decision = decision.and(Event::new(what, who.clone(), about(delivery)));
    }
    undo(view, decision, ending)
}

/// Takes names, headers and what was signed off of deliveries away and sets how they ended. Payloads that lose
/// their last header are doomed.
pub(super) fn undo(
    view: &dyn CatalogView,
    mut decision: Decision,
    ending: Vec<(Delivery, Availability)>,
) -> Result<Decision, Failure> {
    let mut payloads = BTreeMap::new();
    for (mut delivery, availability) in ending {
        for entry in entries_of(view, &delivery)? {
            decision = decision.remove(OutboxEntry::key_of(&entry.organisation, &entry.product, &entry.name));
        }
        for signed_off in view.rows::<SignOff>(&SignOff::keys_of(delivery.id), None, MOST_HOLDERS)? {
            decision = decision.remove(SignOff::key_of(delivery.id, &signed_off.login));
        }
        decision = decision.remove(WindowEnd::key_of(delivery.available_until, delivery.id));
        decision = drop_headers(view, decision, &delivery, &mut payloads)?;
        delivery.availability = availability;
        decision = decision.put(delivery);
    }
    Ok(doom(decision, payloads))
}

/// Removes the headers of one delivery; `payloads` collects the counts over several.
pub(super) fn drop_headers(
    view: &dyn CatalogView,
    mut decision: Decision,
    delivery: &Delivery,
    payloads: &mut BTreeMap<PayloadId, Payload>,
) -> Result<Decision, Failure> {
    let most = delivery.file_count as usize;
    for file in view.rows::<DeliveredFile>(&DeliveredFile::keys_of(delivery.id), None, most)? {
        let key = SealedHeader::key_of(file.payload, delivery.id);
        if view.find(&key)?.is_none() {
            continue;
        }
        decision = decision.remove(key);
        if let Some(payload) = payloads.get_mut(&file.payload) {
            payload.headers = payload.headers.saturating_sub(1);
        } else if let Some(mut payload) = view.row::<Payload>(&Payload::key_of(file.payload))? {
            payload.headers = payload.headers.saturating_sub(1);
            payloads.insert(file.payload, payload);
        }
    }
    Ok(decision)
}

/// Writes the new counts; at 0 a payload is doomed and never used again (I7).
pub(super) fn doom(mut decision: Decision, payloads: BTreeMap<PayloadId, Payload>) -> Decision {
    for (id, payload) in payloads {
        if payload.headers == 0 {
            decision = decision.put(DoomedPayload { payload: id });
        }
        decision = decision.put(payload);
    }
    decision
}

/// The outbox entries that still bear this delivery.
pub(super) fn entries_of(view: &dyn CatalogView, delivery: &Delivery) -> Result<Vec<OutboxEntry>, Failure> {
    let most = delivery.file_count as usize;
    let files = view.rows::<DeliveredFile>(&DeliveredFile::keys_of(delivery.id), None, most)?;
    let own = [packing_slip::slip_name(delivery), packing_slip::digest_list_name(delivery)];
    let mut names: Vec<FileName> = files.into_iter().map(|file| file.name).collect();
    for name in own {
        names.push(FileName::parse(&name)?);
    }
    let mut entries = Vec::new();
    for name in names {
        let key = OutboxEntry::key_of(&delivery.organisation, &delivery.product, &name);
        entries.extend(view.row::<OutboxEntry>(&key)?.filter(|entry| entry.delivery == delivery.id));
    }
    Ok(entries)
}

/// One e-mail for each coupled account that may act now.
pub(super) fn notify_holders(
    view: &dyn CatalogView,
    post: &Post,
    mut decision: Decision,
    delivery: &Delivery,
    kind: NoticeKind,
    now: Moment,
) -> Result<Decision, Failure> {
    let prefix = RightHolder::keys_of(&delivery.organisation, &delivery.product);
    for holder in view.rows::<RightHolder>(&prefix, None, MOST_HOLDERS)? {
        let Some(account) = view.row::<Account>(&Account::key_of(&holder.login))? else { continue };
        if account.standing.at(now) != Access::Open
            || !has_force(view, &account, &delivery.organisation, &delivery.product, now)?
        {
            continue;
        }
        let id = mail_id(kind, delivery.id.as_bytes(), account.login.as_str());
        let notice = Notice { id, kind, delivery: Some(delivery.id) };
        let to = addressed(&account, Vec::new());
        decision = post.queue(decision, notice, &to, account.language, now)?;
    }
    Ok(decision)
}

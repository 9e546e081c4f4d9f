//! Commands about deliveries: publish, look, steer.
#![expect(clippy::disallowed_methods, reason = "its socket, and files that the operator names")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::Office;
use super::texts::read_text;
use crate::domain::history::Channel;
use crate::domain::ids::{DeliveryId, PublicationId};
use crate::domain::names::{FileName, Line, LoginName, OrganisationCode, ProductCode};
use crate::domain::refusal::Refusal;
use crate::fronts::cli::{Answer, args};
use crate::fronts::forms;
use crate::fronts::source_file::FileSource;
use crate::operations::{DeliveryFilter, Failure, Offer, OfferedFile, Recipients};

const CHANNEL: Channel = Channel::CommandLine;

pub(super) fn delivery(office: &Office, command: args::Delivery, folder: &Path) -> Result<Answer, Failure> {
    let operations = &office.operations;
    match command {
        args::Delivery::Publish(publish) => self::publish(office, &publish, folder),
        args::Delivery::List { organisation, product, available, after } => {
            let filter = DeliveryFilter {
                organisation: organisation.as_deref().map(OrganisationCode::parse).transpose()?,
                product: product.as_deref().map(ProductCode::parse).transpose()?,
                after: after.as_deref().map(DeliveryId::parse).transpose()?,
                only_available: available,
                limit: usize::MAX,
            };
            let rows = operations.all_deliveries(&filter)?;
            let columns = ["id", "name", "organisation", "progress", "availability", "availableUntil", "fileCount"];
            Ok(Answer::list(rows.iter().map(forms::delivery).collect(), &columns))
        }
        args::Delivery::Show { id } => shown(office, DeliveryId::parse(&id)?),
        args::Delivery::Withdraw { id: Some(id), reason, .. } => {
            let id = DeliveryId::parse(&id)?;
            operations.withdraw(id, &Line::parse(&reason)?, CHANNEL)?;
            shown(office, id)
        }
        args::Delivery::Withdraw { publication, reason, .. } => {
            let text = publication.unwrap_or_default();
            let count =
                operations.withdraw_publication(PublicationId::parse(&text)?, &Line::parse(&reason)?, CHANNEL)?;
            Ok(Answer::said(format!("withdrew {count} deliveries"), json!({ "publication": text, "withdrawn": count })))
        }
        args::Delivery::Replace { id, files } => {
            let id = DeliveryId::parse(&id)?;
            let old = operations.any_delivery(id)?.delivery;
            let offer = Offer {
                source_key: new_source_key(None),
                product: old.product,
                recipients: Recipients::Listed(vec![old.organisation]),
                files: offered(&files, None, folder)?,
                period: old.period,
                counts: Vec::new(),
                sequence: None,
                replaces: Some(id),
                skip_unready: false,
                channel: CHANNEL,
            };
            let published = operations.replace(id, offer)?;
            Ok(Answer::one(forms::published(&published)))
        }
        args::Delivery::Extend { id, until } => {
            let id = DeliveryId::parse(&id)?;
            // The last day is given: any moment of it is extended to the midnight that closes it.
            let until = office.from(&until).or_else(|_| office.until(&until))?;
            operations.extend(id, until, CHANNEL)?;
            shown(office, id)
        }
        args::Delivery::Hold { id, reason } => {
            let id = DeliveryId::parse(&id)?;
            operations.hold(id, &Line::parse(&reason)?, CHANNEL)?;
            shown(office, id)
        }
        args::Delivery::Release { id } => {
            let id = DeliveryId::parse(&id)?;
            operations.release(id, CHANNEL)?;
            shown(office, id)
        }
        args::Delivery::Restore { id, account } => {
            let id = DeliveryId::parse(&id)?;
            let count = operations.undo_sign_off(id, &LoginName::parse(&account)?, CHANNEL)?;
            let document = json!({ "delivery": id.to_string(), "account": account, "restored": count });
            Ok(Answer::said(format!("{account} sees {count} files of the delivery again"), document))
        }
    }
}

fn shown(office: &Office, id: DeliveryId) -> Result<Answer, Failure> {
    Ok(Answer::one(forms::delivery(&office.operations.any_delivery(id)?)))
}

fn publish(office: &Office, publish: &args::Publish, folder: &Path) -> Result<Answer, Failure> {
    let recipients = if publish.organisations.is_empty() {
        Recipients::All
    } else {
        let codes = publish.organisations.iter().map(|code| OrganisationCode::parse(code));
        Recipients::Listed(codes.collect::<Result<_, _>>()?)
    };
    let offer = Offer {
        source_key: new_source_key(publish.idempotency_key.as_deref()),
        product: ProductCode::parse(&publish.product)?,
        recipients,
        files: offered(&publish.files, publish.name.as_deref(), folder)?,
        period: publish.period.as_deref().map(Line::parse).transpose()?,
        counts: publish.counts.as_deref().map(|file| counts(folder, file)).transpose()?.unwrap_or_default(),
        sequence: publish.sequence,
        replaces: None,
        skip_unready: publish.skip_unready,
        channel: CHANNEL,
    };
    let published = if publish.dry_run {
        office.operations.plan_publication(&offer)?
    } else {
        office.operations.publish(&offer)?
    };
    let mut document = forms::published(&published);
    if let (true, Some(members)) = (publish.dry_run, document.as_object_mut()) {
        members.insert("dryRun".to_owned(), json!(true));
        members.remove("publication");
    }
    Ok(Answer::one(document))
}

fn new_source_key(given: Option<&str>) -> String {
    given.map_or_else(|| format!("cli:{}", uuid::Uuid::new_v4()), |key| format!("cli:{key}"))
}

fn offered(files: &[PathBuf], name: Option<&str>, folder: &Path) -> Result<Vec<OfferedFile>, Failure> {
    if name.is_some() && files.len() != 1 {
        return Err(Refusal::BadRequest("--name goes with one file".to_owned()).into());
    }
    files
        .iter()
        .map(|file| {
            let own = file.file_name().unwrap_or_default().to_string_lossy();
            let name = FileName::parse(name.unwrap_or(&own))?;
            let source = FileSource::open(&folder.join(file))?;
            Ok(OfferedFile { name, source })
        })
        .collect()
}

fn counts(folder: &Path, file: &Path) -> Result<Vec<(Line, u64)>, Failure> {
    let text = read_text(folder, file)?;
    let counts: BTreeMap<String, u64> = serde_json::from_str(&text).map_err(|error| {
        Refusal::BadRequest(format!("{}: {error}; it must be {{\"label\": number, …}}", file.display()))
    })?;
    counts.into_iter().map(|(label, count)| Ok((Line::parse(&label)?, count))).collect()
}

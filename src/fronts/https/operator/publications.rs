//! Publishing what was staged under an id. Idempotent: the id is the source key.
#![expect(clippy::disallowed_methods, reason = "staged files lie on disk")]

use std::collections::BTreeMap;
use std::path::Path;

use hyper::StatusCode;
use hyper::header::CONTENT_TYPE;
use serde::Deserialize;

use super::stage;
use crate::domain::history::Channel;
use crate::domain::ids::PublicationId;
use crate::domain::names::{FileName, Line, OrganisationCode, ProductCode};
use crate::domain::refusal::Refusal;
use crate::fronts::forms;
use crate::fronts::https::ask::Ask;
use crate::fronts::https::reply::Reply;
use crate::fronts::source_file::FileSource;
use crate::operations::{Failure, Fault, Offer, OfferedFile, Recipients};

/// What is asked, as it comes in.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wanted {
    product: String,
    organisations: Option<Vec<String>>,
    period: Option<String>,
    #[serde(default)]
    counts: BTreeMap<String, u64>,
    sequence: Option<u32>,
    #[serde(default)]
    skip_unready: bool,
    #[serde(default)]
    dry_run: bool,
}

/// Publishes the staged files, then removes them from the staging folder. 201 when it was
/// published now, 200 when it had been before or with `dryRun`.
pub(in crate::fronts::https) fn publish(ask: &Ask) -> Result<Reply, Failure> {
    ask.query().finish()?;
    let media_type = ask.header(CONTENT_TYPE).unwrap_or_default();
    if !media_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        return Err(Refusal::BadRequest("send JSON with Content-Type: application/json".to_owned()).into());
    }
    let id = PublicationId::parse(ask.segment(0))?;
    let wanted: Wanted = serde_json::from_slice(&ask.content)
        .map_err(|error| Refusal::BadRequest(format!("the JSON is not as described: {error}")))?;
    let folder = stage::folder(&ask.site.config, id);
    let is_dry_run = wanted.dry_run;
    let offer = Offer {
        source_key: format!("api:{id}"),
        product: ProductCode::parse(&wanted.product)?,
        recipients: recipients(wanted.organisations)?,
        files: staged(&folder, ask.site.config.spool.max_files_per_delivery)?,
        period: wanted.period.as_deref().map(Line::parse).transpose()?,
        counts: counts(wanted.counts)?,
        sequence: wanted.sequence,
        replaces: None,
        skip_unready: wanted.skip_unready,
        channel: Channel::Api,
    };
    let operations = &ask.site.operations;
    if is_dry_run {
        return Ok(Reply::json(StatusCode::OK, &forms::planned(&operations.plan_publication(&offer)?)));
    }
    let published = operations.publish(&offer)?;
    if let Err(error) = std::fs::remove_dir_all(&folder)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(folder = %folder.display(), %error, "staged files stay behind after publishing");
    }
    let status = if published.existed { StatusCode::OK } else { StatusCode::CREATED };
    Ok(Reply::json(status, &forms::published(&published)))
}

fn recipients(organisations: Option<Vec<String>>) -> Result<Recipients, Failure> {
    let Some(codes) = organisations else { return Ok(Recipients::All) };
    let codes = codes.iter().map(|code| OrganisationCode::parse(code)).collect::<Result<_, _>>()?;
    Ok(Recipients::Listed(codes))
}

fn counts(given: BTreeMap<String, u64>) -> Result<Vec<(Line, u64)>, Failure> {
    let counts = given.into_iter().map(|(label, count)| Ok((Line::parse(&label)?, count)));
    counts.collect::<Result<_, crate::domain::names::NameFault>>().map_err(Failure::from)
}

/// The staged files in order of name; none when nothing was staged (any more).
fn staged(folder: &Path, most_files: usize) -> Result<Vec<OfferedFile>, Failure> {
    let fault = |error| Fault::from_error(format!("reading {}", folder.display()), error);
    let listing = match std::fs::read_dir(folder) {
        Ok(listing) => listing,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(fault(error).into()),
    };
    let mut names = Vec::new();
    // Half-staged files stand beside the whole ones: twice the number is looked at.
    for entry in listing.take(most_files.saturating_mul(2)) {
        let name = entry.map_err(fault)?.file_name();
        // What is still coming in begins with a dot and so is no file name.
        names.extend(name.to_str().and_then(|name| FileName::parse(name).ok()));
    }
    names.sort();
    let files = names.into_iter().map(|name| {
        let source = FileSource::open(&folder.join(name.as_str()))?;
        Ok(OfferedFile { name, source })
    });
    files.collect()
}

//! Staging: a file comes in under `spool/.incoming/<id>/`, whole or not at all.
//! Publishes nothing; the spool never looks at names that begin with a dot.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use hyper::{HeaderMap, StatusCode};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::fs::{self, File, OpenOptions};
use tokio::io::AsyncWriteExt as _;
use tokio::time::timeout;

use crate::config::Config;
use crate::domain::digest::Digest;
use crate::domain::ids::PublicationId;
use crate::domain::moment::Moment;
use crate::domain::names::FileName;
use crate::domain::refusal::Refusal;
use crate::fronts::https::Site;
use crate::fronts::https::reply::{BAD_REQUEST, Reply, TOO_LARGE, TOO_SLOW};
use crate::operations::{Failure, Fault};

/// So many publications may be staged at once.
const MOST_STAGED: usize = 1_000;

/// How often abandoned stagings are looked for.
const SWEEP: Duration = Duration::from_secs(10 * 60);

/// Deletes, now and every `SWEEP`, what was staged longer than `spool.staging_kept` ago and never published:
/// it is plaintext. A publication that is being made finds its files younger than that, or is refused.
pub(in crate::fronts::https) async fn sweep_forever(site: Arc<Site>) {
    let mut tick = tokio::time::interval(SWEEP);
    let incoming = site.config.home.join("spool").join(".incoming");
    loop {
        tick.tick().await;
        match sweep(&incoming, site.operations.now(), site.config.spool.staging_kept).await {
            Ok(0) => {}
            Ok(swept) => tracing::warn!(swept, "staged files that no publication took were deleted"),
            Err(error) => tracing::error!(%error, "staged files could not be swept; tried again later"),
        }
    }
}

/// Deletes folders whose last change is older than `kept`. Returns how many.
async fn sweep(incoming: &Path, now: Moment, kept: Duration) -> io::Result<usize> {
    let mut swept = 0;
    let mut listing = match fs::read_dir(incoming).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        other => other?,
    };
    while let Some(entry) = listing.next_entry().await? {
        let changed = entry.metadata().await?.modified()?;
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(now.millis());
        if now.duration_since(changed).is_ok_and(|age| age > kept) {
            fs::remove_dir_all(entry.path()).await?;
            swept += 1;
        }
    }
    Ok(swept)
}

/// Where the files of one publication are staged.
pub(super) fn folder(config: &Config, id: PublicationId) -> PathBuf {
    config.home.join("spool").join(".incoming").join(id.to_string())
}

/// Takes in one file. 201 with its size and digest; 400 when `Content-Digest` says otherwise.
pub(in crate::fronts::https) async fn receive(
    site: &Site,
    segments: &[String],
    headers: &HeaderMap,
    incoming: Incoming,
) -> Reply {
    let mut named = segments.iter().map(String::as_str);
    let id = PublicationId::parse(named.next().unwrap_or_default());
    let name = FileName::parse(named.next().unwrap_or_default());
    let (id, name) = match (id, name) {
        (Ok(id), Ok(name)) => (id, name),
        (Err(fault), _) | (_, Err(fault)) => return Reply::refusal(&Refusal::BadName(fault)),
    };
    let most_bytes = site.config.limits.max_delivery_bytes;
    if incoming.size_hint().lower() > most_bytes {
        return too_large(most_bytes);
    }
    let folder = folder(&site.config, id);
    if let Err(failure) = make_room(&folder, &name, site.config.spool.max_files_per_delivery).await {
        return Reply::failure("staging a file", &failure);
    }
    let number = crate::telemetry::reference();
    let temporary = folder.join(format!(".{number}.part"));
    let written = write(site, &temporary, incoming, most_bytes).await;
    let (size, digest) = match written {
        Ok(written) => written,
        Err(reply) => {
            remove(&temporary).await;
            return *reply;
        }
    };
    if !agrees(headers, &digest) {
        remove(&temporary).await;
        return Reply::problem(BAD_REQUEST, "the content is not as its Content-Digest says; send it again");
    }
    if let Err(error) = finish(&temporary, &folder.join(name.as_str()), &folder).await {
        remove(&temporary).await;
        return failed(&folder, error);
    }
    let document = json!({ "fileName": name.as_str(), "size": size, "sha256": digest.to_string() });
    Reply::json(StatusCode::CREATED, &document)
}

async fn make_room(folder: &Path, name: &FileName, most_files: usize) -> Result<(), Failure> {
    let fault = |error: io::Error| Failure::from(Fault::from_error(format!("staging in {}", folder.display()), error));
    let is_new = !fs::try_exists(folder).await.map_err(fault)?;
    if is_new {
        let parent = folder.parent().unwrap_or(folder);
        fs::create_dir_all(parent).await.map_err(fault)?;
        if entries(parent, MOST_STAGED).await.map_err(fault)? >= MOST_STAGED {
            return Err(Refusal::TooMuch(format!("{MOST_STAGED} publications are staged; publish some first")).into());
        }
        fs::create_dir_all(folder).await.map_err(fault)?;
    }
    let is_replacing = fs::try_exists(folder.join(name.as_str())).await.map_err(fault)?;
    if !is_replacing && entries(folder, most_files).await.map_err(fault)? >= most_files {
        return Err(Refusal::TooMuch(format!("a delivery holds at most {most_files} files")).into());
    }
    Ok(())
}

/// How many entries a folder has, counted up to `most`.
async fn entries(folder: &Path, most: usize) -> io::Result<usize> {
    let mut listing = fs::read_dir(folder).await?;
    let mut count = 0;
    while count < most && listing.next_entry().await?.is_some() {
        count += 1;
    }
    Ok(count)
}

async fn write(
    site: &Site,
    temporary: &Path,
    mut incoming: Incoming,
    most_bytes: u64,
) -> Result<(u64, Digest), Box<Reply>> {
    let failed = |error: io::Error| Box::new(failed(temporary, error));
    let mut file: File =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(temporary).await.map_err(failed)?;
    let (mut size, mut hash) = (0u64, Sha256::new());
    loop {
        let frame = match timeout(site.config.https.request_timeout, incoming.frame()).await {
            Err(_) => return Err(Box::new(Reply::problem(TOO_SLOW, "the content did not come in time"))),
            Ok(Some(Err(_))) => return Err(Box::new(Reply::problem(BAD_REQUEST, "the content ended early"))),
            Ok(None) => break,
            Ok(Some(Ok(frame))) => frame,
        };
        let Ok(bytes) = frame.into_data() else { continue };
        size += bytes.len() as u64;
        if size > most_bytes {
            return Err(Box::new(too_large(most_bytes)));
        }
        hash.update(&bytes);
        file.write_all(&bytes).await.map_err(failed)?;
    }
    file.flush().await.map_err(failed)?;
    file.sync_all().await.map_err(failed)?;
    Ok((size, Digest::new(hash.finalize().into())))
}

/// Gives the file its name, durably.
async fn finish(temporary: &Path, named: &Path, folder: &Path) -> io::Result<()> {
    fs::rename(temporary, named).await?;
    File::open(folder).await?.sync_all().await
}

/// `Content-Digest` with sha-256 (RFC 9530), when given.
fn agrees(headers: &HeaderMap, digest: &Digest) -> bool {
    let given = headers.get_all("content-digest").iter().filter_map(|value| value.to_str().ok());
    let mut given =
        given.flat_map(|value| value.split(',')).filter_map(|member| member.trim().strip_prefix("sha-256="));
    let ours = format!(":{}:", digest.base64());
    given.all(|theirs| theirs == ours)
}

fn too_large(most_bytes: u64) -> Reply {
    Reply::problem(TOO_LARGE, &format!("a file has at most {most_bytes} bytes"))
}

fn failed(path: &Path, error: io::Error) -> Reply {
    if error.kind() == io::ErrorKind::StorageFull {
        return Reply::refusal(&Refusal::NoSpace);
    }
    Reply::failure("staging a file", &Fault::from_error(format!("staging in {}", path.display()), error).into())
}

async fn remove(temporary: &Path) {
    if let Err(error) = fs::remove_file(temporary).await
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(%error, "a half-staged file stays behind");
    }
}

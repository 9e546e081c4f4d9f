//! The hand-over on folders: `intake/<product>/` of the home, or one that the operator names. Each file is written
//! beside its name, synced, and given it only where it is free, so that nothing there is ever overwritten. Knows no
//! states.
#![expect(clippy::disallowed_methods, reason = "this adapter is the disk")]

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::RenameFlags;

use crate::domain::ids::UploadId;
use crate::domain::intake_rows::MOST_REPORT_BYTES;
use crate::domain::names::ProductCode;
use crate::domain::receipt::Report;
use crate::domain::refusal::Refusal;
use crate::ports::failure::{Failure, Fault};
use crate::ports::handover::{Bytes, HandedOver, Handover, Place, ResultFile};

/// Folder of results in the folder of a product.
const RESULTS: &str = ".results";

/// Ending of a result.
const RESULT: &str = ".result.json";

/// Folder of the results that could not be taken, below `.results`.
const REFUSED: &str = ".refused";

/// Beginning of the name of a file that is being written; the id of its upload follows.
const UNFINISHED: &str = ".handing-over-";

/// Beginning of the name of a marker: the note of this upload lies ready, or was given its name.
const MARKER: &str = ".handed-over-";

/// Ending of the unfinished note.
const NOTE: &str = ".json";

/// Mode of what is handed over: the group of the folder is that of the back office (interfaces §1).
const FILE_MODE: u32 = 0o640;

/// Mode of the folders of products.
const FOLDER_MODE: u32 = 0o750;

/// Mode of the folders in which the back office puts results.
const RESULTS_MODE: u32 = 0o770;

/// The hand-over below one folder.
///
/// The note is what makes a hand-over visible, and the back office may take both away before that is on record. So
/// the note lies ready under its unfinished name, then a marker says so, then the note is renamed, in one step that a
/// crash does not divide: a marker without the unfinished note means that the note was seen. The marker goes when the
/// hand-over is on record.
pub struct HandoverFolder {
    intake: PathBuf,
    reserve_bytes: u64,
}

impl HandoverFolder {
    /// A hand-over into this folder, which is made with the first file. Refuses when less than `reserve_bytes` of
    /// disk are free.
    #[must_use]
    pub const fn new(intake: PathBuf, reserve_bytes: u64) -> Self {
        Self { intake, reserve_bytes }
    }

    /// The folder of a product, made unless it is there, with that of its results.
    fn product_folder(&self, product: &ProductCode) -> io::Result<PathBuf> {
        let folder = self.intake.join(product.as_str());
        make_folder(&folder, FOLDER_MODE)?;
        make_folder(&folder.join(RESULTS), RESULTS_MODE)?;
        Ok(folder)
    }

    fn check_reserve(&self, folder: &Path) -> Result<(), Failure> {
        let disk = rustix::fs::statvfs(folder)
            .map_err(|error| Fault::from_error(format!("look at the disk of {}", folder.display()), error))?;
        if disk.f_bavail.saturating_mul(disk.f_frsize) < self.reserve_bytes {
            return Err(Refusal::NoSpace.into());
        }
        Ok(())
    }

    fn product_folders(&self) -> Result<Vec<(ProductCode, PathBuf)>, Fault> {
        let mut folders = Vec::new();
        for name in names(&self.intake)? {
            if let Ok(product) = ProductCode::parse(&name) {
                folders.push((product, self.intake.join(&name)));
            }
        }
        Ok(folders)
    }
}

impl Handover for HandoverFolder {
    fn put(&self, place: Place<'_>, offered: &HandedOver<'_>) -> Result<(), Failure> {
        let folder = match place {
            Place::Intake(product) => {
                self.product_folder(product).map_err(|error| failure("make a folder in", &self.intake, error))?
            }
            Place::Folder(folder) => folder.to_owned(),
        };
        let (file, note) = (folder.join(offered.file), folder.join(offered.note_name));
        let marker = folder.join(format!("{MARKER}{}", offered.upload));
        let ready_note = folder.join(format!("{UNFINISHED}{}{NOTE}", offered.upload));
        let is_ready = is_there(&marker)?;
        // without a marker: handed over by a version that made none
        if if is_ready { !is_there(&ready_note)? } else { is_there(&note)? } {
            return Ok(());
        }
        let failed = |error: io::Error| failure("hand over", &note, error);
        let sync = || File::open(&folder)?.sync_all();
        if !is_there(&file)? {
            self.check_reserve(&folder)?;
            let unfinished = folder.join(format!("{UNFINISHED}{}", offered.upload));
            let written = write(&unfinished, offered.bytes).and_then(|()| rename_new(&unfinished, &file));
            if written.is_err() {
                // what fails here is left to the sweep
                fs::remove_file(&unfinished).ok();
            }
            written?;
            sync().map_err(failed)?;
        }
        if !is_ready {
            write(&ready_note, &|sink| sink(offered.note))?;
            sync().map_err(failed)?;
            write(&marker, &|_| Ok(()))?;
            sync().map_err(failed)?;
        }
        rename_new(&ready_note, &note)?;
        sync().map_err(failed)
    }

    fn settle(&self, place: Place<'_>, upload: UploadId) -> Result<(), Fault> {
        let folder = match place {
            Place::Intake(product) => self.intake.join(product.as_str()),
            Place::Folder(folder) => folder.to_owned(),
        };
        remove(&folder.join(format!("{MARKER}{upload}")))
    }

    fn is_taken(&self, product: &ProductCode, file: &str, note_name: &str) -> Result<bool, Fault> {
        let folder = self.intake.join(product.as_str());
        Ok(!is_there(&folder.join(file))? || !is_there(&folder.join(note_name))?)
    }

    fn results(&self, most: usize) -> Result<Vec<ResultFile>, Fault> {
        let mut found = Vec::new();
        for (product, folder) in self.product_folders()? {
            let folder = folder.join(RESULTS);
            for name in names(&folder)? {
                let Some(id) = name.strip_suffix(RESULT).and_then(|id| UploadId::parse(id).ok()) else { continue };
                if found.len() == most {
                    return Ok(found);
                }
                let said = said(&read(&folder.join(&name))?);
                found.push(ResultFile { product: product.clone(), upload: id, said });
            }
        }
        Ok(found)
    }

    fn settle_result(&self, result: &ResultFile, refused: Option<&str>) -> Result<(), Fault> {
        let folder = self.intake.join(result.product.as_str()).join(RESULTS);
        let name = format!("{}{RESULT}", result.upload);
        let path = folder.join(&name);
        let settle = || -> io::Result<()> {
            match refused {
                None => fs::remove_file(&path)?,
                Some(why) => {
                    let aside = folder.join(REFUSED);
                    make_folder(&aside, RESULTS_MODE)?;
                    fs::write(aside.join(format!("{name}.reason.txt")), format!("{why}\n"))?;
                    fs::rename(&path, aside.join(&name))?;
                }
            }
            File::open(&folder)?.sync_all()
        };
        settle().map_err(|error| Fault::from_error(format!("settle {}", path.display()), error))
    }

    fn sweep(&self, is_on_its_way: &dyn Fn(UploadId) -> Result<bool, Failure>) -> Result<usize, Failure> {
        let mut swept = 0;
        for (_, folder) in self.product_folders()? {
            let (mut needed, mut gone) = (BTreeSet::new(), Vec::new());
            let names = names(&folder)?;
            // markers first: an unfinished note that went before its marker would be one that was seen
            for name in &names {
                let Some(id) = name.strip_prefix(MARKER) else { continue };
                match UploadId::parse(id) {
                    Ok(upload) if is_on_its_way(upload)? => {
                        needed.insert(format!("{UNFINISHED}{upload}{NOTE}"));
                    }
                    _ => gone.push(name),
                }
            }
            gone.extend(names.iter().filter(|name| name.starts_with(UNFINISHED) && !needed.contains(*name)));
            for name in gone {
                remove(&folder.join(name))?;
                swept += 1;
            }
        }
        Ok(swept)
    }
}

/// Whole and durable under this name once the folder is synced.
fn write(path: &Path, bytes: Bytes<'_>) -> Result<(), Failure> {
    let failed = |error: io::Error| failure("write", path, error);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(path).map_err(failed)?;
    bytes(&mut |part| file.write_all(part).map_err(failed))?;
    // the mode that the back office needs comes with the name, not with the bytes
    file.set_permissions(fs::Permissions::from_mode(FILE_MODE)).map_err(failed)?;
    file.sync_all().map_err(failed)
}

/// In one step, and only to a name that is free.
fn rename_new(from: &Path, to: &Path) -> Result<(), Failure> {
    let renamed = rustix::fs::renameat_with(rustix::fs::CWD, from, rustix::fs::CWD, to, RenameFlags::NOREPLACE);
    let renamed = match renamed {
        // a file system that cannot be asked, such as NFS: both names hold the id of the upload, nobody else's file has it
        Err(rustix::io::Errno::INVAL) if !is_there(to)? => fs::rename(from, to),
        renamed => renamed.map_err(io::Error::from),
    };
    renamed.map_err(|error| failure("give its name to", to, error))
}

/// Removes a file that may be gone already.
fn remove(path: &Path) -> Result<(), Fault> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Fault::from_error(format!("remove {}", path.display()), error))
        }
        _ => Ok(()),
    }
}

/// Makes a folder with this mode, whatever the umask says. One that is there stays as it is.
fn make_folder(path: &Path, mode: u32) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    DirBuilder::new().mode(mode).create(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    File::open(path.parent().unwrap_or(path))?.sync_all()
}

/// The names in a folder, in order; none in one that is not there.
fn names(folder: &Path) -> Result<Vec<String>, Fault> {
    let failed = |error| Fault::from_error(format!("list {}", folder.display()), error);
    let listed = match fs::read_dir(folder) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        listed => listed.map_err(failed)?,
    };
    let mut names = Vec::new();
    for entry in listed {
        names.extend(entry.map_err(failed)?.file_name().into_string());
    }
    names.sort();
    Ok(names)
}

/// A JSON object that says `"accepted": true` or `false`.
fn said(bytes: &[u8]) -> Result<(bool, Report), String> {
    if bytes.len() > MOST_REPORT_BYTES {
        return Err(format!("a result has at most {MOST_REPORT_BYTES} bytes"));
    }
    let value: serde_json::Value =
        serde_json::from_slice(bytes).map_err(|error| format!("a result is a JSON object: {error}"))?;
    let accepted = value.get("accepted").and_then(serde_json::Value::as_bool);
    let accepted = accepted.ok_or("a result is a JSON object with \"accepted\": true or false")?;
    Ok((accepted, Report::Json(value.to_string())))
}

/// At most one byte more than is taken: the rest is refused by its size. A link or a folder is no result.
fn read(path: &Path) -> Result<Vec<u8>, Fault> {
    let read = || -> io::Result<Vec<u8>> {
        let no_follow = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or_default();
        let file = OpenOptions::new().read(true).custom_flags(no_follow).open(path)?;
        let mut bytes = Vec::new();
        if file.metadata()?.is_file() {
            file.take(MOST_REPORT_BYTES as u64 + 1).read_to_end(&mut bytes)?;
        }
        Ok(bytes)
    };
    read().map_err(|error| Fault::from_error(format!("read {}", path.display()), error))
}

fn is_there(path: &Path) -> Result<bool, Fault> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Fault::from_error(format!("look at {}", path.display()), error)),
    }
}

fn failure(doing: &str, path: &Path, error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Refusal::NoSpace.into(),
        _ => Fault::from_error(format!("{doing} {}", path.display()), error).into(),
    }
}

#[cfg(test)]
mod tests;

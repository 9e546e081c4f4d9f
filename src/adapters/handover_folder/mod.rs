//! The hand-over on folders: `intake/<product>/` of the home, or one that the operator names. Each file is written
//! beside its name, synced, and linked to it, so that nothing there is ever overwritten. Knows no states.
#![expect(clippy::disallowed_methods, reason = "this adapter is the disk")]

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

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

/// Beginning of the name of a file that is being written.
const UNFINISHED: &str = ".handing-over-";

/// Mode of what is handed over: the group of the folder is that of the back office (interfaces §1).
const FILE_MODE: u32 = 0o640;

/// Mode of the folders of products.
const FOLDER_MODE: u32 = 0o750;

/// Mode of the folders in which the back office puts results.
const RESULTS_MODE: u32 = 0o770;

/// The hand-over below one folder.
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
        if is_there(&note)? {
            return Ok(());
        }
        if !is_there(&file)? {
            self.check_reserve(&folder)?;
            write_new(&folder, offered.file, offered.bytes)?;
        }
        write_new(&folder, offered.note_name, &|sink| sink(offered.note))
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

    fn sweep(&self) -> Result<usize, Fault> {
        let mut swept = 0;
        for (_, folder) in self.product_folders()? {
            for name in names(&folder)?.iter().filter(|name| name.starts_with(UNFINISHED)) {
                let path = folder.join(name);
                fs::remove_file(&path)
                    .map_err(|error| Fault::from_error(format!("remove {}", path.display()), error))?;
                swept += 1;
            }
        }
        Ok(swept)
    }
}

/// Whole and durable under its name, or not there. A link takes no name that is taken, as a rename would.
fn write_new(folder: &Path, name: &str, bytes: Bytes<'_>) -> Result<(), Failure> {
    let (path, unfinished) = (folder.join(name), folder.join(format!("{UNFINISHED}{}", short(name))));
    let failed = |error: io::Error| failure("write", &path, error);
    let write = || -> Result<(), Failure> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&unfinished).map_err(failed)?;
        bytes(&mut |part| file.write_all(part).map_err(failed))?;
        // the mode that the back office needs comes with the name, not with the bytes
        file.set_permissions(fs::Permissions::from_mode(FILE_MODE)).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        fs::hard_link(&unfinished, &path).map_err(failed)
    };
    let written = write();
    let gone = fs::remove_file(&unfinished);
    written?;
    gone.and_then(|()| File::open(folder)?.sync_all()).map_err(failed)
}

/// Names may have 255 bytes, and the beginning of an unfinished one comes on top: the id in front tells them apart,
/// and the end tells the note from the file.
fn short(name: &str) -> String {
    let (start, end) = (name.chars().take(36), name.chars().rev().take(5).collect::<Vec<_>>());
    start.chain(end.into_iter().rev()).collect()
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

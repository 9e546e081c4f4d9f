//! Small files in one archive (POSIX ustar), so that `age -d` and `tar` open it
//! too: keys and the configuration. Regular files only; sealed by the caller.

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use zeroize::Zeroizing;

use super::disk;
use super::manifest::is_plain_path;
use crate::ports::failure::Fault;

const BLOCK_BYTES: usize = 512;
/// The name field of ustar.
const MOST_NAME_BYTES: usize = 100;
/// No file in an archive is larger.
const MOST_FILE_BYTES: u64 = 16 << 20;
/// No archive is larger: 100,000 organisations and more.
const MOST_ARCHIVE_BYTES: u64 = 1 << 30;

/// One file.
#[derive(PartialEq, Eq)]
pub(super) struct Packed {
    pub(super) name: String,
    pub(super) mode: u32,
    pub(super) bytes: Zeroizing<Vec<u8>>,
}

/// The regular files below `folder`, with `/`-paths that begin with `prefix`. A name for which `leaves_out`
/// answers true is passed over with all below it, and so is a file that goes while it is looked at.
pub(super) fn gather(
    folder: &Path,
    prefix: &str,
    leaves_out: &dyn Fn(&str) -> bool,
    into: &mut Vec<Packed>,
) -> Result<(), Fault> {
    for name in disk::names(folder)? {
        let (path, name) = (folder.join(&name), format!("{prefix}/{name}"));
        if leaves_out(&name) || name.ends_with(disk::UNFINISHED) {
            continue;
        }
        let metadata = match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            metadata => metadata.map_err(|error| disk::fault("look at", &path, error))?,
        };
        if metadata.is_dir() {
            gather(&path, &name, leaves_out, into)?;
        } else if metadata.is_file() {
            let mode = metadata.permissions().mode() & 0o777;
            match disk::read_bounded(&path, MOST_FILE_BYTES) {
                Ok(bytes) => into.push(Packed { name, mode, bytes: Zeroizing::new(bytes) }),
                Err(_) if matches!(disk::size(&path), Ok(None)) => {}
                Err(fault) => return Err(fault),
            }
        }
    }
    Ok(())
}

/// The archive of these files.
pub(super) fn pack(files: &[Packed]) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let size: usize = files.iter().map(|file| file.bytes.len() + 2 * BLOCK_BYTES).sum();
    let mut archive = Zeroizing::new(Vec::with_capacity(size + 2 * BLOCK_BYTES));
    for file in files {
        if file.name.len() > MOST_NAME_BYTES {
            return Err(Fault::new(format!("pack {}: its name has more than {MOST_NAME_BYTES} bytes", file.name)));
        }
        let mut put = |bytes: &[u8]| archive.write_all(bytes).map_err(|error| Fault::from_error("pack keys", error));
        put(&head(file))?;
        put(&file.bytes)?;
        put(&vec![0; file.bytes.len().next_multiple_of(BLOCK_BYTES) - file.bytes.len()])?;
    }
    archive.extend([0; 2 * BLOCK_BYTES]);
    Ok(archive)
}

fn head(file: &Packed) -> Vec<u8> {
    let mut head = file.name.clone().into_bytes();
    head.resize(MOST_NAME_BYTES, 0);
    let numbers = format!("{:07o}\0{:07o}\0{:07o}\0{:011o}\0{:011o}\0", file.mode, 0, 0, file.bytes.len(), 0);
    head.extend(numbers.as_bytes());
    // the checksum is summed up with blanks in its place; a regular file; no link
    let rest = [b"0".as_slice(), &[0; 100], b"ustar\x0000"].concat();
    let sum: u32 = head.iter().chain(&rest).map(|byte| u32::from(*byte)).sum::<u32>() + 8 * u32::from(b' ');
    head.extend(format!("{sum:06o}\0 ").as_bytes());
    head.extend(rest);
    head.resize(BLOCK_BYTES, 0);
    head
}

/// Reads an archive of `pack`. Names that would lead out of a folder are refused.
pub(super) fn unpack(source: &mut dyn Read) -> io::Result<Vec<Packed>> {
    let mut archive = Zeroizing::new(Vec::new());
    source.take(MOST_ARCHIVE_BYTES).read_to_end(&mut archive)?;
    let mut rest = archive.as_slice();
    let mut files = Vec::new();
    while let Some((head, after)) = rest.split_at_checked(BLOCK_BYTES) {
        if head.iter().all(|byte| *byte == 0) {
            return Ok(files);
        }
        let bad = |what: &str| io::Error::new(io::ErrorKind::InvalidData, format!("the archive is damaged: {what}"));
        let text = |from: usize, length: usize| {
            let field = head.get(from..from + length)?.split(|byte| *byte == 0).next()?;
            std::str::from_utf8(field).ok()
        };
        let name = text(0, MOST_NAME_BYTES).filter(|name| is_plain_path(name)).ok_or_else(|| bad("a name"))?;
        let octal = |from, length| text(from, length).and_then(|text| u64::from_str_radix(text, 8).ok());
        let mode = octal(100, 8).and_then(|mode| u32::try_from(mode & 0o777).ok()).ok_or_else(|| bad("a mode"))?;
        let size = octal(124, 12).and_then(|size| usize::try_from(size).ok()).ok_or_else(|| bad("a size"))?;
        let (bytes, _) = after.split_at_checked(size).ok_or_else(|| bad("it is cut off"))?;
        files.push(Packed { name: name.to_owned(), mode, bytes: Zeroizing::new(bytes.to_vec()) });
        rest = after.get(size.next_multiple_of(BLOCK_BYTES)..).ok_or_else(|| bad("it is cut off"))?;
    }
    Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the archive has no end"))
}

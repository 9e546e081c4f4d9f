//! The SFTP front over a plain folder, asked by the OpenSSH client.

use std::fs::File;
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use postkluis::config::sftp::SftpSettings;
use postkluis::domain::moment::Moment;
use postkluis::fronts::sessions::Sessions;
use postkluis::fronts::sftp::auth::{Door, DoorRefusal, Entrance, Visitor};
use postkluis::fronts::sftp::listener::serve;
use postkluis::fronts::sftp::shelf::{
    Attributes, Entry, FileKind, FolderCursor, OpenMode, OpenedFile, Shelf, ShelfError, ShelfErrorKind,
};
use postkluis::operations::PenaltyImposed;
use tokio::sync::watch;

struct FolderShelf {
    root: PathBuf,
    taken: Arc<Mutex<Vec<(u64, usize)>>>,
    events: Arc<Mutex<Vec<&'static str>>>,
}

fn failed(error: &std::io::Error) -> ShelfError {
    let kind = match error.kind() {
        std::io::ErrorKind::NotFound => ShelfErrorKind::NoSuchFile,
        std::io::ErrorKind::PermissionDenied => ShelfErrorKind::PermissionDenied,
        _ => ShelfErrorKind::Failure,
    };
    ShelfError { kind, message: error.to_string() }
}

fn shown(found: &std::fs::Metadata) -> Attributes {
    Attributes {
        kind: if found.is_dir() { FileKind::Folder } else { FileKind::File },
        links: 1,
        size_bytes: found.len(),
        permissions: found.permissions().mode() & 0o777,
        uid: 0,
        gid: 0,
        atime_seconds: 0,
        mtime_seconds: 1_700_000_000,
    }
}

impl Shelf for FolderShelf {
    fn stat(&self, path: &str) -> Result<Attributes, ShelfError> {
        std::fs::metadata(self.root.join(&path[1..])).map(|found| shown(&found)).map_err(|e| failed(&e))
    }

    fn open_folder(&self, path: &str) -> Result<Box<dyn FolderCursor>, ShelfError> {
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(self.root.join(&path[1..])).map_err(|e| failed(&e))? {
            let entry = entry.map_err(|e| failed(&e))?;
            let attributes = shown(&entry.metadata().map_err(|e| failed(&e))?);
            entries.push(Entry { name: entry.file_name().to_string_lossy().into_owned(), attributes });
        }
        entries.sort_by(|a, b| b.name.cmp(&a.name));
        Ok(Box::new(Cursor(entries)))
    }

    fn open_file(&self, path: &str, mode: OpenMode) -> Result<Arc<dyn OpenedFile>, ShelfError> {
        if mode.write {
            return Err(ShelfError { kind: ShelfErrorKind::PermissionDenied, message: "read-only".to_owned() });
        }
        let file = File::open(self.root.join(&path[1..])).map_err(|e| failed(&e))?;
        Ok(Arc::new(Opened { file, taken: Arc::clone(&self.taken), events: Arc::clone(&self.events) }))
    }
}

struct Cursor(Vec<Entry>);

impl FolderCursor for Cursor {
    fn next(&mut self, limit: usize) -> Result<Vec<Entry>, ShelfError> {
        let rest = self.0.len().saturating_sub(limit);
        let mut page = self.0.split_off(rest);
        page.reverse();
        Ok(page)
    }
}

struct Opened {
    file: File,
    taken: Arc<Mutex<Vec<(u64, usize)>>>,
    events: Arc<Mutex<Vec<&'static str>>>,
}

impl OpenedFile for Opened {
    fn attributes(&self) -> Result<Attributes, ShelfError> {
        self.file.metadata().map(|found| shown(&found)).map_err(|e| failed(&e))
    }

    fn read(&self, offset: u64, length: usize) -> Result<Bytes, ShelfError> {
        let mut buffer = vec![0; length];
        let mut filled = 0;
        while filled < length {
            match self.file.read_at(&mut buffer[filled..], offset + filled as u64).map_err(|e| failed(&e))? {
                0 => break,
                count => filled += count,
            }
        }
        buffer.truncate(filled);
        Ok(buffer.into())
    }

    fn taken(&self, offset: u64, length: usize) {
        self.taken.lock().unwrap().push((offset, length));
    }

    fn close(&self) -> Result<(), ShelfError> {
        self.events.lock().unwrap().push("closed");
        Ok(())
    }

    fn abandon(&self) {
        self.events.lock().unwrap().push("abandoned");
    }
}

struct OpenDoor {
    shelf: Arc<FolderShelf>,
}

impl Door for OpenDoor {
    fn may_offer(&self, visitor: &Visitor) -> bool {
        visitor.login == "robot"
    }

    fn enter(&self, visitor: &Visitor) -> Result<Entrance, DoorRefusal> {
        assert!(visitor.fingerprint.starts_with("SHA256:"));
        assert!(visitor.client_version.starts_with("SSH-2.0-OpenSSH"), "{visitor:?}");
        Ok(Entrance {
            shelf: Arc::clone(&self.shelf) as Arc<dyn Shelf>,
            organisation: "org".to_owned(),
            since: Moment::from_millis(0),
        })
    }

    fn penalised(&self, _: PenaltyImposed) {}
}

struct World {
    home: tempfile::TempDir,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    server: Option<std::thread::JoinHandle<()>>,
    sessions: Sessions,
    taken: Arc<Mutex<Vec<(u64, usize)>>>,
    events: Arc<Mutex<Vec<&'static str>>>,
}

impl World {
    fn new(settings: SftpSettings) -> Self {
        let home = tempfile::tempdir().unwrap();
        let key = home.path().join("key");
        for name in ["key", "host"] {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(home.path().join(name))
                .status();
            assert!(made.unwrap().success(), "{}", key.display());
        }
        let root = home.path().join("root");
        std::fs::create_dir(&root).unwrap();
        std::fs::create_dir(home.path().join("got")).unwrap();
        let host = russh::keys::load_secret_key(home.path().join("host"), None).unwrap();
        let taken = Arc::new(Mutex::new(Vec::new()));
        let events = Arc::new(Mutex::new(Vec::new()));
        let shelf = FolderShelf { root, taken: Arc::clone(&taken), events: Arc::clone(&events) };
        let door = Arc::new(OpenDoor { shelf: Arc::new(shelf) });
        let sessions = Sessions::default();
        let (stop, stopped) = watch::channel(false);
        let (tell, told) = std::sync::mpsc::channel();
        let list = sessions.clone();
        let server = std::thread::spawn(move || {
            tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async move {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                serve(listener, vec![host], settings, door, list, stopped).await;
            });
        });
        Self { home, address: told.recv().unwrap(), stop, server: Some(server), sessions, taken, events }
    }

    fn file(&self, name: &str, bytes: usize) -> PathBuf {
        let path = self.home.path().join("root").join(name);
        let mut file = File::create(&path).unwrap();
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut block = Vec::with_capacity(1 << 20);
        let mut left = bytes;
        while left > 0 {
            block.clear();
            while block.len() < left.min(1 << 20) {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                block.extend_from_slice(&state.to_be_bytes());
            }
            block.truncate(left.min(1 << 20));
            file.write_all(&block).unwrap();
            left -= block.len();
        }
        path
    }

    fn client(&self, program: &str, options: &[&str]) -> Command {
        let mut command = Command::new("timeout");
        command.args(["120", program]);
        if program == "sftp" {
            command.args(["-b", "-", "-P"]).arg(self.address.port().to_string());
        } else {
            command.arg("-p").arg(self.address.port().to_string());
        }
        command.arg("-i").arg(self.home.path().join("key"));
        for option in
            ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "IdentitiesOnly=yes", "BatchMode=yes"]
        {
            command.args(["-o", option]);
        }
        command.args(options).arg("robot@127.0.0.1").current_dir(self.home.path().join("got"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn sftp(&self, options: &[&str], batch: &str) -> Output {
        let mut child = self.client("sftp", options).spawn().unwrap();
        child.stdin.take().unwrap().write_all(batch.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output
    }

    fn got(&self, name: &str) -> PathBuf {
        self.home.path().join("got").join(name)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(server) = self.server.take() {
            server.join().unwrap();
        }
    }
}

fn same(a: &Path, b: &Path) -> bool {
    Command::new("cmp").arg(a).arg(b).status().unwrap().success()
}

#[test]
fn lists_gets_and_resumes() {
    let world = World::new(SftpSettings::default());
    let file = world.file("a.bin", 3_000_001);
    let output = world.sftp(&[], "ls -l\npwd\nget a.bin\n");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("3000001 Nov 14  2023 a.bin"), "{text}");
    assert!(text.contains("Remote working directory: /\n"), "{text}");
    assert!(same(&file, &world.got("a.bin")));
    File::options().write(true).open(world.got("a.bin")).unwrap().set_len(1_000_000).unwrap();
    world.sftp(&[], "reget a.bin\n");
    assert!(same(&file, &world.got("a.bin")));
}

#[test]
fn what_was_read_and_closed_was_taken_whole() {
    let world = World::new(SftpSettings::default());
    world.file("a.bin", 5_000_000);
    world.sftp(&[], "get a.bin\n");
    let mut taken = world.taken.lock().unwrap().clone();
    taken.sort_unstable();
    let covered = taken.iter().fold(0, |end, (offset, length)| {
        assert!(*offset <= end, "a hole before {offset}");
        end.max(offset + *length as u64)
    });
    assert_eq!(covered, 5_000_000);
    assert_eq!(*world.events.lock().unwrap(), ["closed"]);
}

#[test]
fn deep_pipelines_bring_every_byte() {
    let world = World::new(SftpSettings::default());
    let file = world.file("big.bin", 300_000_000);
    for options in [["-R", "256", "-B", "261120"], ["-R", "64", "-B", "261120"], ["-R", "256", "-B", "32768"]] {
        world.sftp(&options, "get big.bin\n");
        assert!(same(&file, &world.got("big.bin")), "{options:?}");
        std::fs::remove_file(world.got("big.bin")).unwrap();
    }
}

#[test]
fn new_keys_on_either_side_lose_nothing() {
    let world = World::new(SftpSettings { rekey_limit_bytes: 1 << 20, ..SftpSettings::default() });
    let file = world.file("big.bin", 30_000_000);
    for options in [
        &["-R", "256", "-B", "261120"][..],
        &["-R", "256", "-B", "261120", "-o", "RekeyLimit=1M"],
        &["-o", "RekeyLimit=1M", "-c", "aes128-ctr"],
        &["-o", "RekeyLimit=256K"],
    ] {
        world.sftp(options, "get big.bin\n");
        assert!(same(&file, &world.got("big.bin")), "{options:?}");
    }
}

#[test]
fn two_clients_at_once_get_the_same() {
    let world = World::new(SftpSettings::default());
    let file = world.file("big.bin", 50_000_000);
    std::thread::scope(|scope| {
        for name in ["one", "two"] {
            let world = &world;
            scope.spawn(move || world.sftp(&[], &format!("get big.bin {name}\n")));
        }
    });
    assert!(same(&file, &world.got("one")) && same(&file, &world.got("two")));
}

#[test]
fn shells_and_commands_are_refused_with_a_sentence() {
    let world = World::new(SftpSettings::default());
    let mut command = world.client("ssh", &[]);
    command.arg("id");
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("SFTP only"));
}

#[test]
fn a_cut_session_abandons_its_open_file() {
    let world = World::new(SftpSettings::default());
    world.file("big.bin", 300_000_000);
    let mut child = world.client("sftp", &["-l", "20000"]).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"get big.bin\n").unwrap();
    while world.got("big.bin").metadata().map_or(0, |found| found.len()) == 0 {
        assert!(child.try_wait().unwrap().is_none(), "the client ended early");
        std::thread::yield_now();
    }
    let live: Vec<u64> = world.sessions.list().iter().map(|session| session.number).collect();
    assert_eq!((live.len(), world.sessions.cut(&live)), (1, 1));
    assert!(!child.wait().unwrap().success());
    while world.events.lock().unwrap().is_empty() {
        std::thread::yield_now();
    }
    assert_eq!(*world.events.lock().unwrap(), ["abandoned"]);
}

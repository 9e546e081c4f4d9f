//! The vault on a real folder, with the age crate as oracle.

use std::io::{Read, Write};
use std::time::{Duration, SystemTime};

use proptest::prelude::*;

use super::*;
use crate::sealing::header;

fn text(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from((at * 31 + at / 251) % 256).unwrap()).collect()
}

fn vault() -> (tempfile::TempDir, VaultFolder) {
    let home = tempfile::tempdir().unwrap();
    let vault = VaultFolder::open(home.path().join("vault"), 0).unwrap();
    (home, vault)
}

fn id(byte: u8) -> PayloadId {
    PayloadId::from_random([byte; 16])
}

const SIZES: [usize; 9] = [0, 1, 65_535, 65_536, 65_537, 131_071, 131_072, 131_073, 300_000];

#[test]
fn the_age_crate_opens_what_the_vault_sealed() {
    let (_home, vault) = vault();
    let identity = age::x25519::Identity::generate();
    for (at, size) in SIZES.into_iter().enumerate() {
        let (id, key) = (id(u8::try_from(at).unwrap()), FileKey::new([7; 16]));
        let header = header::build(&[&identity.to_public()], key.expose()).unwrap();
        let stored = vault.store(id, &key, Some(&header), &mut text(size).as_slice()).unwrap();
        assert_eq!(stored.size_bytes, size as u64);
        assert_eq!(vault.find(id).unwrap(), Some(stored.sealed_bytes));
        let whole = vault.open_sealed(id, header).unwrap();
        let mut file = vec![0; usize::try_from(whole.size_bytes()).unwrap()];
        assert_eq!(whole.read_at(0, &mut file).unwrap(), file.len());
        assert_eq!(age::decrypt(&identity, &file).unwrap(), text(size), "{size}");
    }
}

#[test]
fn the_vault_reads_what_the_age_crate_sealed() {
    let (home, vault) = vault();
    let identity = age::x25519::Identity::generate();
    for (at, size) in SIZES.into_iter().enumerate() {
        let sealed = age::encrypt(&identity.to_public(), &text(size)).unwrap();
        let end = sealed.windows(4).position(|window| window == b"\n---").unwrap() + 1;
        let end = end + sealed.iter().skip(end).position(|byte| *byte == b'\n').unwrap() + 1;
        let (head, payload) = sealed.split_at(end);
        let key = FileKey::new(*header::open(head, &identity).unwrap());
        let id = id(100 + u8::try_from(at).unwrap());
        std::fs::write(home.path().join("vault/tmp").join(id.to_string()), payload).unwrap();
        vault.settle(id).unwrap();
        let reader = vault.open(id, &key).unwrap();
        let mut plain = vec![0; size + 10];
        assert_eq!(reader.read_at(0, &mut plain).unwrap(), size);
        plain.truncate(size);
        assert_eq!(plain, text(size));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_reads_in_any_order_give_the_plaintext(
        size in 0usize..400_000,
        reads in prop::collection::vec((0usize..420_000, 0usize..200_000), 1..20),
    ) {
        let (_home, vault) = vault();
        let key = FileKey::new([3; 16]);
        vault.store(id(1), &key, None, &mut text(size).as_slice()).unwrap();
        let reader = vault.open(id(1), &key).unwrap();
        let plain = text(size);
        for (offset, length) in reads {
            let mut into = vec![0; length];
            let count = reader.read_at(offset as u64, &mut into).unwrap();
            let expected: Vec<u8> = plain.iter().copied().skip(offset).take(length).collect();
            prop_assert_eq!(count, expected.len());
            into.truncate(count);
            prop_assert_eq!(into, expected);
        }
    }
}

#[test]
fn a_changed_or_cut_payload_is_found() {
    let (_home, vault) = vault();
    let key = FileKey::new([3; 16]);
    vault.store(id(1), &key, None, &mut text(70_000).as_slice()).unwrap();
    let path = vault.path_of(id(1));
    let sealed = std::fs::read(&path).unwrap();
    let reads_whole = || {
        let Ok(reader) = vault.open(id(1), &key) else { return false };
        reader.read_at(0, &mut vec![0; 70_000]).is_ok_and(|count| count == 70_000)
    };
    assert!(reads_whole());
    for at in [0, 15, 16, 40_000, 65_567, 65_568, sealed.len() - 1] {
        let mut changed = sealed.clone();
        if let Some(byte) = changed.get_mut(at) {
            *byte ^= 0x80;
        }
        std::fs::write(&path, &changed).unwrap();
        assert!(!reads_whole(), "byte {at}");
    }
    for length in [sealed.len() - 1, 65_568, 40_000, 16, 0] {
        std::fs::write(&path, sealed.get(..length).unwrap()).unwrap();
        assert!(!reads_whole(), "cut at {length}");
    }
}

#[test]
fn a_source_that_fails_leaves_nothing() {
    struct Failing(usize);
    impl Read for Failing {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            if self.0 == 0 {
                return Err(io::Error::other("the disk is gone"));
            }
            self.0 -= 1;
            Ok(into.len())
        }
    }
    let (_home, vault) = vault();
    let error = vault.store(id(1), &FileKey::new([3; 16]), None, &mut Failing(100)).unwrap_err();
    assert!(error.to_string().contains("the disk is gone"), "{error}");
    assert_eq!(vault.find(id(1)).unwrap(), None);
    assert_eq!(vault.sweep_temporaries().unwrap(), 0);
}

#[test]
fn below_the_reserve_nothing_is_stored() {
    let home = tempfile::tempdir().unwrap();
    let vault = VaultFolder::open(home.path().join("vault"), u64::MAX).unwrap();
    let refused = vault.store(id(1), &FileKey::new([3; 16]), None, &mut b"text".as_slice());
    assert!(matches!(refused, Err(Failure::Refused(Refusal::NoSpace))));
    assert!(vault.inventory().unwrap().is_empty());
}

#[test]
fn orphans_are_set_aside_and_temporaries_swept() {
    let (home, vault) = vault();
    vault.store(id(1), &FileKey::new([3; 16]), None, &mut b"text".as_slice()).unwrap();
    let mut left = std::fs::File::create(home.path().join("vault/tmp").join(id(2).to_string())).unwrap();
    left.write_all(b"half").unwrap();
    assert_eq!(vault.sweep_temporaries().unwrap(), 1);
    assert_eq!(vault.inventory().unwrap(), vec![id(1)]);
    vault.set_aside(id(1)).unwrap();
    assert!(vault.inventory().unwrap().is_empty());
    assert_eq!(vault.sweep_temporaries().unwrap(), 0);
    let aside = home.path().join("vault/.orphaned").join(id(1).to_string());
    assert_eq!(vault.purge_set_aside(Span::from_days(7)).unwrap(), 0);
    assert!(aside.exists());
    let eight_days_ago = SystemTime::now() - Duration::from_secs(8 * 24 * 3_600);
    std::fs::File::open(&aside).unwrap().set_modified(eight_days_ago).unwrap();
    assert_eq!(vault.sweep_temporaries().unwrap(), 0);
    assert!(aside.exists(), "sweeping temporaries leaves it");
    assert_eq!(vault.purge_set_aside(Span::from_days(7)).unwrap(), 1);
    assert!(!aside.exists());
    vault.remove(id(1)).unwrap();
}

#[test]
fn a_payload_that_is_there_is_never_touched_by_a_second_store() {
    let (_home, vault) = vault();
    let key = FileKey::new([3; 16]);
    vault.store(id(1), &key, None, &mut b"first".as_slice()).unwrap();
    let second = vault.store(id(1), &key, None, &mut b"second".as_slice());
    assert!(matches!(second, Err(Failure::Faulted(_))));
    let mut plain = [0; 6];
    assert_eq!(vault.open(id(1), &key).unwrap().read_at(0, &mut plain).unwrap(), 5);
    assert_eq!(&plain, b"first\0");
    assert_eq!(vault.sweep_temporaries().unwrap(), 0);
}

#[test]
fn a_second_writer_of_an_id_is_refused_and_the_first_one_finishes() {
    struct Intruding<'a>(&'a VaultFolder, usize);
    impl Read for Intruding<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            if self.1 == 0 {
                return Ok(0);
            }
            self.1 -= 1;
            assert!(self.0.store(id(1), &FileKey::new([3; 16]), None, &mut b"second".as_slice()).is_err());
            Ok(into.len())
        }
    }
    let (_home, vault) = vault();
    let stored = vault.store(id(1), &FileKey::new([3; 16]), None, &mut Intruding(&vault, 3)).unwrap();
    assert_eq!(vault.find(id(1)).unwrap(), Some(stored.sealed_bytes));
}

#[test]
fn a_disk_that_fills_while_writing_is_no_space() {
    let home = tempfile::tempdir().unwrap();
    let file = writer::create(&home.path().join("payload")).unwrap();
    let mut source = io::repeat(7).take(80 << 20);
    let no_room = || Err(Refusal::NoSpace.into());
    let outcome = writer::write(file, &FileKey::new([3; 16]), [0; NONCE_BYTES], None, &mut source, &no_room);
    assert!(matches!(outcome, Err(Failure::Refused(Refusal::NoSpace))));
}

#[test]
fn sizes_and_digests_are_those_of_the_bytes() {
    let sha256 = |bytes: &[u8]| {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
        crate::domain::digest::Digest::new(digest.as_ref().try_into().unwrap())
    };
    let (_home, vault) = vault();
    for (at, size) in SIZES.into_iter().enumerate() {
        let other = id(u8::try_from(100 + at).unwrap());
        let id = id(u8::try_from(at).unwrap());
        let stored = vault.store(id, &FileKey::new([3; 16]), Some(b"prefix"), &mut text(size).as_slice()).unwrap();
        let sealed = std::fs::read(vault.path_of(id)).unwrap();
        assert_eq!((stored.size_bytes, stored.sealed_bytes), (size as u64, sealed.len() as u64));
        assert_eq!((stored.sha256, stored.sealed_sha256), (sha256(&text(size)), sha256(&sealed)));
        let whole = [b"prefix", sealed.as_slice()].concat();
        assert_eq!((stored.whole_sha256, stored.crc32), (Some(sha256(&whole)), Some(crc32fast::hash(&whole))));
        let shared = vault.store(other, &FileKey::new([3; 16]), None, &mut text(size).as_slice()).unwrap();
        assert_eq!(shared.crc32, Some(crc32fast::hash(&text(size))), "of what a recipient gets");
    }
}

#[test]
fn a_payload_cut_at_a_chunk_is_found_when_it_is_opened() {
    let (_home, vault) = vault();
    let key = FileKey::new([3; 16]);
    vault.store(id(1), &key, None, &mut text(200_000).as_slice()).unwrap();
    let path = vault.path_of(id(1));
    let sealed = std::fs::read(&path).unwrap();
    for chunks in [1, 2, 3] {
        std::fs::write(&path, sealed.get(..16 + chunks * 65_552).unwrap()).unwrap();
        assert!(vault.open(id(1), &key).is_err(), "{chunks} chunks left");
    }
    std::fs::write(&path, [sealed.as_slice(), b"more"].concat()).unwrap();
    assert!(vault.open(id(1), &key).is_err());
    std::fs::write(&path, &sealed).unwrap();
    assert!(vault.open(id(1), &key).is_ok());
    assert!(vault.open(id(1), &FileKey::new([4; 16])).is_err());
}

#[test]
fn no_byte_of_a_small_payload_can_change() {
    let (_home, vault) = vault();
    let key = FileKey::new([3; 16]);
    for (at, size) in [0, 1, 300].into_iter().enumerate() {
        let id = id(u8::try_from(at).unwrap());
        vault.store(id, &key, None, &mut text(size).as_slice()).unwrap();
        let sealed = std::fs::read(vault.path_of(id)).unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            if let Some(byte) = changed.get_mut(at) {
                *byte ^= 1;
            }
            std::fs::write(vault.path_of(id), &changed).unwrap();
            assert!(vault.open(id, &key).is_err(), "byte {at} of {size}");
        }
    }
}

#[test]
fn threads_share_a_reader() {
    let (_home, vault) = vault();
    let key = FileKey::new([3; 16]);
    let plain = text(1_000_000);
    vault.store(id(1), &key, None, &mut plain.as_slice()).unwrap();
    let reader = vault.open(id(1), &key).unwrap();
    std::thread::scope(|scope| {
        for first in 0..6 {
            let (reader, plain) = (&reader, &plain);
            scope.spawn(move || {
                for offset in (first * 10_000..1_000_000).step_by(32_768) {
                    let mut into = vec![0; 32_768];
                    let count = reader.read_at(offset as u64, &mut into).unwrap();
                    assert_eq!(into.get(..count), plain.get(offset..offset + count));
                }
            });
        }
    });
}

fn run(program: &str, arguments: &[&std::ffi::OsStr]) -> std::process::Output {
    let run = std::process::Command::new(program).args(arguments).stdin(std::process::Stdio::null()).output();
    run.unwrap_or_else(|error| panic!("{program} is needed for this test (Debian: age, openssh-client): {error}"))
}

/// Keys as recipients make them: the file with the secret, and the public line.
fn recipients_own_keys(folder: &std::path::Path) -> Vec<(PathBuf, String)> {
    let mut keys = Vec::new();
    let path = folder.join("age");
    assert!(run("age-keygen", &["-o".as_ref(), path.as_ref()]).status.success());
    let public = run("age-keygen", &["-y".as_ref(), path.as_ref()]);
    keys.push((path, String::from_utf8(public.stdout).unwrap()));
    for (kind, bits) in [("ed25519", "256"), ("rsa", "3072")] {
        let path = folder.join(kind);
        let words = ["-q", "-t", kind, "-b", bits, "-N", "", "-f"].map(std::ffi::OsStr::new);
        assert!(run("ssh-keygen", &[words.as_slice(), &[path.as_ref()]].concat()).status.success());
        let public = std::fs::read_to_string(path.with_extension("pub")).unwrap();
        keys.push((path, public));
    }
    keys
}

#[test]
fn the_age_command_opens_header_and_payload() {
    let (home, vault) = vault();
    let (foreign, _) = recipients_own_keys(home.path()).remove(0);
    let own = home.path().join("own");
    std::fs::create_dir(&own).unwrap();
    let mut number = 0;
    for (identity, public) in recipients_own_keys(&own) {
        let line = public.trim();
        let recipient: Box<dyn age::Recipient> = match line.parse::<age::x25519::Recipient>() {
            Ok(recipient) => Box::new(recipient),
            Err(_) => Box::new(line.parse::<age::ssh::Recipient>().unwrap()),
        };
        for size in SIZES {
            number += 1;
            let (id, key) = (id(number), FileKey::new([number; 16]));
            let header = header::build(&[recipient.as_ref()], key.expose()).unwrap();
            vault.store(id, &key, Some(&header), &mut text(size).as_slice()).unwrap();
            let whole = vault.open_sealed(id, header).unwrap();
            let mut bytes = vec![0; usize::try_from(whole.size_bytes()).unwrap()];
            whole.read_at(0, &mut bytes).unwrap();
            let file = home.path().join("delivery.age");
            std::fs::write(&file, &bytes).unwrap();
            let opened = |identity: &std::path::Path| {
                run("age", &["-d".as_ref(), "-i".as_ref(), identity.as_ref(), file.as_ref()])
            };
            let own = opened(&identity);
            assert!(own.status.success(), "{line} {size}: {}", String::from_utf8_lossy(&own.stderr));
            assert!(own.stdout == text(size), "{line} {size}");
            assert!(!opened(&foreign).status.success());
            std::fs::write(&file, bytes.get(..bytes.len() - 1).unwrap()).unwrap();
            assert!(!opened(&identity).status.success());
        }
    }
}

//! The vault on a real folder, with the age crate as oracle.

use std::io::{Read, Write};

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
    assert!(home.path().join("vault/.orphaned").join(id(1).to_string()).exists());
    vault.remove(id(1)).unwrap();
}

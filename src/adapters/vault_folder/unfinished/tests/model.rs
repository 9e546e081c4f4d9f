//! Any sequence of what clients, crashes and full disks do, held against a vector of bytes.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Write(usize, usize),
    Append(usize),
    SetSize(usize),
    Read(usize, usize),
    Sync,
    AbandonAndResume,
    CrashAndResume,
    TornAndResume(usize),
    FullDisk(usize, usize, usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let offset = 0usize..400_000;
    let length = prop_oneof![1usize..200, 30_000usize..140_000, Just(65_536), Just(131_072)];
    let step = prop_oneof![
        4 => (offset.clone(), length.clone()).prop_map(|(offset, length)| Step::Write(offset, length)),
        8 => length.clone().prop_map(Step::Append),
        1 => prop_oneof![offset.clone(), Just(0)].prop_map(Step::SetSize),
        2 => (offset.clone(), length.clone()).prop_map(|(offset, length)| Step::Read(offset, length)),
        1 => Just(Step::Sync),
        1 => Just(Step::AbandonAndResume),
        1 => Just(Step::CrashAndResume),
        1 => (1usize..70_000).prop_map(Step::TornAndResume),
        1 => (offset, length, 0usize..140_000).prop_map(|(offset, length, left)| Step::FullDisk(offset, length, left)),
    ];
    prop::collection::vec(step, 1..30)
}

/// The file as its client wrote it; `None` where nobody wrote.
#[derive(Default)]
struct Model {
    bytes: Vec<Option<u8>>,
}

impl Model {
    fn write(&mut self, offset: usize, data: &[u8]) {
        let end = offset + data.len();
        if self.bytes.len() < end {
            self.bytes.resize(end, None);
        }
        for (to, from) in self.bytes.iter_mut().skip(offset).zip(data) {
            *to = Some(*from);
        }
    }

    fn set_size(&mut self, size: usize) {
        self.bytes.truncate(size);
        let written = self.bytes.iter().rposition(Option::is_some).map_or(0, |at| at + 1);
        self.bytes.truncate(written);
        self.bytes.resize(size, Some(0));
    }

    fn gap(&self) -> Option<(u64, u64)> {
        let start = self.bytes.iter().position(Option::is_none)?;
        let length = self.bytes.iter().skip(start).position(Option::is_some)?;
        Some((start as u64, (start + length) as u64))
    }

    fn in_order(&self) -> Vec<u8> {
        self.bytes.iter().map_while(|byte| *byte).collect()
    }

    fn is_equal(&self, file: &dyn UnfinishedFile) {
        assert_eq!(file.size_bytes(), self.bytes.len() as u64);
        assert_eq!(file.first_gap(), self.gap());
        assert!(all_of(file) == self.in_order());
    }

    /// After a crash: less may be there, all of it without a gap and as it was written at some time before.
    fn fall_back(&mut self, file: &dyn UnfinishedFile, history: &[Vec<Option<u8>>]) {
        let there = all_of(file);
        assert_eq!(there.len() as u64, file.size_bytes());
        for (at, byte) in there.iter().enumerate() {
            let was = history.iter().any(|past| past.get(at).copied().flatten() == Some(*byte));
            assert!(was, "byte {at} was never {byte}");
        }
        self.bytes = there.into_iter().map(Some).collect();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn an_upload_is_what_its_client_wrote(steps in steps()) {
        let home = home();
        let mut file = home.begin();
        let mut model = Model::default();
        let mut history: Vec<Vec<Option<u8>>> = Vec::new();
        let mut synced: Option<Vec<u8>> = None;
        for (number, step) in (1usize..).zip(steps) {
            let data = |length| text(length + number * 7).split_off(number * 7);
            match step {
                Step::Write(offset, length) => {
                    file.write(offset as u64, &data(length)).unwrap();
                    model.write(offset, &data(length));
                    synced = None;
                }
                Step::Append(length) => {
                    let offset = model.in_order().len();
                    file.write(offset as u64, &data(length)).unwrap();
                    model.write(offset, &data(length));
                    synced = synced.filter(|synced| synced.len() <= offset);
                }
                Step::SetSize(size) => {
                    if size != model.bytes.len() {
                        file.set_size(size as u64).unwrap();
                        model.set_size(size);
                        synced = None;
                    }
                }
                Step::Read(offset, length) => {
                    let expected: Vec<u8> = model.in_order().into_iter().skip(offset).take(length).collect();
                    prop_assert!(file.read(offset as u64, length).unwrap() == expected);
                }
                Step::Sync => {
                    file.sync().unwrap();
                    synced = Some(model.in_order());
                }
                Step::AbandonAndResume => {
                    file.abandon();
                    prop_assert!(file.write(0, b"late").is_err());
                    model.bytes = model.in_order().into_iter().map(Some).collect();
                    prop_assert_eq!(file.size_bytes(), model.bytes.len() as u64);
                    prop_assert_eq!(home.uploads.size_bytes(id()).unwrap(), Some(model.bytes.len() as u64));
                    file = home.resume();
                }
                Step::CrashAndResume => {
                    drop(file);
                    let told = home.uploads.size_bytes(id()).unwrap().unwrap();
                    file = home.resume();
                    prop_assert!(file.size_bytes() == told);
                    history.push(model.bytes.clone());
                    model.fall_back(file.as_ref(), &history);
                    if let Some(synced) = &synced {
                        prop_assert!(all_of(file.as_ref()).starts_with(synced), "what was synced is there");
                    }
                }
                Step::TornAndResume(cut) => {
                    drop(file);
                    if let Some(name) = home.names().iter().find(|name| {
                        matches!(Name::parse(name), Some(Name::Growing { .. }))
                    }) {
                        let torn = std::fs::File::options().write(true).open(home.path(name)).unwrap();
                        torn.set_len(torn.metadata().unwrap().len().saturating_sub(cut as u64)).unwrap();
                    }
                    file = home.resume();
                    history.push(model.bytes.clone());
                    model.fall_back(file.as_ref(), &history);
                    synced = None;
                }
                Step::FullDisk(offset, length, left) => {
                    full_disk::set(Some(left));
                    let outcome = file.write(offset as u64, &data(length));
                    full_disk::set(None);
                    match outcome {
                        Ok(()) => model.write(offset, &data(length)),
                        Err(Failure::Refused(Refusal::NoSpace)) => {}
                        Err(other) => panic!("{other}"),
                    }
                    synced = None;
                }
            }
            model.is_equal(file.as_ref());
            history.push(model.bytes.clone());
            history.drain(..history.len().saturating_sub(60));
        }
        let key = FileKey::new([9; 16]);
        let outcome = file.finish(payload(1), &key);
        if model.gap().is_some() {
            prop_assert!(matches!(outcome, Err(Failure::Refused(Refusal::WrongState(_)))));
            prop_assert_eq!(home.vault.find(payload(1)).unwrap(), None);
            model.is_equal(file.as_ref());
        } else {
            let finished = outcome.unwrap();
            prop_assert!(home.plain_of(payload(1), &finished, &key) == model.in_order());
            home.check_stored(payload(1), &finished, &model.in_order());
            prop_assert_eq!(&file.finish(payload(1), &key).unwrap(), &finished);
            drop(file);
            prop_assert_eq!(&home.resume().finish(payload(1), &key).unwrap(), &finished);
        }
        home.uploads.remove(id()).unwrap();
        prop_assert!(home.uploads.inventory().unwrap().is_empty());
    }
}

//! What a client that sends much and reads nothing can make the protocol core hold.

use std::sync::Arc;

use postkluis::fronts::sftp::requests::{Broken, Core, CoreLimits};
use postkluis::fronts::sftp::shelf::{
    Attributes, FolderCursor, OpenMode, OpenedFile, Shelf, ShelfError, ShelfErrorKind, error,
};
use postkluis::fronts::sftp::wire::MAX_PACKET_BYTES;

const WINDOW_BYTES: usize = 1 << 20;
/// What may wait: two windows of data and 262,144 requests of 160 bytes (`MAX_WAITING`).
const MOST_WAITING_BYTES: usize = 2 * WINDOW_BYTES + 262_144 * 160;

fn packet(kind: u8, id: u32, body: &[u8]) -> Vec<u8> {
    let mut packet = (5 + body.len() as u32).to_be_bytes().to_vec();
    packet.push(kind);
    packet.extend(id.to_be_bytes());
    packet.extend(body);
    packet
}

fn string(text: &[u8]) -> Vec<u8> {
    [&(text.len() as u32).to_be_bytes()[..], text].concat()
}

/// How many bytes of such packets are taken before the core refuses more; none of them is run.
fn taken_of(flood: &[u8]) -> usize {
    let limits =
        CoreLimits { max_handles: 8, window_requests: 4, window_bytes: WINDOW_BYTES, check_file_bytes: 1 << 20 };
    let mut core = Core::new(limits, Vec::new());
    core.feed(&[0, 0, 0, 5, 1, 0, 0, 0, 3]).unwrap();
    let mut taken = 0;
    while taken < 2 * MOST_WAITING_BYTES {
        match core.feed(flood) {
            Ok(()) => taken += flood.len(),
            Err(broken) => {
                assert_eq!(broken, Broken::Overrun);
                return taken;
            }
        }
    }
    taken
}

#[test]
fn long_paths_that_wait_are_counted_as_written_data_is() {
    const STAT: u8 = 17;
    let taken = taken_of(&packet(STAT, 7, &string(&[b'a'; 200_000])));
    assert!(taken <= MOST_WAITING_BYTES && taken > MOST_WAITING_BYTES - 400_000, "{taken}");
}

#[test]
fn a_short_path_that_keeps_a_long_packet_alive_counts_as_the_packet() {
    const SETSTAT: u8 = 9;
    let extended = [&0x8000_0000_u32.to_be_bytes()[..], &1_u32.to_be_bytes()].concat();
    let body = [string(b"/a"), extended, string(b"x"), string(&[0; 200_000])].concat();
    let taken = taken_of(&packet(SETSTAT, 7, &body));
    assert!(taken <= MOST_WAITING_BYTES && taken > MOST_WAITING_BYTES - 400_000, "{taken}");
}

/// A shelf without files whose users have long names.
struct LongNames;

fn nothing<T>() -> Result<T, ShelfError> {
    Err(error(ShelfErrorKind::NoSuchFile, "there is nothing here"))
}

impl Shelf for LongNames {
    fn user_name(&self, id: u32) -> Option<String> {
        Some(format!("user{id:032}"))
    }

    fn stat(&self, _path: &str) -> Result<Attributes, ShelfError> {
        nothing()
    }

    fn open_folder(&self, _path: &str) -> Result<Box<dyn FolderCursor>, ShelfError> {
        nothing()
    }

    fn open_file(&self, _path: &str, _mode: OpenMode) -> Result<Arc<dyn OpenedFile>, ShelfError> {
        nothing()
    }
}

/// Runs all that may run before anything is sent; the answers.
fn answers_of(packets: &[u8]) -> Vec<Vec<u8>> {
    let limits =
        CoreLimits { max_handles: 8, window_requests: 1_024, window_bytes: WINDOW_BYTES, check_file_bytes: 1 << 20 };
    let mut core = Core::new(limits, Vec::new());
    core.feed(&[0, 0, 0, 5, 1, 0, 0, 0, 3]).unwrap();
    drop(core.take_outgoing().expect("the version"));
    core.feed(packets).unwrap();
    let jobs: Vec<_> = std::iter::from_fn(|| core.take_job()).collect();
    for job in jobs {
        core.finish(job.run(&LongNames));
    }
    std::iter::from_fn(|| core.take_outgoing()).map(|answer| answer.to_vec()).collect()
}

#[test]
fn long_paths_in_answers_count_with_all_of_their_bytes() {
    const REALPATH: u8 = 16;
    let answers = answers_of(&packet(REALPATH, 7, &string(&[b'a'; 4_000])).repeat(1_000));
    let bytes: usize = answers.iter().map(Vec::len).sum();
    assert!(answers.len() > 50 && bytes <= WINDOW_BYTES, "{} answers of {bytes} bytes", answers.len());
}

#[test]
fn names_of_ids_that_do_not_fit_in_a_packet_are_refused() {
    const EXTENDED: u8 = 200;
    for (ids, fits) in [(1, true), (6_553, true), (6_554, false), (60_000, false)] {
        let body = [string(b"users-groups-by-id@openssh.com"), string(&vec![0; 4 * ids]), string(b"")].concat();
        let answers = answers_of(&packet(EXTENDED, 7, &body));
        assert_eq!(answers.len(), 1);
        let answer = &answers[0];
        assert!(answer.len() <= 4 + MAX_PACKET_BYTES, "{} bytes", answer.len());
        assert_eq!((answer[4], answer[12]), if fits { (201, answer[12]) } else { (101, 4) }, "{ids} ids");
    }
}

//! What a client that sends much and reads nothing can make the protocol core hold.

use postkluis::fronts::sftp::requests::{Broken, Core, CoreLimits};

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

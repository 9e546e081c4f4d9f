//! The packet codec against a second, plain parser; any cut of the stream gives the same packets.

use bytes::Bytes;
use postkluis::fronts::sftp::wire::{Assembler, MAX_PACKET_BYTES, Packet, Request, WireFault, kind, parse};

use super::Chance;

pub(crate) fn run(data: &[u8]) {
    let whole = taken(data, |left| left);
    assert_eq!(whole.0, framed(data), "the frames are the stream's own");
    let mut chance = Chance::new(data.iter().fold(data.len() as u64, |sum, byte| sum * 31 % 65_521 + u64::from(*byte)));
    let cut = taken(data, |left| 1 + chance.below(left.min(40)));
    assert_eq!(whole, cut, "another cut gives other packets");
    let _ = parse(Bytes::copy_from_slice(data));
}

/// The packets, and what ended them.
fn taken(data: &[u8], mut chunk: impl FnMut(usize) -> usize) -> (Vec<Packet>, Option<WireFault>) {
    let mut assembler = Assembler::default();
    let (mut packets, mut at) = (Vec::new(), 0);
    while at < data.len() {
        let length = chunk(data.len() - at);
        assembler.push(&data[at..at + length]);
        at += length;
        loop {
            match assembler.take_packet() {
                Ok(Some(packet)) => packets.push(packet),
                Ok(None) => break,
                Err(fault) => return (packets, Some(fault)),
            }
        }
    }
    (packets, None)
}

/// The frames of a stream up to the first that is false, each parsed alone and held against [`Plain`].
fn framed(data: &[u8]) -> Vec<Packet> {
    let mut packets = Vec::new();
    for body in frames(data).0 {
        let Ok(packet) = parse(Bytes::copy_from_slice(body)) else { break };
        if let Packet::Request { id, request, packet_bytes } = &packet {
            assert_eq!((*id, *packet_bytes), (u32::from_be_bytes([body[1], body[2], body[3], body[4]]), body.len()));
            hold(body, request);
        }
        packets.push(packet);
    }
    packets
}

fn hold(body: &[u8], request: &Request) {
    let mut plain = Plain(&body[5..]);
    match request {
        Request::Read { handle, offset, length } => {
            assert_eq!(Some(&handle[..]), plain.string());
            assert_eq!((Some(*offset), Some(u64::from(*length))), (plain.number(8), plain.number(4)));
        }
        Request::Write { handle, offset, data } => {
            assert_eq!(Some(&handle[..]), plain.string());
            assert_eq!(Some(*offset), plain.number(8));
            assert_eq!(Some(&data[..]), plain.string());
        }
        Request::Rename { from, to } => {
            assert_eq!((Some(&from[..]), Some(&to[..])), (plain.string(), plain.string()));
        }
        Request::Extended { name, body } => {
            assert_eq!(Some(&name[..]), plain.string());
            assert_eq!(&body[..], plain.0);
        }
        Request::Unknown { kind: told } => {
            assert_eq!(*told, body[0]);
            assert!(!matches!(*told, kind::OPEN..=kind::SYMLINK | kind::EXTENDED | kind::INIT));
        }
        Request::Malformed => assert!(matches!(body[0], kind::OPEN..=kind::SYMLINK | kind::EXTENDED)),
        _ => {}
    }
}

/// Bodies of whole packets with lengths that may be, where each begins, and where the next would.
pub(crate) fn frames(data: &[u8]) -> (Vec<&[u8]>, Vec<usize>) {
    let (mut bodies, mut starts, mut at) = (Vec::new(), vec![0], 0);
    while let Some(field) = data.get(at..at + 4) {
        let length = u32::from_be_bytes([field[0], field[1], field[2], field[3]]) as usize;
        if length == 0 || length > MAX_PACKET_BYTES {
            break;
        }
        let Some(body) = data.get(at + 4..at + 4 + length) else { break };
        bodies.push(body);
        at += 4 + length;
        starts.push(at);
    }
    (bodies, starts)
}

/// Fields read plainly; `None` when they run out.
pub(crate) struct Plain<'a>(pub(crate) &'a [u8]);

impl<'a> Plain<'a> {
    pub(crate) fn number(&mut self, bytes: usize) -> Option<u64> {
        let (number, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(number.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }

    pub(crate) fn string(&mut self) -> Option<&'a [u8]> {
        let length = self.number(4)?;
        let (text, rest) = self.0.split_at_checked(length as usize)?;
        self.0 = rest;
        Some(text)
    }

    /// The size in an ATTRS, if it has one.
    pub(crate) fn attributes(&mut self) -> Option<Option<u64>> {
        let flags = self.number(4)?;
        let size = if flags & 1 != 0 { Some(self.number(8)?) } else { None };
        for (flag, bytes) in [(2, 8), (4, 4), (8, 8)] {
            if flags & flag != 0 {
                self.number(bytes)?;
            }
        }
        if flags >> 31 == 1 {
            for _ in 0..self.number(4)? {
                self.string()?;
                self.string()?;
            }
        }
        Some(size)
    }
}

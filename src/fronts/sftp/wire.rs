//! Packets of SFTP version 3 (draft-ietf-secsh-filexfer-02): bounded framing and
//! parsing without copies. Knows nothing of files, handles or SSH.

use bytes::{Buf, Bytes, BytesMut};

use super::shelf::SentAttributes;

/// Longest packet accepted, in bytes after the length field: OpenSSH's limit.
pub const MAX_PACKET_BYTES: usize = 262_144;
/// Most payload of one READ or WRITE, in bytes: the packet less OpenSSH's 1,024 of headroom.
pub const MAX_DATA_BYTES: usize = MAX_PACKET_BYTES - 1024;

/// `SSH_FXP_*` packet types.
pub mod kind {
    #![expect(missing_docs, reason = "the names are the draft's own")]
    pub const INIT: u8 = 1;
    pub const VERSION: u8 = 2;
    pub const OPEN: u8 = 3;
    pub const CLOSE: u8 = 4;
    pub const READ: u8 = 5;
    pub const WRITE: u8 = 6;
    pub const LSTAT: u8 = 7;
    pub const FSTAT: u8 = 8;
    pub const SETSTAT: u8 = 9;
    pub const FSETSTAT: u8 = 10;
    pub const OPENDIR: u8 = 11;
    pub const READDIR: u8 = 12;
    pub const REMOVE: u8 = 13;
    pub const MKDIR: u8 = 14;
    pub const RMDIR: u8 = 15;
    pub const REALPATH: u8 = 16;
    pub const STAT: u8 = 17;
    pub const RENAME: u8 = 18;
    pub const READLINK: u8 = 19;
    pub const SYMLINK: u8 = 20;
    pub const STATUS: u8 = 101;
    pub const HANDLE: u8 = 102;
    pub const DATA: u8 = 103;
    pub const NAME: u8 = 104;
    pub const ATTRS: u8 = 105;
    pub const EXTENDED: u8 = 200;
    pub const EXTENDED_REPLY: u8 = 201;
}

/// One request; paths and data are slices of the packet it came in.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names are the draft's own")]
pub enum Request {
    Open {
        path: Bytes,
        flags: u32,
        attributes: SentAttributes,
    },
    Close {
        handle: Bytes,
    },
    Read {
        handle: Bytes,
        offset: u64,
        length: u32,
    },
    Write {
        handle: Bytes,
        offset: u64,
        data: Bytes,
    },
    Lstat {
        path: Bytes,
    },
    Stat {
        path: Bytes,
    },
    Fstat {
        handle: Bytes,
    },
    Setstat {
        path: Bytes,
        attributes: SentAttributes,
    },
    Fsetstat {
        handle: Bytes,
        attributes: SentAttributes,
    },
    Opendir {
        path: Bytes,
    },
    Readdir {
        handle: Bytes,
    },
    Remove {
        path: Bytes,
    },
    Mkdir {
        path: Bytes,
        attributes: SentAttributes,
    },
    Rmdir {
        path: Bytes,
    },
    Realpath {
        path: Bytes,
    },
    Rename {
        from: Bytes,
        to: Bytes,
    },
    Readlink {
        path: Bytes,
    },
    /// In the order of OpenSSH's `PROTOCOL` §4.1: the target comes first, other than in the draft.
    Symlink {
        target: Bytes,
        path: Bytes,
    },
    Extended {
        name: Bytes,
        body: Bytes,
    },
    /// A type that version 3 does not have.
    Unknown {
        kind: u8,
    },
    /// A known type whose fields do not add up.
    Malformed,
}

/// One packet from the client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Packet {
    /// `SSH_FXP_INIT` with the client's version.
    Init {
        /// The client's highest version.
        version: u32,
    },
    /// Any other, with the id its answer must carry.
    Request {
        /// The request id.
        id: u32,
        /// What is asked.
        request: Request,
        /// Length of the packet in bytes: whatever slice of it the request keeps, it is held whole.
        packet_bytes: usize,
    },
}

/// Bytes that cannot be SFTP: the conversation cannot go on in step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WireFault {
    /// A length field of zero or above [`MAX_PACKET_BYTES`].
    Length(u32),
    /// A packet too short to carry its request id.
    Truncated,
}

/// Puts packets together from a byte stream; never holds more than one packet's
/// bound and what the last call brought.
#[derive(Debug, Default)]
pub struct Assembler {
    buffer: BytesMut,
}

impl Assembler {
    /// Takes bytes as they came.
    pub fn push(&mut self, data: &[u8]) {
        self.buffer.extend_from_slice(data);
    }

    /// The next whole packet, if there is one.
    ///
    /// # Errors
    /// [`WireFault`] before anything is allocated for a packet of a false length.
    pub fn take_packet(&mut self) -> Result<Option<Packet>, WireFault> {
        let Some(field) = self.buffer.first_chunk::<4>() else { return Ok(None) };
        let announced = u32::from_be_bytes(*field);
        let length = announced as usize;
        if length == 0 || length > MAX_PACKET_BYTES {
            return Err(WireFault::Length(announced));
        }
        if self.buffer.len() - 4 < length {
            self.buffer.reserve(length + 4 - self.buffer.len());
            return Ok(None);
        }
        self.buffer.advance(4);
        parse(self.buffer.split_to(length).freeze()).map(Some)
    }
}

/// Parses one packet without its length field.
///
/// # Errors
/// [`WireFault::Truncated`] when not even a request id can be read.
pub fn parse(packet: Bytes) -> Result<Packet, WireFault> {
    let packet_bytes = packet.len();
    let mut fields = Fields(packet);
    let kind = fields.byte().ok_or(WireFault::Truncated)?;
    let number = fields.number().ok_or(WireFault::Truncated)?;
    if kind == kind::INIT {
        return Ok(Packet::Init { version: number });
    }
    let request = request(kind, &mut fields).unwrap_or(Request::Malformed);
    Ok(Packet::Request { id: number, request, packet_bytes })
}

fn request(kind: u8, fields: &mut Fields) -> Option<Request> {
    Some(match kind {
        kind::OPEN => {
            Request::Open { path: fields.string()?, flags: fields.number()?, attributes: fields.attributes()? }
        }
        kind::CLOSE => Request::Close { handle: fields.string()? },
        kind::READ => Request::Read { handle: fields.string()?, offset: fields.wide()?, length: fields.number()? },
        kind::WRITE => Request::Write { handle: fields.string()?, offset: fields.wide()?, data: fields.string()? },
        kind::LSTAT => Request::Lstat { path: fields.string()? },
        kind::STAT => Request::Stat { path: fields.string()? },
        kind::FSTAT => Request::Fstat { handle: fields.string()? },
        kind::SETSTAT => Request::Setstat { path: fields.string()?, attributes: fields.attributes()? },
        kind::FSETSTAT => Request::Fsetstat { handle: fields.string()?, attributes: fields.attributes()? },
        kind::OPENDIR => Request::Opendir { path: fields.string()? },
        kind::READDIR => Request::Readdir { handle: fields.string()? },
        kind::REMOVE => Request::Remove { path: fields.string()? },
        kind::MKDIR => Request::Mkdir { path: fields.string()?, attributes: fields.attributes()? },
        kind::RMDIR => Request::Rmdir { path: fields.string()? },
        kind::REALPATH => Request::Realpath { path: fields.string()? },
        kind::RENAME => Request::Rename { from: fields.string()?, to: fields.string()? },
        kind::READLINK => Request::Readlink { path: fields.string()? },
        kind::SYMLINK => Request::Symlink { target: fields.string()?, path: fields.string()? },
        kind::EXTENDED => Request::Extended { name: fields.string()?, body: fields.0.split_off(0) },
        other => Request::Unknown { kind: other },
    })
}

/// Reads the fields of a packet one after the other; `None` when they run out.
#[derive(Debug)]
pub struct Fields(pub Bytes);

impl Fields {
    fn byte(&mut self) -> Option<u8> {
        self.0.try_get_u8().ok()
    }

    /// A `uint32`.
    pub fn number(&mut self) -> Option<u32> {
        self.0.try_get_u32().ok()
    }

    /// A `uint64`.
    pub fn wide(&mut self) -> Option<u64> {
        self.0.try_get_u64().ok()
    }

    /// A `string`.
    pub fn string(&mut self) -> Option<Bytes> {
        let length = self.number()? as usize;
        (length <= self.0.len()).then(|| self.0.split_to(length))
    }

    /// An `ATTRS` structure.
    pub fn attributes(&mut self) -> Option<SentAttributes> {
        const SIZE: u32 = 1;
        const OWNER: u32 = 2;
        const PERMISSIONS: u32 = 4;
        const TIMES: u32 = 8;
        const EXTENDED: u32 = 0x8000_0000;
        let flags = self.number()?;
        let mut sent = SentAttributes::default();
        if flags & SIZE != 0 {
            sent.size = Some(self.wide()?);
        }
        if flags & OWNER != 0 {
            sent.owner = Some((self.number()?, self.number()?));
        }
        if flags & PERMISSIONS != 0 {
            sent.permissions = Some(self.number()?);
        }
        if flags & TIMES != 0 {
            sent.times_seconds = Some((self.number()?, self.number()?));
        }
        if flags & EXTENDED != 0 {
            // each pair takes at least eight bytes, so a false count ends with the packet
            for _ in 0..self.number()? {
                self.string()?;
                self.string()?;
            }
        }
        Some(sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::BufMut;
    use proptest::prelude::*;

    #[test]
    fn a_read_survives_any_cut_of_the_stream() {
        let mut packet = BytesMut::new();
        packet.put_u32(1 + 4 + 4 + 2 + 8 + 4);
        packet.put_u8(kind::READ);
        packet.put_u32(7);
        packet.put_u32(2);
        packet.put_slice(b"hh");
        packet.put_u64(99);
        packet.put_u32(32_768);
        for cut in 0..packet.len() {
            let (front, back) = packet.split_at(cut);
            let mut assembler = Assembler::default();
            assembler.push(front);
            assert_eq!(assembler.take_packet().unwrap(), None);
            assembler.push(back);
            let expected = Request::Read { handle: Bytes::from_static(b"hh"), offset: 99, length: 32_768 };
            assert_eq!(
                assembler.take_packet().unwrap(),
                Some(Packet::Request { id: 7, request: expected, packet_bytes: 23 })
            );
        }
    }

    #[test]
    fn a_false_length_is_refused_before_anything_is_held() {
        for length in [0_u32, MAX_PACKET_BYTES as u32 + 1, u32::MAX] {
            let mut assembler = Assembler::default();
            assembler.push(&length.to_be_bytes());
            assert_eq!(assembler.take_packet(), Err(WireFault::Length(length)));
            assert!(assembler.buffer.capacity() < 4096);
        }
    }

    #[test]
    fn fields_that_run_out_are_malformed_with_their_id() {
        let packet = Bytes::from_static(&[kind::OPEN, 0, 0, 0, 9, 0, 0, 0, 200, b'x']);
        let expected = Packet::Request { id: 9, request: Request::Malformed, packet_bytes: 10 };
        assert_eq!(parse(packet).unwrap(), expected);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_stumble(chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..8)) {
            let mut assembler = Assembler::default();
            for chunk in &chunks {
                assembler.push(chunk);
                while let Ok(Some(_)) = assembler.take_packet() {}
                prop_assert!(assembler.buffer.capacity() <= 2 * (MAX_PACKET_BYTES + 4));
            }
        }

        #[test]
        fn no_body_makes_a_known_kind_stumble(kind in 0_u8..=201, body in proptest::collection::vec(any::<u8>(), 0..120)) {
            let mut packet = vec![kind];
            packet.extend(body);
            let _ = parse(Bytes::from(packet));
        }
    }
}

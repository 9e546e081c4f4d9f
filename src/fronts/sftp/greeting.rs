//! The first words of a connection, exchanged before russh takes it over: ours,
//! the client's identification, and what OpenSSH proposes (RFC 4253 §4.2, §7.1).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};

/// Our identification line.
pub(super) const SERVER_ID: &str = "SSH-2.0-Postkluis";
/// Longest identification line with its end (RFC 4253 §4.2).
const MAX_LINE_BYTES: usize = 255;
/// The client's proposal of algorithms is read ahead up to this; OpenSSH's has about 1.5 KiB.
const MAX_PROPOSAL_BYTES: usize = 8 * 1024;
/// Wait for the proposal of an OpenSSH client, which sends it unasked; late ones get the whole offer.
const PROPOSAL_WAIT: Duration = Duration::from_secs(2);
/// Message number of a proposal (SSH_MSG_KEXINIT).
const KEXINIT: u8 = 20;
/// Random bytes at the begin of a proposal.
const COOKIE_BYTES: usize = 16;

/// What a client said first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Hello {
    /// The identification line, without its end; only printable ASCII.
    pub(super) line: String,
    /// Ciphers from client to server and back, as proposed; empty when not read ahead.
    ciphers: [String; 2],
}

impl Hello {
    /// Whether it calls itself OpenSSH.
    pub(super) fn is_openssh(&self) -> bool {
        is_openssh(&self.line)
    }

    /// Whether it proposed this cipher for both ways.
    pub(super) fn offers_cipher(&self, name: &str) -> bool {
        self.ciphers.iter().all(|list| list.split(',').any(|offered| offered == name))
    }
}

fn is_openssh(line: &str) -> bool {
    line.starts_with("SSH-2.0-OpenSSH_")
}

/// A connection after the greeting: gives what was read ahead once more, and keeps back our
/// identification line, which russh sends too.
pub(super) struct Greeted<S> {
    early: io::Cursor<Vec<u8>>,
    sent_already: usize,
    stream: S,
}

/// Sends our identification line and reads the client's, and the proposal of an OpenSSH client.
///
/// # Errors
/// The connection broke, or what came is not SSH.
pub(super) async fn greet<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) -> io::Result<(Greeted<S>, Hello)> {
    let ours = format!("{SERVER_ID}\r\n");
    stream.write_all(ours.as_bytes()).await?;
    let mut early = Vec::new();
    let line = loop {
        if let Some(line) = first_line(&early)? {
            break line;
        }
        more(&mut stream, &mut early, MAX_LINE_BYTES).await?;
    };
    let mut ciphers = [String::new(), String::new()];
    if is_openssh(&line) {
        let proposal = async {
            while early.len() < MAX_PROPOSAL_BYTES {
                match read_proposal(&early) {
                    Proposal::Unfinished => more(&mut stream, &mut early, MAX_PROPOSAL_BYTES).await?,
                    Proposal::Ciphers(found) => return Ok(found),
                    Proposal::SomethingElse => break,
                }
            }
            io::Result::Ok([String::new(), String::new()])
        };
        // what was read stays in `early` also when the time is over; russh judges what is odd
        if let Ok(found) = tokio::time::timeout(PROPOSAL_WAIT, proposal).await {
            ciphers = found?;
        }
    }
    Ok((Greeted { early: io::Cursor::new(early), sent_already: ours.len(), stream }, Hello { line, ciphers }))
}

async fn more<S: AsyncRead + Unpin>(stream: &mut S, early: &mut Vec<u8>, most: usize) -> io::Result<()> {
    let room = most.saturating_sub(early.len()) as u64;
    match stream.take(room).read_buf(early).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

/// The identification line when it is there whole.
fn first_line(early: &[u8]) -> io::Result<Option<String>> {
    let not_ssh = || io::Error::new(io::ErrorKind::InvalidData, "the client does not speak SSH");
    let Some(end) = early.iter().position(|byte| *byte == b'\n') else {
        return if early.len() < MAX_LINE_BYTES { Ok(None) } else { Err(not_ssh()) };
    };
    let line = early.get(..end).unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let is_ssh = line.starts_with(b"SSH-2.0-") || line.starts_with(b"SSH-1.99-");
    let printable = line.iter().all(|byte| matches!(byte, b' '..=b'~'));
    (is_ssh && printable).then(|| Some(String::from_utf8_lossy(line).into_owned())).ok_or_else(not_ssh)
}

#[derive(PartialEq, Eq, Debug)]
enum Proposal {
    Unfinished,
    Ciphers([String; 2]),
    SomethingElse,
}

/// Looks for the proposal behind the identification line.
fn read_proposal(early: &[u8]) -> Proposal {
    let Some(line) = early.iter().position(|byte| *byte == b'\n') else { return Proposal::Unfinished };
    let mut rest = early.get(line.saturating_add(1)..).unwrap_or_default();
    let Some(length) = take_number(&mut rest) else { return Proposal::Unfinished };
    if length > MAX_PROPOSAL_BYTES {
        return Proposal::SomethingElse;
    }
    let Some(packet) = rest.get(..length) else { return Proposal::Unfinished };
    proposed_ciphers(packet).map_or(Proposal::SomethingElse, Proposal::Ciphers)
}

fn proposed_ciphers(packet: &[u8]) -> Option<[String; 2]> {
    // the length of the padding, the number of the message, the cookie
    let (head, mut lists) = packet.split_at_checked(2 + COOKIE_BYTES)?;
    // key exchange and host keys stand before the ciphers
    let (_, _) = (take_list(&mut lists)?, take_list(&mut lists)?);
    let found = [take_list(&mut lists)?, take_list(&mut lists)?];
    (head.get(1) == Some(&KEXINIT)).then_some(found)
}

fn take_number(rest: &mut &[u8]) -> Option<usize> {
    let (number, after) = rest.split_first_chunk::<4>()?;
    *rest = after;
    usize::try_from(u32::from_be_bytes(*number)).ok()
}

fn take_list(rest: &mut &[u8]) -> Option<String> {
    let length = take_number(rest)?;
    let (list, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(String::from_utf8_lossy(list).into_owned())
}

impl<S: AsyncRead + Unpin> AsyncRead for Greeted<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let at = usize::try_from(self.early.position()).unwrap_or(usize::MAX);
        let left = self.early.get_ref().get(at..).unwrap_or_default();
        if left.is_empty() {
            return Pin::new(&mut self.stream).poll_read(context, into);
        }
        let count = left.len().min(into.remaining());
        into.put_slice(left.get(..count).unwrap_or_default());
        self.early.set_position(at.saturating_add(count) as u64);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Greeted<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.sent_already > 0 {
            let count = bytes.len().min(self.sent_already);
            self.sent_already = self.sent_already.saturating_sub(count);
            return Poll::Ready(Ok(count));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(names: &str) -> Vec<u8> {
        [&u32::try_from(names.len()).unwrap().to_be_bytes()[..], names.as_bytes()].concat()
    }

    fn opening(line: &str, kind: u8, ciphers: [&str; 2]) -> Vec<u8> {
        let lists: Vec<u8> = ["kex", "keys", ciphers[0], ciphers[1]].iter().flat_map(|names| list(names)).collect();
        let packet = [&[4, kind][..], &[9; COOKIE_BYTES], &lists, b"the rest"].concat();
        [line.as_bytes(), &u32::try_from(packet.len()).unwrap().to_be_bytes(), &packet].concat()
    }

    #[test]
    fn a_proposal_is_read_when_it_is_whole() {
        let whole = opening("SSH-2.0-OpenSSH_9.2\r\n", KEXINIT, ["a,b", "b,c"]);
        let found = Proposal::Ciphers(["a,b".to_owned(), "b,c".to_owned()]);
        assert_eq!(read_proposal(&whole), found);
        for end in 0..whole.len() {
            assert_eq!(read_proposal(&whole[..end]), Proposal::Unfinished, "{end}");
        }
        let hello = Hello { line: String::new(), ciphers: ["a,b".to_owned(), "b,c".to_owned()] };
        assert!(hello.offers_cipher("b") && !hello.offers_cipher("a") && !hello.offers_cipher("c"));
    }

    #[test]
    fn what_is_no_proposal_is_left_to_others() {
        assert_eq!(read_proposal(&opening("x\n", 21, ["a", "b"])), Proposal::SomethingElse);
        assert_eq!(read_proposal(b"x\n\xff\xff\xff\xff"), Proposal::SomethingElse);
        assert_eq!(read_proposal(b"x\n\0\0\0\0"), Proposal::SomethingElse);
        let lists_too_long = [&b"x\n\0\0\0\x16"[..], &[4, KEXINIT], &[9; COOKIE_BYTES], &[0xff; 4]].concat();
        assert_eq!(read_proposal(&lists_too_long), Proposal::SomethingElse);
    }

    #[test]
    fn only_ssh_is_a_greeting() {
        for line in ["SSH-2.0-x\r\n", "SSH-2.0-x\n", "SSH-1.99-x\r\nmore"] {
            assert!(first_line(line.as_bytes()).unwrap().is_some(), "{line:?}");
        }
        assert_eq!(first_line(b"SSH-2.0-x\r").unwrap(), None);
        for line in ["GET / HTTP/1.1\r\n", "SSH-1.5-x\r\n", "SSH-2.0-\x1b[2J\r\n", "\n"] {
            assert!(first_line(line.as_bytes()).is_err(), "{line:?}");
        }
        assert!(first_line(&[b'x'; MAX_LINE_BYTES]).is_err());
    }
}

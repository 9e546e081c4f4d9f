//! The ideal loop: read a sealed payload, open each chunk, seal it as SSH's aes128-gcm would, send it
//! over loopback. No protocol, no records, no other threads: what nobody can be below.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::thread;

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use postkluis::sealing::stream::{CHUNK_BYTES, Layout, PayloadKey};

use crate::measure::median;
use crate::served::Outcome;

const FILE_KEY: [u8; 16] = [7; 16];
const NONCE: [u8; 16] = [9; 16];
/// Payload of one SSH packet: what OpenSSH takes.
const PACKET_BYTES: usize = 32 * 1024;

/// Measures so many rounds after one that warms up, and prints CPU seconds of the sending thread.
pub(crate) fn measure(folder: &Path, bytes: u64, rounds: usize, download_cpu: Option<f64>) -> Outcome<()> {
    println!("\n-- the ideal loop over {} MiB: read, open, seal, send; {rounds} rounds", bytes >> 20);
    let path = folder.join("ideal");
    write_sealed(&path, bytes)?;
    let mut taken = Vec::new();
    for round in 0..=rounds {
        let spent = send_all(&path, bytes)?;
        if round > 0 {
            taken.push(spent);
        }
    }
    fs::remove_file(&path)?;
    let gib = bytes as f64 / f64::from(1 << 30);
    let ideal = median(&taken) / gib;
    println!("{:<26} {ideal:.3} CPU s/GiB of the sender", "ideal, sealed");
    if let Some(download_cpu) = download_cpu {
        println!("{:<26} {:.2} times that in `download` of this run", "postkluis, sealed", download_cpu / ideal);
    }
    Ok(())
}

fn write_sealed(path: &Path, bytes: u64) -> Outcome<()> {
    let key = PayloadKey::new(&FILE_KEY, &NONCE)?;
    let layout = Layout::of_plain(bytes);
    let mut file = fs::File::create(path)?;
    file.write_all(&NONCE)?;
    let mut chunk = Vec::new();
    for number in 0..layout.chunks() {
        let left = bytes - number * CHUNK_BYTES as u64;
        chunk.clear();
        chunk.resize(usize::try_from(left)?.min(CHUNK_BYTES), 0x5a);
        key.seal_chunk(number, layout.is_last(number), &mut chunk)?;
        file.write_all(&chunk)?;
    }
    Ok(())
}

fn send_all(path: &Path, bytes: u64) -> Outcome<f64> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let at = listener.local_addr()?;
    let taker = thread::spawn(move || -> std::io::Result<u64> {
        let (mut stream, _) = listener.accept()?;
        let mut buffer = vec![0; 256 * 1024];
        let mut taken = 0;
        loop {
            match stream.read(&mut buffer)? {
                0 => return Ok(taken),
                length => taken += length as u64,
            }
        }
    });
    let mut stream = TcpStream::connect(at)?;
    let before = own_cpu_seconds()?;
    let sent = send(path, bytes, &mut stream)?;
    let spent = own_cpu_seconds()? - before;
    drop(stream);
    let taken = taker.join().map_err(|_| "the taker panicked")??;
    if taken != sent {
        return Err(format!("{sent} bytes were sent and {taken} taken").into());
    }
    Ok(spent)
}

fn send(path: &Path, bytes: u64, stream: &mut TcpStream) -> Outcome<u64> {
    let file = fs::File::open(path)?;
    let payload = PayloadKey::new(&FILE_KEY, &NONCE)?;
    let wire = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &[3; 16]).map_err(|_| "no key")?);
    let layout = Layout::of_plain(bytes);
    let mut sealed = vec![0; CHUNK_BYTES + 16];
    let mut packet = Vec::with_capacity(PACKET_BYTES + 64);
    let (mut count, mut sent) = (0_u64, 0);
    for number in 0..layout.chunks() {
        let (offset, length) = layout.place_of(number);
        let chunk = sealed.get_mut(..length).ok_or("a chunk that is too long")?;
        file.read_exact_at(chunk, offset)?;
        let plain = payload.open_chunk(number, layout.is_last(number), chunk)?;
        for piece in plain.chunks(PACKET_BYTES) {
            packet.clear();
            packet.extend_from_slice(piece);
            let mut nonce = [0_u8; 12];
            if let Some(tail) = nonce.last_chunk_mut() {
                *tail = count.to_be_bytes();
            }
            wire.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut packet)
                .map_err(|_| "sealing failed")?;
            stream.write_all(&packet)?;
            sent += packet.len() as u64;
            count += 1;
        }
    }
    Ok(sent)
}

/// CPU seconds of this thread.
fn own_cpu_seconds() -> Outcome<f64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds: f64 = text.split_whitespace().next().ok_or("no CPU time of this thread")?.parse()?;
    Ok(nanoseconds / 1e9)
}

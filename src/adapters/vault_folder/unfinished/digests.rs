//! The two digests of an upload that comes in order: of its plaintext and of its sealed bytes,
//! taken while it is written. Small ones inline; large ones on a thread of their own, over a bounded queue.

use std::mem;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, channel, sync_channel};
use std::thread::{Builder, JoinHandle};

use aws_lc_rs::digest::{Context, SHA256};

use super::super::writer;
use crate::domain::digest::Digest;
use crate::ports::failure::Fault;
use crate::sealing::stream::SEALED_CHUNK_BYTES;

/// Chunks that are hashed inline before a thread is started: 1 MiB.
const INLINE_CHUNKS: u64 = 16;

/// Chunks that wait for the thread, plain or sealed: 2 MiB.
const CHUNKS_WAITING: usize = 32;

/// The two digests of one extent, taken in the order of its chunks.
pub(super) struct Digests {
    chunks: u64,
    work: Work,
}

enum Work {
    Inline(Pair),
    Thread(Thread),
    /// Between two states only.
    Moving,
}

struct Pair {
    plain: Context,
    sealed: Context,
}

/// One chunk for the thread; its memory comes back for another.
enum Job {
    Plain(Vec<u8>),
    Sealed(Vec<u8>),
}

struct Thread {
    jobs: SyncSender<Job>,
    spare: Receiver<Vec<u8>>,
    worker: JoinHandle<Pair>,
}

impl Digests {
    /// Nothing hashed yet.
    pub(super) fn new() -> Self {
        Self { chunks: 0, work: Work::Inline(Pair { plain: Context::new(&SHA256), sealed: Context::new(&SHA256) }) }
    }

    /// Takes the nonce, which lies before the first sealed chunk.
    pub(super) fn nonce(&mut self, nonce: &[u8]) {
        if let Work::Inline(pair) = &mut self.work {
            pair.sealed.update(nonce);
        }
    }

    /// Takes a chunk before it is sealed.
    pub(super) fn plain(&mut self, chunk: &[u8]) -> Result<(), Fault> {
        if self.chunks == INLINE_CHUNKS
            && let Work::Inline(pair) = mem::replace(&mut self.work, Work::Moving)
        {
            self.work = Work::Thread(Thread::start(pair)?);
        }
        match &mut self.work {
            Work::Inline(pair) => pair.plain.update(chunk),
            Work::Thread(thread) => {
                let mut copy = thread.memory()?;
                copy.extend_from_slice(chunk);
                thread.hand_over(Job::Plain(copy))?;
            }
            Work::Moving => return Err(stopped()),
        }
        self.chunks += 1;
        Ok(())
    }

    /// Takes the same chunk when it is sealed and written. Returns memory for another chunk.
    pub(super) fn sealed(&mut self, chunk: Vec<u8>) -> Result<Vec<u8>, Fault> {
        match &mut self.work {
            Work::Inline(pair) => {
                pair.sealed.update(&chunk);
                Ok(chunk)
            }
            Work::Thread(thread) => {
                thread.hand_over(Job::Sealed(chunk))?;
                thread.memory()
            }
            Work::Moving => Err(stopped()),
        }
    }

    /// The digests of the plaintext and of the sealed bytes.
    pub(super) fn finish(self) -> Result<(Digest, Digest), Fault> {
        let pair = match self.work {
            Work::Inline(pair) => pair,
            Work::Thread(thread) => {
                drop(thread.jobs);
                thread.worker.join().map_err(|_| stopped())?
            }
            Work::Moving => return Err(stopped()),
        };
        Ok((writer::finish(pair.plain), writer::finish(pair.sealed)))
    }
}

impl Thread {
    fn start(mut pair: Pair) -> Result<Self, Fault> {
        let (jobs, received) = sync_channel::<Job>(CHUNKS_WAITING);
        // Never holds more than what went through the bounded queue.
        let (done, spare) = channel();
        let worker = Builder::new()
            .name("upload-digest".to_owned())
            .spawn(move || {
                // Ends when the upload drops its side, at the latest after what waits.
                for job in received {
                    let chunk = match job {
                        Job::Plain(chunk) => {
                            pair.plain.update(&chunk);
                            chunk
                        }
                        Job::Sealed(chunk) => {
                            pair.sealed.update(&chunk);
                            chunk
                        }
                    };
                    // Nobody needs the memory any more when the upload is at its end.
                    drop(done.send(chunk));
                }
                pair
            })
            .map_err(|error| Fault::from_error("start a thread to hash an upload", error))?;
        Ok(Self { jobs, spare, worker })
    }

    fn hand_over(&self, job: Job) -> Result<(), Fault> {
        self.jobs.send(job).map_err(|_| stopped())
    }

    /// Empty memory for a chunk: what the thread is done with, else new.
    fn memory(&self) -> Result<Vec<u8>, Fault> {
        match self.spare.try_recv() {
            Ok(mut chunk) => {
                chunk.clear();
                Ok(chunk)
            }
            Err(TryRecvError::Empty) => Ok(Vec::with_capacity(SEALED_CHUNK_BYTES)),
            Err(TryRecvError::Disconnected) => Err(stopped()),
        }
    }
}

fn stopped() -> Fault {
    Fault::new("hash an upload: the hashing thread stopped")
}

//! Unpacking on a thread of its own, a few chunks ahead of the decoder.
//!
//! A small file stays on the decoder's thread: another one would cost more
//! than it saves.
//!
//! Invariant: the decoder sees the chunks, and the error if there is one, that
//! it would see without.

use std::ops::Range;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, Scope, ScopedJoinHandle};

use bytes::Bytes;
use decant_core::format::Input;
use decant_core::{Error, ErrorKind, Result};

/// Chunks that are pulled before a thread is worth its while.
const CHUNKS_NEAR: usize = 4;
/// Chunks that wait for the decoder at most.
const CHUNKS_AHEAD: usize = 2;

/// Lets `read` have `input`, which is read in order, from a thread that works
/// ahead.
///
/// A panic of that thread goes on in the caller's.
pub(crate) fn with_thread_ahead<T>(
    input: &mut dyn Input,
    read: impl FnOnce(&mut dyn Input) -> Result<T>,
) -> Result<T> {
    std::thread::scope(|scope| {
        let size = input.size();
        let mut ahead = Ahead { scope, size, source: Source::Near(input, 0) };
        let result = read(&mut ahead);
        ahead.end();
        result
    })
}

struct Ahead<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    size: Option<u64>,
    source: Source<'scope>,
}

enum Source<'scope> {
    /// On the decoder's thread, after so many chunks.
    Near(&'scope mut dyn Input, usize),
    Far(Receiver<Result<Bytes>>, ScopedJoinHandle<'scope, ()>),
    Ended,
}

impl<'scope> Ahead<'scope, '_> {
    /// Sends the input away.
    fn depart(&mut self, input: &'scope mut dyn Input) -> Result<()> {
        let (sender, chunks) = sync_channel(CHUNKS_AHEAD);
        let thread = Builder::new().name("unpack".to_owned());
        let thread = thread.spawn_scoped(self.scope, move || pull(input, &sender));
        let thread = thread.map_err(|error| {
            Error::new(ErrorKind::Unavailable, "no thread could be started").caused_by(error)
        })?;
        self.source = Source::Far(chunks, thread);
        Ok(())
    }

    /// Waits for the thread, which learns that nobody listens any more.
    fn end(&mut self) {
        if let Source::Far(chunks, thread) = std::mem::replace(&mut self.source, Source::Ended) {
            drop(chunks);
            if let Err(panic) = thread.join() {
                resume_unwind(panic);
            }
        }
    }
}

/// Sends every chunk, and an error in its place, until nobody listens.
fn pull(input: &mut dyn Input, chunks: &SyncSender<Result<Bytes>>) {
    while let Some(chunk) = input.next_chunk().transpose() {
        let is_last = chunk.is_err();
        if chunks.send(chunk).is_err() || is_last {
            return;
        }
    }
}

impl Input for Ahead<'_, '_> {
    fn next_chunk(&mut self) -> Result<Option<Bytes>> {
        match std::mem::replace(&mut self.source, Source::Ended) {
            Source::Near(input, chunks) if chunks < CHUNKS_NEAR => {
                let chunk = input.next_chunk();
                self.source = Source::Near(input, chunks + 1);
                return chunk;
            }
            Source::Near(input, _) => self.depart(input)?,
            source => self.source = source,
        }
        match &self.source {
            Source::Far(chunks, _) => chunks.recv().ok().transpose(),
            Source::Near(..) | Source::Ended => Ok(None),
        }
    }

    fn range(&mut self, range: Range<u64>) -> Result<Bytes> {
        match &mut self.source {
            Source::Near(input, _) => input.range(range),
            Source::Far(..) | Source::Ended => {
                let message = "what is read in order has no ranges";
                Err(Error::new(ErrorKind::Unsupported, message))
            }
        }
    }

    fn size(&self) -> Option<u64> {
        self.size
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Chunks;

    fn all(input: &mut dyn Input) -> (Vec<u8>, Option<Error>) {
        let mut bytes = Vec::new();
        loop {
            match input.next_chunk() {
                Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
                Ok(None) => return (bytes, None),
                Err(error) => return (bytes, Some(error)),
            }
        }
    }

    #[test]
    fn short_and_long_inputs_arrive_whole() {
        for length in [0, 1, 4, 5, 6, 1000] {
            let bytes: Vec<u8> = (0..length).map(|at| at as u8).collect();
            let read = with_thread_ahead(&mut Chunks::new(&bytes, 1), |input| Ok(all(input)));
            let (read, error) = read.unwrap();
            assert!(error.is_none());
            assert_eq!(read, bytes);
        }
    }

    #[test]
    fn an_error_comes_behind_what_was_read_before_it() {
        for chunks in [0, 3, 4, 5, 9] {
            let mut input = Chunks::failing_after(&[7; 100], 1, chunks);
            let (read, error) = with_thread_ahead(&mut input, |input| Ok(all(input))).unwrap();
            assert_eq!(read.len(), chunks);
            assert_eq!(error.unwrap().message(), "the connection was lost");
        }
    }

    #[test]
    fn a_reader_that_stops_early_is_not_waited_for() {
        let mut input = Chunks::new(&[7; 1000], 1);
        let read = with_thread_ahead(&mut input, |input| {
            (0..10).try_for_each(|_| input.next_chunk().map(|_| ()))?;
            Err::<(), _>(Error::new(ErrorKind::Internal, "enough"))
        });
        assert_eq!(read.unwrap_err().message(), "enough");
    }

    struct Panics;

    impl Input for Panics {
        fn next_chunk(&mut self) -> Result<Option<Bytes>> {
            if std::thread::current().name() == Some("unpack") {
                panic!("on purpose");
            }
            Ok(Some(Bytes::from_static(b"a")))
        }

        fn range(&mut self, _: Range<u64>) -> Result<Bytes> {
            Ok(Bytes::new())
        }

        fn size(&self) -> Option<u64> {
            None
        }
    }

    #[test]
    fn a_panic_reaches_who_reads() {
        let read = std::panic::catch_unwind(|| {
            with_thread_ahead(&mut Panics, |input| Ok(all(input).0.len()))
        });
        assert!(read.is_err());
    }
}

//! Which requests are made, and that the bytes are the same either way.

use std::ops::Range;
use std::sync::Mutex;

use async_trait::async_trait;
use decant_core::ByteStream;
use tokio::sync::Barrier;

use super::*;
use crate::observer::NoObserver;
use crate::queue::{Receiver, queue};
use crate::report::Tally;

const PART_BYTES: u64 = 4 << 20;
const SIZE: u64 = TRIAL_BYTES + 4 * PART_BYTES + 7;

/// A file whose ranges come when as many are asked for as may be.
struct Slow {
    asked: Mutex<Vec<Range<u64>>>,
    together: Barrier,
    /// The first byte of the range that is refused, if one is.
    refused: Option<u64>,
}

fn byte(at: u64) -> u8 {
    (at % 251) as u8
}

fn bytes(range: Range<u64>) -> Bytes {
    range.map(byte).collect::<Vec<u8>>().into()
}

#[async_trait]
impl Content for Slow {
    async fn stream(&self, offset: u64) -> Result<ByteStream> {
        let starts = (offset..SIZE).step_by(CHUNK_BYTES);
        let chunks = starts.map(|start| Ok(bytes(start..SIZE.min(start + CHUNK_BYTES as u64))));
        let slowly = stream::iter(chunks).then(|chunk| async {
            // The receiver has its turn, whoever had the last one.
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
            chunk
        });
        Ok(slowly.boxed())
    }

    async fn range(&self, range: Range<u64>) -> Result<Bytes> {
        self.asked.lock().unwrap().push(range.clone());
        if range.start - TRIAL_BYTES < PARTS_AT_ONCE as u64 * PART_BYTES {
            self.together.wait().await;
        }
        match self.refused == Some(range.start) {
            true => Err(Error::new(ErrorKind::Conflict, "was overwritten")),
            false => Ok(bytes(range)),
        }
    }
}

fn slow(refused: Option<u64>) -> Arc<Slow> {
    Arc::new(Slow { asked: Mutex::default(), together: Barrier::new(PARTS_AT_ONCE), refused })
}

fn fetching_of(
    slow: &Arc<Slow>,
    manner: Manner,
    bytes_max: u64,
) -> (Fetching, Receiver<Result<Bytes>>) {
    let counter = FetchCounter { tally: Arc::new(Tally::new()), observer: Arc::new(NoObserver) };
    let (chunks, receiver) = queue(bytes_max);
    let content: Arc<dyn Content> = Arc::<Slow>::clone(slow);
    (Fetching { content, size: SIZE, manner, part_bytes: PART_BYTES, counter, chunks }, receiver)
}

fn fetching(manner: Manner, bytes_max: u64) -> (Arc<Slow>, Fetching, Receiver<Result<Bytes>>) {
    let slow = slow(None);
    let (fetching, receiver) = fetching_of(&slow, manner, bytes_max);
    (slow, fetching, receiver)
}

async fn check_all(mut receiver: Receiver<Result<Bytes>>) {
    let mut at = 0;
    while let Some(chunk) = receiver.receive().await {
        for found in chunk.unwrap() {
            assert_eq!(found, byte(at), "byte {at}");
            at += 1;
        }
    }
    assert_eq!(at, SIZE);
}

#[tokio::test]
async fn a_file_that_is_waited_for_is_fetched_in_parts_at_the_same_time() {
    let (content, fetching, receiver) = fetching(Manner::InParts, 1);
    tokio::join!(fetching.run(), check_all(receiver));
    let asked = content.asked.lock().unwrap();
    assert_eq!(asked.len(), 5);
    assert_eq!(asked[0], TRIAL_BYTES..TRIAL_BYTES + PART_BYTES);
    assert_eq!(asked[4], SIZE - 7..SIZE);
}

#[tokio::test]
async fn a_file_that_comes_fast_enough_costs_one_request() {
    let (content, fetching, receiver) = fetching(Manner::InParts, SIZE);
    fetching.run().await;
    check_all(receiver).await;
    assert!(content.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_has_no_cheap_ranges_is_fetched_in_order() {
    let (content, fetching, receiver) = fetching(Manner::InOrder, 1);
    tokio::join!(fetching.run(), check_all(receiver));
    assert!(content.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn nobody_listening_ends_it() {
    let (_, fetching, receiver) = fetching(Manner::InParts, 1);
    drop(receiver);
    fetching.run().await;
}

#[tokio::test]
async fn a_part_that_is_refused_is_an_error_behind_the_bytes_before_it() {
    let refused_at = TRIAL_BYTES + 2 * PART_BYTES;
    let slow = slow(Some(refused_at));
    let (fetching, mut receiver) = fetching_of(&slow, Manner::InParts, 1);
    let all = async {
        let mut at = 0;
        while let Some(chunk) = receiver.receive().await {
            match chunk {
                Ok(chunk) => at += chunk.len() as u64,
                Err(error) => return (at, Some(error.kind()), receiver.receive().await.is_none()),
            }
        }
        (at, None, true)
    };
    let ((), ended) = tokio::join!(fetching.run(), all);
    assert_eq!(ended, (refused_at, Some(ErrorKind::Conflict), true));
}

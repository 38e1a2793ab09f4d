//! Which requests are made, when, and what becomes of their answers.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use chrono::DateTime;
use decant_core::{ByteStream, Content, Error, ErrorKind};
use futures::{FutureExt, StreamExt, stream};
use tokio::sync::Semaphore;

use super::*;

/// A store that notes what it is asked for, and answers as often as it is
/// allowed to.
struct Bucket {
    asked: Mutex<Vec<String>>,
    answers: Semaphore,
    fails: AtomicBool,
}

#[derive(Clone)]
struct Door(Arc<Bucket>);

struct Opened(Arc<Bucket>, FileVersion);

impl Bucket {
    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl Store for Door {
    async fn open(&self, file: &FileVersion) -> Result<Box<dyn Content>> {
        Ok(Box::new(Opened(Arc::clone(&self.0), file.clone())))
    }
}

#[async_trait]
impl Content for Opened {
    async fn stream(&self, offset: u64) -> Result<ByteStream> {
        let rest = self.range(offset..self.1.size).await?;
        Ok(stream::iter([Ok(rest)]).boxed())
    }

    async fn range(&self, range: Range<u64>) -> Result<Bytes> {
        self.0.asked.lock().unwrap().push(self.1.key.clone());
        self.0.answers.acquire().await.unwrap().forget();
        if self.0.fails.load(Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::Unavailable, "is not answering"));
        }
        Ok(bytes_of(&self.1).slice(range.start as usize..range.end as usize))
    }
}

fn bytes_of(file: &FileVersion) -> Bytes {
    file.etag.bytes().cycle().take(file.size as usize).collect()
}

fn file(key: &str, etag: &str) -> FileVersion {
    FileVersion {
        source: "aws".into(),
        bucket: "b".into(),
        key: key.into(),
        member: String::new(),
        etag: etag.into(),
        size: 100,
        version_id: None,
        last_modified: DateTime::from_timestamp(0, 0).unwrap(),
    }
}

/// A bucket that gives so many answers, fetched from early.
fn bucket(answers: usize, requests: usize, bytes_max: u64) -> (Arc<Bucket>, Offers, Early) {
    let bucket = Arc::new(Bucket {
        asked: Mutex::default(),
        answers: Semaphore::new(answers),
        fails: AtomicBool::new(false),
    });
    let budget = FetchBudget::new(requests, 1 << 20, 1);
    let room = Room { bytes: bytes_max, of_a_file: 1000 };
    let store = Arc::new(Door(Arc::clone(&bucket)));
    let (offers, early) = start(store, budget, room, Stop::default());
    (bucket, offers, early)
}

/// Lets everything happen that waits for nobody.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_is_offered_is_fetched_once_and_in_order() {
    let (bucket, mut offers, early) = bucket(3, 10, 1 << 20);
    for key in ["a", "b", "c", "b"] {
        offers.offer(&file(key, "1"));
    }
    settle().await;
    assert_eq!(bucket.asked(), ["a", "b", "c"]);
    assert_eq!(early.take(&file("b", "1")).await, Some(bytes_of(&file("b", "1"))));
    assert_eq!(early.take(&file("b", "1")).await, None, "they are taken once");
    assert_eq!(bucket.asked().len(), 3);
}

#[tokio::test]
async fn bytes_on_their_way_are_waited_for() {
    let (bucket, mut offers, early) = bucket(0, 10, 1 << 20);
    offers.offer(&file("a", "1"));
    settle().await;
    drop(offers);
    let (wanted, on_their_way) = (file("a", "1"), early.clone());
    let taking = tokio::spawn(async move { on_their_way.take(&wanted).await });
    settle().await;
    assert!(!taking.is_finished());
    bucket.answers.add_permits(1);
    assert_eq!(taking.await.unwrap(), Some(bytes_of(&file("a", "1"))));
}

#[tokio::test]
async fn another_version_is_not_what_was_fetched() {
    let (_, mut offers, early) = bucket(2, 10, 1 << 20);
    offers.offer(&file("a", "1"));
    offers.offer(&file("b", "1"));
    settle().await;
    assert_eq!(early.take(&file("a", "2")).await, None);
    let other = FileVersion { version_id: Some("v".into()), ..file("b", "1") };
    assert_eq!(early.take(&other).await, None);
}

#[tokio::test]
async fn no_more_bytes_are_fetched_than_there_is_room_for() {
    let (bucket, mut offers, _early) = bucket(10, 10, 3 * (FILE_BYTES + KEYS + 100) - 1);
    for size in [u64::MAX, 1001] {
        offers.offer(&FileVersion { size, ..file("large", "1") });
    }
    for key in ["a", "b", "c"] {
        offers.offer(&file(key, "1"));
    }
    settle().await;
    assert_eq!(bucket.asked(), ["a", "b"]);
}

#[tokio::test]
async fn requests_are_those_of_the_run_and_end_with_the_offers() {
    let (bucket, mut offers, early) = bucket(0, 2, 1 << 20);
    for key in ["a", "b", "c", "d"] {
        offers.offer(&file(key, "1"));
    }
    settle().await;
    assert_eq!(bucket.asked(), ["a", "b"]);
    bucket.answers.add_permits(1);
    settle().await;
    assert_eq!(bucket.asked(), ["a", "b", "c"]);
    drop(offers);
    bucket.answers.add_permits(9);
    settle().await;
    assert_eq!(bucket.asked(), ["a", "b", "c"], "no request begins any more");
    assert_eq!(early.take(&file("d", "1")).now_or_never(), Some(None), "nobody waits for it");
    assert!(early.take(&file("c", "1")).await.is_some());
}

#[tokio::test]
async fn what_was_taken_before_its_turn_is_left_to_who_took_it() {
    let (bucket, mut offers, early) = bucket(9, 1, 1 << 20);
    for key in ["a", "b", "c"] {
        offers.offer(&file(key, "1"));
    }
    assert_eq!(early.take(&file("b", "1")).await, None);
    settle().await;
    assert_eq!(bucket.asked(), ["a", "c"]);
}

#[tokio::test]
async fn no_request_begins_once_the_run_is_to_end() {
    let (bucket, _, _) = bucket(9, 1, 1 << 20);
    let (budget, stop) = (FetchBudget::new(1, 1 << 20, 1), Stop::default());
    let room = Room { bytes: 1 << 20, of_a_file: 1000 };
    let store = Arc::new(Door(Arc::clone(&bucket)));
    let (mut offers, _early) = start(store, budget, room, stop.clone());
    offers.offer(&file("a", "1"));
    settle().await;
    stop.request();
    offers.offer(&file("b", "1"));
    settle().await;
    assert_eq!(bucket.asked(), ["a"]);
}

#[tokio::test]
async fn what_failed_is_forgotten() {
    let (bucket, mut offers, early) = bucket(9, 10, 1 << 20);
    bucket.fails.store(true, Ordering::SeqCst);
    offers.offer(&file("a", "1"));
    settle().await;
    assert_eq!(bucket.asked(), ["a"]);
    assert_eq!(early.take(&file("a", "1")).await, None);
}

#[tokio::test]
async fn requests_under_way_are_given_up_with_the_files() {
    let (bucket, mut offers, early) = bucket(0, 1, 1 << 20);
    offers.offer(&file("a", "1"));
    settle().await;
    assert_eq!(Arc::strong_count(&bucket), 3, "the store, and a request");
    drop((offers, early));
    settle().await;
    assert_eq!(Arc::strong_count(&bucket), 1);
}

//! Which requests are made, and that the bytes are the store's.

use chrono::DateTime;
use futures::TryStreamExt;

use super::*;

/// What a store was asked for; `missing` is not there.
#[derive(Default)]
struct Counting {
    asked: Mutex<Vec<String>>,
}

struct Counted {
    store: Arc<Counting>,
    file: FileVersion,
}

impl Counting {
    fn asked(&self) -> Vec<String> {
        locked(&self.asked).clone()
    }
}

/// So that what opens holds what counts.
struct Door(Arc<Counting>);

#[async_trait]
impl Store for Door {
    async fn open(&self, file: &FileVersion) -> Result<Box<dyn Content>> {
        Ok(Box::new(Counted { store: Arc::clone(&self.0), file: file.clone() }))
    }
}

#[async_trait]
impl Content for Counted {
    async fn stream(&self, offset: u64) -> Result<ByteStream> {
        let rest = self.range(offset..self.file.size).await?;
        Ok(stream::iter([Ok(rest)]).boxed())
    }

    async fn range(&self, range: Range<u64>) -> Result<Bytes> {
        locked(&self.store.asked).push(self.file.key.clone());
        tokio::task::yield_now().await;
        match self.file.key.as_str() {
            "missing" => Err(Error::new(ErrorKind::NotFound, "it is gone")),
            _ => Ok(content(&self.file).slice(range.start as usize..range.end as usize)),
        }
    }
}

fn content(file: &FileVersion) -> Bytes {
    (0..file.size).map(|at| (at % 251) as u8).collect::<Vec<u8>>().into()
}

fn file(key: &str, size: u64) -> FileVersion {
    FileVersion {
        source: "aws".into(),
        bucket: "b".into(),
        key: key.into(),
        member: String::new(),
        etag: "e".into(),
        size,
        version_id: None,
        last_modified: DateTime::from_timestamp(0, 0).unwrap(),
    }
}

fn early(requests: usize, bytes: u64) -> (Arc<Counting>, Early) {
    let store = Arc::new(Counting::default());
    let budget = FetchBudget::new(requests, bytes, 1);
    (Arc::clone(&store), Early::new(Arc::new(Door(store)), budget))
}

/// Lets everything happen that waits for nobody.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

async fn read(early: &Early, file: &FileVersion) -> Result<Vec<u8>> {
    let stream = early.open(file).await?.stream(0).await?;
    Ok(stream.try_collect::<Vec<Bytes>>().await?.concat())
}

#[tokio::test]
async fn what_is_announced_is_fetched_in_order_and_once() {
    let (store, early) = early(1, 1 << 20);
    let files = ["c", "a", "b"].map(|key| file(key, 3000));
    files.iter().for_each(|file| early.announce(file));
    early.announce(&files[0]);
    settle().await;
    assert_eq!(store.asked(), ["c", "a", "b"]);
    for file in &files {
        assert!(early.has_begun(file));
        assert_eq!(read(&early, file).await.unwrap(), content(file));
        let opened = early.open(file).await.unwrap();
        assert_eq!(opened.range(10..20).await.unwrap(), content(file).slice(10..20));
        assert!(opened.range(10..3001).await.is_err());
    }
    assert_eq!(store.asked().len(), 3);
}

#[tokio::test]
async fn whoever_comes_before_a_files_turn_fetches_it_for_all() {
    let (store, early) = early(1, 1 << 10);
    let held = early.budget.share(1).await;
    let wanted = file("wanted", 300);
    early.announce(&wanted);
    settle().await;
    assert!(!early.has_begun(&wanted));
    assert_eq!(read(&early, &wanted).await.unwrap(), content(&wanted));
    assert!(early.has_begun(&wanted));
    drop(held);
    settle().await;
    assert_eq!(store.asked(), ["wanted"]);
    assert!(early.let_go(&wanted).is_some(), "its bytes have a place by now");
}

#[tokio::test]
async fn bytes_are_bounded_until_they_are_let_go() {
    let (store, early) = early(9, 4 << 10);
    let files = ["a", "b", "c", "d"].map(|key| file(key, 1500));
    files.iter().for_each(|file| early.announce(file));
    settle().await;
    assert_eq!(store.asked(), ["a", "b"], "two units each");
    let place = early.let_go(&files[0]);
    settle().await;
    assert_eq!(store.asked().len(), 2, "its place is still taken");
    drop((place, early.let_go(&files[2])));
    settle().await;
    assert_eq!(store.asked(), ["a", "b", "d"], "nobody wants the third any more");
}

#[tokio::test]
async fn what_nobody_asks_for_any_more_takes_no_room() {
    let (store, early) = early(9, 4 << 10);
    let files = ["a", "b", "c"].map(|key| file(key, 1500));
    files.iter().for_each(|file| early.announce(file));
    settle().await;
    early.let_all_go();
    let next = ["d", "e"].map(|key| file(key, 1500));
    next.iter().for_each(|file| early.announce(file));
    settle().await;
    assert_eq!(store.asked(), ["a", "b", "d", "e"], "the third is not wanted, and they have room");
    assert!(!early.has_begun(&files[0]));
}

#[tokio::test]
async fn a_failure_is_told_once_and_then_asked_for_again() {
    let (store, early) = early(9, 4 << 10);
    let missing = file("missing", 10);
    early.announce(&missing);
    settle().await;
    for asked in [1, 2] {
        let error = read(&early, &missing).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert_eq!(store.asked().len(), asked);
    }
}

#[tokio::test]
async fn another_version_is_asked_of_the_store() {
    let (store, early) = early(9, 4 << 10);
    let known = file("a", 10);
    let other = FileVersion { etag: "other".into(), ..known.clone() };
    early.announce(&known);
    settle().await;
    assert!(!early.has_begun(&other) && early.let_go(&other).is_none());
    read(&early, &other).await.unwrap();
    assert_eq!(store.asked(), ["a", "a"]);
    assert!(early.has_begun(&known));
    early.announce(&other);
    settle().await;
    assert!(early.has_begun(&other) && !early.has_begun(&known), "the later one is wanted");
}

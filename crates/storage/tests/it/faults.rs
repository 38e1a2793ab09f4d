//! Reading through faults: pinned, resumed, counted.

use std::sync::Arc;
use std::time::Duration;

use decant_core::{ErrorKind, FileVersion, Store};
use decant_storage::{Storage, StorageOptions};
use decant_testkit::s3::{
    Fault, Faults, Gate, MemoryS3, Operation, assert_gets_pinned, gzip, wait_for_requests,
};
use futures::StreamExt;

use crate::place::{
    BUCKET, collect, endpoint, head, list, noise, open, open_with, options, read, told,
};

const SIZE: usize = 3_000_000;

struct Fixture {
    s3: MemoryS3,
    storage: Arc<Storage>,
    file: FileVersion,
    bytes: Vec<u8>,
}

async fn fixture() -> Fixture {
    let s3 = endpoint().await;
    let bytes = noise(SIZE);
    s3.put(BUCKET, "a.bin", bytes.clone());
    let storage = open(&s3).await;
    let file = head(&storage, "a.bin").await;
    s3.clear_requests();
    Fixture { s3, storage, file, bytes }
}

impl Fixture {
    async fn read(&self) -> decant_core::Result<Vec<u8>> {
        read(&self.storage, &self.file).await
    }
}

#[tokio::test]
async fn a_small_object_costs_one_pinned_get() {
    let s3 = endpoint().await;
    s3.put(BUCKET, "a.csv", "hello");
    let storage = open(&s3).await;
    let file = list(&storage, "").await.unwrap().remove(0);
    assert_eq!(read(&storage, &file).await.unwrap(), b"hello");
    assert_eq!(s3.counts().of(Operation::Get), 1);
    assert_gets_pinned(&s3, BUCKET, "a.csv");
    assert_eq!(storage.traffic().bytes_fetched, 5);
    assert_eq!(storage.traffic().get_requests, 1);
}

#[tokio::test]
async fn a_body_that_is_reset_is_resumed_from_the_byte_reached() {
    for fault in [
        Fault::Reset { after_bytes: 1_000_000 },
        Fault::Close { after_bytes: 1_000_000 },
        Fault::Undeclared { bytes: 1_000_000 },
    ] {
        let fixture = fixture().await;
        Faults::new().on(Operation::Get, "a.bin").once().then(fault).install(&fixture.s3);
        assert!(fixture.read().await.unwrap() == fixture.bytes);
        let gets = fixture.s3.requests();
        assert_eq!(gets.len(), 2);
        assert_eq!(gets[0].range, None);
        let range = gets[1].range.as_deref().unwrap();
        let from: usize =
            range.strip_prefix("bytes=").unwrap().split('-').next().unwrap().parse().unwrap();
        assert!(from > 0 && from <= 1_000_000, "{range}");
        assert_gets_pinned(&fixture.s3, BUCKET, "a.bin");
        assert_eq!(fixture.storage.retries(), 1);
    }
}

#[tokio::test]
async fn progress_renews_the_tries() {
    let fixture = fixture().await;
    let fault = Fault::Close { after_bytes: 100_000 };
    let script =
        Faults::new().on(Operation::Get, "a.bin").times(20).then(fault).install(&fixture.s3);
    assert!(fixture.read().await.unwrap() == fixture.bytes);
    assert_eq!(script.fired(), 20);
}

#[tokio::test]
async fn without_progress_a_broken_body_fails_after_bounded_tries() {
    let fixture = fixture().await;
    let script =
        Faults::new().on(Operation::Get, "a.bin").then(Fault::LostReply).install(&fixture.s3);
    let error = fixture.read().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(told(&error).contains(&fixture.s3.endpoint()), "{}", told(&error));
    assert_eq!(script.fired(), 4);
}

#[tokio::test]
async fn a_storm_is_retried_and_then_bounded() {
    let fixture = fixture().await;
    let calm = Faults::new().on(Operation::Get, "*").times(3).then(Fault::SlowDown);
    calm.install(&fixture.s3);
    assert!(fixture.read().await.unwrap() == fixture.bytes);
    let script =
        Faults::new().on(Operation::Get, "*").then(Fault::Status(503)).install(&fixture.s3);
    let error = fixture.read().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(script.fired(), 4);
}

#[tokio::test]
async fn a_body_that_is_shorter_than_listed_is_malformed() {
    let fixture = fixture().await;
    let short = Fault::Shortened { bytes: 1000 };
    Faults::new().on(Operation::Get, "*").then(short).install(&fixture.s3);
    let error = fixture.read().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MalformedFile);
    assert!(told(&error).contains("3000000"), "{}", told(&error));
}

#[tokio::test]
async fn an_object_that_is_longer_than_listed_is_malformed() {
    let fixture = fixture().await;
    let file = FileVersion { size: 1000, ..fixture.file.clone() };
    let error = read(&fixture.storage, &file).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MalformedFile);
}

#[tokio::test]
async fn an_object_that_was_overwritten_before_the_read_is_a_conflict() {
    let fixture = fixture().await;
    fixture.s3.put(BUCKET, "a.bin", noise(SIZE - 1));
    let error = fixture.read().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.message().contains("overwritten"));
}

#[tokio::test]
async fn an_object_that_is_overwritten_while_it_is_read_is_a_conflict() {
    let fixture = fixture().await;
    let s3 = Arc::new(fixture.s3);
    let overwriting = Arc::downgrade(&s3);
    Faults::new()
        .on(Operation::Get, "a.bin")
        .once()
        .then(Fault::Close { after_bytes: 1_000_000 })
        .on(Operation::Get, "a.bin")
        .once()
        .then(Fault::before(move || {
            overwriting.upgrade().unwrap().put(BUCKET, "a.bin", vec![0; SIZE]);
        }))
        .install(&s3);
    let error = read(&fixture.storage, &fixture.file).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(error.position().unwrap().file, "s3://bucket/a.bin");
    assert_gets_pinned(&s3, BUCKET, "a.bin");
}

#[tokio::test]
async fn an_object_that_is_gone_is_not_found() {
    let fixture = fixture().await;
    fixture.s3.delete(BUCKET, "a.bin");
    assert_eq!(fixture.read().await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn an_empty_object_is_asked_for_so_that_its_loss_is_noticed() {
    let s3 = endpoint().await;
    s3.put(BUCKET, "empty", "");
    let storage = open(&s3).await;
    let file = head(&storage, "empty").await;
    assert!(read(&storage, &file).await.unwrap().is_empty());
    storage.check_read(&file).await.unwrap();
    s3.put(BUCKET, "empty", "not any more");
    assert_eq!(read(&storage, &file).await.unwrap_err().kind(), ErrorKind::Conflict);
    s3.delete(BUCKET, "empty");
    assert_eq!(storage.check_read(&file).await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_denied_read_names_the_permission() {
    let fixture = fixture().await;
    Faults::new().on(Operation::Get, "*").then(Fault::Status(403)).install(&fixture.s3);
    let error = fixture.read().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AccessDenied);
    assert!(told(&error).contains("s3:GetObject"), "{}", told(&error));
    assert_eq!(fixture.storage.retries(), 0);
}

#[tokio::test]
async fn ranges_are_exact_pinned_and_resumed() {
    let fixture = fixture().await;
    let content = fixture.storage.open(&fixture.file).await.unwrap();
    Faults::new()
        .on(Operation::Get, "a.bin")
        .once()
        .then(Fault::Reset { after_bytes: 500_000 })
        .install(&fixture.s3);
    for range in [5..2_000_000, 0..1, 2_999_999..3_000_000, 0..3_000_000, 7..7] {
        let bytes = content.range(range.clone()).await.unwrap();
        let (start, end) = (range.start as usize, range.end as usize);
        assert!(bytes == fixture.bytes[start..end], "{range:?}");
    }
    assert_gets_pinned(&fixture.s3, BUCKET, "a.bin");
    assert_eq!(content.range(0..3_000_001).await.unwrap_err().kind(), ErrorKind::Internal);
}

#[tokio::test]
async fn a_stream_begins_at_any_offset() {
    let fixture = fixture().await;
    let content = fixture.storage.open(&fixture.file).await.unwrap();
    for offset in [0, 1, SIZE - 1, SIZE] {
        let bytes = collect(content.stream(offset as u64).await.unwrap()).await.unwrap();
        assert!(bytes == fixture.bytes[offset..], "{offset}");
    }
}

#[tokio::test]
async fn encoded_content_comes_as_it_is_stored() {
    let s3 = endpoint().await;
    let stored = gzip("hello");
    s3.put_encoded(BUCKET, "a.csv", stored.clone(), "gzip");
    let storage = open(&s3).await;
    let file = head(&storage, "a.csv").await;
    assert_eq!(file.size, stored.len() as u64);
    assert_eq!(read(&storage, &file).await.unwrap(), stored);
}

#[tokio::test]
async fn a_version_id_pins_the_read_to_an_overwritten_version() {
    let s3 = endpoint().await;
    s3.enable_versioning(BUCKET);
    s3.put(BUCKET, "a", "old");
    let storage = open(&s3).await;
    let old = head(&storage, "a").await;
    assert_eq!(old.version_id, None);
    s3.put(BUCKET, "a", "new");
    assert_eq!(read(&storage, &old).await.unwrap_err().kind(), ErrorKind::Conflict);
    let gone = FileVersion { version_id: Some("no-such-version".into()), ..old };
    assert!(read(&storage, &gone).await.is_err());
    let last = s3.requests().pop().unwrap();
    assert!(last.query.contains("versionId=no-such-version"));
    assert!(last.if_match.is_some());
}

#[tokio::test]
async fn a_body_that_stalls_is_resumed() {
    let fixture = fixture().await;
    let gate = Gate::new();
    let stall = Fault::HoldBody { after_bytes: 1_000_000, gate: gate.clone() };
    Faults::new().on(Operation::Get, "a.bin").once().then(stall).install(&fixture.s3);
    let impatient =
        StorageOptions { read_timeout: Duration::from_millis(200), ..options(&fixture.s3) };
    let storage = open_with(&impatient).await;
    assert!(read(&storage, &fixture.file).await.unwrap() == fixture.bytes);
    assert_eq!(storage.retries(), 1);
    gate.open();
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_asked_for_again() {
    let fixture = fixture().await;
    let gate = Gate::new();
    Faults::new()
        .on(Operation::Get, "a.bin")
        .once()
        .then(Fault::Hold(gate.clone()))
        .install(&fixture.s3);
    let impatient =
        StorageOptions { read_timeout: Duration::from_millis(200), ..options(&fixture.s3) };
    let storage = open_with(&impatient).await;
    assert!(read(&storage, &fixture.file).await.unwrap() == fixture.bytes);
    assert_eq!(storage.retries(), 1);
    gate.open();
}

#[tokio::test]
async fn a_stream_that_is_dropped_asks_for_no_more() {
    let fixture = fixture().await;
    let content = fixture.storage.open(&fixture.file).await.unwrap();
    let mut stream = content.stream(0).await.unwrap();
    stream.next().await.unwrap().unwrap();
    drop(stream);
    wait_for_requests(&fixture.s3, Operation::Get, 1).await;
    assert_eq!(fixture.s3.counts().of(Operation::Get), 1);
}

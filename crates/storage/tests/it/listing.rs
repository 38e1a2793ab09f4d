//! Listings: pages, retries, and endpoints that go wrong.

use decant_core::ErrorKind;
use decant_core::selection::Scan;
use decant_storage::StorageOptions;
use decant_testkit::s3::{Fault, Faults, MemoryS3, Operation, put_files};

use crate::place::{BUCKET, endpoint, keys, list, open, open_with, options, scan, told};

async fn numbered(count: usize) -> (MemoryS3, Vec<String>) {
    let s3 = endpoint().await;
    put_files(&s3, BUCKET, count, |number| (format!("in/{number:05}.csv"), "x"));
    let keys = s3.keys(BUCKET);
    (s3, keys)
}

fn small_pages(s3: &MemoryS3) -> StorageOptions {
    StorageOptions { list_page_size: 3, ..options(s3) }
}

#[tokio::test]
async fn small_pages_list_every_key_once_and_in_order() {
    let (s3, expected) = numbered(20).await;
    let storage = open_with(&small_pages(&s3)).await;
    assert_eq!(keys(&list(&storage, "in/").await.unwrap()), expected);
    assert_eq!(storage.traffic().list_requests, 7);
    assert_eq!(storage.retries(), 0);
}

#[tokio::test]
async fn pages_are_asked_for_one_by_one() {
    let (s3, _) = numbered(20).await;
    let storage = open_with(&small_pages(&s3)).await;
    let mut listing = storage.listing(vec![Scan::Prefix("in/".into())]);
    let mut first = Vec::new();
    while first.is_empty() {
        first = listing.next().await.unwrap().unwrap();
    }
    assert_eq!(first.len(), 3);
    assert_eq!(s3.counts().of(Operation::List), 1);
}

#[tokio::test]
async fn an_empty_bucket_lists_nothing() {
    let s3 = endpoint().await;
    let storage = open(&s3).await;
    assert!(list(&storage, "").await.unwrap().is_empty());
    assert!(storage.check_list("").await.unwrap().is_none());
}

#[tokio::test]
async fn a_check_asks_for_one_key() {
    let (s3, expected) = numbered(20).await;
    let storage = open(&s3).await;
    let file = storage.check_list("in/").await.unwrap().unwrap();
    assert_eq!(file.key, expected[0]);
    storage.check_read(&file).await.unwrap();
    let requests = s3.requests();
    assert_eq!(requests.len(), 2);
    assert!(requests[0].query.contains("max-keys=1&"), "{}", requests[0].query);
    assert_eq!(requests[1].range, None);
}

#[tokio::test]
async fn passing_faults_are_retried_and_counted() {
    for fault in [
        Fault::SlowDown,
        Fault::Status(500),
        Fault::Status(429),
        Fault::ErrorDocumentIn200,
        Fault::NoReply,
        Fault::LostReply,
        Fault::Close { after_bytes: 200 },
        Fault::Shortened { bytes: 200 },
        Fault::Undeclared { bytes: 200 },
    ] {
        let (s3, expected) = numbered(8).await;
        let script =
            Faults::new().on(Operation::List, "in/").sparing(1).times(2).then(fault).install(&s3);
        let storage = open_with(&small_pages(&s3)).await;
        assert_eq!(keys(&list(&storage, "in/").await.unwrap()), expected);
        assert_eq!(script.fired(), 2);
        assert_eq!(storage.retries(), 2);
    }
}

#[tokio::test]
async fn a_storm_ends_the_listing_after_bounded_tries() {
    let (s3, _) = numbered(1).await;
    let script = Faults::new().on(Operation::List, "*").then(Fault::SlowDown).install(&s3);
    let storage = open(&s3).await;
    let error = list(&storage, "in/").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(told(&error).contains(&s3.endpoint()), "{}", told(&error));
    assert!(told(&error).contains("SlowDown"));
    assert_eq!(script.fired(), 4);
}

#[tokio::test]
async fn a_page_that_comes_twice_is_passed_over_once() {
    let (s3, expected) = numbered(8).await;
    let script = Faults::new()
        .on(Operation::List, "in/")
        .sparing(1)
        .once()
        .then(Fault::RepeatListPage)
        .install(&s3);
    let storage = open_with(&small_pages(&s3)).await;
    // The rule keeps the first page and gives it again for the second.
    assert_eq!(keys(&list(&storage, "in/").await.unwrap()), expected);
    assert_eq!(script.fired(), 1);
}

#[tokio::test]
async fn a_listing_that_goes_round_in_circles_is_an_error_that_names_the_endpoint() {
    let (s3, _) = numbered(8).await;
    Faults::new().on(Operation::List, "in/").sparing(1).then(Fault::RepeatListPage).install(&s3);
    let storage = open_with(&small_pages(&s3)).await;
    let error = list(&storage, "in/").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(told(&error).contains(&s3.endpoint()));
    assert!(s3.counts().of(Operation::List) < 5);
}

#[tokio::test]
async fn empty_pages_do_not_end_a_listing() {
    let (s3, expected) = numbered(8).await;
    Faults::new().on(Operation::List, "in/").once().then(Fault::EmptyListPage).install(&s3);
    let storage = open_with(&small_pages(&s3)).await;
    assert_eq!(keys(&list(&storage, "in/").await.unwrap()), expected[3..]);
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_not_found() {
    let s3 = endpoint().await;
    let location = decant_storage::Location::parse("s3://nowhere/in/").unwrap();
    let storage = decant_storage::Storage::open(&location, &options(&s3)).await.unwrap();
    let error = list(&storage, "in/").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.message().contains("bucket `nowhere` does not exist"));
    assert_eq!(error.fact("endpoint"), Some(s3.endpoint().as_str()));
    assert!(error.hint().is_some());
}

#[tokio::test]
async fn a_denied_listing_names_the_permission_and_is_never_empty() {
    let (s3, _) = numbered(1).await;
    Faults::new().on(Operation::List, "*").then(Fault::Status(403)).install(&s3);
    let storage = open(&s3).await;
    let error = list(&storage, "in/").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AccessDenied);
    assert!(told(&error).contains("s3:ListBucket"));
    assert!(told(&error).contains(BUCKET));
    assert_eq!(storage.retries(), 0);
}

#[tokio::test]
async fn a_file_can_be_loaded_without_the_right_to_list() {
    let (s3, expected) = numbered(1).await;
    Faults::new().on(Operation::List, "*").then(Fault::Status(403)).install(&s3);
    let storage = open(&s3).await;
    let scans = |key: &str| vec![Scan::Key(key.into()), Scan::Prefix(format!("{key}/"))];
    assert_eq!(keys(&scan(&storage, scans(&expected[0])).await.unwrap()), expected);
    let error = scan(&storage, scans("in/none.csv")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AccessDenied);
}

#[tokio::test]
async fn an_endpoint_that_is_not_there_is_unavailable_and_named() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let s3 = endpoint().await;
    let gone = StorageOptions {
        endpoint: Some(format!("http://{address}")),
        retry_count: 1,
        ..options(&s3)
    };
    let storage = open_with(&gone).await;
    let error = list(&storage, "").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().contains(&address.to_string()), "{}", told(&error));
    assert_eq!(storage.retries(), 1);
}

//! What requests carry, and what answers make of region and credentials.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use decant_core::secret::Secret;
use decant_core::{ErrorKind, FileVersion};
use decant_storage::{Credentials, Storage, StorageOptions};
use decant_testkit::s3::MemoryS3;

use crate::place::{BUCKET, endpoint, head, keys, list, open, open_with, options, read, told};
use crate::stub::{Answer, Stub, header};

/// A storage whose endpoint is the stub.
async fn stubbed(stub: &Stub, change: impl FnOnce(&mut StorageOptions)) -> Arc<Storage> {
    let s3 = endpoint().await;
    let mut options = StorageOptions { endpoint: Some(stub.endpoint.clone()), ..options(&s3) };
    change(&mut options);
    open_with(&options).await
}

/// A stub that lists `a` and gives its one byte.
async fn willing() -> Stub {
    Stub::start(|request| match request.contains("list-type=2") {
        true => Answer::page(),
        false => Answer(200, "etag: \"e\"\r\n", "x".into()),
    })
    .await
}

async fn list_and_read(storage: &Storage) -> FileVersion {
    let file = list(storage, "").await.unwrap().remove(0);
    assert_eq!(read(storage, &file).await.unwrap(), b"x");
    file
}

#[tokio::test]
async fn requester_pays_is_said_and_signed_on_every_request() {
    let stub = willing().await;
    list_and_read(&*stubbed(&stub, |options| options.requester_pays = true).await).await;
    assert_eq!(stub.requests().len(), 2);
    for request in stub.requests() {
        assert_eq!(header(&request, "x-amz-request-payer"), Some("requester"));
        assert!(header(&request, "authorization").unwrap().contains("x-amz-request-payer"));
    }
    let s3 = endpoint().await;
    s3.put(BUCKET, "a", "x");
    let paying = StorageOptions { requester_pays: true, ..options(&s3) };
    list_and_read(&*open_with(&paying).await).await;
}

#[tokio::test]
async fn a_customer_key_goes_with_requests_for_objects_alone() {
    let stub = willing().await;
    let key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
    let storage = stubbed(&stub, |options| options.sse_customer_key = Some(Secret::new(key))).await;
    list_and_read(&storage).await;
    let [listing, get] = stub.requests().try_into().unwrap();
    let name = "x-amz-server-side-encryption-customer-";
    assert!(!listing.contains(name));
    assert_eq!(header(&get, &format!("{name}algorithm")), Some("aes256"));
    assert_eq!(header(&get, &format!("{name}key")), Some(key.to_lowercase().as_str()));
    assert!(header(&get, &format!("{name}key-md5")).is_some());
}

#[tokio::test]
async fn a_session_token_is_sent_and_signed() {
    let stub = willing().await;
    let storage = stubbed(&stub, |options| {
        if let Credentials::Static { session_token, .. } = &mut options.credentials {
            *session_token = Some(Secret::new("a-token"));
        }
    })
    .await;
    list_and_read(&storage).await;
    for request in stub.requests() {
        assert_eq!(header(&request, "x-amz-security-token"), Some("a-token"));
        assert!(header(&request, "authorization").unwrap().contains("x-amz-security-token"));
    }
}

#[tokio::test]
async fn anonymous_requests_are_not_signed() {
    let anonymous = |options: &mut StorageOptions| options.credentials = Credentials::Anonymous;
    let stub = willing().await;
    list_and_read(&*stubbed(&stub, anonymous).await).await;
    for request in stub.requests() {
        assert_eq!(header(&request, "authorization"), None);
    }
    let s3 = MemoryS3::start(decant_testkit::s3::Options::default()).await.unwrap();
    s3.put(BUCKET, "a", "x");
    let mut options = options(&s3);
    anonymous(&mut options);
    list_and_read(&*open_with(&options).await).await;
}

#[tokio::test]
async fn wrong_credentials_are_denied_with_the_cure_and_never_shown() {
    let s3 = endpoint().await;
    s3.put(BUCKET, "a", "x");
    for (id, secret) in [("AKIDEXAMPLE", "wrong-secret"), ("NOBODY", "wrong-secret")] {
        let credentials = Credentials::Static {
            access_key_id: id.into(),
            secret_access_key: Secret::new(secret),
            session_token: None,
        };
        let wrong = StorageOptions { credentials, ..options(&s3) };
        assert!(!format!("{wrong:?}").contains(secret));
        let storage = open_with(&wrong).await;
        for error in [list(&storage, "").await.unwrap_err(), storage.head("a").await.unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::AccessDenied);
            assert!(told(&error).contains("access key"), "{}", told(&error));
            assert!(!told(&error).contains(secret));
        }
        assert_eq!(storage.retries(), 0);
    }
}

#[tokio::test]
async fn the_real_region_is_taken_from_the_answer_and_kept() {
    let stub = Stub::start(|request| match request.contains("/eu-west-3/s3/") {
        true => Answer::page(),
        false => Answer::refusal(400, "AuthorizationHeaderMalformed", "<Region>eu-west-3</Region>"),
    })
    .await;
    let storage = stubbed(&stub, |_| ()).await;
    for _ in 0..2 {
        assert_eq!(keys(&list(&storage, "").await.unwrap()), ["a"]);
    }
    assert_eq!(stub.requests().len(), 3);
    assert_eq!(storage.retries(), 0);
}

#[tokio::test]
async fn a_redirect_without_a_region_asks_the_bucket_for_it() {
    let stub = Stub::start(|request| {
        if request.contains("/eu-west-3/s3/") {
            Answer::page()
        } else if request.starts_with("head ") {
            Answer(403, "x-amz-bucket-region: eu-west-3\r\n", String::new())
        } else {
            Answer::refusal(301, "PermanentRedirect", "")
        }
    })
    .await;
    let storage = stubbed(&stub, |_| ()).await;
    assert_eq!(keys(&list(&storage, "").await.unwrap()), ["a"]);
    assert_eq!(stub.requests().len(), 3);
}

#[tokio::test]
async fn a_region_that_keeps_moving_is_an_error() {
    let count = AtomicU32::new(0);
    let stub = Stub::start(move |_| {
        let number = count.fetch_add(1, Ordering::SeqCst);
        Answer::refusal(301, "PermanentRedirect", &format!("<Region>r-{number}</Region>"))
    })
    .await;
    let error = list(&*stubbed(&stub, |_| ()).await, "").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidConfig);
    assert_eq!(stub.requests().len(), 2);
}

#[tokio::test]
async fn expired_credentials_are_looked_up_once_more() {
    let count = AtomicU32::new(0);
    let stub = Stub::start(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        1 => Answer::page(),
        _ => Answer::refusal(400, "ExpiredToken", ""),
    })
    .await;
    let storage = stubbed(&stub, |_| ()).await;
    list(&storage, "").await.unwrap();
    let error = list(&storage, "").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AccessDenied);
    assert!(told(&error).contains("expired"));
    assert_eq!(stub.requests().len(), 4);
}

#[tokio::test]
async fn a_wrong_clock_is_said_to_be_one() {
    let stub = Stub::start(|_| {
        let time = "<ServerTime>2026-01-01T00:00:00Z</ServerTime>";
        Answer::refusal(403, "RequestTimeTooSkewed", time)
    })
    .await;
    let error = list(&*stubbed(&stub, |_| ()).await, "").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AccessDenied);
    assert!(told(&error).contains("clock") && told(&error).contains("2026-01-01T00:00:00Z"));
}

#[tokio::test]
async fn a_refused_head_says_why() {
    let stub = Stub::start(|_| Answer::refusal(400, "ExpiredToken", "")).await;
    let error = stubbed(&stub, |_| ()).await.head("a").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AccessDenied);
    assert!(told(&error).contains("expired"));
}

#[tokio::test]
async fn an_endpoint_that_ignores_conditions_is_caught_by_its_answer() {
    let stub = Stub::start(|request| match request.contains("list-type=2") {
        true => Answer::page(),
        false => Answer(200, "etag: \"another\"\r\n", "y".into()),
    })
    .await;
    let storage = stubbed(&stub, |_| ()).await;
    let file = list(&storage, "").await.unwrap().remove(0);
    assert_eq!(read(&storage, &file).await.unwrap_err().kind(), ErrorKind::Conflict);
}

#[tokio::test]
async fn what_is_no_s3_is_said_to_be_none() {
    let stub = Stub::start(|_| Answer(200, "", "<html><body>hello</body></html>".into())).await;
    let error = list(&*stubbed(&stub, |_| ()).await, "").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(told(&error).contains(&stub.endpoint) && told(&error).contains("html"));
}

#[tokio::test]
async fn pages_whose_keys_go_back_are_an_error_that_names_the_endpoint() {
    let entry = |key: &str| {
        format!(
            "<Contents><Key>{key}</Key><Size>1</Size>\
             <LastModified>2026-01-02T03:04:05Z</LastModified></Contents>"
        )
    };
    for (prefix, entries) in [("", ["b", "a"]), ("", ["a", "a"]), ("in/", ["in/a", "on/a"])] {
        let page = format!("<ListBucketResult>{}</ListBucketResult>", entries.map(entry).concat());
        let stub = Stub::start(move |_| Answer(200, "", page.clone())).await;
        let error = list(&*stubbed(&stub, |_| ()).await, prefix).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(told(&error).contains(&stub.endpoint));
    }
}

#[tokio::test]
async fn keys_are_decoded_only_where_the_endpoint_says_that_it_encoded() {
    for (encoding, listed, key) in [
        ("<EncodingType>url</EncodingType>", "a+b%252F", "a b%2F"),
        ("", "a+b%252F", "a+b%252F"),
        ("", "a&#10;b", "a\nb"),
    ] {
        let page = format!(
            "<ListBucketResult>{encoding}<Contents><Key>{listed}</Key><Size>1</Size>\
             <LastModified>2026-01-02T03:04:05Z</LastModified></Contents></ListBucketResult>"
        );
        let stub = Stub::start(move |_| Answer(200, "", page.clone())).await;
        let storage = stubbed(&stub, |_| ()).await;
        assert_eq!(keys(&list(&storage, "").await.unwrap()), [key]);
    }
}

#[tokio::test]
async fn a_truncated_page_without_a_token_goes_on_behind_its_last_key() {
    let stub = Stub::start(|request| match request.contains("start-after=a ") {
        true => Answer(200, "", "<ListBucketResult/>".into()),
        false => Answer(200, "", crate::stub::PAGE.replace("false", "true")),
    })
    .await;
    let storage = stubbed(&stub, |_| ()).await;
    assert_eq!(keys(&list(&storage, "").await.unwrap()), ["a"]);
}

#[tokio::test]
async fn a_head_asks_for_no_more_than_the_current_version() {
    let s3 = endpoint().await;
    s3.put(BUCKET, "a", "x");
    let storage = open(&s3).await;
    head(&storage, "a").await;
    assert_eq!(storage.traffic().head_requests, 1);
    assert_eq!(s3.requests().len(), 1);
}

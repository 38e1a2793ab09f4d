//! Hooks, interrupted replies, counting and the log.

use crate::{endpoint, endpoint_with};
use bytes::Bytes;
use decant_s3_memory::{Action, Call, Interruption, MemoryS3, Operation, Options};
use http::Response;
use std::io::ErrorKind;
use tokio::sync::oneshot;

/// Gets an object of one megabyte whose reply is interrupted after `after_bytes`.
fn interrupted(after_bytes: u64, with: fn() -> Interruption) -> crate::client::Reply {
    let (s3, client) = endpoint();
    s3.put("bucket", "key", vec![b'x'; 1 << 20]);
    s3.set_hook(move |_: &Call| Action::interrupt(after_bytes, with()));
    client.get("/bucket/key")
}

#[test]
fn a_closed_body_has_exactly_the_bytes_told() {
    for after_bytes in [0, 1, 1000, 700_000, 1 << 20] {
        let reply = interrupted(after_bytes, || Interruption::Close);
        assert_eq!((reply.status, reply.body.len() as u64), (200, after_bytes));
        assert_eq!(reply.header("content-length"), Some("1048576"));
        assert_eq!(reply.error, None);
    }
}

#[test]
fn a_reset_body_ends_in_a_reset() {
    let reply = interrupted(1000, || Interruption::Reset);
    assert_eq!(reply.error, Some(ErrorKind::ConnectionReset));
    assert!(!reply.complete);
}

#[test]
fn a_shortened_body_looks_complete() {
    let reply = interrupted(1000, || Interruption::Shortened);
    assert_eq!((reply.body.len(), reply.complete, reply.error), (1000, true, None));
    assert_eq!(reply.header("content-length"), Some("1000"));
}

#[test]
fn an_undeclared_body_looks_complete_without_a_length() {
    let reply = interrupted(1000, || Interruption::Undeclared);
    assert_eq!((reply.body.len(), reply.complete, reply.error), (1000, true, None));
    assert_eq!(reply.header("content-length"), None);
}

#[test]
fn a_paused_body_goes_on_once_released() {
    let (s3, client) = endpoint();
    s3.put("bucket", "key", "abcdef");
    let (release, released) = oneshot::channel::<()>();
    let released = std::sync::Mutex::new(Some(released));
    s3.set_hook(move |_: &Call| {
        let released = released.lock().unwrap().take().expect("one request");
        let until = Box::pin(async move { drop(released.await) });
        Action::interrupt(3, Interruption::Pause(until))
    });
    let reading = std::thread::spawn(move || client.get("/bucket/key"));
    wait_for_requests(&s3, 1);
    assert!(!reading.is_finished());
    release.send(()).unwrap();
    let reply = reading.join().unwrap();
    assert_eq!((reply.text(), reply.complete), ("abcdef", true));
}

#[test]
fn a_held_request_has_no_effect_before_it_is_released() {
    let (s3, client) = endpoint();
    let (release, released) = oneshot::channel::<()>();
    let released = std::sync::Mutex::new(Some(released));
    s3.set_hook(move |_: &Call| {
        let released = released.lock().unwrap().take().expect("one request");
        Action::serve().after(async move { drop(released.await) })
    });
    let writing = std::thread::spawn(move || client.put("/bucket/key", b"x").status);
    wait_for_requests(&s3, 1);
    assert!(s3.keys("bucket").is_empty());
    assert_eq!(s3.requests()[0].status, None);
    release.send(()).unwrap();
    assert_eq!(writing.join().unwrap(), 200);
    assert_eq!(s3.keys("bucket"), ["key"]);
}

#[test]
fn an_answered_request_has_no_effect() {
    let (s3, client) = endpoint();
    s3.set_hook(|_: &Call| {
        Action::answer(Response::builder().status(503).body(Bytes::from("slow")).unwrap())
    });
    let reply = client.put("/bucket/key", b"x");
    assert_eq!((reply.status, reply.text()), (503, "slow"));
    assert!(s3.keys("bucket").is_empty());
    s3.clear_hook();
    assert_eq!(client.put("/bucket/key", b"x").status, 200);
}

#[test]
fn a_dropped_request_gets_no_reply() {
    let (s3, client) = endpoint();
    s3.set_hook(|_: &Call| Action::close());
    let closed = client.get("/bucket");
    assert_eq!((closed.status, closed.error), (0, None));
    s3.set_hook(|_: &Call| Action::reset());
    let reset = client.get("/bucket");
    assert_eq!((reset.status, reset.error), (0, Some(ErrorKind::ConnectionReset)));
}

#[test]
fn an_edited_reply_has_the_length_of_its_new_body() {
    let (s3, client) = endpoint();
    s3.put("bucket", "key", "abcdef");
    s3.set_hook(|_: &Call| Action::edit(|reply| reply.map(|body| body.slice(1..3))));
    let reply = client.get("/bucket/key");
    assert_eq!((reply.text(), reply.header("content-length")), ("bc", Some("2")));
}

#[test]
fn requests_are_counted_and_logged() {
    let (s3, client) = endpoint();
    client.put("/bucket/a%20b", b"abcdef");
    client.get_with("/bucket/a%20b", &[("Range", "bytes=0-1"), ("If-Match", "\"x\"")]);
    client.send("HEAD", "/bucket/a%20b", &[], b"");
    client.get("/bucket?list-type=2&prefix=a");
    client.send("DELETE", "/bucket/a%20b", &[], b"");
    client.get("/");
    let counts = s3.counts();
    for operation in Operation::ALL {
        let expected = u64::from(operation != Operation::Multipart);
        assert_eq!(counts.of(operation), expected, "{operation:?}");
    }
    assert_eq!(counts.total(), 6);
    let get = &s3.requests()[1];
    assert_eq!(get.key.as_deref(), Some("a b"));
    assert_eq!(get.range.as_deref(), Some("bytes=0-1"));
    assert_eq!(get.if_match.as_deref(), Some("\"x\""));
    assert_eq!(get.status.map(|status| status.as_u16()), Some(412));
}

#[test]
fn the_log_keeps_the_latest_requests_only() {
    let (s3, client) = endpoint_with(Options { log_capacity: 2, ..Options::default() });
    for key in ["a", "b", "c"] {
        client.put(&format!("/bucket/{key}"), b"");
    }
    let logged: Vec<_> = s3.requests().into_iter().map(|request| request.number).collect();
    assert_eq!((logged, s3.counts().total()), (vec![1, 2], 3));
    assert!(s3.requests().iter().all(|request| request.status.is_some()));
}

#[test]
fn a_presigned_query_is_logged_without_its_signature() {
    let (s3, client) = endpoint();
    client.get("/bucket/key?versionId=1&X-Amz-Signature=beef&X-Amz-Credential=me");
    assert_eq!(s3.requests()[0].query, "versionId=1");
}

#[test]
fn a_dropped_endpoint_ends_its_connections() {
    let (s3, client) = endpoint();
    let endpoint = s3.endpoint();
    s3.set_hook(|_: &Call| Action::serve().after(std::future::pending()));
    let waiting = std::thread::spawn(move || client.get("/bucket"));
    wait_for_requests(&s3, 1);
    drop(s3);
    assert_eq!(waiting.join().unwrap().status, 0);
    assert!(std::net::TcpStream::connect(endpoint.trim_start_matches("http://")).is_err());
}

#[tokio::test]
async fn an_endpoint_runs_on_the_callers_runtime() {
    let s3 = MemoryS3::start(Options::default()).await.unwrap();
    s3.put("bucket", "key", "abc");
    let client = crate::Client::new(&s3.endpoint());
    let reply = tokio::task::spawn_blocking(move || client.get("/bucket/key")).await.unwrap();
    assert_eq!(reply.text(), "abc");
}

fn wait_for_requests(s3: &MemoryS3, count: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut counts = s3.watch();
    runtime.block_on(async { drop(counts.wait_for(|counts| counts.total() >= count).await) });
}

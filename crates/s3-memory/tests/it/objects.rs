//! Reads: ranges, conditions, versions and what their replies say.

use crate::endpoint;
use chrono::{TimeZone, Utc};

const ETAG: &str = "\"e80b5017098950fc58aad83c8c14978e\"";

#[test]
fn a_whole_object_comes_with_its_facts() {
    let (s3, client) = endpoint();
    let moment = Utc.with_ymd_and_hms(2026, 1, 2, 3, 4, 5).unwrap();
    s3.put_at("bucket", "key", "abcdef", moment);
    let reply = client.get("/bucket/key");
    assert_eq!((reply.status, reply.text()), (200, "abcdef"));
    assert_eq!(reply.header("etag"), Some(ETAG));
    assert_eq!(reply.header("content-length"), Some("6"));
    assert_eq!(reply.header("last-modified"), Some("Fri, 02 Jan 2026 03:04:05 GMT"));
    assert_eq!(reply.header("accept-ranges"), Some("bytes"));
    assert_eq!(reply.header("x-amz-version-id"), None);
}

#[test]
fn ranges_may_be_bounded_open_or_suffixes() {
    let (s3, client) = endpoint();
    s3.put("bucket", "key", "abcdef");
    let cases = [
        ("bytes=0-0", "a", "bytes 0-0/6"),
        ("bytes=1-3", "bcd", "bytes 1-3/6"),
        ("bytes=4-99", "ef", "bytes 4-5/6"),
        ("bytes=2-", "cdef", "bytes 2-5/6"),
        ("bytes=-2", "ef", "bytes 4-5/6"),
        ("bytes=-99", "abcdef", "bytes 0-5/6"),
    ];
    for (range, body, content_range) in cases {
        let reply = client.get_with("/bucket/key", &[("Range", range)]);
        assert_eq!((reply.status, reply.text()), (206, body), "{range}");
        assert_eq!(reply.header("content-range"), Some(content_range), "{range}");
        assert_eq!(reply.header("content-length"), Some(body.len().to_string().as_str()));
        assert_eq!(reply.header("etag"), Some(ETAG));
        let head = client.send("HEAD", "/bucket/key", &[("Range", range)], b"");
        assert_eq!((head.status, head.header("content-range")), (206, Some(content_range)));
    }
}

#[test]
fn a_range_beyond_the_end_is_not_satisfiable() {
    let (s3, client) = endpoint();
    s3.put("bucket", "key", "abcdef");
    s3.put("bucket", "empty", "");
    for (key, range, size) in [
        ("key", "bytes=6-", 6),
        ("key", "bytes=-0", 6),
        ("empty", "bytes=0-", 0),
        ("empty", "bytes=-1", 0),
    ] {
        let reply = client.get_with(&format!("/bucket/{key}"), &[("Range", range)]);
        assert_eq!((reply.status, reply.elements("Code")), (416, vec!["InvalidRange"]), "{range}");
        assert_eq!(reply.header("content-range"), Some(format!("bytes */{size}").as_str()));
    }
}

#[test]
fn if_match_pins_a_read_to_one_content() {
    let (s3, client) = endpoint();
    s3.put("bucket", "key", "abcdef");
    assert_eq!(client.get_with("/bucket/key", &[("If-Match", ETAG)]).status, 200);
    s3.put("bucket", "key", "other");
    let reply = client.get_with("/bucket/key", &[("If-Match", ETAG), ("Range", "bytes=2-")]);
    assert_eq!((reply.status, reply.elements("Code")), (412, vec!["PreconditionFailed"]));
    assert_eq!(client.send("HEAD", "/bucket/key", &[("If-Match", ETAG)], b"").status, 412);
}

#[test]
fn if_none_match_answers_not_modified_without_a_body() {
    let (s3, client) = endpoint();
    s3.put("bucket", "key", "abcdef");
    let reply = client.get_with("/bucket/key", &[("If-None-Match", ETAG)]);
    assert_eq!((reply.status, reply.body.len(), reply.header("etag")), (304, 0, Some(ETAG)));
    assert_eq!(client.get_with("/bucket/key", &[("If-None-Match", "\"other\"")]).status, 200);
}

#[test]
fn dates_condition_reads_where_etags_do_not() {
    let (s3, client) = endpoint();
    let moment = Utc.with_ymd_and_hms(2026, 1, 2, 3, 4, 5).unwrap();
    s3.put_at("bucket", "key", "abcdef", moment);
    let (before, at) = ("Fri, 02 Jan 2026 03:04:04 GMT", "Fri, 02 Jan 2026 03:04:05 GMT");
    let status = |name, date| client.get_with("/bucket/key", &[(name, date)]).status;
    assert_eq!(status("If-Modified-Since", before), 200);
    assert_eq!(status("If-Modified-Since", at), 304);
    assert_eq!(status("If-Unmodified-Since", at), 200);
    assert_eq!(status("If-Unmodified-Since", before), 412);
}

#[test]
fn what_is_not_there_is_named() {
    let (_s3, client) = endpoint();
    let code = |target| {
        let reply = client.get(target);
        (reply.status, reply.elements("Code").concat())
    };
    assert_eq!(code("/bucket/key"), (404, "NoSuchKey".to_owned()));
    assert_eq!(code("/other/key"), (404, "NoSuchBucket".to_owned()));
    assert_eq!(code("/other?list-type=2"), (404, "NoSuchBucket".to_owned()));
    assert_eq!(code("/bucket/key?versionId=v1"), (404, "NoSuchVersion".to_owned()));
    assert_eq!(client.send("HEAD", "/bucket/key", &[], b"").status, 404);
}

#[test]
fn versions_stay_readable_behind_newer_ones_and_delete_markers() {
    let (s3, client) = endpoint();
    s3.put("bucket", "key", "before");
    s3.enable_versioning("bucket");
    let put = |body: &[u8]| {
        let reply = client.put("/bucket/key", body);
        reply.header("x-amz-version-id").expect("a version id").to_owned()
    };
    let (first, second) = (put(b"first"), put(b"second"));
    let get = |id: &str| client.get(&format!("/bucket/key?versionId={id}"));
    assert_eq!(client.get("/bucket/key").text(), "second");
    assert_eq!(client.get("/bucket/key").header("x-amz-version-id"), Some(second.as_str()));
    let deletion = client.send("DELETE", "/bucket/key", &[], b"");
    assert_eq!(deletion.header("x-amz-delete-marker"), Some("true"));
    let marker = deletion.header("x-amz-version-id").expect("the marker's id").to_owned();
    let gone = client.get("/bucket/key");
    assert_eq!((gone.status, gone.header("x-amz-delete-marker")), (404, Some("true")));
    assert_eq!(get(&marker).status, 405);
    assert_eq!((get(&first).text(), get(&second).text()), ("first", "second"));
    assert_eq!(get("null").text(), "before");
    client.send("DELETE", &format!("/bucket/key?versionId={marker}"), &[], b"");
    assert_eq!(client.get("/bucket/key").text(), "second");
}

#[test]
fn an_encoded_object_says_so() {
    let (s3, client) = endpoint();
    s3.put_encoded("bucket", "key", "abc", "gzip");
    assert_eq!(client.get("/bucket/key").header("content-encoding"), Some("gzip"));
}

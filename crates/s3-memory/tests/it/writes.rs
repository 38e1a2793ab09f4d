//! Writes, deletions, multipart uploads, buckets and access.

use crate::{endpoint, endpoint_with};
use decant_s3_memory::{Credentials, Operation, Options};

#[test]
fn a_put_object_keeps_its_headers() {
    let (_s3, client) = endpoint();
    let headers = [("Content-Type", "text/csv"), ("x-amz-meta-origin", "a")];
    let put = client.send("PUT", "/bucket/key", &headers, b"abcdef");
    assert_eq!(put.header("etag"), Some("\"e80b5017098950fc58aad83c8c14978e\""));
    let get = client.get("/bucket/key");
    assert_eq!(get.header("content-type"), Some("text/csv"));
    assert_eq!(get.header("x-amz-meta-origin"), Some("a"));
}

#[test]
fn a_create_only_write_loses_against_what_is_there() {
    let (s3, client) = endpoint();
    let create = |body| client.send("PUT", "/bucket/key", &[("If-None-Match", "*")], body).status;
    assert_eq!((create(b"first"), create(b"second")), (200, 412));
    assert_eq!(s3.get("bucket", "key").as_deref(), Some(&b"first"[..]));
}

#[test]
fn a_conditional_overwrite_needs_the_content_it_names() {
    let (s3, client) = endpoint();
    let etag = format!("\"{}\"", s3.put("bucket", "key", "first"));
    let write = || client.send("PUT", "/bucket/key", &[("If-Match", &etag)], b"second").status;
    assert_eq!((write(), write()), (200, 412));
}

#[test]
fn a_body_of_another_md5_is_not_stored() {
    let (s3, client) = endpoint();
    let headers = [("Content-MD5", "AAAAAAAAAAAAAAAAAAAAAA==")];
    assert_eq!(client.send("PUT", "/bucket/key", &headers, b"abc").status, 400);
    assert!(s3.keys("bucket").is_empty());
}

#[test]
fn a_multipart_upload_joins_its_parts_under_an_etag_of_its_own() {
    let (s3, client) = endpoint();
    let begun = client.send("POST", "/bucket/key?uploads", &[], b"");
    let id = begun.elements("UploadId").concat();
    let part = |number: i32, body: &[u8]| {
        let reply = client.put(&format!("/bucket/key?partNumber={number}&uploadId={id}"), body);
        reply.header("etag").expect("a part's ETag").to_owned()
    };
    let (second, first) = (part(2, b"def"), part(1, b"abc"));
    let listed = format!(
        "<CompleteMultipartUpload>\
         <Part><PartNumber>1</PartNumber><ETag>{first}</ETag></Part>\
         <Part><PartNumber>2</PartNumber><ETag>{second}</ETag></Part>\
         </CompleteMultipartUpload>"
    );
    assert!(s3.keys("bucket").is_empty());
    let complete = || {
        client.send("POST", &format!("/bucket/key?uploadId={id}"), &[], listed.as_bytes()).status
    };
    assert_eq!((complete(), complete()), (200, 404));
    let get = client.get("/bucket/key");
    assert_eq!(get.text(), "abcdef");
    assert_eq!(get.header("etag"), Some("\"4c8e93283780e078db9e0c6b9b3f8043-2\""));
    assert_eq!(s3.counts().of(Operation::Multipart), 5);
}

#[test]
fn an_aborted_upload_leaves_nothing() {
    let (s3, client) = endpoint();
    let id = client.send("POST", "/bucket/key?uploads", &[], b"").elements("UploadId").concat();
    let target = format!("/bucket/key?uploadId={id}");
    assert_eq!(client.send("DELETE", &target, &[], b"").status, 204);
    assert_eq!(client.put(&format!("{target}&partNumber=1"), b"abc").status, 404);
    assert!(s3.keys("bucket").is_empty());
}

#[test]
fn a_copy_has_the_bytes_of_its_source() {
    let (s3, client) = endpoint();
    s3.put("bucket", "a b", "abc");
    let copied = client.send("PUT", "/bucket/copy", &[("x-amz-copy-source", "bucket/a%20b")], b"");
    assert_eq!(copied.status, 200);
    assert_eq!(s3.get("bucket", "copy").as_deref(), Some(&b"abc"[..]));
}

#[test]
fn several_objects_are_deleted_in_one_request() {
    let (s3, client) = endpoint();
    for key in ["a", "b", "c"] {
        s3.put("bucket", key, "");
    }
    let listed = "<Delete><Object><Key>a</Key></Object><Object><Key>c</Key></Object></Delete>";
    let reply = client.send("POST", "/bucket?delete", &[], listed.as_bytes());
    assert_eq!((reply.status, reply.elements("Key")), (200, vec!["a", "c"]));
    assert_eq!(s3.keys("bucket"), ["b"]);
}

#[test]
fn buckets_are_made_described_and_removed() {
    let region = "eu-west-1".to_owned();
    let (_s3, client) = endpoint_with(Options { region, ..Options::default() });
    assert_eq!(client.put("/another", b"").status, 200);
    assert_eq!(client.put("/another", b"").status, 409);
    assert_eq!(client.get("/").elements("Name"), ["another", "bucket"]);
    let head = client.send("HEAD", "/another", &[], b"");
    assert_eq!((head.status, head.header("x-amz-bucket-region")), (200, Some("eu-west-1")));
    assert!(client.get("/another?location").text().contains(">eu-west-1<"));
    let versioning = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    assert_eq!(client.put("/another?versioning", versioning.as_bytes()).status, 200);
    assert_eq!(client.get("/another?versioning").elements("Status"), ["Enabled"]);
    assert_eq!(client.send("DELETE", "/another", &[], b"").status, 204);
    assert_eq!(client.send("HEAD", "/another", &[], b"").status, 404);
}

#[test]
fn an_endpoint_with_keys_refuses_unsigned_and_foreign_requests() {
    let credentials = Some(Credentials::new("access", "secret"));
    let (s3, client) = endpoint_with(Options { credentials, ..Options::default() });
    s3.put("bucket", "key", "abc");
    let unsigned = client.get("/bucket/key");
    assert_eq!((unsigned.status, unsigned.elements("Code")), (403, vec!["AccessDenied"]));
    assert_eq!(client.put("/bucket/other", b"x").status, 403);
    assert_eq!(client.get_with("/bucket/key", &signed("stranger")).status, 403);
    assert_eq!(client.get_with("/bucket/key", &signed("access")).status, 403);
    assert_eq!(s3.keys("bucket"), ["key"]);
}

#[test]
fn an_endpoint_without_keys_refuses_signed_requests() {
    let (_s3, client) = endpoint();
    let reply = client.get_with("/bucket/key", &signed("access"));
    assert_eq!((reply.status, reply.elements("Code")), (403, vec!["InvalidAccessKeyId"]));
}

#[test]
fn secrets_are_not_shown() {
    let credentials = Some(Credentials::new("access", "hush"));
    let options = Options { credentials, ..Options::default() };
    assert!(!format!("{options:?}").contains("hush"));
}

/// Headers that look signed, with a signature that fits nothing.
fn signed(access_key_id: &str) -> [(&'static str, &'static str); 3] {
    let now = chrono::Utc::now().format("%Y%m%dT%H%M%SZ").to_string();
    let day = &now[..8];
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={access_key_id}/{day}/us-east-1/s3/aws4_request, \
         SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature={}",
        "0".repeat(64)
    );
    [
        ("Authorization", authorization.leak()),
        ("x-amz-date", now.leak()),
        ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
    ]
}

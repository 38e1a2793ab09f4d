//! Keys are opaque: each is written, listed and read under its exact bytes.

use crate::endpoint;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// As clients encode a key into a path: all but slashes.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/');

fn awkward_keys() -> Vec<String> {
    let mut keys: Vec<String> = [
        "a space",
        "a+plus",
        "a%2Fpercent",
        "a%20b",
        "100%",
        "quote\"s and 'these'",
        "new\nline",
        "carriage\rreturn",
        "tab\there",
        "//two//slashes",
        "/leading",
        "trailing/",
        "..",
        ".",
        "a/../b",
        "a/./b",
        "./a",
        "../a",
        "caf\u{e9}",
        "cafe\u{301}",
        "\u{1F600}",
        "&<>;=?#",
        "/",
        "a=b&c",
        "back\\slash",
        "Ω≈ç√∫",
        "*wild?card[0]",
        "~tilde_-.",
        "\u{7f}del",
    ]
    .map(str::to_owned)
    .to_vec();
    keys.push("k".repeat(1024));
    keys.push("é".repeat(512));
    keys.sort();
    keys
}

fn target(key: &str) -> String {
    format!("/bucket/{}", utf8_percent_encode(key, PATH))
}

#[test]
fn every_key_is_written_under_its_exact_bytes() {
    let (s3, client) = endpoint();
    for key in awkward_keys() {
        assert_eq!(client.put(&target(&key), key.as_bytes()).status, 200, "{key:?}");
        assert_eq!(s3.get("bucket", &key).as_deref(), Some(key.as_bytes()), "{key:?}");
    }
    assert_eq!(s3.keys("bucket"), awkward_keys());
}

#[test]
fn every_key_is_read_by_its_exact_bytes() {
    let (s3, client) = endpoint();
    for key in awkward_keys() {
        s3.put("bucket", &key, key.clone().into_bytes());
    }
    for key in awkward_keys() {
        let reply = client.get(&target(&key));
        assert_eq!((reply.status, reply.text()), (200, key.as_str()), "{key:?}");
        let head = client.send("HEAD", &target(&key), &[], b"");
        assert_eq!(head.header("content-length"), Some(key.len().to_string().as_str()));
    }
}

#[test]
fn a_url_encoded_listing_gives_every_key_back() {
    let (s3, client) = endpoint();
    for key in awkward_keys() {
        s3.put("bucket", &key, "");
    }
    let reply = client.get("/bucket?list-type=2&encoding-type=url");
    let decode = |text: &&str| {
        let spaced = text.replace('+', " ");
        percent_decode_str(&spaced).decode_utf8().expect("UTF-8").into_owned()
    };
    let keys: Vec<String> = reply.elements("Key").iter().map(decode).collect();
    assert_eq!(keys, awkward_keys());
    assert_eq!(reply.elements("EncodingType"), ["url"]);
}

#[test]
fn a_plain_listing_escapes_markup_only() {
    let (s3, client) = endpoint();
    s3.put("bucket", "a+b c&d<e", "");
    let reply = client.get("/bucket?list-type=2");
    assert_eq!(reply.elements("Key"), ["a+b c&amp;d&lt;e"]);
}

#[test]
fn unescaped_dots_and_slashes_in_a_path_are_not_resolved() {
    let (s3, client) = endpoint();
    client.put("/bucket/a/../b//c/./d", b"x");
    client.put("/bucket//leading", b"x");
    assert_eq!(s3.keys("bucket"), ["/leading", "a/../b//c/./d"]);
}

#[test]
fn the_log_and_hooks_see_the_key_decoded_once() {
    let (s3, client) = endpoint();
    client.put("/bucket/a%252Fb+c%20d", b"x");
    assert_eq!(s3.requests()[0].key.as_deref(), Some("a%2Fb+c d"));
}

#[test]
fn a_key_of_more_than_1024_bytes_is_refused() {
    let (s3, client) = endpoint();
    let reply = client.put(&format!("/bucket/{}", "k".repeat(1025)), b"x");
    assert_eq!((reply.status, reply.elements("Code")), (400, vec!["KeyTooLongError"]));
    assert!(s3.keys("bucket").is_empty());
}

//! Listings of both versions: order, pages, prefixes, delimiters.

use crate::client::{Client, Reply};
use crate::endpoint;
use decant_s3_memory::MemoryS3;

fn filled(keys: &[&str]) -> (MemoryS3, Client) {
    let (s3, client) = endpoint();
    keys.iter().for_each(|key| drop(s3.put("bucket", key, "x")));
    (s3, client)
}

/// All pages of a version 2 listing, following continuation tokens.
fn pages(client: &Client, query: &str) -> Vec<Reply> {
    let mut pages = vec![client.get(&format!("/bucket?list-type=2&{query}"))];
    while let Some(token) =
        pages.last().and_then(|page| page.elements("NextContinuationToken").pop())
    {
        let token = token.replace('%', "%25");
        let next = client.get(&format!("/bucket?list-type=2&{query}&continuation-token={token}"));
        pages.push(next);
    }
    pages
}

fn texts(pages: &[Reply], element: &str) -> Vec<String> {
    pages.iter().flat_map(|page| page.elements(element)).map(str::to_owned).collect()
}

/// The prefixes in CommonPrefixes elements.
fn prefixes(pages: &[Reply]) -> Vec<String> {
    let common = texts(pages, "CommonPrefixes");
    let text = |text: &String| text.replace("<Prefix>", "").replace("</Prefix>", "");
    common.iter().map(text).collect()
}

#[test]
fn keys_are_listed_in_byte_order_with_their_facts() {
    let (s3, client) = filled(&["b", "B", "a/", "a", "a-", "é", "z"]);
    let reply = client.get("/bucket?list-type=2");
    assert_eq!(reply.elements("Key"), ["B", "a", "a-", "a/", "b", "z", "é"]);
    assert_eq!(reply.elements("KeyCount"), ["7"]);
    assert_eq!(reply.elements("IsTruncated"), ["false"]);
    assert_eq!(reply.elements("Size"), vec!["1"; 7]);
    let etag = s3.put("bucket", "a", "x");
    assert_eq!(reply.elements("ETag")[0].replace("&quot;", "\""), format!("\"{etag}\""));
    assert!(reply.elements("LastModified").iter().all(|moment| moment.ends_with(".000Z")));
}

#[test]
fn pages_join_to_the_whole_listing_whatever_their_size() {
    let keys = ["a", "a/1", "a/2", "b", "b/1", "c/", "c/1", "d", "e%2F", "f g"];
    let (s3, client) = filled(&keys);
    for size in 1..=keys.len() {
        s3.set_page_size_max(size);
        let pages = pages(&client, "max-keys=1000");
        assert_eq!(texts(&pages, "Key"), keys, "pages of {size}");
        assert_eq!(pages.len(), keys.len().div_ceil(size));
    }
}

#[test]
fn common_prefixes_are_listed_once_whatever_the_page_size() {
    let (s3, client) = filled(&["a", "a/1", "a/2", "a/3", "b/1", "b0", "c"]);
    for size in 1..=6 {
        s3.set_page_size_max(size);
        let pages = pages(&client, "delimiter=/");
        assert_eq!(texts(&pages, "Key"), ["a", "b0", "c"], "pages of {size}");
        assert_eq!(prefixes(&pages), ["a/", "b/"], "pages of {size}");
    }
}

#[test]
fn a_prefix_and_a_delimiter_list_one_folder() {
    let (_s3, client) = filled(&["a/", "a/1", "a/b/1", "a/b/2", "a/c", "ab", "b/1"]);
    let page = [client.get("/bucket?list-type=2&prefix=a%2F&delimiter=%2F")];
    assert_eq!(texts(&page, "Key"), ["a/", "a/1", "a/c"]);
    assert_eq!(prefixes(&page), ["a/b/"]);
}

#[test]
fn empty_parameters_are_no_parameters() {
    let (_s3, client) = filled(&["a/1", "b"]);
    let reply = client.get("/bucket?list-type=2&prefix=&delimiter=&start-after=");
    assert_eq!(reply.elements("Key"), ["a/1", "b"]);
    assert!(!reply.text().contains("<Delimiter>"));
}

#[test]
fn a_listing_starts_after_a_key_that_need_not_exist() {
    let (_s3, client) = filled(&["a", "b", "c"]);
    let after = |key: &str| {
        let reply = client.get(&format!("/bucket?list-type=2&start-after={key}"));
        reply.elements("Key").concat()
    };
    assert_eq!((after("a").as_str(), after("aa").as_str(), after("c").as_str()), ("bc", "bc", ""));
}

#[test]
fn a_page_of_none_is_not_truncated() {
    let (_s3, client) = filled(&["a"]);
    let reply = client.get("/bucket?list-type=2&max-keys=0");
    assert_eq!((reply.elements("Key").len(), reply.elements("IsTruncated")), (0, vec!["false"]));
}

#[test]
fn version_1_listings_go_on_after_a_marker() {
    let (_s3, client) = filled(&["a", "b/1", "b/2", "c"]);
    let first = [client.get("/bucket?delimiter=/&max-keys=2")];
    assert_eq!((texts(&first, "Key"), prefixes(&first)), (vec!["a".into()], vec!["b/".into()]));
    assert_eq!(texts(&first, "NextMarker"), ["b/"]);
    let second = [client.get("/bucket?delimiter=/&max-keys=2&marker=b/")];
    assert_eq!((texts(&second, "Key"), prefixes(&second)), (vec!["c".into()], vec![]));
    let plain = client.get("/bucket?marker=b%2F1");
    assert_eq!(plain.elements("Key"), ["b/2", "c"]);
}

#[test]
fn deleted_keys_are_not_listed() {
    let (s3, client) = filled(&["a", "b"]);
    s3.enable_versioning("bucket");
    s3.delete("bucket", "a");
    assert_eq!(client.get("/bucket?list-type=2").elements("Key"), ["b"]);
    assert_eq!(s3.keys("bucket"), ["b"]);
}

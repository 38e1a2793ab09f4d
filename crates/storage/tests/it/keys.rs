//! Keys are opaque: what a bucket holds is listed, found and read by the very
//! same text.

use decant_core::selection::{Scan, Selection};
use decant_core::{ErrorKind, FileVersion, Store};
use decant_storage::{Location, Storage, StorageOptions};

use crate::place::{BUCKET, collect, endpoint, head, keys, list, open, open_with, options, read};

fn odd_keys() -> Vec<String> {
    let mut keys: Vec<String> = [
        "a b.csv",
        "a+b.csv",
        "a%b.csv",
        "a%2Fb.csv",
        "a%252Fb.csv",
        "a'b\"c`d.csv",
        "a&b<c>d;e=f?g#h.csv",
        "new\nline\ttab\r.csv",
        "double//slash.csv",
        "/leading.csv",
        "//two.csv",
        "up/../down.csv",
        "./here.csv",
        "..",
        "../..",
        "dots/./.././x",
        "%2E%2E/encoded.csv",
        "caf\u{e9}.csv",
        "cafe\u{301}.csv",
        "日本語/😀.csv",
        "back\\slash.csv",
        "star*[brackets]{braces}!$(),:@~.csv",
        " leading and trailing ",
        "folder/",
        "hive/day=2026-01-01/part.csv",
    ]
    .map(str::to_owned)
    .into();
    keys.push("k".repeat(1024));
    keys.push("é".repeat(512));
    keys
}

#[tokio::test]
async fn odd_keys_survive_listing_head_and_reading() {
    let s3 = endpoint().await;
    for key in odd_keys() {
        s3.put(BUCKET, &key, key.clone());
    }
    let storage = open(&s3).await;
    let files = list(&storage, "").await.unwrap();
    let mut expected = odd_keys();
    expected.sort();
    assert_eq!(keys(&files), expected);
    for file in &files {
        assert_eq!(head(&storage, &file.key).await, *file, "{}", file.key);
        assert_eq!(read(&storage, file).await.unwrap(), file.key.as_bytes(), "{}", file.key);
    }
}

#[tokio::test]
async fn every_odd_key_is_a_prefix_and_a_start_of_its_own() {
    let s3 = endpoint().await;
    for key in odd_keys() {
        s3.put(BUCKET, &key, "x");
    }
    let one = StorageOptions { list_page_size: 1, ..options(&s3) };
    let storage = open_with(&one).await;
    assert_eq!(list(&storage, "").await.unwrap().len(), odd_keys().len());
    for key in odd_keys() {
        let files = list(&storage, &key).await.unwrap();
        assert_eq!(files.first().map(|file| file.key.as_str()), Some(key.as_str()));
    }
}

#[tokio::test]
async fn a_location_selects_what_it_spells() {
    let s3 = endpoint().await;
    for key in ["a b+c%2F.csv", "a b+c%2F.csv.bak", "in/1.csv", "in2/1.csv"] {
        s3.put(BUCKET, key, "x");
    }
    let storage = open(&s3).await;
    for (url, selected) in [
        ("s3://bucket/a b+c%2F.csv", vec!["a b+c%2F.csv"]),
        ("s3://bucket/in", vec!["in/1.csv"]),
        ("s3://bucket/in?/*.csv", vec!["in2/1.csv"]),
    ] {
        let location = Location::parse(url).unwrap();
        let selection = Selection::path(location.key()).unwrap();
        let mut files = crate::place::scan(&storage, selection.scans()).await.unwrap();
        files.retain(|file| {
            selection.judge(&file.key, file.size, file.last_modified, file.last_modified).is_none()
        });
        assert_eq!(keys(&files), selected, "{url}");
    }
}

#[tokio::test]
async fn identity_is_the_same_by_listing_and_by_head() {
    let s3 = endpoint().await;
    let etag = s3.put(BUCKET, "a.csv", "hello");
    let storage = open(&s3).await;
    let listed = list(&storage, "a").await.unwrap().remove(0);
    let found = head(&storage, "a.csv").await;
    for file in [listed, found] {
        assert_eq!(file.source, s3.endpoint().strip_prefix("http://").unwrap());
        assert_eq!((file.bucket.as_str(), file.member.as_str()), (BUCKET, ""));
        assert_eq!((file.etag, file.size, file.version_id), (etag.clone(), 5, None));
    }
    assert_eq!(storage.scope().1, BUCKET);
    assert!(storage.head("b.csv").await.unwrap().is_none());
}

#[tokio::test]
async fn a_storage_refuses_files_of_another_bucket() {
    let s3 = endpoint().await;
    s3.put(BUCKET, "a", "x");
    let storage = open(&s3).await;
    let file = FileVersion { bucket: "other".into(), ..head(&storage, "a").await };
    assert_eq!(storage.open(&file).await.err().unwrap().kind(), ErrorKind::Internal);
}

#[tokio::test]
async fn a_bucket_and_a_folder_with_the_same_files_give_the_same_results() {
    let s3 = endpoint().await;
    let folder = tempfile::tempdir().unwrap();
    let names = ["a.csv", "a/b.csv", "a-b", "in/x y+z%20.csv", "in/é", "in/empty", "in.d/1", "z"];
    for (number, name) in names.into_iter().enumerate() {
        let bytes = if name == "in/empty" { Vec::new() } else { vec![b'x'; number * 100_000] };
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, &bytes).unwrap();
        s3.put(BUCKET, name, bytes);
    }
    let local = Location::parse(&format!("{}/", folder.path().display())).unwrap();
    let files = Storage::open(&local, &StorageOptions::default()).await.unwrap();
    let bucket = open(&s3).await;
    for prefix in ["", "a", "in", "in/", "in/x y"] {
        let here = contents(&files, &format!("{}{prefix}", local.key()), local.key().len()).await;
        let there = contents(&bucket, prefix, 0).await;
        assert_eq!(here, there, "{prefix}");
        assert!(!here.is_empty());
    }
}

/// Key behind `base`, size, bytes, and some of the bytes of every file.
async fn contents(
    storage: &Storage,
    prefix: &str,
    base: usize,
) -> Vec<(String, u64, Vec<u8>, Vec<u8>)> {
    let mut all = Vec::new();
    for file in list(storage, prefix).await.unwrap() {
        let content = storage.open(&file).await.unwrap();
        let half = file.size / 2;
        let range = content.range(half..file.size).await.unwrap();
        let tail = collect(content.stream(half).await.unwrap()).await.unwrap();
        assert_eq!(range, tail);
        let bytes = read(storage, &file).await.unwrap();
        all.push((file.key[base..].to_owned(), file.size, bytes, tail));
    }
    all
}

#[tokio::test]
async fn a_key_scan_finds_only_its_key() {
    let s3 = endpoint().await;
    for key in ["data", "data/a", "data2"] {
        s3.put(BUCKET, key, "x");
    }
    let storage = open(&s3).await;
    let scans = vec![Scan::Key("data".into()), Scan::Prefix("data/".into())];
    let files = crate::place::scan(&storage, scans).await.unwrap();
    assert_eq!(keys(&files), ["data", "data/a"]);
    let missing = crate::place::scan(&storage, vec![Scan::Key("dat".into())]).await.unwrap();
    assert!(missing.is_empty());
}

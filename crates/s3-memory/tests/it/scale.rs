//! Large listings and large objects, with room for a slow machine; the figures
//! are printed.

use crate::endpoint;
use bytes::Bytes;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

#[test]
fn a_hundred_thousand_keys_are_listed_in_seconds() {
    let (s3, client) = endpoint();
    for number in 0..100_000 {
        s3.put("bucket", &format!("folder/{:03}/file-{number:06}.csv", number / 1000), "x");
    }
    let started = Instant::now();
    let (mut listed, mut token) = (0, String::new());
    loop {
        let page = client.get(&format!("/bucket?list-type=2{token}"));
        listed += page.elements("Key").len();
        let Some(next) = page.elements("NextContinuationToken").pop() else { break };
        token = format!("&continuation-token={}", next.replace('%', "%25"));
    }
    let elapsed = started.elapsed();
    println!("100,000 keys listed in {elapsed:?}");
    assert_eq!(listed, 100_000);
    assert!(elapsed < Duration::from_secs(10), "{elapsed:?}");
}

#[test]
fn a_large_object_is_sent_without_being_copied_or_hashed() {
    const SIZE: usize = 250_000_000;
    let (s3, _) = endpoint();
    s3.put("bucket", "large", Bytes::from(vec![b'x'; SIZE]));
    let mut stream = TcpStream::connect(s3.endpoint().trim_start_matches("http://")).unwrap();
    let started = Instant::now();
    stream
        .write_all(b"GET /bucket/large HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        .unwrap();
    let (mut buffer, mut received) = (vec![0; 1 << 20], 0);
    loop {
        match stream.read(&mut buffer).unwrap() {
            0 => break,
            length => received += length,
        }
    }
    let elapsed = started.elapsed();
    println!("{} MB/s", received as f64 / 1e6 / elapsed.as_secs_f64());
    assert!(received > SIZE);
    assert!(elapsed < Duration::from_secs(5), "{elapsed:?}");
}

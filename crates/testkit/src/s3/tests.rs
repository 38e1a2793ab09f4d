//! Each fault as a client meets it.

use super::*;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;

fn endpoint(files: usize) -> Arc<MemoryS3> {
    let s3 = MemoryS3::start_blocking(Options::default()).unwrap();
    put_files(&s3, "bucket", files, |number| (format!("in/{number:04}.csv"), "abcdef"));
    Arc::new(s3)
}

/// Sends one request; returns its whole reply, and how its connection ended.
fn ask(s3: &MemoryS3, request: &str, headers: &str) -> (String, io::Result<usize>) {
    let endpoint = s3.endpoint();
    let mut stream = TcpStream::connect(endpoint.trim_start_matches("http://")).unwrap();
    let head = format!("{request} HTTP/1.1\r\nHost: h\r\n{headers}Connection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut reply = Vec::new();
    let end = stream.read_to_end(&mut reply);
    (String::from_utf8(reply).unwrap(), end)
}

fn get(s3: &MemoryS3, target: &str) -> String {
    ask(s3, &format!("GET {target}"), "").0
}

fn status(reply: &str) -> &str {
    reply.get(9..12).unwrap_or_default()
}

fn keys(page: &str) -> Vec<&str> {
    let texts = page.split("<Key>").skip(1);
    texts.filter_map(|rest| rest.split_once("</Key>")).map(|(key, _)| key).collect()
}

#[test]
fn a_rule_strikes_as_often_as_it_says_and_only_what_it_is_about() {
    let s3 = endpoint(2);
    let script = Faults::new()
        .on(Operation::Get, "in/*1.csv")
        .sparing(1)
        .times(2)
        .then(Fault::Status(500))
        .install(&s3);
    let seen: Vec<String> =
        (0..5).map(|_| status(&get(&s3, "/bucket/in/0001.csv")).to_owned()).collect();
    assert_eq!(seen, ["200", "500", "500", "200", "200"]);
    assert_eq!(status(&get(&s3, "/bucket/in/0000.csv")), "200");
    assert_eq!(status(&ask(&s3, "HEAD /bucket/in/0001.csv", "").0), "200");
    assert_eq!(script.fired(), 2);
}

#[test]
fn rules_are_tried_in_order() {
    let s3 = endpoint(1);
    let _script = Faults::new()
        .on(Operation::Get, "*")
        .once()
        .then(Fault::SlowDown)
        .on(Operation::Get, Keys::matching(|key| key.len() == 11))
        .once()
        .then(Fault::ErrorDocumentIn200)
        .install(&s3);
    let (first, second) = (get(&s3, "/bucket/in/0000.csv"), get(&s3, "/bucket/in/0000.csv"));
    assert_eq!((status(&first), status(&second)), ("503", "200"));
    assert!(first.contains("<Code>SlowDown</Code>"));
    assert!(second.contains("<Code>InternalError</Code>"));
    assert!(get(&s3, "/bucket/in/0000.csv").ends_with("abcdef"));
}

#[test]
fn bodies_end_early_in_four_ways() {
    let s3 = endpoint(1);
    let bytes = 3;
    let faults = [
        (Fault::Reset { after_bytes: 3 }, "content-length: 6", true),
        (Fault::Close { after_bytes: 3 }, "content-length: 6", false),
        (Fault::Shortened { bytes }, "content-length: 3", false),
        (Fault::Undeclared { bytes }, "transfer-encoding: chunked", false),
    ];
    for (fault, header, is_reset) in faults {
        let _script = Faults::new().on(Operation::Get, "*").then(fault).install(&s3);
        let (reply, end) = ask(&s3, "GET /bucket/in/0000.csv", "");
        assert_eq!(end.is_err(), is_reset, "{header}");
        assert!(is_reset || reply.contains(header), "{reply}");
        assert!(is_reset || reply.contains("abc") && !reply.contains("abcd"), "{reply}");
    }
}

#[test]
fn a_lost_reply_has_had_its_effect_and_no_reply_has_not() {
    let s3 = endpoint(0);
    let _script = Faults::new()
        .on(Operation::Put, "lost")
        .then(Fault::LostReply)
        .on(Operation::Put, "refused")
        .then(Fault::NoReply)
        .install(&s3);
    let put = |key: &str| ask(&s3, &format!("PUT /bucket/{key}"), "Content-Length: 0\r\n").1;
    s3.create_bucket("bucket");
    assert!(put("refused").is_err());
    drop(put("lost"));
    assert_eq!(s3.keys("bucket"), ["lost"]);
}

#[test]
fn a_held_request_waits_for_its_gate() {
    let s3 = endpoint(1);
    let gate = Gate::new();
    let _script =
        Faults::new().on(Operation::Get, "*").then(Fault::Hold(gate.clone())).install(&s3);
    let asked = Arc::clone(&s3);
    let reading = thread::spawn(move || get(&asked, "/bucket/in/0000.csv"));
    wait_for_requests_blocking(&s3, Operation::Get, 1);
    assert_eq!(s3.requests()[0].status, None);
    gate.open();
    wait_until_blocking(&s3, |requests| requests[0].status.is_some());
    assert!(reading.join().unwrap().ends_with("abcdef"));
}

#[test]
fn a_held_body_goes_on_once_its_gate_opens() {
    let s3 = endpoint(1);
    let gate = Gate::new();
    let held = Fault::HoldBody { after_bytes: 2, gate: gate.clone() };
    let _script = Faults::new().on(Operation::Get, "*").then(held).install(&s3);
    let endpoint = s3.endpoint();
    let mut stream = TcpStream::connect(endpoint.trim_start_matches("http://")).unwrap();
    stream
        .write_all(b"GET /bucket/in/0000.csv HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        .unwrap();
    let (mut reply, mut byte) = (Vec::new(), [0]);
    while !reply.ends_with(b"\r\n\r\nab") {
        stream.read_exact(&mut byte).unwrap();
        reply.push(byte[0]);
    }
    gate.open();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "cdef");
}

#[test]
fn an_event_happens_just_before_the_request() {
    let s3 = endpoint(1);
    let weak = Arc::downgrade(&s3);
    let overwrite = Fault::before(move || {
        if let Some(s3) = weak.upgrade() {
            s3.put("bucket", "in/0000.csv", "other");
        }
    });
    let _script = Faults::new().on(Operation::Get, "*").once().then(overwrite).install(&s3);
    assert!(get(&s3, "/bucket/in/0000.csv").ends_with("other"));
}

#[test]
fn listings_lack_keys_repeat_pages_and_end_early() {
    let s3 = endpoint(4);
    s3.set_page_size_max(2);
    let list = |fault: Fault| {
        let rule = Faults::new().on(Operation::List, "in/*").sparing(1).once();
        let _script = rule.then(fault).install(&s3);
        let first = get(&s3, "/bucket?list-type=2&prefix=in/");
        assert_eq!(keys(&first), ["in/0000.csv", "in/0001.csv"]);
        get(&s3, "/bucket?list-type=2&prefix=in/&start-after=in/0000.csv")
    };
    let dropped = list(Fault::DropFromListing("in/0001.csv".to_owned()));
    assert_eq!(keys(&dropped), ["in/0002.csv"]);
    assert_eq!(keys(&list(Fault::RepeatListPage)), ["in/0000.csv", "in/0001.csv"]);
    let ended = list(Fault::EndListingEarly);
    assert_eq!(keys(&ended), ["in/0001.csv", "in/0002.csv"]);
    assert!(ended.contains("<IsTruncated>false<") && !ended.contains("NextContinuationToken"));
    let empty = list(Fault::EmptyListPage);
    assert!(keys(&empty).is_empty() && empty.contains("<NextContinuationToken>"));
}

#[test]
fn pinned_reads_pass_the_assertion() {
    let s3 = endpoint(1);
    let (pinned, _) = ask(&s3, "GET /bucket/in/0000.csv", "If-Match: \"x\"\r\n");
    assert_eq!(status(&pinned), "412");
    get(&s3, "/bucket/in/0000.csv?versionId=null");
    assert_gets_pinned(&s3, "bucket", "in/0000.csv");
}

#[test]
#[should_panic(expected = "was not pinned")]
fn an_unpinned_read_fails_the_assertion() {
    let s3 = endpoint(1);
    get(&s3, "/bucket/in/0000.csv");
    assert_gets_pinned(&s3, "bucket", "in/0000.csv");
}

#[test]
#[should_panic(expected = "never read")]
fn an_assertion_on_a_key_never_read_fails() {
    assert_gets_pinned(&endpoint(1), "bucket", "in/0000.csv");
}

#[test]
fn five_thousand_files_are_put_and_gzip_is_gzip() {
    assert_eq!(endpoint(5000).keys("bucket").len(), 5000);
    let mut text = String::new();
    let bytes = gzip("a,b\n1,2\n");
    flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
    assert_eq!(text, "a,b\n1,2\n");
}

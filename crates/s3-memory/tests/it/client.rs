//! A client that sends exactly the bytes it is given, one connection a request.

use std::io::{self, Read, Write};
use std::net::TcpStream;

/// Talks to one endpoint.
pub(crate) struct Client {
    authority: String,
}

/// A reply, read until the connection ended.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    /// Whether the body has the length that the head declared.
    pub(crate) complete: bool,
    /// What ended the connection, if it was not closed in an orderly way.
    pub(crate) error: Option<io::ErrorKind>,
}

impl Client {
    pub(crate) fn new(endpoint: &str) -> Self {
        Self { authority: endpoint.trim_start_matches("http://").to_owned() }
    }

    pub(crate) fn get(&self, target: &str) -> Reply {
        self.send("GET", target, &[], b"")
    }

    pub(crate) fn get_with(&self, target: &str, headers: &[(&str, &str)]) -> Reply {
        self.send("GET", target, headers, b"")
    }

    pub(crate) fn put(&self, target: &str, body: &[u8]) -> Reply {
        self.send("PUT", target, &[], body)
    }

    pub(crate) fn send(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        let mut request = format!("{method} {target} HTTP/1.1\r\nHost: {}\r\n", self.authority);
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        request += &format!("Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        let mut stream = TcpStream::connect(&self.authority).expect("the endpoint listens");
        stream.write_all(request.as_bytes()).expect("a request head is sent");
        stream.write_all(body).expect("a request body is sent");
        read(stream, method)
    }
}

fn read(mut stream: TcpStream, method: &str) -> Reply {
    let mut bytes = Vec::new();
    let error = stream.read_to_end(&mut bytes).err().map(|error| error.kind());
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    let Some(end) = end else {
        return Reply { status: 0, head: String::new(), body: bytes, complete: false, error };
    };
    let body = bytes.split_off(end + 4);
    let head = String::from_utf8(bytes).expect("an ASCII head");
    let status = head.split(' ').nth(1).and_then(|text| text.parse().ok()).expect("a status");
    let mut reply = Reply { status, head, body, complete: true, error };
    reply.finish(method);
    reply
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body of UTF-8")
    }

    /// The texts of an element, in order; entities stay as they are.
    pub(crate) fn elements(&self, name: &str) -> Vec<&str> {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let texts = self.text().split(open.as_str()).skip(1);
        texts.filter_map(|rest| rest.split_once(close.as_str())).map(|(text, _)| text).collect()
    }

    fn finish(&mut self, method: &str) {
        if self.header("transfer-encoding") == Some("chunked") {
            let chunks = std::mem::take(&mut self.body);
            self.complete = self.join(&chunks).is_some();
        } else if let Some(length) = self.header("content-length") {
            self.complete = method == "HEAD" || length == self.body.len().to_string();
        }
    }

    /// Joins chunks; `None` where the last chunk is missing.
    fn join(&mut self, mut rest: &[u8]) -> Option<()> {
        loop {
            let line = rest.windows(2).position(|window| window == b"\r\n")?;
            let length = std::str::from_utf8(&rest[..line]).ok()?;
            let length = usize::from_str_radix(length, 16).ok()?;
            if length == 0 {
                return Some(());
            }
            self.body.extend_from_slice(rest.get(line + 2..line + 2 + length)?);
            rest = rest.get(line + 2 + length + 2..)?;
        }
    }
}

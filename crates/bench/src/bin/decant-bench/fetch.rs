//! Plain concurrent GETs that drop what they get: as fast as small objects
//! can be fetched over so many connections, by a client that does nothing
//! else. It knows just enough of HTTP/1.1 for our own endpoint.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use crate::serve::{BUCKET, small_key};
use crate::{Result, number};

/// Fetches the first `files` of the small files, each once.
pub(crate) fn run(address: &str, files: &str, connections: &str) -> Result<()> {
    let host = address.trim_start_matches("http://").to_owned();
    let (files, connections): (u64, usize) = (number(files)?, number(connections)?);
    let next = AtomicU64::new(0);
    let begun = Instant::now();
    let fetched: io::Result<u64> = thread::scope(|scope| {
        let fetchers: Vec<_> = (0..connections.max(1))
            .map(|_| scope.spawn(|| fetch_some(&host, files, &next)))
            .collect();
        fetchers
            .into_iter()
            .map(|fetcher| {
                fetcher
                    .join()
                    .unwrap_or_else(|_| Err(io::Error::other("a connection's thread ended")))
            })
            .sum()
    });
    let bytes = fetched.map_err(|error| format!("{host}: {error}"))?;
    println!("{files} files, {bytes} bytes, {:.3} s", begun.elapsed().as_secs_f64());
    Ok(())
}

/// Fetches over one connection whatever nobody else has begun to fetch.
fn fetch_some(host: &str, files: u64, next: &AtomicU64) -> io::Result<u64> {
    let mut to_server = TcpStream::connect(host)?;
    to_server.set_nodelay(true)?;
    let mut from_server = BufReader::new(to_server.try_clone()?);
    let mut bytes = 0;
    loop {
        let file = next.fetch_add(1, Ordering::Relaxed);
        if file >= files {
            return Ok(bytes);
        }
        let path = format!("/{BUCKET}/{}", small_key(file));
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        to_server.write_all(request.as_bytes())?;
        bytes += drop_reply(&mut from_server)?;
    }
}

/// Reads a reply to its end; answers the bytes of its body.
fn drop_reply(from_server: &mut impl BufRead) -> io::Result<u64> {
    let mut line = String::new();
    from_server.read_line(&mut line)?;
    if !line.starts_with("HTTP/1.1 200") {
        return Err(io::Error::other(format!("answered `{}`", line.trim_end())));
    }
    let mut length = None;
    loop {
        line.clear();
        from_server.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse::<u64>().ok();
        }
    }
    let length = length.ok_or_else(|| io::Error::other("a reply without Content-Length"))?;
    let read = io::copy(&mut from_server.take(length), &mut io::sink())?;
    if read == length { Ok(read) } else { Err(io::Error::other("a reply that broke off")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_read_to_its_end_and_no_further() {
        let mut replies: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\nX: y\r\n\r\nabcHTTP/1.1 404 Not Found\r\n\r\n";
        assert_eq!(drop_reply(&mut replies).unwrap(), 3);
        assert!(drop_reply(&mut replies).unwrap_err().to_string().contains("404"));
    }

    #[test]
    fn a_reply_that_breaks_off_is_an_error() {
        let mut reply: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc";
        assert!(drop_reply(&mut reply).is_err());
    }
}

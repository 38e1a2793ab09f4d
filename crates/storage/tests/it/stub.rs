//! An HTTP endpoint that says what a test wants it to say, for answers that a
//! working endpoint does not give.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A page of a listing with the one key `a`.
pub(crate) const PAGE: &str = "<ListBucketResult><IsTruncated>false</IsTruncated><Contents>\
    <Key>a</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified><ETag>&quot;e&quot;</ETag>\
    <Size>1</Size></Contents></ListBucketResult>";

/// An answer: status, headers, body.
pub(crate) struct Answer(pub(crate) u16, pub(crate) &'static str, pub(crate) String);

impl Answer {
    pub(crate) fn page() -> Self {
        Self(200, "", PAGE.to_owned())
    }

    /// S3's error document, with `more` in it.
    pub(crate) fn refusal(status: u16, code: &str, more: &str) -> Self {
        let body = format!("<Error><Code>{code}</Code><Message>no</Message>{more}</Error>");
        Self(status, "", body)
    }
}

/// A listening stub; it stops when dropped.
pub(crate) struct Stub {
    pub(crate) endpoint: String,
    requests: Arc<Mutex<Vec<String>>>,
    listening: tokio::task::JoinHandle<()>,
}

impl Stub {
    /// Starts one that answers each request by its text: line, headers and
    /// as much of the body as came with them, all of it in lower case.
    pub(crate) async fn start(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = Arc::clone(&requests);
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                serve(stream, &answer, &log).await;
            }
        });
        Self { endpoint, requests, listening }
    }

    /// The requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// One request on one connection.
async fn serve(
    mut stream: TcpStream,
    answer: &(impl Fn(&str) -> Answer + Send + Sync),
    log: &Mutex<Vec<String>>,
) {
    let request = receive(&mut stream).await.to_lowercase();
    log.lock().unwrap().push(request.clone());
    let Answer(status, headers, body) = answer(&request);
    let body = if request.starts_with("head ") { String::new() } else { body };
    let head = format!(
        "HTTP/1.1 {status} Scripted\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).await.unwrap();
}

async fn receive(stream: &mut TcpStream) -> String {
    let mut request = String::new();
    let mut buffer = [0; 4096];
    loop {
        let length = stream.read(&mut buffer).await.unwrap();
        request.push_str(&String::from_utf8_lossy(&buffer[..length]));
        let is_whole = match request.split_once("\r\n\r\n") {
            Some((head, body)) => body.len() >= body_length(head),
            None => false,
        };
        if is_whole || length == 0 {
            return request;
        }
    }
}

fn body_length(head: &str) -> usize {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |(_, length)| length.trim().parse().unwrap())
}

/// The value of a header in a request's text.
pub(crate) fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    let (head, _) = request.split_once("\r\n\r\n")?;
    let mut headers = head.lines().filter_map(|line| line.split_once(": "));
    headers.find(|(found, _)| *found == name).map(|(_, value)| value)
}

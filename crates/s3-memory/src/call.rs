//! A request as hooks and the log see it: what it asks for, before anything is
//! checked. Invariant: bucket and key are decoded as the endpoint decodes them.

use http::request::Parts;
use http::{HeaderMap, Method, Uri};
use percent_encoding::percent_decode_str;

/// What a request does, as far as its method, path and query tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// A page of a bucket's keys, version 1 or 2.
    List,
    /// An object's bytes, whole or a range.
    Get,
    /// An object's headers.
    Head,
    /// An object's bytes written or copied in one request.
    Put,
    /// One object or several deleted.
    Delete,
    /// A step of a multipart upload.
    Multipart,
    /// Everything else: buckets and their settings.
    Bucket,
}

impl Operation {
    /// Every operation, in the order of their declaration.
    pub const ALL: [Operation; 7] = [
        Operation::List,
        Operation::Get,
        Operation::Head,
        Operation::Put,
        Operation::Delete,
        Operation::Multipart,
        Operation::Bucket,
    ];
}

/// One request, before it is served.
#[derive(Clone, Debug)]
pub struct Call {
    /// What it does.
    pub operation: Operation,
    /// The HTTP method.
    pub method: Method,
    /// The bucket; `None` at the root.
    pub bucket: Option<String>,
    /// The key, percent-decoded once; `None` for requests on a bucket.
    pub key: Option<String>,
    /// The query as it was sent, without the question mark; may be empty.
    pub query: String,
    /// The headers as they were sent.
    pub headers: HeaderMap,
}

impl Call {
    pub(crate) fn new(parts: &Parts) -> Self {
        let (bucket, key) = bucket_and_key(&parts.uri);
        let query = parts.uri.query().unwrap_or_default().to_owned();
        let place = (bucket.is_some(), key.is_some());
        let operation = classify(&parts.method, place, &query);
        let headers = parts.headers.clone();
        Self { operation, method: parts.method.clone(), bucket, key, query, headers }
    }

    /// The value of a query parameter, form-decoded; empty where it has none.
    pub fn parameter(&self, name: &str) -> Option<String> {
        parameters(&self.query).find(|(found, _)| *found == name).map(|(_, value)| {
            let spaced = value.replace('+', " ");
            percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
        })
    }

    /// The text of a header, if there is one.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

fn bucket_and_key(uri: &Uri) -> (Option<String>, Option<String>) {
    let path = percent_decode_str(uri.path()).decode_utf8_lossy();
    let (bucket, key) = match path.strip_prefix('/').unwrap_or(&path).split_once('/') {
        Some((bucket, key)) => (bucket, key),
        None => (path.strip_prefix('/').unwrap_or(&path), ""),
    };
    let present = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    (present(bucket), present(key))
}

fn parameters(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

fn classify(method: &Method, place: (bool, bool), query: &str) -> Operation {
    let has = |name: &str| parameters(query).any(|(found, _)| found == name);
    let multipart = has("uploadId") || has("uploads");
    match (method, place) {
        (_, (_, true)) if multipart => Operation::Multipart,
        (&Method::GET, (_, true)) => Operation::Get,
        (&Method::HEAD, (_, true)) => Operation::Head,
        (&Method::PUT, (_, true)) => Operation::Put,
        (&Method::DELETE, (_, true)) => Operation::Delete,
        (&Method::POST, (true, false)) if has("delete") => Operation::Delete,
        (&Method::GET, (true, false)) if !has("location") && !has("versioning") => Operation::List,
        _ => Operation::Bucket,
    }
}

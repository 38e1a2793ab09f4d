//! What was asked and answered: counters without end and a bounded log of the
//! latest requests. It never keeps signatures. Invariant: a request is counted
//! before it is served, and every change wakes the watchers.

use crate::call::{Call, Operation};
use http::{Method, StatusCode};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// One request of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedRequest {
    /// Counts from 0 in order of arrival.
    pub number: u64,
    /// What it does.
    pub operation: Operation,
    /// The HTTP method.
    pub method: Method,
    /// The bucket, if any.
    pub bucket: Option<String>,
    /// The key, if any, percent-decoded once.
    pub key: Option<String>,
    /// The query as it was sent, without the question mark.
    pub query: String,
    /// The Range header, such as `bytes=0-99`.
    pub range: Option<String>,
    /// The If-Match header, with its quotes.
    pub if_match: Option<String>,
    /// The reply's status; `None` before there is one.
    pub status: Option<StatusCode>,
}

/// Requests by operation, since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<Operation, u64>);

impl Counts {
    /// The number of requests of one operation.
    pub fn of(&self, operation: Operation) -> u64 {
        self.0.get(&operation).copied().unwrap_or_default()
    }

    /// The number of all requests.
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }
}

#[derive(Debug)]
pub(crate) struct Journal {
    capacity: usize,
    latest: Mutex<VecDeque<LoggedRequest>>,
    counts: watch::Sender<Counts>,
}

impl Journal {
    /// A log that keeps the latest `capacity` requests.
    pub(crate) fn new(capacity: usize) -> Self {
        let counts = watch::Sender::new(Counts::default());
        Self { capacity, latest: Mutex::new(VecDeque::new()), counts }
    }

    /// Logs an arrival; returns its number.
    pub(crate) fn arrived(&self, call: &Call) -> u64 {
        let mut latest = self.latest();
        let number = self.counts.borrow().total();
        if latest.len() == self.capacity {
            latest.pop_front();
        }
        latest.push_back(LoggedRequest::new(number, call));
        self.counts.send_modify(|counts| *counts.0.entry(call.operation).or_default() += 1);
        number
    }

    pub(crate) fn answered(&self, number: u64, status: StatusCode) {
        let mut latest = self.latest();
        let first = latest.front().map_or(number, |request| request.number);
        let at = number.checked_sub(first).and_then(|at| usize::try_from(at).ok());
        if let Some(request) = at.and_then(|at| latest.get_mut(at)) {
            request.status = Some(status);
        }
        self.counts.send_modify(|_| {});
    }

    pub(crate) fn requests(&self) -> Vec<LoggedRequest> {
        self.latest().iter().cloned().collect()
    }

    pub(crate) fn clear(&self) {
        self.latest().clear();
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Counts> {
        self.counts.subscribe()
    }

    fn latest(&self) -> MutexGuard<'_, VecDeque<LoggedRequest>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LoggedRequest {
    fn new(number: u64, call: &Call) -> Self {
        Self {
            number,
            operation: call.operation,
            method: call.method.clone(),
            bucket: call.bucket.clone(),
            key: call.key.clone(),
            query: without_signature(&call.query),
            range: call.header("range").map(str::to_owned),
            if_match: call.header("if-match").map(str::to_owned),
            status: None,
        }
    }
}

/// A presigned query's credentials and signature are left out.
fn without_signature(query: &str) -> String {
    let kept = |pair: &&str| !pair.to_ascii_lowercase().starts_with("x-amz-");
    query.split('&').filter(kept).collect::<Vec<_>>().join("&")
}

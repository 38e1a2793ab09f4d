//! When a request over HTTP is made again, and how long it waits before.
//!
//! The only place of this crate that decides it. What is retried is what
//! passes by itself: overload, broken connections, answers cut short. Tries
//! are bounded without progress: whoever receives bytes of a body begins to
//! count anew.

use std::sync::Arc;
use std::time::Duration;

use crate::options::StorageOptions;
use crate::s3::Fault;
use crate::traffic::Counters;

const PAUSE_MAX: Duration = Duration::from_secs(10);
/// The longest `Retry-After` that is obeyed.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(30);

/// How often, and how patiently.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    retry_count: u32,
    delay: Duration,
}

impl Policy {
    pub(crate) fn new(options: &StorageOptions) -> Self {
        Self { retry_count: options.retry_count, delay: options.retry_delay }
    }

    /// The upper bound of the pause after so many failures.
    fn ceiling(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(20);
        self.delay.saturating_mul(1 << doublings).min(PAUSE_MAX)
    }
}

/// The tries of one request, or of one body with its resumptions.
#[derive(Debug)]
pub(crate) struct Tries {
    policy: Policy,
    counters: Arc<Counters>,
    failures: u32,
}

impl Tries {
    pub(crate) fn new(policy: Policy, counters: Arc<Counters>) -> Self {
        Self { policy, counters, failures: 0 }
    }

    /// Bytes have come: what failed before counts no more.
    pub(crate) fn progressed(&mut self) {
        self.failures = 0;
    }

    /// Waits before another try; gives the fault back when it does not pass
    /// by itself or the tries are used up.
    pub(crate) async fn pause(&mut self, asked: &str, fault: Fault) -> Result<(), Fault> {
        if !is_transient(&fault) || self.failures >= self.policy.retry_count {
            return Err(fault);
        }
        self.failures += 1;
        Counters::add(&self.counters.retries, 1);
        let pause = self.pause_after(&fault);
        tracing::warn!(
            asked,
            %fault,
            retry = self.failures,
            of = self.policy.retry_count,
            pause_ms = pause.as_millis() as u64,
            "trying again"
        );
        tokio::time::sleep(pause).await;
        Ok(())
    }

    fn pause_after(&self, fault: &Fault) -> Duration {
        let jittered = self.policy.ceiling(self.failures).mul_f64(rand::random::<f64>());
        let asked_for = fault.retry_after().unwrap_or_default().min(RETRY_AFTER_MAX);
        jittered.max(asked_for)
    }
}

/// Whether the same request may succeed later without anybody's doing.
fn is_transient(fault: &Fault) -> bool {
    match fault {
        Fault::Connection { .. } | Fault::Answer(_) | Fault::Cut(_) => true,
        Fault::Status(answer) => {
            matches!(answer.status, 408 | 429 | 500 | 502 | 503 | 504)
                || matches!(
                    answer.code.as_str(),
                    "SlowDown"
                        | "RequestTimeout"
                        | "InternalError"
                        | "ServiceUnavailable"
                        | "RequestLimitExceeded"
                        | "Throttling"
                        | "ThrottlingException"
                        | "OperationAborted"
                )
        }
        Fault::Definite(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::s3::StatusFault;

    fn tries(retry_count: u32) -> Tries {
        let policy = Policy { retry_count, delay: Duration::ZERO };
        Tries::new(policy, Arc::default())
    }

    fn status(status: u16, code: &str) -> Fault {
        let code = code.to_owned();
        Fault::Status(Box::new(StatusFault { status, code, ..StatusFault::default() }))
    }

    #[test]
    fn only_what_passes_by_itself_is_transient() {
        for (code, name) in [
            (503, "SlowDown"),
            (500, ""),
            (502, ""),
            (504, ""),
            (429, ""),
            (408, ""),
            (400, "RequestTimeout"),
            (200, "InternalError"),
        ] {
            assert!(is_transient(&status(code, name)), "{code} {name}");
        }
        for (code, name) in [(403, "AccessDenied"), (404, "NoSuchKey"), (412, ""), (501, "")] {
            assert!(!is_transient(&status(code, name)), "{code} {name}");
        }
    }

    #[tokio::test]
    async fn tries_are_bounded_without_progress_and_counted() {
        let mut tries = tries(2);
        tries.pause("a", status(503, "")).await.unwrap();
        tries.progressed();
        tries.pause("a", status(503, "")).await.unwrap();
        tries.pause("a", status(503, "")).await.unwrap();
        tries.pause("a", status(503, "")).await.unwrap_err();
        assert_eq!(tries.counters.traffic().retries, 3);
    }

    #[test]
    fn pauses_grow_up_to_their_limit() {
        let policy = Policy { retry_count: 9, delay: Duration::from_millis(200) };
        let ceilings: Vec<u128> = [1, 2, 3, 9, 99].map(|n| policy.ceiling(n).as_millis()).into();
        assert_eq!(ceilings, [200, 400, 800, 10_000, 10_000]);
    }
}

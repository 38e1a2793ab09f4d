//! The only place that tries a load again.
//!
//! Requests to the object store are retried where they are made, byte by
//! byte; this is for transactions.

use std::time::Duration;

use decant_core::Error;
use rand::RngExt;

/// How often and how patiently a transaction is tried again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retry {
    attempt: u32,
}

const ATTEMPTS_MAX: u32 = 6;
const DELAY_FIRST: Duration = Duration::from_millis(200);
const DELAY_MAX: Duration = Duration::from_secs(10);

impl Retry {
    pub(crate) fn new() -> Self {
        Self { attempt: 1 }
    }

    /// Waits, if trying again after `error` makes sense; otherwise hands the
    /// error back.
    pub(crate) async fn pause(&mut self, error: Error) -> Result<(), Error> {
        if !error.is_retryable() || self.attempt >= ATTEMPTS_MAX {
            return Err(error);
        }
        let delay = (DELAY_FIRST * 2u32.pow(self.attempt - 1)).min(DELAY_MAX);
        let jittered = delay.mul_f64(rand::rng().random_range(0.5..1.0));
        tracing::warn!(attempt = self.attempt, error = %error.chain(), "trying the load again");
        self.attempt += 1;
        tokio::time::sleep(jittered).await;
        Ok(())
    }
}

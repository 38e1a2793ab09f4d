//! The only place that tries a load again.
//!
//! Requests to the object store are retried where they are made, byte by
//! byte; this is for transactions.

use std::time::Duration;

use decant_core::Error;
use rand::RngExt;

use crate::stop::Stop;

/// How often and how patiently a transaction is tried again.
#[derive(Clone, Debug)]
pub(crate) struct Retry {
    attempt: u32,
    attempts_max: u32,
    stop: Stop,
}

/// How often it is tried before anything else is.
pub(crate) const ATTEMPTS_MAX: u32 = 6;
const DELAY_FIRST: Duration = Duration::from_millis(200);
const DELAY_MAX: Duration = Duration::from_secs(10);

impl Retry {
    /// Nothing is tried again once `stop` is requested.
    pub(crate) fn until(stop: &Stop) -> Self {
        Self { attempt: 1, attempts_max: ATTEMPTS_MAX, stop: stop.clone() }
    }

    /// The same, with so many attempts in all.
    pub(crate) fn at_most(self, attempts_max: u32) -> Self {
        Self { attempts_max, ..self }
    }

    /// Waits, if trying again after `error` makes sense; otherwise hands the
    /// error back.
    pub(crate) async fn pause(&mut self, error: Error) -> Result<(), Error> {
        let is_over = self.attempt >= self.attempts_max || self.stop.is_requested();
        if !error.is_retryable() || is_over {
            return Err(error);
        }
        let delay = (DELAY_FIRST * 2u32.pow(self.attempt - 1)).min(DELAY_MAX);
        let jittered = delay.mul_f64(rand::rng().random_range(0.5..1.0));
        tracing::warn!(attempt = self.attempt, error = %error.chain(), "trying the load again");
        self.attempt += 1;
        let slept = self.stop.unless_requested(tokio::time::sleep(jittered)).await;
        slept.ok_or(error)
    }
}

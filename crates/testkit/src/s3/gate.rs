//! What a test opens to let held requests go on. Invariant: once open, it
//! stays open.

use std::future::Future;
use tokio::sync::watch;

/// Holds whoever waits for it until it is opened. Clones are the same gate.
#[derive(Clone, Debug)]
pub struct Gate(watch::Sender<bool>);

impl Gate {
    /// A closed gate.
    pub fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    /// Lets everybody through, from now on.
    pub fn open(&self) {
        self.0.send_replace(true);
    }

    /// Ready once the gate is open.
    pub fn opened(&self) -> impl Future<Output = ()> + Send + 'static {
        let gate = self.0.clone();
        async move {
            let _ = gate.subscribe().wait_for(|open| *open).await;
        }
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

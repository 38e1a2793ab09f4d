//! The wish to end early: what runs is finished or rolled back, nothing new
//! begins, and nobody waits for the network any longer.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

/// What is under way when somebody asks has so long to finish.
const GRACE: Duration = Duration::from_millis(500);

/// A flag that is raised once and seen by all its clones.
#[derive(Clone, Debug)]
pub struct Stop(Arc<watch::Sender<bool>>);

impl Stop {
    /// Asks everything to end.
    pub fn request(&self) {
        self.0.send_replace(true);
    }

    /// Whether somebody asked.
    pub fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// What comes of `work`, unless somebody asks first: then `work` is
    /// dropped where it is, and the answer is `None`.
    pub async fn unless_requested<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut flag = self.0.subscribe();
        tokio::select! {
            biased;
            _ = flag.wait_for(|requested| *requested) => None,
            ended = work => Some(ended),
        }
    }

    /// The same for what may be nearly done: it has a moment to finish.
    pub(crate) async fn soon_after_request<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut flag = self.0.subscribe();
        let late = async {
            // Who asks holds the flag as long as it is waited for.
            let _ = flag.wait_for(|requested| *requested).await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            biased;
            ended = work => Some(ended),
            () = late => None,
        }
    }
}

impl Default for Stop {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

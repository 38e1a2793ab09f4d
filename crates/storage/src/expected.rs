//! A listing that is begun before anybody asks for it, so that its first page
//! comes while something else is waited for.
//!
//! Invariant: who asks for the listing soon has the same pages and the same
//! error as if it began then; who asks late is given another one.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use decant_core::selection::Scan;
use decant_core::{Arrival, Error, ErrorKind, Receipt, Result, Trigger};
use tokio::task::JoinHandle;

/// After so long it is not what there is now any more.
const FRESH: Duration = Duration::from_secs(10);

/// A listing, and what its first page brought.
type Begun = (Box<dyn Trigger>, Result<Option<Vec<Arrival>>>);

/// A listing on its way. Dropped, it is given up.
pub(crate) struct Expected {
    scans: Vec<Scan>,
    since: Instant,
    begun: Option<JoinHandle<Begun>>,
    listing: Option<Box<dyn Trigger>>,
}

impl Expected {
    /// Begins the listing of these scans.
    pub(crate) fn begin(scans: Vec<Scan>, mut listing: Box<dyn Trigger>) -> Self {
        let begun = tokio::spawn(async move {
            loop {
                match listing.next().await {
                    Ok(Some(page)) if page.is_empty() => {}
                    page => return (listing, page),
                }
            }
        });
        Self { scans, since: Instant::now(), begun: Some(begun), listing: None }
    }

    /// Whether it is what these scans ask for at this moment.
    pub(crate) fn is_of(&self, scans: &[Scan], now: Instant) -> bool {
        self.scans == scans && now.duration_since(self.since) < FRESH
    }
}

#[async_trait]
impl Trigger for Expected {
    async fn next(&mut self) -> Result<Option<Vec<Arrival>>> {
        if let Some(begun) = &mut self.begun {
            let begun = begun.await;
            self.begun = None;
            let (listing, page) = begun.map_err(|error| {
                Error::new(ErrorKind::Internal, "a listing ended badly").caused_by(error)
            })?;
            self.listing = Some(listing);
            return page;
        }
        match &mut self.listing {
            Some(listing) => listing.next().await,
            None => Ok(None),
        }
    }

    async fn acknowledge(&mut self, receipt: &Receipt) -> Result<()> {
        match &mut self.listing {
            Some(listing) => listing.acknowledge(receipt).await,
            None => Ok(()),
        }
    }
}

impl Drop for Expected {
    fn drop(&mut self) {
        if let Some(begun) = &self.begun {
            begun.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    /// Pages of so many arrivals; `None` is an error.
    struct Pages(VecDeque<Option<usize>>);

    #[async_trait]
    impl Trigger for Pages {
        async fn next(&mut self) -> Result<Option<Vec<Arrival>>> {
            tokio::task::yield_now().await;
            match self.0.pop_front() {
                None => Ok(None),
                Some(None) => Err(Error::new(ErrorKind::AccessDenied, "no")),
                Some(Some(length)) => Ok(Some(vec![arrival(); length])),
            }
        }

        async fn acknowledge(&mut self, _receipt: &Receipt) -> Result<()> {
            Ok(())
        }
    }

    fn arrival() -> Arrival {
        let file = decant_core::FileVersion {
            source: "aws".into(),
            bucket: "b".into(),
            key: "k".into(),
            member: String::new(),
            etag: "e".into(),
            size: 1,
            version_id: None,
            last_modified: chrono::DateTime::UNIX_EPOCH,
        };
        Arrival { file, receipt: Receipt::None }
    }

    async fn pages(mut listing: impl Trigger) -> Vec<Result<usize, ErrorKind>> {
        let mut pages = Vec::new();
        loop {
            match listing.next().await {
                Ok(None) => return pages,
                Ok(Some(page)) if page.is_empty() => {}
                Ok(Some(page)) => pages.push(Ok(page.len())),
                Err(error) => pages.push(Err(error.kind())),
            }
        }
    }

    #[tokio::test]
    async fn pages_and_errors_are_those_of_the_listing() {
        for listed in [
            vec![],
            vec![Some(0)],
            vec![Some(0), Some(2), Some(0), Some(1)],
            vec![Some(3), None],
            vec![None],
        ] {
            let listing = || Pages(listed.clone().into());
            let expected = Expected::begin(Vec::new(), Box::new(listing()));
            assert_eq!(pages(expected).await, pages(listing()).await, "{listed:?}");
        }
    }

    #[test]
    fn only_the_same_scans_are_meant_and_soon() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let _inside = runtime.enter();
        let scans = vec![Scan::Prefix("a/".into())];
        let expected = Expected::begin(scans.clone(), Box::new(Pages(VecDeque::new())));
        let now = Instant::now();
        assert!(expected.is_of(&scans, now) && !expected.is_of(&[Scan::Key("a/".into())], now));
        assert!(!expected.is_of(&scans, now + FRESH), "it is too old");
    }
}

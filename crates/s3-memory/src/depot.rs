//! The store behind its lock, with the settings that operations read. No HTTP.
//! Invariant: whoever holds the lock holds it for one step.

use crate::store::Store;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

#[derive(Debug)]
pub(crate) struct Depot {
    pub(crate) region: String,
    page_size_max: AtomicUsize,
    store: RwLock<Store>,
}

impl Depot {
    pub(crate) fn new(region: String, page_size_max: usize) -> Self {
        let page_size_max = AtomicUsize::new(page_size_max);
        Self { region, page_size_max, store: RwLock::default() }
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Store> {
        self.store.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, Store> {
        self.store.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_page_size_max(&self, entries: usize) {
        self.page_size_max.store(entries, Ordering::Relaxed);
    }

    /// How many entries a page may hold of which `max_keys` were asked.
    pub(crate) fn page_limit(&self, max_keys: i32) -> usize {
        let asked = usize::try_from(max_keys).unwrap_or(0);
        // A page of none would never end a listing.
        asked.min(self.page_size_max.load(Ordering::Relaxed).max(1))
    }
}

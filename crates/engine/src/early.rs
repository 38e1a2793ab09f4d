//! Small files of a table that is still to be made are fetched from the listing
//! on: of a store that is far away, the first of them are there when the table
//! is.
//!
//! Their bytes are of the version that was listed, as everybody's are. Whoever
//! takes them has asked the ledger since, and makes sure that they come in no
//! other version's place.
//!
//! One task makes the requests, since who waits for a file must never wait for
//! one whose request waits in turn. Invariants: what is fetched early is
//! bounded by bytes, counted for each run of a stream and not given back; a
//! request that is under way waits for nobody; and what failed is forgotten, so
//! that it is asked for again when the file's turn comes.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use decant_core::{FileVersion, Result, Store};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::JoinHandle;

use crate::fetch_budget::FetchBudget;
use crate::input::whole;
use crate::stop::Stop;

/// What a file takes besides its bytes and its key.
const FILE_BYTES: u64 = 1 << 10;
/// Places that have its key.
const KEYS: u64 = 3;

/// How many bytes are fetched early.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// Of all files together.
    pub(crate) bytes: u64,
    /// Of a single one: what is larger is not read whole.
    pub(crate) of_a_file: u64,
}

/// Where files are offered. Dropped, no further request begins.
pub(crate) struct Offers {
    keys: mpsc::UnboundedSender<String>,
    early: Early,
    room: Room,
    fetching: JoinHandle<()>,
}

/// Files that are there or on their way. With the last clone, what is on its
/// way is given up.
#[derive(Clone, Default)]
pub(crate) struct Early(Arc<Mutex<HashMap<String, Offered>>>);

struct Offered {
    file: FileVersion,
    /// Once its turn has come.
    bytes: Option<JoinHandle<Result<Bytes>>>,
}

/// Fetches what is offered from `store`, in order, as long as there is `room`.
/// It makes requests as far as `budget` allows.
pub(crate) fn start(
    store: Arc<dyn Store>,
    budget: FetchBudget,
    room: Room,
    stop: Stop,
) -> (Offers, Early) {
    let (keys, offered) = mpsc::unbounded_channel();
    let early = Early::default();
    let fetcher = early.clone();
    let fetching = tokio::spawn(async move {
        stop.unless_requested(fetch_in_order(store, budget, offered, fetcher)).await;
    });
    (Offers { keys, early: early.clone(), room, fetching }, early)
}

impl Offers {
    /// Fetches the file early, if there is room for it.
    pub(crate) fn offer(&mut self, file: &FileVersion) {
        let around = FILE_BYTES + KEYS * file.key.len() as u64;
        let left = self.room.bytes.checked_sub(file.size.saturating_add(around));
        let Some(left) = left.filter(|_| file.size <= self.room.of_a_file) else { return };
        // A store might list a key twice.
        if let Entry::Vacant(place) = self.early.locked().entry(file.key.clone()) {
            place.insert(Offered { file: file.clone(), bytes: None });
            self.room.bytes = left;
            // It listens as long as this is there.
            let _ = self.keys.send(file.key.clone());
        }
    }
}

impl Drop for Offers {
    fn drop(&mut self) {
        self.fetching.abort();
    }
}

impl Early {
    /// The bytes of exactly this version, if they were fetched or are on their
    /// way. Afterwards nothing is known of the key.
    pub(crate) async fn take(&self, file: &FileVersion) -> Option<Bytes> {
        let mut offered = self.locked().remove(&file.key)?;
        if offered.file != *file || offered.file.version_id != file.version_id {
            return None;
        }
        offered.bytes.as_mut()?.await.ok()?.ok()
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<String, Offered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Offered {
    fn drop(&mut self) {
        self.bytes.iter().for_each(JoinHandle::abort);
    }
}

async fn fetch_in_order(
    store: Arc<dyn Store>,
    budget: FetchBudget,
    mut offered: mpsc::UnboundedReceiver<String>,
    early: Early,
) {
    while let Some(key) = offered.recv().await {
        if !early.locked().contains_key(&key) {
            continue;
        }
        let request = budget.request().await;
        let mut files = early.locked();
        // Who took it fetches it.
        let Some(offered) = files.get_mut(&key) else { continue };
        let fetching = fetch(Arc::clone(&store), offered.file.clone(), request);
        offered.bytes = Some(tokio::spawn(fetching));
    }
}

async fn fetch(
    store: Arc<dyn Store>,
    file: FileVersion,
    _request: Option<OwnedSemaphorePermit>,
) -> Result<Bytes> {
    whole(store.open(&file).await?.as_ref()).await
}

#[cfg(test)]
mod tests;

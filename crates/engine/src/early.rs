//! Small files that are fetched before their turn: while the listing goes on,
//! their table is made, or other groups are at work.
//!
//! It stands in front of the store. What is announced is fetched in the order
//! of the announcements, as far as there is room. Whoever opens such a file
//! has its bytes from here, waits for them if they are on their way, and
//! fetches them in everybody's place if nobody began to. They stay until the
//! file is let go, so that one that is looked at and then loaded is fetched
//! once.
//!
//! Not here: which files are worth it.
//!
//! Invariant: what waits here has bounds of its own, and a request that is
//! under way waits for nobody, so whoever waits for bytes is sure to have
//! them.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use async_trait::async_trait;
use bytes::Bytes;
use decant_core::content::ByteStream;
use decant_core::{Content, Error, ErrorKind, FileVersion, Result, Store};
use futures::{StreamExt, stream};
use tokio::sync::{OnceCell, mpsc};
use tokio::task::{JoinHandle, JoinSet};

use crate::fetch_budget::{FetchBudget, FetchShare};

/// Files that are announced at the same time at most.
const FILES_MAX: usize = 4096;

/// A store that has fetched some files already.
pub(crate) struct Early {
    store: Arc<dyn Store>,
    budget: FetchBudget,
    files: Mutex<HashMap<String, Arc<Announced>>>,
    fetching: OnceLock<Fetching>,
}

/// What fetches one file after the other. Dropped, what is under way is given
/// up.
struct Fetching {
    queue: mpsc::UnboundedSender<Weak<Announced>>,
    task: JoinHandle<()>,
}

/// A file that somebody will ask for.
struct Announced {
    file: FileVersion,
    bytes: OnceCell<Result<Bytes, Failure>>,
    place: Mutex<Place>,
}

/// Why it could not be fetched, until somebody was told.
type Failure = Mutex<Option<Error>>;

#[derive(Default)]
struct Place {
    /// What it takes of the budget.
    share: Option<FetchShare>,
    has_begun: bool,
    is_let_go: bool,
}

impl Early {
    /// Fetches from `store`, within `budget`.
    pub(crate) fn new(store: Arc<dyn Store>, budget: FetchBudget) -> Self {
        Self { store, budget, files: Mutex::default(), fetching: OnceLock::new() }
    }

    /// Fetches the file when its turn comes. What there is no room to remember
    /// is left to whoever opens it.
    pub(crate) fn announce(&self, file: &FileVersion) {
        let mut files = locked(&self.files);
        let is_known = files.get(&file.key).is_some_and(|known| known.is_of(file));
        if files.len() >= FILES_MAX || is_known {
            return;
        }
        let announced = Arc::new(Announced::new(file));
        let fetching = self.fetching.get_or_init(|| self.start());
        // It listens as long as this is there.
        let _ = fetching.queue.send(Arc::downgrade(&announced));
        files.insert(file.key.clone(), announced);
    }

    /// Whether its bytes are there or on their way, so that whoever asks for
    /// them makes no request.
    pub(crate) fn has_begun(&self, file: &FileVersion) -> bool {
        self.announced(file).is_some_and(|announced| locked(&announced.place).has_begun)
    }

    /// Forgets a file, and answers the place that its bytes take.
    pub(crate) fn let_go(&self, file: &FileVersion) -> Option<FetchShare> {
        let announced = self.announced(file)?;
        locked(&self.files).remove(&file.key);
        announced.let_go()
    }

    /// Forgets all files: nobody will ask for those that are left.
    pub(crate) fn let_all_go(&self) {
        for announced in std::mem::take(&mut *locked(&self.files)).into_values() {
            announced.let_go();
        }
    }

    fn announced(&self, file: &FileVersion) -> Option<Arc<Announced>> {
        let announced = locked(&self.files).get(&file.key).cloned()?;
        announced.is_of(file).then_some(announced)
    }

    fn start(&self) -> Fetching {
        let (queue, waiting) = mpsc::unbounded_channel();
        let (store, budget) = (Arc::clone(&self.store), self.budget.clone());
        Fetching { queue, task: tokio::spawn(fetch_in_order(store, budget, waiting)) }
    }
}

#[async_trait]
impl Store for Early {
    async fn open(&self, file: &FileVersion) -> Result<Box<dyn Content>> {
        match self.announced(file) {
            Some(announced) => {
                Ok(Box::new(EarlyContent { store: Arc::clone(&self.store), announced }))
            }
            None => self.store.open(file).await,
        }
    }
}

impl Drop for Fetching {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Fetches what is announced, each once there is room for it.
async fn fetch_in_order(
    store: Arc<dyn Store>,
    budget: FetchBudget,
    mut waiting: mpsc::UnboundedReceiver<Weak<Announced>>,
) {
    let mut fetches = JoinSet::new();
    while let Some(next) = waiting.recv().await {
        while fetches.try_join_next().is_some() {}
        let Some(size) = next.upgrade().map(|announced| announced.file.size) else { continue };
        let share = budget.share(size).await;
        let Some(announced) = next.upgrade() else { continue };
        if announced.begin(share) {
            let store = Arc::clone(&store);
            fetches.spawn(async move {
                announced.fetch(store.as_ref()).await;
            });
        }
    }
    while fetches.join_next().await.is_some() {}
}

impl Announced {
    fn new(file: &FileVersion) -> Self {
        Self { file: file.clone(), bytes: OnceCell::new(), place: Mutex::default() }
    }

    fn is_of(&self, file: &FileVersion) -> bool {
        self.file == *file && self.file.version_id == file.version_id
    }

    /// Gives it its place; whether nobody has begun to fetch it.
    fn begin(&self, mut share: FetchShare) -> bool {
        let mut place = locked(&self.place);
        if place.is_let_go {
            return false;
        }
        let is_first = !std::mem::replace(&mut place.has_begun, true);
        if !is_first {
            share.fetched();
        }
        place.share = Some(share);
        is_first
    }

    /// Nobody else will ask for it; answers its place.
    fn let_go(&self) -> Option<FetchShare> {
        let mut place = locked(&self.place);
        place.is_let_go = true;
        place.share.take()
    }

    /// Fetches it, or waits for who does.
    async fn fetch(&self, store: &dyn Store) -> &Result<Bytes, Failure> {
        locked(&self.place).has_begun = true;
        let fetched = self.bytes.get_or_init(|| async {
            let fetched = fetch_whole(store, &self.file).await;
            fetched.map_err(|error| Mutex::new(Some(error)))
        });
        let fetched = fetched.await;
        if let Some(share) = &mut locked(&self.place).share {
            share.fetched();
        }
        fetched
    }
}

async fn fetch_whole(store: &dyn Store, file: &FileVersion) -> Result<Bytes> {
    store.open(file).await?.range(0..file.size).await
}

/// The content of a file that was announced.
struct EarlyContent {
    store: Arc<dyn Store>,
    announced: Arc<Announced>,
}

impl EarlyContent {
    /// All bytes. A failure is told once; who asks again asks the store.
    async fn whole(&self) -> Result<Bytes> {
        let failure = match self.announced.fetch(self.store.as_ref()).await {
            Ok(bytes) => return Ok(bytes.clone()),
            Err(failure) => locked(failure).take(),
        };
        match failure {
            Some(error) => Err(error),
            None => fetch_whole(self.store.as_ref(), &self.announced.file).await,
        }
    }
}

#[async_trait]
impl Content for EarlyContent {
    async fn stream(&self, offset: u64) -> Result<ByteStream> {
        let rest = self.range(offset..self.announced.file.size).await?;
        Ok(stream::iter([Ok(rest)]).boxed())
    }

    async fn range(&self, range: Range<u64>) -> Result<Bytes> {
        let whole = self.whole().await?;
        let within = usize::try_from(range.start).ok().zip(usize::try_from(range.end).ok());
        let within = within.filter(|(start, end)| start <= end && *end <= whole.len());
        within.map(|(start, end)| whole.slice(start..end)).ok_or_else(|| {
            let message = format!("bytes {range:?} were asked of {} bytes", whole.len());
            Error::new(ErrorKind::Internal, message).in_file(self.announced.file.location())
        })
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;

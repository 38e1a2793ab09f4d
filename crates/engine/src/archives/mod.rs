//! Archives in a run: opened once, read member by member.
//!
//! [`Archives`] stands in front of the store, so that the rest of the engine
//! opens a member as it opens any file. An archive without ranges of its own
//! is unpacked once into temporary space; small ones are fetched whole.
//! Opened archives are kept while there is room, and opened again when
//! somebody still asks for one that was let go.
//!
//! Not here: what kinds of archives there are.
//!
//! Invariant: a member can be opened as long as somebody holds its
//! [`ArchiveFile`], and every byte of it comes from the archive's one version.

mod content;
mod opened;
mod row;
mod shares;
mod spool;
mod stored;
mod unfold;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use async_trait::async_trait;
use decant_core::stream::FormatOptions;
use decant_core::{Archive, Content, Error, ErrorKind, FileVersion, Result, Store};

use self::content::MemberContent;
use self::opened::Opened;
pub(crate) use self::shares::Shares;
pub(crate) use self::unfold::Unfolded;
use crate::services::ArchiveFor;

/// Opened archives that are kept at most.
const KEPT_MAX: usize = 32;
/// Bytes of temporary space that kept archives may take together.
const KEPT_BYTES_MAX: u64 = 16 << 30;
/// Members that kept archives may have together.
const KEPT_MEMBERS_MAX: usize = 1 << 20;

/// One version of an archive, opened when its members are asked for.
pub(crate) struct ArchiveFile {
    /// The archive itself: without a member.
    pub(crate) file: FileVersion,
    archive: Arc<dyn Archive>,
    opened: tokio::sync::Mutex<Weak<Opened>>,
}

/// What makes an archive's version: source, bucket, key, ETag.
type Version = (String, String, String, String);

/// A store that opens the members of archives too.
pub(crate) struct Archives {
    store: Arc<dyn Store>,
    archive_for: Arc<ArchiveFor>,
    known: Mutex<HashMap<Version, Weak<ArchiveFile>>>,
    kept: Mutex<VecDeque<Arc<Opened>>>,
}

impl Archives {
    pub(crate) fn new(store: Arc<dyn Store>, archive_for: Arc<ArchiveFor>) -> Self {
        Self { store, archive_for, known: Mutex::default(), kept: Mutex::default() }
    }

    /// Whether a file of this name is an archive.
    pub(crate) fn is_archive(&self, file: &FileVersion, options: &FormatOptions) -> Result<bool> {
        Ok(file.member.is_empty() && (self.archive_for)(file.name(), options)?.is_some())
    }

    /// The file as an archive, if its name promises one.
    pub(crate) fn archive(
        &self,
        file: &FileVersion,
        options: &FormatOptions,
    ) -> Result<Option<Arc<ArchiveFile>>> {
        let Some(archive) = (self.archive_for)(file.name(), options)? else { return Ok(None) };
        let mut known = locked(&self.known);
        let version = version_of(file);
        if let Some(there) = known.get(&version).and_then(Weak::upgrade) {
            return Ok(Some(there));
        }
        // What nobody holds any more goes when the map would grow.
        if known.len() == known.capacity() {
            known.retain(|_, archive| archive.strong_count() > 0);
        }
        let new = Arc::new(ArchiveFile {
            file: file.clone(),
            archive,
            opened: tokio::sync::Mutex::default(),
        });
        known.insert(version, Arc::downgrade(&new));
        Ok(Some(new))
    }

    /// The archive, opened: as it is, if somebody still has it.
    pub(crate) async fn opened(&self, archive: &ArchiveFile) -> Result<Arc<Opened>> {
        let mut place = archive.opened.lock().await;
        if let Some(opened) = place.upgrade() {
            return Ok(opened);
        }
        let content = self.store.open(&archive.file).await?;
        let size = archive.file.size;
        let opened = Arc::new(Opened::open(content, size, Arc::clone(&archive.archive)).await?);
        *place = Arc::downgrade(&opened);
        self.keep(&opened);
        Ok(opened)
    }

    /// Keeps an opened archive, and lets the oldest go when there are too
    /// many. Who reads one holds it besides.
    fn keep(&self, opened: &Arc<Opened>) {
        let mut kept = locked(&self.kept);
        kept.push_back(Arc::clone(opened));
        loop {
            let bytes: u64 = kept.iter().map(|opened| opened.kept_bytes()).sum();
            let members: usize = kept.iter().map(|opened| opened.members().len()).sum();
            let fits =
                kept.len() <= KEPT_MAX && bytes <= KEPT_BYTES_MAX && members <= KEPT_MEMBERS_MAX;
            if fits || kept.len() == 1 {
                return;
            }
            kept.pop_front();
        }
    }
}

#[async_trait]
impl Store for Archives {
    async fn open(&self, file: &FileVersion) -> Result<Box<dyn Content>> {
        if file.member.is_empty() {
            return self.store.open(file).await;
        }
        let archive = locked(&self.known).get(&version_of(file)).and_then(Weak::upgrade);
        let Some(archive) = archive else {
            return Err(Error::new(ErrorKind::Internal, "its archive is not open any more"));
        };
        let opened = self.opened(&archive).await?;
        match opened.position(&file.member) {
            Some(position) => Ok(Box::new(MemberContent::new(opened, position))),
            None => Err(Error::new(ErrorKind::NotFound, "the archive has no such member")),
        }
    }
}

fn version_of(file: &FileVersion) -> Version {
    (file.source.clone(), file.bucket.clone(), file.key.clone(), file.etag.clone())
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

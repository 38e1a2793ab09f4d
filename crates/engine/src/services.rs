//! What a run is given: the doors to the outside, and its bounds.

use std::sync::Arc;

use decant_core::format::SampleLimits;
use decant_core::selection::Scan;
use decant_core::stream::{FormatOptions, GroupLimits};
use decant_core::{Archive, Arrival, Destination, FileVersion, Format, Result, Store, Trigger};

use crate::observer::Observer;

/// Lists what a scan asks for.
pub type List = dyn Fn(Vec<Scan>) -> Box<dyn Trigger> + Send + Sync;
/// The format for a file of this name.
pub type FormatFor = dyn Fn(&str, &FormatOptions) -> Result<Arc<dyn Format>> + Send + Sync;
/// The archive that a file of this name promises to be; `None` for a plain
/// file.
pub type ArchiveFor =
    dyn Fn(&str, &FormatOptions) -> Result<Option<Arc<dyn Archive>>> + Send + Sync;

/// The doors to the outside.
#[derive(Clone)]
pub struct Services {
    /// Opens files.
    pub store: Arc<dyn Store>,
    /// Lists files.
    pub list: Arc<List>,
    /// Chooses formats.
    pub format: Arc<FormatFor>,
    /// Tells archives from plain files.
    pub archive: Arc<ArchiveFor>,
    /// Takes rows.
    pub destination: Arc<dyn Destination>,
    /// Is told how it goes.
    pub observer: Arc<dyn Observer>,
}

impl Services {
    /// What a file's key holds now, if anything. Of a member it says whether
    /// its archive is still the same.
    pub(crate) async fn present(&self, file: &FileVersion) -> Result<Option<Arrival>> {
        let mut listing = (self.list)(vec![Scan::Key(file.key.clone())]);
        let now = listing.next().await?.and_then(|page| page.into_iter().next());
        if file.member.is_empty() {
            return Ok(now);
        }
        let same = now.filter(|now| now.file.etag == file.etag);
        Ok(same.map(|now| Arrival { file: file.clone(), ..now }))
    }
}

/// The bounds of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Groups of files that are worked on at the same time.
    pub threads: usize,
    /// Small files that are fetched at the same time, over all groups.
    pub requests: usize,
    /// How files share transactions.
    pub group: GroupLimits,
    /// How much of a file is looked at to infer its types.
    pub sample: SampleLimits,
    /// Bytes of one file that may wait to be decoded, and as many that may
    /// wait to be written. Eight times as many are on their way where a large
    /// file is fetched in parts.
    pub ahead_bytes: u64,
    /// Bytes of a chunk, where files are committed in chunks.
    pub chunk_bytes: u64,
}

impl Settings {
    /// What waits between two stages where memory is not short.
    pub const AHEAD_BYTES: u64 = 2 << 20;
    /// Requests that hide the latency of most stores behind each other.
    pub const REQUESTS: usize = 128;
}

/// Bytes of a chunk unless somebody asks for others.
pub const CHUNK_BYTES: u64 = 256 << 20;

impl Default for Settings {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            threads,
            requests: Self::REQUESTS,
            group: GroupLimits::default(),
            sample: SampleLimits::default(),
            ahead_bytes: Self::AHEAD_BYTES,
            chunk_bytes: CHUNK_BYTES,
        }
    }
}

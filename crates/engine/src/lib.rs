//! The pipeline: from arrivals to commits.
//!
//! The engine knows doors only: what lists, opens, decodes and takes rows is
//! handed to it in [`Services`]. It never names a format, a database or a
//! store. Read [`Run::sync`] and then the private module `ingest`, and one
//! file's way has passed by from top to bottom.

mod archives;
mod arrivals;
mod conforming;
mod decisions;
mod decode;
mod discover;
mod early;
mod feeds;
mod fetch;
mod fetch_budget;
mod file_progress;
mod foreseen;
mod held;
mod ingest;
mod input;
mod interruptible;
mod likeness;
mod observer;
mod piece_input;
mod pipeline;
mod preview;
mod queue;
mod refusals;
mod replace;
mod replay;
mod report;
mod retry;
mod sampling;
mod services;
mod spellings;
mod stop;
mod tables;
mod widening;

pub use discover::{Discovered, DiscoveredColumn, DiscoveredFile};
pub use observer::{Event, NoObserver, Observer};
pub use pipeline::Run;
pub use preview::{FilePlan, FileVerdict, TablePlanned};
pub use replay::{
    DocumentFor, Edit, EditedRow, Edits, HeaderFor, Replay, ReplayDoors, StreamFor, Transcribed,
};
pub use report::{
    BytesReport, FilesReport, Repairs, ReportedError, RowsReport, RunReport, RunStatus, TableReport,
};
pub use services::{ArchiveFor, CHUNK_BYTES, FormatFor, List, Services, Settings};
pub use stop::Stop;

//! The columns of the ledger's tables, as data.

use LedgerType::*;
use Presence::{Optional, Required};

use crate::sql::dialect::LedgerType;

/// A column: its name, what it holds, whether it may be NULL.
pub(super) type LedgerColumn = (&'static str, LedgerType, Presence);

/// Whether a column of the ledger's tables may be NULL.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Required,
    Optional,
}

/// The ledger itself.
pub(super) const LEDGER_COLUMNS: &[LedgerColumn] = &[
    ("id", Id, Required),
    ("source", ByteOrdered, Required),
    ("bucket", ByteOrdered, Required),
    ("key", ByteOrdered, Required),
    ("member", ByteOrdered, Required),
    ("etag", ByteOrdered, Required),
    ("file_size_bytes", Integer, Required),
    ("last_modified", Moment, Required),
    ("target_table", ByteOrdered, Required),
    ("stream", Text, Required),
    ("status", Text, Required),
    ("processed_at", Moment, Required),
    ("processing_time", Seconds, Required),
    ("rows_copied", Integer, Required),
    ("rows_rejected", Integer, Required),
    ("rows_checksum", Integer, Optional),
    ("load_id", Text, Required),
    ("run_id", Text, Required),
    ("attempts", Integer, Required),
    ("error", Text, Optional),
    ("layout", Text, Optional),
];

/// Rows that could not be loaded.
pub(super) const REJECT_COLUMNS: &[LedgerColumn] = &[
    ("id", Serial, Required),
    ("file_id", Integer, Required),
    ("ordinal", Integer, Required),
    ("line", Integer, Optional),
    ("byte_offset", Integer, Optional),
    ("column_name", Text, Optional),
    ("reason", Text, Required),
    ("detail", Text, Required),
    ("raw", Bytes, Required),
    ("rejected_at", Moment, Required),
    ("settled_at", Moment, Optional),
];

/// The parts of files that were committed by themselves.
pub(super) const CHUNK_COLUMNS: &[LedgerColumn] = &[
    ("file_id", Integer, Required),
    ("first_byte", Integer, Required),
    ("last_byte", Integer, Required),
    ("chunk_bytes", Integer, Required),
    ("rows_read", Integer, Required),
    ("rows_copied", Integer, Required),
    ("rows_rejected", Integer, Required),
    ("rows_checksum", Integer, Required),
    ("processed_at", Moment, Required),
    ("load_id", Text, Required),
    ("run_id", Text, Required),
];

/// Facts about the ledger and the tables that decant created.
pub(super) const META_COLUMNS: &[LedgerColumn] =
    &[("name", Name, Required), ("value", Text, Required)];

/// The columns of a reject that are written and read, in this order.
pub(super) const REJECT_FIELDS: &[&str] =
    &["ordinal", "line", "byte_offset", "column_name", "reason", "detail", "raw"];

//! How a load takes its files in the ledger.
//!
//! Two statements, however many files, both in id order: first the rows that
//! are missing are inserted, which waits for whoever is inserting the same;
//! then all rows are locked, those of displaced files too, which waits for
//! whoever holds them. No load waits in the first step for one that is in the
//! second, so claims never deadlock. Each statement sees what was committed
//! while it waited (READ COMMITTED), so the loser of a race learns here that
//! the file is loaded.
//!
//! Versions of one key have rows of their own, so nobody waits for a load of
//! another version. A third statement looks for those that are loaded, and is
//! asked again before the commit, under a lock that lets one commit look at a
//! time: the second of two sees the first.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use decant_core::destination::{LoadFile, LoadMode, LoadPlan};
use decant_core::error::Result;
use decant_core::file::FileId;
use decant_core::ledger::Status;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::describe::get;
use super::ledger::{FileText, claimed, query, size_of};
use super::type_table::POSTGRES;
use crate::sql::ledger::{LedgerSql, member_start};

/// What the claims found.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    /// Files that somebody loaded, which this load leaves alone.
    pub(crate) already_loaded: Vec<FileId>,
    /// Files of which somebody loaded another version meanwhile.
    pub(crate) overtaken: Vec<FileId>,
    /// Files whose rows may be in the table and must go.
    pub(crate) to_delete: Vec<i64>,
    /// Files whose ledger rows become `superseded`.
    pub(crate) displaced: Vec<i64>,
    /// Files whose rows are locked, but for those already loaded or overtaken.
    pub(crate) taken: HashSet<FileId>,
    /// Files that were found `loading`, for the chunks of others to join.
    pub(crate) loading: HashSet<FileId>,
    /// The file that the load's chunk joins: its row is not locked.
    pub(crate) joining: Option<FileId>,
    /// Whether files may have chunks: their rows are older than this load.
    pub(crate) may_have_chunks: bool,
    /// The checksums that the ledger has for the files of a replay.
    pub(crate) checksums: HashMap<FileId, Option<i64>>,
}

impl Claims {
    /// Whether the load brings something of the file.
    pub(crate) fn has(&self, file: FileId) -> bool {
        self.taken.contains(&file) || self.joining == Some(file)
    }
}

/// Claims the files of `plan` in the open transaction.
pub(crate) async fn claim(client: &Client, sql: &LedgerSql, plan: &LoadPlan) -> Result<Claims> {
    let inserted = insert_missing(client, sql, plan).await?;
    let rows = lock(client, sql, plan).await?;
    let others = overtaken(client, sql, plan).await?;
    let mut claims = Claims::default();
    let mut locked = HashSet::new();
    for found in rows {
        locked.insert(found.id);
        let Some(file) = plan.files.iter().find(|file| file.id == found.id) else { continue };
        found.row.check_identity(file.id, &file.file, &plan.table.to_string())?;
        if found.row.is_loaded() && !file.again {
            claims.already_loaded.push(file.id);
            continue;
        }
        if others.contains(&file.id) {
            claims.overtaken.push(file.id);
            continue;
        }
        claims.taken.insert(file.id);
        claims.may_have_chunks |= !inserted.contains(&file.id);
        if found.row.status == Status::Loading.as_str() {
            claims.loading.insert(file.id);
        }
        let may_have_rows = found.row.is_loaded()
            || claims.loading.contains(&file.id)
            || inserted.contains(&file.id);
        if may_have_rows {
            claims.to_delete.push(file.id.0);
        }
    }
    claims.displaced = displaced(plan, &claims, &locked);
    claims.to_delete.extend(&claims.displaced);
    Ok(claims)
}

/// A ledger row under lock.
struct Locked {
    id: FileId,
    row: crate::sql::ledger::Claimed,
}

/// Inserts the rows that are missing and answers which those were. A file
/// that has none may still have rows in the table: deleting its ledger row is
/// the way to have it loaded again.
async fn insert_missing(
    client: &Client,
    sql: &LedgerSql,
    plan: &LoadPlan,
) -> Result<HashSet<FileId>> {
    let statement = format!(
        "INSERT INTO {} (id, source, bucket, key, member, etag, file_size_bytes, last_modified, \
         target_table, stream, status, processed_at, processing_time, rows_copied, rows_rejected, \
         load_id, run_id, attempts) \
         SELECT f.id, f.source, f.bucket, f.key, f.member, f.etag, f.size, f.last_modified, \
         $10, f.stream, 'failed', $11, interval '0', 0, 0, $12, $13, 0 \
         FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) \
         AS f (id, source, bucket, key, member, etag, size, last_modified, stream) \
         ORDER BY f.id ON CONFLICT (id) DO NOTHING RETURNING id",
        POSTGRES.quote_table(&sql.table())
    );
    let columns = Columns::of(&plan.files);
    let rows = query(
        client,
        &statement,
        &[
            (&columns.ids, Type::INT8_ARRAY),
            (&columns.sources, Type::TEXT_ARRAY),
            (&columns.buckets, Type::TEXT_ARRAY),
            (&columns.keys, Type::TEXT_ARRAY),
            (&columns.members, Type::TEXT_ARRAY),
            (&columns.etags, Type::TEXT_ARRAY),
            (&columns.sizes, Type::INT8_ARRAY),
            (&columns.last_modified, Type::TIMESTAMPTZ_ARRAY),
            (&columns.streams, Type::TEXT_ARRAY),
            (&plan.table.to_string(), Type::TEXT),
            (&Utc::now(), Type::TIMESTAMPTZ),
            (&plan.load_id, Type::TEXT),
            (&plan.run_id, Type::TEXT),
        ],
    )
    .await?;
    rows.iter().map(|row| Ok(FileId(get(row, 0)?))).collect()
}

/// Locks every ledger row that this load is going to change. A replace holds
/// the table's lock exclusively, and so all of its loaded files too.
async fn lock(client: &Client, sql: &LedgerSql, plan: &LoadPlan) -> Result<Vec<Locked>> {
    let statement = format!(
        "SELECT id, source, bucket, key, member, etag, file_size_bytes, target_table, status, \
         attempts FROM {} \
         WHERE id = ANY($1) OR ($2 AND target_table = $3 AND status IN ('loaded', 'loading')) \
         ORDER BY id FOR UPDATE",
        POSTGRES.quote_table(&sql.table())
    );
    let ids: BTreeSet<i64> = plan
        .files
        .iter()
        .flat_map(|file| std::iter::once(file.id.0).chain(file.displaces.iter().map(|id| id.0)))
        .collect();
    let ids: Vec<i64> = ids.into_iter().collect();
    let rows = query(
        client,
        &statement,
        &[
            (&ids, Type::INT8_ARRAY),
            (&(plan.mode == LoadMode::Replace), Type::BOOL),
            (&plan.table.to_string(), Type::TEXT),
        ],
    )
    .await?;
    rows.iter().map(|row| Ok(Locked { id: FileId(get(row, 0)?), row: claimed(row, 1)? })).collect()
}

/// The files of which another version is loaded that is to stay, by what is
/// committed now. What this load displaces is no longer loaded once it is
/// marked so.
pub(crate) async fn overtaken(
    client: &Client,
    sql: &LedgerSql,
    plan: &LoadPlan,
) -> Result<HashSet<FileId>> {
    let columns = Columns::of(plan.files.iter().filter(|file| file.only_version));
    if columns.ids.is_empty() || plan.mode != LoadMode::Append {
        return Ok(HashSet::new());
    }
    // A look for each file, by the ledger's index: a join is planned for
    // tables that have statistics, which a new ledger has not.
    let statement = format!(
        "SELECT f.id FROM unnest($1, $2, $3, $4, $5) AS f (id, source, bucket, key, member) \
         CROSS JOIN LATERAL (SELECT 1 FROM {} AS known WHERE known.source = f.source COLLATE \"C\" \
         AND known.bucket = f.bucket COLLATE \"C\" AND known.key = f.key COLLATE \"C\" \
         AND {} = {} COLLATE \"C\" AND known.member = f.member COLLATE \"C\" \
         AND known.target_table = $6 AND known.status = 'loaded' AND known.id <> f.id \
         AND known.id <> ALL($7) LIMIT 1) AS other",
        POSTGRES.quote_table(&sql.table()),
        member_start("known.member"),
        member_start("f.member"),
    );
    let displaces: Vec<i64> =
        plan.files.iter().flat_map(|file| file.displaces.iter().map(|id| id.0)).collect();
    let rows = query(
        client,
        &statement,
        &[
            (&columns.ids, Type::INT8_ARRAY),
            (&columns.sources, Type::TEXT_ARRAY),
            (&columns.buckets, Type::TEXT_ARRAY),
            (&columns.keys, Type::TEXT_ARRAY),
            (&columns.members, Type::TEXT_ARRAY),
            (&plan.table.to_string(), Type::TEXT),
            (&displaces, Type::INT8_ARRAY),
        ],
    )
    .await?;
    rows.iter().map(|row| Ok(FileId(get(row, 0)?))).collect()
}

/// The older versions that go: those under lock, since the rows of any other
/// may be somebody else's to delete.
fn displaced(plan: &LoadPlan, claims: &Claims, locked: &HashSet<FileId>) -> Vec<i64> {
    plan.files
        .iter()
        .filter(|file| claims.taken.contains(&file.id))
        .flat_map(|file| file.displaces.iter())
        .filter(|id| locked.contains(id))
        .map(|id| id.0)
        .collect()
}

/// Files column by column, as `unnest` takes them.
#[derive(Default)]
struct Columns<'a> {
    ids: Vec<i64>,
    sources: Vec<String>,
    buckets: Vec<String>,
    keys: Vec<String>,
    members: Vec<String>,
    etags: Vec<String>,
    sizes: Vec<i64>,
    last_modified: Vec<DateTime<Utc>>,
    streams: Vec<std::borrow::Cow<'a, str>>,
}

impl<'a> Columns<'a> {
    fn of(files: impl IntoIterator<Item = &'a LoadFile>) -> Self {
        let mut columns = Self::default();
        for LoadFile { id, file, stream, .. } in files {
            let text = FileText::of(file);
            columns.ids.push(id.0);
            columns.sources.push(text.source);
            columns.buckets.push(text.bucket);
            columns.keys.push(text.key);
            columns.members.push(text.member);
            columns.etags.push(text.etag);
            columns.sizes.push(size_of(file));
            columns.last_modified.push(file.last_modified);
            columns.streams.push(POSTGRES.store_text(stream));
        }
        columns
    }
}

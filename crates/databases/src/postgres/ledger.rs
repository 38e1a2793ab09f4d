//! The ledger's tables in Postgres.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use decant_core::error::{ErrorKind, Result};
use decant_core::file::{FileId, FileVersion};
use decant_core::ledger::{
    HistoryFilter, KeyRange, KnownFile, Ledger, LedgerEntry, LoadedChunk, RejectsFilter,
    Settlement, StoredReject,
};
use decant_core::reject::Reject;
use decant_core::schema::TableName;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use super::chunk;
use super::ddl::{create_schema, missing_schema};
use super::describe::{describe, get};
use super::error::explain;
use super::lock::Lock;
use super::pool::Pool;
use super::rejects;
use super::type_table::POSTGRES;
use crate::sql::ledger::{
    Claimed, LedgerSql, META_VERSION, SCHEMA_VERSION, meta_table, own_table, shared_name, status_of,
};

/// A parameter and its type: saves the round trip that asks for it.
pub(crate) type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// The ledger of one destination.
pub(crate) struct LedgerTables {
    pub(crate) sql: LedgerSql,
    pool: Arc<Pool>,
    /// Whether this process has seen that the tables are there and ours.
    ready: AtomicBool,
}

impl LedgerTables {
    pub(crate) fn new(sql: LedgerSql, pool: Arc<Pool>) -> Self {
        Self { sql, pool, ready: AtomicBool::new(false) }
    }

    /// Creates what is missing, and refuses tables that are not ours.
    pub(crate) async fn ensure(&self) -> Result<()> {
        if self.ready.load(Ordering::Acquire) {
            return Ok(());
        }
        let lease = self.pool.for_statements().await?;
        batch(&lease, &format!("BEGIN; {}", Lock::Ledger.exclusive())).await?;
        self.complete(&lease).await?;
        batch(&lease, "COMMIT").await?;
        lease.give_back();
        self.ready.store(true, Ordering::Release);
        Ok(())
    }

    /// The same in a transaction that is open and holds the ledger's lock.
    pub(crate) async fn complete(&self, client: &Client) -> Result<()> {
        if self.is_complete(client).await? { Ok(()) } else { self.create(client).await }
    }

    /// The tables may have been dropped: look again before the next write.
    pub(crate) fn doubt(&self) {
        self.ready.store(false, Ordering::Release);
    }

    /// Whether the catalogue says that decant created `table`.
    pub(crate) async fn created(&self, client: &Client, table: &TableName) -> Result<bool> {
        let fact = meta_table(table);
        let found = self.ask(client, &self.sql.read_meta(), &[(&fact, Type::TEXT)]).await?;
        Ok(!found.is_empty())
    }

    /// Refuses a table that is one of decant's own.
    pub(crate) async fn refuse_own(&self, client: &Client, table: &TableName) -> Result<()> {
        if !self.sql.is_own(&table.name) {
            return Ok(());
        }
        let ledger = describe(client, &self.sql.table()).await?.name;
        if ledger.schema == table.schema { Err(own_table(table)) } else { Ok(()) }
    }

    /// Whether all tables are there. Those that are must be ours.
    async fn is_complete(&self, client: &Client) -> Result<bool> {
        let mut complete = true;
        for table in self.sql.tables() {
            match describe(client, &table).await?.columns {
                None => complete = false,
                Some(columns) => {
                    let names: Vec<String> =
                        columns.into_iter().map(|column| column.name).collect();
                    self.sql.check_columns(&table, &names)?;
                }
            }
        }
        self.check_version(client).await?;
        Ok(complete)
    }

    async fn check_version(&self, client: &Client) -> Result<()> {
        if describe(client, &self.sql.meta()).await?.columns.is_none() {
            return Ok(());
        }
        let parameters: [Parameter<'_>; 1] = [(&META_VERSION, Type::TEXT)];
        match query(client, &self.sql.read_meta(), &parameters).await?.first() {
            Some(row) => self.sql.check_version(get(row, 0)?),
            None => Ok(()),
        }
    }

    async fn create(&self, client: &Client) -> Result<()> {
        if let Some(schema) = missing_schema(client, &self.sql.table()).await? {
            batch(client, &Lock::Schema(&schema).exclusive()).await?;
            batch(client, &create_schema(&schema)).await?;
        }
        let is_new = describe(client, &self.sql.table()).await?.columns.is_none();
        batch(client, &self.sql.create().join(";\n")).await?;
        let version = SCHEMA_VERSION.to_string();
        query(
            client,
            &self.sql.write_meta(),
            &[(&META_VERSION, Type::TEXT), (&version, Type::TEXT)],
        )
        .await?;
        if is_new {
            let epoch = self.sql.meta_epoch();
            query(client, &self.sql.write_epoch(), &[(&epoch, Type::TEXT)]).await?;
        }
        Ok(())
    }

    /// The rows of a query, none when the ledger does not exist.
    async fn ask(
        &self,
        client: &Client,
        statement: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>> {
        match query(client, statement, parameters).await {
            Err(error) if error.fact("sqlstate") == Some("42P01") => Ok(Vec::new()),
            Err(error) if error.fact("sqlstate") == Some("42703") => {
                // A column is missing: a table that is not ours says so better.
                self.is_complete(client).await?;
                Err(error)
            }
            answer => answer,
        }
    }

    async fn ask_once(&self, statement: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>> {
        let lease = self.pool.for_statements().await?;
        let rows = self.ask(&lease, statement, parameters).await?;
        lease.give_back();
        Ok(rows)
    }

    async fn settle_in(&self, client: &Client, settlement: &Settlement) -> Result<()> {
        let size = size_of(&settlement.file);
        let rejected = settlement.rejects.len() as i64;
        let text = FileText::of(&settlement.file);
        let stream = POSTGRES.store_text(&settlement.stream);
        let error = POSTGRES.store_text(&settlement.error);
        let of_loading: [Parameter<'_>; 5] = [
            (&Utc::now(), Type::TIMESTAMPTZ),
            (&settlement.processing_seconds, Type::FLOAT8),
            (&settlement.run_id, Type::TEXT),
            (&error, Type::TEXT),
            (&settlement.id.0, Type::INT8),
        ];
        if !query(client, &self.sql.settle_loading(), &of_loading).await?.is_empty() {
            return Ok(());
        }
        let answer = query(
            client,
            &self.sql.settle(),
            &[
                (&settlement.id.0, Type::INT8),
                (&text.source, Type::TEXT),
                (&text.bucket, Type::TEXT),
                (&text.key, Type::TEXT),
                (&text.member, Type::TEXT),
                (&text.etag, Type::TEXT),
                (&size, Type::INT8),
                (&settlement.file.last_modified, Type::TIMESTAMPTZ),
                (&settlement.target_table, Type::TEXT),
                (&stream, Type::TEXT),
                (&settlement.status.as_str(), Type::TEXT),
                (&Utc::now(), Type::TIMESTAMPTZ),
                (&settlement.processing_seconds, Type::FLOAT8),
                (&rejected, Type::INT8),
                (&settlement.run_id, Type::TEXT),
                (&error, Type::TEXT),
            ],
        )
        .await?;
        let Some(row) = answer.first() else { return Ok(()) };
        let claimed = claimed(row, 0)?;
        claimed.check_identity(settlement.id, &settlement.file, &settlement.target_table)?;
        let ids = [settlement.id.0];
        rejects::delete(client, &self.sql, &ids).await?;
        let rows: Vec<_> =
            settlement.rejects.iter().map(|reject| (settlement.id, reject.clone())).collect();
        rejects::insert(client, &self.sql, &rows).await
    }
}

#[async_trait]
impl Ledger for LedgerTables {
    async fn known(&self, range: &KeyRange) -> Result<Vec<KnownFile>> {
        let texts = [&range.source, &range.bucket, &range.first, &range.last]
            .map(|text| POSTGRES.store_text(text));
        let parameters: Vec<Parameter<'_>> =
            texts.iter().map(|text| (text as &(dyn ToSql + Sync), Type::TEXT)).collect();
        let rows = self.ask_once(&self.sql.known(), &parameters).await?;
        let mut known = Vec::with_capacity(rows.len());
        for row in &rows {
            known.push(known_file(row, known.last())?);
        }
        Ok(known)
    }

    async fn loaded(&self, table: &str) -> Result<Vec<FileId>> {
        let rows = self.ask_once(&self.sql.loaded(), &[(&table, Type::TEXT)]).await?;
        rows.iter().map(|row| Ok(FileId(get(row, 0)?))).collect()
    }

    async fn settle(&self, settlement: &Settlement) -> Result<()> {
        self.ensure().await?;
        let lease = self.pool.for_statements().await?;
        batch(&lease, "BEGIN").await?;
        if let Err(error) = self.settle_in(&lease, settlement).await {
            if error.kind() == ErrorKind::NotFound {
                self.doubt();
            }
            return Err(error);
        }
        batch(&lease, "COMMIT").await?;
        lease.give_back();
        Ok(())
    }

    async fn chunks(&self, file: FileId) -> Result<Vec<LoadedChunk>> {
        let rows = self.ask_once(&self.sql.chunks(), &[(&file.0, Type::INT8)]).await?;
        rows.iter().map(chunk::read).collect()
    }

    async fn rejects(&self, file: FileId) -> Result<Vec<Reject>> {
        let rows = self.ask_once(&self.sql.rejects(), &[(&file.0, Type::INT8)]).await?;
        rows.iter().map(|row| rejects::read(row, 0)).collect()
    }

    async fn stored_rejects(&self, filter: &RejectsFilter) -> Result<Vec<StoredReject>> {
        let (statement, texts) = self.sql.stored_rejects(filter);
        let texts: Vec<_> = texts.iter().map(|text| POSTGRES.store_text(text)).collect();
        let parameters: Vec<Parameter<'_>> =
            texts.iter().map(|text| (text as &(dyn ToSql + Sync), Type::TEXT)).collect();
        rejects::stored(&self.ask_once(&statement, &parameters).await?)
    }

    async fn history(&self, filter: &HistoryFilter) -> Result<Vec<LedgerEntry>> {
        let (statement, texts) = self.sql.history(filter);
        let parameters: Vec<Parameter<'_>> =
            texts.iter().map(|text| (text as &(dyn ToSql + Sync), Type::TEXT)).collect();
        let rows = self.ask_once(&statement, &parameters).await?;
        rows.iter().map(|row| entry(row, 0)).collect()
    }
}

/// A file's texts as Postgres can store them.
pub(crate) struct FileText {
    pub(crate) source: String,
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) member: String,
    pub(crate) etag: String,
}

impl FileText {
    pub(crate) fn of(file: &FileVersion) -> Self {
        let store = |text: &str| POSTGRES.store_text(text).into_owned();
        Self {
            source: store(&file.source),
            bucket: store(&file.bucket),
            key: store(&file.key),
            member: store(&file.member),
            etag: store(&file.etag),
        }
    }
}

/// The file's size as Postgres' integers have it.
pub(crate) fn size_of(file: &FileVersion) -> i64 {
    i64::try_from(file.size).unwrap_or(i64::MAX)
}

/// Runs a statement with parameters of known types.
pub(crate) async fn query(
    client: &Client,
    statement: &str,
    parameters: &[Parameter<'_>],
) -> Result<Vec<Row>> {
    client.query_typed(statement, parameters).await.map_err(|error| explain(&error))
}

async fn batch(client: &Client, statements: &str) -> Result<()> {
    client.batch_execute(statements).await.map_err(|error| explain(&error))
}

/// Reads [`Claimed`] from the columns from `first` on.
pub(crate) fn claimed(row: &Row, first: usize) -> Result<Claimed> {
    Ok(Claimed {
        source: text(row, first)?,
        bucket: text(row, first + 1)?,
        key: text(row, first + 2)?,
        member: text(row, first + 3)?,
        etag: text(row, first + 4)?,
        size: get(row, first + 5)?,
        target_table: get(row, first + 6)?,
        status: get(row, first + 7)?,
        attempts: get(row, first + 8)?,
    })
}

/// Reads a row of `LedgerSql::known`, which comes behind `before`.
fn known_file(row: &Row, before: Option<&KnownFile>) -> Result<KnownFile> {
    Ok(KnownFile {
        id: FileId(get(row, 0)?),
        key: text(row, 1)?,
        member: text(row, 2)?,
        etag: text(row, 3)?,
        size: count(row, 4)?,
        target_table: shared_name(before, get(row, 5)?),
        status: status_of(get(row, 6)?)?,
        attempts: u32::try_from(count(row, 7)?).unwrap_or(u32::MAX),
        error: get::<Option<String>>(row, 8)?.map(|error| POSTGRES.restore_text(error)),
        rows_checksum: get(row, 9)?,
    })
}

/// Reads a ledger row from the columns from `first` on.
pub(crate) fn entry(row: &Row, first: usize) -> Result<LedgerEntry> {
    let file = FileVersion {
        source: text(row, first + 1)?,
        bucket: text(row, first + 2)?,
        key: text(row, first + 3)?,
        member: text(row, first + 4)?,
        etag: text(row, first + 5)?,
        size: count(row, first + 6)?,
        version_id: None,
        last_modified: get::<DateTime<Utc>>(row, first + 7)?,
    };
    Ok(LedgerEntry {
        id: FileId(get(row, first)?),
        file,
        target_table: get(row, first + 8)?,
        stream: text(row, first + 9)?,
        status: status_of(get(row, first + 10)?)?,
        processed_at: get(row, first + 11)?,
        processing_seconds: get(row, first + 12)?,
        rows_copied: count(row, first + 13)?,
        rows_rejected: count(row, first + 14)?,
        rows_checksum: get(row, first + 15)?,
        load_id: get(row, first + 16)?,
        run_id: get(row, first + 17)?,
        attempts: u32::try_from(count(row, first + 18)?).unwrap_or(u32::MAX),
        error: get::<Option<String>>(row, first + 19)?.map(|error| POSTGRES.restore_text(error)),
        layout: get::<Option<String>>(row, first + 20)?.map(|layout| POSTGRES.restore_text(layout)),
    })
}

pub(crate) fn text(row: &Row, position: usize) -> Result<String> {
    Ok(POSTGRES.restore_text(get(row, position)?))
}

pub(crate) fn count(row: &Row, position: usize) -> Result<u64> {
    Ok(get::<i64>(row, position)?.max(0) as u64)
}

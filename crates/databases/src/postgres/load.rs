//! A load: one transaction on one connection, from the table's lock to COMMIT.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use decant_core::destination::{
    Begun, FileTotals, Load, LoadFile, LoadMode, LoadPlan, Outcome, Part, Writer,
};
use decant_core::error::{Error, ErrorKind, Result};
use decant_core::file::FileId;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::chunk;
use super::claim::{self, Claims};
use super::describe::{describe, get};
use super::error::{explain, is_connection_lost};
use super::ledger::{LedgerTables, query};
use super::lock::Lock;
use super::outcome::{Fate, Transaction};
use super::pool::{Lease, Pool};
use super::rejects;
use super::remove;
use super::replay;
use super::type_table::POSTGRES;
use super::write::{PostgresWriter, Slot, Target, take};
use crate::sql::ledger::ChunkEnd;

/// An open load.
struct PostgresLoad {
    slot: Slot,
    pool: Arc<Pool>,
    ledger: Arc<LedgerTables>,
    target: Arc<Target>,
    plan: LoadPlan,
    claims: Claims,
    transaction_id: i64,
}

/// How a transaction ended that nothing went wrong in.
enum Ending {
    Committed,
    /// Rolled back: somebody committed another version of one of its files.
    Overtaken,
    /// Rolled back: its chunk is in already.
    AlreadyLoaded,
}

/// Begins a load: everything up to the first row.
pub(crate) async fn begin(
    pool: &Arc<Pool>,
    ledger: &Arc<LedgerTables>,
    plan: LoadPlan,
) -> Result<Begun> {
    ledger.ensure().await?;
    let lease = pool.for_load().await?;
    let lock = match plan.mode {
        LoadMode::Append | LoadMode::Replay => Lock::Table(&plan.table).shared(),
        LoadMode::Replace => Lock::Table(&plan.table).exclusive(),
    };
    run(&lease, &format!("BEGIN ISOLATION LEVEL READ COMMITTED; {lock}")).await?;
    let described = describe(&lease, &plan.table).await?;
    if !described.is_as_planned(&plan.schema) {
        run(&lease, "ROLLBACK").await?;
        lease.give_back();
        return Ok(Begun::SchemaChanged);
    }
    let claimed = match (&plan.mode, plan.chunk()?) {
        (LoadMode::Replay, _) => replay::lock(&lease, &ledger.sql, &plan).await,
        (_, Some(of_file)) => chunk::claim_for(&lease, &ledger.sql, &plan, of_file).await,
        (_, None) => claim::claim(&lease, &ledger.sql, &plan).await,
    };
    let claims = claimed.inspect_err(|error| {
        if error.kind() == ErrorKind::NotFound {
            ledger.doubt();
        }
    })?;
    clear(&lease, ledger, &plan, &claims).await?;
    let row = query(&lease, "SELECT txid_current()", &[]).await?;
    let transaction_id = row.first().map_or(Ok(0), |row| get(row, 0))?;
    let (already_loaded, overtaken) = (claims.already_loaded.clone(), claims.overtaken.clone());
    let load = PostgresLoad {
        slot: Arc::new(Mutex::new(Some(lease))),
        pool: Arc::clone(pool),
        ledger: Arc::clone(ledger),
        target: Arc::new(Target {
            table: plan.table.clone(),
            encodings: described.encodings(),
            columns: described.schema().unwrap_or_default().columns,
        }),
        plan,
        claims,
        transaction_id,
    };
    Ok(Begun::Ready { load: Box::new(load), already_loaded, overtaken })
}

/// Deletes the rows and rejects that must go, and marks their files.
async fn clear(
    client: &Client,
    ledger: &LedgerTables,
    plan: &LoadPlan,
    claims: &Claims,
) -> Result<()> {
    match plan.mode {
        LoadMode::Replay => return Ok(()),
        LoadMode::Replace => empty_table(client, ledger, plan).await?,
        LoadMode::Append if plan.schema.has_file_id() => {
            remove::files(client, &plan.table, &claims.to_delete).await?;
        }
        LoadMode::Append => remove::check_nothing_displaced(&plan.table, &claims.displaced)?,
    }
    let mut files: Vec<i64> = claims.taken.iter().map(|file| file.0).collect();
    files.extend(&claims.displaced);
    if claims.may_have_chunks || !claims.displaced.is_empty() {
        chunk::delete(client, &ledger.sql, &files).await?;
    }
    rejects::delete(client, &ledger.sql, &files).await?;
    if claims.displaced.is_empty() {
        return Ok(());
    }
    supersede(client, ledger, plan, "id = ANY($4)", (&claims.displaced, Type::INT8_ARRAY)).await
}

/// Empties the table for those who look after the commit, and for nobody
/// before: views, grants, indexes and foreign keys stay.
async fn empty_table(client: &Client, ledger: &LedgerTables, plan: &LoadPlan) -> Result<()> {
    let table = plan.table.to_string();
    let statement = ledger.sql.delete_rejects_of_table();
    query(client, &statement, &[(&table, Type::TEXT)]).await?;
    let statement = ledger.sql.delete_chunks_of_table();
    query(client, &statement, &[(&table, Type::TEXT)]).await?;
    remove::all_rows(client, &plan.table).await?;
    let condition = "target_table = $4 AND status IN ('loaded', 'loading')";
    supersede(client, ledger, plan, condition, (&table, Type::TEXT)).await
}

async fn supersede(
    client: &Client,
    ledger: &LedgerTables,
    plan: &LoadPlan,
    condition: &str,
    parameter: super::ledger::Parameter<'_>,
) -> Result<()> {
    let statement = format!(
        "UPDATE {} SET status = 'superseded', processed_at = $1, load_id = $2, run_id = $3 \
         WHERE {condition}",
        POSTGRES.quote_table(&ledger.sql.table())
    );
    let now = (&Utc::now() as &(dyn tokio_postgres::types::ToSql + Sync), Type::TIMESTAMPTZ);
    let parameters = [now, (&plan.load_id, Type::TEXT), (&plan.run_id, Type::TEXT), parameter];
    query(client, &statement, &parameters).await?;
    Ok(())
}

impl PostgresLoad {
    /// Everything before COMMIT.
    async fn prepare(
        &self,
        client: &Client,
        parts: &[Part],
        totals: &[FileTotals],
    ) -> Result<Option<ChunkEnd>> {
        check_counts(parts, totals)?;
        let (sql, claims) = (&self.ledger.sql, &self.claims);
        if self.plan.mode == LoadMode::Replay {
            return replay::finish(client, sql, claims, totals).await.map(|()| None);
        }
        if let (Some(of_file), Some(total)) = (self.plan.chunk()?, totals.first()) {
            return chunk::finish(client, sql, &self.plan, claims, of_file, total).await.map(Some);
        }
        let settled = self.finish_rows(client, totals).await?;
        if settled != totals.len() {
            let message = format!("{} files were loaded, {settled} have ledger rows", totals.len());
            return Err(Error::new(ErrorKind::Internal, message));
        }
        self.drop_unused_claims(client, totals).await.map(|()| None)
    }

    /// Makes the files `loaded`; answers how many rows that changed.
    async fn finish_rows(&self, client: &Client, totals: &[FileTotals]) -> Result<usize> {
        let statement = format!(
            "UPDATE {} AS known SET status = 'loaded', error = NULL, attempts = attempts + 1, \
             processed_at = $1, load_id = $2, run_id = $3, \
             processing_time = make_interval(secs => f.seconds), rows_copied = f.loaded, \
             rows_rejected = f.rejected, rows_checksum = f.checksum, stream = f.stream, \
             last_modified = f.last_modified, layout = f.layout \
             FROM unnest($4, $5, $6, $7, $8, $9, $10, $11) \
             AS f (id, seconds, loaded, rejected, checksum, stream, last_modified, layout) \
             WHERE known.id = f.id RETURNING known.id",
            POSTGRES.quote_table(&self.ledger.sql.table())
        );
        let columns = Columns::of(totals, &self.plan.files);
        let rows = query(
            client,
            &statement,
            &[
                (&Utc::now(), Type::TIMESTAMPTZ),
                (&self.plan.load_id, Type::TEXT),
                (&self.plan.run_id, Type::TEXT),
                (&columns.ids, Type::INT8_ARRAY),
                (&columns.seconds, Type::FLOAT8_ARRAY),
                (&columns.loaded, Type::INT8_ARRAY),
                (&columns.rejected, Type::INT8_ARRAY),
                (&columns.checksums, Type::INT8_ARRAY),
                (&columns.streams, Type::TEXT_ARRAY),
                (&columns.last_modified, Type::TIMESTAMPTZ_ARRAY),
                (&columns.layouts, Type::TEXT_ARRAY),
            ],
        )
        .await?;
        Ok(rows.len())
    }

    /// Whether somebody committed another version of a file since the load
    /// began. Who looks holds the lock until the commit, so that no two look
    /// past each other.
    async fn is_overtaken(&self, client: &Client) -> Result<bool> {
        let asks = self.plan.files.iter().any(|file| file.only_version && self.claims.has(file.id));
        if !asks || self.plan.mode != LoadMode::Append {
            return Ok(false);
        }
        // What is checked late may wait for others: not while others wait for us.
        let lock = Lock::Commit(&self.plan.table).exclusive();
        run(client, &format!("SET CONSTRAINTS ALL IMMEDIATE; {lock}")).await?;
        let overtaken = claim::overtaken(client, &self.ledger.sql, &self.plan).await?;
        Ok(overtaken.iter().any(|file| self.claims.has(*file)))
    }

    /// A claim is only committed with the state that its file reached: the
    /// rows of files that brought nothing go again.
    async fn drop_unused_claims(&self, client: &Client, totals: &[FileTotals]) -> Result<()> {
        let unused: Vec<i64> = self
            .claims
            .taken
            .iter()
            .chain(&self.claims.overtaken)
            .filter(|file| !totals.iter().any(|total| total.id == **file))
            .map(|file| file.0)
            .collect();
        if unused.is_empty() {
            return Ok(());
        }
        let statement = format!(
            "DELETE FROM {} WHERE id = ANY($1) AND attempts = 0 AND load_id = $2",
            POSTGRES.quote_table(&self.ledger.sql.table())
        );
        let parameters = [
            (&unused as &(dyn tokio_postgres::types::ToSql + Sync), Type::INT8_ARRAY),
            (&self.plan.load_id, Type::TEXT),
        ];
        query(client, &statement, &parameters).await?;
        Ok(())
    }

    async fn commit_prepared(&self, lease: Lease, files: Vec<i64>) -> Result<()> {
        let Err(error) = lease.batch_execute("COMMIT").await else {
            lease.give_back();
            return Ok(());
        };
        drop(lease);
        let explained = remove::referred_to_still(explain(&error), &self.plan.table);
        if !is_connection_lost(&error) {
            return Err(explained);
        }
        let transaction =
            Transaction { id: self.transaction_id, load_id: self.plan.load_id.clone(), files };
        match transaction.fate(&self.pool, &self.ledger.sql).await {
            Fate::Committed => Ok(()),
            Fate::RolledBack => Err(explained),
            Fate::Unknown => Err(explained.with_hint(
                "it is not known whether the commit took place; the ledger will know: run again",
            )),
        }
    }

    async fn try_commit(&self, parts: &[Part], totals: &[FileTotals]) -> Result<Ending> {
        let lease = take(&self.slot).ok_or_else(|| {
            Error::new(ErrorKind::Internal, "a load was committed before its writer had finished")
        })?;
        let ending = match self.prepare(&lease, parts, totals).await? {
            Some(ChunkEnd::AlreadyLoaded) => Ending::AlreadyLoaded,
            Some(ChunkEnd::Overtaken) => Ending::Overtaken,
            _ if self.is_overtaken(&lease).await? => Ending::Overtaken,
            _ => Ending::Committed,
        };
        if !matches!(ending, Ending::Committed) {
            run(&lease, "ROLLBACK").await?;
            lease.give_back();
            return Ok(ending);
        }
        // A replay leaves no mark of its own in the ledger: the transaction's
        // state alone tells. So it does of a chunk, which is looked for in any
        // case when it is tried again.
        let is_told = self.plan.mode == LoadMode::Replay || self.plan.chunk()?.is_some();
        let marked = totals.iter().filter(|_| !is_told).map(|total| total.id.0);
        self.commit_prepared(lease, marked.collect()).await?;
        Ok(Ending::Committed)
    }
}

#[async_trait]
impl Load for PostgresLoad {
    async fn writer(&mut self) -> Result<Box<dyn Writer>> {
        Ok(Box::new(PostgresWriter::begin(&self.slot, &self.target, &self.ledger)?))
    }

    async fn commit(
        self: Box<Self>,
        parts: Vec<Part>,
        totals: Vec<FileTotals>,
    ) -> Result<Vec<Outcome>> {
        let (loaded, mine): (Vec<_>, Vec<_>) = totals
            .iter()
            .cloned()
            .partition(|total| self.claims.already_loaded.contains(&total.id));
        let result = self.try_commit(&parts, &mine).await;
        let outcome = |total: &FileTotals| match &result {
            _ if loaded.iter().any(|known| known.id == total.id) => Outcome::AlreadyLoaded,
            Ok(Ending::Committed) => Outcome::Committed,
            Ok(Ending::Overtaken) => Outcome::Overtaken,
            Ok(Ending::AlreadyLoaded) => Outcome::AlreadyLoaded,
            Err(error) => Outcome::Failed(again(error)),
        };
        Ok(totals.iter().map(outcome).collect())
    }

    async fn abort(self: Box<Self>) -> Result<()> {
        let Some(lease) = take(&self.slot) else { return Ok(()) };
        // A connection that is lost has rolled back already.
        if run(&lease, "ROLLBACK").await.is_ok() {
            lease.give_back();
        }
        Ok(())
    }
}

/// The database must have taken what the engine counted.
fn check_counts(parts: &[Part], totals: &[FileTotals]) -> Result<()> {
    let rows = totals.iter().map(|total| total.rows_loaded).sum::<u64>();
    let rejects = totals.iter().map(FileTotals::rejects_written).sum::<u64>();
    let taken_rows = parts.iter().map(|part| part.rows).sum::<u64>();
    let taken_rejects = parts.iter().map(|part| part.rejects).sum::<u64>();
    if (rows, rejects) == (taken_rows, taken_rejects) {
        return Ok(());
    }
    let message = format!(
        "{rows} rows and {rejects} rejects were counted, the database took {taken_rows} and \
         {taken_rejects}"
    );
    Err(Error::new(ErrorKind::Internal, message))
}

/// The same error, once more: one transaction fails for all of its files.
fn again(error: &Error) -> Error {
    let mut copy = Error::new(error.kind(), error.message());
    for (name, value) in error.context() {
        copy = copy.with(name, value.clone());
    }
    match error.hint() {
        Some(hint) => copy.with_hint(hint),
        None => copy,
    }
}

/// Totals column by column, as `unnest` takes them.
#[derive(Default)]
struct Columns<'a> {
    ids: Vec<i64>,
    seconds: Vec<f64>,
    loaded: Vec<i64>,
    rejected: Vec<i64>,
    checksums: Vec<i64>,
    streams: Vec<std::borrow::Cow<'a, str>>,
    last_modified: Vec<DateTime<Utc>>,
    layouts: Vec<Option<String>>,
}

impl<'a> Columns<'a> {
    /// Files that the plan does not name are left out, and missed later.
    fn of(totals: &[FileTotals], files: &'a [LoadFile]) -> Self {
        let files: HashMap<FileId, &LoadFile> = files.iter().map(|file| (file.id, file)).collect();
        let mut columns = Self::default();
        for total in totals {
            let Some(file) = files.get(&total.id) else { continue };
            columns.ids.push(total.id.0);
            columns.seconds.push(total.processing_seconds);
            columns.loaded.push(total.rows_loaded as i64);
            columns.rejected.push(total.rows_rejected as i64);
            columns.checksums.push(total.rows_checksum);
            columns.streams.push(POSTGRES.store_text(&file.stream));
            columns.last_modified.push(file.file.last_modified);
            let layout = total.layout.as_deref();
            columns.layouts.push(layout.map(|layout| POSTGRES.store_text(layout).into_owned()));
        }
        columns
    }
}

async fn run(client: &Client, statements: &str) -> Result<()> {
    client.batch_execute(statements).await.map_err(|error| explain(&error))
}

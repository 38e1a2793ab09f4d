//! A load: one write transaction from the claims to the ledger rows.
//!
//! SQLite has one writer at a time, so the transaction's lock is the table's
//! lock: what begin checked cannot change before the commit.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::Utc;
use decant_core::destination::{
    Begun, FileTotals, Load, LoadFile, LoadMode, LoadPlan, Outcome, Part, Writer,
};
use decant_core::error::{Error, ErrorKind, Result};
use decant_core::file::FileId;
use decant_core::schema::TableSchema;
use rusqlite::Connection;
use tokio::sync::Mutex;

use super::bind::TargetColumn;
use super::chunk;
use super::connect::{Held, blocking};
use super::describe;
use super::error::explain;
use super::late::{self, LateKeys};
use super::ledger::{self, Author, Finish, moment};
use super::rejects;
use super::remove;
use super::replay;
use super::silent;
use super::tolerate;
use super::transaction::Transaction;
use super::write::SqliteWriter;
use crate::sql::ledger::LedgerSql;

pub(super) type SharedSession = Arc<Mutex<Session>>;

/// What the writers and the commit of one load share.
pub(super) struct Session {
    transaction: Option<Transaction>,
    plan: LoadPlan,
    sql: Arc<LedgerSql>,
    claimed: BTreeMap<FileId, Counts>,
    already_loaded: Vec<FileId>,
    /// Files of which somebody loaded another version meanwhile.
    overtaken: Vec<FileId>,
    /// What the claim for a chunk found.
    found: Option<chunk::Found>,
    /// What the ledger has for the files of a replay.
    checksums: BTreeMap<FileId, Option<i64>>,
    /// Whether rows may be refused.
    tolerates: bool,
    /// Rows that may turn out to be refused once all are there.
    pub(super) late: LateKeys,
    traits: TableTraits,
}

/// What writing into the table depends on. The transaction's lock keeps it so.
#[derive(Clone, Copy, Debug)]
struct TableTraits {
    /// Whether constraints of the table would drop rows in silence.
    settles_conflicts: bool,
    has_triggers: bool,
    is_strict: bool,
}

impl TableTraits {
    fn read(connection: &Connection, table: &str) -> Result<Self> {
        Ok(Self {
            settles_conflicts: silent::settles_conflicts(connection, table)?,
            has_triggers: silent::has_triggers(connection, table)?,
            is_strict: describe::is_strict(connection, table)?,
        })
    }
}

/// Rows and rejects that SQLite took for one file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    rows: u64,
    rejects: u64,
}

/// Begins a load on a connection that is free.
pub(super) fn begin(held: Held, sql: Arc<LedgerSql>, plan: LoadPlan) -> Result<Begun> {
    let transaction = Transaction::begin(held)?;
    let connection = transaction.connection();
    ledger::ensure(connection, &sql)?;
    let found = describe::describe(connection, &sql, &plan.table)?.schema;
    if !found.is_some_and(|found| is_same(&found, &plan.schema)) {
        return Ok(Begun::SchemaChanged);
    }
    let (author, plan_table) = (author(&plan), plan.table.name.clone());
    let mut session = Session {
        transaction: None,
        plan,
        sql,
        claimed: BTreeMap::new(),
        already_loaded: Vec::new(),
        overtaken: Vec::new(),
        found: None,
        checksums: BTreeMap::new(),
        tolerates: false,
        late: LateKeys::default(),
        traits: TableTraits::read(connection, &plan_table)?,
    };
    if session.plan.mode == LoadMode::Replay {
        session.lock_replayed(connection)?;
    } else {
        session.claim(connection, &author)?;
        session.make_room(connection, &author)?;
    }
    session.transaction = Some(transaction);
    let (already_loaded, overtaken) = (session.already_loaded.clone(), session.overtaken.clone());
    let load = SqliteLoad { session: Arc::new(Mutex::new(session)) };
    Ok(Begun::Ready { load: Box::new(load), already_loaded, overtaken })
}

/// An open load.
struct SqliteLoad {
    session: SharedSession,
}

#[async_trait]
impl Load for SqliteLoad {
    async fn writer(&mut self) -> Result<Box<dyn Writer>> {
        Ok(Box::new(SqliteWriter::new(Arc::clone(&self.session))))
    }

    async fn commit(
        self: Box<Self>,
        parts: Vec<Part>,
        totals: Vec<FileTotals>,
    ) -> Result<Vec<Outcome>> {
        let mut session = Arc::clone(&self.session).lock_owned().await;
        blocking(move || session.commit(&parts, &totals)).await
    }

    async fn abort(self: Box<Self>) -> Result<()> {
        let mut session = Arc::clone(&self.session).lock_owned().await;
        blocking(move || {
            session.roll_back();
            Ok(())
        })
        .await
    }
}

impl Drop for SqliteLoad {
    /// Ends the transaction although a writer may still be alive.
    fn drop(&mut self) {
        if let Ok(mut session) = self.session.try_lock() {
            session.roll_back();
        }
    }
}

/// What the writers need.
impl Session {
    /// What the load is going to do.
    pub(super) fn plan(&self) -> &LoadPlan {
        &self.plan
    }

    /// The ledger's statements.
    pub(super) fn sql(&self) -> &LedgerSql {
        &self.sql
    }

    /// The connection that the transaction is open on.
    pub(super) fn connection(&self) -> Result<&Connection> {
        let open = self.transaction.as_ref().map(Transaction::connection);
        open.ok_or_else(|| Error::new(ErrorKind::Internal, "the load is over"))
    }

    /// Refuses a file that this load has not claimed.
    pub(super) fn check_claimed(&self, file: FileId) -> Result<()> {
        if self.claimed.contains_key(&file) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Internal, format!("the file {file} is not of this load")))
    }

    /// Rows of a file that SQLite took so far.
    pub(super) fn rows_of(&self, file: FileId) -> u64 {
        self.claimed.get(&file).map_or(0, |counts| counts.rows)
    }

    /// Counts rows that SQLite took.
    pub(super) fn count_rows(&mut self, file: FileId, rows: u64) {
        self.claimed.entry(file).or_default().rows += rows;
    }

    /// Lets foreign keys refuse rows one by one. Not where keys refer to this
    /// table: what was deleted before, and what comes later, may be referred
    /// to until the commit; and not when rows went in already.
    pub(super) fn check_foreign_keys_at_once(&mut self) -> Result<()> {
        let has_rows = self.claimed.values().any(|counts| counts.rows > 0);
        if std::mem::replace(&mut self.tolerates, true) || has_rows {
            return Ok(());
        }
        let connection = self.connection()?;
        let table = &self.plan.table;
        let is_referred_to = tolerate::is_referred_to(connection, table)?;
        let late = late::has_late_keys(connection, &table.name, is_referred_to)?;
        if late {
            self.late.watch();
        }
        let connection = self.connection()?;
        if is_referred_to {
            return Ok(());
        }
        connection.pragma_update(None, "defer_foreign_keys", false).map_err(explain)
    }

    /// The words that begin an insert. A constraint's own way of settling a
    /// conflict is overruled: a row that is dropped is refused, and said.
    pub(super) fn insert_words(&self) -> &'static str {
        if self.traits.settles_conflicts { "INSERT OR ABORT" } else { "INSERT" }
    }

    /// Whether rows may go in by the batch: triggers look at each row.
    pub(super) fn takes_batches(&self) -> bool {
        !self.traits.has_triggers
    }

    /// The column at `position` in the plan's schema, to be written to.
    pub(super) fn target_column(&self, position: usize) -> Result<TargetColumn> {
        let column = self.plan.schema.columns.get(position).ok_or_else(|| {
            let message = format!("the plan's schema has no column {position}");
            Error::new(ErrorKind::Internal, message)
        })?;
        TargetColumn::new(column, self.traits.is_strict)
    }

    /// Counts rejects that SQLite took.
    pub(super) fn count_rejects(&mut self, file: FileId, rejects: u64) {
        self.claimed.entry(file).or_default().rejects += rejects;
    }

    /// Ends the load and leaves nothing behind.
    pub(super) fn roll_back(&mut self) {
        self.transaction = None;
    }
}

/// What happens before the first row.
impl Session {
    /// Claims the files in id order, but for those that were overtaken. Under a
    /// replace each is loaded, whatever the ledger has of it: its rows go with
    /// the others.
    fn claim(&mut self, connection: &Connection, author: &Author) -> Result<()> {
        if self.plan.chunk()?.is_some() {
            return self.claim_chunk(connection, author);
        }
        let table = self.plan.table.to_string();
        let mut files: Vec<&LoadFile> = self.plan.files.iter().collect();
        files.sort_by_key(|file| file.id);
        for file in files {
            if self.plan.mode == LoadMode::Append && self.is_overtaken(connection, file, &table)? {
                self.overtaken.push(file.id);
                continue;
            }
            let (file_of, into) = ((file.id, &file.file), (table.as_str(), file.stream.as_str()));
            let row = ledger::claim(connection, &self.sql, author, file_of, into)?;
            if row.is_loaded() && !file.again && self.plan.mode == LoadMode::Append {
                self.already_loaded.push(file.id);
            } else {
                self.claimed.insert(file.id, Counts::default());
            }
        }
        Ok(())
    }

    fn claim_chunk(&mut self, connection: &Connection, author: &Author) -> Result<()> {
        let table = self.plan.table.to_string();
        let Some((file, chunk)) = self.plan.chunk()? else { return Ok(()) };
        let found = match self.is_overtaken(connection, file, &table)? {
            true => chunk::Found::Overtaken,
            false => chunk::claim_for(connection, &self.sql, author, (file, chunk), &table)?,
        };
        let id = file.id;
        match found {
            chunk::Found::AlreadyLoaded => self.already_loaded.push(id),
            chunk::Found::Overtaken => self.overtaken.push(id),
            chunk::Found::Opens | chunk::Found::Joins(_) => {
                self.claimed.insert(id, Counts::default());
            }
        }
        self.found = Some(found);
        Ok(())
    }

    /// Whether the ledger has another version of the file that is to stay. It
    /// cannot get one before the commit.
    fn is_overtaken(&self, connection: &Connection, file: &LoadFile, table: &str) -> Result<bool> {
        if !file.only_version {
            return Ok(false);
        }
        let loaded = ledger::loaded_versions(connection, &self.sql, &file.file, table)?;
        if loaded.contains(&file.id) && !file.again {
            return Ok(false);
        }
        Ok(loaded.iter().any(|id| *id != file.id && !file.displaces.contains(id)))
    }

    /// Deletes the rows and rejects that must go.
    fn make_room(&self, connection: &Connection, author: &Author) -> Result<()> {
        let ready = self.plan.files.iter().filter(|file| self.claimed.contains_key(&file.id));
        let displaced: Vec<FileId> =
            ready.flat_map(|file| file.displaces.iter().copied()).collect();
        for id in &displaced {
            ledger::supersede(connection, &self.sql, author, *id)?;
        }
        let joins = matches!(self.found, Some(chunk::Found::Joins(_)));
        let own = self.claimed.keys().copied().filter(|_| !joins);
        let going: Vec<FileId> = own.chain(displaced.clone()).collect();
        match self.plan.mode {
            LoadMode::Append | LoadMode::Replay => {
                remove::files(connection, &self.plan.table, &self.plan.schema, &going, &displaced)?;
            }
            LoadMode::Replace => {
                remove::all_rows(connection, &self.plan.table)?;
                let table = self.plan.table.to_string();
                ledger::supersede_table(connection, &self.sql, author, &table)?;
            }
        }
        chunk::delete(connection, &self.sql, &going)?;
        rejects::delete(connection, &self.sql, &going)
    }
}

/// The commit.
impl Session {
    fn commit(&mut self, parts: &[Part], totals: &[FileTotals]) -> Result<Vec<Outcome>> {
        let Some(transaction) = self.transaction.take() else {
            return Err(Error::new(ErrorKind::Internal, "the load is over"));
        };
        self.verify(parts, totals)?;
        self.verify_rows(transaction.connection())?;
        self.finish(transaction.connection(), totals)?;
        let committed = transaction.commit();
        committed.map_err(|error| match self.plan.mode {
            LoadMode::Replace => remove::referred_to(error, &self.plan.table),
            LoadMode::Append | LoadMode::Replay => error,
        })?;
        Ok(totals.iter().map(|total| self.outcome(total.id)).collect())
    }

    fn outcome(&self, file: FileId) -> Outcome {
        if self.already_loaded.contains(&file) {
            Outcome::AlreadyLoaded
        } else {
            Outcome::Committed
        }
    }

    /// Refuses to commit unless SQLite took what the engine counted, file by
    /// file, and every file that was claimed is accounted for.
    fn verify(&self, parts: &[Part], totals: &[FileTotals]) -> Result<()> {
        let mut taken = self.claimed.clone();
        let counted = totals.iter().filter(|total| !self.already_loaded.contains(&total.id));
        for total in counted {
            let took = taken.remove(&total.id).ok_or_else(|| {
                let message =
                    format!("the file {} is not of this load, or counted twice", total.id);
                Error::new(ErrorKind::Internal, message)
            })?;
            let sent = Counts { rows: total.rows_loaded, rejects: total.rejects_written() };
            check_counts(&format!("of file {}", total.id), sent, took)?;
        }
        if let Some(forgotten) = taken.keys().next() {
            let message = format!("the file {forgotten} was claimed and then forgotten");
            return Err(Error::new(ErrorKind::Internal, message));
        }
        let took = self.claimed.values().fold(Counts::default(), |sum, counts| Counts {
            rows: sum.rows + counts.rows,
            rejects: sum.rejects + counts.rejects,
        });
        let sent = Counts {
            rows: parts.iter().map(|part| part.rows).sum(),
            rejects: parts.iter().map(|part| part.rejects).sum(),
        };
        check_counts("of the parts", sent, took)
    }

    /// Refuses to commit where a trigger took rows away that went in.
    fn verify_rows(&self, connection: &Connection) -> Result<()> {
        let table = &self.plan.table;
        let can_tell = self.plan.schema.has_file_id() && self.plan.mode != LoadMode::Replay;
        if !can_tell || !self.traits.has_triggers {
            return Ok(());
        }
        let before = match self.found {
            Some(chunk::Found::Joins(rows)) => rows,
            _ => 0,
        };
        for (file, counts) in &self.claimed {
            let rows = silent::rows_of(connection, table, *file)?.saturating_sub(before);
            let found = Counts { rows, ..*counts };
            check_counts(&format!("of file {file}, with what triggers did"), *counts, found)?;
        }
        Ok(())
    }

    /// The files of a replay must be loaded; the transaction's lock keeps
    /// them so.
    fn lock_replayed(&mut self, connection: &Connection) -> Result<()> {
        let table = self.plan.table.to_string();
        for file in &self.plan.files {
            let checksum = replay::check(connection, &self.sql, file, &table)?;
            self.claimed.insert(file.id, Counts::default());
            self.checksums.insert(file.id, checksum);
        }
        Ok(())
    }

    fn finish(&self, connection: &Connection, totals: &[FileTotals]) -> Result<()> {
        if self.plan.mode == LoadMode::Replay {
            return totals.iter().try_for_each(|total| {
                let checksum = self.checksums.get(&total.id).copied().flatten();
                replay::finish(connection, &self.sql, total, checksum)
            });
        }
        let author = author(&self.plan);
        if let (Some(chunk), Some(total)) = (self.plan.chunk()?, totals.first()) {
            let opened = self.found == Some(chunk::Found::Opens);
            return chunk::finish(connection, &self.sql, &author, chunk, total, opened);
        }
        for total in totals.iter().filter(|total| self.claimed.contains_key(&total.id)) {
            let Some(file) = self.plan.files.iter().find(|file| file.id == total.id) else {
                continue;
            };
            let finish = Finish {
                id: total.id,
                file: &file.file,
                stream: &file.stream,
                rows_loaded: total.rows_loaded,
                rows_rejected: total.rows_rejected,
                rows_checksum: total.rows_checksum,
                seconds: total.processing_seconds,
                layout: total.layout.as_deref(),
            };
            ledger::finish(connection, &self.sql, &author, &finish)?;
        }
        Ok(())
    }
}

fn check_counts(what: &str, sent: Counts, took: Counts) -> Result<()> {
    if sent == took {
        return Ok(());
    }
    let message = format!(
        "SQLite took {} rows and {} rejects {what}, {} and {} were counted",
        took.rows, took.rejects, sent.rows, sent.rejects
    );
    Err(Error::new(ErrorKind::Internal, message)
        .with_hint("a trigger of the table may drop rows in silence"))
}

fn author(plan: &LoadPlan) -> Author {
    Author { now: moment(Utc::now()), load_id: plan.load_id.clone(), run_id: plan.run_id.clone() }
}

/// Whether the table is what the plan was made for: names and types. The
/// words of a declaration may differ, values do not feel them.
fn is_same(found: &TableSchema, planned: &TableSchema) -> bool {
    let column = |schema: &TableSchema| -> Vec<_> {
        schema.columns.iter().map(|column| (column.name.clone(), column.column_type)).collect()
    };
    column(found) == column(planned)
}

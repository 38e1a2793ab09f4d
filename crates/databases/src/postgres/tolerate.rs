//! Batches of which the database may refuse rows.
//!
//! A batch is copied behind a savepoint, and constraints that are deferred
//! are checked at its end. When a row is refused, everything back to the
//! savepoint is taken back and the batch is tried in parts: around the row
//! that Postgres named, else in halves, down to the rows at fault. Each bad
//! row costs a number of COPYs that grows with the logarithm of the batch at
//! most. Of rows that exclude each other the first one in the batch stays.

use std::ops::Range;

use arrow_array::RecordBatch;
use decant_core::destination::RefusedRow;
use decant_core::error::{Error, ErrorKind, Result};
use decant_core::file::FileId;
use decant_core::schema::TableName;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::copy::{Copy, CopyColumn};
use super::describe::get;
use super::error::explain;
use super::ledger::query;
use super::type_table::POSTGRES;

/// Where rows of one file go that may be refused.
pub(crate) struct Tolerant<'a> {
    pub(crate) client: &'a Client,
    pub(crate) table: &'a TableName,
    pub(crate) columns: Vec<CopyColumn>,
    pub(crate) file: FileId,
    /// The constraints that are looked at.
    pub(crate) constraints: &'a Constraints,
    /// Which rows are tried first.
    pub(crate) order: Order,
}

/// Which parts of a batch are tried first. Of rows that refer to each other
/// those that are referred to must come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Forwards,
    Backwards,
}

/// What is to be known of a table's constraints.
#[derive(Clone, Debug, Default)]
pub(crate) struct Constraints {
    /// The statement that checks the deferrable ones; empty where there are
    /// none. Those of other tables stay deferred: a replace has emptied what
    /// they refer to.
    pub(crate) check: String,
    /// Foreign keys from the table to itself.
    pub(crate) own_keys: Vec<String>,
}

/// The constraints of `table`.
pub(crate) async fn constraints_of(client: &Client, table: &TableName) -> Result<Constraints> {
    let rows = query(
        client,
        "SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.conname), \
         c.condeferrable, c.conname::text, c.contype = 'f' AND c.confrelid = c.conrelid \
         FROM pg_catalog.pg_constraint c \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.connamespace \
         WHERE c.conrelid = pg_catalog.to_regclass($1) ORDER BY 1",
        &[(&POSTGRES.quote_table(table), Type::TEXT)],
    )
    .await?;
    let (mut deferrable, mut constraints) = (Vec::new(), Constraints::default());
    for row in &rows {
        if get(row, 1)? {
            deferrable.push(get::<String>(row, 0)?);
        }
        if get(row, 3)? {
            constraints.own_keys.push(get(row, 2)?);
        }
    }
    if !deferrable.is_empty() {
        constraints.check = format!("SET CONSTRAINTS {} IMMEDIATE", deferrable.join(", "));
    }
    Ok(constraints)
}

impl Tolerant<'_> {
    /// Writes the rows that the database takes; answers how many those are,
    /// and the others.
    pub(crate) async fn write(&self, batch: &RecordBatch) -> Result<(u64, Vec<RefusedRow>)> {
        let mut written = 0;
        let mut refused = Vec::new();
        let mut waiting: Vec<Range<usize>> = Vec::new();
        waiting.push(0..batch.num_rows());
        while let Some(rows) = waiting.pop() {
            if rows.is_empty() {
                continue;
            }
            let slice = batch.slice(rows.start, rows.len());
            let Err(error) = self.attempt(&slice).await else {
                written += rows.len() as u64;
                continue;
            };
            if !is_of_a_row(&error) {
                return Err(error);
            }
            self.run("ROLLBACK TO SAVEPOINT decant_rows; RELEASE SAVEPOINT decant_rows").await?;
            if rows.len() == 1 {
                refused.push(refusal(rows.start, &error));
            } else {
                let mut parts = parts(rows, position(&error));
                if self.order == Order::Backwards {
                    parts.reverse();
                }
                waiting.extend(parts);
            }
        }
        refused.sort_by_key(|refused| refused.row);
        Ok((written, refused))
    }

    async fn attempt(&self, rows: &RecordBatch) -> Result<()> {
        self.run("SAVEPOINT decant_rows").await?;
        let mut copy = Copy::begin(self.client, self.table, self.columns.clone()).await?;
        copy.start_file(self.file, 0);
        copy.write(rows).await?;
        copy.finish().await?;
        if !self.constraints.check.is_empty() {
            self.run(&self.constraints.check).await?;
        }
        self.run("RELEASE SAVEPOINT decant_rows").await
    }

    async fn run(&self, statements: &str) -> Result<()> {
        self.client.batch_execute(statements).await.map_err(|error| explain(&error))
    }
}

/// The parts in which rows are tried again, the last first. The row at
/// `position` stands alone; without one there are two halves.
fn parts(rows: Range<usize>, position: Option<usize>) -> Vec<Range<usize>> {
    let position = position.map(|position| rows.start + position);
    let Some(bad) = position.filter(|bad| rows.contains(bad)) else {
        let middle = rows.start + rows.len() / 2;
        return vec![middle..rows.end, rows.start..middle];
    };
    let rest = bad + 1..rows.end;
    let middle = rest.start + rest.len() / 2;
    vec![middle..rest.end, rest.start..middle, bad..bad + 1, rows.start..bad]
}

/// Whether the row is to blame, and not the moment or the database.
fn is_of_a_row(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::RejectedRows => true,
        ErrorKind::MalformedFile => error.fact("batch_row").is_some(),
        // A value too large for an index, or nested too deeply.
        _ => matches!(error.fact("sqlstate"), Some("54000" | "54001")),
    }
}

/// Where in what was written the row stands, as far as it was said.
fn position(error: &Error) -> Option<usize> {
    let ours = error.fact("batch_row").and_then(|row| row.parse::<usize>().ok());
    let theirs = || error.fact("row")?.parse::<usize>().ok()?.checked_sub(1);
    ours.or_else(theirs)
}

fn refusal(row: usize, error: &Error) -> RefusedRow {
    let column = error.fact("column").map(str::to_owned);
    let not_null = || match (error.fact("sqlstate"), &column) {
        (Some("23502"), Some(column)) => Some(format!("NOT NULL ({column})")),
        _ => None,
    };
    let constraint = error.fact("constraint").map(str::to_owned).or_else(not_null);
    RefusedRow { row, constraint, column, detail: error.message().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ranges tried for a batch of `rows` with these bad ones.
    fn tries(rows: usize, bad: &[usize], is_named: bool) -> usize {
        let mut waiting = Vec::from([Range { start: 0, end: rows }]);
        let (mut tries, mut refused) = (0, Vec::new());
        while let Some(part) = waiting.pop() {
            if part.is_empty() {
                continue;
            }
            tries += 1;
            match bad.iter().find(|row| part.contains(row)) {
                None => {}
                Some(row) if part.len() == 1 => refused.push(*row),
                Some(row) => {
                    let position = is_named.then(|| row - part.start);
                    waiting.extend(parts(part, position));
                }
            }
        }
        assert_eq!(refused, bad, "each is found, in order");
        tries
    }

    #[test]
    fn bad_rows_are_found_in_few_tries() {
        let many: Vec<usize> = (0..8192).step_by(512).collect();
        for (bad, named_max, unnamed_max) in [
            (vec![], 1, 1),
            (vec![0], 4, 27),
            (vec![8191], 4, 27),
            (vec![4000], 5, 27),
            (many, 16 * 5, 16 * 2 * 13),
        ] {
            let named = tries(8192, &bad, true);
            assert!(named <= named_max, "{named} tries for {} rows", bad.len());
            let unnamed = tries(8192, &bad, false);
            assert!(unnamed <= unnamed_max, "{unnamed} tries for {} rows", bad.len());
        }
        let all: Vec<usize> = (0..64).collect();
        assert!(tries(64, &all, false) < 128);
        assert!(tries(64, &all, true) <= 128);
    }
}

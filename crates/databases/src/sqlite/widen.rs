//! Columns that get wider types: the table is built anew.
//!
//! SQLite cannot change a column's type, so the way of its manual is taken
//! (<https://www.sqlite.org/lang_altertable.html>, section 7): in one
//! transaction a new table is created from the old one's own text, the rows
//! are copied, the old table is dropped and its name given to the new one;
//! indexes and triggers are created again, and foreign keys checked. Views
//! and other tables refer to the name and notice nothing.

use decant_core::error::{Error, ErrorKind, Result};
use decant_core::schema::{Column, ColumnType, TableName};
use decant_core::widen::can_widen;
use rusqlite::{Connection, OptionalExtension as _};

use super::connect::Held;
use super::convert::Conversion;
use super::create_table::CreateTable;
use super::describe::{columns, find_table};
use super::error::explain;
use super::transaction::Transaction;
use super::type_table::SQLITE;

/// The names under which SQLite answers a row's number, unless a column has
/// them.
const ROW_NUMBERS: [&str; 3] = ["rowid", "_rowid_", "oid"];

/// Widens columns in a transaction of its own.
pub(super) fn apply(
    held: Held,
    table: &TableName,
    wanted: &[(String, ColumnType)],
) -> Result<Vec<String>> {
    let transaction = Transaction::begin_rebuild(held)?;
    let connection = transaction.connection();
    let Some(rebuild) = Rebuild::plan(connection, table, wanted)? else { return Ok(Vec::new()) };
    rebuild.run(connection).map_err(|error| rebuild.blocked(error))?;
    transaction.commit()?;
    Ok(rebuild.statements())
}

/// The statements by which the columns are widened; none when they are wide
/// enough.
pub(super) fn statements(
    connection: &Connection,
    table: &TableName,
    wanted: &[(String, ColumnType)],
) -> Result<Vec<String>> {
    let rebuild = Rebuild::plan(connection, table, wanted)?;
    Ok(rebuild.map(|rebuild| rebuild.statements()).unwrap_or_default())
}

/// How a table is built anew.
struct Rebuild {
    table: String,
    /// Its name until the old one is gone.
    interim: String,
    create: String,
    columns: Vec<Copied>,
    /// Indexes and triggers, in the order in which they were made.
    behind: Vec<String>,
    is_autoincrement: bool,
}

/// A column whose values are copied.
struct Copied {
    name: String,
    conversion: Conversion,
}

impl Rebuild {
    fn plan(
        connection: &Connection,
        table: &TableName,
        wanted: &[(String, ColumnType)],
    ) -> Result<Option<Self>> {
        let table = find_table(connection, &table.name)?.ok_or_else(|| missing(table))?;
        let known = columns(connection, &table)?;
        let wider = wider(&table, &known, wanted)?;
        if wider.is_empty() {
            return Ok(None);
        }
        let text = definition(connection, &table)?;
        let parsed = CreateTable::parse(&text).ok_or_else(|| unreadable(&table))?;
        let interim = format!("_decant_wider_{table}");
        let types: Vec<(String, String)> = wider
            .iter()
            .map(|(column, to, _)| (column.clone(), (SQLITE.column_type)(*to).into_owned()))
            .collect();
        let create =
            parsed.with(&SQLITE.quote(&interim), &types).ok_or_else(|| unreadable(&table))?;
        let mut copied = copied(&known, &wider);
        if let Some(number) = row_number(connection, &table, &known)? {
            copied.push(Copied { name: number.to_owned(), conversion: Conversion::Keep });
        }
        Ok(Some(Self {
            behind: behind(connection, &table)?,
            is_autoincrement: parsed.is_autoincrement(),
            columns: copied,
            create,
            interim,
            table,
        }))
    }

    fn run(&self, connection: &Connection) -> Result<()> {
        let violations = violations(connection, &self.table);
        let sequence = self.sequence(connection)?;
        execute(connection, &self.create)?;
        self.copy(connection)?;
        execute(connection, &self.drop_old())?;
        execute(connection, &self.rename())?;
        for statement in &self.behind {
            execute(connection, statement)?;
        }
        if let Some(sequence) = sequence {
            self.set_sequence(connection, sequence)?;
        }
        self.check(connection, violations)
    }

    /// Every row, through a conversion: SQLite's own would round doubles.
    fn copy(&self, connection: &Connection) -> Result<()> {
        let mut from = connection.prepare(&self.select()).map_err(explain)?;
        let mut into = connection.prepare(&self.insert()).map_err(explain)?;
        let mut rows = from.query([]).map_err(explain)?;
        while let Some(row) = rows.next().map_err(explain)? {
            for (position, column) in self.columns.iter().enumerate() {
                let value = row.get_ref(position).map_err(explain)?;
                let value = column.conversion.convert(value);
                let value = value.ok_or_else(|| self.lost(column))?;
                into.raw_bind_parameter(position + 1, value).map_err(explain)?;
            }
            into.raw_execute().map_err(explain)?;
        }
        Ok(())
    }

    fn names(&self) -> String {
        SQLITE.quote_list(self.columns.iter().map(|column| column.name.as_str()))
    }

    fn select(&self) -> String {
        format!("SELECT {} FROM {}", self.names(), SQLITE.quote(&self.table))
    }

    fn insert(&self) -> String {
        format!(
            "INSERT INTO {} ({}) VALUES ({})",
            SQLITE.quote(&self.interim),
            self.names(),
            SQLITE.parameters(1, self.columns.len())
        )
    }

    fn drop_old(&self) -> String {
        format!("DROP TABLE {}", SQLITE.quote(&self.table))
    }

    fn rename(&self) -> String {
        let [interim, table] = [&self.interim, &self.table].map(|name| SQLITE.quote(name));
        format!("ALTER TABLE {interim} RENAME TO {table}")
    }

    /// What a person would type.
    fn statements(&self) -> Vec<String> {
        let interim = SQLITE.quote(&self.interim);
        let mut statements = vec![
            self.create.clone(),
            format!("INSERT INTO {interim} ({}) {}", self.names(), self.select()),
            self.drop_old(),
            self.rename(),
        ];
        statements.extend(self.behind.iter().cloned());
        statements
    }

    /// The number that the table gave last, where it gives none twice.
    fn sequence(&self, connection: &Connection) -> Result<Option<i64>> {
        if !self.is_autoincrement {
            return Ok(None);
        }
        let query = "SELECT seq FROM sqlite_sequence WHERE name = ?1";
        connection.query_row(query, [&self.table], |row| row.get(0)).optional().map_err(explain)
    }

    fn set_sequence(&self, connection: &Connection, sequence: i64) -> Result<()> {
        for statement in [
            "DELETE FROM sqlite_sequence WHERE name = ?1 AND ?2 IS NOT NULL",
            "INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)",
        ] {
            connection
                .execute(statement, rusqlite::params![self.table, sequence])
                .map_err(explain)?;
        }
        Ok(())
    }

    fn check(&self, connection: &Connection, before: Option<i64>) -> Result<()> {
        let Some(before) = before else { return Ok(()) };
        if violations(connection, &self.table).is_some_and(|after| after <= before) {
            return Ok(());
        }
        let message = format!("a foreign key from or to `{}` would not hold any more", self.table);
        Err(Error::new(ErrorKind::SchemaMismatch, message))
    }

    fn lost(&self, column: &Copied) -> Error {
        let message = format!(
            "column `{}` of `{}` has an integer that a double does not hold",
            column.name, self.table
        );
        Error::new(ErrorKind::SchemaMismatch, message).with("column", &column.name)
    }

    /// What keeps the table from being changed is said with the statements;
    /// what may pass by itself is left as it is.
    fn blocked(&self, error: Error) -> Error {
        let is_of_the_moment =
            matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::AccessDenied);
        if is_of_the_moment || error.fact("column").is_some() {
            return error;
        }
        let message = format!("`{}` cannot be given wider columns", self.table);
        Error::new(ErrorKind::SchemaMismatch, message)
            .caused_by(error)
            .with_hint(format!("run it by hand: {}", self.statements().join("; ")))
    }
}

/// The columns that are not wide enough, with their new types and what
/// happens to their values.
fn wider(
    table: &str,
    known: &[Column],
    wanted: &[(String, ColumnType)],
) -> Result<Vec<(String, ColumnType, Conversion)>> {
    let mut wider = Vec::new();
    for (name, to) in wanted {
        let column = known.iter().find(|column| column.name.eq_ignore_ascii_case(name));
        let from = column.and_then(|column| column.column_type);
        match from {
            Some(from) if from == *to || to.fits_into(from) => {}
            Some(from) if can_widen(from, *to) => {
                wider.push((name.clone(), *to, Conversion::between(from, *to)));
            }
            _ => return Err(crate::sql::table::not_wider(table, name, from, *to)),
        }
    }
    Ok(wider)
}

fn copied(known: &[Column], wider: &[(String, ColumnType, Conversion)]) -> Vec<Copied> {
    // Columns without a type are generated: they are not written to.
    let written = known.iter().filter(|column| column.column_type.is_some());
    written
        .map(|column| {
            let found = wider.iter().find(|(name, ..)| name.eq_ignore_ascii_case(&column.name));
            let conversion = found.map_or(Conversion::Keep, |(.., conversion)| *conversion);
            Copied { name: column.name.clone(), conversion }
        })
        .collect()
}

/// The name under which the rows' numbers are copied, where there are any
/// that no column has.
fn row_number(
    connection: &Connection,
    table: &str,
    known: &[Column],
) -> Result<Option<&'static str>> {
    let query = "SELECT wr OR EXISTS (SELECT 1 FROM pragma_table_info(?1) \
                 WHERE pk > 0 AND type = 'INTEGER' COLLATE NOCASE) \
                 FROM pragma_table_list WHERE name = ?1 AND schema = 'main'";
    let has_none: Option<bool> =
        connection.query_row(query, [table], |row| row.get(0)).optional().map_err(explain)?;
    let is_free = |name: &&&str| !known.iter().any(|column| column.name.eq_ignore_ascii_case(name));
    let free = ROW_NUMBERS.iter().find(is_free).copied();
    Ok(free.filter(|_| has_none == Some(false)))
}

fn definition(connection: &Connection, table: &str) -> Result<String> {
    let query = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?1";
    connection.query_row(query, [table], |row| row.get(0)).map_err(explain)
}

fn behind(connection: &Connection, table: &str) -> Result<Vec<String>> {
    let query = "SELECT sql FROM sqlite_master WHERE tbl_name = ?1 COLLATE NOCASE \
                 AND type IN ('index', 'trigger') AND sql IS NOT NULL ORDER BY rowid";
    let mut statement = connection.prepare(query).map_err(explain)?;
    let rows = statement.query_map([table], |row| row.get(0)).map_err(explain)?;
    rows.collect::<rusqlite::Result<Vec<_>>>().map_err(explain)
}

/// Rows of the table, and of those that refer to it, whose foreign keys do
/// not hold; `None` where they cannot be checked.
fn violations(connection: &Connection, table: &str) -> Option<i64> {
    let query = "SELECT (SELECT count(*) FROM pragma_foreign_key_check(?1)) + \
                 (SELECT count(*) FROM sqlite_master AS child \
                  JOIN pragma_foreign_key_check(child.name) \
                  WHERE child.type = 'table' AND child.name <> ?1 COLLATE NOCASE \
                  AND EXISTS (SELECT 1 FROM pragma_foreign_key_list(child.name) AS key \
                              WHERE key.\"table\" = ?1 COLLATE NOCASE))";
    connection.query_row(query, [table], |row| row.get(0)).ok()
}

fn execute(connection: &Connection, statement: &str) -> Result<()> {
    connection.execute_batch(statement).map_err(explain)
}

fn missing(table: &TableName) -> Error {
    Error::new(ErrorKind::NotFound, format!("there is no table `{table}`"))
}

fn unreadable(table: &str) -> Error {
    let message = format!("the definition of `{table}` is not one that decant can change");
    Error::new(ErrorKind::SchemaMismatch, message)
        .with_hint("create a table with wider types yourself, or choose `types: frozen`")
}

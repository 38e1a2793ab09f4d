//! Columns that get wider types: one `ALTER TABLE` for all of them.

use decant_core::error::{Error, ErrorKind, Result};
use decant_core::schema::{ColumnType, TableName};
use decant_core::widen::can_widen;
use tokio_postgres::Client;

use super::describe::Described;
use super::ledger::query;
use super::type_table::POSTGRES;
use crate::sql::table::not_wider;

/// How values become text, whatever the session says: shortest doubles, ISO
/// dates, moments in UTC, bytes as hexadecimal digits.
pub(crate) const RENDERING: &str = "SET LOCAL extra_float_digits = 1; \
                                    SET LOCAL datestyle = 'ISO, YMD'; \
                                    SET LOCAL bytea_output = 'hex'; \
                                    SET LOCAL timezone = 'UTC'";

/// A column that is not wide enough.
struct Wider<'a> {
    name: &'a str,
    from: ColumnType,
    to: ColumnType,
}

/// The statement by which the columns are widened; none when they are wide
/// enough.
pub(crate) fn statements(
    described: &Described,
    wanted: &[(String, ColumnType)],
) -> Result<Vec<String>> {
    let wider = wider(described, wanted)?;
    if wider.is_empty() {
        return Ok(Vec::new());
    }
    let actions: Vec<String> = wider.iter().map(Wider::action).collect();
    let table = POSTGRES.quote_table(&described.name);
    Ok(vec![format!("ALTER TABLE {table}\n  {}", actions.join(",\n  "))])
}

/// Refuses to make doubles of integers that no double holds. The table is
/// locked first: what is found stays so.
pub(crate) async fn check(
    client: &Client,
    described: &Described,
    wanted: &[(String, ColumnType)],
) -> Result<()> {
    let table = POSTGRES.quote_table(&described.name);
    for column in wider(described, wanted)?.iter().filter(|column| column.counts_in_doubles()) {
        let name = POSTGRES.quote(column.name);
        query(client, &format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"), &[]).await?;
        let lost = format!(
            "SELECT 1 FROM {table} WHERE {name} NOT BETWEEN -9007199254740992 AND \
             9007199254740992 LIMIT 1"
        );
        if !query(client, &lost, &[]).await?.is_empty() {
            return Err(lost_integer(&described.name, column.name));
        }
    }
    Ok(())
}

/// What keeps the table from being changed, with its statement; what may pass
/// by itself keeps its kind.
pub(crate) fn blocked(error: Error, statement: &str) -> Error {
    use ErrorKind::{AccessDenied, Conflict, Internal, RejectedRows, SchemaMismatch, Unsupported};
    let hint = format!("run it by hand, without what is in its way: {statement}");
    match error.kind() {
        SchemaMismatch | RejectedRows | Conflict | Internal | Unsupported => {
            let mut blocked = Error::new(SchemaMismatch, error.message());
            // The fact `column` is for values that would not survive.
            for (name, value) in error.context().iter().filter(|(name, _)| *name != "column") {
                blocked = blocked.with(name, value.clone());
            }
            blocked.with_hint(hint)
        }
        AccessDenied => error.with_hint(format!("only the table's owner may: {statement}")),
        _ => error.with_hint(hint),
    }
}

fn wider<'a>(described: &Described, wanted: &'a [(String, ColumnType)]) -> Result<Vec<Wider<'a>>> {
    let schema = described.schema().unwrap_or_default();
    let mut wider = Vec::new();
    for (name, to) in wanted {
        let from = schema.position(name).and_then(|position| schema.columns[position].column_type);
        match from {
            Some(from) if from == *to || to.fits_into(from) => {}
            Some(from) if can_widen(from, *to) => wider.push(Wider { name, from, to: *to }),
            _ => return Err(not_wider(&described.name.to_string(), name, from, *to)),
        }
    }
    Ok(wider)
}

fn lost_integer(table: &TableName, column: &str) -> Error {
    let message =
        format!("column `{column}` of `{table}` has an integer that a double does not hold");
    Error::new(ErrorKind::SchemaMismatch, message).with("column", column)
}

impl Wider<'_> {
    fn action(&self) -> String {
        let name = POSTGRES.quote(self.name);
        let declared = (POSTGRES.column_type)(self.to);
        let value = match (self.from, self.to) {
            (ColumnType::TimestampTz, ColumnType::Text) => format!(
                "CASE WHEN isfinite({name}) THEN ({name} AT TIME ZONE 'UTC')::text || '+00:00' \
                 ELSE {name}::text END"
            ),
            (ColumnType::List(_), ColumnType::Json) => format!("to_jsonb({name})"),
            (ColumnType::List(_), ColumnType::Text) => format!("array_to_json({name})::text"),
            _ => format!("{name}::{declared}"),
        };
        format!("ALTER COLUMN {name} TYPE {declared} USING {value}")
    }

    fn counts_in_doubles(&self) -> bool {
        (self.from, self.to) == (ColumnType::Int64, ColumnType::Float64)
    }
}

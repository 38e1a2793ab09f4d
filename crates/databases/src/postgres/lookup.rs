//! Tables and schemas by the names that people give them: exactly, then
//! without case, then in snake case.
//!
//! Only looks: a name that nothing answers to stays as it is.

use decant_core::error::{Error, ErrorKind, Result};
use decant_core::names::snake_case;
use decant_core::schema::TableName;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::describe::{Described, describe, get};
use super::ledger::query;

/// Parameters: name, the same in snake case. Those without case come first.
const SCHEMAS: &str = "
SELECT nspname::text, lower(nspname) = lower($1) FROM pg_catalog.pg_namespace
WHERE lower(nspname) = lower($1) OR nspname = $2
ORDER BY nspname <> $1, 2 DESC, 1";

/// Parameters: schema or NULL, name, the same in snake case.
const TABLES: &str = "
SELECT c.relname::text, lower(c.relname) = lower($2), n.nspname::text
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm')
AND CASE WHEN $1 IS NULL
    THEN pg_catalog.pg_table_is_visible(c.oid)
         AND n.nspname = ANY(pg_catalog.current_schemas(false))
    ELSE n.nspname = $1 END
AND (lower(c.relname) = lower($2) OR c.relname = $3)
ORDER BY 2 DESC, 1";

/// A table as it is found, or where it would be created.
///
/// # Errors
///
/// `InvalidConfig` when two tables, or two schemas, are as near as each
/// other.
pub(crate) async fn find(client: &Client, table: &TableName) -> Result<Described> {
    let exact = describe(client, table).await?;
    if exact.columns.is_some() {
        return Ok(exact);
    }
    let schema = match &table.schema {
        Some(schema) => Some(schema_like(client, schema).await?),
        None => None,
    };
    let found = table_like(client, schema.as_deref(), &table.name).await?;
    let nearest = found.unwrap_or(TableName { schema, name: table.name.clone() });
    if nearest == *table { Ok(exact) } else { describe(client, &nearest).await }
}

/// The schema that the name means; the name itself where there is none.
async fn schema_like(client: &Client, name: &str) -> Result<String> {
    let snake = snake_case(name);
    let rows = query(client, SCHEMAS, &[(&name, Type::TEXT), (&snake, Type::TEXT)]).await?;
    let mut near = Vec::with_capacity(rows.len());
    for row in &rows {
        near.push((get::<String>(row, 0)?, get(row, 1)?));
    }
    if near.first().is_some_and(|(first, _)| first == name) {
        near.truncate(1);
    }
    Ok(nearest("schema", name, near)?.unwrap_or_else(|| name.to_owned()))
}

async fn table_like(
    client: &Client,
    schema: Option<&str>,
    name: &str,
) -> Result<Option<TableName>> {
    let snake = snake_case(name);
    let parameters = [
        (&schema as &(dyn tokio_postgres::types::ToSql + Sync), Type::TEXT),
        (&name, Type::TEXT),
        (&snake, Type::TEXT),
    ];
    let rows = query(client, TABLES, &parameters).await?;
    let mut near = Vec::with_capacity(rows.len());
    for row in &rows {
        let found = TableName { schema: Some(get(row, 2)?), name: get(row, 0)? };
        near.push((found, get(row, 1)?));
    }
    // An exact name of that schema, which only now is known.
    if let Some(exact) = near.iter().position(|(found, _)| found.name == name) {
        return Ok(Some(near.swap_remove(exact).0));
    }
    nearest("table", name, near)
}

/// The one of those that differ in case, else the one in snake case.
fn nearest<T: std::fmt::Display>(
    what: &str,
    name: &str,
    near: Vec<(T, bool)>,
) -> Result<Option<T>> {
    let (mut without_case, mut in_snake_case): (Vec<_>, Vec<_>) =
        near.into_iter().partition(|(_, is_without_case)| *is_without_case);
    if without_case.len() > 1 {
        let names: Vec<String> =
            without_case.iter().map(|(found, _)| format!("`{found}`")).collect();
        let message = format!("the {what} `{name}` may be {}", names.join(" or "));
        return Err(Error::new(ErrorKind::InvalidConfig, message)
            .with_hint(format!("name the {what} in its own case")));
    }
    Ok(without_case.pop().or_else(|| in_snake_case.pop()).map(|(found, _)| found))
}

//! What the catalogue knows of a table.

use decant_core::error::{Error, ErrorKind, Result};
use decant_core::schema::{TableName, TableSchema};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use super::error::explain;
use super::type_table::{CatalogueColumn, Encoding, POSTGRES};

/// Kinds of relations that rows are loaded into: tables, partitioned and
/// foreign ones. Not views: COPY takes those with an INSTEAD OF trigger alone,
/// and does not say when the trigger drops a row.
const LOADABLE_KINDS: &[&str] = &["r", "p", "f"];

/// Parameters: schema or NULL, name. One row a column; one row with NULLs for
/// a table without columns. Domains are followed to their base type, whose
/// modifier is the one that counts.
const DESCRIBE: &str = "
SELECT n.nspname::text, c.relkind::text, a.attname::text,
       pg_catalog.format_type(a.atttypid, a.atttypmod),
       base.name, base.kind, base.modifier,
       NOT a.attnotnull,
       a.attgenerated <> '' OR a.attidentity = 'a',
       base.element, pg_catalog.row_security_active(c.oid)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_attribute a
       ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN LATERAL (
    WITH RECURSIVE chain AS (
        SELECT t.typname, t.typtype, a.atttypmod AS modifier, t.typbasetype, t.typtypmod,
               t.typelem, t.typcategory
        FROM pg_catalog.pg_type t WHERE t.oid = a.atttypid
        UNION ALL
        SELECT t.typname, t.typtype, d.typtypmod, t.typbasetype, t.typtypmod,
               t.typelem, t.typcategory
        FROM chain d JOIN pg_catalog.pg_type t ON t.oid = d.typbasetype
        WHERE d.typtype = 'd'
    )
    SELECT typname::text AS name, typtype::text AS kind, modifier,
           CASE WHEN typcategory = 'A' THEN typelem ELSE 0::oid END AS element
    FROM chain WHERE typtype <> 'd'
) base ON true
WHERE c.oid = pg_catalog.to_regclass(
    CASE WHEN $1 IS NULL THEN pg_catalog.quote_ident($2)
         ELSE pg_catalog.quote_ident($1) || '.' || pg_catalog.quote_ident($2) END)
ORDER BY a.attnum";

/// A table as it is found, or where it would be created.
#[derive(Clone, Debug)]
pub(crate) struct Described {
    /// With its schema.
    pub(crate) name: TableName,
    /// `None` when there is no such table.
    pub(crate) columns: Option<Vec<CatalogueColumn>>,
    /// Whether policies decide which of its rows this role sees and writes.
    pub(crate) has_policies: bool,
}

impl Described {
    /// Refuses a table of which this role sees some rows only: COPY does not
    /// write to it, and a replace would leave the others.
    pub(crate) fn check_policies(&self) -> Result<()> {
        if !self.has_policies {
            return Ok(());
        }
        let message = format!("row-level security of `{}` applies to this role", self.name);
        Err(Error::new(ErrorKind::Unsupported, message)
            .with_hint("load as the table's owner, or as a role with BYPASSRLS"))
    }

    /// The columns in the house's words.
    pub(crate) fn schema(&self) -> Option<TableSchema> {
        let columns = self.columns.as_ref()?;
        Some(TableSchema { columns: columns.iter().map(CatalogueColumn::to_column).collect() })
    }

    /// How the values of each column are written.
    pub(crate) fn encodings(&self) -> Vec<Option<Encoding>> {
        self.columns.iter().flatten().map(CatalogueColumn::encoding).collect()
    }

    /// Whether the table is still what a plan was made for, by names and
    /// types.
    pub(crate) fn is_as_planned(&self, planned: &TableSchema) -> bool {
        let Some(found) = self.schema() else { return false };
        let same = found.columns.iter().zip(&planned.columns).all(|(found, planned)| {
            found.name == planned.name && found.column_type == planned.column_type
        });
        same && found.columns.len() == planned.columns.len()
    }
}

/// Looks up a table of exactly this name, through the search path when no
/// schema is named.
pub(crate) async fn describe(client: &Client, table: &TableName) -> Result<Described> {
    let parameters: [(&(dyn ToSql + Sync), Type); 2] =
        [(&table.schema, Type::TEXT), (&table.name, Type::TEXT)];
    let rows = client.query_typed(DESCRIBE, &parameters).await.map_err(|error| explain(&error))?;
    let Some(first) = rows.first() else {
        let name = qualify(client, table).await?;
        return Ok(Described { name, columns: None, has_policies: false });
    };
    let schema: String = get(first, 0)?;
    let name = TableName { schema: Some(schema), name: table.name.clone() };
    check_kind(&name, get(first, 1)?)?;
    let mut columns = Vec::with_capacity(rows.len());
    for row in &rows {
        columns.extend(column(row)?);
    }
    Ok(Described { name, columns: Some(columns), has_policies: get(first, 10)? })
}

fn column(row: &Row) -> Result<Option<CatalogueColumn>> {
    let Some(name) = get(row, 2)? else { return Ok(None) };
    Ok(Some(CatalogueColumn {
        name,
        declared: get(row, 3)?,
        base: get(row, 4)?,
        kind: get(row, 5)?,
        element_oid: get(row, 9)?,
        modifier: get(row, 6)?,
        nullable: get(row, 7)?,
        generated: get(row, 8)?,
    }))
}

/// Where a table would be created that does not exist.
/// How many rows are in the table; 0 where there is none.
pub(crate) async fn count_rows(client: &Client, table: &TableName) -> Result<u64> {
    let Described { name, columns, .. } = describe(client, table).await?;
    if columns.is_none() {
        return Ok(0);
    }
    let statement = format!("SELECT count(*) FROM {}", POSTGRES.quote_table(&name));
    let row = client.query_typed_one(&statement, &[]).await.map_err(|error| explain(&error))?;
    get::<i64>(&row, 0).map(i64::unsigned_abs)
}

async fn qualify(client: &Client, table: &TableName) -> Result<TableName> {
    if table.schema.is_some() {
        return Ok(table.clone());
    }
    let row = client
        .query_typed_one("SELECT pg_catalog.current_schema()::text", &[])
        .await
        .map_err(|error| explain(&error))?;
    let schema: Option<String> = get(&row, 0)?;
    match schema {
        Some(schema) => Ok(TableName { schema: Some(schema), name: table.name.clone() }),
        None => {
            let message = format!("no schema of the search path exists to look for `{table}`");
            Err(Error::new(ErrorKind::NotFound, message)
                .with_hint("name one, as in --table SCHEMA.TABLE, or set the role's search_path"))
        }
    }
}

fn check_kind(name: &TableName, kind: &str) -> Result<()> {
    if LOADABLE_KINDS.contains(&kind) {
        return Ok(());
    }
    let what = match kind {
        "v" => "a view",
        "m" => "a materialized view",
        "i" | "I" => "an index",
        "S" => "a sequence",
        "c" => "a composite type",
        _ => "not a table",
    };
    let message = format!("`{name}` is {what}; rows are loaded into tables");
    Err(Error::new(ErrorKind::Unsupported, message)
        .with_hint("name a table with --table: of a view, the one behind it"))
}

/// The value of a column of an answer of ours.
pub(crate) fn get<'a, T: tokio_postgres::types::FromSql<'a>>(
    row: &'a Row,
    position: usize,
) -> Result<T> {
    row.try_get(position).map_err(|error| {
        Error::new(ErrorKind::Internal, "an answer of Postgres has another type than expected")
            .caused_by(error)
    })
}

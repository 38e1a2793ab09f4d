//! The statements about target tables that all dialects write alike.

use decant_core::error::{Error, ErrorKind, Result};
use decant_core::schema::{Column, ColumnType, FILE_ID_COLUMN, TableName};

use super::dialect::Dialect;

/// Creates the table with these columns.
pub(crate) fn create(dialect: &Dialect, table: &TableName, columns: &[Column]) -> Result<String> {
    dialect.check_identifier(&table.name)?;
    let definitions = columns
        .iter()
        .map(|column| Ok(format!("  {}", definition(dialect, column)?)))
        .collect::<Result<Vec<_>>>()?;
    Ok(format!("CREATE TABLE {} (\n{}\n)", dialect.quote_table(table), definitions.join(",\n")))
}

/// Adds one column.
pub(crate) fn add_column(dialect: &Dialect, table: &TableName, column: &Column) -> Result<String> {
    let definition = definition(dialect, column)?;
    Ok(format!("ALTER TABLE {} ADD COLUMN {definition}", dialect.quote_table(table)))
}

/// Deletes the rows of `count` files, whose ids are the parameters.
pub(crate) fn delete_files(dialect: &Dialect, table: &TableName, count: usize) -> String {
    format!(
        "DELETE FROM {} WHERE {} IN ({})",
        dialect.quote_table(table),
        dialect.quote(FILE_ID_COLUMN),
        dialect.parameters(1, count)
    )
}

/// Finds a row of `count` files, whose ids are the parameters.
pub(crate) fn has_rows_of_files(dialect: &Dialect, table: &TableName, count: usize) -> String {
    format!(
        "SELECT 1 FROM {} WHERE {} IN ({}) LIMIT 1",
        dialect.quote_table(table),
        dialect.quote(FILE_ID_COLUMN),
        dialect.parameters(1, count)
    )
}

/// A column cannot become `to`.
pub(crate) fn not_wider(
    table: &str,
    column: &str,
    from: Option<ColumnType>,
    to: ColumnType,
) -> Error {
    let from = from.map_or_else(|| "not there to widen".to_owned(), |from| from.to_string());
    let message =
        format!("column `{column}` of `{table}` is {from}, which does not all fit into {to}");
    Error::new(ErrorKind::SchemaMismatch, message).with("column", column)
}

fn definition(dialect: &Dialect, column: &Column) -> Result<String> {
    dialect.check_identifier(&column.name)?;
    let column_type = column.column_type.ok_or_else(|| {
        let message = format!("column `{}` has no type to create it with", column.name);
        Error::new(ErrorKind::Internal, message)
    })?;
    let constraint = if column.nullable { "" } else { " NOT NULL" };
    Ok(format!(
        "{} {}{constraint}",
        dialect.quote(&column.name),
        (dialect.column_type)(column_type)
    ))
}

#[cfg(test)]
mod tests {
    use super::super::dialect::tests::PLAIN;
    use super::*;

    #[test]
    fn tables_are_created_with_quoted_names() {
        let columns = [Column::new("a \"b\"", ColumnType::Int64)];
        let statement = create(&PLAIN, &TableName::parse("s.t"), &columns).unwrap();
        assert_eq!(statement, "CREATE TABLE \"s\".\"t\" (\n  \"a \"\"b\"\"\" int64\n)");
        let statement = add_column(&PLAIN, &TableName::parse("t"), &columns[0]).unwrap();
        assert_eq!(statement, "ALTER TABLE \"t\" ADD COLUMN \"a \"\"b\"\"\" int64");
    }

    #[test]
    fn rows_are_deleted_by_file() {
        let statement = delete_files(&PLAIN, &TableName::parse("t"), 2);
        assert_eq!(statement, "DELETE FROM \"t\" WHERE \"_file_id\" IN ($1, $2)");
    }
}

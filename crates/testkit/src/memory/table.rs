//! Tables: columns, and rows as the batches that brought them.

use std::sync::Arc;

use arrow_array::{Array as _, RecordBatch};
use decant_core::destination::TableChange;
use decant_core::error::{Error, ErrorKind, Result};
use decant_core::file::FileId;
use decant_core::schema::{Column, ColumnType, TableName, TableSchema};
use decant_core::widen::can_widen;

use super::Contents;
use crate::batches::{render, wider};

/// A table.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub(super) created_by_decant: bool,
    columns: Vec<(Column, Option<String>)>,
    chunks: Vec<Chunk>,
}

/// Rows of one file that came together. Its columns have the table's names.
#[derive(Clone, Debug)]
pub(super) struct Chunk {
    pub(super) file: FileId,
    pub(super) rows: RecordBatch,
}

impl Table {
    pub(super) fn of_others(columns: &[(Column, Option<&str>)]) -> Self {
        let columns = columns
            .iter()
            .map(|(column, default)| (declared(column), default.map(str::to_owned)))
            .collect();
        Self { columns, ..Self::default() }
    }

    fn created(columns: &[Column]) -> Self {
        let columns = columns.iter().map(|column| (declared(column), None)).collect();
        Self { created_by_decant: true, columns, chunks: Vec::new() }
    }

    pub(super) fn schema(&self) -> TableSchema {
        TableSchema { columns: self.columns.iter().map(|(column, _)| column.clone()).collect() }
    }

    pub(super) fn drop_column(&mut self, name: &str) {
        self.columns.retain(|(column, _)| column.name != name);
    }

    pub(super) fn add_column(&mut self, column: &Column) {
        if !self.columns.iter().any(|(known, _)| known.name == column.name) {
            self.columns.push((declared(column), None));
        }
    }

    /// Gives columns wider types, or changes nothing.
    fn widen(&mut self, wanted: &[(String, ColumnType)]) -> Result<()> {
        let mut changed = self.clone();
        for (name, to) in wanted {
            changed.widen_column(name, *to)?;
        }
        *self = changed;
        Ok(())
    }

    fn widen_column(&mut self, name: &str, to: ColumnType) -> Result<()> {
        let known = self.columns.iter_mut().find(|(column, _)| column.name == name);
        let from = known.as_ref().and_then(|(column, _)| column.column_type);
        let (Some((column, _)), Some(from)) = (known, from) else {
            return Err(not_wider(name, "not there"));
        };
        if from == to || to.fits_into(from) {
            return Ok(());
        }
        if !can_widen(from, to) {
            return Err(not_wider(name, &from.to_string()));
        }
        *column = declared(&Column { column_type: Some(to), ..column.clone() });
        for chunk in &mut self.chunks {
            chunk.rows = widened(&chunk.rows, name, from, to)?;
        }
        Ok(())
    }

    pub(super) fn append(&mut self, chunks: Vec<Chunk>) {
        self.chunks.extend(chunks);
    }

    pub(super) fn clear(&mut self) {
        self.chunks.clear();
    }

    /// Deletes the rows of files, in tables whose rows say where they are
    /// from.
    pub(super) fn delete(&mut self, files: &[FileId]) {
        if self.schema().has_file_id() {
            self.chunks.retain(|chunk| !files.contains(&chunk.file));
        }
    }

    pub(super) fn rows(&self, columns: &[&str]) -> Vec<Vec<Option<String>>> {
        let rows_of = |chunk: &Chunk| {
            let rows = 0..chunk.rows.num_rows();
            rows.map(|row| self.row(chunk, row, columns)).collect::<Vec<_>>()
        };
        self.chunks.iter().flat_map(rows_of).collect()
    }

    fn row(&self, chunk: &Chunk, row: usize, columns: &[&str]) -> Vec<Option<String>> {
        columns.iter().map(|name| self.value(chunk, row, name)).collect()
    }

    fn value(&self, chunk: &Chunk, row: usize, name: &str) -> Option<String> {
        let known = self.columns.iter().find(|(column, _)| column.name == name);
        let (_, default) = known.unwrap_or_else(|| panic!("there is no column {name}"));
        match chunk.rows.column_by_name(name) {
            Some(array) => render(array, row),
            None => default.clone(),
        }
    }
}

fn widened(
    rows: &RecordBatch,
    name: &str,
    from: ColumnType,
    to: ColumnType,
) -> Result<RecordBatch> {
    let fields = rows.schema();
    let mut columns = Vec::new();
    for (field, array) in fields.fields().iter().zip(rows.columns()) {
        let array = match field.name() == name {
            true => wider(array, from, to).ok_or_else(|| not_wider(name, &from.to_string()))?,
            false => Arc::clone(array),
        };
        columns.push((field.name().as_str(), array));
    }
    Ok(crate::batches::batch_of(columns, rows.num_rows()))
}

fn not_wider(name: &str, from: &str) -> Error {
    let message = format!("column `{name}` is {from}, and cannot be widened so");
    Error::new(ErrorKind::SchemaMismatch, message).with("column", name)
}

fn declared(column: &Column) -> Column {
    let declared = column.column_type.map(|known| known.to_string()).unwrap_or_default();
    Column { declared, ..column.clone() }
}

impl Contents {
    pub(super) fn schema_of(&self, table: &TableName) -> Option<TableSchema> {
        self.tables.get(table).map(Table::schema)
    }

    /// Carries out a change of `table`, the qualified name.
    pub(super) fn apply(&mut self, table: &TableName, change: &TableChange) -> Result<()> {
        match change {
            TableChange::Create { columns, .. } => {
                self.tables.entry(table.clone()).or_insert_with(|| Table::created(columns));
            }
            TableChange::AddColumns { columns, .. } => {
                let Some(found) = self.tables.get_mut(table) else {
                    let message = format!("there is no table {table}");
                    return Err(Error::new(ErrorKind::NotFound, message));
                };
                columns.iter().for_each(|column| found.add_column(column));
            }
            TableChange::Widen { columns, .. } => {
                let Some(found) = self.tables.get_mut(table) else {
                    let message = format!("there is no table {table}");
                    return Err(Error::new(ErrorKind::NotFound, message));
                };
                found.widen(columns)?;
            }
        }
        Ok(())
    }
}

/// Gives the columns of a batch the names that they have in the table, and
/// checks that their types are those of the door.
pub(super) fn fit(
    batch: &RecordBatch,
    columns: &[usize],
    schema: &TableSchema,
) -> Result<RecordBatch> {
    if batch.num_columns() != columns.len() {
        let message =
            format!("{} columns were announced, {} came", columns.len(), batch.num_columns());
        return Err(Error::new(ErrorKind::Internal, message));
    }
    let mut named = Vec::new();
    for (position, array) in columns.iter().zip(batch.columns()) {
        let column = &schema.columns[*position];
        check_type(column, array.data_type())?;
        named.push((column.name.as_str(), std::sync::Arc::clone(array)));
    }
    Ok(crate::batches::batch_of(named, batch.num_rows()))
}

fn check_type(column: &Column, found: &arrow_schema::DataType) -> Result<()> {
    use arrow_schema::DataType::Decimal128;
    let expected = column.column_type.map(|column_type| column_type.arrow());
    let fits = match (&expected, found) {
        // The scale of a decimal without bounds is each batch's own.
        (Some(Decimal128(38, 0)), Decimal128(38, _)) => true,
        (expected, found) => expected.as_ref() == Some(found),
    };
    if fits {
        return Ok(());
    }
    let message = format!("column `{}` should come as {expected:?}, came as {found}", column.name);
    Err(Error::new(ErrorKind::Internal, message))
}

//! A sheet as a table: a first pass over its rows finds out the columns, and
//! what all of their values are; a second one makes batches of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use calamine::Data;
use decant_core::{Error, ErrorKind, Result};

use super::cells::{Kind, Value, array, kind, read, text};
use super::header::header_rows;
use super::workbook::{Cell, DISORDER, Wanted, Workbook};
use crate::arrow::source::{Meaning, SourceColumns};
use crate::natives::internal;

/// Columns of a sheet at most, as in the programs that write them.
const COLUMNS_MAX: u32 = 16_384;
/// Rows of a batch at most.
const BATCH_ROWS: usize = 16_384;
/// Values of a batch, about.
const BATCH_VALUES: usize = 1 << 17;
/// Bytes of text in a batch, about.
const BATCH_TEXT_BYTES: usize = 8 << 20;
/// What a value takes in memory, roughly.
const VALUE_BYTES: u64 = 32;

/// The columns of a sheet, and how its rows become theirs.
pub(super) struct Table {
    pub(super) columns: SourceColumns,
    /// What was found out about its names.
    pub(super) explanation: Option<&'static str>,
    /// The number of the first column, from 0.
    left: u32,
    rows_of_names: u32,
    seen: Vec<Seen>,
    nulls: Vec<String>,
}

/// What all values of a column are.
#[derive(Clone, Copy, Debug)]
struct Seen {
    kind: Kind,
    /// Whether there are cells without a value among them.
    has_bad: bool,
}

impl Default for Seen {
    fn default() -> Self {
        Self { kind: Kind::Nothing, has_bad: false }
    }
}

impl Seen {
    fn see(&mut self, value: Option<Value>) {
        match value {
            Some(Value::Bad(_)) => self.has_bad = true,
            Some(value) => self.kind = self.kind.join(kind(&value)),
            None => {}
        }
    }
}

impl Table {
    /// Looks at the whole sheet, whose first rows name the columns: `given`
    /// says how many. `None` for a sheet without any cell.
    pub(super) fn of(
        workbook: &mut Workbook<'_>,
        wanted: &Wanted,
        given: Option<u32>,
        nulls: &[String],
    ) -> Result<Option<Self>> {
        let survey = match Survey::of(workbook, given, nulls) {
            Err(error) if error.fact(DISORDER).is_some() => {
                workbook.gather()?;
                Survey::of(workbook, given, nulls)?
            }
            survey => survey?,
        };
        survey.table(wanted, given, nulls)
    }

    /// Makes batches of all columns, each with the bytes that it takes,
    /// roughly. Answers whether there are no more.
    pub(super) fn batches(
        &self,
        workbook: &mut Workbook<'_>,
        deliver: &mut dyn FnMut(&RecordBatch, u64) -> Result<bool>,
    ) -> Result<bool> {
        let mut names_left = self.rows_of_names;
        let mut rows = Columns::new(self.seen.len());
        let ended = workbook.rows(&mut |row| {
            if names_left > 0 {
                names_left -= 1;
                return Ok(true);
            }
            rows.push(row, self.left, &self.nulls);
            if rows.are_enough() { self.deliver(&mut rows, deliver) } else { Ok(true) }
        })?;
        Ok(ended && (rows.count == 0 || self.deliver(&mut rows, deliver)?))
    }

    fn deliver(
        &self,
        rows: &mut Columns,
        deliver: &mut dyn FnMut(&RecordBatch, u64) -> Result<bool>,
    ) -> Result<bool> {
        let rows = std::mem::replace(rows, Columns::new(self.seen.len()));
        let arrays = rows.columns.into_iter().zip(&self.seen).map(|(mut values, seen)| {
            values.resize(rows.count, None);
            array(&values, seen.kind, seen.has_bad)
        });
        let arrays = arrays.collect::<Result<Vec<_>>>()?;
        let fields = arrays.iter().enumerate().map(|(column, array)| {
            Field::new(self.columns.name(column), array.data_type().clone(), true)
        });
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let batch = RecordBatch::try_new(schema, arrays).map_err(internal)?;
        let bytes = batch.num_rows() as u64 * batch.num_columns() as u64 * VALUE_BYTES;
        deliver(&batch, bytes)
    }
}

/// Rows on their way into a batch.
struct Columns {
    columns: Vec<Vec<Option<Value>>>,
    count: usize,
    text_bytes: usize,
}

impl Columns {
    fn new(width: usize) -> Self {
        Self { columns: vec![Vec::new(); width], count: 0, text_bytes: 0 }
    }

    fn push(&mut self, row: Vec<Cell>, left: u32, nulls: &[String]) {
        for (_, column, data) in row {
            let place = column.checked_sub(left).and_then(|at| self.columns.get_mut(at as usize));
            if let Some(place) = place {
                if let Data::String(text) = &data {
                    self.text_bytes += text.len();
                }
                // Of two cells in one place the last is shown.
                place.resize(self.count, None);
                place.push(value_of(data, nulls));
            }
        }
        self.count += 1;
    }

    fn are_enough(&self) -> bool {
        self.count == BATCH_ROWS
            || self.count * self.columns.len() >= BATCH_VALUES
            || self.text_bytes >= BATCH_TEXT_BYTES
    }
}

fn value_of(data: Data, nulls: &[String]) -> Option<Value> {
    match &data {
        Data::Empty => None,
        Data::String(text) if nulls.contains(text) => None,
        _ => Some(read(data)),
    }
}

/// What is known of a sheet once all of its rows have been seen.
#[derive(Default)]
struct Survey {
    /// The cells of the first rows, which may name the columns.
    head: Vec<Cell>,
    /// The columns of the rows below these, by their number.
    below: BTreeMap<u32, Seen>,
    /// The first and the last column.
    columns: Option<(u32, u32)>,
}

impl Survey {
    fn of(workbook: &mut Workbook<'_>, given: Option<u32>, nulls: &[String]) -> Result<Self> {
        let mut survey = Self::default();
        let mut head_left = given.unwrap_or(1);
        workbook.rows(&mut |row| {
            for (_, column, _) in &row {
                let (left, right) = survey.columns.unwrap_or((*column, *column));
                survey.columns = Some((left.min(*column), right.max(*column)));
            }
            if survey.columns.is_some_and(|(left, right)| right - left >= COLUMNS_MAX) {
                let message = "the sheet has too many columns";
                return Err(Error::new(ErrorKind::MalformedFile, message));
            }
            if head_left > 0 {
                head_left -= 1;
                survey.head.extend(row);
            } else {
                survey.see(row, nulls);
            }
            Ok(true)
        })?;
        Ok(survey)
    }

    fn see(&mut self, row: Vec<Cell>, nulls: &[String]) {
        for (_, column, data) in row {
            self.below.entry(column).or_default().see(value_of(data, nulls));
        }
    }

    fn table(
        mut self,
        wanted: &Wanted,
        given: Option<u32>,
        nulls: &[String],
    ) -> Result<Option<Table>> {
        let Some((left, right)) = self.columns else { return Ok(None) };
        let left = if wanted.area.columns.1 == u32::MAX { left } else { wanted.area.columns.0 };
        let right = if wanted.area.columns.1 == u32::MAX { right } else { wanted.area.columns.1 };
        let kinds = self.below.iter().map(|(column, seen)| (*column, seen.kind)).collect();
        let rows_of_names = given.unwrap_or_else(|| header_rows(&self.head, kinds));
        let names = names(&self.head, left, (right - left) as usize + 1, rows_of_names);
        if rows_of_names == 0 {
            let head = std::mem::take(&mut self.head);
            self.see(head, nulls);
        }
        let seen = (left..=right).map(|column| self.below.get(&column).copied());
        let seen: Vec<Seen> = seen.map(Option::unwrap_or_default).collect();
        let explanation = (given.is_none() && rows_of_names == 0)
            .then_some("there is no header: the first row has values like those below it");
        let columns = source_columns(&names, &seen)?;
        let columns = if rows_of_names > 0 { columns } else { columns.unnamed() };
        let nulls = nulls.to_vec();
        Ok(Some(Table { columns, explanation, left, rows_of_names, seen, nulls }))
    }
}

fn source_columns(names: &[String], seen: &[Seen]) -> Result<SourceColumns> {
    let types =
        seen.iter().map(|seen| Ok(array(&[], seen.kind, seen.has_bad)?.data_type().clone()));
    let types = types.collect::<Result<Vec<DataType>>>()?;
    let meanings = types.iter().map(|held| match held {
        DataType::Union(..) => Meaning::WithBad,
        _ => Meaning::Plain,
    });
    let meanings = meanings.collect();
    let fields = names.iter().zip(types).map(|(name, held)| Field::new(name, held, true));
    let schema = Schema::new(fields.collect::<Vec<_>>());
    SourceColumns::with_meanings(schema.fields(), meanings)
}

/// The columns' names: those of several rows joined by `_`; `column_N` where
/// there is none.
fn names(head: &[Cell], left: u32, width: usize, rows_of_names: u32) -> Vec<String> {
    let mut names = vec![String::new(); width];
    let head = if rows_of_names > 0 { head } else { &[] };
    for (_, column, value) in head {
        let place = column.checked_sub(left).and_then(|at| names.get_mut(at as usize));
        if let Some(name) = place {
            if !name.is_empty() {
                name.push('_');
            }
            name.push_str(text(&read(value.clone())).trim());
        }
    }
    for (nth, name) in names.iter_mut().enumerate().filter(|(_, name)| name.is_empty()) {
        *name = format!("column_{}", nth + 1);
    }
    names
}

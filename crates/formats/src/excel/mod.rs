//! Workbooks: `.xlsx`, `.xlsb`, `.xls`, `.ods`.
//!
//! - [`store`]: the workbook's bytes, by ranges.
//! - [`parts`]: a look at the sizes of its parts before any is read.
//! - [`workbook`]: the cells of one sheet, by calamine, row by row.
//! - [`cells`], [`moment`]: these cells as values.
//! - [`table`], [`header`]: rows of values as named and typed columns.
//!
//! The sheet of an `.xlsx` may have any size: it is read twice, once for what
//! all values of its columns are. Its invariant is that memory is bounded by
//! `memory_bytes`: parts that calamine keeps (strings that cells share,
//! styles), all of a workbook of another kind, and rows that are held back are
//! refused beyond it. A column
//! has the type that all of its cells have; an error (`#N/A`), or a date that
//! is in no calendar, says nothing of it, and makes a bad row where the column
//! is not text. Rows without any cell are no rows. Unless somebody said how many rows name the
//! columns, the first one does, but where its values are like those below it.
//! A formula whose value the workbook does not hold fails the file.

mod cells;
mod header;
mod moment;
mod parts;
mod store;
mod table;
#[cfg(test)]
mod tests;
mod workbook;

use decant_core::format::{Format, Input, Piece, Receiver, Sample, SampleLimits};
use decant_core::stream::{FormatOptions, Header};
use decant_core::{Error, ErrorKind, Result};

use self::table::Table;
use self::workbook::{Area, Wanted, Workbook};
use crate::arrow::rows::Rows;
use crate::arrow::sample::Look;

/// Bytes that the parts of a workbook that are kept may have, unless
/// `memory_bytes` says otherwise.
const MEMORY_BYTES: u64 = 256 << 20;

/// Workbooks.
pub(crate) struct ExcelFormat {
    wanted: Wanted,
    header_rows: Option<u32>,
    null_values: Vec<String>,
}

impl ExcelFormat {
    /// A format with a stream's options: `sheet`, `range`, `skip_rows` and
    /// `skip_footer` of it, `header`, `null_values` and `memory_bytes`.
    ///
    /// Errors: `InvalidConfig` for a range that is none.
    pub(crate) fn new(options: &FormatOptions) -> Result<Self> {
        let range = options.range.as_deref().map_or(Ok(Area::ALL), Area::parse)?;
        Ok(Self {
            wanted: Wanted {
                sheet: options.sheet.clone(),
                area: range.below(options.skip_rows.unwrap_or_default()),
                footer_rows: options.skip_footer.unwrap_or_default(),
                bytes_max: options.memory_bytes.unwrap_or(MEMORY_BYTES),
            },
            header_rows: options.header.map(|header| match header {
                Header::None => 0,
                Header::Rows(rows) => rows,
            }),
            null_values: options.null_values.clone().unwrap_or_default(),
        })
    }

    fn with_table<T>(
        &self,
        input: &mut dyn Input,
        read: impl FnOnce(&Table, &mut Workbook<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let size = input.size().unwrap_or_default();
        if size == 0 {
            return Ok(None);
        }
        let mut workbook = Workbook::open(input, size, &self.wanted)?;
        let table = Table::of(&mut workbook, &self.wanted, self.header_rows, &self.null_values)?;
        table.map(|table| read(&table, &mut workbook)).transpose()
    }
}

impl Format for ExcelFormat {
    fn sample(&self, input: &mut dyn Input, limits: SampleLimits) -> Result<Sample> {
        let sample = self.with_table(input, |table, workbook| {
            let mut look = Look::new(&table.columns, limits);
            let ended = table.batches(workbook, &mut |batch, bytes| {
                look.at(batch, bytes)?;
                Ok(look.goes_on())
            })?;
            let mut sample = look.finish(ended);
            sample.explanation.extend(table.explanation.map(str::to_owned));
            Ok(sample)
        })?;
        Ok(sample.unwrap_or_else(|| Sample { complete: true, ..Sample::default() }))
    }

    fn decode(&self, _: &Piece, input: &mut dyn Input, receiver: &mut dyn Receiver) -> Result<()> {
        let decoded = self.with_table(input, |table, workbook| {
            let mut rows = Rows::ask(&table.columns, receiver)?;
            let columns = rows.columns_to_read().to_vec();
            table.batches(workbook, &mut |batch, bytes| {
                let read = batch.project(&columns).map_err(crate::natives::internal)?;
                rows.deliver(&read, bytes, receiver)?;
                Ok(true)
            })
        });
        decoded.map(|_| ())
    }
}

fn too_large(bytes_max: u64) -> Error {
    let message = format!("more than {bytes_max} bytes of the workbook have to be kept in memory");
    Error::new(ErrorKind::Unsupported, message).with_hint(
        "allow more with the format's `memory_bytes`, or save the sheet as CSV or Parquet",
    )
}

fn broken(what: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::MalformedFile, format!("the workbook cannot be read: {what}"))
}

//! Workbooks: `.xlsx`, `.xlsb`, `.xls`, `.ods`.
//!
//! - [`workbook`]: the cells of one sheet, by calamine.
//! - [`table`]: these cells as named and typed columns.
//!
//! A workbook is read whole: its invariant is that one which is larger than
//! `memory_bytes`, packed or unpacked, is refused before it is read. A column
//! has the type that all of its cells have; an error (`#N/A`), or a date that
//! is in no calendar, says nothing of it, and makes a bad row where the column
//! is not text. Rows without any cell are no rows. Unless somebody said how many rows name the
//! columns, the first one does, but where its values are like those below it.
//! A formula whose value the workbook does not hold fails the file.

mod header;
mod moment;
mod table;
#[cfg(test)]
mod tests;
mod workbook;

use bytes::BytesMut;
use calamine::Data;
use decant_core::format::{Format, Input, Piece, Receiver, Sample, SampleLimits};
use decant_core::stream::{FormatOptions, Header};
use decant_core::{Error, ErrorKind, Result};

use self::table::Table;
use self::workbook::{Area, Wanted};
use crate::arrow::rows::Rows;
use crate::arrow::sample::Look;

/// Bytes that a workbook may have, packed and unpacked, unless `memory_bytes`
/// says otherwise.
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

    fn open(&self, input: &mut dyn Input) -> Result<Option<Table>> {
        let mut bytes = BytesMut::new();
        while let Some(chunk) = input.next_chunk()? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() as u64 > self.wanted.bytes_max {
                return Err(too_large(self.wanted.bytes_max));
            }
        }
        if bytes.is_empty() {
            return Ok(None);
        }
        let mut cells = workbook::cells(bytes.freeze(), &self.wanted)?;
        let top = cells.first().map(|(row, ..)| *row);
        for (row, _, value) in &mut cells {
            if Some(*row) != top && self.is_null(value) {
                *value = Data::Empty;
            }
        }
        Table::new(cells, self.wanted.area, self.header_rows).map(Some)
    }
}

impl ExcelFormat {
    fn is_null(&self, value: &Data) -> bool {
        matches!(value, Data::String(text) if self.null_values.contains(text))
    }
}

impl Format for ExcelFormat {
    fn sample(&self, input: &mut dyn Input, limits: SampleLimits) -> Result<Sample> {
        let Some(table) = self.open(input)?.filter(|table| table.columns.len() > 0) else {
            return Ok(Sample { complete: true, ..Sample::default() });
        };
        let mut look = Look::new(&table.columns, limits);
        look.at(&table.batch, 0)?;
        let mut sample = look.finish(true);
        sample.explanation.extend(table.explanation.map(str::to_owned));
        Ok(sample)
    }

    fn decode(&self, _: &Piece, input: &mut dyn Input, receiver: &mut dyn Receiver) -> Result<()> {
        let Some(table) = self.open(input)?.filter(|table| table.columns.len() > 0) else {
            return Ok(());
        };
        let mut rows = Rows::ask(&table.columns, receiver)?;
        let read = table.batch.project(rows.columns_to_read());
        let read = read.map_err(crate::natives::internal)?;
        rows.deliver(&read, table.bytes, receiver)
    }
}

fn too_large(bytes_max: u64) -> Error {
    let message = format!("the workbook is larger than {bytes_max} bytes, and is read whole");
    Error::new(ErrorKind::Unsupported, message).with_hint(
        "allow more with the format's `memory_bytes`, or save the sheet as CSV or Parquet",
    )
}

fn broken(what: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::MalformedFile, format!("the workbook cannot be read: {what}"))
}

//! Files whose batches are read one after the other, with all of their
//! columns.

use arrow_array::RecordBatch;
use decant_core::Result;
use decant_core::format::{Receiver, Sample, SampleLimits};

use super::rows::Rows;
use super::sample::Look;
use super::source::SourceColumns;
use crate::natives::internal;

/// The batches of one file.
pub(crate) trait Batches {
    fn columns(&self) -> &SourceColumns;

    /// The next batch, and the bytes that it took; `None` at the end.
    fn next(&mut self) -> Result<Option<(RecordBatch, u64)>>;
}

/// A bounded look at a file; `None` is one without anything in it.
pub(crate) fn sample(file: Option<impl Batches>, limits: SampleLimits) -> Result<Sample> {
    let Some(mut batches) = file else {
        return Ok(Sample { complete: true, ..Sample::default() });
    };
    let columns = batches.columns().clone();
    let mut look = Look::new(&columns, limits);
    while look.goes_on() {
        match batches.next()? {
            Some((batch, bytes)) => look.at(&batch, bytes)?,
            None => return Ok(look.finish(true)),
        }
    }
    Ok(look.finish(false))
}

/// Delivers the columns that the receiver wants of every row.
pub(crate) fn decode(file: Option<impl Batches>, receiver: &mut dyn Receiver) -> Result<()> {
    let Some(mut batches) = file else { return Ok(()) };
    let columns = batches.columns().clone();
    let mut rows = Rows::ask(&columns, receiver)?;
    while let Some((batch, bytes)) = batches.next()? {
        let wanted = batch.project(rows.columns_to_read()).map_err(internal)?;
        rows.deliver(&wanted, bytes, receiver)?;
    }
    Ok(())
}

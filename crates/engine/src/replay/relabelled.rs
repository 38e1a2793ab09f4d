//! A format whose columns are called as those of the file that a raw row came
//! from.
//!
//! The document of one row cannot say whether its file named its columns.

use std::sync::Arc;

use decant_core::format::{
    DecodedBatch, FileColumns, Piece, Receiver, Sample, SampleLimits, Wishes,
};
use decant_core::layout::Layout;
use decant_core::{Format, Input, Result};

/// A format with another's columns.
pub(super) struct Relabelled {
    pub(super) format: Arc<dyn Format>,
    pub(super) layout: Arc<Layout>,
}

struct Relabelling<'a> {
    receiver: &'a mut dyn Receiver,
    layout: &'a Layout,
}

impl Format for Relabelled {
    fn sample(&self, input: &mut dyn Input, limits: SampleLimits) -> Result<Sample> {
        self.format.sample(input, limits)
    }

    fn decode(
        &self,
        piece: &Piece,
        input: &mut dyn Input,
        receiver: &mut dyn Receiver,
    ) -> Result<()> {
        let mut relabelling = Relabelling { receiver, layout: &self.layout };
        self.format.decode(piece, input, &mut relabelling)
    }
}

impl Receiver for Relabelling<'_> {
    fn columns(&mut self, columns: &FileColumns) -> Result<Wishes> {
        let is_placed = !columns.named || columns.names == self.layout.names;
        if is_placed && columns.names.len() == self.layout.names.len() {
            let names = self.layout.names.clone();
            let named = self.layout.named;
            return self.receiver.columns(&FileColumns { names, named, ..columns.clone() });
        }
        self.receiver.columns(columns)
    }

    fn batch(&mut self, batch: DecodedBatch) -> Result<()> {
        self.receiver.batch(batch)
    }
}

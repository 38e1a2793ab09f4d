//! A format whose columns are called as those of the file that a raw row came
//! from, and whose row stands where it stood there.
//!
//! The document of one row cannot say whether its file named its columns, nor
//! what stood above it.

use std::sync::Arc;

use decant_core::format::{
    DecodedBatch, FileColumns, Piece, Receiver, Sample, SampleLimits, Wishes,
};
use decant_core::layout::Layout;
use decant_core::reject::Reject;
use decant_core::{Format, Input, Result};

/// A format with another's columns.
pub(super) struct Relabelled {
    pub(super) format: Arc<dyn Format>,
    pub(super) layout: Arc<Layout>,
    pub(super) place: Place,
}

/// Where a row stood in its file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    ordinal: u64,
    line: Option<u64>,
    byte_offset: Option<u64>,
}

impl Place {
    pub(super) fn of(reject: &Reject) -> Self {
        let Reject { ordinal, line, byte_offset, .. } = *reject;
        Self { ordinal, line, byte_offset }
    }

    fn put(self, batch: &mut DecodedBatch) {
        let places = &mut batch.places;
        places.ordinals.fill(self.ordinal);
        for (known, of_document) in
            [(self.line, &mut places.lines), (self.byte_offset, &mut places.byte_offsets)]
        {
            match known {
                Some(known) => of_document.fill(known),
                None => of_document.clear(),
            }
        }
    }
}

struct Relabelling<'a> {
    receiver: &'a mut dyn Receiver,
    layout: &'a Layout,
    place: Place,
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
        let mut relabelling = Relabelling { receiver, layout: &self.layout, place: self.place };
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

    fn batch(&mut self, mut batch: DecodedBatch) -> Result<()> {
        self.place.put(&mut batch);
        self.receiver.batch(batch)
    }
}

//! Where a file is cut: rows come by in order, and each piece ends before the
//! first good one that stands far enough behind its beginning.

use decant_core::format::Piece;

/// Cuts a file while its rows are passed.
pub(crate) struct Cuts<'f> {
    found: &'f mut dyn FnMut(Piece) -> bool,
    piece_bytes: u64,
    size: u64,
    /// The piece that has begun.
    begun: Piece,
    is_wanted: bool,
}

impl<'f> Cuts<'f> {
    /// Pieces of at least `piece_bytes` of a file of `size` bytes, handed to
    /// `found`.
    pub(crate) fn new(
        size: u64,
        piece_bytes: u64,
        found: &'f mut dyn FnMut(Piece) -> bool,
    ) -> Self {
        let begun = Piece::whole(size);
        Self { found, piece_bytes: piece_bytes.max(1), size, begun, is_wanted: true }
    }

    /// Where the next piece may begin.
    pub(crate) fn next(&self) -> u64 {
        self.begun.bytes.start.saturating_add(self.piece_bytes)
    }

    /// Cuts before the row that begins at `byte`, with so many rows and lines
    /// before it, unless the piece would have no row.
    pub(crate) fn before(&mut self, byte: u64, rows_before: u64, lines_before: u64) {
        if rows_before == self.begun.rows_before {
            return;
        }
        let next = Piece { bytes: byte..self.size, rows_before, lines_before };
        let mut ended = std::mem::replace(&mut self.begun, next);
        ended.bytes.end = byte;
        self.is_wanted = self.is_wanted && (self.found)(ended);
    }

    /// Whether anybody wants more pieces.
    pub(crate) fn are_wanted(&self) -> bool {
        self.is_wanted
    }

    /// The file has no more rows: the last piece reaches to its end.
    pub(crate) fn end(self) {
        if self.is_wanted {
            (self.found)(self.begun);
        }
    }
}

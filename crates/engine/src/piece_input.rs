//! A piece of a file as its decoder sees it: the piece's bytes in order, and
//! the ranges of the whole file, where its beginning says how it is written.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use decant_core::content::ByteStream;
use decant_core::format::Piece;
use decant_core::{Content, FileVersion, Input, Result};
use futures::{StreamExt, stream};

use crate::input::{ContentInput, FetchCounter, Reading};

/// A piece of a file, ready to be pulled by a blocking thread.
pub(crate) struct PieceInput {
    piece: ContentInput,
    file: ContentInput,
}

impl PieceInput {
    pub(crate) async fn open(
        content: Box<dyn Content>,
        file: &FileVersion,
        piece: &Piece,
        ahead_bytes: u64,
        counter: FetchCounter,
    ) -> Result<Self> {
        let content: Arc<dyn Content> = content.into();
        let of = |bytes: Range<u64>| {
            let size = bytes.end.saturating_sub(bytes.start);
            let part = Part { content: Arc::clone(&content), bytes };
            (Box::new(part), FileVersion { size, ..file.clone() })
        };
        let (part, sized) = of(piece.bytes.clone());
        let piece =
            ContentInput::open(part, &sized, ahead_bytes, counter.clone(), Reading::AsAsked)
                .await?;
        let (whole, sized) = of(0..file.size);
        let file =
            ContentInput::open(whole, &sized, ahead_bytes, counter, Reading::AsAsked).await?;
        Ok(Self { piece, file })
    }
}

impl Input for PieceInput {
    fn next_chunk(&mut self) -> Result<Option<Bytes>> {
        self.piece.next_chunk()
    }

    fn range(&mut self, range: Range<u64>) -> Result<Bytes> {
        self.file.range(range)
    }

    fn size(&self) -> Option<u64> {
        self.file.size()
    }
}

/// Some bytes of a file as a content of their own.
struct Part {
    content: Arc<dyn Content>,
    bytes: Range<u64>,
}

#[async_trait]
impl Content for Part {
    async fn stream(&self, offset: u64) -> Result<ByteStream> {
        let start = self.bytes.start.saturating_add(offset);
        let left = self.bytes.end.saturating_sub(start);
        if left == 0 {
            return Ok(stream::empty().boxed());
        }
        let bytes = self.content.stream(start).await?;
        Ok(stream::unfold((bytes, left), next_within).boxed())
    }

    async fn range(&self, range: Range<u64>) -> Result<Bytes> {
        let at = |offset: u64| self.bytes.start.saturating_add(offset).min(self.bytes.end);
        self.content.range(at(range.start)..at(range.end)).await
    }
}

/// The next chunk, as long as there are bytes left.
async fn next_within(
    (mut bytes, left): (ByteStream, u64),
) -> Option<(Result<Bytes>, (ByteStream, u64))> {
    if left == 0 {
        return None;
    }
    let mut chunk = match bytes.next().await? {
        Ok(chunk) => chunk,
        Err(error) => return Some((Err(error), (bytes, 0))),
    };
    chunk.truncate(usize::try_from(left).unwrap_or(usize::MAX));
    let left = left - chunk.len() as u64;
    Some((Ok(chunk), (bytes, left)))
}

//! How values are written, and the entries that keys stand for.

use bytes::Bytes;
use parquet::errors::Result;

use super::{Kind, LENGTH_BYTES, unexpected};

/// Bytes that a dictionary may take besides its page.
pub(super) const DICTIONARY_BYTES_MAX: usize = 8 << 20;

/// The dictionary of a column, as far as its pages have shown one.
pub(super) enum Dictionary {
    None,
    /// Where each text of a page is, and the longest.
    Texts {
        page: Bytes,
        places: Vec<(u32, u32)>,
        longest: usize,
    },
    Decimals(Vec<i128>),
}

impl Dictionary {
    /// The entries of a page that holds so many, and nothing else.
    pub(super) fn of(kind: Kind, page: Bytes, count: usize) -> Result<Self> {
        match kind {
            Kind::Decimal { bytes, .. } => {
                if count.checked_mul(bytes) != Some(page.len()) {
                    return Err(unexpected());
                }
                check_dictionary::<i128>(count)?;
                let values = page.chunks_exact(bytes).map(decimal);
                Ok(Self::Decimals(values.collect()))
            }
            Kind::Text => {
                if count > page.len() / LENGTH_BYTES {
                    return Err(unexpected());
                }
                check_dictionary::<(u32, u32)>(count)?;
                let is_ascii = page.is_ascii();
                let mut places = Vec::with_capacity(count);
                let (mut at, mut longest) = (0, 0);
                for _ in 0..count {
                    let (start, end) = text_at(&page, at)?;
                    if !is_ascii && std::str::from_utf8(&page[start..end]).is_err() {
                        return Err(unexpected());
                    }
                    places.push((start as u32, end as u32));
                    longest = longest.max(end - start);
                    at = end;
                }
                if at != page.len() {
                    return Err(unexpected());
                }
                Ok(Self::Texts { page, places, longest })
            }
        }
    }
}

/// Leaves a dictionary of so many entries, each kept as a `T`, to the crate
/// where that is much more than its page.
pub(super) fn check_dictionary<T>(count: usize) -> Result<()> {
    match count.saturating_mul(size_of::<T>()) <= DICTIONARY_BYTES_MAX {
        true => Ok(()),
        false => Err(unexpected()),
    }
}

/// Where the text is whose length stands here.
pub(super) fn text_at(page: &[u8], at: usize) -> Result<(usize, usize)> {
    let length = page.get(at..).and_then(<[u8]>::first_chunk::<LENGTH_BYTES>);
    let length = u32::from_le_bytes(*length.ok_or_else(unexpected)?) as usize;
    let start = at + LENGTH_BYTES;
    match start.checked_add(length).filter(|end| *end <= page.len()) {
        Some(end) => Ok((start, end)),
        None => Err(unexpected()),
    }
}

/// A number of up to sixteen bytes, the first of which has its sign.
pub(super) fn decimal(bytes: &[u8]) -> i128 {
    let is_negative = bytes.first().is_some_and(|first| *first >= 0x80);
    let sign = if is_negative { -1 } else { 0 };
    bytes.iter().fold(sign, |value, byte| value << 8 | i128::from(*byte))
}

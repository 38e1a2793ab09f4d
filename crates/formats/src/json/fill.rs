//! One column of a block into one Arrow array.
//!
//! Values are read by [`Reader`], from the number's own digits and the
//! string's own text, as those of every text format are: `"12"` in a column
//! of integers is the integer that it spells.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::{BinaryBuilder, BooleanBuilder, StringBuilder};
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type,
    Time64MicrosecondType, TimestampMicrosecondType,
};
use decant_core::Result;
use decant_core::format::{OnMisfit, Rescued};
use decant_core::schema::ColumnType;

use super::block::Block;
use super::token::{Kind, Texts, Token};
use crate::natives::Natives;
use crate::untyped::Untyped;
use crate::values::{Fit, Misfit, Reader, json, trimmed};

/// A column that is wanted.
pub(super) struct Wanted {
    /// Its position in the file.
    pub(super) column: usize,
    pub(super) reader: Reader,
    /// Whether its type was inferred.
    pub(super) exact: bool,
    pub(super) misfit: OnMisfit,
}

/// Rows that could not be taken: the first column that is to blame, and why.
pub(super) type Troubles = BTreeMap<usize, (usize, Misfit)>;

/// What comes out besides arrays.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) troubles: Troubles,
    pub(super) rescued: Vec<Rescued>,
}

/// Some rows of a block.
pub(super) struct Rows<'b> {
    pub(super) block: &'b Block,
    pub(super) texts: Texts<'b>,
    /// Set when everything in the window is UTF-8.
    pub(super) text: Option<&'b str>,
    /// What strings mean where the format has nothing else.
    pub(super) untyped: Option<&'b Untyped>,
    pub(super) rows: Range<usize>,
    /// Rows that are bad, among all rows of the block.
    pub(super) bad: &'b [bool],
}

/// Makes the array of one column. `None` when the decimals among these rows
/// do not fit one scale together. A value that cannot be taken is NULL in the
/// array, and in `outcome`.
pub(super) fn fill(
    rows: &Rows<'_>,
    wanted: &Wanted,
    outcome: &mut Outcome,
) -> Result<Option<ArrayRef>> {
    let reader = &wanted.reader;
    let mut filling = Filling { rows, wanted, outcome };
    let array = match reader.column_type() {
        ColumnType::Bool => filling.booleans(),
        ColumnType::Int16 => filling.primitives::<Int16Type>(|value| reader.integer(value))?,
        ColumnType::Int32 => filling.primitives::<Int32Type>(|value| reader.integer(value))?,
        ColumnType::Int64 => filling.primitives::<Int64Type>(|value| reader.integer(value))?,
        ColumnType::Float32 => filling.primitives::<Float32Type>(|value| reader.float(value))?,
        ColumnType::Float64 => filling.primitives::<Float64Type>(|value| reader.float(value))?,
        ColumnType::Decimal(Some(bounds)) => filling
            .natives(|value| reader.bounded_decimal(value, bounds))
            .decimals_within(bounds)?,
        ColumnType::Decimal(None) => {
            return filling.natives(|value| reader.decimal(value)).decimals();
        }
        ColumnType::Date => filling.primitives::<Date32Type>(|value| reader.date(value))?,
        ColumnType::Time => {
            filling.primitives::<Time64MicrosecondType>(|value| reader.time(value))?
        }
        ColumnType::Timestamp => {
            filling.primitives::<TimestampMicrosecondType>(|value| reader.timestamp(value))?
        }
        ColumnType::TimestampTz => filling.moments()?,
        ColumnType::Uuid => filling.natives(|value| reader.uuid(value)).uuids()?,
        ColumnType::Text => filling.texts(),
        ColumnType::Json => filling.documents(),
        ColumnType::List(_) => filling.lists(),
        ColumnType::Binary => filling.binaries(),
    };
    Ok(Some(array))
}

struct Filling<'f, 'b> {
    rows: &'f Rows<'b>,
    wanted: &'f Wanted,
    outcome: &'f mut Outcome,
}

impl<'b> Filling<'_, 'b> {
    /// Hands every good row's value over, with the row's number in the block
    /// and in the array.
    #[inline]
    fn each_token(&mut self, mut take: impl FnMut(&mut Self, (usize, usize), Option<Token>)) {
        let Rows { block, rows, bad, .. } = self.rows;
        let cells = block.column(self.wanted.column);
        let mut next = cells.partition_point(|cell| (cell.row as usize) < rows.start);
        let mut number = 0;
        for row in rows.clone() {
            let found = cells.get(next).filter(|cell| cell.row as usize == row);
            next += usize::from(found.is_some());
            if bad.get(row).copied().unwrap_or_default() {
                continue;
            }
            let token = found.map(|cell| cell.token).filter(|token| !self.is_null(token));
            take(self, (row, number), token);
            number += 1;
        }
    }

    /// Whether a string of a file without types is NULL in this column.
    #[inline]
    fn is_null(&self, token: &Token) -> bool {
        let Some(untyped) = self.rows.untyped else { return false };
        let reader = &self.wanted.reader;
        if !token.kind.is_string() || untyped.empty_is_null && !reader.trims() {
            return false;
        }
        let mut scratch = Vec::new();
        let text = token.text(self.rows.texts, &mut scratch).unwrap_or_default();
        match if reader.trims() { trimmed(text) } else { text } {
            [] if !matches!(reader.column_type(), ColumnType::Text | ColumnType::Binary) => true,
            text => untyped.is_null(text),
        }
    }

    /// Reads every value; `None` for NULL and for what cannot be taken.
    #[inline]
    fn each<T>(&mut self, mut parse: impl FnMut(&[u8]) -> Fit<T>, mut push: impl FnMut(Option<T>)) {
        let texts = self.rows.texts;
        let mut scratch = Vec::new();
        self.each_token(|filling, place, token| {
            let fit = match &token {
                None => None,
                Some(token) if token.kind.is_nested() => Some(Err(Misfit::Spelling)),
                Some(token) => token.text(texts, &mut scratch).map(&mut parse),
            };
            push(match (fit, token) {
                (Some(Ok(value)), _) => Some(value),
                (Some(Err(misfit)), Some(token)) => {
                    filling.misfit(place, token, misfit);
                    None
                }
                _ => None,
            });
        });
    }

    fn misfit(&mut self, (row, number): (usize, usize), token: Token, misfit: Misfit) {
        let column = self.wanted.column;
        match self.wanted.misfit {
            OnMisfit::Reject => {
                self.outcome.troubles.entry(row).or_insert((column, misfit));
            }
            OnMisfit::Rescue => {
                let mut scratch = Vec::new();
                let value = token.json(self.rows.texts, &mut scratch);
                let value = String::from_utf8_lossy(value).into_owned();
                self.outcome.rescued.push(Rescued { row: number, column, value });
            }
        }
    }

    fn natives<T: Default>(&mut self, parse: impl FnMut(&[u8]) -> Fit<T>) -> Natives<T> {
        let mut natives = Natives::with_capacity(self.rows.rows.len());
        self.each(parse, |value| natives.push(value));
        natives
    }

    fn primitives<T: ArrowPrimitiveType>(
        &mut self,
        parse: impl FnMut(&[u8]) -> Fit<T::Native>,
    ) -> Result<ArrayRef> {
        Ok(Arc::new(self.natives(parse).array::<T>()?))
    }

    fn moments(&mut self) -> Result<ArrayRef> {
        let reader = &self.wanted.reader;
        let moments =
            self.natives(|value| reader.timestamp_tz(value)).array::<TimestampMicrosecondType>()?;
        Ok(Arc::new(moments.with_timezone("UTC")))
    }

    fn booleans(&mut self) -> ArrayRef {
        let reader = &self.wanted.reader;
        let mut builder = BooleanBuilder::with_capacity(self.rows.rows.len());
        self.each(|value| reader.boolean(value), |value| builder.append_option(value));
        Arc::new(builder.finish())
    }

    /// Bytes of strings; of anything else the bytes of its JSON.
    fn binaries(&mut self) -> ArrayRef {
        let reader = &self.wanted.reader;
        let texts = self.rows.texts;
        let mut builder = BinaryBuilder::new();
        let (mut scratch, mut decoded) = (Vec::new(), Vec::new());
        self.each_token(|filling, place, token| {
            decoded.clear();
            let text = token.and_then(|token| token.text(texts, &mut scratch));
            match (text.map(|text| reader.binary_into(text, &mut decoded)), token) {
                (Some(Ok(())), _) => return builder.append_value(&decoded),
                (Some(Err(misfit)), Some(token)) => filling.misfit(place, token, misfit),
                _ => {}
            }
            builder.append_null();
        });
        Arc::new(builder.finish())
    }

    /// Strings as what they mean, anything else as its JSON.
    fn texts(&mut self) -> ArrayRef {
        let reader = &self.wanted.reader;
        let mut builder = StringBuilder::with_capacity(self.rows.rows.len(), self.text_bytes());
        let mut scratch = Vec::new();
        self.each_token(|filling, _, token| match token {
            Some(token) => match filling.rows.string(token, &mut scratch) {
                Some(text) => builder.append_value(reader.text(text)),
                None => builder.append_null(),
            },
            None => builder.append_null(),
        });
        Arc::new(builder.finish())
    }

    /// Values as their JSON.
    fn documents(&mut self) -> ArrayRef {
        let mut builder = StringBuilder::with_capacity(self.rows.rows.len(), self.text_bytes());
        let mut scratch = Vec::new();
        self.each_token(|filling, _, token| {
            let json = token
                .filter(|token| token.kind != Kind::Null)
                .map(|token| filling.document(token, &mut scratch));
            builder.append_option(json.and_then(|json| simdutf8::basic::from_utf8(json).ok()));
        });
        Arc::new(builder.finish())
    }

    /// Arrays, and strings that spell one.
    fn lists(&mut self) -> ArrayRef {
        let reader = &self.wanted.reader;
        let texts = self.rows.texts;
        let mut builder = StringBuilder::with_capacity(self.rows.rows.len(), self.text_bytes());
        let mut scratch = Vec::new();
        self.each_token(|filling, place, token| {
            let text = token.and_then(|token| token.text(texts, &mut scratch));
            let list = text.map(|text| reader.list(text).or_else(|it| filling.lone(token, it)));
            match (list, token) {
                (Some(Ok(list)), _) => return builder.append_value(list),
                (Some(Err(misfit)), Some(token)) => filling.misfit(place, token, misfit),
                _ => {}
            }
            builder.append_null();
        });
        Arc::new(builder.finish())
    }

    /// In a file without types, where one element of a list looks like a
    /// value: the list of it alone.
    fn lone(&self, token: Option<Token>, misfit: Misfit) -> Fit<String> {
        let Some(token) = token.filter(|token| token.kind.is_string()) else { return Err(misfit) };
        if self.rows.untyped.is_none() {
            return Err(misfit);
        }
        let mut scratch = Vec::new();
        let list = [b"[", token.json(self.rows.texts, &mut scratch), b"]"].concat();
        self.wanted.reader.list(&list).map_err(|_| misfit)
    }

    /// The JSON of a value. In a file without types a text that is an object
    /// or an array is one in a column that somebody made for such.
    fn document<'s>(&self, token: Token, scratch: &'s mut Vec<u8>) -> &'s [u8]
    where
        'b: 's,
    {
        let texts = self.rows.texts;
        if self.rows.untyped.is_some() && !self.wanted.exact && token.kind.is_string() {
            let mut text = Vec::new();
            let text = token.text(texts, &mut text).unwrap_or_default();
            if matches!(text.first(), Some(b'{' | b'[')) && json::check(text).is_ok() {
                scratch.clear();
                scratch.extend_from_slice(text);
                return scratch;
            }
        }
        token.json(texts, scratch)
    }

    fn text_bytes(&self) -> usize {
        self.rows.block.column(self.wanted.column).len() * 16
    }
}

impl<'b> Rows<'b> {
    /// What a value means as text. Rows are UTF-8, so that only NULL has
    /// none.
    fn string<'s>(&self, token: Token, scratch: &'s mut Vec<u8>) -> Option<&'s str>
    where
        'b: 's,
    {
        if let (Some(text), false, Kind::Text) = (self.text, token.stored, token.kind) {
            return text.get(token.start as usize + 1..token.end as usize - 1);
        }
        simdutf8::basic::from_utf8(token.text(self.texts, scratch)?).ok()
    }
}

//! One column of a block into one Arrow array.
//!
//! Values are read by [`Reader`], from the number's own digits and the
//! string's own text, as those of every text format are: `"12"` in a column
//! of integers is the integer that it spells.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::{BinaryBuilder, BooleanBuilder};
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type,
    Time64MicrosecondType, TimestampMicrosecondType,
};
use decant_core::Result;
use decant_core::format::{OnMisfit, Rescued};
use decant_core::schema::ColumnType;

use super::block::{Block, Cell};
use super::token::{Kind, Texts, Token};
use crate::natives::Natives;
use crate::strings::Strings;
use crate::untyped::Untyped;
use crate::values::plain::{self, Bounded, Never, Plain};
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
    /// Rows that are bad, among all rows of the block; none where no row is.
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
        ColumnType::Int16 => {
            filling.primitives::<Int16Type>(plain::Int16, |value| reader.integer(value))?
        }
        ColumnType::Int32 => {
            filling.primitives::<Int32Type>(plain::Int32, |value| reader.integer(value))?
        }
        ColumnType::Int64 => {
            filling.primitives::<Int64Type>(plain::Int64, |value| reader.integer(value))?
        }
        ColumnType::Float32 => {
            filling.primitives::<Float32Type>(Never::new(), |value| reader.float(value))?
        }
        ColumnType::Float64 => {
            filling.primitives::<Float64Type>(plain::Float64, |value| reader.float(value))?
        }
        ColumnType::Decimal(Some(bounds)) => {
            let read = |value: &[u8]| reader.bounded_decimal(value, bounds);
            filling.natives(Bounded(bounds), read).decimals_within(bounds)?
        }
        ColumnType::Decimal(None) => return filling.decimals(),
        ColumnType::Date => {
            filling.primitives::<Date32Type>(plain::Dates, |value| reader.date(value))?
        }
        ColumnType::Time => {
            let read = |value: &[u8]| reader.time(value);
            filling.primitives::<Time64MicrosecondType>(plain::Times, read)?
        }
        ColumnType::Timestamp => {
            let read = |value: &[u8]| reader.timestamp(value);
            filling.primitives::<TimestampMicrosecondType>(plain::Timestamps, read)?
        }
        ColumnType::TimestampTz => filling.moments()?,
        ColumnType::Uuid => filling.natives(Never::new(), |value| reader.uuid(value)).uuids()?,
        ColumnType::Text => filling.texts()?,
        ColumnType::Json => filling.documents()?,
        ColumnType::List(_) => filling.lists()?,
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
        if let Some(cells) = self.rows.dense(self.wanted.column) {
            for (number, cell) in cells.iter().enumerate() {
                take(self, (rows.start + number, number), Some(cell.token));
            }
            return;
        }
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

    /// Reads every value; `None` for NULL and for what cannot be taken. What
    /// is `plain`, `parse` is not asked for.
    #[inline(always)]
    fn each<T>(
        &mut self,
        plain: impl Plain<Value = T>,
        mut parse: impl FnMut(&[u8]) -> Fit<T>,
        mut push: impl FnMut(Option<T>),
    ) {
        let window = self.rows.texts.window;
        let is_quick = self.rows.untyped.is_none() && self.wanted.reader.is_plain();
        let mut scratch = Vec::new();
        self.each_token(|filling, place, token| {
            if let (Some(token), true) = (token, is_quick) {
                let (start, end) = token.inside();
                if let (Some(value), false) = (plain.read(window, start, end), token.stored) {
                    return push(Some(value));
                }
            }
            push(token.and_then(|token| filling.read(place, token, &mut parse, &mut scratch)));
        });
    }

    /// Reads one value, whatever it is.
    #[inline(never)]
    fn read<T>(
        &mut self,
        place: (usize, usize),
        token: Token,
        parse: &mut impl FnMut(&[u8]) -> Fit<T>,
        scratch: &mut Vec<u8>,
    ) -> Option<T> {
        let fit = match token.kind.is_nested() {
            true => Err(Misfit::Spelling),
            false => parse(token.text(self.rows.texts, scratch)?),
        };
        fit.inspect_err(|misfit| self.misfit(place, token, *misfit)).ok()
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

    fn natives<T: Default>(
        &mut self,
        plain: impl Plain<Value = T>,
        parse: impl FnMut(&[u8]) -> Fit<T>,
    ) -> Natives<T> {
        let mut natives = Natives::with_capacity(self.rows.rows.len());
        self.each(plain, parse, |value| natives.push(value));
        natives
    }

    fn primitives<T: ArrowPrimitiveType>(
        &mut self,
        plain: impl Plain<Value = T::Native>,
        parse: impl FnMut(&[u8]) -> Fit<T::Native>,
    ) -> Result<ArrayRef> {
        Ok(Arc::new(self.natives(plain, parse).array::<T>()?))
    }

    /// Decimals of the scale that they need, as long as none has more digits
    /// than are plain.
    fn decimals(&mut self) -> Result<Option<ArrayRef>> {
        let reader = &self.wanted.reader;
        let mut has_many_digits = false;
        let read = |value: &[u8]| {
            if has_many_digits {
                return Ok(plain::Decimal::default());
            }
            let plain = plain::Decimal::of(reader.decimal(value)?);
            has_many_digits |= plain.is_none();
            Ok(plain.unwrap_or_default())
        };
        let rescued = self.outcome.rescued.len();
        let decimals = self.natives(plain::Decimals, read);
        if has_many_digits {
            self.outcome.rescued.truncate(rescued);
            self.outcome.troubles.retain(|_, (column, _)| *column != self.wanted.column);
            return self.natives(Never::new(), |value| reader.decimal(value)).decimals();
        }
        decimals.decimals().map(Some)
    }

    fn moments(&mut self) -> Result<ArrayRef> {
        let reader = &self.wanted.reader;
        let moments = self.natives(plain::Moments, |value| reader.timestamp_tz(value));
        let moments = moments.array::<TimestampMicrosecondType>()?;
        Ok(Arc::new(moments.with_timezone("UTC")))
    }

    fn booleans(&mut self) -> ArrayRef {
        let reader = &self.wanted.reader;
        let mut builder = BooleanBuilder::with_capacity(self.rows.rows.len());
        let append = |value| builder.append_option(value);
        self.each(plain::Booleans, |value| reader.boolean(value), append);
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
    fn texts(&mut self) -> Result<ArrayRef> {
        let reader = &self.wanted.reader;
        let mut strings = Strings::with_capacity(self.rows.rows.len(), self.text_bytes());
        let mut scratch = Vec::new();
        let Rows { texts, text, .. } = *self.rows;
        let are_plain = text.is_some() && !reader.trims();
        self.each_token(|filling, _, token| match token {
            Some(token @ Token { kind: Kind::Text, stored: false, .. }) if are_plain => {
                let (start, end) = token.inside();
                strings.push_part(texts.window, start..end);
            }
            Some(token) => {
                let text = filling.rows.string(token, &mut scratch);
                strings.push(text.map(|text| reader.text(text).as_bytes()));
            }
            None => strings.push(None),
        });
        Ok(Arc::new(strings.finish()?))
    }

    /// Values as their JSON.
    fn documents(&mut self) -> Result<ArrayRef> {
        let mut strings = Strings::with_capacity(self.rows.rows.len(), self.text_bytes());
        let mut scratch = Vec::new();
        self.each_token(|filling, _, token| {
            let json = token
                .filter(|token| token.kind != Kind::Null)
                .map(|token| filling.document(token, &mut scratch));
            strings.push(json.filter(|json| simdutf8::basic::from_utf8(json).is_ok()));
        });
        Ok(Arc::new(strings.finish()?))
    }

    /// Arrays, and strings that spell one.
    fn lists(&mut self) -> Result<ArrayRef> {
        let reader = &self.wanted.reader;
        let texts = self.rows.texts;
        let mut strings = Strings::with_capacity(self.rows.rows.len(), self.text_bytes());
        let mut scratch = Vec::new();
        self.each_token(|filling, place, token| {
            let text = token.and_then(|token| token.text(texts, &mut scratch));
            let list = text.map(|text| reader.list(text).or_else(|it| filling.lone(token, it)));
            match (list, token) {
                (Some(Ok(list)), _) => return strings.push(Some(list.as_bytes())),
                (Some(Err(misfit)), Some(token)) => filling.misfit(place, token, misfit),
                _ => {}
            }
            strings.push(None);
        });
        Ok(Arc::new(strings.finish()?))
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
    /// The column's cells, one a row, where every row has one and none is bad.
    fn dense(&self, column: usize) -> Option<&'b [Cell]> {
        let cells = self.block.column(column);
        let is_dense = self.bad.is_empty() && self.untyped.is_none();
        if !is_dense || cells.len() != self.block.rows.len() {
            return None;
        }
        cells.get(self.rows.clone())
    }

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

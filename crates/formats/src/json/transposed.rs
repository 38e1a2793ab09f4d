//! A document of columns turned into rows: `{"a": {"0": 1, "1": 2}, …}`.
//!
//! The one shape that has to be kept as a whole, since its first row is
//! complete only at its end. It is kept within the memory that the options
//! allow, and refused beyond it.

use std::collections::{HashMap, HashSet};

use decant_core::{Error, ErrorKind, Result};

use super::block::{Block, Row};
use super::columns::names_of;
use super::fault::What;
use super::reading::{BLOCK_ROWS, Next, Reading};
use super::scanner::repeated_key;
use super::token::{Key, Texts, Token};

/// Memory that the name of a row takes besides its text.
const LABEL_BYTES: usize = 80;

/// Values by column, and the names of the rows.
#[derive(Default)]
pub(super) struct Transposed {
    /// The column of the rows' names.
    index: u32,
    labels: Vec<Token>,
    columns: Vec<(u32, Vec<Option<Token>>)>,
    /// Rows by name.
    by_label: HashMap<Vec<u8>, usize>,
    next: usize,
}

impl Transposed {
    /// Puts the next rows into the block; `false` when there are no more.
    pub(super) fn rows(&mut self, block: &mut Block, ordinal: &mut u64) -> bool {
        let end = self.labels.len().min(self.next + BLOCK_ROWS as usize);
        let mut values = Vec::new();
        for row in self.next..end {
            values.clear();
            values.push((self.index, self.labels[row]));
            for (column, tokens) in &self.columns {
                values.extend(tokens.get(row).copied().flatten().map(|token| (*column, token)));
            }
            *ordinal += 1;
            block.push(Row { start: 0, end: 0, place: None, ordinal: *ordinal }, &values);
            block.rows_read += 1;
        }
        self.next = end;
        end < self.labels.len()
    }
}

impl Reading<'_> {
    /// Reads the object at hand, whose members are columns.
    pub(super) fn read_columns(&mut self) -> Result<Transposed> {
        let mut transposed = Transposed { index: self.columns.index(), ..Transposed::default() };
        let mut names = HashSet::new();
        let mut next = Next::First;
        self.window.at += 1;
        while self.has_member(&mut next)? {
            let key = self.take_key()?;
            let texts = Texts { window: self.window.bytes(), store: &[] };
            let name = names_of(texts, &[key.token]).pop().unwrap_or_default();
            if !names.insert(name.clone()) {
                return Err(self.window.malformed(repeated_key(key)));
            }
            if self.solid_byte()? != Some(b'{') {
                return Err(self.fault_here(What::Expected("an object of values")));
            }
            let column = self.columns.push(name);
            let tokens = self.read_column(&mut transposed)?;
            transposed.columns.push((column, tokens));
        }
        Ok(transposed)
    }

    fn read_column(&mut self, transposed: &mut Transposed) -> Result<Vec<Option<Token>>> {
        let mut tokens: Vec<Option<Token>> = vec![None; transposed.labels.len()];
        let mut next = Next::First;
        let mut member = 0;
        self.window.at += 1;
        while self.has_member(&mut next)? {
            let key = self.take_key()?;
            let row = self.row_of(key, member, transposed);
            let value = self.take_value()?;
            if tokens.len() <= row {
                tokens.resize(row + 1, None);
            }
            if tokens[row].is_some() {
                return Err(self.window.malformed(repeated_key(key)));
            }
            tokens[row] = Some(self.keep(value));
            member += 1;
            self.check_memory(transposed, tokens.len())?;
        }
        Ok(tokens)
    }

    /// The row of this name; `member` is where it stands in its column.
    fn row_of(&mut self, key: Key, member: usize, transposed: &mut Transposed) -> usize {
        let texts = Texts { window: self.window.bytes(), store: &self.store };
        let raw = key.token.raw(texts);
        if transposed.labels.get(member).is_some_and(|label| label.raw(texts) == raw) {
            return member;
        }
        let mut scratch = Vec::new();
        for row in transposed.by_label.len()..transposed.labels.len() {
            let name = transposed.labels[row].text(texts, &mut scratch).unwrap_or_default();
            transposed.by_label.insert(name.to_vec(), row);
        }
        let name = key.owned_name(self.window.bytes());
        if let Some(row) = transposed.by_label.get(&name) {
            return *row;
        }
        let row = transposed.labels.len();
        let label = self.keep(key.token);
        transposed.labels.push(label);
        row
    }

    /// Whether another member follows; goes to it.
    pub(super) fn has_member(&mut self, next: &mut Next) -> Result<bool> {
        loop {
            match (*next, self.solid_byte()?) {
                (_, None) => return Err(self.fault_here(What::End)),
                (Next::First | Next::Comma, Some(b'}')) => {
                    self.window.at += 1;
                    return Ok(false);
                }
                (Next::Value, Some(b'}')) => return Err(self.fault_here(What::TrailingComma)),
                (Next::Comma, Some(b',')) => {
                    self.window.at += 1;
                    *next = Next::Value;
                }
                (Next::Comma, _) => return Err(self.fault_here(What::Expected("`,` or `}`"))),
                (Next::First | Next::Value, _) => {
                    *next = Next::Comma;
                    self.window.forget();
                    return Ok(true);
                }
            }
        }
    }

    /// Copies a value into the store.
    pub(super) fn keep(&mut self, token: Token) -> Token {
        let raw = token.raw(Texts { window: self.window.bytes(), store: &[] });
        let start = self.store.len();
        self.store.extend_from_slice(raw);
        let kept = Token::new(start, self.store.len(), token.kind);
        Token { stored: true, ..kept }
    }

    fn check_memory(&self, transposed: &Transposed, tokens: usize) -> Result<()> {
        let token_bytes = size_of::<Option<Token>>();
        let columns = transposed.columns.len() + 2;
        let names = transposed.by_label.len() * LABEL_BYTES;
        let taken = self.store.len() + columns * tokens * token_bytes + names;
        if taken <= self.settings.memory_bytes {
            return Ok(());
        }
        Err(self.too_much_memory("a document of columns has to be kept whole"))
    }

    pub(super) fn too_much_memory(&self, why: &str) -> Error {
        let message = format!("{why}, which takes more than {} bytes", self.settings.memory_bytes);
        let place = self.window.place(self.window.at);
        Error::new(ErrorKind::Unsupported, message)
            .with_hint(
                "write the file as rows (pandas: `orient=\"records\", lines=True`), or allow more \
                 memory",
            )
            .at(decant_core::Position {
                file: String::new(),
                line: Some(place.line),
                byte: Some(place.byte),
                column: None,
            })
    }
}

//! A document of pandas' orient `split`, its parts in any order:
//! `{"columns": […], "index": […], "data": [[…], …]}`.
//!
//! The names of columns and rows have to be known before the rows. Where they
//! stand behind them, the document is kept up to there within the memory that
//! the options allow, and refused beyond it.

use decant_core::Result;

use super::around::Around;
use super::columns::names_of;
use super::extent::{self, Extent};
use super::fault::{Fault, What};
use super::reading::{Next, Reading, Source};
use super::scanner::{Memory, Scanner, Stop, repeated_key};
use super::token::{Key, Texts, Token};

const EXPECTED: &str = "`columns`, `data` or `index`, each an array";

/// Where the arrays of a document begin.
#[derive(Default)]
struct Parts {
    columns: Option<usize>,
    index: Option<usize>,
    data: Option<usize>,
    /// Whether there are no more.
    complete: bool,
}

impl Parts {
    /// Looks at the object at `start` as far as it is at hand, or as far as
    /// it has to be known before its rows are read.
    fn look(&mut self, bytes: &[u8], start: usize, ended: bool) -> Result<(), Stop> {
        let mut memory = Memory::default();
        let mut scanner = Scanner::new(bytes, start, ended, &mut memory);
        scanner.expect(b'{', "an object")?;
        scanner.space();
        while scanner.peek()? != b'}' {
            let key = scanner.key()?;
            let array = scanner.peek()? == b'[';
            let at = scanner.at;
            let part = match key.owned_name(bytes).as_slice() {
                b"columns" if array => &mut self.columns,
                b"index" if array => &mut self.index,
                b"data" if array => &mut self.data,
                _ => return Err(Stop::Fault(unexpected(key))),
            };
            if part.replace(at).is_some() {
                return Err(Stop::Fault(repeated_key(key)));
            }
            if self.data == Some(at) && self.columns.is_some() && self.index.is_some() {
                return Ok(());
            }
            match extent::of_member(bytes, at, b'}', ended) {
                Extent::Ends(end) if self.data == Some(at) => scanner.at = end,
                Extent::Incomplete if self.data == Some(at) => return Err(Stop::Incomplete),
                _ => scanner.value(1).map(|_| ())?,
            }
            scanner.space();
            if scanner.peek()? == b',' {
                scanner.at += 1;
            } else if scanner.peek()? != b'}' {
                return Err(scanner.unexpected("`,` or `}`"));
            }
        }
        self.complete = true;
        Ok(())
    }
}

fn unexpected(key: Key) -> Fault {
    Fault::new(key.token.start as usize, key.token.end as usize, What::Expected(EXPECTED))
}

impl Reading<'_> {
    /// Goes to the first row of the object at hand, whose names are read
    /// before.
    pub(super) fn read_split(&mut self) -> Result<()> {
        let start = self.window.at;
        let parts = self.find_parts()?;
        let (Some(columns), Some(data)) = (parts.columns, parts.data) else {
            let what = What::Expected("an object with `columns` and `data`");
            return Err(self.window.malformed(Fault::new(start, start + 1, what)));
        };
        self.window.at = columns;
        let tokens = self.keep_elements()?;
        let index = match parts.index {
            None => None,
            Some(index) => {
                self.window.at = index;
                self.columns.index();
                Some(self.keep_elements()?.into_iter())
            }
        };
        let names = names_of(Texts { window: &[], store: &self.store }, &tokens);
        self.columns.name_elements(names);
        self.window.at = data + 1;
        self.around.push(match parts.complete {
            true => Around::Object(b"data".to_vec()),
            false => Around::Split,
        });
        self.source = Source::Elements(Next::First, index);
        Ok(())
    }

    fn find_parts(&mut self) -> Result<Parts> {
        let start = self.window.at;
        let limit = start + self.settings.memory_bytes;
        loop {
            let mut parts = Parts::default();
            let bytes = self.window.bytes();
            let ended = self.window.has_ended() && bytes.len() <= limit;
            match parts.look(&bytes[..bytes.len().min(limit)], start, ended) {
                Ok(()) => return Ok(parts),
                Err(Stop::Fault(fault)) => return Err(self.window.malformed(fault)),
                Err(Stop::Incomplete) => {}
            }
            if self.window.more(start, self.settings.memory_bytes)? {
                continue;
            }
            if parts.columns.is_some() && parts.data.is_some() {
                return Ok(parts);
            }
            return Err(
                self.too_much_memory("`columns` stands behind `data`, which has to be kept")
            );
        }
    }

    /// Reads the array at hand into the store.
    pub(super) fn keep_elements(&mut self) -> Result<Vec<Token>> {
        let mut tokens = Vec::new();
        let mut after_comma = false;
        self.window.at += 1;
        loop {
            match self.solid_byte()? {
                None => return Err(self.fault_here(What::End)),
                Some(b']') if after_comma => return Err(self.fault_here(What::TrailingComma)),
                Some(b']') => {
                    self.window.at += 1;
                    return Ok(tokens);
                }
                Some(b',') if !tokens.is_empty() && !after_comma => {
                    self.window.at += 1;
                    after_comma = true;
                    continue;
                }
                Some(_) if !tokens.is_empty() && !after_comma => {
                    return Err(self.fault_here(What::Expected("`,` or `]`")));
                }
                Some(_) => {}
            }
            after_comma = false;
            let value = self.take_value()?;
            tokens.push(self.keep(value));
            if self.store.len() + tokens.len() * size_of::<Token>() > self.settings.memory_bytes {
                return Err(self.too_much_memory("the names of the rows have to be kept"));
            }
        }
    }
}

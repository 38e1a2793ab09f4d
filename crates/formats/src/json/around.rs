//! What stands around the rows of a document: passed over without being kept,
//! and checked, since a document that is cut or broken anywhere is so as a
//! whole.

use decant_core::Result;

use super::fault::What;
use super::reading::{BLOCK_BYTES, Reading};
use super::scanner::{Scanner, Stop, repeated_key};

/// A container around the rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Around {
    Array,
    /// The rows are below this key.
    Object(Vec<u8>),
    /// An object that ends with its rows.
    Split,
}

impl Reading<'_> {
    /// The next byte that is no white space, which empties the window.
    pub(super) fn solid_byte(&mut self) -> Result<Option<u8>> {
        loop {
            match self.window.next_byte()? {
                Some(b' ') => self.window.forget(),
                byte => return Ok(byte),
            }
        }
    }

    /// Passes over the value at hand, however long, and empties the window.
    pub(super) fn pass_value(&mut self) -> Result<()> {
        let mut begun = false;
        let limit = self.settings.row_bytes_max;
        loop {
            let (at, ended) = (self.window.at, self.window.has_ended());
            let mut scanner = Scanner::passing(self.window.bytes(), at, ended, &mut self.memory);
            let passed = if begun { scanner.pass() } else { scanner.begin_passing() };
            let end = scanner.at;
            match passed {
                Ok(goes_on) if end.saturating_sub(at) <= limit => {
                    begun = true;
                    self.window.at = end;
                    if self.window.at > BLOCK_BYTES {
                        self.window.forget();
                    }
                    if !goes_on {
                        return Ok(());
                    }
                }
                Err(Stop::Fault(fault)) if fault.end.saturating_sub(at) <= limit => {
                    return Err(self.window.malformed(fault));
                }
                Err(Stop::Incomplete) => {
                    self.window.forget();
                    if !self.window.more(0, limit)? {
                        return Err(self.too_long());
                    }
                }
                _ => return Err(self.too_long()),
            }
        }
    }

    /// Reads what stands around and behind the rows: a document that is cut
    /// or broken there is so as a whole.
    pub(super) fn pass_rest(&mut self) -> Result<()> {
        while let Some(around) = self.around.pop() {
            self.pass_siblings(&around)?;
        }
        if self.solid_byte()?.is_some() {
            return Err(self.behind());
        }
        self.done = true;
        Ok(())
    }

    /// Reads what stands behind rows that are kept already.
    pub(super) fn finish_early(&mut self) -> Result<()> {
        self.pass_rest()?;
        self.done = false;
        Ok(())
    }

    fn pass_siblings(&mut self, around: &Around) -> Result<()> {
        let closer = if *around == Around::Array { b']' } else { b'}' };
        loop {
            match self.solid_byte()? {
                None => return Err(self.fault_here(What::End)),
                Some(byte) if byte == closer => {
                    self.window.at += 1;
                    return Ok(());
                }
                Some(_) if *around == Around::Split => {
                    return Err(self.fault_here(What::Expected("`}` behind the data")).with_hint(
                        "a document of orient `split` has `columns`, `index` and `data`, and in \
                         one that is larger than the memory for it they stand before `data`",
                    ));
                }
                Some(b',') => self.window.at += 1,
                Some(_) if *around == Around::Array => {
                    return Err(self.fault_here(What::Expected("`,` or `]`")));
                }
                Some(_) => return Err(self.fault_here(What::Expected("`,` or `}`"))),
            }
            if self.solid_byte()? == Some(closer) {
                return Err(self.fault_here(What::TrailingComma));
            }
            if let Around::Object(rows) = around {
                let key = self.take_key()?;
                if key.owned_name(self.window.bytes()) == *rows {
                    return Err(self.window.malformed(repeated_key(key)));
                }
            }
            self.solid_byte()?;
            self.pass_value()?;
        }
    }
}

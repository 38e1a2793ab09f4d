//! What is wrong with a JSON text, and where: a sentence for people.
//!
//! Not here: what becomes of it. Whether a row is rejected or its file
//! refused is for [`super::reading`] to say.

use decant_core::reject::Reason;

use crate::values::complaint::quoted;

/// A place in some bytes, and what is wrong there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Where the trouble begins.
    pub(crate) at: usize,
    /// Behind the last byte that is worth quoting.
    pub(super) end: usize,
    pub(super) what: What,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// Something else had to stand here.
    Expected(&'static str),
    /// The text ends inside a value.
    End,
    TrailingComma,
    Comment,
    /// `NaN`, `Infinity`, `None`, `True`: words of other languages.
    Word,
    LeadingZero,
    Control,
    Escape,
    /// Half of a pair of surrogates.
    Surrogate,
    RepeatedKey,
    Depth(usize),
    /// Bytes without a meaning in the encoding of this name.
    Encoding(&'static str),
    /// Something stands behind the value.
    Behind,
    /// A value that does not end within so many bytes.
    Long(usize),
    /// A row of so many values, where there are other columns.
    FieldCount(usize, usize),
}

impl Fault {
    pub(super) fn new(at: usize, end: usize, what: What) -> Self {
        Self { at, end, what }
    }

    /// Behind the last byte that had to be seen to tell it.
    pub(super) fn seen_up_to(&self) -> usize {
        let least = match self.what {
            What::Long(most) => self.at.saturating_add(most),
            _ => self.at,
        };
        self.end.max(least.saturating_add(1))
    }

    /// The word for a row with this fault.
    pub(crate) fn reason(&self) -> Reason {
        match self.what {
            What::Encoding(_) => Reason::Encoding,
            What::Long(_) => Reason::TooLong,
            What::FieldCount(..) => Reason::FieldCount,
            _ => Reason::Syntax,
        }
    }

    /// The sentence, quoting what of `bytes` is to blame.
    pub(crate) fn sentence(&self, bytes: &[u8]) -> String {
        let end = self.end.clamp(self.at, bytes.len());
        let found = quoted(bytes.get(self.at..end).unwrap_or_default());
        match self.what {
            What::Expected(expected) => format!("{found} stands where {expected} is expected"),
            What::End => "the text ends inside a value".to_owned(),
            What::TrailingComma => "a comma stands behind the last member".to_owned(),
            What::Comment => "JSON has no comments".to_owned(),
            What::Word => format!("{found} is no JSON value"),
            What::LeadingZero => format!("the number {found} begins with a zero"),
            What::Control => format!("the character {found} stands unescaped in a string"),
            What::Escape => format!("{found} is no escape"),
            What::Surrogate => format!("{found} is half of a pair of surrogates"),
            What::RepeatedKey => format!("the key {found} is repeated"),
            What::Depth(most) => format!("values are nested more than {most} deep"),
            What::Encoding("UTF-8") => {
                let byte = bytes.get(self.at).copied().unwrap_or_default();
                format!(
                    "the byte 0x{byte:02X} is not UTF-8: if the file is in another encoding, name \
                     it with `--encoding`"
                )
            }
            What::Encoding(name) => format!("there are bytes that are not {name}"),
            What::Behind => format!("{found} stands behind the value"),
            What::Long(most) => format!("the value does not end within {most} bytes"),
            What::FieldCount(found, columns) => {
                let values = if found == 1 { "value" } else { "values" };
                let noun = if columns == 1 { "column" } else { "columns" };
                format!("the row has {found} {values} where the file has {columns} {noun}")
            }
        }
    }
}

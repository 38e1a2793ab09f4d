//! The encoding that a document declares, and the input as it was before
//! somebody looked.
//!
//! A declaration is only believed where it can be true: whoever can read it
//! byte by byte does not read UTF-16.

use bytes::{Bytes, BytesMut};
use decant_core::format::Input;
use decant_core::{Error, ErrorKind, Result};

use crate::encoding::check_label;

/// Bytes of a file's beginning in which a declaration ends.
const LOOK_BYTES: usize = 1024;
const UTF_8_MARK: &[u8] = b"\xef\xbb\xbf";

/// An input whose beginning is known.
pub(super) struct Begun<'i> {
    input: &'i mut dyn Input,
    beginning: Option<Bytes>,
}

impl<'i> Begun<'i> {
    /// Reads the beginning of `input`.
    pub(super) fn new(input: &'i mut dyn Input) -> Result<Self> {
        let mut beginning = BytesMut::new();
        while beginning.len() < LOOK_BYTES {
            let Some(chunk) = input.next_chunk()? else { break };
            beginning.extend_from_slice(&chunk);
        }
        let beginning = Some(beginning.freeze()).filter(|beginning| !beginning.is_empty());
        Ok(Self { input, beginning })
    }

    /// The label of the encoding that the document declares.
    ///
    /// Errors: `Unsupported` for a label that no encoding has.
    pub(super) fn declared_encoding(&self) -> Result<Option<String>> {
        let Some(label) = self.beginning.as_deref().and_then(declared) else { return Ok(None) };
        let wide = ["utf-16", "utf16", "ucs-2", "unicode", "utf-32", "ucs-4"];
        let lower = label.to_ascii_lowercase();
        if wide.iter().any(|wide| lower.starts_with(wide) || lower.contains("10646")) {
            return Ok(None);
        }
        if check_label(&label).is_err() {
            let message = format!("the document declares the encoding `{label}`, which is unknown");
            return Err(Error::new(ErrorKind::Unsupported, message)
                .with_hint("say which one it is with `--encoding`"));
        }
        Ok(Some(label))
    }
}

impl Input for Begun<'_> {
    fn next_chunk(&mut self) -> Result<Option<Bytes>> {
        match self.beginning.take() {
            Some(chunk) => Ok(Some(chunk)),
            None => self.input.next_chunk(),
        }
    }

    fn range(&mut self, range: std::ops::Range<u64>) -> Result<Bytes> {
        self.input.range(range)
    }

    fn size(&self) -> Option<u64> {
        self.input.size()
    }
}

/// The value of `encoding` in the XML declaration at the beginning.
fn declared(beginning: &[u8]) -> Option<String> {
    let text = beginning.strip_prefix(UTF_8_MARK).unwrap_or(beginning);
    let inside = text.strip_prefix(b"<?xml")?;
    let end = memchr::memmem::find(inside, b"?>")?;
    let inside = inside.get(..end)?;
    let at = memchr::memmem::find(inside, b"encoding")?;
    let value = inside.get(at + b"encoding".len()..)?.trim_ascii_start();
    let value = value.strip_prefix(b"=")?.trim_ascii_start();
    let quote = *value.first().filter(|byte| matches!(byte, b'"' | b'\''))?;
    let value = value.get(1..)?;
    let value = value.get(..memchr::memchr(quote, value)?)?;
    let is_label = value.iter().all(|byte| byte.is_ascii_graphic());
    (is_label && !value.is_empty()).then(|| String::from_utf8_lossy(value).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Chunks;

    #[test]
    fn a_declaration_names_the_encoding() {
        for (document, expected) in [
            ("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a/>", Some("ISO-8859-1")),
            ("<?xml version='1.0' encoding = 'utf-8' standalone='yes'?>", Some("utf-8")),
            ("\u{feff}<?xml version='1.0' encoding='utf-8'?>", Some("utf-8")),
            ("<?xml version='1.0' encoding='UTF-16'?><a/>", None),
            ("<?xml version='1.0'?><a encoding='latin1'/>", None),
            ("<a/>", None),
            ("", None),
        ] {
            let mut input = Chunks::new(document.as_bytes(), 3);
            let mut begun = Begun::new(&mut input).unwrap();
            assert_eq!(begun.declared_encoding().unwrap().as_deref(), expected, "{document}");
            let mut read = Vec::new();
            while let Some(chunk) = begun.next_chunk().unwrap() {
                read.extend_from_slice(&chunk);
            }
            assert_eq!(read, document.as_bytes());
        }
        let mut input = Chunks::new(b"<?xml version='1.0' encoding='klingon'?><a/>", 100);
        let error = Begun::new(&mut input).unwrap().declared_encoding().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }
}

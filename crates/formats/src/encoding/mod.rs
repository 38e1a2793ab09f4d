//! Text in any encoding as UTF-8: stands between decompression and a decoder
//! of text.
//!
//! Which encoding it is: a byte-order mark wins, then what the options say,
//! then a guess from the file's beginning (`guess`), which is reported. The
//! mark itself is passed over.
//!
//! UTF-8 passes through as it is, without validation. In every other encoding
//! a byte sequence without a meaning becomes the one byte
//! `malformed::MALFORMED`, which no UTF-8 contains, so that
//! whoever validates the text finds it in the row that it belongs to. Who
//! wants such a row as it stands in the file asks for its original.
//!
//! Invariants: memory is bounded by the beginning that is looked at, one
//! chunk and the originals that are asked for; nothing depends on how the input is chunked.

mod binary;
mod foreign;
mod guess;
mod label;
pub(crate) mod malformed;
mod offsets;
mod originals;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::ops::Range;

use bytes::{Bytes, BytesMut};
use decant_core::Result;
use decant_core::format::{Input, Piece};
use decant_core::stream::FormatOptions;
use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};
pub(crate) use offsets::Offsets;
use originals::Originals;

/// Bytes of a file's beginning from which its encoding is guessed.
const BEGINNING_BYTES: usize = 256 << 10;
/// Bytes that are decoded together.
const CHUNK_BYTES: usize = 64 << 10;
/// With what DOS ends a text, and fills up its last block: Ctrl-Z.
const END_MARK: u8 = 0x1a;
/// End marks at most.
const END_MARKS_MAX: usize = 128;

/// Checks the name of an encoding, without a file.
///
/// Errors: `InvalidConfig` for a label that no encoding has.
pub fn check_label(label: &str) -> Result<()> {
    label::encoding_of(label).map(|_| ())
}

/// An encoding that somebody or something named, if any did.
type Given = Option<&'static Encoding>;

/// A file's text as UTF-8, without its byte-order mark.
pub struct Transcoded<'i> {
    input: &'i mut dyn Input,
    encoding: &'static Encoding,
    explanation: Option<String>,
    by: guess::By,
    /// What has been read and not been decoded.
    waiting: VecDeque<Bytes>,
    /// What has been decoded, looked at and not been handed on.
    ready: VecDeque<Bytes>,
    decoder: Option<Decoder>,
    /// The first byte of a UTF-16 unit whose second one is yet to come.
    half: Option<u8>,
    /// End marks that were read last: no text, if nothing follows.
    end_marks: usize,
    offsets: Offsets,
    originals: Option<Originals>,
    ended: bool,
}

/// What is kept of a file beside its text.
#[derive(Clone, Copy)]
pub(crate) struct Kept<'t> {
    pub(crate) offsets: &'t Offsets,
    originals: Option<&'t Originals>,
    encoding: &'static Encoding,
}

impl Kept<'_> {
    /// The file's own bytes of whole lines of the text, the last line's end
    /// left out; `None` where they are not kept, or are the text's.
    pub(crate) fn original(&self, text: Range<u64>) -> Option<Vec<u8>> {
        let originals = self.originals?;
        let (line, start) = self.offsets.known_before(text.start);
        let (behind, end) = self.offsets.known_behind(text.end)?;
        let line_end = behind - text.end;
        if line != text.start || line_end > 1 {
            return None;
        }
        let is_wide = self.encoding == UTF_16LE || self.encoding == UTF_16BE;
        let end = end.checked_sub(line_end * if is_wide { 2 } else { 1 })?;
        originals.slice(start..end)
    }

    /// The encoding's name, as people write it.
    pub(crate) fn name(&self) -> &'static str {
        self.encoding.name()
    }
}

/// The first bytes of a text.
pub(crate) struct Beginning {
    /// As UTF-8.
    pub(crate) text: Bytes,
    /// Whether this is all of it.
    pub(crate) whole: bool,
}

impl<'i> Transcoded<'i> {
    /// Looks at the beginning of `input`, which starts at the file's first
    /// byte, and decides what its encoding is.
    ///
    /// Errors: `InvalidConfig` for a label that no encoding has,
    /// `Unsupported` for what is no text or is UTF-32, `MalformedFile` for
    /// what looks like binary data although nobody named an encoding.
    pub fn new(input: &'i mut dyn Input, options: &FormatOptions) -> Result<Self> {
        Self::decided(input, options, guess::decide)
    }

    /// The same for JSON, of which nothing is guessed by its words: it is
    /// UTF-8, or UTF-16 by its zeros, unless a mark or somebody says
    /// otherwise.
    ///
    /// Errors: as of [`Transcoded::new`].
    pub(crate) fn of_json(input: &'i mut dyn Input, options: &FormatOptions) -> Result<Self> {
        let decide = |beginning: &[u8], given, _| guess::decide_json(beginning, given);
        Self::decided(input, options, decide)
    }

    fn decided(
        input: &'i mut dyn Input,
        options: &FormatOptions,
        decide: fn(&[u8], Given, Given) -> guess::Decided,
    ) -> Result<Self> {
        let given = options.encoding.as_deref().map(label::encoding_of).transpose()?;
        let (mut waiting, beginning) = read_beginning(input)?;
        foreign::refuse(&beginning)?;
        let habits = options.habits.as_ref().and_then(|habits| habits.options.encoding.as_deref());
        let usual = habits.and_then(|label| label::encoding_of(label).ok());
        let decided = decide(&beginning, given, usual);
        if given.is_none() && decided.mark_bytes == 0 {
            binary::refuse(&beginning, decided.encoding, options.delimiter.as_deref())?;
        }
        drop_front(&mut waiting, decided.mark_bytes);
        let passes = decided.encoding == UTF_8;
        Ok(Self {
            input,
            encoding: decided.encoding,
            explanation: decided.explanation,
            by: decided.by,
            waiting,
            ready: VecDeque::new(),
            decoder: (!passes).then(|| decided.encoding.new_decoder_without_bom_handling()),
            half: None,
            end_marks: 0,
            offsets: Offsets::new(decided.mark_bytes as u64, passes),
            originals: None,
            ended: false,
        })
    }

    /// The text of a piece, which `input` has, of a file in UTF-8 that begins
    /// with a mark of `mark_bytes`.
    pub(crate) fn of_piece(
        input: &'i mut dyn Input,
        piece: &Piece,
        mark_bytes: u64,
    ) -> Result<Self> {
        let (start, passed_over) = match piece.is_later() {
            true => (piece.bytes.start, 0),
            false => (mark_bytes, mark_bytes as usize),
        };
        let mut waiting = VecDeque::new();
        let mut read = 0;
        while read < passed_over
            && let Some(chunk) = input.next_chunk()?
        {
            read += chunk.len();
            waiting.push_back(chunk);
        }
        drop_front(&mut waiting, passed_over);
        Ok(Self {
            input,
            encoding: UTF_8,
            explanation: None,
            by: guess::By::Default,
            waiting,
            ready: VecDeque::new(),
            decoder: None,
            half: None,
            end_marks: 0,
            offsets: Offsets::new(start, true),
            originals: None,
            ended: false,
        })
    }

    /// Whether the text is the file's own bytes: UTF-8.
    pub(crate) fn passes(&self) -> bool {
        self.decoder.is_none()
    }

    /// Remembers where lines begin in the file.
    pub(crate) fn with_offsets(mut self) -> Self {
        self.offsets.remember();
        self
    }

    /// Keeps the file's own bytes besides, as long as lines are remembered.
    pub(crate) fn with_originals(mut self) -> Self {
        let start = self.offsets.in_file(0);
        self.originals = self.decoder.is_some().then(|| Originals::new(start));
        self
    }

    /// What is kept of the file.
    pub(crate) fn kept(&self) -> Kept<'_> {
        let Self { offsets, originals, encoding, .. } = self;
        Kept { offsets, originals: originals.as_ref(), encoding }
    }

    /// The encoding's label, in lower case.
    pub fn label(&self) -> String {
        self.encoding.name().to_ascii_lowercase()
    }

    /// The encoding's name, as people write it.
    pub fn name(&self) -> &'static str {
        self.encoding.name()
    }

    /// Why the text is read in this encoding; nothing for plain UTF-8.
    pub fn explanation(&self) -> Option<&str> {
        self.explanation.as_deref()
    }

    /// What is to be said of an encoding that was guessed.
    pub(crate) fn guess(&self) -> Option<&str> {
        self.explanation().filter(|_| self.by == guess::By::Guess)
    }

    /// The label, where the text itself shows what it is.
    pub(crate) fn shown_label(&self) -> Option<String> {
        let is_shown = match self.by {
            guess::By::Content => true,
            guess::By::Guess => self.encoding != UTF_8,
            guess::By::Word | guess::By::Default => false,
        };
        is_shown.then(|| self.label())
    }

    /// Where in the file, in bytes of its own encoding, the text's bytes
    /// stand. Exact for the first byte of a line and for the end.
    pub(crate) fn offsets(&self) -> &Offsets {
        &self.offsets
    }

    /// Bytes of the file that `text` takes in its encoding.
    pub(crate) fn encoded_bytes(&self, text: &[u8]) -> u64 {
        if self.decoder.is_none() {
            return text.len() as u64;
        }
        let encoded = |text: &str| {
            if self.encoding == UTF_16LE || self.encoding == UTF_16BE {
                return text.encode_utf16().count() as u64 * 2;
            }
            self.encoding.encode(text).0.len() as u64
        };
        let parts = text.utf8_chunks();
        parts.map(|part| encoded(part.valid()) + part.invalid().len() as u64).sum()
    }

    /// Forgets where lines before `offset` of the text begin in the file.
    pub(crate) fn forget_before(&mut self, offset: u64) {
        self.offsets.forget_before(offset);
        let (_, kept) = self.offsets.known_before(offset);
        if let Some(originals) = &mut self.originals {
            originals.forget_before(kept);
        }
    }

    /// The text's first `bytes_max` bytes, fewer at the end, without passing
    /// them. To be asked before anything is passed.
    pub(crate) fn beginning(&mut self, bytes_max: usize) -> Result<Beginning> {
        let mut count: usize = self.ready.iter().map(Bytes::len).sum();
        while count <= bytes_max {
            let Some(chunk) = self.text_chunk()? else { break };
            count += chunk.len();
            self.ready.push_back(chunk);
        }
        let whole = count <= bytes_max;
        let mut text = match self.ready.len() {
            1 => self.ready[0].clone(),
            _ => {
                let mut joined = BytesMut::with_capacity(count);
                self.ready.iter().for_each(|chunk| joined.extend_from_slice(chunk));
                joined.freeze()
            }
        };
        text.truncate(bytes_max);
        Ok(Beginning { text, whole })
    }

    fn next_raw(&mut self) -> Result<Option<Bytes>> {
        match self.waiting.pop_front() {
            Some(chunk) => Ok(Some(chunk)),
            None => self.input.next_chunk(),
        }
    }

    /// The next part of the text, which is not empty: end marks only where
    /// something follows them.
    fn text_chunk(&mut self) -> Result<Option<Bytes>> {
        while let Some(mut chunk) = self.decode_chunk()? {
            if self.end_marks > 0 {
                let mut joined = BytesMut::from(&[END_MARK; END_MARKS_MAX][..self.end_marks]);
                joined.extend_from_slice(&chunk);
                chunk = joined.freeze();
            }
            let last = chunk.iter().rev().take(END_MARKS_MAX);
            self.end_marks = last.take_while(|byte| **byte == END_MARK).count();
            chunk.truncate(chunk.len() - self.end_marks);
            if !chunk.is_empty() {
                return Ok(Some(chunk));
            }
        }
        Ok(None)
    }

    /// What is to be said of the text's end, once it has been read.
    pub(crate) fn end(&self) -> Option<&'static str> {
        (self.end_marks > 0)
            .then_some("the Ctrl-Z (0x1A) at the file's end is left out: DOS ends a text with it")
    }

    fn decode_chunk(&mut self) -> Result<Option<Bytes>> {
        if self.decoder.is_none() {
            return self.next_raw();
        }
        while !self.ended {
            let mut decoded = Vec::new();
            match self.next_raw()? {
                Some(mut chunk) => {
                    if chunk.len() > CHUNK_BYTES {
                        self.waiting.push_front(chunk.split_off(CHUNK_BYTES));
                    }
                    let units = self.whole_units(chunk);
                    self.decode_lines(&units, &mut decoded);
                }
                None => {
                    self.ended = true;
                    let rest: Vec<u8> = self.half.take().into_iter().collect();
                    self.decode(&rest, true, &mut decoded);
                    self.offsets.at_end();
                }
            }
            if !decoded.is_empty() {
                return Ok(Some(decoded.into()));
            }
        }
        Ok(None)
    }

    /// The chunk, so that no UTF-16 unit is cut: with the half that was kept
    /// before, and without the one to be kept.
    fn whole_units(&mut self, chunk: Bytes) -> Bytes {
        if self.encoding != UTF_16LE && self.encoding != UTF_16BE {
            return chunk;
        }
        let mut units = BytesMut::with_capacity(chunk.len() + 1);
        units.extend(self.half.take());
        units.extend_from_slice(&chunk);
        if units.len() % 2 == 1 {
            self.half = units.last().copied();
            units.truncate(units.len() - 1);
        }
        units.freeze()
    }

    /// Decodes line by line, and notes where each one begins.
    fn decode_lines(&mut self, raw: &[u8], output: &mut Vec<u8>) {
        let mut start = 0;
        while start < raw.len() {
            let line_end = self.line_end(&raw[start..]);
            let end = line_end.map_or(raw.len(), |end| start + end);
            self.decode(&raw[start..end], false, output);
            if line_end.is_some() {
                self.offsets.at_line();
            }
            start = end;
        }
    }

    /// Behind the first line end in `raw`.
    fn line_end(&self, raw: &[u8]) -> Option<usize> {
        let unit = match self.encoding {
            encoding if encoding == UTF_16LE => [Some(0), None],
            encoding if encoding == UTF_16BE => [None, Some(0)],
            _ => return memchr::memchr2(b'\n', b'\r', raw).map(|at| at + 1),
        };
        let is_line_end = |pair: &&[u8]| match (pair, unit) {
            ([low, 0], [Some(_), _]) => matches!(low, b'\n' | b'\r'),
            ([0, low], [None, _]) => matches!(low, b'\n' | b'\r'),
            _ => false,
        };
        raw.chunks_exact(2).position(|pair| is_line_end(&pair)).map(|at| at * 2 + 2)
    }

    fn decode(&mut self, raw: &[u8], last: bool, output: &mut Vec<u8>) {
        let Some(decoder) = &mut self.decoder else { return };
        let before = output.len();
        if let Some(originals) = &mut self.originals {
            originals.push(raw);
        }
        decode_into(decoder, raw, last, output);
        self.offsets.passed((output.len() - before) as u64, raw.len() as u64);
    }
}

impl Input for Transcoded<'_> {
    fn next_chunk(&mut self) -> Result<Option<Bytes>> {
        match self.ready.pop_front() {
            Some(chunk) => Ok(Some(chunk)),
            None => self.text_chunk(),
        }
    }

    fn range(&mut self, range: Range<u64>) -> Result<Bytes> {
        self.input.range(range)
    }

    fn size(&self) -> Option<u64> {
        None
    }
}

/// Text in the encoding called `label` as UTF-8, with a byte that UTF-8 never
/// has where there are some without a meaning.
///
/// Errors: `InvalidConfig` for a label that no encoding has.
pub(crate) fn transcribed(raw: &[u8], label: &str) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    let mut decoder = label::encoding_of(label)?.new_decoder_without_bom_handling();
    decode_into(&mut decoder, raw, true, &mut text);
    Ok(text)
}

fn decode_into(decoder: &mut Decoder, mut raw: &[u8], last: bool, output: &mut Vec<u8>) {
    loop {
        let room = decoder.max_utf8_buffer_length_without_replacement(raw.len());
        let from = output.len();
        output.resize(from + room.unwrap_or(raw.len().saturating_mul(3)).max(16), 0);
        let (result, read, written) =
            decoder.decode_to_utf8_without_replacement(raw, &mut output[from..], last);
        output.truncate(from + written);
        raw = &raw[read..];
        match result {
            DecoderResult::InputEmpty => break,
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(..) => output.push(malformed::MALFORMED),
        }
    }
}

fn read_beginning(input: &mut dyn Input) -> Result<(VecDeque<Bytes>, Vec<u8>)> {
    let mut chunks = VecDeque::new();
    let mut beginning = Vec::new();
    while beginning.len() < BEGINNING_BYTES {
        let Some(chunk) = input.next_chunk()? else { break };
        let wanted = (BEGINNING_BYTES - beginning.len()).min(chunk.len());
        beginning.extend_from_slice(&chunk[..wanted]);
        chunks.push_back(chunk);
    }
    Ok((chunks, beginning))
}

fn drop_front(chunks: &mut VecDeque<Bytes>, mut count: usize) {
    while count > 0 {
        let Some(chunk) = chunks.front_mut() else { return };
        let dropped = count.min(chunk.len());
        bytes::Buf::advance(chunk, dropped);
        count -= dropped;
        if chunk.is_empty() {
            chunks.pop_front();
        }
    }
}

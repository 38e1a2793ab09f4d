//! The format of one file: told by somebody, by its name or by its bytes, and
//! given the file decompressed.
//!
//! A format that somebody named is believed. Magic bytes are believed before
//! the ending of a name, and a name that says nothing leaves the choice to
//! the content. Formats that read in order get the decompressed bytes as they
//! come; what was looked at of them is delivered again. Formats that read
//! ranges are handed their file as it is stored, or decompressed into memory,
//! within a bound.
//!
//! Invariant: the choice depends on nothing but the options, the name and the
//! first bytes, so that a sample and a load make the same one.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use decant_core::format::{Format, Input, Piece, Receiver, Sample, SampleLimits};
use decant_core::stream::FormatOptions;
use decant_core::{Error, ErrorKind, Result};

use crate::ahead::with_thread_ahead;
use crate::compression::{Compression, Decompressed, MAGIC_BYTES, Unpacking};
use crate::concerns::strays;
use crate::head::Head;
use crate::recognition::{LOOK_BYTES, Magic, by_content, by_magic, is_html, is_text, looks_like};
use crate::registry::{FormatEntry, Reads, by_name};

/// Who says what a file is.
#[derive(Clone, Copy)]
pub(crate) enum Expected {
    /// Somebody: it is that.
    Named(&'static FormatEntry),
    /// The ending of its name: it is that, unless magic bytes know better.
    Ending(&'static FormatEntry),
    /// Nobody.
    Nothing,
}

/// A file's format, and how the file is compressed.
pub(crate) struct FileFormat {
    pub(crate) expected: Expected,
    pub(crate) options: FormatOptions,
    pub(crate) unpacking: Unpacking,
    /// Whether the file's name or somebody says that it is compressed.
    pub(crate) promised: bool,
    /// Bytes that a decompressed file of ranges may take.
    pub(crate) memory_bytes: u64,
}

/// The format that was chosen.
struct Choice {
    entry: &'static FormatEntry,
    why: Option<String>,
}

/// A format with its name, over an input that it can read.
type Read<'r, T> = &'r mut dyn FnMut(&Choice, &dyn Format, &mut dyn Input) -> Result<T>;

impl FileFormat {
    fn with_input<T>(&self, input: &mut dyn Input, read: Read<'_, T>) -> Result<T> {
        match self.expected {
            Expected::Named(entry) => self.with_known(entry, input, read),
            Expected::Ending(entry) if entry.reads == Reads::Ranges => {
                self.with_known(entry, &mut *input, read).map_err(|error| told(entry, error, input))
            }
            Expected::Ending(_) | Expected::Nothing => self.with_looked_at(input, read),
        }
    }

    fn with_known<T>(
        &self,
        entry: &'static FormatEntry,
        input: &mut dyn Input,
        read: Read<'_, T>,
    ) -> Result<T> {
        let format = (entry.open)(&self.options)?;
        let choice = Choice { entry, why: None };
        if entry.reads == Reads::Ranges && !self.is_compressed(input)? {
            return read(&choice, format.as_ref(), input);
        }
        let mut decompressed = Decompressed::of(Box::new(input), &self.unpacking)?;
        match entry.reads {
            Reads::InOrder => read(&choice, format.as_ref(), &mut decompressed),
            Reads::Ranges => {
                let mut whole = self.in_memory(Bytes::new(), &mut decompressed)?;
                read(&choice, format.as_ref(), &mut whole)
            }
        }
    }

    /// Whether a file that is read by ranges is compressed as a whole, which
    /// is only looked at where something promises it.
    fn is_compressed(&self, input: &mut dyn Input) -> Result<bool> {
        if !self.promised {
            return Ok(false);
        }
        let start_bytes = input.size().unwrap_or_default().min(MAGIC_BYTES as u64);
        let start = input.range(0..start_bytes)?;
        Ok(self.unpacking.is_told_by(&start) != Compression::None)
    }

    fn with_looked_at<T>(&self, input: &mut dyn Input, read: Read<'_, T>) -> Result<T> {
        let mut decompressed = Decompressed::of(Box::new(&mut *input), &self.unpacking)?;
        let start = beginning(&mut decompressed)?;
        let choice = self.choose(&start)?;
        let format = (choice.entry.open)(&self.options)?;
        let is_plain = decompressed.compression() == Compression::None;
        match choice.entry.reads {
            Reads::InOrder => {
                let mut again = Again { start: Some(start), rest: &mut decompressed };
                read(&choice, format.as_ref(), &mut again)
            }
            Reads::Ranges if is_plain => {
                drop(decompressed);
                read(&choice, format.as_ref(), input)
            }
            Reads::Ranges => {
                let mut whole = self.in_memory(start, &mut decompressed)?;
                read(&choice, format.as_ref(), &mut whole)
            }
        }
    }

    fn choose(&self, start: &[u8]) -> Result<Choice> {
        let expected = match self.expected {
            Expected::Named(entry) => return Ok(Choice { entry, why: None }),
            Expected::Ending(entry) => Some(entry),
            Expected::Nothing => None,
        };
        match (by_magic(start), expected) {
            (Some(Magic::Format(name)), Some(entry)) if entry.name == name => {
                Ok(Choice { entry, why: None })
            }
            (Some(Magic::Format(name)), _) => {
                let why = format!("its first bytes are those of {name}, whatever its name is");
                Ok(Choice { entry: by_name(name)?, why: Some(why) })
            }
            (Some(Magic::Archive(kind)), _) => Err(is_archive(kind)),
            (Some(Magic::Foreign(what)), _) => Err(is_foreign(what)),
            (None, Some(entry)) if entry.is_binary && is_text(start) => Err(is_not(entry, start)),
            (None, Some(entry)) => Ok(Choice { entry, why: None }),
            (None, None) => self.by_content(start),
        }
    }

    /// What is left is text, of which options may say what it is.
    fn by_content(&self, start: &[u8]) -> Result<Choice> {
        let options = &self.options;
        let is_delimited = options.delimiter.is_some()
            || options.quote.is_some()
            || options.escape.is_some()
            || options.comment.is_some();
        if is_html(start) && !is_delimited {
            return Err(is_foreign("an HTML page"));
        }
        let name = match by_content(start) {
            _ if is_delimited => "csv",
            _ if options.records_path.is_some() => "json",
            seen => seen,
        };
        let why = (name != "csv").then(|| format!("its content is {name}; its name says nothing"));
        Ok(Choice { entry: by_name(name)?, why })
    }

    /// The rest of a file behind its `start`, decompressed.
    fn in_memory(&self, start: Bytes, rest: &mut dyn Input) -> Result<InMemory> {
        let mut whole = BytesMut::from(start);
        while let Some(chunk) = rest.next_chunk()? {
            if (whole.len() + chunk.len()) as u64 > self.memory_bytes {
                return Err(too_large(self.memory_bytes));
            }
            whole.extend_from_slice(&chunk);
        }
        Ok(InMemory { bytes: whole.freeze(), delivered: false })
    }
}

impl Format for FileFormat {
    fn sample(&self, input: &mut dyn Input, limits: SampleLimits) -> Result<Sample> {
        if input.size() == Some(0) {
            let explanation = vec!["the file has no bytes, and so no rows".to_owned()];
            return Ok(Sample { complete: true, explanation, ..Sample::default() });
        }
        self.with_input(input, &mut |choice, format, input| {
            let mut sample = format.sample(input, limits)?;
            if !reports_options(choice.entry) {
                let name = Some(choice.entry.name.to_owned());
                sample.columns.options =
                    FormatOptions { name, habits: None, ..self.options.clone() };
            }
            sample.explanation.splice(0..0, choice.why.clone());
            sample.explanation.extend(self.strays(choice.entry));
            Ok(sample)
        })
    }

    fn pieces(
        &self,
        input: &mut dyn Input,
        piece_bytes: u64,
        found: &mut dyn FnMut(Piece) -> bool,
    ) -> Result<Option<&'static str>> {
        let size = input.size().unwrap_or_default();
        if size <= piece_bytes {
            found(Piece::whole(size));
            return Ok(None);
        }
        match self.uncompressed(input)? {
            Some(choice) => (choice.entry.open)(&self.options)?.pieces(input, piece_bytes, found),
            None => {
                found(Piece::whole(size));
                Ok(Some("it is compressed"))
            }
        }
    }

    fn decode(
        &self,
        piece: &Piece,
        input: &mut dyn Input,
        receiver: &mut dyn Receiver,
    ) -> Result<()> {
        if input.size() == Some(0) {
            return Ok(());
        }
        if piece.is_part_of(input) {
            let choice = self.uncompressed(input)?.ok_or_else(|| {
                Error::new(ErrorKind::Internal, "a compressed file was cut into pieces")
            })?;
            let strays = self.strays(choice.entry).filter(|_| !piece.is_later());
            strays.into_iter().for_each(|note| receiver.note(note));
            return (choice.entry.open)(&self.options)?.decode(piece, input, receiver);
        }
        self.with_input(input, &mut |choice, format, input| {
            let whole = input.size().map(Piece::whole);
            let piece = match choice.entry.reads {
                Reads::Ranges => whole.unwrap_or_else(|| piece.clone()),
                Reads::InOrder => piece.clone(),
            };
            if let Some(strays) = self.strays(choice.entry) {
                receiver.note(strays);
            }
            match choice.entry.reads {
                // What is being unpacked has no size yet.
                Reads::InOrder if input.size().is_none() => {
                    with_thread_ahead(input, |input| format.decode(&piece, input, receiver))
                }
                Reads::InOrder | Reads::Ranges => format.decode(&piece, input, receiver),
            }
        })
    }
}

impl FileFormat {
    /// What the file's beginning says that it is, unless it is compressed.
    fn uncompressed(&self, input: &mut dyn Input) -> Result<Option<Choice>> {
        let mut head = Head::of(input);
        let mut decompressed = Decompressed::of(Box::new(&mut head), &self.unpacking)?;
        let start = beginning(&mut decompressed)?;
        match decompressed.compression() {
            Compression::None => self.choose(&start).map(Some),
            _ => Ok(None),
        }
    }

    /// What is to be said of options that say nothing about a format that was
    /// found; those of one that was named are its giver's to judge.
    fn strays(&self, found: &FormatEntry) -> Option<String> {
        match self.expected {
            Expected::Named(_) => None,
            Expected::Ending(_) | Expected::Nothing => strays(&self.options, found.name),
        }
    }
}

/// Whether what a format's samples say of its options is how the file is read,
/// and not how its rejects are.
fn reports_options(entry: &FormatEntry) -> bool {
    !entry.is_binary && !entry.name.starts_with("json")
}

/// The first bytes of a file, as many as are looked at or all that it has.
fn beginning(input: &mut dyn Input) -> Result<Bytes> {
    let Some(first) = input.next_chunk()? else { return Ok(Bytes::new()) };
    if first.len() >= LOOK_BYTES {
        return Ok(first);
    }
    let mut start = BytesMut::from(first);
    while start.len() < LOOK_BYTES {
        let Some(chunk) = input.next_chunk()? else { break };
        start.extend_from_slice(&chunk);
    }
    Ok(start.freeze())
}

/// What a file of ranges looks like that is not what its name says.
fn told(entry: &FormatEntry, error: Error, input: &mut dyn Input) -> Error {
    if error.kind() != ErrorKind::MalformedFile {
        return error;
    }
    let looked_at = input.size().unwrap_or_default().min(LOOK_BYTES as u64);
    let Ok(start) = input.range(0..looked_at) else { return error };
    match by_magic(&start) {
        Some(Magic::Format(name)) if name == entry.name => error,
        None if !is_text(&start) => error,
        _ => is_not(entry, &start),
    }
}

pub(crate) fn is_not(entry: &FormatEntry, start: &[u8]) -> Error {
    let (looks, name) = looks_like(start);
    let message = format!("its name says {}, but it looks like {looks}", entry.name);
    let cure = match name {
        Some(name) => format!("if that is what it is, say so with `--format {name}`"),
        None => format!("save it as {} or as CSV", entry.name),
    };
    Error::new(ErrorKind::MalformedFile, message).with_hint(cure)
}

fn is_archive(kind: &str) -> Error {
    let message = format!("it is a {kind} archive, which its name does not say");
    Error::new(ErrorKind::Unsupported, message).with_hint(format!(
        "let its name end in `.{kind}`: its members are then files of their own"
    ))
}

fn is_foreign(what: &str) -> Error {
    let message = format!("it is {what}, which decant cannot read");
    Error::new(ErrorKind::Unsupported, message).with_hint(
        "leave it out with `--exclude`; if it is delimited text all the same, say so with \
         `--format csv`",
    )
}

fn too_large(memory_bytes: u64) -> Error {
    let message = format!(
        "the file is compressed as a whole and takes more than {memory_bytes} bytes decompressed, \
         while its format is read here and there"
    );
    Error::new(ErrorKind::Unsupported, message)
        .with_hint("store it decompressed: such formats compress what is in them themselves")
}

/// A file whose beginning was looked at and is delivered again.
struct Again<'a> {
    start: Option<Bytes>,
    rest: &'a mut dyn Input,
}

impl Input for Again<'_> {
    fn next_chunk(&mut self) -> Result<Option<Bytes>> {
        match self.start.take().filter(|start| !start.is_empty()) {
            Some(start) => Ok(Some(start)),
            None => self.rest.next_chunk(),
        }
    }

    fn range(&mut self, range: Range<u64>) -> Result<Bytes> {
        self.rest.range(range)
    }

    fn size(&self) -> Option<u64> {
        self.rest.size()
    }
}

/// A file that has been decompressed.
struct InMemory {
    bytes: Bytes,
    delivered: bool,
}

impl Input for InMemory {
    fn next_chunk(&mut self) -> Result<Option<Bytes>> {
        let is_first = !std::mem::replace(&mut self.delivered, true);
        Ok((is_first && !self.bytes.is_empty()).then(|| self.bytes.clone()))
    }

    fn range(&mut self, range: Range<u64>) -> Result<Bytes> {
        if range.start > range.end || range.end > self.bytes.len() as u64 {
            let message = "the file ends before the bytes that it refers to";
            return Err(Error::new(ErrorKind::MalformedFile, message));
        }
        Ok(self.bytes.slice(range.start as usize..range.end as usize))
    }

    fn size(&self) -> Option<u64> {
        Some(self.bytes.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use decant_core::ErrorKind;

    use crate::registry::for_file;
    use crate::testing::{Collected, Ranges};

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        use std::io::Write;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn parquet() -> Vec<u8> {
        let ids = std::sync::Arc::new(arrow_array::Int64Array::from(vec![1, 2]));
        let batch = arrow_array::RecordBatch::try_from_iter([("id", ids as _)]).unwrap();
        let mut writer =
            parquet::arrow::ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.into_inner().unwrap()
    }

    /// The format that a sample tells, and what is decoded.
    fn load(name: &str, bytes: &[u8]) -> Result<(String, Vec<String>)> {
        let format = for_file(name, &FormatOptions::default())?;
        let sample = format.sample(&mut Ranges::new(bytes), SampleLimits::default())?;
        let mut collected = Collected::default();
        collected.know(&sample);
        let piece = Piece::whole(bytes.len() as u64);
        format.decode(&piece, &mut Ranges::new(bytes), &mut collected)?;
        Ok((sample.columns.options.name.unwrap_or_default(), collected.rows))
    }

    #[test]
    fn bytes_are_believed_before_names() {
        let rows = ["{\"id\":1}", "{\"id\":2}"];
        for (name, bytes, format) in [
            ("data", parquet(), "parquet"),
            ("f.dat", parquet(), "parquet"),
            ("f.csv", parquet(), "parquet"),
            ("f.parquet", parquet(), "parquet"),
            ("f.bin", gzip(&parquet()), "parquet"),
            ("data", b"[{\"id\":1},{\"id\":2}]".to_vec(), "json"),
            ("a.log", b"{\"id\":1}\n{\"id\":2}\n".to_vec(), "json"),
            ("a.txt.gz", gzip(b"{\"id\":1}\n{\"id\":2}\n"), "json"),
            ("a.jsonl", b"{\"id\":1}\n{\"id\":2}\n".to_vec(), "jsonl"),
            ("data", b"id\n1\n2\n".to_vec(), "csv"),
            ("a.txt", b"id\n1\n2\n".to_vec(), "csv"),
        ] {
            let (told, loaded) = load(name, &bytes).unwrap();
            assert_eq!((told.as_str(), loaded.len()), (format, 2), "{name}");
            assert_eq!(loaded, rows, "{name}");
        }
    }

    #[test]
    fn a_large_text_is_delivered_whole() {
        let text: String = (0..60_000).map(|row| format!("{row}\n")).collect();
        for bytes in [text.clone().into_bytes(), gzip(text.as_bytes())] {
            let (_, rows) = load("data", &bytes).unwrap();
            assert_eq!(rows.len(), 60_000);
        }
    }

    #[test]
    fn what_is_not_what_its_name_says_names_the_cure() {
        let mut tar = vec![0; 1024];
        tar[257..262].copy_from_slice(b"ustar");
        let zip = b"PK\x03\x04______________________\x01\0\0\0a".to_vec();
        for (name, bytes, words) in [
            ("a.xlsx", b"id,name\n1,a\n".to_vec(), "--format csv"),
            ("a.xls", b"<html><table><tr>".to_vec(), "save it as"),
            ("a.parquet", b"id,name\n1,a\n1,a\n".to_vec(), "--format csv"),
            ("a.avro", b"[{\"id\":1}]".to_vec(), "--format json"),
            ("f.bin", gzip(&tar), "`.tar`"),
            ("f.csv", zip, "`.zip`"),
            ("f", b"SQLite format 3\0".to_vec(), "--exclude"),
            ("f", b"<!DOCTYPE html>\n<html>".to_vec(), "--exclude"),
        ] {
            let error = load(name, &bytes).unwrap_err();
            let told = format!("{error} {}", error.hint().unwrap_or_default());
            assert!(told.contains(words), "{name}: {told}");
        }
    }

    #[test]
    fn options_that_say_nothing_about_the_format_that_was_found_are_told() {
        let options = FormatOptions { delimiter: Some(";".into()), ..FormatOptions::default() };
        for (name, bytes, expected) in [
            ("a.parquet", parquet(), Some("`delimiter` says nothing about parquet files")),
            ("a", parquet(), Some("`delimiter` says nothing about parquet files")),
            ("a.csv", b"id;n\n1;2\n".to_vec(), None),
        ] {
            let format = for_file(name, &options).unwrap();
            let sample = format.sample(&mut Ranges::new(&bytes), SampleLimits::default()).unwrap();
            let told = sample.explanation.iter().find(|said| said.contains("says nothing"));
            assert_eq!(told.map(String::as_str), expected, "{name}");
            let mut collected = Collected::default();
            collected.know(&sample);
            let piece = Piece::whole(bytes.len() as u64);
            format.decode(&piece, &mut Ranges::new(&bytes), &mut collected).unwrap();
            assert_eq!(collected.notes.first().map(String::as_str), expected, "{name}");
        }
    }

    #[test]
    fn options_that_only_text_has_leave_it_text() {
        let options = FormatOptions { delimiter: Some(";".into()), ..FormatOptions::default() };
        let format = for_file("data", &options).unwrap();
        let mut input = Ranges::new(b"[1];[2]\n");
        let sample = format.sample(&mut input, SampleLimits::default()).unwrap();
        assert_eq!(sample.columns.options.name.as_deref(), Some("csv"));
        let error = for_file("data", &FormatOptions { name: Some("x".into()), ..options }).err();
        assert_eq!(error.unwrap().kind(), ErrorKind::InvalidConfig);
    }
}

//! The way to a file's rows: down the pointer, into the shape that was found or given.

use decant_core::{Error, ErrorKind, Position, Result};

use super::around::Around;
use super::fault::{Fault, What};
use super::reading::{Next, Reading, Source};
use super::scanner::{Memory, Scanner, Stop};
use super::settings::Orient;
use super::shape::{Told, array_of_objects, told};
use super::window::Place;

/// Bytes of a document that are looked at to tell its shape.
const LOOK_BYTES: usize = 1 << 20;
/// Lines that are looked at to tell JSON lines whose first one is broken.
const LINES_LOOKED_AT: usize = 16;
/// Keys that are named where a pointer leads nowhere.
const KEYS_NAMED: usize = 12;

/// How the first value of a text ends.
enum First {
    /// Behind these bytes.
    Complete(usize),
    Broken,
    /// Further on than is looked.
    Longer,
}

impl Reading<'_> {
    /// Finds the first row, and how the others follow.
    pub(super) fn find_rows(&mut self) -> Result<()> {
        let orient = self.settings.orient;
        let lines = orient == Orient::Lines || self.settings.lines_expected;
        let Some(byte) = self.solid_byte()? else {
            return self.empty(lines);
        };
        self.window.forget();
        if let Some(pointer) = self.settings.pointer.clone() {
            let byte = self.follow_pointer(&pointer)?;
            return self.rows_at(byte, orient);
        }
        match orient {
            Orient::Auto => self.tell(byte, lines),
            Orient::Lines => {
                self.source = Source::Lines;
                self.explain("one JSON value a line, as was said");
                Ok(())
            }
            Orient::Records if byte == b'{' => self.tell_values(true),
            orient => self.rows_at(byte, orient),
        }
    }

    /// A text without a value is a file of no lines, and no document.
    fn empty(&mut self, lines: bool) -> Result<()> {
        if lines {
            self.source = Source::Lines;
            self.explain("the file has nothing in it, and so no rows");
            return Ok(());
        }
        Err(self.fault_here(What::End).with_hint(
            "a JSON document has a value, if only `[]`; an empty file of JSON lines is called \
             `.jsonl`, or read with `--format jsonl`",
        ))
    }

    fn explain(&mut self, why: impl Into<String>) {
        self.explanation.push(why.into());
    }

    /// Rows in a document at the value at hand.
    fn rows_at(&mut self, byte: u8, orient: Orient) -> Result<()> {
        let at = self.window.at;
        let wrong = |reading: &Self, why: &str| {
            Err(not_of_this_orient(orient, reading.window.place(at), why))
        };
        match (orient, byte) {
            (Orient::Auto | Orient::Records | Orient::Values | Orient::Lines, b'[') => {
                self.window.at += 1;
                self.source = Source::Elements(Next::First, None);
                self.explain("one array, an element a row");
            }
            (Orient::Auto, b'n') if self.settings.pointer.is_some() => {
                self.pass_value()?;
                self.source = Source::Nothing;
            }
            (Orient::Auto | Orient::Lines, _) => {
                self.source = Source::One;
                self.columns.allow_repeats();
                self.explain("the document is one row");
            }
            (Orient::Records | Orient::Values, _) => {
                return wrong(self, "no array stands where the rows begin");
            }
            (_, byte) if byte != b'{' => {
                return wrong(self, "no object stands where the rows begin");
            }
            (Orient::Split, _) => {
                self.read_split()?;
                self.explain("names, then rows: pandas' orient `split`");
            }
            (Orient::Index, _) => {
                self.window.at += 1;
                self.columns.index();
                self.source = Source::Members(Next::First);
                self.explain("an object of named rows: pandas' orient `index`");
            }
            (Orient::Columns, _) => {
                self.source = Source::Transposed(self.read_columns()?);
                self.finish_early()?;
                self.explain("an object of columns: pandas' orient `columns`");
            }
        }
        Ok(())
    }

    /// Tells the shape of a document nobody said anything about.
    fn tell(&mut self, byte: u8, lines: bool) -> Result<()> {
        let first = self.first_value(LOOK_BYTES)?;
        match (byte, first) {
            (_, First::Broken) => {
                let one_a_line = byte != b'[' || self.first_line_is_closed()?;
                if lines || one_a_line && self.later_lines_are_json()? {
                    self.source = Source::Lines;
                    self.explain("one JSON value a line: later lines are such");
                    return Ok(());
                }
                match self.told_of_broken(byte)? {
                    Some(orient) => self.clearly(orient),
                    None => {
                        self.broken(byte);
                        Ok(())
                    }
                }
            }
            (b'[', First::Longer) => self.rows_at(byte, Orient::Auto),
            (b'[', First::Complete(end)) => {
                let (line_ended, follower) = self.follower(end)?;
                if line_ended && follower == Some(b'[') {
                    self.source = Source::Lines;
                    self.explain("one JSON array a line");
                    return Ok(());
                }
                self.rows_at(byte, Orient::Auto)
            }
            (b'{', _) => self.tell_object(lines),
            _ => self.tell_values(lines),
        }
    }

    /// The orient of an object with a fault inside, where it is clear and a
    /// fault of one row stays with it.
    fn told_of_broken(&mut self, byte: u8) -> Result<Option<Orient>> {
        let told = if byte == b'{' { self.told()? } else { Told::Row };
        Ok(match told {
            Told::Clear(orient @ (Orient::Split | Orient::Index)) => Some(orient),
            _ => None,
        })
    }

    /// The shape of a document that begins with a fault, so that the fault is
    /// found again where rows are read.
    fn broken(&mut self, byte: u8) {
        self.source = match byte {
            b'[' => {
                self.window.at += 1;
                Source::Elements(Next::First, None)
            }
            _ => Source::Values,
        };
    }

    fn tell_object(&mut self, lines: bool) -> Result<()> {
        let alone = match self.first_value(LOOK_BYTES)? {
            First::Complete(end) => self.follower(end)?.1.is_none(),
            _ => true,
        };
        match self.told()? {
            Told::Clear(orient) if alone => return self.clearly(orient),
            Told::Unclear if alone => self.explain(
                "its members have the same keys: if they are rows, say `--format json-index`, if \
                 they are columns, `--format json-columns`",
            ),
            _ => {}
        }
        self.tell_values(lines)
    }

    fn clearly(&mut self, orient: Orient) -> Result<()> {
        self.rows_at(b'{', orient)?;
        self.explain(format!(
            "if the document is one row after all, say `records_path: \"\"`, not `{}`",
            orient.name()
        ));
        Ok(())
    }

    /// What the keys of the object at hand say, those behind its first
    /// megabyte included where they may name its columns.
    fn told(&mut self) -> Result<Told> {
        let at = self.window.at;
        let look = |reading: &Self| told(reading.window.bytes(), at, reading.window.has_ended());
        let first = look(self);
        if first != Told::Later {
            return Ok(first);
        }
        let limit = at + self.settings.memory_bytes;
        match self.first_value(self.settings.memory_bytes)? {
            First::Complete(end) if end <= limit => Ok(look(self)),
            First::Broken => Ok(look(self)),
            First::Complete(_) | First::Longer => {
                Err(self
                    .too_much_memory("if its `columns` stand behind its `data`, it has to be kept"))
            }
        }
    }

    /// One value, values on lines of their own, or behind each other.
    fn tell_values(&mut self, lines: bool) -> Result<()> {
        let start = self.window.at;
        let row_bytes_max = self.settings.row_bytes_max;
        let end = match self.first_value(row_bytes_max)? {
            First::Complete(end) if end - start <= row_bytes_max => end,
            First::Complete(_) | First::Longer if lines => {
                self.source = Source::Lines;
                return Ok(());
            }
            First::Complete(_) | First::Longer => return Err(self.longer_than_a_row(start)),
            First::Broken => {
                self.broken(b'{');
                return Ok(());
            }
        };
        let one_line = memchr::memchr(b'\n', &self.window.bytes()[start..end]).is_none();
        match self.follower(end)? {
            (_, None) if lines => self.source = Source::Lines,
            (_, None) => self.one_value(start),
            (true, Some(follower)) if one_line && self.goes_on_in_lines(follower, lines)? => {
                self.source = Source::Lines;
                self.explain("one JSON value a line");
            }
            _ => {
                self.source = Source::Values;
                self.explain("JSON objects behind each other");
            }
        }
        Ok(())
    }

    fn one_value(&mut self, start: usize) {
        self.source = Source::One;
        self.columns.allow_repeats();
        self.explain("the document is one value, which is one row");
        if let Some(pointer) = array_of_objects(self.window.bytes(), start, true) {
            self.explain(format!(
                "if its rows are the elements of the array inside, say `records_path: {pointer}`"
            ));
        }
    }

    /// Whether what follows the first line goes on as JSON lines do.
    fn goes_on_in_lines(&mut self, follower: u8, lines: bool) -> Result<bool> {
        let begins_value =
            matches!(follower, b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n');
        Ok(lines || begins_value || self.later_lines_are_json()?)
    }

    fn longer_than_a_row(&self, start: usize) -> Error {
        let limit = self.settings.row_bytes_max;
        let pointer = array_of_objects(self.window.bytes(), start, false);
        let cure = match pointer {
            Some(pointer) => format!("say `records_path: {pointer}`"),
            None => "name the place of the rows with `records_path`, or say how they stand \
                     (`--format json-index`, `json-columns`)"
                .to_owned(),
        };
        self.window.malformed(Fault::new(start, start, What::Long(limit))).with_hint(format!(
            "the document is one object, which is one row; if its rows stand inside, {cure}; else \
             allow a larger `record_bytes_max`"
        ))
    }

    /// How the value at hand ends, looking at so many bytes.
    fn first_value(&mut self, bytes_max: usize) -> Result<First> {
        let start = self.window.at;
        loop {
            let ended = self.window.has_ended();
            let mut memory = Memory::default();
            let mut scanner = Scanner::new(self.window.bytes(), start, ended, &mut memory);
            let scanned = scanner.value(0);
            let end = scanner.at;
            match scanned {
                Ok(_) => return Ok(First::Complete(end)),
                Err(Stop::Fault(_)) => return Ok(First::Broken),
                Err(Stop::Incomplete) => {
                    if !self.window.more(start, bytes_max)? {
                        return Ok(First::Longer);
                    }
                }
            }
        }
    }

    /// What follows behind `end`, and whether a line ends before it.
    fn follower(&mut self, end: usize) -> Result<(bool, Option<u8>)> {
        let start = std::mem::replace(&mut self.window.at, end);
        let follower = self.window.next_byte()?;
        let between = self.window.bytes().get(end..self.window.at).unwrap_or_default();
        let line_ended = memchr::memchr(b'\n', between).is_some();
        self.window.at = start;
        Ok((line_ended, follower))
    }

    /// Whether the first line ends as an array does: if not, lines behind it
    /// are elements.
    fn first_line_is_closed(&mut self) -> Result<bool> {
        let start = self.window.at;
        let Some(end) = self.window.line_end(start, LOOK_BYTES)? else { return Ok(false) };
        let line = self.window.bytes().get(start..end).unwrap_or_default();
        Ok(line.trim_ascii_end().ends_with(b"]"))
    }

    /// Whether one of the lines behind the first is an object or an array.
    fn later_lines_are_json(&mut self) -> Result<bool> {
        let mut start = self.window.at;
        for line in 0..LINES_LOOKED_AT {
            let Some(end) = self.window.line_end(start, LOOK_BYTES)? else { return Ok(false) };
            let text = self.window.bytes().get(start..end).unwrap_or_default().trim_ascii();
            if line > 0 && text.first().is_some_and(|byte| b"{[".contains(byte)) {
                let mut memory = Memory::default();
                let mut scanner = Scanner::new(text, 0, true, &mut memory);
                if scanner.value(0).is_ok() && scanner.at == text.len() {
                    return Ok(true);
                }
            }
            if end >= self.window.bytes().len() {
                return Ok(false);
            }
            start = end + 1;
        }
        Ok(false)
    }

    /// Goes to the value that the pointer names; its first byte.
    fn follow_pointer(&mut self, pointer: &[String]) -> Result<u8> {
        for (depth, part) in pointer.iter().enumerate() {
            let mut seen = Vec::new();
            let found = match self.solid_byte()? {
                Some(b'{') => self.find_key(part, &mut seen)?,
                Some(b'[') => self.find_element(part)?,
                _ => false,
            };
            if !found {
                return Err(self.leads_nowhere(&pointer[..=depth], &seen));
            }
        }
        self.solid_byte()?.ok_or_else(|| self.fault_here(What::End))
    }

    fn find_key(&mut self, part: &str, seen: &mut Vec<String>) -> Result<bool> {
        let mut next = Next::First;
        self.window.at += 1;
        while self.has_member(&mut next)? {
            let key = self.take_key()?;
            let name = key.owned_name(self.window.bytes());
            self.solid_byte()?;
            if name == part.as_bytes() {
                self.around.push(Around::Object(name));
                return Ok(true);
            }
            if seen.len() < KEYS_NAMED {
                seen.push(String::from_utf8_lossy(&name).into_owned());
            }
            self.pass_value()?;
        }
        Ok(false)
    }

    fn find_element(&mut self, part: &str) -> Result<bool> {
        let Ok(wanted) = part.parse::<usize>() else { return Ok(false) };
        self.window.at += 1;
        for element in 0.. {
            match self.solid_byte()? {
                None => return Err(self.fault_here(What::End)),
                Some(b']') => return Ok(false),
                Some(b',') if element > 0 => self.window.at += 1,
                Some(_) if element > 0 => {
                    return Err(self.fault_here(What::Expected("`,` or `]`")));
                }
                Some(_) => {}
            }
            self.solid_byte()?;
            if element == wanted {
                self.around.push(Around::Array);
                return Ok(true);
            }
            self.pass_value()?;
        }
        Ok(false)
    }

    fn leads_nowhere(&self, parts: &[String], seen: &[String]) -> Error {
        let message = format!("the document has nothing at `/{}`", parts.join("/"));
        let hint = match seen {
            [] => "correct `records_path`".to_owned(),
            seen => format!("correct `records_path`: the keys there are {}", seen.join(", ")),
        };
        let place = self.window.place(self.window.at);
        Error::new(ErrorKind::MalformedFile, message).with_hint(hint).at(Position {
            file: String::new(),
            line: Some(place.line),
            byte: Some(place.byte),
            column: None,
        })
    }
}

/// The error of a document in which rows do not stand as somebody said.
fn not_of_this_orient(orient: Orient, place: Place, why: &str) -> Error {
    let message = format!("the document is not as `{}` has it: {why}", orient.name());
    Error::new(ErrorKind::MalformedFile, message)
        .with_hint("let the shape be found out with `--format json`")
        .at(Position {
            file: String::new(),
            line: Some(place.line),
            byte: Some(place.byte),
            column: None,
        })
}

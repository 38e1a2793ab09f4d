//! Whether a text that nobody called JSON begins as JSON does.
//!
//! It asks for an object or an array: a line of CSV may be a JSON number or
//! string as well.

use super::scanner::{Memory, Scanner, Stop};

/// Lines that are looked at where the first one is broken.
const LINES_LOOKED_AT: usize = 16;

/// Whether `text` is the beginning of JSON, or all of it: what is cut off in
/// the middle of a value is JSON that is cut off.
pub(crate) fn is_beginning(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    if !text.first().is_some_and(|byte| b"{[".contains(byte)) {
        return false;
    }
    match value(text, false) {
        Ok(end) => goes_on(text, end),
        Err(Stop::Incomplete) => text.len() > 1,
        Err(Stop::Fault(_)) => later_lines_are_objects(text),
    }
}

/// Where the first value ends.
fn value(text: &[u8], ended: bool) -> Result<usize, Stop> {
    let mut memory = Memory::default();
    let mut scanner = Scanner::new(text, 0, ended, &mut memory);
    scanner.value(0)?;
    Ok(scanner.at)
}

/// Whether what follows the first value is nothing, or the next one.
fn goes_on(text: &[u8], end: usize) -> bool {
    let behind = text.get(end..).unwrap_or_default();
    let next = behind.trim_ascii_start();
    match next.first() {
        None => true,
        Some(b'{') => true,
        Some(_) => behind[..behind.len() - next.len()].contains(&b'\n'),
    }
}

/// Whether a line behind a first one that is broken is an object.
fn later_lines_are_objects(text: &[u8]) -> bool {
    let lines = text.split(|byte| *byte == b'\n').skip(1).take(LINES_LOOKED_AT);
    lines.map(<[u8]>::trim_ascii).any(|line| {
        line.first() == Some(&b'{') && value(line, true).is_ok_and(|end| end == line.len())
    })
}

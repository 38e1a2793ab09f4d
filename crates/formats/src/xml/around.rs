//! What stands around the rows of a document: followed and checked, never
//! kept. Markup that is longer than a block is passed piece by piece.

use decant_core::{Error, ErrorKind, Result};

use super::fault::Fault;
use super::outline::{
    Doctype, Inside, Markup, Step, doctype, entity_name, is_empty_element, local, markup, name,
};
use super::reading::Reading;
use crate::values::complaint::quoted;

/// Deepest nesting around rows.
const DEPTH_MAX: usize = 512;
/// Elements that are named where there is no row.
const NAMED_MAX: usize = 6;
/// Bytes that are quoted of text where none may be.
const QUOTED_BYTES: usize = 24;

impl Reading<'_> {
    /// Goes on towards the next row, by one piece of markup at most. Whether
    /// it is at hand.
    pub(super) fn seek(&mut self) -> Result<bool> {
        if self.done {
            return Ok(false);
        }
        if self.long.is_some() {
            return self.pass_long().map(|()| false);
        }
        if let Some(inside) = self.passing {
            return self.pass(inside).map(|()| false);
        }
        match self.window.bytes().get(self.window.at) {
            Some(b'<') => return self.markup(),
            Some(_) => self.passing = Some(Inside::Text),
            None if self.window.has_ended() => self.finish()?,
            None => self.more()?,
        }
        Ok(false)
    }

    pub(super) fn more(&mut self) -> Result<()> {
        self.window.more(self.window.at, usize::MAX).map(|_| ())
    }

    /// Goes on with what is being passed.
    fn pass(&mut self, inside: Inside) -> Result<()> {
        let at = self.window.at;
        let (end, passing) = match inside.step(self.window.bytes(), at) {
            Step::Ended(end) => (end, None),
            Step::More(end, inside) => (end, Some(inside)),
        };
        if inside == Inside::Text && self.around.is_empty() {
            self.check_blank(at, end)?;
        }
        self.window.at = end;
        self.passing = passing;
        match passing {
            None => Ok(()),
            Some(Inside::Text) if self.window.has_ended() => {
                self.passing = None;
                Ok(())
            }
            Some(_) if self.window.has_ended() => {
                Err(self.malformed(Fault::end(self.window.bytes().len(), "markup")))
            }
            Some(_) => self.more(),
        }
    }

    /// Refuses text outside of the root.
    fn check_blank(&self, start: usize, end: usize) -> Result<()> {
        let text = self.window.bytes().get(start..end).unwrap_or_default();
        match text.iter().position(|byte| !byte.is_ascii_whitespace()) {
            None => Ok(()),
            Some(found) => {
                let shown = &text[found..text.len().min(found + QUOTED_BYTES)];
                let shown = quoted(shown.trim_ascii_end());
                let message = format!("{shown} stands outside of the root element");
                Err(self.malformed(Fault::new(start + found, message)))
            }
        }
    }

    fn finish(&mut self) -> Result<()> {
        let end = self.window.bytes().len();
        if let Some(open) = self.around.last() {
            let tag = [b"</", &open[..], b">"].concat();
            let message = format!("the document ends before {}", quoted(&tag));
            return Err(self.malformed(Fault::new(end, message)));
        }
        if !self.root_seen {
            return Err(self.malformed(Fault::new(end, "the document has no element")));
        }
        // A root without elements is a table without rows.
        if self.seen.len() > 1 && self.ordinal == 0 {
            return Err(self.no_row());
        }
        self.done = true;
        Ok(())
    }

    /// Keeps an element that is no row, until there is one.
    fn see(&mut self, name: &[u8]) {
        let was_said = self.settings.options.row_element.is_some();
        if !was_said || self.ordinal > 0 || self.seen.len() >= NAMED_MAX {
            return;
        }
        let elements = self.around.iter().map(|open| &open[..]).chain([name]);
        let path: Vec<_> = elements.map(|name| String::from_utf8_lossy(local(name))).collect();
        let path = path.join("/");
        if !self.seen.contains(&path) {
            self.seen.push(path);
        }
    }

    fn no_row(&self) -> Error {
        let row = self.settings.path.join("/");
        let seen: Vec<String> = self.seen.iter().map(|path| quoted(path.as_bytes())).collect();
        let more = if seen.len() < NAMED_MAX { "" } else { ", …" };
        let message = format!(
            "the document has no element `{row}`, which was said to be a row; it has {}{more}",
            seen.join(", ")
        );
        Error::new(ErrorKind::MalformedFile, message).with_hint(
            "name one that it has with `--row-element`, or none: the first child of the root \
             that is repeated is a row then",
        )
    }

    /// Reads the markup at hand, unless it is a row.
    fn markup(&mut self) -> Result<bool> {
        let at = self.window.at;
        let found = markup(self.window.bytes(), at).map_err(|fault| self.malformed(fault))?;
        match found {
            None if self.window.has_ended() => {
                return Err(self.malformed(Fault::end(at, "markup")));
            }
            None => self.more()?,
            Some(Markup::Open) => return self.open_element(at),
            Some(Markup::Close) => self.close_element(at)?,
            Some(Markup::Doctype) => self.pass_doctype(at)?,
            Some(Markup::Data) if self.around.is_empty() => {
                let message = "`<![CDATA[` stands outside of the root element";
                return Err(self.malformed(Fault::new(at, message)));
            }
            Some(markup) => {
                self.window.at += markup.opener_bytes();
                self.passing = Some(markup.inside());
            }
        }
        Ok(false)
    }

    /// Behind the tag at `at`; `None` where it is longer than a row may be.
    fn tag_end(&mut self, at: usize) -> Result<Option<usize>> {
        let limit = self.settings.row_bytes_max;
        let (mut inside, mut from) = (Markup::Open.inside(), at + 1);
        loop {
            match inside.step(self.window.bytes(), from) {
                Step::Ended(end) => return Ok((end - at <= limit).then_some(end)),
                Step::More(..) if self.window.has_ended() => {
                    return Err(self.malformed(Fault::end(at, "a tag")));
                }
                Step::More(resume, more) => (from, inside) = (resume, more),
            }
            if !self.window.more(at, limit)? {
                return Ok(None);
            }
        }
    }

    /// Enters an element, or answers that it is a row.
    fn open_element(&mut self, at: usize) -> Result<bool> {
        let end = self.tag_end(at)?;
        let bytes = self.window.bytes();
        let tag = bytes.get(at + 1..end.unwrap_or(bytes.len())).unwrap_or_default();
        let name: Box<[u8]> = name(tag).into();
        let empty = end.is_some_and(|end| is_empty_element(bytes, end));
        if self.around.is_empty() && self.root_seen {
            let message =
                format!("a second root element, {}, stands behind the first", quoted(&name));
            return Err(self.malformed(Fault::new(at, message)));
        }
        self.root_seen = true;
        if self.is_row(&name) {
            return Ok(true);
        }
        let Some(end) = end else {
            let limit = self.settings.row_bytes_max;
            let message = format!("a tag is longer than {limit} bytes (record_bytes_max)");
            return Err(self.malformed(Fault::new(at, message)));
        };
        self.see(&name);
        self.window.at = end;
        if !empty {
            if self.around.len() >= DEPTH_MAX {
                let message = format!("elements are nested more than {DEPTH_MAX} deep");
                return Err(self.malformed(Fault::new(at, message)));
            }
            self.around.push(name);
        }
        Ok(false)
    }

    /// Whether an element of this name, here, is a row.
    fn is_row(&self, name: &[u8]) -> bool {
        let Some((own, parents)) = self.settings.path.split_last() else { return false };
        local(name) == own.as_bytes()
            && self.around.len() >= parents.len()
            && self
                .around
                .iter()
                .rev()
                .zip(parents.iter().rev())
                .all(|(open, parent)| local(open) == parent.as_bytes())
    }

    fn close_element(&mut self, at: usize) -> Result<()> {
        let end = self.tag_end(at)?;
        let bytes = self.window.bytes();
        let tag = bytes.get(at + 2..end.unwrap_or(bytes.len()) - 1).unwrap_or_default();
        let open = self.around.last();
        if let (Some(end), true) = (end, open.is_some_and(|open| **open == *tag.trim_ascii_end())) {
            self.around.pop();
            self.window.at = end;
            return Ok(());
        }
        let found = [b"</", name(tag), b">"].concat();
        let message = match open {
            Some(open) => {
                let expected = [b"</", &open[..], b">"].concat();
                format!("{} stands where {} is expected", quoted(&found), quoted(&expected))
            }
            None => format!("{} closes no element", quoted(&found)),
        };
        Err(self.malformed(Fault::new(at, message)))
    }

    fn pass_doctype(&mut self, at: usize) -> Result<()> {
        if self.root_seen {
            let message = "`<!DOCTYPE` stands behind the beginning of the root element";
            return Err(self.malformed(Fault::new(at, message)));
        }
        loop {
            match doctype(self.window.bytes(), at) {
                Doctype::Ended(end) => {
                    self.window.at = end;
                    return Ok(());
                }
                Doctype::Entity(entity) => return Err(self.entity(entity)),
                Doctype::More if self.window.has_ended() => {
                    return Err(self.malformed(Fault::end(at, "the document type")));
                }
                Doctype::More => {}
            }
            if !self.window.more(at, self.settings.row_bytes_max)? {
                let message = "the document type is longer than a row may be (record_bytes_max)";
                return Err(self.malformed(Fault::new(at, message)));
            }
        }
    }

    fn entity(&self, at: usize) -> Error {
        let name = entity_name(self.window.bytes(), at);
        let message =
            format!("the document declares the entity {name}, and entities are not expanded");
        self.error(ErrorKind::Unsupported, Fault::new(at, message)).with_hint(
            "write the document without entities of its own; `xmllint --noent` puts their text in their place",
        )
    }
}

//! Which element is a row, from a document's first megabyte at most.
//!
//! It is the first child of the root that is repeated; without one, the
//! root's only child; or, where the root has several and each once, the root:
//! then the document is one row. Where the beginning ends inside a child that
//! is not repeated, the rows are sought inside that.

use std::collections::HashSet;

use super::outline::{
    Doctype, Inside, Markup, Step, doctype, is_empty_element, local, markup, name,
};

/// The names on the way to the rows, and why.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// Local names, the row's last; empty where there are no rows.
    pub(super) path: Vec<String>,
    pub(super) explanation: String,
}

/// An element around what is looked at.
struct Level<'t> {
    name: &'t [u8],
    /// Local names of its children, each once, in their order.
    children: Vec<&'t [u8]>,
    known: HashSet<&'t [u8]>,
    repeated: Option<&'t [u8]>,
    /// Whether it has attributes or text of its own.
    has_values: bool,
}

/// Finds the rows in the beginning of a document.
pub(super) fn shape_of(text: &[u8]) -> Shape {
    let mut look = Look { text, levels: Vec::new(), root: None };
    look.look();
    match (&look.root, look.levels.as_slice()) {
        (Some(root), _) | (None, [root]) => of_root(root),
        (None, levels) => of_levels(levels),
    }
}

fn of_root(root: &Level<'_>) -> Shape {
    let name = shown(root.name);
    if let Some(repeated) = root.repeated {
        return repeated_child(&[root], repeated);
    }
    match root.children.as_slice() {
        [] if !root.has_values => {
            Shape { path: Vec::new(), explanation: format!("`{name}` has nothing inside") }
        }
        [child] => {
            let child = shown(child);
            let explanation = format!(
                "a row is an element `{child}`, the only child of `{name}`; {}",
                "where rows stand deeper, name their element as `row_element`"
            );
            Shape { path: vec![name, child], explanation }
        }
        _ => {
            let explanation = format!(
                "the document is one row: no child of `{name}` is repeated; {}",
                "where rows stand inside, name their element as `row_element`"
            );
            Shape { path: vec![name], explanation }
        }
    }
}

/// The rows of a document whose beginning ends inside these elements.
fn of_levels(levels: &[Level<'_>]) -> Shape {
    for (depth, level) in levels.iter().enumerate() {
        if let Some(repeated) = level.repeated {
            let around: Vec<&Level<'_>> = levels[..=depth].iter().collect();
            return repeated_child(&around, repeated);
        }
    }
    let path: Vec<String> = levels.iter().take(2).map(|level| shown(level.name)).collect();
    let row = path.last().cloned().unwrap_or_default();
    let explanation = format!("a row is an element `{row}`, which does not end soon");
    Shape { path, explanation }
}

fn repeated_child(around: &[&Level<'_>], child: &[u8]) -> Shape {
    let mut path: Vec<String> = around.iter().map(|level| shown(level.name)).collect();
    let parent = path.last().cloned().unwrap_or_default();
    let child = shown(child);
    let explanation =
        format!("a row is an element `{child}`, the first child of `{parent}` that is repeated");
    path.push(child);
    Shape { path, explanation }
}

fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

struct Look<'t> {
    text: &'t [u8],
    levels: Vec<Level<'t>>,
    /// The root, once it is known well enough.
    root: Option<Level<'t>>,
}

impl<'t> Look<'t> {
    /// Looks until the root is known, or what is at hand ends.
    fn look(&mut self) {
        let mut at = 0;
        while self.root.is_none() {
            let Step::Ended(start) = Inside::Text.step(self.text, at) else { return };
            let text = self.text.get(at..start).unwrap_or_default();
            if let Some(level) = self.levels.last_mut() {
                level.has_values |= text.iter().any(|byte| !byte.is_ascii_whitespace());
            }
            let Ok(Some(markup)) = markup(self.text, start) else { return };
            let Some(end) = self.end_of(markup, start) else { return };
            match markup {
                Markup::Open => self.open(start, end),
                Markup::Close => self.close(),
                Markup::Data => {
                    self.levels.iter_mut().last().into_iter().for_each(|it| it.has_values = true);
                }
                _ => {}
            }
            at = end;
        }
    }

    fn end_of(&self, markup: Markup, start: usize) -> Option<usize> {
        if markup == Markup::Doctype {
            return match doctype(self.text, start) {
                Doctype::Ended(end) => Some(end),
                _ => None,
            };
        }
        match markup.inside().step(self.text, start + markup.opener_bytes()) {
            Step::Ended(end) => Some(end),
            Step::More(..) => None,
        }
    }

    fn open(&mut self, start: usize, end: usize) {
        let tag = self.text.get(start + 1..end - 1).unwrap_or_default();
        let full = name(tag);
        let rest = tag.get(full.len()..).unwrap_or_default();
        let own = local(full);
        if let Some(parent) = self.levels.last_mut() {
            if parent.known.insert(own) {
                parent.children.push(own);
            } else if parent.repeated.is_none() {
                parent.repeated = Some(own);
            }
        }
        self.levels.push(Level {
            name: own,
            children: Vec::new(),
            known: HashSet::new(),
            repeated: None,
            has_values: has_attributes(rest),
        });
        if is_empty_element(self.text, end) {
            self.close();
        } else if self.levels.first().is_some_and(|root| root.repeated.is_some()) {
            self.levels.truncate(1);
            self.root = self.levels.pop();
        }
    }

    fn close(&mut self) {
        let closed = self.levels.pop();
        if self.levels.is_empty() {
            self.root = closed;
        }
    }
}

/// Whether a tag has an attribute that is no declaration of a namespace.
fn has_attributes(tag: &[u8]) -> bool {
    let mut rest = tag;
    while let Some(equals) = memchr::memchr(b'=', rest) {
        let name = rest.get(..equals).unwrap_or_default().trim_ascii();
        if !name.starts_with(b"xmlns") && !name.starts_with(b"xsi:") {
            return true;
        }
        let value = rest.get(equals + 1..).unwrap_or_default().trim_ascii_start();
        let quote = value.first().copied().unwrap_or_default();
        let inside = value.get(1..).unwrap_or_default();
        let end = memchr::memchr(quote, inside).map_or(inside.len(), |end| end + 1);
        rest = inside.get(end..).unwrap_or_default();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_repeated_child_of_the_root_is_the_row() {
        for (document, expected) in [
            ("<rows><row/><row/></rows>", "rows/row"),
            ("<?xml version='1.0'?><!DOCTYPE r><!-- c --><r><a/><b/><b/><a/></r>", "r/b"),
            ("<r><a><c/><c/></a><b/><b/></r>", "r/b"),
            ("<x:r xmlns:x='u'><x:a/><y:a/></x:r>", "r/a"),
            ("<r><a><b/></a></r>", "r/a"),
            ("<r><a><b/><b/></a></r>", "r/a"),
            ("<r><a/><b/></r>", "r"),
            ("<r id='1'/>", "r"),
            ("<r>text</r>", "r"),
            ("<r xmlns='u' xsi:schemaLocation='a b'/>", ""),
            ("<r> </r>", ""),
            ("", ""),
            ("<rss><channel><title/><item/><item/><item>", "rss/channel/item"),
            ("<r><meta/><data><row><x/><x/></row><row>", "r/data/row"),
            ("<r><meta/><data>", "r/data"),
            ("<r><a><b", "r/a"),
            ("<r", ""),
        ] {
            assert_eq!(shape_of(document.as_bytes()).path.join("/"), expected, "{document}");
        }
    }

    #[test]
    fn the_explanation_names_the_element() {
        let explained = |document: &str| shape_of(document.as_bytes()).explanation;
        let expected = "a row is an element `b`, the first child of `r` that is repeated";
        assert_eq!(explained("<r><b/><b/></r>"), expected);
        assert!(explained("<r><a/><b/></r>").contains("`row_element`"));
    }
}

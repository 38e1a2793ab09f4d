//! YAML text to a tree of located nodes.
//!
//! Reads one document. Anchors, aliases and merge keys (`<<`) work; keys given
//! twice, several documents, tags of one's own and aliases that unfold into a
//! huge tree are refused, because none of them can be meant.

use std::collections::HashMap;

use decant_core::error::{Error, ErrorKind, Position, Result};
use serde_saphyr::granit_parser::{Event, Marker, Parser, ScalarStyle, ScanError};

use super::node::{Key, Node, Place, Scalar, Value};

/// More than any configuration that a person wrote; stops alias bombs.
const NODES_MAX: usize = 100_000;

/// Reads the only document in `text`. `file` is named in errors.
///
/// # Errors
///
/// `InvalidConfig` with line and column for anything that is not one YAML
/// document.
pub(super) fn parse(text: &str, file: &str) -> Result<Node> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut builder =
        Builder { parser: Parser::new_from_str(text), file, anchors: HashMap::new(), nodes: 0 };
    builder.document()
}

/// An error at `place` of `file`, shown as `file:line:column`.
pub(super) fn error_at(file: &str, place: Place, message: impl Into<String>) -> Error {
    at(Error::new(ErrorKind::InvalidConfig, message), file, place)
}

/// Says where in the configuration an error is.
pub(super) fn at(error: Error, file: &str, place: Place) -> Error {
    error
        .with("line", place.line.to_string())
        .with("column", place.column.to_string())
        .at(Position { file: format!("{file}:{place}"), ..Position::default() })
}

struct Builder<'a, T: serde_saphyr::granit_parser::BorrowedInput<'a>> {
    parser: Parser<'a, T>,
    file: &'a str,
    anchors: HashMap<usize, Node>,
    nodes: usize,
}

impl<'a, T: serde_saphyr::granit_parser::BorrowedInput<'a>> Builder<'a, T> {
    fn document(&mut self) -> Result<Node> {
        let mut root = None;
        loop {
            let (event, place) = self.next()?;
            match event {
                Event::StreamEnd => break,
                Event::StreamStart | Event::DocumentEnd => {}
                Event::DocumentStart(..) if root.is_some() => {
                    return Err(self
                        .error(place, "a second document begins here")
                        .with_hint("use one file per configuration, or `profiles` in one file"));
                }
                Event::DocumentStart(..) => root = Some(self.root()?),
                _ => return Err(self.error(place, "this does not belong to a document")),
            }
        }
        match root {
            Some(root) if !root.is_null() => Ok(root),
            _ => Err(Error::new(ErrorKind::InvalidConfig, "the configuration is empty")
                .in_file(self.file)
                .with_hint("`decant config example` prints one to begin with")),
        }
    }

    fn root(&mut self) -> Result<Node> {
        let (event, place) = self.next()?;
        self.node(event, place)
    }

    fn next(&mut self) -> Result<(Event<'a>, Place)> {
        loop {
            match self.parser.next_event() {
                Some(Ok((Event::Comment(..), _))) => {}
                Some(Ok((event, span))) => return Ok((event, place_of(&span.start))),
                Some(Err(error)) => return Err(self.scan_error(&error)),
                None => return Ok((Event::StreamEnd, Place { line: 1, column: 1 })),
            }
        }
    }

    fn node(&mut self, event: Event<'a>, place: Place) -> Result<Node> {
        self.nodes += 1;
        let (anchor, tag, value) = match event {
            Event::Alias(anchor) => return self.alias(anchor, place),
            Event::Scalar(text, style, anchor, tag) => {
                let is_plain = style == ScalarStyle::Plain;
                let text = text.into_owned();
                (anchor, tag, Value::Scalar(Scalar { text, is_plain, shown: None }))
            }
            Event::SequenceStart(_, anchor, tag) => (anchor, tag, self.list()?),
            Event::MappingStart(_, anchor, tag) => (anchor, tag, self.map()?),
            _ => return Err(self.error(place, "a value is missing here")),
        };
        if tag.is_some_and(|tag| !tag.is_yaml_core_schema()) {
            return Err(self.error(place, "tags such as `!name` are not supported"));
        }
        let node = Node { place, value };
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn alias(&mut self, anchor: usize, place: Place) -> Result<Node> {
        let Some(node) = self.anchors.get(&anchor) else {
            return Err(self.error(place, "an alias refers to what it stands in"));
        };
        let node = node.clone();
        self.nodes += node.count();
        if self.nodes > NODES_MAX {
            return Err(self.error(place, "aliases unfold into too large a configuration"));
        }
        Ok(node)
    }

    fn list(&mut self) -> Result<Value> {
        let mut nodes = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Value::List(nodes)),
                (event, place) => nodes.push(self.node(event, place)?),
            }
        }
    }

    fn map(&mut self) -> Result<Value> {
        let mut entries: Vec<(Key, Node)> = Vec::new();
        let mut merged = Vec::new();
        loop {
            let key = match self.next()? {
                (Event::MappingEnd, _) => break,
                (event, place) => self.key(event, place)?,
            };
            if let Some((first, _)) = entries.iter().find(|(other, _)| other.name == key.name) {
                let message =
                    format!("`{}` stands here and in line {}", key.name, first.place.line);
                return Err(self.error(key.place, message).with_hint("keep one of the two"));
            }
            let (event, place) = self.next()?;
            let node = self.node(event, place)?;
            if key.name == "<<" {
                merged.extend(self.merged_entries(node)?);
            } else {
                entries.push((key, node));
            }
        }
        for (key, node) in merged {
            if !entries.iter().any(|(other, _)| other.name == key.name) {
                entries.push((key, node));
            }
        }
        Ok(Value::Map(entries))
    }

    fn key(&mut self, event: Event<'a>, place: Place) -> Result<Key> {
        match self.node(event, place)?.value {
            Value::Scalar(scalar) => Ok(Key { name: scalar.text, place }),
            _ => Err(self
                .error(place, "a key must be a single value")
                .with_hint("put a text that begins with `{` or `[` in quotes")),
        }
    }

    fn merged_entries(&self, node: Node) -> Result<Vec<(Key, Node)>> {
        match node.value {
            Value::Map(entries) => Ok(entries),
            Value::List(nodes) => {
                let lists: Result<Vec<_>> =
                    nodes.into_iter().map(|node| self.merged_entries(node)).collect();
                Ok(lists?.into_iter().flatten().collect())
            }
            Value::Scalar(_) => Err(self.error(node.place, "`<<` takes a group of keys")),
        }
    }

    fn error(&self, place: Place, message: impl Into<String>) -> Error {
        error_at(self.file, place, message)
    }

    fn scan_error(&self, error: &ScanError) -> Error {
        let problem = error.info();
        let located = self.error(place_of(error.marker()), format!("not YAML: {problem}"));
        if problem.contains("tab") {
            located.with_hint("YAML is indented with spaces, never with tabs")
        } else {
            located.with_hint("put texts that hold `: `, ` #`, `{`, `[`, `*` or `%` in quotes")
        }
    }
}

fn place_of(marker: &Marker) -> Place {
    Place { line: marker.line(), column: marker.col() + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        let error = parse(text, "t.yaml").err().unwrap();
        assert_eq!(error.kind(), ErrorKind::InvalidConfig);
        format!("{error} | {}", error.hint().unwrap_or_default())
    }

    #[test]
    fn everything_that_cannot_be_meant_is_refused_with_its_place() {
        for (text, message) in [
            ("", "t.yaml: the configuration is empty"),
            ("# only a comment\n", "t.yaml: the configuration is empty"),
            ("a: 1\nb: 2\na: 3\n", "t.yaml:3:1: `a` stands here and in line 1"),
            ("a: 1\n---\nb: 2\n", "t.yaml:2:1: a second document begins here"),
            ("a:\n\tb: 1\n", "never with tabs"),
            ("a: !include x\n", "tags such as"),
            ("? [a]\n: 1\n", "a key must be a single value"),
            ("a: *nobody\n", "t.yaml:1:4: not YAML"),
            ("a: &x [*x]\n", "an alias refers to what it stands in"),
            ("a: [1\n", "not YAML"),
        ] {
            let refusal = refused(text);
            assert!(refusal.contains(message), "{text:?}: {refusal}");
        }
    }

    #[test]
    fn anchors_and_merge_keys_work_and_explicit_keys_win() {
        let tree = parse("x: &d {a: 1, b: 2}\ny: {<<: *d, b: 3}\n", "t").unwrap();
        let y = tree.get("y").unwrap();
        assert_eq!((y.text_of("a"), y.text_of("b")), (Some("1"), Some("3")));
    }

    #[test]
    fn an_alias_bomb_is_refused() {
        let mut text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for level in 1..10 {
            let aliases = vec![format!("*a{}", level - 1); 10].join(",");
            text.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
        }
        assert!(refused(&text).contains("too large"));
    }

    #[test]
    fn words_stay_words_and_a_byte_order_mark_is_no_content() {
        let tree = parse("\u{feff}a: no\r\nb: on\r\nc: 0012\r\n", "t").unwrap();
        assert_eq!(["a", "b", "c"].map(|key| tree.text_of(key).unwrap()), ["no", "on", "0012"]);
    }
}

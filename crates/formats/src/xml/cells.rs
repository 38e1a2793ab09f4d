//! From a row's tree to its values: what stands in a column as it is, and
//! what becomes JSON. Written as JSON text, in the order of a row of JSON, so
//! that both find their columns the same way.
//!
//! - An attribute, and an element that has only text, is its text.
//! - An element with attributes or elements is an object of strings; what
//!   comes several times is an array; its own text stands under `#text`.
//! - An attribute that is called like an element beside it is `NAME_attribute`.

use std::borrow::Cow;
use std::collections::HashMap;

use super::fault::Fault;
use super::tree::{Node, Tree};
use crate::json::scanner::Event;
use crate::json::token::{Key, Kind, Token};
use crate::untyped::Untyped;

/// The name of an element's own text.
const TEXT: &str = "#text";
/// Behind the name of an attribute that an element beside it has too.
const ATTRIBUTE: &str = "_attribute";
/// Most different names inside one element.
const NAMES_MAX: usize = 4096;
/// Names that are compared one by one.
const NAMES_COMPARED: usize = 16;

/// Writes a row's values.
pub(super) struct Cells<'c> {
    pub(super) tree: &'c Tree,
    pub(super) untyped: &'c Untyped,
    /// JSON text, which grows.
    pub(super) store: &'c mut Vec<u8>,
    pub(super) events: &'c mut Vec<Event>,
}

/// What has one name in an element.
struct Group<'t> {
    name: Cow<'t, str>,
    is_attribute: bool,
    first: usize,
    rest: Vec<usize>,
}

impl<'c> Cells<'c> {
    /// Writes the row, of which so many levels become columns.
    pub(super) fn write(&mut self, levels: u32) -> Result<(), Fault> {
        self.events.clear();
        match self.tree.node(0) {
            Some(row) => self.members(row, levels),
            None => Ok(()),
        }
    }

    fn members(&mut self, node: &'c Node, levels: u32) -> Result<(), Fault> {
        for group in groups(self.tree, node)? {
            let inner = self
                .tree
                .node(group.first)
                .filter(|inner| levels > 0 && group.rest.is_empty() && is_nested(inner));
            let key = self.key(&group.name);
            match inner {
                Some(inner) => {
                    self.events.push(Event::Open(key));
                    self.members(inner, levels - 1)?;
                    self.events.push(Event::Close);
                }
                None => {
                    let start = self.store.len();
                    let kind = self.group(&group)?;
                    let token = Token::new(start, self.store.len(), kind);
                    self.events.push(Event::Member(key, Token { stored: true, ..token }));
                }
            }
        }
        if !node.text.is_empty() {
            let key = self.key(TEXT);
            let start = self.store.len();
            let kind = self.text(&node.text);
            let token = Token::new(start, self.store.len(), kind);
            self.events.push(Event::Member(key, Token { stored: true, ..token }));
        }
        Ok(())
    }

    fn key(&mut self, name: &str) -> Key {
        let start = self.store.len();
        let kind = self.string(name);
        Key { token: Token::new(start, self.store.len(), kind) }
    }

    fn group(&mut self, group: &Group<'_>) -> Result<Kind, Fault> {
        if group.rest.is_empty() {
            return self.value(group.first);
        }
        self.store.push(b'[');
        self.value(group.first)?;
        for element in &group.rest {
            self.store.push(b',');
            self.value(*element)?;
        }
        self.store.push(b']');
        Ok(Kind::Array)
    }

    fn value(&mut self, at: usize) -> Result<Kind, Fault> {
        match self.tree.node(at) {
            Some(node) if is_nested(node) => self.object(node),
            Some(node) if !node.is_nil => Ok(self.text(&node.text)),
            _ => Ok(self.null()),
        }
    }

    fn object(&mut self, node: &'c Node) -> Result<Kind, Fault> {
        self.store.push(b'{');
        for (nth, group) in groups(self.tree, node)?.iter().enumerate() {
            if nth > 0 {
                self.store.push(b',');
            }
            self.string(&group.name);
            self.store.push(b':');
            self.group(group)?;
        }
        if !node.text.is_empty() {
            self.store.push(b',');
            self.string(TEXT);
            self.store.push(b':');
            self.text(&node.text);
        }
        self.store.push(b'}');
        Ok(Kind::Object)
    }

    fn text(&mut self, text: &str) -> Kind {
        if self.untyped.is_null(text.as_bytes()) { self.null() } else { self.string(text) }
    }

    fn null(&mut self) -> Kind {
        self.store.extend_from_slice(b"null");
        Kind::Null
    }

    /// Writes a JSON string.
    fn string(&mut self, text: &str) -> Kind {
        let mut kind = Kind::Text;
        self.store.push(b'"');
        let mut rest = text.as_bytes();
        let is_special = |byte: &u8| *byte < b' ' || matches!(byte, b'"' | b'\\');
        while let Some(at) = rest.iter().position(is_special) {
            kind = Kind::Escaped;
            self.store.extend_from_slice(&rest[..at]);
            match rest[at] {
                b'\t' => self.store.extend_from_slice(b"\\t"),
                b'\n' => self.store.extend_from_slice(b"\\n"),
                b'\r' => self.store.extend_from_slice(b"\\r"),
                byte @ (b'"' | b'\\') => self.store.extend_from_slice(&[b'\\', byte]),
                byte => self.store.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            }
            rest = &rest[at + 1..];
        }
        self.store.extend_from_slice(rest);
        self.store.push(b'"');
        kind
    }
}

/// Whether a node has more than its text.
fn is_nested(node: &Node) -> bool {
    !node.children.is_empty()
}

/// What is inside an element, by name, in the order in which names first come.
fn groups<'t>(tree: &'t Tree, node: &Node) -> Result<Vec<Group<'t>>, Fault> {
    let mut groups: Vec<Group<'t>> = Vec::with_capacity(node.children.len().min(NAMES_COMPARED));
    let mut index: HashMap<(&str, bool), usize> = HashMap::new();
    for at in &node.children {
        let Some(child) = tree.node(*at) else { continue };
        let key = (child.name.as_str(), child.is_attribute);
        let known = match groups.len() <= NAMES_COMPARED {
            true => groups.iter().position(|group| (&*group.name, group.is_attribute) == key),
            false => index.get(&key).copied(),
        };
        if let Some(known) = known {
            groups[known].rest.push(*at);
            continue;
        }
        if groups.len() >= NAMES_MAX {
            let message = format!("an element has more than {NAMES_MAX} different parts");
            return Err(Fault::new(0, message));
        }
        if groups.len() == NAMES_COMPARED {
            index = by_name(tree, &groups);
        }
        if groups.len() >= NAMES_COMPARED {
            index.insert(key, groups.len());
        }
        groups.push(Group {
            name: Cow::Borrowed(&child.name),
            is_attribute: child.is_attribute,
            first: *at,
            rest: Vec::new(),
        });
    }
    set_apart(&mut groups);
    Ok(groups)
}

fn by_name<'t>(tree: &'t Tree, groups: &[Group<'t>]) -> HashMap<(&'t str, bool), usize> {
    let first = |group: &Group<'t>| tree.node(group.first);
    let named = groups.iter().enumerate().filter_map(|(nth, group)| {
        first(group).map(|node| ((node.name.as_str(), node.is_attribute), nth))
    });
    named.collect()
}

/// Gives attributes names that no element beside them has.
fn set_apart(groups: &mut [Group<'_>]) {
    let attributes = groups.iter().take_while(|group| group.is_attribute).count();
    for at in 0..attributes {
        let is_taken = |name: &str, among: &[Group<'_>]| among.iter().any(|it| it.name == name);
        let mut name = groups[at].name.clone();
        if !is_taken(&name, &groups[attributes..]) {
            continue;
        }
        while is_taken(&name, groups) {
            name.to_mut().push_str(ATTRIBUTE);
        }
        groups[at].name = name;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use decant_core::stream::FormatOptions;

    /// The row's members, each as `name: JSON`, levels in brackets.
    fn written(raw: &str, levels: u32) -> String {
        let mut tree = Tree::default();
        tree.read(raw).unwrap();
        let untyped = Untyped::new(&FormatOptions::default());
        let (mut store, mut events) = (Vec::new(), Vec::new());
        let mut cells =
            Cells { tree: &tree, untyped: &untyped, store: &mut store, events: &mut events };
        cells.write(levels).unwrap();
        let text = |token: &Token| {
            let raw = &store[token.start as usize..token.end as usize];
            let value: serde_json::Value = serde_json::from_slice(raw).unwrap();
            assert_eq!(token.kind == Kind::Null, value.is_null());
            assert_eq!(token.kind.is_string(), value.is_string());
            String::from_utf8(raw.to_vec()).unwrap()
        };
        let part = |event: &Event| match event {
            Event::Member(key, token) => format!("{}: {}", text(&key.token), text(token)),
            Event::Open(key) => format!("{} [", text(&key.token)),
            Event::Close => "]".to_owned(),
            _ => panic!(),
        };
        events.iter().map(part).collect::<Vec<_>>().join("; ").replace('"', "")
    }

    #[test]
    fn attributes_and_elements_are_values() {
        for (raw, expected) in [
            ("<r/>", ""),
            ("<r a='1'><b>2</b><c/></r>", "a: 1; b: 2; c: null"),
            ("<r>text</r>", "#text: text"),
            ("<r><b>1</b><c>2</c><b>3</b></r>", "b: [1,3]; c: 2"),
            ("<r><b><c>1</c><d e='2'>3</d></b></r>", "b: {c:1,d:{e:2,#text:3}}"),
            ("<r><b x='1'/><b/></r>", "b: [{x:1},null]"),
            ("<r x:a='1' y:a='2'/>", "a: [1,2]"),
            ("<r><b xsi:nil='true'/><c xsi:nil='1'>x</c></r>", "b: null; c: null"),
            ("<r a='1' b='2'><a>3</a></r>", "a_attribute: 1; b: 2; a: 3"),
            (
                "<r a='1'><a>2</a><a_attribute>3</a_attribute></r>",
                "a_attribute_attribute: 1; a: 2; a_attribute: 3",
            ),
        ] {
            assert_eq!(written(raw, 0), expected, "{raw}");
        }
    }

    #[test]
    fn levels_are_opened_as_far_as_was_asked() {
        let raw = "<r><b><c>1</c><d><e>2</e></d></b><f><g/></f><f/></r>";
        assert_eq!(written(raw, 1), "b [; c: 1; d: {e:2}; ]; f: [{g:null},null]");
        assert_eq!(written(raw, 2), "b [; c: 1; d [; e: 2; ]; ]; f: [{g:null},null]");
    }

    #[test]
    fn many_names_are_told_apart_like_few() {
        let names = |range: std::ops::Range<usize>| -> String {
            range.map(|name| format!("<n{name}>1</n{name}>")).collect()
        };
        let expected: Vec<String> = (0..50).map(|name| format!("n{name}: [1,1]")).collect();
        let raw = format!("<r>{0}{0}</r>", names(0..50));
        assert_eq!(written(&raw, 0), expected.join("; "));
        let mut tree = Tree::default();
        tree.read(&format!("<r>{}</r>", names(0..NAMES_MAX + 1))).unwrap();
        assert!(groups(&tree, tree.node(0).unwrap()).is_err());
    }
}

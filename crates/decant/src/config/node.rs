//! A configuration file as a tree in which everything knows its place.
//!
//! Scalars stay text: whether `no` is a word or `12` a number is decided by
//! the key that asks for it, never by how the text looks. Nodes are not
//! `Debug`, because they hold secrets as they were typed.

use std::fmt;

/// Where something stands in the file; both count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A value and its place.
#[derive(Clone)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) value: Value,
}

/// What a node holds.
#[derive(Clone)]
pub(super) enum Value {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// Text as it was typed, and as it is after variables were put in.
#[derive(Clone)]
pub(super) struct Scalar {
    /// The text to use.
    pub(super) text: String,
    /// Whether it stood without quotes, so that `null` and nothing mean none.
    pub(super) is_plain: bool,
    /// The text to show where `text` came from variables.
    pub(super) shown: Option<String>,
}

/// A key of a map.
#[derive(Clone)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) place: Place,
}

impl Scalar {
    /// Whether it says that there is no value.
    pub(super) fn is_null(&self) -> bool {
        match self.shown {
            Some(_) => self.text.is_empty(),
            None => self.is_plain && matches!(self.text.as_str(), "" | "~" | "null" | "Null"),
        }
    }

    /// A message about this value with the names of variables in the place
    /// of what they stand for: the whole value, and anything quoted that is
    /// a part of it.
    pub(super) fn without_value(&self, message: &str) -> String {
        let Some(shown) = self.shown.as_deref().filter(|_| !self.text.is_empty()) else {
            return message.to_owned();
        };
        let text = self.text.to_lowercase();
        let is_part = |quoted: &str| {
            let quoted = quoted.to_lowercase();
            !quoted.is_empty() && (text.contains(&quoted) || quoted.contains(&text))
        };
        let message = match self.text.contains('`') {
            true => message.replace(&self.text, shown),
            false => message.to_owned(),
        };
        let parts = message.split('`').enumerate().map(|(index, part)| match index % 2 {
            1 if is_part(part) => shown.to_owned(),
            _ => part.replace(&self.text, shown),
        });
        parts.collect::<Vec<_>>().join("`")
    }

    /// What may be printed.
    pub(super) fn shown(&self) -> &str {
        self.shown.as_deref().unwrap_or(&self.text)
    }
}

impl Node {
    /// An empty map, for a section that is not there.
    pub(super) fn empty(place: Place) -> Self {
        Self { place, value: Value::Map(Vec::new()) }
    }

    /// What kind of thing this is, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Scalar(scalar) if scalar.is_null() => "nothing",
            Value::Scalar(_) => "a single value",
            Value::List(_) => "a list",
            Value::Map(_) => "a group of keys",
        }
    }

    /// Whether it says that there is no value.
    pub(super) fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar(scalar) if scalar.is_null())
    }

    /// The keys of a map; none for anything else.
    pub(super) fn entries(&self) -> &[(Key, Node)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The value of a key.
    pub(super) fn get(&self, name: &str) -> Option<&Node> {
        self.entries().iter().find(|(key, _)| key.name == name).map(|(_, node)| node)
    }

    /// The text of a key's value.
    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        match &self.get(name)?.value {
            Value::Scalar(scalar) => Some(&scalar.text),
            _ => None,
        }
    }

    /// Takes a key out of a map.
    pub(super) fn take(&mut self, name: &str) -> Option<Node> {
        let Value::Map(entries) = &mut self.value else { return None };
        let index = entries.iter().position(|(key, _)| key.name == name)?;
        Some(entries.remove(index).1)
    }

    /// Wraps a lone value as `{name: value}`: the short spelling of a section.
    pub(super) fn spelled_out(self, name: &str) -> Node {
        match self.value {
            Value::Map(_) => self,
            _ => {
                let key = Key { name: name.to_owned(), place: self.place };
                Node { place: self.place, value: Value::Map(vec![(key, self)]) }
            }
        }
    }

    /// The node at a dotted path, or the nearest one above it.
    pub(super) fn nearest(&self, path: &str) -> &Node {
        let mut node = self;
        let mut rest = path;
        while !rest.is_empty() {
            // A key may itself hold dots: the longest one that fits counts.
            let found = node
                .entries()
                .iter()
                .filter_map(|(key, child)| Some((child, below(rest, &key.name)?)))
                .min_by_key(|(_, rest)| rest.len());
            let Some((child, remaining)) = found else { return node };
            node = child;
            rest = remaining;
        }
        node
    }

    /// How many nodes there are, this one included.
    pub(super) fn count(&self) -> usize {
        match &self.value {
            Value::Scalar(_) => 1,
            Value::List(nodes) => 1 + nodes.iter().map(Node::count).sum::<usize>(),
            Value::Map(entries) => 1 + entries.iter().map(|(_, node)| node.count()).sum::<usize>(),
        }
    }
}

fn below<'a>(path: &'a str, key: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(key)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('.') }
}

/// `overlay` over `base`: maps are joined key by key, anything else takes the
/// place of what was there, and an empty value takes a key away.
pub(super) fn merge(base: Node, overlay: Node) -> Node {
    let (place, base_entries, overlay_entries) = match (base.value, overlay.value) {
        (Value::Map(below), Value::Map(above)) => (overlay.place, below, above),
        (_, value) => return Node { place: overlay.place, value },
    };
    let mut entries = base_entries;
    for (key, node) in overlay_entries {
        let known = entries.iter().position(|(other, _)| other.name == key.name);
        match known {
            Some(index) if node.is_null() => {
                entries.remove(index);
            }
            Some(index) => {
                let (_, old) = entries.remove(index);
                let new = if is_replaced_whole(&key.name) { node } else { merge(old, node) };
                entries.insert(index, (key, new));
            }
            None => entries.push((key, node)),
        }
    }
    Node { place, value: Value::Map(entries) }
}

/// Sections whose keys exclude or explain each other: half of an old one
/// under half of a new one would mean neither.
fn is_replaced_whole(key: &str) -> bool {
    matches!(key, "credentials" | "format")
}

#[cfg(test)]
mod tests {
    use super::super::yaml;
    use super::*;

    fn parse(text: &str) -> Node {
        yaml::parse(text, "t.yaml").unwrap()
    }

    #[test]
    fn maps_are_joined_and_other_values_replaced() {
        let base = parse("a: {x: 1, y: 2}\nb: [1]\nc: 3\n");
        let merged = merge(base, parse("a: {y: 5, z: 6}\nb: [2, 3]\nc: null\n"));
        let a = merged.get("a").unwrap();
        assert_eq!(
            ["x", "y", "z"].map(|key| a.text_of(key).unwrap()),
            ["1", "5", "6"].map(|text| text)
        );
        assert!(matches!(&merged.get("b").unwrap().value, Value::List(nodes) if nodes.len() == 2));
        assert!(merged.get("c").is_none());
    }

    #[test]
    fn credentials_are_replaced_as_a_whole() {
        let base = parse("credentials: {profile: a}\n");
        let merged = merge(base, parse("credentials: {anonymous: true}\n"));
        assert!(merged.get("credentials").unwrap().get("profile").is_none());
    }

    #[test]
    fn the_nearest_node_of_a_path_is_found_with_dots_in_keys() {
        let tree = parse("streams:\n  a.b:\n    files: x\n");
        assert_eq!(tree.nearest("streams.a.b.files").place, Place { line: 3, column: 12 });
        assert_eq!(tree.nearest("streams.a.b.pattern").place.line, 3);
    }
}

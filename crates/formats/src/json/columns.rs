//! Which column a member of a row belongs to. Columns are found as rows bring
//! them, and their list only grows at its end.
//!
//! Members of objects that are flattened have a path of keys: columns hang in
//! a tree. Rows mostly have the same keys in the same order, so that the next
//! key is looked for behind the last one first.

use std::collections::HashMap;

use decant_core::stream::Flatten;
use decant_core::{Error, ErrorKind};

use super::fault::Fault;
use super::scanner::{Event, repeated, repeated_key};
use super::token::{Key, Kind, Texts, Token};

/// Most columns of a file.
const COLUMNS_MAX: usize = 4096;

/// Why a row has no columns.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The row is bad.
    Row(Fault),
    /// The file is.
    File(Box<Error>),
}

/// The columns known so far.
pub(crate) struct Columns {
    names: Vec<String>,
    nodes: Vec<Node>,
    /// Columns of the elements of arrays.
    positional: Vec<u32>,
    /// Elements of every array: as many as the document names, or as the first
    /// one has.
    width: Option<usize>,
    /// Whether the document names the columns of arrays.
    fixed: bool,
    scalar: Option<u32>,
    index: Option<u32>,
    flatten: Option<Flatten>,
    /// Whether a key may come twice in a row, as a name may in a header: of
    /// a document that is one row nothing is lost by it.
    repeats: bool,
    /// What is to be told of names that were taken.
    notes: Vec<String>,
    row: u64,
    path: Vec<usize>,
}

#[derive(Default)]
struct Node {
    children: Vec<Child>,
    by_key: HashMap<Box<[u8]>, usize>,
    /// The child that is expected next.
    next: usize,
    /// What stands before the names of its columns.
    prefix: String,
}

struct Child {
    key: Box<[u8]>,
    column: Option<u32>,
    node: Option<usize>,
    /// The last row that had it.
    row: u64,
}

impl Columns {
    pub(crate) fn new(flatten: Option<Flatten>) -> Self {
        Self {
            names: Vec::new(),
            nodes: vec![Node::default()],
            positional: Vec::new(),
            width: None,
            fixed: false,
            scalar: None,
            index: None,
            flatten,
            repeats: false,
            notes: Vec::new(),
            row: 0,
            path: Vec::new(),
        }
    }

    /// Names in the order in which they were found.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether a name stands in the file.
    pub(crate) fn named(&self) -> bool {
        self.fixed || self.names.len() > self.positional.len()
    }

    /// Sentences about columns whose names were taken.
    pub(crate) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Lets keys come twice in the only row.
    pub(crate) fn allow_repeats(&mut self) {
        self.repeats = true;
    }

    /// Gives the elements of arrays names.
    pub(crate) fn name_elements(&mut self, names: Vec<String>) {
        self.width = Some(names.len());
        for name in names {
            let column = self.push(name);
            self.positional.push(column);
        }
        self.fixed = true;
    }

    /// Whether the document names the columns of arrays.
    pub(crate) fn are_fixed(&self) -> bool {
        self.fixed
    }

    /// How many elements an array has to have, where one of `found` elements
    /// stands. The first that is not empty decides, unless the document has.
    pub(crate) fn width_where(&mut self, found: usize) -> usize {
        if self.width.is_none() && found > 0 {
            self.width = Some(found);
        }
        self.width.unwrap_or(found)
    }

    /// Whether what a row means depends on rows before it: how long an array
    /// has to be, or which of two keys has a name that both make.
    pub(crate) fn depend_on_order(&self) -> bool {
        self.width.is_some() || !self.notes.is_empty()
    }

    /// The column of the rows' own names.
    pub(crate) fn index(&mut self) -> u32 {
        match self.index {
            Some(column) => column,
            None => {
                let column = self.push("index".to_owned());
                self.index = Some(column);
                column
            }
        }
    }

    /// A column of this name.
    pub(crate) fn push(&mut self, name: String) -> u32 {
        let name = match name.is_empty() {
            true => format!("column_{}", self.names.len() + 1),
            false => name,
        };
        self.names.push(name);
        (self.names.len() - 1) as u32
    }

    /// Finds the columns of a row's parts, adding those that are new.
    pub(crate) fn resolve(
        &mut self,
        bytes: &[u8],
        events: &[Event],
        cells: &mut Vec<(u32, Token)>,
    ) -> Result<(), Refusal> {
        self.row += 1;
        self.enter(0);
        let mut checked = self.repeats;
        let mut scratch = Vec::new();
        let mut element = 0;
        for event in events {
            match event {
                Event::Member(key, token) => {
                    let child = self.child(*key, bytes, events, &mut checked, &mut scratch)?;
                    if token.kind == Kind::Null && self.is_flattened(child) {
                        continue;
                    }
                    cells.push((self.column_of(child)?, *token));
                }
                Event::Open(key) => {
                    let child = self.child(*key, bytes, events, &mut checked, &mut scratch)?;
                    let node = self.node_of(child);
                    self.path.push(node);
                    self.nodes[node].next = 0;
                }
                Event::Close => {
                    self.path.pop();
                }
                Event::Element(token) => {
                    cells.push((self.element(element)?, *token));
                    element += 1;
                }
                Event::Scalar(token) => cells.push((self.scalar_column(), *token)),
            }
        }
        Ok(())
    }

    fn enter(&mut self, node: usize) {
        self.path.clear();
        self.path.push(node);
        self.nodes[node].next = 0;
    }

    fn current(&self) -> usize {
        self.path.last().copied().unwrap_or_default()
    }

    /// The position of a key among the children of the current node.
    fn child(
        &mut self,
        key: Key,
        bytes: &[u8],
        events: &[Event],
        checked: &mut bool,
        scratch: &mut Vec<u8>,
    ) -> Result<usize, Refusal> {
        let name = key.name(bytes, scratch);
        let current = self.current();
        let node = &mut self.nodes[current];
        let expected = node.children.get(node.next).filter(|child| *child.key == *name);
        let found = match expected {
            Some(_) => Some(node.next),
            None => node.by_key.get(name).copied(),
        };
        let child = match found {
            Some(child) => child,
            None => {
                if !*checked {
                    check_keys(events, bytes)?;
                    *checked = true;
                }
                self.nodes[current].add(name.into())
            }
        };
        let (row, repeats) = (self.row, self.repeats);
        let node = &mut self.nodes[current];
        let child = match node.children[child].row == row {
            true if !repeats || current != 0 => return Err(Refusal::Row(repeated_key(key))),
            true => node.add(name.into()),
            false => child,
        };
        node.children[child].row = row;
        node.next = child + 1;
        Ok(child)
    }

    fn column_of(&mut self, child: usize) -> Result<u32, Refusal> {
        let node = self.current();
        if let Some(column) = self.nodes[node].children[child].column {
            return Ok(column);
        }
        if self.names.len() >= COLUMNS_MAX {
            return Err(too_many());
        }
        let name = self.free_name(self.nodes[node].name_of(child));
        let column = self.push(name);
        self.nodes[node].children[child].column = Some(column);
        Ok(column)
    }

    /// The name, or the next one with a number behind it that no column has.
    fn free_name(&mut self, name: String) -> String {
        if !self.names.contains(&name) {
            return name;
        }
        let numbered = |number: usize| format!("{name}_{number}");
        let free = (2..).map(numbered).find(|free| !self.names.contains(free)).unwrap_or_default();
        self.notes.push(format!("two keys make the name `{name}`: one is `{free}`"));
        free
    }

    /// Whether the key holds objects that have columns of their own: then
    /// `null` needs none.
    fn is_flattened(&self, child: usize) -> bool {
        let child = &self.nodes[self.current()].children[child];
        child.node.is_some() && child.column.is_none()
    }

    fn node_of(&mut self, child: usize) -> usize {
        let current = self.current();
        if let Some(node) = self.nodes[current].children[child].node {
            return node;
        }
        let separator = self.flatten.as_ref().map_or("_", |flatten| flatten.separator.as_str());
        let prefix = format!("{}{separator}", self.nodes[current].name_of(child));
        self.nodes.push(Node { prefix, ..Node::default() });
        let node = self.nodes.len() - 1;
        self.nodes[current].children[child].node = Some(node);
        node
    }

    fn element(&mut self, at: usize) -> Result<u32, Refusal> {
        if let Some(column) = self.positional.get(at) {
            return Ok(*column);
        }
        if self.names.len() >= COLUMNS_MAX {
            return Err(too_many());
        }
        let name = self.free_name(format!("column_{}", at + 1));
        let column = self.push(name);
        self.positional.push(column);
        Ok(column)
    }

    fn scalar_column(&mut self) -> u32 {
        match self.scalar {
            Some(column) => column,
            None => {
                let name = self.free_name("value".to_owned());
                let column = self.push(name);
                self.scalar = Some(column);
                column
            }
        }
    }
}

impl Node {
    fn add(&mut self, key: Box<[u8]>) -> usize {
        let child = self.children.len();
        self.by_key.insert(key.clone(), child);
        self.children.push(Child { key, column: None, node: None, row: 0 });
        child
    }

    fn name_of(&self, child: usize) -> String {
        format!("{}{}", self.prefix, String::from_utf8_lossy(&self.children[child].key))
    }
}

/// Refuses a row in which a key comes twice, before it brings new columns.
fn check_keys(events: &[Event], bytes: &[u8]) -> Result<(), Refusal> {
    let mut levels: Vec<Vec<Key>> = vec![Vec::new()];
    let mut first: Option<Key> = None;
    let mut judge = |mut keys: Vec<Key>| {
        let key = repeated(&mut keys, bytes);
        let earlier = |key: &Key| first.is_none_or(|first| key.token.start < first.token.start);
        first = key.filter(earlier).or(first);
    };
    for event in events {
        match event {
            Event::Member(key, _) | Event::Open(key) => {
                levels.last_mut().into_iter().for_each(|keys| keys.push(*key));
                if matches!(event, Event::Open(_)) {
                    levels.push(Vec::new());
                }
            }
            Event::Close => levels.pop().into_iter().for_each(&mut judge),
            Event::Element(_) | Event::Scalar(_) => {}
        }
    }
    levels.into_iter().for_each(&mut judge);
    match first {
        Some(key) => Err(Refusal::Row(repeated_key(key))),
        None => Ok(()),
    }
}

/// The names that the elements of an array give.
pub(crate) fn names_of(texts: Texts<'_>, elements: &[Token]) -> Vec<String> {
    let mut scratch = Vec::new();
    let name = |token: &Token| {
        let text = token.text(texts, &mut scratch).unwrap_or_default();
        String::from_utf8_lossy(text).into_owned()
    };
    elements.iter().map(name).collect()
}

/// Whether a token can name a column.
pub(crate) fn is_name(token: &Token) -> bool {
    matches!(token.kind, Kind::Text | Kind::Escaped | Kind::Number)
}

fn too_many() -> Refusal {
    let message = format!("the rows have more than {COLUMNS_MAX} different keys");
    let error = Error::new(ErrorKind::Unsupported, message).with_hint(
        "keys that are data belong into one JSON column: flatten less deep, or read a document \
         of named rows with `--format json-index`",
    );
    Refusal::File(Box::new(error))
}

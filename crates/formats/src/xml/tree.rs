//! One row as a tree: its elements, their attributes and their text, with
//! references resolved and prefixes dropped.
//!
//! Invariant: the nodes and their texts are kept from row to row, so that
//! reading a row allocates nothing that the row before had room for.

use decant_core::reject::Reason;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{
    Error, Reader, XmlVersion, errors::IllFormedError, escape::resolve_predefined_entity,
};

use super::fault::Fault;
use super::outline::local;
use crate::values::complaint::quoted;

/// Deepest nesting inside a row.
pub(super) const DEPTH_MAX: usize = 512;
/// Most attributes of one element.
const ATTRIBUTES_MAX: usize = 1024;

/// Why a row has no tree.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It ends where it seems to, but what it says is wrong.
    Bad(Fault),
    /// Its structure is broken, and so is the document's.
    Broken(Fault),
}

/// An attribute or an element.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// Without its prefix.
    pub(super) name: String,
    /// Its own text; nothing where it is only white space around elements.
    pub(super) text: String,
    pub(super) is_attribute: bool,
    /// Whether `xsi:nil` says that it is NULL.
    pub(super) is_nil: bool,
    has_elements: bool,
    /// Attributes, then elements, in their order.
    pub(super) children: Vec<usize>,
}

/// A row. Its first node is the row's element.
#[derive(Debug, Default)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    used: usize,
    open: Vec<usize>,
}

impl Tree {
    /// The node at this position.
    pub(super) fn node(&self, at: usize) -> Option<&Node> {
        self.nodes.get(at).filter(|_| at < self.used)
    }

    /// Reads the row whose text is `raw`: one element.
    pub(super) fn read(&mut self, raw: &str) -> Result<(), Trouble> {
        self.used = 0;
        self.open.clear();
        check_characters(raw).map_err(Trouble::Bad)?;
        let mut reader = Reader::from_str(raw);
        loop {
            let at = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
            let event = reader.read_event().map_err(|error| trouble(&error, at))?;
            match event {
                Event::Start(tag) => {
                    let node = self.element(&tag, at)?;
                    self.open.push(node);
                    if self.open.len() > DEPTH_MAX {
                        let message = format!("elements are nested more than {DEPTH_MAX} deep");
                        return Err(Trouble::Bad(Fault::new(at, message)));
                    }
                }
                Event::Empty(tag) => {
                    self.element(&tag, at)?;
                }
                Event::End(_) => self.close(),
                Event::Text(text) => {
                    let text = text.xml10_content().map_err(|error| trouble(&error.into(), at))?;
                    self.push_text(&text);
                }
                Event::CData(data) => {
                    let text = data.xml10_content().map_err(|error| trouble(&error.into(), at))?;
                    self.push_text(&text);
                }
                Event::GeneralRef(reference) => self.push_reference(&reference, at)?,
                Event::Comment(_) | Event::PI(_) => {}
                Event::Decl(_) => {
                    let message = "an XML declaration stands inside an element";
                    return Err(Trouble::Broken(Fault::new(at, message)));
                }
                Event::DocType(_) | Event::Eof => return Ok(()),
            }
        }
    }

    fn push(&mut self, name: &[u8], is_attribute: bool) -> usize {
        let at = self.used;
        if at == self.nodes.len() {
            self.nodes.push(Node::default());
        }
        self.used += 1;
        let node = &mut self.nodes[at];
        node.name.clear();
        node.name.push_str(std::str::from_utf8(local(name)).unwrap_or_default());
        node.text.clear();
        node.children.clear();
        (node.is_attribute, node.is_nil, node.has_elements) = (is_attribute, false, false);
        at
    }

    fn element(&mut self, tag: &BytesStart<'_>, at: usize) -> Result<usize, Trouble> {
        let node = self.push(tag.name().into_inner(), false);
        if let Some(parent) = self.open.last() {
            self.nodes[*parent].children.push(node);
            self.nodes[*parent].has_elements = true;
        }
        for (count, attribute) in tag.attributes().enumerate() {
            let attribute = attribute.map_err(|error| trouble(&error.into(), at))?;
            if count >= ATTRIBUTES_MAX {
                let message = format!("an element has more than {ATTRIBUTES_MAX} attributes");
                return Err(Trouble::Bad(Fault::new(at, message)));
            }
            let name = attribute.key.into_inner();
            let value = attribute.normalized_value(XmlVersion::Implicit1_0);
            let value = value.map_err(|error| trouble(&error, at))?;
            self.check_text(&value, at)?;
            match meaning(name, &value) {
                Meaning::Value => {
                    let child = self.push(name, true);
                    self.nodes[child].text.push_str(&value);
                    self.nodes[node].children.push(child);
                }
                Meaning::Nil => self.nodes[node].is_nil = true,
                Meaning::Nothing => {}
            }
        }
        Ok(node)
    }

    fn close(&mut self) {
        let Some(at) = self.open.pop() else { return };
        let node = &mut self.nodes[at];
        if node.has_elements && node.text.bytes().all(|byte| byte.is_ascii_whitespace()) {
            node.text.clear();
        }
    }

    fn push_text(&mut self, text: &str) {
        if let Some(at) = self.open.last() {
            self.nodes[*at].text.push_str(text);
        }
    }

    fn push_reference(&mut self, reference: &BytesRef<'_>, at: usize) -> Result<(), Trouble> {
        let character = reference.resolve_char_ref().map_err(|error| trouble(&error, at))?;
        let name = std::str::from_utf8(reference).unwrap_or_default();
        let mut bytes = [0; 4];
        let text = match character {
            Some(character) => &*character.encode_utf8(&mut bytes),
            None => resolve_predefined_entity(name).ok_or_else(|| unknown_entity(name, at))?,
        };
        self.check_text(text, at)?;
        self.push_text(text);
        Ok(())
    }

    fn check_text(&self, text: &str, at: usize) -> Result<(), Trouble> {
        check_characters(text).map_err(|fault| Trouble::Bad(Fault { at, ..fault }))
    }
}

/// What an attribute is for.
enum Meaning {
    Value,
    /// Its element is NULL.
    Nil,
    /// It says something of the document, not of the row.
    Nothing,
}

fn meaning(name: &[u8], value: &str) -> Meaning {
    let prefix = memchr::memchr(b':', name).and_then(|colon| name.get(..colon));
    match (prefix, local(name)) {
        (None, b"xmlns") | (Some(b"xmlns"), _) => Meaning::Nothing,
        (Some(_), b"nil") if matches!(value.trim(), "true" | "1") => Meaning::Nil,
        (Some(_), b"nil") if matches!(value.trim(), "false" | "0") => Meaning::Nothing,
        (Some(b"xsi"), _) => Meaning::Nothing,
        _ => Meaning::Value,
    }
}

/// Refuses characters that no XML may have.
///
/// XML 1.0, section 2.2: of the control characters only tab, line feed and
/// carriage return.
fn check_characters(text: &str) -> Result<(), Fault> {
    let is_forbidden = |byte: u8| byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r');
    match text.bytes().position(is_forbidden) {
        None => Ok(()),
        Some(at) => {
            let found = text.as_bytes().get(at).copied().unwrap_or_default();
            Err(Fault::new(at, format!("the character U+{found:04X} may not stand in XML")))
        }
    }
}

fn unknown_entity(name: &str, at: usize) -> Trouble {
    Trouble::Bad(Fault::new(
        at,
        format!("there is no entity {}", quoted(format!("&{name};").as_bytes())),
    ))
}

/// What is wrong in the markup that begins at `at`.
fn trouble(error: &Error, at: usize) -> Trouble {
    match error {
        Error::IllFormed(IllFormedError::UnclosedReference) => {
            Trouble::Bad(Fault::new(at, "`&` begins no reference; as text it is written `&amp;`"))
        }
        Error::IllFormed(IllFormedError::MismatchedEndTag { expected, found }) => {
            let (expected, found) = (format!("</{expected}>"), format!("</{found}>"));
            let (expected, found) = (quoted(expected.as_bytes()), quoted(found.as_bytes()));
            Trouble::Broken(Fault::new(at, format!("{found} stands where {expected} is expected")))
        }
        Error::Escape(error) => Trouble::Bad(Fault::new(at, sentence(error))),
        Error::InvalidAttr(error) => Trouble::Broken(Fault::new(at, sentence(error))),
        Error::Encoding(_) => {
            Trouble::Bad(Fault { reason: Reason::Encoding, ..Fault::new(at, sentence(error)) })
        }
        error => Trouble::Broken(Fault::new(at, sentence(error))),
    }
}

fn sentence(error: &dyn std::fmt::Display) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree in one line: `name=text(children)`, attributes with `@`.
    fn shown(raw: &str) -> String {
        fn show(tree: &Tree, at: usize) -> String {
            let node = tree.node(at).unwrap();
            let children: Vec<String> = node.children.iter().map(|at| show(tree, *at)).collect();
            let sign = if node.is_attribute { "@" } else { "" };
            let nil = if node.is_nil { "!" } else { "" };
            let inside = match children.is_empty() {
                true => String::new(),
                false => format!("({})", children.join(" ")),
            };
            format!("{sign}{}{nil}={}{inside}", node.name, node.text)
        }
        let mut tree = Tree::default();
        tree.read("<other><x>y</x></other>").unwrap();
        tree.read(raw).unwrap();
        show(&tree, 0)
    }

    #[test]
    fn a_row_is_what_its_markup_says() {
        for (raw, expected) in [
            ("<a/>", "a="),
            ("<a> x </a>", "a= x "),
            ("<a>\n <b>1</b>\n <c/>\n</a>", "a=(b=1 c=)"),
            ("<a>x <b>y</b> z</a>", "a=x  z(b=y)"),
            ("<n:a n:b='1' c=\"2\"><m:d/></n:a>", "a=(@b=1 @c=2 d=)"),
            ("<a>&lt;&amp;&gt;&quot;&apos;&#65;&#x42;</a>", "a=<&>\"'AB"),
            ("<a b='&lt;&#x42;\n\"'/>", "a=(@b=<B \")"),
            ("<a><![CDATA[<b>&amp;]]> x<!-- no --></a>", "a=<b>&amp; x"),
            ("<a>1\r\n2&#13;</a>", "a=1\n2\r"),
            ("<a xmlns='u' xmlns:x='v' xsi:type='t' i:nil='true'/>", "a!="),
            ("<a nil='true' x:nil='false'/>", "a=(@nil=true)"),
            ("<a x:nil='maybe'/>", "a=(@nil=maybe)"),
        ] {
            assert_eq!(shown(raw), expected, "{raw}");
        }
    }

    #[test]
    fn what_is_wrong_in_a_row_is_bad_and_what_breaks_it_is_broken() {
        for (raw, is_bad, at, word) in [
            ("<a>&nbsp;</a>", true, 3, "`&nbsp;`"),
            ("<a>x &amp; AT&T</a>", true, 13, "`&amp;`"),
            ("<a b='&x;'/>", true, 0, "x"),
            ("<a>&#0;</a>", true, 3, ""),
            ("<a>&#x1;</a>", true, 3, "U+0001"),
            ("<a>\u{b}</a>", true, 3, "U+000B"),
            ("<a><b></c></a>", false, 6, "`</c>` stands where `</b>` is expected"),
            ("<a b=1/>", false, 0, "value"),
            ("<a b='1' b='2'/>", false, 0, "duplicate"),
        ] {
            let trouble = Tree::default().read(raw).unwrap_err();
            let (bad, fault) = match trouble {
                Trouble::Bad(fault) => (true, fault),
                Trouble::Broken(fault) => (false, fault),
            };
            assert_eq!((bad, fault.at), (is_bad, at), "{raw}: {fault:?}");
            assert!(fault.sentence.contains(word), "{raw}: {fault:?}");
        }
        let deep = |depth: usize| "<a>".repeat(depth) + &"</a>".repeat(depth);
        assert!(Tree::default().read(&deep(DEPTH_MAX)).is_ok());
        assert!(matches!(Tree::default().read(&deep(DEPTH_MAX + 1)), Err(Trouble::Bad(_))));
    }
}

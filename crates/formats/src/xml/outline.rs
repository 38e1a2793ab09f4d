//! The outline of a document: where markup begins and ends. Pure functions
//! over the bytes at hand, which go on where more of them are needed, so that
//! nothing has to be in memory whole.
//!
//! Not here: what markup says. Attributes, references and matching names are
//! looked at where a row is read.

use memchr::{memchr, memchr3, memmem};

use super::fault::Fault;
use crate::values::complaint::quoted;

const COMMENT: &[u8] = b"<!--";
const DATA: &[u8] = b"<![CDATA[";
const DOCTYPE: &[u8] = b"<!DOCTYPE";
const ENTITY: &[u8] = b"<!ENTITY";
/// Bytes of markup that are quoted where it is none.
const QUOTED_BYTES: usize = 12;

/// Kinds of markup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Markup {
    /// The tag that begins an element, or is one.
    Open,
    /// The tag that ends an element.
    Close,
    Comment,
    /// `<![CDATA[…]]>`
    Data,
    /// `<?…?>`
    Instruction,
    Doctype,
}

impl Markup {
    /// Bytes that it begins with and that are no part of what is inside.
    pub(super) fn opener_bytes(self) -> usize {
        match self {
            Self::Open => 1,
            Self::Close | Self::Instruction => 2,
            Self::Comment => COMMENT.len(),
            Self::Data => DATA.len(),
            Self::Doctype => DOCTYPE.len(),
        }
    }

    /// What ends it.
    pub(super) fn inside(self) -> Inside {
        match self {
            Self::Open | Self::Close | Self::Doctype => Inside::Tag { quote: None },
            Self::Comment => Inside::Comment,
            Self::Data => Inside::Data,
            Self::Instruction => Inside::Instruction,
        }
    }
}

/// Which markup the `<` at `at` begins. `None` when more bytes have to tell.
pub(super) fn markup(bytes: &[u8], at: usize) -> Result<Option<Markup>, Fault> {
    let rest = bytes.get(at..).unwrap_or_default();
    let markup = match rest.get(1) {
        None => return Ok(None),
        Some(b'/') => Markup::Close,
        Some(b'?') => Markup::Instruction,
        Some(b'!') => {
            let all =
                [(COMMENT, Markup::Comment), (DATA, Markup::Data), (DOCTYPE, Markup::Doctype)];
            match all.into_iter().find(|(opener, _)| rest.starts_with(opener)) {
                Some((_, markup)) => markup,
                None if all.iter().any(|(opener, _)| opener.starts_with(rest)) => return Ok(None),
                None => return Err(no_markup(rest, at)),
            }
        }
        Some(b'a'..=b'z' | b'A'..=b'Z' | b'_' | b':' | 0x80..) => Markup::Open,
        Some(_) => return Err(no_markup(rest, at)),
    };
    Ok(Some(markup))
}

fn no_markup(rest: &[u8], at: usize) -> Fault {
    let end = rest.len().min(QUOTED_BYTES);
    let end = memchr(b'\n', &rest[..end]).unwrap_or(end);
    let message =
        format!("{} begins no markup; a `<` in text is written `&lt;`", quoted(&rest[..end]));
    Fault::new(at, message)
}

/// What the next byte is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inside {
    /// Text, up to the next `<`.
    Text,
    /// A tag, and maybe a value in quotes.
    Tag {
        quote: Option<u8>,
    },
    Comment,
    Data,
    Instruction,
}

/// How far something goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Up to here; for text, up to its `<`.
    Ended(usize),
    /// Further than the bytes at hand: it goes on from here.
    More(usize, Inside),
}

impl Inside {
    /// Goes on from `at` to the end of what this is.
    pub(super) fn step(self, bytes: &[u8], at: usize) -> Step {
        match self {
            Self::Text => match memchr(b'<', bytes.get(at..).unwrap_or_default()) {
                Some(found) => Step::Ended(at + found),
                None => Step::More(bytes.len(), self),
            },
            Self::Tag { quote } => tag_end(bytes, at, quote),
            Self::Comment => self.terminated(bytes, at, b"-->"),
            Self::Data => self.terminated(bytes, at, b"]]>"),
            Self::Instruction => self.terminated(bytes, at, b"?>"),
        }
    }

    fn terminated(self, bytes: &[u8], at: usize, terminator: &[u8]) -> Step {
        match memmem::find(bytes.get(at..).unwrap_or_default(), terminator) {
            Some(found) => Step::Ended(at + found + terminator.len()),
            None => {
                let undecided = bytes.len().saturating_sub(terminator.len() - 1);
                Step::More(undecided.max(at), self)
            }
        }
    }
}

fn tag_end(bytes: &[u8], mut at: usize, mut quote: Option<u8>) -> Step {
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let found = match quote {
            Some(quote) => memchr(quote, rest),
            None => memchr3(b'>', b'"', b'\'', rest),
        };
        let Some(found) = found else {
            // A slash says what kind of tag this is once its end is at hand.
            let slash = usize::from(quote.is_none() && rest.last() == Some(&b'/'));
            return Step::More(bytes.len() - slash, Inside::Tag { quote });
        };
        let byte = rest.get(found).copied();
        at += found + 1;
        quote = match quote {
            Some(_) => None,
            None if byte == Some(b'>') => return Step::Ended(at),
            None => byte,
        };
    }
}

/// Whether the tag that ends before `end` is an element without an inside.
pub(super) fn is_empty_element(bytes: &[u8], end: usize) -> bool {
    end.checked_sub(2).and_then(|at| bytes.get(at)) == Some(&b'/')
}

/// The name at the beginning of `bytes`, prefix included.
pub(super) fn name(bytes: &[u8]) -> &[u8] {
    let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'>' | b'=' | b'<');
    bytes.get(..bytes.iter().position(ends).unwrap_or(bytes.len())).unwrap_or_default()
}

/// A name without its namespace's prefix.
pub(super) fn local(name: &[u8]) -> &[u8] {
    memchr(b':', name).and_then(|colon| name.get(colon + 1..)).unwrap_or(name)
}

/// Follows one element to its end, however far that is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    depth: usize,
    inside: Inside,
    markup: Option<Markup>,
}

impl Extent {
    /// Of the element whose `<` is at hand.
    pub(super) fn new() -> Self {
        Self { depth: 0, inside: Inside::Text, markup: None }
    }

    /// Goes on from `at`, which is where it stopped before.
    pub(super) fn advance(&mut self, bytes: &[u8], mut at: usize) -> Result<Progress, Fault> {
        loop {
            match self.inside.step(bytes, at) {
                Step::More(resume, inside) => {
                    self.inside = inside;
                    return Ok(Progress::More(resume));
                }
                Step::Ended(end) => at = end,
            }
            if let Some(markup) = self.markup.take() {
                self.inside = Inside::Text;
                match markup {
                    Markup::Open if !is_empty_element(bytes, at) => self.depth += 1,
                    Markup::Close => self.depth = self.depth.saturating_sub(1),
                    _ => {}
                }
                if self.depth == 0 {
                    return Ok(Progress::Ended(at));
                }
                continue;
            }
            match markup(bytes, at)? {
                None => return Ok(Progress::More(at)),
                Some(Markup::Doctype) => {
                    return Err(Fault::new(at, "`<!DOCTYPE` stands inside an element"));
                }
                Some(markup) => {
                    self.inside = markup.inside();
                    self.markup = Some(markup);
                    at += markup.opener_bytes();
                }
            }
        }
    }
}

/// How far an element was followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// It ends here.
    Ended(usize),
    /// It goes on from here once there are more bytes.
    More(usize),
}

/// What is found of a document type declaration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doctype {
    /// It ends here.
    Ended(usize),
    /// It declares an entity here.
    Entity(usize),
    /// More bytes have to tell.
    More,
}

/// Reads the document type declaration at `at`.
pub(super) fn doctype(bytes: &[u8], at: usize) -> Doctype {
    let mut at = at + DOCTYPE.len();
    let mut subset = false;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let passed = match rest.first() {
            None => return Doctype::More,
            Some(quote @ (b'"' | b'\'')) => memchr(*quote, &rest[1..]).map(|found| found + 2),
            Some(b'[') => {
                subset = true;
                Some(1)
            }
            Some(b']') => {
                subset = false;
                Some(1)
            }
            Some(b'>') if !subset => return Doctype::Ended(at + 1),
            Some(b'<') if rest.len() < ENTITY.len() => None,
            Some(b'<') if rest.starts_with(ENTITY) => return Doctype::Entity(at),
            Some(b'<') if rest.starts_with(COMMENT) => {
                memmem::find(&rest[COMMENT.len()..], b"-->").map(|found| COMMENT.len() + found + 3)
            }
            Some(b'<') if rest.starts_with(b"<?") => memmem::find(rest, b"?>").map(|it| it + 2),
            Some(_) => Some(1),
        };
        match passed {
            Some(passed) => at += passed,
            None => return Doctype::More,
        }
    }
}

/// The name of the entity that is declared at `at`.
pub(super) fn entity_name(bytes: &[u8], at: usize) -> String {
    let rest = bytes.get(at + ENTITY.len()..).unwrap_or_default().trim_ascii_start();
    let rest = rest.strip_prefix(b"%").unwrap_or(rest).trim_ascii_start();
    let rest = &rest[..rest.len().min(256)];
    quoted(name(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The element at the beginning of `text`, read with so many more bytes at
    /// a time, and with all that was passed forgotten.
    fn extent(text: &str, bytes_more: usize) -> Result<Option<usize>, Fault> {
        let mut extent = Extent::new();
        let (mut start, mut at, mut end) = (0, 0, 0);
        loop {
            end = (end + bytes_more).min(text.len());
            let bytes = &text.as_bytes()[start..end];
            match extent.advance(bytes, at)? {
                Progress::Ended(found) => return Ok(Some(start + found)),
                Progress::More(_) if end == text.len() => return Ok(None),
                Progress::More(resume) => {
                    start += resume;
                    at = 0;
                }
            }
        }
    }

    #[test]
    fn an_element_ends_where_its_tag_is_closed() {
        for (element, rest) in [
            ("<a/>", "<b/>"),
            ("<a></a>", "</x>"),
            ("<a><b/><b></b ></a>", "x"),
            ("<a b='>' c=\"/>\"><d e='</a>'/></a>", ""),
            ("<a><!-- </a> - -- ></a> --></a>", ""),
            ("<a><![CDATA[</a>]] ]>]]></a>", ""),
            ("<a><?p </a> ??></a>", ""),
            ("<a b='1' / ></a>", ""),
            ("<a>text > ' \" text</a>", ""),
        ] {
            let text = format!("{element}{rest}");
            for bytes_more in 1..=text.len() {
                assert_eq!(extent(&text, bytes_more), Ok(Some(element.len())), "{text}");
            }
        }
        for text in ["<a>", "<a b='>", "<a><!-- </a>", "<a><![CDATA[</a>", "<a", "<a><"] {
            assert_eq!(extent(text, 3), Ok(None), "{text}");
        }
        for text in ["<a><1/></a>", "<a>1 < 2</a>", "<a><!ELEMENT b></a>", "<a><!DOCTYPE b></a>"] {
            assert!(extent(text, 100).is_err(), "{text}");
        }
    }

    #[test]
    fn a_document_type_ends_behind_its_subset() {
        for (text, expected) in [
            ("<!DOCTYPE a>", Doctype::Ended(12)),
            ("<!DOCTYPE a SYSTEM \"x>y\">", Doctype::Ended(25)),
            ("<!DOCTYPE a [<!ELEMENT b (c)><!-- ]> <!ENTITY --><?p ]> ?>]  >", Doctype::Ended(62)),
            ("<!DOCTYPE a [<!ATTLIST b c CDATA '<!ENTITY'>]>", Doctype::Ended(46)),
            ("<!DOCTYPE a [ <!ENTITY b 'c'>]>", Doctype::Entity(14)),
        ] {
            assert_eq!(doctype(text.as_bytes(), 0), expected, "{text}");
            let found = (0..text.len()).map(|end| doctype(&text.as_bytes()[..end], 0));
            let early: Vec<Doctype> = found.filter(|found| *found != Doctype::More).collect();
            assert!(early.iter().all(|found| *found == expected), "{text}");
        }
        assert_eq!(entity_name(b"<!ENTITY % lol 'x'>", 0), "`lol`");
    }

    #[test]
    fn names_end_before_what_is_no_name() {
        for (bytes, expected) in [("a b", "a"), ("a:b/>", "a:b"), ("a>", "a"), ("a", "a")] {
            assert_eq!(name(bytes.as_bytes()), expected.as_bytes(), "{bytes}");
        }
        assert_eq!((local(b"x:a"), local(b"a")), (&b"a"[..], &b"a"[..]));
    }
}

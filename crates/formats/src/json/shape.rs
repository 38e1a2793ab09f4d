//! Which shape a document has, from its first megabyte at most.
//!
//! A document that could be one row is one row, unless its keys say clearly
//! that pandas wrote it:
//!
//! - `columns` and `data`, with `index` or not, in any order;
//! - members of the same keys, where the keys of one level look like the names
//!   of rows (numbers, dates, or `r1`, `r2`, …) and those of the other do not,
//!   or less so;
//! - three members or more of the same keys whose types tell rows from
//!   columns.

use decant_core::evidence::Evidence;

use super::scanner::{Memory, Scanner, Stop};
use super::settings::Orient;
use super::token::{Key, Kind, Token};
use crate::infer;

/// Members of an object that are looked at.
const MEMBERS_MAX: usize = 64;
/// Members that have to agree where only their types tell what they are.
const MEMBERS_AGREEING: usize = 3;

/// A member of an object: of one that is cut, the first byte.
#[derive(Clone, Copy, Debug)]
struct Member {
    key: Key,
    value: Option<Token>,
    start: usize,
}

/// What the keys of an object say of its shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// It has this orient.
    Clear(Orient),
    /// It may have one; it may be a row.
    Unclear,
    /// It is a row.
    Row,
    /// It may be of orient `split`, which only what comes later can tell.
    Later,
}

/// How much keys look like the names of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Likeness {
    None,
    /// One word with different numbers behind it.
    Numbered,
    /// Numbers, dates, UUIDs.
    Values,
}

/// What the object at `start` of `bytes` clearly is.
pub(super) fn told(bytes: &[u8], start: usize, ended: bool) -> Told {
    let (members, whole) = members(bytes, start, ended);
    if let Some(told) = split(bytes, &members, whole) {
        return told;
    }
    if members.is_empty() || members.iter().any(|member| bytes.get(member.start) != Some(&b'{')) {
        return Told::Row;
    }
    let inner: Vec<Vec<Member>> =
        members.iter().map(|member| self::members(bytes, member.start, ended).0).collect();
    let complete = members.iter().all(|member| member.value.is_some());
    if inner.iter().all(|inner| counts(bytes, inner)) && (complete || inner[0].len() > 2) {
        return Told::Clear(Orient::Columns);
    }
    if counts(bytes, &members) && inner.iter().any(|inner| !inner.is_empty()) {
        return Told::Clear(Orient::Index);
    }
    if !have_same_keys(bytes, &members, &inner) {
        return Told::Row;
    }
    let orient = by_names(bytes, &members, &inner).or_else(|| by_types(bytes, &members, &inner));
    match orient {
        Some(orient) => Told::Clear(orient),
        None if members.len() > 1 => Told::Unclear,
        None => Told::Row,
    }
}

/// Where the rows of an object may stand: the key of its first array of
/// objects.
pub(super) fn array_of_objects(bytes: &[u8], start: usize, ended: bool) -> Option<String> {
    let (members, _) = members(bytes, start, ended);
    let holds_objects = |member: &&Member| {
        let mut rest = bytes.get(member.start..).unwrap_or_default().iter();
        rest.next() == Some(&b'[') && rest.find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{')
    };
    let key = members.iter().find(holds_objects)?.key.owned_name(bytes);
    let key = String::from_utf8(key).ok()?;
    Some(format!("/{}", key.replace('~', "~0").replace('/', "~1")))
}

/// The first members of an object, and whether these are all.
fn members(bytes: &[u8], start: usize, ended: bool) -> (Vec<Member>, bool) {
    let mut members = Vec::new();
    let mut memory = Memory::default();
    let mut scanner = Scanner::new(bytes, start, ended, &mut memory);
    let whole = gather(&mut scanner, &mut members);
    (members, whole.unwrap_or_default())
}

fn gather(scanner: &mut Scanner<'_>, members: &mut Vec<Member>) -> Result<bool, Stop> {
    scanner.expect(b'{', "an object")?;
    scanner.space();
    if scanner.peek()? == b'}' {
        return Ok(true);
    }
    while members.len() < MEMBERS_MAX {
        let key = scanner.key()?;
        scanner.peek()?;
        let start = scanner.at;
        members.push(Member { key, value: None, start });
        let value = scanner.value(1)?;
        members.last_mut().into_iter().for_each(|member| member.value = Some(value));
        scanner.space();
        if scanner.peek()? == b'}' {
            return Ok(true);
        }
        scanner.expect(b',', "`,` or `}`")?;
    }
    Ok(false)
}

/// What an object of arrays called `columns`, `index` and `data` is.
fn split(bytes: &[u8], members: &[Member], whole: bool) -> Option<Told> {
    let mut seen: [Option<&Member>; 3] = [None; 3];
    for member in members {
        let part = match member.key.owned_name(bytes).as_slice() {
            b"columns" => 0,
            b"index" => 1,
            b"data" => 2,
            _ => return None,
        };
        if bytes.get(member.start) != Some(&b'[') || seen[part].replace(member).is_some() {
            return None;
        }
    }
    let holds_arrays = |data: &Member| {
        let mut rest = bytes.get(data.start + 1..).unwrap_or_default().iter();
        rest.find(|byte| !byte.is_ascii_whitespace()).is_none_or(|byte| b"[]".contains(byte))
    };
    let [columns, index, data] = seen;
    if !data.is_none_or(holds_arrays) {
        return None;
    }
    let named = columns.is_some_and(|columns| columns.value.is_some());
    match (named, index.or(data)) {
        (true, _) if whole => data.map(|_| Told::Clear(Orient::Split)),
        (true, Some(_)) => Some(Told::Clear(Orient::Split)),
        (_, None) if columns.is_none() => None,
        _ => (!whole).then_some(Told::Later),
    }
}

/// Whether the keys are 0, 1, 2, …
fn counts(bytes: &[u8], members: &[Member]) -> bool {
    let is_number = |(number, member): (usize, &Member)| {
        member.key.owned_name(bytes) == number.to_string().as_bytes()
    };
    !members.is_empty() && members.iter().enumerate().all(is_number)
}

/// Whether members have the same keys in the same order, as far as they are
/// at hand.
fn have_same_keys(bytes: &[u8], members: &[Member], inner: &[Vec<Member>]) -> bool {
    let Some(first) = inner.first().map(|inner| names(bytes, inner)) else { return false };
    let agrees = |(member, inner): (&Member, &Vec<Member>)| {
        let names = names(bytes, inner);
        let shared = names.len().min(first.len());
        let is_cut = member.value.is_none() || members[0].value.is_none();
        names[..shared] == first[..shared] && (is_cut || names.len() == first.len())
    };
    !first.is_empty() && members.iter().zip(inner).all(agrees)
}

fn names(bytes: &[u8], members: &[Member]) -> Vec<Vec<u8>> {
    members.iter().map(|member| member.key.owned_name(bytes)).collect()
}

/// Rows are what the names of rows are given to, at the level at which they
/// look more like such.
fn by_names(bytes: &[u8], members: &[Member], inner: &[Vec<Member>]) -> Option<Orient> {
    let outer = likeness(&names(bytes, members));
    let within = likeness(&names(bytes, inner.first()?));
    let scalars =
        inner.iter().flatten().all(|member| !matches!(bytes.get(member.start), Some(b'{' | b'[')));
    let several = members.len() > 1;
    let long = members[0].value.is_none();
    match outer.cmp(&within) {
        std::cmp::Ordering::Greater => {
            let certain = outer == Likeness::Values && (several || scalars && inner[0].len() > 1);
            (certain || several && scalars).then_some(Orient::Index)
        }
        std::cmp::Ordering::Less => (scalars && (several || long)).then_some(Orient::Columns),
        std::cmp::Ordering::Equal => None,
    }
}

fn likeness(names: &[Vec<u8>]) -> Likeness {
    if names.iter().all(|name| is_value(name)) {
        return Likeness::Values;
    }
    let word = |name: &Vec<u8>| {
        let digits = name.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let word = name[..name.len() - digits].to_vec();
        (digits > 0 && !word.is_empty()).then_some(word)
    };
    let first = names.first().and_then(word);
    let is_numbered = names.len() > 1 && first.is_some();
    if is_numbered && names.iter().all(|name| word(name) == first) {
        return Likeness::Numbered;
    }
    Likeness::None
}

fn is_value(name: &[u8]) -> bool {
    let digits = !name.is_empty() && name.iter().all(u8::is_ascii_digit);
    digits
        || matches!(
            infer::evidence(name),
            Evidence::Number(_)
                | Evidence::Date
                | Evidence::Timestamp
                | Evidence::TimestampTz
                | Evidence::Uuid
        )
}

/// Rows have the same types key by key, columns member by member; where both
/// do, or neither, nothing is said.
fn by_types(bytes: &[u8], members: &[Member], inner: &[Vec<Member>]) -> Option<Orient> {
    let complete = members.iter().take_while(|member| member.value.is_some()).count();
    let inner = inner.get(..complete)?;
    let known = names(bytes, inner.first()?);
    if known.len() < 2 {
        return None;
    }
    let kinds: Vec<Vec<Option<Kind>>> =
        inner.iter().map(|members| members.iter().map(kind_of).collect()).collect();
    let turned: Vec<Vec<Option<Kind>>> = (0..known.len())
        .map(|key| kinds.iter().map(|row| row.get(key).copied().flatten()).collect())
        .collect();
    let rows = inner.len() >= MEMBERS_AGREEING && agree_apart(&turned);
    let columns = known.len() >= MEMBERS_AGREEING && inner.len() > 1 && agree_apart(&kinds);
    match (rows, columns) {
        (true, false) => Some(Orient::Index),
        (false, true) => Some(Orient::Columns),
        _ => None,
    }
}

/// Whether each group is of one kind, and two groups are of different ones.
fn agree_apart(groups: &[Vec<Option<Kind>>]) -> bool {
    let mut kinds = Vec::new();
    for group in groups {
        let mut known = group.iter().flatten();
        let Some(first) = known.next() else { continue };
        if known.any(|kind| kind != first) {
            return false;
        }
        kinds.push(*first);
    }
    kinds.iter().any(|kind| Some(kind) != kinds.first())
}

/// The kind of a value, spellings aside; `None` for `null`.
fn kind_of(member: &Member) -> Option<Kind> {
    match member.value?.kind {
        Kind::Null => None,
        Kind::Escaped => Some(Kind::Text),
        Kind::False => Some(Kind::True),
        kind => Some(kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_clear_documents_of_pandas_are_taken_for_such() {
        use Told::{Clear, Row, Unclear};
        let (split, index, columns) =
            (Clear(Orient::Split), Clear(Orient::Index), Clear(Orient::Columns));
        for (document, expected) in [
            (r#"{"columns":["a"],"data":[[1]]}"#, split),
            (r#"{"columns":["a"],"index":[0],"data":[[1]]}"#, split),
            (r#"{"data":[[1]],"columns":["a"]}"#, split),
            (r#"{"index":[0],"data":[ [1]],"columns":["a"]}"#, split),
            (r#"{"data":[],"index":[],"columns":["a"]}"#, split),
            (r#"{"columns":["a"],"index":[0]}"#, Row),
            (r#"{"data":[[1]],"index":[0]}"#, Row),
            (r#"{"data":[{"a":1}],"columns":["a"]}"#, Row),
            (r#"{"columns":["a"],"data":[[1]],"total":1}"#, Row),
            (r#"{"columns":3,"data":[[1]]}"#, Row),
            (r#"{"a":{"0":1,"1":2},"b":{"0":"x","1":"y"}}"#, columns),
            (r#"{"a":{"10":1,"20":2},"b":{"10":"x","20":"y"}}"#, columns),
            (r#"{"a":{"10":1},"b":{"10":"x"}}"#, columns),
            (
                r#"{"a":{"2024-01-01":1,"2024-01-02":2},"b":{"2024-01-01":3,"2024-01-02":4}}"#,
                columns,
            ),
            (r#"{"a":{"1704067200000":1},"b":{"1704067200000":2}}"#, columns),
            (r#"{"a":{"-1.5":1,"2":2},"b":{"-1.5":null,"2":2}}"#, columns),
            (r#"{"a":{"r1":1,"r2":2},"b":{"r1":"x","r2":"y"}}"#, columns),
            (r#"{"0":{"a":1,"b":"x"},"1":{"a":2,"b":"y"}}"#, index),
            (r#"{"10":{"a":1,"b":"x"},"20":{"a":2,"b":"y"}}"#, index),
            (r#"{"10":{"a":1,"b":"x"}}"#, index),
            (r#"{"10":{"a":[1],"b":{"c":1}},"20":{"a":[],"b":{}}}"#, index),
            (r#"{"2024-01-01T00:00:00.000Z":{"a":1},"2024-01-02T00:00:00.000Z":{"a":2}}"#, index),
            (r#"{"r1":{"a":1,"b":"x"},"r2":{"a":2,"b":"y"}}"#, index),
            (r#"{"10":{"q1":1,"q2":2},"20":{"q1":3,"q2":4}}"#, index),
            (r#"{"0":{"0":1,"1":2},"1":{"0":3,"1":4}}"#, columns),
            (r#"{"10":{"5":1,"6":2},"20":{"5":3,"6":4}}"#, Unclear),
            (r#"{"r1":{"q1":1,"q2":2},"r2":{"q1":3,"q2":4}}"#, Unclear),
            (r#"{"a":{"x":1},"b":{"x":2}}"#, Unclear),
            (r#"{"home":{"lat":1,"lon":2},"work":{"lat":3,"lon":4}}"#, Unclear),
            (r#"{"buyer":{"id":1,"name":"x"},"seller":{"id":2,"name":"y"}}"#, Unclear),
            (r#"{"users":{"1":{"a":1},"2":{"a":2}},"groups":{"1":{"b":1},"2":{"b":2}}}"#, Unclear),
            (r#"{"a":{"10":1,"20":2},"b":{"10":"x"}}"#, Row),
            (r#"{"limits":{"10":1,"20":2}}"#, Row),
            (r#"{"r":{"a":1,"b":"x"},"s":{"a":2,"b":"y"},"t":{"a":3,"b":null}}"#, index),
            (r#"{"a":{"r":1,"s":2,"t":3},"b":{"r":"x","s":"y","t":"z"}}"#, columns),
            (r#"{"r":{"a":1,"b":2},"s":{"a":2,"b":3},"t":{"a":3,"b":4}}"#, Unclear),
            (r#"{"a":1,"b":{"0":1}}"#, Row),
            ("{}", Row),
            (r#"{"a":{}}"#, Row),
        ] {
            assert_eq!(told(document.as_bytes(), 0, true), expected, "{document}");
        }
    }

    #[test]
    fn the_beginning_of_a_document_tells_as_much_as_it_can() {
        for (document, expected) in [
            (r#"{"columns":["a"],"index":[1,2"#, Told::Clear(Orient::Split)),
            (r#"{"columns":["a"],"data":[[1,2"#, Told::Clear(Orient::Split)),
            (r#"{"index":[1,2],"data":[[1,2"#, Told::Later),
            (r#"{"data":[[1,2],[3"#, Told::Later),
            (r#"{"data":[{"a":1},{"#, Told::Row),
            (r#"{"a":{"10":1,"20":2,"30":3"#, Told::Clear(Orient::Columns)),
            (r#"{"10":{"a":1,"b":2},"20":{"a":1"#, Told::Clear(Orient::Index)),
            (r#"{"users":{"10":{"a":1},"20":{"a":2"#, Told::Row),
        ] {
            assert_eq!(told(document.as_bytes(), 0, false), expected, "{document}");
        }
    }

    #[test]
    fn rows_inside_a_document_are_pointed_at() {
        let pointed = |document: &str| array_of_objects(document.as_bytes(), 0, true);
        assert_eq!(pointed(r#"{"meta":{"n":1},"da/ta": [ {"a":1}]}"#).unwrap(), "/da~1ta");
        assert_eq!(pointed(r#"{"meta":[1,2]}"#), None);
    }
}

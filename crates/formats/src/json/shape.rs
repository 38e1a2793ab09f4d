//! Which shape a document has, from its first megabyte at most.
//!
//! A document that could be one row is one row, unless its keys say clearly
//! that pandas wrote it: `columns` and `data`, or rows named 0, 1, 2, …, or
//! three members or more of the same keys whose types tell rows from columns.

use super::scanner::{Memory, Scanner, Stop};
use super::settings::Orient;
use super::token::{Key, Kind, Token};

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

/// The orient that the object at `start` of `bytes` clearly has.
pub(super) fn orient_of(bytes: &[u8], start: usize, ended: bool) -> Option<Orient> {
    let (members, _) = members(bytes, start, ended);
    if is_split(bytes, &members) {
        return Some(Orient::Split);
    }
    if members.is_empty() || members.iter().any(|member| bytes.get(member.start) != Some(&b'{')) {
        return None;
    }
    let inner: Vec<Vec<Member>> =
        members.iter().map(|member| self::members(bytes, member.start, ended).0).collect();
    let whole = members.iter().all(|member| member.value.is_some());
    if inner.iter().all(|inner| counts(bytes, inner)) && (whole || inner[0].len() > 2) {
        return Some(Orient::Columns);
    }
    if counts(bytes, &members) && inner.iter().any(|inner| !inner.is_empty()) {
        return Some(Orient::Index);
    }
    by_types(bytes, &members, &inner)
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

/// `columns`, an array of names, then `data`, with `index` between or not.
fn is_split(bytes: &[u8], members: &[Member]) -> bool {
    let keys: Vec<Vec<u8>> = members.iter().map(|member| member.key.owned_name(bytes)).collect();
    let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
    let known = matches!(
        keys.as_slice(),
        [b"columns", b"data"] | [b"columns", b"index"] | [b"columns", b"index", b"data"]
    );
    known
        && members.iter().all(|member| bytes.get(member.start) == Some(&b'['))
        && members.first().is_some_and(|member| member.value.is_some())
        && (keys.len() == 3
            || keys.last() == Some(&&b"data"[..])
            || members.last().is_some_and(|member| member.value.is_none()))
}

/// Whether the keys are 0, 1, 2, …
fn counts(bytes: &[u8], members: &[Member]) -> bool {
    let is_number = |(number, member): (usize, &Member)| {
        member.key.owned_name(bytes) == number.to_string().as_bytes()
    };
    !members.is_empty() && members.iter().enumerate().all(is_number)
}

/// Rows have the same types key by key, columns member by member; where both
/// do, or neither, nothing is said.
fn by_types(bytes: &[u8], members: &[Member], inner: &[Vec<Member>]) -> Option<Orient> {
    let complete = members.iter().take_while(|member| member.value.is_some()).count();
    let inner = inner.get(..complete)?;
    let first = inner.first()?;
    let keys = |members: &[Member]| -> Vec<Vec<u8>> {
        members.iter().map(|member| member.key.owned_name(bytes)).collect()
    };
    let known = keys(first);
    if known.len() < 2 || inner.iter().any(|other| keys(other) != known) {
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
        for (document, expected) in [
            (r#"{"columns":["a"],"data":[[1]]}"#, Some(Orient::Split)),
            (r#"{"columns":["a"],"index":[0],"data":[[1]]}"#, Some(Orient::Split)),
            (r#"{"columns":["a"],"index":[0]}"#, None),
            (r#"{"columns":["a"],"data":[[1]],"total":1}"#, None),
            (r#"{"columns":3,"data":[[1]]}"#, None),
            (r#"{"a":{"0":1,"1":2},"b":{"0":"x","1":"y"}}"#, Some(Orient::Columns)),
            (r#"{"0":{"a":1,"b":"x"},"1":{"a":2,"b":"y"}}"#, Some(Orient::Index)),
            (r#"{"0":{"0":1,"1":2},"1":{"0":3,"1":4}}"#, Some(Orient::Columns)),
            (r#"{"a":{"x":1},"b":{"x":2}}"#, None),
            (r#"{"home":{"lat":1,"lon":2},"work":{"lat":3,"lon":4}}"#, None),
            (
                r#"{"r":{"a":1,"b":"x"},"s":{"a":2,"b":"y"},"t":{"a":3,"b":null}}"#,
                Some(Orient::Index),
            ),
            (r#"{"a":{"r":1,"s":2,"t":3},"b":{"r":"x","s":"y","t":"z"}}"#, Some(Orient::Columns)),
            (r#"{"r":{"a":1,"b":2},"s":{"a":2,"b":3},"t":{"a":3,"b":4}}"#, None),
            (r#"{"a":1,"b":{"0":1}}"#, None),
            ("{}", None),
            (r#"{"a":{}}"#, None),
        ] {
            assert_eq!(orient_of(document.as_bytes(), 0, true), expected, "{document}");
        }
    }

    #[test]
    fn rows_inside_a_document_are_pointed_at() {
        let pointed = |document: &str| array_of_objects(document.as_bytes(), 0, true);
        assert_eq!(pointed(r#"{"meta":{"n":1},"da/ta": [ {"a":1}]}"#).unwrap(), "/da~1ta");
        assert_eq!(pointed(r#"{"meta":[1,2]}"#), None);
    }
}

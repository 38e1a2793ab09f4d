//! Where an object or an array ends that breaks the grammar, if that can be
//! told: brackets outside strings close what they open, and behind the value
//! the container around it goes on.
//!
//! Not here: what is wrong with the value. When in doubt the answer is that
//! the end cannot be told, since a value that is believed to be longer than it
//! is swallows its neighbours.

/// What was found of a value's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// Behind this byte.
    Ends(usize),
    /// More bytes are needed.
    Incomplete,
    /// It cannot be told.
    Unknown,
}

/// Where the member ends that begins at `start`, inside a container that ends
/// with `closer`. `ended` says that these bytes are all.
pub(super) fn of_member(bytes: &[u8], start: usize, closer: u8, ended: bool) -> Extent {
    let mut walk = Walk { bytes, at: start, open: Vec::new() };
    match walk.member(closer) {
        Some(extent) => extent,
        None if ended => Extent::Unknown,
        None => Extent::Incomplete,
    }
}

struct Walk<'b> {
    bytes: &'b [u8],
    at: usize,
    /// The brackets that are to come.
    open: Vec<u8>,
}

impl Walk<'_> {
    /// `None` when the bytes do not suffice.
    fn member(&mut self, closer: u8) -> Option<Extent> {
        if !matches!(self.byte()?, b'{' | b'[') {
            return Some(Extent::Unknown);
        }
        loop {
            match self.byte()? {
                b'"' => {
                    if !self.string()? {
                        return Some(Extent::Unknown);
                    }
                    continue;
                }
                b'{' => self.open.push(b'}'),
                b'[' => self.open.push(b']'),
                byte @ (b'}' | b']') => {
                    if self.open.pop() != Some(byte) {
                        return Some(Extent::Unknown);
                    }
                    if self.open.is_empty() {
                        return self.behind(self.at + 1, closer);
                    }
                }
                _ => {}
            }
            self.at += 1;
        }
    }

    fn byte(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Behind the value stands a comma, or the end of the one around it.
    fn behind(&self, end: usize, closer: u8) -> Option<Extent> {
        let next = self.next_solid(end)?;
        Some(if next == b',' || next == closer { Extent::Ends(end) } else { Extent::Unknown })
    }

    fn next_solid(&self, from: usize) -> Option<u8> {
        self.bytes.get(from..)?.iter().copied().find(|byte| !byte.is_ascii_whitespace())
    }

    /// Passes over a string. `false` when its quotes are not to be trusted: it
    /// has brackets inside and stands where no string stands, as what is
    /// between two strings does once a quote is lacking.
    fn string(&mut self) -> Option<bool> {
        let start = self.at;
        let before = self.bytes.get(..start).unwrap_or_default().trim_ascii_end().last().copied();
        self.at += 1;
        let mut has_brackets = false;
        loop {
            match self.byte()? {
                b'"' => break,
                b'\\' => self.at += 1,
                b'{' | b'}' | b'[' | b']' => has_brackets = true,
                _ => {}
            }
            self.at += 1;
        }
        self.at += 1;
        if !has_brackets {
            return Some(true);
        }
        let after = self.next_solid(self.at)?;
        let opens = before.is_none_or(|byte| b"{[:,".contains(&byte));
        Some(opens && b"}]:,".contains(&after))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_broken_member_is_told_where_brackets_and_quotes_agree() {
        for (rest, expected) in [
            (r#"{"a":NaN},{"b":1}]"#, Some(r#"{"a":NaN}"#)),
            (r#"{"a":1,} , 2]"#, Some(r#"{"a":1,}"#)),
            (r#"{"a":"]}\"[,",'b':[x]}]"#, Some(r#"{"a":"]}\"[,",'b':[x]}"#)),
            (r#"{"a":"say "hi" now"},1]"#, Some(r#"{"a":"say "hi" now"}"#)),
            ("+1 ,2]", None),
            ("// x\n2]", None),
            (",1]", None),
            ("]", None),
            (r#"{"a":1]}"#, None),
            (r#"{"a":NaN} {"b":1},2]"#, None),
            (r#"{"a":"x},{"a":"y"},{"b":"z}]"#, None),
            (r#"{"a":x"},{"a":"y"}]"#, None),
            (r#"{"a":[1},2]"#, None),
            (r#"{"a":1"#, None),
            ("1", None),
        ] {
            let found = of_member(rest.as_bytes(), 0, b']', true);
            match (found, expected) {
                (Extent::Ends(end), Some(expected)) => assert_eq!(&rest[..end], expected),
                (Extent::Unknown, None) => {}
                other => panic!("{rest}: {other:?}"),
            }
        }
    }

    #[test]
    fn the_answer_waits_for_the_byte_behind_the_value() {
        let text = r#"{"a":["]",+1]} ,"#;
        for end in 0..text.len() - 1 {
            assert_eq!(of_member(&text.as_bytes()[..end], 0, b']', false), Extent::Incomplete);
        }
        assert_eq!(of_member(text.as_bytes(), 0, b']', false), Extent::Ends(14));
    }
}

//! The grammar of RFC 8259 over bytes at hand, which may be only the
//! beginning of a text: then the answer is [`Stop::Incomplete`], and the same
//! value is scanned again once there are more.
//!
//! Structure and content are told apart. A structural fault ends the scan. A
//! fault of content (a repeated key, half of a surrogate pair) is noted, and
//! the scan goes on, since where the value ends is known all the same.
//!
//! Invariant: nothing recurses deeper than columns are flattened, whatever
//! the text, and the outcome does not depend on how much more than the value
//! is at hand.

mod scalars;

use super::fault::{Fault, What};
use super::token::{Key, Kind, Token};

/// Deepest nesting that is read.
pub(super) const DEPTH_MAX: usize = 512;
/// Keys up to which each is compared with each.
const FEW_KEYS: usize = 8;
/// Letters of a word that are worth quoting.
const WORD_LETTERS: usize = 12;
/// Most levels of objects that become columns.
pub(super) const FLATTEN_DEPTH_MAX: u32 = 64;

/// Why a scan ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// More bytes are needed.
    Incomplete,
    Fault(Fault),
}

type Scan<T> = Result<T, Stop>;

/// A part of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A member of an object.
    Member(Key, Token),
    /// A member that is an object to be flattened begins.
    Open(Key),
    /// It ends.
    Close,
    /// An element of an array.
    Element(Token),
    /// The row is one value.
    Scalar(Token),
}

/// What a scanner remembers between values, so that nothing is allocated for
/// each.
#[derive(Default)]
pub(super) struct Memory {
    frames: Vec<Frame>,
    keys: Vec<Key>,
    /// The first fault of content.
    pub(super) fault: Option<Fault>,
}

#[derive(Clone, Copy)]
struct Frame {
    object: bool,
    state: State,
    keys_from: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Fresh,
    AfterComma,
    AfterValue,
}

/// A place in a text.
pub(super) struct Scanner<'b> {
    bytes: &'b [u8],
    /// The next byte.
    pub(super) at: usize,
    /// Whether these bytes are all.
    ended: bool,
    memory: &'b mut Memory,
    compares_keys: bool,
}

impl<'b> Scanner<'b> {
    /// Begins with the value at `at`.
    pub(super) fn new(bytes: &'b [u8], at: usize, ended: bool, memory: &'b mut Memory) -> Self {
        memory.frames.clear();
        memory.keys.clear();
        memory.fault = None;
        Self { bytes, at, ended, memory, compares_keys: true }
    }

    /// Goes on with a value whose containers are in `memory` and whose
    /// content is of no interest.
    pub(super) fn passing(bytes: &'b [u8], at: usize, ended: bool, memory: &'b mut Memory) -> Self {
        Self { bytes, at, ended, memory, compares_keys: false }
    }

    /// Passes over white space.
    #[inline]
    pub(super) fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    /// The next byte without taking it.
    #[inline]
    pub(super) fn peek(&self) -> Scan<u8> {
        match self.bytes.get(self.at) {
            Some(byte) => Ok(*byte),
            None if self.ended => Err(Stop::Fault(Fault::new(self.at, self.at, What::End))),
            None => Err(Stop::Incomplete),
        }
    }

    /// Takes `byte`, behind white space.
    pub(super) fn expect(&mut self, byte: u8, expected: &'static str) -> Scan<()> {
        self.space();
        if self.peek()? != byte {
            return Err(self.unexpected(expected));
        }
        self.at += 1;
        Ok(())
    }

    /// A row: the members of an object, those of objects inside it down to
    /// `levels` deep, the elements of an array, or one value.
    pub(super) fn row(&mut self, levels: u32, events: &mut Vec<Event>) -> Scan<()> {
        events.clear();
        match self.peek()? {
            b'{' => self.members(levels.min(FLATTEN_DEPTH_MAX), 1, events),
            b'[' => self.elements(events),
            _ => {
                let value = self.value(0)?;
                events.push(Event::Scalar(value));
                Ok(())
            }
        }
    }

    fn members(&mut self, levels: u32, depth: usize, events: &mut Vec<Event>) -> Scan<()> {
        self.at += 1;
        let mut state = State::Fresh;
        while self.goes_on(b'}', &mut state)? {
            let key = self.key()?;
            if self.peek()? == b'{' && levels > 0 {
                events.push(Event::Open(key));
                self.members(levels - 1, depth + 1, events)?;
                events.push(Event::Close);
            } else {
                let value = self.value(depth)?;
                events.push(Event::Member(key, value));
            }
        }
        Ok(())
    }

    fn elements(&mut self, events: &mut Vec<Event>) -> Scan<()> {
        self.at += 1;
        let mut state = State::Fresh;
        while self.goes_on(b']', &mut state)? {
            let value = self.value(1)?;
            events.push(Event::Element(value));
        }
        Ok(())
    }

    /// Whether another member follows; passes over the comma before it, or
    /// over the closing bracket.
    fn goes_on(&mut self, closer: u8, state: &mut State) -> Scan<bool> {
        self.space();
        let byte = self.peek()?;
        if byte == closer {
            return self.close(*state).map(|()| false);
        }
        if *state == State::AfterValue {
            self.comma(closer)?;
            self.space();
            if self.peek()? == closer {
                return Err(self.fault_here(What::TrailingComma));
            }
        }
        *state = State::AfterValue;
        Ok(true)
    }

    fn close(&mut self, state: State) -> Scan<()> {
        if state == State::AfterComma {
            return Err(self.fault_here(What::TrailingComma));
        }
        self.at += 1;
        Ok(())
    }

    fn comma(&mut self, closer: u8) -> Scan<()> {
        if self.peek()? != b',' {
            let object = closer == b'}';
            return Err(self.unexpected(if object { "`,` or `}`" } else { "`,` or `]`" }));
        }
        self.at += 1;
        Ok(())
    }

    /// A key, its colon, and the white space around them.
    pub(super) fn key(&mut self) -> Scan<Key> {
        self.space();
        if self.peek()? != b'"' {
            return Err(self.unexpected("a key in double quotes"));
        }
        let token = self.string()?;
        self.expect(b':', "`:`")?;
        self.space();
        Ok(Key { token })
    }

    /// A value that stands `depth` containers deep.
    pub(super) fn value(&mut self, depth: usize) -> Scan<Token> {
        self.space();
        let start = self.at;
        let kind = match self.peek()? {
            byte @ (b'{' | b'[') => {
                self.push(byte, depth)?;
                while !self.memory.frames.is_empty() {
                    self.step(depth)?;
                }
                if byte == b'{' { Kind::Object } else { Kind::Array }
            }
            _ => return self.scalar(),
        };
        Ok(Token::new(start, self.at, kind))
    }

    /// Begins to pass over the value at hand; answers whether it is a
    /// container, which [`Self::pass`] goes through, or passed already.
    pub(super) fn begin_passing(&mut self) -> Scan<bool> {
        self.memory.frames.clear();
        match self.peek()? {
            byte @ (b'{' | b'[') => self.push(byte, 0).map(|()| true),
            _ => self.scalar().map(|_| false),
        }
    }

    /// Passes over one part of the container that is being passed; answers
    /// whether it goes on. After [`Stop::Incomplete`] the same part begins
    /// again.
    pub(super) fn pass(&mut self) -> Scan<bool> {
        self.step(0)?;
        Ok(!self.memory.frames.is_empty())
    }

    fn push(&mut self, opener: u8, depth: usize) -> Scan<()> {
        if self.memory.frames.len() + depth >= DEPTH_MAX {
            return Err(self.fault_here(What::Depth(DEPTH_MAX)));
        }
        let keys_from = self.memory.keys.len();
        self.memory.frames.push(Frame { object: opener == b'{', state: State::Fresh, keys_from });
        self.at += 1;
        Ok(())
    }

    /// One part of the innermost container: a comma, a member, or its end.
    fn step(&mut self, depth: usize) -> Scan<()> {
        let Some(frame) = self.memory.frames.last().copied() else { return Ok(()) };
        self.space();
        let closer = if frame.object { b'}' } else { b']' };
        if self.peek()? == closer {
            self.close(frame.state)?;
            self.pop(frame);
            return Ok(());
        }
        if frame.state == State::AfterValue {
            self.comma(closer)?;
            self.set_state(State::AfterComma);
            return Ok(());
        }
        if frame.object {
            let key = self.key()?;
            if self.compares_keys {
                self.memory.keys.push(key);
            }
        }
        match self.peek()? {
            byte @ (b'{' | b'[') => {
                self.set_state(State::AfterValue);
                self.push(byte, depth)
            }
            _ => {
                self.scalar()?;
                self.set_state(State::AfterValue);
                Ok(())
            }
        }
    }

    fn set_state(&mut self, state: State) {
        if let Some(frame) = self.memory.frames.last_mut() {
            frame.state = state;
        }
    }

    fn pop(&mut self, frame: Frame) {
        self.memory.frames.pop();
        if frame.object && self.compares_keys {
            let keys = self.memory.keys.get_mut(frame.keys_from..).unwrap_or_default();
            if let Some(key) = repeated(keys, self.bytes) {
                self.note(repeated_key(key));
            }
            self.memory.keys.truncate(frame.keys_from);
        }
    }

    fn note(&mut self, fault: Fault) {
        if self.memory.fault.is_none_or(|known| fault.at < known.at) {
            self.memory.fault = Some(fault);
        }
    }

    fn fault(&self, at: usize, end: usize, what: What) -> Stop {
        Stop::Fault(Fault::new(at, end, what))
    }

    fn fault_here(&self, what: What) -> Stop {
        self.fault(self.at, self.at + 1, what)
    }

    /// What is wrong with the byte at hand, where `expected` had to stand.
    pub(super) fn unexpected(&self, expected: &'static str) -> Stop {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let letters = rest.iter().take(WORD_LETTERS).take_while(|byte| byte.is_ascii_alphabetic());
        let letters = letters.count();
        let is_word = matches!(expected, "a value" | "a digit");
        let is_cut = rest.len() < WORD_LETTERS && letters == rest.len();
        if !self.ended && is_cut && (is_word || rest.is_empty()) {
            return Stop::Incomplete;
        }
        match rest.first() {
            Some(b'/') => self.fault_here(What::Comment),
            Some(_) if letters > 0 && is_word => self.fault(self.at, self.at + letters, What::Word),
            _ => self.fault_here(What::Expected(expected)),
        }
    }
}

/// The fault of a key that was there before.
pub(super) fn repeated_key(key: Key) -> Fault {
    let Token { start, end, .. } = key.token;
    Fault::new(start as usize, end as usize, What::RepeatedKey)
}

/// The first key that stands behind an equal one. Leaves the keys in another
/// order.
pub(super) fn repeated(keys: &mut [Key], bytes: &[u8]) -> Option<Key> {
    let equal = |one: &Key, other: &Key| {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        one.name(bytes, &mut left) == other.name(bytes, &mut right)
    };
    if keys.len() <= FEW_KEYS {
        let repeats = |at: usize| keys[..at].iter().any(|earlier| equal(earlier, &keys[at]));
        return (1..keys.len()).find(|at| repeats(*at)).map(|at| keys[at]);
    }
    keys.sort_by(|one, other| {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        let order = one.name(bytes, &mut left).cmp(other.name(bytes, &mut right));
        order.then(one.token.start.cmp(&other.token.start))
    });
    let pairs = keys.windows(2).filter(|pair| equal(&pair[0], &pair[1]));
    pairs.map(|pair| pair[1]).min_by_key(|key| key.token.start)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(text: &str, ended: bool) -> Result<(usize, Option<What>), Stop> {
        let mut memory = Memory::default();
        let mut scanner = Scanner::new(text.as_bytes(), 0, ended, &mut memory);
        scanner.value(0)?;
        let at = scanner.at;
        Ok((at, memory.fault.map(|fault| fault.what)))
    }

    #[test]
    fn every_beginning_of_a_value_is_incomplete() {
        let text = r#"{"a": [1.5e-3, true, null, "x\u00e9\ud83d\ude00\\"], "b": {}} "#;
        let whole = text.trim_end().len();
        for end in (0..whole).filter(|end| text.is_char_boundary(*end)) {
            assert_eq!(scan(&text[..end], false), Err(Stop::Incomplete), "{}", &text[..end]);
            assert!(matches!(scan(&text[..end], true), Err(Stop::Fault(_))), "{}", &text[..end]);
        }
        assert_eq!(scan(text, false), Ok((whole, None)));
    }

    #[test]
    fn faults_say_where_and_what() {
        for (text, at, what) in [
            ("[1,]", 3, What::TrailingComma),
            ("{\"a\":1,}", 7, What::TrailingComma),
            ("[NaN]", 1, What::Word),
            ("[-Infinity]", 2, What::Word),
            ("[/*x*/1]", 1, What::Comment),
            ("[007]", 1, What::LeadingZero),
            ("[\"\n\"]", 2, What::Control),
            ("[\"\\x\"]", 2, What::Escape),
            ("[1 2]", 3, What::Expected("`,` or `]`")),
            ("{a:1}", 1, What::Expected("a key in double quotes")),
            ("{\"a\" 1}", 5, What::Expected("`:`")),
            ("[,1]", 1, What::Expected("a value")),
            ("[1.]", 3, What::Expected("a digit")),
            ("[1", 2, What::End),
        ] {
            match scan(text, true) {
                Err(Stop::Fault(fault)) => assert_eq!((fault.at, fault.what), (at, what), "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn faults_of_content_leave_the_structure_known() {
        let many: String = (0..20).map(|key| format!("\"k{key}\":0,")).collect();
        for (text, what) in [
            (r#"{"a":1,"b":2,"a":3}"#.to_owned(), What::RepeatedKey),
            (r#"{"a":1,"\u0061":3}"#.to_owned(), What::RepeatedKey),
            (format!("{{{many}\"k7\":1}}"), What::RepeatedKey),
            (r#"["\ud800"]"#.to_owned(), What::Surrogate),
            (r#"["\udc00x"]"#.to_owned(), What::Surrogate),
            (r#"["\ud800\ud800\udc00"]"#.to_owned(), What::Surrogate),
        ] {
            assert_eq!(scan(&text, true), Ok((text.len(), Some(what))), "{text}");
        }
        assert_eq!(scan(r#"[{"a":1},{"a":1}]"#, true), Ok((17, None)));
    }

    #[test]
    fn depth_has_a_bound() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(scan(&nested(DEPTH_MAX), true).is_ok());
        let Err(Stop::Fault(fault)) = scan(&nested(DEPTH_MAX + 1), true) else { panic!() };
        assert_eq!((fault.at, fault.what), (DEPTH_MAX, What::Depth(DEPTH_MAX)));
    }
}

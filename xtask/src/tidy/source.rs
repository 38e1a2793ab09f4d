//! Rust source as the rules see it: code without its comments and literals.
//!
//! Not a parser. It knows enough to tell code from text, tokens from each
//! other and a test from what it tests, and keeps every byte's position, so
//! that a finding has a line.

/// Where a rule looks.
pub(crate) struct Source {
    /// Path in the repository, with `/`.
    pub(crate) path: String,
    /// The file as it is.
    pub(crate) text: String,
    /// The same, with blanks for comments and literals.
    code: String,
    /// First byte of each line.
    lines: Vec<usize>,
    /// Byte ranges that are compiled for tests only, in order.
    tests: Vec<std::ops::Range<usize>>,
}

/// An identifier, a keyword, a number or one character of punctuation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) text: &'a str,
    /// First byte.
    pub(crate) at: usize,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let code = mask(text);
        let tests = tests(path, &code);
        let lines = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .take_while(|&at| at < text.len().max(1))
            .collect();
        Self { path: path.to_owned(), text: text.to_owned(), code, lines, tests }
    }

    /// Modules that are declared for tests only and have files of their own,
    /// as paths without `.rs`.
    fn test_modules(&self) -> Vec<String> {
        let folder = self.path.trim_end_matches(".rs");
        let folder = ["lib", "main", "mod"]
            .into_iter()
            .find_map(|root| folder.strip_suffix(root)?.strip_suffix('/'))
            .unwrap_or(folder);
        let tokens = self.tokens();
        let declared = tokens.windows(3).filter(|three| {
            three[0].text == "mod" && three[2].text == ";" && self.is_test(three[0].at)
        });
        declared.map(|three| format!("{folder}/{}", three[1].text)).collect()
    }

    /// The code's tokens.
    pub(crate) fn tokens(&self) -> Vec<Token<'_>> {
        tokens(&self.code)
    }

    /// The line, from 1, that byte `at` stands on.
    pub(crate) fn line(&self, at: usize) -> usize {
        self.lines.partition_point(|&first| first <= at)
    }

    /// Whether byte `at` is compiled for tests only.
    pub(crate) fn is_test(&self, at: usize) -> bool {
        self.tests.iter().any(|range| range.contains(&at))
    }

    /// Lines that are not compiled for tests only.
    pub(crate) fn production_lines(&self) -> usize {
        self.lines.iter().filter(|&&first| !self.is_test(first)).count()
    }
}

/// Marks the files as tests that their parents declare as such.
pub(crate) fn mark_test_modules(sources: &mut [Source]) {
    let modules: Vec<String> = sources.iter().flat_map(Source::test_modules).collect();
    for source in sources {
        let path = source.path.trim_end_matches(".rs");
        let is_test = modules.iter().any(|module| {
            path.strip_prefix(module.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        if is_test {
            source.tests = everything(&source.code);
        }
    }
}

/// The position after the bracket that closes the one at `open`.
pub(crate) fn after_group(tokens: &[Token<'_>], open: usize) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        match token.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return index + 1;
        }
    }
    tokens.len()
}

/// The first `;` or `{` outside of other brackets, at or after `start`: where
/// the head of a function, a module or an `impl` ends.
pub(crate) fn end_of_head(tokens: &[Token<'_>], start: usize) -> Option<usize> {
    let mut index = start;
    while index < tokens.len() {
        match tokens[index].text {
            ";" | "{" => return Some(index),
            "(" | "[" => index = after_group(tokens, index),
            _ => index += 1,
        }
    }
    None
}

/// The attributes, as ranges of tokens from `#` to the closing bracket.
pub(crate) fn attributes(tokens: &[Token<'_>]) -> Vec<std::ops::Range<usize>> {
    let text = |index: usize| tokens.get(index).map(|token| token.text);
    let mut found = Vec::new();
    for start in 0..tokens.len() {
        let open = if text(start + 1) == Some("!") { start + 2 } else { start + 1 };
        if text(start) == Some("#") && text(open) == Some("[") {
            found.push(start..after_group(tokens, open));
        }
    }
    found
}

fn everything(code: &str) -> Vec<std::ops::Range<usize>> {
    std::iter::once(0..code.len()).collect()
}

fn tests(path: &str, code: &str) -> Vec<std::ops::Range<usize>> {
    if path.split('/').any(|part| part == "tests" || part == "tests.rs") {
        return everything(code);
    }
    let tokens = tokens(code);
    let mut found = Vec::new();
    for attribute in attributes(&tokens) {
        let words: Vec<&str> = tokens[attribute.clone()].iter().map(|token| token.text).collect();
        match words[..] {
            ["#", "!", "[", "cfg", "(", "test", ")", "]"] => {
                return everything(code);
            }
            ["#", "[", "cfg", "(", "test", ")", "]"]
            | ["#", "[", "cfg", "(", "all", "(", "test", ..] => {
                let end = end_of_head(&tokens, attribute.end).map_or(tokens.len(), |head| {
                    if tokens[head].text == "{" { after_group(&tokens, head) } else { head + 1 }
                });
                found.push(tokens[attribute.start].at..tokens[end - 1].at + 1);
            }
            _ => {}
        }
    }
    found
}

fn tokens(code: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(first) = code[at..].chars().next() {
        let length = if is_word(first) {
            code[at..].find(|c| !is_word(c)).unwrap_or(code.len() - at)
        } else {
            first.len_utf8()
        };
        if !first.is_whitespace() {
            found.push(Token { text: &code[at..at + length], at });
        }
        at += length;
    }
    found
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The text with blanks for comments and literals, byte for byte; lines stay.
fn mask(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut masked = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let Some(end) = end_of_text(bytes, at) else {
            at += 1;
            continue;
        };
        for byte in &mut masked[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end;
    }
    String::from_utf8_lossy(&masked).into_owned()
}

/// Where the comment or literal ends that begins at `at`, if one does.
fn end_of_text(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = &bytes[at..];
    match rest {
        [b'/', b'/', ..] => Some(at + find(rest, b"\n").unwrap_or(rest.len())),
        [b'/', b'*', ..] => Some(at + block_comment(rest)),
        [b'"', ..] => Some(at + string(rest)),
        [b'\'', ..] => character(rest).map(|length| at + length),
        [b'r', ..] if !continues_word(bytes, at) => raw_string(rest).map(|length| at + length),
        _ => None,
    }
}

/// Whether the `r` at `at` belongs to a longer word; `b` and `c` before it
/// are prefixes of a literal.
fn continues_word(bytes: &[u8], at: usize) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    match bytes[..at] {
        [.., before, b'b' | b'c'] => is_word(before),
        [b'b' | b'c'] => false,
        [.., before] => is_word(before),
        [] => false,
    }
}

fn block_comment(bytes: &[u8]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn string(bytes: &[u8]) -> usize {
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn raw_string(bytes: &[u8]) -> Option<usize> {
    let hashes = bytes[1..].iter().take_while(|&&byte| byte == b'#').count();
    if bytes.get(1 + hashes) != Some(&b'"') {
        return None;
    }
    let mut close = vec![b'"'];
    close.resize(1 + hashes, b'#');
    let inside = 2 + hashes;
    Some(find(&bytes[inside..], &close).map_or(bytes.len(), |end| inside + end + close.len()))
}

/// A character's literal; `None` for a lifetime.
fn character(bytes: &[u8]) -> Option<usize> {
    let inside = match bytes.get(1)? {
        b'\\' => 3,
        first if *first < 0x80 => 2,
        _ => 1 + bytes[1..].iter().skip(1).take_while(|&&byte| byte & 0xC0 == 0x80).count() + 1,
    };
    let escaped = bytes[1] == b'\\';
    let close = inside + bytes.get(inside..)?.iter().position(|&byte| byte == b'\'')?;
    (escaped || close == inside).then_some(close + 1)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let source = Source::new("src/lib.rs", text);
        source.tokens().iter().map(|token| token.text.to_owned()).collect()
    }

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        assert_eq!(words(text), expected, "in {text}");
    }

    #[test]
    fn comments_are_no_code() {
        check("a // fn b\nc", &["a", "c"]);
        check("a /* fn /* nested */ b */ c", &["a", "c"]);
        check("//! doc\n/// fn\nfn d", &["fn", "d"]);
        check("a /* open", &["a"]);
    }

    #[test]
    fn literals_are_no_code() {
        check(r#"a "fn b" c"#, &["a", "c"]);
        check(r#"a "quoted \" fn" c"#, &["a", "c"]);
        check(r##"a r#"raw " fn"# c"##, &["a", "c"]);
        check(r##"a br#"raw " fn"# c"##, &["a", "b", "c"]);
        check(r#"a r"\" c"#, &["a", "c"]);
        check("a \"// no comment\" c", &["a", "c"]);
    }

    #[test]
    fn characters_are_literals_and_lifetimes_are_code() {
        check("a 'x' b", &["a", "b"]);
        check("a '{' b", &["a", "b"]);
        check(r"a '\'' b '\\' c '\u{1F600}' d", &["a", "b", "c", "d"]);
        check("a 'é' b '\"' c", &["a", "b", "c"]);
        check("&'a str", &["&", "'", "a", "str"]);
    }

    #[test]
    fn a_raw_identifier_and_a_word_that_ends_in_r_are_code() {
        check("r#type", &["r", "#", "type"]);
        check("for\"x\"a", &["for", "a"]);
    }

    #[test]
    fn lines_count_from_one() {
        let source = Source::new("src/lib.rs", "a\nb\n\nc\n");
        let lines: Vec<usize> = source.tokens().iter().map(|t| source.line(t.at)).collect();
        assert_eq!(lines, [1, 2, 4]);
        assert_eq!(source.production_lines(), 4);
    }

    #[test]
    fn a_test_module_is_not_production() {
        let source =
            Source::new("src/lib.rs", "fn a() {}\n\n#[cfg(test)]\nmod tests {\n fn b() {}\n}\n");
        assert_eq!(source.production_lines(), 2);
        let tokens = source.tokens();
        assert!(!source.is_test(tokens.iter().find(|t| t.text == "a").unwrap().at));
        assert!(source.is_test(tokens.iter().find(|t| t.text == "b").unwrap().at));
    }

    #[test]
    fn a_test_module_of_its_own_file_does_not_hide_what_follows() {
        let source = Source::new("src/lib.rs", "#[cfg(test)]\nmod tests;\nfn a() {}\n");
        assert_eq!(source.production_lines(), 1);
    }

    #[test]
    fn files_of_tests_are_tests_throughout() {
        for path in ["crates/x/tests/it/main.rs", "crates/x/src/csv/tests.rs"] {
            assert_eq!(Source::new(path, "fn a() {}\n").production_lines(), 0, "{path}");
        }
    }

    #[test]
    fn a_module_that_its_parent_declares_for_tests_is_one() {
        let declares = "#[cfg(test)]\nmod testing;\nmod tests_of_speed;\n";
        let mut sources = [
            Source::new("crates/x/src/csv/mod.rs", declares),
            Source::new("crates/x/src/csv/testing.rs", "fn a() {}\n"),
            Source::new("crates/x/src/csv/testing/rows.rs", "fn a() {}\n"),
            Source::new("crates/x/src/csv/tests_of_speed.rs", "fn a() {}\n"),
            Source::new("crates/x/src/testing.rs", "fn a() {}\n"),
        ];
        mark_test_modules(&mut sources);
        assert_eq!(sources.map(|source| source.production_lines()), [1, 0, 0, 1, 1]);
    }

    #[test]
    fn attributes_are_found_with_what_they_enclose() {
        let source = Source::new("src/lib.rs", "#![a]\n#[b(c[d])]\nfn e() { f[0] }");
        let tokens = source.tokens();
        let found: Vec<String> = attributes(&tokens)
            .into_iter()
            .map(|range| tokens[range].iter().map(|t| t.text).collect::<String>())
            .collect();
        assert_eq!(found, ["#![a]", "#[b(c[d])]"]);
    }
}

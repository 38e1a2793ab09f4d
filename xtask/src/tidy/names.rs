//! Names: no module that says nothing, no word of another trade for a word of
//! this house.

use super::Finding;
use super::source::Source;

/// Modules that could hold anything, and so come to hold everything.
const EMPTY_NAMES: [&str; 9] =
    ["base", "common", "helper", "helpers", "misc", "shared", "types", "util", "utils"];

/// Words that other systems use for what this house calls an arrival, a row,
/// a run, a load or a destination.
const FOREIGN_WORDS: [&str; 6] = ["item", "job", "message", "record", "sink", "task"];

/// Definitions that may carry such a word, because it is not the house's:
/// what an iterator yields, the bytes of a CSV record (RFC 4180), Arrow's row
/// type.
const NOT_OURS: [&str; 3] = ["type Item", "fn record_bytes_max", "fn record_batch"];

/// The rule on the names of files and folders.
pub(super) fn file(path: &str) -> Option<Finding> {
    if !path.ends_with(".rs") {
        return None;
    }
    let parts = path.trim_end_matches(".rs").split('/');
    let empty = parts.skip_while(|part| *part != "src" && *part != "tests");
    let name = empty.into_iter().find(|part| EMPTY_NAMES.contains(part))?;
    Some(empty_name(path, 0, name))
}

/// The rules on what the code defines. Names of tests are sentences, and may
/// use any word.
pub(super) fn check(source: &Source) -> Vec<Finding> {
    let tokens = source.tokens();
    let mut found = Vec::new();
    for pair in tokens.windows(2) {
        let (keyword, name) = (pair[0], pair[1]);
        let is_definition =
            ["struct", "enum", "trait", "mod", "fn", "type"].contains(&keyword.text);
        if !is_definition || !name.text.starts_with(|c: char| c.is_alphabetic()) {
            continue;
        }
        let line = source.line(name.at);
        if keyword.text == "mod" && EMPTY_NAMES.contains(&name.text) {
            found.push(empty_name(&source.path, line, name.text));
        }
        let definition = format!("{} {}", keyword.text, name.text);
        if NOT_OURS.contains(&definition.as_str()) || source.is_test(name.at) {
            continue;
        }
        let foreign = foreign_word(name.text);
        let foreign = foreign.filter(|word| keyword.text != "fn" || !may_name(word, name.text));
        found.extend(foreign.map(|word| Finding {
            rule: "house-word",
            path: source.path.clone(),
            line,
            what: definition,
            advice: format!("\"{word}\" is no word of this house: see ARCHITECTURE.md"),
        }));
    }
    found
}

/// Whether a function may be called so: what an error says is its message,
/// and to record is a verb.
fn may_name(word: &str, function: &str) -> bool {
    word == "message" || (word == "record" && function.starts_with(word))
}

fn empty_name(path: &str, line: usize, name: &str) -> Finding {
    Finding {
        rule: "module-name",
        path: path.into(),
        line,
        what: format!("mod {name}"),
        advice: "name the module after what it holds".into(),
    }
}

fn foreign_word(name: &str) -> Option<&'static str> {
    let words = words(name);
    FOREIGN_WORDS.into_iter().find(|foreign| {
        words.iter().any(|word| word == foreign || word.strip_suffix('s') == Some(foreign))
    })
}

/// The words of a name, in lower case: of `SqsMessage`, `sqs` and `message`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for character in name.chars() {
        if character == '_' || character.is_uppercase() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut()
            && character != '_'
        {
            word.extend(character.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn names_found(text: &str) -> Vec<String> {
        check(&Source::new("crates/x/src/a.rs", text)).into_iter().map(|f| f.what).collect()
    }

    #[test]
    fn words_are_told_apart_in_either_case() {
        assert_eq!(words("SqsMessageBody"), ["sqs", "message", "body"]);
        assert_eq!(words("read_record"), ["read", "record"]);
    }

    #[test]
    fn definitions_with_a_foreign_word_are_found() {
        let text = "struct LoadJob; enum Tasks {} trait Sink {} mod messages {} fn next_item() {}
                    type CsvRecord = u8;";
        assert_eq!(
            names_found(text),
            [
                "struct LoadJob",
                "enum Tasks",
                "trait Sink",
                "mod messages",
                "fn next_item",
                "type CsvRecord"
            ]
        );
    }

    #[test]
    fn uses_and_longer_words_are_none() {
        let text = "use futures::Sink; fn take(b: RecordBatch) { tokio::task::spawn(sinking()); }
                    struct Itemised; type Item = u8; fn message_of() {} fn record_failure() {}";
        assert_eq!(names_found(text), Vec::<String>::new());
    }

    #[test]
    fn tests_may_use_any_word() {
        assert_eq!(
            names_found("#[cfg(test)]\nmod tests { fn a_message_twice_loads_once() {} }"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn modules_that_say_nothing_are_found() {
        assert_eq!(names_found("pub mod utils; mod storage;"), ["mod utils"]);
        assert!(file("crates/x/src/helpers.rs").is_some());
        assert!(file("crates/x/tests/common/mod.rs").is_some());
        assert_eq!(file("crates/x/src/storage.rs"), None);
        assert_eq!(file("base/x/src/storage.rs"), None);
    }
}

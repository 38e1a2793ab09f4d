//! No function over 70 lines, no file over 500 of production code.

use super::Finding;
use super::source::{Source, after_group, end_of_head};

const FUNCTION_LINES_MAX: usize = 70;
const FILE_LINES_MAX: usize = 500;

/// Both rules. Functions are measured in tests too.
pub(super) fn check(source: &Source) -> Vec<Finding> {
    let mut found = functions(source);
    found.extend(file(source));
    found
}

fn file(source: &Source) -> Option<Finding> {
    let lines = source.production_lines();
    (lines > FILE_LINES_MAX).then(|| Finding {
        rule: "file-length",
        path: source.path.clone(),
        line: 0,
        what: "file".into(),
        advice: format!("{lines} lines of production code, {FILE_LINES_MAX} at most: split it"),
    })
}

fn functions(source: &Source) -> Vec<Finding> {
    let tokens = source.tokens();
    let mut found = Vec::new();
    for index in 0..tokens.len().saturating_sub(1) {
        let (keyword, name) = (tokens[index], tokens[index + 1]);
        // `fn(u8)` is a type.
        if keyword.text != "fn" || name.text == "(" {
            continue;
        }
        let Some(head) = end_of_head(&tokens, index) else { continue };
        if tokens[head].text == ";" {
            continue;
        }
        let last = tokens[after_group(&tokens, head) - 1];
        let first_line = source.line(keyword.at);
        let lines = source.line(last.at) - first_line + 1;
        if lines > FUNCTION_LINES_MAX {
            found.push(Finding {
                rule: "function-length",
                path: source.path.clone(),
                line: first_line,
                what: format!("fn {}", name.text),
                advice: format!("{lines} lines, {FUNCTION_LINES_MAX} at most: split it"),
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(lines: usize) -> String {
        let body = "    call(\"}\"); // }\n".repeat(lines - 2);
        format!("fn long<T: Into<[u8; 3]>>(a: fn(u8) -> u8) -> T {{\n{body}}}\n")
    }

    #[test]
    fn a_function_of_70_lines_passes_and_one_of_71_does_not() {
        assert_eq!(functions(&Source::new("src/a.rs", &function(70))), []);
        let found = functions(&Source::new("src/a.rs", &format!("\n{}", function(71))));
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].line, found[0].what.as_str()), (2, "fn long"));
        assert!(found[0].advice.starts_with("71 lines"));
    }

    #[test]
    fn a_declaration_without_a_body_does_not_take_the_next_ones() {
        let text = format!("trait A {{ fn short(&self) -> [u8; 2]; }}\n{}", function(70));
        assert_eq!(functions(&Source::new("src/a.rs", &text)), []);
    }

    #[test]
    fn a_file_is_measured_without_its_tests() {
        let code = "const A: u8 = 1;\n";
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", code.repeat(600));
        let fits = format!("{}{tests}", code.repeat(500));
        assert_eq!(file(&Source::new("src/a.rs", &fits)), None);
        let found = file(&Source::new("src/a.rs", &format!("{code}{fits}"))).unwrap();
        assert!(found.advice.starts_with("501 lines"), "{}", found.advice);
        assert_eq!(file(&Source::new("tests/it/a.rs", &code.repeat(900))), None);
    }
}

//! Attributes that silence: each needs a reason, and tests are not silenced.

use super::Finding;
use super::source::{Source, attributes};

/// Both rules.
pub(super) fn check(source: &Source) -> Vec<Finding> {
    let tokens = source.tokens();
    let mut found = Vec::new();
    for attribute in attributes(&tokens) {
        let line = source.line(tokens[attribute.start].at);
        let words: Vec<&str> = tokens[attribute].iter().map(|token| token.text).collect();
        let silences =
            words.windows(2).find(|pair| ["allow", "expect"].contains(&pair[0]) && pair[1] == "(");
        if let Some(pair) = silences
            && !words.contains(&"reason")
        {
            found.push(finding(
                source,
                line,
                "unexplained-allow",
                pair[0],
                "add `reason = \"...\"`",
            ));
        }
        if words.contains(&"ignore") && words.get(2) == Some(&"ignore") {
            let advice = "a test that does not run proves nothing: install what it needs";
            found.push(finding(source, line, "ignored-test", "ignore", advice));
        }
    }
    found
}

fn finding(source: &Source, line: usize, rule: &'static str, what: &str, advice: &str) -> Finding {
    Finding { rule, path: source.path.clone(), line, what: what.into(), advice: advice.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Vec<&'static str> {
        check(&Source::new("src/a.rs", text)).into_iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn a_lint_is_silenced_with_a_reason_only() {
        for text in [
            "#[allow(dead_code)]",
            "#![allow(dead_code)]",
            "#[expect(\n    dead_code\n)]",
            "#[cfg_attr(test, allow(dead_code))]",
        ] {
            assert_eq!(rules(text), ["unexplained-allow"], "{text}");
        }
        assert_eq!(rules("#[allow(dead_code, reason = \"used by macros\")]"), [""; 0]);
        assert_eq!(rules("// #[allow(dead_code)]"), [""; 0]);
    }

    #[test]
    fn a_test_is_not_ignored() {
        assert_eq!(rules("#[ignore]"), ["ignored-test"]);
        assert_eq!(rules("#[ignore = \"slow\"]"), ["ignored-test"]);
        assert_eq!(rules("#[case(ignore)]"), [""; 0]);
    }
}

//! Tests wait for a state, never for time to pass.

use super::Finding;
use super::source::Source;

/// Ways to let time pass, in the standard library and in tokio.
const SLEEPS: [&str; 3] = ["sleep", "sleep_ms", "sleep_until"];

/// Finds them in tests. Production code may back off.
pub(super) fn check(source: &Source) -> Vec<Finding> {
    let tokens = source.tokens();
    let sleeps = tokens.windows(2).enumerate().filter(|(index, pair)| {
        let defines = *index > 0 && tokens[index - 1].text == "fn";
        SLEEPS.contains(&pair[0].text) && pair[1].text == "(" && !defines
    });
    let in_tests = sleeps.filter(|(_, pair)| source.is_test(pair[0].at));
    in_tests
        .map(|(_, pair)| Finding {
            rule: "sleeping-test",
            path: source.path.clone(),
            line: source.line(pair[0].at),
            what: pair[0].text.into(),
            advice: "wait for the state that the test needs".into(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_sleeps_is_found_and_a_back_off_is_not() {
        let text = "fn retry() { sleep(a); }
            #[cfg(test)] mod tests { fn a() { tokio::time::sleep(b).await; } }";
        let found = check(&Source::new("src/a.rs", text));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line, 2);
        assert_eq!(check(&Source::new("tests/it/a.rs", "thread::sleep(a)")).len(), 1);
    }

    #[test]
    fn sql_that_sleeps_is_text() {
        assert_eq!(check(&Source::new("tests/it/a.rs", "run(\"SELECT pg_sleep(1)\")")), []);
    }
}

//! What passes although it breaks a rule, each with its reason.

use super::Finding;
use crate::Result;

/// Where exceptions are listed.
pub(super) const FILE: &str = "xtask/tidy-exceptions.txt";

/// A line of the file.
#[derive(Debug, PartialEq, Eq)]
struct Exception<'a> {
    line: usize,
    rule: &'a str,
    path: &'a str,
    what: &'a str,
}

/// Takes the findings away that the list excuses, and adds one for each of
/// its lines that excuses nothing.
pub(super) fn apply(list: &str, found: Vec<Finding>) -> Result<Vec<Finding>> {
    let exceptions = parse(list)?;
    let excuses = |exception: &Exception<'_>, finding: &Finding| {
        (exception.rule, exception.path, exception.what)
            == (finding.rule, finding.path.as_str(), finding.what.as_str())
    };
    let unused = exceptions.iter().filter(|e| !found.iter().any(|finding| excuses(e, finding)));
    let unused: Vec<Finding> = unused.map(Exception::unused).collect();
    let left = found.into_iter().filter(|finding| !exceptions.iter().any(|e| excuses(e, finding)));
    Ok(left.chain(unused).collect())
}

fn parse(list: &str) -> Result<Vec<Exception<'_>>> {
    let lines = list.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines.map(|(number, line)| exception(number, line)).collect()
}

fn exception(number: usize, line: &str) -> Result<Exception<'_>> {
    let fields: Vec<&str> = line.splitn(4, '|').map(str::trim).collect();
    match fields[..] {
        [rule, path, what, reason] if !reason.is_empty() => {
            Ok(Exception { line: number, rule, path, what })
        }
        _ => Err(format!("{FILE}:{number}: an exception reads `rule | file | what | why`")),
    }
}

impl Exception<'_> {
    fn unused(&self) -> Finding {
        Finding {
            rule: "unused-exception",
            path: FILE.into(),
            line: self.line,
            what: self.what.into(),
            advice: "nothing needs this exception: delete it".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(what: &str) -> Finding {
        Finding {
            rule: "house-word",
            path: "src/queue.rs".into(),
            line: 3,
            what: what.into(),
            advice: String::new(),
        }
    }

    #[test]
    fn an_exception_excuses_what_it_names_and_nothing_else() {
        let list = "# why\n\nhouse-word | src/queue.rs | struct Message | the queue's own term\n";
        let left = apply(list, vec![finding("struct Message"), finding("struct Item")]).unwrap();
        assert_eq!(left, [finding("struct Item")]);
    }

    #[test]
    fn an_exception_that_nothing_needs_is_a_finding() {
        let left =
            apply("house-word | src/queue.rs | struct Gone | it was needed", vec![]).unwrap();
        assert_eq!(left.len(), 1);
        assert_eq!((left[0].rule, left[0].line), ("unused-exception", 1));
    }

    #[test]
    fn an_exception_without_a_reason_is_refused() {
        for list in ["house-word | src/queue.rs | struct Message", "a | b | c | "] {
            let error = apply(list, vec![]).unwrap_err();
            assert!(error.contains("tidy-exceptions.txt:1:"), "{error}");
        }
    }
}

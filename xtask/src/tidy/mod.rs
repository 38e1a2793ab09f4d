//! The house rules that neither the compiler nor clippy knows.
//!
//! Reads what git tracks or would track, `cargo metadata` and the lock file;
//! changes nothing. What must pass all the same stands in
//! `xtask/tidy-exceptions.txt`, with its reason.

mod arrows;
mod attributes;
mod default_run;
mod exceptions;
mod lengths;
mod lockfile;
mod names;
mod source;
mod text;
mod waits;

use std::fmt;
use std::fs;

use crate::Result;
use crate::place::Place;
use crate::shell;
use source::Source;

/// A place that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Finding {
    /// The rule's name, as exceptions give it.
    rule: &'static str,
    /// File in the repository.
    path: String,
    /// Line, from 1; 0 for the file as a whole.
    line: usize,
    /// What broke it: a name, or a word. Exceptions give it too.
    what: String,
    /// Why it is wrong, or what to do.
    advice: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, path, line, what, advice } = self;
        match line {
            0 => write!(f, "{path}: {rule}: `{what}`: {advice}"),
            _ => write!(f, "{path}:{line}: {rule}: `{what}`: {advice}"),
        }
    }
}

/// Prints every finding; an error when there is one.
pub(crate) fn run(place: &Place) -> Result<()> {
    let mut found = in_files(place)?;
    found.extend(in_dependencies(place)?);
    let found = exceptions::apply(&read(place, exceptions::FILE)?, found)?;
    for finding in &found {
        println!("{finding}");
    }
    match found.len() {
        0 => Ok(()),
        1 => Err("tidy found one thing to mend".into()),
        many => Err(format!("tidy found {many} things to mend")),
    }
}

fn in_files(place: &Place) -> Result<Vec<Finding>> {
    let mut found = Vec::new();
    let mut sources = Vec::new();
    for path in files(place)? {
        // Files that are no text, or that were deleted and not yet committed.
        let Ok(text) = fs::read_to_string(place.root.join(&path)) else { continue };
        found.extend(names::file(&path));
        found.extend(text::check(&path, &text));
        if path.ends_with(".rs") {
            sources.push(Source::new(&path, &text));
        }
    }
    source::mark_test_modules(&mut sources);
    found.extend(sources.iter().flat_map(in_source));
    Ok(found)
}

fn in_source(source: &Source) -> Vec<Finding> {
    let rules =
        [lengths::check, names::check, attributes::check, waits::check, text::opens_with_prose];
    rules.iter().flat_map(|rule| rule(source)).collect()
}

fn in_dependencies(place: &Place) -> Result<Vec<Finding>> {
    let metadata = shell::metadata(place)?;
    let crates = arrows::crates(&metadata)?;
    let mut found = arrows::check(&crates);
    found.extend(default_run::check(&metadata));
    found.extend(lockfile::check(&read(place, "Cargo.lock")?));
    // Until the page exists nothing can be missing from it.
    if let Ok(page) = read(place, arrows::PAGE) {
        found.extend(arrows::explained(&crates, &page));
    }
    Ok(found)
}

/// What git tracks, or would: generated and ignored files are nobody's prose.
fn files(place: &Place) -> Result<Vec<String>> {
    let mut git = shell::program(place, "git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let listed = shell::read(&mut git)?;
    Ok(listed.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect())
}

fn read(place: &Place, path: &str) -> Result<String> {
    fs::read_to_string(place.root.join(path))
        .map_err(|error| format!("cannot read {path}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_reads_like_a_compilers() {
        let mut finding = Finding {
            rule: "function-length",
            path: "src/lib.rs".into(),
            line: 7,
            what: "fn decode".into(),
            advice: "71 lines".into(),
        };
        assert_eq!(finding.to_string(), "src/lib.rs:7: function-length: `fn decode`: 71 lines");
        finding.line = 0;
        assert_eq!(finding.to_string(), "src/lib.rs: function-length: `fn decode`: 71 lines");
    }

    #[test]
    fn clean_code_has_no_finding() {
        let source = Source::new(
            "crates/core/src/lib.rs",
            "//! Prose.\n\n/// Adds.\npub fn sum(a: u8) -> u8 {\n    a\n}\n",
        );
        assert_eq!(in_source(&source), []);
    }
}

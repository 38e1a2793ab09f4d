//! Rules on committed text: nothing unfinished, nothing of one machine, and
//! prose at the head of every source file.

use super::Finding;
use super::source::Source;

/// Marks of unfinished work. Written in halves, as all that follows, so that
/// this file keeps its own rules.
const UNFINISHED: [&str; 4] =
    [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX"), concat!("HA", "CK")];

/// Folders that only one machine, or one person, has.
const MACHINE_FOLDERS: [&str; 5] = [
    concat!("/", "home/"),
    concat!("/", "root/"),
    concat!("/", "tmp/"),
    concat!("/", "work/"),
    concat!("/", "Users/"),
];

/// Where packages are fetched from: each machine is set up for its own.
const REGISTRY_HOSTS: [&str; 8] = [
    concat!("static.", "crates.io"),
    concat!("index.", "crates.io"),
    concat!("pypi.", "org"),
    concat!("pythonhosted.", "org"),
    concat!("deb.", "debian.org"),
    concat!("registry.", "npmjs.org"),
    concat!("proxy.", "golang.org"),
    concat!("repo1.", "maven.org"),
];

/// Written by programs, or by others.
const NOT_OURS: [&str; 2] = ["Cargo.lock", "LICENSE"];

/// The rules on any text.
pub(super) fn check(path: &str, text: &str) -> Vec<Finding> {
    if NOT_OURS.contains(&path) {
        return Vec::new();
    }
    let lines = text.lines().enumerate();
    lines.flat_map(|(index, line)| check_line(path, index + 1, line)).collect()
}

/// The rule that a source file says first what it is.
pub(super) fn opens_with_prose(source: &Source) -> Vec<Finding> {
    if source.text.starts_with("//!") {
        return Vec::new();
    }
    let advice = "say in `//!` what the module is, what it is not, and its invariant";
    vec![finding("module-docs", &source.path, 1, "file", advice)]
}

fn check_line(path: &str, number: usize, line: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    for mark in UNFINISHED.into_iter().filter(|mark| has_word(line, mark)) {
        found.push(finding("unfinished", path, number, mark, "finish it, or leave it out"));
    }
    for folder in MACHINE_FOLDERS.into_iter().filter(|folder| has_root(line, folder)) {
        let advice = "a folder of one machine: make the path relative, or ask the environment";
        found.push(finding("machine-path", path, number, folder, advice));
    }
    for host in REGISTRY_HOSTS.into_iter().filter(|host| line.contains(host)) {
        let advice = "machines have registries of their own: name the package alone";
        found.push(finding("registry-host", path, number, host, advice));
    }
    found
}

fn finding(rule: &'static str, path: &str, line: usize, what: &str, advice: &str) -> Finding {
    Finding { rule, path: path.into(), line, what: what.into(), advice: advice.into() }
}

/// Whether the word stands in the line on its own.
fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let joins = |c: char| c.is_alphanumeric() || c == '_';
        !line[..at].ends_with(joins) && !line[at + word.len()..].starts_with(joins)
    })
}

/// Whether a path in the line begins with the folder, rather than having it
/// further down.
fn has_root(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = &line[..at];
        before.ends_with("://")
            || !before.ends_with(|c: char| c.is_alphanumeric() || "/*.-_}~$+%)>".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn rules(line: &str) -> Vec<&'static str> {
        check("docs/a.md", line).into_iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn unfinished_work_is_found_as_a_word() {
        assert_eq!(rules(&format!("// {}: later", UNFINISHED[0])), ["unfinished"]);
        assert_eq!(rules(&format!("a {}", UNFINISHED[2])), ["unfinished"]);
        assert_eq!(rules(&format!("mktemp foo.{}X", UNFINISHED[2])), [""; 0]);
    }

    #[test]
    fn a_path_of_one_machine_is_found_where_it_begins() {
        let [home, root, tmp, ..] = MACHINE_FOLDERS;
        assert_eq!(rules(&format!("cd {home}me")), ["machine-path"]);
        assert_eq!(rules(&format!("\"{root}x\"")), ["machine-path"]);
        assert_eq!(rules(&format!("file://{tmp}x")), ["machine-path"]);
        assert_eq!(rules(&format!("s3://bucket{tmp}x and **{tmp}**")), [""; 0]);
    }

    #[test]
    fn a_registrys_host_is_found() {
        assert_eq!(rules(&format!("https://{}/simple", REGISTRY_HOSTS[2])), ["registry-host"]);
        assert_eq!(rules("cargo install cargo-deny"), [""; 0]);
    }

    #[test]
    fn the_lock_file_and_the_licence_are_not_our_text() {
        assert_eq!(check("Cargo.lock", UNFINISHED[0]), []);
    }

    #[test]
    fn a_source_file_opens_with_prose() {
        assert_eq!(opens_with_prose(&Source::new("src/a.rs", "//! What.\n")), []);
        let found = opens_with_prose(&Source::new("src/a.rs", "use std::fs;\n//! Late.\n"));
        assert_eq!(found[0].rule, "module-docs");
        assert_eq!(opens_with_prose(&Source::new("src/a.rs", "")).len(), 1);
    }
}

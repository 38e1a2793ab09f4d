//! What the whole tree of dependencies must keep: one Arrow, one rustls, one
//! TLS provider.
//!
//! Two copies of Arrow would be two row types that do not fit each other; a
//! second TLS stack is a second set of roots, defects and build steps.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;

/// Crates of which there is one copy. A trailing `-` stands for any ending.
const ONE_COPY: [&str; 5] = ["arrow-", "parquet", "rustls", "ring", "object_store"];

/// Ties to an older Arrow, and keeps it to itself: what is reached through it
/// alone may be a second copy.
const APART: &str = "iceberg";

/// Other TLS stacks than rustls on ring.
const OTHER_TLS: [&str; 5] = ["aws-lc-rs", "aws-lc-sys", "native-tls", "openssl-sys", "openssl"];

/// A package of the lock file.
#[derive(Debug, Default, PartialEq, Eq)]
struct Package<'a> {
    name: &'a str,
    version: &'a str,
    /// Whether it comes from a registry; the workspace's own do not.
    foreign: bool,
    /// `name`, or `name version` where there are several.
    dependencies: Vec<&'a str>,
}

/// Both rules.
pub(super) fn check(lockfile: &str) -> Vec<Finding> {
    let packages = parse(lockfile);
    let mut found = second_copies(&packages);
    let tls = packages.iter().filter(|package| OTHER_TLS.contains(&package.name));
    found.extend(tls.map(|package| {
        finding("other-tls", package.name, "TLS is rustls on ring: switch the feature off")
    }));
    found
}

fn second_copies(packages: &[Package<'_>]) -> Vec<Finding> {
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for index in reached(packages) {
        let Package { name, version, .. } = packages[index];
        if is_single(name) {
            versions.entry(name).or_default().push(version);
        }
    }
    let several = versions.into_iter().filter(|(_, versions)| versions.len() > 1);
    several
        .map(|(name, versions)| {
            let advice = format!("one copy only, and here are {}", versions.join(" and "));
            finding("second-copy", name, &advice)
        })
        .collect()
}

fn is_single(name: &str) -> bool {
    ONE_COPY.iter().any(|&one| match one.strip_suffix('-') {
        Some(_) => name.starts_with(one),
        None => name == one,
    })
}

/// The packages that the workspace reaches on ways that do not lead through
/// [`APART`].
fn reached(packages: &[Package<'_>]) -> BTreeSet<usize> {
    let ours = packages.iter().enumerate().filter(|(_, package)| !package.foreign);
    let mut ahead: Vec<usize> = ours.map(|(index, _)| index).collect();
    let mut reached = BTreeSet::new();
    while let Some(index) = ahead.pop() {
        if packages[index].name.starts_with(APART) || !reached.insert(index) {
            continue;
        }
        let next = packages[index].dependencies.iter();
        ahead.extend(next.flat_map(|dependency| resolve(packages, dependency)));
    }
    reached
}

fn resolve(packages: &[Package<'_>], dependency: &str) -> Option<usize> {
    let mut words = dependency.split(' ');
    let (name, version) = (words.next()?, words.next());
    packages.iter().position(|package| {
        package.name == name && version.is_none_or(|version| package.version == version)
    })
}

fn parse(lockfile: &str) -> Vec<Package<'_>> {
    lockfile.split("[[package]]").skip(1).map(parse_package).collect()
}

fn parse_package(text: &str) -> Package<'_> {
    let mut package = Package::default();
    for line in text.lines() {
        match line.split_once(" = ") {
            Some(("name", value)) => package.name = unquoted(value),
            Some(("version", value)) => package.version = unquoted(value),
            Some(("source", _)) => package.foreign = true,
            None if line.starts_with(" \"") => package.dependencies.push(unquoted(line)),
            _ => {}
        }
    }
    package
}

fn unquoted(value: &str) -> &str {
    value.trim_matches([' ', '"', ','])
}

fn finding(rule: &'static str, what: &str, advice: &str) -> Finding {
    Finding { rule, path: "Cargo.lock".into(), line: 0, what: what.into(), advice: advice.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A lock file of packages `name version foreign? dependencies`.
    fn lockfile(packages: &[(&str, &str, bool, &[&str])]) -> String {
        let mut text = String::from("version = 4\n");
        for (name, version, foreign, dependencies) in packages {
            text += &format!("\n[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n");
            if *foreign {
                text += "source = \"registry\"\nchecksum = \"00\"\n";
            }
            let list: String = dependencies.iter().map(|d| format!(" \"{d}\",\n")).collect();
            text += &format!("dependencies = [\n{list}]\n");
        }
        text
    }

    fn found(packages: &[(&str, &str, bool, &[&str])]) -> Vec<(&'static str, String)> {
        check(&lockfile(packages)).into_iter().map(|f| (f.rule, f.what)).collect()
    }

    #[test]
    fn a_package_is_read_with_its_dependencies() {
        let text = lockfile(&[("a", "1.0.0", true, &["b", "c 2.0.0"])]);
        let expected = Package {
            name: "a",
            version: "1.0.0",
            foreign: true,
            dependencies: vec!["b", "c 2.0.0"],
        };
        assert_eq!(parse(&text), [expected]);
    }

    #[test]
    fn a_second_arrow_is_found() {
        let packages: [(&str, &str, bool, &[&str]); 4] = [
            ("decant", "0.1.0", false, &["arrow-array 60.1.0", "other"]),
            ("arrow-array", "58.0.0", true, &[]),
            ("arrow-array", "60.1.0", true, &[]),
            ("other", "1.0.0", true, &["arrow-array 58.0.0"]),
        ];
        assert_eq!(found(&packages), [("second-copy", "arrow-array".to_owned())]);
    }

    #[test]
    fn icebergs_own_arrow_is_let_pass() {
        let packages: [(&str, &str, bool, &[&str]); 4] = [
            ("decant", "0.1.0", false, &["arrow-array 60.1.0", "iceberg"]),
            ("arrow-array", "58.0.0", true, &[]),
            ("arrow-array", "60.1.0", true, &[]),
            ("iceberg", "0.10.1", true, &["arrow-array 58.0.0"]),
        ];
        assert_eq!(found(&packages), []);
    }

    #[test]
    fn another_tls_stack_is_found() {
        let packages: [(&str, &str, bool, &[&str]); 2] =
            [("decant", "0.1.0", false, &["aws-lc-rs"]), ("aws-lc-rs", "1.0.0", true, &[])];
        assert_eq!(found(&packages), [("other-tls", "aws-lc-rs".to_owned())]);
    }
}

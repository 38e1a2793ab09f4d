//! Which crate may depend on which: the rooms of the house and their doors.
//!
//! Reads `cargo metadata`. A crate that is not listed here has no place yet,
//! which is a finding too.

use serde_json::Value;

use super::Finding;
use crate::Result;

/// Where dependencies are explained.
pub(super) const PAGE: &str = "ARCHITECTURE.md";

/// A crate of the workspace, and what it may depend on.
struct Room {
    name: &'static str,
    /// Crates of the workspace, in code that is not a test.
    rooms: &'static [&'static str],
    /// Crates of others that would let in what the room must not know. A
    /// trailing `*` stands for any ending.
    closed_to: &'static [&'static str],
}

const TESTKIT: &str = "decant-testkit";
const S3_MEMORY: &str = "decant-s3-memory";

/// What tests may stand on, whatever room they are of.
const FOR_TESTS: [&str; 2] = [TESTKIT, S3_MEMORY];

const ROOMS: [Room; 13] = [
    Room {
        name: "decant-core",
        rooms: &[],
        closed_to: &[
            "tokio",
            "reqwest",
            "hyper",
            "object_store",
            "aws-*",
            "tokio-postgres",
            "rusqlite",
        ],
    },
    Room {
        name: "decant-formats",
        rooms: &["decant-core"],
        closed_to: &[
            "tokio",
            "reqwest",
            "hyper",
            "object_store",
            "aws-*",
            "tokio-postgres",
            "rusqlite",
        ],
    },
    Room {
        name: "decant-storage",
        rooms: &["decant-core"],
        closed_to: &["arrow-*", "parquet", "tokio-postgres", "rusqlite"],
    },
    Room {
        name: "decant-databases",
        rooms: &["decant-core"],
        closed_to: &["object_store", "reqwest", "aws-*", "parquet", "flate2", "zstd"],
    },
    Room {
        name: "decant-lake",
        rooms: &["decant-core", "decant-storage", "decant-databases"],
        closed_to: &[],
    },
    Room {
        name: "decant-engine",
        rooms: &["decant-core"],
        closed_to: &[
            "object_store",
            "reqwest",
            "hyper",
            "aws-*",
            "rusqlite",
            "tokio-postgres",
            "arrow-csv",
            "arrow-json",
            "csv",
            "parquet",
            "flate2",
            "zstd",
        ],
    },
    Room {
        name: "decant",
        rooms: &[
            "decant-core",
            "decant-databases",
            "decant-engine",
            "decant-formats",
            "decant-lake",
            "decant-storage",
        ],
        closed_to: &["object_store", "rusqlite", "tokio-postgres", "reqwest"],
    },
    Room {
        name: "decant-cli",
        rooms: &["decant", S3_MEMORY],
        closed_to: &["object_store", "rusqlite", "tokio-postgres", "reqwest"],
    },
    Room {
        name: "decant-bench",
        rooms: &["decant-core", "decant-formats", S3_MEMORY],
        closed_to: &[],
    },
    Room { name: S3_MEMORY, rooms: &[], closed_to: &[] },
    Room { name: TESTKIT, rooms: &["decant-core", S3_MEMORY], closed_to: &[] },
    Room {
        name: "decant-fuzz",
        rooms: &["decant-core", "decant-formats", "decant-storage"],
        closed_to: &["tokio", "rusqlite", "tokio-postgres"],
    },
    Room { name: "xtask", rooms: &[], closed_to: &["tokio", "reqwest", "clap", "regex"] },
];

/// A crate of the workspace, as cargo has it.
#[derive(Debug)]
pub(super) struct Crate {
    name: String,
    /// Its manifest, in the repository.
    manifest: String,
    dependencies: Vec<Dependency>,
}

/// What a crate depends on directly.
#[derive(Debug)]
struct Dependency {
    name: String,
    /// Whether it lies in this workspace.
    ours: bool,
    /// Whether only tests, examples and benchmarks see it.
    in_tests: bool,
}

/// The workspace's crates, from the output of `cargo metadata --no-deps`.
pub(super) fn crates(metadata: &Value) -> Result<Vec<Crate>> {
    let packages = metadata["packages"].as_array().ok_or("`cargo metadata` names no packages")?;
    let root = metadata["workspace_root"].as_str().unwrap_or_default();
    Ok(packages.iter().map(|package| parse_crate(root, package)).collect())
}

fn parse_crate(root: &str, package: &Value) -> Crate {
    let manifest = package["manifest_path"].as_str().unwrap_or_default();
    let dependencies = package["dependencies"].as_array().into_iter().flatten();
    Crate {
        name: package["name"].as_str().unwrap_or_default().into(),
        manifest: manifest.strip_prefix(root).unwrap_or(manifest).trim_start_matches('/').into(),
        dependencies: dependencies.map(parse_dependency).collect(),
    }
}

fn parse_dependency(dependency: &Value) -> Dependency {
    Dependency {
        name: dependency["name"].as_str().unwrap_or_default().into(),
        ours: dependency["path"].is_string(),
        in_tests: dependency["kind"] == "dev",
    }
}

/// Findings of arrows that may not be.
pub(super) fn check(crates: &[Crate]) -> Vec<Finding> {
    crates.iter().flat_map(check_crate).collect()
}

fn check_crate(krate: &Crate) -> Vec<Finding> {
    let Some(room) = ROOMS.iter().find(|room| room.name == krate.name) else {
        let advice = "give the crate its arrows in xtask/src/tidy/arrows.rs";
        return vec![finding(krate, &krate.name, advice)];
    };
    let forbidden = krate.dependencies.iter().filter(|dependency| !room.admits(dependency));
    forbidden.map(|dependency| finding(krate, &dependency.name, &room.advice(dependency))).collect()
}

impl Room {
    fn admits(&self, dependency: &Dependency) -> bool {
        let name = dependency.name.as_str();
        match (dependency.ours, dependency.in_tests) {
            (true, true) => FOR_TESTS.contains(&name) || self.rooms.contains(&name),
            (true, false) => self.rooms.contains(&name),
            (false, true) => true,
            (false, false) => !self.closed_to.iter().any(|closed| matches(closed, name)),
        }
    }

    fn advice(&self, dependency: &Dependency) -> String {
        if dependency.ours {
            format!("{} may depend on [{}] alone", self.name, self.rooms.join(", "))
        } else {
            format!("{} must not know of it: another room does that", self.name)
        }
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == pattern,
    }
}

/// Findings of direct dependencies that `page` does not explain: each must
/// stand there in backticks.
pub(super) fn explained(crates: &[Crate], page: &str) -> Vec<Finding> {
    let all = crates.iter().flat_map(|krate| &krate.dependencies);
    let mut names: Vec<&str> = all.filter(|d| !d.ours).map(|d| d.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let missing = names.into_iter().filter(|name| !page.contains(&format!("`{name}`")));
    missing
        .map(|name| Finding {
            rule: "unexplained-dependency",
            path: PAGE.into(),
            line: 0,
            what: name.into(),
            advice: "say in one line what it is for, and why this one".into(),
        })
        .collect()
}

fn finding(krate: &Crate, what: &str, advice: &str) -> Finding {
    Finding {
        rule: "arrow",
        path: krate.manifest.clone(),
        line: 0,
        what: what.into(),
        advice: advice.into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A workspace of one crate that depends on the named ones; those of the
    /// house have a path.
    fn depending(name: &str, kind: Option<&str>, on: &[&str]) -> Vec<Crate> {
        let dependencies: Vec<Value> = on
            .iter()
            .map(|on| {
                let path = on.starts_with("decant").then(|| format!("crates/{on}"));
                json!({"name": on, "kind": kind, "path": path})
            })
            .collect();
        let manifest = format!("/clone/crates/{name}/Cargo.toml");
        let package =
            json!({"name": name, "manifest_path": manifest, "dependencies": dependencies});
        crates(&json!({"packages": [package], "workspace_root": "/clone"})).unwrap()
    }

    #[track_caller]
    fn forbidden(name: &str, kind: Option<&str>, on: &[&str]) -> Vec<String> {
        check(&depending(name, kind, on)).into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn arrows_point_towards_core() {
        assert_eq!(forbidden("decant-engine", None, &["decant-core"]), [""; 0]);
        assert_eq!(forbidden("decant-core", None, &["decant-engine"]), ["decant-engine"]);
        assert_eq!(forbidden("decant-formats", None, &["decant-storage"]), ["decant-storage"]);
        assert_eq!(forbidden("decant-cli", None, &["decant-core"]), ["decant-core"]);
        assert_eq!(forbidden("xtask", None, &["decant-core"]), ["decant-core"]);
    }

    #[test]
    fn tests_may_stand_on_the_testkit_and_code_may_not() {
        assert_eq!(forbidden("decant-core", Some("dev"), &FOR_TESTS), [""; 0]);
        assert_eq!(forbidden("decant-core", None, &[TESTKIT]), [TESTKIT]);
        assert_eq!(
            forbidden("decant-engine", Some("dev"), &["decant-storage"]),
            ["decant-storage"]
        );
    }

    #[test]
    fn rooms_are_closed_to_what_they_must_not_know() {
        assert_eq!(forbidden("decant-core", None, &["tokio", "bytes"]), ["tokio"]);
        assert_eq!(forbidden("decant-core", Some("dev"), &["tokio"]), [""; 0]);
        assert_eq!(forbidden("decant-engine", None, &["rusqlite"]), ["rusqlite"]);
        assert_eq!(forbidden("decant-formats", None, &["aws-config"]), ["aws-config"]);
        assert_eq!(forbidden("decant-databases", None, &["object_store"]), ["object_store"]);
    }

    #[test]
    fn build_dependencies_are_code() {
        assert_eq!(forbidden("decant-core", Some("build"), &["decant-engine"]), ["decant-engine"]);
    }

    #[test]
    fn a_crate_without_a_place_is_found() {
        let found = check(&depending("decant-cluster", None, &[]));
        assert_eq!(found.len(), 1);
        assert!(found[0].advice.contains("arrows.rs"));
        assert_eq!(found[0].path, "crates/decant-cluster/Cargo.toml");
    }

    #[test]
    fn every_dependency_is_explained_by_its_name_in_backticks() {
        let crates = depending("decant-core", None, &["bytes", "regex", "decant-engine"]);
        let found = explained(&crates, "| `bytes` | buffers |\n| regex | patterns |");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].what, "regex");
    }
}

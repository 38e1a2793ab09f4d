//! What every implementation of a door must do, as suites that its own test
//! merely calls.
//!
//! One public function a property, one macro a door that makes a test of
//! each. An implementation brings a fixture: how to make a fresh one of it,
//! and how to look behind its back.

pub mod destination;
pub mod trigger;

use std::time::Duration;

/// How long a property may take. What takes longer waits for something that
/// does not come, such as a deadlock's end.
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs a property, and fails it when it hangs.
pub async fn in_time(property: impl Future<Output = ()>) {
    let end = tokio::time::timeout(PATIENCE, property).await;
    assert!(end.is_ok(), "the property still waits for something after {PATIENCE:?}");
}

#[cfg(test)]
mod tests {
    /// The suites as they are written, with their macros.
    const SUITES: &[(&str, &[&str])] = &[
        (
            include_str!("conformance/destination.rs"),
            &[
                include_str!("conformance/destination/atomicity.rs"),
                include_str!("conformance/destination/chunks.rs"),
                include_str!("conformance/destination/claims.rs"),
                include_str!("conformance/destination/displacing.rs"),
                include_str!("conformance/destination/lists.rs"),
                include_str!("conformance/destination/lookup.rs"),
                include_str!("conformance/destination/naming.rs"),
                include_str!("conformance/destination/rejects.rs"),
                include_str!("conformance/destination/replaying.rs"),
                include_str!("conformance/destination/rows.rs"),
                include_str!("conformance/destination/settling.rs"),
                include_str!("conformance/destination/tables.rs"),
                include_str!("conformance/destination/values.rs"),
                include_str!("conformance/destination/versions.rs"),
                include_str!("conformance/destination/widening.rs"),
            ],
        ),
        (include_str!("conformance/trigger.rs"), &[include_str!("conformance/trigger.rs")]),
    ];

    #[test]
    fn every_property_is_one_of_the_macro() {
        for (text, modules) in SUITES {
            let (_, listed) = text.split_once("@tests $fixture;").expect("the macro's list");
            let (listed, _) = listed.split_once('}').expect("the end of the list");
            let listed: Vec<&str> = listed.split_whitespace().collect();
            let mut written: Vec<&str> = modules.iter().flat_map(|text| properties(text)).collect();
            written.sort_unstable();
            let mut sorted = listed.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, written, "listed, and written");
        }
    }

    fn properties(module: &str) -> Vec<&str> {
        let lines = module.lines().filter_map(|line| line.strip_prefix("pub async fn "));
        lines.filter_map(|rest| rest.split('(').next()).collect()
    }
}

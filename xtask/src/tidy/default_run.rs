//! What `cargo run` runs: the command, as the README has people begin.
//!
//! With a second program among the crates cargo asks which one is meant.

use serde_json::Value;

use super::Finding;

const COMMAND: &str = "decant";

/// Findings where `cargo run` is not the command, from the output of
/// `cargo metadata --no-deps`.
pub(super) fn check(metadata: &Value) -> Vec<Finding> {
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let named: Vec<&str> = packages.filter_map(|it| it["default_run"].as_str()).collect();
    if named == [COMMAND] {
        return Vec::new();
    }
    vec![Finding {
        rule: "default-run",
        path: "Cargo.toml".into(),
        line: 0,
        what: named.join(", "),
        advice: format!("let the crate of `{COMMAND}`, and no other, say default-run"),
    }]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_command_and_nothing_else_is_run() {
        let of = |runs: &[Value]| {
            let packages: Vec<Value> = runs.iter().map(|it| json!({"default_run": it})).collect();
            check(&json!({ "packages": packages })).len()
        };
        assert_eq!(of(&[json!("decant"), Value::Null]), 0);
        assert_eq!(of(&[Value::Null, Value::Null]), 1);
        assert_eq!(of(&[json!("decant"), json!("decant-bench")]), 1);
        assert_eq!(of(&[json!("decant-bench")]), 1);
    }
}

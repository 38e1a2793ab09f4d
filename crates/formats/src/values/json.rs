//! JSON documents: one value of RFC 8259, kept as it is written.
//!
//! What some readers of JSON would read differently is refused: a key that
//! comes twice, half of a pair of surrogates.

use super::{Fit, Misfit};

/// Checks a document.
pub fn check(value: &[u8]) -> Fit<()> {
    match std::str::from_utf8(value) {
        Ok(_) if crate::json::is_document(value) => Ok(()),
        _ => Err(Misfit::Spelling),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_one_value_without_doubt() {
        for (text, expected) in [
            (r#"{"a": [1, 2.5e3, null, true, "x\u00e9"]}"#, Ok(())),
            (" 1 ", Ok(())),
            ("\"x\"", Ok(())),
            ("", Err(Misfit::Spelling)),
            ("x", Err(Misfit::Spelling)),
            ("{a:1}", Err(Misfit::Spelling)),
            ("[1,]", Err(Misfit::Spelling)),
            ("[1] 2", Err(Misfit::Spelling)),
            ("NaN", Err(Misfit::Spelling)),
            (r#"{"a":1,"a":2}"#, Err(Misfit::Spelling)),
            (r#"["\ud800"]"#, Err(Misfit::Spelling)),
        ] {
            assert_eq!(check(text.as_bytes()), expected, "{text}");
        }
        assert_eq!(check(b"\"\xff\""), Err(Misfit::Spelling));
    }
}

//! Truth values by words of one's own, compared without case.

use decant_core::{Error, ErrorKind, Result};

use super::{Fit, Misfit};

/// What means true and what means false, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Words {
    yes: Vec<String>,
    no: Vec<String>,
}

impl Words {
    /// # Errors
    ///
    /// `InvalidConfig` when a word is empty (which is NULL), means both, or
    /// when there are none.
    pub(super) fn new(yes: &[String], no: &[String]) -> Result<Self> {
        let words = Self { yes: lower(yes), no: lower(no) };
        let refuse = |message: String| {
            Err(Error::new(ErrorKind::InvalidConfig, message)
                .with_hint("words are given like bool('yes|y', 'no|n')"))
        };
        if words.yes.is_empty() || words.no.is_empty() {
            return refuse("there are no words for true, or none for false".into());
        }
        if words.all().any(|word| word.is_empty()) {
            return refuse("an empty word cannot mean true or false: it is NULL".into());
        }
        match words.yes.iter().find(|word| words.no.contains(word)) {
            Some(word) => refuse(format!("`{word}` means both true and false")),
            None => Ok(words),
        }
    }

    /// Reads a word.
    pub(super) fn read(&self, value: &[u8]) -> Fit<bool> {
        let value = std::str::from_utf8(value).map_err(|_| Misfit::Spelling)?;
        let is_value = |word: &String| {
            word.eq_ignore_ascii_case(value) || (!value.is_ascii() && *word == value.to_lowercase())
        };
        match () {
            () if self.yes.iter().any(is_value) => Ok(true),
            () if self.no.iter().any(is_value) => Ok(false),
            () => Err(Misfit::Spelling),
        }
    }

    /// All words, those for true first.
    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        self.yes.iter().chain(&self.no).map(String::as_str)
    }
}

fn lower(words: &[String]) -> Vec<String> {
    words.iter().map(|word| word.trim().to_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(yes: &[&str], no: &[&str]) -> Result<Words> {
        let owned = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        Words::new(&owned(yes), &owned(no))
    }

    #[test]
    fn words_are_compared_without_case() {
        let words = words(&["Oui", "ja", "да"], &["non", "NEIN", "нет"]).unwrap();
        for (value, expected) in [
            ("oui", Ok(true)),
            ("JA", Ok(true)),
            ("ДА", Ok(true)),
            ("Non", Ok(false)),
            ("Нет", Ok(false)),
            ("true", Err(Misfit::Spelling)),
            ("", Err(Misfit::Spelling)),
        ] {
            assert_eq!(words.read(value.as_bytes()), expected, "{value}");
        }
        assert_eq!(words.read(b"\xff"), Err(Misfit::Spelling));
    }

    #[test]
    fn words_that_say_nothing_are_refused() {
        for (yes, no, problem) in [
            (&["x"][..], &["X"][..], "`x` means both"),
            (&["x"], &[""], "NULL"),
            (&[], &["no"], "no words for true"),
        ] {
            let refusal = words(yes, no).unwrap_err();
            assert!(refusal.message().contains(problem), "{refusal}");
        }
    }
}

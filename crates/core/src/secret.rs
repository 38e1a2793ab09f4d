//! Text that must never be shown.

use std::fmt;

/// A secret: `Debug` and `Display` print `***`, and only
/// [`expose`](Secret::expose) gives it away.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes what must not be shown.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one call that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The URL with its password, if it has one, replaced by `***`.
///
/// Works on text alone, so that a URL that does not parse is safe to print
/// as well.
pub fn redact_url(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let authority_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    // A password may hold an unescaped `/` or `@`: the last `@` before the
    // path's own would be a guess, so the last one of the whole rest counts
    // where the first part has none.
    let (head, tail) = match rest[..authority_end].rfind('@') {
        Some(at) => rest.split_at(at),
        None => match rest.rfind('@') {
            Some(at) if rest[..at].contains(':') => rest.split_at(at),
            _ => return format!("{scheme}://{}", redact_query(rest)),
        },
    };
    let user = head.split_once(':').map_or(head, |(user, _)| user);
    let password = if head.contains(':') { ":***" } else { "" };
    format!("{scheme}://{user}{password}{}", redact_query(tail))
}

fn redact_query(rest: &str) -> String {
    let Some((path, query)) = rest.split_once('?') else { return rest.to_owned() };
    let pairs: Vec<String> = query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, _)) if name.to_ascii_lowercase().contains("password") => {
                format!("{name}=***")
            }
            _ => pair.to_owned(),
        })
        .collect();
    format!("{path}?{}", pairs.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_printed() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret} {secret:?}"), "*** ***");
    }

    #[test]
    fn passwords_in_urls_are_hidden() {
        for (url, shown) in [
            ("postgresql://u:p@h/db", "postgresql://u:***@h/db"),
            ("postgresql://u@h/db", "postgresql://u@h/db"),
            ("postgresql://u:p/w@h/db", "postgresql://u:***@h/db"),
            (
                "postgresql://h/db?password=p&sslmode=require",
                "postgresql://h/db?password=***&sslmode=require",
            ),
            ("sqlite:decant.db", "sqlite:decant.db"),
        ] {
            assert_eq!(redact_url(url), shown);
        }
    }
}

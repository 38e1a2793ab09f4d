//! Keys in URLs: percent-encoded exactly once, decoded exactly once.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// All but the unreserved characters of RFC 3986, section 2.3.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// As in a query, but `/` is itself.
const PATH: &AsciiSet = &QUERY.remove(b'/');

/// A key as the path of a URL. `.` and `..` are names like any other.
pub(super) fn path(key: &str) -> String {
    utf8_percent_encode(key, PATH).to_string()
}

/// A query with its names and values.
pub(super) fn query<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let encoded = |text| utf8_percent_encode(text, QUERY);
    let pairs: Vec<String> = pairs
        .into_iter()
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
        .collect();
    pairs.join("&")
}

/// A key as `encoding-type=url` writes it, where `+` is a space; `None` when
/// it is not UTF-8.
///
/// Source: AWS, ListObjectsV2, `EncodingType`; AWS encodes as forms do.
pub fn decode_listed_key(encoded: &str) -> Option<String> {
    let spaced: Cow<'_, str> =
        if encoded.contains('+') { encoded.replace('+', " ").into() } else { encoded.into() };
    percent_decode_str(&spaced).decode_utf8().ok().map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unreserved_characters_stand_for_themselves() {
        for (key, encoded) in [
            ("a/b-c_d.e~f", "a/b-c_d.e~f"),
            ("a b+c%2F", "a%20b%2Bc%252F"),
            ("/a//b/../c", "/a//b/../c"),
            ("new\nline'\"", "new%0Aline%27%22"),
            ("é", "%C3%A9"),
            ("e\u{301}", "e%CC%81"),
            ("?#&=;:@!$*(),", "%3F%23%26%3D%3B%3A%40%21%24%2A%28%29%2C"),
        ] {
            assert_eq!(path(key), encoded, "{key}");
        }
    }

    #[test]
    fn queries_encode_slashes() {
        assert_eq!(
            query([("prefix", "a/b c"), ("list-type", "2")]),
            "prefix=a%2Fb%20c&list-type=2"
        );
    }

    #[test]
    fn listed_keys_are_decoded_once() {
        for (listed, key) in [
            ("a+b%2Bc%252F", Some("a b+c%2F")),
            ("a%20b/c", Some("a b/c")),
            ("%C3%A9%0A", Some("é\n")),
            ("%FF", None),
        ] {
            assert_eq!(decode_listed_key(listed).as_deref(), key, "{listed}");
        }
    }
}

//! Listing pages as text: what the listing faults change in them. It reads
//! only what the in-memory endpoint writes. Invariant: what is not changed
//! stays byte for byte.

use bytes::Bytes;

const CONTENTS: (&str, &str) = ("<Contents>", "</Contents>");

/// The page without the entry of `key`.
pub(super) fn without_key(page: &Bytes, key: &str) -> Bytes {
    let named = format!("<Key>{}</Key>", escaped(key));
    let encoded = format!("<Key>{}</Key>", url_encoded(key));
    let kept = |entry: &str| !entry.contains(&named) && !entry.contains(&encoded);
    keep_entries(page, kept)
}

/// The page without any entry.
pub(super) fn without_keys(page: &Bytes) -> Bytes {
    keep_entries(page, |_| false)
}

/// The page as if it were the listing's last one.
pub(super) fn as_last(page: &Bytes) -> Bytes {
    let text = String::from_utf8_lossy(page);
    let text = text.replace("<IsTruncated>true<", "<IsTruncated>false<");
    let text = match (text.find("<NextContinuationToken>"), text.find("</NextContinuationToken>")) {
        (Some(start), Some(end)) => {
            text[..start].to_owned() + &text[end + "</NextContinuationToken>".len()..]
        }
        _ => text,
    };
    Bytes::from(text)
}

fn keep_entries(page: &Bytes, kept: impl Fn(&str) -> bool) -> Bytes {
    let text = String::from_utf8_lossy(page);
    let mut pieces = text.split(CONTENTS.0);
    let mut changed = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (entry, rest) = piece.split_once(CONTENTS.1).expect("a closed Contents element");
        if kept(entry) {
            changed += &format!("{}{entry}{}", CONTENTS.0, CONTENTS.1);
        }
        changed += rest;
    }
    Bytes::from(changed)
}

fn escaped(key: &str) -> String {
    key.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn url_encoded(key: &str) -> String {
    let encode = |byte: u8| match byte {
        b' ' => "+".to_owned(),
        b'-' | b'_' | b'.' | b'*' | b'/' => char::from(byte).to_string(),
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    key.bytes().map(encode).collect()
}

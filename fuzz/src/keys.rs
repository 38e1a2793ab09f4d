//! Keys as a listing writes them: decoded exactly once.

use decant_storage::decode_listed_key;

pub(crate) fn listed(bytes: &[u8]) {
    let Ok(encoded) = std::str::from_utf8(bytes) else { return };
    let escaped: String = bytes.iter().map(|byte| format!("%{byte:02X}")).collect();
    assert_eq!(decode_listed_key(&escaped).as_deref(), Some(encoded), "a key came out changed");
    if let Some(key) = decode_listed_key(encoded)
        && !encoded.contains(['%', '+'])
    {
        assert_eq!(key, encoded, "a plain key came out changed");
    }
}

//! The headers that options put on requests.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use decant_core::secret::Secret;
use decant_core::{Error, ErrorKind, Result};
use http::header::{HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use md5::{Digest, Md5};

use crate::options::StorageOptions;

const USER_AGENT_VALUE: &str = concat!("decant/", env!("CARGO_PKG_VERSION"));
const CUSTOMER_KEY_BYTES: usize = 32;

/// What every request carries.
pub(super) fn of_every_request(options: &StorageOptions) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(USER_AGENT, HeaderValue::from_static(USER_AGENT_VALUE));
    if options.requester_pays {
        let name = HeaderName::from_static("x-amz-request-payer");
        headers.insert(name, HeaderValue::from_static("requester"));
    }
    headers
}

/// What requests for objects carry besides.
///
/// # Errors
///
/// `InvalidConfig` when the customer key is not 32 bytes in base64.
pub(super) fn of_objects(options: &StorageOptions) -> Result<HeaderMap> {
    match &options.sse_customer_key {
        Some(key) => customer_key(key),
        None => Ok(HeaderMap::new()),
    }
}

fn customer_key(secret: &Secret) -> Result<HeaderMap> {
    let key = STANDARD.decode(secret.expose()).ok().filter(|key| key.len() == CUSTOMER_KEY_BYTES);
    let Some(key) = key else {
        return Err(Error::new(
            ErrorKind::InvalidConfig,
            format!("the customer key is not {CUSTOMER_KEY_BYTES} bytes in base64"),
        ));
    };
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("x-amz-server-side-encryption-customer-algorithm", "AES256".to_owned()),
        ("x-amz-server-side-encryption-customer-key", STANDARD.encode(&key)),
        ("x-amz-server-side-encryption-customer-key-md5", STANDARD.encode(Md5::digest(&key))),
    ] {
        let mut value = HeaderValue::try_from(value).map_err(|error| {
            Error::new(ErrorKind::Internal, "base64 is not a header").caused_by(error)
        })?;
        value.set_sensitive(true);
        headers.insert(HeaderName::from_static(name), value);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_key_is_sent_with_its_checksum() {
        let key = STANDARD.encode([7u8; 32]);
        let headers = customer_key(&Secret::new(&key)).unwrap();
        let header = |part: &str| {
            headers[format!("x-amz-server-side-encryption-customer-{part}")].to_str().unwrap()
        };
        assert_eq!(header("algorithm"), "AES256");
        assert_eq!(header("key"), key);
        assert_eq!(header("key-md5"), STANDARD.encode(Md5::digest([7u8; 32])));
        assert!(!format!("{headers:?}").contains(&key));
    }

    #[test]
    fn a_customer_key_of_another_length_is_refused_without_being_shown() {
        for key in ["hunter2", "aHVudGVyMg=="] {
            let error = customer_key(&Secret::new(key)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidConfig);
            assert!(!error.chain().contains(key));
        }
    }
}

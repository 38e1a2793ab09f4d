//! Who may ask: everybody, or the holder of one pair of keys. There are no
//! roles and no policies. Invariant: where keys are set, an unsigned or wrongly
//! signed request changes and reveals nothing.

use crate::server::Credentials;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::{S3Result, s3_error};

/// The one pair of keys, if any.
#[derive(Clone, Debug)]
pub(crate) struct Keys(pub(crate) Option<Credentials>);

#[async_trait::async_trait]
impl S3Auth for Keys {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        match &self.0 {
            Some(pair) if pair.access_key_id == access_key => {
                Ok(SecretKey::from(pair.secret_access_key.clone()))
            }
            _ => Err(s3_error!(InvalidAccessKeyId, "The access key id is not known here")),
        }
    }
}

#[async_trait::async_trait]
impl S3Access for Keys {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        match (&self.0, context.credentials()) {
            (Some(_), None) => Err(s3_error!(AccessDenied, "This endpoint wants signed requests")),
            _ => Ok(()),
        }
    }
}

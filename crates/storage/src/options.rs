//! How to reach a storage: everything that is not in its URL.

use std::time::Duration;

use decant_core::secret::Secret;

/// How to reach a storage. Local folders need none of it.
#[derive(Clone, Debug)]
pub struct StorageOptions {
    /// `https://host[:port]` of an S3-compatible endpoint; `None`: what the
    /// AWS environment or profile names, else AWS itself.
    pub endpoint: Option<String>,
    /// The region; `None`: what the AWS environment or profile names, else
    /// `us-east-1`. A wrong one is corrected by the endpoint's answer.
    pub region: Option<String>,
    /// The profile of the shared AWS files; `None`: `AWS_PROFILE`, else
    /// `default`.
    pub profile: Option<String>,
    /// Who asks.
    pub credentials: Credentials,
    /// Accepts that the requester pays for requests and transfer.
    pub requester_pays: bool,
    /// The customer's key of objects encrypted with SSE-C, in base64.
    pub sse_customer_key: Option<Secret>,
    /// Puts the bucket into the host name of a custom endpoint. AWS itself is
    /// always asked so, where the bucket's name allows it.
    pub virtual_hosted: bool,
    /// Tries after the first, without progress in between.
    pub retry_count: u32,
    /// Upper bound of the pause before the first retry; it doubles with each
    /// retry up to ten seconds, and a random part of it is waited.
    pub retry_delay: Duration,
    /// How long a connection may take.
    pub connect_timeout: Duration,
    /// How long an answer, or the next bytes of a body, may take.
    pub read_timeout: Duration,
    /// Accepts `http://` endpoints elsewhere than on this machine. Customer
    /// keys are never sent to one.
    pub allow_http: bool,
    /// Keys in a page of a listing: 1 to 1,000.
    pub list_page_size: u16,
}

impl Default for StorageOptions {
    fn default() -> Self {
        Self {
            endpoint: None,
            region: None,
            profile: None,
            credentials: Credentials::Default,
            requester_pays: false,
            sse_customer_key: None,
            virtual_hosted: false,
            retry_count: 5,
            retry_delay: Duration::from_millis(200),
            connect_timeout: Duration::from_secs(5),
            read_timeout: Duration::from_secs(30),
            allow_http: true,
            list_page_size: 1000,
        }
    }
}

/// Who asks.
#[derive(Clone, Debug, Default)]
pub enum Credentials {
    /// The AWS default chain: environment, shared files with profiles, roles
    /// and SSO, web identity, container, instance. A `profile` that is named
    /// in the options stands alone, whatever the environment says.
    #[default]
    Default,
    /// The profile alone, named in the options, by `AWS_PROFILE`, or
    /// `default`.
    Profile,
    /// These keys.
    Static {
        /// The public half.
        access_key_id: String,
        /// The secret half.
        secret_access_key: Secret,
        /// Of temporary credentials.
        session_token: Option<Secret>,
    },
    /// A role, assumed with what the default chain (or the profile) finds.
    AssumeRole {
        /// `arn:aws:iam::123456789012:role/name`.
        role_arn: String,
        /// What the role's owner asks third parties for.
        external_id: Option<String>,
        /// Names the session in the owner's logs; `None`: `decant`.
        session_name: Option<String>,
    },
    /// Nobody: requests are not signed.
    Anonymous,
}

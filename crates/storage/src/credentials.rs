//! Who asks, and where: credentials, region and endpoint as the AWS tools
//! find them.
//!
//! The lookup is AWS's own (`aws-config`): environment, shared files with
//! profiles, roles and SSO, web identity, container, instance. What is found
//! is kept until shortly before it expires and then looked up again, so that
//! long runs go on. It knows nothing of buckets.
//!
//! Invariant: a secret leaves this module only as what a [`Signer`] signs with, whose
//! `Debug` shows none.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::default_provider::token::DefaultTokenChain;
use aws_config::environment::region::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials as Keys;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::{HttpConnectorSettings, SharedHttpClient};
use aws_types::service_config::ServiceConfigKey;
use decant_core::{Error, ErrorKind, Result};
use tokio::sync::Mutex;

use crate::options::{Credentials, StorageOptions};

/// How long before they expire credentials are looked up again.
const REFRESH_AHEAD: Duration = Duration::from_secs(300);
/// Below this, credentials that cannot be renewed are not used any more.
const EXPIRY_MARGIN: Duration = Duration::from_secs(10);
/// Where roles are assumed when no region is configured.
const STS_REGION: &str = "us-east-1";

/// What the environment says about an S3 source.
#[derive(Debug)]
pub(crate) struct Environment {
    /// The region, if one is configured.
    pub(crate) region: Option<String>,
    /// The endpoint, if one is configured.
    pub(crate) endpoint: Option<String>,
    /// `None` is anonymous.
    pub(crate) signer: Option<Arc<Signer>>,
}

impl Environment {
    /// Looks everything up that the options leave open.
    ///
    /// # Errors
    ///
    /// `AccessDenied` when there are no credentials, `InvalidConfig` when the
    /// configuration of credentials is wrong.
    pub(crate) async fn look_up(options: &StorageOptions) -> Result<Self> {
        let config = load(options).await;
        let provider = provider(options, &config).await;
        let signer = provider.map(|provider| Arc::new(Signer::new(provider)));
        if let Some(signer) = &signer {
            signer.keys().await?;
        }
        Ok(Self {
            region: config.region().map(ToString::to_string),
            endpoint: options.endpoint.clone().or_else(|| configured_endpoint(&config)),
            signer,
        })
    }
}

/// Gives away credentials that have not expired.
#[derive(Debug)]
pub(crate) struct Signer {
    provider: SharedCredentialsProvider,
    kept: Mutex<Option<Keys>>,
}

impl Signer {
    fn new(provider: SharedCredentialsProvider) -> Self {
        Self { provider, kept: Mutex::new(None) }
    }

    /// Credentials to sign with now. Everybody who asks while they are looked
    /// up waits for the one lookup.
    pub(crate) async fn keys(&self) -> Result<Keys> {
        let mut kept = self.kept.lock().await;
        if let Some(keys) = kept.as_ref().filter(|keys| lasts(keys, REFRESH_AHEAD)) {
            return Ok(keys.clone());
        }
        match self.provider.provide_credentials().await {
            Ok(keys) => Ok(kept.insert(keys).clone()),
            Err(error) => match kept.as_ref().filter(|keys| lasts(keys, EXPIRY_MARGIN)) {
                Some(keys) => {
                    tracing::warn!(%error, "credentials cannot be renewed yet");
                    Ok(keys.clone())
                }
                None => Err(lookup_failure(error)),
            },
        }
    }

    /// Looks credentials up again at the next request: these were refused.
    pub(crate) async fn forget(&self) {
        *self.kept.lock().await = None;
    }
}

fn lasts(keys: &Keys, ahead: Duration) -> bool {
    keys.expiry().is_none_or(|expiry| expiry > SystemTime::now() + ahead)
}

/// Reads environment and shared files. Sends nothing: the region is not asked
/// of the instance, for a wrong one is corrected by the endpoint.
async fn load(options: &StorageOptions) -> SdkConfig {
    let mut files = ProfileFileRegionProvider::builder();
    if let Some(profile) = &options.profile {
        files = files.profile_name(profile);
    }
    let region = RegionProviderChain::first_try(options.region.clone().map(Region::new))
        .or_else(EnvironmentVariableRegionProvider::new())
        .or_else(files.build());
    // Left to itself, the loader would ask the instance for a region to look
    // up a token with that nobody here uses.
    let tokens = DefaultTokenChain::builder().region(Region::from_static(STS_REGION));
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http_client())
        .no_credentials()
        .token_provider(tokens.build().await)
        .region(region);
    if let Some(profile) = &options.profile {
        loader = loader.profile_name(profile);
    }
    loader.load().await
}

async fn provider(
    options: &StorageOptions,
    config: &SdkConfig,
) -> Option<SharedCredentialsProvider> {
    match &options.credentials {
        Credentials::Anonymous => None,
        Credentials::Static { access_key_id, secret_access_key, session_token } => {
            let token = session_token.as_ref().map(|token| token.expose().to_owned());
            let secret = secret_access_key.expose();
            let keys = Keys::new(access_key_id, secret, token, None, "decant");
            Some(SharedCredentialsProvider::new(keys))
        }
        Credentials::Profile => Some(profile_alone(options, config)),
        Credentials::Default => Some(found(options, config).await),
        Credentials::AssumeRole { role_arn, external_id, session_name } => {
            let mut role = AssumeRoleProvider::builder(role_arn)
                .configure(config)
                .region(sts_region(config))
                .session_name(session_name.as_deref().unwrap_or("decant"));
            if let Some(external_id) = external_id {
                role = role.external_id(external_id);
            }
            let base = found(options, config).await;
            Some(SharedCredentialsProvider::new(role.build_from_provider(base).await))
        }
    }
}

/// What the default chain finds, or a profile that was named in person.
async fn found(options: &StorageOptions, config: &SdkConfig) -> SharedCredentialsProvider {
    if options.profile.is_some() {
        return profile_alone(options, config);
    }
    // Without a region of its own the chain would ask the instance for one.
    let chain = DefaultCredentialsChain::builder()
        .configure(provider_config(config))
        .region(sts_region(config));
    SharedCredentialsProvider::new(chain.build().await)
}

fn profile_alone(options: &StorageOptions, config: &SdkConfig) -> SharedCredentialsProvider {
    let provider_config = provider_config(config);
    let mut profile = ProfileFileCredentialsProvider::builder().configure(&provider_config);
    if let Some(name) = &options.profile {
        profile = profile.profile_name(name);
    }
    SharedCredentialsProvider::new(profile.build())
}

fn provider_config(config: &SdkConfig) -> ProviderConfig {
    ProviderConfig::without_region()
        .with_http_client(http_client())
        .with_region(Some(sts_region(config)))
}

fn sts_region(config: &SdkConfig) -> Region {
    config.region().cloned().unwrap_or(Region::from_static(STS_REGION))
}

/// `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`, or their like in the profile.
fn configured_endpoint(config: &SdkConfig) -> Option<String> {
    let key = ServiceConfigKey::builder()
        .service_id("s3")
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .ok()?;
    let of_service = config.service_config().and_then(|service| service.load_config(key));
    of_service.or_else(|| config.endpoint_url().map(str::to_owned)).filter(|url| !url.is_empty())
}

/// The client of the lookups themselves: STS, SSO, container and instance.
fn http_client() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().build_with_connector_fn(|settings, _components| {
        let settings =
            settings.cloned().unwrap_or_else(|| HttpConnectorSettings::builder().build());
        crate::s3::connector(settings, true)
    })
}

fn lookup_failure(error: CredentialsError) -> Error {
    let (kind, message) = match &error {
        CredentialsError::CredentialsNotLoaded(_) => {
            (ErrorKind::AccessDenied, "no AWS credentials were found")
        }
        CredentialsError::InvalidConfiguration(_) => {
            (ErrorKind::InvalidConfig, "the configuration of AWS credentials is wrong")
        }
        CredentialsError::ProviderTimedOut(_) => {
            (ErrorKind::Unavailable, "AWS credentials could not be looked up in time")
        }
        _ => (ErrorKind::AccessDenied, "AWS credentials could not be obtained"),
    };
    Error::new(kind, message)
        .with_hint(
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile (`--aws-profile`), \
             log in with `aws sso login`, or use `--anonymous` for a public bucket",
        )
        .caused_by(error)
}

//! How the source is reached: endpoint, region and who asks.

use decant_core::secret::Secret;
use url::Url;

use super::location::Root;
use super::meaning::{Meant, Objection, Overrides};
use super::typed::{Credentials, Hidden, Source};

/// Where the files are and how they are reached.
#[derive(Clone, Debug)]
pub struct SourceSettings {
    /// The bucket, or the local file system.
    pub root: Root,
    /// `http://…` or `https://…` of an S3-compatible service; `None` is AWS.
    pub endpoint: Option<String>,
    /// The region; `None` is that of the AWS profile or the default.
    pub region: Option<String>,
    /// Whether the requester pays.
    pub requester_pays: bool,
    /// The customer's key (SSE-C), in base64.
    pub sse_customer_key: Option<Secret>,
    /// How often a request is tried again; `None` is the storage's default.
    pub retry_count: Option<u32>,
    /// Who asks.
    pub credentials: CredentialSettings,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialSettings {
    /// The chain of the AWS tools.
    Chain,
    /// A profile of the shared AWS files.
    Profile(String),
    /// These keys.
    Keys {
        /// The access key's id.
        access_key_id: Secret,
        /// The access key's secret.
        secret_access_key: Secret,
        /// The token of temporary keys.
        session_token: Option<Secret>,
    },
    /// A role, assumed by the chain or by a profile.
    Role {
        /// The role.
        arn: String,
        /// What its owner asks for besides.
        external_id: Option<String>,
        /// The AWS profile that assumes it.
        source_profile: Option<String>,
    },
    /// Nobody: requests are not signed.
    Anonymous,
}

pub(super) fn source_settings(
    typed: &Source,
    root: Root,
    overrides: &Overrides,
) -> Meant<SourceSettings> {
    let endpoint = overrides.endpoint.as_ref().or(typed.endpoint.as_ref());
    Ok(SourceSettings {
        root,
        endpoint: endpoint.map(|endpoint| endpoint_of(endpoint)).transpose()?,
        region: overrides.region.clone().or_else(|| typed.region.clone()),
        requester_pays: typed.requester_pays.unwrap_or(false),
        sse_customer_key: typed.sse_customer_key.clone().map(|Hidden(key)| key),
        retry_count: typed.retry_count,
        credentials: overridden_credentials(typed.credentials.as_ref(), overrides)?,
    })
}

fn endpoint_of(endpoint: &str) -> Meant<String> {
    const SETTING: &str = "source.endpoint";
    let hint = "write it as https://host, or http://host:port for a server without TLS";
    let url = Url::parse(endpoint).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.host_str().is_some_and(|host| !host.is_empty())
    });
    let Some(url) = url else {
        return Err(Objection::new(SETTING, "the endpoint is not a URL").hint(hint));
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Objection::new(SETTING, "the endpoint cannot hold credentials")
            .hint("put them into the environment, an AWS profile or `credentials`"));
    }
    Ok(endpoint.trim_end_matches('/').to_owned())
}

fn overridden_credentials(
    typed: Option<&Credentials>,
    overrides: &Overrides,
) -> Meant<CredentialSettings> {
    match (&overrides.aws_profile, overrides.anonymous) {
        (Some(_), true) => Err(Objection::new(
            "source.credentials",
            "an AWS profile and anonymous exclude each other",
        )),
        (Some(profile), false) => Ok(CredentialSettings::Profile(profile.clone())),
        (None, true) => Ok(CredentialSettings::Anonymous),
        (None, false) => typed.map_or(Ok(CredentialSettings::Chain), credentials_of),
    }
}

/// Exactly one way of saying who asks.
fn credentials_of(typed: &Credentials) -> Meant<CredentialSettings> {
    refuse_several(typed)?;
    refuse_strays(typed)?;
    if typed.anonymous == Some(true) {
        return Ok(CredentialSettings::Anonymous);
    }
    if let Some(arn) = &typed.role_arn {
        return Ok(CredentialSettings::Role {
            arn: arn.clone(),
            external_id: typed.external_id.clone(),
            source_profile: typed.source_profile.clone(),
        });
    }
    if let Some(profile) = &typed.profile {
        return Ok(CredentialSettings::Profile(profile.clone()));
    }
    keys_of(typed)
}

fn keys_of(typed: &Credentials) -> Meant<CredentialSettings> {
    match (&typed.access_key_id, &typed.secret_access_key) {
        (Some(Hidden(id)), Some(Hidden(secret))) => Ok(CredentialSettings::Keys {
            access_key_id: id.clone(),
            secret_access_key: secret.clone(),
            session_token: typed.session_token.clone().map(|Hidden(token)| token),
        }),
        (None, None) => Ok(CredentialSettings::Chain),
        _ => Err(Objection::new(
            "source.credentials",
            "`access_key_id` and `secret_access_key` are only complete together",
        )),
    }
}

fn refuse_several(typed: &Credentials) -> Meant<()> {
    let has_keys = typed.access_key_id.is_some() || typed.secret_access_key.is_some();
    let ways = [
        ("profile", typed.profile.is_some()),
        ("access_key_id", has_keys),
        ("role_arn", typed.role_arn.is_some()),
        ("anonymous", typed.anonymous == Some(true)),
    ];
    let given: Vec<&str> = ways.iter().filter(|(_, is_given)| *is_given).map(|way| way.0).collect();
    let [first, second, ..] = given.as_slice() else { return Ok(()) };
    let message = format!("`{first}` and `{second}` exclude each other");
    let objection = Objection::new(format!("source.credentials.{second}"), message);
    Err(if given.contains(&"role_arn") && given.contains(&"profile") {
        objection.hint("the profile that assumes a role is named by `source_profile`")
    } else {
        objection.hint("keep one way of saying who asks")
    })
}

fn refuse_strays(typed: &Credentials) -> Meant<()> {
    let strays = [
        ("external_id", typed.external_id.is_some(), typed.role_arn.is_some(), "role_arn"),
        ("source_profile", typed.source_profile.is_some(), typed.role_arn.is_some(), "role_arn"),
        (
            "session_token",
            typed.session_token.is_some(),
            typed.access_key_id.is_some(),
            "access_key_id",
        ),
    ];
    match strays.iter().find(|(_, is_given, has_owner, _)| *is_given && !*has_owner) {
        Some((key, _, _, owner)) => Err(Objection::new(
            format!("source.credentials.{key}"),
            format!("`{key}` says nothing without `{owner}`"),
        )),
        None => Ok(()),
    }
}

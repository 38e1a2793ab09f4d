//! Where a bucket answers: the URLs of its objects, and the name of the
//! place in a file version's identity.
//!
//! Invariant: every way to reach AWS has one source, `aws`; every other
//! endpoint is its host and port in lower case, the port always written.

use decant_core::{Error, ErrorKind, Result};
use url::{Host, Url};

use super::encode;
use crate::options::StorageOptions;

/// The `source` of every AWS endpoint.
const AWS_SOURCE: &str = "aws";

/// Domains of the AWS partitions by the beginning of their regions' names.
///
/// Source: the partitions in AWS's published endpoint rules.
const PARTITIONS: [(&str, &str); 5] = [
    ("cn-", "amazonaws.com.cn"),
    ("us-isob-", "sc2s.sgov.gov"),
    ("us-iso-", "c2s.ic.gov"),
    ("eusc-", "amazonaws.eu"),
    ("", "amazonaws.com"),
];

/// Domains below which everything is AWS.
const AWS_DOMAINS: [&str; 6] = [
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".amazonaws.eu",
    ".api.aws",
    ".c2s.ic.gov",
    ".sc2s.sgov.gov",
];

/// A bucket's place.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    /// `None` is AWS itself, by region.
    custom: Option<Custom>,
    bucket: String,
}

#[derive(Clone, Debug)]
struct Custom {
    scheme: String,
    /// Host, and the port where it is not the scheme's own.
    authority: String,
    /// Empty, or beginning and not ending with `/`.
    path: String,
    source: String,
    is_loopback: bool,
    virtual_hosted: bool,
}

impl Endpoint {
    /// Reads what was configured; `None` is AWS itself.
    pub(super) fn new(
        endpoint: Option<&str>,
        bucket: &str,
        options: &StorageOptions,
    ) -> Result<Self> {
        let custom = match endpoint {
            Some(endpoint) => Some(Custom::parse(endpoint, options)?),
            None => None,
        };
        Ok(Self { custom, bucket: bucket.to_owned() })
    }

    /// The `source` of its file versions.
    pub(super) fn source(&self) -> &str {
        self.custom.as_ref().map_or(AWS_SOURCE, |custom| custom.source.as_str())
    }

    /// Whether it is on this machine, where no proxy stands between.
    pub(super) fn is_loopback(&self) -> bool {
        self.custom.as_ref().is_some_and(|custom| custom.is_loopback)
    }

    /// What a person would call it.
    pub(super) fn name(&self, region: &str) -> String {
        match &self.custom {
            Some(Custom { scheme, authority, path, .. }) => format!("{scheme}://{authority}{path}"),
            None => format!("https://{}", aws_host(region)),
        }
    }

    /// The URL of a key, or of the bucket, with a query that is encoded.
    pub(super) fn url(&self, region: &str, key: Option<&str>, query: &str) -> String {
        let mut url = self.bucket_url(region);
        url.push('/');
        url.push_str(&encode::path(key.unwrap_or_default()));
        if !query.is_empty() {
            url.push('?');
            url.push_str(query);
        }
        url
    }

    fn bucket_url(&self, region: &str) -> String {
        let bucket = &self.bucket;
        match &self.custom {
            None if is_host_label(bucket) => format!("https://{bucket}.{}", aws_host(region)),
            None => format!("https://{}/{}", aws_host(region), encode::path(bucket)),
            Some(Custom { scheme, authority, path, virtual_hosted: true, .. }) => {
                format!("{scheme}://{bucket}.{authority}{path}")
            }
            Some(Custom { scheme, authority, path, .. }) => {
                format!("{scheme}://{authority}{path}/{}", encode::path(bucket))
            }
        }
    }
}

impl Custom {
    fn parse(endpoint: &str, options: &StorageOptions) -> Result<Self> {
        let url = Url::parse(endpoint).map_err(|error| invalid(endpoint, "").caused_by(error))?;
        let host = match url.host() {
            Some(host) if matches!(url.scheme(), "http" | "https") => host,
            _ => return Err(invalid(endpoint, "")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid("", "; credentials do not belong into it"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(invalid(endpoint, "; it has a query or a fragment"));
        }
        let is_loopback = is_loopback(&host);
        let is_plain = url.scheme() == "http" && !is_loopback;
        if is_plain && !options.allow_http {
            return Err(invalid(endpoint, "; `http://` is not allowed here"));
        }
        if is_plain && options.sse_customer_key.is_some() {
            return Err(invalid(endpoint, "; a customer key is only sent over `https://`"));
        }
        let host = host.to_string().to_ascii_lowercase();
        let authority = url.port().map_or(host.clone(), |port| format!("{host}:{port}"));
        Ok(Self {
            source: source(&host, url.port_or_known_default().unwrap_or_default()),
            scheme: url.scheme().to_owned(),
            authority,
            path: url.path().trim_end_matches('/').to_owned(),
            is_loopback,
            virtual_hosted: options.virtual_hosted,
        })
    }
}

fn source(host: &str, port: u16) -> String {
    if AWS_DOMAINS.iter().any(|domain| host.ends_with(domain)) {
        AWS_SOURCE.to_owned()
    } else {
        format!("{host}:{port}")
    }
}

fn aws_host(region: &str) -> String {
    let domain = PARTITIONS
        .iter()
        .find(|(beginning, _)| region.starts_with(beginning))
        .map_or("amazonaws.com", |(_, domain)| domain);
    format!("s3.{region}.{domain}")
}

/// Whether a bucket can be one label of a host name, so that the wildcard of
/// the endpoint's certificate covers it.
fn is_host_label(bucket: &str) -> bool {
    bucket
        .chars()
        .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-')
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

fn invalid(endpoint: &str, what: &str) -> Error {
    Error::new(ErrorKind::InvalidConfig, format!("`{endpoint}` is not a usable endpoint{what}"))
        .with_hint("an endpoint is `https://host[:port]`, without bucket and credentials")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(url: Option<&str>, bucket: &str) -> Endpoint {
        Endpoint::new(url, bucket, &StorageOptions::default()).unwrap()
    }

    #[test]
    fn aws_is_virtual_hosted_where_the_bucket_allows_it() {
        for (bucket, region, url) in [
            ("b-1", "eu-west-1", "https://b-1.s3.eu-west-1.amazonaws.com/k"),
            ("a.b", "eu-west-1", "https://s3.eu-west-1.amazonaws.com/a.b/k"),
            ("Old_Bucket", "us-east-1", "https://s3.us-east-1.amazonaws.com/Old_Bucket/k"),
            ("b", "cn-north-1", "https://b.s3.cn-north-1.amazonaws.com.cn/k"),
        ] {
            assert_eq!(endpoint(None, bucket).url(region, Some("k"), ""), url);
        }
    }

    #[test]
    fn custom_endpoints_are_asked_by_path_unless_told_otherwise() {
        let custom = endpoint(Some("http://127.0.0.1:9000/"), "b");
        assert_eq!(custom.url("r", Some("/a/../b"), ""), "http://127.0.0.1:9000/b//a/../b");
        assert_eq!(custom.url("r", None, "list-type=2"), "http://127.0.0.1:9000/b/?list-type=2");
        let options = StorageOptions { virtual_hosted: true, ..StorageOptions::default() };
        let hosted = Endpoint::new(Some("https://S3.example.com/base"), "b", &options).unwrap();
        assert_eq!(hosted.url("r", Some("k"), ""), "https://b.s3.example.com/base/k");
    }

    #[test]
    fn every_aws_endpoint_has_one_source() {
        for url in [
            None,
            Some("https://s3.eu-west-1.amazonaws.com"),
            Some("https://s3-fips.us-gov-west-1.amazonaws.com"),
            Some("https://s3.dualstack.eu-west-1.amazonaws.com"),
            Some("https://bucket.vpce-1a2b-5c6d.s3.us-east-1.vpce.amazonaws.com"),
            Some("https://S3.cn-north-1.AMAZONAWS.com.cn"),
        ] {
            assert_eq!(endpoint(url, "b").source(), "aws", "{url:?}");
        }
    }

    #[test]
    fn other_sources_are_host_and_port_in_lower_case() {
        for (url, source) in [
            ("http://MinIO.example.com:9000", "minio.example.com:9000"),
            ("https://minio.example.com/base", "minio.example.com:443"),
            ("http://minio.example.com:80", "minio.example.com:80"),
            ("http://[::1]:9000", "[::1]:9000"),
            ("https://amazonaws.com.example.org", "amazonaws.com.example.org:443"),
        ] {
            assert_eq!(endpoint(Some(url), "b").source(), source);
        }
    }

    #[test]
    fn what_is_no_endpoint_is_refused() {
        let options = StorageOptions { allow_http: false, ..StorageOptions::default() };
        for url in [
            "localhost:9000",
            "minio",
            "ftp://host",
            "http://u:hunter2@host",
            "https://host/?x=1",
            "http://example.com",
        ] {
            let error = Endpoint::new(Some(url), "b", &options).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidConfig, "{url}");
            assert!(!error.chain().contains("hunter2"));
        }
        assert!(Endpoint::new(Some("http://127.0.0.1:1"), "b", &options).is_ok());
    }

    #[test]
    fn a_customer_key_is_not_sent_in_the_clear() {
        let options = StorageOptions {
            sse_customer_key: Some(decant_core::secret::Secret::new("a2V5")),
            ..StorageOptions::default()
        };
        assert!(Endpoint::new(Some("http://example.com"), "b", &options).is_err());
        assert!(Endpoint::new(Some("http://localhost:9000"), "b", &options).is_ok());
    }
}

//! One bucket over HTTP: builds requests, signs them, sends them, and makes
//! them again where that helps.
//!
//! Invariant: a key is percent-encoded once, and the path that is signed is,
//! byte for byte, the path that is sent.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Connector, ConnectorBuilder};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream as Body;
use bytes::Bytes;
use decant_core::{Error, ErrorKind, Result};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};

use super::encode;
use super::endpoint::Endpoint;
use super::fault::{Asked, Fault, StatusFault};
use super::sign::Signing;
use super::xml;
use crate::credentials::Signer;
use crate::options::StorageOptions;
use crate::retry::{Policy, Tries};
use crate::traffic::Counters;

const REGION_HEADER: &str = "x-amz-bucket-region";
/// More of an error document is not read.
const ERROR_BYTES_MAX: usize = 64 << 10;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    List,
    Get,
    Head,
    HeadBucket,
}

impl Verb {
    fn method(self) -> Method {
        match self {
            Self::List | Self::Get => Method::GET,
            Self::Head | Self::HeadBucket => Method::HEAD,
        }
    }

    fn action(self) -> &'static str {
        match self {
            Self::List | Self::HeadBucket => "s3:ListBucket",
            Self::Get | Self::Head => "s3:GetObject",
        }
    }
}

/// One request, before it is signed.
#[derive(Clone, Debug)]
pub(super) struct Ask<'a> {
    pub(super) verb: Verb,
    /// `None` is the bucket itself.
    pub(super) key: Option<&'a str>,
    pub(super) query: Vec<(&'static str, Cow<'a, str>)>,
    pub(super) headers: Vec<(HeaderName, String)>,
}

/// A successful answer.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    body: Body,
    read_timeout: Duration,
}

impl Reply {
    /// The text of a header.
    pub(super) fn header(&self, name: impl http::header::AsHeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The next bytes of the body; `None` at its end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        match tokio::time::timeout(self.read_timeout, self.body.try_next()).await {
            Ok(Ok(bytes)) => Ok(bytes),
            Ok(Err(error)) => Err(Fault::Connection { cause: causes(&error) }),
            Err(_) => Err(Fault::Connection {
                cause: format!("no bytes for {} s", self.read_timeout.as_secs_f32()),
            }),
        }
    }

    /// The whole body, up to a limit.
    pub(super) async fn collect(&mut self, bytes_max: usize) -> Result<Vec<u8>, Fault> {
        let mut collected = Vec::new();
        while let Some(bytes) = self.next().await? {
            collected.extend_from_slice(&bytes);
            if collected.len() > bytes_max {
                return Err(Fault::Answer(format!("its answer is over {bytes_max} bytes")));
            }
        }
        Ok(collected)
    }
}

/// A bucket that can be asked.
pub(super) struct Client {
    http: SharedHttpConnector,
    endpoint: Endpoint,
    bucket: String,
    region: Mutex<String>,
    signer: Option<Arc<Signer>>,
    signing: Signing,
    /// On every request.
    headers: HeaderMap,
    /// On requests for objects.
    object_headers: HeaderMap,
    policy: Policy,
    read_timeout: Duration,
    pub(super) counters: Arc<Counters>,
}

impl Client {
    pub(super) fn new(
        bucket: &str,
        endpoint: Endpoint,
        region: String,
        signer: Option<Arc<Signer>>,
        options: &StorageOptions,
    ) -> Result<Self> {
        let settings = HttpConnectorSettings::builder()
            .connect_timeout(options.connect_timeout)
            .read_timeout(options.read_timeout)
            .build();
        Ok(Self {
            http: SharedHttpConnector::new(connector(settings, !endpoint.is_loopback())),
            endpoint,
            bucket: bucket.to_owned(),
            region: Mutex::new(region),
            signer,
            signing: Signing::default(),
            headers: super::headers::of_every_request(options),
            object_headers: super::headers::of_objects(options)?,
            policy: Policy::new(options),
            read_timeout: options.read_timeout,
            counters: Arc::default(),
        })
    }

    pub(super) fn bucket(&self) -> &str {
        &self.bucket
    }

    pub(super) fn source(&self) -> &str {
        self.endpoint.source()
    }

    /// What a person would call the endpoint.
    pub(super) fn endpoint_name(&self) -> String {
        self.endpoint.name(&self.region())
    }

    /// Fresh tries for one request, or for one body.
    pub(super) fn tries(&self) -> Tries {
        Tries::new(self.policy, Arc::clone(&self.counters))
    }

    /// The fault as the operator sees it.
    pub(super) fn error(&self, verb: Verb, key: Option<&str>, fault: Fault) -> Error {
        let endpoint = self.endpoint_name();
        Asked { action: verb.action(), bucket: &self.bucket, key, endpoint: &endpoint }.error(fault)
    }

    /// Sends a request until it is answered: again after what passes by
    /// itself, once more in the bucket's real region, and once more with
    /// credentials looked up anew.
    pub(super) async fn send(&self, ask: &Ask<'_>, tries: &mut Tries) -> Result<Reply, Fault> {
        let mut may_move = true;
        let mut may_renew = self.signer.is_some();
        loop {
            let region = self.region();
            let fault = match self.send_once(ask, &region).await {
                Ok(reply) => return Ok(reply),
                Err(fault) => fault,
            };
            if may_move && self.moves(&fault, &region).await {
                may_move = false;
            } else if may_renew && is_expired(&fault) {
                may_renew = false;
                self.renew().await;
            } else {
                tries.pause(&self.shown(ask), fault).await?;
            }
        }
    }

    /// Sends it once and reads the error document, if it is one.
    async fn send_once(&self, ask: &Ask<'_>, region: &str) -> Result<Reply, Fault> {
        self.count(ask.verb);
        let request = self.request(ask, region).await?;
        let response = self.http.call(request).await.map_err(connection_fault)?;
        let response = response.try_into_http1x().map_err(|error| Fault::Answer(causes(&error)))?;
        let (parts, body) = response.into_parts();
        let mut reply = Reply {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: Body::new(body),
            read_timeout: self.read_timeout,
        };
        if parts.status.is_success() {
            return Ok(reply);
        }
        let document = reply.collect(ERROR_BYTES_MAX).await.unwrap_or_default();
        let document = xml::parse_error(&document).unwrap_or_default();
        Err(Fault::Status(Box::new(status_fault(&reply, document))))
    }

    async fn request(&self, ask: &Ask<'_>, region: &str) -> Result<HttpRequest, Fault> {
        let mut request = self.unsigned(ask, region).map_err(Fault::Definite)?;
        if let Some(signer) = &self.signer {
            let keys = signer.keys().await?;
            let signed = self.signing.sign(&mut request, &keys, region, SystemTime::now());
            signed.map_err(|cause| internal("a request cannot be signed", cause))?;
        }
        HttpRequest::try_from(request)
            .map_err(|error| internal("a request cannot be made", causes(&error)).into())
    }

    fn unsigned(&self, ask: &Ask<'_>, region: &str) -> Result<Request<SdkBody>> {
        let query = encode::query(ask.query.iter().map(|(name, value)| (*name, value.as_ref())));
        let mut request = Request::new(SdkBody::empty());
        *request.method_mut() = ask.verb.method();
        *request.uri_mut() = self
            .endpoint
            .url(region, ask.key, &query)
            .parse()
            .map_err(|error| internal("a request's URL is not one", causes(&error)))?;
        let headers = request.headers_mut();
        headers.extend(self.headers.clone());
        if ask.key.is_some() {
            headers.extend(self.object_headers.clone());
        }
        for (name, value) in &ask.headers {
            let value = HeaderValue::from_str(value)
                .map_err(|error| internal("a request's header is not one", causes(&error)))?;
            headers.insert(name, value);
        }
        Ok(request)
    }

    /// Whether the bucket is in another region than the one that was asked;
    /// from then on that one is.
    async fn moves(&self, fault: &Fault, asked: &str) -> bool {
        let Fault::Status(answer) = fault else { return false };
        let region = match &answer.region {
            Some(region) => Some(region.clone()),
            None if is_elsewhere(answer) => self.ask_region(asked).await,
            None => None,
        };
        match region {
            Some(region) if region != asked => {
                tracing::info!(bucket = self.bucket, region, "the bucket is in another region");
                *self.region.lock().unwrap_or_else(PoisonError::into_inner) = region;
                true
            }
            _ => false,
        }
    }

    /// The bucket's region, which a HEAD of it tells whatever it answers.
    async fn ask_region(&self, asked: &str) -> Option<String> {
        let ask = Ask { verb: Verb::HeadBucket, key: None, query: vec![], headers: vec![] };
        match self.send_once(&ask, asked).await {
            Ok(reply) => reply.header(REGION_HEADER).map(str::to_owned),
            Err(Fault::Status(answer)) => answer.region,
            Err(_) => None,
        }
    }

    async fn renew(&self) {
        if let Some(signer) = &self.signer {
            tracing::warn!("the credentials have expired: looking them up again");
            signer.forget().await;
        }
    }

    fn region(&self) -> String {
        self.region.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn count(&self, verb: Verb) {
        let counter = match verb {
            Verb::List => &self.counters.list_requests,
            Verb::Get => &self.counters.get_requests,
            Verb::Head | Verb::HeadBucket => &self.counters.head_requests,
        };
        Counters::add(counter, 1);
    }

    fn shown(&self, ask: &Ask<'_>) -> String {
        format!("{:?} s3://{}/{}", ask.verb, self.bucket, ask.key.unwrap_or_default())
    }
}

/// A pool of connections with TLS by rustls and ring, through the proxies of
/// the environment where that is asked for.
pub(crate) fn connector(settings: HttpConnectorSettings, proxied: bool) -> Connector {
    let proxies = if proxied { ProxyConfig::from_env() } else { ProxyConfig::disabled() };
    ConnectorBuilder::default()
        .connector_settings(settings)
        .proxy_config(proxies)
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build()
}

fn status_fault(reply: &Reply, document: xml::ErrorDocument) -> StatusFault {
    let region = reply.header(REGION_HEADER).map(str::to_owned).or(document.region);
    StatusFault {
        status: reply.status,
        code: document.code,
        message: document.message,
        region,
        retry_after: reply.header(http::header::RETRY_AFTER).and_then(|text| text.parse().ok()),
        request_id: reply.header("x-amz-request-id").map(str::to_owned),
        server_time: document.server_time,
    }
}

fn is_elsewhere(answer: &StatusFault) -> bool {
    matches!(answer.status, 301 | 307)
        || matches!(
            answer.code.as_str(),
            "PermanentRedirect"
                | "AuthorizationHeaderMalformed"
                | "IllegalLocationConstraintException"
        )
}

fn is_expired(fault: &Fault) -> bool {
    matches!(fault, Fault::Status(answer) if matches!(
        answer.code.as_str(),
        "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired"
    ))
}

fn connection_fault(error: ConnectorError) -> Fault {
    Fault::Connection { cause: causes(&error) }
}

/// An error and its causes in one line, each said once.
pub(super) fn causes(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !line.contains(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        cause = error.source();
    }
    line
}

fn internal(message: &str, cause: String) -> Error {
    Error::new(ErrorKind::Internal, message).caused_by(cause)
}

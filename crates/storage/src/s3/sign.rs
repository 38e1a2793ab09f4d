//! AWS Signature Version 4 of requests without a body, as S3 wants it: the
//! path as it is sent, the query encoded once.
//!
//! The key that signs is derived once for credentials, day and region, not
//! for every request.
//!
//! Source: AWS, "Signature Version 4 signing process".
//!
//! Invariant: AWS's own signer gives the same signature. What signs shows in
//! no `Debug`.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use aws_credential_types::Credentials as Keys;
use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use chrono::{DateTime, Utc};
use http::header::{AUTHORIZATION, HOST, USER_AGENT};
use http::uri::Scheme;
use http::{HeaderName, HeaderValue, Request, Uri};
use sha2::{Digest, Sha256};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const SERVICE: &str = "s3";
const DATE: &str = "x-amz-date";
const PAYLOAD: &str = "x-amz-content-sha256";
const TOKEN: &str = "x-amz-security-token";
/// SHA-256 of no bytes.
const NO_PAYLOAD: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// Letters of a day, such as 20260731, at the beginning of a moment.
const DAY_LETTERS: usize = 8;

/// Signs requests, and remembers the key of the day.
#[derive(Default)]
pub(super) struct Signing {
    kept: Mutex<Option<DaysKey>>,
}

/// What signs on one day.
struct DaysKey {
    credentials: Keys,
    day: String,
    region: String,
    key: Arc<[u8]>,
}

impl DaysKey {
    fn is_of(&self, credentials: &Keys, day: &str, region: &str) -> bool {
        self.credentials.secret_access_key() == credentials.secret_access_key()
            && self.day == day
            && self.region == region
    }
}

impl Signing {
    /// Adds the headers of a signature made at `now`. The error says what of
    /// the request cannot be signed.
    pub(super) fn sign<B>(
        &self,
        request: &mut Request<B>,
        credentials: &Keys,
        region: &str,
        now: SystemTime,
    ) -> Result<(), String> {
        let moment = DateTime::<Utc>::from(now).format("%Y%m%dT%H%M%SZ").to_string();
        let day = moment.get(..DAY_LETTERS).unwrap_or_default();
        let scope = format!("{day}/{region}/{SERVICE}/aws4_request");
        let token = credentials.session_token();
        let (canonical, signed) = canonical(request, &moment, token)?;
        let digest = hexadecimal(&Sha256::digest(canonical));
        let to_sign = format!("{ALGORITHM}\n{moment}\n{scope}\n{digest}");
        let key = self.key(credentials, day, region, now);
        let signature = calculate_signature(key, to_sign.as_bytes());
        let id = credentials.access_key_id();
        let authorization = format!(
            "{ALGORITHM} Credential={id}/{scope}, SignedHeaders={signed}, Signature={signature}"
        );
        let headers = request.headers_mut();
        headers.insert(HeaderName::from_static(DATE), value(&moment)?);
        headers.insert(HeaderName::from_static(PAYLOAD), HeaderValue::from_static(NO_PAYLOAD));
        headers.insert(AUTHORIZATION, secret(&authorization)?);
        if let Some(token) = token {
            headers.insert(HeaderName::from_static(TOKEN), secret(token)?);
        }
        Ok(())
    }

    fn key(&self, credentials: &Keys, day: &str, region: &str, now: SystemTime) -> Arc<[u8]> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = kept.as_ref().filter(|kept| kept.is_of(credentials, day, region)) {
            return Arc::clone(&kept.key);
        }
        let key = generate_signing_key(credentials.secret_access_key(), now, region, SERVICE);
        let key: Arc<[u8]> = key.as_ref().into();
        *kept = Some(DaysKey {
            credentials: credentials.clone(),
            day: day.to_owned(),
            region: region.to_owned(),
            key: Arc::clone(&key),
        });
        key
    }
}

/// The request as it is signed, and the names of the headers that are.
fn canonical<B>(
    request: &Request<B>,
    moment: &str,
    token: Option<&str>,
) -> Result<(String, String), String> {
    let uri = request.uri();
    let host = host(uri).ok_or("its URL has no host")?;
    let mut headers = vec![
        (HOST.as_str(), Cow::Borrowed(host)),
        (DATE, Cow::Borrowed(moment)),
        (PAYLOAD, Cow::Borrowed(NO_PAYLOAD)),
    ];
    headers.extend(token.map(|token| (TOKEN, trimmed(token))));
    for (name, value) in request.headers() {
        // Proxies may change this one.
        if name != USER_AGENT
            && let Ok(value) = value.to_str()
        {
            headers.push((name.as_str(), trimmed(value)));
        }
    }
    headers.sort_unstable();
    let mut query: Vec<(&str, &str)> = uri.query().into_iter().flat_map(pairs).collect();
    query.sort_unstable();
    let mut canonical = format!("{}\n{}\n", request.method(), uri.path());
    for (at, (name, value)) in query.into_iter().enumerate() {
        canonical.push_str(if at > 0 { "&" } else { "" });
        canonical.extend([name, "=", value]);
    }
    canonical.push('\n');
    let mut names = String::new();
    for (name, value) in &headers {
        names.push_str(if names.is_empty() { "" } else { ";" });
        names.push_str(name);
        canonical.extend([name, ":", value.as_ref(), "\n"]);
    }
    canonical.extend(["\n", &names, "\n", NO_PAYLOAD]);
    Ok((canonical, names))
}

/// Names and values of a query that is encoded already.
fn pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// What the HTTP client writes as `Host`: without the scheme's own port.
fn host(uri: &Uri) -> Option<&str> {
    let own = match uri.scheme() {
        Some(scheme) if *scheme == Scheme::HTTP => Some(80),
        Some(scheme) if *scheme == Scheme::HTTPS => Some(443),
        _ => None,
    };
    match uri.port_u16() {
        port if port.is_some() && port == own => uri.host(),
        _ => uri.authority().map(http::uri::Authority::as_str),
    }
}

/// A header's value, without spaces around it and one where there are several.
fn trimmed(value: &str) -> Cow<'_, str> {
    let value = value.trim_matches(' ');
    if !value.contains("  ") {
        return Cow::Borrowed(value);
    }
    let words: Vec<&str> = value.split(' ').filter(|word| !word.is_empty()).collect();
    Cow::Owned(words.join(" "))
}

fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |half: u8| char::from(DIGITS[usize::from(half & 0xf)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

fn value(text: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_str(text).map_err(|error| error.to_string())
}

fn secret(text: &str) -> Result<HeaderValue, String> {
    let mut value = value(text)?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aws_sigv4::http_request::{
        PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
        UriPathNormalizationMode, sign,
    };
    use aws_sigv4::sign::v4;
    use proptest::prelude::*;

    use super::*;
    use crate::s3::encode;

    /// What AWS's own signer makes of the request.
    fn signed_by_aws(
        mut request: Request<()>,
        credentials: &Keys,
        region: &str,
        now: SystemTime,
    ) -> Request<()> {
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        let identity = credentials.clone().into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name("s3")
            .time(now)
            .settings(settings)
            .build()
            .unwrap()
            .into();
        let uri = request.uri().to_string();
        let headers = request.headers().iter();
        let headers = headers.map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
        let body = SignableBody::Bytes(&[]);
        let signable = SignableRequest::new(request.method().as_str(), uri, headers, body).unwrap();
        let (instructions, _) = sign(signable, &params).unwrap().into_parts();
        instructions.apply_to_request_http1x(&mut request);
        request
    }

    fn keys(secret: &str, token: Option<String>) -> Keys {
        Keys::new("AKIDEXAMPLE", secret, token, None, "test")
    }

    fn moment(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn headers_of(request: &Request<()>) -> Vec<(String, String)> {
        let headers = request.headers().iter();
        let mut headers: Vec<(String, String)> = headers
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        headers.sort();
        headers
    }

    proptest! {
        #[test]
        fn awss_own_signer_gives_the_same_headers(
            place in prop::sample::select(vec![
                "http://127.0.0.1:9000", "http://minio:80", "https://minio:443",
                "https://minio:80", "https://b.s3.eu-west-1.amazonaws.com", "http://[::1]:9000",
            ]),
            key in "[ -~é\n]{0,20}",
            query in prop::collection::vec(("[a-zA-Z-]{1,8}", "[ -~é]{0,12}"), 0..4),
            headers in prop::collection::btree_map("x-[a-z-]{1,9}|range|if-match", "[!-~]( {0,3}[!-~]){0,6}", 0..4),
            secret in "[!-~]{1,40}",
            token in prop::option::of("[!-~]{1,30}"),
            seconds in 0_u64..4_000_000_000,
        ) {
            let pairs = query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            let query = encode::query(pairs);
            let uri = format!("{place}/bucket/{}?{query}", encode::path(&key));
            let mut request = Request::get(uri.trim_end_matches('?')).header("user-agent", "decant");
            for (name, value) in &headers {
                request = request.header(name, value);
            }
            let mut request = request.body(()).unwrap();
            let (keys, now) = (keys(&secret, token), moment(seconds));
            let expected = signed_by_aws(request.clone(), &keys, "eu-west-1", now);
            Signing::default().sign(&mut request, &keys, "eu-west-1", now).unwrap();
            prop_assert_eq!(headers_of(&request), headers_of(&expected));
        }
    }

    #[test]
    fn the_key_of_another_day_region_or_secret_is_another() {
        let signing = Signing::default();
        let (noon, later, tomorrow) = (moment(43_200), moment(43_201), moment(129_600));
        for (secret, region, now) in [
            ("one", "eu-west-1", noon),
            ("one", "eu-west-1", later),
            ("one", "us-east-1", later),
            ("two", "us-east-1", later),
            ("two", "us-east-1", tomorrow),
            ("one", "eu-west-1", noon),
        ] {
            let mut request = Request::get("http://h/b/k").body(()).unwrap();
            let expected = signed_by_aws(request.clone(), &keys(secret, None), region, now);
            signing.sign(&mut request, &keys(secret, None), region, now).unwrap();
            assert_eq!(headers_of(&request), headers_of(&expected), "{secret} {region} {now:?}");
        }
    }

    #[test]
    fn the_key_is_derived_once_a_day() {
        let signing = Signing::default();
        let key = |seconds| signing.key(&keys("s", None), "20260731", "r", moment(seconds));
        assert!(Arc::ptr_eq(&key(1), &key(2)));
    }
}

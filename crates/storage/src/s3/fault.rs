//! What went wrong with a request, and what it means to the operator.
//!
//! A [`Fault`] is what the wire said; it becomes an [`Error`] once retries
//! are over, with the names of the action, the bucket and the endpoint.

use std::fmt;
use std::time::Duration;

use decant_core::{Error, ErrorKind};

/// A failed try.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The endpoint answered with an error.
    Status(Box<StatusFault>),
    /// There was no answer, or its body broke off.
    Connection {
        /// The causes, outermost first.
        cause: String,
    },
    /// An answer that makes no sense.
    Answer(String),
    /// The body ended in good order, but too early.
    Cut(String),
    /// Known already, and not to be retried.
    Definite(Error),
}

/// An error that the endpoint answered with.
#[derive(Clone, Debug, Default)]
pub(crate) struct StatusFault {
    /// The HTTP status.
    pub(crate) status: u16,
    /// S3's code; empty where there was no error document.
    pub(crate) code: String,
    /// S3's sentence.
    pub(crate) message: String,
    /// The region in which the bucket is, where the answer says so.
    pub(crate) region: Option<String>,
    /// `Retry-After`, in seconds.
    pub(crate) retry_after: Option<u64>,
    /// Names the request in the endpoint's own logs.
    pub(crate) request_id: Option<String>,
    /// The endpoint's clock.
    pub(crate) server_time: Option<String>,
}

impl Fault {
    /// How long the endpoint asked to wait.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status(fault) => fault.retry_after.map(Duration::from_secs),
            _ => None,
        }
    }

    /// The HTTP status, where there was one.
    pub(super) fn status(&self) -> Option<u16> {
        match self {
            Self::Status(fault) => Some(fault.status),
            _ => None,
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Definite(error)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(fault) => fault.fmt(f),
            Self::Connection { cause } => f.write_str(cause),
            Self::Answer(what) | Self::Cut(what) => f.write_str(what),
            Self::Definite(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for StatusFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP {}", self.status)?;
        for text in [&self.code, &self.message] {
            if !text.is_empty() {
                write!(f, " {text}")?;
            }
        }
        Ok(())
    }
}

/// What was asked of whom, for the error.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    /// The permission that it needs.
    pub(super) action: &'static str,
    pub(super) bucket: &'a str,
    /// `None` for a listing.
    pub(super) key: Option<&'a str>,
    pub(super) endpoint: &'a str,
}

impl Asked<'_> {
    /// The fault as the operator sees it.
    pub(super) fn error(self, fault: Fault) -> Error {
        let error = match fault {
            Fault::Definite(error) => return self.located(error),
            Fault::Status(answer) => return self.status_error(*answer),
            Fault::Connection { cause } => Error::new(
                ErrorKind::Unavailable,
                format!("endpoint {} cannot be reached or broke off", self.endpoint),
            )
            .caused_by(cause)
            .with_hint("check the endpoint's address, the network and proxies, then try again"),
            Fault::Answer(what) => Error::new(
                ErrorKind::Unavailable,
                format!("endpoint {} does not make sense: {what}", self.endpoint),
            )
            .with_hint("check that the endpoint speaks S3"),
            Fault::Cut(what) => Error::new(ErrorKind::MalformedFile, what),
        };
        self.located(error)
    }

    fn status_error(self, answer: StatusFault) -> Error {
        let (kind, message, hint) = self.meaning(&answer);
        let mut error = Error::new(kind, message);
        if let Some(hint) = hint {
            error = error.with_hint(hint);
        }
        if let Some(id) = &answer.request_id {
            error = error.with("request_id", id);
        }
        self.located(error.caused_by(answer.to_string()))
    }

    fn located(self, error: Error) -> Error {
        let error = error.with("bucket", self.bucket).with("endpoint", self.endpoint);
        match self.key {
            Some(key) => error.in_file(format!("s3://{}/{key}", self.bucket)),
            None => error,
        }
    }

    fn meaning(&self, answer: &StatusFault) -> (ErrorKind, String, Option<String>) {
        match (answer.code.as_str(), answer.status) {
            ("NoSuchBucket", _) => self.no_such_bucket(),
            ("NoSuchKey" | "NoSuchVersion", _) => self.gone(),
            ("InvalidAccessKeyId" | "SignatureDoesNotMatch" | "InvalidToken", _) => {
                self.wrong_credentials(&answer.code)
            }
            ("ExpiredToken" | "TokenRefreshRequired" | "ExpiredTokenException", _) => (
                ErrorKind::AccessDenied,
                "the credentials have expired".to_owned(),
                Some("renew them, for example by `aws sso login`".to_owned()),
            ),
            ("RequestTimeTooSkewed", _) => clock_skew(answer),
            ("InvalidObjectState", _) => (
                ErrorKind::AccessDenied,
                "the object is archived and must be restored before it can be read".to_owned(),
                Some("restore it, or exclude archived files".to_owned()),
            ),
            ("PreconditionFailed", _) | (_, 412) => overwritten(),
            ("InvalidRange", _) | (_, 416) => (
                ErrorKind::MalformedFile,
                "the object is shorter than it was listed".to_owned(),
                None,
            ),
            (_, 404) if self.key.is_some() => self.gone(),
            (_, 404) => self.no_such_bucket(),
            (_, 401 | 403) => self.denied(),
            (_, 301 | 307 | 308) => self.moved(answer),
            (_, 200 | 408 | 429 | 500..) => self.busy(answer),
            _ => (
                ErrorKind::InvalidConfig,
                format!("endpoint {} refuses the request", self.endpoint),
                Some("check endpoint, region and bucket".to_owned()),
            ),
        }
    }

    fn no_such_bucket(&self) -> (ErrorKind, String, Option<String>) {
        (
            ErrorKind::NotFound,
            format!("bucket `{}` does not exist at {}", self.bucket, self.endpoint),
            Some("check the bucket's name and the endpoint".to_owned()),
        )
    }

    fn gone(&self) -> (ErrorKind, String, Option<String>) {
        (ErrorKind::NotFound, "the object does not exist any more".to_owned(), None)
    }

    fn wrong_credentials(&self, code: &str) -> (ErrorKind, String, Option<String>) {
        (
            ErrorKind::AccessDenied,
            format!("endpoint {} does not accept the credentials ({code})", self.endpoint),
            Some("check access key, secret key and profile, and that they belong to it".to_owned()),
        )
    }

    fn denied(&self) -> (ErrorKind, String, Option<String>) {
        let Self { action, bucket, .. } = self;
        (
            ErrorKind::AccessDenied,
            format!("access denied: {action} on bucket `{bucket}`"),
            Some(format!("grant {action} to these credentials, or use others")),
        )
    }

    fn moved(&self, answer: &StatusFault) -> (ErrorKind, String, Option<String>) {
        let region = answer.region.as_deref().unwrap_or("another region");
        (
            ErrorKind::InvalidConfig,
            format!("bucket `{}` answers in {region}, not at {}", self.bucket, self.endpoint),
            Some("set the region, or the bucket's own endpoint".to_owned()),
        )
    }

    fn busy(&self, answer: &StatusFault) -> (ErrorKind, String, Option<String>) {
        (
            ErrorKind::Unavailable,
            format!("endpoint {} is too busy or failing: {answer}", self.endpoint),
            Some("try again later, or with fewer threads".to_owned()),
        )
    }
}

fn overwritten() -> (ErrorKind, String, Option<String>) {
    (
        ErrorKind::Conflict,
        "the object was overwritten while it was read, or since it was listed".to_owned(),
        Some("the next run loads its new version".to_owned()),
    )
}

fn clock_skew(answer: &StatusFault) -> (ErrorKind, String, Option<String>) {
    let here = chrono::Utc::now().format("%Y-%m-%dT%H:%M:%SZ");
    let there = answer.server_time.as_deref().unwrap_or("another time");
    (
        ErrorKind::AccessDenied,
        format!("this machine's clock says {here}, the endpoint's {there}"),
        Some("set this machine's clock".to_owned()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: Asked<'_> = Asked {
        action: "s3:GetObject",
        bucket: "orders",
        key: Some("a b.csv"),
        endpoint: "https://s3.example.com",
    };

    fn error(asked: Asked<'_>, status: u16, code: &str) -> Error {
        let answer = StatusFault { status, code: code.to_owned(), ..StatusFault::default() };
        asked.error(Fault::Status(Box::new(answer)))
    }

    #[test]
    fn codes_say_what_the_operator_must_do() {
        for (status, code, kind) in [
            (404, "NoSuchBucket", ErrorKind::NotFound),
            (404, "NoSuchKey", ErrorKind::NotFound),
            (404, "", ErrorKind::NotFound),
            (403, "AccessDenied", ErrorKind::AccessDenied),
            (403, "", ErrorKind::AccessDenied),
            (403, "InvalidAccessKeyId", ErrorKind::AccessDenied),
            (403, "SignatureDoesNotMatch", ErrorKind::AccessDenied),
            (400, "ExpiredToken", ErrorKind::AccessDenied),
            (403, "RequestTimeTooSkewed", ErrorKind::AccessDenied),
            (403, "InvalidObjectState", ErrorKind::AccessDenied),
            (412, "PreconditionFailed", ErrorKind::Conflict),
            (503, "SlowDown", ErrorKind::Unavailable),
            (500, "", ErrorKind::Unavailable),
            (301, "PermanentRedirect", ErrorKind::InvalidConfig),
            (400, "InvalidRequest", ErrorKind::InvalidConfig),
        ] {
            assert_eq!(error(ASKED, status, code).kind(), kind, "{status} {code}");
        }
    }

    #[test]
    fn errors_name_action_bucket_endpoint_and_file() {
        let denied = error(ASKED, 403, "AccessDenied");
        assert_eq!(
            denied.to_string(),
            "s3://orders/a b.csv: access denied: s3:GetObject on bucket `orders`"
        );
        let listing = Asked { action: "s3:ListBucket", key: None, ..ASKED };
        let missing = error(listing, 404, "NoSuchBucket");
        assert!(missing.message().contains("bucket `orders` does not exist"));
        assert_eq!(missing.fact("endpoint"), Some("https://s3.example.com"));
        assert!(missing.hint().is_some());
        let down = ASKED.error(Fault::Connection { cause: "connection refused".into() });
        assert_eq!(down.kind(), ErrorKind::Unavailable);
        assert!(down.chain().contains("https://s3.example.com"));
        assert!(down.chain().contains("connection refused"));
    }

    #[test]
    fn a_wrong_clock_is_called_one() {
        assert!(error(ASKED, 403, "RequestTimeTooSkewed").message().contains("clock"));
    }
}

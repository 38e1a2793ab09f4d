//! From an HTTP request to its reply: log, hook, S3, hook again. The S3
//! operations are [`crate::endpoint`]'s. Invariant: every request is logged
//! once, before anything else happens to it.

use crate::access::Keys;
use crate::body::{Interrupted, ReplyBody};
use crate::call::Call;
use crate::connection::Severance;
use crate::depot::Depot;
use crate::endpoint::Endpoint;
use crate::hook::{Action, Hook, Interruption, Reply};
use crate::journal::Journal;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE};
use http::{HeaderValue, Request, Response, StatusCode};
use hyper::body::{Body as _, Incoming};
use s3s::Body;
use s3s::service::{S3Service, S3ServiceBuilder};
use std::error::Error;
use std::io;
use std::sync::{Arc, PoisonError, RwLock};

/// Memory for a reply that a hook edits.
const EDITED_BYTES_MAX: usize = 1 << 30;

/// What all connections share.
pub(crate) struct Service {
    pub(crate) depot: Arc<Depot>,
    pub(crate) journal: Journal,
    hook: RwLock<Option<Arc<dyn Hook>>>,
    s3: S3Service,
}

impl Service {
    pub(crate) fn new(depot: Arc<Depot>, keys: Keys, journal: Journal) -> Self {
        let mut builder = S3ServiceBuilder::new(Endpoint { depot: Arc::clone(&depot) });
        builder.set_auth(keys.clone());
        builder.set_access(keys);
        Self { depot, journal, hook: RwLock::default(), s3: builder.build() }
    }

    pub(crate) fn set_hook(&self, hook: Option<Arc<dyn Hook>>) {
        *self.hook.write().unwrap_or_else(PoisonError::into_inner) = hook;
    }

    /// The reply to a request; an error ends the connection without one.
    pub(crate) fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
        severance: Arc<Severance>,
    ) -> BoxFuture<'static, io::Result<Response<ReplyBody>>> {
        Box::pin(async move { self.answer_logged(request, severance).await })
    }

    async fn answer_logged(
        &self,
        request: Request<Incoming>,
        severance: Arc<Severance>,
    ) -> io::Result<Response<ReplyBody>> {
        let (parts, body) = request.into_parts();
        let call = Call::new(&parts);
        // Whoever waits for its arrival may rely on what becomes of it.
        let action = self.action(&call);
        let number = self.journal.arrived(&call);
        if let Some(wait) = action.wait {
            wait.await;
        }
        let request = Request::from_parts(parts, Body::from(body));
        let mut response = self.reply(request, action.reply, severance).await?;
        response.headers_mut().insert("x-amz-request-id", HeaderValue::from(number));
        self.journal.answered(number, response.status());
        Ok(response)
    }

    fn action(&self, call: &Call) -> Action {
        let hook = self.hook.read().unwrap_or_else(PoisonError::into_inner).clone();
        hook.map_or_else(Action::serve, |hook| hook.on_request(call))
    }

    async fn reply(
        &self,
        request: Request<Body>,
        reply: Reply,
        severance: Arc<Severance>,
    ) -> io::Result<Response<ReplyBody>> {
        match reply {
            Reply::Serve => Ok(self.s3(request).await?.map(ReplyBody::Whole)),
            Reply::Answer(response) => Ok(whole(response)),
            Reply::Edit(edit) => Ok(edited(collected(self.s3(request).await?).await?, edit)),
            Reply::Interrupt { after_bytes, interruption } => {
                let response = self.s3(request).await?;
                Ok(interrupted(response, after_bytes, interruption, severance))
            }
            Reply::Drop(ending) => {
                severance.arm(ending);
                Err(io::ErrorKind::ConnectionAborted.into())
            }
        }
    }

    async fn s3(&self, request: Request<Body>) -> io::Result<Response<Body>> {
        let failed = |error| io::Error::other(<Box<dyn Error + Send + Sync>>::from(error));
        let mut response = self.s3.call(request).await.map_err(failed)?;
        // s3s answers a HEAD of a range with 200; S3 answers as it does a GET.
        if response.status().is_success() && response.headers().contains_key(CONTENT_RANGE) {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        }
        Ok(response)
    }
}

fn whole(response: Response<Bytes>) -> Response<ReplyBody> {
    response.map(|bytes| ReplyBody::Whole(Body::from(bytes)))
}

async fn collected(response: Response<Body>) -> io::Result<Response<Bytes>> {
    let (parts, mut body) = response.into_parts();
    let bytes = body.store_all_limited(EDITED_BYTES_MAX).await.map_err(io::Error::other)?;
    Ok(Response::from_parts(parts, bytes))
}

fn edited(
    mut response: Response<Bytes>,
    edit: impl FnOnce(Response<Bytes>) -> Response<Bytes>,
) -> Response<ReplyBody> {
    response.headers_mut().remove(CONTENT_LENGTH);
    whole(edit(response))
}

fn interrupted(
    mut response: Response<Body>,
    after_bytes: u64,
    interruption: Interruption,
    severance: Arc<Severance>,
) -> Response<ReplyBody> {
    let length = declared_length(&response);
    let headers = response.headers_mut();
    match (&interruption, length) {
        (Interruption::Undeclared, _) => drop(headers.remove(CONTENT_LENGTH)),
        (Interruption::Shortened, Some(length)) => {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(length.min(after_bytes)));
        }
        (_, Some(length)) => {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        (_, None) => {}
    }
    response.map(|body| {
        ReplyBody::Interrupted(Interrupted::new(body, after_bytes, interruption, severance))
    })
}

fn declared_length(response: &Response<Body>) -> Option<u64> {
    let declared = response.headers().get(CONTENT_LENGTH);
    let declared = declared.and_then(|value| value.to_str().ok()?.parse().ok());
    declared.or_else(|| response.body().size_hint().exact())
}

//! The bodies of replies: as they are, or interrupted on demand. Frames are
//! passed on or sliced, never copied. Invariant: an interrupted body yields
//! exactly the bytes it was told to, as far as the whole one has them.

use crate::connection::Severance;
use crate::hook::{Ending, Interruption};
use bytes::Bytes;
use futures::future::BoxFuture;
use hyper::body::{Body, Frame, SizeHint};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

pub(crate) enum ReplyBody {
    Whole(s3s::Body),
    Interrupted(Interrupted),
}

pub(crate) struct Interrupted {
    body: s3s::Body,
    /// Bytes of a frame that came too early.
    held: Option<Bytes>,
    /// Bytes that may still pass before `then` happens.
    passing: u64,
    then: Then,
    severance: Arc<Severance>,
}

enum Then {
    Sever(Ending),
    End,
    Pause(BoxFuture<'static, ()>),
    Nothing,
}

type Polled = Poll<Option<Result<Frame<Bytes>, io::Error>>>;

impl Interrupted {
    pub(crate) fn new(
        body: s3s::Body,
        after_bytes: u64,
        interruption: Interruption,
        severance: Arc<Severance>,
    ) -> Self {
        let then = match interruption {
            Interruption::Close => Then::Sever(Ending::Close),
            Interruption::Reset => Then::Sever(Ending::Reset),
            Interruption::Shortened | Interruption::Undeclared => Then::End,
            Interruption::Pause(until) => Then::Pause(until),
        };
        Self { body, held: None, passing: after_bytes, then, severance }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Polled {
        if self.passing == 0 {
            match &mut self.then {
                Then::Sever(ending) => {
                    self.severance.arm(*ending);
                    return Poll::Pending;
                }
                Then::End => return Poll::Ready(None),
                Then::Pause(until) => {
                    ready!(until.as_mut().poll(context));
                    self.then = Then::Nothing;
                    self.passing = u64::MAX;
                }
                Then::Nothing => {}
            }
        }
        self.poll_bytes(context)
    }

    fn poll_bytes(&mut self, context: &mut Context<'_>) -> Polled {
        let bytes = match self.held.take() {
            Some(held) => held,
            None => match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(bytes) => bytes,
                    Err(other) => return Poll::Ready(Some(Ok(other))),
                },
                Some(Err(error)) => return Poll::Ready(Some(Err(io::Error::other(error)))),
                None => return self.poll_short(),
            },
        };
        Poll::Ready(Some(Ok(Frame::data(self.pass(bytes)))))
    }

    /// The whole body is shorter than the bytes that were to pass.
    fn poll_short(&mut self) -> Polled {
        match self.then {
            Then::Sever(ending) => {
                self.severance.arm(ending);
                Poll::Pending
            }
            _ => Poll::Ready(None),
        }
    }

    fn pass(&mut self, mut bytes: Bytes) -> Bytes {
        let length = bytes.len() as u64;
        if length > self.passing {
            let at = usize::try_from(self.passing).unwrap_or(usize::MAX);
            self.held = Some(bytes.split_off(at));
        }
        self.passing -= length.min(self.passing);
        bytes
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Polled {
        match self.get_mut() {
            ReplyBody::Whole(body) => Pin::new(body).poll_frame(context).map_err(io::Error::other),
            ReplyBody::Interrupted(interrupted) => interrupted.poll(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            ReplyBody::Whole(body) => body.is_end_stream(),
            ReplyBody::Interrupted(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            ReplyBody::Whole(body) => body.size_hint(),
            ReplyBody::Interrupted(_) => SizeHint::default(),
        }
    }
}

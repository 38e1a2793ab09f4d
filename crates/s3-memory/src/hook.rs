//! The door for whoever scripts the endpoint: a hook sees each request before
//! it is served and says what becomes of it. It does not see request bodies.
//! Invariant: without a hook every request is served.

use crate::call::Call;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::Response;
use std::fmt;
use std::future::Future;

/// Looks at each request before it is served.
///
/// Called once a request, from several connections at once, and never awaited:
/// a hook that wants to wait returns [`Action::after`].
pub trait Hook: Send + Sync + 'static {
    /// What becomes of this request.
    fn on_request(&self, call: &Call) -> Action;
}

impl<F: Fn(&Call) -> Action + Send + Sync + 'static> Hook for F {
    fn on_request(&self, call: &Call) -> Action {
        self(call)
    }
}

/// What becomes of a request.
pub struct Action {
    pub(crate) wait: Option<BoxFuture<'static, ()>>,
    pub(crate) reply: Reply,
}

type Edit = Box<dyn FnOnce(Response<Bytes>) -> Response<Bytes> + Send>;

pub(crate) enum Reply {
    Serve,
    Answer(Response<Bytes>),
    Interrupt { after_bytes: u64, interruption: Interruption },
    Edit(Edit),
    Drop(Ending),
}

/// How a connection ends early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Close,
    Reset,
}

/// What happens to a reply's body after its first bytes.
pub enum Interruption {
    /// The connection is closed in an orderly way; Content-Length promised more.
    Close,
    /// The connection is reset (TCP RST); Content-Length promised more. Of the
    /// bytes before, those that a slow client has not taken yet may be lost.
    Reset,
    /// The body ends, and Content-Length says so: nothing looks wrong.
    Shortened,
    /// The body ends in a chunked reply without Content-Length: nothing looks wrong.
    Undeclared,
    /// The rest follows once the future is ready.
    Pause(BoxFuture<'static, ()>),
}

impl Action {
    /// Serves the request as if there were no hook.
    pub fn serve() -> Self {
        Self::reply(Reply::Serve)
    }

    /// Answers in the endpoint's place; the request has no effect.
    pub fn answer(response: Response<Bytes>) -> Self {
        Self::reply(Reply::Answer(response))
    }

    /// Serves the request and interrupts the reply after `after_bytes` of its body.
    pub fn interrupt(after_bytes: u64, interruption: Interruption) -> Self {
        Self::reply(Reply::Interrupt { after_bytes, interruption })
    }

    /// Serves the request and lets `edit` change the whole reply, which is held
    /// in memory for it. Content-Length follows the edited body.
    pub fn edit(edit: impl FnOnce(Response<Bytes>) -> Response<Bytes> + Send + 'static) -> Self {
        Self::reply(Reply::Edit(Box::new(edit)))
    }

    /// Closes the connection without a reply; the request has no effect.
    pub fn close() -> Self {
        Self::reply(Reply::Drop(Ending::Close))
    }

    /// Resets the connection without a reply; the request has no effect.
    pub fn reset() -> Self {
        Self::reply(Reply::Drop(Ending::Reset))
    }

    /// Does the same, but only once `ready` is.
    #[must_use]
    pub fn after(self, ready: impl Future<Output = ()> + Send + 'static) -> Self {
        Self { wait: Some(Box::pin(ready)), ..self }
    }

    fn reply(reply: Reply) -> Self {
        Self { wait: None, reply }
    }
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reply = match &self.reply {
            Reply::Serve => "serve".to_owned(),
            Reply::Answer(response) => format!("answer {}", response.status()),
            Reply::Interrupt { after_bytes, interruption } => {
                format!("{interruption:?} after {after_bytes} bytes")
            }
            Reply::Edit(_) => "edit".to_owned(),
            Reply::Drop(ending) => format!("{ending:?} without a reply"),
        };
        let waits = self.wait.is_some();
        f.debug_struct("Action").field("reply", &reply).field("waits", &waits).finish()
    }
}

impl fmt::Debug for Interruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Interruption::Close => "Close",
            Interruption::Reset => "Reset",
            Interruption::Shortened => "Shortened",
            Interruption::Undeclared => "Undeclared",
            Interruption::Pause(_) => "Pause",
        })
    }
}

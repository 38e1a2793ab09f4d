//! One client's connection: HTTP/1.1 over a socket that can be severed at an
//! exact byte. It knows nothing of S3. Invariant: a severed connection has sent
//! every byte that its last body yielded.

use crate::hook::Ending;
use crate::service::Service;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;

/// Serves a connection until either side ends it.
pub(crate) async fn serve(stream: TcpStream, service: Arc<Service>) {
    // Small replies must not wait for the client's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    let severance = Arc::new(Severance::default());
    let answer = service_fn(|request| {
        let (service, severance) = (Arc::clone(&service), Arc::clone(&severance));
        service.answer(request, severance)
    });
    let socket = Socket { stream, severance: Arc::clone(&severance) };
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(socket), answer);
    let _ = poll_fn(|context| connection.poll_without_shutdown(context)).await;
    end(connection.into_parts().io.into_inner().stream, &severance).await;
}

async fn end(mut stream: TcpStream, severance: &Severance) {
    let _ = match severance.ending() {
        Some(Ending::Reset) => stream.set_zero_linger(),
        Some(Ending::Close) | None => stream.shutdown().await,
    };
}

/// How a connection is to end, once what was written to it has been sent.
#[derive(Debug, Default)]
pub(crate) struct Severance(Mutex<Option<Ending>>);

impl Severance {
    pub(crate) fn arm(&self, ending: Ending) {
        *self.lock() = Some(ending);
    }

    fn ending(&self) -> Option<Ending> {
        *self.lock()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Ending>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A socket whose flush fails once its connection is to be severed: HTTP
/// flushes after it has written everything, so the failure ends it in time.
struct Socket {
    stream: TcpStream,
    severance: Arc<Severance>,
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        match self.severance.ending() {
            None => Poll::Ready(Ok(())),
            Some(_) => Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

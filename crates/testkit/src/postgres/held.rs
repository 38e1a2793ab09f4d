//! A transaction that stays open, as somebody else's would: its locks are what
//! it is for. Invariant: it is rolled back when it is dropped, at the latest
//! with the test.

use std::thread::JoinHandle;

use tokio::sync::oneshot;
use tokio_postgres::{Error, NoTls};

/// An open transaction; dropping it rolls it back.
pub struct HeldTransaction {
    release: Option<oneshot::Sender<()>>,
    session: Option<JoinHandle<()>>,
}

impl HeldTransaction {
    /// Runs statements in a transaction of their own, and returns when they
    /// are done.
    pub(super) fn begin(url: &str, sql: &str) -> Self {
        let (release, released) = oneshot::channel();
        let (ready, begun) = std::sync::mpsc::channel();
        let (url, sql) = (url.to_owned(), format!("BEGIN; {sql}"));
        let session = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime for one connection");
            let held = runtime.block_on(hold(&url, &sql, || ready.send(()), released));
            held.unwrap_or_else(|error| super::query::fail(&sql, &error));
        });
        begun.recv().expect("the statements of the transaction");
        Self { release: Some(release), session: Some(session) }
    }
}

async fn hold<T>(
    url: &str,
    sql: &str,
    ready: impl FnOnce() -> T,
    released: oneshot::Receiver<()>,
) -> Result<(), Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let session = async move {
        client.simple_query(sql).await?;
        ready();
        // Whoever holds it lets go, or is gone.
        let _ = released.await;
        client.simple_query("ROLLBACK").await?;
        Ok(())
    };
    let (held, _) = futures::join!(session, connection);
    held
}

impl Drop for HeldTransaction {
    fn drop(&mut self) {
        drop(self.release.take());
        if let Some(session) = self.session.take() {
            // A session that failed has said why.
            let _ = session.join();
        }
    }
}

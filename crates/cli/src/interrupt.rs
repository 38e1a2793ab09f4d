//! Ctrl-C and SIGTERM: once, what runs is finished or rolled back; twice,
//! the program stops where it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use decant::core::Result;
use decant::engine::Stop;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::Exit;

/// Listens for signals while it lives.
#[derive(Clone, Default)]
pub(crate) struct Interrupt {
    stop: Stop,
    code: Arc<AtomicU8>,
}

impl Interrupt {
    /// Starts listening. Must be called on the runtime.
    pub(crate) fn listen() -> std::io::Result<Self> {
        let interrupt = Self::default();
        let ctrl_c = signal(SignalKind::interrupt())?;
        let terminate = signal(SignalKind::terminate())?;
        tokio::spawn(interrupt.clone().wait(ctrl_c, Exit::Interrupted));
        tokio::spawn(interrupt.clone().wait(terminate, Exit::Terminated));
        Ok(interrupt)
    }

    /// What to hand to a run.
    pub(crate) fn stop(&self) -> &Stop {
        &self.stop
    }

    /// How the program ends: as `work` does, which can be dropped anywhere, or
    /// by a signal that comes before that.
    pub(crate) fn or<'a>(
        &'a self,
        work: impl Future<Output = Result<Exit>> + 'a,
    ) -> impl Future<Output = Result<Exit>> + 'a {
        let work = Box::pin(work);
        async {
            let ended = self.stop.unless_requested(work).await;
            ended.unwrap_or_else(|| Ok(self.exit().unwrap_or(Exit::Interrupted)))
        }
    }

    /// How the program ends because of a signal, if one came.
    pub(crate) fn exit(&self) -> Option<Exit> {
        match self.code.load(Ordering::Acquire) {
            0 => None,
            code if code == Exit::Terminated.code() => Some(Exit::Terminated),
            _ => Some(Exit::Interrupted),
        }
    }

    async fn wait(self, mut signals: Signal, exit: Exit) {
        while signals.recv().await.is_some() {
            if self.code.swap(exit.code(), Ordering::AcqRel) != 0 {
                std::process::exit(i32::from(exit.code()));
            }
            self.stop.request();
            tracing::warn!("ending: what runs is finished or rolled back; once more to stop now");
        }
    }
}

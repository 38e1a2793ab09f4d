//! Telling others how a run goes, while it goes.

/// Something that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Files were listed and belong to the run.
    Planned {
        /// How many.
        files: u64,
        /// Their listed bytes.
        bytes: u64,
    },
    /// Bytes were fetched.
    Fetched {
        /// How many.
        bytes: u64,
    },
    /// Rows were written, not committed.
    Written {
        /// How many.
        rows: u64,
    },
    /// Files came to an end, good or bad.
    Settled {
        /// How many.
        files: u64,
    },
}

/// Is told what happens, often and from any thread; must be quick.
pub trait Observer: Send + Sync {
    /// Takes notice.
    fn observe(&self, event: Event);
}

/// Takes no notice.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoObserver;

impl Observer for NoObserver {
    fn observe(&self, _event: Event) {}
}

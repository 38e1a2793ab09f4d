//! What is to go wrong, and what was asked for.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use arrow_array::RecordBatch;
use decant_core::destination::RefusedRow;
use decant_core::error::{Error, ErrorKind, Result};
use tokio::sync::oneshot;

use super::{Call, Fault};
use crate::batches::render_row;

/// The script that a decorated destination and all of its parts share.
#[derive(Default)]
pub(super) struct Script(Mutex<State>);

#[derive(Default)]
struct State {
    faults: Vec<Fault>,
    poisons: Vec<(String, ErrorKind)>,
    refused: Vec<(String, String)>,
    gates: VecDeque<Gate>,
    calls: Vec<Call>,
}

struct Gate {
    reached: oneshot::Sender<()>,
    released: oneshot::Receiver<()>,
}

/// A commit that is stopped. Dropping it lets the commit go.
pub struct Hold {
    reached: oneshot::Receiver<()>,
    release: oneshot::Sender<()>,
}

impl Hold {
    /// Waits until the commit has come to where it is stopped.
    pub async fn reached(&mut self) {
        (&mut self.reached).await.expect("a commit that comes to the hold");
    }

    /// Lets the commit go.
    pub fn release(self) {
        let _ = self.release.send(());
    }
}

impl Script {
    pub(super) fn add(&self, fault: Fault) {
        self.state().faults.push(fault);
    }

    pub(super) fn poison(&self, key: &str, kind: ErrorKind) {
        self.state().poisons.push((key.to_owned(), kind));
    }

    pub(super) fn refuse(&self, value: &str, constraint: &str) {
        self.state().refused.push((value.to_owned(), constraint.to_owned()));
    }

    /// The rows of a batch that are refused.
    pub(super) fn refused_of(&self, batch: &RecordBatch) -> Vec<RefusedRow> {
        let rules = self.state().refused.clone();
        let refused = (0..batch.num_rows()).filter_map(|row| {
            let cells = render_row(batch, row);
            let (value, constraint) =
                rules.iter().find(|(value, _)| cells.contains(&Some(value.clone())))?;
            Some(RefusedRow {
                row,
                constraint: Some(constraint.clone()),
                column: None,
                detail: format!("`{value}` breaks {constraint}"),
            })
        });
        refused.collect()
    }

    pub(super) fn hold(&self) -> Hold {
        let (reached, has_reached) = oneshot::channel();
        let (release, released) = oneshot::channel();
        self.state().gates.push_back(Gate { reached, released });
        Hold { reached: has_reached, release }
    }

    pub(super) fn called(&self, call: Call) {
        self.state().calls.push(call);
    }

    pub(super) fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    pub(super) fn pending(&self) -> Vec<Fault> {
        self.state().faults.clone()
    }

    /// Takes the first fault that `is_wanted`.
    pub(super) fn take(&self, is_wanted: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let mut state = self.state();
        let position = state.faults.iter().position(is_wanted)?;
        Some(state.faults.remove(position))
    }

    /// Fails with the kind of the first fault that has one for this call.
    pub(super) fn fail_at(&self, kind_of: impl Fn(&Fault) -> Option<ErrorKind>) -> Result<()> {
        let fault = self.take(|fault| kind_of(fault).is_some());
        match fault.as_ref().and_then(kind_of) {
            Some(kind) => Err(scripted(kind)),
            None => Ok(()),
        }
    }

    /// Counts a write, and fails it when its turn has come.
    pub(super) fn fail_at_write(&self) -> Result<()> {
        for fault in &mut self.state().faults {
            if let Fault::Write { nth, .. } = fault {
                *nth = nth.saturating_sub(1);
            }
        }
        self.fail_at(|fault| match fault {
            Fault::Write { nth: 0, kind } => Some(*kind),
            _ => None,
        })
    }

    /// The kind with which a commit of files of these keys always fails.
    pub(super) fn poison_of(&self, keys: &[String]) -> Option<ErrorKind> {
        let state = self.state();
        state.poisons.iter().find(|(key, _)| keys.contains(key)).map(|(_, kind)| *kind)
    }

    /// Waits at the hold, if there is one.
    pub(super) async fn pass_gate(&self) {
        let gate = self.state().gates.pop_front();
        if let Some(Gate { reached, released }) = gate {
            let _ = reached.send(());
            let _ = released.await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The error of every scripted fault.
pub(super) fn scripted(kind: ErrorKind) -> Error {
    Error::new(kind, "the test's script says that this fails")
}

//! A script in force: it sees each request and does what the rules say.
//! Invariant: every strike is counted, and rules count requests in the order of
//! their arrival.

use super::faults::{Fault, Rule};
use super::pages;
use bytes::Bytes;
use decant_s3_memory::{Action, Call, Hook, Interruption, Operation};
use http::Response;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A script in force. Clones are the same script.
#[derive(Clone)]
pub struct Script {
    state: Arc<Mutex<State>>,
    pages: LastPages,
    keeps_pages: bool,
}

struct State {
    rules: Vec<Rule>,
    fired: u64,
}

/// The latest page of each listing, by its bucket and prefix.
type LastPages = Arc<Mutex<HashMap<Listing, Bytes>>>;

type Listing = (Option<String>, Option<String>);

impl Script {
    pub(super) fn new(rules: Vec<Rule>) -> Self {
        let keeps_pages = rules.iter().any(Rule::repeats_pages);
        let state = Arc::new(Mutex::new(State { rules, fired: 0 }));
        Self { state, pages: LastPages::default(), keeps_pages }
    }

    /// How many faults have struck.
    pub fn fired(&self) -> u64 {
        self.state().fired
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn strike(&self, call: &Call) -> Option<Fault> {
        let mut state = self.state();
        let fault = state.rules.iter_mut().find_map(|rule| rule.strike(call))?;
        state.fired += 1;
        Some(fault)
    }

    fn serve(&self, call: &Call) -> Action {
        match call.operation {
            Operation::List if self.keeps_pages => self.keep_page(call),
            _ => Action::serve(),
        }
    }

    fn keep_page(&self, call: &Call) -> Action {
        let (pages, listing) = (Arc::clone(&self.pages), listing(call));
        Action::edit(move |page| {
            let mut pages = pages.lock().unwrap_or_else(PoisonError::into_inner);
            pages.insert(listing, page.body().clone());
            page
        })
    }

    fn repeat_page(&self, call: &Call) -> Action {
        let pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        match pages.get(&listing(call)).cloned() {
            Some(page) => Action::answer(xml(200, page)),
            None => self.keep_page(call),
        }
    }

    fn action(&self, fault: Fault, call: &Call) -> Action {
        match fault {
            Fault::Status(status) => error(status, status),
            Fault::SlowDown => error(503, 503),
            Fault::ErrorDocumentIn200 => error(200, 500),
            Fault::NoReply => Action::reset(),
            Fault::LostReply => Action::interrupt(0, Interruption::Reset),
            Fault::Reset { after_bytes } => Action::interrupt(after_bytes, Interruption::Reset),
            Fault::Close { after_bytes } => Action::interrupt(after_bytes, Interruption::Close),
            Fault::Shortened { bytes } => Action::interrupt(bytes, Interruption::Shortened),
            Fault::Undeclared { bytes } => Action::interrupt(bytes, Interruption::Undeclared),
            Fault::Hold(gate) => self.serve(call).after(gate.opened()),
            Fault::HoldBody { after_bytes, gate } => {
                Action::interrupt(after_bytes, Interruption::Pause(Box::pin(gate.opened())))
            }
            Fault::RepeatListPage => self.repeat_page(call),
            Fault::DropFromListing(key) => edit(move |page| pages::without_key(page, &key)),
            Fault::EmptyListPage => edit(pages::without_keys),
            Fault::EndListingEarly => edit(pages::as_last),
            Fault::Before(event) => {
                event();
                self.serve(call)
            }
        }
    }
}

impl Hook for Script {
    fn on_request(&self, call: &Call) -> Action {
        match self.strike(call) {
            Some(fault) => self.action(fault, call),
            None => self.serve(call),
        }
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script").field("fired", &self.fired()).finish_non_exhaustive()
    }
}

fn listing(call: &Call) -> Listing {
    (call.bucket.clone(), call.parameter("prefix"))
}

fn edit(change: impl FnOnce(&Bytes) -> Bytes + Send + 'static) -> Action {
    Action::edit(move |page| {
        let changed = change(page.body());
        page.map(|_| changed)
    })
}

/// S3's error document for `meant`, sent with `status`.
fn error(status: u16, meant: u16) -> Action {
    let code = match meant {
        400 => "BadRequest",
        403 => "AccessDenied",
        404 => "NoSuchKey",
        412 => "PreconditionFailed",
        429 => "TooManyRequests",
        503 => "SlowDown",
        _ => "InternalError",
    };
    let document = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <Error><Code>{code}</Code><Message>A scripted fault</Message></Error>"
    );
    Action::answer(xml(status, Bytes::from(document)))
}

fn xml(status: u16, body: Bytes) -> Response<Bytes> {
    let response = Response::builder().status(status).header("content-type", "application/xml");
    response.body(body).expect("a status between 100 and 999")
}

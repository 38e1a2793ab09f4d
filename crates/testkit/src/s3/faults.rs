//! The vocabulary of scripts: which requests, which times, what goes wrong. How
//! a fault is done is [`super::script`]'s. Invariant: rules are tried in order
//! and at most one strikes a request.

use super::gate::Gate;
use super::script::Script;
use decant_s3_memory::{Call, MemoryS3, Operation};
use std::fmt;
use std::sync::Arc;

/// What goes wrong with a request.
#[derive(Clone)]
pub enum Fault {
    /// Answered with this status and S3's error document for it; no effect.
    Status(u16),
    /// 503 `SlowDown`, S3's wish for fewer requests; no effect.
    SlowDown,
    /// Status 200, but the body is an error document (`InternalError`); no effect.
    ErrorDocumentIn200,
    /// The connection is reset without a reply; no effect.
    NoReply,
    /// The request takes effect, and the connection is reset before the reply's body.
    LostReply,
    /// The connection is reset after so many bytes of the body.
    Reset {
        /// Bytes of the body that are sent; a slow client may lose some.
        after_bytes: u64,
    },
    /// The connection is closed in an orderly way after so many bytes of the
    /// body, of which Content-Length promised more.
    Close {
        /// Bytes of the body that arrive.
        after_bytes: u64,
    },
    /// The body is cut, and Content-Length agrees with what is left.
    Shortened {
        /// Bytes of the body that are left.
        bytes: u64,
    },
    /// The body is cut in a chunked reply without Content-Length.
    Undeclared {
        /// Bytes of the body that are left.
        bytes: u64,
    },
    /// Served once the gate is open; no effect before.
    Hold(Gate),
    /// Served up to so many bytes of the body; the rest once the gate is open.
    HoldBody {
        /// Bytes of the body that arrive before.
        after_bytes: u64,
        /// What the rest waits for.
        gate: Gate,
    },
    /// A listing's page is the page before it again, token included; a first
    /// page is served as it is.
    RepeatListPage,
    /// A listing's page lacks this key.
    DropFromListing(String),
    /// A listing's page has no keys, but the listing goes on after it.
    EmptyListPage,
    /// A listing's page claims to be the last.
    EndListingEarly,
    /// Something happens just before the request is served.
    Before(Arc<dyn Fn() + Send + Sync>),
}

impl Fault {
    /// Runs `event` just before the request is served, such as an overwrite.
    pub fn before(event: impl Fn() + Send + Sync + 'static) -> Self {
        Self::Before(Arc::new(event))
    }
}

/// Which keys a rule is about. A text is a pattern in which `*` stands for any
/// characters, slashes included. For listings the prefix counts as the key.
pub enum Keys {
    /// A pattern.
    Pattern(String),
    /// A predicate.
    Predicate(Box<dyn Fn(&str) -> bool + Send + Sync>),
}

impl Keys {
    /// The keys that satisfy `predicate`.
    pub fn matching(predicate: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self::Predicate(Box::new(predicate))
    }

    fn contain(&self, key: &str) -> bool {
        match self {
            Keys::Pattern(pattern) => matches(pattern, key),
            Keys::Predicate(predicate) => predicate(key),
        }
    }
}

impl From<&str> for Keys {
    fn from(pattern: &str) -> Self {
        Self::Pattern(pattern.to_owned())
    }
}

fn matches(pattern: &str, key: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == key,
        Some((start, rest)) => key.strip_prefix(start).is_some_and(|tail| {
            let mut ends = tail.char_indices().map(|(at, _)| at).chain([tail.len()]);
            ends.any(|at| matches(rest, &tail[at..]))
        }),
    }
}

/// A script in the making.
#[derive(Debug, Default)]
pub struct Faults {
    rules: Vec<Rule>,
}

/// One rule in the making; [`Rule::then`] ends it.
pub struct Rule {
    before: Vec<Rule>,
    operation: Operation,
    keys: Keys,
    spared: u64,
    times: u64,
    fault: Option<Fault>,
}

impl Faults {
    /// A script without rules.
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins a rule about requests of `operation` on `keys`: every one, unless
    /// it says how often.
    pub fn on(self, operation: Operation, keys: impl Into<Keys>) -> Rule {
        let keys = keys.into();
        Rule { before: self.rules, operation, keys, spared: 0, times: u64::MAX, fault: None }
    }

    /// Puts the script in force, in place of an earlier one.
    pub fn install(self, s3: &MemoryS3) -> Script {
        let script = Script::new(self.rules);
        s3.set_hook(script.clone());
        script
    }
}

impl Rule {
    /// Strikes so many times and then no more.
    #[must_use]
    pub fn times(self, times: u64) -> Self {
        Self { times, ..self }
    }

    /// Strikes once.
    #[must_use]
    pub fn once(self) -> Self {
        self.times(1)
    }

    /// Spares the first so many requests that it is about.
    #[must_use]
    pub fn sparing(self, spared: u64) -> Self {
        Self { spared, ..self }
    }

    /// Ends the rule with what goes wrong.
    pub fn then(mut self, fault: Fault) -> Faults {
        let mut rules = std::mem::take(&mut self.before);
        self.fault = Some(fault);
        rules.push(self);
        Faults { rules }
    }

    /// Counts a request down; tells what goes wrong with it, if this rule strikes.
    pub(super) fn strike(&mut self, call: &Call) -> Option<Fault> {
        if call.operation != self.operation || !self.keys.contain(&subject(call)) {
            return None;
        }
        if self.spared > 0 {
            self.spared -= 1;
            return None;
        }
        self.times = self.times.checked_sub(1)?;
        self.fault.clone()
    }
}

impl Rule {
    pub(super) fn repeats_pages(&self) -> bool {
        matches!(self.fault, Some(Fault::RepeatListPage))
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule")
            .field("operation", &self.operation)
            .field("times", &self.times)
            .finish_non_exhaustive()
    }
}

/// What a rule's keys are held against.
fn subject(call: &Call) -> String {
    match call.operation {
        Operation::List => call.parameter("prefix").unwrap_or_default(),
        _ => call.key.clone().unwrap_or_default(),
    }
}

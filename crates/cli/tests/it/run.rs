//! A run of the command: its words, its surroundings, how it ended and what
//! it said. Invariant: nothing of the test's own environment reaches it.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

/// How long a run may take on a slow and busy machine before it counts as hung.
const PATIENCE: Duration = Duration::from_secs(120);

/// A command line in the making.
pub(crate) struct Decant(Command);

/// A run that has not ended yet.
pub(crate) struct Running {
    child: Option<Child>,
    /// Its standard error, once somebody listens.
    heard: Option<BufReader<ChildStderr>>,
}

/// How a run ended and what it said.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Decant {
    /// The command, started in `folder`, which is its home as well.
    pub(crate) fn new(folder: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_decant"));
        command
            .env_clear()
            .env("HOME", folder)
            .env("PATH", "/usr/bin:/bin")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self(command)
    }

    pub(crate) fn args<T: AsRef<OsStr>>(mut self, words: impl IntoIterator<Item = T>) -> Self {
        self.0.args(words);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    pub(crate) fn start(mut self) -> Running {
        let child = self.0.spawn().expect("the command starts");
        Running { child: Some(child), heard: None }
    }

    pub(crate) fn run(self) -> Run {
        self.start().end()
    }
}

impl Running {
    /// Sends a signal by its name, such as `INT`.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.as_ref().expect("it runs").id();
        let sent = Command::new("sh").args(["-c", &format!("kill -{name} {id}")]).status();
        assert!(sent.expect("a shell").success(), "the signal {name} cannot be sent to {id}");
    }

    /// Waits until it says `words` on standard error, of which the end of the
    /// run then no longer tells.
    pub(crate) fn has_said(&mut self, words: &str) {
        let child = self.child.as_mut().expect("it runs");
        let heard = self.heard.get_or_insert_with(|| {
            BufReader::new(child.stderr.take().expect("nobody else listens"))
        });
        let mut line = String::new();
        while !line.contains(words) {
            line.clear();
            let read = heard.read_line(&mut line).expect("its standard error");
            assert!(read > 0, "it ended without saying `{words}`");
        }
    }

    /// Waits for the end.
    pub(crate) fn end(mut self) -> Run {
        let child = self.child.take().expect("it runs");
        let id = child.id();
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || sender.send(child.wait_with_output()));
        match receiver.recv_timeout(PATIENCE) {
            Ok(output) => Run::from(output.expect("the command's end")),
            Err(_) => {
                let _ = Command::new("sh").args(["-c", &format!("kill -KILL {id}")]).status();
                panic!("it still runs after {PATIENCE:?}; it has said {:?}", receiver.recv());
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("decant speaks UTF-8");
        Self {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

/// What becomes of files, in a report's order.
const FILES: [&str; 6] = ["excluded", "already_loaded", "loaded", "failed", "skipped", "vanished"];
/// What becomes of rows, in a report's order.
const ROWS: [&str; 6] = ["read", "loaded", "rejected", "filtered", "rescued", "repaired"];

impl Run {
    /// Asserts how it ended.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        self
    }

    /// The one JSON object on standard output.
    #[track_caller]
    pub(crate) fn report(&self) -> Value {
        let mut objects = self.lines();
        assert_eq!(objects.len(), 1, "one JSON object was to be printed, not {}", self.stdout);
        objects.remove(0)
    }

    /// JSON objects, a line each.
    #[track_caller]
    pub(crate) fn lines(&self) -> Vec<Value> {
        let parse = |line| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {}", self.stdout))
        };
        self.stdout.lines().map(parse).collect()
    }

    /// What became of the files, without `listed` and zeros: `loaded 2, failed 1`.
    #[track_caller]
    pub(crate) fn files(&self) -> String {
        counts(&self.report()["files"], &FILES)
    }

    /// What became of the rows, without zeros: `read 3, loaded 3`.
    #[track_caller]
    pub(crate) fn rows(&self) -> String {
        counts(&self.report()["rows"], &ROWS)
    }

    /// The only error of the report.
    #[track_caller]
    pub(crate) fn error(&self) -> Value {
        let report = self.report();
        let errors = report["errors"].as_array().expect("a list of errors");
        assert_eq!(errors.len(), 1, "{report:#}");
        errors[0].clone()
    }

    /// Asserts that each of `words` stands in what it said, on either channel.
    #[track_caller]
    pub(crate) fn says(&self, words: &[&str]) {
        for word in words {
            let said = self.stdout.contains(word) || self.stderr.contains(word);
            assert!(said, "`{word}` is missing in\n{}\n{}", self.stdout, self.stderr);
        }
    }

    /// Asserts that `words` stand nowhere in what it said.
    #[track_caller]
    pub(crate) fn never_says(&self, words: &str) {
        let said = self.stdout.contains(words) || self.stderr.contains(words);
        assert!(!said, "`{words}` stands in\n{}\n{}", self.stdout, self.stderr);
    }
}

/// Those counts of an object that are not zero, in this order.
fn counts(object: &Value, names: &[&str]) -> String {
    let count = |name: &&str| object[*name].as_u64().expect("a count");
    let shown = names.iter().filter(|name| count(name) != 0);
    shown.map(|name| format!("{name} {}", count(name))).collect::<Vec<_>>().join(", ")
}

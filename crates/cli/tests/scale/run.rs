//! A run of the command as a child process: how it ended, what it said, how
//! long it took, and the most memory that it had.
//!
//! Invariant: no child outlives its test, and none runs for ever.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long anything may take before it counts as hung.
const PATIENCE: Duration = Duration::from_secs(600);
/// How long to wait before looking again.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// A run that has not ended.
pub(crate) struct Running {
    child: Child,
    begun: Instant,
    peak_bytes: u64,
    stdout: Option<JoinHandle<String>>,
    stderr: Option<JoinHandle<String>>,
}

/// A run that has.
pub(crate) struct Run {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) seconds: f64,
    /// The most memory that was resident at a time, in bytes.
    pub(crate) peak_bytes: u64,
}

/// Ready once `state` has come about.
#[track_caller]
pub(crate) fn wait_until(state: &str, mut reached: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !reached() {
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} in vain until {state}");
        std::thread::park_timeout(LOOK_AGAIN);
    }
}

/// Starts decant in `folder`, with nothing of the test's own environment.
pub(crate) fn start(folder: &Path, words: &[&str], variables: &[(&str, &str)]) -> Running {
    let mut child = Command::new(env!("CARGO_BIN_EXE_decant"))
        .args(words)
        .env_clear()
        .env("HOME", folder)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(variables.iter().copied())
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let stdout = child.stdout.take().map(drain);
    let stderr = child.stderr.take().map(drain);
    Running { child, begun: Instant::now(), peak_bytes: 0, stdout, stderr }
}

fn drain(mut pipe: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = String::new();
        pipe.read_to_string(&mut text).expect("decant speaks UTF-8");
        text
    })
}

impl Running {
    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("the child's state").is_some()
    }

    /// Ends it with SIGKILL, unless it has ended.
    pub(crate) fn kill(mut self) -> Run {
        self.child.kill().expect("SIGKILL");
        self.end()
    }

    /// Waits for the end.
    #[track_caller]
    pub(crate) fn end(mut self) -> Run {
        let mut status = None;
        wait_until("the command has ended", || {
            self.look_at_memory();
            status = self.child.try_wait().expect("the child's state");
            status.is_some()
        });
        let said =
            |pipe: Option<JoinHandle<String>>| pipe.expect("a pipe").join().expect("what it said");
        Run {
            status: status.expect("it has ended"),
            stdout: said(self.stdout.take()),
            stderr: said(self.stderr.take()),
            seconds: self.begun.elapsed().as_secs_f64(),
            peak_bytes: self.peak_bytes,
        }
    }

    /// The kernel keeps the peak, so looking now and then misses only what
    /// happens after the last look.
    fn look_at_memory(&mut self) {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        self.peak_bytes = self.peak_bytes.max(kilobytes.unwrap_or(0) * 1024);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Run {
    /// Asserts that it ended well.
    #[track_caller]
    pub(crate) fn succeeds(self) -> Self {
        assert_eq!(self.status.code(), Some(0), "{}\n{}", self.stdout, self.stderr);
        self
    }

    /// The one JSON object on standard output.
    #[track_caller]
    pub(crate) fn report(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}\n{}", self.stdout, self.stderr))
    }

    /// A count of the report, such as `files` `loaded`.
    #[track_caller]
    pub(crate) fn count(&self, group: &str, name: &str) -> u64 {
        let report = self.report();
        report[group][name].as_u64().unwrap_or_else(|| panic!("{group} {name} in {report:#}"))
    }

    /// The peak in megabytes, for people.
    pub(crate) fn peak_megabytes(&self) -> f64 {
        self.peak_bytes as f64 / 1e6
    }
}

//! Showing how a run goes: bars on a terminal, lines of JSON on request,
//! nothing elsewhere.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::ValueEnum;
use decant::engine::{Event, NoObserver, Observer};
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};

/// How progress is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProgressMode {
    /// A bar where standard error is a terminal, else nothing.
    #[default]
    Auto,
    /// A bar.
    Bar,
    /// A line of JSON a second on standard error.
    Json,
    /// Nothing.
    None,
}

/// Progress as it was chosen.
pub(crate) struct Progress {
    observer: Arc<dyn Observer>,
    bar: Option<ProgressBar>,
}

impl Progress {
    pub(crate) fn new(mode: ProgressMode, quiet: bool) -> Self {
        let on_terminal = std::io::stderr().is_terminal();
        match mode {
            _ if quiet => Self::silent(),
            ProgressMode::Bar => Self::bar(),
            ProgressMode::Auto if on_terminal => Self::bar(),
            ProgressMode::Json => Self::json(),
            ProgressMode::Auto | ProgressMode::None => Self::silent(),
        }
    }

    /// What to hand to a run.
    pub(crate) fn observer(&self) -> Arc<dyn Observer> {
        Arc::clone(&self.observer)
    }

    /// Takes the bar away, so that the report stands alone.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn silent() -> Self {
        Self { observer: Arc::new(NoObserver), bar: None }
    }

    fn json() -> Self {
        Self { observer: Arc::new(JsonLines::new()), bar: None }
    }

    fn bar() -> Self {
        let bar = ProgressBar::new(0);
        let template = "{spinner:.cyan} {bytes:>10} of {total_bytes} [{bar:30.cyan/blue}] \
                        {bytes_per_sec:>11}  ETA {eta:>4}  {msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        let observer = Bar { bar: bar.clone(), counts: Counts::default() };
        Self { observer: Arc::new(observer), bar: Some(bar) }
    }
}

#[derive(Default)]
struct Counts {
    files_planned: AtomicU64,
    files_settled: AtomicU64,
    bytes_planned: AtomicU64,
    bytes_fetched: AtomicU64,
    rows: AtomicU64,
}

impl Counts {
    fn add(&self, event: Event) {
        let add = |count: &AtomicU64, by: u64| {
            count.fetch_add(by, Ordering::Relaxed);
        };
        match event {
            Event::Planned { files, bytes } => {
                add(&self.files_planned, files);
                add(&self.bytes_planned, bytes);
            }
            Event::Fetched { bytes } => add(&self.bytes_fetched, bytes),
            Event::Written { rows } => add(&self.rows, rows),
            Event::Settled { files } => add(&self.files_settled, files),
        }
    }

    fn get(count: &AtomicU64) -> u64 {
        count.load(Ordering::Relaxed)
    }
}

struct Bar {
    bar: ProgressBar,
    counts: Counts,
}

impl Observer for Bar {
    fn observe(&self, event: Event) {
        self.counts.add(event);
        match event {
            Event::Fetched { bytes } => self.bar.inc(bytes),
            Event::Planned { .. } => self.bar.set_length(Counts::get(&self.counts.bytes_planned)),
            Event::Written { .. } | Event::Settled { .. } => {}
        }
        self.bar.set_message(format!(
            "{} of {} files, {} rows",
            HumanCount(Counts::get(&self.counts.files_settled)),
            HumanCount(Counts::get(&self.counts.files_planned)),
            HumanCount(Counts::get(&self.counts.rows)),
        ));
    }
}

struct JsonLines {
    counts: Counts,
    started: Instant,
    last_second: AtomicU64,
}

impl JsonLines {
    fn new() -> Self {
        Self { counts: Counts::default(), started: Instant::now(), last_second: AtomicU64::new(0) }
    }
}

impl Observer for JsonLines {
    fn observe(&self, event: Event) {
        self.counts.add(event);
        let second = self.started.elapsed().as_secs();
        if self.last_second.swap(second, Ordering::Relaxed) == second {
            return;
        }
        let line = serde_json::json!({
            "seconds": second,
            "files_planned": Counts::get(&self.counts.files_planned),
            "files_settled": Counts::get(&self.counts.files_settled),
            "bytes_planned": Counts::get(&self.counts.bytes_planned),
            "bytes_fetched": Counts::get(&self.counts.bytes_fetched),
            "rows_written": Counts::get(&self.counts.rows),
        });
        // Progress that nobody can read is no reason to fail.
        let _ = writeln!(std::io::stderr(), "{line}");
    }
}

/// `1.2 MiB`.
pub(crate) fn human_bytes(bytes: u64) -> String {
    HumanBytes(bytes).to_string()
}

/// `1,234`.
pub(crate) fn human_count(count: u64) -> String {
    HumanCount(count).to_string()
}

/// `1 file`, `2 files`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", human_count(count))
}

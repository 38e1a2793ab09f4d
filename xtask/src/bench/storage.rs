//! The S3 endpoint that contenders load from: Ceph's where it can be had, else
//! ours, in a process of its own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::Bench;
use super::ceph::Ceph;
use super::processes;
use super::programs::Programs;
use crate::{Result, shell};

/// The bucket that everything is in.
pub(super) const BUCKET: &str = "bench";

/// The access key that requests are signed with.
pub(super) const KEY: &str = "bench";
/// Its secret half.
pub(super) const SECRET: &str = "bench-secret";
const REGION: &str = "us-east-1";

/// What an endpoint serves, and how.
#[derive(Clone, Debug, Default)]
pub(super) struct Served {
    paths: Vec<String>,
    arguments: Vec<String>,
    open: bool,
    ours: bool,
}

impl Served {
    /// Also a file under its name, or a folder's files under its name.
    pub(super) fn put(mut self, path: &Path) -> Self {
        self.paths.push(path.display().to_string());
        self
    }

    /// Also so many small files of so many rows.
    pub(super) fn files(self, files: u64, rows: u64) -> Self {
        self.with(&["--files", &files.to_string(), &rows.to_string()])
    }

    /// Also so many equal objects.
    pub(super) fn objects(self, objects: u64) -> Self {
        self.with(&["--objects", &objects.to_string()])
    }

    /// Every request is answered so much later.
    pub(super) fn delay_milliseconds(self, delay: u64) -> Self {
        self.with(&["--delay", &delay.to_string()])
    }

    /// Requests are not signed.
    pub(super) fn open(self) -> Self {
        Self { open: true, ..self }
    }

    /// By ours, whatever there is: several endpoints at a time are wanted.
    pub(super) fn by_ours(self) -> Self {
        Self { ours: true, ..self }
    }

    /// Whether any S3 endpoint can serve it.
    fn is_plain(&self) -> bool {
        self.arguments.is_empty() && !self.open && !self.ours
    }

    fn with(mut self, words: &[&str]) -> Self {
        self.arguments.extend(words.iter().map(|&word| word.to_owned()));
        self
    }
}

/// A running endpoint; it ends when this is dropped, or with xtask.
pub(super) struct Storage {
    process: Process,
    /// Such as `http://127.0.0.1:40123`.
    pub(super) address: String,
}

enum Process {
    Ours(Child),
    Ceph(Ceph),
}

impl Bench<'_> {
    /// Starts an endpoint; returns when everything is in it.
    pub(super) fn storage(&self, served: &Served) -> Result<Storage> {
        if self.ceph.is_none() || !served.is_plain() {
            return Storage::start(&self.programs, served);
        }
        let hint = "`--endpoint ours` does without Ceph";
        let ceph = Ceph::start().map_err(|error| format!("{error}: {hint}"))?;
        ceph.put(self.place, &self.peers, &served.paths)?;
        let address = ceph.address.clone();
        Ok(Storage { process: Process::Ceph(ceph), address })
    }
}

impl Storage {
    fn start(programs: &Programs, served: &Served) -> Result<Self> {
        let mut command = programs.bench("serve");
        let key = if served.open { "-" } else { KEY };
        command.args([key, SECRET]).args(&served.arguments);
        for path in &served.paths {
            command.args(["--put", path]);
        }
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("`{}`: {error}", shell::line(&command)))?;
        let mut address = String::new();
        if let Some(said) = process.stdout.take() {
            BufReader::new(said).read_line(&mut address).map_err(|error| error.to_string())?;
        }
        let process = Process::Ours(process);
        let storage = Self { process, address: address.trim_end().to_owned() };
        if storage.address.is_empty() {
            return Err(format!("`{}` did not start", shell::line(&command)));
        }
        Ok(storage)
    }

    /// Seconds of CPU so far.
    pub(super) fn cpu_seconds(&self) -> f64 {
        processes::family_seconds(match &self.process {
            Process::Ours(server) => server.id(),
            Process::Ceph(ceph) => ceph.keeper(),
        })
    }

    /// What a client must know, in the variables that all AWS tools read.
    pub(super) fn tell(&self, command: &mut Command) {
        tell(&self.address, command);
    }
}

/// The same, for an endpoint of which the address is known.
pub(super) fn tell(address: &str, command: &mut Command) {
    command
        .env("AWS_ENDPOINT_URL", address)
        .env("AWS_ACCESS_KEY_ID", KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env("AWS_REGION", REGION)
        .env("AWS_EC2_METADATA_DISABLED", "true");
}

impl Drop for Storage {
    fn drop(&mut self) {
        // It ends with its standard input, at the latest with this process.
        if let Process::Ours(server) = &mut self.process {
            drop(server.stdin.take());
            let _ = server.wait();
        }
    }
}

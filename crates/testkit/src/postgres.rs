//! A Postgres of one's own: real server programs, a temporary data folder, a
//! free port, a fresh database for every test.
//!
//! [`PostgresServer::shared`] is started at its first use, once a test
//! process; [`PostgresServer::start_new`] makes one that a test may stop,
//! kill and start again without disturbing its neighbours. Everything here
//! blocks, unless it says `async`, and may be called inside and outside of an
//! async runtime.
//!
//! Invariant: neither the server nor its folder outlives the test process,
//! however that ends; a supervisor shell that reads a pipe from the test
//! process sees to it.
//!
//! Over TCP the superuser `decant` needs its password (SCRAM), over the
//! socket nobody does. `fsync` is off: a killed server loses nothing, a
//! machine without power would. `synchronous_commit` stays on, because
//! without it a killed server forgets what it has just acknowledged.

mod held;
mod owner;
mod programs;
mod query;
mod supervisor;
mod tls;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

pub use held::HeldTransaction;
use owner::Owner;
use programs::Programs;
pub use query::Rows;
use supervisor::Supervisor;

/// The superuser of every server.
pub const USER: &str = "decant";

/// The password that [`USER`] needs over TCP.
pub const PASSWORD: &str = "open-sesame";

const SETTINGS: &str = "
listen_addresses = '127.0.0.1'
max_connections = 200
fsync = off
full_page_writes = off
dynamic_shared_memory_type = mmap
timezone = 'UTC'
";

/// How a server of one's own differs from the shared one.
#[derive(Clone, Debug, Default)]
pub struct PostgresOptions {
    /// Whether it offers TLS, with a certificate for `localhost` and
    /// `127.0.0.1` signed by the authority in [`PostgresServer::ca_file`].
    pub tls: bool,
    /// Further lines of `postgresql.conf`.
    pub settings: String,
}

/// A running (or stopped) server. Clones are handles onto the same one; it
/// ends with the last of them.
#[derive(Clone)]
pub struct PostgresServer {
    supervisor: Arc<Supervisor>,
    ca_file: Option<PathBuf>,
}

impl PostgresServer {
    /// The server of this test process. It is never to be stopped.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<PostgresServer> = OnceLock::new();
        SHARED.get_or_init(Self::start_new)
    }

    /// A server for one test, to be stopped and killed at will.
    pub fn start_new() -> Self {
        Self::start_with(&PostgresOptions::default())
    }

    /// A server that offers TLS.
    pub fn start_with_tls() -> Self {
        Self::start_with(&PostgresOptions { tls: true, ..PostgresOptions::default() })
    }

    /// A server for one test, as `options` say.
    pub fn start_with(options: &PostgresOptions) -> Self {
        let programs = Programs::find();
        let folder = tempfile::Builder::new()
            .prefix("decant-postgres-")
            .tempdir()
            .expect("a temporary folder for Postgres");
        let owner = Owner::of(folder.path());
        initialise(&programs, &owner, folder.path(), options);
        let ca_file = options.tls.then(|| tls::issue(&owner, folder.path()));
        let supervisor = Supervisor::start(&programs, &owner, folder);
        Self { supervisor: Arc::new(supervisor), ca_file }
    }

    /// A fresh, empty database.
    pub fn database(&self) -> TestDatabase {
        static NUMBER: AtomicU64 = AtomicU64::new(1);
        let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        self.psql(&format!("CREATE DATABASE {name} TEMPLATE template0"));
        TestDatabase { url: self.url(&name), name, server: self.clone() }
    }

    /// The port on 127.0.0.1. It stays the same over restarts.
    pub fn port(&self) -> u16 {
        self.supervisor.port()
    }

    /// The URL of a database over TCP, with user and password.
    pub fn url(&self, database: &str) -> String {
        format!("postgresql://{USER}:{PASSWORD}@127.0.0.1:{}/{database}", self.port())
    }

    /// The URL of a database over the Unix socket, without a password.
    pub fn socket_url(&self, database: &str) -> String {
        let folder = self.socket_folder().display().to_string().replace('/', "%2F");
        format!("postgresql://{USER}@{folder}:{}/{database}", self.port())
    }

    /// The folder of the Unix socket.
    pub fn socket_folder(&self) -> &Path {
        self.supervisor.folder()
    }

    /// The certificate of the authority that signed the server's own, where
    /// the server offers TLS.
    pub fn ca_file(&self) -> Option<&Path> {
        self.ca_file.as_deref()
    }

    /// What the server has logged so far.
    pub fn log(&self) -> String {
        self.supervisor.log()
    }

    /// Ends all connections and shuts the server down; returns when it is
    /// down.
    pub fn stop(&self) {
        self.supervisor.stop();
    }

    /// Kills the server and all of its processes with SIGKILL, as a crash
    /// would; returns when they are gone.
    pub fn kill(&self) {
        self.supervisor.kill();
    }

    /// Starts a server that was stopped or killed, on the port it had;
    /// returns when it answers (after recovery, if it was killed).
    pub fn start(&self) {
        self.supervisor.start_again();
    }

    /// Runs SQL in the database `postgres`; see [`TestDatabase::psql`].
    pub fn psql(&self, sql: &str) -> String {
        query::lines(&query::blocking(&self.url("postgres"), sql))
    }
}

/// A database of one test's own. It is dropped, whoever is still connected,
/// when this is.
pub struct TestDatabase {
    /// Its URL over TCP, with user and password.
    pub url: String,
    /// Its name.
    pub name: String,
    server: PostgresServer,
}

impl TestDatabase {
    /// The server that it is in.
    pub fn server(&self) -> &PostgresServer {
        &self.server
    }

    /// Runs SQL (any number of statements) and answers the rows of all of
    /// them as `psql -At` prints them: a line a row, `|` between values,
    /// nothing for NULL. Panics where the server answers with an error.
    pub fn psql(&self, sql: &str) -> String {
        query::lines(&self.rows(sql))
    }

    /// The same rows as they came, NULL as `None`.
    pub fn rows(&self, sql: &str) -> Rows {
        query::blocking(&self.url, sql)
    }

    /// The same without blocking the runtime that it is called in.
    pub async fn query(&self, sql: &str) -> Rows {
        query::run(&self.url, sql).await.unwrap_or_else(|error| query::fail(sql, &error))
    }

    /// Runs SQL in a transaction that stays open, and so do its locks.
    pub fn hold(&self, sql: &str) -> HeldTransaction {
        HeldTransaction::begin(&self.url, sql)
    }

    /// Runs SQL that must fail and answers the SQLSTATE and the message.
    pub fn refuses(&self, sql: &str) -> (String, String) {
        query::refused(&self.url, sql)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        query::blocking_if_possible(&self.server.url("postgres"), &sql);
    }
}

fn initialise(programs: &Programs, owner: &Owner, folder: &Path, options: &PostgresOptions) {
    let password_file = folder.join("password");
    std::fs::write(&password_file, PASSWORD).expect("the password file");
    owner.take(&password_file);
    owner.run(
        owner
            .command(programs.path("initdb"), folder)
            .args(["--username", USER, "--encoding", "UTF8", "--no-locale", "--no-sync"])
            .args(["--auth-local", "trust", "--auth-host", "scram-sha-256"])
            .arg("--pwfile")
            .arg(&password_file)
            .arg("--pgdata")
            .arg(folder.join("data")),
    );
    let mut settings = format!("{SETTINGS}\n{}\n", options.settings);
    if options.tls {
        settings.push_str(tls::SETTINGS);
    }
    append(&folder.join("data/postgresql.conf"), &settings);
}

fn append(path: &Path, text: &str) {
    use std::io::Write as _;
    let mut file = std::fs::OpenOptions::new().append(true).open(path).expect("postgresql.conf");
    file.write_all(text.as_bytes()).expect("postgresql.conf is written");
}

#[cfg(test)]
mod tests;

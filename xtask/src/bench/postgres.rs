//! A Postgres of the benchmarks' own: Debian's programs, a folder that goes
//! with it, a free port, an unprivileged user.
//!
//! Its settings keep the machine's disk out of the figures: nothing is synced,
//! and no checkpoint or vacuum begins in the middle of a load. Tables are
//! logged as they always are.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use super::processes;
use crate::place::Place;
use crate::{Result, debian, shell};

/// The database that every contender loads into.
const DATABASE: &str = "bench";
const USER: &str = "bench";

/// Never asked for, but there are clients that do not go without.
const PASSWORD: &str = "bench";
const SETTINGS: &str = "
listen_addresses = '127.0.0.1'
max_connections = 100
shared_buffers = '1GB'
fsync = off
full_page_writes = off
autovacuum = off
checkpoint_timeout = '1h'
max_wal_size = '16GB'
min_wal_size = '1GB'
dynamic_shared_memory_type = mmap
timezone = 'UTC'
";

/// Keeps the server and outlives xtask by a moment: when its standard input
/// ends, by whatever means, the server ends and the folder goes.
const KEEPER: &str = r#"
trap '' HUP INT TERM
"$1" -D "$2/data" -k "$2" -p "$3" >>"$2/log" 2>&1 </dev/null &
server=$!
echo "$server"
read -r _
kill -QUIT "$server"
wait "$server"
cd /
rm -rf "$2"
"#;

const TRIES: u32 = 600;
const PAUSE: Duration = Duration::from_millis(100);

/// A running server; it ends when this is dropped, or with xtask.
pub(super) struct Postgres {
    keeper: Child,
    server: u32,
    programs: PathBuf,
    port: u16,
}

impl Postgres {
    /// Makes a cluster and starts it; returns when it answers.
    pub(super) fn start(place: &Place) -> Result<Self> {
        debian::install(place, &[debian::POSTGRES])?;
        let programs = debian::postgres_programs().ok_or("there is no PostgreSQL server")?;
        let folder = std::env::temp_dir().join(format!("decant-bench-{}", std::process::id()));
        super::make_folder(&folder)?;
        let owner = Owner::of(&folder)?;
        shell::read(
            owner
                .command(&programs.join("initdb"), &folder)
                .args(["--username", USER, "--auth", "trust", "--encoding", "UTF8"])
                .args(["--no-locale", "--no-sync", "--pgdata"])
                .arg(folder.join("data")),
        )?;
        append(&folder.join("data/postgresql.conf"), SETTINGS)?;
        let port = super::free_port()?;
        let mut keeper = owner
            .command(Path::new("/bin/sh"), &folder)
            .args(["-c", KEEPER, "keeper"])
            .arg(programs.join("postgres"))
            .arg(&folder)
            .arg(port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("/bin/sh: {error}"))?;
        let server = first_line(&mut keeper)?;
        let server = server.parse().map_err(|_| "Postgres was not started".to_owned())?;
        let started = Self { keeper, server, programs, port };
        started.await_answer()?;
        Ok(started)
    }

    fn await_answer(&self) -> Result<()> {
        for _ in 0..TRIES {
            let mut command = Command::new(self.programs.join("psql"));
            command.arg(self.url_of("postgres")).args(["-c", "SELECT 1"]);
            if shell::succeeds(&mut command) {
                return Ok(());
            }
            thread::sleep(PAUSE);
        }
        Err("Postgres does not answer".to_owned())
    }

    /// The URL of the database that is loaded into.
    pub(super) fn url(&self) -> String {
        self.url_of(DATABASE)
    }

    fn url_of(&self, database: &str) -> String {
        format!("postgresql://{USER}:{PASSWORD}@127.0.0.1:{}/{database}", self.port)
    }

    /// A program of Postgres, connected to the database.
    pub(super) fn client(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.arg(self.url());
        command
    }

    /// Runs SQL and answers its rows, a line each, with `|` between values.
    pub(super) fn query(&self, sql: &str) -> Result<String> {
        let mut command = self.client("psql");
        command.args(["-AtqX", "-v", "ON_ERROR_STOP=1", "-c", sql]);
        shell::read(&mut command).map(|rows| rows.trim_end().to_owned())
    }

    /// Makes the database anew, empty, with nothing left to be written.
    pub(super) fn renew(&self) -> Result<()> {
        let statements = [
            format!("DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)"),
            format!("CREATE DATABASE {DATABASE}"),
            "CHECKPOINT".to_owned(),
        ];
        statements.iter().try_for_each(|sql| {
            let mut command = Command::new(self.programs.join("psql"));
            command.arg(self.url_of("postgres")).args(["-qX", "-v", "ON_ERROR_STOP=1", "-c", sql]);
            shell::read(&mut command).map(drop)
        })
    }

    /// The same, with the tables that a file of SQL makes.
    pub(super) fn renew_with(&self, schema: &Path) -> Result<()> {
        self.renew()?;
        let mut command = self.client("psql");
        command.args(["-qX", "-v", "ON_ERROR_STOP=1", "-f"]).arg(schema);
        shell::read(&mut command).map(drop)
    }

    /// Seconds of CPU of the server and its backends so far.
    pub(super) fn cpu_seconds(&self) -> f64 {
        processes::family_seconds(self.server)
    }

    /// What the server says of its version.
    pub(super) fn version(&self) -> String {
        super::programs::said_by(self.programs.join("postgres"), &["--version"])
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// Who runs the server: Postgres refuses to be run by root.
struct Owner(Option<(u32, u32)>);

impl Owner {
    /// Oneself, or for root somebody who is given the folder.
    fn of(folder: &Path) -> Result<Self> {
        let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
        if fs::metadata(folder).map_err(failed)?.uid() != 0 {
            return Ok(Self(None));
        }
        let ids = unprivileged().ok_or("there is no user `postgres` or `nobody`")?;
        chown(folder, Some(ids.0), Some(ids.1)).map_err(failed)?;
        Ok(Self(Some(ids)))
    }

    fn command(&self, program: &Path, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(folder).env("LC_ALL", "C").stdin(Stdio::null());
        if let Some((user, group)) = self.0 {
            command.uid(user).gid(group);
        }
        command
    }
}

fn unprivileged() -> Option<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd").ok()?;
    ["postgres", "nobody"].iter().find_map(|name| ids_of(&users, name))
}

fn ids_of(users: &str, name: &str) -> Option<(u32, u32)> {
    users.lines().find_map(|line| match line.split(':').collect::<Vec<_>>()[..] {
        [user, _, id, group, ..] if user == name => Some((id.parse().ok()?, group.parse().ok()?)),
        _ => None,
    })
}

fn append(path: &Path, text: &str) -> Result<()> {
    let file = fs::OpenOptions::new().append(true).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| format!("{}: {error}", path.display()))
}

fn first_line(keeper: &mut Child) -> Result<String> {
    let mut line = String::new();
    if let Some(said) = keeper.stdout.take() {
        BufReader::new(said).read_line(&mut line).map_err(|error| error.to_string())?;
    }
    Ok(line.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_of_ones_own_answers_is_renewed_and_ends() {
        let postgres = Postgres::start(&Place::find().unwrap()).unwrap();
        postgres.renew().unwrap();
        postgres.query("CREATE TABLE t AS SELECT 1 AS a, 'x' AS b").unwrap();
        assert_eq!(postgres.query("SELECT * FROM t").unwrap(), "1|x");
        postgres.renew().unwrap();
        assert!(postgres.query("SELECT * FROM t").is_err());
        assert!(postgres.cpu_seconds() > 0.0);
        let server = format!("/proc/{}", postgres.server);
        assert!(Path::new(&server).exists());
        drop(postgres);
        assert!(!Path::new(&server).exists());
    }

    #[test]
    fn users_are_found_by_their_whole_name() {
        let users = "postgres2:x:1:2::/:/bin/sh\npostgres:x:105:113::/:/bin/sh\n";
        assert_eq!(ids_of(users, "postgres"), Some((105, 113)));
        assert_eq!(ids_of(users, "nobody"), None);
    }
}

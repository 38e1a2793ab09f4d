//! The shell that keeps the server and outlives the test process by a moment.
//!
//! It takes orders, a line each, from a pipe that only the test process
//! holds. When that ends, by whatever means, the kernel closes the pipe; the
//! shell reads the end of its orders, kills the server and removes the
//! folder. No signal handler, exit hook or destructor has to run for it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::owner::Owner;
use super::programs::Programs;
use super::query;

/// `$1` is the `postgres` program, `$2` the folder. Every order is answered
/// by one line.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
while read -r order rest; do
    case $order in
    start)
        "$1" -D "$2/data" -k "$2" -p "$rest" >>"$2/log" 2>&1 </dev/null &
        server=$!
        echo "$server" ;;
    stop)
        kill -INT "$server"
        wait "$server"
        echo stopped ;;
    kill)
        kill -KILL "$server" $rest
        wait "$server"
        echo killed ;;
    esac
done
if [ -n "$server" ]; then
    kill -QUIT "$server"
    wait "$server"
fi
cd /
rm -rf "$2"
"#;

const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(10);

/// Ports below the range from which systems take those of outgoing
/// connections, so that nobody takes a port between a stop and a start.
const PORTS: std::ops::Range<u16> = 20_000..30_000;

/// The handle onto the shell.
pub(super) struct Supervisor {
    folder: PathBuf,
    orders: Mutex<Orders>,
}

struct Orders {
    shell: Child,
    to_shell: Option<ChildStdin>,
    from_shell: BufReader<ChildStdout>,
    server: Option<u32>,
    port: u16,
}

impl Supervisor {
    /// Starts the shell and, on a free port, the server; returns when the
    /// server answers. From here on the folder is the shell's to remove.
    pub(super) fn start(programs: &Programs, owner: &Owner, folder: TempDir) -> Self {
        let mut shell = owner
            .command("/bin/sh", folder.path())
            .args(["-c", SCRIPT, "supervisor"])
            .arg(programs.path("postgres"))
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("/bin/sh");
        let folder = folder.keep();
        let orders = Orders {
            to_shell: shell.stdin.take(),
            from_shell: BufReader::new(shell.stdout.take().expect("the shell's answers")),
            shell,
            server: None,
            port: 0,
        };
        let supervisor = Self { folder, orders: Mutex::new(orders) };
        supervisor.start_somewhere();
        supervisor
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn port(&self) -> u16 {
        self.orders().port
    }

    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    pub(super) fn stop(&self) {
        let mut orders = self.orders();
        if orders.server.take().is_some() {
            orders.give("stop");
        }
    }

    pub(super) fn kill(&self) {
        let mut orders = self.orders();
        if let Some(server) = orders.server.take() {
            let children = children_of(server);
            let ids: Vec<String> = children.iter().map(u32::to_string).collect();
            orders.give(&format!("kill {}", ids.join(" ")));
            wait_until("the killed server's processes are gone", || {
                !children.iter().any(|child| is_alive(*child))
            });
        }
    }

    pub(super) fn start_again(&self) {
        let mut orders = self.orders();
        if orders.server.is_none() {
            let deadline = Instant::now() + PATIENCE;
            while !orders.try_start() {
                self.give_up_after(deadline);
                std::thread::sleep(POLL);
            }
        }
    }

    fn start_somewhere(&self) {
        let mut orders = self.orders();
        let deadline = Instant::now() + PATIENCE;
        loop {
            orders.port = free_port();
            if orders.try_start() {
                return;
            }
            self.give_up_after(deadline);
        }
    }

    fn give_up_after(&self, deadline: Instant) {
        assert!(Instant::now() < deadline, "Postgres does not start:\n{}", self.log());
    }

    fn orders(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Orders {
    fn give(&mut self, order: &str) -> String {
        let pipe = self.to_shell.as_mut().expect("the shell takes orders until the end");
        writeln!(pipe, "{order}").expect("the supervisor shell is alive");
        let mut answer = String::new();
        self.from_shell.read_line(&mut answer).expect("the supervisor shell answers");
        answer.trim_end().to_owned()
    }

    /// Whether the server came up; if it ended instead (the port was taken,
    /// the processes of a killed one are still there), it may be tried again.
    fn try_start(&mut self) -> bool {
        let answer = self.give(&format!("start {}", self.port));
        let server = answer.parse().expect("the server's process id");
        let url = format!(
            "postgresql://{}:{}@127.0.0.1:{}/postgres",
            super::USER,
            super::PASSWORD,
            self.port
        );
        let mut is_up = false;
        wait_until("Postgres answers or ends", || {
            is_up = query::answers(&url);
            is_up || !is_alive(server)
        });
        // Somebody else's server on this port would answer too, and refuse
        // the password or, if it is a sibling's, outlive ours.
        let started = is_up && is_alive(server);
        self.server = started.then_some(server);
        started
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        let orders = self.orders.get_mut().unwrap_or_else(PoisonError::into_inner);
        drop(orders.to_shell.take());
        let _ = orders.shell.wait();
    }
}

fn free_port() -> u16 {
    use std::hash::{BuildHasher as _, RandomState};
    (0u32..)
        .map(|attempt| {
            let random = RandomState::new().hash_one(attempt);
            PORTS.start + (random % PORTS.len() as u64) as u16
        })
        .take(1_000)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a free port on 127.0.0.1")
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::sleep(POLL);
    }
}

/// State letter and parent of a process, from `/proc`; `None` where there is
/// no such process.
fn process(id: u32) -> Option<(char, u32)> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, behind_name) = stat.rsplit_once(')')?;
    let mut fields = behind_name.split_ascii_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

fn is_alive(id: u32) -> bool {
    process(id).is_some_and(|(state, _)| !matches!(state, 'Z' | 'X'))
}

fn children_of(parent: u32) -> Vec<u32> {
    std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|id| process(*id).is_some_and(|(_, its_parent)| its_parent == parent))
        .collect()
}

//! Who runs the server. Postgres refuses to run as root, so for root it is
//! somebody else.

use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

/// A user and group to become, or `None` for oneself.
pub(super) struct Owner {
    become_ids: Option<(u32, u32)>,
}

impl Owner {
    /// The owner for the server in `folder`, which was just created by this
    /// process: oneself, or for root `postgres` or `nobody`, to whom the
    /// folder is given.
    pub(super) fn of(folder: &Path) -> Self {
        let is_root = std::fs::metadata(folder).expect("the server's folder").uid() == 0;
        let owner = Self { become_ids: is_root.then(unprivileged) };
        owner.take(folder);
        owner
    }

    /// Gives a file or folder to the owner.
    pub(super) fn take(&self, path: &Path) {
        if let Some((user, group)) = self.become_ids {
            chown(path, Some(user), Some(group)).expect("root can give files away");
        }
    }

    /// A command that runs as the owner, in `folder`.
    pub(super) fn command(&self, program: impl AsRef<std::ffi::OsStr>, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(folder).env("LC_ALL", "C");
        if let Some((user, group)) = self.become_ids {
            command.uid(user).gid(group);
        }
        command
    }

    /// Runs a command to its end, which must be a good one.
    pub(super) fn run(&self, command: &mut Command) {
        let program = command.get_program().to_string_lossy().into_owned();
        let output = command
            .output()
            .unwrap_or_else(|error| panic!("`{program}`: {error}: run `cargo xtask setup`"));
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "`{program}` failed: {complaint}");
    }
}

fn unprivileged() -> (u32, u32) {
    let users = std::fs::read_to_string("/etc/passwd").expect("/etc/passwd");
    ["postgres", "nobody"]
        .iter()
        .find_map(|name| ids_of(&users, name))
        .expect("a user `postgres` or `nobody` in /etc/passwd")
}

fn ids_of(users: &str, name: &str) -> Option<(u32, u32)> {
    users.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        match fields.as_slice() {
            [user, _, uid, gid, ..] if *user == name => {
                Some((uid.parse().ok()?, gid.parse().ok()?))
            }
            _ => None,
        }
    })
}

//! libpq's password file (`~/.pgpass`): lines of
//! `host:port:database:user:password`, where `*` stands for anything and a
//! backslash escapes `:` and `\`.
//!
//! As libpq does, a file that others may read is passed over with a warning.

use std::path::Path;

use decant_core::secret::Secret;

use super::url::{Host, HostName};

/// Directories whose sockets are called `localhost` in a password file.
const DEFAULT_SOCKET_DIRECTORIES: &[&str] = &["/var/run/postgresql", "/tmp"];

/// The password for this server, if the file has one. A file that is not
/// there has none.
pub(crate) fn find(path: &Path, host: &Host, database: &str, user: &str) -> Option<Secret> {
    if !is_private(path) {
        return None;
    }
    let text = std::fs::read_to_string(path).ok()?;
    let port = host.port.to_string();
    let wanted = [host_in_file(host), port, database.to_owned(), user.to_owned()];
    text.lines().find_map(|line| password_of(line, &wanted))
}

fn host_in_file(host: &Host) -> String {
    match &host.name {
        HostName::Network(name) => name.clone(),
        HostName::Socket(directory) => {
            let directory = directory.display().to_string();
            if DEFAULT_SOCKET_DIRECTORIES.contains(&directory.as_str()) {
                "localhost".to_owned()
            } else {
                directory
            }
        }
    }
}

fn is_private(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    let Ok(metadata) = std::fs::metadata(path) else { return false };
    if !metadata.is_file() {
        tracing::warn!("the password file {} is not a plain file: ignored", path.display());
        return false;
    }
    let private = metadata.permissions().mode() & 0o077 == 0;
    if !private {
        tracing::warn!(
            "the password file {} can be read by others: ignored; chmod 0600 makes it usable",
            path.display()
        );
    }
    private
}

fn password_of(line: &str, wanted: &[String; 4]) -> Option<Secret> {
    if line.starts_with('#') {
        return None;
    }
    let mut rest = line;
    for value in wanted {
        let (field, behind) = split_field(rest)?;
        if field != "*" && unescape(field) != *value {
            return None;
        }
        rest = behind;
    }
    // The password ends at an unescaped `:`, so that fields may be added.
    let password = split_field(rest).map_or(rest, |(field, _)| field);
    (!password.is_empty()).then(|| Secret::new(unescape(password)))
}

/// What stands before the first `:` that is not escaped, and what behind.
fn split_field(text: &str) -> Option<(&str, &str)> {
    let mut escaped = false;
    for (position, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b':' => return Some((&text[..position], &text[position + 1..])),
            _ => {}
        }
    }
    None
}

fn unescape(field: &str) -> String {
    let mut plain = String::with_capacity(field.len());
    let mut letters = field.chars();
    while let Some(letter) = letters.next() {
        plain.push(if letter == '\\' { letters.next().unwrap_or('\\') } else { letter });
    }
    plain
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::PathBuf;

    use super::*;

    fn host(name: &str) -> Host {
        Host { name: HostName::Network(name.into()), port: 5432 }
    }

    fn file(directory: &Path, text: &str, mode: u32) -> PathBuf {
        let path = directory.join("pgpass");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn the_first_line_that_matches_gives_the_password() {
        let directory = tempfile::tempdir().unwrap();
        let text = "# h:5432:d:u:comment\n\
                    h:5433:d:u:other port\n\
                    h:5432:d:u\\:x:colon\n\
                    h:*:d:u:p\\:w\\\\:rest\n\
                    *:*:*:*:any\n";
        let path = file(directory.path(), text, 0o600);
        let found = |name, database, user| find(&path, &host(name), database, user);
        assert_eq!(found("h", "d", "u"), Some(Secret::new("p:w\\")));
        assert_eq!(found("h", "d", "u:x"), Some(Secret::new("colon")));
        assert_eq!(found("h", "e", "u"), Some(Secret::new("any")));
    }

    #[test]
    fn default_sockets_are_called_localhost() {
        let directory = tempfile::tempdir().unwrap();
        let path = file(directory.path(), "localhost:5432:d:u:p\n/run/x:5432:d:u:q\n", 0o600);
        let socket = |path: &str| Host { name: HostName::Socket(path.into()), port: 5432 };
        assert_eq!(find(&path, &socket("/tmp"), "d", "u"), Some(Secret::new("p")));
        assert_eq!(find(&path, &socket("/run/x"), "d", "u"), Some(Secret::new("q")));
        assert_eq!(find(&path, &socket("/run/y"), "d", "u"), None);
    }

    #[test]
    fn a_file_that_others_can_read_is_passed_over() {
        let directory = tempfile::tempdir().unwrap();
        for mode in [0o640, 0o604, 0o660] {
            let path = file(directory.path(), "*:*:*:*:p\n", mode);
            assert_eq!(find(&path, &host("h"), "d", "u"), None, "{mode:o}");
        }
        assert_eq!(find(Path::new("/nowhere/pgpass"), &host("h"), "d", "u"), None);
    }
}

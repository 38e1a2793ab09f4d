//! What a Postgres URL and libpq's environment variables mean.
//!
//! libpq's rules, from its manual ("Connection URIs" and "Parameter Key
//! Words"): what the URL says wins, then the environment, then the defaults.
//! Nothing is opened here. Messages never quote the part of a URL that may
//! hold a password.

use std::path::PathBuf;
use std::time::Duration;

use decant_core::error::{Error, ErrorKind, Result};
use decant_core::secret::Secret;
use percent_encoding::percent_decode_str;

use super::tls::{RootCertificates, SslMode};

const DEFAULT_PORT: u16 = 5432;
const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const SOCKET_DIRECTORIES: &[&str] = &["/var/run/postgresql", "/tmp"];

/// Parameters of libpq that change nothing here.
const IGNORED: &[&str] = &[
    "client_encoding",
    "fallback_application_name",
    "gssencmode",
    "krbsrvname",
    "sslcompression",
    "sslsni",
];

/// Looks up an environment variable; an argument so that tests need not
/// change the process.
pub(crate) type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Where and how to connect.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    /// Tried in this order.
    pub(crate) hosts: Vec<Host>,
    pub(crate) user: String,
    pub(crate) database: String,
    /// As given; the password file is asked only when this is `None`.
    pub(crate) password: Option<Secret>,
    pub(crate) password_file: Option<PathBuf>,
    /// As given; the default depends on the host.
    pub(crate) ssl_mode: Option<SslMode>,
    pub(crate) root_certificates: RootCertificates,
    /// The client's certificate and key.
    pub(crate) client_certificate: Option<(PathBuf, PathBuf)>,
    pub(crate) application_name: String,
    /// `None` is for ever.
    pub(crate) connect_timeout: Option<Duration>,
    /// Settings for the session, as `-c name=value`.
    pub(crate) options: Option<String>,
    pub(crate) session: SessionAttributes,
    /// Whether authentication must be bound to the TLS channel.
    pub(crate) channel_binding: ChannelBinding,
}

/// One server of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    pub(crate) name: HostName,
    pub(crate) port: u16,
}

/// What a host is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HostName {
    /// A name or an IP address.
    Network(String),
    /// The directory of a Unix socket.
    Socket(PathBuf),
}

/// Which servers of the list will do (`target_session_attrs`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum SessionAttributes {
    #[default]
    Any,
    ReadWrite,
    ReadOnly,
    Primary,
    Standby,
}

/// `channel_binding`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ChannelBinding {
    Disable,
    #[default]
    Prefer,
    Require,
}

impl Host {
    fn new(name: &str, port: u16) -> Self {
        let name = if name.starts_with('/') {
            HostName::Socket(PathBuf::from(name))
        } else {
            HostName::Network(name.to_owned())
        };
        Self { name, port }
    }

    /// Whether nothing that is sent to it leaves the machine.
    pub(crate) fn is_local(&self) -> bool {
        match &self.name {
            HostName::Socket(_) => true,
            HostName::Network(name) => {
                name.eq_ignore_ascii_case("localhost")
                    || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
            }
        }
    }

    /// `host:port`, or the path of the socket, for messages.
    pub(crate) fn shown(&self) -> String {
        match &self.name {
            HostName::Network(name) if name.contains(':') => format!("[{name}]:{}", self.port),
            HostName::Network(name) => format!("{name}:{}", self.port),
            HostName::Socket(directory) => {
                directory.join(format!(".s.PGSQL.{}", self.port)).display().to_string()
            }
        }
    }
}

impl Address {
    /// Reads `postgresql://[user[:password]@][host[:port],...][/database][?name=value&...]`.
    pub(crate) fn parse(url: &str, environment: Environment<'_>) -> Result<Self> {
        let given = Given::parse(url, environment)?;
        let user = match given.get(&["user"], "PGUSER") {
            Some(user) => user,
            None => operating_system_user()?,
        };
        let database = given.get(&["dbname"], "PGDATABASE").unwrap_or_else(|| user.clone());
        let home = environment("HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
        Ok(Self {
            hosts: given.hosts()?,
            user,
            database,
            password: given.get(&["password"], "PGPASSWORD").map(Secret::new),
            password_file: given
                .get(&["passfile"], "PGPASSFILE")
                .map(PathBuf::from)
                .or_else(|| home.as_ref().map(|home| home.join(".pgpass"))),
            ssl_mode: given.ssl_mode()?,
            root_certificates: given.root_certificates(home.as_deref())?,
            client_certificate: given.client_certificate(home.as_deref())?,
            application_name: given
                .get(&["application_name"], "PGAPPNAME")
                .unwrap_or_else(|| "decant".to_owned()),
            connect_timeout: given.connect_timeout()?,
            options: given.get(&["options"], "PGOPTIONS"),
            session: given.session_attributes()?,
            channel_binding: given.channel_binding()?,
        })
    }
}

/// What was typed, decoded but not yet understood.
struct Given<'a> {
    parameters: Vec<(String, String)>,
    environment: Environment<'a>,
}

impl<'a> Given<'a> {
    fn parse(url: &str, environment: Environment<'a>) -> Result<Self> {
        let (_, rest) = url
            .split_once("://")
            .ok_or_else(|| invalid("the URL of a Postgres database begins with `postgresql://`"))?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (credentials, location) = split_credentials(path);
        let (hosts, database) = location.split_once('/').unwrap_or((location, ""));
        let mut parameters = Vec::new();
        let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
        let mut keep = |name: &str, value: String| {
            if !value.is_empty() {
                parameters.push((name.to_owned(), value));
            }
        };
        keep("user", decode(user)?);
        keep("password", decode(password)?);
        keep("dbname", decode(database)?);
        let (hosts, ports) = split_hosts(hosts)?;
        keep("host", hosts);
        keep("port", ports);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name)?;
            check_parameter(&name)?;
            keep(&name, decode(value)?);
        }
        Ok(Self { parameters, environment })
    }

    /// The last value given under one of `names`, else the variable's.
    fn get(&self, names: &[&str], variable: &str) -> Option<String> {
        let given = self.parameters.iter().rev().find(|(name, _)| names.contains(&name.as_str()));
        match given {
            Some((_, value)) => Some(value.clone()),
            None => (self.environment)(variable).filter(|value| !value.is_empty()),
        }
    }

    fn hosts(&self) -> Result<Vec<Host>> {
        let ports = self.get(&["port"], "PGPORT").unwrap_or_default();
        let ports = ports.split(',').map(parse_port).collect::<Result<Vec<u16>>>()?;
        let Some(hosts) = self.get(&["host"], "PGHOST") else {
            return Ok(vec![default_host(ports[0])]);
        };
        let hosts: Vec<&str> = hosts.split(',').collect();
        if ports.len() > 1 && ports.len() != hosts.len() {
            return Err(invalid(format!("{} hosts have {} ports", hosts.len(), ports.len())));
        }
        let port = |position: usize| if ports.len() > 1 { ports[position] } else { ports[0] };
        let host = |(position, name): (usize, &&str)| match *name {
            "" => default_host(port(position)),
            name => Host::new(name, port(position)),
        };
        Ok(hosts.iter().enumerate().map(host).collect())
    }

    fn ssl_mode(&self) -> Result<Option<SslMode>> {
        let Some(word) = self.get(&["sslmode", "ssl"], "PGSSLMODE") else { return Ok(None) };
        SslMode::parse(&word).map(Some).ok_or_else(|| {
            unknown_word(
                "sslmode",
                &word,
                "disable, allow, prefer, require, verify-ca, verify-full",
            )
        })
    }

    fn root_certificates(&self, home: Option<&std::path::Path>) -> Result<RootCertificates> {
        let given = self.get(&["sslrootcert"], "PGSSLROOTCERT");
        let mode = self.ssl_mode()?;
        match given.as_deref() {
            Some("system") if mode.is_some_and(|mode| mode != SslMode::VerifyFull) => {
                Err(invalid("sslrootcert=system goes with sslmode=verify-full only"))
            }
            Some("system") => Ok(RootCertificates::System { asked_for: true }),
            Some(path) => Ok(RootCertificates::File(PathBuf::from(path))),
            None => Ok(existing(home, "root.crt")
                .map_or(RootCertificates::System { asked_for: false }, RootCertificates::File)),
        }
    }

    fn client_certificate(
        &self,
        home: Option<&std::path::Path>,
    ) -> Result<Option<(PathBuf, PathBuf)>> {
        let part = |name, variable, file| {
            self.get(&[name], variable).map(PathBuf::from).or_else(|| existing(home, file))
        };
        let certificate = part("sslcert", "PGSSLCERT", "postgresql.crt");
        let key = part("sslkey", "PGSSLKEY", "postgresql.key");
        match (certificate, key) {
            (Some(certificate), Some(key)) => Ok(Some((certificate, key))),
            (None, _) => Ok(None),
            (Some(_), None) => Err(invalid("sslcert is given without sslkey")),
        }
    }

    fn connect_timeout(&self) -> Result<Option<Duration>> {
        let Some(text) = self.get(&["connect_timeout"], "PGCONNECT_TIMEOUT") else {
            return Ok(Some(DEFAULT_CONNECT_TIMEOUT));
        };
        let seconds: u64 = text.parse().map_err(|_| {
            invalid(format!("connect_timeout is a number of seconds, `{text}` is not"))
        })?;
        Ok((seconds > 0).then(|| Duration::from_secs(seconds)))
    }

    fn session_attributes(&self) -> Result<SessionAttributes> {
        let word = self.get(&["target_session_attrs"], "PGTARGETSESSIONATTRS");
        match word.as_deref() {
            None | Some("any") => Ok(SessionAttributes::Any),
            Some("read-write") => Ok(SessionAttributes::ReadWrite),
            Some("read-only") => Ok(SessionAttributes::ReadOnly),
            Some("primary") => Ok(SessionAttributes::Primary),
            Some("standby" | "prefer-standby") => Ok(SessionAttributes::Standby),
            Some(word) => Err(unknown_word(
                "target_session_attrs",
                word,
                "any, read-write, read-only, primary, standby",
            )),
        }
    }

    fn channel_binding(&self) -> Result<ChannelBinding> {
        let word = self.get(&["channel_binding"], "PGCHANNELBINDING");
        match word.as_deref() {
            None | Some("prefer") => Ok(ChannelBinding::Prefer),
            Some("disable") => Ok(ChannelBinding::Disable),
            Some("require") => Ok(ChannelBinding::Require),
            Some(word) => Err(unknown_word("channel_binding", word, "disable, prefer, require")),
        }
    }
}

const KNOWN: &[&str] = &[
    "application_name",
    "channel_binding",
    "connect_timeout",
    "dbname",
    "host",
    "options",
    "passfile",
    "password",
    "port",
    "ssl",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "target_session_attrs",
    "user",
];

fn check_parameter(name: &str) -> Result<()> {
    if KNOWN.contains(&name) || IGNORED.contains(&name) || name.starts_with("keepalives") {
        return Ok(());
    }
    let known = KNOWN.iter().filter(|name| **name != "ssl").copied().collect::<Vec<_>>();
    Err(invalid(format!("a Postgres URL has no parameter `{name}`"))
        .with_hint(format!("it may have {}", known.join(", "))))
}

/// Splits at the `@` behind the credentials. A password may hold an
/// unescaped `@` or `/`: the last `@` counts.
fn split_credentials(path: &str) -> (&str, &str) {
    let authority_end = path.find('/').unwrap_or(path.len());
    let at = path[..authority_end]
        .rfind('@')
        .or_else(|| path.rfind('@').filter(|at| path[..*at].contains(':')));
    at.map_or(("", path), |at| (&path[..at], &path[at + 1..]))
}

/// The hosts and the ports of `host:port,[::1]:port,...`, as libpq's `host`
/// and `port` have them.
fn split_hosts(text: &str) -> Result<(String, String)> {
    let (mut hosts, mut ports) = (Vec::new(), Vec::new());
    for part in text.split(',') {
        let (host, port) = match part.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, port)) => (host, port.strip_prefix(':').unwrap_or("")),
            None => part.rsplit_once(':').unwrap_or((part, "")),
        };
        hosts.push(decode(host)?);
        ports.push(port);
    }
    let ports =
        if ports.iter().all(|port| port.is_empty()) { String::new() } else { ports.join(",") };
    Ok((hosts.join(","), ports))
}

/// A port, whose text is not shown: it may be the end of a password.
fn parse_port(text: &str) -> Result<u16> {
    if text.is_empty() {
        return Ok(DEFAULT_PORT);
    }
    text.parse().map_err(|_| {
        invalid("what stands behind the host's `:` is not a port")
            .with_hint("write `/`, `?`, `#`, `@` and `:` in a password as %2F, %3F, %23, %40, %3A")
    })
}

fn default_host(port: u16) -> Host {
    let socket = format!(".s.PGSQL.{port}");
    let directory = SOCKET_DIRECTORIES
        .iter()
        .find(|directory| std::path::Path::new(directory).join(&socket).exists());
    Host::new(directory.copied().unwrap_or("localhost"), port)
}

fn existing(home: Option<&std::path::Path>, file: &str) -> Option<PathBuf> {
    home.map(|home| home.join(".postgresql").join(file)).filter(|path| path.exists())
}

fn operating_system_user() -> Result<String> {
    whoami::username().map_err(|_| {
        invalid("the URL names no user, and the operating system does not either")
            .with_hint("write postgresql://USER@host/database, or set PGUSER")
    })
}

fn decode(text: &str) -> Result<String> {
    percent_decode_str(text)
        .decode_utf8()
        .map(Into::into)
        .map_err(|_| invalid("the URL's percent escapes are not UTF-8"))
}

fn unknown_word(parameter: &str, word: &str, known: &str) -> Error {
    invalid(format!("{parameter} cannot be `{word}`")).with_hint(format!("it is one of {known}"))
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidConfig, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_with(url: &str, variables: &[(&str, &str)]) -> Result<Address> {
        let environment = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        Address::parse(url, &environment)
    }

    fn parse(url: &str) -> Address {
        parse_with(url, &[]).unwrap()
    }

    fn hosts(url: &str) -> Vec<String> {
        parse(url).hosts.iter().map(Host::shown).collect()
    }

    #[test]
    fn every_part_is_decoded_once() {
        let address = parse("postgresql+psycopg2://us%40er:p%2Fw%25@db.example:5433/my%20db");
        assert_eq!(address.user, "us@er");
        assert_eq!(address.database, "my db");
        assert_eq!(address.password, Some(Secret::new("p/w%")));
        assert_eq!(address.hosts[0].shown(), "db.example:5433");
    }

    #[test]
    fn passwords_may_hold_what_should_have_been_escaped() {
        for (url, password) in [
            ("postgresql://u:p@ss@h/db", "p@ss"),
            ("postgresql://u:p/w@h/db", "p/w"),
            ("postgresql://u:p:w@h/db", "p:w"),
            ("postgresql://u:p#w@h/db", "p#w"),
        ] {
            let address = parse(url);
            assert_eq!(address.password, Some(Secret::new(password)), "{url}");
            assert_eq!(address.hosts[0].shown(), "h:5432", "{url}");
        }
    }

    #[test]
    fn hosts_are_lists_sockets_and_addresses() {
        assert_eq!(hosts("postgresql://u@a:1,b:2/d"), ["a:1", "b:2"]);
        assert_eq!(hosts("postgresql://u@a,b/d?port=7"), ["a:7", "b:7"]);
        assert_eq!(hosts("postgresql://u@[::1]:6/d"), ["[::1]:6"]);
        assert_eq!(hosts("postgresql://u@/d?host=/run/pg&port=9"), ["/run/pg/.s.PGSQL.9"]);
        assert_eq!(hosts("postgresql://u@%2Frun%2Fpg/d"), ["/run/pg/.s.PGSQL.5432"]);
        assert!(parse_with("postgresql://u@a:1,b:2,c/d?port=1,2", &[]).is_err());
    }

    #[test]
    fn the_environment_fills_what_the_url_leaves_open() {
        let variables = [
            ("PGHOST", "e"),
            ("PGPORT", "77"),
            ("PGUSER", "eu"),
            ("PGDATABASE", "ed"),
            ("PGPASSWORD", "ep"),
            ("PGSSLMODE", "require"),
            ("PGCONNECT_TIMEOUT", "3"),
        ];
        let address = parse_with("postgresql://", &variables).unwrap();
        assert_eq!(address.hosts[0].shown(), "e:77");
        assert_eq!((address.user.as_str(), address.database.as_str()), ("eu", "ed"));
        assert_eq!(address.password, Some(Secret::new("ep")));
        assert_eq!(address.ssl_mode, Some(SslMode::Require));
        assert_eq!(address.connect_timeout, Some(Duration::from_secs(3)));
        let address = parse_with("postgresql://u@h:1/d?sslmode=disable", &variables).unwrap();
        assert_eq!(address.hosts[0].shown(), "h:1");
        assert_eq!((address.user.as_str(), address.database.as_str()), ("u", "d"));
        assert_eq!(address.ssl_mode, Some(SslMode::Disable));
    }

    #[test]
    fn the_database_is_called_like_the_user_when_it_is_not_named() {
        assert_eq!(parse("postgres://ann@h").database, "ann");
        assert_eq!(parse("postgres://ann@h").application_name, "decant");
        assert_eq!(parse("postgres://ann@h").connect_timeout, Some(DEFAULT_CONNECT_TIMEOUT));
        assert_eq!(parse("postgres://ann@h?connect_timeout=0").connect_timeout, None);
    }

    #[test]
    fn only_loopback_and_sockets_are_local() {
        for (url, local) in [
            ("postgresql://u@localhost/d", true),
            ("postgresql://u@127.0.0.1/d", true),
            ("postgresql://u@[::1]/d", true),
            ("postgresql://u@/d?host=/tmp", true),
            ("postgresql://u@10.0.0.1/d", false),
            ("postgresql://u@localhost.example.com/d", false),
        ] {
            assert_eq!(parse(url).hosts[0].is_local(), local, "{url}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_without_the_password() {
        for url in [
            "postgresql://u:secret@h:secret/d",
            "postgresql://u:secret@h/d?sslmod=require",
            "postgresql://u:secret@h/d?sslmode=never",
            "postgresql://u:secret@h/d?connect_timeout=soon",
            "postgresql://u:secret@h/d?target_session_attrs=x",
            "postgresql://u:secret@h/d?sslrootcert=system&sslmode=require",
            "postgresql://u:secret%ff@h/d",
        ] {
            let error = parse_with(url, &[]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidConfig, "{url}");
            assert!(!format!("{error:?}").contains("secret"), "{error:?}");
        }
        assert!(!format!("{:?}", parse("postgresql://u:secret@h/d")).contains("secret"));
    }
}

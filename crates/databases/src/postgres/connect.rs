//! Opens connections: tries the hosts in order, with TLS as `sslmode` asks,
//! and says what the operator must do when none will have us.
//!
//! Nothing is retried here but what libpq tries too: another host of the
//! list, and once with or without TLS where the mode leaves it open.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use decant_core::error::{Error, ErrorKind, Result};
use tokio::task::AbortHandle;
use tokio_postgres::{Client, Config, config};

use super::error::{explain, innermost};
use super::password_file;
use super::tls::{self, RootCertificates, SslMode};
use super::url::{Address, ChannelBinding, Host, HostName, SessionAttributes};

const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_RETRIES: u32 = 4;

/// A connection and the task that drives it.
pub(crate) struct Session {
    pub(crate) client: Client,
    driver: AbortHandle,
}

impl Session {
    /// Whether the server has gone, as far as is known.
    pub(crate) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Closes the connection in the middle of whatever it does. Dropping a
    /// session says goodbye first.
    pub(crate) fn close_now(&self) {
        self.driver.abort();
    }
}

/// What every session is set to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SessionSettings {
    pub(crate) lock_timeout: Duration,
}

/// A connection to the first host that answers and will do.
pub(crate) async fn connect(address: &Address, settings: SessionSettings) -> Result<Session> {
    let mut last = None;
    for host in &address.hosts {
        match connect_host(address, host, settings).await {
            Ok(session) => return Ok(session),
            // As libpq: a server that knows us and refuses has answered.
            Err(error) if error.kind() != ErrorKind::Unavailable => return Err(error),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| Error::new(ErrorKind::InvalidConfig, "the URL names no host")))
}

/// Tries each of the host's addresses, as long as they do not answer.
async fn connect_host(
    address: &Address,
    host: &Host,
    settings: SessionSettings,
) -> Result<Session> {
    let mut last = None;
    for resolved in resolve(host).await? {
        match connect_address(address, host, resolved, settings).await {
            Err(error) if error.kind() == ErrorKind::Unavailable => last = Some(error),
            answer => return answer,
        }
    }
    Err(last.unwrap_or_else(|| unreachable(host, "the name has no address")))
}

/// The addresses of a host; a socket has none and is one way all the same.
async fn resolve(host: &Host) -> Result<Vec<Option<IpAddr>>> {
    let HostName::Network(name) = &host.name else { return Ok(vec![None]) };
    let addresses = tokio::net::lookup_host((name.as_str(), host.port))
        .await
        .map_err(|error| unreachable(host, &error.to_string()))?;
    Ok(addresses.map(|address| Some(address.ip())).collect())
}

async fn connect_address(
    address: &Address,
    host: &Host,
    resolved: Option<IpAddr>,
    settings: SessionSettings,
) -> Result<Session> {
    let opening = async {
        let session = open_session(address, host, resolved).await?;
        set_up(&session.client, settings).await.map_err(|error| explain(&error))?;
        check_attributes(&session.client, address.session, host).await?;
        Ok(session)
    };
    let Some(limit) = address.connect_timeout else { return opening.await };
    tokio::time::timeout(limit, opening).await.unwrap_or_else(|_| {
        let reason = format!("no answer in {} seconds", limit.as_secs());
        Err(unreachable(host, &reason).with_hint(
            "check host, port and firewall; connect_timeout in the URL allows more time",
        ))
    })
}

async fn open_session(address: &Address, host: &Host, resolved: Option<IpAddr>) -> Result<Session> {
    let mode = ssl_mode(address, host);
    let mut last = None;
    for encryption in attempts(mode) {
        let config = configure(address, host, resolved, *encryption);
        let roots = &address.root_certificates;
        let connector = tls::connector(mode, roots, address.client_certificate.as_ref())?;
        match config.connect(connector).await {
            Ok((client, connection)) => {
                let driver = tokio::spawn(drive(connection));
                return Ok(Session { client, driver: driver.abort_handle() });
            }
            Err(error) => {
                let may_differ = depends_on_encryption(&error);
                last = Some(refused(&error, address, host, mode));
                if !may_differ {
                    break;
                }
            }
        }
    }
    Err(last.unwrap_or_else(|| Error::new(ErrorKind::Internal, "no way to connect was tried")))
}

/// Carries the connection until one side ends it. Statements in flight hear
/// that it was lost; why is known here alone.
async fn drive<S>(connection: S)
where
    S: Future<Output = Result<(), tokio_postgres::Error>>,
{
    if let Err(error) = connection.await {
        tracing::warn!("a connection to Postgres ended: {}", explain(&error));
    }
}

fn ssl_mode(address: &Address, host: &Host) -> SslMode {
    match (&host.name, address.ssl_mode) {
        (HostName::Socket(_), _) => SslMode::Disable,
        (_, Some(mode)) => mode,
        // As libpq: who asks for the system's authorities wants them asked.
        _ if address.root_certificates == (RootCertificates::System { asked_for: true }) => {
            SslMode::VerifyFull
        }
        (_, None) if host.is_local() => SslMode::Prefer,
        (_, None) => SslMode::VerifyFull,
    }
}

fn attempts(mode: SslMode) -> &'static [config::SslMode] {
    use config::SslMode::{Disable, Prefer, Require};
    match mode {
        SslMode::Disable => &[Disable],
        SslMode::Allow => &[Disable, Require],
        SslMode::Prefer => &[Prefer, Disable],
        SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => &[Require],
    }
}

/// Whether the server may answer otherwise with TLS than without: the
/// handshake failed, or `pg_hba.conf` has no entry for it.
fn depends_on_encryption(error: &tokio_postgres::Error) -> bool {
    is_tls(error) || error.code().is_some_and(|state| state.code() == "28000")
}

fn is_tls(error: &tokio_postgres::Error) -> bool {
    error.to_string().contains("TLS")
}

fn configure(
    address: &Address,
    host: &Host,
    resolved: Option<IpAddr>,
    encryption: config::SslMode,
) -> Config {
    let mut config = Config::new();
    match &host.name {
        HostName::Network(name) => config.host(name),
        HostName::Socket(directory) => config.host_path(directory),
    };
    config
        .port(host.port)
        .user(&address.user)
        .dbname(&address.database)
        .application_name(&address.application_name)
        .ssl_mode(encryption)
        .channel_binding(channel_binding(address.channel_binding))
        .keepalives_idle(KEEPALIVE_IDLE)
        .keepalives_interval(KEEPALIVE_INTERVAL)
        .keepalives_retries(KEEPALIVE_RETRIES);
    if let Some(resolved) = resolved {
        config.hostaddr(resolved);
    }
    if let Some(options) = &address.options {
        config.options(options);
    }
    let from_file = || {
        let path = address.password_file.as_deref()?;
        password_file::find(path, host, &address.database, &address.user)
    };
    if let Some(password) = address.password.clone().or_else(from_file) {
        config.password(password.expose());
    }
    config
}

fn channel_binding(wanted: ChannelBinding) -> config::ChannelBinding {
    match wanted {
        ChannelBinding::Disable => config::ChannelBinding::Disable,
        ChannelBinding::Prefer => config::ChannelBinding::Prefer,
        ChannelBinding::Require => config::ChannelBinding::Require,
    }
}

/// Sets what a load relies on: it may stand open while files are read, and a
/// server notices within seconds that a client has gone, even while it waits
/// for a lock.
async fn set_up(client: &Client, settings: SessionSettings) -> Result<(), tokio_postgres::Error> {
    let lock_timeout = settings.lock_timeout.as_millis().clamp(1, i32::MAX as u128);
    client
        .batch_execute(&format!(
            "SET idle_in_transaction_session_timeout = 0; SET lock_timeout = {lock_timeout}"
        ))
        .await?;
    // Unknown before Postgres 14 and refused on some platforms.
    let _ = client.batch_execute("SET client_connection_check_interval = '5s'").await;
    Ok(())
}

async fn check_attributes(client: &Client, wanted: SessionAttributes, host: &Host) -> Result<()> {
    if wanted == SessionAttributes::Any {
        return Ok(());
    }
    let row = client
        .query_one(
            "SELECT pg_is_in_recovery(), current_setting('transaction_read_only') = 'on'",
            &[],
        )
        .await
        .map_err(|error| explain(&error))?;
    let (standby, read_only): (bool, bool) = (row.get(0), row.get(1));
    let (will_do, word) = match wanted {
        SessionAttributes::Any => (true, "any"),
        SessionAttributes::ReadWrite => (!read_only, "read-write"),
        SessionAttributes::ReadOnly => (read_only, "read-only"),
        SessionAttributes::Primary => (!standby, "primary"),
        SessionAttributes::Standby => (standby, "standby"),
    };
    if will_do {
        return Ok(());
    }
    let message = format!("Postgres at {} is not {word}", host.shown());
    Err(Error::new(ErrorKind::Unavailable, message)
        .with_hint("target_session_attrs in the URL asks for it; list all servers as hosts"))
}

/// Why this host will not have us.
fn refused(error: &tokio_postgres::Error, address: &Address, host: &Host, mode: SslMode) -> Error {
    let place = host.shown();
    if let Some(state) = error.code() {
        return refused_by_server(state.code(), explain(error), address, &place);
    }
    let cause = innermost(error).to_string();
    let text = error.to_string();
    if is_tls(error) && !is_broken_off(error) {
        return refused_tls(&cause, &place, mode);
    }
    if text.contains("invalid configuration") || text.contains("authentication") {
        let message = format!("Postgres at {place} does not let `{}` in: {cause}", address.user);
        return Error::new(ErrorKind::AccessDenied, message).with_hint(PASSWORD_HINT);
    }
    unreachable(host, &cause)
}

fn unreachable(host: &Host, reason: &str) -> Error {
    let message = format!("cannot reach Postgres at {}: {reason}", host.shown());
    Error::new(ErrorKind::Unavailable, message).with_hint(
        "check that the server runs and listens there: host and port of the URL, PGHOST, PGPORT",
    )
}

/// Whether a handshake ended because the connection did.
fn is_broken_off(error: &tokio_postgres::Error) -> bool {
    let Some(cause) = innermost(error).downcast_ref::<io::Error>() else { return false };
    let is_refusal = cause.get_ref().is_some_and(|inner| inner.is::<rustls::Error>());
    !is_refusal && cause.kind() != io::ErrorKind::InvalidInput
}

const PASSWORD_HINT: &str =
    "give the password in the URL, in PGPASSWORD, or in ~/.pgpass (mode 0600)";

fn refused_by_server(state: &str, error: Error, address: &Address, place: &str) -> Error {
    let (user, database) = (&address.user, &address.database);
    let hint = match state {
        "28P01" => PASSWORD_HINT.to_owned(),
        "28000" => format!(
            "check that the role `{user}` exists and may log in to `{database}` from here \
             (pg_hba.conf), with or without TLS (sslmode)"
        ),
        "3D000" => format!("create the database `{database}`, or name another one in the URL"),
        "57P03" => "the server is starting or stopping: try again shortly".to_owned(),
        _ => return error.with("server", place),
    };
    error.with("server", place).with_hint(hint)
}

fn refused_tls(cause: &str, place: &str, mode: SslMode) -> Error {
    if cause.contains("does not support TLS") {
        let message = format!("Postgres at {place} does not offer TLS");
        return Error::new(ErrorKind::AccessDenied, message).with_hint(
            "switch `ssl` on at the server; over a network that you trust, add sslmode=disable \
             to the URL",
        );
    }
    let message = format!("TLS with Postgres at {place} failed: {cause}");
    let hint = if mode == SslMode::VerifyFull && cause.contains("not valid for name") {
        "connect by a name that the certificate has (subjectAltName), or use sslmode=verify-ca"
    } else {
        "name the authority that signed the server's certificate: sslrootcert=FILE in the URL, \
         or ~/.postgresql/root.crt; sslmode=require encrypts without verifying"
    };
    Error::new(ErrorKind::AccessDenied, message).with_hint(hint)
}
